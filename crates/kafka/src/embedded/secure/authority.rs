//! Certificates made on the spot: an authority of the data folder's own, and what it vouches for.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use super::files;
use crate::embedded::EmbeddedError;

const AUTHORITY_YEARS: i32 = 10;
/// Made anew at every start.
const CERTIFICATE_YEARS: i32 = 2;

/// Who vouches for the broker. Its key lies beside its certificate, and is its owner's alone.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The authority of this folder; made if there is none.
    pub(super) fn open(certificate: &Path, key: &Path) -> Result<Self, EmbeddedError> {
        let key = match files::read(key)? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(failed)?,
            None => {
                let made = KeyPair::generate().map_err(failed)?;
                files::write(key, &made.serialize_pem())?;
                made
            }
        };
        let params = authority()?;
        if files::read(certificate)?.is_none() {
            files::write(certificate, &params.self_signed(&key).map_err(failed)?.pem())?;
        }
        Ok(Authority { issuer: Issuer::new(params, key) })
    }

    /// A certificate with its key, in PEM, for both ends of a connection on this machine.
    pub(super) fn issue(&self, name: &str) -> Result<String, EmbeddedError> {
        let mut params =
            CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_after = date_time_ymd(year() + CERTIFICATE_YEARS, 1, 1);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }
}

fn authority() -> Result<CertificateParams, EmbeddedError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "mesh embedded Kafka");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_after = date_time_ymd(year() + AUTHORITY_YEARS, 1, 1);
    Ok(params)
}

fn year() -> i32 {
    const SECONDS_A_YEAR: u64 = 31_556_952;
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    1970 + i32::try_from(since_epoch.as_secs() / SECONDS_A_YEAR).unwrap_or(0)
}

fn failed(source: rcgen::Error) -> EmbeddedError {
    EmbeddedError::Certificate { source: Box::new(source) }
}
