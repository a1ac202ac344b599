//! The secured backbone of `docker-compose.secure.yml`, without Docker: the files as Compose reads them; then every process with the
//! arguments, variables, files and order that they say, on this machine's loopback.

mod machine;
mod project;

use crate::support::{Finished, Loader, PATIENCE, Process, eventually, mesh, repository};
use machine::Machine;
use mesh_kafka::admin::Admin;
use mesh_kafka::secure::SecureFolder;
use project::{Project, Service};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use tokio::runtime::Runtime;

/// What every service that is served over HTTPS shares with the others, and no secret of one alone.
const SHARED: [&str; 3] = ["authority", "access", "mesh_keys"];

#[test]
fn each_secured_service_is_itself_and_has_nobody_elses_secrets() {
    let project = Project::secured();
    let services = project.services();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in services.iter().filter(|(_, service)| service.is_mesh()) {
        for secret in service.secrets().into_iter().filter(|secret| !SHARED.contains(secret)) {
            let before = owners.insert(secret, name);
            assert_eq!(before, None, "{secret} is of {name}, too");
        }
        let user =
            service.mounts().get(Path::new("/run/secrets/kafka")).map(|file| file.file_name().map(|it| it.to_owned()));
        let own = format!("mesh-{name}.properties");
        match name.as_str() {
            "admit" | "secrets" => assert_eq!(user, None, "{name} is the operator, by certificate"),
            _ => assert_eq!(user.flatten().as_deref(), Some(own.as_ref()), "{name}"),
        }
        let masks = name.starts_with("masking-");
        assert_eq!(service.secrets().contains(&"mesh_keys"), masks || name == "audit", "{name}");
    }
}

#[test]
fn secured_services_wait_until_they_are_let_in_and_variables_are_known() {
    let project = Project::secured();
    let services = project.services();
    for (name, service) in services.iter().filter(|(_, service)| service.is_mesh()) {
        let waits = service.waits_for();
        match name.as_str() {
            "secrets" => assert_eq!(waits, BTreeMap::new(), "nothing starts without them"),
            "admit" => assert_eq!(waits, BTreeMap::from([("kafka", "service_healthy")])),
            _ => assert_eq!(waits.get("admit"), Some(&"service_completed_successfully"), "{name}"),
        }
        let asks_registry = service.environment().contains_key("MESH_REGISTRY_CREDENTIALS");
        assert_eq!(waits.contains_key("registry"), asks_registry && name != "registry", "{name}");
        known(service);
    }
    let scraped =
        fs::read_to_string(project.root().join("deploy/prometheus/prometheus.secure.yml")).expect("it is there");
    for (name, _) in services.iter().filter(|(_, service)| service.is_mesh() && service.goes_on()) {
        assert!(scraped.contains(&format!("{name}:8080")), "{name} is not scraped");
    }
}

/// Each of its variables is one that its command takes.
fn known(service: &Service<'_>) {
    let words = service.command().into_iter().take_while(|word| !word.starts_with('-') && !word.contains('/')).take(2);
    let words: Vec<&str> = words.filter(|word| ["run", "apply", "secure", "init", "admit"].contains(word)).collect();
    let help = Finished::of(mesh(&words).arg("--help")).expect(0).stdout;
    for name in service.environment().into_keys() {
        assert!(help.contains(name), "{}: `mesh {}` knows no {name}", service.name, words.join(" "));
    }
}

