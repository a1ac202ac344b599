//! Where events come from: a file or standard input, in one of three encodings.

use super::row::Row;
use super::{container, csv, lines};
use crate::failure::Failure;
use flate2::bufread::MultiGzDecoder;
use mesh_avro::schema::Schema;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use tokio::sync::mpsc;

/// How many rows may be read ahead.
const ROWS_AHEAD: usize = 1_024;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Encoding {
    /// One JSON object a line
    Json,
    /// Comma-separated values under a line of column names
    Csv,
    /// An Avro object container file
    Avro,
}

impl Encoding {
    /// What a file of this name most likely holds.
    pub(super) fn of(file: &Path) -> Self {
        let name = file.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name {
            name if name.ends_with(".csv") => Self::Csv,
            name if name.ends_with(".avro") => Self::Avro,
            _ => Self::Json,
        }
    }
}

/// What is read from.
pub(super) type Source = Box<dyn BufRead + Send>;

/// Opens a file, decompressed if need be; `-` is standard input.
pub(super) fn open(file: &Path) -> Result<Source, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let opened = File::open(file).and_then(|opened| {
        // a folder opens, and fails at the first read
        let is_folder = opened.metadata()?.is_dir();
        if is_folder { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(opened) }
    });
    let opened = opened.map_err(|error| Failure::usage(format!("cannot read {}", file.display())).because(error))?;
    let reader = BufReader::new(opened);
    match file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
        true => Ok(Box::new(BufReader::new(MultiGzDecoder::new(reader)))),
        false => Ok(Box::new(reader)),
    }
}

/// Rows, read on a thread of their own: reading standard input cannot be interrupted.
pub(super) struct Input {
    rows: mpsc::Receiver<Result<Row, Failure>>,
}

impl Input {
    /// Starts to read.
    pub(super) fn start(source: Source, encoding: Encoding, schema: &Schema) -> Result<Self, Failure> {
        let (sender, rows) = mpsc::channel(ROWS_AHEAD);
        let schema = schema.clone();
        let read = move || {
            // whoever publishes has gone when nothing more can be sent
            let each = |row| sender.blocking_send(Ok(row)).is_ok();
            let outcome = match encoding {
                Encoding::Json => lines::read(source, &schema, each),
                Encoding::Csv => csv::read(source, &schema, each),
                Encoding::Avro => container::read(source, &schema, each),
            };
            if let Err(failure) = outcome {
                let _ = sender.blocking_send(Err(failure));
            }
        };
        let started = std::thread::Builder::new().name("publish-input".into()).spawn(read);
        started.map_err(|error| Failure::internal("cannot start a thread to read the input").because(error))?;
        Ok(Self { rows })
    }

    /// The next row; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, Failure> {
        self.rows.recv().await.transpose()
    }
}

/// Reads as much as is there, of one line at most, and says whether there was one; a line that is longer than `max` is cut
/// and said to be too long.
pub(super) fn read_line(source: &mut Source, line: &mut Vec<u8>, max: usize) -> io::Result<Option<bool>> {
    line.clear();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let read = source.by_ref().take(limit).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(None);
    }
    let whole = line.len() <= max || line.last() == Some(&b'\n');
    if !whole {
        skip_line(source)?;
    }
    Ok(Some(whole))
}

fn skip_line(source: &mut Source) -> io::Result<()> {
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let consumed = end.map_or(buffer.len(), |end| end + 1);
        source.consume(consumed);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// How a command ends whose input breaks in the middle.
pub(super) fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::usage("cannot read the input to its end").because(error)
}
