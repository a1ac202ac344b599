//! The cast: a world whose products promise seconds, the service, Prometheus, Alertmanager, a receiver.

use crate::support::{Finished, PATIENCE, Process, Python, Tree, World, eventually, repository};
use mesh_kafka::embedded::Options;
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEEDED: &str = "install Debian's packages prometheus and prometheus-alertmanager";

pub struct Stage {
    // in this order: who asks ends before who is asked
    _prometheus: Process,
    _alertmanager: Process,
    freshness: Option<Process>,
    _masking: Process,
    receiver: Process,
    pub world: World,
    http_port: u16,
    runtime: Runtime,
    data: TempDir,
}

impl Stage {
    /// Everybody in place; the products have no data yet.
    pub fn set() -> Self {
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let kafka = Options { data: Some(data.path().to_owned()), port: Some(free_port()), ..Options::default() };
        let world = World::start_on(kafka);
        promise_seconds(&world.tree);
        world.run(["apply"]).expect(0);
        let mut receiver = Process::start(Python::environment().command("webhook_receiver.py").arg(SECRET));
        let line = receiver.line("the receiver says where it listens", |line| line.contains("port"));
        let line: Value = serde_json::from_str(&line).expect("one JSON object a line");
        let receiver_url = format!("http://127.0.0.1:{}", line["port"]);
        write_webhooks(&world, &receiver_url);
        let (http_port, alertmanager_port) = (free_port(), free_port());
        let mut stage = Self {
            _prometheus: start_prometheus(&world, http_port, alertmanager_port),
            _alertmanager: start_alertmanager(&world, alertmanager_port, &receiver_url),
            freshness: None,
            _masking: Process::start(&mut world.mesh(["run", "masking"])),
            receiver,
            world,
            http_port,
            runtime: Runtime::new().expect("threads can be started"),
            data,
        };
        stage.start_freshness();
        stage
    }

    pub fn start_freshness(&mut self) {
        let mut command = self.world.mesh(["run", "freshness", "--freshness-interval", "1", "--freshness-settle", "5"]);
        command
            .args(["--http-port", &self.http_port.to_string(), "--webhooks"])
            .arg(self.world.scratch("webhooks.json"));
        self.freshness = Some(Process::start(&mut command));
    }

    /// As a crash would end it.
    pub fn kill_freshness(&mut self) {
        self.freshness.take().expect("it runs").kill();
    }

    pub fn restart_kafka(&mut self) {
        self.world.restart_kafka(self.data.path());
    }

    pub fn publish_order(&self) {
        self.publish("crm.orders", json!({
            "order_id": "O1", "customer_id": "C1", "ordered_at": "2024-01-01T00:00:00Z", "quantity": 1, "amount": "1.00",
            "updated_at": "2024-01-01T00:00:00Z",
        }));
    }

    pub fn publish_customer(&self) {
        self.publish("crm.customers", customer());
    }

    pub fn publish_page_view(&self) {
        self.publish_viewed_at(&now());
    }

    /// Page views of long ago, as a replay has them.
    pub fn replay_page_views(&self) {
        ["2001-01-01T00:00:00Z", "2011-01-01T00:00:00Z"].iter().for_each(|viewed_at| self.publish_viewed_at(viewed_at));
    }

    fn publish_viewed_at(&self, viewed_at: &str) {
        self.publish("web.page_views", json!({
            "view_id": viewed_at, "session_id": "S1", "visitor_email": null, "event": "product_view", "platform": "mobile",
            "acquisition_channel": "organic", "viewed_at": viewed_at,
        }));
    }

    fn publish(&self, product: &str, event: Value) {
        Finished::given(&mut self.world.mesh(["publish", product]), &event.to_string()).expect(0);
    }

    /// A producer that is alive and has nothing new, for as long as this lives.
    pub fn beat(&self, product: &str) -> Process {
        Process::start(&mut self.world.mesh(["heartbeat", product, "--every", "1s"]))
    }

    /// Whether `mesh status` says that these are.
    pub fn are_fresh(&self, products: &[&str]) -> Option<()> {
        let status = self.world.run(["status", "--format", "json"]);
        let rows: Value = serde_json::from_str(&status.stdout).ok()?;
        let rows = rows.as_array()?;
        let is_fresh = |product: &&str| rows.iter().any(|row| row["product"] == **product && row["state"] == "fresh");
        products.iter().all(is_fresh).then_some(())
    }

