//! Budgets, advances, corrections, and what is settled at the end of a year.

use samenloop_adapters::settlement_store::{
    AccountBalance,
    commands::{Asked, Effect, Facts, NewJournal},
};
use samenloop_domain::{
    budget::{self, Parties},
    cents::{BasisPoints, Cents},
    identifiers::Agb,
    ledger::{Account, Posting},
};
use samenloop_proto::settlement::v1::{self as wire, CorrectionKind, EntryKind};
use tonic::Status;

use super::{Asker, Plan, check, command};
use crate::reason::Reason;

/// Terms of one budget.
const TERMS_MAX: usize = 64;

command!(RecordBudgetRequest, "RecordBudget", plan_record);
command!(RecordAdvanceRequest, "RecordAdvance", plan_advance);
command!(RecordCorrectionRequest, "RecordCorrection", plan_correction);
command!(SettleBudgetRequest, "SettleBudget", plan_settle);

fn journal(postings: Vec<Posting>) -> Vec<NewJournal> {
    vec![NewJournal {
        postings,
        reverses: None,
    }]
}

fn plan_record(request: wire::RecordBudgetRequest, asker: Asker) -> Result<Plan, Status> {
    check::name("budget_id", &request.budget_id)?;
    check::name("contract_id", &request.contract_id)?;
    check::payee(&request.payee_agb)?;
    let period = check::period(&request.first, &request.last)?;
    let agreed = check::positive("budget_cents", request.budget_cents)?;
    check::sectors(&request.sector_shares)?;
    if request.terms.len() > TERMS_MAX {
        let limit = [("terms_max", TERMS_MAX.to_string())];
        return Err(Reason::TermsTooMany.status("a budget has too many terms", &limit));
    }
    let mut advanced = Some(Cents::ZERO);
    for term in &request.terms {
        check::day("due_on", &term.due_on)?;
        let cents = check::positive("terms.cents", term.cents)?;
        advanced = advanced.and_then(|sum| sum.checked_add(cents));
    }
    if advanced.is_none_or(|sum| sum > agreed) {
        let message = "the terms are more than the budget";
        return Err(Reason::AmountInvalid.status(message, &[]));
    }
    let asks = Asked::NewBudget {
        budget_id: request.budget_id.clone(),
        payee: request.payee_agb.clone(),
        contract_id: request.contract_id.clone(),
        period,
    };
    let decide = move |facts: &Facts| {
        if let Some(other) = &facts.met_budget {
            let message = "there is a budget of this name, or of this contract in this period";
            let id = [("budget_id", other.clone())];
            return Err(Reason::BudgetRecorded.status(message, &id));
        }
        Ok(Effect {
            entry: wire::Entry {
                kind: EntryKind::Budget.into(),
                cents: request.budget_cents,
                payee_agb: request.payee_agb.clone(),
                contract_id: request.contract_id.clone(),
                budget_id: request.budget_id.clone(),
                ..wire::Entry::default()
            },
            journals: journal(budget::agree(asker.insurer, &request.budget_id, agreed)),
            budget: Some(request),
            ..Effect::default()
        })
    };
    let decide = Box::new(decide);
    Ok(Plan { asks, decide })
}

fn plan_advance(request: wire::RecordAdvanceRequest, asker: Asker) -> Result<Plan, Status> {
    let parties = Parties {
        insurer: asker.insurer,
        payee: check::payee(&request.payee_agb)?,
    };
    check::name("contract_id", &request.contract_id)?;
    let cents = check::positive("cents", request.cents)?;
    check::note(&request.note)?;
    let decide = move |_: &Facts| {
        Ok(Effect {
            journals: journal(budget::advance(parties, &request.contract_id, cents)),
            entry: wire::Entry {
                kind: EntryKind::Advance.into(),
                cents: cents.get(),
                payee_agb: request.payee_agb,
                contract_id: request.contract_id,
                note: request.note,
                ..wire::Entry::default()
            },
            ..Effect::default()
        })
    };
    Ok(Plan {
        asks: Asked::Nothing,
        decide: Box::new(decide),
    })
}

fn plan_correction(request: wire::RecordCorrectionRequest, asker: Asker) -> Result<Plan, Status> {
    let parties = Parties {
        insurer: asker.insurer,
        payee: check::payee(&request.payee_agb)?,
    };
    check::name("contract_id", &request.contract_id)?;
    check::required_note(&request.note)?;
    let sectors = check::sectors(&request.sector_shares)?;
    let amount = correction_amount(&request)?;
    let asks = match &amount {
        Amount::Given(_) => Asked::Nothing,
        Amount::OfResult { budget_id, .. } => Asked::Budget(budget_id.clone()),
    };
    let decide = move |facts: &Facts| {
        let (cents, budget_id) = match amount {
            Amount::Given(cents) => (cents, String::new()),
            Amount::OfResult {
                budget_id,
                at_stake,
                reached,
            } => {
                let agreed = of_same_parties(facts, &request)?;
                (
                    budget::kpi_consequence(agreed, at_stake, reached),
                    budget_id,
                )
            }
        };
        let postings = budget::correct(parties, &sectors, cents).map_err(|_| key_invalid())?;
        Ok(Effect {
            journals: journal(postings),
            entry: wire::Entry {
                kind: EntryKind::Correction.into(),
                correction: request.kind,
                cents: cents.get(),
                cost_cents: cents.get(),
                payee_agb: request.payee_agb,
                contract_id: request.contract_id,
                budget_id,
                note: request.note,
                ..wire::Entry::default()
            },
            ..Effect::default()
        })
    };
    let decide = Box::new(decide);
    Ok(Plan { asks, decide })
}

