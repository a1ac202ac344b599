//! A contract's masking rules compiled to programs that run on Avro binary.
//!
//! ```text
//! contract + its schema --Rules::check--------> Rules        (findings, each at its place in the contract)
//! Rules + writer schema + keys --compile------> Program      (flat instructions; one for all views)
//! Program + datum + Scratch --run-------------> each view's bytes, key span, event time
//! ```
//!
//! One walk of a record validates every byte of it and emits every view. Runs of untouched bytes are copied as slices;
//! a value that several views mask is masked once; where no rule fires the input slice itself is the output. A
//! [`Scratch`] is reused from record to record, so that nothing is allocated once it is warm.
//!
//! Rules belong to places in the schema (a record's field, an array's items), not to paths: a rule on one use of a
//! named type holds for all its uses. See [`Rules`] for what a column means, [`Program`] for how a writer's schema that
//! is not the contract's is treated.

mod compile;
mod decrypt;
mod error;
mod key;
mod limits;
mod op;
mod program;
mod rules;
mod run;
mod scratch;
mod slot;
mod subject;
mod transform;
mod utf8;
pub(crate) mod varint;
mod view;
mod window;

pub use decrypt::{DecryptError, decrypt_bytes, decrypt_text};
pub use error::{CompileError, MaskError, MaskErrorKind};
pub use limits::{DEPTH_MAX, EMPTY_ITEMS_MAX, ITEM_BYTES_MAX, OUTPUT_BYTES_MAX};
pub use program::{Guard, Program, TokenKey, ViewSchema};
pub use rules::{RULES, Rules, SubjectTextError};
pub(crate) use run::Input;
pub use scratch::Scratch;
pub use transform::tokenise::detokenise;
