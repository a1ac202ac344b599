//! The door: what an event must be before it comes into the graph or the topic. Its writers may be anybody.

mod keys;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use uuid::Uuid;

use crate::event::{Event, Facet, Facets, Subject, Thing, Touched, Wire, Work};
use crate::facet::{self, Base, Parent};

pub use refusal::Refusal;

/// The largest event, in bytes.
pub const EVENT_BYTES_MAX: usize = 1_000_000;
/// How deep an event's JSON may be nested.
pub const DEPTH_MAX: usize = 32;
/// The longest namespace or name, in bytes.
pub const NAME_BYTES_MAX: usize = 1_024;
/// The most inputs and outputs of one event.
pub const DATASETS_MAX: usize = 1_000;
/// The most facets of one thing.
pub const FACETS_MAX: usize = 100;
/// The most facets that are remembered as looked at.
const KNOWN_MAX: usize = 1 << 16;
/// The newest major version of a facet's schema: `jobType` is at 2.
const FACET_MAJOR_MAX: u32 = 2;

/// Of equal texts within this process, and of nobody's choosing.
static DIGESTS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Reads an event, or says why it is refused. Costs time and memory in proportion to its bytes, which are bounded.
pub fn accept(bytes: &[u8]) -> Result<Event<'_>, Refusal> {
    Door::default().accept(bytes)
}

/// A door that remembers the facets it has looked at: a job tells the same ones in every event.
#[derive(Debug, Default)]
pub struct Door {
    known: HashSet<u64>,
}

impl Door {
    /// As [`accept`].
    pub fn accept<'a>(&mut self, bytes: &'a [u8]) -> Result<Event<'a>, Refusal> {
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| Refusal::NotUtf8 { at: error.valid_up_to() })?;
        check_depth(bytes)?;
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| Refusal::malformed(&error))?;
        check_version(&wire.schema_url)?;
        let mut event = wire.sort().map_err(|reason| Refusal::Malformed { reason })?;
        self.check(&mut event.subject)?;
        Ok(event)
    }

    fn check(&mut self, subject: &mut Subject<'_>) -> Result<(), Refusal> {
        match subject {
            Subject::Run { id, facets, work, .. } => {
                self.check_facets(facets)?;
                check_parent(*id, facets)?;
                self.check_work(work)
            }
            Subject::Job(work) => self.check_work(work),
            Subject::Dataset(dataset) => {
                check_names("a data set's namespace", &dataset.namespace, "a data set's name", &dataset.name)?;
                self.check_facets(&mut dataset.facets)
            }
        }
    }

    fn check_work(&mut self, work: &mut Work<'_>) -> Result<(), Refusal> {
        let Thing { namespace, name, facets } = &mut work.job;
        check_names("a job's namespace", namespace, "a job's name", name)?;
        self.check_facets(facets)?;
        if work.inputs.len() + work.outputs.len() > DATASETS_MAX {
            return Err(Refusal::TooManyDatasets);
        }
        work.inputs.iter_mut().chain(&mut work.outputs).try_for_each(|touched| self.check_touched(touched))
    }

    fn check_touched(&mut self, touched: &mut Touched<'_>) -> Result<(), Refusal> {
        check_names("a data set's namespace", touched.namespace(), "a data set's name", touched.name())?;
        touched.facets_mut().into_iter().try_for_each(|facets| self.check_facets(facets))
    }

    fn check_facets(&mut self, facets: &mut Facets<'_>) -> Result<(), Refusal> {
        if facets.0.len() > FACETS_MAX {
            return Err(Refusal::TooMany { what: "facets of one thing", most: FACETS_MAX });
        }
        for index in 0..facets.0.len() {
            let (before, rest) = facets.0.split_at_mut(index);
            if before.iter().any(|facet| facet.name == rest[0].name) {
                return Err(Refusal::DuplicateKey { key: refusal::quoted(&rest[0].name) });
            }
            self.check_facet(&mut rest[0])?;
        }
        Ok(())
    }

    fn check_facet(&mut self, facet: &mut Facet<'_>) -> Result<(), Refusal> {
        facet.digest = DIGESTS.hash_one((&*facet.name, facet.text));
        if self.known.contains(&facet.digest) {
            return Ok(());
        }
        check_new_facet(&facet.name, facet.text)?;
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(facet.digest);
        Ok(())
    }
}

fn check_new_facet(name: &str, text: &str) -> Result<(), Refusal> {
    keys::check_unique(text).map_err(|error| unique(name, &error))?;
    let base: Base = serde_json::from_str(text).map_err(|error| Refusal::facet(name, &error))?;
    if !is_known_facet_version(&base.schema_url) {
        return Err(Refusal::UnknownVersion { what: format!("the facet {}", refusal::quoted(name)) });
    }
    if base.deleted {
        return Ok(());
    }
    facet::check(name, text).map_err(|error| Refusal::facet(name, &error))
}

fn unique(name: &str, error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    match text.strip_prefix(keys::DUPLICATE) {
        Some(key) => Refusal::DuplicateKey { key: refusal::quoted(key.split(" at line").next().unwrap_or(key)) },
        None => Refusal::facet(name, error),
    }
}

/// Counts brackets outside of strings, before anything is built from them.
fn check_depth(bytes: &[u8]) -> Result<(), Refusal> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(Refusal::TooDeep);
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Versions 1 and 2 of the specification differ in nothing that is read here.
fn check_version(url: &str) -> Result<(), Refusal> {
    let version = url.strip_prefix("https://openlineage.io/spec/").and_then(|rest| rest.split_once('/'));
    let is_known = version.is_some_and(|(version, file)| {
        (version.starts_with("1-") || version.starts_with("2-")) && file.starts_with("OpenLineage.json")
    });
    if is_known { Ok(()) } else { Err(Refusal::UnknownVersion { what: "the event".to_owned() }) }
}

/// The official facets have versions; anybody's own have whatever they like.
fn is_known_facet_version(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://openlineage.io/spec/facets/") else { return true };
    let major = rest.split('-').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| (1..=FACET_MAJOR_MAX).contains(&major))
}

fn check_parent(run: Uuid, facets: &Facets<'_>) -> Result<(), Refusal> {
    let is_own = facets.read::<Parent>().is_some_and(|parent| parent.run.run_id == run);
    if is_own { Err(Refusal::Cycle) } else { Ok(()) }
}

fn check_names(
    what_namespace: &'static str,
    namespace: &str,
    what_name: &'static str,
    name: &str,
) -> Result<(), Refusal> {
    check_name(what_namespace, namespace)?;
    check_name(what_name, name)
}

fn check_name(what: &'static str, name: &str) -> Result<(), Refusal> {
    let is_fine = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if is_fine { Ok(()) } else { Err(Refusal::Name { what }) }
}