    /// What the receiver took, in order.
    pub fn said(&self) -> Vec<Value> {
        self.receiver.stdout().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The alerts that reached crm's pager in this status.
    pub fn pages(&self, status: &str) -> Vec<Value> {
        let said = self.said();
        let pages = said.iter().filter(|line| line["receiver"] == "crm-page");
        let alerts = pages.flat_map(|line| line["alerts"].as_array().cloned().unwrap_or_default());
        alerts.filter(|alert| alert["status"] == status).collect()
    }

    /// What the service tells Prometheus.
    pub fn metrics(&self) -> String {
        let url = format!("http://127.0.0.1:{}/metrics", self.http_port);
        eventually("the service tells its metrics", PATIENCE, || {
            self.runtime.block_on(async { reqwest::get(&url).await.ok()?.text().await.ok() })
        })
    }
}

fn customer() -> Value {
    let now = now();
    json!({
        "customer_id": "C1", "full_name": "Ada Lovelace", "email": "ada@example.org", "phone": null, "birth_date": "1990-01-01",
        "address": { "street": "High Street 1", "city": "London", "postcode": "N1", "country": "GB" }, "contacts": [],
        "segment": "LOYAL", "marketing_consent": true, "registered_at": now, "updated_at": now,
    })
}

/// To the millisecond, as fine as the schemas are.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Orders stop, customers are idle, page views are replayed; a page for each of them would come within seconds.
fn promise_seconds(tree: &Tree) {
    let strict = "objective: 99.99 %, over: 30 days";
    tree.replace(
        "topics/crm/orders.yaml",
        "refresh_rate: hour",
        &format!("refresh_rate: {{ every: 20 seconds, {strict} }}"),
    );
    let customers = "{ every: hour, event_time: updated_at, objective: 99.5 %, over: 30 days }";
    tree.replace(
        "topics/crm/customers.yaml",
        customers,
        &format!("{{ every: 30 seconds, event_time: updated_at, {strict} }}"),
    );
    let views = "{ every: day, event_time: viewed_at }";
    tree.replace("topics/web/page_views.yaml", views, &format!("{{ every: hour, event_time: viewed_at, {strict} }}"));
}

fn write_webhooks(world: &World, receiver: &str) {
    let path = world.scratch("webhooks.json");
    let targets = json!({ "targets": [{ "name": "all", "url": format!("{receiver}/mesh"), "secrets": [SECRET] }] });
    fs::write(&path, targets.to_string()).expect("the folder is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
}

/// Prometheus with the rules of this world's contracts, looking once a second.
fn start_prometheus(world: &World, http_port: u16, alertmanager_port: u16) -> Process {
    let folder = made(world.scratch("prometheus"));
    let rules = world.run(["freshness", "rules"]).expect(0).stdout;
    fs::write(folder.join("freshness.yml"), rules).expect("the folder is ours");
    let config = json!({
        "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
        "rule_files": ["freshness.yml"],
        "alerting": { "alertmanagers": [{ "static_configs": [{ "targets": [format!("127.0.0.1:{alertmanager_port}")] }] }] },
        "scrape_configs": [{ "job_name": "mesh", "static_configs": [{ "targets": [format!("127.0.0.1:{http_port}")] }] }],
    });
    fs::write(folder.join("prometheus.yml"), config.to_string()).expect("the folder is ours");
    let mut command = needed("prometheus");
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    Process::start(command.arg(format!("--web.listen-address=127.0.0.1:{}", free_port())))
}

/// Alertmanager as `deploy/` has it, but for the addresses of its receivers and its patience.
fn start_alertmanager(world: &World, port: u16, receiver: &str) -> Process {
    let folder = made(world.scratch("alertmanager"));
    let config = fs::read_to_string(repository().join("deploy/alertmanager/alertmanager.yml")).expect("it is there");
    let mut here = String::new();
    for line in config.lines() {
        let name = line.split("name: ").nth(1).and_then(|rest| rest.split(',').next());
        let line = match (name, line.split('"').nth(1)) {
            (Some(name), Some(url)) => line.replace(url, &format!("{receiver}/alertmanager/{name}")),
            _ => line.replace("group_interval: 1m", "group_interval: 1s").replace("group_wait: 30s", "group_wait: 1s"),
        };
        here.extend([line.as_str(), "\n"]);
    }
    assert!(here.contains("/alertmanager/crm-page") && here.contains("group_interval: 1s"), "{here}");
    fs::write(folder.join("alertmanager.yml"), here).expect("the folder is ours");
    let mut command = needed("prometheus-alertmanager");
    command.arg(format!("--config.file={}", folder.join("alertmanager.yml").display()));
    command.arg(format!("--storage.path={}", folder.join("data").display())).arg("--cluster.listen-address=");
    Process::start(command.arg(format!("--web.listen-address=127.0.0.1:{port}")))
}

/// A program that may not be installed.
fn needed(program: &str) -> Command {
    let there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(there.is_ok_and(|status| status.success()), "{program} is needed: {NEEDED}");
    Command::new(program)
}

fn made(folder: PathBuf) -> PathBuf {
    fs::create_dir_all(&folder).expect("the folder is ours");
    folder
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}
