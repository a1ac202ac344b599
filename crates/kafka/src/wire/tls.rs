//! TLS as librdkafka's settings say, by the same library.

use std::io::ErrorKind as IoErrorKind;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::ssl::{
    HandshakeError, SslConnector, SslConnectorBuilder, SslFiletype, SslMethod, SslStream, SslVerifyMode,
};
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509VerifyResult};

use super::Fault;
use super::stream::Timed;
use crate::{ErrorKind, Settings, diagnosis};

const AUTHORITY: &str = "ssl.ca.location";
const REVOKED: &str = "ssl.crl.location";
const KEYSTORE: &str = "ssl.keystore.location";
/// What librdkafka takes and is not known here: to go on without would be to trust others than it does.
const UNKNOWN: [&str; 4] = ["ssl.engine.location", "ssl.engine.id", "ssl.providers", "ssl.ca.certificate.stores"];

/// Whom to trust, and who one is.
pub(super) struct Tls {
    connector: SslConnector,
    checks_host: bool,
}

impl Tls {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// A file cannot be read or is of another form, or a setting is not known here.
    pub(super) fn of(settings: &Settings) -> Result<Self, Fault> {
        if let Some(unknown) = UNKNOWN.iter().find(|setting| settings.get(setting).is_some()) {
            return Err(Fault::invalid(format!("client quotas cannot be asked for with {unknown}")));
        }
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(|error| unusable("TLS", &error))?;
        trust(&mut builder, settings)?;
        identify(&mut builder, settings)?;
        limit(&mut builder, settings)?;
        let is_on = |setting, unset| settings.get(setting).unwrap_or(unset).eq_ignore_ascii_case("true");
        if !is_on("enable.ssl.certificate.verification", "true") {
            builder.set_verify(SslVerifyMode::NONE);
        }
        let algorithm = settings.get("ssl.endpoint.identification.algorithm").unwrap_or("https");
        Ok(Tls { connector: builder.build(), checks_host: algorithm.eq_ignore_ascii_case("https") })
    }

    /// # Errors
    /// The broker is not to be trusted, or does not speak TLS.
    pub(super) fn shake_hands(&self, host: &str, connection: Timed) -> Result<SslStream<Timed>, Fault> {
        let asked = self.connector.configure().map_err(|error| unusable("TLS", &error))?;
        asked.verify_hostname(self.checks_host).connect(host, connection).map_err(|error| match error {
            HandshakeError::SetupFailure(error) => unusable("TLS", &error),
            HandshakeError::Failure(ended) | HandshakeError::WouldBlock(ended) => {
                let verdict = ended.ssl().verify_result();
                let io = ended.error().io_error();
                match (verdict, ended.error().ssl_error(), io.map(std::io::Error::kind)) {
                    (verdict, Some(_), _) if verdict != X509VerifyResult::OK => {
                        Fault::unauthorised(diagnosis::certificate_fault(verdict.as_raw()))
                    }
                    (_, Some(stack), _) => Fault::unauthorised(format!("TLS handshake failed: {}", reason(stack))),
                    (_, None, Some(IoErrorKind::TimedOut)) => {
                        Fault::new(ErrorKind::Unreachable, "no answer to the TLS handshake in time")
                    }
                    (_, None, _) => {
                        let said = "the broker ended the TLS handshake: it may expect another security.protocol";
                        Fault::new(ErrorKind::Unreachable, said)
                    }
                }
            }
        })
    }
}

/// Whose certificates are taken: the given authorities', else those that the system trusts.
fn trust(builder: &mut SslConnectorBuilder, settings: &Settings) -> Result<(), Fault> {
    let given = settings.get("ssl.ca.pem").map(|pem| pem.as_bytes().to_vec());
    let location = settings.get(AUTHORITY).filter(|location| !matches!(*location, "" | "probe"));
    if given.is_some() || location.is_some() {
        let wrong = |error: ErrorStack| unusable(AUTHORITY, &error);
        let mut store = X509StoreBuilder::new().map_err(wrong)?;
        let folder = location.filter(|location| Path::new(location).is_dir());
        if let Some(folder) = folder {
            let lookup = store.add_lookup(X509Lookup::hash_dir()).map_err(wrong)?;
            lookup.add_dir(folder, SslFiletype::PEM).map_err(wrong)?;
        }
        let file = location.filter(|_| folder.is_none()).map(|location| read(AUTHORITY, location)).transpose()?;
        for pem in [given, file].into_iter().flatten() {
            for authority in certificates(AUTHORITY, &pem)? {
                store.add_cert(authority).map_err(wrong)?;
            }
        }
        builder.set_cert_store(store.build());
    }
    if let Some(location) = settings.get(REVOKED).filter(|location| !location.is_empty()) {
        let wrong = |error: ErrorStack| unusable(REVOKED, &error);
        let store = builder.cert_store_mut();
        let lookup = store.add_lookup(X509Lookup::file()).map_err(wrong)?;
        lookup.load_crl_file(location, SslFiletype::PEM).map_err(wrong)?;
        store.set_flags(X509VerifyFlags::CRL_CHECK).map_err(wrong)?;
    }
    Ok(())
}

