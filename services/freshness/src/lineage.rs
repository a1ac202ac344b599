//! Tells lineage whether output ports are as fresh as promised: `dataQualityAssertions` of their data sets, whenever that
//! changes, and once when a replica begins to evaluate.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mesh_client::catalogue::Catalogue;
use mesh_client::lineage::facet::{Assertion, DataQualityAssertions};
use mesh_client::lineage::{DatasetEvent, Emitter, KafkaCluster, KafkaTransport};
use mesh_kafka::Settings;

use crate::{Error, ProductReport, State, ViewReport};

/// How many output ports are told of in one evaluation, fewer than may wait to be sent: the next goes on.
const EVENTS_MAX: usize = 256;

/// Tells of output ports, and knows what was told of each. Never holds an evaluation up.
pub(crate) struct Teller {
    kafka: Settings,
    emitter: Emitter,
    cluster: Option<KafkaCluster>,
    news: News,
}

impl Teller {
    pub(crate) fn open(kafka: &Settings) -> Result<Self, Error> {
        let emitter = Emitter::spawn(KafkaTransport::new(kafka).map_err(Error::SetUp)?);
        Ok(Self { kafka: kafka.clone(), emitter, cluster: None, news: News::default() })
    }

    /// Tells what changed.
    pub(crate) async fn tell<'r>(
        &mut self,
        catalogue: &Catalogue,
        reports: impl Iterator<Item = &'r ProductReport>,
        now_ms: i64,
    ) {
        if self.cluster.is_none() {
            match KafkaCluster::named_in(catalogue, &self.kafka).await {
                Ok(cluster) => self.cluster = Some(cluster),
                Err(error) => tracing::warn!(%error, "cannot ask what the cluster is called, lineage is told later"),
            }
        }
        let (Some(cluster), Ok(at)) = (&self.cluster, Timestamp::from_millisecond(now_ms)) else { return };
        for (topic, assertion) in self.news.of(reports) {
            let assertions = DataQualityAssertions { assertions: vec![assertion] };
            self.emitter.emit(DatasetEvent::new(at, cluster.topic(&topic).with(&assertions)));
        }
    }
}

/// What was told of each output port.
#[derive(Debug, Default)]
struct News(BTreeMap<String, Assertion>);

impl News {
    /// What is to be told now.
    fn of<'r>(&mut self, reports: impl Iterator<Item = &'r ProductReport>) -> Vec<(String, Assertion)> {
        let of_report = |report: &'r ProductReport| {
            report.views.iter().filter_map(|view| Some((view.topic.clone(), assertion(report, view)?)))
        };
        let all: BTreeMap<String, Assertion> = reports.flat_map(of_report).collect();
        self.0.retain(|topic, _| all.contains_key(topic));
        let new = all.into_iter().filter(|(topic, assertion)| self.0.get(topic) != Some(assertion));
        let new: Vec<_> = new.take(EVENTS_MAX).collect();
        self.0.extend(new.iter().cloned());
        new
    }
}

/// Nothing of a view that never had a fact: nothing was tested.
fn assertion(report: &ProductReport, view: &ViewReport) -> Option<Assertion> {
    let holds = view.state != State::Stale;
    (view.state != State::Unknown).then(|| Assertion::fresh(&report.promise, &view.state.to_string(), holds))
}

#[cfg(test)]
mod tests;
