//! Unions, arrays and maps: types that hold others.

use super::emit::{Emitter, Way, add};
use super::leaf::changes;
use super::map::Decision;
use super::masks::LeafMask;
use super::size::Takes;
use crate::mask::CompileError;
use crate::mask::op::{Blocks, Op};
use crate::mask::rules::{MAP_KEY, map_key_rule};
use crate::mask::slot::{Part, Slot, null_branch};
use crate::schema::{Kind, NodeId};

impl Emitter<'_, '_> {
    pub(super) fn union(
        &mut self,
        node: NodeId,
        branches: &[NodeId],
        way: Way,
        depth: usize,
    ) -> Result<(), CompileError> {
        if let Some(optional) = self.optional(node, branches, way) {
            return self.push(optional);
        }
        let table = self.code.tables.len();
        self.code.tables.resize(table + branches.len(), 0);
        self.push(Op::Union { table: table as u32, branches: branches.len() as u32 })?;
        let mut jumps = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            self.code.tables[table + index] = self.here();
            self.place(Slot::new(node, Part::Branch(index)), *branch, way, depth)?;
            if index + 1 < branches.len() {
                jumps.push(self.code.ops.len());
                self.push(Op::Jump(0))?;
            }
        }
        let end = self.here();
        for jump in jumps {
            self.code.ops[jump] = Op::Jump(end);
        }
        Ok(())
    }

    /// The instruction of a union of null and a string or a long that stays.
    fn optional(&self, node: NodeId, branches: &[NodeId], way: Way) -> Option<Op> {
        let [_, _] = branches else { return None };
        let null = null_branch(self.schema, node)?;
        let other = 1 - null;
        let is_clear = matches!(self.mapping.decision(Slot::new(node, Part::Branch(other))), Decision::Clear);
        let null = null as u32;
        match self.schema.node(branches[other]).kind {
            _ if !is_clear || way.is_key || way.is_event_time => None,
            Kind::String => Some(Op::OptionalText { null }),
            Kind::Long => Some(Op::OptionalLong { null }),
            _ => None,
        }
    }

    pub(super) fn blocks(&mut self, node: NodeId, depth: usize) -> Result<(), CompileError> {
        let (Kind::Array { items: inner } | Kind::Map { values: inner }) = &self.schema.node(node).kind else {
            return Ok(());
        };
        let is_map = matches!(self.schema.node(node).kind, Kind::Map { .. });
        let takes = if is_map { Takes::Bytes } else { self.takes[inner.index()] };
        let blocks = Blocks {
            body: 0,
            end: 0,
            is_empty: takes == Takes::Nothing,
            takes_bytes: takes == Takes::Bytes,
            may_change: false,
        };
        let index = add(&mut self.code.blocks, blocks);
        let start = self.code.ops.len();
        self.push(Op::Blocks(index))?;
        let body = self.here();
        if is_map {
            self.map_key(node)?;
        }
        let part = if is_map { Part::Values } else { Part::Items };
        self.place(Slot::new(node, part), *inner, Way::default(), depth)?;
        if let [Op::Texts(texts)] = self.code.ops[body as usize..] {
            self.code.ops.truncate(start);
            return self.push(Op::TextBlocks { texts });
        }
        let may_change = self.code.ops[body as usize..].iter().any(changes);
        self.push(Op::Next)?;
        let end = self.here();
        let blocks = &mut self.code.blocks[index as usize];
        (blocks.body, blocks.end, blocks.may_change) = (body, end, may_change);
        Ok(())
    }

    fn map_key(&mut self, node: NodeId) -> Result<(), CompileError> {
        let Decision::Masked(mask) = self.mapping.decision(Slot::new(node, Part::Keys)) else {
            return self.push(Op::Texts(1));
        };
        let rule = map_key_rule(self.mapping.rule(mask));
        let leaf_mask = self.forge.leaf_mask(&rule, MAP_KEY, &self.mapping.masks[mask])?;
        let outputs = self.outputs[mask].clone();
        match leaf_mask {
            Some(LeafMask::Text(mask)) if !outputs.is_empty() => self.text(mask, outputs),
            Some(LeafMask::Seal(mask)) if !outputs.is_empty() => self.seal(mask, outputs, MAP_KEY.kind),
            _ => self.push(Op::Texts(1)),
        }
    }
}
