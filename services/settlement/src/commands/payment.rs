//! A payment is confirmed or reversed; an entry is undone.

use samenloop_adapters::settlement_store::commands::{
    Asked, Effect, Facts, Move, MoveTo, NewJournal, Step, StoredJournal, StoredPayment,
};
use samenloop_domain::{
    budget::Parties,
    ledger::reversed,
    payment::{confirm_due, confirm_ordered},
};
use samenloop_proto::settlement::v1::{self as wire, EntryKind, PaymentState};
use tonic::Status;

use super::{Asker, Plan, check, command};
use crate::reason::Reason;

command!(ConfirmPaymentRequest, "ConfirmPayment", plan_confirm);
command!(
    ReversePaymentRequest,
    "ReversePayment",
    plan_reverse_payment
);
command!(ReverseEntryRequest, "ReverseEntry", plan_reverse_entry);

fn plan_confirm(request: wire::ConfirmPaymentRequest, asker: Asker) -> Result<Plan, Status> {
    check::name("payment_reference", &request.payment_reference)?;
    let cents = check::positive("cents", request.cents)?;
    let paid_on = check::day("paid_on", &request.paid_on)?;
    if paid_on > asker.today {
        let field = [("field", "paid_on".to_owned())];
        return Err(Reason::DayInvalid.status("paid_on is in the future", &field));
    }
    let decide = move |facts: &Facts| {
        let payment = only(facts)?;
        let settled = &payment.settled;
        let parties = Parties {
            insurer: asker.insurer,
            payee: settled.payee,
        };
        let confirm = match payment.state() {
            PaymentState::Payable => confirm_due,
            PaymentState::Ordered => confirm_ordered,
            _ => return Err(wrong_state(payment)),
        };
        if cents != settled.cents {
            let owed = [("cents", settled.cents.get().to_string())];
            let message = "the payment is of another amount";
            return Err(Reason::PaymentAmountDiffers.status(message, &owed));
        }
        Ok(Effect {
            entry: entry_of(payment, EntryKind::PaymentConfirmed, paid_on.to_string()),
            journals: vec![NewJournal {
                postings: confirm(parties, cents),
                reverses: None,
            }],
            moves: vec![Move {
                payment: (payment.run.number, settled.payee),
                to: MoveTo::Paid(0),
            }],
            ..Effect::default()
        })
    };
    Ok(Plan {
        asks: Asked::Payment(request.payment_reference),
        decide: Box::new(decide),
    })
}

fn plan_reverse_payment(
    request: wire::ReversePaymentRequest,
    asker: Asker,
) -> Result<Plan, Status> {
    check::name("payment_reference", &request.payment_reference)?;
    check::required_note(&request.note)?;
    let note = request.note;
    let decide = move |facts: &Facts| {
        let payment = only(facts)?;
        if !matches!(
            payment.state(),
            PaymentState::Payable | PaymentState::Ordered | PaymentState::Paid
        ) {
            return Err(wrong_state(payment));
        }
        let settled = &payment.settled;
        // The last step is undone first, as it was taken.
        let due = Some((payment.run.number, settled.payable_version));
        let steps = [payment.paid, payment.ordered, due];
        let steps: Vec<Step> = steps.into_iter().flatten().collect();
        assert_eq!(steps.len(), facts.journals.len(), "a step has one journal");
        // The facts have them in the order in which they were taken.
        let undone = steps.into_iter().zip(facts.journals.iter().rev());
        let undo = |(step, journal): (Step, &StoredJournal)| NewJournal {
            postings: reversed(&journal.postings),
            reverses: Some(step),
        };
        Ok(Effect {
            journals: undone.map(undo).collect(),
            moves: vec![Move {
                payment: (payment.run.number, settled.payee),
                to: MoveTo::Reversed,
            }],
            entry: wire::Entry {
                note,
                ..entry_of(payment, EntryKind::PaymentReversed, asker.today.to_string())
            },
            ..Effect::default()
        })
    };
    Ok(Plan {
        asks: Asked::Payment(request.payment_reference),
        decide: Box::new(decide),
    })
}

fn plan_reverse_entry(request: wire::ReverseEntryRequest, _: Asker) -> Result<Plan, Status> {
    check::required_note(&request.note)?;
    let (number, note) = (request.number, request.note);
    let decide = move |facts: &Facts| {
        let number_is = [("number", number.to_string())];
        let unknown = || Reason::EntryUnknown.status("there is no such entry", &number_is);
        let entry = facts.entry.as_ref().ok_or_else(unknown)?;
        if !matches!(
            entry.kind(),
            EntryKind::Advance | EntryKind::Correction | EntryKind::Nacalculatie
        ) {
            let message = "only advances, corrections and nacalculaties are undone";
            return Err(Reason::EntryNotReversible.status(message, &number_is));
        }
        if facts.journals.iter().any(|journal| journal.is_reversed) {
            return Err(Reason::EntryReversed.status("the entry is undone already", &number_is));
        }
        let undo = |journal: &StoredJournal| NewJournal {
            postings: reversed(&journal.postings),
            reverses: Some((number, journal.version)),
        };
        Ok(Effect {
            journals: facts.journals.iter().map(undo).collect(),
            entry: wire::Entry {
                kind: EntryKind::Reversal.into(),
                cents: -entry.cents,
                cost_cents: -entry.cost_cents,
                set_off_cents: -entry.set_off_cents,
                payee_agb: entry.payee_agb.clone(),
                contract_id: entry.contract_id.clone(),
                budget_id: entry.budget_id.clone(),
                correction: entry.correction,
                reverses_number: number,
                note,
                ..wire::Entry::default()
            },
            ..Effect::default()
        })
    };
    Ok(Plan {
        asks: Asked::Entry(number),
        decide: Box::new(decide),
    })
}

fn only(facts: &Facts) -> Result<&StoredPayment, Status> {
    let unknown = || Reason::PaymentUnknown.status("there is no such payment", &[]);
    facts.payments.first().ok_or_else(unknown)
}

fn entry_of(payment: &StoredPayment, kind: EntryKind, day: String) -> wire::Entry {
    wire::Entry {
        kind: kind.into(),
        cents: payment.settled.cents.get(),
        payee_agb: payment.settled.payee.to_string(),
        run: payment.run.number,
        payment_reference: payment.settled.reference.clone(),
        day,
        ..wire::Entry::default()
    }
}

pub(super) fn wrong_state(payment: &StoredPayment) -> Status {
    let metadata = [
        ("state", payment.state().as_str_name().to_owned()),
        ("payment_reference", payment.settled.reference.clone()),
    ];
    Reason::PaymentStateWrong.status("the payment is in another state", &metadata)
}
