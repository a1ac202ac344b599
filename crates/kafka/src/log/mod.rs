//! Control topics as logs: read to the end, followed from there on, appended to by one or by many.
//!
//! A [`LogReader`] starts at the beginning. [`LogReader::read_to_end`] is exact: it returns once everything that a
//! read-committed consumer could see when it was called has been handed over. [`LogReader::next`] then waits for more.
//! A [`LogWriter`] appends beside others; a [`FencedLogWriter`] makes sure that it is the only one.

mod fenced;
mod reader;
mod writer;

pub use fenced::FencedLogWriter;
pub use reader::LogReader;
pub use writer::LogWriter;
