//! Requests of librdkafka's admin API that rdkafka does not wrap: offsets by timestamp, the groups, what a group has committed.
//!
//! Each is sent to a queue of its own, waited for, and copied out of the event that answers it.
#![allow(unsafe_code)]

mod members;
mod permissions;
mod settings;

use std::{
    ffi::{CStr, CString, c_char},
    ptr::{self, NonNull},
    slice,
    time::Duration,
};

use rdkafka::{
    TopicPartitionList,
    bindings::{
        rd_kafka_AdminOptions_destroy, rd_kafka_AdminOptions_new, rd_kafka_AdminOptions_set_isolation_level,
        rd_kafka_AdminOptions_set_request_timeout, rd_kafka_ConsumerGroupListing_group_id,
        rd_kafka_IsolationLevel_t as IsolationLevel, rd_kafka_ListConsumerGroupOffsets,
        rd_kafka_ListConsumerGroupOffsets_destroy, rd_kafka_ListConsumerGroupOffsets_new,
        rd_kafka_ListConsumerGroupOffsets_result_groups, rd_kafka_ListConsumerGroupOffsets_t,
        rd_kafka_ListConsumerGroups, rd_kafka_ListConsumerGroups_result_valid, rd_kafka_ListOffsets,
        rd_kafka_ListOffsets_result_infos, rd_kafka_ListOffsetsResultInfo_timestamp,
        rd_kafka_ListOffsetsResultInfo_topic_partition, rd_kafka_admin_op_t as Operation, rd_kafka_error_code,
        rd_kafka_error_destroy, rd_kafka_event_ListConsumerGroupOffsets_result,
        rd_kafka_event_ListConsumerGroups_result, rd_kafka_event_ListOffsets_result, rd_kafka_event_destroy,
        rd_kafka_event_error, rd_kafka_group_result_error, rd_kafka_group_result_partitions, rd_kafka_queue_destroy,
        rd_kafka_queue_new, rd_kafka_queue_poll, rd_kafka_topic_partition_t,
    },
    client::{Client, ClientContext},
    error::RDKafkaErrorCode as Code,
    types::{RDKafkaAdminOptions, RDKafkaEvent, RDKafkaQueue, RDKafkaRespErr},
};

use crate::{Offsets, TopicPartition};

pub(super) use members::group_members;
pub(super) use permissions::{on_cluster, on_topics};
pub(super) use settings::change_settings;

/// What to ask for of a partition, as the protocol counts it (KIP-734 for the newest timestamp).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spec {
    /// The offset after the last one that a read-committed reader can see.
    VisibleEnd,
    /// The offset and timestamp of what has the newest timestamp, transaction markers included.
    NewestTimestamp,
}

/// What a broker said of one partition.
pub(super) struct Answer {
    pub(super) partition: TopicPartition,
    pub(super) offset: i64,
    /// -1: none.
    pub(super) timestamp_ms: i64,
    pub(super) error: Option<Code>,
}

/// Asks the partitions' leaders, all partitions of one leader in one request.
pub(super) fn list_offsets<C: ClientContext>(
    client: &Client<C>,
    asked: &[TopicPartition],
    spec: Spec,
    timeout: Duration,
) -> Result<Vec<Answer>, Code> {
    let mut list = TopicPartitionList::with_capacity(asked.len());
    for partition in asked {
        list.add_partition(&partition.topic, partition.partition);
    }
    let raw = match spec {
        Spec::VisibleEnd => -1,
        Spec::NewestTimestamp => -3,
    };
    // SAFETY: the list is ours and has `cnt` elements, which nobody else looks at now.
    for element in unsafe { slice::from_raw_parts_mut((*list.ptr()).elems, asked.len()) } {
        element.offset = raw;
    }
    let options = AdminOptions::new(client, Operation::RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout)?.read_committed()?;
    let event = Queue::new(client).ask(timeout, |queue| {
        // SAFETY: client, list, options and queue live until the call returns, which copies the list.
        unsafe { rd_kafka_ListOffsets(client.native_ptr(), list.ptr(), options.0.as_ptr(), queue) };
    })?;
    let mut count = 0;
    // SAFETY: the event answers this very request, so that its result is of this type; the array lives as long as it.
    let infos = unsafe {
        let result = rd_kafka_event_ListOffsets_result(event.0.as_ptr());
        array(rd_kafka_ListOffsets_result_infos(result, &raw mut count), count)
    };
    let answers = infos.iter().map(|info| {
        // SAFETY: each info is the event's and has a partition with a name.
        let (element, timestamp_ms) = unsafe {
            (&*rd_kafka_ListOffsetsResultInfo_topic_partition(*info), rd_kafka_ListOffsetsResultInfo_timestamp(*info))
        };
        let error = failure(element.err);
        Answer { partition: partition_of(element), offset: element.offset, timestamp_ms, error }
    });
    Ok(answers.collect())
}

