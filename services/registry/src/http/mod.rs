//! Confluent's REST API, a file per resource.

mod answer;
mod authentication;
mod body;
mod compatibility;
mod config;
mod entity;
mod guids;
mod metadata;
mod mode;
mod parameters;
mod problem;
mod refused;
mod replica;
mod schemas;
mod subjects;
mod versions;

use std::{
    ops::Deref,
    sync::{Arc, OnceLock, RwLockReadGuard},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

pub(crate) use problem::Problem;
pub(crate) use replica::Peers;

use mesh_runtime::access::Access;

use crate::{
    governance::Products,
    refusals::Refusals,
    state::{Plan, Refusal, State},
    store::Store,
    writer::Writer,
};

/// What every request needs. Cheap to clone: each request does so, more than once.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Shared>);

#[derive(Clone, Debug)]
pub(crate) struct Shared {
    store: Arc<Store>,
    writer: Writer,
    products: Arc<Products>,
    cluster_id: Arc<OnceLock<String>>,
    body_bytes_max: usize,
    peers: Peers,
    access: Access,
    refusals: Refusals,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// What asks nobody who they are.
    pub(crate) fn new(
        store: Arc<Store>,
        writer: Writer,
        products: Arc<Products>,
        body_bytes_max: usize,
        peers: Peers,
    ) -> Self {
        let (cluster_id, access, refusals) = (Arc::default(), Access::unrestricted(), Refusals::default());
        Self(Arc::new(Shared { store, writer, products, cluster_id, body_bytes_max, peers, access, refusals }))
    }

    /// Asks everybody who they are, if `access` does.
    pub(crate) fn with(self, access: Access) -> Self {
        Self(Arc::new(Shared { access, ..Shared::clone(&self) }))
    }

    /// What is refused, until it is on record.
    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }

    /// Tells which Kafka cluster keeps the log.
    pub(crate) fn set_cluster_id(&self, cluster_id: String) {
        // A cluster keeps its id.
        let _ = self.cluster_id.set(cluster_id);
    }

    /// The state, unless it may still lack something.
    fn state(&self) -> Result<RwLockReadGuard<'_, State>, Problem> {
        Ok(self.store.read()?)
    }

    /// Makes a change. What changes nothing is answered without the writer, so also when Kafka is away.
    async fn change<T, P>(&self, plan: P) -> Result<T, Problem>
    where
        T: Send + 'static,
        P: Fn(&State) -> Result<Plan<T>, Refusal> + Send + 'static,
    {
        let planned = plan(&*self.state()?);
        match planned {
            Ok(Plan { records, outcome }) if records.is_empty() => Ok(outcome),
            // A refusal may be out of date: the log's writer has the last word.
            Ok(_) | Err(_) => {
                self.require_writer()?;
                Ok(self.writer.submit(replica::replaces(), plan).await?)
            }
        }
    }
}

impl App {
    /// Refuses a change that another replica has to make, unless that one was found to be out of reach.
    fn require_writer(&self) -> Result<(), Problem> {
        let state = self.state()?;
        let gone = replica::replaces();
        let others = state.writer().filter(|writer| self.peers.url() != Some(*writer));
        let elsewhere = others.filter(|writer| gone.as_deref() != Some(*writer));
        elsewhere.map_or(Ok(()), |writer| Err(Problem::elsewhere(writer)))
    }
}

/// All routes.
pub(crate) fn router(app: App) -> Router {
    // Bodies are read, in bounds, before they get here.
    let body_limit = DefaultBodyLimit::disable();
    let replica = middleware::from_fn_with_state(app.clone(), replica::answer);
    let refused = middleware::from_fn_with_state(app.clone(), refused::note);
    let authenticated = middleware::from_fn_with_state(app.clone(), authentication::ask);
    routes()
        // The base address of clients that work in a context.
        .nest("/contexts/{context}", routes())
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(body_limit)
        .layer(replica)
        .layer(refused)
        .layer(authenticated)
        .layer(middleware::from_fn(answer::label))
        .with_state(app)
}

/// The resources, each of which is there under each context too.
fn routes() -> Router<App> {
    Router::new()
        .route("/", get(metadata::root))
        .route("/v1/metadata/id", get(metadata::id))
        .route("/v1/metadata/version", get(metadata::version))
        .route("/contexts", get(metadata::contexts))
        .route("/subjects", get(subjects::list))
        .route("/subjects/{subject}", post(subjects::look_up).delete(subjects::delete))
        .route("/subjects/{subject}/metadata", get(versions::latest_with_metadata))
        .route("/subjects/{subject}/versions", get(versions::list).post(versions::register))
        .route("/subjects/{subject}/versions/{version}", get(versions::show).delete(versions::delete))
        .route("/subjects/{subject}/versions/{version}/schema", get(versions::schema))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(versions::referenced_by))
        .route("/schemas", get(schemas::list))
        .route("/schemas/types", get(schemas::types))
        .route("/schemas/ids/{id}", get(schemas::show))
        .route("/schemas/ids/{id}/schema", get(schemas::schema))
        .route("/schemas/ids/{id}/subjects", get(schemas::subjects))
        .route("/schemas/ids/{id}/versions", get(schemas::versions))
        .route("/schemas/guids/{guid}", get(guids::show))
        .route("/schemas/guids/{guid}/ids", get(guids::ids))
        .route("/compatibility/subjects/{subject}/versions", post(compatibility::check_all))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(compatibility::check_one))
        .route("/config", get(config::show).put(config::set).delete(config::unset))
        .route("/config/{subject}", get(config::show).put(config::set).delete(config::unset))
        .route("/mode", get(mode::show).put(mode::set).delete(mode::unset))
        .route("/mode/{subject}", get(mode::show).put(mode::set).delete(mode::unset))
}
