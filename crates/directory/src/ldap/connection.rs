//! A connection: TLS, who one is, and searches in pages.

use super::settings::{Bind, PASSWORD, Resolved};
use crate::Error;
use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry};
use mesh_runtime::private_file::{self, OTHERS_THAN_GROUP};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

/// No password and no authority's certificates are larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// LDAP's `noSuchObject`.
const NO_SUCH_OBJECT: u32 = 32;
/// No more entries are kept for one answer.
pub(super) const ENTRIES_MAX: usize = 200_000;

/// An open connection; cheap to clone, requests of clones run side by side.
#[derive(Clone)]
pub(super) struct Connection {
    ldap: Ldap,
    timeout: Duration,
    page_size: i32,
}

impl Connection {
    /// Connects, and says who one is.
    pub(super) async fn open(settings: &Resolved) -> Result<Self, Error> {
        let url = settings.url.to_string();
        let mut options = LdapConnSettings::new().set_conn_timeout(settings.timeout).set_starttls(settings.start_tls);
        if let Some(authority) = &settings.authority {
            options = options.set_config(Arc::new(trusting(authority)?));
        }
        let connected = LdapConnAsync::from_url_with_settings(options, &settings.url).await;
        let (driver, ldap) =
            connected.map_err(|source| Error::Connect { url: url.clone(), source: Box::new(source) })?;
        // requests fail by themselves once the connection is gone
        tokio::spawn(async move {
            if let Err(error) = driver.drive().await {
                tracing::debug!(%error, "connection to the directory ended");
            }
        });
        let mut connection = Self { ldap, timeout: settings.timeout, page_size: settings.page_size };
        if let Some(bind) = &settings.bind {
            connection.bind(bind, &url).await?;
        }
        Ok(connection)
    }

    async fn bind(&mut self, bind: &Bind, url: &str) -> Result<(), Error> {
        let password = password(bind.password_file.as_deref(), url)?;
        let bound = self.ldap.with_timeout(self.timeout).simple_bind(&bind.dn, &password).await;
        let bound = bound.and_then(ldap3::LdapResult::success);
        bound.map(drop).map_err(|source| Error::Bind {
            url: url.to_owned(),
            dn: bind.dn.clone(),
            source: Box::new(source),
        })
    }

    /// All entries below `base` that match.
    pub(super) async fn below(&self, base: &str, filter: &str, attributes: &[&str]) -> Result<Vec<SearchEntry>, Error> {
        self.search(base, Scope::Subtree, filter, attributes).await
    }

    /// The entry of this name, if it is there and matches.
    pub(super) async fn entry(
        &self,
        dn: &str,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Option<SearchEntry>, Error> {
        match self.search(dn, Scope::Base, filter, attributes).await {
            Ok(mut entries) => Ok(entries.pop()),
            // a group may name who is gone
            Err(Error::Search { source, .. }) if is_absence(&source) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn search(
        &self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Vec<SearchEntry>, Error> {
        let failed =
            |source| Error::Search { base: base.to_owned(), filter: filter.to_owned(), source: Box::new(source) };
        let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
        let mut adapters: Vec<Box<dyn Adapter<'static, String, Vec<String>>>> = vec![Box::new(EntriesOnly::new())];
        if scope == Scope::Subtree {
            adapters.push(Box::new(PagedResults::new(self.page_size)));
        }
        let mut ldap = self.ldap.clone();
        let search = ldap.with_timeout(self.timeout).streaming_search_with(adapters, base, scope, filter, attributes);
        let mut stream = search.await.map_err(failed)?;
        let mut entries = Vec::new();
        while let Some(entry) = stream.next().await.map_err(failed)? {
            entries.push(SearchEntry::construct(entry));
            if entries.len() > ENTRIES_MAX {
                return Err(Error::TooLarge { entries_max: ENTRIES_MAX });
            }
        }
        // a limit of the server's is an error, too: fewer than there are is no answer
        stream.finish().await.success().map_err(failed)?;
        Ok(entries)
    }

    /// Says goodbye.
    pub(super) async fn close(&mut self) {
        if let Err(error) = self.ldap.unbind().await {
            tracing::debug!(%error, "the directory did not wait for a goodbye");
        }
    }
}

/// Whether the server says that there is no such entry.
fn is_absence(error: &ldap3::LdapError) -> bool {
    matches!(error, ldap3::LdapError::LdapResult { result } if result.rc == NO_SUCH_OBJECT)
}

/// TLS that trusts the authorities in a file, and no others.
fn trusting(file: &Path) -> Result<ClientConfig, Error> {
    let text = private_file::read(file, 0, FILE_BYTES_MAX)?;
    let unusable = |source| Error::TrustAuthority { path: file.to_owned(), source };
    let unreadable = |source| Error::ReadAuthority { path: file.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        roots.add(certificate.map_err(unreadable)?).map_err(unusable)?;
    }
    if roots.is_empty() {
        return Err(unreadable(tokio_rustls::rustls::pki_types::pem::Error::NoItemsFound));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The password, read anew. An empty one would be taken for nobody's (RFC 4513, 5.1.2), and let in.
fn password(file: Option<&Path>, url: &str) -> Result<Zeroizing<String>, Error> {
    let password = match file {
        Some(file) => {
            let text = private_file::read(file, OTHERS_THAN_GROUP, FILE_BYTES_MAX)?;
            Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => Zeroizing::new(std::env::var(PASSWORD).unwrap_or_default()),
    };
    if password.is_empty() {
        let why = format!("bind has no password: name its file as bind.password_file, or set {PASSWORD}");
        return Err(Error::Settings { url: url.to_owned(), why });
    }
    Ok(password)
}
