//! A contract's rules, checked against the contract's schema.

mod attributes;
mod check;
mod fit;
mod identity;
mod leaves;
mod path;
mod subject;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mesh_contract::{Clear, Contract, Declared, Finding, MASKED_VIEW, MaskRule, Places, SensitiveColumn, Step};

use super::slot::{Part, Slot};
use crate::schema::Schema;

pub(super) use attributes::class_of;
pub(super) use fit::{Leaf, MAP_KEY, default_rule, fits, keeps_logical, map_key_rule, rule_of};
pub(super) use subject::SubjectColumn;
pub use subject::SubjectTextError;

/// Ids of the findings that need the schema as well as the contract.
pub(super) mod id {
    pub(in crate::mask) const COLUMN_UNKNOWN: &str = "column-unknown";
    pub(in crate::mask) const MASK_TYPE: &str = "mask-type";
    pub(in crate::mask) const MASK_CONFLICT: &str = "mask-conflict";
    pub(in crate::mask) const MASK_SHARED: &str = "mask-shared";
    pub(in crate::mask) const KEY_UNKNOWN: &str = "key-unknown";
    pub(in crate::mask) const KEY_TYPE: &str = "key-type";
    pub(in crate::mask) const KEY_MASK: &str = "key-mask";
    pub(in crate::mask) const EVENT_TIME_UNKNOWN: &str = "event-time-unknown";
    pub(in crate::mask) const EVENT_TIME_TYPE: &str = "event-time-type";
    pub(in crate::mask) const EVENT_TIME_SENSITIVE: &str = "event-time-sensitive";
    pub(in crate::mask) const SUBJECT_UNKNOWN: &str = "subject-unknown";
    pub(in crate::mask) const SUBJECT_TYPE: &str = "subject-type";
    pub(in crate::mask) const ENCRYPT_UNERASABLE: &str = "encrypt-unerasable";
    pub(in crate::mask) const SCHEMA_ROOT: &str = "schema-root";
    pub(in crate::mask) const CLASS_INVALID: &str = "class-invalid";
    pub(in crate::mask) const SENSITIVE_DEFAULT: &str = "sensitive-default";
}

/// Every rule that a finding of [`Rules::check`] may name besides those of the contract alone: id and meaning.
pub const RULES: &[(&str, &str)] = &[
    (id::COLUMN_UNKNOWN, "A sensitive column matches nothing in the contract's schema."),
    (id::MASK_TYPE, "A masking rule does not fit its column's type."),
    (id::MASK_CONFLICT, "One place in the schema stands for two columns whose rules, classes or views differ."),
    (id::MASK_SHARED, "A rule on one use of a named type masks its other uses as well."),
    (id::KEY_UNKNOWN, "The key matches nothing in the contract's schema."),
    (id::KEY_TYPE, "The key is of a type that cannot key records."),
    (id::KEY_MASK, "The key is masked so that entities would merge or be lost."),
    (id::EVENT_TIME_UNKNOWN, "The event time matches nothing in the contract's schema."),
    (id::EVENT_TIME_TYPE, "The event time is neither a date nor a timestamp."),
    (id::EVENT_TIME_SENSITIVE, "The event time is sensitive, though it travels in a header."),
    (id::SUBJECT_UNKNOWN, "The subject matches nothing in the contract's schema."),
    (id::SUBJECT_TYPE, "The subject is of a type that cannot name anybody."),
    (id::ENCRYPT_UNERASABLE, "A column is encrypted, but for nobody in particular."),
    (id::SCHEMA_ROOT, "The contract's schema is not a record."),
    (id::CLASS_INVALID, "A `mesh.class` in the schema is not of the form that classes have."),
    (id::SENSITIVE_DEFAULT, "The schema gives a sensitive column a default that everyone can read."),
];

/// A sensitive column: its rule, and the views that do not show it in clear.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mask {
    /// The column, as the contract writes it.
    pub(super) column: String,
    pub(super) class: String,
    /// The contract's rule; by type if none.
    pub(super) rule: Option<MaskRule>,
    /// For each view, whether it is masked there.
    pub(super) masked_in: Vec<bool>,
}

impl Mask {
    /// Whether values come out alike in every view, whichever of the two masks them.
    pub(super) fn equivalent(&self, other: &Mask) -> bool {
        self.class == other.class && self.rule == other.rule && self.masked_in == other.masked_in
    }
}

/// A view and what it shows in clear.
#[derive(Clone, Debug)]
pub(super) struct ViewRule {
    pub(super) name: String,
    /// `None` for `masked`.
    pub(super) clear: Option<Clear>,
}

impl ViewRule {
    fn masks(&self, column: &str, class: &str) -> bool {
        match &self.clear {
            None => true,
            Some(Clear::All) => false,
            Some(Clear::Named(names)) => !names.iter().any(|name| name == column || name == class),
        }
    }
}

