//! A connection: frames out and in, each until a deadline, in clear or over TLS.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use openssl::ssl::{self, SslStream};

use super::Fault;
use super::address::Address;
use super::tls::Tls;
use crate::{ErrorKind, Settings};

/// How bytes travel.
pub(super) enum Transport {
    /// In clear.
    Clear,
    /// Over TLS.
    Tls(Box<Tls>),
}

impl Transport {
    /// As `security.protocol` says.
    ///
    /// # Errors
    /// The settings of TLS cannot be used.
    pub(super) fn of(settings: &Settings) -> Result<Self, Fault> {
        let protocol = settings.get("security.protocol").unwrap_or("plaintext").to_ascii_lowercase();
        match protocol.as_str() {
            "plaintext" | "sasl_plaintext" => Ok(Transport::Clear),
            "ssl" | "sasl_ssl" => Ok(Transport::Tls(Box::new(Tls::of(settings)?))),
            _ => Err(Fault::invalid("security.protocol is none of plaintext, ssl, sasl_plaintext and sasl_ssl")),
        }
    }
}

/// A connection to a broker.
pub(super) struct Stream(Io);

enum Io {
    Clear(Timed),
    Tls(Box<SslStream<Timed>>),
}

impl Stream {
    /// Connects to an address of a broker's host, and shakes hands.
    ///
    /// # Errors
    /// Nobody answers there, or whoever does is not to be trusted, or refuses this client's certificate.
    pub(super) fn open(address: &Address, transport: &Transport, patience: Duration) -> Result<Self, Fault> {
        let connection = Timed { stream: connect(address, patience)?, deadline: Instant::now() + patience };
        match transport {
            Transport::Clear => Ok(Stream(Io::Clear(connection))),
            Transport::Tls(tls) => Ok(Stream(Io::Tls(Box::new(tls.shake_hands(&address.host, connection)?)))),
        }
    }

    /// From now on, everything has to be done by then.
    pub(super) fn until(&mut self, deadline: Instant) {
        match &mut self.0 {
            Io::Clear(connection) => connection.deadline = deadline,
            Io::Tls(stream) => stream.get_mut().deadline = deadline,
        }
    }

    pub(super) fn send(&mut self, frame: &[u8]) -> Result<(), Fault> {
        let sent = match &mut self.0 {
            Io::Clear(connection) => connection.write_all(frame),
            Io::Tls(stream) => stream.write_all(frame),
        };
        sent.map_err(|error| lost(&error))
    }

    /// A frame, without its length. Memory is taken as it arrives.
    pub(super) fn receive(&mut self, bytes_max: usize) -> Result<Vec<u8>, Fault> {
        match &mut self.0 {
            Io::Clear(connection) => receive(connection, bytes_max),
            Io::Tls(stream) => receive(stream, bytes_max),
        }
    }
}

fn connect(address: &Address, patience: Duration) -> Result<TcpStream, Fault> {
    let unreachable = |error: io::Error| Fault::new(ErrorKind::Unreachable, format!("cannot connect: {error}"));
    let found = (address.host.as_str(), address.port).to_socket_addrs().map_err(unreachable)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for socket in found {
        match TcpStream::connect_timeout(&socket, patience) {
            Ok(stream) => {
                // requests are small, and each is waited for
                stream.set_nodelay(true).map_err(unreachable)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(unreachable(last))
}

fn receive(stream: &mut impl Read, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(|error| lost(&error))?;
    let length = usize::try_from(i32::from_be_bytes(length)).ok().filter(|length| *length <= bytes_max);
    let length = length.ok_or_else(|| {
        // such as an alert of TLS
        let said = "what answers does not speak Kafka's protocol: the broker may expect another security.protocol";
        Fault::new(ErrorKind::Unreachable, said)
    })?;
    let mut frame = Vec::new();
    stream.take(length as u64).read_to_end(&mut frame).map_err(|error| lost(&error))?;
    if frame.len() < length { Err(closed()) } else { Ok(frame) }
}

/// Why a connection is no more.
fn lost(error: &io::Error) -> Fault {
    let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<ssl::Error>());
    match (refused.and_then(ssl::Error::ssl_error), error.kind()) {
        // after TLS 1.3's handshake a broker tells what it thinks of one's certificate
        (Some(stack), _) => {
            Fault::unauthorised(format!("the broker refuses this client: {}", super::tls::reason(stack)))
        }
        (None, io::ErrorKind::TimedOut) => Fault::new(ErrorKind::Unreachable, "no answer in time"),
        (
            None,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe,
        ) => closed(),
        (None, _) => Fault::new(ErrorKind::Unreachable, format!("the connection is lost: {error}")),
    }
}

fn closed() -> Fault {
    let said = "the broker closed the connection: it may expect another security.protocol";
    Fault::new(ErrorKind::Unreachable, said)
}

/// A connection that keeps a deadline, whatever is done with it.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// What a socket says when its time is up differs between systems.
fn timed<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    })
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        timed(self.stream.read(buffer))
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        timed(self.stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
