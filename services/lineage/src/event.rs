//! An event as it is read: borrowed from its text, its facets left as text until somebody asks. A job tells the same
//! facets again and again, so that most of an event need not be looked at twice; see [`Facet::digest`].

use std::borrow::Cow;

use jiff::Timestamp;
use mesh_client::lineage::{EventType, name};
use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::facet::{Parent, Shape};

/// An accepted event.
#[derive(Debug)]
pub struct Event<'a> {
    /// When it happened, in milliseconds since 1970.
    pub at_ms: i64,
    /// What it tells of.
    pub subject: Subject<'a>,
}

/// What an event tells of.
#[derive(Debug)]
pub enum Subject<'a> {
    /// Something happened to a run.
    Run {
        /// Which transition; the specification allows none.
        transition: Option<EventType>,
        /// The run.
        id: Uuid,
        /// What is told of the run.
        facets: Facets<'a>,
        /// The job that it executes, and what it moved.
        work: Work<'a>,
    },
    /// A job as designed.
    Job(Work<'a>),
    /// A data set as designed.
    Dataset(Thing<'a>),
}

/// A job with what it reads and writes.
#[derive(Debug)]
pub struct Work<'a> {
    /// The job.
    pub job: Thing<'a>,
    /// What it reads.
    pub inputs: Vec<Touched<'a>>,
    /// What it writes.
    pub outputs: Vec<Touched<'a>>,
}

/// A job or a data set.
#[derive(Debug, Deserialize)]
pub struct Thing<'a> {
    /// Where its name is unique.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// What is told of it.
    #[serde(borrow, default)]
    pub facets: Facets<'a>,
}

/// A data set that a job reads or writes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Touched<'a> {
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    facets: Facets<'a>,
    #[serde(borrow, default)]
    input_facets: Facets<'a>,
    #[serde(borrow, default)]
    output_facets: Facets<'a>,
}

impl<'a> Touched<'a> {
    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is told of it, whoever touches it.
    pub fn facets(&self) -> &Facets<'a> {
        &self.facets
    }

    /// What is told of this reading of it.
    pub fn input_facets(&self) -> &Facets<'a> {
        &self.input_facets
    }

    /// What is told of this writing of it.
    pub fn output_facets(&self) -> &Facets<'a> {
        &self.output_facets
    }

    pub(crate) fn facets_mut(&mut self) -> [&mut Facets<'a>; 3] {
        [&mut self.facets, &mut self.input_facets, &mut self.output_facets]
    }
}

/// Facets in their order.
#[derive(Debug, Default)]
pub struct Facets<'a>(pub(crate) Vec<Facet<'a>>);

/// A facet as text.
#[derive(Debug)]
pub struct Facet<'a> {
    /// The key it stands under.
    pub name: Cow<'a, str>,
    /// Its JSON.
    pub text: &'a str,
    /// Equal for equal texts, within this process; chosen by chance, so that nobody can aim at another's.
    pub digest: u64,
}

impl Facets<'_> {
    /// A facet by its key.
    pub fn find(&self, name: &str) -> Option<&Facet<'_>> {
        self.0.iter().find(|facet| facet.name == name)
    }

    /// A facet, read; `None` if it is not there, or is there to say that it no longer holds.
    pub fn read<S: Shape>(&self) -> Option<S> {
        self.find(S::KEY).and_then(Facet::read)
    }
}

impl Facet<'_> {
    /// What it says; `None` if it says that it no longer holds, or does not read as one.
    pub fn read<S: Shape>(&self) -> Option<S> {
        if crate::facet::is_deleted(self.text) { None } else { serde_json::from_str(self.text).ok() }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Facets<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FacetsVisitor).map(Facets)
    }
}

struct FacetsVisitor;

/// A key that is borrowed where no escape stands in it.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for FacetsVisitor {
    type Value = Vec<Facet<'de>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("facets")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut facets = Vec::new();
        while let Some(Key(name)) = map.next_key()? {
            let text = map.next_value::<&RawValue>()?.get();
            facets.push(Facet { name, text, digest: 0 });
        }
        Ok(facets)
    }
}

/// The three kinds of event before they are told apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wire<'a> {
    event_type: Option<EventType>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(rename = "producer")]
    _producer: Cow<'a, str>,
    #[serde(rename = "schemaURL", borrow)]
    pub(crate) schema_url: Cow<'a, str>,
    #[serde(borrow)]
    run: Option<WireRun<'a>>,
    #[serde(borrow)]
    job: Option<Thing<'a>>,
    #[serde(borrow)]
    dataset: Option<Thing<'a>>,
    #[serde(borrow)]
    inputs: Option<Vec<Touched<'a>>>,
    #[serde(borrow)]
    outputs: Option<Vec<Touched<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRun<'a> {
    run_id: Uuid,
    #[serde(borrow, default)]
    facets: Facets<'a>,
}

impl<'a> Wire<'a> {
    /// Tells the kinds apart as the specification does, by the presence of `run`, `job` and `dataset`; or says what is
    /// missing.
    pub(crate) fn sort(self) -> Result<Event<'a>, String> {
        let at_ms = instant(&self.event_time)?;
        let (inputs, outputs) = (self.inputs.unwrap_or_default(), self.outputs.unwrap_or_default());
        let subject = match (self.run, self.job, self.dataset) {
            (Some(run), Some(job), None) => Subject::Run {
                transition: self.event_type,
                id: run.run_id,
                facets: run.facets,
                work: Work { job, inputs, outputs },
            },
            (None, Some(job), None) => Subject::Job(Work { job, inputs, outputs }),
            (None, None, Some(dataset)) => Subject::Dataset(dataset),
            (Some(_), None, _) => return Err("a run without a job".to_owned()),
            (None, None, None) => return Err("neither a job nor a dataset".to_owned()),
            (_, _, Some(_)) => return Err("a dataset beside a run or a job: one event tells of one thing".to_owned()),
        };
        Ok(Event { at_ms, subject })
    }
}

/// RFC 3339, in milliseconds. Without an offset it is taken for UTC: so write clients that ask the clock naively.
fn instant(text: &str) -> Result<i64, String> {
    let with_offset = text.parse::<Timestamp>();
    let naive = || text.parse::<jiff::civil::DateTime>()?.to_zoned(jiff::tz::TimeZone::UTC).map(|it| it.timestamp());
    let found = with_offset.or_else(|_| naive());
    found.map(Timestamp::as_millisecond).map_err(|_| "eventTime is no instant such as 2026-01-01T00:00:00Z".to_owned())
}

impl Event<'_> {
    /// The record key on `mesh.lineage`, as the specification's Kafka transport writes it: a run that is part of another
    /// goes with that one's job.
    pub fn key(&self) -> String {
        match &self.subject {
            Subject::Run { facets, work, .. } => match facets.read::<Parent>() {
                Some(Parent { job, .. }) => name::run_key(&job.namespace, &job.name),
                None => name::run_key(&work.job.namespace, &work.job.name),
            },
            Subject::Job(work) => format!("job:{}/{}", work.job.namespace, work.job.name),
            Subject::Dataset(dataset) => format!("dataset:{}/{}", dataset.namespace, dataset.name),
        }
    }
}
