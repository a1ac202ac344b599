//! Logs: structured, to stderr, as text for people or JSON for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, util::TryInitError};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One line of text, in colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one of tracing's.
    #[error("cannot parse the log filter {filter:?}: use for example `info` or `warn,mesh_masking=debug`")]
    ParseFilter {
        /// What was given.
        filter: String,
        /// Why it does not parse.
        source: ParseError,
    },
    /// A subscriber is in place already.
    #[error("cannot install the log subscriber: the process has one already")]
    Install {
        /// What the installation said.
        source: TryInitError,
    },
}

/// Installs the process's log subscriber, once. `filter` is in tracing's `EnvFilter` syntax.
///
/// # Errors
/// A filter that does not parse, or a subscriber that is in place already.
pub fn init(format: Format, filter: &str) -> Result<(), TelemetryError> {
    let env_filter = parse_filter(filter)?;
    let subscriber = fmt().with_env_filter(env_filter).with_writer(io::stderr);
    let installed = match format {
        Format::Text => {
            let subscriber = subscriber.with_ansi(io::stderr().is_terminal()).finish();
            tracing_subscriber::util::SubscriberInitExt::try_init(subscriber)
        }
        Format::Json => {
            let subscriber =
                subscriber.json().flatten_event(true).with_current_span(true).with_span_list(false).finish();
            tracing_subscriber::util::SubscriberInitExt::try_init(subscriber)
        }
    };
    installed.map_err(|source| TelemetryError::Install { source })
}

fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::ParseFilter { filter: filter.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_does_not_parse_is_quoted() {
        let error = parse_filter("mesh=loudly").expect_err("no such level");
        assert!(error.to_string().contains("\"mesh=loudly\""), "{error}");
        parse_filter("warn,mesh_masking=debug").expect("a filter");
    }
}
