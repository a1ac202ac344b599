//! The alerts of one product.

use mesh_contract::{Contract, Domain, RefreshRate};

use super::rule::{Rule, literal};
use super::{BRIDGED, RUNBOOK};

pub(super) fn rules(contract: &Contract, domain: Option<&Domain>) -> [Rule; 4] {
    let of = Of { contract, domain, name: contract.product().to_string() };
    [of.page(), of.ticket(), of.breach(), of.upstream()]
}

struct Of<'a> {
    contract: &'a Contract,
    domain: Option<&'a Domain>,
    name: String,
}

impl Of<'_> {
    fn page(&self) -> Rule {
        let summary = format!(
            "{} v{} is stale: it promises new facts every {}",
            self.name,
            self.contract.version,
            promise(&self.contract.refresh_rate)
        );
        let description = format!(
            "It burns its error budget so fast that somebody has to act now. `mesh status {}` says since when, and how far behind each view is.",
            self.name
        );
        self.rule("MeshProductStale", "page", self.verdict("page"), summary, description)
    }

    fn ticket(&self) -> Rule {
        let summary = format!(
            "{} v{} uses up its error budget: it promises new facts every {}",
            self.name,
            self.contract.version,
            promise(&self.contract.refresh_rate)
        );
        let description = "It was stale so often over three days that the objective will be missed if this goes on.";
        self.rule("MeshFreshnessBudgetBurn", "ticket", self.verdict("ticket"), summary, description.to_owned())
    }

    fn breach(&self) -> Rule {
        let summary = format!(
            "{} v{} breaches its promise of new facts every {}",
            self.name, self.contract.version, self.contract.refresh_rate.every
        );
        let description = "No page yet: its error budget bears a breach of this length.";
        let blamed = self.is("mesh_freshness_blamed", "product, version", "");
        let expr = format!(
            "({}) unless on (product, version) ({blamed})",
            self.is("mesh_freshness_stale", "product, version", "")
        );
        self.rule("MeshProductBreach", "info", expr, summary, description.to_owned())
    }

    fn upstream(&self) -> Rule {
        let summary = format!("{} v{} is stale because {{{{ $labels.cause }}}} is", self.name, self.contract.version);
        let description = "The owner of the product upstream is paged. Once that is fresh, this one has its refresh rate to catch up.";
        let expr = self.is("mesh_freshness_blamed", "product, version, cause", "");
        self.rule("MeshUpstreamStale", "info", expr, summary, description.to_owned())
    }

    fn verdict(&self, severity: &str) -> String {
        self.is("mesh_freshness_alert", "product, version", &format!(r#",severity="{severity}""#))
    }

    /// Whether a gauge of the product is 1, in any replica that told so lately.
    fn is(&self, gauge: &str, by: &str, further: &str) -> String {
        let (name, version) = (&self.name, self.contract.version);
        let selector = format!(r#"{{product="{name}",version="{version}"{further}}}"#);
        format!("max by ({by}) (last_over_time({gauge}{selector}[{BRIDGED}])) == 1")
    }

    fn rule(&self, alert: &'static str, severity: &str, expr: String, summary: String, description: String) -> Rule {
        let labels = vec![
            ("severity", severity.to_owned()),
            ("domain", self.contract.owner.clone()),
            ("product", self.name.clone()),
            ("version", self.contract.version.to_string()),
        ];
        let team = self.domain.map(|domain| &domain.team);
        let mut annotations = vec![
            ("summary", summary),
            ("description", description),
            ("owner", literal(team.map_or(&self.contract.owner, |team| &team.name))),
        ];
        annotations.extend(team.map(|team| ("contact", literal(&team.contact))));
        annotations.push(("runbook_url", self.runbook(alert)));
        Rule { alert, expr, hold: None, labels, annotations }
    }

    /// Where the team said to go; else what the alert means.
    fn runbook(&self, alert: &str) -> String {
        let escalation = self.domain.and_then(|domain| domain.team.escalation.as_deref());
        let url = escalation.filter(|escalation| escalation.contains("://")).map(literal);
        url.unwrap_or_else(|| format!("{RUNBOOK}#{}", alert.to_lowercase()))
    }
}

/// `1 hour, 99.5 % of the time over 30 days`
fn promise(rate: &RefreshRate) -> String {
    format!("{}, {} of the time over {}", rate.every, percent(rate.objective), rate.over)
}

/// A share as people write it: `99.5 %`.
fn percent(share: f64) -> String {
    // the product of two floats may be off in its last digits, which nobody wrote
    format!("{} %", (share * 1e12).round() / 1e10)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn objectives_read_as_they_were_written() {
        let read = [0.995, 0.999, 0.9999, 0.99995, 0.9, 0.333].map(percent);
        assert_eq!(read, ["99.5 %", "99.9 %", "99.99 %", "99.995 %", "90 %", "33.3 %"]);
    }
}
