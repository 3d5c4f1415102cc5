//! Publishing with confirms. Each call has channels of its own while it runs, which is what makes
//! its results right: lapin hands a returned message to whichever confirm of the channel comes
//! next.

use std::sync::{Mutex, PoisonError};

use lapin::{
    Confirmation, Connection,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{
    sync::Semaphore,
    time::{Duration, Instant, sleep, timeout},
};

use super::{
    Settings,
    link::{Lane, Link, broken},
    properties::properties,
};
use crate::broker::{BrokerError, Message, Published, Queue};

/// How often an alarm of the broker is looked at, which blocks all who publish.
const BLOCKED_LOOK: Duration = Duration::from_millis(100);

/// The publishing connection and its channels.
#[derive(Debug)]
pub(super) struct Publisher {
    link: Link,
    /// One permit a channel: with the window of each, it bounds what is sent and not confirmed.
    permits: Semaphore,
    idle: Mutex<Vec<Lane>>,
}

impl Publisher {
    pub(super) fn new(channels_max: usize) -> Self {
        Self {
            link: Link::new("publish"),
            permits: Semaphore::new(channels_max),
            idle: Mutex::default(),
        }
    }

    pub(super) async fn connect(&self, settings: &Settings) -> Result<(), BrokerError> {
        self.link.connection(settings).await.map(|_| ())
    }

    pub(super) async fn publish(
        &self,
        settings: &Settings,
        messages: &[(Queue, Message)],
    ) -> Result<Vec<Published>, BrokerError> {
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|error| BrokerError::Connection(error.to_string()))?;
        let mut published = Vec::with_capacity(messages.len());
        while published.len() < messages.len() {
            let window = first_window(&messages[published.len()..], settings);
            published.extend(self.publish_window(settings, window).await?);
        }
        Ok(published)
    }

    /// A channel goes back to the idle ones only after all of its confirms have come.
    async fn publish_window(
        &self,
        settings: &Settings,
        window: &[(Queue, Message)],
    ) -> Result<Vec<Published>, BrokerError> {
        let lane = self.lane(settings).await?;
        let publish = publish_and_confirm(&lane, settings, window);
        match timeout(settings.options.answer_timeout, publish).await {
            Ok(Ok(published)) => {
                self.idle().push(lane);
                Ok(published)
            }
            Ok(Err(error)) => Err(error),
            Err(_) if lane.connection.status().blocked() => Err(blocked()),
            Err(_) => {
                self.link.forget(&lane.connection).await;
                let reason = "a publication was not confirmed in time";
                Err(BrokerError::Connection(reason.to_owned()))
            }
        }
    }

    async fn lane(&self, settings: &Settings) -> Result<Lane, BrokerError> {
        loop {
            let Some(lane) = self.idle().pop() else { break };
            if lane.connection.status().connected() && lane.channel.status().connected() {
                wait_unblocked(&lane.connection, settings).await?;
                return Ok(lane);
            }
        }
        // A blocked connection writes nothing: what is sent to it would pile up in memory.
        let connection = self.link.connection(settings).await?;
        wait_unblocked(&connection, settings).await?;
        let lane = self.link.lane(settings).await?;
        let confirms = lane.channel.confirm_select(ConfirmSelectOptions::default());
        settings.in_time(confirms).await?;
        Ok(lane)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Lane>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages from the first on that may be outstanding together; at least one.
fn first_window<'a>(
    messages: &'a [(Queue, Message)],
    settings: &Settings,
) -> &'a [(Queue, Message)] {
    let mut bytes = 0;
    let fits = |(_, message): &&(Queue, Message)| {
        bytes += message.body.len();
        bytes <= settings.options.window_bytes_max
    };
    let count = messages.iter().take_while(fits).count();
    &messages[..count.min(settings.options.window_messages_max).max(1)]
}

async fn wait_unblocked(connection: &Connection, settings: &Settings) -> Result<(), BrokerError> {
    let until = Instant::now() + settings.options.answer_timeout;
    while connection.status().blocked() {
        if Instant::now() >= until {
            return Err(blocked());
        }
        sleep(BLOCKED_LOOK).await;
    }
    Ok(())
}

fn blocked() -> BrokerError {
    let reason = "the broker blocks publishers: an alarm of its memory or disk is on";
    BrokerError::Connection(reason.to_owned())
}

/// Publishes in order, then waits for every confirm.
async fn publish_and_confirm(
    lane: &Lane,
    settings: &Settings,
    window: &[(Queue, Message)],
) -> Result<Vec<Published>, BrokerError> {
    let options = BasicPublishOptions {
        mandatory: true,
        immediate: false,
    };
    let mut confirms = Vec::with_capacity(window.len());
    for (queue, message) in window {
        if message.is_over_limit() {
            confirms.push(None);
            continue;
        }
        let exchange = queue.exchange().into();
        let key = queue.routing_key().into();
        let properties = properties(message, &settings.login);
        let sent = lane
            .channel
            .basic_publish(exchange, key, options, &message.body, properties);
        confirms.push(Some(sent.await.map_err(|error| broken(&error))?));
    }
    let mut published = Vec::with_capacity(window.len());
    let mut returned = Vec::new();
    for confirm in confirms {
        let Some(confirm) = confirm else {
            published.push(Published::Refused);
            continue;
        };
        let (result, message) = match confirm.await.map_err(|error| broken(&error))? {
            Confirmation::Ack(message) => (Published::Confirmed, message),
            Confirmation::Nack(message) => (Published::Refused, message),
            Confirmation::NotRequested => {
                let reason = "the channel does not confirm";
                return Err(BrokerError::Connection(reason.to_owned()));
            }
        };
        published.push(result);
        returned.extend(message);
    }
    for message in returned {
        mark_unroutable(window, &mut published, &message)?;
    }
    Ok(published)
}

/// Finds the publication that was returned. Two that are alike in all this are the same to their
/// receiver.
fn mark_unroutable(
    window: &[(Queue, Message)],
    published: &mut [Published],
    returned: &BasicReturnMessage,
) -> Result<(), BrokerError> {
    let delivery = &returned.delivery;
    let message_id = delivery.properties.message_id().as_ref();
    for ((queue, message), result) in window.iter().zip(published) {
        let is_it = *result != Published::Unroutable
            && queue.exchange() == delivery.exchange.as_str()
            && queue.routing_key() == delivery.routing_key.as_str()
            && message_id.is_some_and(|id| id.as_str() == message.message_id)
            && message.body == delivery.data;
        if is_it {
            *result = Published::Unroutable;
            return Ok(());
        }
    }
    let reason = "the broker returned a message that was not published";
    Err(BrokerError::Connection(reason.to_owned()))
}
