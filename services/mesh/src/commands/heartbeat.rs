//! `mesh heartbeat`: a producer's word that it is alive and has nothing new, once or again and again.

use crate::cli::Format;
use crate::commands::product::{find_applied, kafka_failure};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Reader};
use jiff::SignedDuration;
use mesh_client::heartbeat::{Heart, Heartbeat, HeartbeatError};
use mesh_contract::ProductRef;
use mesh_kafka::ErrorKind;
use mesh_runtime::Shutdown;
use std::time::Duration;

/// How long a heartbeat on its way may take once the command is interrupted.
const GRACE: Duration = Duration::from_secs(5);
/// More often than this says no more.
const EVERY_MIN: Duration = Duration::from_secs(1);

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
A product whose producer has nothing new is idle, not stale. A heartbeat says so: it names where the input port ends, and \
counts as news once the sidecar has passed on everything before that, so that it also proves the path. Send one more often \
than the product's refresh rate, and only while the producer itself is well and has sent all it had.";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The product, such as crm.customers, or crm.customers@1 for a version other than the newest
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// Go on until interrupted, one heartbeat every so often, such as 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = interval)]
    every: Option<Duration>,
    /// Who is alive; producers of one product are told apart by it
    #[arg(long, value_name = "NAME", default_value = "mesh-heartbeat", value_parser = producer)]
    producer: String,
}

/// Sends heartbeats.
pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let shutdown =
        Shutdown::on_signals(GRACE).map_err(|error| Failure::internal("cannot listen to signals").because(error))?;
    let opened = async {
        let (kafka, product) = find_applied(context, &args.product).await?;
        Heart::new(&kafka, &product.contract, &args.producer).map_err(failure)
    };
    let Some(heart) = shutdown.abandon(opened).await.transpose()? else { return Ok(Exit::Interrupted) };
    let Some(every) = args.every else {
        let Some(beat) = shutdown.abandon(heart.beat()).await else { return Ok(Exit::Interrupted) };
        let _reader = tell(&beat.map_err(failure)?, context.format())?;
        return Ok(Exit::Fine);
    };
    let beating = beat_on(&heart, every, context.format());
    shutdown.abandon(beating).await.unwrap_or(Ok(Exit::Fine))
}

/// Goes on while Kafka is away: a heartbeat that is missed is missed, the next one counts.
async fn beat_on(heart: &Heart, every: Duration, format: Format) -> Result<Exit, Failure> {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match heart.beat().await {
            Ok(heartbeat) => {
                if tell(&heartbeat, format)? == Reader::Gone {
                    return Ok(Exit::Fine);
                }
            }
            Err(error) if error.kind() == ErrorKind::Unreachable => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a heartbeat was not sent, going on");
                output::talk("warning: Kafka cannot be reached, no heartbeat was sent; going on");
            }
            Err(error) => return Err(failure(error)),
        }
    }
}

fn tell(heartbeat: &Heartbeat, format: Format) -> Result<Reader, Failure> {
    match format {
        Format::Json => output::json(heartbeat),
        Format::Text => output::data(&text(heartbeat)),
    }
}

fn text(heartbeat: &Heartbeat) -> String {
    let Heartbeat { product, version, producer, at_ms, offsets } = heartbeat;
    let at = jiff::Timestamp::from_millisecond(*at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string());
    let ends: Vec<String> = offsets.iter().map(|(partition, end)| format!("{partition}:{end}")).collect();
    format!("{at} {product}@{version} {producer} is alive; the input port ends at {}", ends.join(" "))
}

fn failure(error: HeartbeatError) -> Failure {
    match error {
        HeartbeatError::AskEnds { ref source, .. } if source.kind() == ErrorKind::UnknownTopic => {
            Failure::usage("the product has no input port yet").because(error).hint("`mesh apply` makes it")
        }
        HeartbeatError::SetUp { source, .. }
        | HeartbeatError::AskEnds { source, .. }
        | HeartbeatError::Write { source, .. } => kafka_failure(source),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let expected = "expected a time such as 30s or 5m";
    let every: SignedDuration = text.parse().map_err(|_| expected.to_owned())?;
    let every = Duration::try_from(every).map_err(|_| expected.to_owned())?;
    if every < EVERY_MIN { Err("at least 1s".to_owned()) } else { Ok(every) }
}

fn producer(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains('/') { Err("a name without `/`".to_owned()) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn times_are_taken_as_people_write_them() {
        assert_eq!(interval("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(interval("5 minutes"), Ok(Duration::from_secs(300)));
        for text in ["", "soon", "-5s", "0s", "500ms"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_heartbeat_is_a_line() {
        let heartbeat = Heartbeat {
            product: "crm.customers".to_owned(),
            version: 1,
            producer: "crm-service".to_owned(),
            at_ms: 1_800_000_000_000,
            offsets: BTreeMap::from([(0, 12), (1, 0)]),
        };
        let line = "2027-01-15T08:00:00Z crm.customers@1 crm-service is alive; the input port ends at 0:12 1:0";
        assert_eq!(text(&heartbeat), line);
    }
}
