//! Kafka's own protocol, for the few requests that librdkafka does not have: client quotas (KIP-546).
//!
//! One connection to one broker, which is asked one thing after another and then closed. It blocks. It is reached, and lets one in,
//! by the same settings as librdkafka's clients, with the same OpenSSL. Whatever a broker answers is foreign: lengths are bounded by
//! what has arrived.

mod address;
mod bytes;
mod fault;
mod quotas;
mod sasl;
mod stream;
mod tls;

use std::time::{Duration, Instant};

use crate::{ErrorKind, Settings};
use bytes::{Decoder, Encoder};
pub(crate) use fault::Fault;
pub(crate) use sasl::Login;
use stream::{Stream, Transport};

/// A request's key and the version of it that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Api {
    name: &'static str,
    key: i16,
    version: i16,
}

const API_VERSIONS: Api = Api { name: "ApiVersions", key: 18, version: 0 };
/// No answer to what is asked here is larger.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
const CLIENT_ID: &str = "mesh";

/// A connection to a broker that has let one in.
pub(crate) struct Broker {
    stream: Stream,
    patience: Duration,
    correlation: i32,
    /// By key: the versions that the broker speaks, from and to.
    versions: Vec<(i16, i16, i16)>,
}

impl Broker {
    /// Connects to the first of the bootstrap servers that answers. Each step may take so long at each of them.
    ///
    /// # Errors
    /// None answers, or one does not let this client in.
    pub(crate) fn open(settings: &Settings, login: Option<&Login>, patience: Duration) -> Result<Self, Fault> {
        let transport = Transport::of(settings)?;
        let mut silent = None;
        for address in address::all(settings.bootstrap())? {
            let opened = Stream::open(&address, &transport, patience)
                .and_then(|stream| Self::begin(stream, login, patience))
                .map_err(|fault| fault.at(&address));
            match opened {
                Err(fault) if fault.kind == ErrorKind::Unreachable => silent = silent.or(Some(fault)),
                ended => return ended,
            }
        }
        Err(silent.unwrap_or_else(|| Fault::invalid("no bootstrap server is named")))
    }

    fn begin(stream: Stream, login: Option<&Login>, patience: Duration) -> Result<Self, Fault> {
        let mut broker = Broker { stream, patience, correlation: 0, versions: Vec::new() };
        let answer = broker.exchange(API_VERSIONS, Encoder::default())?;
        broker.versions = versions(&answer)?;
        if let Some(login) = login {
            sasl::let_in(&mut broker, login)?;
        }
        Ok(broker)
    }

    /// Sends a request that the broker knows; the body of its answer.
    fn call(&mut self, api: Api, body: Encoder) -> Result<Vec<u8>, Fault> {
        let knows = |(key, from, to): &(i16, i16, i16)| *key == api.key && (*from..=*to).contains(&api.version);
        if !self.versions.iter().any(knows) {
            return Err(Fault::invalid(format!("the broker does not speak {} in version {}", api.name, api.version)));
        }
        self.exchange(api, body)
    }

    fn exchange(&mut self, api: Api, body: Encoder) -> Result<Vec<u8>, Fault> {
        self.stream.until(Instant::now() + self.patience);
        self.correlation = self.correlation.wrapping_add(1);
        let header = Encoder::default().i16(api.key).i16(api.version).i32(self.correlation).text(CLIENT_ID)?;
        self.stream.send(&header.followed_by(body).framed()?)?;
        let mut answer = self.stream.receive(ANSWER_BYTES_MAX)?;
        match Decoder::new(&answer).i32() {
            Ok(correlation) if correlation == self.correlation => Ok(answer.split_off(size_of::<i32>())),
            _ => Err(Fault::malformed(api.name)),
        }
    }
}

fn versions(answer: &[u8]) -> Result<Vec<(i16, i16, i16)>, Fault> {
    let read = |answer: &mut Decoder<'_>| -> Result<_, bytes::Malformed> {
        let code = answer.i16()?;
        let versions = answer.list(|range| Ok((range.i16()?, range.i16()?, range.i16()?)))?;
        answer.end()?;
        Ok((code, versions))
    };
    let (code, versions) = read(&mut Decoder::new(answer)).map_err(|_| Fault::malformed(API_VERSIONS.name))?;
    match code {
        0 => Ok(versions),
        code => Err(Fault::answered(code, None)),
    }
}

#[cfg(test)]
mod tests;
