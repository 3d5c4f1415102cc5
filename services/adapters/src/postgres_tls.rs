//! TLS to PostgreSQL, as the URL of a store asks for it. Words and meaning are those of libpq (PostgreSQL manual,
//! 34.19 "SSL Support"), of which these are understood:
//!
//! - `sslmode=disable`: never.
//! - `sslmode=prefer`, the default: encrypted where the server can, whoever it is.
//! - `sslmode=require`: encrypted or not at all, whoever it is.
//! - `sslmode=verify-full`: also with a certificate for the host of the URL, signed by an authority of the file that
//!   `sslrootcert` names. Where that file is named, certificates are verified so under every mode.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::decision_store::StoreError;

/// What a URL says of TLS: the URL that the driver understands, and how it encrypts.
///
/// # Errors
/// [`StoreError::Failed`] names the parameter that cannot be used, and the remedy.
pub fn of_url(url: &str) -> Result<(String, MakeRustlsConnect), StoreError> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let mut kept = Vec::new();
    let (mut authorities, mut verified) = (None, false);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslrootcert", file)) => authorities = Some(file),
            Some(("sslmode", "verify-full")) => {
                verified = true;
                kept.push("sslmode=require");
            }
            _ => kept.push(pair),
        }
    }
    if verified && authorities.is_none() {
        let problem = "sslmode=verify-full needs sslrootcert=FILE with the authority of the server";
        return Err(StoreError::Failed(problem.to_owned()));
    }
    let understood = match kept.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", kept.join("&")),
    };
    let config = match authorities {
        Some(file) => verifying(Path::new(file))?,
        None => encrypting(),
    };
    Ok((understood, MakeRustlsConnect::new(config)))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3")
}

/// Whoever the server is.
fn encrypting() -> ClientConfig {
    let provider = provider();
    builder(Arc::clone(&provider))
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
        .with_no_client_auth()
}

/// Only a server with a certificate for its host, signed by an authority of `file`.
fn verifying(file: &Path) -> Result<ClientConfig, StoreError> {
    let wrong = |problem: String| {
        StoreError::Failed(format!(
            "sslrootcert: the file {}: {problem}",
            file.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|e| wrong(e.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
        roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    let builder = builder(provider()).with_root_certificates(roots);
    Ok(builder.with_no_client_auth())
}

/// Believes any certificate; that the server has its key is still verified.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_gets_the_words_that_it_knows() {
        for (given, understood) in [
            ("postgres://u@h/d", "postgres://u@h/d"),
            (
                "postgres://u@h/d?sslmode=require",
                "postgres://u@h/d?sslmode=require",
            ),
            (
                "postgres://u@h/d?sslmode=disable&application_name=x",
                "postgres://u@h/d?sslmode=disable&application_name=x",
            ),
        ] {
            let (url, _) = of_url(given).expect("it is understood");
            assert_eq!(url, understood);
            assert!(url.parse::<tokio_postgres::Config>().is_ok(), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_verified_is_refused_with_the_remedy() {
        for (given, told) in [
            (
                "postgres://u@h/d?sslmode=verify-full",
                "needs sslrootcert=FILE",
            ),
            ("postgres://u@h/d?sslrootcert=/nowhere.pem", "/nowhere.pem"),
            (
                "postgres://u@h/d?sslrootcert=Cargo.toml",
                "holds no certificate",
            ),
        ] {
            let refused = of_url(given).map(|(url, _)| url);
            let refused = refused.expect_err("it cannot be used").to_string();
            assert!(refused.contains(told), "{refused}");
        }
    }
}
