#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use jiff::Timestamp;
use mesh_client::lineage::facet::{ColumnLineage, ColumnOrigins, InputField, Transformation};
use mesh_client::lineage::run::Described;
use mesh_client::lineage::{Dataset, Event, Job, JobRun, KafkaCluster, KafkaNamespace, ProductDatasets};
use mesh_contract::{AppliedProduct, parse_contract};
use uuid::Uuid;

use super::*;
use crate::erasure::{Erasure, Kept};
use crate::graph::tests::apply;
use crate::graph::{Declaration, Graph};
use crate::impact::{Impact, ImpactError};
use crate::proof::{Proof, Reason};

const CUSTOMERS: [&str; 2] =
    [include_str!("../../../../topics/crm/customers.yaml"), include_str!("../../../../schemas/crm/customer.avsc")];
const OFFERS: [&str; 2] = [
    include_str!("../../../../topics/upselling/offers.yaml"),
    include_str!("../../../../schemas/upselling/offer.avsc"),
];

/// A mesh in which records have moved.
struct World {
    graph: Graph,
    applied: Vec<Arc<AppliedProduct>>,
}

fn cluster() -> KafkaCluster {
    KafkaNamespace::of("k:9092").into()
}

fn applied(file: &str, [contract, schema]: [&str; 2]) -> AppliedProduct {
    let contract = parse_contract(file, contract).unwrap().value;
    AppliedProduct { revision: 1, applied_at_ms: 0, contract, schema: serde_json::from_str(schema).unwrap() }
}

impl World {
    /// Customers and offers as in the examples, both masked; offers are made by nobody yet.
    fn new() -> Self {
        let applied =
            [applied("topics/crm/customers.yaml", CUSTOMERS), applied("topics/upselling/offers.yaml", OFFERS)];
        let applied: Vec<Arc<AppliedProduct>> = applied.into_iter().map(Arc::new).collect();
        let mut graph = Graph::default();
        let declarations: Vec<_> = applied.iter().map(|applied| Declaration { applied, until_ms: None }).collect();
        graph.declare(&cluster(), &declarations).unwrap();
        let mut world = Self { graph, applied };
        world.masked(0);
        world.masked(1);
        world
    }

    fn masked(&mut self, index: usize) {
        let mut run = ProductDatasets::new(&cluster(), &self.applied[index]).masking_run(Uuid::now_v7());
        let topics = self.applied[index].contract.topics();
        run.read(&topics.input, 0, 0, 1);
        topics.views.iter().for_each(|(_, topic)| run.wrote(topic, 0, 0, 1));
        run.wrote(&topics.quarantine, 0, 0, 1);
        self.take(run);
    }

    /// A job that reads one topic and writes another; it may tell what it makes of which column.
    fn moved(&mut self, job: &str, from: &str, to: &str, told: Option<&[(&str, &str, bool)]>) {
        let mut run = JobRun::new(Job::mesh(job), cluster());
        if let Some(told) = told {
            let origin = |column: &str, masking: bool| ColumnOrigins {
                input_fields: vec![InputField {
                    namespace: cluster().namespace.to_string(),
                    name: from.to_owned(),
                    field: column.to_owned(),
                    transformations: vec![Transformation { masking, ..Transformation::identity() }],
                }],
            };
            let fields = told.iter().map(|(from, to, masking)| ((*to).to_owned(), origin(from, *masking)));
            let lineage = ColumnLineage { fields: fields.collect() };
            let dataset = Dataset::topic(&cluster().namespace, to).with(&lineage);
            run.describe_output(Described { dataset, contract: None });
        }
        run.read(from, 0, 0, 1);
        run.wrote(to, 0, 0, 1);
        self.take(run);
    }

    fn take(&mut self, mut run: JobRun) {
        apply(&mut self.graph, &Event::from(run.complete(Timestamp::UNIX_EPOCH))).unwrap();
    }

    fn products(&self) -> Products {
        Products::new(self.applied.iter().cloned())
    }

    fn proof(&self) -> Proof {
        Proof::of(self.graph.now(), &self.products(), None)
    }

    fn breaches(&self) -> Vec<(Reason, String, String)> {
        let breaches = self.proof().breaches.into_iter();
        let mut told: Vec<_> = breaches.map(|it| (it.reason, it.source, it.dataset)).collect();
        told.sort();
        told.dedup();
        told
    }

