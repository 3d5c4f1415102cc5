//! Messages of a scenario: the sample's messages with the changes of each step, under the world's
//! names.
//!
//! What a sender's system would fill in by itself is filled in here unless the step says otherwise:
//! message id, day of sending and of the invoice (the day of receipt), declaration period, line
//! numbers, counts and sums.

use std::collections::BTreeMap;

use samenloop_domain::{identifiers::PartyId, rejection::ReasonCode};
use samenloop_proto::{declaration::v1::Declaration, record::v1 as record};
use serde_json::{Value, json};

use super::{
    Action, Decision, Delivery, Expected, ExpectedAllocation, ExpectedLine, Import, Overrides,
    Scenario, Settlement, Step, fault,
    file::{
        ActionFile, ChoiceWord, DecideFile, ExpectFile, ScenarioFile, SettlementWord, StepFile,
    },
    patch,
    world::World,
};
use crate::{
    existing,
    reference::{Fault, ReferenceData},
};

/// Makes a scenario.
pub(super) fn scenario(
    base: &ReferenceData,
    messages: &BTreeMap<String, Value>,
    world: &World,
    name: &str,
    file: ScenarioFile,
) -> Result<Scenario, Vec<Fault>> {
    let mut steps = Vec::new();
    let mut faults = Vec::new();
    for (at, step) in file.steps.iter().enumerate() {
        let maker = Maker {
            base,
            messages,
            world,
            at,
        };
        match maker.step(step, &steps) {
            Ok(step) => steps.push(step),
            Err(problem) => {
                let problem = format!("step {at}: {problem}");
                faults.push(fault(name, None, problem, "see deploy/sample/README.md"));
            }
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Scenario {
        number: file.scenario,
        title: file.title,
        source: file.source,
        world: file.world,
        steps,
    })
}

struct Maker<'a> {
    base: &'a ReferenceData,
    messages: &'a BTreeMap<String, Value>,
    world: &'a World,
    at: usize,
}

