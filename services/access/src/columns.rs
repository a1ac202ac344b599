//! In which form each view shows each sensitive column.

use mesh_avro::mask::Rules;
use mesh_avro::schema::Schema;
use mesh_contract::{Clear, Contract, MASKED_VIEW, MaskRule};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What is seen of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// All of it.
    Clear,
    /// What a rule leaves: `hash`, `keep_last: 4`.
    Masked(String),
}

/// A sensitive column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its class: `pii.contact`.
    pub class: String,
    /// In which form each view shows it.
    pub views: BTreeMap<String, Form>,
}

/// The sensitive columns of a product, by path.
pub type Columns = BTreeMap<String, Column>;

/// The rule of a column for which the contract names none.
const RULE_OF_TYPE: &str = "masked by its type's rule";

/// The sensitive columns of a contract, those that only its schema declares included. Where the schema cannot be used, those of the
/// contract alone.
pub fn columns(contract: &Contract, schema: &Value) -> Columns {
    let schema = Schema::parse_value(schema).ok();
    match schema.and_then(|schema| Rules::of_applied(contract, &schema).ok()) {
        Some(rules) => by_rules(&rules),
        None => by_contract(contract),
    }
}

fn by_rules(rules: &Rules) -> Columns {
    let column = |(path, class): (&str, &str)| {
        let form = |(index, view): (usize, &String)| {
            let masked = rules.masked(index).find(|(masked, _)| *masked == path);
            (view.clone(), masked.map_or(Form::Clear, |(_, rule)| Form::of(rule)))
        };
        let views = rules.views().iter().enumerate().map(form).collect();
        (path.to_owned(), Column { class: class.to_owned(), views })
    };
    rules.columns().map(column).collect()
}

fn by_contract(contract: &Contract) -> Columns {
    let column = |sensitive: &mesh_contract::SensitiveColumn| {
        let (path, class) = (sensitive.column.to_string(), sensitive.class.clone());
        let is_clear = |view: &String| match contract.views.get(view).map(|view| &view.clear) {
            _ if view == MASKED_VIEW => false,
            None => false,
            Some(Clear::All) => true,
            Some(Clear::Named(names)) => names.contains(&path) || names.contains(&class),
        };
        let form = |view: String| {
            let form = if is_clear(&view) { Form::Clear } else { Form::of(sensitive.mask.as_ref()) };
            (view, form)
        };
        let views = contract.view_names().into_iter().map(form).collect();
        (path, Column { class, views })
    };
    contract.sensitive_columns.iter().map(column).collect()
}

impl Form {
    fn of(rule: Option<&MaskRule>) -> Self {
        Self::Masked(rule.map_or(RULE_OF_TYPE.to_owned(), ToString::to_string))
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clear => f.write_str("clear"),
            Self::Masked(rule) => f.write_str(rule),
        }
    }
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(if text == Self::Clear.to_string() { Self::Clear } else { Self::Masked(text) })
    }
}
