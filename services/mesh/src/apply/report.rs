//! What a plan would do, or an apply did: for people, for machines, for pull requests.

use super::observed::fingerprint;
use super::plan::{Ask, Plan, Refusal, Remains, Row};
use crate::markdown::{cell, section};
use mesh_access::sight::Gain;
use serde::Serialize;
use std::fmt::Write;

/// A plan or an apply, to be shown.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether the changes were made.
    applied: bool,
    cluster: String,
    fingerprint: String,
    changes: Vec<Shown>,
    refused: Vec<Refusal>,
    remains: Vec<Remains>,
    left: Vec<String>,
    /// Who comes to see which sensitive column.
    gains: Vec<Gain>,
    looked_at: usize,
}

/// A change, to be shown.
#[derive(Debug, PartialEq, Serialize)]
struct Shown {
    #[serde(flatten)]
    row: Row,
    /// What cannot be undone, and the name that confirms it.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<Confirm>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Confirm {
    name: String,
    because: String,
}

impl Report {
    pub(super) fn of(plan: &Plan, applied: bool) -> Self {
        let confirm = |ask: &Ask| Confirm { name: ask.name.clone(), because: ask.what.clone() };
        let shown = plan.steps.iter();
        let shown = shown.map(|step| Shown { row: step.change.row(), confirm: step.asks.as_ref().map(confirm) });
        Self {
            applied,
            cluster: plan.cluster_id.clone(),
            fingerprint: fingerprint(&plan.facts),
            changes: shown.collect(),
            refused: plan.refused.clone(),
            remains: plan.remains.clone(),
            left: plan.left.clone(),
            gains: plan.gains.clone(),
            looked_at: plan.looked_at,
        }
    }

    /// One line for each change and each thing that speaks against it, and one for the whole.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
        text + &self.summary()
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for Shown { row, confirm } in &self.changes {
            let details = if row.details.is_empty() { String::new() } else { format!(": {}", row.details.join(", ")) };
            lines.push(format!("{:<9} {} {}{details}", row.action, row.kind, row.name));
            if let Some(confirm) = confirm.as_ref().filter(|_| !self.applied) {
                lines.push(format!("          {} (asks for --confirm {})", confirm.because, confirm.name));
            }
        }
        lines.extend(self.refused.iter().map(|refusal| {
            let hint = refusal.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("refused   {}: {}{hint}", refusal.rule, refusal.what)
        }));
        let remains = self.remains.iter();
        lines.extend(remains.map(|it| format!("remains   {} {}: {}: {}", it.kind, it.name, it.what, it.why)));
        lines.extend(self.left.iter().map(|left| format!("left      {left}")));
        lines.extend(self.gains.iter().map(|gain| format!("sight     {gain}")));
        lines
    }

    /// What to say of the whole.
    pub fn summary(&self) -> String {
        let (changes, looked_at) = (self.changes.len(), self.looked_at);
        let things = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let mut parts = Vec::new();
        match (changes, self.applied) {
            (0, _) if self.remains.is_empty() && self.refused.is_empty() => {
                return format!(
                    "nothing to change: the cluster is what the contracts say ({looked_at} things looked at)"
                );
            }
            (0, _) => parts.push("nothing to change".to_owned()),
            (_, true) => parts.push(format!("{} made", things(changes, "change", "changes"))),
            (_, false) => parts.push(things(changes, "change", "changes")),
        }
        if !self.refused.is_empty() {
            let reasons = things(self.refused.len(), "reason", "reasons");
            parts.push(format!("{reasons} to make none of them"));
        }
        if !self.remains.is_empty() {
            parts.push(format!("{} cannot be mended", things(self.remains.len(), "difference", "differences")));
        }
        format!("{} ({looked_at} things looked at)", parts.join(", "))
    }

    /// A table, for comments of pull requests.
    pub fn markdown(&self) -> String {
        let mut lines = vec![format!("**mesh plan for `{}`: {}**", self.cluster, cell(&self.summary()))];
        if !self.changes.is_empty() {
            lines.extend([String::new(), "| | what | how |".to_owned(), "|---|---|---|".to_owned()]);
        }
        for Shown { row, confirm } in &self.changes {
            let mut details: Vec<String> = row.details.iter().map(|detail| cell(detail)).collect();
            details.extend(confirm.as_ref().map(|confirm| format!("**{}**", cell(&confirm.because))));
            let what = format!("{} `{}`", row.kind, cell(&row.name));
            lines.push(format!("| {} | {what} | {} |", row.action, details.join("<br>")));
        }
        let refused = self.refused.iter().map(|refusal| format!("{}: {}", refusal.rule, refusal.what));
        section(&mut lines, "Refused", refused);
        let remains = self.remains.iter().map(|it| format!("{} {}: {}: {}", it.kind, it.name, it.what, it.why));
        section(&mut lines, "Cannot be mended", remains);
        section(&mut lines, "Left alone", self.left.iter().cloned());
        let gains = self.gains.iter().map(ToString::to_string);
        section(&mut lines, "Who gains sight of sensitive columns", gains);
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::plan::{Change, Port, SettingChange, Step};
    use mesh_access::columns::Form;

    fn plan() -> Plan {
        let settings = vec![SettingChange {
            setting: "retention.ms".into(),
            from: Some("172800000".into()),
            to: Some("86400000".into()),
        }];
        let asks = Some(Ask { name: "crm.orders".into(), what: "events older than 1 days are deleted".into() });
        let configure = Change::Configure { topic: "crm.orders.v1".into(), settings, port: Port::Other };
        let (schema, references) = (serde_json::json!("string"), vec!["crm.Line".to_owned()]);
        let register = Change::Register { subject: "crm.orders.v1-value".into(), schema, references };
        let why = "Kafka cannot take partitions away".to_owned();
        let remains = Remains {
            kind: "topic",
            name: "crm.orders.v1.in".into(),
            what: "6 partitions, the contract says 4".into(),
            why,
        };
        Plan {
            cluster_id: "id".into(),
            steps: vec![Step { change: configure, asks }, Step { change: register, asks: None }],
            remains: vec![remains],
            left: vec!["rule allow <x>|y: it is not of the mesh's form".into()],
            gains: vec![Gain {
                product: "crm.customers@1".into(),
                column: "email".into(),
                class: "pii.contact".into(),
                form: Form::Clear,
                before: [Form::Masked("hash".into())].into(),
                view: "support".into(),
                groups: vec!["crm-support".into()],
                principals: Some(["User:ana".into(), "User:sue".into()].into()),
            }],
            looked_at: 9,
            ..Plan::default()
        }
    }

    #[test]
    fn people_see_what_would_be_done_and_what_asks() {
        insta::assert_snapshot!(Report::of(&plan(), false).text());
        insta::assert_snapshot!(Report::of(&plan(), true).text());
        insta::assert_snapshot!(Report::of(&Plan { looked_at: 4, ..Plan::default() }, true).text());
    }

    #[test]
    fn a_comment_is_a_table() {
        let mut plan = plan();
        plan.refuse("topic-taken", "the topic x is there already".into(), "adopt it");
        insta::assert_snapshot!(Report::of(&plan, false).markdown());
    }

    #[test]
    fn machines_see_all_of_it() {
        insta::assert_json_snapshot!(Report::of(&plan(), false));
    }
}
