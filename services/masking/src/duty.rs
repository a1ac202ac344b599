//! What a sidecar does with its domains' input ports.

use mesh_contract::topic::{feed_group, masking_group};

/// What a sidecar does with its domains' input ports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duty {
    /// Masks their records to the products' views.
    #[default]
    Mask,
    /// Converts the records of one version to those of another that is fed by it, from input port to input port.
    Feed,
}

impl Duty {
    /// As the service is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Duty::Mask => "masking",
            Duty::Feed => "feed",
        }
    }

    /// The consumer group of a domain, which all its tasks in all replicas are members of, whatever else they serve.
    pub(crate) fn group(self, domain: &str) -> String {
        match self {
            Duty::Mask => masking_group(domain),
            Duty::Feed => feed_group(domain),
        }
    }
}
