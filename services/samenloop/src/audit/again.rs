//! Lines that were decided again, decided once more from the log.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use prost::Message as _;
use samenloop_adapters::{
    decision_store::DecisionStore,
    wire::{
        outcome,
        record::read_line_id,
        review::{self, Action},
        validated::Intake,
    },
};
use samenloop_domain::{
    coverage::CoverageId,
    decision::{Loser, Rejudged, Review, Revision, Validated, decide_review, rejudge, status_of},
    history::History,
    identifiers::{Agb, Sequence},
    period::Day,
    reference::Reference,
};
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as log, log_entry::Entry},
};

/// What must be remembered of messages whose lines may be decided again.
pub(crate) struct Again {
    store: DecisionStore,
    /// Newest outcomes of messages with a line that is held or refused.
    outcomes: BTreeMap<String, wire::Outcome>,
    /// Pairs that a person overrode.
    overridden: BTreeSet<(CoverageId, CoverageId)>,
}

/// A line that was decided again.
pub(crate) struct Revised {
    /// What its message's outcome said of it until then.
    pub(crate) before: wire::LineOutcome,
    /// What the log says of it since.
    pub(crate) stored: wire::LineOutcome,
    /// What deciding it once more gives, and who declared it.
    pub(crate) revision: Option<(Agb, Revision)>,
    /// Its message.
    pub(crate) input: Validated,
}

impl Again {
    pub(crate) fn new(store: DecisionStore) -> Self {
        Self {
            store,
            outcomes: BTreeMap::new(),
            overridden: BTreeSet::new(),
        }
    }

    /// Pairs that a person overrode.
    pub(crate) fn overridden(&self) -> &BTreeSet<(CoverageId, CoverageId)> {
        &self.overridden
    }

    /// Whether a message was remembered.
    pub(crate) fn remembers(&self, message_id: &str) -> bool {
        self.outcomes.contains_key(message_id)
    }

    /// Remembers the outcomes of a decided message that may get a new version.
    pub(crate) fn remember(&mut self, decided: &log::MessageDecided) {
        for outcome in &decided.revised {
            self.outcomes
                .insert(outcome.message_id.clone(), outcome.clone());
        }
        let Some(outcome) = &decided.outcome else {
            return;
        };
        let mut lines = outcome.lines.iter().map(wire::LineOutcome::verdict);
        if lines.any(|it| matches!(it, wire::Verdict::Review | wire::Verdict::Reject)) {
            self.outcomes
                .insert(outcome.message_id.clone(), outcome.clone());
        }
    }

    /// Decides once more what a person decided, and with the entry that did what it let stand.
    pub(crate) async fn review(
        &mut self,
        kept: &log::ReviewDecided,
        history: &History,
        reference: Option<&Reference>,
        entry: Option<Sequence>,
    ) -> anyhow::Result<Revised> {
        let command = kept.command.clone().context("a review without a command")?;
        let command = review::read_command(command)?;
        let Action::Decide {
            line,
            version_seen,
            choice,
            overrides,
            standing,
        } = &command.action
        else {
            anyhow::bail!("a review by a command that decides none");
        };
        let judged = kept.judged.as_ref().context("a review without findings")?;
        let (input, shown) = self.input(*line, judged).await?;
        let review = Review {
            input: &input,
            line: *line,
            version_seen: *version_seen,
            shown: &shown,
            choice: *choice,
            overrides,
            standing: entry.filter(|_| *standing),
        };
        let reference = reference.context("a review before any reference data")?;
        let revision = decide_review(&review, history, reference).ok();
        self.revised(kept.revised.as_ref(), revision, *line, input)
    }

    /// Decides once more a refused line that was decided again.
    pub(crate) async fn rejudged(
        &mut self,
        kept: &log::LineRejudged,
        today: Day,
        history: &History,
        reference: Option<&Reference>,
    ) -> anyhow::Result<Revised> {
        let line = read_line_id(
            kept.line
                .context("a line decided again that is not named")?,
        );
        let judged = kept
            .judged
            .as_ref()
            .context("a line decided again without findings")?;
        let (input, shown) = self.input(line, judged).await?;
        let loser = Loser {
            input: &input,
            line,
            others_use_part: shown.others_use_part,
            today,
        };
        let reference = reference.context("a line decided again before any reference data")?;
        let revision = match rejudge(loser, history, reference) {
            Rejudged::Free(revision) => Some(*revision),
            Rejudged::Excluded(_) | Rejudged::Left => None,
        };
        self.revised(kept.revised.as_ref(), revision, line, input)
    }

    /// The message of a line with the findings of the new judging, and what its newest outcome says.
    async fn input(
        &self,
        line: CoverageId,
        judged: &log::Judged,
    ) -> anyhow::Result<(Validated, samenloop_domain::decision::Shown)> {
        let Sequence(number) = line.sequence;
        let entry = self.store.log_entry(line.sequence).await?;
        let entry = entry.with_context(|| format!("there is no entry {number}"))?;
        let Some(Entry::MessageDecided(decided)) =
            log::LogEntry::decode(entry.body.as_slice())?.entry
        else {
            anyhow::bail!("entry {number} decided no message");
        };
        let input = decided.input.context("a decision without input")?;
        let mut input = Intake::from_record(&input)?.validated;
        review::read_judged(judged, line.line, &mut input)?;
        let id = input.declaration.message_id.to_string();
        let newest = self.outcomes.get(&id);
        let newest =
            newest.with_context(|| format!("message {id} has no line to be decided again"))?;
        let shown = review::shown_of(newest, line.line)?;
        Ok((
            input,
            shown.with_context(|| format!("message {id} has no such line"))?,
        ))
    }

    fn revised(
        &mut self,
        kept: Option<&log::RevisedLine>,
        revision: Option<Revision>,
        line: CoverageId,
        input: Validated,
    ) -> anyhow::Result<Revised> {
        let kept = kept.context("a line decided again without its outcome")?;
        let stored = kept
            .line
            .clone()
            .context("a new version without its line")?;
        let newest = self
            .outcomes
            .get_mut(&kept.message_id)
            .context("no outcome")?;
        let mut lines = newest.lines.iter_mut();
        let shown = lines.find(|it| it.line_number == stored.line_number);
        let shown = shown.context("a new version of a line that is not there")?;
        let before = std::mem::replace(shown, stored.clone());
        newest.version = kept.version;
        let verdicts = newest.lines.iter();
        let verdicts = verdicts.filter_map(|line| outcome::read_verdict(line.verdict));
        newest.status = outcome::write_status(status_of(verdicts)) as i32;
        if let Some(revision) = &revision {
            let rivals = revision
                .overridden
                .iter()
                .filter_map(|it| it.rival.as_ref());
            self.overridden.extend(rivals.map(|rival| (line, rival.id)));
        }
        let declarant = input.declaration.declarant_agb.agb();
        Ok(Revised {
            before,
            stored,
            revision: declarant.zip(revision),
            input,
        })
    }
}