/// How much a correction is.
enum Amount {
    Given(Cents),
    OfResult {
        budget_id: String,
        at_stake: BasisPoints,
        reached: BasisPoints,
    },
}

fn correction_amount(request: &wire::RecordCorrectionRequest) -> Result<Amount, Status> {
    let wrong = |message: &str| Err(Reason::CorrectionInvalid.status(message, &[]));
    let Some(result) = &request.result else {
        return match request.kind() {
            CorrectionKind::Unspecified => wrong("a correction has a kind"),
            _ => check::some("cents", request.cents).map(Amount::Given),
        };
    };
    if request.kind() != CorrectionKind::Result || request.cents != 0 {
        return wrong("a result has kind RESULT, and its amount follows from it");
    }
    check::name("result.budget_id", &result.budget_id)?;
    let [at_stake, reached] =
        [result.at_stake_basis_points, result.reached_basis_points].map(BasisPoints::new);
    match (at_stake, reached) {
        (Some(at_stake), Some(reached)) => Ok(Amount::OfResult {
            budget_id: result.budget_id.clone(),
            at_stake,
            reached,
        }),
        _ => wrong("a part of a result is more than 10,000 basis points"),
    }
}

/// The budget of a result, if it is of the payee and contract of the correction.
fn of_same_parties(
    facts: &Facts,
    request: &wire::RecordCorrectionRequest,
) -> Result<Cents, Status> {
    let found = facts.budget.as_ref().filter(|budget| {
        budget.payee_agb == request.payee_agb && budget.contract_id == request.contract_id
    });
    let budget = found.ok_or_else(budget_unknown)?;
    Ok(Cents::new(budget.budget_cents).expect("a budget that is recorded is within the bound"))
}

fn plan_settle(request: wire::SettleBudgetRequest, asker: Asker) -> Result<Plan, Status> {
    check::name("budget_id", &request.budget_id)?;
    let decide = move |facts: &Facts| settle(facts, asker);
    Ok(Plan {
        asks: Asked::Budget(request.budget_id),
        decide: Box::new(decide),
    })
}

fn settle(facts: &Facts, asker: Asker) -> Result<Effect, Status> {
    let agreed = facts.budget.as_ref().ok_or_else(budget_unknown)?;
    let last = check::day("last", &agreed.last)?;
    if last >= asker.today {
        let last = [("last", agreed.last.clone())];
        let message = "the period of the budget has not ended";
        return Err(Reason::PeriodOpen.status(message, &last));
    }
    let parties = Parties {
        insurer: asker.insurer,
        payee: Agb::parse(&agreed.payee_agb).ok_or_else(budget_unknown)?,
    };
    let settled = Account::BudgetSettled {
        insurer: asker.insurer,
        budget: agreed.budget_id.as_str().into(),
    };
    let advance = parties.advance(&agreed.contract_id);
    let [settled, open] = [settled, advance].map(|account| balance(&facts.balances, &account));
    let amounts = (
        Cents::new(agreed.budget_cents),
        Cents::new(facts.awarded_cents),
        settled,
        open,
    );
    let (Some(budget_cents), Some(awarded), Some(settled), Some(open)) = amounts else {
        return Err(over_the_bound());
    };
    let due = budget::nacalculatie(budget_cents, awarded, settled);
    let due = due.ok_or_else(over_the_bound)?;
    let sectors = check::sectors(&agreed.sector_shares)?;
    let names = (&*agreed.budget_id, &*agreed.contract_id);
    let postings =
        budget::settle(parties, names, &sectors, due, open).map_err(|_| key_invalid())?;
    Ok(Effect {
        journals: journal(postings),
        entry: wire::Entry {
            kind: EntryKind::Nacalculatie.into(),
            cents: due.get(),
            cost_cents: due.get(),
            set_off_cents: open.get(),
            payee_agb: agreed.payee_agb.clone(),
            contract_id: agreed.contract_id.clone(),
            budget_id: agreed.budget_id.clone(),
            ..wire::Entry::default()
        },
        ..Effect::default()
    })
}

fn balance(balances: &[AccountBalance], account: &Account) -> Option<Cents> {
    let name = account.to_string();
    let found = balances.iter().find(|balance| balance.account == name);
    Cents::new(found.map_or(0, |balance| balance.cents))
}

fn budget_unknown() -> Status {
    Reason::BudgetUnknown.status("there is no such budget", &[])
}

fn key_invalid() -> Status {
    Reason::KeyInvalid.status("the key has no share", &[])
}

fn over_the_bound() -> Status {
    Reason::AmountOutOfBounds.status("an amount would be over 10^13 cents", &[])
}