#[test]
fn tokens_open_what_the_contracts_say() {
    let project = Project::secured();
    Machine::of(&project).run("secrets").expect(0);
    let mut list = mesh(["credentials", "list", "--access"]);
    let listed = Finished::of(list.arg(project.root().join(".mesh/secure/access.json"))).expect(0);
    insta::assert_snapshot!(listed.stdout, @r"
    ana: token; reads crm.customers.v1-key, crm.customers.v1-value, crm.orders.v1-key, crm.orders.v1-value, upselling.offers.v1-key, upselling.offers.v1-value, web.page_views.v1-key, web.page_views.v1-value; writes nothing
    carl: token; reads upselling.offers.v1-key, upselling.offers.v1-value; writes nothing
    crm-service: token; reads crm.customers.v1.in-key, crm.customers.v1.in-value, crm.orders.v1.in-key, crm.orders.v1.in-value; writes nothing
    mesh-apply: token; reads nothing; writes crm., upselling., web.
    mesh-masking-crm: token; reads *; writes crm.
    mesh-masking-upselling: token; reads *; writes upselling.
    mesh-masking-web: token; reads *; writes web.
    mesh-operator: token; reads nothing; writes *
    mesh-plan: token; reads crm., upselling., web.; writes nothing
    mesh-registry: token; reads nothing; writes *
    prometheus: token; reads metrics; writes nothing
    stan: token; reads crm.customers.v1.quarantine-key, crm.customers.v1.quarantine-value, crm.customers.v1.stewards-key, crm.customers.v1.stewards-value; writes nothing
    sue: token; reads crm.customers.v1.support-key, crm.customers.v1.support-value; writes nothing
    upselling-offers: token; reads crm.customers.v1-key, crm.customers.v1-value, crm.orders.v1-key, crm.orders.v1-value, upselling.offers.v1-key, upselling.offers.v1-value, upselling.offers.v1.in-key, upselling.offers.v1.in-value, web.page_views.v1-key, web.page_views.v1-value; writes nothing
    web-tracker: token; reads web.page_views.v1.in-key, web.page_views.v1.in-value; writes nothing
    ");
}

/// The probe of containers that have no certificate: ready, not ready, not there.
#[test]
fn the_probe_tells_ready_from_not() {
    let probe =
        |port: u16| Finished::of(Command::new(repository().join("deploy/docker/healthy")).arg(port.to_string()));
    for (status, code) in [("200 OK", 0), ("503 Service Unavailable", 1)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let port = listener.local_addr().expect("it is bound").port();
        let answering = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("the probe comes");
            let mut asked = BufReader::new(stream);
            let mut lines = asked.by_ref().lines().map(|line| line.expect("it asks"));
            let line = lines.next().expect("it asks");
            assert!(lines.any(|line| line.is_empty()), "the request has an end");
            let answer = format!("HTTP/1.0 {status}\r\n\r\n");
            asked.get_mut().write_all(answer.as_bytes()).expect("it listens");
            line
        });
        assert_eq!(probe(port).code, code, "{status}");
        assert_eq!(answering.join().expect("it has answered"), "GET /readyz HTTP/1.0");
    }
}

#[test]
fn the_open_files_are_such_as_compose_takes() {
    let loaded = Loader::run(Loader::command().arg("docker-compose.yml").current_dir(repository()));
    let project: Value = serde_json::from_str(&loaded).expect("one JSON object");
    assert_eq!(project["name"], "mesh", "its volumes are not those of the secured one");
}

