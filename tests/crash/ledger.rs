//! The reckoning: what came out, record by record, against what went in, and under which revision of the contract.

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

/// Compares everything that came out for a product with what went in.
///
/// # Panics
/// Something was lost, doubled, out of order, changed or not put aside.
pub async fn settle(settings: &Settings, keys: &dyn KeyRing, product: &str, ids: &SchemaIds, sent: u64) {
    let went_in = read(settings, &input(product)).await;
    assert_all_sent(product, &went_in, sent);
    let contract = parsed(product, Revision::First);
    let before = Masks::new(&contract, keys, ids).expect_of(&went_in);
    let after = Masks::new(&parsed(product, Revision::Second), keys, ids).expect_of(&went_in);
    for (view, topic) in &contract.topics().views {
        let seen = read(settings, topic).await;
        seen.iter().for_each(|record| assert_headers(topic, record));
        for partition in 0..4 {
            let seen: Vec<Shown> = seen.iter().filter(|record| record.partition == partition).map(shown).collect();
            let (old, new) = (before.of(view, partition), after.of(view, partition));
            let switch = (0..old.len()).find(|at| seen.get(*at) != old.get(*at)).unwrap_or(old.len());
            let wanted = [&old[..switch], &new[switch..]].concat();
            assert_same(topic, partition, &seen, &wanted);
            // the revision came in the middle: nobody goes on by the old one to the end, nobody began with the new one
            let has_switched = old == new || (0 < switch && switch < old.len());
            assert!(has_switched, "{topic}[{partition}] has no offset at which the new revision began");
        }
    }
    assert_quarantine(settings, &contract, &before.quarantined).await;
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

fn assert_same(topic: &str, partition: i32, seen: &[Shown], wanted: &[Shown]) {
    let Some(at) = (0..seen.len().max(wanted.len())).find(|at| seen.get(*at) != wanted.get(*at)) else { return };
    let describe = |shown: Option<&Shown>| match shown {
        None => "nothing".to_owned(),
        Some(Shown { key, datum, .. }) => {
            format!("key {:?}, datum {:?}", key.as_deref().map(hex), datum.as_deref().map(hex))
        }
    };
    let doubled = at > 0 && seen.get(at) == Some(&wanted[at - 1]);
    let lost = wanted.get(at + 1).is_some_and(|next| seen.get(at) == Some(next));
    panic!(
        "{topic}[{partition}]: {} records of {}; record {at} is {}where it has to be {}; doubled: {doubled}, lost: {lost}",
        seen.len(),
        wanted.len(),
        describe(seen.get(at)),
        describe(wanted.get(at)),
    );
}

async fn assert_quarantine(settings: &Settings, contract: &Contract, expected: &BTreeSet<Place>) {
    let topic = contract.topics().quarantine;
    let mut found = BTreeSet::new();
    for record in read(settings, &topic).await {
        let header = |name: &str| {
            let value = record.header(name).unwrap_or_else(|| panic!("{topic} has a record without {name}"));
            String::from_utf8(value.to_vec()).expect("the sidecar's headers are text")
        };
        assert_eq!((header("mesh-source-topic"), &record.key), (contract.topics().input, &None));
        let partition = header("mesh-source-partition").parse().expect("a number");
        let place = (partition, header("mesh-source-offset").parse().expect("a number"));
        assert!(found.insert(place), "{place:?} of {topic} was put aside twice");
    }
    let lost: Vec<&Place> = expected.difference(&found).collect();
    let wrong: Vec<&Place> = found.difference(expected).collect();
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
