//! The first pass: what happens to each place in the writer's schema.

use std::collections::{HashMap, HashSet};

use mesh_contract::MaskRule;

use super::matching::Pair;
use crate::mask::CompileError;
use crate::mask::rules::{Mask, Rules, class_of};
use crate::mask::slot::{Part, Slot, null_branch, parts};
use crate::schema::{Field, Kind, NodeId, Schema};

/// What happens to a place in the writer's schema. Masks are indexes into [`Mapping::masks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mask) enum Decision {
    /// It stays.
    Clear,
    /// It is within a sensitive column: if it is a leaf, it is masked.
    Masked(usize),
    /// All of it is replaced: by null, or by nothing.
    Whole(usize),
    /// The contract does not know it: it is in no view.
    Unknown,
}

/// What happens to every place in a writer's schema that is not simply clear.
#[derive(Default)]
pub(in crate::mask) struct Mapping {
    pub(in crate::mask) masks: Vec<Mask>,
    pub(in crate::mask) decisions: HashMap<Slot, Decision>,
    /// Paths of the fields that the contract does not know.
    pub(in crate::mask) dropped: Vec<String>,
}

impl Mapping {
    pub(in crate::mask) fn decision(&self, slot: Slot) -> Decision {
        self.decisions.get(&slot).copied().unwrap_or(Decision::Clear)
    }

    /// The rule of a mask.
    pub(in crate::mask) fn rule(&self, mask: usize) -> Option<&MaskRule> {
        self.masks[mask].rule.as_ref()
    }
}

/// A type to look into, and what the contract says of it.
struct Visit {
    /// The contract's type; `None` under a sensitive column of another shape, where everything is masked by type.
    contract: Option<NodeId>,
    writer: NodeId,
    inherited: Option<usize>,
    path: String,
}

struct Mapper<'a> {
    rules: &'a Rules,
    pair: Pair<'a>,
    mapping: Mapping,
    open: Vec<Visit>,
    seen: HashSet<(Option<NodeId>, NodeId, Option<usize>)>,
}

/// Maps the rules onto a writer's schema.
pub(super) fn map(rules: &Rules, writer: &Schema) -> Result<Mapping, CompileError> {
    let pair = Pair { contract: &rules.schema, writer };
    let (contract_root, writer_root) = (rules.schema.root(), writer.root());
    let kind = |schema: &Schema, node: NodeId| schema.node(node).kind.word();
    if !pair.is_known(contract_root, writer_root) {
        let (writer, contract) = (kind(writer, writer_root), kind(&rules.schema, contract_root));
        return Err(CompileError::Unrelated { writer, contract });
    }
    let mapping = Mapping { masks: rules.masks.clone(), decisions: HashMap::new(), dropped: Vec::new() };
    let mut mapper = Mapper { rules, pair, mapping, open: Vec::new(), seen: HashSet::new() };
    let root = Visit { contract: Some(contract_root), writer: writer_root, inherited: None, path: String::new() };
    mapper.open.push(root);
    while let Some(visit) = mapper.open.pop() {
        if mapper.seen.insert((visit.contract, visit.writer, visit.inherited)) {
            mapper.visit(&visit)?;
        }
    }
    mapper.mapping.dropped.sort();
    mapper.mapping.dropped.dedup();
    Ok(mapper.mapping)
}

