//! A report for people: text, and markdown for comments.

use std::fmt::Write as _;

use super::{Finding, Holder, PortAccess, Report, Sight};
use crate::columns::Form;

/// For a terminal.
pub fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    for product in &report.products {
        lines.push(product.product.clone());
        for port in &product.ports {
            lines.push(format!("  {}  {}{}", port.topic, port.port, shows(port, "; shows ")));
            lines.extend(port.holders.iter().map(|holder| format!("    {}", line(holder, ""))));
        }
    }
    lines.extend(notes(report));
    match report.findings.len() {
        0 => lines.push("nothing is otherwise than contracts say".to_owned()),
        count => lines.push(format!("{count} findings:")),
    }
    lines.extend(report.findings.iter().map(|finding| format!("  {finding}")));
    lines.join("\n")
}

/// For a comment.
pub fn markdown(report: &Report) -> String {
    let mut text = String::from("## Who may read and write what\n");
    for product in &report.products {
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "\n### {}\n\n| topic | shows | who | why |\n|---|---|---|---|\n", product.product);
        for port in &product.ports {
            for holder in &port.holders {
                let (shows, why) = (cell(&shows(port, "")), cell(&why(holder)));
                let who = cell(&format!("{} {}", verb(holder), holder.principal));
                let _ = writeln!(text, "| `{}` ({}) | {shows} | {who} | {why} |", cell(&port.topic), cell(&port.port));
            }
        }
    }
    text.push('\n');
    notes(report).iter().for_each(|note| _ = writeln!(text, "{}\n", cell(note)));
    let _ = writeln!(text, "### Findings\n");
    if report.findings.is_empty() {
        let _ = writeln!(text, "None: everything is as contracts say.");
    }
    report.findings.iter().for_each(|finding| _ = writeln!(text, "- {}", cell(&finding.to_string())));
    text
}

/// Text that stands in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

fn line(holder: &Holder, prefix: &str) -> String {
    format!("{prefix}{:<6} {:<28} {}", verb(holder), holder.principal, why(holder)).trim_end().to_owned()
}

fn verb(holder: &Holder) -> String {
    format!("{}s", holder.operation.name().to_lowercase())
}

fn why(holder: &Holder) -> String {
    let why = if holder.why.is_empty() { "no contract known here says so".to_owned() } else { holder.why.join(", ") };
    if holder.hosts.is_empty() { why } else { format!("{why}; from {} alone", holder.hosts.join(", ")) }
}

/// What a topic shows: all in clear, or each column in its form.
fn shows(port: &PortAccess, prefix: &str) -> String {
    let is_clear = |sight: &Sight| sight.form == Form::Clear;
    if port.columns.is_empty() {
        return String::new();
    }
    if port.columns.iter().all(is_clear) {
        return format!("{prefix}all in clear");
    }
    let columns: Vec<String> = port.columns.iter().map(|sight| format!("{} ({})", sight.column, sight.form)).collect();
    format!("{prefix}{}", columns.join(", "))
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    match &report.brokers.super_users {
        Some(users) if users.is_empty() => notes.push("no super users: rules bind everybody".to_owned()),
        Some(users) => {
            let users: Vec<&str> = users.iter().map(String::as_str).collect();
            notes.push(format!("super users, whom no rule binds: {}", users.join(", ")));
        }
        None => notes.push("super users, whom no rule binds, are not known: Kafka does not tell them".to_owned()),
    }
    if !report.members_known {
        notes.push("who is in which group is not known: give --groups to tell members from strangers".to_owned());
    }
    notes
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undeclared { rule, topics, clear } => {
                write!(f, "undeclared: {rule}; no contract asks for it on {}", topics.join(", "))?;
                if clear.is_empty() { Ok(()) } else { write!(f, "; it shows in clear {}", clear.join(", ")) }
            }
            Self::Refused { principal, operation, topic, rule } => {
                write!(f, "refused: {principal} may not {} topic {topic}, as a contract says; ", operation.name())?;
                match rule {
                    Some(rule) => write!(f, "{rule}"),
                    None => f.write_str("no rule allows it"),
                }
            }
            Self::Administrator { principal } => {
                write!(
                    f,
                    "administrator: {principal} may change who may do what, and so do everything; --super-user names those of whom that is known"
                )
            }
            Self::Open { topic } => {
                write!(
                    f,
                    "open: everybody may do everything with topic {topic}: no rule is about it, and allow.everyone.if.no.acl.found is on"
                )
            }
        }
    }
}
