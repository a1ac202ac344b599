//! The schema files of a tree, each read together with those whose types it uses.
//!
//! A schema may use a named type that another file under `schemas/` defines at its top, by the type's full name: nothing has to
//! be declared. What a file defines itself comes first.

use mesh_avro::schema::{Name, Schema, SchemaError, SchemaFault, locate};
use mesh_contract::{Place, did_you_mean};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The most files that a schema uses, directly and through others: as many as a registry resolves.
const USED_MAX: usize = 256;

/// The texts of a tree's schemas, and which named type each of them defines.
pub struct Library<'t> {
    texts: BTreeMap<&'t str, &'t str>,
    definers: HashMap<Name, Vec<&'t str>>,
}

/// A schema file together with those whose types it uses.
#[derive(Debug, Clone)]
pub struct TreeSchema {
    /// Its own file first, then those that it uses, each before those that use it: by the schema's document numbers.
    files: Vec<Arc<SchemaFile>>,
    /// The schema, with its documents told apart.
    parsed: Schema,
    /// The same in one document, where there are several.
    joined: Option<Schema>,
}

/// One file of a schema.
#[derive(Debug)]
pub struct SchemaFile {
    /// Its path from the root.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The full name of the type that it defines at its top.
    pub defines: Option<Name>,
    /// The document numbers of the files that it uses itself.
    uses: Vec<usize>,
}

/// Why a schema file cannot be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// A file is not valid: its own text, or one that it uses.
    Invalid { file: String, error: Box<SchemaError>, similar: Option<String> },
    /// Several files define a type that is used elsewhere.
    Ambiguous { name: String, definers: Vec<String>, user: String },
    /// Files use one another in a circle.
    Cycle { files: Vec<String> },
    /// A type is used that another file defines inside of its own.
    Nested { name: String, definer: String, user: String, pointer: String },
    /// It uses too many others.
    TooMany { user: String },
}

impl<'t> Library<'t> {
    /// Of files by path and text.
    pub fn of(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        Self::with(files.into_iter().map(|(path, text)| (path, text, Name::defined_by(text))))
    }

    /// Of files whose types' names are known already.
    pub fn with(files: impl IntoIterator<Item = (&'t str, &'t str, Option<Name>)>) -> Self {
        let mut library = Self { texts: BTreeMap::new(), definers: HashMap::new() };
        for (path, text, name) in files {
            library.texts.insert(path, text);
            if let Some(name) = name {
                library.definers.entry(name).or_default().push(path);
            }
        }
        library
    }

    /// The text of a file; empty if it is not there.
    pub(super) fn text(&self, path: &str) -> &'t str {
        self.texts.get(path).copied().unwrap_or_default()
    }

    /// The schema of a file that is there; none if it cannot be used.
    pub fn schema(&self, path: &str) -> Option<TreeSchema> {
        self.read(path)?.ok()
    }

    /// Reads a file; none if it is not there.
    pub(super) fn read(&self, path: &str) -> Option<Result<TreeSchema, Fault>> {
        let (path, text) = self.texts.get_key_value(path)?;
        let mut reading = Reading { library: self, files: Vec::new(), open: Vec::new() };
        Some(reading.file(path, text).and_then(|(own, parsed)| {
            let files: Vec<_> = [own].into_iter().chain(reading.files).map(Arc::new).collect();
            TreeSchema::new(files, parsed)
        }))
    }
}

/// A file that is being read, with all that it uses so far.
struct Reading<'l, 't> {
    library: &'l Library<'t>,
    /// What is used, each before those that use it.
    files: Vec<SchemaFile>,
    /// The files that are being read because of each other.
    open: Vec<&'t str>,
}

impl<'t> Reading<'_, 't> {
    /// Reads a file, and first whatever it turns out to use.
    fn file(&mut self, path: &'t str, text: &'t str) -> Result<(SchemaFile, Schema), Fault> {
        self.open.push(path);
        let parsed = loop {
            let used: Vec<&str> = self.files.iter().map(|file| file.text.as_str()).collect();
            let error = match Schema::parse_with(text, &used) {
                Ok(schema) => break schema,
                Err(error) => error,
            };
            match unknown(&error) {
                Some(name) => self.used(path, &name, error)?,
                None => return Err(self.invalid(path, error)),
            }
        };
        self.open.pop();
        let mut uses = Vec::new();
        for (id, pointer) in parsed.referred() {
            let node = parsed.node(id);
            let definer = &self.files[node.document - 1];
            if !node.pointer.is_empty() {
                let name = node.name.as_ref().map(Name::to_string).unwrap_or_default();
                return Err(Fault::Nested { name, definer: definer.path.clone(), user: path.to_owned(), pointer });
            }
            uses.push(node.document);
        }
        let file = SchemaFile { path: path.to_owned(), text: text.to_owned(), defines: Name::defined_by(text), uses };
        Ok((file, parsed))
    }

    /// Reads the file that defines a type which a file does not define itself.
    fn used(&mut self, user: &str, name: &Name, error: SchemaError) -> Result<(), Fault> {
        let definers = self.library.definers.get(name).map(Vec::as_slice).unwrap_or_default();
        let [definer] = definers else {
            return Err(match definers {
                [] => self.invalid(user, error),
                _ => Fault::Ambiguous {
                    name: name.to_string(),
                    definers: definers.iter().map(|path| (*path).to_owned()).collect(),
                    user: user.to_owned(),
                },
            });
        };
        if let Some(at) = self.open.iter().position(|open| open == definer) {
            return Err(Fault::cycle(&self.open[at..]));
        }
        if self.files.len() + self.open.len() > USED_MAX {
            return Err(Fault::TooMany { user: user.to_owned() });
        }
        let (file, _) = self.file(definer, self.library.text(definer))?;
        self.files.push(file);
        Ok(())
    }

    fn invalid(&self, path: &str, error: SchemaError) -> Fault {
        let file = error.document.checked_sub(1).and_then(|used| self.files.get(used));
        let file = file.map_or(path, |file| file.path.as_str()).to_owned();
        let similar = unknown(&error).and_then(|name| {
            let known = self.library.definers.keys().map(Name::as_str);
            did_you_mean(name.as_str(), known).map(str::to_owned)
        });
        Fault::Invalid { file, error: Box::new(SchemaError { document: 0, ..error }), similar }
    }
}

