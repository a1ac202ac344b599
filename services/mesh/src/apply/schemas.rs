//! A product's subjects: the schemas of its ports, each held to the contract's compatibility level.

use super::plan::Refusal;
use super::references::{WantedSchema, WantedSchemas};
use crate::failure::Failure;
use crate::tree::{TreeSchema, WorkingProduct};
use mesh_avro::compat::{self, CompatFinding, Direction, Severities};
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
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) level: Compatibility,
    schema: Wanted,
    kind: SubjectKind,
    /// The columns that the contract lists as sensitive.
    listed: Vec<SensitiveColumn>,
    place: Place,
}

/// Where a subject's schema is from.
#[derive(Debug, Clone)]
enum Wanted {
    /// Files of the tree.
    Files(Box<TreeSchema>),
    /// Derived from one.
    Derived(Value),
}

/// What a subject is of.
#[derive(Debug, Clone, PartialEq)]
enum SubjectKind {
    /// A type that several schemas may use; the products that do.
    Type { users: Vec<String> },
    /// What producers write.
    Input,
    /// What a view shows.
    View,
}

/// Why a schema may not follow those before it.
#[derive(Debug, PartialEq)]
pub(super) struct Violation {
    text: String,
    /// Where it is in the files of types that are used, or of a type's own subject.
    place: Option<Place>,
}

/// The subjects of the types that products share, each before those that use it; then those of all products.
pub(super) fn subjects(products: &[WorkingProduct]) -> Vec<Subject> {
    types(products).into_iter().chain(products.iter().flat_map(of_product)).collect()
}

/// The types of files that schemas use, under their full names. Each is held to all that its users' contracts ask for.
fn types(products: &[WorkingProduct]) -> Vec<Subject> {
    let mut types: Vec<Subject> = Vec::new();
    for product in products {
        let contract = &product.contract.value;
        let user = format!("{}@{}", contract.product(), contract.version);
        for (file, schema) in product.files.files()[1..].iter().zip(product.files.used()) {
            let Some(name) = file.defines.as_ref().map(ToString::to_string) else { continue };
            match types.iter_mut().find(|known| known.name == name) {
                Some(known) => {
                    known.level = known.level.and(contract.compatibility);
                    if let SubjectKind::Type { users } = &mut known.kind {
                        users.push(user.clone());
                    }
                }
                None => types.push(Subject {
                    name,
                    level: contract.compatibility,
                    place: schema.place(0, "/name"),
                    schema: Wanted::Files(Box::new(schema)),
                    kind: SubjectKind::Type { users: vec![user.clone()] },
                    listed: Vec::new(),
                }),
            }
        }
    }
    types
}

