//! Whether a change of settings deletes records that are there.

use std::collections::BTreeMap;

const POLICY: &str = "cleanup.policy";
/// What bounds how long and how much is kept where the policy deletes; -1 is no bound.
const BOUNDS: [&str; 2] = ["retention.ms", "retention.bytes"];

/// What happens to records when settings change so; none if all stay.
pub(super) fn of(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Option<String> {
    let (had, has) = (policies(before), policies(after));
    if has.contains(&"compact") && !had.contains(&"compact") {
        return Some("all but the newest event of each key are deleted".to_owned());
    }
    if !has.contains(&"delete") {
        return None;
    }
    let bound = |settings: &BTreeMap<String, String>, name: &str| -> Option<u64> {
        settings.get(name).and_then(|value| value.parse().ok())
    };
    let shorter = BOUNDS.into_iter().find(|name| {
        let before = if had.contains(&"delete") { bound(before, name) } else { None };
        match (before, bound(after, name)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) => after < before,
        }
    });
    shorter.map(|name| match name {
        "retention.ms" => {
            let kept = bound(after, name).unwrap_or_default();
            format!("events older than {} are deleted", days(kept))
        }
        _ => "the oldest events are deleted".to_owned(),
    })
}

fn policies(settings: &BTreeMap<String, String>) -> Vec<&str> {
    settings.get(POLICY).map(|policy| policy.split(',').map(str::trim).collect()).unwrap_or_default()
}

/// A time as people say it, as far as it is a whole number of something.
fn days(millis: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1_000, "seconds")];
    let unit = UNITS.into_iter().find(|(size, _)| millis >= *size && millis.is_multiple_of(*size));
    unit.map_or_else(|| format!("{millis} ms"), |(size, unit)| format!("{} {unit}", millis / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(before: [&str; 2], after: [&str; 2]) -> Option<String> {
        let settings = |[policy, retention]: [&str; 2]| {
            BTreeMap::from([(POLICY.to_owned(), policy.to_owned()), ("retention.ms".to_owned(), retention.to_owned())])
        };
        of(&settings(before), &settings(after))
    }

    #[test]
    fn what_is_kept_for_less_long_or_compacted_is_lost() {
        let days = Some("events older than 1 days are deleted".to_owned());
        assert_eq!(loss(["delete", "172800000"], ["delete", "86400000"]), days);
        assert_eq!(loss(["delete", "-1"], ["delete", "86400000"]), days);
        assert_eq!(loss(["compact", "86400000"], ["delete", "86400000"]), days, "it was not bounded before");
        assert_eq!(loss(["delete", "86400000"], ["delete", "172800000"]), None);
        assert_eq!(loss(["delete", "86400000"], ["delete", "-1"]), None);
        assert_eq!(loss(["compact", "1"], ["compact,delete", "-1"]), None);
        assert_eq!(loss(["compact", "1"], ["compact", "2"]), None);
        assert!(loss(["delete", "-1"], ["compact", "-1"]).is_some_and(|what| what.contains("newest")));
    }
}
