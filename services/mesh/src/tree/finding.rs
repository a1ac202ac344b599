//! Findings that need the disk, or a schema, as well as a contract.

use super::library::{Fault, Library, SchemaFile, place_in};
use mesh_avro::mask::CompileError;
use mesh_avro::schema::SchemaError;
use mesh_contract::{Contract, Declared, Finding, Place, did_you_mean, rules};
use std::error::Error;

/// A contract's schema is not there.
const SCHEMA_MISSING: &str = "schema-missing";
/// A schema is not valid Avro.
const SCHEMA_INVALID: &str = "schema-invalid";
/// Several schemas define a type that another one uses.
const SCHEMA_AMBIGUOUS: &str = "schema-ambiguous";
/// Schemas use one another in a circle.
const SCHEMA_CYCLE: &str = "schema-cycle";
/// A schema uses a type of a domain that its product does not depend on.
const SCHEMA_FOREIGN: &str = "schema-foreign";
/// A product's views cannot be made.
const VIEW_INVALID: &str = "view-invalid";

/// The rules of this module: id and meaning.
pub(super) const RULES: [(&str, &str); 6] = [
    (SCHEMA_MISSING, "A contract names a schema that is not there."),
    (SCHEMA_INVALID, "A schema is not valid Avro."),
    (SCHEMA_AMBIGUOUS, "Several schemas define a type that another one uses."),
    (SCHEMA_CYCLE, "Schemas use one another in a circle."),
    (SCHEMA_FOREIGN, "A product's schema uses a type of a domain that the product does not depend on."),
    (VIEW_INVALID, "The rules of a contract hold, but a view of it has no valid schema."),
];

/// What a rule holds against a file, whichever crate found it.
pub fn rule_description(id: &str) -> &'static str {
    let contract = rules::RULES.iter().map(|rule| (rule.id, rule.description));
    let mut known = contract
        .chain(mesh_avro::mask::RULES.iter().copied())
        .chain([mesh_avro::sensitivity::RULE])
        .chain(RULES)
        .chain(super::feeds::RULES);
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

/// A schema file cannot be used, found when `path` was read.
pub(super) fn unusable(fault: &Fault, path: &str, library: &Library<'_>) -> Vec<Finding> {
    match fault {
        Fault::Invalid { file, error, similar } => vec![schema_invalid(file, error, similar.as_deref())],
        Fault::Ambiguous { name, definers, user } => {
            let at = |file: &String| place_in(file, library.text(file), "/name");
            let message = format!("`{name}` is defined by {}, and {user} uses it", definers.join(" and "));
            let finding = |file| {
                Finding::error(SCHEMA_AMBIGUOUS, at(file), message.clone())
                    .hint("give all but one of them another name, or define the type where it is used")
            };
            definers.iter().map(finding).collect()
        }
        Fault::Cycle { files } => {
            let first = files.first().map_or(path, String::as_str);
            let round: Vec<&str> = files.iter().map(String::as_str).chain([first]).collect();
            let message = format!("schemas use one another in a circle: {}", round.join(" uses "));
            let place = place_in(first, library.text(first), "/name");
            let hint = "define types that need each other in one file";
            vec![Finding::error(SCHEMA_CYCLE, place, message).hint(hint)]
        }
        Fault::Nested { name, definer, user, pointer } => {
            let message = format!("`{name}` is defined inside of {definer}, where other files cannot use it");
            let hint = "give it a file of its own under schemas/";
            vec![Finding::error(SCHEMA_INVALID, place_in(user, library.text(user), pointer), message).hint(hint)]
        }
        Fault::TooMany { user } => {
            let message = "it uses too many other files, directly and through them: more than 256";
            vec![
                Finding::error(SCHEMA_INVALID, Place::start_of(user.as_str()), message)
                    .hint("define more types in one file"),
            ]
        }
    }
}

fn schema_invalid(file: &str, error: &SchemaError, similar: Option<&str>) -> Finding {
    let place = match error.position {
        Some(position) => Place::new(file, position.line, position.column),
        None => Place::start_of(file),
    };
    let near = similar.map(|name| format!("did you mean `{name}`, which another file under schemas/ defines?"));
    let hint = near
        .or_else(|| error.hint())
        .unwrap_or_else(|| "see Avro's specification, https://avro.apache.org/docs/1.12.0/".to_owned());
    Finding::error(SCHEMA_INVALID, place, chain(error)).hint(hint)
}

/// A product's schema uses a type of another domain.
pub(super) fn schema_foreign(contract: &Declared<Contract>, file: &SchemaFile, domain: &str) -> Finding {
    let name = file.defines.as_ref().map(ToString::to_string).unwrap_or_default();
    let message =
        format!("`{}` uses `{name}` of {}, which is of the domain `{domain}`", contract.value.product(), file.path);
    let hint = format!(
        "name a product of `{domain}` that has it under `dependencies`, or move the file where all domains may use it, such as \
         schemas/common/"
    );
    Finding::error(SCHEMA_FOREIGN, contract.places.at("schema"), message).hint(hint)
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
