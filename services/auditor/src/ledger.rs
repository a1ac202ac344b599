//! Denials that were read and are not told yet, and how far they go.

use std::path::{Path, PathBuf};

use mesh_audit::{Event, Who, now_ms};

use crate::Error;
use crate::denial::{Denials, Line};
use crate::follower::Follower;
use crate::metrics;
use crate::position::{DENIED, Position};

/// So many lines are read at once; others have their turn in between.
const LINES_MAX: usize = 10_000;

/// A broker's authoriser log: what was read of it, and is to be told.
pub(crate) struct Ledger {
    follower: Follower,
    path: PathBuf,
    host: String,
    denials: Denials,
}

impl Ledger {
    pub(crate) fn open(path: &Path, host: &str, at: Option<&Position>) -> Result<Ledger, Error> {
        let at = at.map(|at| (at.first_line.as_str(), at.offset));
        let follower = Follower::resume(path, at).map_err(|source| failed(path, source))?;
        Ok(Ledger { follower, path: path.to_owned(), host: host.to_owned(), denials: Denials::default() })
    }

    /// Reads on, as far as there is room: what is not read stays in the file.
    pub(crate) fn read(&mut self) -> Result<(), Error> {
        for _ in 0..LINES_MAX {
            if self.denials.is_full() {
                break;
            }
            let Some(line) = self.follower.next_line().map_err(|source| failed(&self.path, source))? else { break };
            match Line::read(&line) {
                Line::Denied(denial) => self.denials.add(denial, now_ms()),
                Line::Unreadable => metrics::unreadable_line(),
                Line::Other => {}
            }
        }
        Ok(())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.denials.is_full()
    }

    /// What is to be told, and how far it goes; nothing if nobody was denied anything.
    pub(crate) fn event(&self, who: &Who) -> Option<(Event, Position)> {
        let (first_line, offset) = self.follower.position().filter(|_| !self.denials.is_empty())?;
        let file = self.path.display().to_string();
        let position = Position { host: self.host.clone(), file, first_line: first_line.to_owned(), offset };
        let event = Event::new(DENIED, who).with("denials", self.denials.told()).with("log", &position);
        Some((event, position))
    }

    /// What was to be told is told.
    pub(crate) fn settle(&mut self) {
        metrics::denied(self.denials.total());
        self.denials.clear();
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::ReadLog { file: path.to_owned(), source }
}
