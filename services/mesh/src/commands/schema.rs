//! `mesh schema`: questions about Avro schemas.

mod compat;
mod pairs;
mod source;
mod verdict;

use crate::context::Context;
use crate::failure::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, clap::Subcommand)]
enum Question {
    /// Can a reader's schema read what a writer's schema writes, and does it still mean the same
    Compat(compat::Args),
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    match args.question {
        Question::Compat(args) => compat::run(args, context),
    }
}
