//! From a quarantined record to what its views show, under the programs in force now.

use mesh_avro::wire;
use mesh_kafka::sink::Headers;

use super::programs::Programs;
use crate::{
    lookup::Prepared,
    product::{KeyPolicy, Product},
    quarantine::{Envelope, Reason},
    task::{EVENT_TIME_HEADER, TOKEN_KEYS_HEADER},
    treatment::Bench,
};

/// Which record of the input a replayed one is: its offset, in the output's own partition.
const REPLAYED_HEADER: &str = "mesh-replayed-offset";

/// What goes to one output port.
pub(super) struct Rendered {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
}

/// A record as its views show it, in the order of the ports.
pub(super) struct Views {
    pub(super) ports: Vec<Rendered>,
    event_time_ms: Option<i64>,
    token_keys: Option<String>,
}

/// Runs a record through the programs in force, as the sidecar would if it came now.
pub(super) fn render(programs: &Programs, bench: &mut Bench, envelope: &Envelope) -> Result<Views, Reason> {
    match &envelope.value {
        None => tombstone(programs, bench, envelope.key.as_deref()),
        Some(value) => upsert(programs, bench, envelope.key.as_deref(), value),
    }
}

fn tombstone(programs: &Programs, bench: &mut Bench, key: Option<&[u8]>) -> Result<Views, Reason> {
    let key = match (programs.product.key, key) {
        (KeyPolicy::Dropped, _) => return Err(Reason::UnkeyedTombstone),
        (_, None) => return Err(Reason::NullKey),
        (_, Some(key)) => key,
    };
    let base = &programs.base;
    let ports = base.ports.iter().map(|port| {
        let key = masked_key(base, bench, port.view, key)?;
        Ok(Rendered { key: Some(key), value: None })
    });
    let ports = ports.collect::<Result<_, Reason>>()?;
    Ok(Views { ports, event_time_ms: None, token_keys: base.token_keys.clone() })
}

fn upsert(programs: &Programs, bench: &mut Bench, key: Option<&[u8]>, value: &[u8]) -> Result<Views, Reason> {
    let framed = wire::parse(value).map_err(Reason::Wire)?;
    let prepared = programs.writer(framed.schema_id)?;
    let walked = prepared.treatment.run(bench, framed.datum);
    walked.map_err(|error| Reason::Datum { kind: error.kind, offset: error.offset })?;
    let key = match (programs.product.key, key) {
        (KeyPolicy::Dropped, _) | (KeyPolicy::Optional, None) => None,
        (KeyPolicy::Required, None) => return Err(Reason::NullKey),
        (_, Some(key)) if prepared.treatment.key_matches(bench, framed.datum, key) => Some(key),
        (_, Some(_)) => return Err(Reason::KeyMismatch),
    };
    let event_time_ms = bench.event_time_ms().filter(|_| programs.product.has_event_time);
    let ports = prepared.ports.iter().map(|port| {
        let value = [&port.frame[..], bench.output(port.view, framed.datum)].concat();
        let key = key.map(|key| masked_key(prepared, bench, port.view, key)).transpose()?;
        Ok(Rendered { key, value: Some(value) })
    });
    let ports = ports.collect::<Result<_, Reason>>()?;
    Ok(Views { ports, event_time_ms, token_keys: prepared.token_keys.clone() })
}

fn masked_key(prepared: &Prepared, bench: &mut Bench, view: usize, key: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut masked = Vec::new();
    let outcome = prepared.treatment.key(bench, view, key, &mut masked);
    outcome.map_err(|error| Reason::Key { kind: error.kind })?;
    Ok(masked)
}

impl Views {
    /// The headers of an output: those of the original that pass, the sidecar's own, and that it is a replay.
    pub(super) fn headers(&self, product: &Product, original: &Envelope, source_offset: i64) -> Headers {
        let mut headers = Headers::with_capacity(4);
        for header in &original.headers {
            if let Some(name) = product.passing(&header.name) {
                headers = headers.with(name, header.value.as_deref());
            }
        }
        if let Some(event_time_ms) = self.event_time_ms {
            headers = headers.with(EVENT_TIME_HEADER, Some(event_time_ms.to_string().as_bytes()));
        }
        if let Some(token_keys) = &self.token_keys {
            headers = headers.with(TOKEN_KEYS_HEADER, Some(token_keys.as_bytes()));
        }
        headers.with(REPLAYED_HEADER, Some(source_offset.to_string().as_bytes()))
    }
}
