//! Only the Zvw part of a programme is declared: every legal domain bears its own costs.

use crate::{
    declaration::Share, facts::LineFacts, reference::Condition, rejection::Rejection,
    rules::agreed_tarief::agreed,
};

/// The domain of the health insurance act.
pub const ZVW: &str = "ZVW";

/// A programme has a Zvw part, on the line and in the contract (0698 with GDC-ZVW-DEEL).
///
/// Needs prestatie and covering term, and shares of domains on the line. Source:
/// 002_eb0531d2b212ba40.txt, 3.1.1 and toelichting article 3. Example: JEUGDWET 6,000 and WMO
/// 4,000.
#[must_use]
pub fn check_share(facts: &LineFacts<'_>) -> Option<Rejection> {
    let agreed = &facts.covering_term?.domain_shares;
    let line = &facts.line.domain_shares;
    let is_missing = !line.is_empty() && (share_of(line) == 0 || share_of(agreed) == 0);
    (is_asked(facts) && is_missing).then(|| Rejection::new("zvw_part", &["0698", "GDC-ZVW-DEEL"]))
}

/// Of a programme that other domains pay too, no more is declared than the agreed Zvw part
/// (GDC-ZVW-DEEL).
///
/// Needs prestatie, covering term, insurer and amounts. Source: 002_eb0531d2b212ba40.txt,
/// toelichting articles 3 and 4. Example: 70 % of a programme of 4,000,000 cents a quarter is Zvw,
/// so 2,800,000; all of it is declared.
#[must_use]
pub fn check_amount(facts: &LineFacts<'_>) -> Option<Rejection> {
    let share = share_of(&facts.covering_term?.domain_shares);
    if !facts.amounts || !is_asked(facts) || share == 10_000 {
        return None;
    }
    let agreed = agreed(facts)?.times(facts.line.quantity)?;
    (facts.line.declared > agreed).then(|| {
        Rejection::new("zvw_part", &["GDC-ZVW-DEEL"])
            .with("agreed_cents", agreed.get())
            .with("declared_cents", facts.line.declared.get())
    })
}

fn is_asked(facts: &LineFacts<'_>) -> bool {
    facts
        .prestatie
        .is_some_and(|entry| entry.conditions.contains(&Condition::DomainShares))
}

fn share_of(shares: &[Share]) -> u32 {
    let zvw = shares.iter().find(|share| &*share.key == ZVW);
    zvw.map_or(0, |share| share.basis_points.get())
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check, shares};

    #[test]
    fn only_the_zvw_part_is_declared() {
        check(
            World::c1,
            &[
                (
                    "scenario 2",
                    |it| it.line_amounts("40000", 4_000_000, 4_000_000),
                    "GDC-ZVW-DEEL 0611",
                ),
                (
                    "one cent",
                    |it| it.line_amounts("28000.01", 2_800_001, 2_800_001),
                    "GDC-ZVW-DEEL 0611",
                ),
                (
                    "scenario 47",
                    |it| it.line().domain_shares = shares("JEUGDWET 6000, WMO 4000"),
                    "0698 GDC-ZVW-DEEL",
                ),
                (
                    "scenario 47, zero",
                    |it| it.line().domain_shares = shares("ZVW 0, WMO 10000"),
                    "0698 GDC-ZVW-DEEL",
                ),
                (
                    "all of it is Zvw",
                    |it| {
                        it.agreed().domain_shares = shares("ZVW 10000");
                        it.line().domain_shares = shares("ZVW 10000");
                        it.line_amounts("40000", 4_000_000, 4_000_000);
                    },
                    "0611",
                ),
            ],
        );
    }
}
