//! The topic that is the log: created if absent, refused if it would lose schemas.

use mesh_kafka::{
    ErrorKind,
    admin::{Admin, TopicSpec},
};

use crate::{Config, Error};

/// Makes sure that the topic exists, with one partition and compaction alone.
pub(crate) async fn prepare(config: &Config) -> Result<(), Error> {
    let failed = |source| Error::PrepareTopic { topic: config.topic.clone(), source };
    let admin = Admin::new(&config.kafka).map_err(failed)?;
    create(&admin, config).await.map_err(failed)?;
    let partitions = admin.partitions(&config.topic).await.map_err(failed)?.unwrap_or(0);
    if partitions != 1 {
        return Err(unfit(config, format!("{partitions} partitions"), "exactly one, which keeps its records in order"));
    }
    let topic_config = admin.config(&config.topic).await.map_err(failed)?;
    let policy = topic_config.get("cleanup.policy").map_or("", String::as_str);
    if policy != "compact" {
        return Err(unfit(
            config,
            format!("cleanup.policy={policy}"),
            "cleanup.policy=compact, which forgets no schema",
        ));
    }
    Ok(())
}

/// Whether preparing may succeed later without anybody's doing.
pub(crate) fn is_temporary(error: &Error) -> bool {
    matches!(error, Error::PrepareTopic { source, .. } if matches!(source.kind(), ErrorKind::Unreachable | ErrorKind::UnknownTopic | ErrorKind::Other))
}

async fn create(admin: &Admin, config: &Config) -> Result<(), mesh_kafka::Error> {
    if admin.partitions(&config.topic).await?.is_some() {
        return Ok(());
    }
    let topic = TopicSpec::new(&config.topic).partitions(1).config("cleanup.policy", "compact");
    let topic = match config.replication {
        Some(replication) => topic.replication(replication),
        None => topic,
    };
    admin.create_topics(&[topic]).await.map(drop)
}

fn unfit(config: &Config, found: String, needed: &'static str) -> Error {
    Error::UnfitTopic { topic: config.topic.clone(), found, needed }
}
