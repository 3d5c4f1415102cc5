//! What people look for: messages by what they are known by, decisions of persons on them, and decisions that wait
//! for a second person.

use jiff::Timestamp;
use samenloop_domain::{cents::Cents, coverage::CoverageId, identifiers::Sequence};
use samenloop_proto::record::v1 as record;
use uuid::Uuid;

use super::{
    DecisionStore, StoreError, StoredMessage,
    dispatch::both,
    quarantine::{Conditions, Value},
    words::{Word, signed, storable},
};

/// What a message can be found by, beside its id and its lines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MessageKey {
    /// The party that sent it.
    Party,
    /// AGB code of its declarant.
    Declarant,
    /// UZOVI number of its insurer.
    Insurer,
    /// Its invoice number.
    Invoice,
    /// A contract that a line names.
    Contract,
    /// Id of its trace (W3C trace context), 32 hexadecimal digits.
    Trace,
}

impl Word for MessageKey {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Party, "party"),
        (Self::Declarant, "declarant"),
        (Self::Insurer, "insurer"),
        (Self::Invoice, "invoice"),
        (Self::Contract, "contract"),
        (Self::Trace, "trace"),
    ];
}

impl MessageKey {
    /// Every key.
    pub const ALL: [Self; 6] = [
        Self::Party,
        Self::Declarant,
        Self::Insurer,
        Self::Invoice,
        Self::Contract,
        Self::Trace,
    ];

    /// As one word, in JSON, SQL and addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

/// Which messages are looked for; what is absent is not asked. All that is asked must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MessageFilter {
    /// Known by these, exactly.
    pub keys: Vec<(MessageKey, String)>,
    /// Known by this, whatever it is, or with a line of this reference.
    pub any: Option<String>,
    /// With a line of this reference.
    pub line_reference: Option<String>,
    /// With this status, as a word of the wire.
    pub status: Option<String>,
    /// Of this entry of the log.
    pub sequence: Option<Sequence>,
}

impl MessageFilter {
    /// Conditions over `message`, of messages before a sequence.
    pub(super) fn conditions(&self, before: Option<Sequence>) -> Conditions {
        // A reference is unique for its declarant, and found by both.
        const WITH_LINE: &str = "SELECT d.sequence FROM known_declarant AS k
            JOIN decision AS d ON d.declarant = k.declarant AND d.line_reference = ?";
        let text = |value: &str| Value::Text(storable(value));
        let mut conditions = Conditions::default();
        if let Some(before) = before {
            conditions.and("sequence < ?", [Value::Number(signed(before.0))]);
        }
        if let Some(sequence) = self.sequence {
            conditions.and("sequence = ?", [Value::Number(signed(sequence.0))]);
        }
        if let Some(status) = &self.status {
            conditions.and("status = ?", [text(status)]);
        }
        for (key, value) in &self.keys {
            let found =
                "sequence IN (SELECT sequence FROM message_key WHERE value = ? AND kind = ?)";
            conditions.and(found, [text(value), text(key.word())]);
        }
        if let Some(reference) = &self.line_reference {
            conditions.and(&format!("sequence IN ({WITH_LINE})"), [text(reference)]);
        }
        if let Some(any) = &self.any {
            let found = format!(
                "sequence IN (SELECT sequence FROM message_key WHERE value = ? UNION {WITH_LINE})"
            );
            conditions.and(&found, [text(any), text(any)]);
        }
        conditions
    }
}

/// A decision on a held line that waits for a second person.
#[derive(Clone, PartialEq, Debug)]
pub struct Proposal {
    /// Its id, and that of the command that it becomes.
    pub id: Uuid,
    /// The held line.
    pub line: CoverageId,
    /// Its reference.
    pub line_reference: String,
    /// To whom it was declared.
    pub insurer: String,
    /// Who proposes.
    pub person: String,
    /// What is asked, without the second person.
    pub command: record::Command,
    /// What would be awarded.
    pub cents: Cents,
    /// When.
    pub proposed_at: Timestamp,
}

/// What became of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProposalState {
    /// It waits for a second person.
    Open,
    /// A second person agreed, and it was sent as a command.
    Agreed,
    /// A second person did not, or it was taken back.
    Declined,
}

impl Word for ProposalState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Open, "open"),
        (Self::Agreed, "agreed"),
        (Self::Declined, "declined"),
    ];
}

/// How a proposal ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposalEnd {
    /// Agreed or declined.
    pub state: ProposalState,
    /// By whom.
    pub person: String,
    /// When.
    pub at: Timestamp,
}

/// Most entries that decided lines of a message anew, of those that are given.
pub const REVISIONS_MAX: u32 = 50;

impl DecisionStore {
    /// Messages that a filter matches, newest first, before a sequence (for paging), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn find_messages(
        &self,
        filter: &MessageFilter,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let conditions = filter.conditions(before);
        both!(self, store => store.find_messages(conditions, limit))
    }

    /// The entries that decided lines of a message anew, by the version of the outcome that each gave, in order; at
    /// most [`REVISIONS_MAX`], the newest.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn revisions_of(&self, message_id: Uuid) -> Result<Vec<(u32, Sequence)>, StoreError> {
        both!(self, store => store.revisions_of(message_id))
    }

    /// Writes a proposal down; false where one for its line is open already.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn propose(&self, proposal: &Proposal) -> Result<bool, StoreError> {
        let proposal = proposal.clone();
        both!(self, store => store.propose(proposal))
    }

    /// Open proposals, oldest first, after a time and id (for paging), of an insurer or of all, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn proposals(
        &self,
        insurer: Option<String>,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        both!(self, store => store.proposals(insurer, after, limit))
    }

    /// The open proposal of a line.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn proposal_of(&self, line: CoverageId) -> Result<Option<Proposal>, StoreError> {
        both!(self, store => store.proposal_of(line))
    }

    /// Ends an open proposal; false where it has ended already.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn end_proposal(&self, id: Uuid, end: ProposalEnd) -> Result<bool, StoreError> {
        both!(self, store => store.end_proposal(id, end))
    }
}
