//! What can be known of `docker-compose.yml`, the `Dockerfile` and `deploy/` without a Docker daemon.

#![allow(clippy::unwrap_used)]

mod alerting;

use crate::cli::Cli;
use clap::Parser;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn yaml(file: &str) -> Value {
    let text = text(file);
    let mut documents = Yaml::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1, "{file}");
    json(&documents.remove(0))
}

/// YAML as JSON, with `<<` merged as Compose does.
fn json(node: &Yaml<'_>) -> Value {
    if let Some(sequence) = node.as_sequence() {
        return sequence.iter().map(json).collect();
    }
    if let Some(mapping) = node.as_mapping() {
        return Value::Object(merged(mapping.iter().map(|(key, value)| (key.as_str().unwrap(), json(value)))));
    }
    let scalar = node.as_bool().map(Value::from).or_else(|| node.as_integer().map(Value::from));
    scalar.or_else(|| node.as_str().map(Value::from)).unwrap_or(Value::Null)
}

fn merged<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    let mut map = Map::new();
    for (key, value) in entries {
        match (key, value) {
            ("<<", Value::Object(base)) => base.into_iter().for_each(|(key, value)| {
                map.entry(key).or_insert(value);
            }),
            (key, value) => drop(map.insert(key.to_owned(), value)),
        }
    }
    map
}

fn services() -> Map<String, Value> {
    yaml("docker-compose.yml")["services"].as_object().unwrap().clone()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().map(|items| items.iter().map(|item| item.as_str().unwrap()).collect()).unwrap_or_default()
}

fn built(service: &Value) -> bool {
    service["build"] == "."
}

#[test]
fn every_service_says_whether_it_is_healthy() {
    for (name, service) in services() {
        let check = &service["healthcheck"];
        if service["restart"] == "no" {
            assert_eq!(check["disable"], true, "{name} ends by itself: there is nothing to check");
            continue;
        }
        assert!(!strings(&check["test"]).is_empty(), "{name} has no health check");
        for needed in ["interval", "timeout", "retries", "start_period"] {
            assert!(!check[needed].is_null(), "{name}: healthcheck.{needed}");
        }
    }
}

#[test]
fn every_dependency_is_there_and_waited_for_until_it_is_healthy() {
    let services = services();
    for (name, service) in &services {
        for (dependency, how) in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(dependency), "{name} depends on {dependency}");
            assert_eq!(how["condition"], "service_healthy", "{name} on {dependency}");
        }
    }
}

#[test]
fn every_mesh_command_is_one() {
    let mut services_run = BTreeSet::new();
    for (name, service) in services().into_iter().filter(|(_, service)| built(service)) {
        let command = strings(&service["command"]);
        let parsed = Cli::try_parse_from(std::iter::once("mesh").chain(command.iter().copied()));
        assert!(parsed.is_ok(), "{name}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        if command[0] == "run" {
            services_run.insert(command[1].to_owned());
        }
    }
    let expected = ["freshness", "lineage", "masking", "registry"].map(str::to_owned);
    assert_eq!(services_run, BTreeSet::from(expected), "every service has its container");
}

#[test]
fn every_file_that_is_mounted_or_copied_is_there() {
    for (name, service) in services() {
        for volume in strings(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            assert!(!source.starts_with('.') || root().join(source).exists(), "{name} mounts {source}");
        }
    }
    let dockerfile = text("Dockerfile");
    let copies =
        dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.contains("--from"));
    for copy in copies {
        let mut paths: Vec<&str> = copy.split_whitespace().collect();
        paths.pop();
        paths.iter().for_each(|path| assert!(root().join(path).exists(), "the Dockerfile copies {path}"));
    }
}

#[test]
fn the_image_runs_as_nobody_in_particular_and_says_whether_it_is_healthy() {
    let dockerfile = text("Dockerfile");
    let stages: Vec<&str> = dockerfile.lines().filter(|line| line.starts_with("FROM ")).collect();
    assert_eq!(stages.len(), 2, "what builds does not ship");
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain.split('"').nth(1).unwrap();
    assert!(stages[0].contains(&format!("rust:{channel}")), "{} builds with {channel}", stages[0]);
    let shipped = dockerfile.split(stages[1]).nth(1).unwrap();
    let user = shipped.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    assert_ne!(user, "root");
    assert!(shipped.contains("HEALTHCHECK"));
}

#[test]
fn the_key_file_is_a_secret_and_reaches_the_service_that_masks_alone() {
    let compose = yaml("docker-compose.yml");
    let file = compose["secrets"]["mesh_keys"]["file"].as_str().unwrap();
    let ignored = text(".gitignore").lines().any(|line| !line.is_empty() && file.starts_with(&format!("./{line}")));
    assert!(ignored, "{file} is never committed");
    assert!(text("deploy/docker/make-keys").contains(file.trim_start_matches("./")), "make-keys writes {file}");
    for (name, service) in services() {
        let given = !strings(&service["secrets"]).is_empty();
        assert_eq!(given, name == "masking", "{name}");
        let told = service["environment"]["MESH_KEYS_FILE"].as_str();
        assert_eq!(told, given.then_some("/run/secrets/mesh_keys"), "{name}");
    }
}

