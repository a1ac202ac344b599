//! Topics that are there, as products of the tree.

use super::Args;
use super::draft::{self, Draft};
use super::report::{Imported, Remark, Report};
use super::said::Weight;
use super::select::{LeftOut, Target, There, target};
use super::source::{Around, Source, Who};
use crate::commands::product::registry_failure;
use crate::failure::Failure;
use crate::new_files::NewFile;
use crate::output;
use crate::tree::{TOPICS, WorkingTree, number};
use mesh_avro::sensitivity::SensitiveNames;
use mesh_client::{Catalogue, RegistryClient};
use mesh_contract::Product;
use mesh_contract::topic::input_topic;
use mesh_kafka::Settings;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use uuid::Uuid;

/// What is asked for.
pub(super) struct Topics<'a> {
    pub(super) args: &'a Args,
    pub(super) root: &'a Path,
    pub(super) tree: &'a WorkingTree,
    pub(super) names: &'a SensitiveNames,
}

impl Topics<'_> {
    /// The files of the topics that are asked for; what is to be said of them is in the report.
    ///
    /// # Errors
    /// A topic that is named cannot be imported, or Kafka or the registry does not answer.
    pub(super) async fn import(
        &self,
        kafka: &Settings,
        registry: RegistryClient,
        catalogue: &Catalogue,
        report: &mut Report,
    ) -> Result<Vec<NewFile>, Failure> {
        let subjects = registry.subjects().await.map_err(registry_failure)?.into_iter().collect();
        let around = Around::of(kafka, registry, self.args.records).await?;
        let products = catalogue.products();
        let ports = There::ports(products.iter().map(|applied| &***applied));
        let there = There { topics: around.cluster.topics.keys().cloned().collect(), subjects, ports };
        let (asked, mut left_out) = self.targets(&there);
        let mut found: Vec<(Source, Target)> = Vec::new();
        for (topic, target) in asked {
            match around.look(&topic).await? {
                Ok(source) => found.push((source, target)),
                Err(why) => left_out.push(LeftOut { topic, why }),
            }
        }
        let mut ids = self.ids(catalogue);
        let draft = |(source, target)| self.draft((source, target), &mut ids, around.now_ms);
        let drafted: Vec<Draft<'_>> = found.iter().map(|(source, target)| (source, target)).map(draft).collect();
        let files = self.files(&drafted, &there, report, &mut left_out);
        self.refuse(&left_out)?;
        report.left_out = left_out;
        Ok(files)
    }

    /// The topics that are asked for, with what they become, and those that become nothing.
    fn targets(&self, there: &There) -> (Vec<(String, Target)>, Vec<LeftOut>) {
        let named: BTreeSet<&String> = self.args.names.iter().collect();
        let (topics, mut left_out) = match self.args.all {
            true => there.all(self.args.matching.as_deref()),
            false => (named.into_iter().cloned().collect(), Vec::new()),
        };
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        let mut targets = Vec::new();
        for topic in topics {
            let found = match there.refusal(&topic) {
                Some(why) => Err(why),
                None => target(&topic, self.args.domain.as_deref(), self.name()),
            };
            let found = found.and_then(|target| self.free(target, &topic, &mut taken));
            match found {
                Ok(target) => targets.push((topic, target)),
                Err(why) => left_out.push(LeftOut { topic, why }),
            }
        }
        left_out.sort_by(|one, other| one.topic.cmp(&other.topic));
        (targets, left_out)
    }

    fn name(&self) -> Option<&str> {
        self.args.product.as_deref()
    }

    /// The target, unless its file is there, or another topic becomes the same.
    fn free(&self, target: Target, topic: &str, taken: &mut BTreeMap<String, String>) -> Result<Target, String> {
        let file = Draft::contract_file(&target);
        if self.root.join(&file).exists() {
            return Err(format!(
                "there is {file} already: give another --product, or remove it to import the topic anew"
            ));
        }
        match taken.insert(file, topic.to_owned()) {
            Some(other) => Err(format!(
                "the topic {other} becomes {} already: import one of them by itself, with --product",
                target.product
            )),
            None => Ok(target),
        }
    }

    /// Who names a topic wants that topic; who asks for all wants what there is.
    fn refuse(&self, left_out: &[LeftOut]) -> Result<(), Failure> {
        if self.args.all || left_out.is_empty() {
            return Ok(());
        }
        left_out.iter().for_each(|left| output::talk(&format!("{}: {}", left.topic, left.why)));
        let count = number(left_out.len(), "topic");
        Err(Failure::findings(format!("{count} cannot be imported"))
            .hint("nothing was written; `mesh import --all --dry-run` shows what can be"))
    }

    /// The ids of products that are known: versions of one share it.
    fn ids(&self, catalogue: &Catalogue) -> BTreeMap<Product, Uuid> {
        let published =
            catalogue.products().into_iter().map(|applied| (applied.contract.product(), applied.contract.unique_id));
        let own = self.tree.contracts.iter().map(|contract| (contract.value.product(), contract.value.unique_id));
        published.chain(own).collect()
    }

    fn draft<'d>(
        &'d self,
        (source, target): (&'d Source, &'d Target),
        ids: &mut BTreeMap<Product, Uuid>,
        now_ms: i64,
    ) -> Draft<'d> {
        let unique_id = *ids.entry(target.product.clone()).or_insert_with(Uuid::new_v4);
        Draft { source, target, unique_id, names: self.names, now_ms }
    }

    /// The files, a domain's before those of its products.
    fn files(
        &self,
        drafted: &[Draft<'_>],
        there: &There,
        report: &mut Report,
        left_out: &mut Vec<LeftOut>,
    ) -> Vec<NewFile> {
        let (mut files, mut writers): (Vec<NewFile>, BTreeMap<&str, Who>) = Default::default();
        for draft in drafted {
            let schema = match draft.schema() {
                Ok(schema) if !self.root.join(&schema.name).exists() => schema,
                Ok(schema) => {
                    left_out.push(LeftOut {
                        topic: draft.source.topic.clone(),
                        why: format!("there is {} already", schema.name),
                    });
                    continue;
                }
                Err(error) => {
                    left_out.push(LeftOut { topic: draft.source.topic.clone(), why: chain(&error) });
                    continue;
                }
            };
            let (said, contract) = draft.contract();
            report.remarks.extend(Remark::of(&contract.name, &said));
            report.remarks.extend(collision(draft, there, &contract.name));
            files.extend([contract, schema]);
            report.products.push(Imported {
                product: format!("{}@{}", draft.target.product, draft.target.major),
                topic: Some(draft.source.topic.clone()),
                port: input_topic(&draft.target.product, draft.target.major),
                next: Some(draft.next()),
            });
            let domain = draft.target.product.domain.as_str();
            let known = writers.remove(domain).unwrap_or_else(|| draft.source.writers.clone());
            writers.insert(domain, known.or(&draft.source.writers));
        }
        let domains = writers.into_iter().filter_map(|(domain, writers)| self.domain(domain, &writers, report));
        domains.collect::<Vec<_>>().into_iter().chain(files).collect()
    }

    /// The domain's file, if it is new; of one that is there it is said who writes and is no producer yet.
    fn domain(&self, domain: &str, writers: &Who, report: &mut Report) -> Option<NewFile> {
        let name = format!("{TOPICS}/{domain}/domain.yaml");
        if !self.root.join(&name).exists() {
            let (said, file) = draft::domain(domain, writers);
            report.remarks.extend(Remark::of(&file.name, &said));
            return Some(file);
        }
        let known = self.tree.domains.iter().find(|known| known.value.domain == domain)?;
        let (named, _) = draft::producers(writers);
        let missing: Vec<String> = named.into_iter().filter(|writer| !known.value.producers.contains(writer)).collect();
        if !missing.is_empty() {
            let what = format!(
                "{} may write what is imported, and is no producer of the domain yet: add it if it is to stay one",
                missing.join(", ")
            );
            report.remarks.push(Remark {
                weight: Weight::Guess,
                file: name,
                key: "producers",
                value: String::new(),
                what,
            });
        }
        None
    }
}

/// Topics that are there and are called as one of the product's would be.
fn collision(draft: &Draft<'_>, there: &There, file: &str) -> Option<Remark> {
    let port = input_topic(&draft.target.product, draft.target.major);
    let form = |topic: &str| topic.replace('.', "_");
    let own = port.strip_suffix(".in").map(form)?;
    let others = there.topics.iter().filter(|topic| **topic != port);
    let others: Vec<&str> =
        others.filter(|topic| form(topic) == own || form(topic) == form(&port)).map(String::as_str).collect();
    if others.is_empty() {
        return None;
    }
    let what = format!(
        "the topic {} is there, and is called as a port of this product would be: `mesh apply` will refuse to make that; choose another \
         --product, or write the next version",
        others.join(", ")
    );
    Some(Remark { weight: Weight::Todo, file: file.to_owned(), key: "name", value: String::new(), what })
}

/// What went wrong, and why.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
