//! A bound HTTP or HTTPS listener: its port is known before anything is served.

use std::{io, net::SocketAddr};

use axum::{Router, extract::connect_info::Connected, serve::IncomingStream};
use tokio::net::TcpListener;

use crate::{Shutdown, handshakes::Handshakes, tls::Tls};

/// A listener could not be bound, or broke while serving.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: choose another port (0 takes a free one) or stop what holds it")]
    Bind {
        /// The address as it was given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The listener stopped by itself.
    #[error("cannot serve HTTP on {address} any longer")]
    Serve {
        /// The address that was served.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Where a request comes from: each has it as an [`axum::extract::ConnectInfo`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote(pub SocketAddr);

impl Connected<IncomingStream<'_, TcpListener>> for Remote {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, Handshakes>> for Remote {
    fn connect_info(stream: IncomingStream<'_, Handshakes>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A bound socket that serves a router until the shutdown.
#[derive(Debug)]
pub struct HttpListener {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl HttpListener {
    /// Binds `address` (`host:port`; port 0 takes a free one).
    ///
    /// # Errors
    /// The address does not resolve, is taken, or is not this machine's.
    pub async fn bind(address: &str) -> Result<Self, ListenerError> {
        let failed = |source| ListenerError::Bind { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, tls: None })
    }

    /// Serves HTTPS alone, if a certificate is given.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// The address that is really listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is reached, as `http://host:port` or `https://host:port`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves `router`; after the shutdown's start, requests in flight may take the grace period.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn serve(self, router: Router, shutdown: Shutdown) -> Result<(), ListenerError> {
        let Self { listener, address, tls } = self;
        let router = router.into_make_service_with_connect_info::<Remote>();
        let stop = shutdown.clone();
        let stopped = async move { stop.triggered().await };
        let served = match tls {
            None => shutdown.drain(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future()).await,
            Some(tls) => {
                let handshakes = Handshakes::new(listener, tls.acceptor());
                let server = axum::serve(handshakes, router).with_graceful_shutdown(stopped).into_future();
                // The certificate is followed as long as it is served.
                shutdown.drain(async { tokio::join!(server, tls.follow(&shutdown)).0 }).await
            }
        };
        match served {
            Some(served) => served.map_err(|source| ListenerError::Serve { address, source }),
            None => {
                tracing::warn!(%address, "requests still in flight after the grace period, dropped");
                Ok(())
            }
        }
    }
}
