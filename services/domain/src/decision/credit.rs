//! Deciding one credit line: it reverses one earlier debit whole, at whatever time.

use crate::{
    coverage::subject_of,
    decision::{
        ClaimFacts, LineDecision, ReversedClaim, Verdict, Withdrawal,
        message::{Message, check_reference},
        past::Past,
    },
    declaration::Line,
    history::{PastFacts, PastLine},
    rejection::{self, Rejection},
};

/// Decides `line`; crediting a held line withdraws it.
pub(super) fn decide(
    message: &Message<'_>,
    line: &Line,
    past: &Past<'_>,
) -> (LineDecision, Option<Withdrawal>) {
    let mut rejections = message.input.findings.of_line(line.line_number).to_vec();
    rejections.extend(check_reference(message, line, past));
    let original = match check_original(message, line, past) {
        Ok(original) => original,
        Err(found) => {
            rejections.extend(found);
            None
        }
    };
    match original.filter(|_| rejections.is_empty()) {
        Some(original) => reverse(message, line, original),
        None => {
            assert!(
                !rejections.is_empty(),
                "validation reports credit {} without an original reference",
                line.line_reference
            );
            rejection::sort(&mut rejections);
            (LineDecision::rejected(line, rejections), None)
        }
    }
}

/// The debit that a credit reverses: known, not refused, repeated whole, and not credited before.
///
/// A reference that is absent is a finding of validation (0651), and nothing more is said of the
/// original then. Source: Vektis COD954, codes 8062 (its debit is in the same message), 8017 (no
/// such debit; only full credits) and 8084 (credited before).
fn check_original<'a>(
    message: &Message<'_>,
    line: &Line,
    past: &Past<'a>,
) -> Result<Option<&'a PastLine>, Vec<Rejection>> {
    let Some(reference) = &line.original_reference else {
        return Ok(None);
    };
    let found = |rule: &str, code: &str| {
        Rejection::new(rule, &[code]).with("original_reference", reference)
    };
    if message.debits.contains(reference) {
        return Err(vec![found("credit_apart_from_its_debit", "8062")]);
    }
    let Some(original) = past.original(&message.key(reference), message.insurer) else {
        return Err(vec![found("original_known", "8017")]);
    };
    let repeated = original
        .facts
        .as_ref()
        .is_some_and(|facts| repeats(line, facts));
    let mut rejections = Vec::new();
    if !repeated {
        rejections.push(found("original_repeated", "8017"));
    }
    if past.is_credited(original) {
        rejections.push(found("original_not_credited", "8084"));
    }
    if rejections.is_empty() {
        Ok(Some(original))
    } else {
        Err(rejections)
    }
}

/// Whether `line` repeats its original. A contract that it does not name is that of the original.
///
/// Source: Vektis, AW319 v1.4: a credit is a full copy of the debit.
fn repeats(line: &Line, original: &PastFacts) -> bool {
    let named = line.contract_id.is_none() || line.contract_id == original.contract_id;
    named
        && line.prestatie == original.prestatie
        && line.period.period() == Some(original.period)
        && subject_of(line).same(&original.subject)
        && line.quantity == original.quantity
        && line.computed == original.computed
        && line.declared == original.declared
}

/// Reverses exactly what was awarded; of a held line nothing was, so there is nothing to settle.
fn reverse(
    message: &Message<'_>,
    line: &Line,
    original: &PastLine,
) -> (LineDecision, Option<Withdrawal>) {
    let claim = original.claim.as_ref().map(|claim| ClaimFacts {
        invoice_number: message.input.declaration.invoice_number.clone(),
        reverses: Some(ReversedClaim {
            line: original.id,
            version: original.version,
        }),
        ..claim.clone()
    });
    let withdrawal = (original.verdict == Verdict::Review).then_some(Withdrawal {
        original: original.id,
        message_id: original.message_id,
    });
    let decision = LineDecision {
        verdict: Verdict::Accept,
        awarded: -original.awarded,
        facts: original.facts.clone(),
        reverses: Some(original.id),
        claim,
        ..LineDecision::rejected(line, Vec::new())
    };
    (decision, withdrawal)
}
