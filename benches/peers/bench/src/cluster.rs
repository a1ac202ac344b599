//! Topics and groups of the cluster that is measured on.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::Duration;

use anyhow::{anyhow, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;

use crate::Args;

/// Of every topic.
pub const PARTITIONS: usize = 4;
/// How long a request may take.
pub const LONG: Duration = Duration::from_secs(30);

/// What every client begins with.
pub fn client(args: &Args) -> anyhow::Result<ClientConfig> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", args.need("--bootstrap")?);
    Ok(config)
}

/// `topic --create NAME | --delete NAME`
pub fn topic(args: &Args) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = client(args)?.create()?;
    let outcome = if let Some(name) = args.get("--create") {
        let topic = NewTopic::new(name, PARTITIONS as i32, TopicReplication::Fixed(1));
        block_on(admin.create_topics([&topic], &AdminOptions::new()))?
    } else {
        block_on(admin.delete_topics(&[args.need("--delete")?], &AdminOptions::new()))?
    };
    outcome.into_iter().try_for_each(|one| one.map(drop).map_err(|(name, code)| anyhow!("{name}: {code}")))
}

/// `forget-group --group NAME`: its next member starts at the beginning.
pub fn forget_group(args: &Args) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = client(args)?.create()?;
    let outcome = block_on(admin.delete_groups(&[args.need("--group")?], &AdminOptions::new()))?;
    for one in outcome {
        if let Err((name, code)) = one {
            bail!("{name}: {code}");
        }
    }
    Ok(())
}

/// Waits for the one future of a short command.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park_timeout(Duration::from_millis(20)),
        }
    }
}
