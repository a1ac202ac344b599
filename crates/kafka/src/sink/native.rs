//! What of librdkafka's producer rdkafka does not wrap, or wraps with memory for each record: topics that are kept, headers,
//! waiting for delivery without whole steps of 100 ms, and whether what was not delivered may be stored.
#![allow(unsafe_code)]

use std::{
    ffi::{CString, c_void},
    mem,
    ptr::{self, NonNull},
    time::Duration,
};

use rdkafka::{
    bindings::{
        RD_KAFKA_MSG_F_COPY, rd_kafka_flush, rd_kafka_header_add, rd_kafka_headers_destroy, rd_kafka_headers_new,
        rd_kafka_last_error, rd_kafka_message_status, rd_kafka_msg_status_t as Status, rd_kafka_producev,
        rd_kafka_topic_destroy, rd_kafka_topic_new, rd_kafka_vtype_t as Argument,
    },
    client::{Client, ClientContext},
    error::RDKafkaErrorCode,
    message::BorrowedMessage,
    types::{RDKafkaHeaders, RDKafkaRespErr, RDKafkaTopic},
};

/// A topic as one producer knows it. It must not outlive its producer, which whoever makes it sees to.
pub(super) struct TopicHandle(NonNull<RDKafkaTopic>);

impl TopicHandle {
    /// Has the producer know this topic from now on.
    pub(super) fn new<C: ClientContext>(client: &Client<C>, name: &str) -> Result<Self, RDKafkaErrorCode> {
        let name = CString::new(name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: the handle is a producer's and lives as long as `client`; the name is copied; without a configuration of
        // its own the topic has the producer's. The call returns null, or a reference that is ours to give back.
        let topic = unsafe { rd_kafka_topic_new(client.native_ptr(), name.as_ptr(), ptr::null_mut()) };
        // SAFETY: reads what the call before has left in this thread.
        NonNull::new(topic).map(TopicHandle).ok_or_else(|| unsafe { rd_kafka_last_error() }.into())
    }
}

impl Drop for TopicHandle {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, given back once, while the producer lives.
        unsafe { rd_kafka_topic_destroy(self.0.as_ptr()) }
    }
}

/// A list of headers on its way to librdkafka.
pub(super) struct HeaderList(NonNull<RDKafkaHeaders>);

impl HeaderList {
    pub(super) fn with_capacity(count: usize) -> Self {
        // SAFETY: returns a list that is ours; librdkafka ends the process where memory is exhausted, as Rust does.
        let list = unsafe { rd_kafka_headers_new(count) };
        HeaderList(NonNull::new(list).expect("librdkafka returns a list or does not return"))
    }

    /// Adds a header; names and values are copied, and may hold any bytes.
    pub(super) fn add(&mut self, name: &str, value: Option<&[u8]>) {
        let (value, value_bytes) = parts(value);
        // SAFETY: the list is ours; name and value are as long as said, which no slice exceeds `isize` in, and are copied.
        unsafe {
            rd_kafka_header_add(
                self.0.as_ptr(),
                name.as_ptr().cast(),
                name.len() as isize,
                value.cast_const(),
                value_bytes as isize,
            )
        };
    }
}

impl Drop for HeaderList {
    fn drop(&mut self) {
        // SAFETY: the list is ours and was not handed over.
        unsafe { rd_kafka_headers_destroy(self.0.as_ptr()) }
    }
}

/// A record as librdkafka takes it; key and value are copied.
pub(super) struct Produced<'a> {
    pub(super) topic: &'a TopicHandle,
    pub(super) partition: i32,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) timestamp_ms: Option<i64>,
    pub(super) tag: usize,
}

/// Puts a record into the producer's queue. Its headers go with it, or come back with the error.
///
/// The topic must be one of this client's.
pub(super) fn produce<C: ClientContext>(
    client: &Client<C>,
    record: &Produced<'_>,
    headers: Option<HeaderList>,
) -> Result<(), (RDKafkaErrorCode, Option<HeaderList>)> {
    let (key, key_bytes) = parts(record.key);
    let (value, value_bytes) = parts(record.value);
    let list = headers.as_ref().map_or(ptr::null_mut(), |headers| headers.0.as_ptr());
    // SAFETY: arguments come in pairs or triples of the types that librdkafka's header names for each kind, and end with
    // END. Key and value are copied before the call returns; the tag is never read through. On success, and only then, the
    // list of headers is librdkafka's.
    let code = unsafe {
        rd_kafka_producev(
            client.native_ptr(),
            Argument::RD_KAFKA_VTYPE_RKT,
            record.topic.0.as_ptr(),
            Argument::RD_KAFKA_VTYPE_PARTITION,
            record.partition,
            Argument::RD_KAFKA_VTYPE_MSGFLAGS,
            RD_KAFKA_MSG_F_COPY,
            Argument::RD_KAFKA_VTYPE_VALUE,
            value,
            value_bytes,
            Argument::RD_KAFKA_VTYPE_KEY,
            key,
            key_bytes,
            Argument::RD_KAFKA_VTYPE_OPAQUE,
            ptr::without_provenance_mut::<c_void>(record.tag),
            Argument::RD_KAFKA_VTYPE_TIMESTAMP,
            record.timestamp_ms.unwrap_or(0),
            Argument::RD_KAFKA_VTYPE_HEADERS,
            list,
            Argument::RD_KAFKA_VTYPE_END,
        )
    };
    if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Err((code.into(), headers));
    }
    mem::forget(headers);
    Ok(())
}

fn parts(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    bytes.map_or((ptr::null_mut(), 0), |bytes| (bytes.as_ptr().cast_mut().cast(), bytes.len()))
}

/// Sends without lingering and waits until everything is delivered, or for `step`; whether everything is.
///
/// Undelivered records count until the producer is polled.
pub(super) fn flush<C: ClientContext>(client: &Client<C>, step: Duration) -> bool {
    let step_ms = i32::try_from(step.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the handle is a producer's and lives as long as `client`; the call keeps nothing of ours.
    let code = unsafe { rd_kafka_flush(client.native_ptr(), step_ms) };
    code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// Whether a record that was reported as not delivered may be stored all the same: it was sent, and its answer never came.
pub(super) fn may_be_stored(message: &BorrowedMessage<'_>) -> bool {
    // SAFETY: the message lives as long as the borrow, and is only read.
    let status = unsafe { rd_kafka_message_status(message.ptr()) };
    status != Status::RD_KAFKA_MSG_STATUS_NOT_PERSISTED
}
