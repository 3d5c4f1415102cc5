//! Prestaties that fill a budget.

use crate::{cents::Cents, facts::LineFacts, rejection::Rejection};

/// A prestatie that fills a budget is declared under a budget over its whole period, agreed within what the NZa lets
/// be agreed, or above it by substitution alone (0611).
///
/// Needs prestatie, period and contract prestatie. Substitution counts when it was agreed by the begin date, for the
/// amount by which costs fall away elsewhere. Source: 001_391917b9bc3bdc5d.txt, 4.3.2: the norm is a rate times the
/// inhabitants, 90 % is where negotiation begins, at most 110 % may be agreed, more by substitution whose costs
/// disappear elsewhere; Vektis COD954, code 0611. Example: 112 % without an agreement of substitution.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    let most_basis_points = facts.prestatie?.budget_max_basis_points?;
    let period = facts.period?;
    facts.contract_prestatie?;
    let (_, contract) = facts.contract?;
    let found = || Rejection::new("budget", &["0611"]);
    let mut budgets = contract.budgets.iter();
    let Some(budget) = budgets.find(|budget| budget.period.covers(period)) else {
        return Some(found().with("budget", "none"));
    };
    let substituted = contract.substitution.iter();
    let substituted = substituted.filter(|part| part.on <= period.first());
    let substituted: Cents = substituted.map(|part| part.cents).sum();
    let normed = i128::from(budget.base.get()) * i128::from(most_basis_points) / 10_000;
    let most = normed + i128::from(substituted.get());
    (i128::from(budget.cents.get()) > most).then(|| {
        found()
            .with("budget", &budget.name)
            .with("budget_cents", budget.cents.get())
            .with("most_cents", most)
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        reference::{Budget, DatedAmount, Ground},
        rules::fixture::{World, cents, check, day, period, tarief},
    };

    /// C1 fills a budget for 100,000 inhabitants at EUR 20.00, of which this share was agreed.
    fn agreed(world: &mut World, basis_points: u32) {
        world.entry("BDSS1").budget_max_basis_points = Some(11_000);
        let base = 200_000_000;
        world.contract("C1").budgets = vec![Budget {
            name: "2024".into(),
            period: period("2024-07-01", "2025-06-30"),
            grounds: vec![Ground::Population {
                inhabitants: 100_000,
                rate: tarief("20"),
            }],
            base: cents(base),
            agreed_basis_points: basis_points,
            cents: cents(base / 10_000 * i64::from(basis_points)),
            signals: Vec::new(),
        }];
    }

    fn substitute(world: &mut World, on: &str, amount: i64) {
        let part = DatedAmount {
            on: day(on),
            cents: cents(amount),
            of: "seh".to_owned(),
        };
        world.contract("C1").substitution.push(part);
    }

    #[test]
    fn budget_is_within_its_norm_or_above_it_by_substitution() {
        check(
            World::c1,
            &[
                ("90 %", |it| agreed(it, 9_000), ""),
                ("scenario 68, 110 %", |it| agreed(it, 11_000), ""),
                ("scenario 68, 112 %", |it| agreed(it, 11_200), "0611"),
                (
                    "112 % by substitution",
                    |it| {
                        agreed(it, 11_200);
                        substitute(it, "2024-07-01", 4_000_000);
                    },
                    "",
                ),
                (
                    "of too little",
                    |it| {
                        agreed(it, 11_200);
                        substitute(it, "2024-07-01", 3_999_999);
                    },
                    "0611",
                ),
                (
                    "of later",
                    |it| {
                        agreed(it, 11_200);
                        substitute(it, "2024-07-02", 4_000_000);
                    },
                    "0611",
                ),
                (
                    "none",
                    |it| it.entry("BDSS1").budget_max_basis_points = Some(11_000),
                    "0611",
                ),
                (
                    "of another period",
                    |it| {
                        agreed(it, 9_000);
                        it.contract("C1").budgets[0].period = period("2024-07-01", "2024-09-29");
                    },
                    "0611",
                ),
            ],
        );
    }
}
