//! Makes a cluster what the working tree's contracts say: topics, access rules, quotas, schemas and their levels, and the contracts
//! themselves on `mesh.products`.
//!
//! ```text
//! tree + groups --Scope--> Observed --Plan::of (pure)--> Plan --Report--> text, JSON, markdown
//!                                                          |-- Saved --> a file, and back
//!                                                          '-- Lock, Executor --> the cluster
//! ```
//!
//! Everything is checked before anything is changed. What is done twice changes nothing the second time, so that an apply that
//! was killed is finished by the next. Only what the mesh has made is touched, and nothing is deleted that was not named.
//! The library part of `mesh plan`, `mesh apply` and `mesh drift`, shared with `mesh up` and `mesh demo`.

mod control;
mod execute;
mod lineage;
mod lock;
mod observed;
mod options;
mod pin;
mod plan;
mod record;
mod references;
mod registry;
mod report;
mod rights;
mod saved;
mod schemas;
mod scope;
mod topics;

use crate::failure::Failure;
use crate::lineage_options::LineageOptions;
use crate::output;
use crate::tree::{WorkingTree, number};
use execute::Executor;
use lock::{Holder, Lock};
use mesh_avro::sensitivity::SensitiveNames;
use mesh_client::registry::Endpoint;
use mesh_kafka::admin::Admin;
use mesh_kafka::{ErrorKind, Settings};
use observed::{Observed, fingerprint};
use plan::{Plan, Wishes};
use record::Recorder;
use registry::Registry;
use saved::Saved;
use scope::Scope;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

pub use options::{ConfirmOptions, PlanOptions};
pub use record::OnRecord;
pub use report::Report;
pub use rights::{RightsOptions, Wanted};

/// How long an apply that nobody watches waits for another one.
const UP_PATIENCE: Duration = Duration::from_secs(60);
/// How often a plan is made anew because the cluster was changed while it was made.
const PLANS_MAX: usize = 3;

/// Creates the control topics that are not there: `mesh.products`, `mesh.heartbeats`, `mesh.lineage`, `mesh.freshness`, `mesh.audit`.
///
/// # Errors
/// Kafka cannot be reached, or refuses.
pub async fn control_topics(kafka: &Settings) -> Result<(), Failure> {
    control::create(&admin(kafka)?).await
}

/// A cluster and a registry, and a tree that they are compared with.
pub struct Applier<'a> {
    kafka: Settings,
    admin: Admin,
    registry: Registry,
    tree: &'a WorkingTree,
    subjects: Vec<schemas::Subject>,
    scope: Scope,
    wishes: Wishes,
    pins: Pins,
}

/// Which clusters it may be.
#[derive(Debug, Clone, Default)]
struct Pins {
    of_tree: Option<std::collections::BTreeMap<String, String>>,
    given: Option<String>,
}

impl<'a> Applier<'a> {
    /// Prepares to compare a tree without errors; nothing is asked yet.
    ///
    /// # Errors
    /// The settings, the registry's address or `cluster.yaml` cannot be used.
    pub fn new(
        root: &Path,
        tree: &'a WorkingTree,
        kafka: &Settings,
        registry: impl Into<Endpoint>,
        rights: Option<&Wanted>,
        options: &PlanOptions,
    ) -> Result<Self, Failure> {
        let mut applier = Self::unpinned(tree, kafka, registry, rights, options)?;
        applier.pins = Pins { of_tree: pin::read(root)?, given: options.cluster_id.clone() };
        Ok(applier)
    }

    /// The same for a cluster that is this process's own.
    fn unpinned(
        tree: &'a WorkingTree,
        kafka: &Settings,
        registry: impl Into<Endpoint>,
        rights: Option<&Wanted>,
        options: &PlanOptions,
    ) -> Result<Self, Failure> {
        let delete: BTreeSet<String> = options.delete.iter().cloned().collect();
        let subjects = schemas::subjects(&tree.products);
        let scope = Scope::new(topics::names(tree), &subjects, rights, &delete).with_quotas(tree);
        let wishes = Wishes {
            delete,
            adopt: options.adopt.iter().cloned().collect(),
            is_pinned: false,
            principal: principal(kafka),
            bootstrap: kafka.bootstrap().to_owned(),
        };
        let (admin, registry) = (admin(kafka)?, Registry::new(registry)?);
        Ok(Self { kafka: kafka.clone(), admin, registry, tree, subjects, scope, wishes, pins: Pins::default() })
    }

