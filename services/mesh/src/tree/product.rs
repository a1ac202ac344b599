//! A contract together with its schema: what takes both to check.

use super::files::File;
use super::finding;
use super::library::TreeSchema;
use super::schema::Schemas;
use mesh_avro::keys::KeyRing;
use mesh_avro::mask::{Program, Rules, ViewSchema};
use mesh_avro::schema::{Kind, Schema};
use mesh_avro::sensitivity::{self, SensitiveNames, Suspect};
use mesh_contract::{Contract, Declared, Finding, ProductRef, Tree};
use std::collections::BTreeSet;

/// A product that can be applied.
#[derive(Debug)]
pub struct WorkingProduct {
    /// Its contract.
    pub contract: Declared<Contract>,
    /// The contract's schema, in one document.
    pub schema: Schema,
    /// The same, with the files told apart that it is from.
    pub files: TreeSchema,
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
        let schema = file.whole();
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
        sound.then(|| WorkingProduct { contract: self.contract, schema: schema.clone(), files: file.clone(), views })
    }
}

/// The schema of every view of a product that holds together, `masked` first.
pub fn view_schemas(contract: &Declared<Contract>, schema: &Schema, keys: &dyn KeyRing) -> Option<Vec<ViewSchema>> {
    let rules = Rules::check(contract, schema).ok()?;
    Some(Program::compile(&rules, schema, keys).ok()?.views().to_vec())
}

/// The fields that look sensitive, and nobody has said whether they are: the registry would refuse the schema.
fn unexplained(contract: &Declared<Contract>, schema: &TreeSchema, names: &SensitiveNames) -> Vec<Finding> {
    let suspects = sensitivity::suspects(schema.parsed(), &contract.value.sensitive_columns, names);
    let finding = |suspect: Suspect| {
        let place = schema.place(suspect.document, &suspect.pointer);
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

/// The types of other domains that products use without depending on a product that has them.
pub(super) fn foreign(products: &[WorkingProduct], contracts: &[Declared<Contract>]) -> Vec<Finding> {
    let domains: BTreeSet<&str> = contracts.iter().map(|contract| contract.value.owner.as_str()).collect();
    let mut findings = Vec::new();
    for product in products {
        let contract = &product.contract;
        for file in &product.files.files()[1..] {
            let folder = file.path.split('/').nth(1).unwrap_or_default();
            let is_own = folder == contract.value.owner || !domains.contains(folder);
            if !is_own && !depends_on(products, &contract.value, &file.path) {
                findings.push(finding::schema_foreign(contract, file, folder));
            }
        }
    }
    findings
}

/// Whether a product is derived from one whose schema has that file.
fn depends_on(products: &[WorkingProduct], contract: &Contract, path: &str) -> bool {
    let has_it = |product: &&WorkingProduct| product.files.files().iter().any(|file| file.path == path);
    products.iter().filter(has_it).any(|source| {
        let source = &source.contract.value;
        let is_it = |wanted: &ProductRef| {
            wanted.product == source.product() && wanted.major.is_none_or(|major| major == source.version)
        };
        contract.dependencies.iter().any(is_it)
    })
}
