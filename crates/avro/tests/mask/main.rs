//! Masking programs from the outside: examples, hostile bytes, and random schemas, data and rules against a slow
//! reference.

#[path = "../avro_java/mod.rs"]
mod avro_java;
mod evolution;
mod examples;
mod findings;
mod generate;
mod hostile;
mod java;
mod keys;
mod random;
mod reference;
mod subjects;
mod support;
mod views;
