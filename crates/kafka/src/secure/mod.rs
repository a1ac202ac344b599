//! The files of a secured Kafka, made on the spot: an authority of the folder's own, certificates for servers and clients, users
//! with their passwords. The folder and all that is in it are their owner's alone.
//!
//! For the embedded Kafka, and for others that are given these files: nothing in here speaks to Kafka.

mod authority;
mod error;
mod files;
mod user;

use std::path::{Path, PathBuf};

use crate::Settings;
use authority::Authority;

pub use authority::{Certificate, Purpose, certificates_end};
pub use error::SecureError;
pub use user::User;

/// The one user that no rule binds.
pub const OPERATOR: &str = "mesh-operator";
/// A broker's own name, towards itself: no rule binds it either.
pub const BROKER: &str = "mesh-broker";
const CLIENTS: &str = "clients";

/// A folder with the files of a secured Kafka.
pub struct SecureFolder {
    path: PathBuf,
    authority: Authority,
}

impl SecureFolder {
    /// Opens the folder; makes it and its authority if they are not there.
    ///
    /// # Errors
    /// They cannot be made, or what is there cannot be used.
    pub fn open(path: &Path) -> Result<Self, SecureError> {
        files::folder(path)?;
        files::folder(&path.join(CLIENTS))?;
        let authority = Authority::open(&path.join("ca.pem"), &path.join("ca.key"))?;
        Ok(SecureFolder { path: path.to_owned(), authority })
    }

    /// The authority's certificate, which clients trust.
    pub fn authority(&self) -> PathBuf {
        self.path.join("ca.pem")
    }

    /// A file of this folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a folder in this one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make_folder(&self, name: &str) -> Result<PathBuf, SecureError> {
        let path = self.path.join(name);
        files::folder(&path)?;
        Ok(path)
    }

    /// Writes a file of this folder, all of it or nothing.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, SecureError> {
        let path = self.path.join(name);
        files::write(&path, text)?;
        Ok(path)
    }

    /// A new certificate of this folder's authority.
    ///
    /// # Errors
    /// A host is none, or the certificate cannot be made.
    pub fn issue(&self, name: &str, hosts: &[String], purpose: Purpose) -> Result<Certificate, SecureError> {
        self.authority.issue(name, hosts, purpose)
    }

    /// A user, with the password of before or a new one; the files are written. Kafka is still to be told.
    ///
    /// # Errors
    /// The files cannot be read or written.
    pub fn user(&self, name: &str, bootstrap: &str) -> Result<User, SecureError> {
        User::make(&self.path.join(CLIENTS), name, bootstrap, &self.authority())
    }

    /// The users whose files are there, sorted by name.
    ///
    /// # Errors
    /// The files cannot be read, or one of them is no user's.
    pub fn users(path: &Path) -> Result<Vec<User>, SecureError> {
        User::all(&path.join(CLIENTS))
    }

    /// How whoever has this certificate of the folder, with its key, reaches a Kafka.
    pub fn by_certificate(path: &Path, store: &str, bootstrap: &str) -> Settings {
        let store = path.join(store).display().to_string();
        Settings::new(bootstrap)
            .with("security.protocol", "SSL")
            .with("ssl.ca.location", path.join("ca.pem").display().to_string())
            .with("ssl.certificate.location", store.as_str())
            .with("ssl.key.location", store)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::properties;

    #[test]
    fn all_files_are_their_owners_alone_and_passwords_stay() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("secure");
        let secure = SecureFolder::open(&path).unwrap();
        let user = secure.user("crm-service", "127.0.0.1:9092").unwrap();
        let authority = fs::read(secure.authority()).unwrap();
        for folder in [path.clone(), path.join(CLIENTS)] {
            assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
            let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
            assert!(files.filter(fs::Metadata::is_file).all(|file| file.permissions().mode() & 0o777 == 0o600));
        }

        let again = SecureFolder::open(&path).unwrap();
        assert_eq!(fs::read(again.authority()).unwrap(), authority, "clients would trust it no more");
        let later = again.user("crm-service", "127.0.0.1:9093").unwrap();
        assert_eq!(later.password(), user.password());
        assert_ne!(again.user("web-tracker", "127.0.0.1:9093").unwrap().password(), user.password());
        assert!(!format!("{later:?}").contains(later.password()));
        let names: Vec<String> = SecureFolder::users(&path).unwrap().into_iter().map(|user| user.name).collect();
        assert_eq!(names, ["crm-service", "web-tracker"]);
    }

    #[test]
    fn both_spellings_say_the_same() {
        let root = tempfile::tempdir().unwrap();
        let user = SecureFolder::open(root.path()).unwrap().user("ana", "127.0.0.1:9092").unwrap();
        let read = |file: &Path| properties::parse(&fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(read(&user.file), read(&user.java_file));
        let settings = Settings::new("127.0.0.1:9092").with_all(read(&user.file));
        assert_eq!(settings, user.settings);
        let known = SecureFolder::users(root.path()).unwrap();
        assert_eq!(known[0].settings, user.settings);
    }

    #[test]
    fn an_authority_whose_key_is_gone_is_not_given_another() {
        let root = tempfile::tempdir().unwrap();
        let key = root.path().join("ca.key");
        drop(SecureFolder::open(root.path()).unwrap());
        fs::remove_file(&key).unwrap();
        assert!(matches!(SecureFolder::open(root.path()), Err(SecureError::KeyGone { path }) if path == key));
        fs::remove_file(root.path().join("ca.pem")).unwrap();
        drop(SecureFolder::open(root.path()).unwrap());
        assert!(key.exists());
    }

    #[test]
    fn a_host_that_is_none_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let secure = SecureFolder::open(root.path()).unwrap();
        let issued = secure.issue("broker", &["kåfka".to_owned()], Purpose::Server);
        assert!(matches!(issued, Err(SecureError::Certificate { .. })));
    }
}
