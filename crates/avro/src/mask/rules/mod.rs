//! A contract's rules, checked against the contract's schema.

use mesh_contract::{Contract, Declared, Finding, SensitiveColumn};

use crate::schema::Schema;

/// A contract's masking rules, checked against the contract's schema: what [`Program::compile`](super::Program::compile)
/// maps onto each writer's.
#[derive(Clone, Debug)]
pub struct Rules {
    views: Vec<String>,
    warnings: Vec<Finding>,
}

impl Rules {
    /// Checks a contract against its schema. All findings at once; warnings alone do not refuse it.
    pub fn check(contract: &Declared<Contract>, schema: &Schema) -> Result<Rules, Vec<Finding>> {
        let _ = (contract, schema);
        unimplemented!()
    }

    /// The rules of a contract that was checked before, as it stands on `mesh.products`.
    pub fn of_applied(contract: &Contract, schema: &Schema) -> Result<Rules, Vec<Finding>> {
        let _ = (contract, schema);
        unimplemented!()
    }

    /// Rules without a contract, of the masked view alone: for previews.
    pub fn of_columns(columns: &[SensitiveColumn], schema: &Schema) -> Result<Rules, Vec<Finding>> {
        let _ = (columns, schema);
        unimplemented!()
    }

    /// The views' names, `masked` first: the order of [`Program::views`](super::Program::views).
    pub fn views(&self) -> &[String] {
        &self.views
    }

    /// What the contract's author should know, though the rules hold.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }
}