#[test]
fn kafka_is_reached_from_inside_and_from_outside() {
    let services = services();
    let kafka = &services["kafka"]["environment"];
    let advertised = kafka["KAFKA_ADVERTISED_LISTENERS"].as_str().unwrap();
    let bound = kafka["KAFKA_LISTENERS"].as_str().unwrap();
    let protocols = kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].as_str().unwrap();
    let mut addresses = BTreeSet::new();
    for listener in advertised.split(',') {
        let (name, address) = listener.split_once("://").unwrap();
        let port = address.rsplit(':').next().unwrap();
        assert!(bound.split(',').any(|listener| listener == format!("{name}://:{port}")), "{listener} is not bound");
        assert!(protocols.split(',').any(|entry| entry.starts_with(&format!("{name}:"))), "{name} has no protocol");
        addresses.insert(address.to_owned());
    }
    for (name, service) in services.iter().filter(|(_, service)| built(service)) {
        let bootstrap = service["environment"]["MESH_BOOTSTRAP_SERVERS"].as_str().unwrap();
        assert!(addresses.contains(bootstrap), "{name} speaks to {bootstrap}");
    }
    let published = strings(&services["kafka"]["ports"]);
    assert!(addresses.iter().any(|address| {
        address
            .strip_prefix("localhost:")
            .is_some_and(|port| published.contains(&format!("127.0.0.1:{port}:{port}").as_str()))
    }));
}

#[test]
fn no_port_is_open_to_the_network() {
    for (name, service) in services() {
        for port in strings(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name} publishes {port}");
        }
    }
}

#[test]
fn prometheus_scrapes_every_service() {
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    for file in strings(&prometheus["rule_files"]) {
        assert!(root().join("deploy/prometheus").join(file).is_file(), "{file}");
    }
    let services = services();
    let mut scraped = BTreeSet::new();
    for job in prometheus["scrape_configs"].as_array().unwrap() {
        for target in job["static_configs"].as_array().unwrap() {
            for address in strings(&target["targets"]) {
                let (host, port) = address.split_once(':').unwrap();
                let command = strings(&services[host]["command"]);
                assert!(command.windows(2).any(|pair| pair == ["--listen", "0.0.0.0"]), "{host} listens on loopback");
                assert!(command.windows(2).any(|pair| pair == ["--http-port", port]), "{host} is not at {port}");
                scraped.insert(host.to_owned());
            }
        }
    }
    let running = services.iter().filter(|(_, service)| built(service) && service["restart"] != "no");
    assert_eq!(scraped, running.map(|(name, _)| name.clone()).collect());
}

/// Every `mesh_...` word of `text`.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("mesh_")).map(str::to_owned).collect()
}

/// Everything that the services' and crates' own code says in quotes.
fn sources() -> String {
    fn read(folder: &Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut all = String::new();
    for folder in ["crates", "services"] {
        read(&root().join(folder), &mut all);
    }
    all
}

#[test]
fn alerts_and_dashboards_ask_for_metrics_that_exist() {
    let sources = sources();
    for file in [
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/freshness.yml",
        "deploy/grafana/dashboards/mesh.json",
        "deploy/grafana/dashboards/freshness.json",
    ] {
        let names = metric_names(&text(file));
        assert!(!names.is_empty(), "{file} asks for nothing");
        for name in names {
            let base =
                ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name);
            assert!(sources.contains(&format!("\"{base}\"")), "{file} asks for {name}, which nobody counts");
        }
    }
}

#[test]
fn operators_are_told_what_each_metric_means() {
    let page = text("docs/operations.md");
    let sources = sources();
    let quoted = ["counter", "gauge", "histogram"].map(|kind| format!("{kind}!(\"mesh_"));
    let counted: BTreeSet<&str> = quoted
        .iter()
        .flat_map(|macro_call| sources.split(macro_call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        // those of the recorder's own tests
        .filter(|name| !name.starts_with("runtime_"))
        .collect();
    assert!(counted.len() > 50, "{counted:?}");
    let untold: Vec<_> = counted.iter().filter(|name| !page.contains(&format!("`mesh_{name}"))).collect();
    assert!(untold.is_empty(), "docs/operations.md says nothing of mesh_{untold:?}");
}

#[test]
fn the_dashboards_are_such_that_grafana_can_load_them() {
    let provider = yaml("deploy/grafana/provisioning/dashboards/mesh.yml");
    let folder = provider["providers"][0]["options"]["path"].as_str().unwrap();
    let mounted = services()["grafana"]["volumes"].clone();
    assert!(strings(&mounted).iter().any(|volume| volume.contains(&format!(":{folder}:"))), "{folder} is not mounted");
    let source = yaml("deploy/grafana/provisioning/datasources/prometheus.yml");
    for file in ["mesh.json", "freshness.json"] {
        let dashboard: Value = serde_json::from_str(&text(&format!("deploy/grafana/dashboards/{file}"))).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        assert!(panels.len() >= 6);
        let mut ids = BTreeSet::new();
        for panel in panels {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}", panel["title"]);
            assert_eq!(panel["datasource"]["uid"], source["datasources"][0]["uid"], "{}", panel["title"]);
            assert!(!panel["description"].as_str().unwrap().is_empty(), "{}", panel["title"]);
        }
    }
}

#[test]
fn alerts_say_who_is_told_what_and_where_to_read_on() {
    let rules = yaml("deploy/prometheus/alerts.yml");
    for group in rules["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            let name = rule["alert"].as_str().unwrap();
            for annotation in ["summary", "description", "runbook_url"] {
                assert!(rule["annotations"][annotation].is_string(), "{name} has no {annotation}");
            }
            let page = rule["annotations"]["runbook_url"].as_str().unwrap();
            let anchor = page.split('#').nth(1).unwrap();
            assert_eq!(anchor, name.to_lowercase(), "the runbook has a section for each alert");
            assert!(text("docs/operations.md").contains(&format!("\n### {name}\n")), "docs/operations.md: {name}");
            assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        }
    }
}
