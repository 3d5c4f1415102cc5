//! What was answered while things failed, and whether everything adds up afterwards.

use std::collections::BTreeMap;

use samenloop::{audit, in_process::wait_until_settled, mailbox::Reply};
use samenloop_adapters::{
    decision_store::DecisionStore, fault_plan::FaultPlan, settlement_store::SettlementStore,
};
use samenloop_proto::declaration::v1 as wire;

use crate::production::Production;

/// Outcomes by message id.
#[derive(Debug, Default)]
pub struct Tally {
    outcomes: BTreeMap<String, wire::Outcome>,
}

impl Tally {
    /// How many messages have an outcome.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether a message has one.
    #[must_use]
    pub fn has(&self, message_id: &str) -> bool {
        self.outcomes.contains_key(message_id)
    }

    /// Takes a reply: an outcome, which may come twice and never changes.
    ///
    /// # Panics
    /// Where it is a refusal, or another outcome than came before.
    pub fn take(&mut self, reply: Reply) {
        let Reply::Outcome(outcome) = reply else {
            panic!("a refusal: {reply:?}")
        };
        let before = self.outcomes.get(&outcome.message_id);
        assert!(
            before.is_none_or(|before| *before == *outcome),
            "an outcome changed: {outcome:?}"
        );
        self.outcomes.insert(outcome.message_id.clone(), *outcome);
    }

    /// One decision per outcome, every accepted line settled once and to the cent, and a log that decides the same
    /// again. Gives the figures as text.
    ///
    /// # Panics
    /// Where anything does not add up, or settlement does not get every claim.
    pub async fn check(&self, production: &Production) -> String {
        let outcomes = &self.outcomes;
        let store = DecisionStore::open(&production.database, FaultPlan::default());
        let store = store.await.expect("it opens");
        wait_until_settled(&store)
            .await
            .expect("every claim is settled");
        let read = audit::audit(&store).await.expect("the log can be read");
        assert_eq!(
            read.messages,
            outcomes.len() as u64,
            "one decision per declaration"
        );
        assert_eq!(
            read.digest, read.replay_digest,
            "the log decides the same again"
        );
        assert_eq!((read.broken_at, read.double_funding_pairs), (None, 0));
        let settlement = SettlementStore::open(&production.database, FaultPlan::default())
            .await
            .expect("it opens");
        let accepted = outcomes.values().flat_map(|outcome| &outcome.lines);
        let accepted = accepted.filter(|line| line.awarded_cents != 0).count() as u64;
        assert_eq!(
            settlement.counts().await.expect("it answers").0,
            accepted,
            "every claim once"
        );
        let balances = settlement.balances().await.expect("it answers");
        assert_eq!(
            balances.iter().map(|it| it.cents).sum::<i64>(),
            0,
            "the ledger balances"
        );
        let costs = balances.iter().filter(|it| it.account.contains(":cost:"));
        assert_eq!(
            costs.map(|it| it.cents).sum::<i64>(),
            read.awarded_cents,
            "to the cent"
        );
        format!(
            "{} declarations, {} lines, {accepted} claims",
            read.messages, read.lines
        )
    }
}
