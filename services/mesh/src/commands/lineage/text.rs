//! Lineage as people read it: two trees.

use super::around::{Consumer, Lineage, Made};
use super::shown::plain;
use mesh_lineage::ProductTree;

pub(super) fn render(lineage: &Lineage) -> String {
    let as_of = lineage.as_of.as_ref().map(|as_of| format!("  (as of {as_of})")).unwrap_or_default();
    let mut lines = vec![format!("{}{as_of}", plain(&lineage.product))];
    if let Some(upstream) = &lineage.upstream {
        section(&mut lines, "comes from", &branches(upstream), "no other product");
    }
    if let Some(downstream) = &lineage.downstream {
        let mut found = branches(downstream);
        found.extend(lineage.consumers.iter().flatten().map(consumer));
        section(&mut lines, "goes to", &found, "nobody yet");
    }
    if let Some(columns) = &lineage.columns {
        let found: Vec<Branch> = columns.chunk_by(|one, other| one.to == other.to).map(column).collect();
        section(&mut lines, "columns", &found, "no job told what it makes them of");
    }
    lines.join("\n")
}

/// A column, and under it what it is made of.
fn column(made: &[Made]) -> Branch {
    let of = |made: &Made| {
        let how = made.how.as_ref().map(|how| format!(": {}", plain(how))).unwrap_or_default();
        let from = format!("{} {}", plain(&made.from.topic), plain(&made.from.column));
        Branch { line: format!("{from}  ({}{how}, by {})", made.form, plain(&made.job)), under: Vec::new() }
    };
    let line = made.first().map(|it| format!("{} {}", plain(&it.to.topic), plain(&it.to.column)));
    Branch { line: line.unwrap_or_default(), under: made.iter().map(of).collect() }
}

/// A line of the tree and what hangs under it.
struct Branch {
    line: String,
    under: Vec<Branch>,
}

fn branches(trees: &[ProductTree]) -> Vec<Branch> {
    let branch = |tree: &ProductTree| Branch { line: line(tree), under: branches(&tree.next) };
    trees.iter().map(branch).collect()
}

fn line(tree: &ProductTree) -> String {
    let remark = match tree.edge.as_ref().map(|edge| (edge.declared, edge.observed)) {
        Some((true, false)) => "  (declared, nothing seen to move)",
        Some((false, true)) => "  (seen to move, not declared)",
        _ => "",
    };
    format!("{}{remark}", plain(&tree.product))
}

fn consumer(consumer: &Consumer) -> Branch {
    Branch { line: format!("job {}  (reads {})", plain(&consumer.job), plain(&consumer.topic)), under: Vec::new() }
}

fn section(lines: &mut Vec<String>, title: &str, found: &[Branch], none: &str) {
    lines.push(String::new());
    if found.is_empty() {
        lines.push(format!("{title}: {none}"));
        return;
    }
    lines.push(format!("{title}:"));
    draw(lines, found, "");
}

fn draw(lines: &mut Vec<String>, found: &[Branch], indent: &str) {
    for (index, branch) in found.iter().enumerate() {
        let (corner, rail) = if index + 1 == found.len() { ("└─", "   ") } else { ("├─", "│  ") };
        lines.push(format!("{indent}{corner} {}", branch.line));
        draw(lines, &branch.under, &format!("{indent}{rail}"));
    }
}
