//! End-to-end tests: real processes of `mesh`, the real Apache Kafka, real clients.

mod accounted;
mod bad_input;
mod polyglot;
mod readme;
mod support;
