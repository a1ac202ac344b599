//! Looks for canaries where nobody may see one: in topics, in the broker's files, in logs, in metrics.

use crate::ledger::read;
use crate::load::input;
use crate::workload::{CANARY, DOMAIN, PRODUCTS};
use aho_corasick::AhoCorasick;
use mesh_kafka::Settings;
use mesh_kafka::admin::Admin;
use std::fs;
use std::path::Path;

/// The topics that may hold canaries: input ports, and the view that clears everything.
fn may_hold(topic: &str) -> bool {
    PRODUCTS.iter().any(|product| topic == input(product) || topic == format!("{DOMAIN}.{product}.v1.stewards"))
}

/// Every topic, as committed.
pub async fn search_topics(settings: &Settings) {
    let canary = AhoCorasick::new([CANARY]).expect("one word is a pattern");
    let admin = Admin::new(settings).expect("the settings are right");
    let topics = admin.topic_names().await.expect("Kafka answers");
    assert!(topics.len() > 2 * PRODUCTS.len(), "{topics:?}");
    for topic in topics.iter().filter(|topic| !may_hold(topic)) {
        for record in read(settings, topic).await {
            let headers = record.headers.iter().filter_map(|header| header.value.as_deref());
            let parts = headers.chain(record.key.as_deref()).chain(record.value.as_deref());
            let shows = parts.into_iter().any(|part| canary.is_match(part));
            assert!(!shows, "{topic}[{}]@{} shows a canary", record.partition, record.offset);
        }
    }
}

/// What the broker has on disk of every such topic: aborted transactions, and its own topics too.
pub fn search_files(data: &Path) {
    let canary = AhoCorasick::new([CANARY]).expect("one word is a pattern");
    let folders =
        fs::read_dir(data).expect("the broker has been there").flatten().filter(|entry| entry.path().is_dir());
    let mut searched = 0;
    for folder in folders {
        let name = folder.file_name().into_string().expect("topics are ASCII");
        if name.rsplit_once('-').is_some_and(|(topic, _)| may_hold(topic)) {
            continue;
        }
        for file in fs::read_dir(folder.path()).expect("the broker has stopped").flatten() {
            let bytes = fs::read(file.path()).expect("the broker has stopped");
            assert!(!canary.is_match(&bytes), "{} shows a canary", file.path().display());
            searched += 1;
        }
    }
    assert!(searched > 10, "only {searched} files of the broker were searched");
}

/// Logs, pages of metrics: whatever was said.
pub fn search_said(said: &[String]) {
    let canary = AhoCorasick::new([CANARY]).expect("one word is a pattern");
    for text in said {
        let shown = text.lines().find(|line| canary.is_match(line));
        assert_eq!(shown, None, "a canary was said");
    }
}
