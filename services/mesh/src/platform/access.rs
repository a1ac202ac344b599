//! Following who is in which group.

use clap::Args;
use mesh_access::Guard;
use mesh_directory::Directory;
use mesh_kafka::Settings;
use std::sync::Arc;
use std::time::Duration;

/// What can be set of following who is in which group.
#[derive(Debug, Clone, Args)]
pub struct AccessOptions {
    /// How often the directory is asked who is in which group: whoever is removed reads no longer than so
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub access_interval: u64,
    /// So many members a group may lose between two looks, whatever its size is; an answer that takes away more than this and
    /// --access-loss-percent is not believed
    #[arg(long, default_value_t = Guard::default().members, value_name = "N")]
    pub access_loss: usize,
    /// So many of a hundred members a group may lose between two looks
    #[arg(long, default_value_t = Guard::default().percent, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub access_loss_percent: u8,
}

impl Default for AccessOptions {
    fn default() -> Self {
        let Guard { members, percent } = Guard::default();
        Self { access_interval: 60, access_loss: members, access_loss_percent: percent }
    }
}

/// A directory, and how it is followed.
#[derive(Clone)]
pub struct Followed {
    /// Who is in which group.
    pub directory: Arc<dyn Directory>,
    /// How often it is asked, and what is not believed.
    pub options: AccessOptions,
}

impl Followed {
    /// The configuration of the service on this cluster.
    pub fn config(&self, kafka: &Settings) -> mesh_access::Config {
        let mut config = mesh_access::Config::new(kafka.clone(), Arc::clone(&self.directory));
        config.interval = Duration::from_secs(self.options.access_interval);
        config.guard = Guard { members: self.options.access_loss, percent: self.options.access_loss_percent };
        config
    }
}
