//! An OpenLineage back end that keeps what it is told.

use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Takes events at `POST /api/v1/lineage`, compressed or not, from who has the key.
pub struct Collector {
    url: String,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    /// Starts one; it ends with the test's process.
    pub fn start(key: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let events = Arc::<Mutex<Vec<Value>>>::default();
        let (kept, key) = (Arc::clone(&events), key.to_owned());
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (kept, key) = (Arc::clone(&kept), key.clone());
                thread::spawn(move || while take(&connection, &kept, &key).is_some() {});
            }
        });
        Self { url, events }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it was told, in order.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().expect("nobody panics with it").clone()
    }
}

/// Takes one request of a connection; none once it is over.
fn take(mut connection: &TcpStream, kept: &Mutex<Vec<Value>>, key: &str) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let header = |name: &str| lower.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let is_let_in = header("authorization") == Some(&*format!("bearer {key}"));
    let text = match header("content-encoding") {
        Some("gzip") => std::io::read_to_string(GzDecoder::new(&*body)).ok()?,
        _ => String::from_utf8(body).ok()?,
    };
    let answer = match (head.starts_with("POST /api/v1/lineage HTTP/1.1\r\n") && is_let_in, serde_json::from_str(&text))
    {
        (true, Ok(event)) => {
            kept.lock().expect("nobody panics with it").push(event);
            "201 Created"
        }
        _ => "400 Bad Request",
    };
    write!(connection, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").ok()
}