    /// Looks at the cluster and the registry, and compares.
    ///
    /// # Errors
    /// One of them cannot be reached, or it is another cluster than those that the tree is for.
    async fn plan(&self) -> Result<(Plan, Observed), Failure> {
        let observed = Observed::look(&self.kafka, &self.admin, &self.registry, &self.scope).await?;
        let is_pinned = pin::check(self.pins.of_tree.as_ref(), self.pins.given.as_deref(), &observed.cluster_id)?;
        let wishes = Wishes { is_pinned, ..self.wishes.clone() };
        let mut plan = Plan::of(self.tree, &self.subjects, &self.scope, &observed, &wishes);
        plan.left.extend(Holder::interrupted(&observed.published, &observed.cluster_id));
        Ok((plan, observed))
    }

    /// What would be done, which may be saved to a file; and whether the cluster differs from the contracts.
    ///
    /// # Errors
    /// The cluster or the registry cannot be reached, or the file cannot be written.
    pub async fn show(&self, save_to: Option<&Path>) -> Result<Shown, Failure> {
        let (plan, observed) = self.plan().await?;
        let plan = plan.shown(&observed);
        let is_refused = !plan.refused.is_empty();
        if let Some(file) = save_to.filter(|_| !is_refused) {
            Saved::write(file, &plan, &self.scope)?;
        }
        Ok(Shown { is_drift: plan.is_drift(), is_refused, report: Report::of(&plan, false) })
    }

    /// Does what is to be done.
    ///
    /// # Errors
    /// Something speaks against it, or is not confirmed: then nothing was changed. Or Kafka or the registry does not answer, or
    /// another apply is at work.
    pub async fn apply(
        &self,
        lineage: &LineageOptions,
        confirm: &ConfirmOptions,
        on_record: &OnRecord,
    ) -> Result<Shown, Failure> {
        for _ in 0..PLANS_MAX {
            let (mut plan, observed) = self.plan().await?;
            refuse(&plan)?;
            confirm.settle(&mut plan)?;
            if plan.is_empty() {
                return Ok(Shown { is_drift: plan.is_drift(), is_refused: false, report: Report::of(&plan, true) });
            }
            control::create_products(&self.admin).await?;
            let (lock, published) = Lock::acquire(&self.kafka, &plan.cluster_id, confirm.patience()).await?;
            // what another apply did meanwhile, is to be looked at again
            if !published.is_as(&observed.published) {
                lock.release().await?;
                continue;
            }
            let (admin, registry, principal) = (&self.admin, &self.registry, self.wishes.principal.as_deref());
            let record = Recorder::new(&self.kafka, on_record, fingerprint(&plan.facts));
            let (schemas, tells) = (&self.scope.subjects, confirm.is_watched());
            let executor = Executor { admin, registry, schemas, lock, record, principal, published, tells };
            executor.run(&plan.steps).await?;
            lineage::tell(&self.kafka, &plan.steps, lineage).await?;
            return Ok(Shown {
                is_drift: !plan.remains.is_empty(),
                is_refused: false,
                report: Report::of(&plan, true),
            });
        }
        Err(Failure::usage("the cluster is changed by others again and again").hint("apply again when they are done"))
    }
}

/// What is to be shown, and what a command makes of it.
pub struct Shown {
    /// What would be done, or was.
    pub report: Report,
    /// Whether the cluster differs from the contracts.
    pub is_drift: bool,
    /// Whether something speaks against the whole plan.
    pub is_refused: bool,
}

/// Says all that speaks against a plan.
fn refuse(plan: &Plan) -> Result<(), Failure> {
    for refusal in &plan.refused {
        let hint = refusal.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        output::talk(&format!("{}: {}{hint}", refusal.rule, refusal.what));
    }
    match plan.refused.len() {
        0 => Ok(()),
        count => Err(Failure::findings(format!("{} against the plan", number(count, "finding")))
            .hint("nothing was changed; a breaking change of a schema is a new major version beside the old one")),
    }
}

/// Applies the tree under `root`, in which `names` have to be explained, where nobody watches: what would have to be confirmed
/// is left for `mesh apply`. The names of its products.
///
/// # Errors
/// As [`Applier::apply`], or the tree has findings.
pub async fn tree(
    root: &Path,
    names: &SensitiveNames,
    kafka: &Settings,
    registry: impl Into<Endpoint>,
    lineage: &LineageOptions,
    rights: &RightsOptions,
    on_record: &OnRecord,
) -> Result<Vec<String>, Failure> {
    let tree = WorkingTree::read(root, names)?.sound()?;
    let wanted = rights.wanted(&tree, root)?;
    let applier = Applier::unpinned(&tree, kafka, registry, wanted.as_ref(), &PlanOptions::default())?;
    applier.apply(lineage, &ConfirmOptions::unwatched(UP_PATIENCE), on_record).await?;
    Ok(tree.products.iter().map(|product| product.contract.value.product().to_string()).collect())
}

