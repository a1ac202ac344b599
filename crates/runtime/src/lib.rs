//! The life of a service: shutdown, readiness, telemetry, metrics, HTTP with TLS and access, and the providers of keys.
//!
//! A service is `pub async fn run(config, shutdown)`. It opens its [`Latch`]es as it becomes able to serve, counts with
//! `metrics`, and returns within [`Shutdown::grace`] once [`Shutdown::triggered`] resolves.
//!
//! ```no_run
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! use mesh_runtime::{AdminServer, Readiness, Shutdown, recorder, telemetry};
//! telemetry::init(telemetry::Format::Text, "info")?;
//! let shutdown = Shutdown::on_signals(std::time::Duration::from_secs(10))?;
//! let readiness = Readiness::default();
//! let admin = AdminServer::bind("127.0.0.1:0", readiness.clone(), recorder::install()?).await?;
//! let warm = readiness.latch("registry");
//! warm.open();
//! admin.serve(shutdown).await?;
//! # Ok(()) }
//! ```

pub mod access;
mod admin;
mod handshakes;
pub mod keys;
mod listener;
pub mod private_file;
mod readiness;
pub mod recorder;
mod reload;
mod shutdown;
pub mod telemetry;
mod tls;

pub use admin::AdminServer;
pub use listener::{HttpListener, ListenerError, Remote};
pub use readiness::{Latch, Readiness};
pub use shutdown::Shutdown;
pub use tls::{Tls, TlsError, TlsFiles};
