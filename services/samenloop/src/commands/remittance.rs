//! `samenloop remittance REFERENCE`: what a payee is told of one payment, as a page to print, for a terminal, or for a
//! program.

use anyhow::{Context as _, ensure};
use askama::Template;
use clap::{Args, ValueEnum};
use samenloop_adapters::{
    clock::{Clock, receipt_date},
    config::Config,
    settlement_store::{Item, SettlementStore, StoredEvent, commands::StoredPayment},
};
use samenloop_domain::identifiers::Uzovi;
use samenloop_proto::settlement::v1::{Entry, EntryKind, PaymentState};
use serde::Serialize;

use crate::{node::Node, print};

/// Claims and entries of one advice.
pub const ITEMS_MAX: usize = 100_000;

/// Items that are read at a time.
const PAGE_ITEMS: u32 = 1000;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct RemittanceArguments {
    /// Reference of the payment, as `3311-12-53530001`.
    reference: String,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Language of table and page.
    #[arg(long, value_enum, default_value = "nl")]
    language: Language,
}

/// How an advice is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Format {
    /// For a terminal.
    Table,
    /// One JSON object.
    Json,
    /// A page of A4, to print from a browser.
    Html,
}

/// Language of texts for people.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
}

/// What a payee is told of one payment. Its amounts add up, or there is none.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Advice {
    /// Who pays.
    pub insurer: String,
    /// Who is paid.
    pub payee: String,
    /// Reference of the payment, which the bank shows.
    pub reference: String,
    /// The state of the payment: `carried`, `payable`, `ordered`, `paid` or `reversed`.
    pub state: &'static str,
    /// Last day of the period that was closed.
    pub last: String,
    /// When it is paid at the latest.
    pub due_on: String,
    /// What was owed before; negative: by the payee.
    pub brought_forward_cents: i64,
    /// Claims and entries of the period.
    pub items: Vec<AdviceItem>,
    /// Terms of budgets that are advanced with it.
    pub advanced_cents: i64,
    /// What is set off against earlier advances.
    pub set_off_cents: i64,
    /// What the payee owes, carried to the next period.
    pub carried_cents: i64,
    /// What is paid.
    pub cents: i64,
}

/// A claim or an entry of an advice.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct AdviceItem {
    /// `claim`, or the kind of entry.
    pub kind: &'static str,
    /// Its claim id, or the number of the entry.
    pub id: String,
    /// Invoice and line of a claim, or the note of an entry.
    pub detail: String,
    /// Under which contract.
    pub contract: String,
    /// Days that a claim is for, or the day of the entry.
    pub period: String,
    /// In favour of the payee, or negative.
    pub cents: i64,
}

/// Prints the advice of a payment.
///
/// # Errors
/// Where there is no such payment, its amounts do not add up, or the store is away.
pub async fn run(config: Config, arguments: &RemittanceArguments) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let store = node.open_settlement().await?;
    let advice = advice(&store, &arguments.reference).await?;
    match arguments.format {
        Format::Json => print::line(serde_json::to_string(&advice)?),
        Format::Html => print::line(page(&advice, arguments.language)?),
        Format::Table => print_table(&advice, arguments.language),
    }
    Ok(())
}

/// The advice of a payment.
///
/// # Errors
/// Where there is no such payment, it has more than [`ITEMS_MAX`] items, its amounts do not add up, or the store is
/// away.
pub async fn advice(store: &SettlementStore, reference: &str) -> anyhow::Result<Advice> {
    let named = reference.split('-').next().and_then(Uzovi::parse);
    let insurer = named.with_context(|| {
        format!("{reference} is no reference of a payment: it begins with an UZOVI number, as 3311-12-53530001")
    })?;
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let found = store
            .remittance(insurer, reference, after, PAGE_ITEMS)
            .await?;
        let mut found = found.with_context(|| format!("there is no payment {reference}"))?;
        let is_last = found.items.len() < PAGE_ITEMS as usize;
        after = found.items.last().map_or(after, |event| event.position);
        events.append(&mut found.items);
        ensure!(
            events.len() <= ITEMS_MAX,
            "payment {reference} has more than {ITEMS_MAX} items: read them by GetRemittance, in pages"
        );
        if is_last {
            return of(insurer, &found.payment, found.brought_forward_cents, events);
        }
    }
}

