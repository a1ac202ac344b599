//! Replicas of the registry as processes: killed, frozen and woken up, and no id or version is ever given twice.

use crate::support::{PATIENCE, Process, World, eventually, mesh};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;

const CLIENTS: usize = 4;
const ROUNDS: usize = 2;
/// Longer than it takes to find out that a writer is out of reach.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);

/// A replica and where it listens.
struct Replica {
    process: Process,
    url: String,
}

impl Replica {
    fn start(world: &World) -> Self {
        let args = ["run", "registry", "--format", "json", "--bootstrap-servers", world.bootstrap()];
        let mut process = Process::start(&mut mesh(args));
        let line = process.line("the registry says where it listens", |line| line.contains("registry_url"));
        let said: Value = serde_json::from_str(&line).expect("one JSON object a line");
        Self { process, url: said["registry_url"].as_str().expect("an address").to_owned() }
    }
}

/// What clients were told: subject and version by schema, by id.
#[derive(Default)]
struct Told {
    by_id: HashMap<u64, String>,
    by_version: HashMap<(String, u64), String>,
}

impl Told {
    /// Notes an answer, which must not contradict an earlier one.
    fn note(&mut self, subject: &str, name: &str, answer: &Value) {
        let (id, version) = (answer["id"].as_u64().expect("an id"), answer["version"].as_u64().expect("a version"));
        let of_id = self.by_id.entry(id).or_insert_with(|| name.to_owned());
        assert_eq!(of_id, name, "the id {id} was given twice");
        let of_version = self.by_version.entry((subject.to_owned(), version)).or_insert_with(|| name.to_owned());
        assert_eq!(of_version, name, "version {version} of {subject} was given twice");
    }
}

/// Clients that register without end, each at whichever replica answers.
struct Clients {
    told: Arc<Mutex<Told>>,
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Clients {
    fn start(urls: &[String]) -> Self {
        let (told, answered, stop) = (Arc::default(), Arc::default(), Arc::default());
        let mut clients = Self { told, answered, stop, threads: Vec::new() };
        for client in 0..CLIENTS {
            let (urls, told) = (urls.to_vec(), Arc::clone(&clients.told));
            let (answered, stop) = (Arc::clone(&clients.answered), Arc::clone(&clients.stop));
            clients.threads.push(thread::spawn(move || register(client, &urls, &told, &answered, &stop)));
        }
        clients
    }

    /// Waits until so many further registrations were answered.
    fn go_on(&self, count: usize) {
        let goal = self.answered.load(Ordering::SeqCst) + count;
        let reached = || (self.answered.load(Ordering::SeqCst) >= goal).then_some(());
        eventually("registrations go on", PATIENCE, reached);
    }

    fn stop(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("no client was told a contradiction");
        }
        self.told.lock().expect("no client panicked").by_id.len()
    }
}

fn register(client: usize, urls: &[String], told: &Mutex<Told>, answered: &AtomicUsize, stop: &AtomicBool) {
    let runtime = Runtime::new().expect("threads can be started");
    let http = reqwest::Client::builder().timeout(CLIENT_TIMEOUT).build().expect("a client can be made");
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let subject = format!("shared-{}-value", number % 3);
        let name = format!("R{client}n{number}");
        let schema = json!({"type": "record", "name": name, "fields": [{"name": "id", "type": "string"}]}).to_string();
        let url = &urls[(client + number) % urls.len()];
        let request = http.post(format!("{url}/subjects/{subject}/versions"));
        let request = request.body(json!({ "schema": schema }).to_string());
        let answer = runtime.block_on(async {
            let answer = request.send().await.ok().filter(|answer| answer.status().is_success())?;
            serde_json::from_str::<Value>(&answer.text().await.ok()?).ok()
        });
        if let Some(answer) = answer {
            told.lock().expect("no client panicked").note(&subject, &name, &answer);
            answered.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn no_id_or_version_is_given_twice_though_writers_are_killed_and_frozen() {
    let world = World::start();
    eventually("any schema may follow any other", PATIENCE, || {
        let body = json!({ "compatibility": "NONE" }).to_string();
        let runtime = Runtime::new().expect("threads can be started");
        let asked = reqwest::Client::new().put(format!("{}/config", world.registry_url)).body(body).send();
        let answer = runtime.block_on(asked).ok()?;
        answer.status().is_success().then_some(())
    });
    let mut replicas = [Replica::start(&world), Replica::start(&world)];
    let mut urls: Vec<String> = replicas.iter().map(|replica| replica.url.clone()).collect();
    for round in 0..ROUNDS {
        let clients = Clients::start(&urls);
        clients.go_on(20);
        // Whichever of the two is the writer is frozen, and wakes up when another one has taken over.
        for replica in &replicas {
            replica.process.signal(Signal::STOP);
            clients.go_on(10);
            replica.process.signal(Signal::CONT);
            clients.go_on(10);
        }
        replicas[round % 2].process.kill();
        clients.go_on(20);
        assert!(clients.stop() >= 80);
        replicas[round % 2] = Replica::start(&world);
        urls = replicas.iter().map(|replica| replica.url.clone()).collect();
    }
}
