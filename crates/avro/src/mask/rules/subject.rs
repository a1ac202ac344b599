//! The column that says whom a record is about.

use std::sync::Arc;

use mesh_contract::{ColumnPath, Finding, MaskRule, Places};

use super::{Leaf, Rules, check, id, path};
use crate::keys::{SubjectKeys, SubjectPath};
use crate::mask::slot::{alternatives, null_branch};
use crate::mask::subject::SubjectForm;
use crate::schema::{NodeId, Schema};

/// A contract's subject.
#[derive(Clone, Debug)]
pub(in crate::mask) struct SubjectColumn {
    /// As the contract writes it.
    pub(in crate::mask) column: String,
    /// Fields only.
    pub(in crate::mask) steps: Vec<String>,
    pub(in crate::mask) form: SubjectForm,
    /// Whether a record may be about nobody.
    pub(in crate::mask) is_nullable: bool,
    /// The product's unique id, which its subjects are told from other products' by.
    pub(in crate::mask) product: [u8; 16],
}

/// A text that names no subject of a product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectTextError {
    /// The contract names no subject.
    #[error("the contract names no subject, so nobody's values have a key of their own")]
    None,
    /// It is of another type.
    #[error("the subject `{column}` is {wanted}, which what was given is not")]
    Form {
        /// The column.
        column: String,
        /// What it is.
        wanted: &'static str,
    },
}

impl Rules {
    /// The subject's column, if the contract names one.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_ref().map(|subject| subject.column.as_str())
    }

    /// Where the keys of a subject are, which is named as people write it: text, a UUID, a number in decimal, bytes in hex.
    ///
    /// # Errors
    /// The contract names no subject, or one of another type.
    pub fn subject_path(&self, keys: &SubjectKeys, text: &str) -> Result<SubjectPath, SubjectTextError> {
        let subject = self.subject.as_ref().ok_or(SubjectTextError::None)?;
        let wanted = || SubjectTextError::Form { column: subject.column.clone(), wanted: subject.form.wanted() };
        Ok(keys.path(&subject.product, &subject.form.canonical(text).ok_or_else(wanted)?))
    }
}

/// Checks the subject: it exists, is of one value, and of a type that is written alike wherever it stands.
pub(super) fn check(
    rules: &mut Rules,
    findings: &mut Vec<Finding>,
    places: &Places,
    column: &ColumnPath,
    product: [u8; 16],
) {
    let place = places.at("subject");
    let mut refuse = |rule, message: String, hint: Option<String>| {
        findings.push(Finding::error(rule, place.clone(), message).maybe_hint(hint));
    };
    let ends = match path::resolve(&rules.schema, column) {
        Ok(ends) => ends,
        Err(unresolved) => {
            let message = format!("the subject `{column}` is not in the schema: {}", unresolved.what);
            return refuse(id::SUBJECT_UNKNOWN, message, unresolved.hint);
        }
    };
    let schema = Arc::clone(&rules.schema);
    let leaves: Vec<NodeId> = ends.iter().flat_map(|(_, node)| alternatives(&schema, *node)).collect();
    let ([leaf], Some(steps)) = (leaves.as_slice(), check::single_value(column)) else {
        let message = format!("the subject `{column}` has {} types, or many values", leaves.len());
        return refuse(id::SUBJECT_TYPE, message, Some("name a column of one type and one value".to_owned()));
    };
    let Some(form) = SubjectForm::of(schema.node(*leaf)) else {
        let described = Leaf::of(schema.node(*leaf)).described();
        let message = format!("the subject `{column}` is {described}, which cannot name a subject");
        return refuse(id::SUBJECT_TYPE, message, Some("name a string, UUID, int, long, bytes or fixed".to_owned()));
    };
    let is_nullable = may_be_null(&schema, column);
    rules.subject = Some(SubjectColumn { column: column.to_string(), steps, form, is_nullable, product });
}

/// Whether null stands on the way to a column, or in its place.
fn may_be_null(schema: &Schema, column: &ColumnPath) -> bool {
    let mut frontier = vec![schema.root()];
    for step in column.steps() {
        let candidates = frontier.iter().flat_map(|node| alternatives(schema, *node));
        frontier = candidates.filter_map(|node| path::follow(schema, node, step)).map(|(_, node)| node).collect();
        if frontier.iter().any(|node| null_branch(schema, *node).is_some()) {
            return true;
        }
    }
    false
}

/// What is encrypted without a subject, nobody can have forgotten.
pub(super) fn warn(inputs: &check::Inputs<'_>, findings: &mut Vec<Finding>) {
    let columns = inputs.columns.iter().enumerate();
    for (index, column) in columns.filter(|(_, column)| column.mask == Some(MaskRule::Encrypt)) {
        let place = inputs.places.at(&format!("sensitive_columns[{index}].mask"));
        let message = format!(
            "`{}` is encrypted under one key for everybody: nobody's values can be forgotten alone",
            column.column
        );
        let hint = "name the column that says whom a record is about: `subject: customer_id`";
        findings.push(Finding::warning(id::ENCRYPT_UNERASABLE, place, message).hint(hint));
    }
}
