//! Files that are their owner's alone.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::SecureError;

/// Makes a folder that nobody else can look into.
pub(super) fn folder(path: &Path) -> Result<(), SecureError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    let made = made.and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o700)));
    made.map_err(|error| SecureError::folder(path, error))
}

/// Writes a file, all of it or nothing.
pub(super) fn write(path: &Path, text: &str) -> Result<(), SecureError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(new);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(new, path)).map_err(|error| SecureError::folder(path, error))
}

/// What a file holds, if it is there.
pub(super) fn read(path: &Path) -> Result<Option<String>, SecureError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SecureError::folder(path, error)),
    }
}