impl Mapper<'_> {
    fn visit(&mut self, visit: &Visit) -> Result<(), CompileError> {
        let inner = parts(self.pair.writer, visit.writer);
        match &self.pair.writer.node(visit.writer).kind {
            Kind::Record { fields } => self.visit_record(visit, fields, &inner),
            Kind::Map { .. } => {
                if let Some(mask) = visit.inherited {
                    self.decide(Slot::new(visit.writer, Part::Keys), Decision::Masked(mask))?;
                }
                self.visit_parts(visit, &inner)
            }
            _ => self.visit_parts(visit, &inner),
        }
    }

    fn visit_record(&mut self, visit: &Visit, fields: &[Field], inner: &[(Slot, NodeId)]) -> Result<(), CompileError> {
        let contract = visit.contract.and_then(|contract| self.pair.branch(contract, visit.writer));
        let matches = match contract {
            Some(contract) => self.pair.fields(contract, visit.writer),
            None => vec![None; fields.len()],
        };
        for (index, (slot, node)) in inner.iter().enumerate() {
            let field = &fields[index];
            let path = join(&visit.path, &field.name);
            let known = contract.zip(matches[index]).and_then(|(record, at)| self.contract_field(record, at));
            let mask = match known {
                Some((contract_slot, _)) => self.mask_at(contract_slot, field, visit.inherited, &path),
                None => visit.inherited,
            };
            let counterpart = known.map(|(_, node)| node);
            let is_known = counterpart.is_some_and(|known| self.pair.is_known(known, *node));
            if mask.is_none() && !is_known {
                self.mapping.dropped.push(path);
                self.decide(*slot, Decision::Unknown)?;
            } else {
                self.enter(*slot, counterpart, *node, mask, path)?;
            }
        }
        Ok(())
    }

    /// The places in an array, map or union: each with its counterpart, or with none under a sensitive column.
    fn visit_parts(&mut self, visit: &Visit, inner: &[(Slot, NodeId)]) -> Result<(), CompileError> {
        for (slot, node) in inner {
            let (counterpart, mark) = match (slot.part, visit.contract) {
                (Part::Branch(_), contract) => (contract, None),
                (_, Some(contract)) => {
                    let own = self.pair.branch(contract, visit.writer);
                    let found = own.and_then(|own| self.contract_part(own, slot.part));
                    (found.map(|(_, node)| node), found.and_then(|(slot, _)| self.rules.marks.get(&slot).copied()))
                }
                (_, None) => (None, None),
            };
            let path = match slot.part {
                Part::Items => format!("{}[]", visit.path),
                Part::Values => format!("{}{{}}", visit.path),
                _ => visit.path.clone(),
            };
            self.enter(*slot, counterpart, *node, mark.or(visit.inherited), path)?;
        }
        Ok(())
    }

    /// Decides on a place and goes on below it.
    fn enter(
        &mut self,
        slot: Slot,
        contract: Option<NodeId>,
        writer: NodeId,
        mask: Option<usize>,
        path: String,
    ) -> Result<(), CompileError> {
        let is_whole = mask.is_some_and(|mask| match self.mapping.rule(mask) {
            Some(MaskRule::Drop) => matches!(slot.part, Part::Field(_)),
            Some(MaskRule::Null) => null_branch(self.pair.writer, writer).is_some(),
            _ => false,
        });
        let inherited = mask.filter(|_| !is_whole);
        match mask {
            Some(mask) if is_whole => self.decide(slot, Decision::Whole(mask))?,
            Some(mask) => self.decide(slot, Decision::Masked(mask))?,
            None => self.decide(slot, Decision::Clear)?,
        }
        self.open.push(Visit { contract, writer, inherited, path });
        Ok(())
    }

    /// The mask of a field: the contract's, the one it is within, or the one that the writer's schema asks for.
    fn mask_at(&mut self, contract: Slot, field: &Field, inherited: Option<usize>, path: &str) -> Option<usize> {
        if let Some(mark) = self.rules.marks.get(&contract) {
            return Some(*mark);
        }
        if inherited.is_some() || self.rules.insensitive.contains(&contract) {
            return inherited;
        }
        let class = class_of(&field.attributes).flatten()?;
        let masked_in = self.rules.masked_in(path, class);
        let mask = Mask { column: path.to_owned(), class: class.to_owned(), rule: None, masked_in };
        let known = self.mapping.masks.iter().position(|other| *other == mask);
        Some(known.unwrap_or_else(|| {
            self.mapping.masks.push(mask);
            self.mapping.masks.len() - 1
        }))
    }

    fn contract_field(&self, record: NodeId, at: usize) -> Option<(Slot, NodeId)> {
        self.contract_part(record, Part::Field(at))
    }

    fn contract_part(&self, node: NodeId, part: Part) -> Option<(Slot, NodeId)> {
        let child = match (&self.pair.contract.node(node).kind, part) {
            (Kind::Record { fields }, Part::Field(at)) => fields.get(at)?.node,
            (Kind::Array { items }, Part::Items) => *items,
            (Kind::Map { values }, Part::Values) => *values,
            _ => return None,
        };
        Some((Slot::new(node, part), child))
    }

    /// A place that several paths lead to has one decision: the strictest, as long as it is clear which that is.
    fn decide(&mut self, slot: Slot, new: Decision) -> Result<(), CompileError> {
        use Decision::{Clear, Masked, Unknown, Whole};
        let old = self.mapping.decision(slot);
        let decision = match (old, new) {
            (Unknown, _) | (_, Unknown) => Unknown,
            (Clear, other) | (other, Clear) => other,
            (Masked(a), Masked(b)) | (Whole(a), Whole(b)) if self.are_equivalent(a, b) => old,
            (Masked(a) | Whole(a), Masked(b) | Whole(b)) => return Err(self.conflict(slot, a, b)),
        };
        if decision != Clear {
            self.mapping.decisions.insert(slot, decision);
        }
        Ok(())
    }

    fn are_equivalent(&self, a: usize, b: usize) -> bool {
        a == b || self.mapping.masks[a].equivalent(&self.mapping.masks[b])
    }

    fn conflict(&self, slot: Slot, a: usize, b: usize) -> CompileError {
        let holder = self.pair.writer.node(slot.parent);
        let pointer = match (slot.part, &holder.kind) {
            (Part::Field(index), Kind::Record { fields }) => fields[index].pointer.clone(),
            _ => holder.pointer.clone(),
        };
        let column = |mask: usize| self.mapping.masks[mask].column.clone();
        CompileError::Conflict { pointer, first: column(a), second: column(b) }
    }
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}
