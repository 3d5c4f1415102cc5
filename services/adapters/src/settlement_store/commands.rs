//! What insurers tell the ledger beside claims: the facts that a command is decided by, and what it leaves.

use jiff::{Timestamp, civil::Date};
use samenloop_domain::{
    cents::Cents,
    identifiers::{Agb, Uzovi},
    ledger::Posting,
    period::Period,
};
use samenloop_proto::settlement::v1 as wire;
use uuid::Uuid;

use super::AccountBalance;

/// Payments of one run; a period with more payees is not closed.
pub const PAYEES_MAX: usize = 10_000;

/// A command of an insurer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCommand {
    /// Whose books.
    pub insurer: Uzovi,
    /// Its effect is had once.
    pub request_id: Uuid,
    /// The method, for people.
    pub kind: &'static str,
    /// SHA-256 of method and content: the same id with another one is refused.
    pub content_digest: [u8; 32],
    /// What it is decided by.
    pub asks: Asked,
}

/// What of the books a command is decided by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// Whether a budget of this name, or of this contract in this period, is there.
    NewBudget {
        /// Its name.
        budget_id: String,
        /// Whose it will be.
        payee: String,
        /// Under which contract.
        contract_id: String,
        /// When.
        period: Period,
    },
    /// A budget, with what was awarded in its period, settled before, and advanced under its contract.
    Budget(String),
    /// All that is owed, as a period that ends on this day is closed.
    Period(Date),
    /// The payments of a run.
    Run(u64),
    /// One payment.
    Payment(String),
    /// Another entry.
    Entry(u64),
}

/// What the books say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    /// Number that the command gets.
    pub number: u64,
    /// A budget that stands in the way of a new one.
    pub met_budget: Option<String>,
    /// The budget.
    pub budget: Option<wire::RecordBudgetRequest>,
    /// Awarded under the budget's contract, for periods in that of the budget.
    pub awarded_cents: i64,
    /// Balances: those of a budget, or all of providers that are not zero.
    pub balances: Vec<AccountBalance>,
    /// Awarded since the last period, by payee and contract.
    pub claimed: Vec<Claimed>,
    /// Terms that have fallen due and are not advanced.
    pub terms: Vec<DueTerm>,
    /// The last run, or the one asked for.
    pub run: Option<PaymentRun>,
    /// The payments asked for, by payee.
    pub payments: Vec<StoredPayment>,
    /// The entry.
    pub entry: Option<wire::Entry>,
    /// Its journals, by place.
    pub journals: Vec<StoredJournal>,
}

/// What was awarded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// To whom.
    pub payee: Agb,
    /// Under which contract.
    pub contract_id: String,
    /// How much; negative if credits outweigh.
    pub cents: i64,
}

/// A term of a budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DueTerm {
    /// Of which budget.
    pub budget_id: String,
    /// Its place, from 1.
    pub number: u32,
    /// Who is advanced.
    pub payee: Agb,
    /// Under which contract.
    pub contract_id: String,
    /// How much.
    pub cents: Cents,
}

/// A closed period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaymentRun {
    /// Number of the command that closed it.
    pub number: u64,
    /// Its last day.
    pub last_day: Date,
    /// When its payments are due.
    pub due_on: Date,
    /// Position of the event of its closing: what came before is of it.
    pub position: u64,
}

/// Number of a command and place of a journal of it.
pub type Step = (u64, u32);

/// A payment as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredPayment {
    /// Its run.
    pub run: PaymentRun,
    /// What was settled when the period was closed.
    pub settled: NewPayment,
    /// When it was ordered.
    pub ordered: Option<Step>,
    /// When it was paid.
    pub paid: Option<Step>,
    /// The command that reversed it.
    pub reversed_by: Option<u64>,
}

impl StoredPayment {
    /// What the last step made of it.
    #[must_use]
    pub fn state(&self) -> wire::PaymentState {
        use wire::PaymentState as State;
        if self.settled.cents == Cents::ZERO {
            State::Carried
        } else if self.reversed_by.is_some() {
            State::Reversed
        } else if self.paid.is_some() {
            State::Paid
        } else if self.ordered.is_some() {
            State::Ordered
        } else {
            State::Payable
        }
    }
}