impl Fault {
    /// A circle, told alike wherever it was entered.
    fn cycle(open: &[&str]) -> Self {
        let first = open.iter().enumerate().min_by_key(|(_, path)| **path).map_or(0, |(index, _)| index);
        let files = open[first..].iter().chain(&open[..first]);
        Self::Cycle { files: files.map(|path| (*path).to_owned()).collect() }
    }
}

/// The type that is used and nowhere defined, if that is what is wrong with a file itself.
fn unknown(error: &SchemaError) -> Option<Name> {
    match &error.fault {
        SchemaFault::UnknownType { name, .. } if error.document == 0 => Name::resolve(name, None),
        _ => None,
    }
}

impl TreeSchema {
    fn new(files: Vec<Arc<SchemaFile>>, parsed: Schema) -> Result<Self, Fault> {
        let joined = match files.len() {
            1 => None,
            _ => Some(parsed.clone().into_one().map_err(|error| Fault::Invalid {
                file: files[0].path.clone(),
                error: Box::new(SchemaError { position: None, ..error }),
                similar: None,
            })?),
        };
        Ok(Self { files, parsed, joined })
    }

    /// The schema with the files told apart that its types are from, by document number.
    pub fn parsed(&self) -> &Schema {
        &self.parsed
    }

    /// The schema in one document, as it is published.
    pub fn whole(&self) -> &Schema {
        self.joined.as_ref().unwrap_or(&self.parsed)
    }

    /// The files: its own first, then those that it uses, each before those that use it.
    pub fn files(&self) -> &[Arc<SchemaFile>] {
        &self.files
    }

    /// The full names of the types that it uses of other files itself.
    pub fn references(&self) -> Vec<String> {
        let used = self.files[0].uses.iter().filter_map(|document| self.files[*document].defines.as_ref());
        used.map(Name::to_string).collect()
    }

    /// The full names of all types that it has of other files, directly or through others.
    pub fn types(&self) -> impl Iterator<Item = String> {
        self.files[1..].iter().filter_map(|file| file.defines.as_ref()).map(Name::to_string)
    }

    /// The schemas of the files that it uses, each before those that use it.
    pub fn used(&self) -> impl Iterator<Item = TreeSchema> {
        (1..self.files.len()).filter_map(|document| self.part(document))
    }

    /// The schema of one of its files. It was read before, so that it reads again.
    fn part(&self, document: usize) -> Option<TreeSchema> {
        let mut wanted = vec![false; self.files.len()];
        wanted[document] = true;
        // users come after what they use
        for user in (1..=document).rev() {
            if wanted[user] {
                self.files[user].uses.iter().for_each(|used| wanted[*used] = true);
            }
        }
        let used: Vec<usize> = (1..document).filter(|used| wanted[*used]).collect();
        let renumbered = |file: &SchemaFile| {
            let uses = file.uses.iter().filter_map(|old| Some(used.iter().position(|used| used == old)? + 1));
            let SchemaFile { path, text, defines, .. } = file;
            let (path, text, defines) = (path.clone(), text.clone(), defines.clone());
            Arc::new(SchemaFile { path, text, defines, uses: uses.collect() })
        };
        let files: Vec<_> = [document].iter().chain(&used).map(|document| renumbered(&self.files[*document])).collect();
        let texts: Vec<&str> = files[1..].iter().map(|file| file.text.as_str()).collect();
        let parsed = Schema::parse_with(&files[0].text, &texts).ok()?;
        Self::new(files, parsed).ok()
    }

    /// Where a part of one of its documents stands.
    pub fn place(&self, document: usize, pointer: &str) -> Place {
        let file = self.files.get(document).unwrap_or(&self.files[0]);
        place_in(&file.path, &file.text, pointer)
    }
}

/// Where a part of a schema stands in its file.
pub(super) fn place_in(file: &str, text: &str, pointer: &str) -> Place {
    match locate(text, pointer) {
        Some(position) => Place::new(file, position.line, position.column),
        None => Place::start_of(file),
    }
}
