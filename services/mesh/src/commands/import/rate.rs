//! How often new facts come, from when the newest records came.

use super::said::Said;
use super::tail::Look;

const KEY: &str = "refresh_rate";
/// What a contract begins with.
const UNKNOWN: &str = "hour";
/// Fewer records tell nothing.
const RECORDS_MIN: usize = 10;
/// What is proposed, with its length in seconds: the shortest that is not shorter than the longest pause.
const LADDER: [(&str, i64); 8] = [
    ("minute", 60),
    ("5 minutes", 300),
    ("15 minutes", 900),
    ("hour", 3_600),
    ("6 hours", 21_600),
    ("day", 86_400),
    ("7 days", 604_800),
    ("30 days", 2_592_000),
];

/// The contract's `refresh_rate`.
pub(super) fn of(look: &Look, now_ms: i64) -> Said {
    let times = &look.times_ms;
    if let Some(why) = &look.failed {
        return Said::todo(KEY, UNKNOWN, format!("how often do new facts come? Nothing was concluded: {why}"));
    }
    let (Some(first), Some(last), true) = (times.first(), times.last(), times.len() >= RECORDS_MIN) else {
        let why = format!(
            "how often do new facts come? The topic holds {} records that say when they are from, which is too few to tell",
            times.len()
        );
        return Said::todo(KEY, UNKNOWN, why);
    };
    // the time since the newest is a pause like any other
    let pauses = times.windows(2).map(|pair| pair[1] - pair[0]).chain([now_ms - last]);
    let longest_ms = pauses.max().unwrap_or(0);
    let seen = format!(
        "the longest pause in {} records of {}, until now, is {}",
        times.len(),
        words((last - first) / 1_000),
        words(longest_ms / 1_000)
    );
    match LADDER.iter().find(|(_, seconds)| longest_ms <= seconds * 1_000) {
        Some((rate, _)) => Said::guess(KEY, rate, seen),
        None => Said::todo(KEY, UNKNOWN, format!("how often do new facts come? {seen}: is the topic written still?")),
    }
}

/// A length of time as a person takes it in.
fn words(seconds: i64) -> String {
    let units = [("days", 86_400), ("hours", 3_600), ("minutes", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds >= 2 * length);
    unit.map_or_else(|| format!("{seconds} seconds"), |(unit, length)| format!("{} {unit}", seconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::import::said::Weight;

    const NOW_MS: i64 = 1_800_000_000_000;

    /// Records so many seconds ago, oldest first.
    fn rate(ago_seconds: impl IntoIterator<Item = i64>) -> (String, Weight) {
        let times_ms = ago_seconds.into_iter().map(|ago| NOW_MS - ago * 1_000).collect();
        let said = of(&Look { times_ms, ..Look::default() }, NOW_MS);
        (said.yaml.trim_start_matches("refresh_rate: ").to_owned(), said.weight)
    }

    #[test]
    fn the_longest_pause_decides() {
        assert_eq!(rate((0..50).rev().map(|n| n * 10)), ("minute".to_owned(), Weight::Guess));
        assert_eq!(rate((0..50).rev().map(|n| n * 600)), ("15 minutes".to_owned(), Weight::Guess));
        assert_eq!(rate((0..20).rev().map(|n| n * 86_400)), ("day".to_owned(), Weight::Guess), "as long as it may be");
        let burst_a_week_ago = (0..500).rev().map(|n| 600_000 + n);
        assert_eq!(rate(burst_a_week_ago), ("7 days".to_owned(), Weight::Guess), "the pause since counts");
    }

    #[test]
    fn what_tells_nothing_is_asked() {
        assert_eq!(rate([]), ("hour".to_owned(), Weight::Todo));
        assert_eq!(rate([30, 20, 10]), ("hour".to_owned(), Weight::Todo));
        assert_eq!(rate((0..50).rev().map(|n| 90 * 86_400 + n)), ("hour".to_owned(), Weight::Todo), "nobody writes it");
    }
}
