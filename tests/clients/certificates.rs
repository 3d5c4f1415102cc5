//! An authority of this test, and the certificates that it signs: of the service, and of an insurer.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Writes `authorities.pem`, and `service` and `insurer` as `.pem` and `.key`. The service's is also what detection
/// shows it.
pub(crate) fn write(directory: &Path, insurer: &str) {
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("it signs itself");
    let write = |name: &str, pem: String| {
        fs::write(directory.join(name), pem).expect("it is written");
    };
    write("authorities.pem", authority.as_ref().pem());
    let places = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    for (file, common, names) in [
        ("service", "samenloop-detection", places.to_vec()),
        ("insurer", insurer, Vec::new()),
    ] {
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, common);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority).expect("it is signed");
        write(&format!("{file}.pem"), certificate.pem());
        write(&format!("{file}.key"), key.serialize_pem());
    }
}
