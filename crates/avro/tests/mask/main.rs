//! Masking programs from the outside: examples, hostile bytes, and random schemas, data and rules against a slow
//! reference.

mod evolution;
mod examples;
mod findings;
mod hostile;
mod keys;
mod random;
mod reference;
mod support;
mod views;
