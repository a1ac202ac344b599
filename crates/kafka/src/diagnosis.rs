//! Why a cluster cannot be reached: what its first connections say.
//!
//! Most of librdkafka's calls only time out. A client of its own listens here to what it calls back: a refused password, a
//! certificate and what is wrong with it.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::bindings::{
    rd_kafka_conf_set_error_cb, rd_kafka_conf_set_log_cb, rd_kafka_conf_set_ssl_cert_verify_cb, rd_kafka_poll,
};
use rdkafka::client::Client;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::types::{RDKafka, RDKafkaRespErr, RDKafkaType};

use crate::opened::Opened;
use crate::{ErrorKind, Settings};

/// How long a connection may take to say something.
const STEP_MS: c_int = 50;
/// The first word is not always the one that explains: an authentication follows a connection.
const SETTLE: Duration = Duration::from_millis(500);

/// What was said, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) kind: ErrorKind,
    pub(crate) said: String,
}

/// Tries to connect for so long; none if nothing was said. Blocks.
pub(crate) fn diagnose(settings: &Settings, patience: Duration) -> Option<Diagnosis> {
    let config = settings.client(&[], &[]);
    let native = config.create_native_config().ok()?;
    // SAFETY: the configuration is ours until the client takes it over. The callbacks get as `opaque` what `Client::new` sets: the
    // context below, which the client keeps for as long as it calls back.
    unsafe {
        rd_kafka_conf_set_error_cb(native.ptr(), Some(on_error));
        // the errors say it all, and the default writes to standard error
        rd_kafka_conf_set_log_cb(native.ptr(), None);
        // without TLS there is nobody to look at, which is no failure
        rd_kafka_conf_set_ssl_cert_verify_cb(native.ptr(), Some(on_certificate));
    }
    let client = Client::new(&config, native, RDKafkaType::RD_KAFKA_PRODUCER, Witness::default()).ok()?;
    let client = Opened::new(client, settings).ok()?;
    let started = Instant::now();
    let mut heard = None;
    while started.elapsed() < patience {
        if client.fetch_metadata(None, Duration::from_millis(100)).is_ok() {
            return None;
        }
        // SAFETY: the handle lives as long as `client`; callbacks run in this thread.
        unsafe { rd_kafka_poll(client.native_ptr(), STEP_MS) };
        let explained = client.context().best().is_some_and(|best| best.kind == ErrorKind::Unauthorised);
        if explained && heard.get_or_insert_with(Instant::now).elapsed() > SETTLE {
            break;
        }
    }
    client.context().best()
}

/// Remembers what explains most.
#[derive(Default)]
struct Witness {
    best: Mutex<Option<(Weight, Diagnosis)>>,
}

/// How much a word explains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Connection,
    Handshake,
    Authentication,
    Certificate,
}

impl ClientContext for Witness {}

impl Witness {
    fn best(&self) -> Option<Diagnosis> {
        self.best.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, diagnosis)| diagnosis.clone())
    }

    fn hear(&self, weight: Weight, kind: ErrorKind, said: String) {
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        if best.as_ref().is_none_or(|(known, _)| *known < weight) {
            *best = Some((weight, Diagnosis { kind, said }));
        }
    }

    fn hear_error(&self, code: Code, reason: &str) {
        let said = plain(reason).to_owned();
        match code {
            Code::Authentication => self.hear(Weight::Authentication, ErrorKind::Unauthorised, said),
            Code::SSL => self.hear(Weight::Handshake, ErrorKind::Unauthorised, said),
            Code::AllBrokersDown => {}
            _ => self.hear(Weight::Connection, ErrorKind::Unreachable, said),
        }
    }
}

/// librdkafka's reason without the connection before it and the time after it.
fn plain(reason: &str) -> &str {
    let reason = match reason.split_once(": ") {
        Some((connection, rest)) if connection.contains("://") => rest,
        _ => reason,
    };
    reason.rsplit_once(" (after ").map_or(reason, |(reason, _)| reason)
}

/// What is wrong with a certificate, by OpenSSL's number.
pub(crate) fn certificate_fault(error: c_int) -> String {
    match error {
        9 => "the broker's certificate is not valid yet".to_owned(),
        10 => "the broker's certificate has expired".to_owned(),
        18..=21 => "the broker's certificate is of no authority that is trusted here (ssl.ca.location)".to_owned(),
        62 | 64 => "the broker's certificate is another host's".to_owned(),
        other => format!("the broker's certificate is not accepted (OpenSSL's reason {other})"),
    }
}

unsafe extern "C" fn on_error(_: *mut RDKafka, code: c_int, reason: *const c_char, opaque: *mut c_void) {
    // SAFETY: `opaque` is the client's context; the reason is null or NUL-terminated, and read within the call.
    let (witness, reason) =
        unsafe { (opaque.cast::<Witness>().as_ref(), reason.as_ref().map(|_| CStr::from_ptr(reason))) };
    if let (Some(witness), Some(reason)) = (witness, reason) {
        witness.hear_error(code_of(code), &reason.to_string_lossy());
    }
}

/// The codes that are told apart here; all others are a connection's.
fn code_of(code: c_int) -> Code {
    let is = |known: RDKafkaRespErr| known as c_int == code;
    if is(RDKafkaRespErr::RD_KAFKA_RESP_ERR__AUTHENTICATION) {
        Code::Authentication
    } else if is(RDKafkaRespErr::RD_KAFKA_RESP_ERR__SSL) {
        Code::SSL
    } else if is(RDKafkaRespErr::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        Code::AllBrokersDown
    } else {
        Code::BrokerTransportFailure
    }
}

/// Looks at OpenSSL's verdict and leaves it as it is.
unsafe extern "C" fn on_certificate(
    _: *mut RDKafka,
    _: *const c_char,
    _: i32,
    error: *mut c_int,
    _: c_int,
    _: *const c_char,
    _: usize,
    _: *mut c_char,
    _: usize,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: the error is valid for the call; `opaque` is the client's context.
    let (error, witness) = unsafe { (error.as_ref().copied(), opaque.cast::<Witness>().as_ref()) };
    match (error, witness) {
        (Some(0), _) => 1,
        (Some(error), Some(witness)) => {
            witness.hear(Weight::Certificate, ErrorKind::Unauthorised, certificate_fault(error));
            0
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_what_is_left_of_librdkafkas_words() {
        let words = "sasl_ssl://127.0.0.1:9092/bootstrap: SASL authentication error: Authentication failed (after 3ms in state AUTH_REQ)";
        assert_eq!(plain(words), "SASL authentication error: Authentication failed");
        assert_eq!(plain("no more"), "no more");
    }

    #[test]
    fn what_explains_more_is_remembered() {
        let witness = Witness::default();
        witness.hear_error(Code::SSL, "handshake failed");
        witness.hear(Weight::Certificate, ErrorKind::Unauthorised, certificate_fault(10));
        witness.hear_error(Code::BrokerTransportFailure, "disconnected");
        assert_eq!(witness.best().map(|best| best.said), Some("the broker's certificate has expired".to_owned()));
    }

    #[test]
    fn nobody_there_is_unreachable() {
        let silent = Settings::new("127.0.0.1:1");
        let found = diagnose(&silent, Duration::from_secs(1));
        assert!(found.is_some_and(|found| found.kind == ErrorKind::Unreachable && found.said.contains("refused")));
    }
}
