//! What was before, however it is known: what readers and their records rely on.

mod folder;
mod git;
mod history;
mod log;
mod registry;

use crate::context::Context;
use crate::failure::Failure;
use crate::tree::{TOPICS, WorkingTree};
use git::Repository;
use mesh_avro::mask::ViewSchema;
use mesh_avro::schema::Schema;
use mesh_contract::{Compatibility, Contract, Declared, Product};
use mesh_runtime::keys::ThrowAwayKeys;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The word for a registry on the command line.
const REGISTRY: &str = "registry";

/// A product and its major version.
pub(super) type Key = (Product, u32);

/// What there was.
#[derive(Default)]
pub(super) struct Before {
    /// What it was read from, as people know it.
    pub(super) name: String,
    /// The products, those that are gone included where contracts are known.
    pub(super) products: BTreeMap<Key, Earlier>,
    /// What could not be looked at.
    pub(super) notes: Vec<String>,
}

/// One product as it was.
#[derive(Default)]
pub(super) struct Earlier {
    /// Its newest contract; none where only schemas are known, or where it was gone already.
    pub(super) contract: Option<Arc<Declared<Contract>>>,
    /// What each of its ports has carried, oldest first.
    pub(super) ports: BTreeMap<Port, Vec<Version>>,
}

/// Where records are read from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Port {
    /// The input port.
    Input,
    /// A view's output port.
    View(String),
}

/// A schema that a port has carried.
#[derive(Clone)]
pub(super) struct Version {
    /// What people know it as: a commit, a schema id.
    pub(super) label: Arc<str>,
    pub(super) schema: Arc<Schema>,
}

impl Earlier {
    /// Adds what a port carried next, unless it is what it carried already.
    fn push(&mut self, port: Port, label: &Arc<str>, schema: Arc<Schema>) {
        let versions = self.ports.entry(port).or_default();
        if versions.last().is_none_or(|last| last.schema.json() != schema.json()) {
            versions.push(Version { label: Arc::clone(label), schema });
        }
    }

    fn push_views(&mut self, label: &Arc<str>, views: &[ViewSchema]) {
        for view in views {
            // A view's schema was made valid, so it reads.
            if let Ok(schema) = Schema::parse_value(&view.schema) {
                self.push(Port::View(view.name.clone()), label, Arc::new(schema));
            }
        }
    }
}

/// Whether a level asks for more than the newest schema.
pub(super) fn is_transitive(level: Compatibility) -> bool {
    matches!(
        level,
        Compatibility::BackwardTransitive | Compatibility::ForwardTransitive | Compatibility::FullTransitive
    )
}

/// What a tree is compared with.
pub(super) enum Against {
    /// A git revision, or the merge base with the main branch.
    Git(Option<String>),
    Folder(PathBuf),
    Registry,
}

impl Against {
    /// What the command line means: the registry, a folder that holds `topics/`, or else a git revision.
    pub(super) fn of(given: Option<&str>) -> Self {
        match given {
            None => Self::Git(None),
            Some(REGISTRY) => Self::Registry,
            Some(folder) if Path::new(folder).join(TOPICS).is_dir() => Self::Folder(PathBuf::from(folder)),
            Some(revision) => Self::Git(Some(revision.to_owned())),
        }
    }

    /// Reads what was before of the products in `tree`; an inner error says why there is nothing to compare with.
    pub(super) async fn read(
        &self,
        root: &Path,
        tree: &WorkingTree,
        context: &Context,
    ) -> Result<Result<Before, String>, Failure> {
        match self {
            Self::Registry => registry::read(context.registry()?, tree).await.map(Ok),
            Self::Folder(folder) => folder::read(folder).map(Ok),
            Self::Git(Some(revision)) => {
                let repository = Repository::find(root)?.ok_or_else(|| not_a_repository(root, revision))?;
                let base = repository.named(revision)?;
                history::read(&repository, &base, tree, &keys()?).map(Ok)
            }
            Self::Git(None) => {
                let Some(repository) = Repository::find(root)? else {
                    return Ok(Err("the tree is in no git repository".to_owned()));
                };
                match repository.merge_base()? {
                    Ok(base) => history::read(&repository, &base, tree, &keys()?).map(Ok),
                    Err(why) => Ok(Err(why)),
                }
            }
        }
    }
}

/// A view's schema depends on no secret.
fn keys() -> Result<ThrowAwayKeys, Failure> {
    ThrowAwayKeys::generate().map_err(|error| Failure::internal("cannot make a key").because(error))
}

fn not_a_repository(root: &Path, revision: &str) -> Failure {
    let what = format!("`{revision}` holds no topics/, and {} is in no git repository", root.display());
    Failure::usage(what).hint("give a git revision, a folder that holds topics/, or `registry`")
}
