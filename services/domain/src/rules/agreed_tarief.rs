//! The tarief of a line against what was agreed and what the NZa allows.

use rust_decimal::Decimal;

use crate::{
    allocation,
    cents::BasisPoints,
    declaration::Share,
    facts::LineFacts,
    reference::{Billing, BoundInsurer, Stance, TariefKind, Unit},
    rejection::Rejection,
    tarief::Tarief,
};

/// The tarief is the agreed one of a free tarief, and within what the NZa allows of the other kinds
/// (0611).
///
/// | kind | tarief |
/// | --- | --- |
/// | vrij | that of the contract |
/// | vast | the fixed amount |
/// | maximum | at most the maximum and what was agreed |
/// | max-max | as maximum, or by written agreement at most a tenth more |
/// | minimum | at least the minimum, and at most what was agreed if that is more |
///
/// Needs prestatie, contract, covering term, insurer and amounts. Less may be declared than was
/// computed, except of a lumpsum that several insurers bear: there each line is exactly the part of
/// its insurer. Source: 001_391917b9bc3bdc5d.txt, 4.5; 004_edc514e4c29859bf.txt, article 3; Vektis
/// COD954, code 0611. Example: EUR 27,500.00 under a contract for EUR 28,000.00, though the tarief
/// is free.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    if !facts.amounts {
        return None;
    }
    let (entry, agreed, line) = (facts.prestatie?, agreed(facts)?, facts.line);
    let is_part = shared_insurers(facts).is_some() && entry.unit == Unit::Lumpsum;
    let is_exact = !is_part || line.declared == line.computed;
    let fits = is_exact && is_allowed(facts, entry.tarief_kind, agreed)?;
    (!fits).then(|| {
        Rejection::new("agreed_tarief", &["0611"])
            .with("tarief", line.tarief.euro())
            .with("agreed", agreed.euro())
    })
}

/// The tarief that was agreed for the insurer of the line; `None` while it is not established.
///
/// Where each of several insurers is billed for its share: of a lumpsum, its part of the whole amount by largest
/// remainder; else tarief x share, rounded half away from zero to four decimals. One that deviates has its own.
#[must_use]
pub fn agreed(facts: &LineFacts<'_>) -> Option<Tarief> {
    let term = facts.covering_term?;
    match own_tarief(facts) {
        Some(own) => in_one_unit(facts, own),
        None => part_of(facts, term.tarief),
    }
}

/// What an insurer that follows a contract with a deviation agreed for itself. Source:
/// 001_391917b9bc3bdc5d.txt, 4.6.2.
fn own_tarief(facts: &LineFacts<'_>) -> Option<Tarief> {
    let uzovi = facts.insurer?;
    let bound = shared_insurers(facts)?
        .iter()
        .find(|bound| bound.uzovi == uzovi)?;
    match &bound.stance {
        Stance::Deviates(tarieven) => tarieven.get(&facts.line.prestatie).copied(),
        Stance::Follows | Stance::OptedOut => None,
    }
}

/// A contract for quarters has the tarief of a year, of which a quarter is billed.
///
/// Source: Regeling integrale bekostiging multidisciplinaire zorgverlening, BWBR0032741, 4.5.
/// Example: EUR 240.00 a year is EUR 60.00 a quarter.
fn in_one_unit(facts: &LineFacts<'_>, tarief: Tarief) -> Option<Tarief> {
    match facts.prestatie?.unit {
        Unit::Quarter => Some(tarief.share(BasisPoints::new(2_500)?)),
        _ => Some(tarief),
    }
}

fn is_allowed(facts: &LineFacts<'_>, kind: TariefKind, agreed: Tarief) -> Option<bool> {
    let tarief = facts.line.tarief;
    let allowed = match kind {
        TariefKind::Vrij => tarief == agreed,
        TariefKind::Vast(fixed) => tarief == part_of(facts, fixed)?,
        TariefKind::Maximum(maximum) => tarief <= part_of(facts, maximum)?.min(agreed),
        TariefKind::MaxMax(maximum) => {
            let (_, contract) = facts.contract?;
            let tenths = if contract.written { 11 } else { 10 };
            let maximum = part_of(facts, maximum)?.euro() * Decimal::from(tenths);
            tarief <= agreed && tarief.euro() * Decimal::TEN <= maximum
        }
        TariefKind::Minimum(minimum) => {
            let minimum = part_of(facts, minimum)?;
            minimum <= tarief && tarief <= agreed.max(minimum)
        }
    };
    Some(allowed)
}

