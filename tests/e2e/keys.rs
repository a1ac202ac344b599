//! Root secrets on the command line: a key file made, rotated and listed; and the same secrets from Vault.

use crate::support::{Finished, mesh, repository};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

const USAGE: i32 = 2;
const TOKEN: &str = "hvs.hunter2";

fn keys(command: &str, file: &Path) -> Finished {
    Finished::of(mesh(["keys", command, "--format", "json", "--keys"]).arg(file))
}

/// What the default view shows of a customer's e-mail address, given where the keys are.
fn shown(given: &[&str], environment: &[(&str, &str)]) -> Finished {
    let contract = repository().join("topics/crm/customers.yaml");
    let mut command: Command = mesh(["mask", "--encoding", "hex", "--view", "masked"]);
    command.args(given).arg("--contract").arg(contract).arg("--root").arg(repository());
    command.envs(environment.iter().copied());
    // an e-mail address alone, in a schema with that one column
    let schema = json!({ "type": "record", "name": "Customer", "namespace": "crm", "fields": [{ "name": "email", "type": "string" }] });
    let line = json!({ "id": 1, "schema": schema, "payload_hex": "1061406263642e6566" });
    Finished::given(&mut command, &format!("{line}\n"))
}

fn masked(finished: Finished) -> String {
    let line = finished.expect(0).json_lines().remove(0);
    line["payload_hex"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn a_key_file_is_made_rotated_and_listed_and_shows_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("keys.json");
    let versions = |finished: Finished| finished.expect(0).json_lines().remove(0)["versions"].clone();
    assert_eq!(versions(keys("generate", &file)), json!([1]));
    keys("generate", &file).expect(USAGE);
    let path = file.to_str().expect("temporary folders are UTF-8");
    let before = masked(shown(&["--keys", path], &[]));
    assert_eq!(versions(keys("rotate", &file)), json!([1, 2]));
    assert_eq!(versions(keys("list", &file)), json!([1, 2]));
    assert_ne!(masked(shown(&["--keys", path], &[])), before, "the newest version masks");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("ours")).expect("JSON");
    let secret = document["roots"][1]["secret"].as_str().expect("base64").to_owned();
    for command in ["list", "rotate"] {
        let said = keys(command, &file);
        assert!(!said.stdout.contains(&secret) && !said.stderr.contains(&secret));
    }
}

#[test]
fn vaults_secrets_mask_as_the_same_ones_of_a_file() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("keys.json");
    keys("generate", &file).expect(0);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("ours")).expect("JSON");
    let address = vault(document["roots"][0]["secret"].as_str().expect("base64").to_owned());
    let expected = masked(shown(&["--keys", file.to_str().expect("temporary folders are UTF-8")], &[]));

    let given = ["--vault-keys", "secret/mesh/roots"];
    assert_eq!(masked(shown(&given, &[("VAULT_ADDR", &address), ("VAULT_TOKEN", TOKEN)])), expected);
    let refused = shown(&given, &[("VAULT_ADDR", &address), ("VAULT_TOKEN", "hvs.wrong")]).expect(USAGE);
    assert!(refused.stderr.contains("refuses the token") && !refused.stderr.contains("hvs."), "{}", refused.stderr);
    let unnamed = shown(&given, &[("VAULT_TOKEN", TOKEN)]).expect(USAGE);
    assert!(unnamed.stderr.contains("VAULT_ADDR"), "{}", unnamed.stderr);
    let clear = shown(&given, &[("VAULT_ADDR", "http://vault.example.org:8200"), ("VAULT_TOKEN", TOKEN)]).expect(USAGE);
    assert!(clear.stderr.contains("in clear"), "{}", clear.stderr);
}

/// A server that answers as a KV engine does, for as long as the test runs.
fn vault(secret: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let secret = secret.clone();
            thread::spawn(move || answer(stream, &secret));
        }
    });
    address
}

fn answer(stream: TcpStream, secret: &str) {
    let lines: Vec<String> =
        BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let token = format!("x-vault-token: {TOKEN}");
    let path = lines.first().map_or("", |request| request.split(' ').nth(1).unwrap_or(""));
    let (status, body) = match path {
        _ if !lines.iter().any(|line| line.eq_ignore_ascii_case(&token)) => {
            ("403 Forbidden", json!({ "errors": ["hvs."] }))
        }
        "/v1/secret/metadata/mesh/roots" => {
            ("200 OK", json!({ "data": { "versions": { "1": { "deletion_time": "", "destroyed": false } } } }))
        }
        "/v1/secret/data/mesh/roots?version=1" => ("200 OK", json!({ "data": { "data": { "secret": secret } } })),
        _ => ("404 Not Found", json!({ "errors": [] })),
    };
    let body = body.to_string();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    // whoever asked may have gone
    let _ = (&stream).write_all(answer.as_bytes());
}
