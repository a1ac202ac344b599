//! Records of a file, as one view of a contract would show them.

use super::container::{Container, ContainerWriter};
use super::lines::{self, LINE_BYTES_MAX, Line};
use super::out::{Lines, OutFile};
use super::records::Viewer;
use super::rulebook::{self, Contract};
use super::table;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use mesh_avro::keys::KeyRing;
use mesh_avro::schema::Schema;
use std::io::BufRead;
use std::path::Path;

/// What is asked for.
pub(super) struct Job<'a> {
    pub(super) contract: &'a Contract,
    pub(super) view: &'a str,
    pub(super) keys: &'a dyn KeyRing,
    pub(super) limit: u64,
}

/// Where records are shown without a file for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    /// A terminal: tables.
    Terminal,
    /// Anything else: JSON lines.
    Stdout,
}

/// How a view's records come out.
enum Shown {
    /// A table a record, before and after.
    SideBySide,
    Lines(Lines),
    /// As they are in Kafka.
    Container(ContainerWriter),
}

/// A job at work.
struct Work<'a> {
    job: &'a Job<'a>,
    viewer: Viewer<'a>,
    shown: Shown,
    records: u64,
    refused: u64,
    reader: Reader,
}

impl<'a> Work<'a> {
    fn new(job: &'a Job<'a>, viewer: Viewer<'a>, shown: Shown) -> Work<'a> {
        Work { job, viewer, shown, records: 0, refused: 0, reader: Reader::There }
    }

    fn is_done(&self) -> bool {
        self.records >= self.job.limit || self.reader == Reader::Gone
    }

    /// Takes the first of the data that `rest` holds. Whether it was one.
    fn take(&mut self, rest: &mut &[u8]) -> Result<bool, Failure> {
        match self.show(rest) {
            Ok(shown) => self.reader = shown?,
            Err(why) => {
                self.refuse(&why);
                return Ok(false);
            }
        }
        self.records += 1;
        Ok(true)
    }

    /// The outer error is why the datum is refused.
    fn show(&mut self, rest: &mut &[u8]) -> Result<Result<Reader, Failure>, String> {
        match &mut self.shown {
            Shown::SideBySide => {
                let (before, after) = self.viewer.view_first(rest)?;
                let table = table::render(self.records + 1, self.job.view, &before, &after, &self.viewer.masked);
                Ok(output::data(&table))
            }
            Shown::Lines(lines) => {
                let (_, after) = self.viewer.view_first(rest)?;
                Ok(lines.json(&after))
            }
            Shown::Container(writer) => {
                let datum = self.viewer.mask_first(rest)?;
                Ok(writer.add(datum).map(|()| Reader::There))
            }
        }
    }

    fn refuse(&mut self, why: &str) {
        self.records += 1;
        self.refused += 1;
        output::talk(&format!("record {}: refused: {why}", self.records));
    }

    fn finish(self) -> Result<Exit, Failure> {
        let is_file = match self.shown {
            Shown::SideBySide | Shown::Lines(Lines::Stdout) => false,
            Shown::Lines(lines) => lines.finish().map(|()| true)?,
            Shown::Container(writer) => writer.finish().map(|()| true)?,
        };
        if is_file {
            let (kept, refused) = (self.records - self.refused, self.refused);
            output::talk(&format!("written: {kept} records as view {} shows them; refused: {refused}", self.job.view));
        }
        Ok(if self.refused == 0 { Exit::Fine } else { Exit::Findings })
    }
}

fn shown(out: Option<OutFile>, screen: Screen) -> Shown {
    match (out, screen) {
        (None, Screen::Terminal) => Shown::SideBySide,
        (out, _) => Shown::Lines(Lines::to(out)),
    }
}

/// JSON lines, of the contract's schema or another.
pub(super) fn json_lines(
    job: &Job<'_>,
    schema: Option<&Path>,
    mut input: Box<dyn BufRead>,
    out: Option<OutFile>,
    screen: Screen,
) -> Result<Exit, Failure> {
    let given = schema.map(rulebook::read_schema).transpose()?;
    let writer = given.as_ref().unwrap_or(&job.contract.schema);
    let mut work = Work::new(job, Viewer::new(job, writer)?, shown(out, screen));
    let mut number = 0_u64;
    while !work.is_done()
        && let Some(line) = lines::next(input.as_mut()).map_err(super::cannot_read)?
    {
        number += 1;
        match &line {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => {}
            Line::Whole(bytes) => match work.viewer.encode(number, bytes.trim_ascii()) {
                Ok(datum) => work.take(&mut datum.as_slice()).map(drop)?,
                Err(why) => work.refuse(&why),
            },
            Line::TooLong => work.refuse(&format!("line {number} is longer than {LINE_BYTES_MAX} bytes")),
        }
    }
    work.finish()
}

/// An Avro container file; into a file it is one again, packed the same.
pub(super) fn container(
    job: &Job<'_>,
    mut input: Box<dyn BufRead>,
    out: Option<OutFile>,
    screen: Screen,
) -> Result<Exit, Failure> {
    let mut container = Container::open(input.as_mut())?;
    let writer = Schema::parse(&container.schema)
        .map_err(|error| Failure::findings("the container file's schema is not valid").because(error))?;
    let viewer = Viewer::new(job, &writer)?;
    let shown = match out {
        Some(file) => Shown::Container(ContainerWriter::begin(file, viewer.view_schema(), container.is_deflated)?),
        None => shown(None, screen),
    };
    let mut work = Work::new(job, viewer, shown);
    while !work.is_done()
        && let Some(block) = container.next()?
    {
        let mut rest = block.bytes.as_slice();
        for _ in 0..block.records {
            if work.is_done() {
                break;
            }
            if !work.take(&mut rest)? {
                // Where one datum is broken, nobody knows where the next one of its block begins.
                output::talk("the rest of its block cannot be told apart and is left out");
                break;
            }
        }
    }
    work.finish()
}
