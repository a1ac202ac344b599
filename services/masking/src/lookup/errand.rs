//! What a task has done to a partition's outputs, in the background, when they are remasked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use mesh_kafka::{ErrorKind, Offsets, TopicPartition};

use super::{Lookups, RETRY_FIRST, RETRY_LAST, Shared};
use crate::{product::Product, trouble::Trouble};

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum Errand {
    /// Find out where the outputs end.
    FindEnds,
    /// Delete what is before these offsets, by view, and find out where the input begins.
    Empty(BTreeMap<String, i64>),
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum Done {
    /// Where the outputs end, by view, open transactions included.
    Ends(BTreeMap<String, i64>),
    /// The outputs are empty.
    Emptied {
        /// Where the input begins.
        from: i64,
    },
}

/// An errand under way; it ends with its last holder.
#[derive(Default)]
pub(crate) struct Runner {
    state: Mutex<(Option<Done>, Option<Trouble>)>,
}

impl Runner {
    /// What came of it, once something has.
    pub(crate) fn done(&self) -> Option<Done> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// What it is kept from ending by.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn set(&self, state: (Option<Done>, Option<Trouble>)) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl Lookups {
    /// Sets out on an errand for one partition of a product.
    pub(crate) fn run(&self, product: &Arc<Product>, partition: i32, errand: Errand) -> Arc<Runner> {
        let runner = Arc::new(Runner::default());
        let (shared, product, waiting) = (self.shared.clone(), product.clone(), Arc::downgrade(&runner));
        self.shared.runtime.spawn(async move {
            let mut pause = RETRY_FIRST;
            loop {
                let outcome = attempt(&shared, &product, partition, &errand).await;
                let Some(runner) = waiting.upgrade() else { return };
                match outcome {
                    Ok(done) => return runner.set((Some(done), None)),
                    Err(error) => {
                        let trouble = trouble_of(&error);
                        if runner.trouble() != Some(trouble) {
                            let (product, error) = (&*product.name, &error as &dyn std::error::Error);
                            tracing::warn!(
                                product,
                                partition,
                                reason = trouble.label(),
                                error,
                                "outputs cannot be remasked yet, retrying"
                            );
                        }
                        runner.set((None, Some(trouble)));
                    }
                }
                drop(runner);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_LAST);
            }
        });
        runner
    }
}

async fn attempt(
    shared: &Shared,
    product: &Product,
    partition: i32,
    errand: &Errand,
) -> Result<Done, mesh_kafka::Error> {
    match errand {
        Errand::FindEnds => {
            let topics: Vec<&str> = product.topics.views.iter().map(|(_, topic)| topic.as_str()).collect();
            let ends = shared.admin.written_offsets(&topics).await?;
            let own = product.topics.views.iter().map(|(view, topic)| {
                let end = ends.get(&TopicPartition::new(topic, partition)).copied().unwrap_or(0);
                (view.clone(), end)
            });
            Ok(Done::Ends(own.collect()))
        }
        Errand::Empty(until) => {
            let own = until
                .iter()
                .filter_map(|(view, end)| Some((TopicPartition::new(product.topics.view(view)?, partition), *end)));
            shared.admin.delete_records(&own.collect::<Offsets>()).await?;
            let input = &product.topics.input;
            let starts = shared.admin.start_offsets(&[input]).await?;
            Ok(Done::Emptied { from: starts.get(&TopicPartition::new(input, partition)).copied().unwrap_or(0) })
        }
    }
}

fn trouble_of(error: &mesh_kafka::Error) -> Trouble {
    match error.kind() {
        ErrorKind::UnknownTopic => Trouble::OutputMissing,
        // a policy without `delete`, or a principal that may not
        ErrorKind::Invalid | ErrorKind::Unauthorised => Trouble::RemaskRefused,
        _ => Trouble::Cluster,
    }
}
