//! Compatibility: each rule by hand, the levels, hostile schemas, random pairs against data, and against Avro Java.
#![allow(clippy::unwrap_used)]

mod evolve;
mod levels;
mod limits;
mod oracle;
mod properties;
mod table;
