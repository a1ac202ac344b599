//! What holds for every text and every contract.
#![allow(clippy::unwrap_used, missing_docs)]

use mesh_contract::{
    AccessGrant, AppliedProduct, Clear, ColumnPath, Compatibility, Contract, Domain, Finding, Generalisation, History,
    MaskRule, RefreshRate, SensitiveColumn, Span, Step, Storage, Unit, View, parse_contract, parse_domain,
    parse_sensitive_columns,
};
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

const CONTRACT: &str = include_str!("long.yaml");
const DOMAIN: &str = include_str!("domain.yaml");

/// Pieces that mean something to YAML or to the grammar.
const PIECES: [&str; 40] = [
    ":",
    ": ",
    "-",
    "- ",
    "?",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    " #",
    "&a",
    "*a",
    "!",
    "!!str ",
    "|",
    "|-\n",
    ">",
    "'",
    "\"",
    "%",
    "@",
    "`",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "  ",
    "---\n",
    "...\n",
    "\u{feff}",
    "\u{85}",
    "\u{0}",
    "\\",
    "<<: ",
    "null",
    "é€😀",
    "0x7fffffffffffffff",
];

/// Reads a text in every way; its findings lie inside it.
fn read(text: &str) {
    let refusals = [
        parse_contract("f.yaml", text).err(),
        parse_domain("f.yaml", text).err(),
        parse_sensitive_columns("f.yaml", text).err(),
    ];
    let broken_alike = text.replace("\r\n", "\n").replace('\r', "\n");
    let columns_max: Vec<usize> = broken_alike.split('\n').map(|line| line.chars().count() + 1).collect();
    for findings in refusals.iter().flatten() {
        assert!(!findings.is_empty(), "refused without a finding");
        findings.iter().for_each(|finding| assert_inside(&columns_max, finding));
    }
}

fn assert_inside(columns_max: &[usize], finding: &Finding) {
    let column_max = columns_max.get(finding.place.line as usize - 1);
    let column_max = column_max.unwrap_or_else(|| panic!("{finding} lies behind the file's last line"));
    let columns = 1..=*column_max;
    assert!(columns.contains(&(finding.place.column as usize)), "{finding} lies behind its line's end");
}

/// Puts a piece at a place, in the stead of some characters.
fn edit(text: &str, (at, stead, piece): &(usize, usize, &str)) -> String {
    let characters: Vec<char> = text.chars().collect();
    let start = at % (characters.len() + 1);
    let end = (start + stead).min(characters.len());
    characters[..start].iter().chain(&piece.chars().collect::<Vec<_>>()).chain(&characters[end..]).collect()
}

fn edits() -> impl Strategy<Value = Vec<(usize, usize, &'static str)>> {
    prop::collection::vec((any::<usize>(), 0..4_usize, select(PIECES.as_slice())), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_pieces_are_read_or_refused(pieces in prop::collection::vec(select(PIECES.as_slice()), 0..60)) {
        read(&pieces.concat());
    }

    #[test]
    fn damaged_files_are_read_or_refused(edits in edits(), contract in any::<bool>()) {
        let whole = if contract { CONTRACT } else { DOMAIN };
        read(&edits.iter().fold(whole.to_owned(), |text, next| edit(&text, next)));
    }

    #[test]
    fn a_contract_is_the_same_after_its_json(contract in contracts(), revision in 1..u64::MAX) {
        let applied = AppliedProduct { revision, applied_at_ms: 1, contract, schema: serde_json::json!({"type": "string"}) };
        let json = serde_json::to_string(&applied).unwrap();
        prop_assert_eq!(serde_json::from_str::<AppliedProduct>(&json).unwrap(), applied.clone());
        prop_assert_eq!(serde_json::from_value::<AppliedProduct>(serde_json::from_str(&json).unwrap()).unwrap(), applied);
    }
}

fn names() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,10}"
}

fn columns() -> impl Strategy<Value = ColumnPath> {
    "[A-Za-z_][a-z0-9_]{0,5}(\\[\\]|\\{\\}){0,2}(\\.[A-Za-z_][a-z0-9_]{0,5}(\\[\\]|\\{\\}){0,1}){0,2}"
        .prop_map(|text| text.parse().unwrap())
}

fn spans() -> impl Strategy<Value = Span> {
    (1..1_000_u64, select(Unit::ALL.as_slice())).prop_map(|(count, unit)| Span::new(count, unit).unwrap())
}

fn masks() -> impl Strategy<Value = MaskRule> {
    prop_oneof![
        prop::option::of(".*").prop_map(MaskRule::Redact),
        Just(MaskRule::Null),
        Just(MaskRule::Zero),
        prop::option::of(16..=64_u8).prop_map(MaskRule::Hash),
        (1..=u32::MAX).prop_map(MaskRule::KeepFirst),
        (1..=u32::MAX).prop_map(MaskRule::KeepLast),
        (1..=u32::MAX).prop_map(MaskRule::Truncate),
        select(vec![Generalisation::Year, Generalisation::Month, Generalisation::Day, Generalisation::Hour])
            .prop_map(MaskRule::Generalise),
        (1..=u64::MAX).prop_map(|number| MaskRule::Generalise(Generalisation::Multiple(number))),
        Just(MaskRule::Tokenise),
        Just(MaskRule::Encrypt),
        Just(MaskRule::Drop),
    ]
}

