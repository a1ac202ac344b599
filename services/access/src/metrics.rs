//! What the service measures. Groups are labels: the contracts bound them.

use metrics::{counter, gauge};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::{Doubt, Error};

/// Why rounds can come to nothing, each counted from zero, so that the first is seen to be one more.
const STAGES: [&str; 4] = ["directory", "empty", "kafka", "audit"];

pub(crate) fn start(interval: Duration) {
    gauge!("mesh_access_interval_seconds").set(interval.as_secs_f64());
    // nothing is known yet: what is older than this is told of from the start on
    gauge!("mesh_access_synced_timestamp_seconds").set(now_seconds());
    STAGES.into_iter().for_each(|stage| counter!("mesh_access_failed_rounds_total", "reason" => stage).increment(0));
    changed(0, 0);
}

pub(crate) fn synced() {
    gauge!("mesh_access_synced_timestamp_seconds").set(now_seconds());
}

pub(crate) fn failed(error: &Error) {
    counter!("mesh_access_failed_rounds_total", "reason" => error.stage()).increment(1);
}

pub(crate) fn changed(granted: usize, revoked: usize) {
    counter!("mesh_access_rules_changed_total", "change" => "granted").increment(granted as u64);
    counter!("mesh_access_rules_changed_total", "change" => "revoked").increment(revoked as u64);
}

/// How many members have no usable name.
pub(crate) fn left_out(members: usize) {
    gauge!("mesh_access_left_out_members").set(members as f64);
}

/// Which groups' answers are not believed; those that were not and are now disappear.
pub(crate) fn doubted(before: &BTreeMap<String, Doubt>, now: &BTreeMap<String, Doubt>) {
    let tell = |group: &str, doubt: &Doubt, value: f64| {
        gauge!("mesh_access_doubted_groups", "group" => group.to_owned(), "reason" => doubt.code()).set(value);
    };
    let is_over = |(group, doubt): &(&String, &Doubt)| now.get(*group).map(Doubt::code) != Some(doubt.code());
    // the recorder leaves out what is not a number
    before.iter().filter(is_over).for_each(|(group, doubt)| tell(group, doubt, f64::NAN));
    now.iter().for_each(|(group, doubt)| tell(group, doubt, 1.0));
}

fn now_seconds() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
