//! The report: a newcomer reads top to bottom what happened, and what of it proves what.

use super::story::{Check, Edge, Publication, Story};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The report as text, `width` columns wide.
pub fn render(story: &Story, width: u16) -> String {
    let mut report = Report { text: String::new(), width };
    report.published(story);
    report.seen(story);
    report.joined(story);
    report.quarantined(story);
    report.refused(story);
    report.freshness(story);
    report.lineage(story);
    report.canaries(story);
    report.verdict(story);
    report.text
}

struct Report {
    text: String,
    width: u16,
}

impl Report {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn section(&mut self, number: u32, title: &str, explanation: &str) {
        let _ = writeln!(self.text, "{number}. {title}");
        for line in wrap(explanation, self.width as usize) {
            self.line(line);
        }
    }

    fn table<R: IntoIterator<Item = String>>(&mut self, header: &[&str], rows: impl IntoIterator<Item = R>) {
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width)
            .set_header(header.iter().copied());
        table.add_rows(rows.into_iter().map(|row| row.into_iter().collect::<Vec<String>>()));
        self.line(table.to_string());
        self.line("");
    }

    fn published(&mut self, story: &Story) {
        let explanation = "Three domains published change events to the input ports of their products: real purchases \
            and page views, invented names and addresses. Input ports are private; nobody else reads them.";
        self.section(1, "Published", explanation);
        let row = |publication: &Publication| {
            let (records, bad) = (publication.records, publication.bad);
            [publication.product.clone(), thousands(records), thousands(bad), publication.how.clone()]
        };
        self.table(&["product", "records", "bad on purpose", "how"], story.publications.iter().map(row));
    }

    fn seen(&mut self, story: &Story) {
        let explanation = "The masking sidecar wrote every good record once to the topic of each view of its product, \
            masked as the contract says. Each access group subscribed to the view that it may read:";
        self.section(2, "What each group sees", explanation);
        let rows = story.views.iter().map(|view| {
            let groups = if view.groups.is_empty() { "nobody".to_owned() } else { view.groups.join(", ") };
            [groups, format!("{} ({})", view.product, view.view), view.topic.clone(), thousands(view.records)]
        });
        self.table(&["group", "product (view)", "topic", "records read"], rows);
        let side_by_side = &story.same_customer;
        self.line(format!("The same customer, {}, as each of them sees it:", side_by_side.customer_id));
        let groups = side_by_side.groups.iter().map(|(group, view)| format!("{group}\n({view})"));
        let header: Vec<String> = std::iter::once("column".to_owned()).chain(groups).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let rows = side_by_side.rows.iter().map(|(column, cells)| std::iter::once(column).chain(cells).cloned());
        self.table(&header, rows);
        if let Some(elsewhere) = &side_by_side.elsewhere {
            let joins = format!(
                "{elsewhere} The hash is the same in both products, because both contracts hash the class pii.contact: \
                 masked views can be joined on it."
            );
            wrap(&joins, self.width as usize).iter().for_each(|line| self.line(line));
            self.line("");
        }
    }

    fn joined(&mut self, story: &Story) {
        let joined = &story.joined;
        let explanation = format!(
            "The upselling domain's own program read {} customers, {} orders and {} page views, masked views all, \
             joined them on the hashed e-mail address, and published {} offers; {} of them are about somebody whom the \
             web pages have seen. It saw no clear e-mail address. Some of them:",
            thousands(joined.customers),
            thousands(joined.orders),
            thousands(joined.page_views),
            thousands(joined.offers),
            thousands(joined.seen_on_the_web),
        );
        self.section(3, "A product derived from others: upselling.offers", &explanation);
        self.table(&["customer", "orders", "spent", "interest", "reason"], joined.examples.iter().cloned());
    }

    fn quarantined(&mut self, story: &Story) {
        let explanation = "What the sidecar could not let through is in the product's quarantine topic, encrypted, with \
            the reason: on a cluster that stays, `mesh quarantine list` shows it. Nothing is dropped, and nothing blocks the \
            records behind it.";
        self.section(4, "Quarantined", explanation);
        let mut kinds: BTreeMap<(&str, &str), (Vec<&str>, u64)> = BTreeMap::new();
        for row in &story.quarantined {
            let (products, records) = kinds.entry((&row.sent, &row.reason)).or_default();
            products.push(&row.product);
            *records += row.records;
        }
        let rows = kinds.into_iter().map(|((sent, reason), (products, records))| {
            [sent.to_owned(), reason.to_owned(), products.join(", "), thousands(records)]
        });
        self.table(&["what was sent", "reason given", "to", "records"], rows);
    }

    fn refused(&mut self, story: &Story) {
        let explanation = "The registry refused schemas that would have broken their readers:";
        self.section(5, "Refused", explanation);
        let rows = story.refused.iter().map(|row| [row.subject.clone(), row.change.clone(), gist(&row.answer)]);
        self.table(&["subject", "change", "the registry's answer"], rows);
    }

    fn freshness(&mut self, story: &Story) {
        let explanation = "Age is the time since the newest event that a reader can see. The web domain's tracker was \
            let go silent two days ago, on purpose: its product is stale and its owner would be told.";
        self.section(6, "Fresh or stale", explanation);
        let rows = story.freshness.iter().map(|row| {
            let age = row.age_seconds.map_or_else(|| "unknown".to_owned(), duration);
            [row.product.clone(), row.promise.clone(), age, row.state.clone()]
        });
        self.table(&["product", "promised every", "age", "state"], rows);
    }

    fn lineage(&mut self, story: &Story) {
        let explanation =
            "Every job told what it really read and wrote. From the sources down, with the job in brackets:";
        self.section(7, "Where everything comes from", explanation);
        self.line("");
        let tree = tree(&story.lineage);
        self.line(tree);
    }

    fn canaries(&mut self, story: &Story) {
        let hunt = &story.hunt;
        let explanation = format!(
            "{} canaries, random values found nowhere else, stood in {} places: every sensitive column, a header, refused \
             records. All {} topics but the private input ports were searched for them, {} records with keys and headers, \
             {:.1} MB, Kafka's own and the backbone's topics included. They were found {} times in views that grant them. \
             Birth dates are too short to be unique on the wire; they were compared after decoding.",
            hunt.planted,
            hunt.places,
            hunt.topics,
            thousands(hunt.records),
            hunt.bytes as f64 / 1e6,
            hunt.granted,
        );
        self.section(8, "Did anything leak?", &explanation);
        self.line("");
        self.line(match hunt.leaked() {
            0 => "   No: 0 canaries leaked.".to_owned(),
            leaked => format!("   YES: {leaked} canaries leaked:"),
        });
        let leaks: BTreeMap<String, usize> = hunt.leaks.iter().fold(BTreeMap::new(), |mut leaks, leak| {
            *leaks.entry(format!("{} in a {} of {}", leak.perch, leak.part.describe(), leak.topic)).or_default() += 1;
            leaks
        });
        leaks.iter().for_each(|(leak, canaries)| self.line(format!("   - {leak} ({canaries} canaries)")));
        let dates: BTreeSet<&str> = hunt.birth_dates.iter().map(|(topic, _)| topic.as_str()).collect();
        dates.iter().for_each(|topic| self.line(format!("   - crm.customers birth_date in {topic}")));
        self.line("");
    }

    fn verdict(&mut self, story: &Story) {
        self.line("Was it all as staged?");
        for check in &story.checks {
            self.line(verdict_line(check));
        }
        let published: u64 = story.published().values().sum();
        self.line("");
        self.line(format!(
            "{} records in {:.1} s on {}. {}",
            thousands(published),
            story.seconds,
            story.cluster,
            if story.as_staged() { "All happened as staged." } else { "Not all happened as staged." }
        ));
    }
}

