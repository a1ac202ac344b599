//! `mesh mask` as people and scripts use it: input, output, exit codes.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use apache_avro::{Codec, DeflateSettings, Reader, Schema, Writer, types::Value as Avro};
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

/// A container file of so many customers.
fn container(codec: Codec, records: usize) -> Vec<u8> {
    let schema = Schema::parse_str(SCHEMA).unwrap();
    let mut writer = Writer::with_codec(&schema, Vec::new(), codec).unwrap();
    for number in 0..records {
        let phone = (number % 2 == 1).then_some("+49 170 1234567");
        let record = json!({"customer_id": format!("c-{number}"), "email": "jane@example.org", "phone": phone});
        writer.append_value(Avro::try_from(record).unwrap().resolve(&schema).unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn a_container_file_comes_out_as_one_under_the_views_schema() {
    let root = tree();
    // Some blocks' worth.
    const RECORDS: usize = 3_000;
    let arguments = [CONTRACT_FILE, &["--view", "support", "--encoding", "avro", "--out", "support.avro"]].concat();
    for (codec, name) in [(Codec::Null, "null"), (Codec::Deflate(DeflateSettings::default()), "deflate")] {
        let output = mesh(root.path(), &arguments, &container(codec, RECORDS));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{}", talk(&output));
        assert!(talk(&output).contains("written: 3000 records as view support shows them; refused: 0"));
        let file = std::fs::read(root.path().join("support.avro")).unwrap();
        assert!(file.windows(name.len()).any(|bytes| bytes == name.as_bytes()), "packed as it came");
        let reader = Reader::new(file.as_slice()).unwrap();
        assert_eq!(serde_json::to_value(reader.writer_schema()).unwrap()["fields"][1]["mesh.masked"], "hash");
        let records: Vec<Value> = reader.map(|record| Value::try_from(record.unwrap()).unwrap()).collect();
        assert_eq!(records.len(), RECORDS);
        assert_eq!((&records[7]["customer_id"], &records[7]["phone"]), (&json!("c-7"), &json!("+49 170 1234567")));
        assert!(records.iter().all(|record| record["email"].as_str().unwrap().len() == 64));
    }
    // One blank record is refused; the others are there.
    let mut damaged = container(Codec::Null, 2);
    let at = damaged.windows(4).position(|bytes| bytes == b"jane").unwrap();
    damaged[at] = 0xff;
    let output = mesh(root.path(), &arguments, &damaged);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    assert!(talk(&output).contains("record 1: refused: invalid-utf8"), "{}", talk(&output));
    // A file that ends too early leaves what was there alone.
    let before = std::fs::read(root.path().join("support.avro")).unwrap();
    let output = mesh(root.path(), &arguments, &damaged[..damaged.len() - 1]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read(root.path().join("support.avro")).unwrap(), before);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 3, "nothing half-done is left behind");
}

#[test]
fn lines_come_out_as_lines() {
    let root = tree();
    let record = "{\"customer_id\":\"c-1\",\"email\":\"jane@example.org\",\"phone\":null}\n";
    let arguments = [CONTRACT_FILE, &["--out", "masked.jsonl"]].concat();
    let output = mesh(root.path(), &arguments, record.repeat(2).as_bytes());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{}", talk(&output));
    let written = std::fs::read_to_string(root.path().join("masked.jsonl")).unwrap();
    assert_eq!((written.lines().count(), written.contains("jane")), (2, false));
    let answers = ["--encoding", "hex", "--out", "answers.jsonl"];
    let output = mesh(root.path(), &answers, br#"{"id":1,"schema":"string","payload_hex":"0461"}"#);
    assert_eq!(output.status.code(), Some(1));
    let written = std::fs::read_to_string(root.path().join("answers.jsonl")).unwrap();
    assert!(written.contains("\"code\":\"truncated\""), "{written}");
}

#[test]
fn container_files_are_read_packed_or_not() {
    let root = tree();
    for codec in [Codec::Null, Codec::Deflate(DeflateSettings::default())] {
        let file = container(codec, 3);
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
        (
            &[
                "--contract",
                "topics/crm/customers.yaml",
                "--in",
                "schemas/crm/customer.avsc",
                "--out",
                "schemas/crm/customer.avsc",
            ],
            2,
            "is the file that the records are read from",
        ),
        (&["--contract", "topics/crm/customers.yaml", "--out", "nope/masked.jsonl"], 2, "a folder that exists"),
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
