//! The second pass: instructions.

use std::collections::{HashMap, VecDeque};

use mesh_contract::MaskRule;

use super::leaf::{event_time, is_leaf, plain, uses};
use super::map::{Decision, Mapping};
use super::masks::{Forge, LeafMask};
use super::size::{self, Takes};
use super::trail::Trail;
use crate::mask::CompileError;
use crate::mask::limits::ITEM_BYTES_MAX;
use crate::mask::op::{Action, Actions, Blocks, Op, Outputs};
use crate::mask::rules::{Leaf, rule_of};
use crate::mask::slot::{Slot, null_branch, parts};
use crate::mask::transform::TextMask;
use crate::mask::transform::seal::Sealer;
use crate::mask::varint;
use crate::schema::{Kind, NodeId, Schema};

/// A record that is used once is compiled in place down to this nesting of types; deeper ones are functions, so that the
/// compiler's own stack is bounded.
const INLINE_DEPTH_MAX: usize = 48;

/// Most instructions of a program.
const OPS_MAX: usize = 1 << 20;

/// Instructions and the tables that they refer to.
#[derive(Default)]
pub(in crate::mask) struct Code {
    pub(in crate::mask) ops: Vec<Op>,
    /// Addresses of unions' branches.
    pub(in crate::mask) tables: Vec<u32>,
    pub(in crate::mask) blocks: Vec<Blocks>,
    pub(in crate::mask) actions: Actions,
}

/// How far along the trails a type is. `None` is off it.
#[derive(Clone, Copy, Default)]
pub(super) struct Way {
    key: Option<usize>,
    event_time: Option<usize>,
    /// At the end of the trail: the value is the key, the event time.
    pub(super) is_key: bool,
    pub(super) is_event_time: bool,
}

impl Way {
    fn is_on_trail(self) -> bool {
        self.key.is_some() || self.event_time.is_some()
    }
}

pub(super) struct Emitter<'a, 'k> {
    pub(super) schema: &'a Schema,
    pub(super) mapping: &'a Mapping,
    pub(super) forge: Forge<'k>,
    /// For each mask, the outputs that it masks.
    pub(super) outputs: Vec<Outputs>,
    /// All outputs.
    pub(super) every_output: Outputs,
    pub(super) key: Trail,
    pub(super) event_time: Trail,
    pub(super) code: Code,
    pub(super) takes: Vec<Takes>,
    uses: Vec<u32>,
    functions: HashMap<NodeId, usize>,
    /// Functions that are still to be compiled.
    queue: VecDeque<NodeId>,
    starts: Vec<u32>,
    /// The last address that some instruction goes on at.
    landing: usize,
    /// Whether the instructions only have to find the key: they end behind it.
    pub(super) is_locator: bool,
}

impl<'a, 'k> Emitter<'a, 'k> {
    pub(super) fn new(schema: &'a Schema, mapping: &'a Mapping, forge: Forge<'k>) -> Emitter<'a, 'k> {
        Emitter {
            schema,
            mapping,
            forge,
            outputs: Vec::new(),
            every_output: Box::default(),
            key: Trail::default(),
            event_time: Trail::default(),
            code: Code::default(),
            takes: size::takes(schema),
            uses: uses(schema),
            functions: HashMap::new(),
            queue: VecDeque::new(),
            starts: Vec::new(),
            landing: 0,
            is_locator: false,
        }
    }

    /// Compiles the root and every function that it calls.
    pub(super) fn emit(mut self) -> Result<Code, CompileError> {
        let way = Way { key: Some(0), event_time: Some(0), ..Way::default() };
        self.inner(self.schema.root(), way, 0)?;
        self.push(Op::End)?;
        while let Some(record) = self.queue.pop_front() {
            let function = self.functions[&record];
            self.starts[function] = self.here();
            self.fields(record, Way::default(), 0)?;
            self.push(Op::Return)?;
        }
        for op in &mut self.code.ops {
            if let Op::Call(function) = op {
                *op = Op::Call(self.starts[*function as usize]);
            }
        }
        for address in &mut self.code.tables {
            // A branch that is null has nothing to do but to go on.
            while let Op::Jump(to) = self.code.ops[*address as usize] {
                *address = to;
            }
        }
        Ok(self.code)
    }