/// Everything that the head of the file says to do, in that order.
#[test]
fn the_secured_backbone_starts_as_the_compose_files_say() {
    let project = Project::secured();
    let machine = Machine::of(&project);
    Finished::of(&mut Command::new(project.root().join("deploy/docker/make-keys"))).expect(0);
    let made = machine.run("secrets").expect(0);
    private(&project);
    let mut kafka = machine.start_kafka();
    machine.kafka_healthy(&mut kafka);

    comes_too_early(&machine);
    let admitted = machine.run("admit").expect(0);
    assert!(admitted.stdout.contains("the registry can start"), "{}", admitted.stdout);
    let mut running: BTreeMap<String, Process> = BTreeMap::new();
    let services = project.services();
    let waiting = services.values().filter(|service| service.is_mesh() && service.goes_on());
    let (first, last): (Vec<_>, Vec<_>) = waiting.partition(|service| !service.waits_for().contains_key("registry"));
    for stage in [first, last] {
        let mut started: Vec<_> =
            stage.iter().map(|service| (service.name.clone(), machine.start(&service.name))).collect();
        started.iter_mut().for_each(|(name, process)| machine.healthy(name, process));
        running.extend(started);
    }
    let applied = machine.run("apply").expect(0);
    assert!(applied.stdout.contains("crm.customers"), "{}", applied.stdout);
    let again = machine.run("apply").expect(0);
    assert!(again.stdout.contains("nothing to change"), "{}", again.stdout);
    let again = machine.run("admit").expect(0);
    assert!(again.stdout.contains(" 0 rules were missing"), "{}", again.stdout);

    products_flow(&machine);
    who_is_denied_is_on_record(&machine);
    prometheus_sees_all(&machine);
    let before = renewed(&machine);

    for (name, process) in &mut running {
        process.signal(rustix::process::Signal::TERM);
        assert_eq!(process.wait(), 0, "{name}: {}", process.stderr());
    }
    let said = running.values().flat_map(|process| [process.stdout(), process.stderr()]);
    let said: Vec<String> = said.chain([made.stdout, made.stderr, kafka.stdout()]).collect();
    for secret in before {
        assert!(said.iter().all(|text| !text.contains(&secret)), "a secret is shown");
    }
}

/// A registry that nobody knows yet, and one that is known and allowed nothing, as on a cluster whose users are made in some other way:
/// each says what is missing, and Compose starts it anew.
fn comes_too_early(machine: &Machine<'_>) {
    let unknown = machine.run("registry").expect(4);
    assert!(unknown.stderr.contains("hint:"), "{unknown:?}");
    let secure = machine.project.root().join(".mesh/secure");
    let mut users = SecureFolder::users(&secure).expect("they were made").into_iter();
    let itself = users.find(|user| user.name == "mesh-registry").expect("it is one of them");
    let address = format!("{}:19093", machine.address("kafka"));
    let operator = SecureFolder::by_certificate(&secure, "operator.pem", &address);
    let runtime = Runtime::new().expect("threads can be started");
    let told = Admin::new(&operator).expect("the settings are right");
    runtime.block_on(told.set_password(&itself.name, itself.password())).expect("the operator may");
    eventually("the registry is known, and told what is missing", PATIENCE, || {
        let early = machine.run("registry").expect(4);
        if early.stderr.contains("mesh secure admit") { Ok(()) } else { Err(early) }
    });
}

