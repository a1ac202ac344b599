//! TLS for HTTP listeners: certificate and key come from files, and are taken anew when those change.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

use crate::{
    Shutdown,
    private_file::{self, OTHERS_THAN_GROUP, PrivateFileError},
    reload::Watch,
};

/// No certificate chain and no key are larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or others could use the key.
    #[error("cannot use a file of the listener's certificate")]
    File {
        /// What is wrong with it.
        #[from]
        source: PrivateFileError,
    },
    /// A file holds no PEM of the expected kind.
    #[error("{} holds no {expected} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
        /// What the parser said.
        source: pem::Error,
    },
    /// Certificate and key do not belong together, or are of no use to TLS.
    #[error("the certificate in {} cannot be served with the key in {}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What TLS said.
        source: rustls::Error,
    },
}

/// Where a listener's certificate and key are, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its authority.
    pub certificate: PathBuf,
    /// The private key: nobody but its owner, and at most its group, may read it.
    pub key: PathBuf,
}

/// A listener's side of TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    watch: Watch,
    served: Arc<Served>,
    provider: Arc<CryptoProvider>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// The certificate that is shown to whoever connects next.
#[derive(Debug)]
struct Served(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let watch = Watch::new([&files.certificate, &files.key]);
        let served = Arc::new(Served(RwLock::new(load(&files, &provider)?)));
        Ok(Self { files, watch, served, provider })
    }

    /// What turns accepted connections into TLS ones.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .expect("the provider is made for these versions")
            .with_no_client_auth()
            .with_cert_resolver(self.served.clone());
        TlsAcceptor::from(Arc::new(config))
    }

    /// Takes certificate and key anew whenever their files change, until the shutdown; open connections keep the old one.
    pub(crate) async fn follow(&self, shutdown: &Shutdown) {
        self.watch.clone().follow(shutdown, || self.reload()).await;
    }

    /// Files are replaced one after another: a pair that does not match is left for the next look.
    fn reload(&self) {
        let certificate = self.files.certificate.display();
        match load(&self.files, &self.provider) {
            Ok(pair) => {
                *self.served.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
                tracing::info!(%certificate, "took the listener's new certificate");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "cannot take the listener's new certificate, the old one is served on");
            }
        }
    }
}

fn load(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let TlsFiles { certificate, key } = files;
    // A certificate is no secret, whoever may read its file.
    let text = private_file::read(certificate, 0, FILE_BYTES_MAX)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let chain = chain.map_err(|source| not_pem(certificate, "certificate", source))?;
    if chain.is_empty() {
        return Err(not_pem(certificate, "certificate", pem::Error::NoItemsFound));
    }
    let text = private_file::read(key, OTHERS_THAN_GROUP, FILE_BYTES_MAX)?;
    let secret = PrivateKeyDer::from_pem_slice(text.as_bytes());
    let secret = secret.map_err(|source| not_pem(key, "private key", source))?;
    let pair = CertifiedKey::from_der(chain, secret, provider).map_err(|source| TlsError::Pair {
        certificate: certificate.clone(),
        key: key.clone(),
        source,
    })?;
    Ok(Arc::new(pair))
}

fn not_pem(path: &Path, expected: &'static str, source: pem::Error) -> TlsError {
    TlsError::Pem { path: path.to_owned(), expected, source }
}