    /// A type at a place.
    pub(super) fn place(&mut self, slot: Slot, node: NodeId, way: Way, depth: usize) -> Result<(), CompileError> {
        if self.takes[node.index()] == Takes::Nothing {
            return Ok(());
        }
        let depth = depth + 1;
        match self.mapping.decision(slot) {
            Decision::Unknown => self.cover(self.every_output.clone(), Vec::new(), node, way, depth),
            Decision::Whole(mask) => {
                let replacement = match (self.mapping.rule(mask), null_branch(self.schema, node)) {
                    (Some(MaskRule::Null), Some(branch)) => {
                        let mut null = Vec::new();
                        varint::write(&mut null, branch as i64);
                        null
                    }
                    _ => Vec::new(),
                };
                self.cover(self.outputs[mask].clone(), replacement, node, way, depth)
            }
            Decision::Masked(mask) if is_leaf(&self.schema.node(node).kind) => self.leaf(mask, node, way),
            _ => self.inner(node, way, depth),
        }
    }

    /// A type that some outputs do not see.
    fn cover(
        &mut self,
        outputs: Outputs,
        replacement: Vec<u8>,
        node: NodeId,
        way: Way,
        depth: usize,
    ) -> Result<(), CompileError> {
        let cover = add(&mut self.code.actions.constants, Action { mask: replacement.into_boxed_slice(), outputs });
        self.push(Op::CoverBegin(cover))?;
        self.inner(node, way, depth)?;
        self.push(Op::CoverEnd(cover))
    }

    /// A masked leaf.
    fn leaf(&mut self, mask: usize, node: NodeId, way: Way) -> Result<(), CompileError> {
        let leaf = Leaf::of(self.schema.node(node));
        match rule_of(self.mapping.rule(mask), leaf) {
            Some(rule) => self.masked(&rule, leaf, mask, node, way),
            None => self.inner(node, way, 0),
        }
    }

    fn masked(
        &mut self,
        rule: &MaskRule,
        leaf: Leaf<'_>,
        mask: usize,
        node: NodeId,
        way: Way,
    ) -> Result<(), CompileError> {
        let leaf_mask = self.forge.leaf_mask(rule, leaf, &self.mapping.masks[mask])?;
        let outputs = self.outputs[mask].clone();
        if outputs.is_empty() {
            return self.inner(node, way, 0);
        }
        let Some(leaf_mask) = leaf_mask else {
            // No rule is without a mask; if one ever were, the value would be left out rather than let through.
            return self.cover(outputs, Vec::new(), node, way, 0);
        };
        self.begin(way, node)?;
        let actions = &mut self.code.actions;
        match (leaf_mask, leaf.kind) {
            (LeafMask::Text(mask), _) => self.text(mask, outputs)?,
            (LeafMask::Bytes(mask), _) => {
                let mask = add(&mut actions.bytes, Action { mask, outputs });
                self.push(Op::MaskBytes(mask))?;
            }
            (LeafMask::Seal(mask), kind) => self.seal(mask, outputs, kind)?,
            (LeafMask::Fixed(mask), Kind::Fixed { size }) if *size <= ITEM_BYTES_MAX => {
                let mask = add(&mut actions.fixed, Action { mask, outputs });
                self.push(Op::MaskFixed { mask, size: *size as u32 })?;
            }
            (LeafMask::Integer(mask), kind) => {
                let mask = add(&mut actions.integers, Action { mask, outputs });
                self.push(if *kind == Kind::Int { Op::MaskInt(mask) } else { Op::MaskLong(mask) })?;
            }
            (LeafMask::Fraction(mask), kind) => {
                let mask = add(&mut actions.fractions, Action { mask, outputs });
                self.push(if *kind == Kind::Float { Op::MaskFloat(mask) } else { Op::MaskDouble(mask) })?;
            }
            (LeafMask::Constant(constant), kind) => {
                let mask = constant.into_boxed_slice();
                let constant = add(&mut actions.constants, Action { mask, outputs });
                if *kind == Kind::String {
                    self.push(Op::ReplaceText(constant))?;
                } else {
                    self.push(Op::Start)?;
                    self.push(plain(kind))?;
                    self.push(Op::Constant(constant))?;
                }
            }
            (LeafMask::Fixed(_), _) => self.push(Op::TooLong)?,
        }
        self.end(way)
    }