/// All that was made is its owner's alone, and every secret of a service is there.
fn private(project: &Project) {
    for (name, service) in project.services() {
        for file in service.mounts().into_iter().filter(|(target, _)| target.starts_with("/run/secrets")).map(|it| it.1)
        {
            let mode = fs::metadata(&file).unwrap_or_else(|error| panic!("{name}: {}: {error}", file.display()));
            assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{}", file.display());
        }
    }
    let folder = fs::metadata(project.root().join(".mesh/secure")).expect("it was made");
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

/// A command of somebody on this machine, by the files that were made for them.
fn outside(machine: &Machine<'_>, user: &str, words: &[&str]) -> Command {
    let secure = machine.project.root().join(".mesh/secure");
    let mut command = mesh(words);
    command.arg("--root").arg(machine.project.root());
    command.arg("--kafka-config").arg(secure.join(format!("clients/{user}.properties")));
    command.args(["--registry-url", &format!("https://{}:8081", machine.address("registry"))]);
    command.arg("--registry-ca").arg(secure.join("ca.pem"));
    command.arg("--registry-credentials").arg(secure.join(format!("tokens/{user}.json")));
    command
}

/// A producer publishes and a reader reads, each as itself and with no other right.
fn products_flow(machine: &Machine<'_>) {
    let times = r#""ordered_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z""#;
    let order = format!(r#"{{"order_id": "o-1", "customer_id": "c-1", "quantity": 1, "amount": "12.50", {times}}}"#);
    Finished::given(&mut outside(machine, "crm-service", &["publish", "crm.orders"]), &order).expect(0);
    eventually("an analyst reads the order", PATIENCE, || {
        let read = Finished::of(&mut outside(machine, "ana", &["subscribe", "crm.orders", "--until-end"])).expect(0);
        if read.stdout.contains("o-1") { Ok(()) } else { Err(read) }
    });
}

fn who_is_denied_is_on_record(machine: &Machine<'_>) {
    let stewards = ["subscribe", "crm.customers", "--view", "stewards", "--until-end"];
    Finished::of(&mut outside(machine, "ana", &stewards)).expect(4);
    let asked = ["audit", "query", "--what", "access-denied", "--principal", "ana", "--format", "json"];
    eventually("the denial is on record", PATIENCE, || {
        let found = Finished::of(&mut outside(machine, "mesh-operator", &asked)).expect(0);
        let named = found.stdout.contains("crm.customers.v1.stewards");
        if named { Ok(()) } else { Err(found) }
    });
}

/// A real Prometheus with the settings that are mounted, until every service is up.
fn prometheus_sees_all(machine: &Machine<'_>) {
    let service = machine.project.service("prometheus");
    let folder = machine.here(&service, "/etc/prometheus");
    let settings = machine.file(&service, &format!("{folder}/prometheus.secure.yml"));
    for rules in ["alerts.yml", "freshness.yml"] {
        fs::copy(format!("{folder}/{rules}"), settings.with_file_name(rules)).expect("it is mounted");
    }
    // another one may listen at 9090 of all addresses
    let free = TcpListener::bind((machine.address("prometheus"), 0)).and_then(|listener| listener.local_addr());
    let address = free.expect("loopback has ports");
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", settings.display()));
    command.arg(format!("--storage.tsdb.path={}", settings.with_file_name("prometheus").display()));
    let mut prometheus = Process::start(command.arg(format!("--web.listen-address={address}")));
    let wanted = machine.project.services();
    let wanted: BTreeSet<String> = wanted
        .values()
        .filter(|service| service.is_mesh() && service.goes_on())
        .map(|service| format!("{}:8080", machine.address(&service.name)))
        .collect();
    eventually("every service is scraped", PATIENCE, || {
        assert_eq!(prometheus.ended(), None, "{}", prometheus.stderr());
        let asked = format!("http://{address}/api/v1/query?query=up");
        // it says otherwise that it is not ready
        let said = answer(&asked).and_then(|said| serde_json::from_str::<Value>(&said).map_err(|_| said));
        let said = said.map_err(|said| (said, BTreeSet::new()))?;
        let up = said["data"]["result"].as_array().into_iter().flatten().filter(|one| one["value"][1] == "1");
        let up: BTreeSet<String> =
            up.map(|one| one["metric"]["instance"].as_str().expect("it has one").to_owned()).collect();
        if up == wanted { Ok(()) } else { Err((said.to_string(), up)) }
    });
}

fn answer(url: &str) -> Result<String, String> {
    let runtime = Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let answer = reqwest::get(url).await.map_err(|error| error.to_string())?;
        answer.text().await.map_err(|error| error.to_string())
    })
}

/// Certificates are made anew and taken while the services run; passwords and tokens stay. All of these, as text.
fn renewed(machine: &Machine<'_>) -> Vec<String> {
    let secure = machine.project.root().join(".mesh/secure");
    let read = |file: &str| fs::read_to_string(secure.join(file)).expect("it was made");
    let kept =
        ["ca.pem", "ca.key", "access.json", "clients/ana.properties", "tokens/ana.token", "tokens/prometheus.token"];
    let (before, certificate) = (kept.map(read), read("http/registry.crt"));
    machine.run("secrets").expect(0);
    assert_eq!(kept.map(read), before);
    assert_ne!(read("http/registry.crt"), certificate);
    Finished::of(&mut outside(machine, "ana", &["products"])).expect(0);
    let password = before[3].lines().find_map(|line| line.strip_prefix("sasl.password=")).expect("there is one");
    vec![password.to_owned(), before[4].clone(), before[5].clone()]
}
