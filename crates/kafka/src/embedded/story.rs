//! What a Kafka that did not start left in its log.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::EmbeddedError;

/// No more of a log's end is looked at.
const TAIL_BYTES: u64 = 64 * 1024;
const TAIL_LINES: usize = 8;

/// Why Kafka ended, read from its output and its log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cause {
    JavaTooOld(String),
    AddressInUse,
    DataInUse,
    DiskFull,
    Unknown,
}

/// The end of what Kafka and its JVM have written.
pub(super) fn tail_of(logs: &[&Path]) -> String {
    logs.iter().map(|log| read_tail(log)).collect()
}

fn read_tail(log: &Path) -> String {
    let mut bytes = Vec::new();
    let mut read = || -> std::io::Result<()> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(())
    };
    // a log that is not there has nothing to say
    let _ = read();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Finds the cause in a log's end.
pub(super) fn cause(text: &str) -> Cause {
    if let Some(found) = too_old(text) {
        return Cause::JavaTooOld(found);
    }
    let known = [
        ("Address already in use", Cause::AddressInUse),
        ("Failed to acquire lock on file .lock", Cause::DataInUse),
        ("No space left on device", Cause::DiskFull),
        ("Disk quota exceeded", Cause::DiskFull),
    ];
    known.into_iter().find_map(|(said, cause)| text.contains(said).then_some(cause)).unwrap_or(Cause::Unknown)
}

/// "…only recognizes class file versions up to 55.0": Java 11, since version 45 was Java 1.
fn too_old(text: &str) -> Option<String> {
    let (_, after) = text.split_once("only recognizes class file versions up to ")?;
    let version: u32 = after.split('.').next()?.parse().ok()?;
    Some(version.saturating_sub(44).to_string())
}

/// The last lines that matter: errors and their causes if there are any, without stack frames.
pub(super) fn meaningful(text: &str) -> String {
    let frame = |line: &&str| !line.trim_start().starts_with("at ") && !line.trim().is_empty();
    let lines: Vec<&str> = text.lines().filter(frame).collect();
    let bad = |line: &&&str| {
        ["ERROR", "FATAL", "Exception", "Caused by", "Error:", "Error occurred"].iter().any(|word| line.contains(word))
    };
    let errors: Vec<&str> = lines.iter().filter(bad).copied().collect();
    let chosen = if errors.is_empty() { lines } else { errors };
    let last = chosen.len().saturating_sub(TAIL_LINES);
    chosen[last..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

impl Cause {
    /// The error that the cause is, if it is one of those that have a mend.
    pub(super) fn error(self, data: &Path, port: u16) -> Option<EmbeddedError> {
        match self {
            Cause::JavaTooOld(found) => Some(EmbeddedError::JavaTooOld { found }),
            Cause::AddressInUse => Some(EmbeddedError::PortTaken { port }),
            Cause::DataInUse => Some(EmbeddedError::DataInUse { path: data.into() }),
            Cause::DiskFull => Some(EmbeddedError::DiskFull { path: data.into() }),
            Cause::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found() {
        let old = "Error: LinkageError occurred while loading main class kafka.Kafka\n\
                   java.lang.UnsupportedClassVersionError: kafka/Kafka has been compiled by a more recent version of the Java \
                   Runtime (class file version 61.0), this version of the Java Runtime only recognizes class file versions up \
                   to 55.0";
        assert_eq!(cause(old), Cause::JavaTooOld("11".into()));
        let taken = "org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:9092: Address already in use.";
        assert_eq!(cause(taken), Cause::AddressInUse);
        let held =
            "org.apache.kafka.common.KafkaException: Failed to acquire lock on file .lock in /data. A Kafka instance …";
        assert_eq!(cause(held), Cause::DataInUse);
        assert_eq!(cause("java.io.IOException: No space left on device"), Cause::DiskFull);
        assert_eq!(cause("all is well"), Cause::Unknown);
    }

    #[test]
    fn errors_matter_more_than_what_follows_them() {
        let log = "INFO starting\nERROR it broke\njava.io.IOException: why\n\tat a.b.C(D.java:1)\nINFO shutting down\n";
        assert_eq!(meaningful(log), "  ERROR it broke\n  java.io.IOException: why");
        assert_eq!(meaningful("INFO one\n\nINFO two\n"), "  INFO one\n  INFO two");
        assert_eq!(meaningful(""), "");
    }
}
