//! Durable queue tables in SQLite, in process.
//!
//! Confirmed means committed with `synchronous = FULL`. A file has one thread that writes, which
//! commits what several publishers and consumers wait for together; a database in memory is called
//! inline, so that a simulation has one thread only. Users are taken as given: whoever publishes in
//! process has checked them.

mod engine;
mod rows;
mod state;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::{Instant, timeout_at},
};

use self::{
    engine::{Command, Engine, Reply, locked},
    rows::row_id,
    state::Queues,
};
use super::{
    BatchLimits, BrokerError, Delivery, DeliveryTag, Depth, Message, Published, Queue, Settle,
    batch::Batch,
};
use crate::fault_plan::{FaultPlan, FaultPoint};

/// Commands that wait for the writing thread; more wait at their callers.
const COMMANDS_MAX: usize = 256;

/// Commands committed together.
const GROUP_MAX: usize = 64;

/// Bounds of the embedded queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EmbeddedOptions {
    /// Most messages of a queue; more are refused.
    pub queue_length_max: u64,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            queue_length_max: super::QUEUE_LENGTH_MAX,
        }
    }
}

/// The embedded queue. Clones share it; the file is closed when the last one is dropped.
#[derive(Clone, Debug)]
pub struct EmbeddedBroker {
    shared: Arc<Shared>,
    faults: FaultPlan,
}

#[derive(Debug)]
struct Shared {
    queues: Arc<Mutex<Queues>>,
    runner: Runner,
}

/// Where commands are answered.
enum Runner {
    Inline(Mutex<Engine>),
    Thread(Writer),
}

/// The thread that owns the file.
struct Writer {
    /// Empty only while being dropped.
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Opens the file `path`, made if it is missing, or a database in memory for `:memory:`.
    ///
    /// What was handed out before and not acknowledged is delivered again.
    ///
    /// # Errors
    /// [`BrokerError::Storage`] where the file cannot be opened, is open elsewhere, or is of a
    /// newer version.
    pub fn open(
        path: impl AsRef<Path>,
        options: EmbeddedOptions,
        faults: FaultPlan,
    ) -> Result<Self, BrokerError> {
        let queues = Arc::new(Mutex::new(Queues::default()));
        let file = Some(path.as_ref()).filter(|path| *path != Path::new(":memory:"));
        let engine = Engine::open(file, Arc::clone(&queues), options.queue_length_max)?;
        let runner = match file {
            None => Runner::Inline(Mutex::new(engine)),
            Some(_) => Runner::Thread(Writer::start(engine)?),
        };
        let shared = Arc::new(Shared { queues, runner });
        Ok(Self { shared, faults })
    }

    /// The same queue as one sees it to whom other faults happen.
    #[must_use]
    pub fn with_faults(&self, faults: FaultPlan) -> Self {
        let shared = Arc::clone(&self.shared);
        Self { shared, faults }
    }

    pub(super) async fn publish(
        &self,
        messages: Vec<(Queue, Message)>,
    ) -> Result<Vec<Published>, BrokerError> {
        self.faults.pass(FaultPoint::OnSend)?;
        let messages = messages.into_iter();
        let messages = messages
            .map(|(queue, message)| (queue.name(), message))
            .collect();
        self.shared
            .ask(|reply| Command::Publish { messages, reply })
            .await
    }

    #[expect(clippy::unused_async, reason = "RabbitMQ is asked over the network")]
    pub(super) async fn consume(
        &self,
        queue: Queue,
        limits: BatchLimits,
    ) -> Result<EmbeddedConsumer, BrokerError> {
        let queue = queue.name();
        let (id, arrived) = locked(&self.shared.queues).register(&queue)?;
        Ok(EmbeddedConsumer {
            broker: self.clone(),
            queue,
            id,
            arrived,
            fetching: None,
            batch: Batch::new(limits),
        })
    }

    #[expect(clippy::unused_async, reason = "RabbitMQ is asked over the network")]
    pub(super) async fn depth(&self, queue: &Queue) -> Result<Depth, BrokerError> {
        locked(&self.shared.queues).depth(&queue.name())
    }

    pub(super) async fn check_topology(&self, queues: &[Queue]) -> Result<(), BrokerError> {
        let names = queues.iter().map(Queue::name).collect();
        self.shared
            .ask(|reply| Command::Declare { names, reply })
            .await
    }
}

/// A consumer. What it has not settled goes back when it is dropped.
#[derive(Debug)]
pub struct EmbeddedConsumer {
    broker: EmbeddedBroker,
    queue: String,
    id: u64,
    arrived: Arc<Notify>,
    /// The answer to a question that was asked already; kept so that a cancelled call loses no
    /// delivery.
    fetching: Option<oneshot::Receiver<Result<Vec<Delivery>, BrokerError>>>,
    batch: Batch,
}

