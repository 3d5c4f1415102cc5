//! The client of the settlement service as our own roles use it: the one that insurers build on, with faults that a
//! test may plan.

use samenloop_client::Settlements;
use samenloop_domain::identifiers::Uzovi;
use samenloop_proto::settlement::v1::{Claim, ClaimReceipt};
use tonic::transport::Channel;

use crate::fault_plan::{FaultPlan, FaultPoint, InjectedFault};

pub use samenloop_client::{ClientError, ClientOptions, ClientTls, SettlementStream, client_tls};

/// The world is wrong: the settlement service.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// It, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A test asked for it.
    #[error(transparent)]
    Injected(#[from] InjectedFault),
}

impl SettlementError {
    /// Whether trying again may help. Calls may all be made again: they have their effect once.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Client(error) => error.is_transient(),
            Self::Injected(_) => true,
        }
    }
}

/// A client; clones share the connection, which is made when it is first needed and again when it is lost.
#[derive(Clone, Debug)]
pub struct SettlementClient {
    client: Settlements,
    faults: FaultPlan,
}

impl SettlementClient {
    /// A client of the service at `endpoint`, as `http://127.0.0.1:7300` or `https://...`. Call it within a runtime.
    ///
    /// # Errors
    /// [`ClientError::Configuration`]; whether the service answers is not tried.
    pub fn new(endpoint: &str, options: ClientOptions) -> Result<Self, SettlementError> {
        Ok(Self::of(Settlements::new(endpoint, options)?))
    }

    /// A client over a channel that is made elsewhere; certificates of the options are not looked at.
    ///
    /// # Errors
    /// [`ClientError::Configuration`].
    pub fn over(channel: Channel, options: ClientOptions) -> Result<Self, SettlementError> {
        Ok(Self::of(Settlements::over(channel, options)?))
    }

    fn of(client: Settlements) -> Self {
        let faults = FaultPlan::default();
        Self { client, faults }
    }

    /// The same client, with faults at [`FaultPoint::OnSend`]; production plans none.
    #[must_use]
    pub fn with_faults(self, faults: FaultPlan) -> Self {
        Self { faults, ..self }
    }

    /// Whether the service answers, and can reach its store.
    pub async fn is_serving(&self) -> bool {
        self.client.is_serving().await
    }

    /// Submits claims, as [`Settlements::submit`].
    ///
    /// # Errors
    /// [`SettlementError`]; any number of the claims may have been recorded, and may be submitted again.
    pub async fn submit(&self, claims: Vec<Claim>) -> Result<Vec<ClaimReceipt>, SettlementError> {
        self.faults.pass(FaultPoint::OnSend)?;
        Ok(self.client.submit(claims).await?)
    }

    /// Opens the stream of `insurer`: from `token` on, or from where the subscription was acknowledged.
    ///
    /// # Errors
    /// [`SettlementError`]; reason `RESUME_TOKEN_EXPIRED` where the token is none of this stream.
    pub async fn subscribe(
        &self,
        insurer: Uzovi,
        subscription: &str,
        token: Option<String>,
    ) -> Result<SettlementStream, SettlementError> {
        let opened = self.client.subscribe(insurer.as_str(), subscription, token);
        Ok(opened.await?)
    }

    /// Stores that `subscription` has processed everything up to `token`. Gives the position kept.
    ///
    /// # Errors
    /// [`SettlementError`].
    pub async fn acknowledge(
        &self,
        insurer: Uzovi,
        subscription: &str,
        token: &str,
    ) -> Result<u64, SettlementError> {
        let kept = self
            .client
            .acknowledge(insurer.as_str(), subscription, token);
        Ok(kept.await?)
    }

    /// A claim as it was recorded, if there is one.
    ///
    /// # Errors
    /// [`SettlementError`].
    pub async fn get_claim(&self, claim_id: &str) -> Result<Option<Claim>, SettlementError> {
        Ok(self.client.get_claim(claim_id).await?)
    }
}
