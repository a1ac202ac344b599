//! Lineage as people read it: two trees.

use super::{Consumer, Lineage};
use mesh_lineage::ProductTree;

pub(super) fn render(lineage: &Lineage) -> String {
    let mut lines = vec![lineage.product.clone()];
    if let Some(upstream) = &lineage.upstream {
        section(&mut lines, "comes from", &branches(upstream), "no other product");
    }
    if let Some(downstream) = &lineage.downstream {
        let mut found = branches(downstream);
        found.extend(lineage.consumers.iter().flatten().map(consumer));
        section(&mut lines, "goes to", &found, "nobody yet");
    }
    lines.join("\n")
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
    format!("{}{remark}", tree.product)
}

fn consumer(consumer: &Consumer) -> Branch {
    Branch { line: format!("job {}  (reads {})", consumer.job, consumer.topic), under: Vec::new() }
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
