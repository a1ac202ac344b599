//! The reckoning: what came out, record by record, against what went in, under which revision of the contract, and with which keys.

use crate::load::{SchemaIds, input};
use crate::workload::{DOMAIN, Kind, NUMBER_HEADER, Revision, contract, hex, schema};
use mesh_avro::keys::KeyRing;
use mesh_avro::mask::{Program, Rules, Scratch};
use mesh_avro::schema::Schema;
use mesh_avro::wire::{self, HEADER_BYTES};
use mesh_contract::Contract;
use mesh_kafka::log::LogReader;
use mesh_kafka::{Record, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// What a reader of committed records sees of a topic, in order per partition.
pub async fn read(settings: &Settings, topic: &str) -> Vec<Record> {
    let mut reader = LogReader::open(settings, topic).await.expect("the topic is there");
    let mut records = Vec::new();
    reader.read_to_end(|record| records.push(record)).await.expect("Kafka answers");
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

/// What a record of a view has to be: its key, its timestamp, and its datum, if it is no tombstone.
#[derive(PartialEq, Eq, Clone)]
struct Shown {
    key: Option<Vec<u8>>,
    timestamp_ms: Option<i64>,
    datum: Option<Vec<u8>>,
}

/// Where a record stands in the input.
type Place = (i32, i64);

/// What has to come out for an input.
struct Expected {
    /// By view and partition, in order.
    views: BTreeMap<(String, i32), Vec<Shown>>,
    quarantined: BTreeSet<Place>,
}

/// What a record can be masked under: the contract's revision, first or second, and the roots, those of before or after the rotation.
type Regime = (usize, usize);

const REGIMES: [Regime; 4] = [(0, 0), (0, 1), (1, 0), (1, 1)];

/// Compares everything that came out for a product with what went in; `keys` are the roots before and after the rotation.
///
/// # Panics
/// Something was lost, doubled, out of order, changed or not put aside.
pub async fn settle(settings: &Settings, keys: [&dyn KeyRing; 2], product: &str, ids: &SchemaIds, sent: u64) {
    let went_in = read(settings, &input(product)).await;
    assert_all_sent(product, &went_in, sent);
    let contracts = [Revision::First, Revision::Second].map(|revision| parsed(product, revision));
    let expected =
        REGIMES.map(|(revision, roots)| Masks::new(&contracts[revision], keys[roots], ids).expect_of(&went_in));
    assert_quarantine(settings, &contracts[0], &expected[0].quarantined).await;
    for (view, topic) in &contracts[0].topics().views {
        let seen = read(settings, topic).await;
        seen.iter().for_each(|record| assert_headers(topic, record));
        for partition in 0..4 {
            let seen: Vec<Shown> = seen.iter().filter(|record| record.partition == partition).map(shown).collect();
            assert_same(topic, partition, &seen, &expected.each_ref().map(|expected| expected.of(view, partition)));
        }
    }
}

impl Expected {
    fn of(&self, view: &str, partition: i32) -> &[Shown] {
        self.views.get(&(view.to_owned(), partition)).map_or(&[], Vec::as_slice)
    }
}

/// Every number once: what the producer was told is stored is there.
fn assert_all_sent(product: &str, went_in: &[Record], sent: u64) {
    let numbers: BTreeSet<u64> = went_in.iter().map(number).collect();
    assert_eq!(numbers.len(), went_in.len(), "{product}: the producer itself has doubled records");
    assert_eq!(numbers, (0..sent).collect(), "{product}: the input port has not what was sent");
}

fn number(record: &Record) -> u64 {
    let text = record.header(NUMBER_HEADER).expect("every record has it");
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).expect("it is a number")
}

fn parsed(product: &str, revision: Revision) -> Contract {
    let file = format!("topics/{DOMAIN}/{product}.yaml");
    mesh_contract::parse_contract(&file, &contract(product, revision)).expect("it is a contract").value
}

fn shown(record: &Record) -> Shown {
    Shown {
        key: record.key.as_ref().map(|key| key.to_vec()),
        timestamp_ms: record.timestamp_ms,
        datum: record.value.as_ref().map(|value| value[HEADER_BYTES..].to_vec()),
    }
}

/// No header but those that the sidecar adds.
fn assert_headers(topic: &str, record: &Record) {
    let names: Vec<&str> = record.headers.iter().map(|header| header.name.as_str()).collect();
    let expected: &[&str] = if record.value.is_some() { &["mesh-event-time"] } else { &[] };
    assert_eq!(names, expected, "{topic}[{}]@{}", record.partition, record.offset);
}

/// Each record once and in order, masked under one regime after the other: it begins with the first, ends with the last, and never goes
/// back to a revision, or to keys, of before.
fn assert_same(topic: &str, partition: i32, seen: &[Shown], wanted: &[&[Shown]; 4]) {
    let follows = |to: Regime, from: Regime| to.0 >= from.0 && to.1 >= from.1;
    let mut reached = vec![REGIMES[0]];
    for at in 0..seen.len().max(wanted[0].len()) {
        let is_shown = |regime: Regime| {
            let place = REGIMES.iter().position(|of| *of == regime).expect("it is one of them");
            seen.get(at) == wanted[place].get(at)
        };
        let is_reached = |regime: &Regime| reached.iter().any(|from| follows(*regime, *from)) && is_shown(*regime);
        let next: Vec<Regime> = match at {
            0 => REGIMES.into_iter().take(1).filter(|regime| is_shown(*regime)).collect(),
            _ => REGIMES.into_iter().filter(is_reached).collect(),
        };
        if next.is_empty() {
            panic!("{topic}[{partition}]: {}; before it: {reached:?}", difference(seen, wanted, at));
        }
        reached = next;
    }
    assert!(reached.contains(&REGIMES[3]), "{topic}[{partition}] ends under {reached:?}");
}

fn difference(seen: &[Shown], wanted: &[&[Shown]; 4], at: usize) -> String {
    let describe = |shown: Option<&Shown>| match shown {
        None => "nothing".to_owned(),
        Some(Shown { key, datum, .. }) => {
            format!("key {:?}, datum {:?}", key.as_deref().map(hex), datum.as_deref().map(hex))
        }
    };
    let doubled = at > 0 && wanted.iter().any(|wanted| seen.get(at).is_some() && seen.get(at) == wanted.get(at - 1));
    let lost = wanted.iter().any(|wanted| seen.get(at).is_some() && seen.get(at) == wanted.get(at + 1));
    let all: Vec<String> = wanted.iter().map(|wanted| describe(wanted.get(at))).collect();
    format!(
        "{} records of {}; record {at} is {} where it has to be one of {all:?}; doubled: {doubled}, lost: {lost}",
        seen.len(),
        wanted[0].len(),
        describe(seen.get(at)),
    )
}

async fn assert_quarantine(settings: &Settings, contract: &Contract, expected: &BTreeSet<Place>) {
    let topic = contract.topics().quarantine;
    let mut found = BTreeMap::new();
    for record in read(settings, &topic).await {
        let header = |name: &str| {
            let value = record.header(name).unwrap_or_else(|| panic!("{topic} has a record without {name}"));
            String::from_utf8(value.to_vec()).expect("the sidecar's headers are text")
        };
        assert_eq!((header("mesh-source-topic"), &record.key), (contract.topics().input, &None));
        let partition = header("mesh-source-partition").parse().expect("a number");
        let place = (partition, header("mesh-source-offset").parse().expect("a number"));
        assert!(found.insert(place, header("mesh-reason")).is_none(), "{place:?} of {topic} was put aside twice");
    }
    let lost: Vec<&Place> = expected.iter().filter(|place| !found.contains_key(place)).collect();
    let wrong: Vec<(&Place, &String)> = found.iter().filter(|(place, _)| !expected.contains(place)).collect();
    assert!(lost.is_empty() && wrong.is_empty(), "{topic}: not put aside {lost:?}, put aside wrongly {wrong:?}");
}

/// What masks make of records, by the schema that they were written with.
struct Masks {
    programs: BTreeMap<u32, Program>,
    first: u32,
}

impl Masks {
    fn new(contract: &Contract, keys: &dyn KeyRing, ids: &SchemaIds) -> Self {
        let parsed = |version| Schema::parse_value(&schema(version)).expect("it is a schema");
        let rules = Rules::of_applied(contract, &parsed(0)).expect("the rules fit their schema");
        let compile = |(version, id): (usize, &u32)| {
            (*id, Program::compile(&rules, &parsed(version), keys).expect("the keys are there"))
        };
        Self { programs: ids.iter().enumerate().map(compile).collect(), first: ids[0] }
    }

    fn expect_of(&self, went_in: &[Record]) -> Expected {
        let mut expected = Expected { views: BTreeMap::new(), quarantined: BTreeSet::new() };
        let mut scratch = Scratch::new();
        for record in went_in {
            if Kind::of(number(record)) == Kind::Bad {
                expected.quarantined.insert((record.partition, record.offset));
                continue;
            }
            for (view, shown) in self.views_of(&mut scratch, record) {
                expected.views.entry((view, record.partition)).or_default().push(shown);
            }
        }
        expected
    }

    fn views_of(&self, scratch: &mut Scratch, record: &Record) -> Vec<(String, Shown)> {
        let framed = record.value.as_deref().map(|value| wire::parse(value).expect("good records are framed"));
        let program = &self.programs[&framed.map_or(self.first, |framed| framed.schema_id)];
        if let Some(framed) = framed {
            program.run(scratch, framed.datum).expect("good records are good");
        }
        let view = |(index, view): (usize, &mesh_avro::mask::ViewSchema)| {
            let datum = framed.map(|framed| scratch.output(index, framed.datum).to_vec());
            let mut key = Vec::new();
            let clear = record.key.as_deref().expect("every record has a key");
            program.mask_key(scratch, index, clear, &mut key).expect("good keys are good");
            (view.name.clone(), Shown { key: Some(key), timestamp_ms: record.timestamp_ms, datum })
        };
        program.views().iter().enumerate().map(view).collect()
    }
}
