//! The watchers that are compared.

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_freshness::Config;
use mesh_kafka::admin::Admin;
use mesh_kafka::consumer::{Consumer, Start};
use mesh_kafka::{Offsets, Settings, TopicPartition};
use mesh_runtime::Shutdown;

use crate::INTERVAL;

/// How many offsets before the end the first version read.
const WINDOW: i64 = 64;

/// Watches until it is killed.
pub async fn run(watcher: &str, bootstrap: &str) {
    let settings = Settings::new(bootstrap);
    match watcher {
        "monitor" => {
            let config = Config::new(settings);
            mesh_freshness::run(config, Shutdown::new(Duration::from_secs(1))).await.unwrap();
        }
        "first" => first(&settings).await,
        "lag" => lag(&settings).await,
        other => panic!("there is no watcher {other}"),
    }
}

/// The output ports.
async fn outputs(admin: &Admin) -> Vec<String> {
    let topics = admin.topics().await.unwrap().into_keys();
    topics.filter(|topic| topic.starts_with('d') && topic.ends_with(".v1")).collect()
}

async fn first(settings: &Settings) {
    let admin = Admin::new(settings).unwrap();
    let topics = outputs(&admin).await;
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut known = Offsets::new();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let ends = admin.end_offsets(&names).await.unwrap();
        let mut moved: BTreeMap<&str, Vec<(i32, i64)>> = BTreeMap::new();
        for (at, end) in ends.iter().filter(|(at, end)| known.get(*at) != Some(end)) {
            moved.entry(&at.topic).or_default().push((at.partition, *end));
        }
        for (topic, partitions) in moved {
            let start = |(partition, end): &(i32, i64)| (*partition, Start::Offset((end - WINDOW).max(0)));
            let starts: Vec<_> = partitions.iter().map(start).collect();
            let mut consumer = Consumer::assign(settings, topic, &starts).unwrap();
            while consumer.next_until_end().await.unwrap().is_some() {}
        }
        known = ends;
    }
}

async fn lag(settings: &Settings) {
    let admin = Admin::new(settings).unwrap();
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // a request that was under way when the process was stopped has timed out when it goes on
        if let Err(error) = lag_once(&admin).await {
            println!("lag: {error}");
        }
    }
}

async fn lag_once(admin: &Admin) -> Result<(), mesh_kafka::Error> {
    let topics = admin.topics().await?;
    let ports = topics.into_iter().filter(|(topic, _)| topic.starts_with('d'));
    let asked = ports.flat_map(|(topic, count)| {
        let number = |partition| i32::try_from(partition).unwrap();
        (0..count).map(move |partition| TopicPartition::new(topic.clone(), number(partition)))
    });
    let ends = admin.visible_ends(asked.collect()).await?;
    assert!(ends.missing.is_empty());
    for group in admin.group_names().await? {
        admin.group_offsets(&group).await?;
    }
    Ok(())
}
