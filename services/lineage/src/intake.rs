//! The door: what an event must be before it comes into the graph or the topic. Its writers may be anybody.

use mesh_client::lineage::{Dataset, Event, Facets, InputDataset, Job, OutputDataset};
use serde_json::Value;

/// The largest event.
pub const EVENT_BYTES_MAX: usize = 1_000_000;
/// How deep an event's JSON may be nested.
pub const DEPTH_MAX: usize = 32;
/// The longest namespace or name.
pub const NAME_BYTES_MAX: usize = 1_024;
/// The most inputs, and the most outputs.
pub const DATASETS_MAX: usize = 1_000;
/// The most facets of one thing.
pub const FACETS_MAX: usize = 100;

/// Why an event is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many bytes.
    #[error("the event has {bytes} bytes, more than {EVENT_BYTES_MAX}")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// Nested too deep.
    #[error("the event's JSON is nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// Not JSON, or not an event's.
    #[error("the event is not one of OpenLineage 2-0-2: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// A version of the specification that is not known.
    #[error(
        "the event's schemaURL names no version of OpenLineage that is known here: write https://openlineage.io/spec/2-0-2/OpenLineage.json"
    )]
    UnknownVersion,
    /// A name that is empty, too long, or has control characters in it.
    #[error("{what} must have 1 to {NAME_BYTES_MAX} bytes and no control characters")]
    Name {
        /// Whose name.
        what: &'static str,
    },
    /// Too many of something.
    #[error("the event has more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it may have.
        most: usize,
    },
    /// A facet without the two properties that each must have.
    #[error("every facet must be an object with _producer and _schemaURL")]
    Facet,
}

impl Refusal {
    /// The reason in one word, for metrics and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::TooDeep => "too-deep",
            Self::Malformed { .. } => "malformed",
            Self::UnknownVersion => "unknown-version",
            Self::Name { .. } => "name",
            Self::TooMany { .. } => "too-many",
            Self::Facet => "facet",
        }
    }
}

/// Reads an event, or says why it is refused. Costs time and memory in proportion to its bytes, which are bounded.
pub fn accept(bytes: &[u8]) -> Result<Event, Refusal> {
    if bytes.len() > EVENT_BYTES_MAX {
        return Err(Refusal::TooLarge { bytes: bytes.len() });
    }
    check_depth(bytes)?;
    let value: Value = serde_json::from_slice(bytes).map_err(malformed)?;
    check_version(&value)?;
    let event = Event::from_value(value).map_err(malformed)?;
    check(&event)?;
    Ok(event)
}

fn malformed(error: serde_json::Error) -> Refusal {
    // serde quotes the offending value, which may be long
    Refusal::Malformed { reason: error.to_string().chars().take(200).collect() }
}

/// Counts brackets outside of strings, before anything is built from them.
fn check_depth(bytes: &[u8]) -> Result<(), Refusal> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(Refusal::TooDeep);
        }
    }
    Ok(())
}

/// Versions 1 and 2 of the specification differ in nothing that is read here.
fn check_version(value: &Value) -> Result<(), Refusal> {
    let Some(url) = value.get("schemaURL").and_then(Value::as_str) else { return Ok(()) };
    let version = url.strip_prefix("https://openlineage.io/spec/").and_then(|rest| rest.split_once('/'));
    let is_known = version.is_some_and(|(version, file)| {
        (version.starts_with("1-") || version.starts_with("2-")) && file.starts_with("OpenLineage.json")
    });
    if is_known { Ok(()) } else { Err(Refusal::UnknownVersion) }
}

fn check(event: &Event) -> Result<(), Refusal> {
    match event {
        Event::Run(event) => {
            check_facets(&event.run.facets)?;
            check_job(&event.job, &event.inputs, &event.outputs)
        }
        Event::Job(event) => check_job(&event.job, &event.inputs, &event.outputs),
        Event::Dataset(event) => check_dataset(&event.dataset),
    }
}

fn check_job(job: &Job, inputs: &[InputDataset], outputs: &[OutputDataset]) -> Result<(), Refusal> {
    check_name("a job's namespace", &job.namespace)?;
    check_name("a job's name", &job.name)?;
    check_facets(&job.facets)?;
    at_most("inputs", inputs.len(), DATASETS_MAX)?;
    at_most("outputs", outputs.len(), DATASETS_MAX)?;
    for input in inputs {
        check_dataset(&input.dataset)?;
        check_facets(&input.input_facets)?;
    }
    for output in outputs {
        check_dataset(&output.dataset)?;
        check_facets(&output.output_facets)?;
    }
    Ok(())
}

