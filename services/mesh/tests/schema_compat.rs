//! `mesh schema compat` as a script uses it: input, output, exit codes.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const TABLE: &str = include_str!("../../../crates/avro/tests/data/compat.jsonl");

fn mesh(arguments: &[&str], input: &str) -> Output {
    let mut mesh = Command::new(env!("CARGO_BIN_EXE_mesh"))
        .args(["schema", "compat"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, input) = (mesh.stdin.take().unwrap(), input.to_owned());
    // A command that does not read its input closes the pipe; that is no failure here.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = mesh.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn pairs_are_answered_in_order_with_the_tables_verdicts() {
    let output = mesh(&["--pairs", "-"], TABLE);
    assert_eq!(output.status.code(), Some(1), "there are findings");
    let cases: Vec<Value> = TABLE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answers = lines(&output);
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(answers) {
        assert_eq!((&answer["id"], &answer["verdict"]), (&case["id"], &case["verdict"]));
        let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "verdict", "findings"]);
        for finding in answer["findings"].as_array().unwrap() {
            let keys: Vec<&String> = finding.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["rule", "severity", "path", "message"]);
        }
    }
}

#[test]
fn the_exit_code_tells_findings_from_none_and_from_bad_usage() {
    let fine = "{\"id\": 1, \"writer\": \"int\", \"reader\": \"long\"}\n";
    assert_eq!(mesh(&["--pairs", "-"], fine).status.code(), Some(0));
    assert_eq!(mesh(&["--pairs", "-"], "").status.code(), Some(0));
    assert_eq!(mesh(&["--pairs", "-"], "not json\n").status.code(), Some(1));
    assert_eq!(mesh(&["--pairs", "/does/not/exist"], "").status.code(), Some(2));
    assert_eq!(mesh(&[], "").status.code(), Some(2));
    let missing = mesh(&["--writer", "/does/not/exist", "--reader", "/nor/this"], "");
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("hint: "), "{missing:?}");
}

#[test]
fn two_files_are_compared_at_a_level() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (int, long) = (file("int.avsc", "\"int\""), file("long.avsc", "\"long\""));
    let files = ["--writer", &int, "--reader", &long];
    assert_eq!(mesh(&files, "").status.code(), Some(0));
    let full = mesh(&[&files[..], &["--level", "full", "--format", "json"]].concat(), "");
    assert_eq!(full.status.code(), Some(1));
    let verdict = &lines(&full)[0];
    assert_eq!(
        (verdict["verdict"].as_str(), verdict["findings"][0]["rule"].as_str()),
        (Some("incompatible"), Some("type-mismatch"))
    );
}

#[test]
fn rules_are_set_by_id_and_a_misspelt_one_is_bad_usage() {
    let pair = "{\"id\": 1, \"writer\": \"long\", \"reader\": \"double\"}\n";
    let answer = |rules: &[&str]| mesh(&[&["--pairs", "-"], rules].concat(), pair);
    for (rules, severity) in [
        (&[][..], Some("warning")),
        (&["--rule", "promotion-lossy=error"][..], Some("error")),
        (&["--rule", "promotion-lossy=off"][..], None),
        (&["--rule", "promotion-lossy=off", "--rule", "promotion-lossy=warn"][..], Some("warning")),
    ] {
        let output = answer(rules);
        let answer = &lines(&output)[0];
        assert_eq!(answer["verdict"], "compatible", "the verdict is Avro's, whatever the rules: {rules:?}");
        assert_eq!(answer["findings"][0]["severity"].as_str(), severity, "{rules:?}");
        assert_eq!(output.status.code(), Some(i32::from(severity.is_some())), "{rules:?}");
    }
    let misspelt = answer(&["--rule", "promotions-lossy=off"]);
    assert_eq!(misspelt.status.code(), Some(2));
    let told = String::from_utf8_lossy(&misspelt.stderr);
    assert!(told.contains("did you mean \"promotion-lossy\"?"), "{told}");
    assert_eq!(answer(&["--rule", "type-mismatch=off"]).status.code(), Some(2));
}
