use super::masked::time;
use super::text::render;
use mesh_masking::audit::{Answer, Gap, GapKind, Line, Outcome, Span, Verdict};

fn line(column: &str, outcome: Outcome, revision: u64, keys: &[u32], records: u64) -> Line {
    Line { column: column.to_owned(), outcome, revision, key_versions: keys.iter().copied().collect(), records }
}

fn answer() -> Answer {
    let masked = |rule: &str| Outcome::Masked(rule.to_owned());
    Answer {
        product: "crm.customers".to_owned(),
        version: 1,
        view: "masked".to_owned(),
        span: Span { from_ms: 1_700_000_000_000, to_ms: 1_700_086_400_000 },
        verdict: Verdict::No,
        columns: [("email".to_owned(), Verdict::No), ("phone".to_owned(), Verdict::NotKnown)].into(),
        lines: vec![
            line("email", Outcome::InClear, 3, &[], 12),
            line("email", masked("hash"), 4, &[1, 2], 40_000),
            line("phone", masked("keep_last: 4"), 3, &[], 12),
            line("phone", Outcome::NotKnown, 4, &[1], 40_000),
        ],
        records: 40_017,
        tombstones: 9,
        quarantined: [("key-mismatch".to_owned(), 1), ("truncated".to_owned(), 4)].into(),
        replayed: 2,
        gaps: vec![
            Gap { partition: 0, first: 0, last: 41, kind: GapKind::BeforeTheFirst },
            Gap { partition: 2, first: 17, last: 17, kind: GapKind::Between },
            Gap { partition: 3, first: 90, last: 99, kind: GapKind::NotToldYet },
        ],
    }
}

#[test]
fn people_read_what_was_masked_by_what() {
    insta::assert_snapshot!(render(&answer()));
}

#[test]
fn a_time_without_records_is_told_as_such() {
    let nothing = Answer {
        verdict: Verdict::NoRecords,
        columns: [("email".to_owned(), Verdict::NoRecords)].into(),
        lines: Vec::new(),
        records: 0,
        tombstones: 0,
        quarantined: [].into(),
        replayed: 0,
        gaps: Vec::new(),
        ..answer()
    };
    insta::assert_snapshot!(render(&nothing), @r"
    crm.customers@1, view masked, masked from 2023-11-14 22:13:20 UTC to 2023-11-15 22:13:20 UTC
    0 records, 0 of them tombstones
    masked in every record: no records (none reached the view in this time)
    ");
}

#[test]
fn machines_read_all_of_it() {
    insta::assert_json_snapshot!(answer());
}

#[test]
fn a_time_is_a_day_or_has_an_offset() {
    let ms = |text: &str| time(text).map(|time| time.as_millisecond());
    assert_eq!(ms("2023-11-14"), Ok(1_699_920_000_000));
    assert_eq!(ms("2023-11-14T23:13:20+01:00"), Ok(1_700_000_000_000));
    assert_eq!(ms("2023-11-14T22:13:20Z"), Ok(1_700_000_000_000));
    for text in ["yesterday", "2023-11-14T22:13:20", "14.11.2023", ""] {
        assert!(ms(text).is_err(), "{text}");
    }
}
