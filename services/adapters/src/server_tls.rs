//! Mutual TLS of our gRPC servers: their certificates, and who a caller's certificate names.

use std::time::Duration;

use tonic::{
    Request,
    transport::{Certificate, Identity, ServerTlsConfig},
};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);

/// Certificates of a server, as PEM.
#[derive(Clone)]
pub struct ServerTls {
    /// The server's chain.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub private_key: Vec<u8>,
    /// Authorities that sign the certificates of callers.
    pub client_authorities: Vec<u8>,
}

impl ServerTls {
    /// A server that asks every caller for a certificate.
    #[must_use]
    pub fn config(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(Identity::from_pem(&self.certificate, &self.private_key))
            .client_ca_root(Certificate::from_pem(&self.client_authorities))
            .timeout(HANDSHAKE_MAX)
    }
}

/// Common names and DNS names of the certificate that a caller showed; none where it showed none.
#[must_use]
pub fn caller_names<T>(request: &Request<T>) -> Option<Vec<String>> {
    let certificates = request.peer_certs()?;
    certificates.first().map(|leaf| certificate_names(leaf))
}

/// Common names and DNS names of a certificate that the TLS layer has verified.
fn certificate_names(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Vec::new();
    };
    let common = certificate.subject().iter_common_name();
    let mut names: Vec<String> = common
        .filter_map(|name| name.as_str().ok())
        .map(str::to_owned)
        .collect();
    if let Ok(Some(alternatives)) = certificate.subject_alternative_name() {
        for name in &alternatives.value.general_names {
            if let GeneralName::DNSName(name) = name {
                names.push((*name).to_owned());
            }
        }
    }
    names
}