impl EmbeddedConsumer {
    pub(super) async fn next_batch(&mut self) -> Result<Vec<Delivery>, BrokerError> {
        let arrived = Arc::clone(&self.arrived);
        loop {
            // Enabled before looking, so that what arrives in between is noticed.
            let notified = arrived.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            let fetched = self.fetch().await?;
            if self.batch.is_full() {
                return Ok(self.batch.take());
            }
            match self.batch.deadline() {
                Some(deadline) if deadline <= Instant::now() => return Ok(self.batch.take()),
                _ if fetched > 0 => {}
                Some(deadline) => {
                    // Whether the time is up is seen in the next round, after a last look.
                    let _ = timeout_at(deadline, notified).await;
                }
                None => notified.await,
            }
        }
    }

    /// Takes what is ready into the batch; how many.
    async fn fetch(&mut self) -> Result<usize, BrokerError> {
        if self.fetching.is_none() {
            let messages_max = self.batch.messages_left();
            if messages_max == 0 || !self.is_ready() {
                return Ok(0);
            }
            self.broker.faults.pass(FaultPoint::OnRead)?;
            let (reply, answer) = oneshot::channel();
            let command = Command::Fetch {
                queue: self.queue.clone(),
                consumer: self.id,
                messages_max,
                bytes_max: self.batch.bytes_left(),
                reply,
            };
            self.broker.shared.send(command).await?;
            self.fetching = Some(answer);
        }
        let answer = self.fetching.as_mut().expect("it was asked above").await;
        self.fetching = None;
        let deliveries = answer.map_err(|_| gone())??;
        let count = deliveries.len();
        for delivery in deliveries {
            self.batch.push(delivery);
        }
        Ok(count)
    }

    fn is_ready(&self) -> bool {
        let queues = locked(&self.broker.shared.queues);
        queues
            .queue(&self.queue)
            .is_some_and(|queue| queue.is_ready())
    }

    pub(super) async fn settle(
        &mut self,
        deliveries: Vec<(DeliveryTag, Settle)>,
    ) -> Result<(), BrokerError> {
        self.broker.faults.pass(FaultPoint::AfterCommitBeforeAck)?;
        let of = |kind: Settle| {
            let settled = deliveries.iter().filter(move |(_, settle)| *settle == kind);
            settled.map(|(tag, _)| row_id(*tag)).collect::<Vec<i64>>()
        };
        let (acked, requeued) = (of(Settle::Ack), of(Settle::Requeue));
        self.batch.plan_settle(deliveries);
        if !acked.is_empty() {
            let (queue, ids) = (self.queue.clone(), acked);
            let shared = &self.broker.shared;
            shared
                .ask(|reply| Command::Ack { queue, ids, reply })
                .await?;
        }
        if !requeued.is_empty() {
            locked(&self.broker.shared.queues).requeue(&self.queue, &requeued);
        }
        Ok(())
    }
}

impl Drop for EmbeddedConsumer {
    fn drop(&mut self) {
        locked(&self.broker.shared.queues).release(&self.queue, self.id);
    }
}

impl Shared {
    /// Sends a command. Cancelled, it is not sent.
    async fn send(&self, command: Command) -> Result<(), BrokerError> {
        match &self.runner {
            Runner::Inline(engine) => {
                let mut engine = engine.lock().expect("the engine does not panic");
                engine.handle(vec![command]);
                Ok(())
            }
            Runner::Thread(writer) => {
                let commands = writer.commands.as_ref().ok_or_else(gone)?;
                commands.send(command).await.map_err(|_| gone())
            }
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, BrokerError> {
        let (reply, answer) = oneshot::channel();
        self.send(command(reply)).await?;
        answer.await.map_err(|_| gone())?
    }
}

impl Writer {
    fn start(mut engine: Engine) -> Result<Self, BrokerError> {
        let (commands, mut received) = mpsc::channel(COMMANDS_MAX);
        let run = move || {
            while let Some(first) = received.blocking_recv() {
                let mut group = vec![first];
                while group.len() < GROUP_MAX
                    && let Ok(next) = received.try_recv()
                {
                    group.push(next);
                }
                engine.handle(group);
            }
        };
        let thread = std::thread::Builder::new().name("embedded-queue".to_owned());
        let thread = thread
            .spawn(run)
            .map_err(|error| BrokerError::Storage(error.to_string()))?;
        Ok(Self {
            commands: Some(commands),
            thread: Some(thread),
        })
    }
}

impl Drop for Writer {
    /// Waits for the file to be closed, so that it can be opened again; at most a few commits are
    /// under way.
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Inline(_) => "Inline",
            Self::Thread(_) => "Thread",
        })
    }
}

fn gone() -> BrokerError {
    BrokerError::Storage("the thread that writes the queue has ended".to_owned())
}
