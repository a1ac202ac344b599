//! Certificates made on the spot: an authority of the folder's own, and what it vouches for.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use super::{SecureError, files};

const AUTHORITY_YEARS: i32 = 10;
const CERTIFICATE_YEARS: i32 = 2;

/// What a certificate is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be connected to.
    Server,
    /// To connect as whom it names.
    Client,
    /// Both: a broker's, which connects to itself.
    Both,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Certificate {
    /// Both in one file, as Kafka's and librdkafka's PEM stores are.
    pub fn store(&self) -> String {
        format!("{}{}", self.certificate, self.key)
    }
}

/// Who vouches for the servers and clients of a folder. Its key lies beside its certificate, and is its owner's alone.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The authority of this folder; made if there is none. A certificate without its key is no place for another key: clients
    /// would trust nothing that it vouches for.
    pub(super) fn open(certificate: &Path, key_file: &Path) -> Result<Self, SecureError> {
        let known = files::read(certificate)?.is_some();
        let key = match files::read(key_file)? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(failed)?,
            None if known => return Err(SecureError::KeyGone { path: key_file.to_owned() }),
            None => {
                let made = KeyPair::generate().map_err(failed)?;
                files::write(key_file, &made.serialize_pem())?;
                made
            }
        };
        let params = authority()?;
        if !known {
            files::write(certificate, &params.self_signed(&key).map_err(failed)?.pem())?;
        }
        Ok(Authority { issuer: Issuer::new(params, key) })
    }

    /// A certificate for whom or what is of this name, at these hosts: names or addresses.
    pub(super) fn issue(&self, name: &str, hosts: &[String], purpose: Purpose) -> Result<Certificate, SecureError> {
        let mut params = CertificateParams::new(hosts).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = match purpose {
            Purpose::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Purpose::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Purpose::Both => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        };
        params.not_after = date_time_ymd(certificates_end(), 1, 1);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Certificate { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn authority() -> Result<CertificateParams, SecureError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    // the name of before: whoever trusts an authority of an earlier version goes on
    params.distinguished_name.push(DnType::CommonName, "mesh embedded Kafka");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_after = date_time_ymd(year() + AUTHORITY_YEARS, 1, 1);
    Ok(params)
}

/// The year at whose beginning a certificate that is issued now ends.
pub fn certificates_end() -> i32 {
    year() + CERTIFICATE_YEARS
}

fn year() -> i32 {
    const SECONDS_A_YEAR: u64 = 31_556_952;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    1970 + i32::try_from(since_epoch.as_secs() / SECONDS_A_YEAR).unwrap_or(0)
}

fn failed(source: rcgen::Error) -> SecureError {
    SecureError::Certificate { source: Box::new(source) }
}
