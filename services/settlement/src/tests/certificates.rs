//! With certificates: who calls is what the certificate says, whatever the request names.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use samenloop_adapters::settlement_client::ClientTls;
use tonic::Code;

use super::*;
use crate::{Caller, Callers, ServerTls};

pub(super) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(super) fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key as PEM, for a common name and DNS names.
pub(super) fn certificate(authority: &Authority, common: &str, dns: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let names: Vec<String> = dns.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (
        certificate.pem().into_bytes(),
        key.serialize_pem().into_bytes(),
    )
}

/// Served with a certificate of `ours`, to detection and two insurers.
pub(super) async fn served_by(ours: &Authority) -> Served {
    let (own, private_key) = certificate(ours, "settlement", &["settlement.test"]);
    let names = [
        ("detection", Caller::Detection),
        ("3311.insurers.test", Caller::Insurer(uzovi("3311"))),
        ("insurer 7119", Caller::Insurer(uzovi("7119"))),
    ];
    served(SettlementConfig {
        callers: Callers::Certificates {
            tls: ServerTls {
                certificate: own,
                private_key,
                client_authorities: ours.pem().into_bytes(),
            },
            names: names.map(|(name, caller)| (name.to_owned(), caller)).into(),
        },
        ..SettlementConfig::default()
    })
    .await
}

pub(super) fn tls(
    service: &Authority,
    (certificate, private_key): (Vec<u8>, Vec<u8>),
) -> ClientTls {
    ClientTls {
        authorities: service.pem().into_bytes(),
        certificate,
        private_key,
        server_name: Some("settlement.test".to_owned()),
    }
}

pub(super) fn client(
    served: &Served,
    service: &Authority,
    (certificate, private_key): (Vec<u8>, Vec<u8>),
) -> SettlementClient {
    let options = ClientOptions {
        tls: Some(tls(service, (certificate, private_key))),
        ..ClientOptions::default()
    };
    let endpoint = served.endpoint.replace("http://", "https://");
    SettlementClient::new(&endpoint, options).unwrap()
}

/// Goal: no certificate opens, resumes, confirms or looks up what is another's, also with the other's own token.
#[tokio::test]
async fn a_certificate_opens_its_own_insurer_only() {
    let (ours, elsewhere) = (authority(), authority());
    let served = served_by(&ours).await;
    let detection = client(&served, &ours, certificate(&ours, "detection", &[]));
    let insurer = certificate(&ours, "any", &["3311.insurers.test"]);
    let insurer = client(&served, &ours, insurer);
    let other = client(&served, &ours, certificate(&ours, "insurer 7119", &[]));
    let stranger = client(&served, &ours, certificate(&ours, "stranger", &[]));
    let forged = client(&served, &ours, certificate(&elsewhere, "detection", &[]));

    states(&detection, vec![claim(1, 1, 100)]).await;
    let mut stream = insurer
        .subscribe(uzovi("3311"), "backend", None)
        .await
        .unwrap();
    let Some(Response::Events(page)) = stream.next().await.unwrap().unwrap().response else {
        panic!("there is an event");
    };
    insurer
        .acknowledge(uzovi("3311"), "backend", &page.token)
        .await
        .unwrap();
    assert!(insurer.get_claim("1.1.1").await.unwrap().is_some());
    drop(stream);

    let not_allowed = (
        Code::PermissionDenied,
        "CALLER_NOT_ALLOWED".to_owned(),
        String::new(),
    );
    for (caller, named) in [(&other, "3311"), (&insurer, "7119"), (&detection, "3311")] {
        for token in [None, Some(page.token.clone())] {
            let subscribed = caller.subscribe(uzovi(named), "backend", token).await;
            assert_eq!(refused(subscribed, ""), not_allowed);
        }
        let acknowledged = caller
            .acknowledge(uzovi(named), "backend", &page.token)
            .await;
        assert_eq!(refused(acknowledged, ""), not_allowed);
    }
    // Its own stream with another's token, and claims that are another's or nobody's.
    let resumed = other
        .subscribe(uzovi("7119"), "backend", Some(page.token))
        .await;
    assert_eq!(refused(resumed, "").1, "RESUME_TOKEN_EXPIRED");
    for claim_id in ["1.1.1", "9.9.9"] {
        assert_eq!(refused(other.get_claim(claim_id).await, ""), not_allowed);
    }
    assert_eq!(detection.get_claim("9.9.9").await.unwrap(), None);
    let submitted = insurer.submit(vec![claim(2, 1, 100)]).await;
    assert_eq!(refused(submitted, ""), not_allowed);
    let unknown = refused(stranger.get_claim("1.1.1").await, "");
    assert_eq!(
        (unknown.0, &*unknown.1),
        (Code::Unauthenticated, "CALLER_UNKNOWN")
    );
    assert!(
        forged.get_claim("1.1.1").await.is_err(),
        "an authority nobody named"
    );
    let plain = SettlementClient::new(&served.endpoint, ClientOptions::default()).unwrap();
    assert!(plain.get_claim("1.1.1").await.is_err(), "no TLS");
    assert_eq!(served.store.counts().await.unwrap(), (1, 2));
    drop((detection, insurer, other, stranger, forged, plain));
    served.stop().await;
}
