//! Compose files as Compose reads them: merged, interpolated, with paths resolved.

use crate::support::{Loader, Tree, repository};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What lies beside the compose files and is mounted.
const BESIDE: [&str; 9] = [
    "docker-compose.yml",
    "docker-compose.secure.yml",
    "groups.yaml",
    "deploy/docker/make-keys",
    "deploy/docker/kafka-log4j2.properties",
    "deploy/docker/kafka-itself.properties",
    "deploy/prometheus/prometheus.secure.yml",
    "deploy/prometheus/alerts.yml",
    "deploy/prometheus/freshness.yml",
];

/// A copy of the project's folder as far as containers see it, and what Compose makes of it.
pub struct Project {
    tree: Tree,
    json: Value,
}

impl Project {
    /// The secured backbone.
    pub fn secured() -> Self {
        let tree = Tree::examples();
        for file in BESIDE {
            let to = tree.root().join(file);
            fs::create_dir_all(to.parent().expect("it is below the root")).expect("the folder is ours");
            fs::copy(repository().join(file), to).expect("it is in the project");
        }
        let mut load = Loader::command();
        load.args(["docker-compose.yml", "docker-compose.secure.yml"]).current_dir(tree.root());
        let loaded = Loader::run(load.env("PWD", tree.root()).env("MESH_UID", "1234").env("MESH_GID", "1234"));
        Self { json: serde_json::from_str(&loaded).expect("one JSON object"), tree }
    }

    /// The folder of the compose files.
    pub fn root(&self) -> &Path {
        self.tree.root()
    }

    /// A service.
    ///
    /// # Panics
    /// There is none of this name.
    pub fn service<'a>(&'a self, name: &str) -> Service<'a> {
        self.services().remove(name).unwrap_or_else(|| panic!("no service {name}"))
    }

    /// All services but those that are out of use here.
    pub fn services(&self) -> BTreeMap<String, Service<'_>> {
        let all = self.json["services"].as_object().expect("there are services");
        let used = all.iter().filter(|(_, service)| service["profiles"][0] != "one-for-all-domains");
        used.map(|(name, json)| (name.clone(), Service { name: name.clone(), json, project: self })).collect()
    }

    /// Where a secret is on this machine.
    fn secret(&self, name: &str) -> PathBuf {
        let file = self.json["secrets"][name]["file"].as_str();
        PathBuf::from(file.unwrap_or_else(|| panic!("no secret {name}")))
    }
}

/// A service of a project.
#[derive(Clone)]
pub struct Service<'a> {
    /// Its name, which is its host's to the others.
    pub name: String,
    json: &'a Value,
    project: &'a Project,
}

impl Service<'_> {
    /// Whether it runs `mesh`.
    pub fn is_mesh(&self) -> bool {
        self.json["image"] == "mesh:local"
    }

    /// Whether it goes on until it is stopped.
    pub fn goes_on(&self) -> bool {
        self.json["restart"] != "no"
    }

    /// Its arguments.
    pub fn command(&self) -> Vec<&str> {
        strings(&self.json["command"])
    }

    /// Its variables.
    pub fn environment(&self) -> BTreeMap<&str, &str> {
        let variables = self.json["environment"].as_object().into_iter().flatten();
        variables.map(|(name, value)| (name.as_str(), value.as_str().expect("it has a value"))).collect()
    }

    /// How its health is looked at, after `CMD`.
    pub fn probe(&self) -> Vec<&str> {
        strings(&self.json["healthcheck"]["test"]).split_off(1)
    }

    /// What it waits for, and until when.
    pub fn waits_for(&self) -> BTreeMap<&str, &str> {
        let others = self.json["depends_on"].as_object().into_iter().flatten();
        others.map(|(name, how)| (name.as_str(), how["condition"].as_str().expect("it is said how"))).collect()
    }

    /// The ports of this machine that lead to it.
    pub fn published(&self) -> Vec<&str> {
        let ports = self.json["ports"].as_array().into_iter().flatten();
        ports.map(|port| port["published"].as_str().expect("a number")).collect()
    }

    /// The secrets that it is given.
    pub fn secrets(&self) -> Vec<&str> {
        let secrets = self.json["secrets"].as_array().into_iter().flatten();
        secrets.map(|secret| secret["source"].as_str().expect("a name")).collect()
    }

    /// What it sees of this machine: by the path that it sees it at.
    pub fn mounts(&self) -> BTreeMap<PathBuf, PathBuf> {
        let secrets = self.json["secrets"].as_array().into_iter().flatten().map(|secret| {
            let target = Path::new("/run/secrets").join(secret["target"].as_str().expect("it is said where"));
            (target, self.project.secret(secret["source"].as_str().expect("a name")))
        });
        let volumes = self.json["volumes"].as_array().into_iter().flatten().map(|volume| {
            let [target, source] = ["target", "source"].map(|end| PathBuf::from(volume[end].as_str().expect("a path")));
            let source =
                if volume["type"] == "bind" { source } else { self.project.root().join("volumes").join(source) };
            (target, source)
        });
        let temporary = strings(&self.json["tmpfs"]).into_iter().map(|mount| {
            let target = mount.split(':').next().expect("a path");
            (PathBuf::from(target), self.project.root().join("tmpfs").join(&self.name))
        });
        secrets.chain(volumes).chain(temporary).collect()
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().expect("text")).collect()
}
