//! Tokens handed to a client of librdkafka's, from whatever thread.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char};

use rdkafka::bindings::{rd_kafka_oauthbearer_set_token, rd_kafka_oauthbearer_set_token_failure};
use rdkafka::types::{RDKafka, RDKafkaRespErr};

use super::token::Token;

/// A client that tokens are handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handle(*mut RDKafka);

// SAFETY: librdkafka's handles may be used from any thread; whoever keeps one gives it up before the client is destroyed, see
// `keeper::Lease`.
unsafe impl Send for Handle {}
// SAFETY: as above; what is behind it is touched by librdkafka alone, under its own locks.
unsafe impl Sync for Handle {}

impl Handle {
    /// The handle of a client that lives for as long as this is used.
    pub(crate) fn new(client: *mut RDKafka) -> Self {
        Handle(client)
    }

    /// Hands a token over, in place of the one before.
    pub(super) fn set(self, token: &Token, extensions: &[(String, String)]) -> Result<(), String> {
        let text = |text: &str| CString::new(text).map_err(|_| "there is a zero byte in it".to_owned());
        let value = text(&token.value)?;
        let pairs = extensions.iter().flat_map(|(name, value)| [text(name), text(value)]);
        let pairs = pairs.collect::<Result<Vec<CString>, String>>()?;
        let mut pointers: Vec<*const c_char> = pairs.iter().map(|text| text.as_ptr()).collect();
        let mut said = [0_u8; 256];
        // SAFETY: all texts are NUL-terminated and live until the call is over; librdkafka copies what it keeps. The buffer is as
        // long as is said.
        let code = unsafe {
            rd_kafka_oauthbearer_set_token(
                self.0,
                value.as_ptr(),
                token.expires_ms,
                c"mesh".as_ptr(),
                pointers.as_mut_ptr(),
                pointers.len(),
                said.as_mut_ptr().cast::<c_char>(),
                said.len(),
            )
        };
        match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            _ => Err("librdkafka does not take the token".to_owned()),
        }
    }

    /// Says why there is no token: whoever waits for the client hears of it.
    pub(super) fn fail(self, why: &str) {
        let Ok(why) = CString::new(why) else { return };
        // SAFETY: the text is NUL-terminated, and copied by librdkafka. Whether the client takes tokens at all is its own to judge.
        unsafe { rd_kafka_oauthbearer_set_token_failure(self.0, why.as_ptr()) };
    }
}
