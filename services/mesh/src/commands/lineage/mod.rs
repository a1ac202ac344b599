//! `mesh lineage PRODUCT`: where a product comes from and who uses it, as the jobs told it and the contracts declare it.

mod picture;
mod text;

use crate::cli::AnyFormat;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use mesh_contract::Product;
use mesh_lineage::replay::{Replay, replay};
use mesh_lineage::{Moment, ProductEdge, ProductTree, Side};
use serde::Serialize;
use std::collections::BTreeSet;

/// How many products away at most.
const DEPTH_MAX: usize = 100;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The product, such as crm.customers
    #[arg(value_name = "PRODUCT")]
    product: Product,
    /// Only where it comes from
    #[arg(long, conflicts_with = "downstream")]
    upstream: bool,
    /// Only who uses it
    #[arg(long)]
    downstream: bool,
}

/// What is known of one product's lineage.
#[derive(Debug, Serialize)]
struct Lineage {
    product: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Vec<ProductTree>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    downstream: Option<Vec<ProductTree>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumers: Option<Vec<Consumer>>,
    edges: Vec<ProductEdge>,
}

/// A job that reads the product and makes no other of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Consumer {
    job: String,
    topic: String,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let replay = replay(&kafka, false).await.map_err(unreadable)?;
    if !is_known(&replay, &args.product) {
        return Err(Failure::usage(format!("there is no product {} on this cluster", args.product))
            .hint("`mesh products` lists those that there are"));
    }
    let lineage = Lineage::of(replay.graph.now(), &args);
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
    fn of(graph: Moment<'_>, args: &Args) -> Self {
        let product = args.product.to_string();
        let tree = |side| graph.product_tree(&product, side, DEPTH_MAX);
        let upstream = (!args.downstream).then(|| tree(Side::Upstream));
        let downstream = (!args.upstream).then(|| tree(Side::Downstream));
        let mut edges = BTreeSet::new();
        upstream.iter().chain(&downstream).for_each(|tree| collect(tree, &mut edges));
        let consumers = downstream.is_some().then(|| {
            let found = graph.consumers(&product).into_iter();
            found.map(|(job, topic)| Consumer { job, topic }).collect()
        });
        Self {
            upstream: upstream.map(|tree| tree.next),
            downstream: downstream.map(|tree| tree.next),
            consumers,
            edges: edges.into_iter().collect(),
            product,
        }
    }
}

fn collect(tree: &ProductTree, edges: &mut BTreeSet<ProductEdge>) {
    edges.extend(tree.edge.clone());
    tree.next.iter().for_each(|next| collect(next, edges));
}

fn unreadable(error: mesh_lineage::Error) -> Failure {
    let failure = if error.is_retriable() {
        Failure::unreachable("cannot read the lineage of products")
    } else {
        Failure::internal("cannot read the lineage of products")
    };
    failure.because(error)
}

#[cfg(test)]
mod tests;
