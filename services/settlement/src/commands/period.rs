//! A period is closed, and its payments are ordered.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use samenloop_adapters::{
    pain001,
    settlement_store::commands::{
        Asked, Effect, Facts, Move, MoveTo, NewJournal, NewPayment, PAYEES_MAX,
    },
};
use samenloop_domain::{
    budget::Parties,
    cents::Cents,
    identifiers::{Agb, Uzovi},
    ledger::Account,
    payment::{self, Books, Settled},
};
use samenloop_proto::settlement::v1::{self as wire, EntryKind, PaymentState};
use tonic::Status;

use super::{Asker, Plan, check, command, payment::wrong_state};
use crate::reason::Reason;

/// Days after a period that its payments are due, where the insurer does not say.
const DUE_AFTER_DAYS: i64 = 30;

command!(ClosePeriodRequest, "ClosePeriod", plan_close);
command!(OrderPaymentsRequest, "OrderPayments", plan_order);

fn plan_close(request: wire::ClosePeriodRequest, asker: Asker) -> Result<Plan, Status> {
    let last = check::day("last", &request.last)?;
    let due_on = match &*request.due_on {
        "" => last.saturating_add(DUE_AFTER_DAYS.days()),
        text => check::day("due_on", text)?,
    };
    if last >= asker.today || due_on < last {
        let message = "the period has not ended, or is due before it ends";
        let today = [("today", asker.today.to_string())];
        return Err(Reason::PeriodOpen.status(message, &today));
    }
    let decide = move |facts: &Facts| {
        if let Some(before) = facts.run.filter(|run| run.last_day >= last) {
            let message = "the period does not follow the last one that was closed";
            let closed = [("last", before.last_day.to_string())];
            return Err(Reason::PeriodClosed.status(message, &closed));
        }
        close(asker.insurer, facts, (last, due_on))
    };
    Ok(Plan {
        asks: Asked::Period(last),
        decide: Box::new(decide),
    })
}

fn close(
    insurer: Uzovi,
    facts: &Facts,
    (last, due_on): (jiff::civil::Date, jiff::civil::Date),
) -> Result<Effect, Status> {
    let over = || Reason::AmountOutOfBounds.status("an amount would be over 10^13 cents", &[]);
    let books = books(facts).ok_or_else(over)?;
    let settled = payment::close(insurer, &books).ok_or_else(over)?;
    if settled.len() > PAYEES_MAX {
        let limit = [("payees_max", PAYEES_MAX.to_string())];
        return Err(Reason::RunTooLarge.status("too many payees have something due", &limit));
    }
    let total = settled
        .iter()
        .try_fold(Cents::ZERO, |sum, it| sum.checked_add(it.paid));
    let total = total.ok_or_else(over)?;
    let mut effect = Effect {
        entry: wire::Entry {
            kind: EntryKind::PeriodClosed.into(),
            cents: total.get(),
            run: facts.number,
            payment_count: count(settled.iter().filter(|it| it.paid > Cents::ZERO).count()),
            day: last.to_string(),
            ..wire::Entry::default()
        },
        run: Some((last, due_on)),
        ..Effect::default()
    };
    for it in settled {
        let payable_version = book(&mut effect.journals, &it);
        effect.payments.push(NewPayment {
            payee: it.payee,
            reference: format!("{insurer}-{}-{}", facts.number, it.payee),
            cents: it.paid,
            advanced: it.advanced,
            set_off: it.set_off,
            carried: it.carried,
            payable_version,
        });
    }
    let terms = facts.terms.iter();
    effect.advanced = terms
        .map(|term| (term.budget_id.clone(), term.number))
        .collect();
    Ok(effect)
}

/// The journals of a payee; gives the place of the one of its payment.
fn book(journals: &mut Vec<NewJournal>, settled: &Settled) -> u32 {
    for postings in [&settled.advances, &settled.payment] {
        if !postings.is_empty() {
            let postings = postings.clone();
            journals.push(NewJournal {
                postings,
                reverses: None,
            });
        }
    }
    count(journals.len()).saturating_sub(1)
}

fn count(count: usize) -> u32 {
    u32::try_from(count).expect("a run is bounded")
}

