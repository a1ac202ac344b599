//! Changing an access file: whole, or not at all.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{
    AccessError, FILE_BYTES_MAX,
    document::{self, Document, UserEntry},
};
use crate::private_file::{self, OTHERS};

/// An access file that is being changed.
#[derive(Debug)]
pub struct AccessFile {
    path: PathBuf,
    document: Document,
}

/// A user as it is put into an access file. Secrets are hashed already.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// The password's hash, of [`hashed_password`](super::hashed_password).
    pub password: Option<String>,
    /// The token's hash, of [`hashed_token`](super::hashed_token).
    pub token: Option<String>,
    /// What may be read.
    pub read: Vec<String>,
    /// What may be written.
    pub write: Vec<String>,
}

/// A user as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownUser {
    /// The name.
    pub name: String,
    /// Whether there is a password.
    pub has_password: bool,
    /// Whether there is a token.
    pub has_token: bool,
    /// What may be read.
    pub read: Vec<String>,
    /// What may be written, and read.
    pub write: Vec<String>,
}

impl AccessFile {
    /// Reads an access file; one that is not there has no users.
    ///
    /// # Errors
    /// As [`Access::open`](super::Access::open).
    pub fn open_or_new(path: &Path) -> Result<Self, AccessError> {
        let document = match path.exists() {
            true => document::parse(&private_file::read(path, OTHERS, FILE_BYTES_MAX)?),
            false => Ok(Document::default()),
        };
        let document = document.map_err(|problem| malformed(path, vec![problem]))?;
        Ok(Self { path: path.to_owned(), document })
    }

    /// The users, in the file's order.
    #[must_use]
    pub fn users(&self) -> Vec<ShownUser> {
        self.document.users.iter().map(ShownUser::of).collect()
    }

    /// Puts a user in, in place of one of the same name.
    pub fn put(&mut self, user: NewUser) {
        let NewUser { name, password, token, read, write } = user;
        let entry = UserEntry { name, password, token, read, write };
        match self.document.users.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => self.document.users.push(entry),
        }
    }

    /// Takes a user out; false if there is none of this name.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.document.users.len();
        self.document.users.retain(|user| user.name != name);
        self.document.users.len() < before
    }

    /// Writes the file anew, for its owner's eyes only.
    ///
    /// # Errors
    /// What it would say cannot be used, or it cannot be written: then the old file stays.
    pub fn save(&self) -> Result<(), AccessError> {
        document::users(self.document.clone()).map_err(|problems| malformed(&self.path, problems))?;
        let text = self.document.render();
        let new = self.path.with_extension("new");
        let written = write_private(&new, &text).and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|source| AccessError::Write { path: self.path.clone(), source })
    }
}

impl ShownUser {
    fn of(entry: &UserEntry) -> Self {
        Self {
            name: entry.name.clone(),
            has_password: entry.password.is_some(),
            has_token: entry.token.is_some(),
            read: entry.read.clone(),
            write: entry.write.clone(),
        }
    }
}

fn malformed(path: &Path, problems: Vec<String>) -> AccessError {
    AccessError::Malformed { path: path.to_owned(), problems }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // One that was left behind might be open to others.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::access::{Access, hashed_token};

    #[test]
    fn users_are_put_in_and_taken_out_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.json");
        let mut file = AccessFile::open_or_new(&path).unwrap();
        let ci = NewUser { name: "ci".to_owned(), token: Some(hashed_token("t")), ..NewUser::default() };
        file.put(NewUser { read: vec!["*".to_owned()], ..ci.clone() });
        file.put(NewUser { name: "crm".to_owned(), write: vec!["crm.".to_owned()], ..ci.clone() });
        file.save().unwrap();
        assert!(Access::open(&path).is_ok(), "it is readable by its owner alone");

        let mut file = AccessFile::open_or_new(&path).unwrap();
        file.put(NewUser { read: vec!["web.".to_owned()], ..ci.clone() });
        assert!(file.remove("crm") && !file.remove("crm"));
        file.save().unwrap();
        let users = AccessFile::open_or_new(&path).unwrap().users();
        assert_eq!(users.len(), 1);
        assert_eq!(
            (users[0].name.as_str(), users[0].has_token, &users[0].read[..]),
            ("ci", true, &["web.".to_owned()][..])
        );

        file.put(NewUser { read: vec!["crm*".to_owned()], ..ci });
        assert!(matches!(file.save(), Err(AccessError::Malformed { .. })));
        assert_eq!(AccessFile::open_or_new(&path).unwrap().users(), users, "the old file stays");
    }
}
