//! Files from the disk, in bounds and in order.

use super::finding;
use crate::failure::Failure;
use mesh_contract::Finding;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No more of a file is read; the parsers refuse far less.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Folders nest at most this deep below the root: a link back to a parent would have no end.
const DEPTH_MAX: usize = 16;

/// A file of the working tree.
#[derive(Debug)]
pub(super) struct File {
    /// Its path from the root, with `/` between: how findings and contracts name it.
    pub(super) name: String,
    bytes: Vec<u8>,
}

impl File {
    /// One that is on the disk only later, or never.
    pub(super) fn of(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_vec() }
    }

    /// Its text; that it is not UTF-8 is a finding.
    pub(super) fn text(&self) -> Result<&str, Vec<Finding>> {
        std::str::from_utf8(&self.bytes).map_err(|error| {
            let sound = String::from_utf8_lossy(&self.bytes[..error.valid_up_to()]);
            vec![finding::not_utf8(&self.name, &sound)]
        })
    }
}

/// Every file below `root/folder`, in the order of their names. A folder that is not there holds none.
pub(super) fn below(root: &Path, folder: &str) -> Result<Vec<File>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![(root.join(folder), folder.to_owned(), 1)];
    while let Some((path, name, depth)) = open.pop() {
        if depth == 1 && !path.exists() {
            continue;
        }
        for entry in entries(&path)? {
            let child = entry.file_name().and_then(|name| name.to_str()).map(|file| format!("{name}/{file}"));
            let Some(child) = child else { continue };
            if entry.is_dir() && depth < DEPTH_MAX {
                open.push((entry, child, depth + 1));
            } else if entry.is_file() {
                found.push(File { name: child, bytes: read(&entry)? });
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        paths.collect::<Result<Vec<PathBuf>, std::io::Error>>()
    });
    listed.map_err(|error| Failure::usage(format!("cannot list {}", folder.display())).because(error))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let opened = fs::File::open(path);
    let outcome = opened.and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes));
    outcome.map_err(|error| Failure::usage(format!("cannot read {}", path.display())).because(error))?;
    Ok(bytes)
}
