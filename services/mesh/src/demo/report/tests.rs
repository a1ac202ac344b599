use super::*;
use crate::demo::search::{Leak, Part};
use crate::demo::story::{Freshness, Hunt, Joined, Quarantined, Refused, SideBySide, ViewCount};

fn edge(from: &str, to: &str, job: &str) -> Edge {
    Edge { from: from.into(), to: to.into(), job: job.into() }
}

fn strings<const N: usize>(cells: [&str; N]) -> [String; N] {
    cells.map(str::to_owned)
}

#[allow(clippy::too_many_lines)] // data, not control flow
fn story() -> Story {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    Story {
        cluster: "the embedded Kafka".into(),
        publications: vec![
            Publication { product: "crm.customers".into(), how: "mesh-client".into(), records: 23_580, bad: 6 },
            Publication {
                product: "web.page_views".into(),
                how: "a plain Kafka client".into(),
                records: 31_115,
                bad: 5,
            },
        ],
        views: vec![
            ViewCount {
                product: "crm.customers".into(),
                view: "masked".into(),
                topic: "crm.customers.v1".into(),
                groups: vec!["analysts".into()],
                records: 23_574,
            },
            ViewCount {
                product: "crm.customers".into(),
                view: "support".into(),
                topic: "crm.customers.v1.support".into(),
                groups: vec!["crm-support".into()],
                records: 23_574,
            },
        ],
        same_customer: SideBySide {
            customer_id: "C00042".into(),
            groups: vec![("analysts".into(), "masked".into()), ("crm-support".into(), "support".into())],
            rows: vec![
                ("email".into(), vec![hash.into(), hash.into()]),
                ("phone".into(), vec!["***********0142".into(), "+1-212-555-0142".into()]),
            ],
            elsewhere: Some(
                "The web domain's masked view shows the same person's 41 page views under 9f86d081.".into(),
            ),
        },
        joined: Joined {
            customers: 23_574,
            orders: 69_659,
            page_views: 31_110,
            offers: 301,
            seen_on_the_web: 120,
            examples: vec![strings([
                "C00042",
                "1",
                "$11.77",
                "product_view",
                "looked at products 31 times, bought once",
            ])],
        },
        quarantined: ["crm.customers", "web.page_views"]
            .map(|product| Quarantined {
                product: product.into(),
                sent: "JSON instead of Avro".into(),
                reason: "wire-magic".into(),
                records: 1,
            })
            .into(),
        refused: vec![Refused {
            subject: "crm.customers.v1.in-value".into(),
            change: "customer_id from string to long".into(),
            answer: "incompatible".into(),
        }],
        freshness: vec![
            Freshness {
                product: "crm.customers".into(),
                state: "fresh".into(),
                age_seconds: Some(97),
                promise: "hour".into(),
            },
            Freshness {
                product: "web.page_views".into(),
                state: "stale".into(),
                age_seconds: Some(172_800),
                promise: "day".into(),
            },
        ],
        lineage: vec![
            edge("crm.customers.v1", "upselling.offers.v1.in", "upselling.offers"),
            edge("crm.customers.v1.in", "crm.customers.v1", "masking"),
            edge("crm.customers.v1.in", "crm.customers.v1.support", "masking"),
            edge("upselling.offers.v1.in", "upselling.offers.v1", "masking"),
            edge("web.page_views.v1", "upselling.offers.v1.in", "upselling.offers"),
            edge("web.page_views.v1.in", "web.page_views.v1", "masking"),
        ],
        hunt: Hunt {
            planted: 40,
            places: 9,
            topics: 20,
            records: 512_345,
            bytes: 98_765_432,
            granted: 24,
            ..Hunt::default()
        },
        checks: vec![Check::new("every record is accounted for", true, String::new)],
        seconds: 31.42,
    }
}

#[test]
fn a_newcomer_reads_what_happened() {
    insta::assert_snapshot!(render(&story(), 100));
}

#[test]
fn a_leak_is_told_by_column_and_topic_and_fails_the_demo() {
    let mut story = story();
    let leak = |canary| Leak {
        topic: "crm.customers.v1".into(),
        part: Part::Value,
        perch: "crm.customers email".into(),
        canary,
    };
    story.hunt.leaks.extend([leak(1), leak(5)]);
    story.hunt.birth_dates.insert(("crm.customers.v1".into(), "run-1-0".into()));
    story.checks.push(Check::new("no canary leaked", false, || "3 leaked".into()));
    assert!(!story.as_staged());
    assert_eq!(story.hunt.leaked(), 3);
    let text = render(&story, 100);
    let told = text.split("8. ").nth(1).unwrap_or_default().split_once("\n\n").map_or("", |(_, told)| told);
    insta::assert_snapshot!(told, @"
       YES: 3 canaries leaked:
       - crm.customers email in a value of crm.customers.v1 (2 canaries)
       - crm.customers birth_date in crm.customers.v1

    Was it all as staged?
       ok      every record is accounted for
       FAILED  no canary leaked: 3 leaked

    54,695 records in 31.4 s on the embedded Kafka. Not all happened as staged.
    ");
}

#[test]
fn machines_get_the_object_that_the_contract_promises() {
    insta::assert_json_snapshot!(story().summary());
}

#[test]
fn the_registrys_answer_is_told_in_short() {
    let answer = "Schema being registered is incompatible with an earlier schema for subject \"s\", details: \
        [{rule: type-mismatch, path: customer_id, version: 1, the writer writes string; hint: keep the type}]; level: X";
    assert_eq!(gist(answer), "type-mismatch: the writer writes string");
    assert_eq!(gist("no"), "no");
}

#[test]
fn numbers_are_grouped() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
}

#[test]
fn ages_are_told_in_the_unit_that_fits() {
    assert_eq!([0, 119, 120, 7_199, 7_200, 172_800].map(duration), ["0 s", "119 s", "2 min", "119 min", "2 h", "2 d"]);
}

#[test]
fn a_cycle_in_the_graph_ends() {
    let edges = [edge("s", "a", "j"), edge("a", "b", "j"), edge("b", "a", "j")];
    assert!(tree(&edges).contains("as above"));
}
