//! A bound HTTP listener: its port is known before anything is served.

use std::{io, net::SocketAddr};

use axum::Router;
use tokio::net::TcpListener;

use crate::Shutdown;

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

/// A bound socket that serves a router until the shutdown.
#[derive(Debug)]
pub struct HttpListener {
    listener: TcpListener,
    address: SocketAddr,
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
        Ok(Self { listener, address })
    }

    /// The address that is really listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `router`; after the shutdown's start, requests in flight may take the grace period.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn serve(self, router: Router, shutdown: Shutdown) -> Result<(), ListenerError> {
        let Self { listener, address } = self;
        let stop = shutdown.clone();
        let server = axum::serve(listener, router).with_graceful_shutdown(async move { stop.triggered().await });
        match shutdown.drain(server.into_future()).await {
            Some(served) => served.map_err(|source| ListenerError::Serve { address, source }),
            None => {
                tracing::warn!(%address, "requests still in flight after the grace period, dropped");
                Ok(())
            }
        }
    }
}
