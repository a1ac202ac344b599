//! `mesh audit verify`: is the audit all there, and as it was written.

use crate::cli::Format;
use crate::commands::product::kafka_failure;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::answers;
use mesh_audit::{Digest, Report, VerifyOptions};
use std::fmt::Write;

/// No more faults are spelt out; the JSON has a thousand.
const FAULTS_MAX: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A head that an earlier `mesh audit verify` printed and that was kept elsewhere: the audit has to have been so
    #[arg(long, value_name = "DIGEST")]
    head: Option<Digest>,
    /// Every entry of a chain has to be sealed by a holder of the keys (--keys, --vault-keys): by its writer, or, where that one has
    /// no keys, by a notary since
    #[arg(long)]
    sealed: bool,
    /// A copy of the audit on another topic
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.kafka()?;
    answers(&kafka).await?;
    if args.sealed && !context.has_keys() {
        return Err(
            Failure::usage("seals cannot be checked without keys").hint("give --keys FILE or --vault-keys MOUNT/PATH")
        );
    }
    let keys = context.has_keys().then(|| context.keys()).transpose()?;
    let options = VerifyOptions { keys, require_seals: args.sealed, head: args.head };
    let report = mesh_audit::verify(&kafka, args.topic.as_deref(), options).await.map_err(kafka_failure)?;
    let _reader = match context.format() {
        Format::Json => output::json(&report)?,
        Format::Text => output::data(&render(&report))?,
    };
    Ok(if report.faults_total == 0 { Exit::Fine } else { Exit::Findings })
}

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // writing to a String cannot fail
    for fault in report.faults.iter().take(FAULTS_MAX) {
        let _ = writeln!(text, "{fault}");
    }
    if report.faults_total > FAULTS_MAX as u64 {
        let _ = writeln!(text, "... and {} more faults", report.faults_total - FAULTS_MAX as u64);
    }
    let _ = writeln!(
        text,
        "{} entries, {} of them in {} chains ({} not ended)",
        report.entries, report.chained, report.chains, report.chains_open
    );
    if report.sealed + report.seals_not_checked > 0 {
        let _ = writeln!(
            text,
            "{} seals hold, {} were not checked for want of keys",
            report.sealed, report.seals_not_checked
        );
    }
    if report.unsealed > 0 {
        let _ = writeln!(
            text,
            "{} entries have no seal of their own, and a notary's seal vouches for {} of them",
            report.unsealed, report.vouched
        );
    }
    let _ = writeln!(text, "{} entries are as the notary saw them", report.notarised);
    if report.is_truncated {
        let _ = writeln!(
            text,
            "entries from before the first are gone: the topic's retention has taken them, or somebody has"
        );
    }
    if let Some(head) = report.head {
        let _ = writeln!(text, "head {head}: keep it elsewhere, and give it as --head another time");
    }
    let _ = match report.faults_total {
        0 => write!(text, "the audit is intact"),
        1 => write!(text, "the audit is damaged: 1 fault"),
        faults => write!(text, "the audit is damaged: {faults} faults"),
    };
    text
}
