//! Silence of the monitor must not look like freshness.

use super::RUNBOOK;
use super::rule::Rule;

/// How old an evaluation may be before the monitor itself is the matter.
const SILENT_SECONDS: u32 = 120;
/// How far back the last evaluation is looked for.
const LOOKED_BACK: &str = "1h";

pub(super) fn rules() -> [Rule; 3] {
    [silent(), failing(), webhook_dead()]
}

fn silent() -> Rule {
    let evaluated = format!("mesh_freshness_evaluated_timestamp_seconds[{LOOKED_BACK}]");
    Rule {
        alert: "MeshFreshnessMonitorSilent",
        expr: format!(
            "time() - max(last_over_time({evaluated})) > {SILENT_SECONDS} or absent_over_time({evaluated}) == 1"
        ),
        hold: Some("1m"),
        labels: vec![("severity", "page".to_owned())],
        annotations: annotations(
            "no freshness was evaluated: whether products are stale is not known",
            "The freshness service is down, or cannot read the output ports. Its log and /readyz say which.",
            "meshfreshnessmonitorsilent",
        ),
    }
}

fn failing() -> Rule {
    Rule {
        alert: "MeshFreshnessMonitorFailing",
        expr: "sum(increase(mesh_freshness_failed_evaluations_total[5m])) > 0".to_owned(),
        hold: Some("10m"),
        labels: vec![("severity", "ticket".to_owned())],
        annotations: annotations(
            "evaluations of freshness keep failing",
            "For ten minutes some evaluations could not ask Kafka. Verdicts are late, and time that nobody saw counts neither way.",
            "meshfreshnessmonitorfailing",
        ),
    }
}

fn webhook_dead() -> Rule {
    Rule {
        alert: "MeshFreshnessWebhookDead",
        expr: r#"sum by (target) (increase(mesh_freshness_webhook_deliveries_total{outcome="dead"}[1h])) > 0"#
            .to_owned(),
        hold: None,
        labels: vec![("severity", "ticket".to_owned())],
        annotations: annotations(
            "the webhook {{ $labels.target }} was not told of a change of freshness",
            "Every attempt failed, and the change was given up. The log of the freshness service says what the receiver answered.",
            "meshfreshnesswebhookdead",
        ),
    }
}

fn annotations(summary: &str, description: &str, section: &str) -> Vec<(&'static str, String)> {
    vec![
        ("summary", summary.to_owned()),
        ("description", description.to_owned()),
        ("runbook_url", format!("{RUNBOOK}#{section}")),
    ]
}
