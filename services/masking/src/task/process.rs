//! From a record to what is sent for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_avro::{keys::Key, wire};
use mesh_kafka::{
    sink::{Failure, Outgoing, Sink},
    source::Message,
};

use super::{
    output::{Culprit, Input, Routes, headers, outgoing, passed_bytes, send},
    part::{Cause, Found, Hold, Part},
};
use crate::{
    lookup::{Lookups, Prepared},
    product::{KeyPolicy, Product},
    quarantine::{self, Provenance, Reason},
    treatment::Bench,
    trouble::Trouble,
};

/// How long a sealing key is used before the provider is asked for a newer one.
const SEALING_KEY_AGE: Duration = Duration::from_secs(60);
/// Between two attempts to have a sealing key.
const KEY_RETRY: Duration = Duration::from_secs(1);
/// What a record takes on the wire beyond its key, value and headers: the batch around it, its own lengths, and the headers
/// that the sidecar adds.
const RECORD_OVERHEAD: usize = 256;
/// As above, for a quarantined record, whose headers are all the sidecar's.
const QUARANTINE_OVERHEAD: usize = 2_048;
/// Between two attempts to put a record into a quarantine that does not take it.
const SIZE_RETRY: Duration = Duration::from_secs(10);
/// How often the clock is looked at: once in so many records.
const CLOCK_STEP: usize = 64;

/// What became of a record.
enum Step {
    /// Everything for it is sent, to the views or to the quarantine.
    Done,
    /// Nothing for it is sent; its partition waits.
    Wait(Cause),
}

/// What records are processed with: working memory, kept from record to record.
pub(super) struct Desk {
    lookups: Lookups,
    bench: Bench,
    /// Each port's key of the record at hand.
    keys: Vec<Vec<u8>>,
    plain: Vec<u8>,
    sealing: Option<(Key, Instant)>,
    /// Whether a transaction is open.
    pub(super) is_open: bool,
    /// The record that was refused by the producer itself.
    pub(super) culprit: Option<Culprit>,
}

/// A run of records and what is the same for all of them.
struct Run<'r> {
    product: &'r Arc<Product>,
    base: &'r Prepared,
    routes: &'r Routes,
    /// The last offset of the run.
    up_to: i64,
}

impl Desk {
    pub(super) fn new(lookups: Lookups) -> Self {
        Desk {
            lookups,
            bench: Bench::default(),
            keys: Vec::new(),
            plain: Vec::new(),
            sealing: None,
            is_open: false,
            culprit: None,
        }
    }

