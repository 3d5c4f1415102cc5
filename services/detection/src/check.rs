//! What would become of declarations, asked beforehand: the same engine on the register as it stands, and nothing is
//! written.

use std::sync::Arc;

use jiff::Timestamp;
use samenloop_adapters::{
    clock::receipt_date,
    config,
    decision_store::{DecisionStore, Snapshot, StoreError},
    reference_feed::ReferenceFeed,
    wire::{outcome, validated::content_digest},
};
use samenloop_domain::{
    decision::{Validated, decide_message},
    declaration::Declaration,
    draft::DraftLine,
    history::{HistoryKeys, keys_of},
    identifiers::{PartyId, Sequence},
    period::Period,
    reference::Reference,
    validation::{Environment, validate_declaration},
};
use samenloop_proto::declaration::v1 as wire;

/// Answers what would be decided.
#[derive(Clone, Debug)]
pub struct FundingCheck {
    /// The register.
    pub store: DecisionStore,
    /// What is decided by.
    pub reference: ReferenceFeed,
    /// Which kind of messages is judged here.
    pub environment: config::Environment,
}

/// A declaration that somebody may send.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// Who would send it.
    pub party: PartyId,
    /// What would be sent.
    pub declaration: Declaration,
}

/// What would be decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Answered {
    /// The last entry of the register that was asked.
    pub sequence: Sequence,
    /// An outcome for each declaration, in order, with whole evidence: whoever shows it to a provider uses
    /// [`outcome::for_provider`]. It has no number of its own, because nothing was decided.
    pub outcomes: Vec<wire::Outcome>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nobody put reference data in force.
    #[error("no reference data is in force: run `samenloop reference import DIR`")]
    NoReference,
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FundingCheck {
    /// Decides declarations as if they came now, one after the other: a later one meets the earlier ones.
    ///
    /// Their message ids are not looked at: the same content may be asked as often as one likes. A credit whose
    /// original is not known is refused at once (8017), as nobody waits for an answer to a question.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn declarations(
        &self,
        asked: &[Asked],
        received_at: Timestamp,
    ) -> Result<Answered, CheckError> {
        let judge = |reference: &Reference| -> Vec<Validated> {
            (asked.iter())
                .map(|asked| self.validate(asked, received_at, reference))
                .collect()
        };
        let keys = |reference: &Reference| {
            let inputs = judge(reference);
            let mut keys = keys_of(&inputs.iter().collect::<Vec<_>>(), reference);
            keys.messages.clear();
            keys
        };
        let (snapshot, reference) = self.ask(keys).await?;
        let mut history = snapshot.history;
        let mut outcomes = Vec::with_capacity(asked.len());
        let next = snapshot.head.sequence.0 + 1;
        for (sequence, input) in (next..).zip(&judge(&reference)) {
            let decision = decide_message(input, &history, &reference, Sequence(sequence));
            let mut answer = outcome::of_decision(input, received_at, &decision, &reference);
            answer.sequence = 0;
            history.apply(input, &decision);
            outcomes.push(answer);
        }
        Ok(Answered {
            sequence: snapshot.head.sequence,
            outcomes,
        })
    }

    /// Coverage that the lines of draft contracts can meet, with the reference data that `lines` are made by.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn coverage_of(&self, lines: &[DraftLine]) -> Result<Snapshot, CheckError> {
        let mut keys = HistoryKeys::default();
        for line in lines {
            for key in line.coverage.keys() {
                let enclosing = |known: &mut Period| *known = known.enclosing(line.period);
                keys.coverage
                    .entry(key)
                    .and_modify(enclosing)
                    .or_insert(line.period);
            }
        }
        let (snapshot, _) = self.ask(|_| keys.clone()).await?;
        Ok(snapshot)
    }

    /// The past that `keys` name under the reference data in force at the same moment.
    async fn ask(
        &self,
        keys: impl Fn(&Reference) -> HistoryKeys,
    ) -> Result<(Snapshot, Arc<Reference>), CheckError> {
        loop {
            let reference = self.reference.current().await?;
            let reference = reference.ok_or(CheckError::NoReference)?;
            let snapshot = self.store.snapshot(&keys(&reference)).await?;
            if snapshot.active_version.as_ref() == Some(&reference.version) {
                return Ok((snapshot, reference));
            }
        }
    }

    fn validate(&self, asked: &Asked, received_at: Timestamp, reference: &Reference) -> Validated {
        let environment = match self.environment {
            config::Environment::Production => Environment::Production,
            config::Environment::Test => Environment::Test,
        };
        let (declaration, party) = (&asked.declaration, &asked.party);
        let received_on = receipt_date(received_at);
        Validated {
            party: party.clone(),
            received_on,
            content_digest: content_digest(declaration),
            declaration: declaration.clone(),
            findings: validate_declaration(declaration, party, received_on, reference, environment),
            judged_with: reference.version.clone(),
        }
    }
}
