//! A contract together with its schema: what takes both to check.

use super::files::File;
use super::finding;
use super::schema::{SchemaFile, Schemas};
use mesh_avro::keys::KeyRing;
use mesh_avro::mask::{Program, Rules, ViewSchema};
use mesh_avro::schema::{Kind, Schema};
use mesh_avro::sensitivity::{self, SensitiveNames, Suspect};
use mesh_contract::{Contract, Declared, Finding, Tree};

/// A product that can be applied.
#[derive(Debug)]
pub struct WorkingProduct {
    /// Its contract.
    pub contract: Declared<Contract>,
    /// The contract's schema.
    pub schema: Schema,
    /// The text it was read from.
    pub schema_text: String,
    /// The schema of every view, `masked` first.
    pub views: Vec<ViewSchema>,
}

/// A contract that has been read, whole or with errors.
pub(super) struct Candidate {
    contract: Declared<Contract>,
    whole: bool,
}

impl Candidate {
    /// Reads a contract; one with errors is checked as far as it could be read.
    pub(super) fn read(file: &File, tree: &mut Tree, findings: &mut Vec<Finding>) -> Option<Self> {
        let found = match file.text().and_then(|text| mesh_contract::parse_contract(&file.name, text)) {
            Ok(contract) => {
                tree.contracts.push(contract.clone());
                return Some(Self { contract, whole: true });
            }
            Err(found) => found,
        };
        findings.extend(found);
        tree.broken.push(file.name.clone());
        let contract = file.text().ok().and_then(|text| mesh_contract::draft_contract(&file.name, text))?;
        Some(Self { contract, whole: false })
    }

    /// The product, if contract and schema hold together. A view's schema depends on no secret: any `keys` will do.
    pub(super) fn check(
        self,
        schemas: &Schemas<'_>,
        names: &SensitiveNames,
        keys: &dyn KeyRing,
        findings: &mut Vec<Finding>,
    ) -> Option<WorkingProduct> {
        let Some(file) = schemas.get(&self.contract.value.schema) else {
            findings.push(finding::schema_missing(&self.contract, schemas.names()));
            return None;
        };
        let file = file?;
        let schema = &file.schema;
        findings.extend(unexplained(&self.contract, file, names));
        let rules = match Rules::check(&self.contract, schema) {
            Ok(rules) => rules,
            Err(found) => {
                findings.extend(found);
                findings.extend(mesh_contract::check_clear(&self.contract, declared_classes(schema)));
                return None;
            }
        };
        findings.extend_from_slice(rules.warnings());
        let unknown = mesh_contract::check_clear(&self.contract, rules.columns());
        let clear_is_known = unknown.is_empty();
        findings.extend(unknown);
        let views = match Program::compile(&rules, schema, keys) {
            Ok(program) => program.views().to_vec(),
            Err(error) => {
                findings.push(finding::view_invalid(&self.contract, &error));
                return None;
            }
        };
        let sound = self.whole && clear_is_known;
        sound.then(|| WorkingProduct {
            contract: self.contract,
            schema: schema.clone(),
            schema_text: file.text.to_owned(),
            views,
        })
    }
}

/// The schema of every view of a product that holds together, `masked` first.
pub fn view_schemas(contract: &Declared<Contract>, schema: &Schema, keys: &dyn KeyRing) -> Option<Vec<ViewSchema>> {
    let rules = Rules::check(contract, schema).ok()?;
    Some(Program::compile(&rules, schema, keys).ok()?.views().to_vec())
}

/// The fields that look sensitive, and nobody has said whether they are: the registry would refuse the schema.
fn unexplained(contract: &Declared<Contract>, file: &SchemaFile<'_>, names: &SensitiveNames) -> Vec<Finding> {
    let suspects = sensitivity::suspects(&file.schema, &contract.value.sensitive_columns, names);
    let finding = |suspect: Suspect| {
        let place = finding::place_in(&contract.value.schema, file.text, &suspect.pointer);
        Finding::error(sensitivity::RULE.0, place, suspect.message()).hint(suspect.hint())
    };
    suspects.into_iter().map(finding).collect()
}

/// The fields that the schema itself declares sensitive, by name, with their classes.
fn declared_classes(schema: &Schema) -> Vec<(&str, &str)> {
    let records = schema.nodes().filter_map(|(_, node)| match &node.kind {
        Kind::Record { fields } => Some(fields),
        _ => None,
    });
    let fields = records.flatten();
    fields.filter_map(|field| Some((field.name.as_str(), field.attributes.get("mesh.class")?.as_str()?))).collect()
}
