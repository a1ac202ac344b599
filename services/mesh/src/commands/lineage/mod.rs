//! `mesh lineage`: where products come from and who uses them, who sees a column, whether masking holds, where a subject
//! went; as the jobs told it and the contracts declare it.

mod around;
mod check;
mod erasure;
mod impact;
mod picture;
mod prove;
mod shown;
#[cfg(test)]
mod tests;
mod text;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use jiff::Timestamp;
use mesh_lineage::Moment;
use mesh_lineage::impact::ImpactError;
use mesh_lineage::reach::Products;
use mesh_lineage::replay::{Replay, replay};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    question: Option<Question>,
    #[command(flatten)]
    around: around::Args,
}

/// What else can be asked.
#[derive(Debug, clap::Subcommand)]
enum Question {
    /// Who sees a column, and in which form: what a change of it would reach
    Impact(impact::Args),
    /// Whether every sensitive column arrives masked wherever it is not granted; exit 1 if that is not proven
    Prove(prove::Args),
    /// Where a subject's records would have gone, and until when they stay
    Erasure(erasure::Args),
    /// Where what contracts declare and what was seen differ; exit 1 if it does
    Check(check::Args),
}

/// The instant that is asked about.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
struct When {
    /// The lineage as it was at this instant, such as 2026-11-23T12:00:00Z [default: now]
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Timestamp>,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    match args.question {
        None => around::run(args.around, context).await,
        Some(Question::Impact(args)) => impact::run(args, context).await,
        Some(Question::Prove(args)) => prove::run(args, context).await,
        Some(Question::Erasure(args)) => erasure::run(args, context).await,
        Some(Question::Check(args)) => check::run(args, context).await,
    }
}

/// What the topics hold now.
async fn known(context: &Context) -> Result<Replay, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    replay(&kafka, false).await.map_err(unreadable)
}

impl When {
    /// The graph at the instant. Says so if events from before it are gone: an answer that lacks something is no answer.
    fn of(self, replay: &Replay) -> Moment<'_> {
        let Some(as_of) = self.as_of else { return replay.graph.now() };
        let moment = replay.graph.as_of(as_of.as_millisecond());
        let begins = moment.begins_ms().and_then(|begins_ms| Timestamp::from_millisecond(begins_ms).ok());
        if let Some(begins) = begins.filter(|begins| *begins > as_of) {
            output::talk(&format!("warning: lineage events from before {begins} are gone: this may lack something"));
        }
        moment
    }
}

fn products(replay: &Replay) -> Products {
    Products::new(replay.catalogue().products().into_iter().cloned())
}

/// A product that was asked about must be there: nothing to be found of a misspelt one is no good news.
fn must_exist(products: &Products, product: Option<&str>) -> Result<(), Failure> {
    match product {
        Some(product) if products.newest(product).is_none() => Err(no_such_product(product)),
        _ => Ok(()),
    }
}

fn no_such_product(product: &str) -> Failure {
    Failure::usage(format!("there is no product {product} on this cluster"))
        .hint("`mesh products` lists those that there are")
}

fn unanswered(error: ImpactError) -> Failure {
    match error {
        ImpactError::NoSuchProduct { product } => no_such_product(&product),
        ImpactError::NoSuchColumn { product, column, known } => {
            Failure::usage(format!("{product} has no column {column}")).hint(format!("it has {}", known.join(", ")))
        }
    }
}

fn unreadable(error: mesh_lineage::Error) -> Failure {
    let failure = if error.is_retriable() {
        Failure::unreachable("cannot read the lineage of products")
    } else {
        Failure::internal("cannot read the lineage of products")
    };
    failure.because(error)
}