    /// A type that stays, though parts of it may not.
    fn inner(&mut self, node: NodeId, way: Way, depth: usize) -> Result<(), CompileError> {
        match &self.schema.node(node).kind {
            Kind::Null => Ok(()),
            Kind::Record { .. } => self.record(node, way, depth),
            Kind::Array { .. } | Kind::Map { .. } => self.blocks(node, depth),
            Kind::Union { branches } => self.union(node, branches, way, depth),
            leaf => {
                self.begin(way, node)?;
                self.push(plain(leaf))?;
                self.end(way)
            }
        }
    }

    fn record(&mut self, node: NodeId, way: Way, depth: usize) -> Result<(), CompileError> {
        let is_once = self.uses[node.index()] == 1 && depth < INLINE_DEPTH_MAX;
        if is_once || way.is_on_trail() {
            return self.fields(node, way, depth);
        }
        let next = self.functions.len();
        let function = *self.functions.entry(node).or_insert(next);
        if function == next {
            self.queue.push_back(node);
            self.starts.push(0);
        }
        self.push(Op::Call(function as u32))
    }

    fn fields(&mut self, node: NodeId, way: Way, depth: usize) -> Result<(), CompileError> {
        for (slot, field) in parts(self.schema, node) {
            let leads =
                |trail: &Trail, at: Option<usize>| at.and_then(|at| trail.leads(at, slot).map(|last| (at + 1, last)));
            let key = leads(&self.key, way.key);
            let event_time = leads(&self.event_time, way.event_time);
            let further = Way {
                key: key.filter(|(_, last)| !last).map(|(at, _)| at),
                event_time: event_time.filter(|(_, last)| !last).map(|(at, _)| at),
                is_key: key.is_some_and(|(_, last)| last),
                is_event_time: event_time.is_some_and(|(_, last)| last),
            };
            self.place(slot, field, further, depth)?;
        }
        Ok(())
    }

    pub(super) fn text(&mut self, mask: TextMask, outputs: Outputs) -> Result<(), CompileError> {
        let actions = &mut self.code.actions;
        let op = match mask {
            TextMask::Hash(mask) => Op::HashText(add(&mut actions.hashes, Action { mask, outputs })),
            mask => Op::MaskText(add(&mut actions.texts, Action { mask, outputs })),
        };
        self.push(op)
    }

    pub(super) fn seal(&mut self, mask: Box<Sealer>, outputs: Outputs, kind: &Kind) -> Result<(), CompileError> {
        let mask = add(&mut self.code.actions.seals, Action { mask, outputs });
        self.push(if *kind == Kind::Bytes { Op::SealBytes(mask) } else { Op::SealText(mask) })
    }

    fn begin(&mut self, way: Way, node: NodeId) -> Result<(), CompileError> {
        if way.is_event_time
            && let Some(kind) = event_time(self.schema.node(node).logical)
        {
            self.push(Op::EventTime(kind))?;
        }
        if way.is_key { self.push(Op::KeyBegin) } else { Ok(()) }
    }

    fn end(&mut self, way: Way) -> Result<(), CompileError> {
        if !way.is_key {
            return Ok(());
        }
        self.push(Op::KeyEnd)?;
        if self.is_locator { self.push(Op::End) } else { Ok(()) }
    }

    pub(super) fn push(&mut self, op: Op) -> Result<(), CompileError> {
        let is_run = self.code.ops.len() > self.landing;
        match (op, self.code.ops.last_mut().filter(|_| is_run)) {
            (Op::Texts(more), Some(Op::Texts(count))) | (Op::Longs(more), Some(Op::Longs(count))) => {
                *count += more;
                return Ok(());
            }
            _ => {}
        }
        if self.code.ops.len() == OPS_MAX {
            return Err(CompileError::TooLarge { what: "it takes more than a million instructions" });
        }
        self.code.ops.push(op);
        Ok(())
    }

    /// The address of the next instruction, as a place that others may go on at: no run of values reaches across it.
    pub(super) fn here(&mut self) -> u32 {
        self.landing = self.code.ops.len();
        self.landing as u32
    }
}

pub(super) fn add<T>(table: &mut Vec<T>, entry: T) -> u32 {
    table.push(entry);
    (table.len() - 1) as u32
}
