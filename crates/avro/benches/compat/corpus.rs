use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use mesh_avro::compat::check;
use mesh_avro::schema::Schema;
use serde_json::json;

use crate::evolve::{self, draw::Draw};

/// The first seed of all corpora, so that every run measures the same.
const SEED: u64 = 4_000_000;

/// Pairs of a writer's and a reader's schema, and of their texts.
pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    pub(crate) texts: Vec<(String, String)>,
    pub(crate) schemas: Vec<(Schema, Schema)>,
    pub(crate) incompatible: usize,
    pub(crate) bytes_mean: usize,
    pub(crate) types_mean: usize,
    /// Where Avro Java reads the texts.
    pub(crate) file: PathBuf,
}

impl Corpus {
    /// Small schemas with a bit of everything, evolved at random: those of the oracle test.
    pub(crate) fn evolved() -> Corpus {
        Corpus::of("evolved", 500, evolve::pair)
    }

    /// Products' schemas of 20 to 200 fields, and the next release of each.
    pub(crate) fn releases() -> Corpus {
        Corpus::of("releases", 50, evolve::releases)
    }

    fn of(name: &'static str, count: usize, pair: fn(&mut Draw) -> Option<(Schema, Schema)>) -> Corpus {
        let schemas: Vec<(Schema, Schema)> =
            (SEED..).filter_map(|seed| pair(&mut Draw(seed))).filter(differ).take(count).collect();
        let text = |schema: &Schema| schema.json().to_string();
        let texts: Vec<(String, String)> =
            schemas.iter().map(|(writer, reader)| (text(writer), text(reader))).collect();
        let incompatible = schemas.iter().filter(|(writer, reader)| !check(reader, writer).compatible()).count();
        assert!(incompatible * 5 > count && incompatible * 5 < count * 4, "{incompatible} of {count} are incompatible");
        let bytes: usize = texts.iter().map(|(writer, reader)| writer.len() + reader.len()).sum();
        let types: usize = schemas.iter().map(|(writer, reader)| writer.len() + reader.len()).sum();
        let file = file(name, &texts);
        let (bytes_mean, types_mean) = (bytes / count / 2, types / count / 2);
        Corpus { name, texts, schemas, incompatible, bytes_mean, types_mean, file }
    }
}

/// Whether there is anything to compare: equal schemas are told at once, by Avro Java, too.
fn differ((writer, reader): &(Schema, Schema)) -> bool {
    writer.json() != reader.json()
}

fn file(name: &str, texts: &[(String, String)]) -> PathBuf {
    let mut lines = String::new();
    for (writer, reader) in texts {
        writeln!(lines, "{}", json!({"writer": writer, "reader": reader})).unwrap();
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("compat-{name}.jsonl"));
    fs::write(&file, lines).unwrap();
    file
}
