//! A tree of secrets of which any leaf can be taken out for good.
//!
//! A puncturable pseudorandom function: the tree of Goldreich, Goldwasser and Micali (1986), punctured as Boneh and Waters
//! (2013) and Green and Miers (2015) do. Every leaf's secret follows from the root's, step by step along its path. Taking a
//! leaf out replaces the secret above it by those of the branches beside its path: all other leaves follow from them as before,
//! that one from none of them. What is kept grows with the leaves that were taken out, never with those that are used.

use std::sync::OnceLock;

use zeroize::Zeroize;

use super::step::{self, step};
use super::{Secret, SubjectPath};

/// Bits of a path.
const PATH_BITS: u8 = 64;
/// Bits of a path that one step takes: 2 keep 96 secrets for a leaf that is taken out and take 32 steps to one; 4 would keep
/// 240 and take 16. `docs/adr/0014` has the measurements.
const STEP_BITS: u8 = 2;
const FAN_OUT: u8 = 1 << STEP_BITS;
/// The secrets at this depth are kept in memory once they are needed: 4,096 of them, 128 KiB.
const TOP_BITS: u8 = 12;

/// A secret from which the leaves under it follow.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// The first path under it.
    pub(super) start: u64,
    /// How many of the first bits of `start` all paths under it share.
    pub(super) depth: u8,
    pub(super) secret: Secret,
}

impl Node {
    fn covers(&self, path: u64) -> bool {
        self.depth == 0 || (self.start ^ path) >> (PATH_BITS - self.depth) == 0
    }

    /// The secret at `depth`, on the way to a path.
    fn follow(&self, path: u64, depth: u8) -> Secret {
        descend(&self.secret, path, self.depth, depth)
    }
}

/// From a secret at one depth to the one at another, on the way to a path.
fn descend(secret: &Secret, path: u64, from: u8, to: u8) -> Secret {
    let steps = (from..to).step_by(usize::from(STEP_BITS)).map(|at| (at, branch(path, at)));
    step::descend(secret, steps)
}

/// Which branch a path takes below a depth.
#[inline]
fn branch(path: u64, depth: u8) -> u8 {
    (path >> (PATH_BITS - STEP_BITS - depth)) as u8 & (FAN_OUT - 1)
}

/// What is left of a tree.
pub(super) struct Tree {
    /// In the order of their paths; no path is under two of them.
    nodes: Vec<Node>,
    /// The secrets at [`TOP_BITS`]; none where something under it was taken out.
    top: OnceLock<Vec<Option<Secret>>>,
}

impl Tree {
    /// A whole tree.
    pub(super) fn whole(root: Secret) -> Tree {
        Tree::of(vec![Node { start: 0, depth: 0, secret: root }])
    }

    fn of(nodes: Vec<Node>) -> Tree {
        Tree { nodes, top: OnceLock::new() }
    }

