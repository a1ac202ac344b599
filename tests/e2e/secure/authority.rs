//! Certificates for tests, and files that are their owner's alone.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// An authority, made here or there.
pub struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    /// One of this name and key.
    pub fn new(name: &str, key: KeyPair) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no name is no wrong name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { params, key }
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.params.self_signed(&self.key).expect("it can be signed").pem()
    }

    /// A certificate for loopback with its key that is valid until the end of a year.
    pub fn issue(&self, name: &str, until: i32) -> String {
        self.issue_for(name, "127.0.0.1", until)
    }

    /// The same for another host.
    pub fn issue_for(&self, name: &str, host: &str, until: i32) -> String {
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("it is a name");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().expect("a key can be made");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("it can be signed");
        format!("{}{}", certificate.pem(), key.serialize_pem())
    }
}

/// Writes a file that is its owner's alone.
pub fn private(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    path
}
