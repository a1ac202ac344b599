//! `mesh forget`: destroys the keys of one subject, and says what that makes unreadable and what is left elsewhere.

#[cfg(test)]
mod tests;
mod text;

use crate::audit;
use crate::cli::Format;
use crate::commands::confirm::confirm;
use crate::commands::product::{catalogue_failure, kafka_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use mesh_audit::{Event, Who, now_ms};
use mesh_client::Catalogue;
use mesh_contract::ProductRef;
use mesh_kafka::admin::Admin;
use mesh_masking::forget::{Destroyed, ForgetError, Forgettable, check_audit};
use std::io::Read;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
A product whose contract names a `subject` encrypts each subject's values under keys of its own. This destroys them, in every \
version of the keys, so that nobody can decrypt those values any more: at no offset, in no view, in no copy of a topic. All other \
subjects' values stay readable. It cannot be undone. What it does not reach - the input port, columns that are masked otherwise, \
derived products, backups of the keys - is listed in the receipt, with how long it stays. Running services follow by themselves.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The product, such as crm.customers
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// Whom to forget, as the contract's subject column has it; bytes in hex; `-` reads it from standard input
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    subject: String,
    /// Do not ask whether the subject's keys may be destroyed
    #[arg(long)]
    yes: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.key_store()?;
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let catalogue = Catalogue::read(&kafka).await.map_err(catalogue_failure)?;
    let product = catalogue.product(&args.product).map_err(catalogue_failure)?;
    let all = catalogue.products().into_iter().map(|product| &**product);
    let forgettable = Forgettable::new(product, all).map_err(failure)?;
    let admin = Admin::new(&kafka).map_err(kafka_failure)?;
    check_audit(&admin).await.map_err(failure)?;

    let path = forgettable.path(&*store.subjects().await?, &subject(&args.subject)?).map_err(failure)?;
    output::talk(&text::announcement(&forgettable.unreadable().map_err(failure)?));
    if !args.yes {
        confirm(&product.contract.product().to_string(), "the subject's keys are destroyed for good")?;
    }
    let versions = store.forget(path).await?;
    let left = store.subjects().await?;
    if left.versions_of(path).next().is_some() {
        return Err(Failure::internal("the keys are still there: somebody has put an older copy back meanwhile")
            .hint("find out who, then do it again"));
    }
    let at_ms = now_ms();
    let receipt = forgettable.receipt(&admin, &Destroyed { path, versions, at_ms }).await.map_err(failure)?;
    let event = Event::at("subject-forgotten", &Who::here(&kafka, "mesh forget"), at_ms).with_all(receipt.facts());
    audit::tell(context, &kafka, &[event]).await.map_err(|failure| {
        failure.hint(
            "the subject is forgotten, but that is not on record: run the command again, it destroys nothing twice",
        )
    })?;
    let _reader = match context.format() {
        Format::Json => output::json(&receipt)?,
        Format::Text => output::data(&text::receipt(&receipt))?,
    };
    Ok(Exit::Fine)
}

/// Whom to forget: not on the command line, where others on the machine see it, if `-` is given.
fn subject(given: &str) -> Result<String, Failure> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage("cannot read the subject from standard input").because(error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn failure(error: ForgetError) -> Failure {
    match error {
        ForgetError::Look(source) => kafka_failure(source),
        ForgetError::NoAudit => Failure::usage("cannot forget anybody").because(error).hint("`mesh apply` makes it"),
        ForgetError::Subject { .. } => Failure::usage("cannot forget anybody").because(error).hint(
            "a contract names whom its records are about by `subject: <column>`; what was encrypted before is made anew by `mesh remask`",
        ),
        ForgetError::Contract { .. } => Failure::usage("cannot forget anybody").because(error),
    }
}
