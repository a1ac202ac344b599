//! The commands, one file or folder each: `Args`, and `run`.

pub mod access;
pub mod apply;
pub mod audit;
pub mod check;
pub mod confirm;
pub mod credentials;
pub mod demo;
pub mod forget;
pub mod freshness;
pub mod heartbeat;
pub mod import;
pub mod keys;
pub mod lineage;
pub mod mask;
pub mod new;
pub mod plan;
pub mod product;
pub mod products;
pub mod publish;
pub mod quarantine;
pub mod remask;
pub mod retire;
pub mod run;
pub mod schema;
pub mod secure;
pub mod status;
pub mod subscribe;
pub mod up;

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Runs one command to its end.
pub async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let context = Context::new(cli.global);
    if !cli.command.has(context.any_format()) {
        return Err(
            Failure::usage("this command has no such --format").hint("text and json are there for every command")
        );
    }
    context.start_logging(matches!(cli.command, Command::Up(_) | Command::Run(_)))?;
    match cli.command {
        Command::Access(args) => access::run(args, &context).await,
        Command::Apply(args) => apply::run(args, &context).await,
        Command::Audit(args) => audit::run(args, &context).await,
        Command::Check(args) => check::run(args, &context).await,
        Command::Credentials(args) => credentials::run(args, &context),
        Command::Demo(args) => demo::run(args, &context).await,
        Command::Drift(args) => plan::drift(args, &context).await,
        Command::Forget(args) => forget::run(args, &context).await,
        Command::Freshness(args) => freshness::run(args, &context).await,
        Command::Heartbeat(args) => heartbeat::run(args, &context).await,
        Command::Import(args) => import::run(args, &context).await,
        Command::Keys(args) => keys::run(args, &context).await,
        Command::Lineage(args) => lineage::run(args, &context).await,
        Command::Mask(args) => mask::run(args, &context).await,
        Command::New(args) => new::run(&args, &context),
        Command::Plan(args) => plan::run(args, &context).await,
        Command::Products(args) => products::run(args, &context).await,
        Command::Publish(args) => publish::run(args, &context).await,
        Command::Quarantine(args) => quarantine::run(args, &context).await,
        Command::Remask(args) => remask::run(args, &context).await,
        Command::Retire(args) => retire::run(args, &context).await,
        Command::Run(args) => run::run(args, &context).await,
        Command::Schema(args) => schema::run(args, &context).await,
        Command::Secure(args) => secure::run(args, &context).await,
        Command::Status(args) => status::run(args, &context).await,
        Command::Subscribe(args) => subscribe::run(args, &context).await,
        Command::Up(args) => up::run(args, &context).await,
    }
}
