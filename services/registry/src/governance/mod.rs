//! What contracts ask of the schemas of their products' topics.
//!
//! The contracts in force are those on `mesh.products`. Before a schema is registered that topic is read to its end, so
//! that a contract which was applied before holds; where it cannot be read, nothing is registered.

mod products;

use std::{collections::HashMap, sync::Arc};

use mesh_avro::{
    compat::{CompatFinding, Severities},
    schema::Schema,
    sensitivity::{self, SensitiveNames},
};
use mesh_client::catalogue::Catalogue;
use mesh_contract::{AppliedProduct, Compatibility, SensitiveColumn, key_subject, value_subject};

pub(crate) use products::{Products, ProductsError};

use crate::subject::Subject;

/// Which changes of meaning refuse a schema, and which names look sensitive.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How severe the semantic rules are for what producers write; every one refuses unless set otherwise.
    pub meaning: Severities,
    /// The names that have to be explained.
    pub sensitive_names: SensitiveNames,
}

impl Default for Rules {
    fn default() -> Self {
        Self { meaning: Severities::strict(), sensitive_names: SensitiveNames::default() }
    }
}

/// What a contract asks of the schemas of one subject.
#[derive(Debug)]
pub(crate) struct Governed {
    /// `crm.customers.v1`, for messages.
    product: String,
    level: Compatibility,
    /// For the subjects of the input port: what a view shows follows from what is written, and from the contract.
    meaning: Option<Severities>,
    /// For the values of the input port.
    names: Option<SensitiveNames>,
    columns: Vec<SensitiveColumn>,
}

impl Governed {
    /// The level that the contract and the subject's own configuration ask for together: neither takes from the other.
    pub(crate) fn level_with(&self, own: Option<Compatibility>) -> Compatibility {
        own.map_or(self.level, |own| own.and(self.level))
    }

    /// How severe changes of meaning are.
    pub(crate) fn meaning(&self) -> Severities {
        self.meaning.clone().unwrap_or_default()
    }

    /// Whether a finding is the contract's to decide.
    pub(crate) fn decides(&self, finding: &CompatFinding) -> bool {
        finding.is_settled_by(&self.columns)
    }

    /// What keeps a schema from being this subject's, in the words of a refusal.
    pub(crate) fn unexplained(&self, schema: &Schema) -> Vec<String> {
        let suspects =
            self.names.iter().flat_map(|names| sensitivity::suspects(schema, &self.columns, names)).map(|suspect| {
                let (rule, message, hint) = (sensitivity::RULE.0, suspect.message(), suspect.hint());
                format!(
                    "{{rule: {rule}, path: {}, product: {}, {message}; hint: {hint}}}",
                    suspect.column, self.product
                )
            });
        suspects.collect()
    }
}

/// The contracts in force, by the subjects that they govern.
#[derive(Debug, Default)]
pub(crate) struct Governance(HashMap<String, Arc<Governed>>);

impl Governance {
    fn of(catalogue: &Catalogue, rules: &Rules) -> Self {
        Self(catalogue.products().into_iter().flat_map(|product| governed(product, rules)).collect())
    }

    /// The governance by these products.
    #[cfg(any(test, feature = "memory"))]
    pub(crate) fn by(products: &[AppliedProduct]) -> Self {
        Self(products.iter().flat_map(|product| governed(product, &Rules::default())).collect())
    }

    /// What governs a subject; nothing if it belongs to no product. A subject of another context never does.
    pub(crate) fn of_subject(&self, subject: &Subject) -> Option<Arc<Governed>> {
        self.0.get(subject.as_str()).cloned()
    }
}

/// The subjects of a product's ports, with what its contract asks of each.
fn governed(product: &AppliedProduct, rules: &Rules) -> Vec<(String, Arc<Governed>)> {
    let contract = &product.contract;
    let topics = contract.topics();
    let governed = |meaning: Option<&Severities>, names: Option<&SensitiveNames>| {
        Arc::new(Governed {
            product: format!("{}.v{}", contract.product(), contract.version),
            level: contract.compatibility,
            meaning: meaning.cloned(),
            names: names.cloned(),
            columns: contract.sensitive_columns.clone(),
        })
    };
    let view = governed(None, None);
    let views = topics.views.iter().flat_map(|(_, topic)| [value_subject(topic), key_subject(topic)]);
    let views = views.map(|subject| (subject, Arc::clone(&view)));
    let key = (key_subject(&topics.input), governed(Some(&rules.meaning), None));
    let value = governed(Some(&rules.meaning), Some(&rules.sensitive_names));
    views.chain([key, (value_subject(&topics.input), value)]).collect()
}

#[cfg(test)]
pub(crate) mod tests;
