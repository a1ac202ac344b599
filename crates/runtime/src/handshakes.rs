//! Accepts TLS connections: handshakes run beside each other, so that a slow one holds up nobody else.

use std::{io, net::SocketAddr, time::Duration};

use axum::serve::Listener;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How many may be under way; whoever comes then waits in the system's queue.
const HANDSHAKES_MAX: usize = 256;

/// A connection whose handshake is done.
type Connection = (TlsStream<TcpStream>, SocketAddr);

/// A TCP listener whose connections begin with a TLS handshake.
pub(crate) struct Handshakes {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    under_way: JoinSet<Option<Connection>>,
}

impl Handshakes {
    pub(crate) fn new(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self { listener, acceptor, under_way: JoinSet::new() }
    }
}

impl Listener for Handshakes {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        loop {
            tokio::select! {
                (stream, address) = Listener::accept(&mut self.listener), if self.under_way.len() < HANDSHAKES_MAX => {
                    self.under_way.spawn(handshake(self.acceptor.clone(), stream, address));
                }
                Some(done) = self.under_way.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn handshake(acceptor: TlsAcceptor, stream: TcpStream, address: SocketAddr) -> Option<Connection> {
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some((stream, address)),
        // Whoever scans ports, or speaks plain HTTP, must not fill the log.
        Ok(Err(error)) => {
            tracing::debug!(%address, %error, "tls handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%address, "tls handshake took too long");
            None
        }
    }
}