fn refresh_rates() -> impl Strategy<Value = RefreshRate> {
    let hours = select(vec![
        None,
        Some(r#""Mon-Fri 08:00-18:00 Europe/Berlin""#),
        Some(r#"{"at":"Sat,Sun 00:00-24:00 UTC","except":["12-25","2027-03-27"]}"#),
    ]);
    (spans(), prop::option::of(columns()), 1..9_999_u32, spans(), hours).prop_map(
        |(every, event_time, objective, over, hours)| RefreshRate {
            every,
            event_time,
            objective: f64::from(objective) / 10_000.0,
            over,
            hours: hours.map(|hours: &str| serde_json::from_str(hours).unwrap()),
        },
    )
}

fn contracts() -> impl Strategy<Value = Contract> {
    let identity = (any::<u128>().prop_map(Uuid::from_u128), names(), names(), 1..99_u32, ".*");
    let columns_and_masks =
        prop::collection::vec((columns(), names(), prop::option::of(masks())), 0..4).prop_map(|columns| {
            columns.into_iter().map(|(column, class, mask)| SensitiveColumn { column, class, mask }).collect::<Vec<_>>()
        });
    let clear = prop_oneof![Just(Clear::All), prop::collection::vec(".*", 0..3).prop_map(Clear::Named)]
        .prop_map(|clear| View { clear });
    let access = (
        prop::collection::btree_map(names(), clear, 0..3),
        prop::collection::vec((".*", names()).prop_map(|(group, view)| AccessGrant { group, view }), 0..3),
    );
    let keeping = (
        prop_oneof![Just(History::Latest), spans().prop_map(History::For)],
        prop::sample::subsequence(Storage::ALL.to_vec(), 0..4),
        select(Compatibility::ALL.as_slice()),
        prop::option::of(columns()),
        prop::option::of(columns()),
    );
    let sources = prop::collection::vec((names(), names(), prop::option::of(1..9_u32)), 0..3);
    let sizes = (prop::option::of(any::<u32>()), prop::option::of(any::<u16>()), prop::collection::vec(".*", 0..2));
    (identity, refresh_rates(), columns_and_masks, access, keeping, sources, sizes).prop_map(
        |(
            (unique_id, owner, name, version, description),
            refresh_rate,
            sensitive_columns,
            access,
            keeping,
            sources,
            sizes,
        )| {
            let ((views, access_group), (history, storage, compatibility, key, subject)) = (access, keeping);
            let (partitions, replication, headers) = sizes;
            let dependencies = sources.into_iter().map(|(domain, name, major)| mesh_contract::ProductRef {
                product: mesh_contract::Product { domain, name },
                major,
            });
            Contract {
                unique_id,
                owner,
                name,
                version,
                description,
                schema: "schemas/a.avsc".to_owned(),
                key,
                subject,
                compatibility,
                refresh_rate,
                history,
                storage,
                sensitive_columns,
                views,
                access_group,
                dependencies: dependencies.collect(),
                partitions,
                replication,
                headers,
                maintenance: Vec::new(),
                deprecated: None,
                fed_by: None,
            }
        },
    )
}

#[test]
fn json_is_read_strictly() {
    let contract = parse_contract("long.yaml", CONTRACT).unwrap().value;
    let json = serde_json::to_value(&contract).unwrap();
    let refused = |pointer: &str, value: serde_json::Value| {
        let mut json = json.clone();
        match pointer.rsplit_once('/') {
            Some((parent, key)) => json.pointer_mut(parent).unwrap()[key] = value,
            None => json[pointer] = value,
        }
        serde_json::from_value::<Contract>(json).unwrap_err().to_string()
    };
    assert!(refused("colour", "red".into()).contains("unknown field `colour`"));
    assert!(refused("/refresh_rate/evry", "hour".into()).contains("unknown field `evry`"));
    assert!(refused("/sensitive_columns/0/mask", "hsah".into()).contains("\"hsah\" is not a masking rule"));
    assert!(refused("/sensitive_columns/0/mask", serde_json::Value::Null).contains("a masking rule, such as"));
    assert!(refused("/views/support/clear", "al".into()).contains("\"all\" or a list"));
    assert!(refused("/history", "2 fortnights".into()).contains("not a unit of time"));
}

#[test]
fn the_canonical_json_is_the_long_form() {
    let contract = parse_contract("long.yaml", CONTRACT).unwrap().value;
    insta::assert_json_snapshot!(contract);
    let domain: Domain = parse_domain("domain.yaml", DOMAIN).unwrap().value;
    insta::assert_json_snapshot!(domain);
}

#[test]
fn places_are_those_of_the_parts() {
    let places = parse_contract("long.yaml", CONTRACT).unwrap().places;
    assert_eq!(places.at("sensitive_columns[1].mask").to_string(), "long.yaml:17:48");
    assert_eq!(places.at("sensitive_columns[0].column").to_string(), "long.yaml:16:5");
    assert_eq!(places.at("views.support").to_string(), "long.yaml:33:3");
    assert_eq!(places.at("nothing.of[3].the.sort").to_string(), "long.yaml:1:1");
    assert!(matches!(
        parse_contract("long.yaml", CONTRACT).unwrap().value.sensitive_columns[0].column.steps(),
        [Step::Field(_)]
    ));
}

#[test]
fn huge_and_deep_files_are_refused_at_once() {
    read(&"a: ".repeat(1_000_000));
    read(&"[".repeat(200_000));
    read(&"- ".repeat(100_000));
    read(&"a:\n ".repeat(50_000));
    read(&"x\n".repeat(100_000));
    read(&(0..9_000).map(|n| format!("k{n}: [a, b\n")).collect::<String>());
    read(&(0..9_000).map(|n| format!("key_number_{n}: {n}\n")).collect::<String>());
}
