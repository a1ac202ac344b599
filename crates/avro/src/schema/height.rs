//! How deep the shallowest datum of each type is: which data can be built as an example, and by which branches.

use super::{Kind, Node, NodeId, Outline};

/// The deepest smallest datum that there is an example of.
const MAX_HEIGHT: u32 = 48;

/// The longest fixed that there is an example of.
const MAX_FIXED_BYTES: usize = 4096;

/// For each type how deep its shallowest datum is: 0 for one that holds no other. `None` where it has none (a record that
/// needs itself, an enum without symbols) or none within the limits.
pub(super) fn heights(nodes: &[Node], outlines: &[Outline]) -> Vec<Option<u32>> {
    let primitive = |outline: &Outline| outline.is_all().then_some(u32::from(outline.is_nullable()));
    let mut heights: Vec<Option<u32>> = outlines.iter().map(primitive).collect();
    // A few rounds do; what is deeper than the limit stays unknown.
    for _ in 0..=MAX_HEIGHT {
        if !settle(nodes, outlines, &mut heights) {
            break;
        }
    }
    heights
}

/// Finds every height that can be known now; whether any changed.
fn settle(nodes: &[Node], outlines: &[Outline], heights: &mut [Option<u32>]) -> bool {
    let mut changed = false;
    // Inner types stand after the types that they are defined in.
    for index in (0..nodes.len()).rev().filter(|index| !outlines[*index].is_all()) {
        let height = height(&nodes[index].kind, heights).filter(|height| *height <= MAX_HEIGHT);
        changed |= height != heights[index];
        heights[index] = height;
    }
    changed
}

fn height(kind: &Kind, heights: &[Option<u32>]) -> Option<u32> {
    let of = |id: &NodeId| heights[id.index()];
    match kind {
        Kind::Record { fields } => {
            let highest =
                fields.iter().map(|field| of(&field.node)).try_fold(0, |most, height| Some(height?.max(most)));
            highest.map(|height| height + 1)
        }
        Kind::Union { branches } => branches.iter().filter_map(of).min().map(|height| height + 1),
        Kind::Enum { symbols, .. } if symbols.is_empty() => None,
        Kind::Fixed { size } if *size > MAX_FIXED_BYTES => None,
        _ => Some(0),
    }
}
