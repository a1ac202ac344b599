//! Data to standard output, talk to standard error. A reader that goes away (`| head`) ends the output quietly.

use crate::failure::Failure;
use std::io::{self, ErrorKind, Write};

/// One line of talk to standard error.
pub fn talk(line: &str) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether the reader of the data is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "stop producing when the reader has gone"]
pub enum Reader {
    /// Go on.
    There,
    /// The pipe is closed: end without an error.
    Gone,
}

/// One line of data to standard output.
///
/// # Errors
/// Standard output cannot be written, for another reason than a reader that went away.
pub fn data(line: &str) -> Result<Reader, Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::internal("cannot write to standard output").because(error)),
    }
}

/// One JSON value to standard output, on one line.
///
/// # Errors
/// As [`data`], or the value has no JSON form.
pub fn json(value: &impl serde::Serialize) -> Result<Reader, Failure> {
    let line = serde_json::to_string(value)
        .map_err(|error| Failure::internal("cannot write the result as JSON").because(error))?;
    data(&line)
}
