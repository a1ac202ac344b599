//! What could not be let through: why, and the record itself, sealed.

mod envelope;
mod headers;
mod marker;
mod reason;

pub use envelope::{Envelope, EnvelopeHeader, OpenError, associated_data, open, parse, seal};
pub use headers::{Entry, Provenance, header};
pub use marker::{Marker, Outcome};
pub use reason::Reason;
