//! The admin HTTP of a process: is it alive, is it ready, what has it counted.

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use crate::{
    HttpListener, ListenerError, Readiness, Shutdown, Tls,
    access::{Access, guarded},
    recorder::Recorder,
};

/// The content type of Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves `/livez`, `/readyz` and `/metrics`, and whatever routers are merged into it.
///
/// `/livez` and `/readyz` answer anybody, since probes have no credentials; they name parts of the process and no more.
/// The rest asks for [`Access`], if that is restricted.
#[derive(Debug)]
pub struct AdminServer {
    listener: HttpListener,
    probes: Router,
    router: Router,
    access: Access,
}

impl AdminServer {
    /// Binds `address` (`host:port`; port 0 takes a free one). Nothing is answered before [`serve`](Self::serve).
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn bind(address: &str, readiness: Readiness, recorder: Recorder) -> Result<Self, ListenerError> {
        let listener = HttpListener::bind(address).await?;
        let router = Router::new().route("/metrics", get(exposition).with_state(recorder));
        Ok(Self { listener, probes: probes(readiness), router, access: Access::unrestricted() })
    }

    /// Serves HTTPS alone, if a certificate is given.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { listener: self.listener.with_tls(tls), ..self }
    }

    /// Asks who it is that wants more than the probes.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// The address that is really listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Where it is reached, as `http://host:port` or `https://host:port`.
    #[must_use]
    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// Adds a service's own routes.
    #[must_use]
    pub fn merge(self, routes: Router) -> Self {
        Self { router: self.router.merge(routes), ..self }
    }

    /// Serves until the shutdown; requests in flight may take the grace period.
    ///
    /// # Errors
    /// The listener broke.
    pub async fn serve(self, shutdown: Shutdown) -> Result<(), ListenerError> {
        let Self { listener, probes, router, access } = self;
        let router = probes.merge(guarded(router, access.clone()));
        tokio::join!(listener.serve(router, shutdown.clone()), access.follow(&shutdown)).0
    }
}

fn probes(readiness: Readiness) -> Router {
    Router::new()
        .route("/livez", get(async || Json(json!({ "alive": true }))))
        .route("/readyz", get(readyz).with_state(readiness))
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    let missing = readiness.missing();
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": missing.is_empty(), "missing": missing }))).into_response()
}

async fn exposition(State(recorder): State<Recorder>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, EXPOSITION)], recorder.render())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        time::Duration,
    };

    use super::*;
    use crate::recorder;

    async fn request(address: SocketAddr, path: &'static str) -> String {
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            let request = format!("GET {path} HTTP/1.1\r\nhost: mesh\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("the server reads");
            let mut response = String::new();
            stream.read_to_string(&mut response).expect("the server answers");
            response
        })
        .await
        .expect("the request ends")
    }

    #[tokio::test]
    async fn answers_for_life_readiness_and_metrics_until_the_shutdown() {
        let readiness = Readiness::default();
        let latch = readiness.latch("registry");
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let recorder = recorder::install().expect("a recorder");
        let admin = AdminServer::bind("127.0.0.1:0", readiness, recorder).await.expect("a free port");
        let admin = admin.merge(Router::new().route("/extra", get(async || "more")));
        let address = admin.address();
        let serving = tokio::spawn(admin.serve(shutdown.clone()));

        assert!(request(address, "/livez").await.starts_with("HTTP/1.1 200"));
        let closed = request(address, "/readyz").await;
        assert!(closed.starts_with("HTTP/1.1 503"), "{closed}");
        assert!(closed.ends_with(r#"{"ready":false,"missing":{"registry":"starting"}}"#), "{closed}");
        latch.open();
        assert!(request(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        metrics::counter!("mesh_runtime_admin_test_total").increment(1);
        assert!(request(address, "/metrics").await.contains("mesh_runtime_admin_test_total 1"));
        assert!(request(address, "/extra").await.ends_with("more"));

        shutdown.trigger();
        serving.await.expect("the server ends").expect("in good order");
        assert!(TcpStream::connect(address).is_err());
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let held = HttpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = held.address().to_string();
        let error = HttpListener::bind(&address).await.expect_err("the port is held");
        assert!(error.to_string().contains(&address), "{error}");
    }
}