fn check_dataset(dataset: &Dataset) -> Result<(), Refusal> {
    check_name("a data set's namespace", &dataset.namespace)?;
    check_name("a data set's name", &dataset.name)?;
    check_facets(&dataset.facets)
}

fn check_name(what: &'static str, name: &str) -> Result<(), Refusal> {
    let is_fine = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if is_fine { Ok(()) } else { Err(Refusal::Name { what }) }
}

fn check_facets(facets: &Facets) -> Result<(), Refusal> {
    let facets = facets.as_map();
    at_most("facets of one thing", facets.len(), FACETS_MAX)?;
    let is_signed =
        |facet: &Value| ["_producer", "_schemaURL"].iter().all(|key| facet.get(key).is_some_and(Value::is_string));
    for (name, facet) in facets {
        check_name("a facet's name", name)?;
        if !is_signed(facet) {
            return Err(Refusal::Facet);
        }
    }
    Ok(())
}

fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), Refusal> {
    if count <= most { Ok(()) } else { Err(Refusal::TooMany { what, most }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "eventType": "START",
            "eventTime": "2026-01-01T00:00:00+00:00",
            "producer": "https://example.org/flink",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": "01890a5d-ac96-774b-bcce-b302099a8057"},
            "job": {"namespace": "flink", "name": "enrich"},
            "inputs": [{"namespace": "kafka://k:9092", "name": "crm.customers.v1"}],
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> &'static str {
        let mut event = event();
        change(&mut event);
        accept(event.to_string().as_bytes()).err().map_or("accepted", |refusal| refusal.code())
    }

    #[test]
    fn an_event_of_another_system_is_accepted() {
        assert_eq!(refusal(|_| {}), "accepted");
        assert_eq!(
            refusal(|event| event["schemaURL"] = json!("https://openlineage.io/spec/1-0-5/OpenLineage.json")),
            "accepted"
        );
    }

    #[test]
    fn hostile_events_are_refused_with_a_reason() {
        let deep = (0..100).fold(json!({}), |inner, _| json!({ "x": inner }));
        assert_eq!(refusal(|event| event["job"]["facets"] = json!({ "deep": deep })), "too-deep");
        assert_eq!(refusal(|event| event["job"]["name"] = json!("x".repeat(NAME_BYTES_MAX + 1))), "name");
        assert_eq!(refusal(|event| event["job"]["name"] = json!("x".repeat(EVENT_BYTES_MAX))), "too-large");
        assert_eq!(refusal(|event| event["job"]["namespace"] = json!("")), "name");
        assert_eq!(refusal(|event| event["job"]["name"] = json!("a\u{0}b")), "name");
        assert_eq!(
            refusal(|event| event["schemaURL"] = json!("https://openlineage.io/spec/9-0-0/OpenLineage.json")),
            "unknown-version"
        );
        assert_eq!(refusal(|event| event["schemaURL"] = json!("file:///etc/passwd")), "unknown-version");
        assert_eq!(refusal(|event| event["run"]["runId"] = json!("seven")), "malformed");
        assert_eq!(refusal(|event| event["eventTime"] = json!("yesterday")), "malformed");
        assert_eq!(refusal(|event| event["eventType"] = json!("EXPLODE")), "malformed");
        assert_eq!(refusal(|event| event["job"]["facets"] = json!({"jobType": 7})), "facet");
        let dataset = json!({"namespace": "n", "name": "n"});
        assert_eq!(refusal(|event| event["inputs"] = json!(vec![dataset; DATASETS_MAX + 1])), "too-many");
    }

    #[test]
    fn brackets_in_strings_are_no_nesting() {
        assert_eq!(refusal(|event| event["job"]["name"] = json!("[[[\"{\\".repeat(40))), "accepted");
    }

    proptest! {
        #[test]
        fn no_bytes_crash_it(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = accept(&bytes);
        }

        #[test]
        fn no_damage_crashes_it(at in 0_usize..400, byte: u8) {
            let mut bytes = event().to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = accept(&bytes);
        }
    }
}
