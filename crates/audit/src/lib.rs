//! The audit: who did what, when and why, on `mesh.audit`.
//!
//! Every writer has a **chain** of its own: each [`Event`] is appended with a [`Link`] that numbers it and names the hash of the
//! chain's entry before it. A chain's first entry names the newest entry of whatever chain that its writer saw, so that chains hold
//! each other: an end that is cut off is missed by what came after it. A **notary** reads all of the topic, what the sidecars tell
//! within their transactions without a chain included, and now and then writes down the digest of all of it.
//!
//! [`Teller`] writes, [`verify()`] tells whether it is all there and as it was written, [`Query`] asks. Why it is so, and against
//! whom it helps, is in `docs/adr/0018-the-audit-is-chained-by-writer.md`.

mod chain;
mod digest;
mod event;
mod fault;
mod inspector;
mod link;
mod notary;
mod query;
mod seal;
mod teller;
mod verify;
mod waiting;
mod window;

pub use chain::Chain;
pub use digest::Digest;
pub use event::{Event, Who, now_ms};
pub use fault::Fault;
pub use inspector::{Inspector, Report};
pub use link::{HASH_HEADER, LINK_HEADER, Link, SEAL_HEADER};
pub use notary::Notary;
pub use query::{Query, Row};
pub use teller::{TellError, Teller, tell};
pub use verify::{VerifyOptions, verify};
