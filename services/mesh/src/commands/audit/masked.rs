//! `mesh audit masked`: was a column masked in every record of a time.

use super::text;
use crate::cli::Format;
use crate::commands::product::{find_applied, kafka_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use mesh_contract::{MASKED_VIEW, ProductRef};
use mesh_masking::audit::{self, Answer, AuditError, Question, Span, Verdict};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The product, such as crm.customers or crm.customers@1
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// The column, such as email or address.street [default: every sensitive one]
    #[arg(long, value_name = "PATH")]
    column: Option<String>,
    /// In which view
    #[arg(long, value_name = "VIEW", default_value = MASKED_VIEW)]
    view: String,
    /// Masked from this time on: 2026-11-17 (midnight in UTC) or 2026-11-17T08:00:00+01:00
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Timestamp,
    /// Masked before this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
}

pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let day = text.parse::<Date>().ok().filter(|_| !text.contains(':')).and_then(midnight);
    let expected =
        || "expected a day, such as 2026-11-17, or a time with its offset, such as 2026-11-17T08:00:00Z".to_owned();
    day.or_else(|| text.parse().ok()).ok_or_else(expected)
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let span = Span { from_ms: args.from.as_millisecond(), to_ms: args.to.unwrap_or(now).as_millisecond() };
    if span.from_ms >= span.to_ms {
        return Err(Failure::usage("there is no time in between: --from is not before --to, or not before now"));
    }
    let (kafka, product) = find_applied(context, &args.product).await?;
    let question = Question { product, view: args.view, column: args.column, span };
    let answer = audit::ask(&kafka, &question).await.map_err(failure)?;
    show(&answer, context.format())?;
    Ok(if answer.verdict == Verdict::Yes { Exit::Fine } else { Exit::Findings })
}

fn show(answer: &Answer, format: Format) -> Result<(), Failure> {
    let _reader = match format {
        Format::Json => output::json(answer)?,
        Format::Text => output::data(&text::render(answer))?,
    };
    Ok(())
}

fn failure(error: AuditError) -> Failure {
    match error {
        AuditError::ReadAudit(source) | AuditError::ReadProducts(source) | AuditError::ReadInput(source) => {
            kafka_failure(source)
        }
        AuditError::NoSuchView { .. } | AuditError::NoSuchColumn { .. } => {
            Failure::usage("cannot answer").because(error).hint("`mesh products PRODUCT` lists views and columns")
        }
    }
}
