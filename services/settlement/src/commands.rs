//! What insurers tell the ledger beside claims. Each command is checked by itself, then decided by the books under the
//! lock on them; its answer is kept with its request id.

mod budget;
pub(crate) mod check;
mod payment;
mod period;

use jiff::civil::Date;
use prost::Message;
use ring::digest::{Context, SHA256};
use samenloop_adapters::{
    clock::receipt_date,
    settlement_store::commands::{Answer, Asked, Effect, Executed, Facts, NewCommand},
};
use samenloop_domain::identifiers::Uzovi;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::{deadline, page::store_status, reason::Reason, service::Service};

/// What the books make of a command.
pub(crate) type Decide = Box<dyn FnOnce(&Facts) -> Result<Effect, Status> + Send>;

/// A command as it was checked.
pub(crate) struct Plan {
    asks: Asked,
    decide: Decide,
}

/// Who asks, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    insurer: Uzovi,
    /// The day in Europe/Amsterdam.
    today: Date,
    now: jiff::Timestamp,
}

/// A request that changes the books.
pub(crate) trait Command: Message + Default + Send + 'static {
    /// The method.
    const NAME: &'static str;

    /// The insurer and the request id that it names.
    fn named(&self) -> (&str, &str);

    /// What it asks of the books, and what it makes of them.
    ///
    /// # Errors
    /// The reason for which it is refused whatever the books say.
    fn plan(self, asker: Asker) -> Result<Plan, Status>;
}

/// Insurer and request id have the same fields in every command.
macro_rules! command {
    ($request:ident, $name:literal, $plan:path) => {
        impl crate::commands::Command for samenloop_proto::settlement::v1::$request {
            const NAME: &'static str = $name;

            fn named(&self) -> (&str, &str) {
                (&self.insurer_uzovi, &self.request_id)
            }

            fn plan(
                self,
                asker: crate::commands::Asker,
            ) -> Result<crate::commands::Plan, tonic::Status> {
                $plan(self, asker)
            }
        }
    };
}
pub(crate) use command;

impl Service {
    /// Has a command its effect once, and wakes subscribers.
    ///
    /// # Errors
    /// The one reason for which it is refused.
    pub(crate) async fn command<C: Command>(&self, request: Request<C>) -> Result<Answer, Status> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let (named, request_id) = request.named();
        let insurer = caller.acts_as(named)?;
        let request_id = Uuid::try_parse(request_id)
            .map_err(|_| Reason::RequestIdInvalid.status("the request id is no UUID", &[]))?;
        let content_digest = digest(&request);
        let now = self.clock.now();
        let today = receipt_date(now);
        let Plan { asks, decide } = request.plan(Asker {
            insurer,
            today,
            now,
        })?;
        let command = NewCommand {
            insurer,
            request_id,
            kind: C::NAME,
            content_digest,
            asks,
        };
        let executed = store.execute(command, now, decide).await;
        match executed.map_err(|e| store_status(&e))? {
            Executed::Done(answer) => {
                self.recorded.send_modify(|count| *count += 1);
                metrics::counter!("samenloop_settlement_entries_total", "method" => C::NAME)
                    .increment(1);
                Ok(answer)
            }
            Executed::Before(answer) => Ok(answer),
            Executed::Differs => {
                let message = "the request id was used for other content";
                let id = [("request_id", request_id.to_string())];
                Err(Reason::RequestIdReused.status(message, &id))
            }
            Executed::Refused(status) => Err(status),
        }
    }
}

/// Of method and content: the same id may not be used for another method either.
fn digest<C: Command>(request: &C) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(C::NAME.as_bytes());
    context.update(&[0]);
    context.update(&request.encode_to_vec());
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
