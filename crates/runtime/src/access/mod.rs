//! Who may do what over HTTP: users with passwords or tokens, and the names that each may read or write.
//!
//! An access file is JSON that nobody but its owner can read; its secrets are hashed. It is taken anew when it changes.
//!
//! ```json
//! {
//!   "users": [
//!     { "name": "crm-service", "password": "$argon2id$v=19$…", "read": ["*"], "write": ["crm."] },
//!     { "name": "ci", "token": "sha256:…", "read": ["*"] }
//!   ],
//!   "everyone": { "read": ["web."] }
//! }
//! ```
//!
//! `*` is everything, and what concerns everything. A name that ends with a delimiter (`.` `:` `-` `_` `/`) is a prefix;
//! any other is one name. Whoever may write may read. Without `everyone`, nothing goes without credentials. A password is
//! given by HTTP's Basic scheme, a token by Bearer, or by Basic as its user's password.

mod document;
mod edit;
mod guard;
mod principal;
mod scope;
mod secret;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::{
    document::Users,
    principal::Rights,
    scope::Scope,
    secret::{PASSWORD_BYTES_MAX, PasswordVerdict, TokenHash},
};
pub use self::{
    edit::{AccessFile, NewUser, ShownUser},
    guard::guarded,
    principal::Principal,
    secret::{hashed_password, hashed_token, new_token},
};
use crate::{
    Shutdown,
    private_file::{self, OTHERS, PrivateFileError},
    reload::Watch,
};

/// No access file is larger: thousands of users fit.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How many passwords are hashed at once: each takes a core and 19 MiB.
const HASHING_MAX: usize = 2;

/// Who may do what cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be read, or others could use it.
    #[error("cannot use the access file")]
    File {
        /// What is wrong with it.
        #[from]
        source: PrivateFileError,
    },
    /// The file is not in the documented form.
    #[error("cannot use the access file {}: {}", path.display(), problems.join("; "))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// All that is wrong, without any secret.
        problems: Vec<String>,
    },
    /// The changed file cannot be written.
    #[error("cannot write the access file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Unknown users could not be made to look like known ones.
    #[error("cannot prepare the checking of passwords")]
    Prepare {
        /// What went wrong.
        source: argon2::password_hash::Error,
    },
}

/// Somebody who is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Credentials are needed, and none were given.
    #[error("credentials are needed: a user and password (Basic), or a token (Bearer)")]
    NoCredentials,
    /// The credentials given are wrong, or in no known scheme.
    #[error("the credentials given are not known")]
    WrongCredentials,
}

/// Who may do what. Clones share what they know.
#[derive(Clone)]
pub struct Access {
    /// None: nobody is asked who they are.
    known: Option<Arc<Known>>,
    /// Whoever is not asked: may do everything.
    anybody: Principal,
}

struct Known {
    path: PathBuf,
    watch: Watch,
    users: RwLock<Arc<Users>>,
    hashing: Arc<Semaphore>,
    /// Passwords of users that do not exist are checked, too, so that nobody learns who does.
    nobody: PasswordVerdict,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.known.as_ref().map(|known| &known.path);
        formatter.debug_struct("Access").field("path", &path).finish_non_exhaustive()
    }
}

impl Access {
    /// Nobody is asked who they are, and everybody may do everything: for loopback, and behind something that asks.
    #[must_use]
    pub fn unrestricted() -> Self {
        Self { known: None, anybody: all_rights() }
    }