    /// The tree that was written as [`Tree::nodes`]; none where they are of no tree.
    pub(super) fn from_nodes(nodes: Vec<Node>) -> Option<Tree> {
        let is_node = |node: &Node| {
            node.depth <= PATH_BITS
                && node.depth.is_multiple_of(STEP_BITS)
                && (node.depth == PATH_BITS || node.start << node.depth == 0)
        };
        let is_apart = |pair: &[Node]| pair[0].start < pair[1].start && !pair[0].covers(pair[1].start);
        (nodes.iter().all(is_node) && nodes.windows(2).all(is_apart)).then(|| Tree::of(nodes))
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A leaf's secret; none where it was taken out.
    pub(super) fn leaf(&self, path: SubjectPath) -> Option<Secret> {
        let top = self.top.get_or_init(|| self.expanded());
        match &top[(path.0 >> (PATH_BITS - TOP_BITS)) as usize] {
            Some(secret) => Some(descend(secret, path.0, TOP_BITS, PATH_BITS)),
            None => Some(self.above(path)?.follow(path.0, PATH_BITS)),
        }
    }

    fn expanded(&self) -> Vec<Option<Secret>> {
        let paths = (0..1_u64 << TOP_BITS).map(|prefix| prefix << (PATH_BITS - TOP_BITS));
        let known = |path| self.above(SubjectPath(path)).filter(|node| node.depth <= TOP_BITS);
        paths.map(|path| known(path).map(|node| node.follow(path, TOP_BITS))).collect()
    }

    /// The node that a path is under.
    fn above(&self, path: SubjectPath) -> Option<&Node> {
        let behind = self.nodes.partition_point(|node| node.start <= path.0);
        self.nodes[..behind].last().filter(|node| node.covers(path.0))
    }

    /// The tree without a leaf; none where it was taken out before.
    pub(super) fn without(&self, path: SubjectPath) -> Option<Tree> {
        let above = self.above(path)?;
        let at = self.nodes.iter().position(|node| node.start == above.start)?;
        let mut beside = Vec::new();
        let mut secret = above.secret.clone();
        for depth in (above.depth..PATH_BITS).step_by(usize::from(STEP_BITS)) {
            let own = branch(path.0, depth);
            beside.extend((0..FAN_OUT).filter(|index| *index != own).map(|index| Node {
                start: child_start(path.0, depth, index),
                depth: depth + STEP_BITS,
                secret: step(&secret, depth, index),
            }));
            secret = step(&secret, depth, own);
        }
        beside.sort_unstable_by_key(|node| node.start);
        let mut nodes = self.nodes.clone();
        nodes.splice(at..=at, beside);
        Some(Tree::of(nodes))
    }

    /// The leaves that were taken out. Only for trees that [`Tree::without`] has made: every hole is a leaf's.
    pub(super) fn holes(&self) -> Vec<SubjectPath> {
        let mut next = Some(0);
        let mut holes = Vec::new();
        for node in &self.nodes {
            holes.extend(next.into_iter().flat_map(|from| from..node.start).map(SubjectPath));
            let size = 1_u64.checked_shl(u32::from(PATH_BITS - node.depth));
            next = size.and_then(|size| node.start.checked_add(size));
        }
        holes.extend(next.into_iter().flat_map(|from| from..=u64::MAX).map(SubjectPath));
        holes
    }

    /// How many paths no node covers.
    pub(super) fn holes_count(&self) -> u128 {
        let covered: u128 = self.nodes.iter().map(|node| 1_u128 << (PATH_BITS - node.depth)).sum();
        (1_u128 << PATH_BITS) - covered
    }

    /// Whether this is what is left of `before`, or all of it: each secret follows from one of its.
    pub(super) fn is_left_of(&self, before: &Tree) -> bool {
        let mut known = before.nodes.iter().peekable();
        self.nodes.iter().all(|node| {
            while known.next_if(|other| !other.covers(node.start)).is_some() {}
            let above = known.peek().filter(|above| above.depth <= node.depth);
            above.is_some_and(|above| above.follow(node.start, node.depth) == node.secret)
        })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // the secrets overwrite themselves; what is left says who was taken out
        self.nodes.iter_mut().for_each(|node| node.start.zeroize());
    }
}

fn child_start(path: u64, depth: u8, index: u8) -> u64 {
    let kept = if depth == 0 { 0 } else { path & (u64::MAX << (PATH_BITS - depth)) };
    kept | u64::from(index) << (PATH_BITS - STEP_BITS - depth)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::SECRET_BYTES;

    fn whole() -> Tree {
        Tree::whole(Zeroizing::new([7; SECRET_BYTES]))
    }

    fn without(paths: &[u64]) -> Tree {
        paths.iter().fold(whole(), |tree, path| tree.without(SubjectPath(*path)).unwrap_or(tree))
    }

    /// Paths far apart and paths that differ in their last bits only.
    fn paths() -> impl Strategy<Value = Vec<u64>> {
        let path = prop_oneof![any::<u64>(), 0..8_u64, (0..8_u64).prop_map(|low| u64::MAX - low)];
        prop::collection::vec(path, 1..6)
    }

    #[test]
    fn a_leaf_taken_out_costs_so_many_secrets() {
        let punctured = without(&[0x0123_4567_89ab_cdef]);
        assert_eq!(punctured.nodes.len(), 96);
        assert_eq!(punctured.holes_count(), 1);
    }

    #[test]
    fn a_leafs_secret_never_changes() {
        // Computed with Python's hashlib. Another value here would mean that nothing encrypted before could be read.
        let leaf = whole().leaf(SubjectPath(0x0123_4567_89ab_cdef)).unwrap();
        let hex: String = leaf.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "a440caaf2154570fcc612189058de2fd600d03f60231e66ec0c880eb63564d33");
    }

