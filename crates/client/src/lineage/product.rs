//! A data product's topics as data sets: schema, owner, tags and what masking does to each column of each view.

use mesh_avro::keys::RootKeys;
use mesh_avro::mask::{Program, Rules};
use mesh_avro::schema::Schema;
use mesh_contract::{AppliedProduct, Contract};
use uuid::Uuid;

use super::cluster::KafkaCluster;
use super::columns::{Columns, Leaf, columns};
use super::event::{Dataset, Job};
use super::facet::{
    ColumnLineage, ColumnOrigins, DatasetVersion, Documentation, InputField, JobOwnership, JobType, Owner, Ownership,
    SchemaFacet, Tag, Tags, Transformation,
};
use super::name;
use super::run::{Described, JobRun};

/// A product's topics as data sets.
#[derive(Debug, Clone)]
pub struct ProductDatasets {
    cluster: KafkaCluster,
    contract: Contract,
    revision: u64,
    columns: Columns,
    masking: Masking,
}

/// What masking makes of the contract's schema.
#[derive(Debug, Clone, Default)]
struct Masking {
    /// The columns of each view, by name.
    views: Vec<(String, Columns)>,
    /// The sensitive columns with their classes.
    classes: Vec<(String, String)>,
}

impl Masking {
    /// As the masking program itself has it. A contract that cannot be enforced masks nothing and moves nothing, so that
    /// nothing is claimed of it.
    fn of(applied: &AppliedProduct) -> Option<Self> {
        let schema = Schema::parse_value(&applied.schema).ok()?;
        let rules = Rules::of_applied(&applied.contract, &schema).ok()?;
        // a view's schema depends on no secret
        let keys = RootKeys::single([0; 32].into());
        let program = Program::compile(&rules, &schema, &keys).ok()?;
        let views = program.views().iter().map(|view| (view.name.clone(), columns(&view.schema)));
        let classes = rules.columns().map(|(column, class)| (column.to_owned(), class.to_owned()));
        Some(Self { views: views.collect(), classes: classes.collect() })
    }

    /// The class of a leaf: that of the innermost sensitive column that it is, or is inside of.
    fn class(&self, leaf: &str) -> Option<&str> {
        let covering = self.classes.iter().filter(|(column, _)| covers(column, leaf));
        covering.max_by_key(|(column, _)| column.len()).map(|(_, class)| class.as_str())
    }
}

impl ProductDatasets {
    /// From the contract and schema as applied.
    pub fn new(cluster: &KafkaCluster, applied: &AppliedProduct) -> Self {
        Self {
            cluster: cluster.clone(),
            contract: applied.contract.clone(),
            revision: applied.revision,
            columns: columns(&applied.schema),
            masking: Masking::of(applied).unwrap_or_default(),
        }
    }

    /// The masking sidecar's job for this product.
    pub fn masking_job(&self) -> Job {
        Job::mesh(name::masking_job(&self.contract.product().to_string(), self.contract.version))
            .with(&JobType::streaming("SIDECAR"))
            .with(&JobOwnership { owners: vec![Owner::domain(&self.contract.owner)] })
    }

    /// A run of the masking sidecar, with every topic of the product described. Count on it what was committed.
    pub fn masking_run(&self, id: Uuid) -> JobRun {
        let mut run = JobRun::with_id(self.masking_job(), self.cluster.clone(), id);
        run.describe_input(self.input());
        self.views().for_each(|view| run.describe_output(view));
        run.describe_output(self.quarantine());
        run
    }

    /// The input port.
    pub fn input(&self) -> Described {
        let dataset = self.dataset(self.contract.topics().input);
        self.described(dataset.with(&schema(&self.columns)).with(&self.tags(&self.columns.leaves)))
    }

    /// The input port, as a program fills it from other products: column by column.
    pub fn input_made_of(&self, columns: &ColumnLineage) -> Described {
        let input = self.input();
        Described { dataset: input.dataset.with(columns), ..input }
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
        let dataset = self.dataset(topic);
        let Some((_, columns)) = self.masking.views.iter().find(|(name, _)| name == view) else {
            return self.described(dataset);
        };
        let origins = columns.leaves.iter().map(|leaf| (leaf.path.clone(), self.origin(leaf))).collect();
        let dataset = dataset.with(&schema(columns)).with(&ColumnLineage { fields: origins });
        self.described(dataset.with(&self.tags(&columns.leaves)))
    }

    fn origin(&self, leaf: &Leaf) -> ColumnOrigins {
        let transformation = leaf.masked.clone().map_or_else(Transformation::identity, Transformation::masked);
        ColumnOrigins {
            input_fields: vec![InputField {
                namespace: self.cluster.namespace.to_string(),
                name: self.contract.topics().input,
                field: leaf.path.clone(),
                transformations: vec![transformation],
            }],
        }
    }

    fn tags(&self, leaves: &[Leaf]) -> Tags {
        let tags = leaves.iter().filter_map(|leaf| {
            let class = self.masking.class(&leaf.path)?.to_owned();
            let (key, source) = ("class".to_owned(), Some("MESH".to_owned()));
            Some(Tag { key, value: class, source, field: Some(leaf.path.clone()) })
        });
        Tags { tags: tags.collect() }
    }

    fn dataset(&self, topic: String) -> Dataset {
        let version = format!("{}.{}", self.contract.version, self.revision);
        self.cluster
            .topic(&topic)
            .with(&Documentation { description: self.description() })
            .with(&Ownership { owners: vec![Owner::domain(&self.contract.owner)] })
            .with(&DatasetVersion { dataset_version: version })
    }

    /// What the product is, and that its end is announced.
    fn description(&self) -> String {
        let description = self.contract.description.trim_end();
        match &self.contract.deprecated {
            None => self.contract.description.clone(),
            Some(deprecated) => format!("{description}\n\nThis version is {deprecated}"),
        }
    }

    fn described(&self, dataset: Dataset) -> Described {
        Described { dataset, contract: Some((self.contract.version, self.revision)) }
    }
}

fn schema(columns: &Columns) -> SchemaFacet {
    SchemaFacet { fields: columns.fields.clone() }
}

/// Whether `column` is `leaf` or something that `leaf` is inside of.
fn covers(column: &str, leaf: &str) -> bool {
    leaf.strip_prefix(column).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}