impl Maker<'_> {
    fn step(&self, file: &StepFile, earlier: &[Step]) -> Result<Step, String> {
        let action = match file.action() {
            Some(ActionFile::Declare { like, expect }) => {
                Action::Declare(Box::new(self.delivery(file, like, expect)?))
            }
            Some(ActionFile::Import(rows)) => Action::ImportExisting(self.import(rows)?),
            Some(ActionFile::Decide { decide, expect }) => {
                Action::Decide(Box::new(self.decision(file, decide, expect, earlier)?))
            }
            None => {
                let problem =
                    "it has neither `like` nor `decide` with `expect`, nor `import_existing` alone";
                return Err(problem.to_owned());
            }
        };
        let before = self.at.checked_sub(1).into_iter().collect();
        Ok(Step {
            received_on: file.received_on,
            after: file.after.clone().unwrap_or(before),
            action,
        })
    }

    fn delivery(
        &self,
        file: &StepFile,
        like: &str,
        expect: &ExpectFile,
    ) -> Result<Delivery, String> {
        let value = self.compose(file, like)?;
        let mut declaration: Declaration =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        let party = match &file.party {
            Some(party) => party.clone(),
            None => self.party_of(declaration.sender_agb.as_deref().unwrap_or_default())?,
        };
        let name = declaration.message_id.take();
        let name = name.unwrap_or_else(|| format!("step {}", self.at));
        let message_id = self.world.message_id(&name);
        declaration.message_id = Some(message_id.to_string());
        self.world.declaration(&mut declaration);
        let expected = self.expected(expect)?;
        if expected.lines.len() != declaration.lines.len() {
            return Err("`expect` does not have a line for each line of the message".to_owned());
        }
        Ok(Delivery {
            party: PartyId::new(party),
            message_id,
            body: serde_json::to_vec(&declaration).map_err(|error| error.to_string())?,
            deliveries: file.deliver.unwrap_or(1),
            settlement: match file.settlement {
                Some(SettlementWord::Unavailable) => Settlement::Unavailable,
                None => Settlement::Available,
            },
            expected,
        })
    }

    fn decision(
        &self,
        file: &StepFile,
        decide: &DecideFile,
        expect: &ExpectFile,
        earlier: &[Step],
    ) -> Result<Decision, String> {
        let Some(Action::Declare(delivery)) = earlier.get(decide.step).map(|step| &step.action)
        else {
            return Err(format!("step {} declares nothing", decide.step));
        };
        let reference = self.world.id(&decide.line_reference);
        let mut lines = delivery.expected.lines.iter();
        let index = lines.position(|line| line.line_reference == reference);
        let problem = || format!("step {} has no line {}", decide.step, decide.line_reference);
        let index = index.ok_or_else(problem)?;
        let choice = match decide.choice {
            ChoiceWord::Accept => record::Choice::Accept,
            ChoiceWord::AcceptReduced => record::Choice::AcceptReduced,
            ChoiceWord::Refuse => record::Choice::Refuse,
        };
        let name = format!("decision in step {}", self.at);
        Ok(Decision {
            message_id: delivery.message_id,
            line_number: u32::try_from(index + 1).map_err(|error| error.to_string())?,
            overrides: match decide.overriding {
                true => Overrides::Shown,
                false => Overrides::None,
            },
            command: record::Command {
                command_id: self.world.message_id(&name).to_string(),
                person: decide.person.clone(),
                second_person: decide.second_person.clone(),
                issued_at: crate::clock::noon(file.received_on).to_string(),
                note: decide.note.clone(),
                action: None,
            },
            decide: record::DecideReview {
                choice: choice as i32,
                awarded_cents: decide.awarded_cents.unwrap_or_default(),
                ..record::DecideReview::default()
            },
            expected: self.expected(expect)?,
        })
    }

    /// The message under the sample's own names.
    fn compose(&self, file: &StepFile, like: &str) -> Result<Value, String> {
        let mut message = self.message(like)?.clone();
        if let Some(patches) = &file.lines {
            let lines = patches.iter().map(|it| self.line(&message, it));
            message["lines"] = Value::Array(lines.collect::<Result<_, _>>()?);
        }
        let Some(lines) = message["lines"].as_array_mut() else {
            return Err(format!("message {like} has no lines"));
        };
        for (at, line) in lines.iter_mut().enumerate() {
            line["line_number"] = json!(at + 1);
        }
        let filled = filled_in(lines, &file.received_on.to_string());
        patch::merge(&mut message, &filled);
        if let Some(with) = &file.with {
            patch::merge(&mut message, with);
        }
        Ok(message)
    }

    fn message(&self, like: &str) -> Result<&Value, String> {
        let message = self.messages.get(like);
        message.ok_or_else(|| format!("there is no message {like}"))
    }

    fn line(&self, message: &Value, patch: &Value) -> Result<Value, String> {
        let mut patch = patch.clone();
        let like = patch.as_object_mut().and_then(|it| it.remove("like"));
        let of = match like.as_ref().and_then(Value::as_str) {
            Some(like) => self.message(like)?,
            None => message,
        };
        let mut line = of["lines"][0].clone();
        patch::merge(&mut line, &patch);
        Ok(line)
    }

    fn party_of(&self, sender: &str) -> Result<String, String> {
        let mut parties = self.base.parties.iter();
        let party = parties.find(|it| it.value.agb.as_deref() == Some(sender));
        let problem = || format!("no party has AGB code {sender}; name the `party`");
        party.map(|it| it.value.id.clone()).ok_or_else(problem)
    }

    fn expected(&self, file: &ExpectFile) -> Result<Expected, String> {
        let of_lines = file.lines.iter().flat_map(|line| &line.reasons);
        let mut codes = file.reasons.iter().chain(of_lines);
        if let Some(code) = codes.find(|code| ReasonCode::parse(code).is_none()) {
            return Err(format!("reason {code} is not in the registry"));
        }
        let lines = file.lines.iter().map(|line| ExpectedLine {
            line_reference: self.world.id(&line.line_reference),
            verdict: line.verdict.into(),
            awarded_cents: line.awarded_cents,
            proposed_cents: line.proposed_cents,
            reasons: line.reasons.clone(),
        });
        let allocation = file.allocation.iter().map(|part| ExpectedAllocation {
            insurer: part.insurer.clone(),
            sector: part.sector.clone(),
            cents: part.cents,
        });
        Ok(Expected {
            status: file.status.into(),
            reasons: file.reasons.clone(),
            lines: lines.collect(),
            allocation: allocation.collect(),
        })
    }

    fn import(&self, rows: &[BTreeMap<String, String>]) -> Result<Import, String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| error.to_string();
        writer.write_record(existing::COLUMNS).map_err(failed)?;
        for row in rows {
            let mut names = row.keys();
            if let Some(name) = names.find(|it| !existing::COLUMNS.contains(&it.as_str())) {
                return Err(format!("`{name}` is not a column of existing prestaties"));
            }
            let text = |column: &str| row.get(column).map_or("", String::as_str);
            let list = text("prestatie_list");
            let cells = existing::COLUMNS.iter();
            let record = cells.map(|column| self.cell(list, column, text(column)));
            writer.write_record(record).map_err(failed)?;
        }
        let csv = writer.into_inner().map_err(|error| error.to_string())?;
        let rows = rows.len();
        Ok(Import { csv, rows })
    }

    fn cell(&self, list: &str, column: &str, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        match column {
            "declarant_agb" | "on_behalf_of_agb" => self.world.agb(text),
            "participants" => {
                let codes = text.split_whitespace().map(|it| self.world.agb(it));
                codes.collect::<Vec<_>>().join(" ")
            }
            "line_reference" | "contract_id" | "patient_group_id" | "region" => self.world.id(text),
            "bsn" => self.world.bsn(text),
            "prestatie_code" => self.world.code(list, text),
            _ => text.to_owned(),
        }
    }
}

/// What the sender's system fills in.
fn filled_in(lines: &[Value], received_on: &str) -> Value {
    let sum = |direction: &str| -> i64 {
        let of = lines.iter().filter(|line| line["direction"] == direction);
        of.filter_map(|line| line["declared_cents"].as_i64()).sum()
    };
    let days = |end: &'static str| {
        let periods = lines.iter().map(|line| &line["period"]);
        periods.filter_map(move |period| period[end].as_str())
    };
    json!({
        "message_id": null,
        "sent_on": received_on,
        "invoice_date": received_on,
        "declaration_period": {"first": days("first").min(), "last": days("last").max()},
        "control": {
            "line_count": lines.len(),
            "debit_cents": sum("debit"),
            "credit_cents": sum("credit"),
        },
    })
}
