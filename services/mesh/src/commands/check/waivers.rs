//! Waivers, laid against what was found.

use super::before::Before;
use super::evolution::Evolution;
use super::reported::{Pass, Reported};
use super::rule::{self, WAIVER_EXPIRED, WAIVER_UNKNOWN, WAIVER_UNUSED};
use crate::tree::{WorkingTree, number};
use jiff::civil::Date;
use mesh_contract::{Declared, Finding, Severity, Waiver, did_you_mean};

/// Lets pass what waivers cover, and says what is wrong with waivers. What was before is not known everywhere.
pub(super) fn apply(
    tree: &WorkingTree,
    before: Option<&Before>,
    evolution: &mut Evolution,
    today: Date,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.waivers {
        for (index, waiver) in file.value.iter().enumerate() {
            let waiver = Placed { file, index, waiver };
            let unknown = waiver.unknown(tree, before);
            if unknown.is_some() {
                findings.extend(unknown);
                continue;
            }
            let covered = waiver.cover(evolution, today);
            findings.extend(waiver.verdict(covered, before, today));
        }
    }
    findings
}

/// A waiver, and where it stands.
struct Placed<'w> {
    file: &'w Declared<Vec<Waiver>>,
    index: usize,
    waiver: &'w Waiver,
}

impl Placed<'_> {
    fn at(&self, key: &str) -> mesh_contract::Place {
        self.file.places.at(&format!("[{}].{key}", self.index))
    }

    /// It names no rule that can be waived, or no product of its domain.
    fn unknown(&self, tree: &WorkingTree, before: Option<&Before>) -> Option<Finding> {
        let Waiver { rule, product, .. } = self.waiver;
        if !rule::waivable().any(|known| known == rule) {
            let message = format!("`{rule}` is no rule that a waiver can be for");
            let near = did_you_mean(rule, rule::waivable()).map(|near| format!("did you mean `{near}`?"));
            let hint = near
                .unwrap_or_else(|| "name the rule of a finding about a change, as `mesh check` prints it".to_owned());
            return Some(Finding::error(WAIVER_UNKNOWN, self.at("rule"), message).hint(hint));
        }
        let folder = self.file.places.file().split('/').nth(1).unwrap_or_default();
        if product.product.domain != folder {
            let message = format!("`{product}` is not a product of `{folder}`");
            let hint = format!("move it to topics/{}/waivers.yaml", product.product.domain);
            return Some(Finding::error(WAIVER_UNKNOWN, self.at("product"), message).hint(hint));
        }
        let is_it = |candidate: &mesh_contract::Product, major: u32| {
            *candidate == product.product && product.major.is_none_or(|wanted| wanted == major)
        };
        let now = tree.contracts.iter().any(|contract| is_it(&contract.value.product(), contract.value.version));
        let then = before.is_some_and(|before| before.products.keys().any(|(product, major)| is_it(product, *major)));
        // A contract with errors may be the one that is meant.
        if now || then || !tree.broken.is_empty() {
            return None;
        }
        let names: Vec<String> = tree.contracts.iter().map(|contract| contract.value.product().to_string()).collect();
        let near = did_you_mean(&product.product.to_string(), names.iter().map(String::as_str));
        let hint = near.map_or_else(|| "remove the waiver".to_owned(), |near| format!("did you mean `{near}`?"));
        Some(Finding::error(WAIVER_UNKNOWN, self.at("product"), format!("there is no product `{product}`")).hint(hint))
    }

    /// How many findings it is for. Those pass, unless it has expired.
    fn cover(&self, evolution: &mut Evolution, today: Date) -> usize {
        let mut covered = 0;
        for reported in evolution.changed.iter_mut().chain(&mut evolution.standing) {
            let Some(about) = &reported.about else { continue };
            if self.waiver.covers(reported.finding.rule, &about.product, &about.column) {
                covered += 1;
                if !self.waiver.expired(today) {
                    self.let_pass(reported);
                }
            }
        }
        covered
    }

    fn let_pass(&self, reported: &mut Reported) {
        let Waiver { reason, owner, expires, .. } = self.waiver;
        reported.finding.severity = Severity::Warning;
        reported.waiver = Some(Pass {
            place: self.at("rule").to_string(),
            reason: reason.clone(),
            owner: owner.clone(),
            expires: expires.to_string(),
        });
    }

    fn verdict(&self, covered: usize, before: Option<&Before>, today: Date) -> Option<Finding> {
        let Waiver { rule, product, owner, expires, .. } = self.waiver;
        if self.waiver.expired(today) {
            let what = match covered {
                0 => String::new(),
                covered => format!(": {} no longer passes", number(covered, "finding")),
            };
            let message = format!("the waiver of `{rule}` for {product} expired on {expires}{what}");
            let hint = format!("remove it, or ask {owner} for a later date");
            return Some(Finding::error(WAIVER_EXPIRED, self.at("expires"), message).hint(hint));
        }
        if covered > 0 || before.is_none() {
            return None;
        }
        let message = format!("the waiver of `{rule}` for {product} covers nothing that was found");
        Some(Finding::warning(WAIVER_UNUSED, self.at("rule"), message).hint("remove it, or correct what it names"))
    }
}
