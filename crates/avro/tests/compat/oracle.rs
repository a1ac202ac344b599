//! Verdicts against Avro Java 1.12, the reference implementation, on random evolved pairs and on the hand-made table.
//!
//! One JVM answers for the whole run, which says from which seed its pairs are drawn; `MESH_TEST_SEED` draws them from
//! another. Avro Java has two opinions: `SchemaCompatibility`, its checker, and the resolution that it
//! decodes data by. Where they agree, ours is theirs. Where they do not, [`Answer::admits`] lists what we say and why.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::avro_java;
use crate::evolve::{self, draw::Draw};
use crate::reference::without_aliases;
use mesh_avro::compat::{CompatFinding, RULES, Report, check};
use mesh_avro::schema::{Kind, Name, Node, NodeId, Schema};
use serde_json::{Value, json};

/// Random evolved pairs.
const PAIRS: usize = 60_000;

/// Pairs of schemas of products' size.
const RELEASES: usize = 1_000;

/// Avro Java's opinions on one pair.
pub(crate) struct Answer {
    checker: String,
    decoder: String,
}

impl Answer {
    /// Asks Avro Java about all pairs at once.
    pub(crate) fn ask(pairs: &[(Schema, Schema)]) -> Vec<Answer> {
        Answer::ask_texts(&pairs.iter().map(|(writer, reader)| (writer.json(), reader.json())).collect::<Vec<_>>())
    }

    /// The same of pairs that may not be valid.
    pub(crate) fn ask_texts(pairs: &[(&Value, &Value)]) -> Vec<Answer> {
        let lines: Vec<String> =
            pairs.iter().map(|(writer, reader)| json!({"writer": writer, "reader": reader}).to_string()).collect();
        let answer = |line: String| {
            let (checker, decoder) = line.split_once(' ').expect("Oracle.java answers with two words");
            Answer { checker: checker.to_owned(), decoder: decoder.to_owned() }
        };
        avro_java::ask("Oracle.java", &lines).into_iter().map(answer).collect()
    }

    /// Whether Avro Java's decoder, of all data together, does what our verdict says, and does not overlook aliases.
    pub(crate) fn decodes_alike(&self, (writer, reader): &(Schema, Schema)) -> bool {
        let report = check(reader, writer);
        (self.decoder == "compatible") == report.compatible() && !overlooks_aliases(&report)
    }

    /// Whether it does not parse one of the two.
    pub(crate) fn is_invalid(&self) -> bool {
        self.checker == "invalid"
    }

    /// Whether our verdict is theirs, or one of these:
    /// - the checker throws where a field has its own name as an alias, which changes nothing;
    /// - the decoder does not find an enum or a fixed of another namespace in a reader's union, though the specification
    ///   compares names without namespaces, as it does itself outside unions;
    /// - the decoder renames fields by their aliases only in records of one full name, and confuses them where a name is
    ///   handed on from one type to another, of which we warn;
    /// - the decoder does not look at aliases where nothing else changes, and the checker, which throws at ambiguous ones
    ///   outside unions, looks past them where a union has some other branch to take: we refuse what is ambiguous;
    /// - one of the two refuses, and so do we: the decoder reads records of any name, the checker overlooks that an alias
    ///   takes a field away from the field of that name, and takes any branch of a union where the decoder takes one;
    /// - both take another branch of a union where the one of the writer's full name cannot read its data, if it has the same
    ///   name in another namespace: nobody meant that branch, so we refuse.
    fn admits(&self, report: &Report, writer: &Schema, reader: &Schema) -> bool {
        let accepts = |opinion: &str| opinion == "compatible";
        if self.is_invalid() {
            return false;
        }
        if !report.compatible() {
            let refused = !(accepts(&self.checker) && accepts(&self.decoder));
            return refused
                || without_aliases(writer.json()) == without_aliases(reader.json())
                || breaks_among_namesakes(report, reader);
        }
        let checker = accepts(&self.checker) || (self.checker == "threw" && has_own_alias(reader));
        let decoder = accepts(&self.decoder) || moves_namespace_in_union(writer, reader) || overlooks_aliases(report);
        checker && decoder
    }
}

fn has_own_alias(schema: &Schema) -> bool {
    schema.nodes().any(|(_, node)| match &node.kind {
        Kind::Record { fields } => fields.iter().any(|field| field.aliases.contains(&field.name)),
        _ => false,
    })
}

/// Whether a break is inside a union of the reader's with several branches of one name.
fn breaks_among_namesakes(report: &Report, reader: &Schema) -> bool {
    reader.nodes().any(|(_, node)| {
        let Kind::Union { branches } = &node.kind else { return false };
        let simple = |id: &NodeId| reader.node(*id).name.as_ref().map(Name::simple);
        let names: Vec<&str> = branches.iter().filter_map(simple).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        let is_inside = |finding: &CompatFinding| finding.reader_pointer.starts_with(&node.pointer);
        distinct.len() < names.len() && report.errors().any(is_inside)
    })
}

