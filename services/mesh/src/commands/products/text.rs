//! The catalogue for people: a table of products, and a page for one.

use super::entry::{Entry, ViewEntry};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use mesh_contract::{Clear, Deprecation, History, MASKED_VIEW, RefreshRate, SensitiveColumn};
use std::fmt::Display;

/// One line a product.
pub(super) fn table(entries: &[Entry]) -> String {
    let mut table = plain(["product", "description", "new facts", "history", "views", "team"]);
    for entry in entries {
        table.add_row([
            format!("{}@{}", entry.product, entry.major),
            described(entry),
            format!("every {}", entry.refresh_rate.every),
            entry.history.to_string(),
            words(entry.views.iter().map(|view| &view.name)),
            entry.team.as_ref().map(|team| team.name.clone()).unwrap_or_default(),
        ]);
    }
    lines(&table).lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// What it is, and first of all that it goes away.
fn described(entry: &Entry) -> String {
    match &entry.deprecated {
        Some(deprecated) => format!("({deprecated}) {}", entry.description),
        None => entry.description.clone(),
    }
}

/// Everything about one product: what it promises, who sees what, how to get it.
pub(super) fn page(entry: &Entry) -> String {
    let sections = [
        format!("{}, version {}, revision {}\n{}", entry.product, entry.major, entry.revision, entry.description),
        facts(entry),
        format!("Views\n{}", views(entry)),
        sensitive(&entry.sensitive_columns),
        how_to_read(entry),
        how_to_write(entry),
    ];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn facts(entry: &Entry) -> String {
    let team = entry.team.as_ref().map(|team| match &team.escalation {
        Some(escalation) => format!("{}, {}, {escalation}", team.name, team.contact),
        None => format!("{}, {}", team.name, team.contact),
    });
    let mut table = Table::new();
    table.load_style(NOTHING);
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.add_row([name.to_owned(), value]);
        }
    };
    fact("Deprecated", entry.deprecated.as_ref().map(deprecation));
    fact("Team", team);
    fact("Record", Some(format!("{}, {}", entry.schema, entry.compatibility.to_string().to_lowercase())));
    fact("Key", entry.key.clone());
    fact("New facts", Some(refresh(&entry.refresh_rate)));
    fact("History", Some(history(entry.history)));
    fact("Storage", Some(words(&entry.storage)));
    fact("Derived from", some_words(&entry.dependencies));
    fact("Used by", some_words(&entry.dependents));
    fact("Applied", Some(entry.applied_at.strftime("%Y-%m-%d %H:%M UTC").to_string()));
    lines(&table)
}

fn deprecation(deprecated: &Deprecation) -> String {
    let since = deprecated.since.map(|since| format!("since {since}, ")).unwrap_or_default();
    let successor = deprecated.successor.as_ref().map(|successor| format!("; read {successor} instead"));
    format!("{since}there until {}{}: {}", deprecated.until, successor.unwrap_or_default(), deprecated.reason)
}

fn refresh(rate: &RefreshRate) -> String {
    // A percentage of at most four decimals, as contracts write it.
    let percent = (rate.objective * 1_000_000.0).round() / 10_000.0;
    let clock = rate.event_time.as_ref().map(|column| format!(", by {column}")).unwrap_or_default();
    let hours = rate.hours.as_ref().map(|hours| format!(", {hours}")).unwrap_or_default();
    format!("every {}{clock}; kept {percent} % of the time over {}{hours}", rate.every, rate.over)
}

fn history(history: History) -> String {
    match history {
        History::Latest => "latest: the newest event of each key, for ever".to_owned(),
        History::For(span) => span.to_string(),
    }
}

fn views(entry: &Entry) -> String {
    let mut table = plain(["view", "topic", "in clear", "groups"]);
    for view in &entry.views {
        table.add_row([view.name.clone(), view.topic.clone(), clear(view), words(&view.groups)]);
    }
    lines(&table)
}

fn clear(view: &ViewEntry) -> String {
    match &view.clear {
        None => "what is not sensitive".to_owned(),
        Some(Clear::All) => "everything".to_owned(),
        Some(Clear::Named(names)) => words(names),
    }
}

fn sensitive(columns: &[SensitiveColumn]) -> String {
    if columns.is_empty() {
        return "Sensitive columns\n  none".to_owned();
    }
    let mut table = plain(["column", "class", "masked by"]);
    for sensitive in columns {
        let mask = sensitive.mask.as_ref().map_or_else(|| "the default of its type".to_owned(), ToString::to_string);
        table.add_row([sensitive.column.to_string(), sensitive.class.clone(), mask]);
    }
    format!("Sensitive columns\n{}", lines(&table))
}

fn how_to_read(entry: &Entry) -> String {
    let address = format!("{}@{}", entry.product, entry.major);
    let commands = entry.views.iter().map(|view| match view.name.as_str() {
        MASKED_VIEW => format!("  mesh subscribe {address}"),
        name => format!("  mesh subscribe {address} --view {name}"),
    });
    let commands: Vec<String> = commands.collect();
    format!(
        "To read it\n{}\n  or any Kafka client, isolation.level=read_committed, on the view's topic: Avro in Confluent's wire format",
        commands.join("\n")
    )
}

fn how_to_write(entry: &Entry) -> String {
    let address = format!("{}@{}", entry.product, entry.major);
    format!(
        "To write it (team {})\n  mesh publish {address}\n  or any Kafka client with Confluent's Avro serialiser, on {}",
        entry.team.as_ref().map_or(entry.product.domain.as_str(), |team| team.name.as_str()),
        entry.input
    )
}

fn plain<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    if cfg!(test) {
        // The width of the terminal that tests run in is no part of what they expect.
        table.force_no_tty();
    }
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

/// The table's lines without what pads them at the end.
fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn words<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn some_words<T: Display>(items: &[T]) -> Option<String> {
    (!items.is_empty()).then(|| words(items))
}
