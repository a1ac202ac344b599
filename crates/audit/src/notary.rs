//! Sees all that is told, and now and then writes down the digest of all of it.

use mesh_kafka::Record;

use crate::digest::Digest;
use crate::event::{Event, Who};
use crate::inspector::{Inspector, Report};
use crate::verify::VerifyOptions;

/// The kind of a notary's event.
pub(crate) const SEALED: &str = "audit-sealed";

/// Sees all that is told from the first entry on, and says what is to be written down of it.
pub struct Notary {
    inspector: Inspector,
    /// How many entries, other than notaries' own, came since one was written down.
    news: u64,
}

impl Notary {
    /// Begins with the first entry that is left.
    pub fn new(options: VerifyOptions, is_truncated: bool) -> Notary {
        Notary { inspector: Inspector::new(options, is_truncated), news: 0 }
    }

    /// Takes the next entry.
    pub fn take(&mut self, record: &Record) {
        self.inspector.take(record);
        // two notaries would otherwise write of each other for ever
        match is_notarys(record) {
            true => self.news = 0,
            false => self.news += 1,
        }
    }

    /// Whether anything came since a notary's word was written down.
    pub fn has_news(&self) -> bool {
        self.news > 0
    }

    /// What was found so far.
    pub fn report(&self) -> Report {
        self.inspector.report()
    }

    /// How many faults there are so far.
    pub fn faults_total(&self) -> u64 {
        self.inspector.faults_total()
    }

    /// What is to be written down now, with the hash of the entry it saw last; nothing if nothing came since the last time.
    pub fn word(&mut self, who: &Who) -> Option<(Event, Digest)> {
        let (tip, digest) = self.inspector.head().filter(|_| self.news > 0)?;
        let event = Event::new(SEALED, who).with("tip", tip).with("digest", digest);
        Some((event.with("entries", self.inspector.report().entries), tip))
    }
}

fn is_notarys(record: &Record) -> bool {
    let begin = format!(r#"{{"event":"{SEALED}""#);
    record.value.as_deref().is_some_and(|value| value.starts_with(begin.as_bytes()))
}
