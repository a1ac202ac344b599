//! Values together with where in the file they were declared.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::Place;

/// A value and the places its parts were read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared<T> {
    /// What was declared.
    pub value: T,
    /// Where each part of it was.
    pub places: Places,
}

/// Where the parts of a file are, by logical path: `version`, `sensitive_columns[0].column`, `views.support`.
///
/// The place of a mapping's entry that is named by the author (a view, a term, a class) is that of its name; of
/// anything else, that of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    file: Arc<str>,
    known: BTreeMap<String, Place>,
}

impl Places {
    /// No place known but the file itself.
    pub fn new(file: impl Into<Arc<str>>) -> Places {
        Places { file: file.into(), known: BTreeMap::new() }
    }

    /// The file.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Remembers where the part at `path` is.
    pub fn insert(&mut self, path: impl Into<String>, place: Place) {
        self.known.insert(path.into(), place);
    }

    /// Where the part at `path` is; if it was not written down, where its nearest ancestor is, at last the file's start.
    pub fn at(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.known.get(path) {
                return place.clone();
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return Place::start_of(self.file.clone()),
            }
        }
    }

    /// Whether the part at `path` was written down.
    pub fn has(&self, path: &str) -> bool {
        self.known.contains_key(path)
    }
}
