//! `mesh status [PRODUCT]`: is every product as fresh as its contract promises.

mod row;
mod table;
mod watch;

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use jiff::Timestamp;
use mesh_contract::ProductRef;
use mesh_freshness::{ProductReport, State, report};
use mesh_kafka::Settings;
use row::Row;

/// How old an evaluation may be before the monitor itself is in doubt: it writes every 30 s.
const EVALUATED_WITHIN_SECONDS: i64 = 120;

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
The exit code is 1 while a product is stale. Source is the delay from a fact to the input port, delivery from there until readers \
see it. Budget is the share of the objective's error budget that is left, burn how many times too fast it was used over the last \
hour.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// Only this product, such as crm.customers or crm.customers@1
    #[arg(value_name = "PRODUCT")]
    product: Option<ProductRef>,
    /// Go on until interrupted: redrawn on a terminal, elsewhere a line for each change
    #[arg(long)]
    watch: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    if args.watch {
        return watch::run(&args, &kafka, context.format()).await;
    }
    let reports = read(&args, &kafka).await.map_err(unreadable)?;
    if let Some(product) = args.product.filter(|_| reports.is_empty()) {
        return Err(Failure::usage(format!("the freshness of {product} was never evaluated"))
            .hint("`mesh products` lists the products that are applied; is the freshness service running?"));
    }
    show(&reports, context.format())?;
    warn_of_old(&reports, Timestamp::now());
    Ok(exit(&reports))
}

/// What was evaluated last of the products that were asked for, by name.
async fn read(args: &Args, kafka: &Settings) -> Result<Vec<ProductReport>, mesh_freshness::Error> {
    let reports = report::read(kafka).await?;
    let mut reports: Vec<ProductReport> = reports.into_values().filter(|report| is_asked(args, report)).collect();
    reports.sort_by(|a, b| (&a.product, a.version).cmp(&(&b.product, b.version)));
    Ok(reports)
}

fn is_asked(args: &Args, report: &ProductReport) -> bool {
    args.product.as_ref().is_none_or(|asked| {
        asked.product.to_string() == report.product && asked.major.is_none_or(|major| major == report.version)
    })
}

fn exit(reports: &[ProductReport]) -> Exit {
    let is_breached = reports.iter().any(|report| report.state == State::Stale);
    if is_breached { Exit::Findings } else { Exit::Fine }
}

fn show(reports: &[ProductReport], format: Format) -> Result<(), Failure> {
    let rows: Vec<Row> = reports.iter().flat_map(row::rows).collect();
    let _reader = match format {
        Format::Json => output::json(&rows)?,
        Format::Text if rows.is_empty() => {
            output::talk("no product was evaluated yet: is the freshness service running?");
            return Ok(());
        }
        Format::Text => output::data(&table::render(&rows))?,
    };
    Ok(())
}

/// A state that nobody looked at lately is no state.
fn warn_of_old(reports: &[ProductReport], now: Timestamp) {
    if let Some(seconds) = silent_seconds(reports, now) {
        let ago = table::span(seconds);
        output::talk(&format!("warning: this was evaluated {ago} ago; is the freshness service running?"));
    }
}

/// How long ago the newest evaluation was, if that is too long.
fn silent_seconds(reports: &[ProductReport], now: Timestamp) -> Option<u64> {
    let newest_ms = reports.iter().map(|report| report.evaluated_at_ms).max()?;
    let seconds = now.as_millisecond().saturating_sub(newest_ms) / 1_000;
    (seconds > EVALUATED_WITHIN_SECONDS).then_some(seconds.unsigned_abs())
}

fn unreadable(error: mesh_freshness::Error) -> Failure {
    let failure = if error.is_retriable() {
        Failure::unreachable("cannot read the state of products")
    } else {
        Failure::internal("cannot read the state of products")
    };
    failure.because(error)
}

#[cfg(test)]
mod tests;
