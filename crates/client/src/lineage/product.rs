//! A data product's topics as data sets: schema, owner, tags and what masking does to each column of each view.

use mesh_contract::{AppliedProduct, Clear, Contract, MaskRule, SensitiveColumn};
use serde_json::Value;

use super::columns::{Columns, columns, columns_where};
use super::event::{Dataset, Job};
use super::facet::{
    ColumnLineage, ColumnOrigins, DatasetVersion, Documentation, InputField, JobOwnership, JobType, Owner, Ownership,
    SchemaFacet, Tag, Tags, Transformation,
};
use super::name::{self, KafkaNamespace};
use super::run::{Described, JobRun};

/// A product's topics as data sets.
#[derive(Debug, Clone)]
pub struct ProductDatasets {
    namespace: KafkaNamespace,
    contract: Contract,
    revision: u64,
    schema: Value,
    columns: Columns,
}

impl ProductDatasets {
    /// From the contract and schema as applied.
    pub fn new(namespace: &KafkaNamespace, applied: &AppliedProduct) -> Self {
        Self {
            namespace: namespace.clone(),
            contract: applied.contract.clone(),
            revision: applied.revision,
            schema: applied.schema.clone(),
            columns: columns(&applied.schema),
        }
    }

    /// The masking sidecar's job for this product.
    pub fn masking_job(&self) -> Job {
        Job::mesh(name::masking_job(&self.contract.product().to_string(), self.contract.version))
            .with(&JobType::streaming("SIDECAR"))
            .with(&JobOwnership { owners: vec![Owner::domain(&self.contract.owner)] })
    }

    /// A run of the masking sidecar, with every topic of the product described. Count on it what was committed.
    pub fn masking_run(&self) -> JobRun {
        let mut run = JobRun::new(self.masking_job(), self.namespace.clone());
        run.describe_input(self.input());
        self.views().for_each(|view| run.describe_output(view));
        run.describe_output(self.quarantine());
        run
    }

    /// The input port.
    pub fn input(&self) -> Described {
        let dataset = self.dataset(self.contract.topics().input);
        let dataset = dataset.with(&SchemaFacet { fields: self.columns.fields.clone() });
        let dataset = dataset.with(&self.tags(&self.columns.leaves));
        self.described(dataset)
    }

    /// Every view's output port, the default one first.
    pub fn views(&self) -> impl Iterator<Item = Described> {
        self.contract.topics().views.into_iter().map(|(view, topic)| self.output(&view, topic))
    }

    /// A view's output port; `None` if there is no such view.
    pub fn view(&self, view: &str) -> Option<Described> {
        let topic = self.contract.topics().views.into_iter().find(|(name, _)| name == view);
        topic.map(|(view, topic)| self.output(&view, topic))
    }

    /// The quarantine: encrypted whole, so it has no columns.
    pub fn quarantine(&self) -> Described {
        let dataset = self.dataset(self.contract.topics().quarantine);
        self.described(dataset)
    }

    fn output(&self, view: &str, topic: String) -> Described {
        let clear = self.contract.views.get(view).map(|view| &view.clear);
        let rule_of = |leaf: &str| self.sensitive(leaf).filter(|column| !is_clear(clear, column));
        let kept = |leaf: &str| rule_of(leaf).is_none_or(|column| column.mask != Some(MaskRule::Drop));
        let Columns { fields, leaves } = columns_where(&self.schema, &kept);
        let origins = leaves.iter().map(|leaf| (leaf.clone(), self.origin(leaf, rule_of(leaf)))).collect();
        let tags = self.tags(&leaves);
        let dataset = self.dataset(topic).with(&SchemaFacet { fields }).with(&ColumnLineage { fields: origins });
        self.described(dataset.with(&tags))
    }

    fn origin(&self, leaf: &str, rule: Option<&SensitiveColumn>) -> ColumnOrigins {
        let transformation =
            rule.map_or_else(Transformation::identity, |column| Transformation::masked(rule_text(column)));
        ColumnOrigins {
            input_fields: vec![InputField {
                namespace: self.namespace.to_string(),
                name: self.contract.topics().input,
                field: leaf.to_owned(),
                transformations: vec![transformation],
            }],
        }
    }

    /// The sensitive column that a leaf is, or is inside of; the innermost, if several.
    fn sensitive(&self, leaf: &str) -> Option<&SensitiveColumn> {
        let covering = self.contract.sensitive_columns.iter().filter(|column| covers(&column.column.to_string(), leaf));
        covering.max_by_key(|column| column.column.to_string().len())
    }

    fn tags(&self, leaves: &[String]) -> Tags {
        let classes = leaves.iter().filter_map(|leaf| {
            let class = self.sensitive(leaf)?.class.clone();
            Some(Tag {
                key: "class".to_owned(),
                value: class,
                source: Some("MESH".to_owned()),
                field: Some(leaf.clone()),
            })
        });
        Tags { tags: classes.collect() }
    }

    fn dataset(&self, topic: String) -> Dataset {
        let version = format!("{}.{}", self.contract.version, self.revision);
        Dataset::topic(&self.namespace, topic)
            .with(&Documentation { description: self.contract.description.clone() })
            .with(&Ownership { owners: vec![Owner::domain(&self.contract.owner)] })
            .with(&DatasetVersion { dataset_version: version })
    }

    fn described(&self, dataset: Dataset) -> Described {
        Described { dataset, contract: Some((self.contract.version, self.revision)) }
    }
}

/// The default view clears nothing; a column is cleared by its name or its class.
fn is_clear(clear: Option<&Clear>, column: &SensitiveColumn) -> bool {
    match clear {
        None => false,
        Some(Clear::All) => true,
        Some(Clear::Named(names)) => {
            names.iter().any(|name| *name == column.column.to_string() || *name == column.class)
        }
    }
}

/// Whether `column` is `leaf` or something that `leaf` is inside of.
fn covers(column: &str, leaf: &str) -> bool {
    leaf.strip_prefix(column).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

fn rule_text(column: &SensitiveColumn) -> String {
    column.mask.as_ref().map_or_else(|| "the default rule of the type".to_owned(), ToString::to_string)
}
