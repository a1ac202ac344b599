//! What the fuzz targets share: how an input's bytes become schemas, changes to them, data and masking rules.
//!
//! An input that is text is taken as it is, so that seeds can be read and written by people. Any other input is a list
//! of choices, drawn byte by byte ([`Draw`]), so that most inputs get past the parsers to what lies behind them.

mod change;
mod columns;
mod datum;
mod draw;
mod parts;
mod schema;

pub use change::changed;
pub use columns::contract;
pub use datum::datum;
pub use draw::Draw;
pub use parts::parts;
pub use schema::{DEFAULT, DOC, schema};