/// What of `tarief` is billed in one unit to the insurer of the line.
fn part_of(facts: &LineFacts<'_>, tarief: Tarief) -> Option<Tarief> {
    let unit = facts.prestatie?.unit;
    let tarief = in_one_unit(facts, tarief)?;
    let Some(insurers) = shared_insurers(facts) else {
        return Some(tarief);
    };
    let uzovi = facts.insurer?;
    let place = insurers.iter().position(|bound| bound.uzovi == uzovi)?;
    if unit != Unit::Lumpsum {
        return Some(tarief.share(insurers[place].share));
    }
    let shares: Vec<Share> = insurers.iter().map(share_of).collect();
    let parts = allocation::split(tarief.times(1)?, &shares).ok()?;
    Tarief::new(Decimal::new(parts[place].get(), 2))
}

/// The insurers of the contract, if each of several is billed for its share.
fn shared_insurers<'a>(facts: &LineFacts<'a>) -> Option<&'a [BoundInsurer]> {
    let (_, contract) = facts.contract?;
    let is_shared = contract.billing == Billing::EachInsurer && contract.insurers.len() > 1;
    is_shared.then_some(contract.insurers.as_slice())
}

fn share_of(bound: &BoundInsurer) -> Share {
    Share {
        key: bound.uzovi.as_str().into(),
        basis_points: bound.share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reference::Condition,
        rules::fixture::{World, check, key, tarief, uzovi},
    };

    /// What is billed of one unit, under a contract for EUR 100.00 of a kind of tarief.
    fn billed(world: &mut World, kind: fn(Tarief) -> TariefKind, bound: &str, euro: &str) {
        world.entry("ADZP1").tarief_kind = kind(tarief(bound));
        world.agreed().tarief = tarief("100");
        world.line().quantity = 1;
        let cents = tarief(euro).times(1).expect("within the bound").get();
        world.line_amounts(euro, cents, cents);
    }

    #[test]
    fn tarief_is_the_agreed_one_and_within_its_kind() {
        check(
            World::c4,
            &[
                (
                    "vrij",
                    |it| billed(it, |_| TariefKind::Vrij, "0", "100"),
                    "",
                ),
                (
                    "vrij, less",
                    |it| billed(it, |_| TariefKind::Vrij, "0", "99.99"),
                    "0611",
                ),
                ("vast", |it| billed(it, TariefKind::Vast, "90", "90"), ""),
                (
                    "vast, agreed",
                    |it| billed(it, TariefKind::Vast, "90", "100"),
                    "0611",
                ),
                (
                    "maximum",
                    |it| billed(it, TariefKind::Maximum, "90", "90"),
                    "",
                ),
                (
                    "maximum, over",
                    |it| billed(it, TariefKind::Maximum, "90", "90.01"),
                    "0611",
                ),
                (
                    "maximum, over agreed",
                    |it| billed(it, TariefKind::Maximum, "200", "101"),
                    "0611",
                ),
                (
                    "max-max",
                    |it| billed(it, TariefKind::MaxMax, "90", "99"),
                    "",
                ),
                (
                    "max-max, over",
                    |it| billed(it, TariefKind::MaxMax, "90", "99.01"),
                    "0611",
                ),
                (
                    "max-max, not in writing",
                    |it| {
                        billed(it, TariefKind::MaxMax, "90", "90.01");
                        it.entry("ADZP1")
                            .conditions
                            .remove(&Condition::WrittenAgreement);
                        it.contract("C4").written = false;
                    },
                    "0611",
                ),
                (
                    "minimum",
                    |it| billed(it, TariefKind::Minimum, "110", "110"),
                    "",
                ),
                (
                    "minimum, under",
                    |it| billed(it, TariefKind::Minimum, "50", "49.99"),
                    "0611",
                ),
                (
                    "minimum, over agreed",
                    |it| billed(it, TariefKind::Minimum, "50", "101"),
                    "0611",
                ),
            ],
        );
    }

    #[test]
    fn agreed_tarief_of_a_lumpsum_and_a_quarter() {
        check(
            World::c1,
            &[
                ("scenario 1", |_| (), ""),
                (
                    "scenario 3",
                    |it| it.line_amounts("27500", 2_750_000, 2_750_000),
                    "0611",
                ),
                (
                    "scenario 4",
                    |it| it.line_amounts("28000", 2_800_000, 2_750_000),
                    "",
                ),
            ],
        );
        check(
            World::c5,
            &[(
                "scenario 55",
                |it| it.line_amounts("80", 8_000, 8_000),
                "0611",
            )],
        );
    }

    /// 7095 bears 60 % and 3311 40 % of the contract, and the line goes to `insurer`.
    fn borne(world: &mut World, insurer: &str, euro: &str, declared: i64) {
        let share = |points| BasisPoints::new(points).expect("a share");
        let bound = |number, points| BoundInsurer {
            uzovi: uzovi(number),
            share: share(points),
            stance: Stance::Follows,
        };
        let id = world
            .line()
            .contract_id
            .clone()
            .expect("a contract is named");
        world.contract(id.as_str()).insurers = vec![bound("7095", 6_000), bound("3311", 4_000)];
        world.declaration.insurer_uzovi = insurer.into();
        let quantity = world.line().quantity;
        let computed = tarief(euro)
            .times(quantity)
            .expect("within the bound")
            .get();
        world.line_amounts(euro, computed, declared);
    }

    /// 3311 follows with a tarief of its own.
    fn deviate(world: &mut World) {
        let own = [(key("BDSS1"), tarief("12000"))].into();
        world.contract("C1").insurers[1].stance = Stance::Deviates(own);
    }

    #[test]
    fn each_of_several_insurers_is_billed_for_its_part() {
        check(
            World::c1,
            &[
                (
                    "scenario 65b",
                    |it| borne(it, "7095", "16800", 1_680_000),
                    "",
                ),
                (
                    "scenario 65b",
                    |it| borne(it, "3311", "11200", 1_120_000),
                    "",
                ),
                (
                    "whole",
                    |it| borne(it, "7095", "28000", 2_800_000),
                    "GDC-ZVW-DEEL 0611",
                ),
                ("less", |it| borne(it, "7095", "16800", 1_600_000), "0611"),
                (
                    "left-over cent",
                    |it| {
                        it.agreed().tarief = tarief("0.01");
                        borne(it, "7095", "0.01", 1);
                    },
                    "",
                ),
                (
                    "no cent left",
                    |it| {
                        it.agreed().tarief = tarief("0.01");
                        borne(it, "3311", "0", 0);
                    },
                    "",
                ),
            ],
        );
        check(
            World::c1,
            &[
                (
                    "with a deviation",
                    |it| {
                        borne(it, "3311", "12000", 1_200_000);
                        deviate(it);
                    },
                    "",
                ),
                (
                    "its share, though it deviates",
                    |it| {
                        borne(it, "3311", "11200", 1_120_000);
                        deviate(it);
                    },
                    "0611",
                ),
                (
                    "the others as agreed",
                    |it| {
                        borne(it, "7095", "16800", 1_680_000);
                        deviate(it);
                    },
                    "",
                ),
            ],
        );
        check(
            World::c4,
            &[
                ("per unit", |it| borne(it, "3311", "10", 400_000), ""),
                ("per unit, less", |it| borne(it, "3311", "10", 300_000), ""),
                (
                    "rounded",
                    |it| {
                        it.agreed().tarief = tarief("0.0001");
                        it.line().quantity = 20_000;
                        borne(it, "7095", "0.0001", 200);
                    },
                    "",
                ),
            ],
        );
    }
}
