//! A product's subjects: the schemas of its ports, each held to the contract's compatibility level.

use super::registry::Registry;
use super::report::SchemaChange;
use crate::failure::Failure;
use crate::output;
use crate::tree::{WorkingProduct, number};
use mesh_avro::compat::{self, CompatFinding, Severities};
use mesh_avro::schema::{Kind, NodeId, Schema};
use mesh_contract::{Compatibility, Contract, Finding, Place, SensitiveColumn, Step, key_subject, value_subject};
use serde_json::Value;

/// A schema of a port that would break those who read the port already.
const SCHEMA_INCOMPATIBLE: &str = "schema-incompatible";
/// A view's schema that would break the view's readers.
const VIEW_INCOMPATIBLE: &str = "view-incompatible";

/// A schema that a subject has to have.
#[derive(Debug, PartialEq)]
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) schema: Value,
    pub(super) level: Compatibility,
    /// The columns that the contract lists as sensitive.
    listed: Vec<SensitiveColumn>,
    rule: &'static str,
    place: Place,
}

/// The subjects of all products.
pub(super) fn subjects(products: &[WorkingProduct]) -> Vec<Subject> {
    products.iter().flat_map(of_product).collect()
}

/// The input port's subjects, then those of the views. Keys that are text have none: they are written as raw UTF-8.
fn of_product(product: &WorkingProduct) -> Vec<Subject> {
    let (contract, places) = (&product.contract.value, &product.contract.places);
    let topics = contract.topics();
    let subject = |name: String, schema: &Value, rule, place| Subject {
        name,
        schema: schema.clone(),
        level: contract.compatibility,
        listed: contract.sensitive_columns.clone(),
        rule,
        place,
    };
    let key = key_schema(contract, &product.schema);
    let key_of = |topic: &str| {
        key.iter().map(|key| subject(key_subject(topic), key, SCHEMA_INCOMPATIBLE, places.at("key"))).collect()
    };
    let mut subjects: Vec<Subject> = key_of(&topics.input);
    let input = value_subject(&topics.input);
    subjects.push(subject(input, product.schema.json(), SCHEMA_INCOMPATIBLE, places.at("schema")));
    for view in &product.views {
        let Some(topic) = topics.view(&view.name) else { continue };
        subjects.extend(key_of(topic));
        let place = match view.name.as_str() {
            mesh_contract::MASKED_VIEW => places.at("sensitive_columns"),
            name => places.at(&format!("views.{name}")),
        };
        subjects.push(subject(value_subject(topic), &view.schema, VIEW_INCOMPATIBLE, place));
    }
    subjects
}

/// The schema of the Kafka keys, where they are Avro.
fn key_schema(contract: &Contract, schema: &Schema) -> Option<Value> {
    let key = contract.key.as_ref()?;
    let mut node = schema.root();
    for step in key.steps() {
        node = field(schema, node, step)?;
    }
    match schema.node(node).kind {
        Kind::String => None,
        _ => schema.json().pointer(&schema.node(node).pointer).cloned(),
    }
}

fn field(schema: &Schema, node: NodeId, step: &Step) -> Option<NodeId> {
    match (&schema.node(node).kind, step) {
        (Kind::Record { fields }, Step::Field(name)) => {
            fields.iter().find(|field| field.name == *name).map(|field| field.node)
        }
        _ => None,
    }
}

/// Holds every schema against its subject's history by the contract that is being applied: the registry would judge by the
/// one that is still in force.
///
/// # Errors
/// One or more would break their readers: they are shown as findings, and nothing has been changed.
pub(super) async fn refuse_incompatible(registry: &Registry, subjects: &[Subject]) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for subject in subjects {
        if follows_from(subject, &findings) {
            continue;
        }
        let history = registry.history(&subject.name).await?;
        findings.extend(violations(subject, &history)?.iter().map(|violation| finding(subject, violation)));
    }
    findings.iter().for_each(|finding| output::talk(&finding.to_string()));
    match findings.len() {
        0 => Ok(()),
        count => Err(Failure::findings(format!("{} that readers would not survive", number(count, "change")))
            .hint("a breaking change is a new major version beside the old one: `<product>@2.yaml` with `version: 2`")),
    }
}

/// Why a schema may not follow those before it; one that is among them may.
fn violations(subject: &Subject, history: &[Schema]) -> Result<Vec<String>, Failure> {
    if history.iter().any(|earlier| *earlier.json() == subject.schema) {
        return Ok(Vec::new());
    }
    let invalid = |error| Failure::internal(format!("the schema of {} is not valid", subject.name)).because(error);
    let schema = Schema::parse_value(&subject.schema).map_err(invalid)?;
    let earlier: Vec<&Schema> = history.iter().collect();
    let report = compat::check_level_with(subject.level, &schema, &earlier, &subject.meaning());
    let errors = report.errors().filter(|finding| !finding.is_settled_by(&subject.listed));
    Ok(errors.map(explained).collect())
}

fn explained(finding: &CompatFinding) -> String {
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{finding}{hint}")
}

impl Subject {
    /// How severe changes of meaning are: they refuse what producers write, as they do in the registry. What a view shows
    /// follows from that and from the contract.
    fn meaning(&self) -> Severities {
        match self.rule {
            VIEW_INCOMPATIBLE => Severities::default(),
            _ => Severities::strict(),
        }
    }
}

/// Whether a view's schema derives from one that is refused already: its findings would say the same again.
fn follows_from(subject: &Subject, findings: &[Finding]) -> bool {
    let of_its_schema =
        |finding: &Finding| finding.rule == SCHEMA_INCOMPATIBLE && finding.place.file == subject.place.file;
    subject.rule == VIEW_INCOMPATIBLE && findings.iter().any(of_its_schema)
}

fn finding(subject: &Subject, violation: &str) -> Finding {
    let message = format!("the schema of {} is not {} compatible: {violation}", subject.name, subject.level);
    let hint = match subject.rule {
        VIEW_INCOMPATIBLE => "keep the masking rule, or make a new major version",
        _ => "make the change compatible, or make a new major version",
    };
    Finding::error(subject.rule, subject.place.clone(), message).hint(hint)
}

/// Sets every subject's level, and registers what is not registered yet.
pub(super) async fn register(registry: &Registry, subjects: &[Subject]) -> Result<Vec<SchemaChange>, Failure> {
    let mut changes = Vec::new();
    for Subject { name, schema, level, .. } in subjects {
        registry.set_level(name, *level).await?;
        let (id, change) = registry.register(name, schema).await?;
        changes.push(SchemaChange { subject: name.clone(), id, change });
    }
    Ok(changes)
}

#[cfg(test)]
#[path = "schemas_tests.rs"]
mod tests;
