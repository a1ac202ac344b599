//! How long change events are kept, and the topic settings that follow.

use std::fmt;
use std::str::FromStr;

use crate::span::{Span, SpanError};
use crate::text::serde_as_text;

/// How long a product's change events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum History {
    /// Compacted: the newest event of each key, for ever.
    Latest,
    /// Every event, for this long.
    For(Span),
}

/// A tombstone stays readable for this long before compaction takes it, so that no consumer misses a delete.
const TOMBSTONE_RETENTION_MS: u64 = 7 * 86_400_000;

/// Kafka's settings for a topic that keeps this history.
///
/// The settings that follow from the contract alone; sizes of records and replication are the cluster's to know.
pub fn topic_config(history: History) -> Vec<(&'static str, String)> {
    match history {
        History::Latest => {
            vec![("cleanup.policy", "compact".to_owned()), ("delete.retention.ms", TOMBSTONE_RETENTION_MS.to_string())]
        }
        History::For(span) => {
            vec![("cleanup.policy", "delete".to_owned()), ("retention.ms", span.millis().to_string())]
        }
    }
}

/// Kafka's settings for an output port of that history.
///
/// What is compacted for ever can nevertheless be deleted by whoever is told to (`mesh remask`): Kafka admits that only where the
/// policy has `delete` in it. Nothing grows too old or too much for it.
pub fn output_config(history: History) -> Vec<(&'static str, String)> {
    let mut config = topic_config(history);
    if history == History::Latest {
        config[0].1 = "compact,delete".to_owned();
        config.extend([("retention.ms", "-1".to_owned()), ("retention.bytes", "-1".to_owned())]);
    }
    config
}

/// `latest`, a span, or as people say it: `up to 2 years`.
impl FromStr for History {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<History, SpanError> {
        if text == "latest" {
            return Ok(History::Latest);
        }
        text.strip_prefix("up to ").unwrap_or(text).parse().map(History::For)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            History::Latest => f.write_str("latest"),
            History::For(span) => write!(f, "{span}"),
        }
    }
}

serde_as_text!(History);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_history_becomes_a_topics_settings() {
        let config = topic_config("up to 2 years".parse().unwrap());
        assert_eq!(config, [("cleanup.policy", "delete".to_owned()), ("retention.ms", "63072000000".to_owned())]);
        assert_eq!(topic_config(History::Latest)[0], ("cleanup.policy", "compact".to_owned()));
    }

    #[test]
    fn outputs_can_be_emptied_but_nothing_in_them_grows_too_old() {
        let span: History = "2 years".parse().unwrap();
        assert_eq!(output_config(span), topic_config(span));
        let latest: std::collections::BTreeMap<_, _> = output_config(History::Latest).into_iter().collect();
        assert_eq!((latest["cleanup.policy"].as_str(), latest["retention.ms"].as_str()), ("compact,delete", "-1"));
        assert_eq!(latest["retention.bytes"], "-1");
    }
}