fn of(
    insurer: Uzovi,
    payment: &StoredPayment,
    brought_forward_cents: i64,
    events: Vec<StoredEvent>,
) -> anyhow::Result<Advice> {
    let settled = &payment.settled;
    let advice = Advice {
        insurer: insurer.to_string(),
        payee: settled.payee.to_string(),
        reference: settled.reference.clone(),
        state: state_word(payment.state()),
        last: payment.run.last_day.to_string(),
        due_on: payment.run.due_on.to_string(),
        brought_forward_cents,
        items: events.into_iter().map(item).collect(),
        advanced_cents: settled.advanced.get(),
        set_off_cents: settled.set_off.get(),
        carried_cents: settled.carried.get(),
        cents: settled.cents.get(),
    };
    let items: i64 = advice.items.iter().map(|item| item.cents).sum();
    let owed = brought_forward_cents + items + advice.advanced_cents - advice.set_off_cents;
    let told = advice.cents - advice.carried_cents;
    // Nothing is told that does not add up.
    ensure!(
        owed == told,
        "payment {}: its items come to {owed} cents, and it is of {told}; see `samenloop ledger verify`",
        advice.reference
    );
    Ok(advice)
}

fn item(event: StoredEvent) -> AdviceItem {
    match event.item {
        Item::Claim(allocated) => {
            let claim = allocated.claim;
            AdviceItem {
                kind: "claim",
                detail: format!("{} / {}", claim.invoice_number, claim.line_reference),
                id: claim.claim_id,
                contract: claim.contract_id,
                period: format!("{} – {}", claim.first, claim.last),
                cents: event.cents,
            }
        }
        Item::Entry(entry) => {
            let recorded = receipt_date(event.recorded_at);
            let Entry {
                number,
                cents,
                set_off_cents,
                ..
            } = *entry;
            AdviceItem {
                kind: entry_word(entry.kind()),
                id: number.to_string(),
                period: Some(entry.day)
                    .filter(|day| !day.is_empty())
                    .unwrap_or_else(|| recorded.to_string()),
                detail: entry.note,
                contract: entry.contract_id,
                cents: cents - set_off_cents,
            }
        }
    }
}

fn state_word(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Unspecified | PaymentState::Carried => "carried",
        PaymentState::Payable => "payable",
        PaymentState::Ordered => "ordered",
        PaymentState::Paid => "paid",
        PaymentState::Reversed => "reversed",
    }
}

fn entry_word(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Unspecified => "entry",
        EntryKind::Budget => "budget",
        EntryKind::Advance => "advance",
        EntryKind::Correction => "correction",
        EntryKind::Nacalculatie => "nacalculatie",
        EntryKind::PeriodClosed => "period_closed",
        EntryKind::PaymentsOrdered => "payments_ordered",
        EntryKind::PaymentConfirmed => "payment_confirmed",
        EntryKind::PaymentReversed => "payment_reversed",
        EntryKind::Reversal => "reversal",
    }
}

/// The page of A4 of an advice.
///
/// # Errors
/// Never but for want of memory.
pub fn page(advice: &Advice, language: Language) -> anyhow::Result<String> {
    Ok(Page { advice, language }.render()?)
}

#[derive(Template)]
#[template(path = "remittance.html")]
struct Page<'a> {
    advice: &'a Advice,
    language: Language,
}

