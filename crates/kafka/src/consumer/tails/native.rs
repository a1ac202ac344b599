//! librdkafka's queue of a consumer as it is: rdkafka's wrapper keeps the topic of an end-of-partition event to itself, and
//! copies headers.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, c_void},
    marker::PhantomData,
    ptr::{self, NonNull},
    slice,
    time::Duration,
};

use rdkafka::{
    bindings::{
        RD_KAFKA_EVENT_ERROR, RD_KAFKA_EVENT_FETCH, rd_kafka_event_destroy, rd_kafka_event_error,
        rd_kafka_event_message_next, rd_kafka_event_topic_partition, rd_kafka_event_type, rd_kafka_header_get_last,
        rd_kafka_message_headers, rd_kafka_message_timestamp, rd_kafka_queue_destroy, rd_kafka_queue_get_consumer,
        rd_kafka_queue_poll, rd_kafka_timestamp_type_t as TimestampType, rd_kafka_topic_name,
        rd_kafka_topic_partition_destroy,
    },
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::RDKafkaErrorCode as Code,
    types::{RDKafkaEvent, RDKafkaMessage, RDKafkaQueue, RDKafkaRespErr},
};

/// Where a consumer's messages and events come.
pub(super) struct Queue<'c>(NonNull<RDKafkaQueue>, PhantomData<&'c ()>);

/// What came.
pub(super) enum Polled<'q> {
    Record(Raw<'q>),
    /// Something went wrong with a partition, or with the client (no topic); the end of a partition counts as such.
    Failed {
        code: Code,
        topic: Vec<u8>,
        partition: i32,
    },
}

impl<'c> Queue<'c> {
    pub(super) fn of<C: ConsumerContext>(consumer: &'c BaseConsumer<C>) -> Option<Self> {
        // SAFETY: the handle is a consumer's and lives as long as `consumer`; the call returns null or a reference that is ours.
        let queue = unsafe { rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        NonNull::new(queue).map(|queue| Queue(queue, PhantomData))
    }

    /// Waits for the next record or failure; what else there is passes by.
    pub(super) fn poll(&self, wait: Duration) -> Option<Polled<'_>> {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is ours; the call returns null or an event that is ours.
        let event = Event(NonNull::new(unsafe { rd_kafka_queue_poll(self.0.as_ptr(), wait_ms) })?);
        // SAFETY: the event is ours.
        match unsafe { rd_kafka_event_type(event.0.as_ptr()) } {
            RD_KAFKA_EVENT_FETCH => {
                // SAFETY: a fetch event, which holds one message and keeps it.
                let message = unsafe { rd_kafka_event_message_next(event.0.as_ptr()) };
                let message = NonNull::new(message.cast_mut())?;
                Some(Polled::Record(Raw { message, _event: event, queue: PhantomData }))
            }
            RD_KAFKA_EVENT_ERROR => Some(event.failed()),
            _ => None,
        }
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, given back once, while the consumer lives.
        unsafe { rd_kafka_queue_destroy(self.0.as_ptr()) }
    }
}

struct Event(NonNull<RDKafkaEvent>);

impl Event {
    fn failed(&self) -> Polled<'static> {
        // SAFETY: an error event; the partition is null or ours.
        let (code, partition) =
            unsafe { (rd_kafka_event_error(self.0.as_ptr()), rd_kafka_event_topic_partition(self.0.as_ptr())) };
        let Some(found) = NonNull::new(partition) else {
            return Polled::Failed { code: code.into(), topic: Vec::new(), partition: -1 };
        };
        // SAFETY: not null, with a NUL-terminated name; given back once, after the copy was made.
        unsafe {
            let topic = CStr::from_ptr(found.as_ref().topic).to_bytes().to_vec();
            let partition = found.as_ref().partition;
            rd_kafka_topic_partition_destroy(found.as_ptr());
            Polled::Failed { code: code.into(), topic, partition }
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours, given back once, while the consumer lives.
        unsafe { rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

/// A message in librdkafka's memory, which its event keeps.
pub(super) struct Raw<'q> {
    message: NonNull<RDKafkaMessage>,
    _event: Event,
    queue: PhantomData<&'q ()>,
}

impl Raw<'_> {
    fn message(&self) -> &RDKafkaMessage {
        // SAFETY: the event's, which is ours until dropped.
        unsafe { self.message.as_ref() }
    }

    /// The topic.
    pub(super) fn topic(&self) -> &[u8] {
        let topic = self.message().rkt;
        if topic.is_null() {
            return &[];
        }
        // SAFETY: not null; the name is NUL-terminated and lives as long as the topic, which the message keeps.
        unsafe { CStr::from_ptr(rd_kafka_topic_name(topic)) }.to_bytes()
    }

    pub(super) fn partition(&self) -> i32 {
        self.message().partition
    }

    pub(super) fn offset(&self) -> i64 {
        self.message().offset
    }

    pub(super) fn payload_bytes(&self) -> usize {
        self.message().len + self.message().key_len
    }

    pub(super) fn timestamp_ms(&self) -> Option<i64> {
        let mut kind = TimestampType::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is ours; the call writes the kind.
        let timestamp_ms = unsafe { rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut kind) };
        (kind != TimestampType::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp_ms != -1).then_some(timestamp_ms)
    }

    /// The value of the last header of this name.
    pub(super) fn header(&self, name: &CStr) -> Option<&[u8]> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is ours and keeps its headers.
        let code = unsafe { rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) };
        if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let (mut value, mut bytes): (*const c_void, usize) = (ptr::null(), 0);
        // SAFETY: the list is the message's, the name NUL-terminated; on success the value is null or points into the list.
        let code = unsafe { rd_kafka_header_get_last(headers, name.as_ptr(), &raw mut value, &raw mut bytes) };
        if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || value.is_null() {
            return None;
        }
        // SAFETY: as above; it lives as long as the message.
        Some(unsafe { slice::from_raw_parts(value.cast::<u8>(), bytes) })
    }
}
