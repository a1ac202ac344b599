//! `mesh lineage PRODUCT`: what a product is made of, and what is made of it.

use super::{When, known, no_such_product, picture, text};
use crate::cli::AnyFormat;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use mesh_contract::Product;
use mesh_lineage::graph::columns::Form;
use mesh_lineage::graph::{ColumnEdge, product_topic};
use mesh_lineage::replay::Replay;
use mesh_lineage::{Moment, ProductEdge, ProductTree, Side};
use serde::Serialize;
use std::collections::BTreeSet;

/// How many products away is far enough unless told.
const DEPTH: usize = 100;
/// How many columns are told of at most.
const COLUMNS_MAX: usize = 2_000;

#[derive(Debug, clap::Args)]
#[group(id = "around")]
pub(super) struct Args {
    /// The product, such as crm.customers
    #[arg(value_name = "PRODUCT", required = true)]
    pub(super) product: Option<Product>,
    /// Only where it comes from
    #[arg(long, conflicts_with = "downstream")]
    pub(super) upstream: bool,
    /// Only who uses it
    #[arg(long)]
    pub(super) downstream: bool,
    /// Column by column
    #[arg(long)]
    pub(super) columns: bool,
    /// How far: products with it, or columns with --columns [default: as far as it goes]
    #[arg(long, value_name = "N")]
    pub(super) depth: Option<usize>,
    #[command(flatten)]
    pub(super) when: When,
}

/// What is known of one product's lineage.
#[derive(Debug, Serialize)]
pub(super) struct Lineage {
    pub(super) product: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream: Option<Vec<ProductTree>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) downstream: Option<Vec<ProductTree>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consumers: Option<Vec<Consumer>>,
    pub(super) edges: Vec<ProductEdge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) columns: Option<Vec<Made>>,
}

/// A job that reads the product and makes no other of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Consumer {
    pub(super) job: String,
    pub(super) topic: String,
}

/// A column that is made of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Made {
    pub(super) to: Place,
    pub(super) from: Place,
    pub(super) job: String,
    /// `clear`, `masked`, or `decides`.
    pub(super) form: &'static str,
    /// The masking rule.
    pub(super) how: Option<String>,
}

/// A column of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Place {
    pub(super) topic: String,
    pub(super) column: String,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let Some(product) = &args.product else { return Err(Failure::usage("no product is named")) };
    let replay = known(context).await?;
    if !is_known(&replay, product) {
        return Err(no_such_product(&product.to_string()));
    }
    let lineage = Lineage::of(args.when.of(&replay), &product.to_string(), &args);
    let _reader = match context.any_format() {
        AnyFormat::Json => output::json(&lineage)?,
        AnyFormat::Dot => output::data(&picture::dot(&lineage))?,
        AnyFormat::Mermaid => output::data(&picture::mermaid(&lineage))?,
        _ => output::data(&text::render(&lineage))?,
    };
    Ok(Exit::Fine)
}

fn is_known(replay: &Replay, product: &Product) -> bool {
    let mut applied = replay.catalogue().products().into_iter().map(|applied| applied.contract.product());
    applied.any(|applied| applied == *product) || replay.graph.now().products().contains(&product.to_string())
}

impl Lineage {
    pub(super) fn of(moment: Moment<'_>, product: &str, args: &Args) -> Self {
        let sides: Vec<Side> = [(Side::Upstream, args.downstream), (Side::Downstream, args.upstream)]
            .into_iter()
            .filter_map(|(side, is_off)| (!is_off).then_some(side))
            .collect();
        let depth = args.depth.unwrap_or(DEPTH);
        let tree = |side| sides.contains(&side).then(|| moment.product_tree(product, side, depth));
        let (upstream, downstream) = (tree(Side::Upstream), tree(Side::Downstream));
        let mut edges = BTreeSet::new();
        upstream.iter().chain(&downstream).for_each(|tree| collect(tree, &mut edges));
        let consumers = downstream.is_some().then(|| {
            let found = moment.consumers(product).into_iter();
            found.map(|(job, topic)| Consumer { job, topic }).collect()
        });
        Self {
            product: product.to_owned(),
            as_of: args.when.as_of.map(|as_of| as_of.to_string()),
            upstream: upstream.map(|tree| tree.next),
            downstream: downstream.map(|tree| tree.next),
            consumers,
            edges: edges.into_iter().collect(),
            columns: args.columns.then(|| columns(moment, product, &sides, depth)),
        }
    }
}

fn collect(tree: &ProductTree, edges: &mut BTreeSet<ProductEdge>) {
    edges.extend(tree.edge.clone());
    tree.next.iter().for_each(|next| collect(next, edges));
}

/// What the columns of all the product's topics are made of, and what is made of them.
fn columns(moment: Moment<'_>, product: &str, sides: &[Side], depth: usize) -> Vec<Made> {
    let own = moment.datasets().filter(|(_, node)| product_topic(node).is_some_and(|topic| topic.product == product));
    let start: BTreeSet<_> = own.flat_map(|(id, _)| moment.columns(id)).collect();
    let found = moment.columns_around(start, sides, depth, COLUMNS_MAX);
    let mut made: Vec<Made> = found.edges.iter().map(|edge| Made::of(moment, edge)).collect();
    made.sort();
    made
}

impl Made {
    fn of(moment: Moment<'_>, edge: &ColumnEdge) -> Self {
        let place = |column: &mesh_lineage::graph::Column| Place {
            topic: moment
                .dataset(&column.dataset)
                .map_or_else(|| column.dataset.to_string(), |it| it.name().to_owned()),
            column: column.column.to_string(),
        };
        let job = moment.job(&edge.job).map_or_else(|| edge.job.to_string(), |it| it.name().to_owned());
        let form = match edge.form {
            Form::Clear => "clear",
            Form::Masked => "masked",
            Form::Decides => "decides",
        };
        Self { to: place(&edge.to), from: place(&edge.from), job, form, how: edge.how.as_deref().map(str::to_owned) }
    }
}
