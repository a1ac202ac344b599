use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::contest::{Figure, Work};
use crate::corpus::Corpus;

/// How many times as many pairs as Avro Java's checker are to be checked.
const TARGET: f64 = 3.0;

/// Whether checking is as much faster as it is to be, of all corpora; parsing has no target.
pub(crate) fn is_met(figures: &[Figure]) -> bool {
    figures.iter().filter(|figure| matches!(figure.work, Work::Check)).all(|figure| figure.ratio() >= TARGET)
}

pub(crate) fn text(corpora: &[Corpus], figures: &[Figure]) -> String {
    let mut text = String::new();
    for corpus in corpora {
        let _ = writeln!(
            text,
            "{:<9} {} pairs, {} incompatible; a schema has {} types and {} bytes on average",
            corpus.name,
            corpus.schemas.len(),
            corpus.incompatible,
            corpus.types_mean,
            corpus.bytes_mean
        );
    }
    let _ =
        writeln!(text, "\n{:<9} {:<14} {:>14} {:>14} {:>7}", "corpus", "work", "mesh pairs/s", "java pairs/s", "ratio");
    for figure in figures {
        let Figure { corpus, work, mesh, java, .. } = figure;
        let _ = writeln!(text, "{corpus:<9} {:<14} {mesh:>14.0} {java:>14.0} {:>7.2}", work.name(), figure.ratio());
    }
    let word = if is_met(figures) { "met" } else { "missed" };
    let _ = writeln!(text, "target: {TARGET} times as many pairs checked as by Avro Java: {word}");
    text
}

pub(crate) fn alone(figures: &[(&'static str, Work, f64)]) -> String {
    let line = |(corpus, work, mesh): &(&str, Work, f64)| format!("{corpus:<9} {:<14} {mesh:>14.0}\n", work.name());
    figures.iter().map(line).collect()
}

pub(crate) fn json(figures: &[Figure]) -> Value {
    let figure = |figure: &Figure| {
        json!({
            "corpus": figure.corpus,
            "work": match figure.work { Work::Check => "check", Work::ParseAndCheck => "parse_and_check" },
            "mesh_pairs_per_second": figure.mesh.round(),
            "java_pairs_per_second": figure.java.round(),
            "ratio": figure.ratio(),
            "java_incompatible": figure.java_incompatible,
        })
    };
    json!({"target_ratio": TARGET, "met": is_met(figures), "figures": figures.iter().map(figure).collect::<Vec<_>>()})
}
