//! The columns that say which entity a record is of and when its fact happened.

use std::sync::Arc;

use mesh_contract::{ColumnPath, Finding, MaskRule, Places};

use super::path;
use super::{Leaf, Mask, Rules, check, default_rule, id, rule_of};
use crate::mask::slot::alternatives;
use crate::schema::{Kind, Logical, Node, NodeId};

/// Fewest hex digits of a hashed key: 128 bits, so that no two entities ever merge.
const KEY_DIGITS_MIN: u8 = 32;

/// Checks the key column: it exists, can key records, and if it is masked, different keys stay different.
pub(super) fn check_key(rules: &mut Rules, findings: &mut Vec<Finding>, places: &Places, key: Option<&ColumnPath>) {
    let Some(key) = key else { return };
    let place = places.at("key");
    let mut refuse = |rule, message: String, hint: Option<String>| {
        findings.push(Finding::error(rule, place.clone(), message).maybe_hint(hint));
    };
    let ends = match path::resolve(&rules.schema, key) {
        Ok(ends) => ends,
        Err(unresolved) => {
            let message = format!("the key `{key}` is not in the schema: {}", unresolved.what);
            return refuse(id::KEY_UNKNOWN, message, unresolved.hint);
        }
    };
    let Some(steps) = check::single_value(key) else {
        let message = format!("the key `{key}` is a column of many values");
        return refuse(id::KEY_TYPE, message, Some("key by a column without `[]` and `{}`".to_owned()));
    };
    rules.key = Some(steps);
    let schema = Arc::clone(&rules.schema);
    let leaves: Vec<NodeId> = ends.iter().flat_map(|(_, node)| alternatives(&schema, *node)).collect();
    let [leaf] = leaves.as_slice() else {
        let hint = Some("key by a column of one type".to_owned());
        return refuse(id::KEY_TYPE, format!("the key `{key}` has {} types", leaves.len()), hint);
    };
    let leaf = Leaf::of(schema.node(*leaf));
    if !can_key(leaf.kind) {
        let hint = Some("key by a string, bytes, fixed, int, long or enum".to_owned());
        return refuse(
            id::KEY_TYPE,
            format!("the key `{key}` is {}, which cannot key records", leaf.described()),
            hint,
        );
    }
    if let Some(mask) = mask_along(rules, key)
        && !keeps_apart(mask, leaf)
    {
        let rule = mask.rule.clone().or_else(|| default_rule(leaf)).map_or(String::new(), |rule| rule.to_string());
        let message = format!(
            "the key `{key}`, {}, is sensitive and masked by `{rule}`: entities would merge or be lost",
            leaf.described()
        );
        refuse(id::KEY_MASK, message, Some("mask a key by `hash` (32 digits or more) or `tokenise`".to_owned()));
    }
}

fn can_key(kind: &Kind) -> bool {
    use Kind::{Bytes, Enum, Fixed, Int, Long, String};
    matches!(kind, String | Bytes | Int | Long | Fixed { .. } | Enum { .. })
}

/// Whether different keys stay different. A hashed UUID has 122 bits of its own, which is as good as 128.
fn keeps_apart(mask: &Mask, leaf: Leaf<'_>) -> bool {
    if matches!(mask.rule, Some(MaskRule::Drop | MaskRule::Null)) {
        return false;
    }
    match (rule_of(mask.rule.as_ref(), leaf), leaf.kind) {
        (Some(MaskRule::Tokenise), _) => true,
        (Some(MaskRule::Hash(_)), Kind::Fixed { size }) => *size >= usize::from(KEY_DIGITS_MIN) / 2,
        (Some(MaskRule::Hash(digits)), _) => digits.is_none_or(|digits| digits >= KEY_DIGITS_MIN),
        _ => false,
    }
}

/// The mask that holds at a path of fields: the innermost of those on the way.
fn mask_along<'a>(rules: &'a Rules, path: &ColumnPath) -> Option<&'a Mask> {
    let mut holding = None;
    let mut frontier = vec![rules.schema.root()];
    for step in path.steps() {
        let candidates = frontier.iter().flat_map(|node| alternatives(&rules.schema, *node));
        let found: Vec<_> = candidates.filter_map(|node| path::follow(&rules.schema, node, step)).collect();
        let marked = found.iter().find_map(|(slot, _)| rules.marks.get(slot));
        holding = marked.copied().or(holding);
        frontier = path::distinct(found.into_iter().map(|(_, node)| node));
    }
    holding.map(|index| &rules.masks[index])
}

/// Checks the event time column: it exists, is a date or a timestamp, and may travel in a header in clear.
pub(super) fn check_event_time(
    rules: &mut Rules,
    findings: &mut Vec<Finding>,
    places: &Places,
    event_time: Option<&ColumnPath>,
) {
    let Some(column) = event_time else { return };
    let place = places.at("refresh_rate.event_time");
    let ends = match path::resolve(&rules.schema, column) {
        Ok(ends) => ends,
        Err(unresolved) => {
            let message = format!("the event time `{column}` is not in the schema: {}", unresolved.what);
            let finding = Finding::error(id::EVENT_TIME_UNKNOWN, place, message);
            findings.push(finding.maybe_hint(unresolved.hint));
            return;
        }
    };
    let leaves: Vec<NodeId> = ends.iter().flat_map(|(_, node)| alternatives(&rules.schema, *node)).collect();
    let steps = check::single_value(column);
    let wrong = leaves.iter().find(|leaf| !tells_time(rules.schema.node(**leaf)));
    if let Some(leaf) = wrong.filter(|_| steps.is_some()) {
        let described = Leaf::of(rules.schema.node(*leaf)).described();
        let message = format!("the event time `{column}` is {described}");
        findings.push(
            Finding::error(id::EVENT_TIME_TYPE, place.clone(), message)
                .hint("name a date, a timestamp-millis, -micros or -nanos"),
        );
    }
    if steps.is_none() {
        let message = format!("the event time `{column}` is a column of many values");
        findings.push(Finding::error(id::EVENT_TIME_TYPE, place.clone(), message));
    }
    if mask_along(rules, column).is_some() {
        let message = format!("the event time `{column}` is sensitive, but travels in the header mesh-event-time");
        let finding = Finding::error(id::EVENT_TIME_SENSITIVE, place, message);
        findings.push(finding.hint("name another column, or none: the record's own timestamp is taken then"));
    }
    rules.event_time = steps;
}

/// Whether a type says when something happened.
fn tells_time(node: &Node) -> bool {
    use Logical::{
        Date, LocalTimestampMicros, LocalTimestampMillis, LocalTimestampNanos, TimestampMicros, TimestampMillis,
        TimestampNanos,
    };
    node.logical.is_some_and(|logical| {
        matches!(
            logical,
            Date | TimestampMillis
                | TimestampMicros
                | TimestampNanos
                | LocalTimestampMillis
                | LocalTimestampMicros
                | LocalTimestampNanos
        )
    })
}
