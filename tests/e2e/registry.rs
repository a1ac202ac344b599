//! Replicas of the registry as processes: killed, frozen, stopped and woken up, and no id or version is ever given twice.
//!
//! What is done to which replica follows from a seed, which is printed: `MESH_TEST_SEED=… cargo test …` does it again.

#![allow(clippy::print_stderr, reason = "a failed test tells its seed and its rounds")]

use crate::support::{PATIENCE, Process, World, eventually, mesh};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;

const CLIENTS: usize = 4;
const REPLICAS: usize = 3;
const ROUNDS: usize = 6;
/// Longer than it takes to find out that a writer is out of reach.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Numbers that look like chance and are the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let given = std::env::var("MESH_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one("seed"));
        eprintln!("MESH_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("it is below the bound")
    }
}

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

/// What clients were told: the schema by id, and by subject and version.
#[derive(Default)]
struct Told {
    by_id: BTreeMap<u64, String>,
    by_version: BTreeMap<(String, u64), String>,
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

/// The addresses of the replicas that there are.
type Urls = Arc<Mutex<Vec<String>>>;

/// Clients that register without end, each at whichever replica answers.
struct Clients {
    told: Arc<Mutex<Told>>,
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Clients {
    fn start(urls: &Urls) -> Self {
        let (told, answered, stop) = (Arc::default(), Arc::default(), Arc::default());
        let mut clients = Self { told, answered, stop, threads: Vec::new() };
        for client in 0..CLIENTS {
            let (urls, told) = (Arc::clone(urls), Arc::clone(&clients.told));
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

    fn stop(self) -> Told {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("no client was told a contradiction");
        }
        std::mem::take(&mut *self.told.lock().expect("no client panicked"))
    }
}

fn register(client: usize, urls: &Urls, told: &Mutex<Told>, answered: &AtomicUsize, stop: &AtomicBool) {
    let runtime = Runtime::new().expect("threads can be started");
    let http = reqwest::Client::builder().timeout(CLIENT_TIMEOUT).build().expect("a client can be made");
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let subject = format!("shared-{}-value", number % 3);
        // Every other name is asked for by two clients, at different replicas.
        let owner = if number % 2 == 0 { client } else { client / 2 };
        let name = format!("R{owner}n{number}");
        let url = {
            let urls = urls.lock().expect("nobody panics while holding it");
            urls[(client + number) % urls.len()].clone()
        };
        let request = http.post(format!("{url}/subjects/{subject}/versions"));
        let request = request.body(json!({ "schema": schema(&name) }).to_string());
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

fn schema(name: &str) -> String {
    json!({"type": "record", "name": name, "fields": [{"name": "id", "type": "string"}]}).to_string()
}

/// What is done to the replicas, one round after another.
struct Trouble<'a> {
    world: &'a World,
    replicas: Vec<Replica>,
    urls: Urls,
    dice: Dice,
}

impl<'a> Trouble<'a> {
    fn start(world: &'a World) -> Self {
        let replicas: Vec<Replica> = (0..REPLICAS).map(|_| Replica::start(world)).collect();
        let urls = Arc::new(Mutex::new(replicas.iter().map(|replica| replica.url.clone()).collect()));
        Self { world, replicas, urls, dice: Dice::new() }
    }

    /// The log's writer, most likely, or any other replica: whoever it is may not be missed.
    fn round(&mut self, clients: &Clients) {
        let (victim, other) = (self.dice.below(REPLICAS), self.dice.below(REPLICAS));
        let kind = self.dice.below(4);
        eprintln!("round: {} to replica {victim}", ["freeze", "kill", "stop", "freeze and kill another"][kind]);
        match kind {
            0 => self.frozen(victim, clients, |_| {}),
            1 => self.ended(victim, clients, Signal::KILL),
            2 => self.ended(victim, clients, Signal::TERM),
            _ => {
                let other = if other == victim { (victim + 1) % REPLICAS } else { other };
                self.frozen(victim, clients, |trouble| trouble.ended(other, clients, Signal::KILL));
            }
        }
        clients.go_on(10);
    }

    /// Freezes a replica until others have gone on without it; it wakes up as what it was.
    fn frozen(&mut self, victim: usize, clients: &Clients, meanwhile: impl FnOnce(&mut Self)) {
        self.replicas[victim].process.signal(Signal::STOP);
        clients.go_on(10);
        meanwhile(self);
        self.replicas[victim].process.signal(Signal::CONT);
    }

    /// Ends a replica, and starts one in its place when others have gone on without it.
    fn ended(&mut self, victim: usize, clients: &Clients, signal: Signal) {
        self.replicas[victim].process.signal(signal);
        self.replicas[victim].process.wait();
        clients.go_on(10);
        self.replicas[victim] = Replica::start(self.world);
        let url = self.replicas[victim].url.clone();
        self.urls.lock().expect("nobody panics while holding it")[victim] = url;
    }
}

#[test]
fn no_id_or_version_is_given_twice_though_writers_are_killed_and_frozen() {
    let world = World::start();
    let runtime = Runtime::new().expect("threads can be started");
    eventually("any schema may follow any other", PATIENCE, || {
        let body = json!({ "compatibility": "NONE" }).to_string();
        let asked = reqwest::Client::new().put(format!("{}/config", world.registry_url)).body(body).send();
        let answer = runtime.block_on(asked).ok()?;
        answer.status().is_success().then_some(())
    });
    let mut trouble = Trouble::start(&world);
    let clients = Clients::start(&trouble.urls);
    clients.go_on(20);
    for _ in 0..ROUNDS {
        trouble.round(&clients);
    }
    let told = clients.stop();
    assert!(told.by_id.len() >= ROUNDS * 10, "{}", told.by_id.len());
    for replica in &trouble.replicas {
        has_read_its_log(&replica.url, &runtime);
        runtime.block_on(knows(&replica.url, &told));
    }
}

/// A replica that was started last may still be reading, and says so; nobody but it is asked.
fn has_read_its_log(url: &str, runtime: &Runtime) {
    eventually("the replica has read its log", PATIENCE, || {
        let asked = reqwest::Client::new().get(format!("{url}/subjects")).send();
        match runtime.block_on(asked).map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

/// Every replica has all that any client was ever told, and one meaning for each id and version.
async fn knows(url: &str, told: &Told) {
    let http = reqwest::Client::new();
    let get = async |path: String| {
        let answer = http.get(format!("{url}{path}")).send().await.expect("the replica answers");
        let status = answer.status();
        let text = answer.text().await.expect("it answers in full");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str::<Value>(&text).expect("it answers in JSON")
    };
    for (id, name) in &told.by_id {
        assert_eq!(get(format!("/schemas/ids/{id}")).await["schema"], schema(name), "id {id}");
    }
    for ((subject, version), name) in &told.by_version {
        assert_eq!(get(format!("/subjects/{subject}/versions/{version}")).await["schema"], schema(name));
    }
    let all = get("/schemas".to_owned()).await;
    let mut meanings: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for version in all.as_array().expect("a list") {
        let id = version["id"].as_u64().expect("an id");
        meanings.entry(id).or_default().insert(version["schema"].to_string());
    }
    assert!(meanings.len() >= told.by_id.len());
    assert!(meanings.values().all(|schemas| schemas.len() == 1), "{meanings:?}");
}
