//! How the subject of a writer's records is found.

use std::sync::Arc;

use mesh_contract::MaskRule;

use super::emit::Emitter;
use super::map::Mapping;
use super::masks::Forge;
use super::matching::Pair;
use super::trail::Trail;
use super::{Code, NoKeys};
use crate::keys::{KeyRing, SubjectKeys};
use crate::mask::CompileError;
use crate::mask::rules::{Rules, SubjectColumn};
use crate::mask::subject::{Locator, SubjectPlan, Written};
use crate::schema::Schema;

/// The keys of subjects, where something is encrypted for them.
pub(super) fn keys(rules: &Rules, keys: &dyn KeyRing) -> Result<Option<Arc<SubjectKeys>>, CompileError> {
    let is_used = rules.masks.iter().any(|mask| mask.rule == Some(MaskRule::Encrypt));
    let Some(subject) = rules.subject.as_ref().filter(|_| is_used) else { return Ok(None) };
    let unavailable = |source| CompileError::Key { column: subject.column.clone(), source };
    keys.subjects().map(Some).map_err(unavailable)
}

pub(super) fn plan(
    rules: &Rules,
    writer: &Schema,
    keys: Option<Arc<SubjectKeys>>,
) -> Result<Option<SubjectPlan>, CompileError> {
    let (Some(subject), Some(keys)) = (&rules.subject, keys) else { return Ok(None) };
    let locator = locator(rules, writer, subject)?;
    let plan = SubjectPlan::new(locator, subject.form, !subject.is_nullable, subject.product, keys);
    plan.map(Some).ok_or(CompileError::Randomness)
}

/// A writer without the column writes of nobody, where the contract lets it be null.
fn locator(rules: &Rules, writer: &Schema, subject: &SubjectColumn) -> Result<Option<Locator>, CompileError> {
    let other = || CompileError::Subject { column: subject.column.clone() };
    let trail = Trail::follow(Pair { contract: &rules.schema, writer }, &subject.steps);
    if trail.is_empty() {
        return if subject.is_nullable { Ok(None) } else { Err(other()) };
    }
    let kind = &writer.node(trail.end().ok_or_else(other)?).kind;
    if !subject.form.takes(kind) {
        return Err(other());
    }
    let (code, written) = (code(writer, trail)?, Written::of(kind));
    Ok(Some(Locator { code, written }))
}

fn code(writer: &Schema, trail: Trail) -> Result<Code, CompileError> {
    let nothing = Mapping::default();
    let mut emitter = Emitter::new(writer, &nothing, Forge::new(&NoKeys, ""));
    emitter.key = trail;
    emitter.is_locator = true;
    emitter.emit()
}
