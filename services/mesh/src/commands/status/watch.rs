//! `mesh status --watch`: the table redrawn on a terminal; elsewhere a line for each view that changed its state.

use super::row::{self, Row};
use super::{Args, exit, read, silent_seconds, table, unreadable};
use crate::cli::Format;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use jiff::Timestamp;
use mesh_freshness::{ProductReport, State};
use mesh_kafka::Settings;
use mesh_runtime::Shutdown;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

/// How often to look: a state is written when it changes.
const EVERY: Duration = Duration::from_secs(2);
/// Nothing is in flight when the command is interrupted.
const GRACE: Duration = Duration::from_secs(1);
/// Cursor to the top left, and the screen emptied from there.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Goes on until interrupted; the exit code is that of how things stood last. A cluster that is away is waited for.
pub(super) async fn run(args: &Args, kafka: &Settings, format: Format) -> Result<Exit, Failure> {
    let shutdown =
        Shutdown::on_signals(GRACE).map_err(|error| Failure::internal("cannot listen to signals").because(error))?;
    let is_screen = format == Format::Text && std::io::stdout().is_terminal();
    let (mut shown, mut last) = (Shown::default(), Exit::Fine);
    loop {
        let Some(reports) = shutdown.abandon(read(args, kafka)).await else { return Ok(last) };
        match reports {
            Ok(reports) => {
                last = exit(&reports);
                let reader = if is_screen { draw(&reports) } else { shown.tell(&reports, format) };
                if reader? == Reader::Gone {
                    return Ok(last);
                }
            }
            Err(error) if error.is_retriable() => output::talk("Kafka cannot be reached, trying again"),
            Err(error) => return Err(unreadable(error)),
        }
        if shutdown.abandon(tokio::time::sleep(EVERY)).await.is_none() {
            return Ok(last);
        }
    }
}

fn draw(reports: &[ProductReport]) -> Result<Reader, Failure> {
    let rows: Vec<Row> = reports.iter().flat_map(row::rows).collect();
    let now = Timestamp::now();
    let doubt = silent_seconds(reports, now)
        .map(|seconds| format!("\n\nevaluated {} ago; is the freshness service running?", table::span(seconds)));
    let at = now.strftime("%Y-%m-%d %H:%M:%S UTC");
    output::data(&format!("{CLEAR}{at}\n\n{}{}", table::render(&rows), doubt.unwrap_or_default()))
}

/// What was told of each view.
#[derive(Debug, Default)]
struct Shown(BTreeMap<(String, u32, String), State>);

impl Shown {
    fn tell(&mut self, reports: &[ProductReport], format: Format) -> Result<Reader, Failure> {
        for row in self.changed(reports) {
            let reader = match format {
                Format::Json => output::json(&row)?,
                Format::Text => output::data(&line(&row))?,
            };
            if reader == Reader::Gone {
                return Ok(Reader::Gone);
            }
        }
        Ok(Reader::There)
    }

    /// The views whose state is another than was told of them, at first all.
    fn changed(&mut self, reports: &[ProductReport]) -> Vec<Row> {
        let key = |row: &Row| (row.product.clone(), row.version, row.view.clone());
        let rows: Vec<Row> = reports.iter().flat_map(row::rows).collect();
        let before = std::mem::replace(&mut self.0, rows.iter().map(|row| (key(row), row.state)).collect());
        rows.into_iter().filter(|row| before.get(&key(row)) != Some(&row.state)).collect()
    }
}

/// `2026-01-02T03:04:05Z crm.orders@1 masked stale`
fn line(row: &Row) -> String {
    let since = row.since.map(|since| since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    format!("{since} {}@{} {} {}", row.product, row.version, row.view, row.state)
}

#[cfg(test)]
mod tests {
    use super::super::tests::reports;
    use super::*;

    #[test]
    fn only_what_changed_is_told_again() {
        let (mut shown, mut reports) = (Shown::default(), reports());
        assert_eq!(shown.changed(&reports).len(), 6);
        assert_eq!(shown.changed(&reports), []);
        reports[0].views[1].state = State::Stale;
        let changed: Vec<String> = shown.changed(&reports).iter().map(line).collect();
        assert_eq!(changed, ["2027-01-15T07:57:00Z crm.customers@1 support stale"]);
    }
}
