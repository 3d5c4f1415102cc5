//! What persons ask of detection: commands over its queue, with the result read from the store. Nothing is decided
//! here.

use std::time::Duration;

use samenloop_adapters::{
    broker::{Published, Queue},
    wire::review,
};
use samenloop_domain::{coverage::CoverageId, identifiers::Sequence};
use samenloop_proto::record::v1::{self as record, command::Action};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{Operator, frame::Frame, respond::Failure};

/// How long a page waits for the result of a command.
pub(crate) const WAIT: Duration = Duration::from_secs(8);

/// How often the result of a command is looked for.
const POLL: Duration = Duration::from_millis(50);

/// Code of the refusal that asks for a second person.
pub(crate) const SECOND_PERSON: &str = "GDC-TWEEDE-PERSOON";

/// A command of a person.
pub(crate) fn command(
    operator: &Operator,
    person: &str,
    why: &str,
    action: Action,
) -> record::Command {
    record::Command {
        command_id: operator.ids.next().to_string(),
        person: person.to_owned(),
        second_person: String::new(),
        issued_at: operator.clock.now().to_string(),
        note: why.to_owned(),
        action: Some(action),
    }
}

/// Publishes commands, and gives their ids once the queue has them.
///
/// # Errors
/// Where a command cannot be carried out as it is written, or the queue did not take it.
pub(crate) async fn send(
    operator: &Operator,
    frame: &Frame,
    commands: &[record::Command],
) -> Result<Vec<Uuid>, Failure> {
    let mut ids = Vec::with_capacity(commands.len());
    for command in commands {
        let read = review::read_command(command.clone()).map_err(|fault| {
            let english = format!("This cannot be asked: {fault}.");
            let dutch = format!("Dit kan niet worden gevraagd: {fault}.");
            Failure::bad_request(frame, &english, &dutch)
        })?;
        ids.push(read.id);
    }
    let messages = commands
        .iter()
        .map(|it| (Queue::Commands, review::command_message(it)));
    let away = |error: &dyn std::fmt::Display| {
        Failure::unavailable(
            frame,
            ("queue of commands", "wachtrij van opdrachten"),
            error,
        )
    };
    let published = operator.broker.publish(messages.collect()).await;
    let published = published.map_err(|error| away(&error))?;
    match published.iter().find(|it| **it != Published::Confirmed) {
        None => Ok(ids),
        Some(failed) => Err(away(&format!("{failed:?}"))),
    }
}

/// What became of a command; nothing if it is not decided in time.
///
/// # Errors
/// Where the store is away.
pub(crate) async fn result_of(
    operator: &Operator,
    frame: &Frame,
    id: Uuid,
    wait: Duration,
) -> Result<Option<record::CommandResult>, Failure> {
    let deadline = Instant::now() + wait;
    loop {
        let found = operator.store.command(id).await;
        let found = found.map_err(|error| Failure::no_store(frame, &error))?;
        if let Some(decided) = found {
            return Ok(Some(decided.result));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        sleep(POLL).await;
    }
}

/// Whether a command was refused because a second person must agree.
pub(crate) fn needs_second_person(result: &record::CommandResult) -> bool {
    result
        .refusals
        .iter()
        .any(|reason| reason.code == SECOND_PERSON)
}

/// A line as people write it: `17.1`.
pub(crate) fn line_text(line: CoverageId) -> String {
    format!("{}.{}", line.sequence, line.line)
}

/// The line of `17.1`.
pub(crate) fn parse_line(text: &str) -> Option<CoverageId> {
    let (sequence, line) = text.split_once('.')?;
    Some(CoverageId {
        sequence: Sequence(sequence.parse().ok()?),
        line: line.parse().ok()?,
    })
}