/// The names of all consumer groups.
pub(super) fn list_groups<C: ClientContext>(client: &Client<C>, timeout: Duration) -> Result<Vec<String>, Code> {
    let options = AdminOptions::new(client, Operation::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout)?;
    let event = Queue::new(client).ask(timeout, |queue| {
        // SAFETY: client, options and queue live until the call returns.
        unsafe { rd_kafka_ListConsumerGroups(client.native_ptr(), options.0.as_ptr(), queue) };
    })?;
    let mut count = 0;
    // SAFETY: as in `list_offsets`.
    let listings = unsafe {
        let result = rd_kafka_event_ListConsumerGroups_result(event.0.as_ptr());
        array(rd_kafka_ListConsumerGroups_result_valid(result, &raw mut count), count)
    };
    // SAFETY: each listing is the event's and has a name.
    let names = listings.iter().map(|listing| text(unsafe { rd_kafka_ConsumerGroupListing_group_id(*listing) }));
    Ok(names.collect())
}

/// All that a group has committed, whatever the topic; what an open transaction will commit does not count yet.
pub(super) fn group_offsets<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    timeout: Duration,
) -> Result<Offsets, Code> {
    let name = CString::new(group).map_err(|_| Code::InvalidArgument)?;
    let options = AdminOptions::new(client, Operation::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout)?;
    // SAFETY: the name is copied; no list of partitions means all of them.
    let request = GroupRequest(unsafe { rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), ptr::null()) });
    let event = Queue::new(client).ask(timeout, |queue| {
        let mut requests = [request.0];
        // SAFETY: client, request, options and queue live until the call returns, which copies the request.
        unsafe {
            rd_kafka_ListConsumerGroupOffsets(
                client.native_ptr(),
                requests.as_mut_ptr(),
                requests.len(),
                options.0.as_ptr(),
                queue,
            );
        }
    })?;
    let mut count = 0;
    // SAFETY: as in `list_offsets`.
    let groups = unsafe {
        let result = rd_kafka_event_ListConsumerGroupOffsets_result(event.0.as_ptr());
        array(rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count), count)
    };
    let mut offsets = Offsets::new();
    for group in groups {
        // SAFETY: the group and what it points to are the event's; the error may be null, the list may be, too.
        let (error, list) = unsafe { (rd_kafka_group_result_error(*group), rd_kafka_group_result_partitions(*group)) };
        if !error.is_null() {
            // SAFETY: not null.
            return Err(unsafe { rd_kafka_error_code(error) }.into());
        }
        // SAFETY: null or the event's list, which has `cnt` elements.
        let elements = unsafe { list.as_ref().map(|list| array(list.elems, usize::try_from(list.cnt).unwrap_or(0))) };
        for element in elements.unwrap_or_default() {
            if let Some(code) = failure(element.err) {
                return Err(code);
            }
            if element.offset >= 0 {
                offsets.insert(partition_of(element), element.offset);
            }
        }
    }
    Ok(offsets)
}

