//! Lineage as a graph for Graphviz or Mermaid. What was only declared is dashed.

use super::Lineage;
use std::collections::BTreeSet;

pub(super) fn dot(lineage: &Lineage) -> String {
    let mut lines = vec!["digraph lineage {".to_owned(), "  rankdir=LR;".to_owned(), "  node [shape=box];".to_owned()];
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

pub(super) fn mermaid(lineage: &Lineage) -> String {
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

/// A job's name is anybody's: it must not end the string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn entity(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "#quot;"))
}
