//! Contracts in force: who declares under them to whom, over which term, for what, and what bounds them.

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_domain::reference::{Contract, ContractState, PurchaseModel, Reference};
use serde::Serialize;

use crate::{
    App,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    person::Scope,
    respond::{self, Failure},
    shown::{Euro, State as Stands, Tone},
};

static CONTRACTS: Spec = Spec {
    name: "contracts",
    title: Say("Contracts", "Contracten"),
    columns: &[
        Column::head("id", Say("Contract", "Contract")),
        Column::text("state", Say("State", "Stand")),
        Column::text("first", Say("From", "Van")),
        Column::text("last", Say("To", "Tot en met")),
        Column::text("prestaties", Say("Prestaties", "Prestaties")).unsorted(),
        Column::text("declarants", Say("Declarants", "Declaranten")).unsorted(),
        Column::text("participants", Say("Participants", "Deelnemers")).unsorted(),
        Column::text("insurers", Say("Insurers", "Verzekeraars")).unsorted(),
        Column::text("model", Say("Purchase", "Inkoop")),
        Column::text("groups", Say("Groups", "Groepen")).unsorted(),
        Column::number("ceilings_cents", Say("Ceilings", "Plafonds")).unsorted(),
        Column::number("budgets_cents", Say("Budgets", "Budgetten")).unsorted(),
    ],
    filters: &[],
    empty: Say("There is no contract.", "Er is geen contract."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "contracts.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    version: Option<String>,
    contracts: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.contracts]
    }
}

/// `/contracts`: those of the version in force that whoever asks may see.
pub(crate) async fn show(State(app): State<App>, frame: Frame, scope: Scope) -> Response {
    let reference = match app.operator.reference.current().await {
        Ok(reference) => reference,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let rows = reference
        .as_deref()
        .map(|it| rows(it, scope))
        .unwrap_or_default();
    respond::page(&Page {
        version: reference.map(|reference| reference.version.to_string()),
        contracts: List::of_all(&frame, &CONTRACTS, rows),
        frame,
    })
}

fn rows(reference: &Reference, scope: Scope) -> Vec<Row> {
    let contracts = reference.contracts.iter();
    let seen = contracts.filter(|(_, contract)| {
        let mut insurers = contract.insurers.iter();
        scope
            .insurer()
            .is_none_or(|own| insurers.any(|bound| bound.uzovi == own))
    });
    seen.map(|(id, contract)| row(&id.to_string(), contract))
        .collect()
}

fn row(id: &str, contract: &Contract) -> Row {
    let lines = |texts: Vec<String>| Cell::Lines(texts.into_iter().map(Cell::code).collect());
    let prestaties = contract.prestaties.iter().map(|(key, agreed)| {
        let tarieven = agreed
            .terms
            .iter()
            .map(|term| term.tarief.euro().to_string());
        let tarieven: Vec<String> = tarieven.collect();
        format!("{} {} à {}", key.list, key.code, tarieven.join(", "))
    });
    let insurers = contract.insurers.iter().map(|bound| {
        let share = bound.share.get();
        format!("{} {}.{:02} %", bound.uzovi, share / 100, share % 100)
    });
    Row {
        anchor: id.to_owned(),
        cells: vec![
            Cell::code(id),
            Cell::State(state(contract.state)),
            Cell::text(contract.term.first().to_string()),
            Cell::text(contract.term.last().to_string()),
            lines(prestaties.collect()),
            lines(
                contract
                    .declarants
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            ),
            lines(
                contract
                    .participants
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            ),
            lines(insurers.collect()),
            Cell::text(match contract.purchase_model {
                PurchaseModel::Concurrentie => "concurrentie",
                PurchaseModel::Volgbeleid => "volgbeleid",
                PurchaseModel::Representatie => "representatie",
            }),
            lines(contract.groups.iter().map(ToString::to_string).collect()),
            Cell::Lines(
                (contract.ceilings.iter())
                    .map(|ceiling| Cell::Euro(Euro(ceiling.cents.get())))
                    .collect(),
            ),
            Cell::Lines(
                (contract.budgets.iter())
                    .map(|budget| Cell::Euro(Euro(budget.cents.get())))
                    .collect(),
            ),
        ],
    }
}

fn state(state: ContractState) -> Stands {
    let (tone, word) = match state {
        ContractState::Concept => (Tone::Quiet, "concept"),
        ContractState::InNegotiation => (Tone::Warn, "in_negotiation"),
        ContractState::Signed => (Tone::Good, "signed"),
        ContractState::Active => (Tone::Good, "active"),
        ContractState::Ended => (Tone::Quiet, "ended"),
    };
    Stands::new(tone, word)
}
