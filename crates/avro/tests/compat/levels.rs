//! The registry's seven levels over a history of schemas.

use mesh_avro::compat::{Direction, Report, check_level};
use mesh_avro::schema::Schema;
use mesh_contract::Compatibility;
use serde_json::{Value, json};

fn record(fields: Value) -> Schema {
    Schema::parse_value(&json!({"type": "record", "name": "t.R", "fields": fields})).unwrap()
}

fn verdicts(new: &Schema, earlier: &[&Schema]) -> Vec<(Compatibility, bool)> {
    let verdict = |level: Compatibility| (level, check_level(level, new, earlier).compatible());
    Compatibility::ALL.into_iter().map(verdict).collect()
}

fn passed(new: &Schema, earlier: &[&Schema]) -> Vec<Compatibility> {
    verdicts(new, earlier).into_iter().filter(|(_, passed)| *passed).map(|(level, _)| level).collect()
}

fn rules(report: &Report) -> Vec<(&str, Option<usize>, Direction)> {
    report.findings.iter().map(|finding| (finding.rule, finding.earlier, finding.direction)).collect()
}

#[test]
fn a_required_field_is_a_forward_change_and_its_removal_a_backward_one() {
    let (without, with) = (record(json!([])), record(json!([{"name": "a", "type": "int"}])));
    let (none, backward, forward) = (
        Compatibility::None,
        [Compatibility::Backward, Compatibility::BackwardTransitive],
        [Compatibility::Forward, Compatibility::ForwardTransitive],
    );
    assert_eq!(passed(&with, &[&without]), [none, forward[0], forward[1]]);
    assert_eq!(passed(&without, &[&with]), [none, backward[0], backward[1]]);
    assert_eq!(passed(&with, &[&with]), Compatibility::ALL);
    assert_eq!(passed(&with, &[]), Compatibility::ALL);
}

#[test]
fn a_field_dropped_and_brought_back_as_another_type_breaks_the_transitive_levels_alone() {
    let text = record(json!([{"name": "x", "type": "string", "default": ""}]));
    let without = record(json!([]));
    let number = record(json!([{"name": "x", "type": "int", "default": 0}]));
    assert_eq!(
        passed(&number, &[&text, &without]),
        [Compatibility::None, Compatibility::Backward, Compatibility::Forward, Compatibility::Full]
    );
    let report = check_level(Compatibility::FullTransitive, &number, &[&text, &without]);
    assert_eq!(
        rules(&report),
        [
            ("default-changed", Some(0), Direction::Backward),
            ("type-mismatch", Some(0), Direction::Backward),
            ("type-mismatch", Some(0), Direction::Forward),
        ]
    );
}

#[test]
fn what_is_the_same_in_both_directions_is_said_once() {
    let time = |unit: &str| record(json!([{"name": "at", "type": {"type": "long", "logicalType": unit}}]));
    let (millis, micros) = (time("timestamp-millis"), time("timestamp-micros"));
    let expected = [("time-unit-changed", Some(0), Direction::Backward)];
    assert_eq!(rules(&check_level(Compatibility::Full, &micros, &[&millis])), expected);
    let expected = [("time-unit-changed", Some(0), Direction::Forward)];
    assert_eq!(rules(&check_level(Compatibility::Forward, &micros, &[&millis])), expected);
    assert_eq!(rules(&check_level(Compatibility::None, &micros, &[&millis])), []);
}

#[test]
fn a_class_is_lost_by_the_newer_schema_whichever_of_them_reads() {
    let classed = record(json!([{"name": "email", "type": "string", "mesh.class": "pii.contact"}]));
    let plain = record(json!([{"name": "email", "type": "string"}]));
    for level in [Compatibility::Backward, Compatibility::Forward, Compatibility::Full] {
        let lost = check_level(level, &plain, &[&classed]);
        assert_eq!(lost.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), ["sensitive-class-lost"]);
        assert!(lost.compatible());
        assert_eq!(rules(&check_level(level, &classed, &[&plain])), [], "a class that is gained is no loss");
    }
}

#[test]
fn the_older_default_is_named_first() {
    let with = |default: i64| record(json!([{"name": "a", "type": "int", "default": default}]));
    for level in [Compatibility::Backward, Compatibility::Forward] {
        let report = check_level(level, &with(2), &[&with(1)]);
        assert_eq!(report.findings[0].message, "the default changes from 1 to 2");
    }
}
