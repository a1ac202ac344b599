use mesh_contract::Compatibility;

use super::finding::{Direction, Report};
use super::rule::rule;
use super::severity::Severities;
use super::walk::compare;
use crate::schema::Schema;

/// Whether a new schema may follow the earlier ones, oldest first, at a level.
///
/// What a level asks for in both directions is reported in each; a change of meaning that is the same whichever side
/// reads is reported once.
#[must_use]
pub fn check_level(level: Compatibility, new: &Schema, earlier: &[&Schema]) -> Report {
    check_level_with(level, new, earlier, &Severities::default())
}

/// As [`check_level`], with the semantic rules as severe as told.
#[must_use]
pub fn check_level_with(level: Compatibility, new: &Schema, earlier: &[&Schema], severities: &Severities) -> Report {
    let (backward, forward) = directions(level);
    let first = if transitive(level) { 0 } else { earlier.len().saturating_sub(1) };
    let mut report = Report::default();
    for (index, old) in earlier.iter().enumerate().skip(first).rev() {
        if backward {
            add(&mut report, index, compare(new, old, Direction::Backward, severities), false);
        }
        if forward {
            add(&mut report, index, compare(old, new, Direction::Forward, severities), backward);
        }
    }
    report
}

fn directions(level: Compatibility) -> (bool, bool) {
    match level {
        Compatibility::None => (false, false),
        Compatibility::Backward | Compatibility::BackwardTransitive => (true, false),
        Compatibility::Forward | Compatibility::ForwardTransitive => (false, true),
        Compatibility::Full | Compatibility::FullTransitive => (true, true),
    }
}

fn transitive(level: Compatibility) -> bool {
    matches!(
        level,
        Compatibility::BackwardTransitive | Compatibility::ForwardTransitive | Compatibility::FullTransitive
    )
}

fn add(report: &mut Report, earlier: usize, found: Report, said_already: bool) {
    for mut finding in found.findings {
        if !(said_already && rule(finding.rule).is_some_and(|rule| rule.symmetric)) {
            finding.earlier = Some(earlier);
            report.findings.push(finding);
        }
    }
}