/// What the period is closed on; none where an amount is over the bound.
fn books(facts: &Facts) -> Option<Books> {
    let mut books = Books::default();
    for balance in &facts.balances {
        let cents = Cents::new(balance.cents)?;
        match Account::parse(&balance.account) {
            Some(Account::ProviderPayable { payee, .. }) => {
                books.owed.insert(payee, -cents);
            }
            Some(Account::ProviderAdvance {
                payee, contract, ..
            }) => {
                books.advances.insert((payee, contract), cents);
            }
            _ => {}
        }
    }
    for claimed in &facts.claimed {
        let key = (claimed.payee, claimed.contract_id.as_str().into());
        books.claimed.insert(key, Cents::new(claimed.cents)?);
    }
    let terms = facts.terms.iter();
    let terms = terms.map(|term| ((term.payee, term.contract_id.as_str().into()), term.cents));
    books.terms = terms.collect();
    Some(books)
}

fn plan_order(request: wire::OrderPaymentsRequest, asker: Asker) -> Result<Plan, Status> {
    if request.creditors.len() > PAYEES_MAX {
        let limit = [("payees_max", PAYEES_MAX.to_string())];
        return Err(Reason::RunTooLarge.status("there are too many creditors", &limit));
    }
    let debtor = account("debtor", request.debtor.as_ref())?;
    let mut creditors = BTreeMap::new();
    for creditor in &request.creditors {
        let payee = check::payee(&creditor.payee_agb)?;
        let account = account(payee.as_str(), creditor.account.as_ref())?;
        if creditors.insert(payee, account).is_some() {
            let payee = [("payee_agb", payee.to_string())];
            return Err(Reason::AccountInvalid.status("a creditor is named twice", &payee));
        }
    }
    let decide = move |facts: &Facts| order(facts, asker, &debtor, &creditors);
    Ok(Plan {
        asks: Asked::Run(request.run),
        decide: Box::new(decide),
    })
}

fn account(whose: &str, account: Option<&wire::BankAccount>) -> Result<pain001::Account, Status> {
    let found = account.and_then(|account| pain001::Account::new(&account.name, &account.iban));
    found.ok_or_else(|| {
        let message = "an account has no IBAN, or a name that banks do not take";
        Reason::AccountInvalid.status(message, &[("whose", whose.to_owned())])
    })
}

fn order(
    facts: &Facts,
    asker: Asker,
    debtor: &pain001::Account,
    creditors: &BTreeMap<Agb, pain001::Account>,
) -> Result<Effect, Status> {
    let unknown = || Reason::RunUnknown.status("there is no such run, or it pays nothing", &[]);
    let run = facts.run.ok_or_else(unknown)?;
    let mut effect = Effect::default();
    let mut transfers = Vec::new();
    for payment in &facts.payments {
        match payment.state() {
            PaymentState::Carried | PaymentState::Reversed => continue,
            PaymentState::Payable => {}
            _ => return Err(wrong_state(payment)),
        }
        let (payee, cents) = (payment.settled.payee, payment.settled.cents);
        let payee_is = [("payee_agb", payee.to_string())];
        if cents.get() > pain001::TRANSFER_CENTS_MAX {
            let message = "a payment is over what one transfer takes; pay it in your own way";
            return Err(Reason::AmountOutOfBounds.status(message, &payee_is));
        }
        let creditor = creditors.get(&payee).cloned().ok_or_else(|| {
            Reason::AccountMissing.status("a payee of the run has no account", &payee_is)
        })?;
        transfers.push(pain001::Transfer {
            reference: payment.settled.reference.clone(),
            cents,
            creditor,
        });
        let parties = Parties {
            insurer: asker.insurer,
            payee,
        };
        effect.moves.push(Move {
            payment: (run.number, payee),
            to: MoveTo::Ordered(count(effect.journals.len())),
        });
        effect.journals.push(NewJournal {
            postings: payment::order(parties, cents),
            reverses: None,
        });
    }
    if transfers.is_empty() {
        return Err(unknown());
    }
    effect.entry = wire::Entry {
        kind: EntryKind::PaymentsOrdered.into(),
        cents: transfers.iter().map(|transfer| transfer.cents.get()).sum(),
        run: run.number,
        payment_count: count(transfers.len()),
        day: run.due_on.to_string(),
        ..wire::Entry::default()
    };
    effect.file = pain001::write(&pain001::Order {
        message_id: format!("{}-{}-{}", asker.insurer, run.number, facts.number),
        created_at: asker.now,
        execute_on: run.due_on.max(asker.today),
        debtor: debtor.clone(),
        transfers,
    });
    Ok(effect)
}
