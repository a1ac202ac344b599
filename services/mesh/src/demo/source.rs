//! The vendored files: gzipped text with one header line.

use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// A vendored file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadData {
    /// The file cannot be opened or decompressed.
    #[error("cannot read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not as `data/README.md` says.
    #[error("line {number} of {} is not as data/README.md describes it", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, 1 based.
        number: usize,
    },
}

/// The lines after the header, with their numbers.
pub fn lines(file: &Path) -> Result<Vec<(usize, String)>, BadData> {
    let read = |source| BadData::Read { file: file.to_owned(), source };
    let reader = BufReader::new(GzDecoder::new(File::open(file).map_err(read)?));
    reader.lines().enumerate().skip(1).map(|(index, line)| line.map(|line| (index + 1, line)).map_err(read)).collect()
}
