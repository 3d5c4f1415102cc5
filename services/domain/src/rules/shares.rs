//! Keys: the shares of domains and sectors on a line are those of the contract.

use crate::{
    declaration::Share, facts::LineFacts, reference::Condition, rejection::Rejection,
    rules::zvw_part,
};

/// The shares of domains are those that the contract has for the period, in any order (8072 with
/// GDC-SLEUTEL).
///
/// Needs prestatie and covering term. A key without a Zvw part has its own reason.
/// Source: 002_eb0531d2b212ba40.txt, toelichting article 4. Example: ZVW 7,000 and WMO 2,000.
#[must_use]
pub fn check_domains(facts: &LineFacts<'_>) -> Option<Rejection> {
    let term = facts.covering_term?;
    let line = &facts.line.domain_shares;
    if !line.is_empty() && zvw_part::check_share(facts).is_some() {
        return None;
    }
    check(facts, Condition::DomainShares, line, &term.domain_shares)
        .map(|found| found.with("shares", "domain"))
}

/// The shares of sectors are those that the contract has for the period, in any order (8072 with
/// GDC-SLEUTEL).
///
/// Needs prestatie and covering term. Source: 002_eb0531d2b212ba40.txt, toelichting article 4
/// (macro-frameworks). Example: WV 5,000 and HA 4,900.
#[must_use]
pub fn check_sectors(facts: &LineFacts<'_>) -> Option<Rejection> {
    let term = facts.covering_term?;
    let line = &facts.line.sector_shares;
    check(facts, Condition::SectorShares, line, &term.sector_shares)
        .map(|found| found.with("shares", "sector"))
}

/// Shares may be left out where the prestatie does not ask for them; if they are given they are the
/// contract's.
fn check(
    facts: &LineFacts<'_>,
    condition: Condition,
    line: &[Share],
    agreed: &[Share],
) -> Option<Rejection> {
    let is_asked = facts.prestatie?.conditions.contains(&condition);
    if line.is_empty() && !is_asked {
        return None;
    }
    let whole: u32 = line.iter().map(|share| share.basis_points.get()).sum();
    (whole != 10_000 || sorted(line) != sorted(agreed))
        .then(|| Rejection::new("shares", &["8072", "GDC-SLEUTEL"]).with("basis_points", whole))
}

fn sorted(shares: &[Share]) -> Vec<&Share> {
    let mut sorted: Vec<&Share> = shares.iter().collect();
    sorted.sort();
    sorted
}

#[cfg(test)]
mod tests {
    use crate::{
        reference::Condition,
        rules::fixture::{World, check, shares},
    };

    #[test]
    fn shares_are_those_of_the_contract() {
        check(
            World::c1,
            &[
                ("other order", |it| it.line().sector_shares.reverse(), ""),
                (
                    "scenario 46",
                    |it| it.line().sector_shares = shares("WV 5000, HA 4900"),
                    "8072 GDC-SLEUTEL",
                ),
                (
                    "not agreed",
                    |it| it.line().sector_shares = shares("WV 6000, HA 4000"),
                    "8072 GDC-SLEUTEL",
                ),
                (
                    "twice",
                    |it| it.line().sector_shares = shares("WV 5000, HA 5000, HA 5000"),
                    "8072 GDC-SLEUTEL",
                ),
                (
                    "no sectors",
                    |it| it.line().sector_shares.clear(),
                    "8072 GDC-SLEUTEL",
                ),
                (
                    "domains",
                    |it| it.line().domain_shares = shares("ZVW 7000, WMO 3000"),
                    "8072 GDC-SLEUTEL",
                ),
                (
                    "no domains",
                    |it| it.line().domain_shares.clear(),
                    "8072 GDC-SLEUTEL",
                ),
                (
                    "not asked",
                    |it| {
                        it.entry("BDSS1")
                            .conditions
                            .remove(&Condition::SectorShares);
                        it.line().sector_shares.clear();
                    },
                    "",
                ),
            ],
        );
    }
}