    /// What the access file at `path` allows.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        metrics::describe_counter!(
            "mesh_http_denied_total",
            "requests that were not let in, by what credentials they had"
        );
        let watch = Watch::new([path]);
        let users = RwLock::new(Arc::new(load(path)?));
        let prepared = hashed_password("nobody's").map_err(|source| AccessError::Prepare { source })?;
        let nobody = PasswordVerdict::parse(&prepared)
            .map_err(|_| AccessError::Prepare { source: argon2::password_hash::Error::Internal })?;
        let hashing = Arc::new(Semaphore::new(HASHING_MAX));
        let known = Known { path: path.to_owned(), watch, users, hashing, nobody };
        Ok(Self { known: Some(Arc::new(known)), anybody: all_rights() })
    }

    /// Whether anybody is asked who they are.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        self.known.is_some()
    }

    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// They need credentials, or gave wrong ones: those are never taken for none.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Principal, Denied> {
        let Some(known) = &self.known else { return Ok(self.anybody.clone()) };
        let users = Arc::clone(&known.users.read().unwrap_or_else(PoisonError::into_inner));
        let identified = match headers.get(header::AUTHORIZATION) {
            None => Some(users.everyone.clone()).filter(Principal::may_read_any).ok_or(Denied::NoCredentials),
            Some(value) => match Credentials::parse(value.to_str().unwrap_or_default()) {
                Some(credentials) => Known::check(known, users, credentials).await.ok_or(Denied::WrongCredentials),
                None => Err(Denied::WrongCredentials),
            },
        };
        if let Err(denied) = &identified {
            let reason = if *denied == Denied::NoCredentials { "none" } else { "wrong" };
            metrics::counter!("mesh_http_denied_total", "credentials" => reason).increment(1);
        }
        identified
    }

    /// Takes the access file anew whenever it changes, until the shutdown. What cannot be used changes nothing.
    pub async fn follow(&self, shutdown: &Shutdown) {
        if let Some(known) = &self.known {
            known.watch.clone().follow(shutdown, || known.reload()).await;
        }
    }
}

impl Known {
    fn reload(&self) {
        let path = self.path.display();
        match load(&self.path) {
            Ok(users) => {
                let count = users.users.len();
                *self.users.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(users);
                tracing::info!(%path, users = count, "took the new access file");
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "cannot take the new access file, the old one holds on");
            }
        }
    }

    async fn check(known: &Arc<Self>, users: Arc<Users>, credentials: Credentials) -> Option<Principal> {
        match credentials {
            Credentials::Bearer(token) => {
                let hash = TokenHash::of(&token);
                // All are looked at, whichever it is.
                users.users.iter().fold(None, |found, user| {
                    let matches = user.token.as_ref().is_some_and(|own| own.matches(&hash));
                    if matches { Some(user.principal.clone()) } else { found }
                })
            }
            Credentials::Basic { name, password } => Self::check_basic(known, users, &name, password).await,
        }
    }

    async fn check_basic(
        known: &Arc<Self>,
        users: Arc<Users>,
        name: &str,
        password: Zeroizing<String>,
    ) -> Option<Principal> {
        let at = users.users.iter().position(|user| user.principal.name() == name);
        let user = at.map(|at| &users.users[at]);
        let hash = TokenHash::of(&password);
        let by_token = user.is_some_and(|user| user.token.as_ref().is_some_and(|own| own.matches(&hash)));
        let by_memory = || user.is_some_and(|user| user.password.as_ref().is_some_and(|own| own.remembers(&password)));
        if by_token || by_memory() {
            return user.map(|user| user.principal.clone());
        }
        if password.len() > PASSWORD_BYTES_MAX {
            return None;
        }
        // The semaphore is never closed; a turn lasts as long as the hashing, whoever gives up waiting.
        let turn = Arc::clone(&known.hashing).acquire_owned().await.ok()?;
        let known = Arc::clone(known);
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let user = at.map(|at| &users.users[at]);
            let verdict = user.and_then(|user| user.password.as_ref());
            let right = verdict.unwrap_or(&known.nobody).verify(&password);
            user.filter(|user| right && user.password.is_some()).map(|user| user.principal.clone())
        });
        checked.await.ok().flatten()
    }
}

/// What a client sends to say who it is.
enum Credentials {
    Basic { name: String, password: Zeroizing<String> },
    Bearer(Zeroizing<String>),
}

impl Credentials {
    /// Reads the value of the header `authorization` (RFC 7617, RFC 6750).
    fn parse(value: &str) -> Option<Self> {
        let (scheme, given) = value.split_once(' ')?;
        let given = given.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(Zeroizing::new(given.to_owned())));
        }
        let decoded = BASE64_STANDARD.decode(given).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let decoded = Zeroizing::new(String::from_utf8(decoded).ok()?);
        let (name, password) = decoded.split_once(':')?;
        Some(Self::Basic { name: name.to_owned(), password: Zeroizing::new(password.to_owned()) })
    }
}

fn load(path: &Path) -> Result<Users, AccessError> {
    let text = private_file::read(path, OTHERS, FILE_BYTES_MAX)?;
    let users = document::parse(&text).map_err(|problem| vec![problem]).and_then(document::users);
    users.map_err(|problems| AccessError::Malformed { path: path.to_owned(), problems })
}

fn all_rights() -> Principal {
    Principal::new("anybody", Rights { read: vec![Scope::All], write: vec![Scope::All] })
}

#[cfg(test)]
mod tests;
