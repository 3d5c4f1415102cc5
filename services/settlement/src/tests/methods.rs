//! Every method of the contract, taken from the contract itself, so that a new one is held to the same: whoever has no
//! right to it is refused with one reason, and what cannot be read is refused with one.

use prost::{
    Message as _,
    bytes::{Buf as _, BufMut as _},
};
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};
use samenloop_adapters::settlement_client::client_tls;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

use super::{
    certificates::{Authority, authority, certificate, client, served_by, tls},
    *,
};

const SERVICE: &str = "samenloop.settlement.v1.Settlement";

/// Methods whose request names no insurer: claims are submitted by detection alone, and one is looked up by its id.
const NAMELESS: [&str; 2] = ["GetClaim", "SubmitClaims"];

/// A method, and a request of it that names insurer 3311, or its claim.
struct Method {
    name: String,
    request: Vec<u8>,
}

fn methods() -> Vec<Method> {
    let files = FileDescriptorSet::decode(samenloop_proto::FILE_DESCRIPTOR_SET).unwrap();
    let messages: Vec<&DescriptorProto> = files
        .file
        .iter()
        .flat_map(|file| &file.message_type)
        .collect();
    let services = files.file.iter().flat_map(|file| &file.service);
    let service = services.filter(|service| SERVICE.ends_with(service.name()));
    let methods = service.flat_map(|service| &service.method).map(|method| {
        let name = method.input_type().rsplit('.').next().unwrap();
        let input = messages
            .iter()
            .find(|message| message.name() == name)
            .unwrap();
        let text = |field: &str, value: &str| {
            let field = input.field.iter().find(|it| it.name() == field)?;
            assert_eq!(field.r#type(), Type::String);
            let tag = u8::try_from(field.number() << 3 | 2).unwrap();
            let length = u8::try_from(value.len()).unwrap();
            Some([&[tag, length], value.as_bytes()].concat())
        };
        let named = text("insurer_uzovi", "3311").or_else(|| text("claim_id", "1.1.1"));
        Method {
            name: method.name().to_owned(),
            request: named.unwrap_or_default(),
        }
    });
    methods.collect()
}

/// Bytes as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

/// Calls a method with one message, whatever its shape, and gives its error.
async fn error_of(channel: &Channel, method: &str, message: &[u8]) -> Status {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = format!("/{SERVICE}/{method}").parse().unwrap();
    let request = Request::new(tokio_stream::iter([message.to_vec()]));
    match grpc.streaming(request, path, Raw).await {
        Err(status) => status,
        Ok(answers) => {
            let answer = timeout(PATIENCE, answers.into_inner().message()).await;
            answer.unwrap().expect_err(method)
        }
    }
}

fn reason_of(status: &Status) -> (Code, String) {
    let details = status.get_error_details_vec();
    assert_eq!(details.len(), 1, "exactly one ErrorInfo: {status:?}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.domain, crate::reason::DOMAIN);
    (status.code(), info.reason)
}

fn channel(served: &Served, ours: &Authority, name: &str) -> Channel {
    let tls = tls(ours, certificate(ours, name, &[]));
    let endpoint = served.endpoint.replace("http://", "https://");
    let endpoint = Endpoint::from_shared(endpoint).unwrap();
    endpoint
        .tls_config(client_tls(&tls))
        .unwrap()
        .connect_lazy()
}

#[tokio::test]
async fn every_method_is_refused_to_whoever_has_no_right_to_it() {
    let ours = authority();
    let served = served_by(&ours).await;
    let detection = client(&served, &ours, certificate(&ours, "detection", &[]));
    states(&detection, vec![claim(1, 1, 100)]).await;
    let [other, submits, stranger] =
        ["insurer 7119", "detection", "stranger"].map(|name| channel(&served, &ours, name));
    let methods = methods();
    assert!(
        methods.len() >= 18,
        "the contract is read: {}",
        methods.len()
    );
    let before = (
        served.store.counts().await,
        served.store.stream_heads().await,
    );
    let before = (before.0.unwrap(), before.1.unwrap());
    for Method { name, request } in &methods {
        let unknown = reason_of(&error_of(&stranger, name, request).await);
        assert_eq!(
            unknown,
            (Code::Unauthenticated, "CALLER_UNKNOWN".to_owned()),
            "{name}"
        );
        let not_allowed = (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned());
        let refused = reason_of(&error_of(&other, name, request).await);
        assert_eq!(refused, not_allowed, "{name}");
        if !NAMELESS.contains(&&**name) {
            assert!(!request.is_empty(), "{name} names an insurer");
            let refused = reason_of(&error_of(&submits, name, request).await);
            assert_eq!(refused, not_allowed, "{name}");
        }
        // Field 1 of a kind that no message has: whoever calls, it cannot be read.
        reason_of(&error_of(&submits, name, &[0x0f]).await);
    }
    let after = (
        served.store.counts().await,
        served.store.stream_heads().await,
    );
    assert_eq!((after.0.unwrap(), after.1.unwrap()), before);
    drop((detection, other, submits, stranger));
    served.stop().await;
}