    /// Processes consecutive records of a partition until one has to wait or the time is up.
    pub(super) fn run(
        &mut self,
        sink: &Sink,
        part: &mut Part,
        messages: &[Message<'_>],
        first_tag: usize,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return Ok(()) };
        let (product, ready) = match part.ready(sink, &self.lookups, last.offset()) {
            Ok(ready) => ready,
            Err(cause) => {
                part.hold = Some(Hold { offset: first.offset(), cause });
                return Ok(());
            }
        };
        let run = Run { product: &product, base: &ready.base, routes: &ready.routes, up_to: last.offset() };
        let mut current: Option<(u32, Arc<Prepared>)> = None;
        for (index, message) in messages.iter().enumerate() {
            if index % CLOCK_STEP == 0 && Instant::now() >= deadline {
                part.leftover = Some(message.offset());
                return Ok(());
            }
            if !self.is_open {
                sink.begin()?;
                self.is_open = true;
            }
            let input = Input { message, tag: first_tag + index, keyed: false };
            match self.record(sink, part, &run, input, &mut current)? {
                Step::Done => {
                    let bytes = message.value().map_or(0, <[u8]>::len) + message.key().map_or(0, <[u8]>::len);
                    part.tally.record(message.offset(), bytes);
                    part.next = Some(message.offset() + 1);
                }
                Step::Wait(cause) => {
                    part.hold = Some(Hold { offset: message.offset(), cause });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        sink: &Sink,
        part: &mut Part,
        run: &Run<'_>,
        input: Input<'_>,
        current: &mut Option<(u32, Arc<Prepared>)>,
    ) -> Result<Step, Failure> {
        if let Some((_, reason)) = part.condemned.as_ref().filter(|(offset, _)| *offset == input.message.offset()) {
            let reason = reason.clone();
            return self.quarantine(sink, part, run, &input, &reason);
        }
        match input.message.value() {
            None => self.tombstone(sink, part, run, input),
            Some(value) => self.upsert(sink, part, run, input, value, current),
        }
    }

    /// A delete: to every view, under the key as the view has it.
    fn tombstone(
        &mut self,
        sink: &Sink,
        part: &mut Part,
        run: &Run<'_>,
        mut input: Input<'_>,
    ) -> Result<Step, Failure> {
        let refused = match (run.product.key, input.message.key()) {
            (KeyPolicy::Dropped, _) => Some(Reason::UnkeyedTombstone),
            (_, None) => Some(Reason::NullKey),
            (_, Some(key)) => self.mask_keys(run.base, key).err(),
        };
        if let Some(reason) = refused {
            return self.quarantine(sink, part, run, &input, &reason);
        }
        input.keyed = true;
        for (topic, key) in run.routes.views.iter().zip(&self.keys) {
            let headers = headers(run.product, &input, None, run.base.token_keys.as_deref());
            let outgoing = outgoing(topic, &input, Some(key), None, headers);
            send(sink, part, &input, outgoing, &mut self.culprit)?;
        }
        part.tally.tombstones += 1;
        Ok(Step::Done)
    }

    fn upsert(
        &mut self,
        sink: &Sink,
        part: &mut Part,
        run: &Run<'_>,
        mut input: Input<'_>,
        value: &[u8],
        current: &mut Option<(u32, Arc<Prepared>)>,
    ) -> Result<Step, Failure> {
        let framed = match wire::parse(value) {
            Ok(framed) => framed,
            Err(error) => return self.quarantine(sink, part, run, &input, &Reason::Wire(error)),
        };
        let id = framed.schema_id;
        if current.as_ref().is_none_or(|(of, _)| *of != id) {
            match part.program(&self.lookups, run.product, id, input.message.offset(), run.up_to) {
                Found::Ready(prepared) => *current = Some((id, prepared)),
                Found::Refused(reason) => return self.quarantine(sink, part, run, &input, &reason),
                Found::Wait(cause) => return Ok(Step::Wait(cause)),
            }
        }
        let Some((_, prepared)) = &*current else { return Ok(Step::Wait(Cause::Contract(Trouble::Contract))) };
        if let Err(reason) = self.guard(part, run, prepared, &mut input, framed.datum) {
            return self.quarantine(sink, part, run, &input, &reason);
        }
        if !sink.compresses() && self.is_too_large(run, &input, prepared, framed.datum) {
            return self.quarantine(sink, part, run, &input, &Reason::OutputTooLarge);
        }
        part.tally.dropped_fields += prepared.dropped_fields;
        part.tally.forgotten += u64::from(self.bench.is_forgotten());
        self.emit(sink, part, run, &input, prepared, value)?;
        part.tally.masked(id);
        Ok(Step::Done)
    }

    /// Walks the record, and has every view's datum and key ready, or the reason why there are none.
    fn guard(
        &mut self,
        part: &mut Part,
        run: &Run<'_>,
        prepared: &Prepared,
        input: &mut Input<'_>,
        datum: &[u8],
    ) -> Result<(), Reason> {
        let walked = prepared.treatment.run(&mut self.bench, datum);
        walked.map_err(|error| Reason::Datum { kind: error.kind, offset: error.offset })?;
        match (run.product.key, input.message.key()) {
            (KeyPolicy::Dropped, key) => part.tally.dropped_keys += u64::from(key.is_some()),
            (KeyPolicy::Required, None) => return Err(Reason::NullKey),
            (KeyPolicy::Optional, None) => {}
            (KeyPolicy::Optional | KeyPolicy::Required, Some(key)) => {
                if !prepared.treatment.key_matches(&self.bench, datum, key) {
                    return Err(Reason::KeyMismatch);
                }
                self.mask_keys(prepared, key)?;
                input.keyed = true;
            }
        }
        Ok(())
    }

    /// Whether an output is certain to be refused by its topic, so that the transaction need not fail to find out.
    fn is_too_large(&self, run: &Run<'_>, input: &Input<'_>, prepared: &Prepared, datum: &[u8]) -> bool {
        let Some(sizes) = &run.base.sizes else { return false };
        let passed = if input.message.has_headers() { passed_bytes(run.product, input) } else { 0 };
        prepared.ports.iter().zip(&sizes.ports).enumerate().any(|(index, (port, size_max))| {
            let key = if input.keyed { self.keys[index].len() } else { 0 };
            let value = wire::HEADER_BYTES + self.bench.output(port.view, datum).len();
            key + value + passed + RECORD_OVERHEAD > *size_max
        })
    }

    fn mask_keys(&mut self, prepared: &Prepared, key: &[u8]) -> Result<(), Reason> {
        self.keys.resize_with(prepared.ports.len(), Vec::new);
        for (port, masked) in prepared.ports.iter().zip(&mut self.keys) {
            let outcome = prepared.treatment.key(&mut self.bench, port.view, key, masked);
            outcome.map_err(|error| Reason::Key { kind: error.kind })?;
        }
        Ok(())
    }

    fn emit(
        &mut self,
        sink: &Sink,
        part: &Part,
        run: &Run<'_>,
        input: &Input<'_>,
        prepared: &Prepared,
        value: &[u8],
    ) -> Result<(), Failure> {
        let event_time = self.bench.event_time_ms().filter(|_| run.product.has_event_time);
        for (index, (port, topic)) in prepared.ports.iter().zip(&run.routes.views).enumerate() {
            let framed = self.bench.framed(port.view, port.frame, value);
            let key = input.keyed.then(|| self.keys[index].as_slice());
            let headers = headers(run.product, input, event_time, prepared.token_keys.as_deref());
            let outgoing = outgoing(topic, input, key, Some(framed), headers);
            send(sink, part, input, outgoing, &mut self.culprit)?;
        }
        Ok(())
    }

    /// Seals the record and puts it aside; without a key to seal it with, the partition waits.
    fn quarantine(
        &mut self,
        sink: &Sink,
        part: &mut Part,
        run: &Run<'_>,
        input: &Input<'_>,
        reason: &Reason,
    ) -> Result<Step, Failure> {
        let no_key = || Ok(Step::Wait(Cause::Until(Instant::now() + KEY_RETRY, Trouble::Keys)));
        let Some(key) = self.sealing_key(run.product) else { return no_key() };
        let message = input.message;
        let provenance = Provenance {
            topic: &part.topic,
            partition: part.partition,
            offset: message.offset(),
            timestamp_ms: message.timestamp_ms(),
            schema_id: message.value().and_then(|value| wire::parse(value).ok()).map(|framed| framed.schema_id),
            product: &run.product.name,
            major: run.product.major,
            revision: run.product.revision,
            generation: part.outputs.generation,
            key_version: key.version(),
        };
        let place = quarantine::associated_data(&part.topic, part.partition, message.offset());
        let headers = message.headers().map(|header| (header.name, header.value));
        let sealed = quarantine::seal(&key, &place, message.key(), message.value(), headers, &mut self.plain);
        let Ok(sealed) = sealed else { return no_key() };
        let size_max = run.base.sizes.as_ref().map_or(usize::MAX, |sizes| sizes.quarantine);
        if !sink.compresses() && sealed.len() + QUARANTINE_OVERHEAD > size_max {
            let cause = Cause::Until(Instant::now() + SIZE_RETRY, Trouble::QuarantineTooSmall);
            part.forget_base(&self.lookups);
            return Ok(Step::Wait(cause));
        }
        let headers = Some(provenance.headers(reason));
        let outgoing = outgoing(&run.routes.quarantine, input, None, Some(&sealed), headers);
        let outgoing = Outgoing { timestamp_ms: None, ..outgoing };
        send(sink, part, input, outgoing, &mut self.culprit)?;
        part.tally.quarantined(reason.code());
        Ok(Step::Done)
    }

    fn sealing_key(&mut self, product: &Product) -> Option<Key> {
        if let Some((key, _)) = self.sealing.as_ref().filter(|(_, since)| since.elapsed() < SEALING_KEY_AGE) {
            return Some(key.clone());
        }
        match self.lookups.keys().key(&product.quarantine_key) {
            Ok(key) => {
                self.sealing = Some((key.clone(), Instant::now()));
                Some(key)
            }
            Err(error) => {
                tracing::debug!(product = %product.name, %error, "no key to seal a quarantined record with");
                None
            }
        }
    }
}