/// What a saved plan would do; nothing but the file is looked at.
///
/// # Errors
/// It is none, or was changed.
pub fn read(file: &Path) -> Result<Report, Failure> {
    Ok(Report::of(&Saved::read(file)?.plan(), false))
}

/// Applies a plan as it was saved, if the cluster is still as it was then.
///
/// # Errors
/// It is another cluster, or has moved on: then nothing was changed. Otherwise as [`Applier::apply`].
pub async fn saved(
    file: &Path,
    kafka: &Settings,
    registry: impl Into<Endpoint>,
    lineage: &LineageOptions,
    confirm: &ConfirmOptions,
    on_record: &OnRecord,
) -> Result<Report, Failure> {
    let saved = Saved::read(file)?;
    let (admin, registry) = (admin(kafka)?, Registry::new(registry)?);
    let observed = Observed::look(kafka, &admin, &registry, &saved.scope).await?;
    if observed.cluster_id != saved.cluster_id {
        let what = format!("the plan is for the cluster {}, and this is {}", saved.cluster_id, observed.cluster_id);
        return Err(Failure::usage(what).hint("check --bootstrap-servers; nothing was changed"));
    }
    let mut plan = Plan { facts: observed.facts(&saved.scope), ..saved.plan() };
    stale(&saved, &plan)?;
    let read = observed.read.iter().filter(|(_, why)| !why.is_empty());
    read.for_each(|(topic, why)| {
        plan.refuse("delete-refused", format!("the topic {topic} is not deleted: {}", why.join("; ")), "plan again");
    });
    refuse(&plan)?;
    confirm.settle(&mut plan)?;
    if !plan.is_empty() {
        control::create_products(&admin).await?;
        let (lock, published) = Lock::acquire(kafka, &plan.cluster_id, confirm.patience()).await?;
        // an apply that this one waited for may have changed what the plan was made on
        let now = Observed::look(kafka, &admin, &registry, &saved.scope).await?;
        plan.facts = now.facts(&saved.scope);
        if let Err(failure) = stale(&saved, &plan) {
            lock.release().await?;
            return Err(failure);
        }
        let record = Recorder::new(kafka, on_record, saved.fingerprint.clone());
        let (schemas, principal, tells) = (&saved.scope.subjects, principal(kafka), confirm.is_watched());
        let (admin, registry, principal) = (&admin, &registry, principal.as_deref());
        let executor = Executor { admin, registry, schemas, lock, record, principal, published, tells };
        executor.run(&plan.steps).await?;
        lineage::tell(kafka, &plan.steps, lineage).await?;
    }
    Ok(Report::of(&plan, true))
}

fn stale(saved: &Saved, plan: &Plan) -> Result<(), Failure> {
    let moved = saved.moved(&plan.facts);
    if moved.is_empty() {
        return Ok(());
    }
    moved.iter().for_each(|moved| output::talk(&format!("moved: {moved}")));
    Err(Failure::usage(format!(
        "the cluster has moved on since the plan was made: {}",
        number(moved.len(), "difference")
    ))
    .hint("nothing was changed; make the plan anew with `mesh plan --out FILE`"))
}

/// As whom one speaks to Kafka, where that is known.
fn principal(kafka: &Settings) -> Option<String> {
    kafka.get("sasl.username").map(|user| format!("User:{user}"))
}

fn admin(kafka: &Settings) -> Result<Admin, Failure> {
    Admin::new(kafka).map_err(|error| refused("cannot speak to Kafka", error))
}

/// A failed request to Kafka, as a command ends with it.
fn refused(what: impl Into<String>, error: mesh_kafka::Error) -> Failure {
    match error.kind() {
        ErrorKind::Unreachable => Failure::unreachable(what).hint("check that Kafka runs and is the one you mean"),
        ErrorKind::Unauthorised => Failure::unreachable(what)
            .hint("be a principal that may do it (--kafka-config): mesh-apply has what it takes"),
        ErrorKind::Invalid => Failure::usage(what),
        ErrorKind::Fenced => Failure::usage(what).hint("somebody else is applying right now: try again"),
        _ => Failure::internal(what),
    }
    .because(error)
}