fn verdict_line(check: &Check) -> String {
    match &check.failure {
        None => format!("   ok      {}", check.what),
        Some(failure) => format!("   FAILED  {}: {failure}", check.what),
    }
}

/// The graph as an indented tree from its sources. What was told already is not told again.
fn tree(edges: &[Edge]) -> String {
    let written: BTreeSet<&str> = edges.iter().map(|edge| edge.to.as_str()).collect();
    let sources: BTreeSet<&str> =
        edges.iter().map(|edge| edge.from.as_str()).filter(|from| !written.contains(from)).collect();
    let mut told = BTreeSet::new();
    let mut text = String::new();
    for source in sources {
        let _ = writeln!(text, "   {source}");
        branches(edges, source, "   ", &mut told, &mut text);
    }
    text
}

fn branches<'a>(edges: &'a [Edge], from: &'a str, indent: &str, told: &mut BTreeSet<&'a str>, text: &mut String) {
    let outgoing: BTreeSet<&Edge> = edges.iter().filter(|edge| edge.from == from).collect();
    let first_time = told.insert(from);
    if !first_time && !outgoing.is_empty() {
        let _ = writeln!(text, "{indent}└─ ... as above");
        return;
    }
    let count = outgoing.len();
    for (index, edge) in outgoing.into_iter().enumerate() {
        let (corner, rail) = if index + 1 == count { ("└─", "   ") } else { ("├─", "│  ") };
        let _ = writeln!(text, "{indent}{corner} {}  [{}]", edge.to, edge.job);
        branches(edges, &edge.to, &format!("{indent}{rail}"), told, text);
    }
}

/// The rule and the reason of the registry's answer, which repeats what the table says already; all of it, if it is in
/// other words than expected.
fn gist(answer: &str) -> String {
    let finding = || {
        let (_, details) = answer.split_once("{rule: ")?;
        let (rule, rest) = details.split_once(',')?;
        let (_, said) = rest.split_once("version: ")?.1.split_once(", ")?;
        let said = said.split(['}', ';']).next()?;
        Some(format!("{rule}: {said}"))
    };
    finding().unwrap_or_else(|| answer.to_owned())
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// Seconds in the largest unit that they fill.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.iter().find(|(length, _)| seconds >= 2 * length);
    unit.map_or_else(|| format!("{seconds} s"), |(length, name)| format!("{} {name}", seconds / length))
}

/// Lines of at most `width` columns.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