/// The input port's subjects, then those of the views. Keys that are text have none: they are written as raw UTF-8. A view's
/// schema stands for itself: what it masks makes other types of those that are used.
fn of_product(product: &WorkingProduct) -> Vec<Subject> {
    let (contract, places) = (&product.contract.value, &product.contract.places);
    let topics = contract.topics();
    let subject = |name: String, schema: Wanted, kind, place| Subject {
        name,
        schema,
        level: contract.compatibility,
        listed: contract.sensitive_columns.clone(),
        kind,
        place,
    };
    let key = key_schema(contract, &product.schema);
    let key_of = |topic: &str| {
        let key = key.iter().cloned();
        key.map(|key| subject(key_subject(topic), Wanted::Derived(key), SubjectKind::Input, places.at("key"))).collect()
    };
    let mut subjects: Vec<Subject> = key_of(&topics.input);
    let input = Wanted::Files(Box::new(product.files.clone()));
    subjects.push(subject(value_subject(&topics.input), input, SubjectKind::Input, places.at("schema")));
    for view in &product.views {
        let Some(topic) = topics.view(&view.name) else { continue };
        subjects.extend(key_of(topic));
        let place = match view.name.as_str() {
            mesh_contract::MASKED_VIEW => places.at("sensitive_columns"),
            name => places.at(&format!("views.{name}")),
        };
        let schema = Wanted::Derived(view.schema.clone());
        subjects.push(subject(value_subject(topic), schema, SubjectKind::View, place));
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

/// Of the wanted subjects those that a product as it was applied had, with their schemas in one document each; those that can
/// be derived still.
pub(super) fn of_applied(applied: &AppliedProduct, wanted: &WantedSchemas) -> Vec<(String, Value)> {
    let topics = applied.contract.topics();
    let Ok(schema) = Schema::parse_value(&applied.schema) else { return Vec::new() };
    let types = wanted.keys().filter_map(|name| Some((name.clone(), schema.definition(schema.named(name)?).ok()?)));
    let input = schema.whole().ok().map(|whole| (value_subject(&topics.input), whole));
    let mut subjects: Vec<(String, Value)> = types.chain(input).collect();
    let rules = Rules::of_applied(&applied.contract, &schema).ok();
    if let (Some(rules), Ok(keys)) = (rules, ThrowAwayKeys::generate()) {
        let program = Program::compile(&rules, &schema, &keys).ok();
        let views = program.iter().flat_map(Program::views);
        let whole = |view: &Value| Schema::parse_value(view).ok()?.whole().ok();
        subjects.extend(views.filter_map(|view| Some((value_subject(topics.view(&view.name)?), whole(&view.schema)?))));
    }
    subjects.retain(|(subject, _)| wanted.contains_key(subject));
    subjects
}

/// Why a schema may not follow those before it; one that is among them may.
pub(super) fn violations(subject: &Subject, history: &[Schema]) -> Result<Vec<Violation>, Failure> {
    let invalid = |error| Failure::internal(format!("the schema of {} is not valid", subject.name)).because(error);
    let schema = match &subject.schema {
        Wanted::Files(files) => files.parsed().clone(),
        Wanted::Derived(schema) => Schema::parse_value(schema).map_err(invalid)?,
    };
    let whole = schema.whole().map_err(invalid)?;
    if history.iter().any(|earlier| earlier.whole().is_ok_and(|earlier| earlier == whole)) {
        return Ok(Vec::new());
    }
    let earlier: Vec<&Schema> = history.iter().collect();
    let report = compat::check_level_with(subject.level, &schema, &earlier, &subject.meaning());
    let errors = report.errors().filter(|finding| !finding.is_settled_by(&subject.listed));
    Ok(errors.map(|finding| Violation { text: explained(finding), place: subject.place_of(finding) }).collect())
}

fn explained(finding: &CompatFinding) -> String {
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{finding}{hint}")
}

impl Subject {
    /// The schema as it is registered.
    pub(super) fn wanted(&self) -> WantedSchema {
        match &self.schema {
            Wanted::Files(files) => {
                WantedSchema { schema: files.parsed().json().clone(), references: files.references() }
            }
            Wanted::Derived(schema) => WantedSchema { schema: schema.clone(), references: Vec::new() },
        }
    }

    /// Whether this is a view's, whose schema derives from the other's, which is refused already: the same would be said again.
    pub(super) fn follows_from(&self, other: &Subject) -> bool {
        self.kind == SubjectKind::View && other.kind == SubjectKind::Input && self.place.file == other.place.file
    }

    /// How severe changes of meaning are: they refuse what producers write, as they do in the registry. What a view shows
    /// follows from that and from the contract; what a shared type means, the products say that use it.
    fn meaning(&self) -> Severities {
        match self.kind {
            SubjectKind::Input => Severities::strict(),
            SubjectKind::View | SubjectKind::Type { .. } => Severities::default(),
        }
    }

    fn rule(&self) -> &'static str {
        match self.kind {
            SubjectKind::View => VIEW_INCOMPATIBLE,
            SubjectKind::Input | SubjectKind::Type { .. } => SCHEMA_INCOMPATIBLE,
        }
    }

    /// Where a finding is in a file besides the schema's own, or in a type's.
    fn place_of(&self, finding: &CompatFinding) -> Option<Place> {
        let Wanted::Files(files) = &self.schema else { return None };
        let (document, pointer) = match finding.direction {
            Direction::Backward => (finding.reader_document, &finding.reader_pointer),
            Direction::Forward => (finding.writer_document, &finding.writer_pointer),
        };
        let is_type = matches!(self.kind, SubjectKind::Type { .. });
        (is_type || document > 0).then(|| files.place(document, pointer))
    }
}

/// As a reason to change nothing.
pub(super) fn refusal(subject: &Subject, violation: &Violation) -> Refusal {
    let finding = finding(subject, violation);
    let what = format!("{}: {}", finding.place, finding.message);
    Refusal { rule: finding.rule, what, hint: finding.hint }
}

fn finding(subject: &Subject, violation: &Violation) -> Finding {
    let Violation { text, place } = violation;
    let Subject { name, level, .. } = subject;
    let hint = match subject.kind {
        SubjectKind::Type { .. } => "make the change compatible, or give the changed type another name",
        SubjectKind::Input => "make the change compatible, or make a new major version",
        SubjectKind::View => "keep the masking rule, or make a new major version",
    };
    let (place, message) = match (&subject.kind, place) {
        (SubjectKind::Type { users }, place) => (
            place.as_ref().unwrap_or(&subject.place),
            format!("the type {name}, which {} use, is not {level} compatible: {text}", users.join(" and ")),
        ),
        (_, None) => (&subject.place, format!("the schema of {name} is not {level} compatible: {text}")),
        (_, Some(used)) => (&subject.place, format!("the schema of {name} is not {level} compatible: {text} ({used})")),
    };
    Finding::error(subject.rule(), place.clone(), message).hint(hint)
}

#[cfg(test)]
#[path = "schemas_tests.rs"]
mod tests;
