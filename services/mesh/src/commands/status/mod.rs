//! `mesh status [PRODUCT]`: is every product as fresh as its contract promises.

mod table;

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use jiff::Timestamp;
use mesh_contract::ProductRef;
use mesh_freshness::{ProductReport, State, report};
use serde::Serialize;

/// How old an evaluation may be before the monitor itself is in doubt: it writes every 30 s.
const EVALUATED_WITHIN_SECONDS: i64 = 120;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this product, such as crm.customers or crm.customers@1
    #[arg(value_name = "PRODUCT")]
    product: Option<ProductRef>,
}

/// One view of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    product: String,
    version: u32,
    view: String,
    state: State,
    age_seconds: Option<u64>,
    promise: String,
    promise_seconds: u64,
    owner: String,
    topic: String,
    newest: Option<Timestamp>,
    heartbeat: Option<Timestamp>,
    since: Option<Timestamp>,
    evaluated_at: Option<Timestamp>,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    let reports = report::read(&kafka).await.map_err(unreadable)?;
    let mut reports: Vec<ProductReport> = reports.into_values().filter(|report| is_asked(&args, report)).collect();
    reports.sort_by(|a, b| (&a.product, a.version).cmp(&(&b.product, b.version)));
    if let Some(product) = args.product.filter(|_| reports.is_empty()) {
        return Err(Failure::usage(format!("the freshness of {product} was never evaluated"))
            .hint("`mesh products` lists the products that are applied; is the freshness service running?"));
    }
    show(&reports, context.format())?;
    warn_of_old(&reports, Timestamp::now());
    let is_breached = reports.iter().any(|report| report.state == State::Stale);
    Ok(if is_breached { Exit::Findings } else { Exit::Fine })
}

fn is_asked(args: &Args, report: &ProductReport) -> bool {
    args.product.as_ref().is_none_or(|asked| {
        asked.product.to_string() == report.product && asked.major.is_none_or(|major| major == report.version)
    })
}

fn show(reports: &[ProductReport], format: Format) -> Result<(), Failure> {
    let rows: Vec<Row> = reports.iter().flat_map(rows).collect();
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

fn rows(report: &ProductReport) -> impl Iterator<Item = Row> {
    let at = |ms: i64| Timestamp::from_millisecond(ms).ok();
    report.views.iter().map(move |view| Row {
        product: report.product.clone(),
        version: report.version,
        view: view.view.clone(),
        state: view.state,
        age_seconds: view.age_seconds,
        promise: report.promise.clone(),
        promise_seconds: report.promise_seconds,
        owner: report.owner.clone(),
        topic: view.topic.clone(),
        newest: view.newest_ms.and_then(at),
        heartbeat: report.heartbeat_ms.and_then(at),
        since: at(report.since_ms),
        evaluated_at: at(report.evaluated_at_ms),
    })
}

/// A state that nobody looked at lately is no state.
fn warn_of_old(reports: &[ProductReport], now: Timestamp) {
    let newest_ms = reports.iter().map(|report| report.evaluated_at_ms).max();
    let silent_seconds = newest_ms.map(|newest_ms| (now.as_millisecond() - newest_ms) / 1_000);
    if let Some(seconds) = silent_seconds.filter(|seconds| *seconds > EVALUATED_WITHIN_SECONDS) {
        let ago = table::span(seconds.unsigned_abs());
        output::talk(&format!("warning: this was evaluated {ago} ago; is the freshness service running?"));
    }
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
