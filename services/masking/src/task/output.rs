//! What is sent for a record, and where to.

use std::io::Write;

use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::{
    Error, ErrorKind,
    sink::{Failure, Headers, Outgoing, Refusal, Sink, Topic},
    source::{Message, Slot},
};
use serde_json::Value;

use super::part::Part;
use crate::{lookup::Prepared, product::Product};

/// The record's event time, in milliseconds since 1970.
pub(crate) const EVENT_TIME_HEADER: &str = "mesh-event-time";
/// Which keys reverse a record's tokens.
pub(crate) const TOKEN_KEYS_HEADER: &str = "mesh-token-keys";
/// How many characters the longest number has.
const DIGITS_MAX: usize = 20;

/// A product's outputs as the task's producer knows them.
#[derive(Debug)]
pub(super) struct Routes {
    /// In the order of the ports.
    pub(super) views: Vec<Topic>,
    pub(super) quarantine: Topic,
    /// None where nobody has made it.
    pub(super) audit: Option<Topic>,
}

impl Routes {
    pub(super) fn new(sink: &Sink, product: &Product, base: &Prepared) -> Result<Self, Error> {
        let views = base.ports.iter().map(|port| sink.topic(&port.topic)).collect::<Result<_, _>>()?;
        let audit = base.is_audited.then(|| sink.topic(AUDIT_TOPIC)).transpose()?;
        Ok(Routes { views, quarantine: sink.topic(&product.topics.quarantine)?, audit })
    }
}

/// A record that could not be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Culprit {
    pub(super) slot: Slot,
    pub(super) offset: i64,
    pub(super) kind: ErrorKind,
}

/// A record and its tag in the sink.
pub(super) struct Input<'r> {
    pub(super) message: &'r Message<'r>,
    pub(super) tag: usize,
    /// Whether the key goes to the views.
    pub(super) keyed: bool,
}

pub(super) fn send(
    sink: &Sink,
    part: &Part,
    input: &Input<'_>,
    outgoing: Outgoing<'_>,
    culprit: &mut Option<Culprit>,
) -> Result<(), Failure> {
    sink.send(outgoing).map_err(|refusal| match refusal {
        Refusal::Transaction(failure) => failure,
        // other outputs of the same record may be in the transaction already
        Refusal::Record(error) => {
            *culprit = Some(Culprit { slot: part.slot, offset: input.message.offset(), kind: error.kind() });
            Failure::Abort(error)
        }
    })
}

pub(super) fn outgoing<'a>(
    topic: &'a Topic,
    input: &'a Input<'_>,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Option<Headers>,
) -> Outgoing<'a> {
    let (partition, timestamp_ms) = (input.message.partition(), input.message.timestamp_ms());
    Outgoing { topic, partition, key, value, timestamp_ms, headers, tag: input.tag }
}

/// Tells `mesh.audit` within the open transaction. The tag is that of a record of the partition that is told of.
pub(super) fn tell(sink: &Sink, topic: &Topic, event: &Value, tag: usize) -> Result<(), Failure> {
    let value = event.to_string();
    let outgoing = Outgoing {
        topic,
        partition: 0,
        key: None,
        value: Some(value.as_bytes()),
        timestamp_ms: None,
        headers: None,
        tag,
    };
    sink.send(outgoing).map_err(|refusal| match refusal {
        Refusal::Transaction(failure) => failure,
        Refusal::Record(error) => Failure::Abort(error),
    })
}

/// The size of the headers that pass, with their lengths.
pub(super) fn passed_bytes(product: &Product, input: &Input<'_>) -> usize {
    let passed = input.message.headers().filter(|header| product.passing(header.name).is_some());
    passed.map(|header| header.name.len() + header.value.map_or(0, <[u8]>::len) + 10).sum()
}

/// The headers that pass, and those that the sidecar adds; none at all for most records.
pub(super) fn headers(
    product: &Product,
    input: &Input<'_>,
    event_time_ms: Option<i64>,
    token_keys: Option<&str>,
) -> Option<Headers> {
    let mut out: Option<Headers> = None;
    let mut add = |name: &str, value: Option<&[u8]>| {
        out = Some(out.take().unwrap_or_else(|| Headers::with_capacity(4)).with(name, value));
    };
    if input.message.has_headers() {
        for header in input.message.headers() {
            if let Some(name) = product.passing(header.name) {
                add(name, header.value);
            }
        }
    }
    if let Some(event_time_ms) = event_time_ms {
        let mut text = [0; DIGITS_MAX];
        add(EVENT_TIME_HEADER, Some(digits(event_time_ms, &mut text)));
    }
    if let Some(token_keys) = token_keys {
        add(TOKEN_KEYS_HEADER, Some(token_keys.as_bytes()));
    }
    out
}

/// A number as text, without memory of its own.
fn digits(number: i64, room: &mut [u8; DIGITS_MAX]) -> &[u8] {
    let mut rest = &mut room[..];
    // every number has room
    let _ = write!(rest, "{number}");
    let left = rest.len();
    &room[..DIGITS_MAX - left]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_room() {
        for number in [0, 7, -1, 1_700_000_000_000, i64::MAX, i64::MIN] {
            assert_eq!(digits(number, &mut [0; DIGITS_MAX]), number.to_string().as_bytes());
        }
    }
}