/// Whether Avro Java's decoder overlooks aliases of fields.
fn overlooks_aliases(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.rule == "field-alias-overlooked")
}

/// Whether a branch of a reader's union is an enum or a fixed that the writer has in another namespace.
fn moves_namespace_in_union(writer: &Schema, reader: &Schema) -> bool {
    reader.nodes().any(|(_, node)| {
        let Kind::Union { branches } = &node.kind else { return false };
        branches
            .iter()
            .map(|branch| reader.node(*branch))
            .any(|branch| matches!(branch.kind, Kind::Enum { .. } | Kind::Fixed { .. }) && has_namesake(writer, branch))
    })
}

/// Whether the writer has a type of the same name in another namespace.
fn has_namesake(writer: &Schema, node: &Node) -> bool {
    let Some(name) = &node.name else { return false };
    let mut written = writer.nodes().filter_map(|(_, node)| node.name.as_ref());
    written.any(|written| written.simple() == name.simple() && written != name)
}

/// The first seed of this run, as `MESH_TEST_SEED` tells it: a number, or `any` for one that the clock draws. Untold it
/// is the same in each run, so that a change is judged by what it changes.
pub(crate) fn first_seed() -> u64 {
    match std::env::var("MESH_TEST_SEED").as_deref() {
        Err(_) => 1_000_000,
        Ok("any") => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() * 1_000_000),
        Ok(told) => told.parse().expect("MESH_TEST_SEED is a whole number or `any`"),
    }
}

fn table_pairs() -> Vec<(Schema, Schema)> {
    let cases = include_str!("../data/compat.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let pair = |case: Value| {
        let schema = |side: &str| Schema::parse_value(&case[side]).ok();
        Some((schema("writer")?, schema("reader")?))
    };
    cases.filter_map(pair).collect()
}

/// What a run over all pairs came to.
#[derive(Default)]
struct Tally {
    incompatible: usize,
    hits: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, writer: &Schema, reader: &Schema, answer: &Answer) {
        let report = check(reader, writer);
        let rules: BTreeSet<&'static str> = report.findings.iter().map(|finding| finding.rule).collect();
        self.incompatible += usize::from(!report.compatible());
        if !answer.admits(&report, writer, reader) {
            let verdict = if report.compatible() { "compatible" } else { "incompatible" };
            let (checker, decoder) = (&answer.checker, &answer.decoder);
            let schemas = format!("{}\n{}", writer.json(), reader.json());
            self.wrong.push(format!("{verdict} {rules:?}, but {checker} and {decoder}\n{schemas}"));
        }
        for rule in rules {
            *self.hits.entry(rule).or_default() += 1;
        }
    }
}

#[test]
fn verdicts_are_avro_javas_but_for_the_listed_differences() {
    let first_seed = first_seed();
    let mut pairs = table_pairs();
    let table = pairs.len();
    pairs.extend((first_seed..).filter_map(|seed| evolve::pair(&mut Draw(seed))).take(PAIRS));
    pairs.extend((first_seed..).filter_map(|seed| evolve::releases(&mut Draw(seed))).take(RELEASES));

    let mut tally = Tally { hits: RULES.iter().map(|rule| (rule.id, 0)).collect(), ..Tally::default() };
    for ((writer, reader), answer) in pairs.iter().zip(Answer::ask(&pairs)) {
        tally.add(writer, reader, &answer);
    }
    let Tally { incompatible, hits, wrong } = tally;
    // Straight to standard error: a test's own output is shown only where it fails, and this is the run's record.
    let _ = writeln!(
        std::io::stderr(),
        "avro java: {PAIRS} random evolved pairs and {RELEASES} releases of products from MESH_TEST_SEED={first_seed}, \
         {table} of the table; {incompatible} incompatible; pairs that hit each rule: {hits:?}"
    );
    assert!(wrong.is_empty(), "{} verdicts differ, MESH_TEST_SEED={first_seed}; the first:\n{}", wrong.len(), wrong[0]);
    assert!(incompatible * 5 > pairs.len() && incompatible * 5 < pairs.len() * 4, "{incompatible} are incompatible");
    // Random pairs are valid and small; `validity` and `limits` have these.
    let rare = ["schema-invalid", "schema-too-complex"];
    let seldom: Vec<_> = hits.iter().filter(|(rule, count)| **count < 100 && !rare.contains(rule)).collect();
    assert!(seldom.is_empty(), "hit too seldom, MESH_TEST_SEED={first_seed}: {seldom:?}");
}