impl Page<'_> {
    fn text(&self, dutch: &'static str, english: &'static str) -> &'static str {
        match self.language {
            Language::Nl => dutch,
            Language::En => english,
        }
    }

    /// By reference, as a template gives it.
    fn euro(&self, cents: &i64) -> String {
        euro(*cents, self.language)
    }

    fn state(&self) -> &'static str {
        match self.advice.state {
            "payable" => self.text("te betalen", "payable"),
            "ordered" => self.text("opdracht gegeven", "ordered"),
            "paid" => self.text("betaald", "paid"),
            "reversed" => self.text("teruggedraaid", "reversed"),
            _ => self.text("niets te betalen", "nothing to be paid"),
        }
    }

    fn what(&self, item: &AdviceItem) -> String {
        let name = match item.kind {
            "claim" if item.cents < 0 => self.text("Creditdeclaratie", "Credit"),
            "claim" => self.text("Declaratie", "Claim"),
            "advance" => self.text("Voorschot", "Advance"),
            "correction" => self.text("Correctie", "Correction"),
            "nacalculatie" => self.text("Nacalculatie", "Nacalculatie"),
            "payment_reversed" => self.text("Teruggedraaide betaling", "Payment reversed"),
            "reversal" => self.text("Teruggedraaide boeking", "Entry reversed"),
            _ => self.text("Boeking", "Entry"),
        };
        format!("{name} {}", item.id)
    }

    /// What leads from the items to what is paid; what is nothing is left out.
    fn sums(&self) -> Vec<(&'static str, i64)> {
        let advice = self.advice;
        let items = advice.items.iter().map(|item| item.cents).sum();
        let sums = [
            (
                self.text("Uit eerdere perioden", "Brought forward"),
                advice.brought_forward_cents,
            ),
            (
                self.text("Posten van deze periode", "Items of this period"),
                items,
            ),
            (
                self.text("Voorschot volgens schema", "Advanced by schedule"),
                advice.advanced_cents,
            ),
            (
                self.text(
                    "Verrekend met eerdere voorschotten",
                    "Set off against advances",
                ),
                -advice.set_off_cents,
            ),
            (
                self.text("Naar volgende periode", "Carried to the next period"),
                advice.carried_cents,
            ),
        ];
        sums.into_iter().filter(|(_, cents)| *cents != 0).collect()
    }
}

/// An amount as it is written in the language.
fn euro(cents: i64, language: Language) -> String {
    if language == Language::En {
        return print::euro(cents);
    }
    let sign = if cents < 0 { "\u{2212}" } else { "" };
    let (whole, part) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    let whole = print::thousands(whole).replace(',', ".");
    format!("{sign}€\u{a0}{whole},{part:02}")
}

fn print_table(advice: &Advice, language: Language) {
    let page = Page { advice, language };
    print::line(format!(
        "{} {}, {}: {}",
        page.text("Betaling", "Payment"),
        advice.reference,
        page.state(),
        page.euro(&advice.cents)
    ));
    let mut table = print::table(&[
        page.text("Post", "Item"),
        page.text("Omschrijving", "Description"),
        page.text("Overeenkomst", "Contract"),
        page.text("Periode", "Period"),
        page.text("Bedrag", "Amount"),
    ]);
    for item in &advice.items {
        let what = page.what(item);
        let cents = page.euro(&item.cents);
        table.add_row([&what, &item.detail, &item.contract, &item.period, &cents]);
    }
    print::line(table);
    for (name, cents) in page.sums() {
        print::line(format!("{name}: {}", page.euro(&cents)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_in_the_language() {
        for (cents, dutch, english) in [
            (0, "€\u{a0}0,00", "EUR 0.00"),
            (123_456_789, "€\u{a0}1.234.567,89", "EUR 1,234,567.89"),
            (-5, "\u{2212}€\u{a0}0,05", "-EUR 0.05"),
        ] {
            assert_eq!(euro(cents, Language::Nl), dutch);
            assert_eq!(euro(cents, Language::En), english);
        }
    }
}
