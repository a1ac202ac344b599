//! Verdicts against Avro Java 1.12, the reference implementation, on random evolved pairs and on the hand-made table.
//!
//! Needs a JDK 17 or newer and Maven, as the embedded Kafka does; fetches Avro once into the target folder. One JVM
//! answers for the whole run. Avro Java has two opinions: `SchemaCompatibility`, its checker, and the resolution that it
//! decodes data by. Where they agree, ours is theirs. Where they do not, [`Answer::admits`] lists what we say and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::evolve::draw::Draw;
use crate::evolve::{change, schema};
use mesh_avro::compat::{RULES, check};
use mesh_avro::schema::{Kind, Schema};
use serde_json::{Value, json};

const PAIRS: usize = 60_000;

/// Avro Java's opinions on one pair.
struct Answer {
    checker: String,
    decoder: String,
}

impl Answer {
    /// Whether our verdict is theirs, or one of these:
    /// - the checker throws where a field has its own name as an alias, which changes nothing;
    /// - the decoder does not find an enum or a fixed of another namespace in a reader's union, though the specification
    ///   compares names without namespaces, as it does itself outside unions;
    /// - the decoder renames fields by their aliases only in records of one full name;
    /// - one of the two refuses, and so do we: the decoder reads records of any name, the checker overlooks that an alias
    ///   takes a field away from the field of that name, and takes any branch of a union where the decoder takes one.
    fn admits(&self, compatible: bool, writer: &Schema, reader: &Schema) -> bool {
        let accepts = |opinion: &str| opinion == "compatible";
        if !compatible {
            return !(accepts(&self.checker) && accepts(&self.decoder));
        }
        let checker = accepts(&self.checker) || (self.checker == "threw" && has_own_alias(reader));
        let decoder = accepts(&self.decoder)
            || moves_namespace_in_union(writer, reader)
            || has_field_aliases_in_another_namespace(writer, reader);
        checker && decoder
    }
}

fn has_own_alias(schema: &Schema) -> bool {
    schema.nodes().any(|(_, node)| match &node.kind {
        Kind::Record { fields } => fields.iter().any(|field| field.aliases.contains(&field.name)),
        _ => false,
    })
}

fn has_field_aliases_in_another_namespace(writer: &Schema, reader: &Schema) -> bool {
    reader.nodes().any(|(_, node)| {
        let moved = node.name.as_ref().is_some_and(|name| writer.named(name.as_str()).is_none());
        let Kind::Record { fields } = &node.kind else { return false };
        moved && fields.iter().any(|field| !field.aliases.is_empty())
    })
}

fn moves_namespace_in_union(writer: &Schema, reader: &Schema) -> bool {
    reader.nodes().any(|(_, node)| {
        let Kind::Union { branches } = &node.kind else { return false };
        branches.iter().map(|branch| reader.node(*branch)).any(|branch| {
            let moved = branch.name.as_ref().is_some_and(|name| writer.named(name.as_str()).is_none());
            moved && matches!(branch.kind, Kind::Enum { .. } | Kind::Fixed { .. })
        })
    })
}

/// Asks Avro Java about all pairs at once.
fn ask(pairs: &[(Schema, Schema)]) -> Vec<Answer> {
    let mut input = String::new();
    for (writer, reader) in pairs {
        writeln!(input, "{}", json!({"writer": writer.json(), "reader": reader.json()})).unwrap();
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/avro_java/Oracle.java");
    let mut java = Command::new("java")
        .arg("-Xmx512m")
        .arg("-cp")
        .arg(format!("{}/*", avro_jars().display()))
        .arg(source)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a JDK 17 or newer is on the path");
    let mut to_java = java.stdin.take().unwrap();
    let writer = std::thread::spawn(move || to_java.write_all(input.as_bytes()));
    let output = java.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers: Vec<Answer> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(checker, decoder)| Answer { checker: checker.to_owned(), decoder: decoder.to_owned() })
        .collect();
    assert_eq!(answers.len(), pairs.len(), "Avro Java answers every pair");
    answers
}

/// Avro Java's jars, fetched once.
fn avro_jars() -> PathBuf {
    let jars = Path::new(env!("CARGO_TARGET_TMPDIR")).join("avro-oracle");
    if !jars.join("fetched").exists() {
        let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/avro_java/pom.xml");
        let fetched = Command::new("mvn")
            .args(["-q", "-B", "-f"])
            .arg(pom)
            .arg("dependency:copy-dependencies")
            .arg(format!("-DoutputDirectory={}", jars.display()))
            .status()
            .expect("Maven (mvn) is on the path");
        assert!(fetched.success(), "Maven fetches Avro Java");
        std::fs::write(jars.join("fetched"), "").unwrap();
    }
    jars
}

fn random_pair(seed: u64) -> Option<(Schema, Schema)> {
    let mut draw = Draw(seed);
    let old = schema(&mut draw);
    let new = change::evolve(&mut draw, &old);
    let (writer, reader) = if draw.chance(2) { (new, old) } else { (old, new) };
    Some((Schema::parse_value(&writer).ok()?, Schema::parse_value(&reader).ok()?))
}

fn table_pairs() -> Vec<(Schema, Schema)> {
    let cases = include_str!("../data/compat.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let pair = |case: Value| {
        let schema = |side: &str| Schema::parse_value(&case[side]).ok();
        Some((schema("writer")?, schema("reader")?))
    };
    cases.filter_map(pair).collect()
}

#[test]
fn verdicts_are_avro_javas_but_for_the_listed_differences() {
    let first_seed = std::env::var("MESH_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut pairs = table_pairs();
    let table = pairs.len();
    pairs.extend((first_seed..).filter_map(random_pair).take(PAIRS));

    let mut incompatible = 0;
    let mut hits: BTreeMap<&str, usize> = RULES.iter().map(|rule| (rule.id, 0)).collect();
    let mut wrong = Vec::new();
    for ((writer, reader), answer) in pairs.iter().zip(ask(&pairs)) {
        let report = check(reader, writer);
        incompatible += usize::from(!report.compatible());
        let mut rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        rules.iter().for_each(|rule| *hits.entry(rule).or_default() += 1);
        if !answer.admits(report.compatible(), writer, reader) {
            let verdict = if report.compatible() { "compatible" } else { "incompatible" };
            let (checker, decoder) = (answer.checker, answer.decoder);
            wrong.push(format!(
                "{verdict} {rules:?}, but {checker} and {decoder}\n{}\n{}",
                writer.json(),
                reader.json()
            ));
        }
    }
    println!(
        "{} pairs from seed {first_seed} and {table} of the table, {incompatible} incompatible: {hits:?}",
        pairs.len() - table
    );
    assert!(wrong.is_empty(), "{} verdicts differ, from seed {first_seed}; the first:\n{}", wrong.len(), wrong[0]);
    assert!(incompatible * 5 > pairs.len() && incompatible * 5 < pairs.len() * 4, "{incompatible} are incompatible");
    // Random pairs are valid and small; the table and `limits` have these.
    let rare = ["schema-invalid", "schema-too-complex"];
    let seldom: Vec<_> = hits.iter().filter(|(rule, count)| **count < 100 && !rare.contains(rule)).collect();
    assert!(seldom.is_empty(), "hit too seldom: {seldom:?}");
}
