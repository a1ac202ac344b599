//! Compatibility: each rule by hand, the levels, hostile schemas, random pairs against data, and against Avro Java.
#![allow(clippy::unwrap_used)]

#[path = "../avro_java/mod.rs"]
mod avro_java;
mod converted;
mod damage;
mod data;
mod decoding;
mod evolve;
mod levels;
mod limits;
mod oracle;
mod properties;
mod reference;
mod references;
mod table;
mod validity;
