//! `mesh subscribe`: a view's change events, to standard output.

mod avro;
mod decrypt;
mod lines;

use crate::audit;
use crate::commands::product::{Named, subscribe_failure, tell_end};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::lineage_options::LineageOptions;
use crate::output::{self, Reader};
use mesh_audit::Who;
use mesh_client::lineage::Reporter;
use mesh_client::subscriber::{From, Options};
use mesh_client::{Event, SubscribeError, Subscriber};
use mesh_contract::{AppliedProduct, MASKED_VIEW, ProductRef};
use mesh_kafka::Settings;
use mesh_runtime::Shutdown;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How long leaving the group may take.
const GRACE: Duration = Duration::from_secs(10);
/// How often a group's offsets are committed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// What `--help` adds to the command's line.
const DETAILS: &str = "\
Each event is one line: {\"key\":...,\"value\":{...},\"timestamp\":...,\"partition\":...,\"offset\":...}; a value of null is a \
tombstone: the key was deleted. `mesh publish` takes such lines. Without --group every event is read; with one, its members \
share them, and go on where the group was (at least once: what was printed last may be printed again).";

#[derive(Debug, clap::Args)]
#[command(after_long_help = DETAILS)]
pub struct Args {
    /// The product, such as crm.customers, or crm.customers@1 for a version other than the newest
    #[arg(value_name = "PRODUCT")]
    product: ProductRef,
    /// The view
    #[arg(long, default_value = MASKED_VIEW)]
    view: String,
    /// The consumer group
    #[arg(long)]
    group: Option<String>,
    /// Where to begin; a group goes on where it was
    #[arg(long, value_enum, default_value_t)]
    from: Beginning,
    /// End after so many events
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// End once everything has been read that is there now
    #[arg(long)]
    until_end: bool,
    /// What is printed
    #[arg(long, value_enum, default_value_t)]
    encoding: Encoding,
    /// Show encrypted columns in clear, to who holds the keys (--keys, --vault-keys); those of a subject that was forgotten stay as
    /// they are
    #[arg(long)]
    decrypt: bool,
    /// Tell lineage that a job of this name reads the view
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    #[command(flatten)]
    lineage: LineageOptions,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Beginning {
    /// At the oldest event that is kept
    #[default]
    Beginning,
    /// After the newest event there is
    Latest,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Encoding {
    /// One JSON object a line
    #[default]
    Json,
    /// An Avro object container file; tombstones are left out
    Avro,
}

/// Where events are printed.
enum Printer {
    Lines(Option<Box<decrypt::Decrypter>>),
    Container(Box<avro::Container>),
}

impl Printer {
    /// Prints one event, or keeps it for the next [`Printer::flush`].
    fn print(&mut self, event: &Event) -> Result<Reader, Trouble> {
        match self {
            Self::Lines(decrypter) => {
                let mut line = lines::line(event).map_err(Trouble::Event)?;
                if let (Some(decrypter), Some(value)) = (decrypter, line.get_mut("value")) {
                    decrypter.decrypt(value);
                }
                output::json(&line).map_err(Trouble::Command)
            }
            Self::Container(container) => {
                let reader = container.add(event).map_err(Trouble::Event)?;
                if reader == Reader::Gone { Ok(reader) } else { container.write(false).map_err(Trouble::Command) }
            }
        }
    }

    /// Says how much nobody can decrypt any more.
    fn tell_forgotten(&self) {
        if let Self::Lines(Some(decrypter)) = self
            && decrypter.forgotten > 0
        {
            let values = decrypter.forgotten;
            output::talk(&format!(
                "{values} encrypted values are about subjects that were forgotten: nobody can decrypt them"
            ));
        }
    }

    /// Leaves nothing unprinted.
    fn flush(&mut self) -> Result<Reader, Failure> {
        match self {
            Self::Lines(_) => Ok(Reader::There),
            Self::Container(container) => container.write(true),
        }
    }
}

/// Why an event was not printed.
enum Trouble {
    /// It cannot be decoded.
    Event(SubscribeError),
    /// Nothing can be printed.
    Command(Failure),
}

/// Prints a view's events until told to end.
pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let shutdown =
        Shutdown::on_signals(GRACE).map_err(|error| Failure::internal("cannot listen to signals").because(error))?;
    let opened = shutdown.abandon(open(&args, context)).await;
    let Some(Opened { mut subscriber, mut printer, reporter }) = opened.transpose()? else {
        return Ok(Exit::Interrupted);
    };
    let exit = print(&args, &mut subscriber, &mut printer, &shutdown).await;
    subscriber.close().await;
    if let Some(reporter) = reporter {
        tell_end(reporter, &exit).await;
    }
    exit
}

struct Opened {
    subscriber: Subscriber,
    printer: Printer,
    /// None: nobody has given the job a name.
    reporter: Option<Reporter>,
}

async fn open(args: &Args, context: &Context) -> Result<Opened, Failure> {
    let Named { kafka, registry, product, cluster } = Named::find(context, &args.product).await?;
    let from = match args.from {
        Beginning::Beginning => From::Beginning,
        Beginning::Latest => From::Latest,
    };
    if let Some(deprecated) = &product.contract.deprecated {
        let (name, version) = (product.contract.product(), product.contract.version);
        output::talk(&format!("warning: {name}@{version} is {deprecated}"));
    }
    let options = Options { group: args.group.clone(), from, until_end: args.until_end };
    let subscriber = Subscriber::open(&kafka, &registry, &product, &args.view, options);
    let mut subscriber = subscriber.await.map_err(subscribe_failure)?;
    let report = |job: &String| -> Result<Reporter, Failure> {
        Ok(Reporter::subscriber(job, &cluster, &product, &args.view, args.lineage.emitter(&kafka)?))
    };
    let reporter = args.job.as_ref().map(report).transpose()?;
    reporter.iter().for_each(|reporter| subscriber.report_to(reporter));
    let printer = match args.encoding {
        Encoding::Json => Printer::Lines(decrypter(args, context, &product).await?),
        Encoding::Avro if args.decrypt => {
            return Err(Failure::usage("what is decrypted is printed as JSON only").hint("leave out --encoding avro"));
        }
        Encoding::Avro => Printer::Container(Box::new(avro::Container::open(&registry, subscriber.topic()).await?)),
    };
    Ok(Opened { subscriber, printer, reporter })
}

async fn decrypter(
    args: &Args,
    context: &Context,
    product: &AppliedProduct,
) -> Result<Option<Box<decrypt::Decrypter>>, Failure> {
    if !args.decrypt {
        return Ok(None);
    }
    let decrypter = decrypt::Decrypter::new(product, &args.view, context.keys()?)?;
    // who may read the view need not be let write to the audit: the keys alone are what it takes
    let event = |kafka: &Settings| {
        mesh_audit::Event::new("values-decrypted", &Who::here(kafka, "mesh subscribe --decrypt"))
            .with("product", product.contract.product())
            .with("major", product.contract.version)
            .with("view", &args.view)
            .with("columns", decrypter.columns())
    };
    audit::try_tell(context, event).await;
    Ok(Some(Box::new(decrypter)))
}

/// Prints events until the end. What has been printed is committed; what a reader that went away has not taken is not.
async fn print(
    args: &Args,
    subscriber: &mut Subscriber,
    printer: &mut Printer,
    shutdown: &Shutdown,
) -> Result<Exit, Failure> {
    let (mut printed, mut undecodable) = (0_u64, 0_u64);
    let mut committing = interval(COMMIT_EVERY);
    committing.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupted = false;
    while !interrupted && args.max.is_none_or(|max| printed < max) {
        let next = async {
            match args.until_end {
                true => subscriber.next_until_end().await,
                false => subscriber.next().await.map(Some),
            }
        };
        let event = tokio::select! {
            biased;
            () = shutdown.triggered() => {
                interrupted = true;
                continue;
            }
            _ = committing.tick() => {
                if settle(subscriber, printer).await? == Reader::Gone {
                    return Ok(Exit::Fine);
                }
                continue;
            }
            event = next => event,
        };
        let outcome = match event {
            Ok(None) => break,
            Ok(Some(event)) => printer.print(&event),
            Err(error) => Err(Trouble::Event(error)),
        };
        match outcome {
            Ok(Reader::There) => printed += 1,
            Ok(Reader::Gone) => return Ok(Exit::Fine),
            Err(Trouble::Event(error @ SubscribeError::Undecodable { .. })) => {
                undecodable += 1;
                output::talk(&error.to_string());
            }
            Err(Trouble::Event(error)) => return Err(subscribe_failure(error)),
            Err(Trouble::Command(failure)) => return Err(failure),
        }
    }
    let _reader = settle(subscriber, printer).await?;
    printer.tell_forgotten();
    Ok(match (interrupted, undecodable) {
        (true, _) => how_interrupted(args),
        (false, 0) => Exit::Fine,
        (false, _) => Exit::Findings,
    })
}

/// Leaves nothing unprinted, and commits what is printed.
async fn settle(subscriber: &mut Subscriber, printer: &mut Printer) -> Result<Reader, Failure> {
    let reader = printer.flush()?;
    if reader == Reader::There {
        commit(subscriber).await?;
    }
    Ok(reader)
}

/// A subscription without an end is ended by a signal as it should be.
fn how_interrupted(args: &Args) -> Exit {
    if args.until_end || args.max.is_some() { Exit::Interrupted } else { Exit::Fine }
}

async fn commit(subscriber: &mut Subscriber) -> Result<(), Failure> {
    match subscriber.commit().await {
        // its new owner sees those events again: at least once
        Err(SubscribeError::Commit { source, .. }) if source.kind() == mesh_kafka::ErrorKind::Rebalanced => Ok(()),
        committed => committed.map_err(subscribe_failure),
    }
}
