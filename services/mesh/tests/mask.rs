//! `mesh mask` as people and scripts use it: input, output, exit codes.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use apache_avro::{Codec, DeflateSettings, Schema, Writer, types::Value as Avro};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{"type":"record","name":"Customer","fields":[
    {"name":"customer_id","type":"string"},{"name":"email","type":"string"},
    {"name":"phone","type":["null","string"],"default":null}]}"#;

const CONTRACT: &str = "\
unique_id: 7c9e6679-7425-40de-944b-e07fc1f90ae7
owner: crm
name: customers
version: 1
description: One record per customer.
schema: schemas/crm/customer.avsc
key: customer_id
refresh_rate: hour
history: latest
storage: stream
sensitive_columns:
  - { column: email, mask: hash }
  - { column: phone, mask: { keep_last: 4 } }
views: { support: { clear: [phone] } }
access_group: [ { group: analysts }, { group: crm-support, view: support } ]
dependencies: []
";

/// A working tree of one contract.
fn tree() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("topics/crm/customers.yaml", CONTRACT);
    write("schemas/crm/customer.avsc", SCHEMA);
    root
}

fn mesh(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut mesh = Command::new(env!("CARGO_BIN_EXE_mesh"))
        .current_dir(folder)
        .env_remove("MESH_KEYS")
        .env_remove("MESH_KEYS_FILE")
        .arg("mask")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, input) = (mesh.stdin.take().unwrap(), input.to_vec());
    // A command that does not read its input closes the pipe; that is no failure here.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = mesh.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const CONTRACT_FILE: &[&str] = &["--contract", "topics/crm/customers.yaml"];

#[test]
fn hex_lines_are_answered_in_order() {
    let root = tree();
    let record = json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]});
    let payloads = [
        json!({"id": "ok", "schema": record, "payload_hex": "0478797a"}),
        json!({"id": 2, "schema": record, "payload_hex": "047879", "sensitive_columns": ["a"]}),
        json!({"id": 3, "schema": record.to_string(), "payload_hex": "047879", "sensitive_columns": [{"column": "a", "mask": "redact"}]}),
    ];
    let input: String = payloads.iter().map(|line| format!("{line}\n")).collect();
    let output = mesh(root.path(), &["--encoding", "hex"], input.as_bytes());
    let answers = lines(&output);
    assert_eq!(answers[0]["error"]["code"], "trailing-bytes");
    assert_eq!(answers[1]["payload_hex"].as_str().unwrap().len(), 2 * 66);
    assert_eq!(answers[2], json!({"id": 3, "payload_hex": "062a2a2a"}));
    assert_eq!(output.status.code(), Some(1), "a payload was refused");
    assert!(talk(&output).contains("throw-away key"), "{}", talk(&output));
}

#[test]
fn json_lines_come_out_as_the_view_shows_them() {
    let root = tree();
    let input = br#"{"customer_id":"c-1","email":"jane@example.org","phone":"+49 170 1234567"}"#;
    let arguments = [CONTRACT_FILE, &["--view", "support"]].concat();
    let output = mesh(root.path(), &arguments, input);
    let record = &lines(&output)[0];
    assert_eq!((&record["customer_id"], &record["phone"]), (&json!("c-1"), &json!("+49 170 1234567")));
    assert_eq!(record["email"].as_str().unwrap().len(), 64);
    assert_eq!(output.status.code(), Some(0));
    let refused = mesh(root.path(), CONTRACT_FILE, b"{\"customer_id\":\"jane\"}\nnot jane\n");
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    assert!(talk(&refused).contains("record 2: refused: line 2 is not JSON"), "{}", talk(&refused));
    assert!(!talk(&refused).contains("jane"), "what is refused is not quoted: {}", talk(&refused));
}

#[test]
fn container_files_are_read_packed_or_not() {
    let root = tree();
    let schema = Schema::parse_str(SCHEMA).unwrap();
    for codec in [Codec::Null, Codec::Deflate(DeflateSettings::default())] {
        let mut writer = Writer::with_codec(&schema, Vec::new(), codec).unwrap();
        for number in 0..3 {
            let record = json!({"customer_id": format!("c-{number}"), "email": "jane@example.org", "phone": null});
            writer.append_value(Avro::try_from(record).unwrap().resolve(&schema).unwrap()).unwrap();
        }
        let file = writer.into_inner().unwrap();
        std::fs::write(root.path().join("customers.avro"), &file).unwrap();
        let arguments = [CONTRACT_FILE, &["--encoding", "avro", "--in", "customers.avro"]].concat();
        let output = mesh(root.path(), &arguments, b"");
        let records = lines(&output);
        assert_eq!(records.len(), 3, "{}", talk(&output));
        assert_eq!((&records[2]["customer_id"], &records[2]["phone"]), (&json!("c-2"), &Value::Null));
        assert_eq!(records[0]["email"].as_str().unwrap().len(), 64);
        for cut in [2, 10, file.len() - 20, file.len() - 1] {
            let arguments = [CONTRACT_FILE, &["--encoding", "avro"]].concat();
            let output = mesh(root.path(), &arguments, &file[..cut]);
            assert_eq!(output.status.code(), Some(1), "cut at {cut}: {}", talk(&output));
        }
    }
}

#[test]
fn bad_usage_says_what_to_do() {
    let root = tree();
    let cases: &[(&[&str], i32, &str)] = &[
        (&[], 2, "give --contract"),
        (&["--contract", "nope.yaml"], 2, "cannot read the contract nope.yaml"),
        (&["--contract", "topics/crm/customers.yaml", "--view", "all"], 2, "its views: masked, support"),
        (&["--contract", "topics/crm/customers.yaml", "--in", "nope.jsonl"], 2, "cannot read records from nope.jsonl"),
        (&["--contract", "topics/crm/customers.yaml", "--encoding", "avro"], 1, "ends too early"),
        (&["--encoding", "hex", "--view", "support"], 2, "without a contract"),
        (&["--keys", "nope.json", "--encoding", "hex"], 2, "cannot use the given keys"),
    ];
    for (arguments, code, said) in cases {
        let output = mesh(root.path(), arguments, b"");
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {}", talk(&output));
        assert!(talk(&output).contains(said), "{arguments:?}: {}", talk(&output));
    }
}

#[test]
fn a_contract_that_does_not_hold_is_told_with_its_findings() {
    let root = tree();
    let contract = root.path().join("topics/crm/customers.yaml");
    std::fs::write(contract, CONTRACT.replace("email, mask", "emial, mask")).unwrap();
    let output = mesh(root.path(), CONTRACT_FILE, b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(talk(&output).contains("customers.yaml:12:15: column-unknown"), "{}", talk(&output));
}
