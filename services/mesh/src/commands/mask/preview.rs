//! Records of a file, as one view of a contract would show them.

use super::container::Container;
use super::lines::{self, LINE_BYTES_MAX, Line};
use super::records::Viewer;
use super::rulebook::{self, Contract};
use super::table;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use mesh_avro::keys::KeyRing;
use mesh_avro::schema::Schema;
use serde_json::Value;
use std::collections::HashSet;
use std::io::BufRead;
use std::path::Path;

/// What a person or a program gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// A table a record: before and after.
    SideBySide,
    /// The view's record as a JSON line.
    Lines,
}

/// What is asked for.
pub(super) struct Job<'a> {
    pub(super) contract: &'a Contract,
    pub(super) view: &'a str,
    pub(super) keys: &'a dyn KeyRing,
    pub(super) shown: Shown,
    pub(super) limit: u64,
}

/// How far a job has come.
#[derive(Debug, Default)]
struct Progress {
    records: u64,
    refused: u64,
}

impl Progress {
    fn exit(&self) -> Exit {
        if self.refused == 0 { Exit::Fine } else { Exit::Findings }
    }

    /// Shows a record, or says why it is refused.
    fn show(
        &mut self,
        job: &Job<'_>,
        masked: &HashSet<String>,
        outcome: Result<(Value, Value), String>,
    ) -> Result<Reader, Failure> {
        self.records += 1;
        match outcome {
            Ok((before, after)) => match job.shown {
                Shown::Lines => output::json(&after),
                Shown::SideBySide => output::data(&table::render(self.records, job.view, &before, &after, masked)),
            },
            Err(why) => {
                self.refused += 1;
                output::talk(&format!("record {}: refused: {why}", self.records));
                Ok(Reader::There)
            }
        }
    }
}

/// JSON lines, of the contract's schema or another.
pub(super) fn json_lines(job: &Job<'_>, schema: Option<&Path>, mut input: Box<dyn BufRead>) -> Result<Exit, Failure> {
    let given = schema.map(rulebook::read_schema).transpose()?;
    let writer = given.as_ref().unwrap_or(&job.contract.schema);
    let mut viewer = Viewer::new(job, writer)?;
    let mut progress = Progress::default();
    let mut number = 0_u64;
    while progress.records < job.limit
        && let Some(line) = lines::next(input.as_mut()).map_err(super::cannot_read)?
    {
        number += 1;
        let outcome = match &line {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => continue,
            Line::Whole(bytes) => viewer.view_json(number, bytes.trim_ascii()),
            Line::TooLong => Err(format!("line {number} is longer than {LINE_BYTES_MAX} bytes")),
        };
        if progress.show(job, &viewer.masked, outcome)? == Reader::Gone {
            break;
        }
    }
    Ok(progress.exit())
}

/// An Avro container file.
pub(super) fn container(job: &Job<'_>, mut input: Box<dyn BufRead>) -> Result<Exit, Failure> {
    let mut container = Container::open(input.as_mut())?;
    let writer = Schema::parse(&container.schema)
        .map_err(|error| Failure::findings("the container file's schema is not valid").because(error))?;
    let mut viewer = Viewer::new(job, &writer)?;
    let mut progress = Progress::default();
    while let Some(block) = container.next()? {
        let mut rest = block.bytes.as_slice();
        for _ in 0..block.records {
            if progress.records == job.limit {
                return Ok(progress.exit());
            }
            let outcome = viewer.view_first(&mut rest);
            let is_lost = outcome.is_err();
            if progress.show(job, &viewer.masked, outcome)? == Reader::Gone {
                return Ok(progress.exit());
            }
            if is_lost {
                // Where one datum is broken, nobody knows where the next one of its block begins.
                output::talk("the rest of its block cannot be told apart and is left out");
                break;
            }
        }
    }
    Ok(progress.exit())
}
