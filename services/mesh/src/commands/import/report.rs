//! What was imported: for people, for machines, for pull requests.

use super::said::{Said, Weight};
use super::select::LeftOut;
use crate::markdown::{cell, section};
use crate::new_files::NewFile;
use crate::tree::number;
use mesh_contract::Finding;
use serde::Serialize;

/// What was imported, or would be.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether nothing was written.
    pub(super) dry_run: bool,
    pub(super) products: Vec<Imported>,
    pub(super) files: Vec<Written>,
    /// What a person has to look at, line by line.
    pub(super) remarks: Vec<Remark>,
    /// What `mesh check` says of the files.
    pub(super) findings: Vec<Finding>,
    pub(super) left_out: Vec<LeftOut>,
}

/// A product.
#[derive(Debug, Serialize)]
pub(super) struct Imported {
    /// Its name and major version.
    pub(super) product: String,
    /// The topic that it was made of; none of one that was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) topic: Option<String>,
    /// Its input port.
    pub(super) port: String,
    /// What is done next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// A file.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    pub(super) name: String,
    /// What would be in it, where nothing is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// A line of a file that somebody has to look at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Remark {
    pub(super) weight: Weight,
    pub(super) file: String,
    pub(super) key: &'static str,
    /// What it says now; empty, where it says nothing.
    pub(super) value: String,
    /// Why it says that, or what is asked.
    pub(super) what: String,
}

impl Remark {
    /// Those of a file's lines that are not simply as they were seen.
    pub(super) fn of(file: &str, said: &[Said]) -> Vec<Remark> {
        let unsure = said.iter().filter(|said| said.weight != Weight::Seen);
        let remark = |said: &Said| Remark {
            weight: said.weight,
            file: file.to_owned(),
            key: said.key,
            value: said.brief.clone(),
            what: said.why.clone(),
        };
        unsure.map(remark).collect()
    }
}

impl Remark {
    /// A guess with what was guessed; what is asked stands for itself.
    fn words(&self) -> String {
        match self.weight {
            Weight::Guess if !self.value.is_empty() => format!("{}: {}: {}", self.key, self.value, self.what),
            _ => format!("{}: {}", self.key, self.what),
        }
    }
}

impl Report {
    /// Takes files in, with their texts where they are not written.
    pub(super) fn take(&mut self, files: &[NewFile]) {
        let written =
            |file: &NewFile| Written { name: file.name.clone(), text: self.dry_run.then(|| file.text.clone()) };
        self.files = files.iter().map(written).collect();
        self.remarks.sort_by(|one, other| (&one.file, one.weight).cmp(&(&other.file, other.weight)));
    }

    /// Whether `mesh check` refuses what was written.
    pub(super) fn is_refused(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// One line for each thing, and one for the whole.
    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        for Imported { product, topic, .. } in &self.products {
            let from = topic
                .as_ref()
                .map_or_else(|| "what is published of it".to_owned(), |topic| format!("the topic {topic}"));
            lines.push(format!("imported  {product} from {from}"));
        }
        let written = if self.dry_run { "would be " } else { "written  " };
        lines.extend(self.files.iter().map(|file| format!("{written} {}", file.name)));
        lines.extend(self.remarks.iter().map(|remark| {
            let weight = if remark.weight == Weight::Todo { "todo " } else { "guess" };
            format!("{weight}     {}: {}", remark.file, remark.words())
        }));
        lines.extend(self.findings.iter().map(|finding| format!("finding   {finding}")));
        lines.extend(self.left_out.iter().map(|left| format!("left out  {}: {}", left.topic, left.why)));
        let next = self.products.iter().filter_map(|imported| Some((&imported.product, imported.next.as_ref()?)));
        lines.extend(next.map(|(product, next)| format!("next      {product}: {next}")));
        for file in &self.files {
            lines.extend(file.text.as_ref().map(|text| format!("==> {}\n{}", file.name, text.trim_end())));
        }
        lines.push(self.summary());
        lines.join("\n")
    }

    fn summary(&self) -> String {
        let errors = self.findings.iter().filter(|finding| finding.is_error()).count();
        let count = |weight| self.remarks.iter().filter(|remark| remark.weight == weight).count();
        let mut parts = vec![number(self.products.len(), "product")];
        let asked = [
            (count(Weight::Todo), "line to fill in", "lines to fill in"),
            (count(Weight::Guess), "guess to confirm", "guesses to confirm"),
        ];
        parts.extend(
            asked
                .iter()
                .filter(|(count, ..)| *count > 0)
                .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many })),
        );
        if errors > 0 {
            parts.push(format!("{} that `mesh check` finds until they are", number(errors, "error")));
        }
        if self.dry_run {
            parts.push("nothing was written".to_owned());
        }
        parts.join(", ")
    }

    /// A table, for comments of pull requests.
    pub(super) fn markdown(&self) -> String {
        let mut lines = vec![format!("**mesh import: {}**", cell(&self.summary()))];
        if !self.products.is_empty() {
            lines.extend([String::new(), "| product | from | next |".to_owned(), "|---|---|---|".to_owned()]);
        }
        for imported in &self.products {
            let from =
                imported.topic.as_ref().map_or_else(|| "published".to_owned(), |topic| format!("`{}`", cell(topic)));
            let next = imported.next.as_deref().map(cell).unwrap_or_default();
            lines.push(format!("| `{}` | {from} | {next} |", imported.product));
        }
        let remarks = self.remarks.iter().map(|remark| {
            let weight = if remark.weight == Weight::Todo { "**todo**" } else { "guess" };
            format!("{weight} `{}` {}", remark.file, remark.words())
        });
        section(&mut lines, "To be filled in or confirmed", remarks);
        section(&mut lines, "What `mesh check` finds", self.findings.iter().map(ToString::to_string));
        section(&mut lines, "Left out", self.left_out.iter().map(|left| format!("`{}`: {}", left.topic, left.why)));
        lines.join("\n")
    }
}
