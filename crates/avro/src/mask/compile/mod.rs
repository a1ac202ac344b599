//! From rules, a writer's schema and keys to a program.

mod container;
mod emit;
mod leaf;
mod map;
mod masks;
mod matching;
mod size;
mod subject;
mod trail;

use mesh_contract::MaskRule;

pub(super) use emit::Code;
pub(super) use map::{Decision, Mapping};
pub(super) use masks::LeafMask;

use super::key::KeyPlan;
use super::op::Outputs;
use super::rules::{Leaf, Mask, Rules, rule_of};
use super::{CompileError, Program, TokenKey, view};
use crate::keys::{Key, KeyError, KeyName, KeyRing};
use crate::schema::Schema;
use masks::Forge;
use matching::Pair;
use trail::Trail;

/// Compiles a program.
pub(super) fn program(rules: &Rules, writer: &Schema, keys: &dyn KeyRing) -> Result<Program, CompileError> {
    let mapping = map::map(rules, writer)?;
    let (view_outputs, outputs_count) = outputs_of_views(rules, &mapping);
    let masked_outputs = |mask: &Mask| -> Outputs {
        let mut outputs: Vec<u16> = view_outputs
            .iter()
            .zip(&mask.masked_in)
            .filter(|(_, masked)| **masked)
            .map(|(output, _)| *output)
            .collect();
        outputs.sort_unstable();
        outputs.dedup();
        outputs.into_boxed_slice()
    };
    let pair = Pair { contract: &rules.schema, writer };
    let trail =
        |steps: &Option<Vec<String>>| steps.as_ref().map_or_else(Trail::default, |steps| Trail::follow(pair, steps));
    let subjects = subject::keys(rules, keys)?;
    let forge = Forge::new(keys, &rules.product).with_subjects(subjects.as_deref());
    let mut emitter = emit::Emitter::new(writer, &mapping, forge);
    emitter.outputs = mapping.masks.iter().map(masked_outputs).collect();
    emitter.every_output = (0..outputs_count).collect();
    emitter.key = trail(&rules.key);
    emitter.event_time = trail(&rules.event_time);
    let key = key_plan(rules, writer, &mapping, &emitter.key, keys)?;
    let code = emitter.emit()?;
    Ok(Program {
        code,
        outputs: usize::from(outputs_count),
        view_outputs: view_outputs.into(),
        views: view::derive_all(rules, writer, &mapping)?,
        dropped: mapping.dropped.clone(),
        token_keys: token_keys(rules, &mapping, keys)?,
        key,
        subject: subject::plan(rules, writer, subjects.clone())?,
    })
}

/// Compiles a schema without any rule.
pub(super) fn guard(schema: &Schema) -> Result<Code, CompileError> {
    let nothing = Mapping::default();
    emit::Emitter::new(schema, &nothing, Forge::new(&NoKeys, "")).emit()
}

/// For programs that mask nothing.
struct NoKeys;

impl KeyRing for NoKeys {
    fn key(&self, _: &KeyName) -> Result<Key, KeyError> {
        Err(KeyError::NoRoot)
    }

    fn key_version(&self, _: &KeyName, _: u32) -> Result<Key, KeyError> {
        Err(KeyError::NoRoot)
    }
}

/// The output of each view: views that mask the same columns share one.
fn outputs_of_views(rules: &Rules, mapping: &Mapping) -> (Vec<u16>, u16) {
    let mut known: Vec<Vec<bool>> = Vec::new();
    let mut outputs = Vec::new();
    for view in 0..rules.view_rules.len() {
        let masked: Vec<bool> = mapping.masks.iter().map(|mask| mask.masked_in[view]).collect();
        let index = known.iter().position(|other| *other == masked).unwrap_or_else(|| {
            known.push(masked);
            known.len() - 1
        });
        outputs.push(index as u16);
    }
    (outputs, known.len() as u16)
}

/// How Kafka keys are read and masked. A writer that has no such column keys its tombstones as the contract says.
fn key_plan(
    rules: &Rules,
    writer: &Schema,
    mapping: &Mapping,
    trail: &Trail,
    keys: &dyn KeyRing,
) -> Result<Option<KeyPlan>, CompileError> {
    let Some(steps) = &rules.key else { return Ok(None) };
    if let Some(leaf) = trail.end() {
        return plan_at(rules, writer, mapping, trail, leaf, keys);
    }
    let contract = &rules.schema;
    let own = map::map(rules, contract)?;
    let trail = Trail::follow(Pair { contract, writer: contract }, steps);
    match trail.end() {
        Some(leaf) => plan_at(rules, contract, &own, &trail, leaf, keys),
        None => Ok(None),
    }
}

fn plan_at(
    rules: &Rules,
    schema: &Schema,
    mapping: &Mapping,
    trail: &Trail,
    leaf: crate::schema::NodeId,
    keys: &dyn KeyRing,
) -> Result<Option<KeyPlan>, CompileError> {
    let leaf = Leaf::of(schema.node(leaf));
    let decision = trail.end_slot().map_or(Decision::Clear, |slot| mapping.decision(slot));
    let mask = match decision {
        Decision::Masked(mask) | Decision::Whole(mask) => Some(&mapping.masks[mask]),
        Decision::Clear | Decision::Unknown => None,
    };
    let Some(mask) = mask else { return Ok(Some(KeyPlan::clear(leaf))) };
    let Some(rule) = rule_of(mask.rule.as_ref(), leaf) else { return Ok(Some(KeyPlan::clear(leaf))) };
    let leaf_mask = Forge::new(keys, &rules.product).leaf_mask(&rule, leaf, mask)?;
    Ok(Some(KeyPlan::masked(leaf, leaf_mask, mask.masked_in.clone())))
}

/// The keys of the tokenised columns that the writer has.
fn token_keys(rules: &Rules, mapping: &Mapping, keys: &dyn KeyRing) -> Result<Vec<TokenKey>, CompileError> {
    let mut forge = Forge::new(keys, &rules.product);
    let is_used = |index: usize| mapping.decisions.values().any(|decision| *decision == Decision::Masked(index));
    let masks = mapping.masks.iter().enumerate();
    let tokenised = masks.filter(|(index, mask)| mask.rule == Some(MaskRule::Tokenise) && is_used(*index));
    tokenised
        .map(|(_, mask)| {
            let version = forge.token_key(mask)?.version();
            Ok(TokenKey { column: mask.column.clone(), class: mask.class.clone(), version })
        })
        .collect()
}
