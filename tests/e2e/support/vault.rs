//! A server that answers as Vault's KV (version 2) and transit engines do, for as long as the test runs.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The token that is let in.
pub const VAULT_TOKEN: &str = "hvs.hunter2";

/// A running server.
pub struct Vault {
    pub port: u16,
}

impl Vault {
    /// Serves a KV secret, `secret/mesh/roots`, of this one version, and any key of a transit engine.
    pub fn start(secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shelf = Arc::new(Shelf { secret: secret.to_owned(), data_keys: Mutex::default() });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shelf = shelf.clone();
                thread::spawn(move || shelf.serve(&stream));
            }
        });
        Self { port }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

struct Shelf {
    secret: String,
    /// In clear; each is wrapped as its place.
    data_keys: Mutex<Vec<String>>,
}

impl Shelf {
    /// Answers one request.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let head: Vec<String> =
            reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let header = |name: &str| {
            let named = |line: &&String| line.split_once(':').is_some_and(|(of, _)| of.eq_ignore_ascii_case(name));
            head.iter().find(named).and_then(|line| Some(line.split_once(':')?.1.trim().to_owned()))
        };
        let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let path = head.first().and_then(|request| request.split(' ').nth(1)).unwrap_or("");
        let (status, answer) = match header("x-vault-token") {
            Some(token) if token == VAULT_TOKEN => {
                self.answer(path, &serde_json::from_slice(&body).unwrap_or_default())
            }
            _ => ("403 Forbidden", json!({ "errors": ["hvs."] })),
        };
        let answer = answer.to_string();
        let text =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}", answer.len());
        // whoever asked may have gone
        let _ = { stream }.write_all(text.as_bytes());
    }

    fn answer(&self, path: &str, asked: &Value) -> (&'static str, Value) {
        let mut data_keys = self.data_keys.lock().expect("nobody panics with it");
        let operation = path.strip_prefix("/v1/transit/").and_then(|rest| rest.rsplit_once('/'));
        match (path, operation.map(|(operation, _)| operation)) {
            ("/v1/secret/metadata/mesh/roots", _) => {
                ("200 OK", json!({ "data": { "versions": { "1": { "deletion_time": "", "destroyed": false } } } }))
            }
            ("/v1/secret/data/mesh/roots?version=1", _) => {
                ("200 OK", json!({ "data": { "data": { "secret": self.secret } } }))
            }
            (_, Some("datakey/plaintext")) => {
                // base64 of 32 bytes, another each time
                let plaintext = format!("{:A>42}Q=", data_keys.len());
                data_keys.push(plaintext.clone());
                let ciphertext = format!("vault:v1:{}", data_keys.len() - 1);
                ("200 OK", json!({ "data": { "plaintext": plaintext, "ciphertext": ciphertext } }))
            }
            (_, Some("decrypt")) => {
                let place = asked["ciphertext"].as_str().and_then(|text| text.strip_prefix("vault:v1:")?.parse().ok());
                match place.and_then(|place: usize| data_keys.get(place)) {
                    Some(plaintext) => ("200 OK", json!({ "data": { "plaintext": plaintext } })),
                    None => ("400 Bad Request", json!({ "errors": [] })),
                }
            }
            _ => ("404 Not Found", json!({ "errors": [] })),
        }
    }
}
