//! What this client may do, as the broker judges it (KIP-430).

use std::{ffi::CString, ptr::NonNull, slice, time::Duration};

use rdkafka::{
    bindings::{
        rd_kafka_AclOperation_t as NativeOperation, rd_kafka_AdminOptions_set_include_authorized_operations,
        rd_kafka_DescribeCluster, rd_kafka_DescribeCluster_result_authorized_operations, rd_kafka_DescribeTopics,
        rd_kafka_DescribeTopics_result_topics, rd_kafka_TopicCollection_destroy,
        rd_kafka_TopicCollection_of_topic_names, rd_kafka_TopicCollection_t,
        rd_kafka_TopicDescription_authorized_operations, rd_kafka_TopicDescription_name,
        rd_kafka_admin_op_t as Operation, rd_kafka_error_code, rd_kafka_error_destroy,
        rd_kafka_event_DescribeCluster_result, rd_kafka_event_DescribeTopics_result,
    },
    client::{Client, ClientContext},
    error::RDKafkaErrorCode as Code,
};

use super::{AdminOptions, Queue, array, text};

/// What this client may do with the cluster itself.
pub(in crate::admin) fn on_cluster<C: ClientContext>(
    client: &Client<C>,
    timeout: Duration,
) -> Result<Vec<NativeOperation>, Code> {
    let options = telling(AdminOptions::new(client, Operation::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, timeout)?)?;
    let event = Queue::new(client).ask(timeout, |queue| {
        // SAFETY: client, options and queue live until the call returns.
        unsafe { rd_kafka_DescribeCluster(client.native_ptr(), options.0.as_ptr(), queue) };
    })?;
    let mut count = 0;
    // SAFETY: the event answers this very request, so that its result is of this type; the array lives as long as it.
    Ok(unsafe {
        let result = rd_kafka_event_DescribeCluster_result(event.0.as_ptr());
        operations(rd_kafka_DescribeCluster_result_authorized_operations(result, &raw mut count), count)
    })
}

/// What this client may do with these topics; nothing with one that it may not even see, or that is not there.
pub(in crate::admin) fn on_topics<C: ClientContext>(
    client: &Client<C>,
    topics: &[String],
    timeout: Duration,
) -> Result<Vec<(String, Vec<NativeOperation>)>, Code> {
    let names = topics.iter().map(|topic| CString::new(topic.as_str())).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|_| Code::InvalidArgument)?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: as many names as said, which are copied; the call returns a collection that is ours.
    let collection = unsafe { rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()) };
    let collection = Collection(NonNull::new(collection).ok_or(Code::InvalidArgument)?);
    let options = telling(AdminOptions::new(client, Operation::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, timeout)?)?;
    let event = Queue::new(client).ask(timeout, |queue| {
        // SAFETY: client, collection, options and queue live until the call returns, which copies the collection.
        unsafe {
            rd_kafka_DescribeTopics(client.native_ptr(), collection.0.as_ptr(), options.0.as_ptr(), queue);
        }
    })?;
    let mut count = 0;
    // SAFETY: as in `on_cluster`.
    let described = unsafe {
        let result = rd_kafka_event_DescribeTopics_result(event.0.as_ptr());
        array(rd_kafka_DescribeTopics_result_topics(result, &raw mut count), count)
    };
    let found = described.iter().map(|topic| {
        let mut count = 0;
        // SAFETY: each topic is the event's and has a name; a topic that could not be described has no operations.
        unsafe {
            let operations = operations(rd_kafka_TopicDescription_authorized_operations(*topic, &raw mut count), count);
            (text(rd_kafka_TopicDescription_name(*topic)), operations)
        }
    });
    Ok(found.collect())
}

fn telling(options: AdminOptions) -> Result<AdminOptions, Code> {
    // SAFETY: the options are ours; an error is, too, and is given back.
    let code = unsafe {
        let error = rd_kafka_AdminOptions_set_include_authorized_operations(options.0.as_ptr(), 1);
        let code = (!error.is_null()).then(|| rd_kafka_error_code(error));
        if !error.is_null() {
            rd_kafka_error_destroy(error);
        }
        code
    };
    code.map_or(Ok(options), |code| Err(code.into()))
}

/// # Safety
/// `first` is null or the first of `count` operations.
unsafe fn operations(first: *const NativeOperation, count: usize) -> Vec<NativeOperation> {
    if first.is_null() {
        return Vec::new();
    }
    // SAFETY: as the caller says.
    unsafe { slice::from_raw_parts(first, count) }.to_vec()
}

struct Collection(NonNull<rd_kafka_TopicCollection_t>);

impl Drop for Collection {
    fn drop(&mut self) {
        // SAFETY: ours, given back once.
        unsafe { rd_kafka_TopicCollection_destroy(self.0.as_ptr()) }
    }
}
