//! The schemas of views, derived from the writer's.
//!
//! The same types in the same order, so that a view's bytes are the writer's with values replaced. What a schema itself
//! could tell of a masked column goes: its default and doc are replaced, other attributes than Avro's and ours removed,
//! logical types that its masked values do not have taken off. Fields that are dropped are not there.

mod defaults;
mod render;

use serde_json::Value;

use super::compile::Mapping;
use super::rules::Rules;
use super::{CompileError, ViewSchema};
use crate::schema::Schema;
use render::Renderer;

/// Every view's schema.
pub(super) fn derive_all(rules: &Rules, writer: &Schema, mapping: &Mapping) -> Result<Vec<ViewSchema>, CompileError> {
    let views = rules.view_rules.iter().enumerate();
    views.map(|(index, view)| derive(&view.name, index, writer, mapping)).collect()
}

fn derive(name: &str, view: usize, writer: &Schema, mapping: &Mapping) -> Result<ViewSchema, CompileError> {
    let schema: Value = Renderer::new(writer, mapping, view).root()?;
    Schema::parse_value(&schema).map_err(|error| CompileError::ViewSchema {
        view: name.to_owned(),
        reason: format!("{error}: {}", error.fault),
    })?;
    Ok(ViewSchema { name: name.to_owned(), schema })
}
