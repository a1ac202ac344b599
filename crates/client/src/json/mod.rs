//! JSON as people and programs write it, to and from Avro binary, by a schema.
//!
//! [`encode`] takes plain JSON and Avro's own JSON encoding, and human forms of logical types:
//!
//! | type | accepted | written by [`decode`] |
//! |---|---|---|
//! | date | `"1990-05-01"`, days | `"1990-05-01"` |
//! | time | `"12:30:00.5"`, milli- or microseconds | `"12:30:00.5"` |
//! | timestamp | `"2024-05-01T12:30:00Z"` (RFC 3339, any offset), units since 1970 | `"2024-05-01T12:30:00Z"` |
//! | local timestamp | `"2024-05-01T12:30:00"`, units since 1970 | `"2024-05-01T12:30:00"` |
//! | decimal, big-decimal | `"12.34"`, `12.34` | `"12.34"` |
//! | uuid | `"7c9e6679-7425-40de-944b-e07fc1f90ae7"` | the same |
//! | duration | `{"months":1,"days":2,"milliseconds":3}` | the same |
//! | bytes, fixed | text of code points up to U+00FF, one a byte (as Avro's JSON encoding) | the same |
//! | float, double | numbers, `"NaN"`, `"Infinity"`, `"-Infinity"` | the same |
//! | union | the value, or `{"<type>": value}` | the value where at most one type is not null, else `{"<type>": value}` |
//!
//! A field may be left out if it has a default, or may be null. Unknown fields are refused: a misspelt one would be lost.
//! What [`decode`] writes, [`encode`] reads back to the same bytes (canonical encodings). Errors say where, never what was
//! found there.

mod decimal;
mod decode;
mod encode;
mod fault;
mod human;
mod union;

pub use decode::decode;
pub use encode::encode;
pub use fault::JsonError;

/// Values within values; JSON parsers stop at 128.
const DEPTH_MAX: usize = 256;

#[cfg(test)]
mod tests;
