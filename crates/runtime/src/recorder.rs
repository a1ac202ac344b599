//! The process's one metrics recorder, in Prometheus' exposition format.

use std::{sync::Mutex, thread, time::Duration};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Buckets of every `_seconds` histogram: from a tenth of a millisecond to a minute.
const SECONDS_BUCKETS: [f64; 16] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];
/// Histograms keep raw samples until drained, so they are drained whether or not anybody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

static INSTALLED: Mutex<Option<Recorder>> = Mutex::new(None);

/// Renders what the process has counted so far.
#[derive(Clone)]
pub struct Recorder {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// All metrics, in Prometheus' text format. A gauge that was set to what is not a number is left out: that is how one is forgotten
    /// whose subject is gone.
    #[must_use]
    pub fn render(&self) -> String {
        let rendered = self.handle.render();
        let told = rendered.split_inclusive('\n').filter(|line| !line.trim_end().ends_with(" NaN"));
        told.collect()
    }
}

/// The metrics recorder could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// The exporter refused the configuration, or the process has another recorder.
    #[error("cannot install the metrics recorder")]
    Install {
        /// What the exporter said.
        source: BuildError,
    },
    /// The thread that drains histograms did not start.
    #[error("cannot start the thread that drains the metrics recorder")]
    StartUpkeep {
        /// What the system said.
        source: std::io::Error,
    },
}

/// Installs the recorder; later calls return the same one.
///
/// # Errors
/// The process has a recorder of another make.
pub fn install() -> Result<Recorder, RecorderError> {
    let mut installed = INSTALLED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(recorder) = installed.as_ref() {
        return Ok(recorder.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|source| RecorderError::Install { source })?;
    start_upkeep(handle.clone())?;
    let recorder = Recorder { handle };
    *installed = Some(recorder.clone());
    Ok(recorder)
}

fn start_upkeep(handle: PrometheusHandle) -> Result<(), RecorderError> {
    let drain_forever = move || {
        loop {
            thread::sleep(UPKEEP_INTERVAL);
            handle.run_upkeep();
        }
    };
    let thread = thread::Builder::new().name("metrics-upkeep".to_owned());
    thread.spawn(drain_forever).map(drop).map_err(|source| RecorderError::StartUpkeep { source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_once_and_shared() {
        let first = install().expect("no other recorder in this process");
        metrics::describe_counter!("mesh_runtime_test_total", "a test's count");
        metrics::counter!("mesh_runtime_test_total", "kind" => "one").increment(2);
        metrics::histogram!("mesh_runtime_test_seconds").record(0.003);
        let rendered = install().expect("the same recorder").render();
        assert!(rendered.contains("mesh_runtime_test_total{kind=\"one\"} 2"), "{rendered}");
        assert!(rendered.contains("# HELP mesh_runtime_test_total a test's count"), "{rendered}");
        assert!(rendered.contains("mesh_runtime_test_seconds_bucket{le=\"0.005\"} 1"), "{rendered}");
        assert!(first.render().contains("mesh_runtime_test_total"));
        let gauge = metrics::gauge!("mesh_runtime_test_ratio", "of" => "what is gone");
        gauge.set(0.5);
        assert!(first.render().contains("mesh_runtime_test_ratio{of=\"what is gone\"} 0.5"));
        gauge.set(f64::NAN);
        assert!(!first.render().contains("what is gone"), "{}", first.render());
    }
}