/// What a payee gets of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPayment {
    /// Who.
    pub payee: Agb,
    /// Unique per insurer, at most 35 characters: the end-to-end id of the bank.
    pub reference: String,
    /// Paid.
    pub cents: Cents,
    /// Advanced with it.
    pub advanced: Cents,
    /// Set off against earlier advances.
    pub set_off: Cents,
    /// Owed by the payee, and carried to the next period.
    pub carried: Cents,
    /// Place of the journal of the payment among those of its run.
    pub payable_version: u32,
}

/// A journal of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredJournal {
    /// Its place.
    pub version: u32,
    /// Its lines.
    pub postings: Vec<Posting>,
    /// Whether a later one undoes it.
    pub is_reversed: bool,
}

/// A journal to be written; its place is that in the list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewJournal {
    /// Its lines.
    pub postings: Vec<Posting>,
    /// The journal that it undoes.
    pub reverses: Option<Step>,
}

/// A payment takes a step, with the journal at this place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    /// Run and payee.
    pub payment: (u64, Agb),
    /// Which step.
    pub to: MoveTo,
}

/// The steps of a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoveTo {
    /// The bank is told, with the journal at this place.
    Ordered(u32),
    /// It left the account, with the journal at this place.
    Paid(u32),
    /// It came back or is off.
    Reversed,
}

/// What a command leaves, in one transaction.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Effect {
    /// The entry; the store numbers and dates it.
    pub entry: wire::Entry,
    /// The file that was asked for.
    pub file: Vec<u8>,
    /// Journals in order of place.
    pub journals: Vec<NewJournal>,
    /// A budget, with its terms.
    pub budget: Option<wire::RecordBudgetRequest>,
    /// The period that is closed: its last day and when it is paid.
    pub run: Option<(Date, Date)>,
    /// Its payments.
    pub payments: Vec<NewPayment>,
    /// Terms that are advanced by it.
    pub advanced: Vec<(String, u32)>,
    /// Steps of payments.
    pub moves: Vec<Move>,
}

/// What a command gave.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The entry.
    pub entry: wire::Entry,
    /// The file.
    pub file: Vec<u8>,
}

/// What became of a command.
#[derive(Clone, PartialEq, Debug)]
pub enum Executed<E> {
    /// Recorded now.
    Done(Answer),
    /// Recorded before with the same content.
    Before(Answer),
    /// Recorded before with other content.
    Differs,
    /// Refused by whoever decided; nothing was recorded.
    Refused(E),
}

/// Which claims of an insurer are listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimFilter {
    /// Of this payee only.
    pub payee: Option<Agb>,
    /// Under this contract only.
    pub contract_id: Option<String>,
    /// Of prestaties that begin on these days only.
    pub begins: Option<Period>,
}

/// An entry that sectors bear.
#[derive(Clone, PartialEq, Debug)]
pub struct EntryCosts {
    /// The entry.
    pub entry: wire::Entry,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// First day of its budget, where it has one.
    pub budget_first: Option<Date>,
    /// What each sector bears, in order of sector.
    pub costs: Vec<(Box<str>, Cents)>,
}

/// Which payments of an insurer are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PaymentFilter {
    /// Of this run only.
    pub run: Option<u64>,
    /// Of this payee only.
    pub payee: Option<Agb>,
}

/// A payment with what it consists of.
#[derive(Clone, PartialEq, Debug)]
pub struct Remittance {
    /// The payment.
    pub payment: StoredPayment,
    /// What was owed to the payee when its period began; negative: owed by it.
    pub brought_forward_cents: i64,
    /// Claims and entries of the payee in its period, after the position asked for.
    pub items: Vec<super::StoredEvent>,
}

/// A balance that is not the sum of its postings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Of which insurer and account.
    pub account: String,
    /// What is kept; none where there is no balance.
    pub kept_cents: Option<i64>,
    /// What the postings add up to; none where there is no posting.
    pub posted_cents: Option<i64>,
}
