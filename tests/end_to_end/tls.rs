//! TLS to PostgreSQL: before the node stands a front with a certificate of our own making, which encrypts as the
//! server itself would.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use harness::production::Production;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use samenloop_adapters::{
    decision_store::{DecisionStore, StoreError},
    fault_plan::FaultPlan,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// What a client of PostgreSQL sends to ask for TLS: its length and a number that is no version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Takes TLS only, and counts who came with it.
struct Front {
    address: SocketAddr,
    encrypted: Arc<AtomicU32>,
    /// PEM of the authority that signed its certificate.
    authority: String,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("it signs itself")
}

impl Front {
    async fn start(node: SocketAddr) -> Self {
        let authority = authority();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority).expect("it is signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("the certificate is good")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let encrypted = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&encrypted);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let served = serve(client, node, acceptor.clone(), Arc::clone(&count));
                tokio::spawn(served);
            }
        });
        let authority = authority.as_ref().pem();
        Self {
            address,
            encrypted,
            authority,
        }
    }
}

/// A client that does not ask for TLS is left alone, as is one that does not like the certificate.
async fn serve(
    mut client: TcpStream,
    node: SocketAddr,
    acceptor: TlsAcceptor,
    encrypted: Arc<AtomicU32>,
) -> Option<()> {
    let mut asked = [0; 8];
    client.read_exact(&mut asked).await.ok()?;
    if asked != SSL_REQUEST {
        return None;
    }
    client.write_all(b"S").await.ok()?;
    let mut client = acceptor.accept(client).await.ok()?;
    encrypted.fetch_add(1, Ordering::Relaxed);
    let mut server = TcpStream::connect(node).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}

async fn open(url: &str) -> Result<(), StoreError> {
    let store = DecisionStore::open(url, FaultPlan::default()).await?;
    store.ping().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_is_reached_over_tls_as_its_url_says() {
    let set = harness::scenarios();
    let production = Production::new(&set.reference).await;
    let direct = &production.database;
    let place = direct
        .rsplit_once('@')
        .and_then(|(_, it)| it.split_once('/'));
    let (node, _) = place.expect("the URL names a host");
    let front = Front::start(node.parse().expect("an address")).await;
    let fronted = direct.replacen(node, &front.address.to_string(), 1);
    let directory = production.directory.path();
    let [own, foreign] = ["own.pem", "foreign.pem"].map(|name| directory.join(name));
    fs::write(&own, &front.authority).expect("it is written");
    fs::write(&foreign, authority().as_ref().pem()).expect("it is written");

    let encrypted = || front.encrypted.swap(0, Ordering::Relaxed) > 0;
    for mode in ["", "?sslmode=prefer", "?sslmode=require"] {
        open(&format!("{fronted}{mode}")).await.expect("it opens");
        assert!(encrypted(), "{mode}");
    }
    let verified = format!(
        "{fronted}?sslmode=verify-full&sslrootcert={}",
        own.display()
    );
    open(&verified).await.expect("its authority is known");
    assert!(encrypted());
    let mistrusted = format!("{fronted}?sslrootcert={}", foreign.display());
    open(&mistrusted)
        .await
        .expect_err("its authority is another");
    assert!(!encrypted());
    let plain = format!("{fronted}?sslmode=disable");
    open(&plain).await.expect_err("the front takes TLS only");

    // The node itself has no certificate.
    open(direct).await.expect("prefer goes on without");
    let required = format!("{direct}?sslmode=require");
    open(&required).await.expect_err("require does not");
    production.close().await;
}