/// # Safety
/// `first` is null or the first of `count` initialised elements that live as long as the returned slice is used.
unsafe fn array<'e, T>(first: *mut T, count: usize) -> &'e [T] {
    if first.is_null() {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { slice::from_raw_parts(first, count) }
}

fn partition_of(element: &rd_kafka_topic_partition_t) -> TopicPartition {
    TopicPartition::new(text(element.topic), element.partition)
}

/// A name that librdkafka keeps; null is empty.
fn text(name: *const c_char) -> String {
    if name.is_null() {
        return String::new();
    }
    // SAFETY: not null; librdkafka's names are NUL-terminated and live as long as what they name, longer than this call.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

fn failure(code: RDKafkaRespErr) -> Option<Code> {
    (code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
}

struct AdminOptions(NonNull<RDKafkaAdminOptions>);

impl AdminOptions {
    fn new<C: ClientContext>(client: &Client<C>, of: Operation, timeout: Duration) -> Result<Self, Code> {
        // SAFETY: the client lives; the call returns options that are ours, or null.
        let options = unsafe { rd_kafka_AdminOptions_new(client.native_ptr(), of) };
        let options = AdminOptions(NonNull::new(options).ok_or(Code::InvalidArgument)?);
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let (mut text, bytes) = ([0; 128], 128);
        // SAFETY: the options are ours; the text has as many bytes as said.
        let code = unsafe {
            rd_kafka_AdminOptions_set_request_timeout(options.0.as_ptr(), timeout_ms, text.as_mut_ptr(), bytes)
        };
        failure(code).map_or(Ok(options), Err)
    }

    fn read_committed(self) -> Result<Self, Code> {
        let level = IsolationLevel::RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED;
        // SAFETY: the options are ours; an error is, too, and is given back.
        let code = unsafe {
            let error = rd_kafka_AdminOptions_set_isolation_level(self.0.as_ptr(), level);
            let code = (!error.is_null()).then(|| rd_kafka_error_code(error));
            if !error.is_null() {
                rd_kafka_error_destroy(error);
            }
            code
        };
        code.map_or(Ok(self), |code| Err(code.into()))
    }
}

impl Drop for AdminOptions {
    fn drop(&mut self) {
        // SAFETY: ours, given back once.
        unsafe { rd_kafka_AdminOptions_destroy(self.0.as_ptr()) }
    }
}

struct GroupRequest(*mut rd_kafka_ListConsumerGroupOffsets_t);

impl Drop for GroupRequest {
    fn drop(&mut self) {
        // SAFETY: ours, given back once.
        unsafe { rd_kafka_ListConsumerGroupOffsets_destroy(self.0) }
    }
}

/// A queue for one answer.
struct Queue(NonNull<RDKafkaQueue>);

impl Queue {
    fn new<C: ClientContext>(client: &Client<C>) -> Self {
        // SAFETY: the client lives; librdkafka ends the process where memory is exhausted, as Rust does.
        let queue = unsafe { rd_kafka_queue_new(client.native_ptr()) };
        Queue(NonNull::new(queue).expect("librdkafka returns a queue or does not return"))
    }

    /// Sends a request and waits for its answer. librdkafka answers within the request's timeout; a second is for the way.
    fn ask(self, timeout: Duration, send: impl FnOnce(*mut RDKafkaQueue)) -> Result<Event, Code> {
        send(self.0.as_ptr());
        let timeout_ms = i32::try_from(timeout.as_millis() + 1_000).unwrap_or(i32::MAX);
        // SAFETY: the queue is ours; the call returns null or an event that is ours.
        let event = NonNull::new(unsafe { rd_kafka_queue_poll(self.0.as_ptr(), timeout_ms) });
        let event = Event(event.ok_or(Code::OperationTimedOut)?);
        // SAFETY: the event is ours.
        failure(unsafe { rd_kafka_event_error(event.0.as_ptr()) }).map_or(Ok(event), Err)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: ours, given back once; an answer that comes later is dropped by librdkafka.
        unsafe { rd_kafka_queue_destroy(self.0.as_ptr()) }
    }
}

struct Event(NonNull<RDKafkaEvent>);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: ours, given back once.
        unsafe { rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}
