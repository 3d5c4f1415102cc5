//! What the store keeps of decisions that stand between contracts.

use samenloop_domain::{
    identifiers::ContractId,
    standing::{ContractPair, StandingChoice, StandingReview},
};

use super::{
    words::{Word, small, unsigned},
    *,
};

impl Word for StandingChoice {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Accept, "accept"), (Self::Refuse, "refuse")];
}

/// The columns of [`StandingColumns`], in its order; days are texts.
pub(super) const COLUMNS: &str =
    "sequence, contract_id, other_contract_id, rule, rule_version, choice, first_day, last_day";

/// A decision that stands, as its row has it.
pub(super) struct StandingColumns<'a> {
    pub(super) sequence: i64,
    pub(super) contract_id: &'a str,
    pub(super) other_contract_id: &'a str,
    pub(super) rule: &'a str,
    pub(super) rule_version: i64,
    pub(super) choice: &'a str,
    pub(super) days: (Day, Day),
}

impl StandingColumns<'_> {
    pub(super) fn read(self) -> Result<StandingReview, StoreError> {
        let (first, last) = self.days;
        let period = Period::new(first, last);
        let contracts = [self.contract_id, self.other_contract_id].map(ContractId::new);
        let [contract, other] = contracts;
        Ok(StandingReview {
            decided: Sequence(unsigned(self.sequence)?),
            pair: ContractPair::new(contract, other),
            rule: self.rule.into(),
            rule_version: small(self.rule_version)?,
            choice: StandingChoice::read(self.choice)?,
            period: period.ok_or_else(|| words::unexpected("period", self.days))?,
        })
    }
}

impl DecisionStore {
    /// Decisions that stand between contracts, by the entry that decided them, after one of these; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn standing_reviews(
        &self,
        after: Sequence,
        limit: u32,
    ) -> Result<Vec<StandingReview>, StoreError> {
        match self {
            Self::Postgres(store) => store.standing_reviews(after, limit).await,
            Self::Sqlite(store) => store.standing_reviews(after, limit).await,
        }
    }
}

impl DecisionTransaction {
    /// Whether anything stands that an entry decided.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn is_standing(&mut self, decided: Sequence) -> Result<bool, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.is_standing(decided).await,
            Self::Sqlite(transaction) => transaction.is_standing(decided).await,
        }
    }
}
