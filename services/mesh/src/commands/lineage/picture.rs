//! Lineage as a graph for Graphviz or Mermaid. What was only declared is dashed.

use super::around::{Lineage, Made, Place};
use super::shown::{dot as quoted, mermaid as entity};
use std::collections::BTreeSet;

pub(super) fn dot(lineage: &Lineage) -> String {
    let mut lines = vec!["digraph lineage {".to_owned(), "  rankdir=LR;".to_owned(), "  node [shape=box];".to_owned()];
    if let Some(columns) = &lineage.columns {
        lines.extend(columns.iter().map(|made| {
            let label = quoted(&label(made));
            format!("  {} -> {} [label={label}{}];", quoted(&told(&made.from)), quoted(&told(&made.to)), style(made))
        }));
        lines.push("}".to_owned());
        return lines.join("\n");
    }
    lines.push(format!("  {} [style=bold];", quoted(&lineage.product)));
    for edge in &lineage.edges {
        let style = if edge.observed { "" } else { " [style=dashed]" };
        lines.push(format!("  {} -> {}{style};", quoted(&edge.from), quoted(&edge.to)));
    }
    for consumer in lineage.consumers.iter().flatten() {
        let job = quoted(&format!("job {}", consumer.job));
        lines.push(format!("  {job} [shape=ellipse];"));
        lines.push(format!("  {} -> {job};", quoted(&lineage.product)));
    }
    lines.push("}".to_owned());
    lines.join("\n")
}

/// A column on a line of its own under its topic would need markup: it stands behind it.
fn told(place: &Place) -> String {
    format!("{} {}", place.topic, place.column)
}

fn label(made: &Made) -> String {
    made.how.clone().unwrap_or_else(|| made.form.to_owned())
}

/// What only decides is dotted.
fn style(made: &Made) -> &'static str {
    if made.form == "decides" { ", style=dotted" } else { "" }
}

fn mermaid_columns(columns: &[Made]) -> String {
    let places: BTreeSet<&Place> = columns.iter().flat_map(|made| [&made.from, &made.to]).collect();
    let places: Vec<&Place> = places.into_iter().collect();
    let node = |place: &Place| format!("c{}", places.iter().position(|it| *it == place).unwrap_or(places.len()));
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(places.iter().map(|place| format!("  {}[{}]", node(place), entity(&told(place)))));
    lines.extend(columns.iter().map(|made| {
        let arrow = if made.form == "decides" { "-.->" } else { "-->" };
        format!("  {} {arrow}|{}| {}", node(&made.from), entity(&label(made)), node(&made.to))
    }));
    lines.join("\n")
}

pub(super) fn mermaid(lineage: &Lineage) -> String {
    if let Some(columns) = &lineage.columns {
        return mermaid_columns(columns);
    }
    let ends = lineage.edges.iter().flat_map(|edge| [edge.from.as_str(), edge.to.as_str()]);
    let names: BTreeSet<&str> = ends.chain([lineage.product.as_str()]).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let node = |name: &str| format!("p{}", names.iter().position(|known| *known == name).unwrap_or(names.len()));
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.extend(names.iter().map(|name| format!("  {}[{}]", node(name), entity(name))));
    lines.extend(lineage.edges.iter().map(|edge| {
        let arrow = if edge.observed { "-->" } else { "-.->" };
        format!("  {} {arrow} {}", node(&edge.from), node(&edge.to))
    }));
    for (index, consumer) in lineage.consumers.iter().flatten().enumerate() {
        let job = entity(&format!("job {}", consumer.job));
        lines.push(format!("  {} --> j{index}([{job}])", node(&lineage.product)));
    }
    lines.push(format!("  style {} stroke-width:3px", node(&lineage.product)));
    lines.join("\n")
}
