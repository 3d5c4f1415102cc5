//! Outcomes and allocations as text, without what differs from run to run (sequences, times).

use std::fmt::Write as _;

use samenloop::scenarios::{status_word, verdict_word};
use samenloop_adapters::scenario::{Decision, Overrides};
use samenloop_domain::allocation::Part;
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};

/// What a person decided, and why.
#[must_use]
pub fn decision(decision: &Decision) -> String {
    let (command, decide) = (&decision.command, &decision.decide);
    let choice = match decide.choice() {
        record::Choice::Accept => "accept".to_owned(),
        record::Choice::AcceptReduced => format!("award {}", decide.awarded_cents),
        record::Choice::Refuse => "refuse".to_owned(),
        record::Choice::Unspecified => "nothing".to_owned(),
    };
    let overriding = match decision.overrides {
        Overrides::None => "",
        Overrides::Shown => ", overriding what was shown",
    };
    let second = match command.second_person.as_str() {
        "" => String::new(),
        second => format!(" and {second}"),
    };
    let number = decision.line_number;
    let (person, note) = (&command.person, &command.note);
    format!("line {number} decided by {person}{second}: {choice}{overriding}; {note}\n")
}

/// An outcome as its sender sees it, with the split of each award.
#[must_use]
pub fn outcome(outcome: &wire::Outcome, parts: &[(u32, Vec<Part>)]) -> String {
    let mut text = String::new();
    let status = status_word(outcome.status());
    line(
        &mut text,
        &format!(
            "outcome {status}, version {}{}",
            outcome.version,
            codes(&outcome.reasons)
        ),
    );
    for it in &outcome.lines {
        let verdict = verdict_word(it.verdict());
        let proposed = match it.proposed_cents {
            0 => String::new(),
            cents => format!(", proposed {cents}"),
        };
        let awarded = format!(
            "declared {}, awarded {}{proposed}",
            it.declared_cents, it.awarded_cents
        );
        line(
            &mut text,
            &format!(
                "  {} {verdict}: {awarded}{}",
                it.line_reference,
                codes(&it.reasons)
            ),
        );
        for evidence in &it.evidence {
            let rule = format!(
                "{} version {} ({})",
                evidence.rule, evidence.rule_version, evidence.basis
            );
            line(
                &mut text,
                &format!(
                    "    {} by {rule}, {} days in common",
                    evidence.effect, evidence.days_in_common
                ),
            );
            line(&mut text, &format!("      source: {}", evidence.source));
            if !evidence.policy.is_empty() {
                line(&mut text, &format!("      policy: {}", evidence.policy));
            }
            if let Some(entry) = evidence.standing {
                line(&mut text, &format!("      stands by entry {entry}"));
            }
            if let Some(rival) = &evidence.rival {
                line(
                    &mut text,
                    &format!(
                        "      rival: {} of {}",
                        rival.line_reference, rival.declarant_agb
                    ),
                );
            }
        }
        for (_, parts) in parts.iter().filter(|(number, _)| *number == it.line_number) {
            for part in parts {
                let sector = if part.sector.is_empty() {
                    "-"
                } else {
                    &part.sector
                };
                line(
                    &mut text,
                    &format!(
                        "    insurer {} sector {sector}: {}",
                        part.insurer,
                        part.cents.get()
                    ),
                );
            }
        }
    }
    text
}

fn codes(reasons: &[wire::Reason]) -> String {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    if codes.is_empty() {
        String::new()
    } else {
        format!(" [{}]", codes.join(" "))
    }
}

fn line(text: &mut String, it: &str) {
    writeln!(text, "{}", it.trim_end()).expect("writing to a String cannot fail");
}
