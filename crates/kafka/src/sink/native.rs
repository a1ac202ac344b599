//! Waiting for delivery without rdkafka's whole steps of 100 ms.
#![allow(unsafe_code)]

use std::time::Duration;

use rdkafka::{
    bindings::rd_kafka_flush,
    client::{Client, ClientContext},
    types::RDKafkaRespErr,
};

/// Sends without lingering and waits until everything is delivered, or for `step`; whether everything is.
///
/// Undelivered records count until the producer is polled.
pub(super) fn flush<C: ClientContext>(client: &Client<C>, step: Duration) -> bool {
    let step_ms = i32::try_from(step.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the handle is a producer's and lives as long as `client`; the call keeps nothing of ours.
    let code = unsafe { rd_kafka_flush(client.native_ptr(), step_ms) };
    code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
}
