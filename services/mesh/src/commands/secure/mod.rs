//! `mesh secure`: what a Kafka and a backbone that ask who one is begin with.

mod admit;
mod init;
mod tokens;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use clap::Subcommand;
use mesh_kafka::secure::SecureError;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make certificates, users, passwords and tokens in a folder of one's own; once more: certificates anew, and what is missing
    Init(init::Args),
    /// Make users known to Kafka, and allow the backbone what it needs before its registry can start
    Admit(admit::Args),
}

/// The operator's certificate with its key.
const OPERATOR_STORE: &str = "operator.pem";

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    match args.command {
        Action::Init(args) => init::run(args, context),
        Action::Admit(args) => admit::run(args, context).await,
    }
}

fn unusable(error: SecureError) -> Failure {
    let hint = error.hint();
    Failure::usage("cannot keep the files of a secured Kafka").because(error).hint(hint)
}
