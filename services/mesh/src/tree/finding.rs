//! Findings that need the disk, or a schema, as well as a contract.

use mesh_avro::mask::CompileError;
use mesh_avro::schema::{SchemaError, locate};
use mesh_contract::{Contract, Declared, Finding, Place, did_you_mean, rules};
use std::error::Error;

/// A contract's schema is not there.
const SCHEMA_MISSING: &str = "schema-missing";
/// A schema is not valid Avro.
const SCHEMA_INVALID: &str = "schema-invalid";
/// A product's views cannot be made.
const VIEW_INVALID: &str = "view-invalid";

/// The rules of this module: id and meaning.
pub(super) const RULES: [(&str, &str); 3] = [
    (SCHEMA_MISSING, "A contract names a schema that is not there."),
    (SCHEMA_INVALID, "A schema is not valid Avro."),
    (VIEW_INVALID, "The rules of a contract hold, but a view of it has no valid schema."),
];

/// What a rule holds against a file, whichever crate found it.
pub fn rule_description(id: &str) -> &'static str {
    let contract = rules::RULES.iter().map(|rule| (rule.id, rule.description));
    let mut known =
        contract.chain(mesh_avro::mask::RULES.iter().copied()).chain([mesh_avro::sensitivity::RULE]).chain(RULES);
    known.find(|(known, _)| *known == id).map_or("", |(_, description)| description)
}

/// A YAML file stands where it is neither a contract nor a domain.
pub(super) fn misplaced(file: &str) -> Finding {
    let message = format!("`{file}` is neither a contract nor a domain where it stands");
    Finding::error(rules::FILE_PLACE, Place::start_of(file), message)
}

/// A file that is no text.
pub(super) fn not_utf8(file: &str, sound: &str) -> Finding {
    let lines = sound.matches('\n').count();
    let column = sound.rsplit('\n').next().map_or(0, |line| line.chars().count());
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    let place = Place::new(file, number(lines), number(column));
    let rule = if file.ends_with(".avsc") { SCHEMA_INVALID } else { rules::YAML_SYNTAX };
    Finding::error(rule, place, "the file is not UTF-8 from here on").hint("save it as UTF-8")
}

/// A contract names a schema that is not there; `known` are those that are.
pub(super) fn schema_missing<'a>(contract: &Declared<Contract>, known: impl IntoIterator<Item = &'a str>) -> Finding {
    let schema = &contract.value.schema;
    let hint = match did_you_mean(schema, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "the path is relative to the root, the folder that holds topics/ and schemas/".to_owned(),
    };
    Finding::error(SCHEMA_MISSING, contract.places.at("schema"), format!("there is no file `{schema}`")).hint(hint)
}

/// A file is not a valid Avro schema.
pub(super) fn schema_invalid(file: &str, error: &SchemaError) -> Finding {
    let place = match error.position {
        Some(position) => Place::new(file, position.line, position.column),
        None => Place::start_of(file),
    };
    let hint =
        error.hint().unwrap_or_else(|| "see Avro's specification, https://avro.apache.org/docs/1.12.0/".to_owned());
    Finding::error(SCHEMA_INVALID, place, chain(error)).hint(hint)
}

/// The contract's rules hold, but its views cannot be made.
pub(super) fn view_invalid(contract: &Declared<Contract>, error: &CompileError) -> Finding {
    let place = match error {
        CompileError::ViewSchema { view, .. } => contract.places.at(&format!("views.{view}")),
        _ => contract.places.at("schema"),
    };
    Finding::error(VIEW_INVALID, place, chain(error))
        .hint("change the rules or the schema until every view has a schema")
}

/// Where a part of a schema stands in its file.
pub fn place_in(file: &str, text: &str, pointer: &str) -> Place {
    match locate(text, pointer) {
        Some(position) => Place::new(file, position.line, position.column),
        None => Place::start_of(file),
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
