//! What became of a quarantined record since: a record without key and value behind it in the same partition.

use mesh_kafka::Record;
use mesh_kafka::sink::Headers;

use super::header;

/// What became of a quarantined record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was let through, later; the marker is of the same transaction.
    Replayed,
    /// A newer record of its key was let through before it could be.
    Overtaken,
}

impl Outcome {
    /// As in the header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Replayed => "replayed",
            Outcome::Overtaken => "overtaken",
        }
    }

    fn of(name: &[u8]) -> Option<Self> {
        [Outcome::Replayed, Outcome::Overtaken].into_iter().find(|outcome| outcome.name().as_bytes() == name)
    }
}

/// What became of one quarantined record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// What.
    pub outcome: Outcome,
    /// The record's offset in the quarantine.
    pub of_offset: i64,
    /// The record's offset in the input.
    pub source_offset: i64,
}

impl Marker {
    /// Reads a record of the quarantine; none if it is a quarantined record.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let number = |name| std::str::from_utf8(record.header(name)?).ok()?.parse().ok();
        Some(Marker {
            outcome: Outcome::of(record.header(header::OUTCOME)?)?,
            of_offset: number(header::OF_OFFSET)?,
            source_offset: number(header::SOURCE_OFFSET)?,
        })
    }

    /// The marker's headers.
    pub(crate) fn headers(&self, product: &str, major: u32, revision: u64) -> Headers {
        let text = |headers: Headers, name, value: &str| headers.with(name, Some(value.as_bytes()));
        let headers = text(Headers::with_capacity(6), header::OUTCOME, self.outcome.name());
        let headers = text(headers, header::OF_OFFSET, &self.of_offset.to_string());
        let headers = text(headers, header::SOURCE_OFFSET, &self.source_offset.to_string());
        let headers = text(headers, header::PRODUCT, product);
        let headers = text(headers, header::MAJOR, &major.to_string());
        text(headers, header::REVISION, &revision.to_string())
    }
}

#[cfg(test)]
mod tests {
    use mesh_kafka::Header;

    use super::*;

    fn record(headers: &[(&str, &str)]) -> Record {
        let header = |(name, value): &(&str, &str)| Header::new(*name, value.as_bytes().to_vec());
        Record {
            topic: "q".into(),
            partition: 0,
            offset: 9,
            timestamp_ms: None,
            key: None,
            value: None,
            headers: headers.iter().map(header).collect(),
        }
    }

    #[test]
    fn markers_are_told_from_quarantined_records() {
        let marker = [("mesh-outcome", "replayed"), ("mesh-of-offset", "3"), ("mesh-source-offset", "47")];
        let found = Marker { outcome: Outcome::Replayed, of_offset: 3, source_offset: 47 };
        assert_eq!(Marker::of(&record(&marker)), Some(found));
        assert_eq!(Marker::of(&record(&[("mesh-reason", "truncated"), ("mesh-source-offset", "47")])), None);
        assert_eq!(Marker::of(&record(&[("mesh-outcome", "lost"), marker[1], marker[2]])), None);
        assert_eq!(Marker::of(&record(&marker[..2])), None);
    }
}
