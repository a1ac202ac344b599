//! The service's life.

use std::time::Duration;

use mesh_audit::{Fault, Notary, Teller, VerifyOptions, Who};
use mesh_contract::topic::AUDIT_TOPIC;
use mesh_kafka::admin::Admin;
use mesh_kafka::log::LogReader;
use mesh_kafka::{ErrorKind, Record};
use mesh_runtime::{Latch, Shutdown};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::config::Config;
use crate::ledger::Ledger;
use crate::position::{Position, told};
use crate::{Error, metrics};

/// How often a log file is looked at, and a topic that is not there yet is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Follows the audit until the shutdown. The latch `audit` is there once this returns.
pub fn run(config: Config, shutdown: Shutdown) -> impl Future<Output = Result<(), Error>> + Send {
    let latch = config.readiness.latch("audit");
    async move {
        let Some(auditor) = shutdown.abandon(Auditor::open(config, &latch)).await.transpose()? else { return Ok(()) };
        auditor.follow(&shutdown).await
    }
}

struct Auditor {
    config: Config,
    who: Who,
    log: LogReader,
    seen: Seen,
    teller: Teller,
    ledger: Option<Ledger>,
}

/// What was read of the audit.
struct Seen {
    notary: Notary,
    /// Whose positions count: this machine, and the log that is followed.
    host: String,
    file: Option<String>,
    position: Option<Position>,
    faults_said: u64,
}

impl Seen {
    fn take(&mut self, record: &Record) {
        self.notary.take(record);
        if let Some(file) = &self.file
            && let Some(position) = told(record, &self.host, file)
        {
            self.position = Some(position);
        }
        self.say_faults();
    }

    /// Each once, as it shows.
    fn say_faults(&mut self) {
        let total = self.notary.faults_total();
        if total > self.faults_said {
            let report = self.notary.report();
            let new = report.faults.iter().skip(usize::try_from(self.faults_said).unwrap_or(usize::MAX));
            new.for_each(|fault: &Fault| tracing::error!(%fault, "the audit is damaged"));
            self.faults_said = total;
        }
    }
}

impl Auditor {
    async fn open(config: Config, latch: &Latch) -> Result<Auditor, Error> {
        latch.close("reading mesh.audit");
        let who = Who::here(&config.kafka, "mesh run audit");
        let mut log = open_log(&config, latch).await?;
        let starts = Admin::new(&config.kafka).map_err(Error::ReadAudit)?.start_offsets(&[AUDIT_TOPIC]).await;
        let is_truncated = starts.map_err(Error::ReadAudit)?.values().any(|start| *start > 0);
        let options = VerifyOptions { keys: config.keys.clone(), ..VerifyOptions::default() };
        let mut seen = Seen {
            notary: Notary::new(options, is_truncated),
            host: who.host.clone().unwrap_or_default(),
            file: config.authorizer_log.as_ref().map(|path| path.display().to_string()),
            position: None,
            faults_said: 0,
        };
        log.read_to_end(|record| seen.take(&record)).await.map_err(Error::ReadAudit)?;
        let teller = Teller::new(&config.kafka, config.keys.clone()).map_err(Error::Tell)?;
        let ledger = config.authorizer_log.as_deref();
        let ledger = ledger.map(|path| Ledger::open(path, &seen.host, seen.position.as_ref())).transpose()?;
        let report = seen.notary.report();
        metrics::seen(report.entries, report.faults_total);
        tracing::info!(entries = report.entries, faults = report.faults_total, "the audit has been read");
        latch.open();
        Ok(Auditor { config, who, log, seen, teller, ledger })
    }

    async fn follow(mut self, shutdown: &Shutdown) -> Result<(), Error> {
        let (mut look, mut tell) = (interval(LOOK_EVERY), interval(self.config.interval));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                record = self.log.next() => self.seen.take(&record.map_err(Error::ReadAudit)?),
                _ = look.tick() => self.look().await?,
                _ = tell.tick() => self.tell(shutdown).await?,
                () = shutdown.triggered() => return self.tell_denials().await,
            }
        }
    }

    async fn look(&mut self) -> Result<(), Error> {
        let report = self.seen.notary.report();
        metrics::seen(report.entries, report.faults_total);
        let Some(ledger) = &mut self.ledger else { return Ok(()) };
        ledger.read()?;
        if ledger.is_full() { self.tell_denials().await } else { Ok(()) }
    }

    async fn tell(&mut self, shutdown: &Shutdown) -> Result<(), Error> {
        self.tell_denials().await?;
        if !self.seen.notary.has_news() {
            return Ok(());
        }
        // whoever falls behind would else vouch for what is too long ago for anybody to remember
        let seen = &mut self.seen;
        match shutdown.abandon(self.log.read_to_end(|record| seen.take(&record))).await {
            Some(Ok(())) => {}
            Some(Err(error)) if error.is_retriable() => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "mesh.audit is not read to its end, the notary's word is said later");
                return Ok(());
            }
            Some(Err(error)) => return Err(Error::ReadAudit(error)),
            None => return Ok(()),
        }
        let Some((word, tip)) = self.seen.notary.word(&self.who) else { return Ok(()) };
        self.teller.saw(tip);
        match self.teller.tell(&word).await {
            Err(error) if is_passing(&error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the notary's word is not written, it is said again"
                );
                Ok(())
            }
            told => told.map_err(Error::Tell),
        }
    }

    /// Tells what was denied. Where it is not known whether that was written, the audit itself says so.
    async fn tell_denials(&mut self) -> Result<(), Error> {
        let Some(ledger) = &mut self.ledger else { return Ok(()) };
        let Some((event, position)) = ledger.event(&self.who) else { return Ok(()) };
        match self.teller.tell(&event).await {
            Ok(()) => {}
            Err(error) if is_passing(&error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "denials are not told yet");
                let seen = &mut self.seen;
                let read = self.log.read_to_end(|record| seen.take(&record)).await;
                if read.is_err() || self.seen.position.as_ref() != Some(&position) {
                    return Ok(());
                }
            }
            Err(error) => return Err(Error::Tell(error)),
        }
        ledger.settle();
        Ok(())
    }
}

/// Whether waiting may mend it.
fn is_passing(error: &mesh_audit::TellError) -> bool {
    match error {
        mesh_audit::TellError::Look(source) | mesh_audit::TellError::Write { source, .. } => source.is_retriable(),
        mesh_audit::TellError::Seal(_) => true,
        mesh_audit::TellError::NoTopic => false,
    }
}

/// Waits until there is a topic: `mesh apply` makes it.
async fn open_log(config: &Config, latch: &Latch) -> Result<LogReader, Error> {
    loop {
        match LogReader::open(&config.kafka, AUDIT_TOPIC).await {
            Err(error) if error.kind() == ErrorKind::UnknownTopic => {
                latch.close("there is no topic mesh.audit yet: mesh apply makes it");
            }
            Err(error) if error.is_retriable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "mesh.audit is out of reach, retrying");
            }
            opened => return opened.map_err(Error::ReadAudit),
        }
        sleep(LOOK_EVERY).await;
    }
}
