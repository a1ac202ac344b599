//! Tries to register schemas that would break their readers.

use super::failed;
use super::publish::Stage;
use super::refusals::BAD_CHANGES;
use super::story::Refused;
use crate::failure::Failure;
use mesh_client::RegistryError;
use mesh_contract::value_subject;

/// What the registry refused. A bad change that it takes is missing from the answer.
///
/// # Errors
/// The registry cannot be reached.
pub async fn all(stage: &Stage) -> Result<Vec<Refused>, Failure> {
    let mut refused = Vec::new();
    for bad in &BAD_CHANGES {
        let subject = value_subject(&stage.cast.topics(bad.product).input);
        let changed = bad.of(&stage.cast.product(bad.product).schema);
        match stage.registry.register(&subject, &changed).await {
            Ok(_) => {}
            Err(RegistryError::Incompatible { said, .. }) => {
                refused.push(Refused { subject, change: bad.change.to_owned(), answer: said });
            }
            Err(error) => return Err(failed::registry("ask the registry about a bad schema")(error)),
        }
    }
    Ok(refused)
}
