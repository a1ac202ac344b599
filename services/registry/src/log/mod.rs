//! The registry's log: records in the form that Confluent's registry keeps in `_schemas`.
//!
//! Keys and values are JSON. A key's bytes matter, because the topic is compacted by them: properties stand in
//! Confluent's order. What is read may have any order and unknown properties, which are kept where a value is rewritten.

mod key;
mod record;
mod value;

pub(crate) use record::Record;
pub(crate) use value::{ConfigValue, Mode, ModeValue, Reference, SchemaValue};
