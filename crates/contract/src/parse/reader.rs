//! Walks nodes by what the grammar wants, collecting findings and places on the way.

use std::sync::Arc;

use super::keys::Keys;
use crate::finding::{Finding, Severity};
use crate::places::{Declared, Places};
use crate::rules;
use crate::suggest;
use crate::yaml::{self, Entry, Kind, Mark, Node};

/// A node and its logical path.
pub(super) struct At<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
}

/// A mapping's entries by key.
pub(super) struct Fields<'n> {
    path: String,
    entries: &'n [Entry],
}

/// What has been found so far.
pub(super) struct Reader {
    file: Arc<str>,
    places: Places,
    findings: Vec<Finding>,
}

impl Reader {
    /// Reads a file by `read`, which returns nothing only if it left a finding.
    pub(super) fn read<T>(
        file: &str,
        text: &str,
        read: impl FnOnce(&mut Reader, At<'_>) -> Option<T>,
    ) -> Result<Declared<T>, Vec<Finding>> {
        let (value, mut reader) = Reader::run(file, text, read);
        let refused = reader.findings.iter().any(|finding| finding.severity == Severity::Error);
        match value {
            Some(value) if !refused => Ok(Declared { value, places: reader.places }),
            _ => {
                Finding::sort(&mut reader.findings);
                Err(reader.findings)
            }
        }
    }

    /// What `read` makes of a file, whatever it found.
    pub(super) fn salvage<T>(
        file: &str,
        text: &str,
        read: impl FnOnce(&mut Reader, At<'_>) -> Option<T>,
    ) -> Option<Declared<T>> {
        let (value, reader) = Reader::run(file, text, read);
        value.map(|value| Declared { value, places: reader.places })
    }

    fn run<T>(file: &str, text: &str, read: impl FnOnce(&mut Reader, At<'_>) -> Option<T>) -> (Option<T>, Reader) {
        let file: Arc<str> = file.into();
        let (root, findings) = yaml::load(&file, text);
        let mut reader = Reader { places: Places::new(file.clone()), file, findings };
        let value = root.and_then(|root| {
            reader.places.insert("", root.mark.place(&reader.file));
            read(&mut reader, At { node: &root, path: String::new() })
        });
        (value, reader)
    }

    /// Holds something against the file.
    pub(super) fn refuse(&mut self, rule: &'static str, mark: Mark, message: String, hint: Option<String>) {
        self.findings.push(Finding::error(rule, mark.place(&self.file), message).maybe_hint(hint));
    }

    /// The same, at the part that was read from `path`.
    pub(super) fn refuse_at(&mut self, rule: &'static str, path: &str, message: String, hint: Option<String>) {
        self.findings.push(Finding::error(rule, self.places.at(path), message).maybe_hint(hint));
    }

    /// A value is not of the type that is wanted.
    pub(super) fn refuse_type(&mut self, at: &At<'_>, wanted: &str) {
        let subject = match at.path.as_str() {
            "" => "the file".to_owned(),
            path => format!("`{path}`"),
        };
        let (rule, message) = match at.node.is_empty() {
            true => (rules::EMPTY_VALUE, format!("{subject} has no value: it wants {wanted}")),
            false => (rules::WRONG_TYPE, format!("{subject} is {}: it wants {wanted}", at.node.describe())),
        };
        self.refuse(rule, at.node.mark, message, None);
    }

    /// A mapping with these keys. Unknown and missing keys are findings.
    pub(super) fn fields<'n>(&mut self, at: &At<'n>, keys: &Keys) -> Option<Fields<'n>> {
        let Kind::Map(entries) = &at.node.kind else {
            self.refuse_type(at, "a mapping");
            return None;
        };
        let known = keys.all();
        // A key that is misspelt is not missing as well.
        let mut meant = Vec::new();
        for entry in entries {
            if known.contains(&entry.key.as_str()) {
                self.places.insert(child(&at.path, &entry.key), entry.value.mark.place(&self.file));
                continue;
            }
            let absent = known.iter().copied().filter(|key| !entries.iter().any(|other| other.key == *key));
            let near = suggest::did_you_mean(&entry.key, absent);
            meant.extend(near);
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let hint = hint.unwrap_or_else(|| format!("the keys of {}: {}", keys.what, known.join(", ")));
            let message = format!("`{}` is not a key of {}", shown(&entry.key), keys.what);
            self.refuse(rules::UNKNOWN_KEY, entry.mark, message, Some(hint));
        }
        for (key, example) in keys.required {
            if !meant.contains(key) && !entries.iter().any(|entry| entry.key == *key) {
                let message = format!("{} needs the key `{key}`", keys.what);
                self.refuse(rules::MISSING_KEY, at.node.mark, message, Some(format!("add `{example}`")));
            }
        }
        Some(Fields { path: at.path.clone(), entries })
    }

    /// A mapping whose keys the author names: views, terms, classes.
    pub(super) fn named<'n>(&mut self, at: &At<'n>) -> Option<Vec<(&'n Entry, At<'n>)>> {
        let Kind::Map(entries) = &at.node.kind else {
            self.refuse_type(at, "a mapping");
            return None;
        };
        let named = entries.iter().map(|entry| {
            let path = child(&at.path, &entry.key);
            self.places.insert(path.clone(), entry.mark.place(&self.file));
            (entry, At { node: &entry.value, path })
        });
        Some(named.collect())
    }

    /// A list's items.
    pub(super) fn items<'n>(&mut self, at: &At<'n>) -> Option<Vec<At<'n>>> {
        match &at.node.kind {
            Kind::List(items) => Some(self.indexed(&at.path, items)),
            _ => {
                self.refuse_type(at, "a list, such as `[a, b]`");
                None
            }
        }
    }

    /// A list's items, or the one item that stands there by itself.
    pub(super) fn one_or_many<'n>(&mut self, at: At<'n>) -> Vec<At<'n>> {
        match &at.node.kind {
            Kind::List(items) => self.indexed(&at.path, items),
            _ => self.indexed(&at.path, std::slice::from_ref(at.node)),
        }
    }

    fn indexed<'n>(&mut self, path: &str, items: &'n [Node]) -> Vec<At<'n>> {
        let numbered = items.iter().enumerate().map(|(index, node)| {
            let path = format!("{path}[{index}]");
            self.places.insert(path.clone(), node.mark.place(&self.file));
            At { node, path }
        });
        numbered.collect()
    }

    /// Refuses items that stand twice; `shown` is how an item is quoted.
    pub(super) fn refuse_repeats<T: PartialEq>(&mut self, path: &str, items: &[T], shown: impl Fn(&T) -> String) {
        for (index, item) in items.iter().enumerate() {
            if items[..index].contains(item) {
                let message = format!("`{}` stands twice in `{path}`", shown(item));
                self.refuse_at(rules::DUPLICATE_ENTRY, &format!("{path}[{index}]"), message, None);
            }
        }
    }
}

impl<'n> Fields<'n> {
    /// The value of `key`, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<At<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(At { node: &entry.value, path: child(&self.path, key) })
    }

    /// Whether nothing is there, not even what is misspelt.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `key` as `read` sees it, or the default if the key is not there.
    pub(super) fn or<T>(
        &self,
        reader: &mut Reader,
        key: &str,
        default: T,
        read: impl FnOnce(&mut Reader, At<'n>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(at) => read(reader, at),
            None => Some(default),
        }
    }
}

fn child(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

/// A foreign word as a message quotes it: not endless.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
