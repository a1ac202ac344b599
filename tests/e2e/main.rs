//! End-to-end tests: real processes of `mesh`, the real Apache Kafka, real clients.

#![allow(unreachable_pub, reason = "a test binary has no outside: pub is for the other modules")]

mod accounted;
mod apply;
mod audited;
mod bad_input;
mod check;
mod clients;
mod compose;
mod demo;
mod directory;
mod drift;
mod feed;
mod forget;
mod freshness_paging;
mod heartbeat;
mod import;
mod interrupted;
mod keys;
mod lifecycle;
mod lineage;
mod lineage_cost;
mod observed;
#[path = "../../crates/client/tests/official/mod.rs"]
mod official;
mod polyglot;
mod quarantine;
mod readme;
mod recorded;
mod references;
mod refused;
mod registry;
mod remask;
mod replicas;
mod secure;
mod secured;
mod standby;
mod support;
