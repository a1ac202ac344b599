//! Calls of librdkafka that rdkafka does not wrap, or wraps so that foreign bytes panic.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_void},
    ptr, slice,
};

use rdkafka::{
    bindings::{rd_kafka_get_watermark_offsets, rd_kafka_header_get_all, rd_kafka_mem_free, rd_kafka_memberid},
    client::{Client, ClientContext},
    message::BorrowedHeaders,
    types::{RDKafkaHeaders, RDKafkaRespErr},
};

/// The member id that the group's coordinator knows this consumer by; `None` when it has none at present.
pub(super) fn member_id<C: ClientContext>(client: &Client<C>) -> Option<String> {
    let handle = client.native_ptr();
    // SAFETY: the handle lives as long as `client`. The call returns null or a NUL-terminated string that the caller owns.
    let id = unsafe { rd_kafka_memberid(handle) };
    if id.is_null() {
        return None;
    }
    // SAFETY: not null, NUL-terminated, and not freed before the copy is made.
    let text = unsafe { CStr::from_ptr(id) }.to_string_lossy().into_owned();
    // SAFETY: the string was allocated by librdkafka for us and is not used after this.
    unsafe { rd_kafka_mem_free(handle, id.cast()) };
    (!text.is_empty()).then_some(text)
}

/// A partition's end as of the last fetch; `None` before the first. Nobody is asked.
pub(super) fn known_end<C: ClientContext>(client: &Client<C>, topic: &str, partition: i32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the handle lives as long as `client`, the name for the call, which writes the two offsets and keeps nothing.
    let code = unsafe {
        rd_kafka_get_watermark_offsets(client.native_ptr(), topic.as_ptr(), partition, &raw mut low, &raw mut high)
    };
    (code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}

/// The header at `index` with its name as the bytes that are there; rdkafka's own accessor panics unless they are UTF-8.
pub(crate) fn header(headers: &BorrowedHeaders, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
    let mut name = ptr::null();
    let mut value: *const c_void = ptr::null();
    let mut size = 0;
    // SAFETY: a `&BorrowedHeaders` is librdkafka's own list of headers, cast; it is only read. On success the two pointers
    // are into the list, which outlives the returned borrows.
    let code = unsafe {
        rd_kafka_header_get_all(
            ptr::from_ref(headers).cast::<RDKafkaHeaders>(),
            index,
            &raw mut name,
            &raw mut value,
            &raw mut size,
        )
    };
    if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        return None;
    }
    // SAFETY: on success `name` is NUL-terminated and lives in the list.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    // SAFETY: `value` is null or points to `size` bytes in the list.
    let value = (!value.is_null()).then(|| unsafe { slice::from_raw_parts(value.cast::<u8>(), size) });
    Some((name, value))
}