    #[test]
    fn nodes_of_no_tree_are_refused() {
        let node = |start, depth| Node { start, depth, secret: Zeroizing::new([1; SECRET_BYTES]) };
        for wrong in [
            vec![node(1, 0)],
            vec![node(0, 1)],
            vec![node(0, 66)],
            vec![node(0, 0), node(1 << 62, 2)],
            vec![node(1 << 62, 2), node(0, 2)],
            vec![node(0, 2), node(0, 2)],
        ] {
            assert!(Tree::from_nodes(wrong).is_none());
        }
        assert!(Tree::from_nodes(vec![node(0, 2), node(1 << 62, 4), node(u64::MAX, 64)]).is_some());
        assert!(Tree::from_nodes(Vec::new()).is_some(), "all of it may be gone");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_taken_out_is_gone_and_all_else_is_as_it_was(gone in paths(), others in paths()) {
            let (before, after) = (whole(), without(&gone));
            for path in &gone {
                prop_assert!(after.leaf(SubjectPath(*path)).is_none());
                prop_assert!(after.without(SubjectPath(*path)).is_none());
                // No secret that is kept is one that the leaf's follows from.
                let way = (0..=PATH_BITS).step_by(usize::from(STEP_BITS)).map(|depth| before.nodes[0].follow(*path, depth));
                prop_assert!(way.into_iter().all(|secret| after.nodes.iter().all(|node| node.secret != secret)));
            }
            let neighbours = gone.iter().flat_map(|path| [path.wrapping_add(1), path ^ 1 << 40]);
            for path in others.iter().copied().chain(neighbours).filter(|path| !gone.contains(path)) {
                prop_assert_eq!(after.leaf(SubjectPath(path)), before.leaf(SubjectPath(path)));
            }
            let mut expected = gone.clone();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(after.holes_count(), expected.len() as u128);
            prop_assert_eq!(after.holes(), expected.into_iter().map(SubjectPath).collect::<Vec<_>>());
        }

        #[test]
        fn the_order_is_of_no_matter(gone in paths()) {
            let backwards: Vec<u64> = gone.iter().rev().copied().collect();
            prop_assert!(without(&gone).nodes == without(&backwards).nodes);
        }

        #[test]
        fn what_is_left_is_known_from_anything_else(gone in paths(), more in any::<u64>()) {
            let (before, after) = (without(&gone), without(&[gone.clone(), vec![more]].concat()));
            prop_assert!(after.is_left_of(&before) && before.is_left_of(&before));
            prop_assert_eq!(before.is_left_of(&after), gone.contains(&more), "nobody comes back");
            let other = Tree::whole(Zeroizing::new([8; SECRET_BYTES]));
            prop_assert!(!other.is_left_of(&before) && !after.is_left_of(&other));
        }

        #[test]
        fn nodes_make_the_same_tree(gone in paths()) {
            let tree = without(&gone);
            let read = Tree::from_nodes(tree.nodes.clone()).unwrap();
            prop_assert!(read.nodes == tree.nodes);
        }
    }
}
