//! Who may do what over HTTP on a secured backbone, each by a token: services, producers and readers, Prometheus, the operator.

use super::unusable;
use crate::apply::Wanted;
use crate::failure::Failure;
use crate::tree::WorkingTree;
use mesh_contract::acl::{Operation, Part, Resource};
use mesh_kafka::secure::{OPERATOR, SecureFolder};
use mesh_runtime::access::{AccessError, AccessFile, NewUser, hashed_token, new_token};
use mesh_runtime::private_file::{self, OTHERS};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FOLDER: &str = "tokens";
const ACCESS: &str = "access.json";
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// A subject that nobody has: whoever may read anything at all sees metrics.
const METRICS: &str = "metrics";
/// How the backbone's own users and topics begin.
const OWN_USERS: &str = "mesh-";
const OWN_TOPICS: &str = "mesh.";

/// What somebody may read and write.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scopes {
    read: BTreeSet<String>,
    write: BTreeSet<String>,
}

impl Scopes {
    fn reads<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        Self { read: scopes.into_iter().map(str::to_owned).collect(), ..Self::default() }
    }

    fn writes<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        Self { write: scopes.into_iter().map(str::to_owned).collect(), ..Self::default() }
    }
}

/// Writes the access file and each user's token; tokens of before stay. The users' names.
///
/// # Errors
/// A file cannot be read or written.
pub(super) fn make(folder: &SecureFolder, tree: &WorkingTree, wanted: Option<&Wanted>) -> Result<Vec<String>, Failure> {
    folder.make_folder(FOLDER).map_err(unusable)?;
    let mut access = AccessFile::open_or_new(&folder.file(ACCESS)).map_err(refused)?;
    let users = users(tree, wanted);
    for (name, scopes) in &users {
        let token = token(folder, name)?;
        let (read, write) = (scopes.read.iter().cloned().collect(), scopes.write.iter().cloned().collect());
        access.put(NewUser { name: name.clone(), token: Some(hashed_token(&token)), read, write, password: None });
    }
    access.save().map_err(refused)?;
    Ok(users.into_keys().collect())
}

/// The token of before or a new one; its files are written: as commands read it, and as it is.
fn token(folder: &SecureFolder, name: &str) -> Result<String, Failure> {
    let file = format!("{FOLDER}/{name}.json");
    let path = folder.file(&file);
    let token = match path.exists() {
        true => known(&path)?,
        false => new_token().map_err(|error| Failure::internal("cannot make a token").because(error))?.to_string(),
    };
    folder.write(&file, &json!({ "token": token }).to_string()).map_err(unusable)?;
    folder.write(&format!("{FOLDER}/{name}.token"), &token).map_err(unusable)?;
    Ok(token)
}

fn known(path: &Path) -> Result<String, Failure> {
    let text = private_file::read(path, OTHERS, FILE_BYTES_MAX)
        .map_err(|error| Failure::usage("cannot use a token of before").because(error))?;
    let token = serde_json::from_str::<Value>(&text).ok().and_then(|value| Some(value["token"].as_str()?.to_owned()));
    token.ok_or_else(|| {
        Failure::usage(format!("{} holds no token", path.display())).hint("remove it, and a new one is made")
    })
}

fn refused(error: AccessError) -> Failure {
    Failure::usage("cannot write who may do what over HTTP").because(error)
}

/// Who may do what over HTTP, as far as it follows from the contracts.
fn users(tree: &WorkingTree, wanted: Option<&Wanted>) -> BTreeMap<String, Scopes> {
    let domains: BTreeSet<String> = tree.products.iter().map(|product| product.contract.value.owner.clone()).collect();
    let prefixes: Vec<String> = domains.iter().map(|domain| format!("{domain}.")).collect();
    // types that several domains use are subjects of no domain
    let types: BTreeSet<String> = tree.products.iter().flat_map(|product| product.files.types()).collect();
    let applied = || prefixes.iter().chain(&types).map(String::as_str);
    let mut users = BTreeMap::from([
        (OPERATOR.to_owned(), Scopes::writes(["*"])),
        ("prometheus".to_owned(), Scopes::reads([METRICS])),
        // each replica decides itself what its clients may
        (Part::Registry.user(), Scopes::writes(["*"])),
        (Part::Apply.user(), Scopes::writes(applied())),
        (Part::Plan.user(), Scopes::reads(applied())),
    ]);
    for (domain, prefix) in domains.into_iter().zip(&prefixes) {
        // a record may name any schema: that it is another domain's has to be told from that it is none
        let scopes = Scopes { write: Scopes::writes([prefix.as_str()]).write, ..Scopes::reads(["*"]) };
        users.insert(Part::Masking(domain).user(), scopes);
    }
    for (name, topic) in wanted.into_iter().flat_map(clients) {
        let read = &mut users.entry(name).or_default().read;
        read.extend(["key", "value"].map(|part| format!("{topic}-{part}")));
        let written = tree.products.iter().find(|product| product.contract.value.topics().input == topic);
        read.extend(written.into_iter().flat_map(|product| product.files.types()));
    }
    users
}

/// The producers and readers of products, with the topics that they write and read.
fn clients(wanted: &Wanted) -> impl Iterator<Item = (String, &str)> {
    wanted.table.iter().filter_map(|acl| {
        let name = acl.principal.strip_prefix("User:").filter(|name| !name.starts_with(OWN_USERS))?;
        match &acl.resource {
            Resource::Topic(topic)
                if matches!(acl.operation, Operation::Read | Operation::Write) && !topic.starts_with(OWN_TOPICS) =>
            {
                Some((name.to_owned(), topic.as_str()))
            }
            _ => None,
        }
    })
}
