//! Contracts by the topics that they govern.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_avro::mask::Rules;
use mesh_avro::schema::Schema;
use mesh_contract::{AppliedProduct, MaskRule};

use crate::graph::DatasetNode;
use crate::graph::columns::covers;

/// The products that are applied, by their topics.
#[derive(Debug, Default)]
pub struct Products {
    products: Vec<Governed>,
    topics: BTreeMap<String, (usize, Role)>,
}

/// A product and what is to be masked of it.
#[derive(Debug)]
pub struct Governed {
    /// The product as applied.
    pub applied: Arc<AppliedProduct>,
    /// Its sensitive columns; `None` if the contract cannot be enforced.
    pub sensitive: Option<Vec<Sensitive>>,
}

/// A sensitive column of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitive {
    /// Its path.
    pub column: String,
    /// Its class.
    pub class: String,
    /// By view that masks it, the rule, or none for that of the column's type; a view that is not here grants it.
    pub masks: BTreeMap<String, Option<MaskRule>>,
}

/// Which of a product's topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// What the domain writes.
    Input,
    /// A view, by name.
    View(String),
    /// What was refused.
    Quarantine,
}

impl Products {
    /// By the contracts in force.
    pub fn new(applied: impl IntoIterator<Item = Arc<AppliedProduct>>) -> Self {
        let mut products = Self::default();
        for applied in applied {
            let index = products.products.len();
            let topics = applied.contract.topics();
            let views = topics.views.into_iter().map(|(view, topic)| (topic, Role::View(view)));
            let others = [(topics.input, Role::Input), (topics.quarantine, Role::Quarantine)];
            let roles = views.chain(others).map(|(topic, role)| (topic, (index, role)));
            products.topics.extend(roles);
            products.products.push(Governed::new(applied));
        }
        products
    }

    /// Every product.
    pub fn all(&self) -> impl Iterator<Item = &Governed> {
        self.products.iter()
    }

    /// The newest major version of a product.
    pub fn newest(&self, product: &str) -> Option<&Governed> {
        let named = self.products.iter().filter(|it| it.name() == product);
        named.max_by_key(|it| it.applied.contract.version)
    }

    /// Whose topic a data set is.
    pub fn of(&self, dataset: &DatasetNode) -> Option<(&Governed, &Role)> {
        let is_kafka = dataset.namespace().starts_with("kafka://");
        let (index, role) = self.topics.get(dataset.name()).filter(|_| is_kafka)?;
        Some((&self.products[*index], role))
    }
}

impl Governed {
    fn new(applied: Arc<AppliedProduct>) -> Self {
        let schema = Schema::parse_value(&applied.schema).ok();
        let rules = schema.and_then(|schema| Rules::of_applied(&applied.contract, &schema).ok());
        let sensitive = rules.map(|rules| sensitive(&rules));
        Self { applied, sensitive }
    }

    /// `domain.product`.
    pub fn name(&self) -> String {
        self.applied.contract.product().to_string()
    }

    /// The sensitive columns.
    pub fn sensitive(&self) -> &[Sensitive] {
        self.sensitive.as_deref().unwrap_or_default()
    }

    /// The sensitive columns that a column is, is inside of, or holds: the innermost that it is inside of, or else all
    /// that it holds.
    pub fn sensitive_at(&self, column: &str) -> Vec<&Sensitive> {
        let around = self.sensitive().iter().filter(|it| covers(&it.column, column));
        match around.max_by_key(|it| it.column.len()) {
            Some(innermost) => vec![innermost],
            None => self.sensitive().iter().filter(|it| covers(column, &it.column)).collect(),
        }
    }

    /// Whether a view grants a column in clear. A column that is not sensitive in this product is granted by nobody: it
    /// has no place to come from somewhere where it is.
    pub fn grants(&self, view: &str, column: Option<&str>) -> bool {
        let concerned = match column {
            Some(column) => self.sensitive_at(column),
            None => self.sensitive().iter().collect(),
        };
        !concerned.is_empty() && concerned.iter().all(|it| !it.masks.contains_key(view))
    }

    /// The groups that may read a view.
    pub fn groups(&self, view: &str) -> Vec<String> {
        self.applied.contract.groups(view).map(str::to_owned).collect()
    }
}

fn sensitive(rules: &Rules) -> Vec<Sensitive> {
    let masks_of = |column: &str| {
        let of_view = |(index, view): (usize, &String)| {
            let mut masked = rules.masked(index);
            masked.find(|(masked, _)| *masked == column).map(|(_, rule)| (view.clone(), rule.cloned()))
        };
        rules.views().iter().enumerate().filter_map(of_view).collect()
    };
    let all = rules.columns().map(|(column, class)| Sensitive {
        column: column.to_owned(),
        class: class.to_owned(),
        masks: masks_of(column),
    });
    all.collect()
}
