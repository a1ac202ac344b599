//! How a command ends: its exit code, and what it says when it fails.

use std::error::Error;
use std::fmt::{self, Write};
use std::process::ExitCode;

/// The exit codes of every command; scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// A violation, a breach, a record that was refused.
    Findings = 1,
    /// Bad usage or configuration; also a missing tool such as Java.
    Usage = 2,
    /// The cluster differs from the contracts.
    Drift = 3,
    /// Kafka or the registry cannot be reached.
    Unreachable = 4,
    /// A defect or a failure of the machine (a full disk, say): none of the above.
    Internal = 70,
    /// Interrupted by Ctrl-C or SIGTERM before it was done.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A command that could not do its work: what failed, why, and what to do.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), hint: None, source: None }
    }

    /// Findings in what was checked.
    pub fn findings(what: impl Into<String>) -> Self {
        Self::new(Exit::Findings, what)
    }

    /// Bad usage or configuration.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// Kafka or the registry cannot be reached.
    pub fn unreachable(what: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, what)
    }

    /// None of the others.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(Exit::Internal, what)
    }

    /// The command was interrupted.
    pub fn interrupted(what: impl Into<String>) -> Self {
        Self::new(Exit::Interrupted, what)
    }

    /// What to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Why it failed.
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What a person reads: `error:`, the chain of causes, `hint:`.
    pub fn report(&self) -> String {
        let mut text = format!("error: {}", self.what);
        let mut cause: Option<&dyn Error> = self.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = cause {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n  because: {error}");
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            let _ = write!(text, "\nhint: {hint}");
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_why_and_what_to_do() {
        let cause = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let failure = Failure::unreachable("cannot reach Kafka at 127.0.0.1:9092")
            .because(cause)
            .hint("start one with `mesh up`");
        insta::assert_snapshot!(failure.report(), @r"
        error: cannot reach Kafka at 127.0.0.1:9092
          because: connection refused
        hint: start one with `mesh up`
        ");
        assert_eq!(failure.exit as u8, 4);
    }
}
