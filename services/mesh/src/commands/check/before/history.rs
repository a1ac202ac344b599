//! The history of every product, replayed from the commits that changed a contract or a schema.

use super::git::{Base, Repository};
use super::log::{Change, Commit};
use super::{Before, Earlier, Key, Port, is_transitive};
use crate::failure::Failure;
use crate::tree::{Library, WorkingProduct, WorkingTree, is_contract, is_schema, number, view_schemas};
use mesh_avro::keys::KeyRing;
use mesh_avro::schema::{Name, Schema, SchemaFault};
use mesh_contract::{Contract, Declared, Product};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// So much of a commit's id is shown.
const SHORT: usize = 9;

/// What was before at `base`: its newest state, and of products with a transitive level all states before.
pub(super) fn read(
    repository: &Repository,
    base: &Base,
    tree: &WorkingTree,
    keys: &dyn KeyRing,
) -> Result<Before, Failure> {
    let commits = repository.log(&base.commit)?;
    let blobs = commits.iter().flat_map(|commit| &commit.changes).filter_map(|change| change.blob.as_deref());
    let blobs: HashSet<&str> = blobs.collect();
    let blobs = if blobs.is_empty() { HashMap::new() } else { repository.blobs(&blobs)? };
    let mut replay = Replay::new(&blobs);
    commits.iter().for_each(|commit| replay.commit(commit));
    let mut before = replay.finish(tree, keys);
    before.name = format!("{} ({})", base.name, short(&base.commit));
    if repository.is_shallow() {
        before.notes.push("the clone is shallow: schemas older than it are not compared with".to_owned());
    }
    Ok(before)
}

/// A product at a commit.
struct State {
    label: Arc<str>,
    contract: Arc<Declared<Contract>>,
    schema: Arc<Schema>,
}

impl State {
    /// Whether a product is as it was then.
    fn is(&self, now: &WorkingProduct) -> bool {
        self.contract.value == now.contract.value && self.schema.json() == now.schema.json()
    }
}

/// What is known of a schema's blob, whatever else is in the tree.
#[derive(Clone)]
enum Known {
    /// It stands for itself.
    Alone(Arc<Schema>),
    /// It uses types of other files.
    Using,
    Broken,
}

/// The tree as of the commits so far, and what its products were on the way.
struct Replay<'b> {
    blobs: &'b HashMap<String, Vec<u8>>,
    /// The blob at each path.
    files: HashMap<String, String>,
    /// The contracts at each path, those that could be read.
    contracts: BTreeMap<String, Arc<Declared<Contract>>>,
    /// The paths of the contracts that name a schema, or whose schema uses it.
    users: HashMap<String, BTreeSet<String>>,
    /// The paths of the contracts whose schema uses what was not there yet.
    wanting: BTreeSet<String>,
    schemas: HashMap<String, Known>,
    /// The types that blobs define at their top.
    names: HashMap<&'b str, Option<Name>>,
    states: BTreeMap<Key, Vec<State>>,
}

impl<'b> Replay<'b> {
    fn new(blobs: &'b HashMap<String, Vec<u8>>) -> Self {
        Self {
            blobs,
            files: HashMap::new(),
            contracts: BTreeMap::new(),
            users: HashMap::new(),
            wanting: BTreeSet::new(),
            schemas: HashMap::new(),
            names: HashMap::new(),
            states: BTreeMap::new(),
        }
    }

    /// Makes a commit's changes, then notes what became of the products that they touch.
    fn commit(&mut self, commit: &Commit) {
        let mut touched = BTreeSet::new();
        for change in &commit.changes {
            self.change(change, &mut touched);
        }
        let schemas = commit.changes.iter().filter_map(|change| self.users.get(&change.path));
        touched.extend(schemas.flatten().cloned());
        if commit.changes.iter().any(|change| is_schema(&change.path)) {
            touched.append(&mut self.wanting);
        }
        let label: Arc<str> = short(&commit.id).into();
        for path in touched {
            self.note(&path, &label);
        }
    }

    fn change(&mut self, change: &Change, touched: &mut BTreeSet<String>) {
        match &change.blob {
            Some(blob) => drop(self.files.insert(change.path.clone(), blob.clone())),
            None => drop(self.files.remove(&change.path)),
        }
        if !is_contract(&change.path) {
            return;
        }
        if let Some(old) = self.contracts.remove(&change.path)
            && let Some(users) = self.users.get_mut(&old.value.schema)
        {
            users.remove(&change.path);
        }
        let text = change.blob.as_ref().and_then(|blob| self.blobs.get(blob)).map(Vec::as_slice);
        let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let Some(Ok(contract)) = text.map(|text| mesh_contract::parse_contract(&change.path, text)) else { return };
        self.users.entry(contract.value.schema.clone()).or_default().insert(change.path.clone());
        self.contracts.insert(change.path.clone(), Arc::new(contract));
        touched.insert(change.path.clone());
    }

