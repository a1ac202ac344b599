//! Avro wire format, compatibility rules and masking programs on Avro binary. No I/O.
//!
//! - [`schema`]: Avro 1.12 schemas as a name-resolved arena that keeps what other parsers lose (positions, defaults,
//!   aliases, attributes);
//! - [`compat`]: can every datum of a writer be read by a reader, and does it still mean the same;
//! - [`mask`]: a contract's rules compiled to programs that run on Avro binary;
//! - [`convert`]: data of one schema written anew as another schema has them, by Avro's resolution;
//! - [`keys`]: named, versioned secrets that masking rules draw on;
//! - [`sensitivity`]: fields that look as if they held personal data, though nobody has said so;
//! - [`wire`]: the framing of a record's value on Kafka.

pub mod compat;
pub mod convert;
pub mod keys;
pub mod mask;
pub mod schema;
pub mod sensitivity;
pub mod wire;
