//! A product's subjects: the schemas of its ports, each held to the contract's compatibility level.

use super::plan::Refusal;
use crate::failure::Failure;
use crate::tree::WorkingProduct;
use mesh_avro::compat::{self, CompatFinding, Severities};
use mesh_avro::mask::{Program, Rules};
use mesh_avro::schema::{Kind, NodeId, Schema};
use mesh_contract::{
    AppliedProduct, Compatibility, Contract, Finding, Place, SensitiveColumn, Step, key_subject, value_subject,
};
use mesh_runtime::keys::ThrowAwayKeys;
use serde_json::Value;

/// A schema of a port that would break those who read the port already.
pub(super) const SCHEMA_INCOMPATIBLE: &str = "schema-incompatible";
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

/// The subjects of a product as it was applied, with their schemas; those that can be derived still.
pub(super) fn of_applied(applied: &AppliedProduct) -> Vec<(String, Value)> {
    let topics = applied.contract.topics();
    let mut subjects = vec![(value_subject(&topics.input), applied.schema.clone())];
    let schema = Schema::parse_value(&applied.schema).ok();
    let rules = schema.as_ref().and_then(|schema| Rules::of_applied(&applied.contract, schema).ok());
    let keys = ThrowAwayKeys::generate().ok();
    if let (Some(schema), Some(rules), Some(keys)) = (schema, rules, keys) {
        let program = Program::compile(&rules, &schema, &keys).ok();
        let views = program.iter().flat_map(Program::views);
        subjects.extend(views.filter_map(|view| Some((value_subject(topics.view(&view.name)?), view.schema.clone()))));
    }
    subjects
}

/// Why a schema may not follow those before it; one that is among them may.
pub(super) fn violations(subject: &Subject, history: &[Schema]) -> Result<Vec<String>, Failure> {
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
    /// Whether this is a view's, whose schema derives from the other's, which is refused already: the same would be said again.
    pub(super) fn follows_from(&self, other: &Subject) -> bool {
        self.rule == VIEW_INCOMPATIBLE && other.rule == SCHEMA_INCOMPATIBLE && self.place.file == other.place.file
    }

    /// How severe changes of meaning are: they refuse what producers write, as they do in the registry. What a view shows
    /// follows from that and from the contract.
    fn meaning(&self) -> Severities {
        match self.rule {
            VIEW_INCOMPATIBLE => Severities::default(),
            _ => Severities::strict(),
        }
    }
}

/// As a reason to change nothing.
pub(super) fn refusal(subject: &Subject, violation: &str) -> Refusal {
    let finding = finding(subject, violation);
    let what = format!("{}: {}", finding.place, finding.message);
    Refusal { rule: finding.rule, what, hint: finding.hint }
}

fn finding(subject: &Subject, violation: &str) -> Finding {
    let message = format!("the schema of {} is not {} compatible: {violation}", subject.name, subject.level);
    let hint = match subject.rule {
        VIEW_INCOMPATIBLE => "keep the masking rule, or make a new major version",
        _ => "make the change compatible, or make a new major version",
    };
    Finding::error(subject.rule, subject.place.clone(), message).hint(hint)
}

#[cfg(test)]
#[path = "schemas_tests.rs"]
mod tests;
