//! The vendored files: gzipped text with one header line. They are part of the program.

use flate2::read::GzDecoder;
use std::io::{BufRead, BufReader};

/// A vendored file.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Its name under `data/`.
    pub name: &'static str,
    /// What is in it, compressed.
    pub bytes: &'static [u8],
}

/// A vendored file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadData {
    /// The file cannot be decompressed.
    #[error("cannot decompress data/{file}")]
    Decompress {
        /// The file.
        file: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not as `data/README.md` says.
    #[error("line {number} of data/{file} is not as data/README.md describes it")]
    Line {
        /// The file.
        file: &'static str,
        /// The line, 1 based.
        number: usize,
    },
}

impl Source {
    /// Every line after the header, parsed.
    ///
    /// # Errors
    /// See [`BadData`].
    pub fn parse<T>(self, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, BadData> {
        let lines = BufReader::new(GzDecoder::new(self.bytes)).lines().enumerate();
        let parsed = lines.map(|(index, line)| {
            let line = line.map_err(|source| BadData::Decompress { file: self.name, source })?;
            let is_header = index == 0;
            if is_header {
                return Ok(None);
            }
            parse(&line).map(Some).ok_or(BadData::Line { file: self.name, number: index + 1 })
        });
        parsed.filter_map(Result::transpose).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_damaged_is_refused() {
        let damaged = Source { name: "x.gz", bytes: b"\x1f\x8bnot gzip" };
        assert!(matches!(damaged.parse(|line| Some(line.len())), Err(BadData::Decompress { file: "x.gz", .. })));
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        let purchases = super::super::purchases::FILE;
        let refused = purchases.parse(|line| (!line.contains("00003")).then_some(()));
        assert!(matches!(refused, Err(BadData::Line { number: 5, .. })), "{refused:?}");
    }
}
