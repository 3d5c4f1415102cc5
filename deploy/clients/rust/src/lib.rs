//! Client of the settlement service of samenloop: what our own detection submits with, and what the backend of an
//! insurer builds on.
//!
//! Layout: [`settlements`] has the calls, [`follow`] a stream that is resumed whenever it is cut, [`error`] why a call
//! failed. Declarations are not sent from here: any AMQP client does that, as `proto/schemas/asyncapi.yaml` says.

pub mod error;
pub mod follow;
pub mod settlements;

pub use error::ClientError;
pub use follow::Follower;
pub use settlements::{ClientOptions, ClientTls, SettlementStream, Settlements, client_tls};