    fn impact(&self, column: &str) -> Impact {
        Impact::of(self.graph.now(), &self.products(), "crm.customers", column).unwrap()
    }
}

#[test]
fn what_the_sidecars_do_is_proven() {
    let proof = World::new().proof();
    assert!(proof.holds(), "{proof:#?}");
    let email = proof.sources.iter().find(|source| source.column == "email").unwrap();
    assert_eq!((email.masked, email.granted), (3, 1), "two views and the quarantine; the stewards' view grants it");
}

#[test]
fn a_derived_product_of_masked_columns_needs_to_tell_nothing() {
    let mut world = World::new();
    world.moved("derive.upselling.offers.v1", "crm.customers.v1", "upselling.offers.v1.in", None);
    assert_eq!(world.breaches(), []);
}

#[test]
fn a_job_that_reads_in_clear_and_tells_nothing_breaks_the_proof() {
    let mut world = World::new();
    world.moved("derive.upselling.offers.v1", "crm.customers.v1.stewards", "upselling.offers.v1.in", None);
    let breaches = world.breaches();
    let of = |column: &str| (Reason::NotProven, format!("crm.customers.{column}"), "upselling.offers.v1".to_owned());
    assert!(breaches.contains(&of("email")) && breaches.contains(&of("phone")), "{breaches:#?}");
    assert!(breaches.iter().all(|(reason, ..)| *reason == Reason::NotProven));
}

#[test]
fn a_column_that_goes_on_in_clear_is_found_two_products_on() {
    let mut world = World::new();
    let told: &[_] = &[("email", "contact", false), ("customer_id", "customer_id", false)];
    world.moved("derive.upselling.offers.v1", "crm.customers.v1.stewards", "upselling.offers.v1.in", Some(told));
    let breaches = world.breaches();
    let email = "crm.customers.email".to_owned();
    assert!(breaches.contains(&(Reason::Unmasked, email.clone(), "upselling.offers.v1".to_owned())), "{breaches:#?}");
    let proof = world.proof();
    let breach = proof.breaches.iter().find(|it| it.source == email && it.reason == Reason::Unmasked).unwrap();
    let way: Vec<_> = breach.way.iter().map(|it| format!("{} {}", it.dataset, it.column.as_deref().unwrap())).collect();
    insta::assert_snapshot!(way.join(" -> "), @"crm.customers.v1.in email -> crm.customers.v1.stewards email -> upselling.offers.v1.in contact -> upselling.offers.v1 contact");
}

#[test]
fn a_job_that_masks_on_the_way_keeps_the_proof_for_what_it_told() {
    let mut world = World::new();
    let columns = ["offer_id", "customer_id", "contact", "orders", "spent", "interest", "reason", "made_at"];
    let told: Vec<_> = columns.iter().map(|to| ("email", *to, true)).collect();
    world.moved("derive.upselling.offers.v1", "crm.customers.v1.stewards", "upselling.offers.v1.in", Some(&told));
    assert_eq!(world.breaches(), []);
}

#[test]
fn what_leaves_for_where_no_contract_holds_is_found() {
    let mut world = World::new();
    world.moved("export", "crm.customers.v1", "warehouse", Some(&[("email", "email", false)]));
    assert_eq!(world.breaches(), [], "masked it may go anywhere");
    world.moved("leak", "crm.customers.v1.support", "warehouse", Some(&[("phone", "phone", false)]));
    assert_eq!(world.breaches(), [(Reason::Ungoverned, "crm.customers.phone".to_owned(), "warehouse".to_owned())]);
}

#[test]
fn a_contract_that_cannot_be_enforced_proves_nothing() {
    let mut world = World::new();
    let mut broken = AppliedProduct::clone(&world.applied[0]);
    broken.schema = serde_json::json!("string");
    world.applied[0] = Arc::new(broken);
    assert_eq!(world.breaches()[0].0, Reason::NotEnforceable);
}

#[test]
fn another_jobs_quarantine_is_no_quarantine() {
    let mut world = World::new();
    world.moved("copy", "crm.customers.v1.stewards", "crm.customers.v1.quarantine", Some(&[("email", "email", false)]));
    assert_eq!(world.breaches()[0].0, Reason::Unmasked);
}

