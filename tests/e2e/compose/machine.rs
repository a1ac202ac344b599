//! One machine in place of many containers: each service has a loopback address of its own, with the ports that the compose file
//! names; what is mounted is read where it lies.

use super::project::{Project, Service};
use crate::support::{Finished, PATIENCE, Process, eventually, mesh, repository};
use mesh_kafka::admin::Admin;
use mesh_kafka::{Settings, embedded, properties};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// As the image's own defaults have it.
const CLUSTER_ID: &str = "5L6g3nShT-eMCtK--X86sw";

/// Where the services of a project are.
pub struct Machine<'a> {
    pub project: &'a Project,
    addresses: BTreeMap<String, String>,
    folder: TempDir,
}

impl<'a> Machine<'a> {
    pub fn of(project: &'a Project) -> Self {
        let [one, other, ..] = *Uuid::new_v4().as_bytes();
        let names = project.services().into_keys().zip(1..);
        // 127.0 is everybody's
        let addresses = names.map(|(name, last)| (name, format!("127.{}.{other}.{last}", one.max(1)))).collect();
        Self { project, addresses, folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// A service's address.
    pub fn address(&self, service: &str) -> &str {
        &self.addresses[service]
    }

    /// What a container says of paths and hosts, as it is here.
    pub fn here(&self, service: &Service<'_>, text: &str) -> String {
        let mut text = text.to_owned();
        let mounts: Vec<_> = service.mounts().into_iter().collect();
        // the longest first: one may lie in another
        for (target, source) in mounts.iter().rev() {
            text = replace(&text, &target.display().to_string(), &source.display().to_string(), is_path);
        }
        for (port, other) in self.published() {
            text = replace(&text, &format!("localhost:{port}"), &format!("{}:{port}", self.address(&other)), is_whole);
        }
        let own = self.address(&service.name);
        text = replace(&text, "localhost", own, is_host);
        for (name, address) in self.addresses.iter().rev() {
            text = replace(&text, name, address, is_host);
        }
        text.replace("://:", &format!("://{own}:")).replace("0.0.0.0", own)
    }

    /// The ports of the machine, with the services that they lead to.
    fn published(&self) -> Vec<(String, String)> {
        let services = self.project.services().into_values();
        services
            .flat_map(|service| {
                let ports: Vec<String> = service.published().into_iter().map(str::to_owned).collect();
                ports.into_iter().map(move |port| (port, service.name.clone())).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The service's variables.
    fn environment(&self, service: &Service<'_>) -> BTreeMap<String, String> {
        let variables = service.environment().into_iter();
        variables.map(|(name, value)| (name.to_owned(), self.here(service, value))).collect()
    }

    /// The service's process.
    pub fn command(&self, name: &str) -> Command {
        let service = self.project.service(name);
        assert!(service.is_mesh(), "{name} is another program");
        let mut command = mesh(service.command().into_iter().map(|argument| self.here(&service, argument)));
        command.envs(self.environment(&service)).current_dir(self.project.root());
        command
    }

    /// The service's process, running.
    pub fn start(&self, name: &str) -> Process {
        Process::start(&mut self.command(name))
    }

    /// The service's process, to its end.
    pub fn run(&self, name: &str) -> Finished {
        Finished::of(&mut self.command(name))
    }

    /// Waits until the service's own probe finds it healthy.
    pub fn healthy(&self, name: &str, process: &mut Process) {
        let service = self.project.service(name);
        let probe: Vec<String> = service.probe().into_iter().map(str::to_owned).collect();
        assert_eq!(probe[0], "healthy", "{name}");
        eventually(&format!("{name} is healthy"), PATIENCE, || {
            assert_eq!(process.ended(), None, "{name} ended: {}", process.stderr());
            let mut command = Command::new(repository().join("deploy/docker/healthy"));
            command.args(&probe[1..]).arg(self.address(name)).envs(self.environment(&service));
            let probed = Finished::of(&mut command);
            if probed.code == 0 { Ok(()) } else { Err((probed, process.stderr())) }
        });
    }

    /// Kafka, as the image starts it: its own program turns the variables into settings and formats the storage.
    pub fn start_kafka(&self) -> Process {
        let service = self.project.service("kafka");
        let environment = self.environment(&service);
        let [defaults, mounted] = ["defaults", "mounted"].map(|name| self.made(&self.folder.path().join(name)));
        let settings = self.made(&self.place(&service, "/opt/kafka/config"));
        self.made(&self.place(&service, "/var/lib/kafka/data"));
        let mut setup = self.java(&environment);
        setup.args(["kafka.docker.KafkaDockerWrapper", "setup", "--default-configs-dir"]).arg(defaults);
        setup.arg("--mounted-configs-dir").arg(mounted).arg("--final-configs-dir").arg(&settings);
        Finished::of(setup.env("CLUSTER_ID", CLUSTER_ID)).expect(0);
        let mut command = self.java(&environment);
        // files that are mounted name others as the container sees them
        let log = environment["KAFKA_LOG4J_OPTS"].split_once('=').expect("-Dlog4j2.configurationFile=FILE").1;
        assert!(Path::new(log).is_file(), "{log}");
        command.arg("-Xmx448m").arg("-XX:+UseSerialGC").arg(&environment["KAFKA_LOG4J_OPTS"]);
        Process::start(command.arg("kafka.Kafka").arg(settings.join("server.properties")))
    }

    /// Waits until Kafka answers whom its own probe is.
    pub fn kafka_healthy(&self, process: &mut Process) {
        let service = self.project.service("kafka");
        let probe: Vec<String> = service.probe().iter().map(|argument| self.here(&service, argument)).collect();
        let [_, _, address, _, config] = probe.as_slice() else { panic!("{probe:?}") };
        let text = fs::read_to_string(self.file(&service, config)).expect("it was written just now");
        let itself = Settings::new(address.as_str()).with_all(properties::parse(&text).expect("it is well-formed"));
        let runtime = Runtime::new().expect("threads can be started");
        let admin = Admin::new(&itself).expect("the settings are right");
        eventually("kafka is healthy", PATIENCE, || {
            assert_eq!(process.ended(), None, "{}", process.stdout());
            let answered = runtime.block_on(admin.wait_ready(Duration::from_secs(1)));
            answered.map_err(|error| (error, process.stdout()))
        });
    }

    fn java(&self, environment: &BTreeMap<String, String>) -> Command {
        let jars = embedded::jars(&embedded::Options::default()).expect("Kafka's jars can be had");
        let mut command = Command::new("java");
        command.arg("-cp").arg(jars.join("*")).arg("-XX:TieredStopAtLevel=1").envs(environment);
        command
    }

    /// A file that is mounted, rewritten to what it is here.
    pub fn file(&self, service: &Service<'_>, file: &str) -> PathBuf {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
        let name = Path::new(file).file_name().expect("it is a file");
        let path = self.folder.path().join(name);
        fs::write(&path, self.here(service, &text)).expect("the folder is ours");
        path
    }

    /// Where that which a container sees at a path is here.
    fn place(&self, service: &Service<'_>, path: &str) -> PathBuf {
        PathBuf::from(self.here(service, path))
    }

    fn made(&self, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).expect("the folder is ours");
        folder.to_owned()
    }
}

/// Replaces `old` where `fits` says so of what is before and after it.
fn replace(text: &str, old: &str, new: &str, fits: fn(&str, &str) -> bool) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        let whole_before = &text[..text.len() - rest.len() + at];
        replaced.push_str(before);
        replaced.push_str(if fits(whole_before, after) { new } else { old });
        rest = after;
    }
    replaced + rest
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.".contains(character)
}

fn is_whole(before: &str, after: &str) -> bool {
    !before.ends_with(is_word) && !after.starts_with(is_word)
}

/// A path, or the folder of one.
fn is_path(before: &str, after: &str) -> bool {
    is_whole(before, after) && !before.ends_with('/')
}

/// A host before a port, or one of a list of hosts.
fn is_host(before: &str, after: &str) -> bool {
    let begins = before.is_empty() || before.ends_with("//") || before.ends_with(['@', ',', '=', ' ', '[']);
    let port = after.strip_prefix(':').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
    begins && (port || (after.starts_with(',') && before.ends_with('=')))
}