/// Who one is to the broker, where that is told by a certificate.
fn identify(builder: &mut SslConnectorBuilder, settings: &Settings) -> Result<(), Fault> {
    if let Some(location) = settings.get(KEYSTORE).filter(|location| !location.is_empty()) {
        let wrong = |error: ErrorStack| unusable(KEYSTORE, &error);
        let store = Pkcs12::from_der(&read(KEYSTORE, location)?).map_err(wrong)?;
        let store = store.parse2(settings.get("ssl.keystore.password").unwrap_or_default()).map_err(wrong)?;
        if let (Some(certificate), Some(key)) = (&store.cert, &store.pkey) {
            builder.set_certificate(certificate).and_then(|()| builder.set_private_key(key)).map_err(wrong)?;
        }
        for authority in store.ca.into_iter().flatten() {
            builder.add_extra_chain_cert(authority).map_err(wrong)?;
        }
    }
    if let Some((setting, pem)) = pem(settings, "ssl.certificate")? {
        let wrong = |error: ErrorStack| unusable(&setting, &error);
        let mut chain = certificates(&setting, &pem)?.into_iter();
        if let Some(own) = chain.next() {
            builder.set_certificate(&own).map_err(wrong)?;
        }
        for authority in chain {
            builder.add_extra_chain_cert(authority).map_err(wrong)?;
        }
    }
    if let Some((setting, pem)) = pem(settings, "ssl.key")? {
        let password = settings.get("ssl.key.password").unwrap_or_default().as_bytes();
        // OpenSSL's own way to get a password is to ask at the terminal
        let tell = |buffer: &mut [u8]| {
            let room = buffer.get_mut(..password.len());
            Ok(room.map_or(0, |room| {
                room.copy_from_slice(password);
                password.len()
            }))
        };
        let key = PKey::private_key_from_pem_callback(&pem, tell).map_err(|error| unusable(&setting, &error))?;
        builder.set_private_key(&key).map_err(|error| unusable(&setting, &error))?;
    }
    Ok(())
}

/// What may be agreed on.
fn limit(builder: &mut SslConnectorBuilder, settings: &Settings) -> Result<(), Fault> {
    type Limit = fn(&mut SslConnectorBuilder, &str) -> Result<(), ErrorStack>;
    let limits: [(&str, Limit); 3] = [
        ("ssl.cipher.suites", |builder, list| builder.set_cipher_list(list)),
        ("ssl.curves.list", |builder, list| builder.set_groups_list(list)),
        ("ssl.sigalgs.list", |builder, list| builder.set_sigalgs_list(list)),
    ];
    for (setting, limit) in limits {
        if let Some(list) = settings.get(setting).filter(|list| !list.is_empty()) {
            limit(builder, list).map_err(|error| unusable(setting, &error))?;
        }
    }
    Ok(())
}

/// What `<setting>.pem` holds, or the file of `<setting>.location`; with the setting's name.
fn pem(settings: &Settings, setting: &str) -> Result<Option<(String, Vec<u8>)>, Fault> {
    let [given, location] = ["pem", "location"].map(|form| format!("{setting}.{form}"));
    if let Some(pem) = settings.get(&given).filter(|pem| !pem.is_empty()) {
        return Ok(Some((given, pem.as_bytes().to_vec())));
    }
    let file = settings.get(&location).filter(|file| !file.is_empty());
    let bytes = file.map(|file| read(&location, file)).transpose()?;
    Ok(bytes.map(|bytes| (location, bytes)))
}

fn read(setting: &str, location: &str) -> Result<Vec<u8>, Fault> {
    std::fs::read(location).map_err(|error| Fault::invalid(format!("cannot read {location} of {setting}: {error}")))
}

fn certificates(setting: &str, pem: &[u8]) -> Result<Vec<X509>, Fault> {
    let found = X509::stack_from_pem(pem).map_err(|error| unusable(setting, &error))?;
    if found.is_empty() { Err(Fault::invalid(format!("{setting} holds no certificate in PEM"))) } else { Ok(found) }
}

fn unusable(what: &str, error: &ErrorStack) -> Fault {
    Fault::invalid(format!("cannot use {what}: {}", reason(error)))
}

/// What OpenSSL has to say, which is never a value.
pub(super) fn reason(error: &ErrorStack) -> String {
    let mut reasons = error.errors().iter().filter_map(openssl::error::Error::reason);
    reasons.next_back().unwrap_or("OpenSSL says nothing of it").to_owned()
}
