//! Avro 1.12's schema resolution at work: a datum that one schema wrote, written anew as another schema has it.
//!
//! ```text
//! reader + writer schema --compile--> Conversion     (one node for each pair of types that data can reach)
//! Conversion + datum + Converter ---> the reader's datum, or where the reader cannot take it
//! ```
//!
//! From binary to binary, without values in between: runs of bytes that are the same in both are copied as slices, and where
//! nothing differs the datum itself is the output. The resolution is the one that [`compat`](crate::compat) judges by: what is
//! compatible there is converted here, every datum of it. Where it is not, the data that the reader can take are converted all
//! the same, and the others refused, each by itself.

mod columns;
mod compile;
mod converter;
mod default;
mod node;
mod run;

use std::fmt;

pub use columns::{ColumnPair, columns};
pub use converter::Converter;

use crate::mask::MaskError;
use crate::schema::Schema;
use node::Node;

/// Two schemas, compiled to what makes the one's data the other's.
pub struct Conversion {
    nodes: Vec<Node>,
    root: u32,
    /// The reader's defaults, encoded.
    defaults: Vec<u8>,
}

/// The schemas ask for more pairs of types, or for longer defaults, than are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the two schemas are too large to convert the data of one to the other")]
pub struct TooLarge;

impl Conversion {
    /// Compiles what makes data of `writer` data of `reader`.
    ///
    /// # Errors
    /// [`TooLarge`]. What the reader cannot take is no error here, but one of the data that hold it.
    pub fn compile(reader: &Schema, writer: &Schema) -> Result<Conversion, TooLarge> {
        compile::conversion(reader, writer)
    }

    /// Converts a datum, without the wire format's prefix: validates all of it. The output is the converter's.
    ///
    /// Never panics, whatever the bytes; work and memory are bounded as a masking program's are.
    ///
    /// # Errors
    /// The bytes are no datum of the writer, or of what the reader cannot take
    /// ([`NotConvertible`](crate::mask::MaskErrorKind::NotConvertible)).
    pub fn run(&self, converter: &mut Converter, datum: &[u8]) -> Result<(), MaskError> {
        run::run(self, converter, datum)
    }
}

impl fmt::Debug for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversion").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
