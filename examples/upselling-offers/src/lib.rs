//! The upselling domain's own program, as a domain team would write it: it subscribes to the masked views of three
//! products of other domains, joins them, and publishes a product of its own, `upselling.offers`.
//!
//! It never sees a clear e-mail address. Customers and page views are joined on the *hashed* one: both contracts hash
//! it under the same class (`pii.contact`), so that one address has one hash across the mesh.
//!
//! - [`facts`] says which fields of the products it reads and writes;
//! - [`book`] keeps the newest state of every key in memory, bounded by a limit that is told;
//! - [`mod@derive`] makes offers of it: pure, deterministic;
//! - [`Program`] subscribes, publishes, and tells lineage what it did.

pub mod book;
pub mod derive;
pub mod facts;
mod made;
mod origins;
mod program;

pub use program::{Config, PRODUCT, Program, Summary};
