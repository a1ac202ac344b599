//! How long events are kept, from the settings of their topic.

use super::said::Said;
use mesh_contract::{History, Span, Unit};
use std::collections::BTreeMap;

const KEY: &str = "history";
/// The longest that a contract can name.
const YEARS_MAX: u64 = 1_000;

/// The contract's `history`; none where the settings do not tell.
pub(super) fn of(settings: &BTreeMap<String, String>, keyed: bool) -> Option<Said> {
    let policies: Vec<&str> = settings.get("cleanup.policy")?.split(',').map(str::trim).collect();
    let retention_ms: i64 = settings.get("retention.ms")?.parse().ok()?;
    let compacts = policies.contains(&"compact");
    if compacts && (!policies.contains(&"delete") || retention_ms < 0) {
        return Some(match keyed {
            true => Said::seen(KEY, "latest", "cleanup.policy = compact: the newest event of each key, for ever"),
            false => {
                Said::todo(KEY, "latest", "cleanup.policy = compact: the newest event of each key, which wants a `key`")
            }
        });
    }
    let Some(history) = span(retention_ms) else {
        let why = "retention.ms = -1: for ever, which a contract says of no product that is not compacted; this is the longest it can say";
        return Some(Said::guess(KEY, &format!("{YEARS_MAX} years"), why));
    };
    let history = History::For(history).to_string();
    if compacts {
        let why = format!(
            "the topic is compacted as well as emptied after retention.ms = {retention_ms}; a product is one or the other: so long, \
             or `latest` for the newest event of each key, for ever"
        );
        return Some(Said::guess(KEY, &history, why));
    }
    let mut why = format!("retention.ms = {retention_ms}");
    match settings.get("retention.bytes").and_then(|bytes| bytes.parse::<i64>().ok()) {
        Some(bytes) if bytes >= 0 => {
            why += &format!("; retention.bytes = {bytes} bounds it as well, which no contract speaks of");
            Some(Said::guess(KEY, &history, why))
        }
        _ => Some(Said::seen(KEY, &history, why)),
    }
}

/// In the largest unit that it is a whole number of; not less than it is. None for ever, and where it is as good as that.
fn span(retention_ms: i64) -> Option<Span> {
    let seconds = u64::try_from(retention_ms).ok()?.div_ceil(1_000).max(1);
    let units = [Unit::Year, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second];
    let unit = units.into_iter().find(|unit| seconds % unit.seconds() == 0)?;
    Span::new(seconds / unit.seconds(), unit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::commands::import::said::Weight;

    fn history(policy: &str, retention_ms: &str, bytes: &str) -> (String, Weight) {
        let settings = [("cleanup.policy", policy), ("retention.ms", retention_ms), ("retention.bytes", bytes)];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let said = of(&settings, true).unwrap();
        (said.yaml.trim_start_matches("history: ").to_owned(), said.weight)
    }

    #[test]
    fn what_is_kept_so_long_is_kept_so_long() {
        assert_eq!(history("delete", "604800000", "-1"), ("7 days".to_owned(), Weight::Seen));
        assert_eq!(history("delete", "63072000000", "-1"), ("2 years".to_owned(), Weight::Seen));
        assert_eq!(history("delete", "5400000", "-1"), ("90 minutes".to_owned(), Weight::Seen));
        assert_eq!(history("delete", "1500", "-1"), ("2 seconds".to_owned(), Weight::Seen), "not less than it is");
        assert_eq!(history("delete", "604800000", "1000").1, Weight::Guess, "its size is bounded, too");
    }

    #[test]
    fn what_a_contract_cannot_say_is_a_guess() {
        assert_eq!(history("compact", "604800000", "-1"), ("latest".to_owned(), Weight::Seen));
        assert_eq!(history("compact, delete", "-1", "-1"), ("latest".to_owned(), Weight::Seen), "nothing is emptied");
        assert_eq!(history("compact,delete", "86400000", "-1"), ("1 day".to_owned(), Weight::Guess));
        assert_eq!(history("delete", "-1", "-1"), ("1000 years".to_owned(), Weight::Guess));
        assert_eq!(history("delete", "9223372036854775807", "-1"), ("1000 years".to_owned(), Weight::Guess));
        assert_eq!(of(&BTreeMap::new(), true), None, "the settings may not be seen");
    }

    #[test]
    fn the_newest_of_each_key_wants_a_key() {
        let settings = [("cleanup.policy", "compact"), ("retention.ms", "1000")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(of(&settings, false).unwrap().weight, Weight::Todo);
    }
}
