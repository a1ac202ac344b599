//! `upselling-offers`: derives offers for ever, or once with `--once`. Kafka and the registry are named by
//! `MESH_BOOTSTRAP_SERVERS` and `MESH_REGISTRY_URL`, as for `mesh` itself.

use anyhow::{Context, Result, bail};
use mesh_kafka::Settings;
use tokio_util::sync::CancellationToken;
use upselling_offers::{Config, Program};

#[tokio::main]
async fn main() -> Result<()> {
    let once = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [only] if only == "--once" => true,
        _ => bail!("usage: upselling-offers [--once]"),
    };
    let config = Config::new(Settings::new(&variable("MESH_BOOTSTRAP_SERVERS")?), variable("MESH_REGISTRY_URL")?);
    let mut program = Program::open(&config).await?;
    let worked = work(&mut program, once).await;
    program.finish(worked).await?;
    Ok(())
}

/// Catches up, and goes on until it is stopped.
async fn work(program: &mut Program, once: bool) -> Result<()> {
    program.catch_up().await?;
    if !once {
        let stop = CancellationToken::new();
        let interrupted = stop.clone();
        tokio::spawn(async move {
            // Without a handler Ctrl-C ends the process at once, which is as well.
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupted.cancel();
            }
        });
        program.follow(&stop).await?;
    }
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: `mesh up` says what it is"))
}
