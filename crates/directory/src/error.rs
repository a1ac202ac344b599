//! Why a directory did not answer.

use ldap3::LdapError;
use mesh_runtime::private_file::PrivateFileError;
use std::io;
use std::path::PathBuf;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;

/// Why a directory cannot be used, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of groups or settings.
    #[error("cannot read {}", path.display())]
    ReadFile {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its content.
    #[error("cannot use {}: {why}", path.display())]
    ParseFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A setting of an LDAP directory.
    #[error("cannot use the directory {url}: {why}")]
    Settings {
        /// Its address.
        url: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The authority of its certificate.
    #[error("{} holds no certificate in PEM", path.display())]
    ReadAuthority {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: pem::Error,
    },
    /// TLS.
    #[error("cannot trust the authority in {}", path.display())]
    TrustAuthority {
        /// The file.
        path: PathBuf,
        /// What TLS said.
        source: rustls::Error,
    },
    /// The password's file, or the authority's.
    #[error("cannot use a file of the directory's settings")]
    ReadSecret(#[from] PrivateFileError),
    /// A connection.
    #[error("cannot connect to the directory {url}")]
    Connect {
        /// Its address.
        url: String,
        /// What failed.
        source: Box<LdapError>,
    },
    /// To be somebody there.
    #[error("the directory {url} does not let {dn} in")]
    Bind {
        /// Its address.
        url: String,
        /// As whom.
        dn: String,
        /// What it said.
        source: Box<LdapError>,
    },
    /// A search.
    #[error("cannot search the directory at {base} for {filter}")]
    Search {
        /// Where.
        base: String,
        /// For what.
        filter: String,
        /// What it said.
        source: Box<LdapError>,
    },
    /// A name that several groups have.
    #[error("the directory has {count} groups {group:?}: narrow groups.base or groups.filter")]
    AmbiguousGroup {
        /// The name.
        group: String,
        /// How many have it.
        count: usize,
    },
    /// A directory that gives members piece by piece.
    #[error("the directory tells only some members of {dn} at a time: set `nested: in_chain`")]
    PartialGroup {
        /// The group.
        dn: String,
    },
    /// More than is kept.
    #[error("the groups have more than {entries_max} members")]
    TooLarge {
        /// The most that is kept.
        entries_max: usize,
    },
    /// No answer in time.
    #[error("the directory {url} did not answer everything within {seconds} s")]
    TooSlow {
        /// Its address.
        url: String,
        /// How long it had.
        seconds: u64,
    },
    /// An answer that is no LDAP.
    #[error("the directory {url} gave an answer that cannot be read")]
    Unreadable {
        /// Its address.
        url: String,
        /// What broke.
        source: tokio::task::JoinError,
    },
}