    fn note(&mut self, path: &str, label: &Arc<str>) {
        let Some(contract) = self.contracts.get(path).map(Arc::clone) else { return };
        let Some(schema) = self.schema(&contract.value.schema, path) else { return };
        let state = State { label: Arc::clone(label), schema, contract };
        self.states.entry(key(&state.contract.value)).or_default().push(state);
    }

    /// The schema at a path that a contract names, in one document.
    fn schema(&mut self, path: &str, contract: &str) -> Option<Arc<Schema>> {
        let blob = self.files.get(path)?;
        let blobs = self.blobs;
        let known = self.schemas.entry(blob.clone()).or_insert_with(|| known(text_of(blobs, blob)));
        match known {
            Known::Alone(schema) => Some(Arc::clone(schema)),
            Known::Using => self.joined(path, contract),
            Known::Broken => None,
        }
    }

    /// A schema with all that it uses, as the tree is now; whatever of that changes, changes the contract's product.
    fn joined(&mut self, path: &str, contract: &str) -> Option<Arc<Schema>> {
        let blobs = self.blobs;
        let names = &mut self.names;
        let files = self.files.iter().filter(|(path, _)| is_schema(path));
        let files = files.filter_map(|(path, blob)| Some((path.as_str(), blobs.get_key_value(blob)?)));
        let files = files.filter_map(|(path, (blob, bytes))| Some((path, blob, std::str::from_utf8(bytes).ok()?)));
        let named = files.map(|(path, blob, text)| {
            let name = names.entry(blob.as_str()).or_insert_with(|| Name::defined_by(text));
            (path, text, name.clone())
        });
        let Some(schema) = Library::with(named).schema(path) else {
            self.wanting.insert(contract.to_owned());
            return None;
        };
        for file in &schema.files()[1..] {
            self.users.entry(file.path.clone()).or_default().insert(contract.to_owned());
        }
        Some(Arc::new(schema.whole().clone()))
    }

    /// The ports of those products and states alone that are to be compared: deriving views is most of the work.
    fn finish(self, tree: &WorkingTree, keys: &dyn KeyRing) -> Before {
        let products: HashMap<Key, &WorkingProduct> =
            tree.products.iter().map(|product| (key(&product.contract.value), product)).collect();
        let waivers = tree.waivers.iter().flat_map(|file| &file.value);
        let waived: HashSet<&Product> = waivers.map(|waiver| &waiver.product.product).collect();
        let current: HashMap<Key, &Arc<Declared<Contract>>> =
            self.contracts.values().map(|contract| (key(&contract.value), contract)).collect();
        let mut before = Before::default();
        for (product, states) in &self.states {
            let mut earlier = Earlier { contract: current.get(product).map(|it| Arc::clone(it)), ..Earlier::default() };
            let now = products.get(product);
            // What did not change has nothing to report; but a waiver is in use where its break is further back.
            if let Some(now) =
                now.filter(|now| waived.contains(&product.0) || !states.last().is_some_and(|it| it.is(now)))
            {
                add_ports(&mut earlier, now, states, keys);
            }
            before.products.insert(product.clone(), earlier);
        }
        let unread = self.files.keys().filter(|path| is_contract(path) && !self.contracts.contains_key(*path)).count();
        if unread > 0 {
            before
                .notes
                .push(format!("{} there could not be read, and are not compared with", number(unread, "contract")));
        }
        before
    }
}

fn text_of<'b>(blobs: &'b HashMap<String, Vec<u8>>, blob: &str) -> Option<&'b str> {
    blobs.get(blob).and_then(|bytes| std::str::from_utf8(bytes).ok())
}

fn known(text: Option<&str>) -> Known {
    match text.map(Schema::parse) {
        Some(Ok(schema)) => Known::Alone(Arc::new(schema)),
        Some(Err(error)) if matches!(error.fault, SchemaFault::UnknownType { .. }) => Known::Using,
        _ => Known::Broken,
    }
}

/// What the ports carried: all of it where the level is transitive, else the newest.
fn add_ports(earlier: &mut Earlier, now: &WorkingProduct, states: &[State], keys: &dyn KeyRing) {
    let transitive = is_transitive(now.contract.value.compatibility);
    let first = if transitive { 0 } else { states.len().saturating_sub(1) };
    for State { label, contract, schema } in &states[first..] {
        earlier.push(Port::Input, label, Arc::clone(schema));
        earlier.push_views(label, &view_schemas(contract, schema, keys).unwrap_or_default());
    }
}

fn key(contract: &Contract) -> Key {
    (contract.product(), contract.version)
}

fn short(commit: &str) -> &str {
    commit.get(..SHORT).unwrap_or(commit)
}