/// A contract's masking rules, checked against the contract's schema: what [`Program::compile`](super::Program::compile)
/// maps onto each writer's.
///
/// A column that is a record, array or map means every leaf in it, a map's keys included; the null of a union is looked
/// through. A column without a rule is masked by its type. The rule of a column inside another column wins there. Keys
/// of a sensitive map are hashed unless the rule keeps different keys different. A schema's `mesh.class` makes a field
/// sensitive by itself; what the contract says of it wins.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(super) product: String,
    pub(super) schema: Arc<Schema>,
    pub(super) view_rules: Vec<ViewRule>,
    pub(super) masks: Vec<Mask>,
    /// Where each mask begins; an index into `masks`.
    pub(super) marks: HashMap<Slot, usize>,
    /// Fields that the schema says only look sensitive.
    pub(super) insensitive: HashSet<Slot>,
    /// The key column's steps; fields only.
    pub(super) key: Option<Vec<String>>,
    /// The event time column's steps; fields only.
    pub(super) event_time: Option<Vec<String>>,
    /// Whom a record is about.
    pub(super) subject: Option<SubjectColumn>,
    views: Vec<String>,
    warnings: Vec<Finding>,
}

impl Rules {
    /// Checks a contract against its schema. All findings at once; warnings alone do not refuse it.
    pub fn check(contract: &Declared<Contract>, schema: &Schema) -> Result<Rules, Vec<Finding>> {
        check::rules(&inputs(&contract.value, &contract.places), schema)
    }

    /// The rules of a contract that was checked before, as it stands on `mesh.products`.
    pub fn of_applied(contract: &Contract, schema: &Schema) -> Result<Rules, Vec<Finding>> {
        let places = Places::new(contract.product().to_string());
        check::rules(&inputs(contract, &places), schema)
    }

    /// Rules without a contract, of the masked view alone: for previews.
    pub fn of_columns(columns: &[SensitiveColumn], schema: &Schema) -> Result<Rules, Vec<Finding>> {
        let masked = ViewRule { name: MASKED_VIEW.to_owned(), clear: None };
        let places = Places::new("sensitive_columns");
        let inputs =
            check::Inputs { product: String::new(), columns, views: vec![masked], identity: None, places: &places };
        check::rules(&inputs, schema)
    }

    /// The views' names, `masked` first: the order of [`Program::views`](super::Program::views).
    pub fn views(&self) -> &[String] {
        &self.views
    }

    /// What the contract's author should know, though the rules hold.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The sensitive columns with their classes, those that only the schema declares included.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.masks.iter().map(|mask| (mask.column.as_str(), mask.class.as_str()))
    }

    /// The columns that a view masks, by the view's place in [`Rules::views`], with their rules; none: the type's.
    pub fn masked(&self, view: usize) -> impl Iterator<Item = (&str, Option<&MaskRule>)> {
        let masked = self.masks.iter().filter(move |mask| mask.masked_in.get(view) == Some(&true));
        masked.map(|mask| (mask.column.as_str(), mask.rule.as_ref()))
    }

    /// For each view, whether it masks a column of that path and class.
    pub(super) fn masked_in(&self, column: &str, class: &str) -> Vec<bool> {
        self.view_rules.iter().map(|view| view.masks(column, class)).collect()
    }
}

fn inputs<'a>(contract: &'a Contract, places: &'a Places) -> check::Inputs<'a> {
    let view = |name: String| {
        let clear = contract.views.get(&name).filter(|_| name != MASKED_VIEW).map(|view| view.clear.clone());
        ViewRule { name, clear }
    };
    check::Inputs {
        product: format!("{}.v{}", contract.product(), contract.version),
        columns: &contract.sensitive_columns,
        views: contract.view_names().into_iter().map(view).collect(),
        identity: Some(check::Identity {
            key: contract.key.as_ref(),
            event_time: contract.refresh_rate.event_time.as_ref(),
            subject: contract.subject.as_ref(),
            product: contract.unique_id.into_bytes(),
        }),
        places,
    }
}

/// The step of a column's path that leads through a part of a type; a union's branches take none.
fn step_text(schema: &Schema, slot: Slot) -> String {
    match (slot.part, &schema.node(slot.parent).kind) {
        (Part::Field(index), crate::schema::Kind::Record { fields }) => format!(".{}", fields[index].name),
        (Part::Items, _) => "[]".to_owned(),
        (Part::Values, _) => "{}".to_owned(),
        _ => String::new(),
    }
}

/// The names of a path of fields; `None` where it has other steps.
fn field_names(steps: &[Step]) -> Option<Vec<String>> {
    let names = steps.iter().map(|step| match step {
        Step::Field(name) => Some(name.clone()),
        Step::Items | Step::Values => None,
    });
    names.collect()
}
