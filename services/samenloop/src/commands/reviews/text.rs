//! Held lines, cases and results as `samenloop reviews` prints them.

use samenloop_adapters::decision_store::{HeldLine, ReviewCase};
use samenloop_domain::{coverage::CoverageId, rejection::ReasonCode};
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};

use crate::{print, scenarios};

pub(super) fn line_text(line: CoverageId) -> String {
    format!("{}.{}", line.sequence, line.line)
}

pub(super) fn print_held(held: &HeldLine) {
    print::line(format!(
        "{:<10} {:<20} {:<10} {:<8} {:<10} {:<21} {}",
        line_text(held.line),
        held.line_reference,
        held.declarant,
        held.insurer,
        held.contract_id,
        print::euro(held.proposed.get()),
        held.rules.join(" ")
    ));
}

pub(super) fn print_case(case: &ReviewCase) {
    let it = &case.case;
    print::line(format!(
        "{:<9} {:<12} {:<10} {:<20} {:<10} {:<8} {}",
        case.id,
        it.kind.as_str(),
        line_text(it.line),
        it.line_reference,
        it.declarant,
        it.insurer,
        it.contract_id
    ));
    print::line(format!(
        "          beside {}, by entry {} {}",
        line_text(it.other),
        it.cause,
        it.rules.join(" ")
    ));
}

pub(super) fn print_result(what: &str, result: &record::CommandResult) {
    if let Some(refusal) = result.refusals.first() {
        let entry = ReasonCode::parse(&refusal.code).map(ReasonCode::entry);
        let text = entry.map(|it| format!("{} {}", it.english, it.remedy));
        let text = text.unwrap_or_default();
        print::line(format!("{what}: not carried out, {}: {text}", refusal.code));
        return;
    }
    let line = result.line.as_ref().map(|line| {
        let verdict = scenarios::verdict_word(line.verdict());
        let codes: Vec<&str> = line.reasons.iter().map(|it| it.code.as_str()).collect();
        let cents = match line.verdict() {
            wire::Verdict::Review => line.proposed_cents,
            _ => line.awarded_cents,
        };
        format!(
            "{verdict} {} version {} {}",
            print::euro(cents),
            result.version,
            codes.join(" ")
        )
    });
    let line = line.unwrap_or_else(|| "done".to_owned());
    print::line(format!("{what}: {}", line.trim_end()));
    for it in &result.standing {
        let (first, last) =
            (it.period.as_ref()).map_or((None, None), |it| (it.first.as_ref(), it.last.as_ref()));
        print::line(format!(
            "  stands for {} beside {} by {}, from {} until and with {}",
            it.contract_id,
            it.other_contract_id,
            it.rule,
            first.map_or("", String::as_str),
            last.map_or("", String::as_str)
        ));
    }
}

pub(super) fn held_as_json(held: &HeldLine) -> serde_json::Value {
    serde_json::json!({
        "line": line_text(held.line),
        "message_id": held.message_id.to_string(),
        "line_reference": held.line_reference,
        "declarant_agb": held.declarant,
        "insurer_uzovi": held.insurer,
        "contract_id": held.contract_id,
        "rules": held.rules,
        "version": held.version,
        "proposed_cents": held.proposed.get(),
        "held_since": held.held_since.to_string(),
    })
}

pub(super) fn case_as_json(case: &ReviewCase) -> serde_json::Value {
    let it = &case.case;
    serde_json::json!({
        "case_id": case.id,
        "kind": it.kind.as_str(),
        "line": line_text(it.line),
        "other": line_text(it.other),
        "cause": it.cause.0,
        "line_reference": it.line_reference,
        "declarant_agb": it.declarant.as_str(),
        "insurer_uzovi": it.insurer,
        "contract_id": it.contract_id,
        "rules": it.rules,
        "opened_at": case.opened_at.to_string(),
    })
}

pub(super) fn result_as_json(what: &str, result: &record::CommandResult) -> serde_json::Value {
    serde_json::json!({
        "what": what,
        "refusals": result.refusals,
        "sequence": result.sequence,
        "message_id": result.message_id,
        "version": result.version,
        "line": result.line,
        "stands": result.standing.len(),
    })
}