#[test]
fn a_cycle_of_jobs_is_followed_to_its_end() {
    let mut world = World::new();
    world.moved("there", "crm.customers.v1.stewards", "a", Some(&[("email", "x", false)]));
    world.moved("back", "a", "crm.customers.v1.in", Some(&[("x", "full_name", false)]));
    assert!(
        world.breaches().iter().any(|(reason, _, dataset)| (*reason, dataset.as_str()) == (Reason::Ungoverned, "a"))
    );
}

#[test]
fn impact_says_who_sees_a_column_in_which_form() {
    let mut world = World::new();
    world.moved(
        "derive.upselling.offers.v1",
        "crm.customers.v1",
        "upselling.offers.v1.in",
        Some(&[("email", "contact", false)]),
    );
    world.moved("campaign", "upselling.offers.v1", "letters", None);
    let impact = world.impact("email");
    let told = impact.sights.iter().map(|it| {
        let column = it.column.as_deref().unwrap_or("?");
        let how = it.how.as_deref().unwrap_or("-");
        format!("{} {column} {:?} {how} {:?} {:?}", it.dataset, it.form, it.groups, it.readers)
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    assert_eq!((impact.class.as_deref(), impact.declared_only), (Some("pii.contact"), vec![]));
}

#[test]
fn impact_says_what_the_contract_says_before_anything_moved() {
    let mut world = World::new();
    world.graph = Graph::default();
    let declarations: Vec<_> = world.applied.iter().map(|applied| Declaration { applied, until_ms: None }).collect();
    world.graph.declare(&cluster(), &declarations).unwrap();
    let impact = world.impact("phone");
    let forms: Vec<_> = impact.sights.iter().map(|it| (it.view.as_deref().unwrap(), it.form, it.observed)).collect();
    let unseen = |view, form| (view, form, false);
    assert_eq!(
        forms,
        [unseen("masked", Arrived::Masked), unseen("stewards", Arrived::Clear), unseen("support", Arrived::Clear)]
    );
    assert_eq!(impact.declared_only, ["upselling.offers"]);
}

#[test]
fn what_is_not_there_has_no_impact() {
    let world = World::new();
    let of =
        |product: &str, column: &str| Impact::of(world.graph.now(), &world.products(), product, column).unwrap_err();
    assert!(matches!(of("crm.nothing", "email"), ImpactError::NoSuchProduct { .. }));
    assert!(
        matches!(of("crm.customers", "e-mail"), ImpactError::NoSuchColumn { known, .. } if known.contains(&"email".to_owned()))
    );
}

#[test]
fn erasure_names_every_place_how_a_subject_is_found_there_and_until_when() {
    let mut world = World::new();
    let told: &[_] = &[("email", "contact", false), ("customer_id", "customer_id", false)];
    world.moved("derive.upselling.offers.v1", "crm.customers.v1", "upselling.offers.v1.in", Some(told));
    world.moved("export", "crm.customers.v1", "warehouse", None);
    let found = Erasure::of(world.graph.now(), &world.products(), "crm.customers").unwrap();
    assert_eq!(found.subject_column.as_deref(), Some("customer_id"));
    let of = |dataset: &str| found.places.iter().find(|place| place.dataset == dataset).unwrap();
    assert_eq!(found.places[0].dataset, "crm.customers.v1.in");
    assert_eq!(
        (of("crm.customers.v1").subject, &of("crm.customers.v1").kept),
        (Some(Arrived::Clear), &Kept::UntilTombstone)
    );
    let offers = of("upselling.offers.v1");
    assert_eq!((offers.subject, &offers.kept), (Some(Arrived::Clear), &Kept::For("3 months".to_owned())));
    assert!(offers.until.as_deref().unwrap().starts_with("1970-0"), "three months after it was seen: {offers:?}");
    assert_eq!(offers.columns["contact"], Arrived::Masked);
    assert!(offers.sure || !offers.columns.is_empty());
    assert_eq!((&of("warehouse").kept, of("warehouse").sure), (&Kept::Unknown, false));
    assert_eq!(of("crm.customers.v1.quarantine").subject, Some(Arrived::Sealed));
}
