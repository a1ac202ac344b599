//! Whether all happened as staged. Pure: what was seen in, checks out.

use super::ledger::Balance;
use super::refusals::BAD_CHANGES;
use super::story::{Check, Edge, Freshness, Hunt, Joined, Quarantined};
use super::watch::NOT_ON_PURPOSE;
use mesh_contract::Topics;
use std::collections::BTreeSet;

/// The product that is let go stale.
const STALE: &str = "web.page_views";
const OFFERS_INPUT: &str = "upselling.offers.v1.in";
const OFFERS: &str = "upselling.offers.";

/// What was seen, as far as something was staged about it.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub settled: Balance,
    /// How many records were bad on purpose.
    pub bad: u64,
    pub quarantined: &'a [Quarantined],
    pub refused: usize,
    pub freshness: &'a [Freshness],
    pub joined: &'a Joined,
    pub lineage: &'a [Edge],
    /// Every product's topics.
    pub topics: &'a [Topics],
    pub hunt: &'a Hunt,
}

/// The checks, in the order of the report.
pub fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        accounted(evidence.settled),
        quarantined(evidence.quarantined, evidence.bad),
        Check::new(
            "the registry refused every schema that breaks readers",
            evidence.refused == BAD_CHANGES.len(),
            || format!("{} of {}", evidence.refused, BAD_CHANGES.len()),
        ),
        Check::new(
            "offers were derived from masked views, joined on the hashed e-mail address",
            evidence.joined.seen_on_the_web > 0,
            || format!("{} offers, none of them about a visitor of the web pages", evidence.joined.offers),
        ),
        freshness(evidence.freshness, evidence.topics.len()),
        lineage(evidence.lineage, evidence.topics),
        Check::new("no canary leaked", evidence.hunt.leaked() == 0, || {
            format!("{} canaries leaked, see above", evidence.hunt.leaked())
        }),
        Check::new("the search finds canaries where a view grants them", evidence.hunt.granted > 0, || {
            "it found none at all, so that it proves nothing".to_owned()
        }),
    ]
}

fn accounted(settled: Balance) -> Check {
    let what = "every published record is in each view of its product once, or in quarantine";
    Check::new(what, settled == Balance::Even, || match settled {
        Balance::Over => "more arrived than was published".to_owned(),
        _ => "some have not arrived".to_owned(),
    })
}

fn quarantined(rows: &[Quarantined], bad: u64) -> Check {
    let total: u64 = rows.iter().map(|row| row.records).sum();
    let innocent: u64 = rows.iter().filter(|row| row.sent == NOT_ON_PURPOSE).map(|row| row.records).sum();
    let what = "every bad record is in quarantine, and no other";
    Check::new(what, total == bad && innocent == 0, || {
        format!("{bad} were bad on purpose, {total} are in quarantine, {innocent} of them for another reason")
    })
}

fn freshness(rows: &[Freshness], products: usize) -> Check {
    let as_staged = |row: &Freshness| row.state == if row.product == STALE { "stale" } else { "fresh" };
    let holds = rows.len() == products && rows.iter().all(as_staged);
    Check::new(format!("{STALE} is stale, all others are fresh"), holds, || {
        let states: Vec<String> = rows.iter().map(|row| format!("{} {}", row.product, row.state)).collect();
        format!("{} of {products} products judged: {}", rows.len(), states.join(", "))
    })
}

/// Exactly the edges that were staged: input to views, the others' masked views to the offers. Quarantine topics aside.
fn lineage(edges: &[Edge], topics: &[Topics]) -> Check {
    let expected = expected_edges(topics);
    let seen: BTreeSet<(&str, &str)> = edges
        .iter()
        .filter(|edge| topics.iter().all(|topics| topics.quarantine != edge.to))
        .map(|edge| (edge.from.as_str(), edge.to.as_str()))
        .collect();
    Check::new("the lineage graph shows every way that records took, and no other", seen == expected, || {
        let named = |edges: Vec<&(&str, &str)>| {
            edges.iter().map(|(from, to)| format!("{from} -> {to}")).collect::<Vec<_>>().join(", ")
        };
        let missing = named(expected.difference(&seen).collect());
        let false_ones = named(seen.difference(&expected).collect());
        format!("missing: {missing}; false: {false_ones}")
    })
}

fn expected_edges(topics: &[Topics]) -> BTreeSet<(&str, &str)> {
    let masked =
        topics.iter().flat_map(|topics| topics.views.iter().map(|(_, view)| (topics.input.as_str(), view.as_str())));
    let sources = topics.iter().filter(|topics| !topics.input.starts_with(OFFERS));
    let derived = sources.filter_map(|topics| topics.view(mesh_contract::MASKED_VIEW)).map(|view| (view, OFFERS_INPUT));
    masked.chain(derived).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(product: &str) -> Topics {
        Topics {
            input: format!("{product}.v1.in"),
            views: vec![("masked".to_owned(), format!("{product}.v1"))],
            quarantine: format!("{product}.v1.quarantine"),
        }
    }

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.into(), to: to.into(), job: "j".into() }
    }

    fn fresh(product: &str, state: &str) -> Freshness {
        Freshness { product: product.into(), state: state.into(), age_seconds: None, promise: String::new() }
    }

    fn row(sent: &str, records: u64) -> Quarantined {
        Quarantined { product: "p".into(), sent: sent.into(), reason: "r".into(), records }
    }

    #[test]
    fn quarantine_holds_what_was_bad_and_nothing_else() {
        assert_eq!(quarantined(&[row("cut off", 2)], 2).failure, None);
        assert!(quarantined(&[row("cut off", 1)], 2).failure.is_some(), "one got through");
        assert!(quarantined(&[row("cut off", 1), row(NOT_ON_PURPOSE, 1)], 2).failure.is_some());
    }

    #[test]
    fn staleness_is_staged_for_one_product_alone() {
        assert_eq!(freshness(&[fresh("crm.orders", "fresh"), fresh(STALE, "stale")], 2).failure, None);
        assert!(freshness(&[fresh("crm.orders", "fresh"), fresh(STALE, "fresh")], 2).failure.is_some());
        assert!(freshness(&[fresh("crm.orders", "stale"), fresh(STALE, "stale")], 2).failure.is_some());
        assert!(freshness(&[fresh(STALE, "stale")], 2).failure.is_some(), "one was not judged");
    }

    #[test]
    fn the_graph_is_exactly_what_was_staged() {
        let topics = [topics("crm.orders"), topics("upselling.offers")];
        let mut edges = vec![
            edge("crm.orders.v1.in", "crm.orders.v1"),
            edge("crm.orders.v1.in", "crm.orders.v1.quarantine"),
            edge("crm.orders.v1", "upselling.offers.v1.in"),
            edge("upselling.offers.v1.in", "upselling.offers.v1"),
        ];
        assert_eq!(lineage(&edges, &topics).failure, None);
        edges.push(edge("crm.orders.v1.in", "upselling.offers.v1"));
        let failure = lineage(&edges, &topics).failure.unwrap_or_default();
        assert_eq!(failure, "missing: ; false: crm.orders.v1.in -> upselling.offers.v1");
        edges.drain(2..);
        assert!(lineage(&edges, &topics).failure.is_some());
    }

    #[test]
    fn accounts_must_be_even() {
        assert_eq!(accounted(Balance::Even).failure, None);
        assert!(accounted(Balance::Open).failure.is_some() && accounted(Balance::Over).failure.is_some());
    }
}
