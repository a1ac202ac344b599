//! What an operator asks of a plan and an apply, besides the contracts.

use super::plan::Plan;
use crate::failure::Failure;
use crate::output;
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use std::time::Duration;

/// What is planned besides what the contracts say.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PlanOptions {
    /// A topic that no contract names any more and that is to be deleted; may be repeated. Refused while anybody reads it, or while
    /// it holds what nobody has read
    #[arg(long, value_name = "TOPIC")]
    pub delete: Vec<String>,
    /// A topic that is there without the mesh and becomes a product's, with the settings that its contract asks for; or a principal
    /// (User:…) that is limited without the mesh, and gets the quota that its domain asks for; may be repeated
    #[arg(long, value_name = "NAME")]
    pub adopt: Vec<String>,
    /// The id of the cluster that is meant: any other is refused [default: those of cluster.yaml beside topics/]
    #[arg(long, value_name = "ID", env = "MESH_CLUSTER_ID")]
    pub cluster_id: Option<String>,
}

/// What is confirmed, and how long is waited.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfirmOptions {
    /// A product, or a topic of none, of which history may be lost as the plan says; may be repeated [default: asks at a terminal]
    #[arg(long, value_name = "NAME")]
    confirm: Vec<String>,
    /// How long to wait for another apply that is at work, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Nobody watches: what would have to be confirmed is left out.
    #[arg(skip)]
    unwatched: bool,
}

impl ConfirmOptions {
    /// Those of an apply that nobody watches.
    pub(super) fn unwatched(patience: Duration) -> Self {
        Self { confirm: Vec::new(), wait: patience.as_secs(), unwatched: true }
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.wait)
    }

    pub(super) fn is_watched(&self) -> bool {
        !self.unwatched
    }

    /// Has everything confirmed that cannot be undone; where nobody watches, that is left out.
    ///
    /// # Errors
    /// Something is not confirmed.
    pub(super) fn settle(&self, plan: &mut Plan) -> Result<(), Failure> {
        let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for ask in plan.steps.iter().filter_map(|step| step.asks.as_ref()) {
            if !self.confirm.contains(&ask.name) {
                asked.entry(ask.name.clone()).or_default().push(ask.what.clone());
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        if self.unwatched {
            let left = asked.values().flatten().map(|what| format!("not confirmed, left for `mesh apply`: {what}"));
            left.for_each(|line| output::talk(&line));
            plan.steps.retain(|step| step.asks.is_none());
            return Ok(());
        }
        asked.values().flatten().for_each(|what| output::talk(what));
        asked.keys().try_for_each(|name| confirmed(name))
    }
}

/// Has the person at the terminal type a name.
fn confirmed(name: &str) -> Result<(), Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::usage(format!("nobody is there to confirm that history of {name} is lost"))
            .hint(format!("nothing was changed; give --confirm {name} if that is what you want")));
    }
    output::talk(&format!("type {name} to go on:"));
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|error| Failure::usage("cannot read the answer").because(error))?;
    if line.trim() == name { Ok(()) } else { Err(Failure::usage(format!("that is not {name}; nothing was changed"))) }
}
