//! `mesh mask`: records as a view would show them, without Kafka.

mod container;
mod hex;
mod keys;
mod lines;
mod out;
mod preview;
mod records;
mod rulebook;
mod table;

use crate::audit;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use mesh_audit::{Event, Who};
use mesh_kafka::Settings;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mesh mask --contract topics/crm/customers.yaml --in customers.jsonl
  mesh mask --contract topics/crm/customers.yaml --view support --encoding avro --in customers.avro --out support.avro
  echo '{\"id\":1,\"schema\":\"string\",\"payload_hex\":\"0261\"}' | mesh mask --encoding hex")]
pub struct Args {
    /// The contract whose rules are shown; only --encoding hex can do without
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
    /// The view
    #[arg(long, value_name = "VIEW", default_value = mesh_contract::MASKED_VIEW)]
    view: String,
    /// What the records come in
    #[arg(long, value_enum, default_value_t)]
    encoding: Encoding,
    /// The file of records, - for standard input
    #[arg(long = "in", value_name = "FILE", default_value = "-")]
    input: PathBuf,
    /// Write the view's records to a file instead, in the encoding they came in; of a container file again a container file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The schema that JSON records are of [default: the contract's]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Stop after so many records
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
}

/// What records come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Encoding {
    /// JSON lines, one record a line.
    #[default]
    Json,
    /// An Avro container file.
    Avro,
    /// JSON lines {"id","schema","payload_hex"}, perhaps with "sensitive_columns": payloads are Avro binary.
    Hex,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    if args.schema.is_some() && args.encoding != Encoding::Json {
        return Err(Failure::usage("--schema is for --encoding json: other encodings carry their schema"));
    }
    let contract = args.contract.as_deref().map(|file| rulebook::Contract::read(file, context)).transpose()?;
    let keys = keys::find(context)?;
    tell(&args, context).await;
    let input = open(&args.input)?;
    let out = args.out.as_deref().map(|file| out::OutFile::begin(file, &args.input)).transpose()?;
    let limit = args.limit.unwrap_or(u64::MAX);
    if args.encoding == Encoding::Hex {
        let rulebook = rulebook::Rulebook::new(contract.as_ref(), &args.view, keys.as_ref())?;
        return hex::run(input, &rulebook, limit, out::Lines::to(out));
    }
    let contract = contract.ok_or_else(|| {
        Failure::usage("no contract is given, so nothing says what is sensitive")
            .hint("give --contract topics/<domain>/<product>.yaml")
    })?;
    let screen = if io::stdout().is_terminal() && context.format() == crate::cli::Format::Text {
        preview::Screen::Terminal
    } else {
        preview::Screen::Stdout
    };
    let job = preview::Job { contract: &contract, view: &args.view, keys: keys.as_ref(), limit };
    match args.encoding {
        Encoding::Avro => preview::container(&job, input, out, screen),
        _ => preview::json_lines(&job, args.schema.as_deref(), input, out, screen),
    }
}

/// Who masks guesses with the mesh's keys finds what others' hashes are of: that is on record, where a cluster is named.
async fn tell(args: &Args, context: &Context) {
    if !keys::are_the_meshs(context) {
        return;
    }
    let contract = args.contract.as_ref().map(|file| file.display().to_string());
    let event = |kafka: &Settings| {
        Event::new("masked-by-hand", &Who::here(kafka, "mesh mask")).with("contract", contract).with("view", &args.view)
    };
    audit::try_tell(context, event).await;
}

fn open(file: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let opened = File::open(file).and_then(|opened| {
        let is_folder = opened.metadata()?.is_dir();
        if is_folder { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(opened) }
    });
    let opened = opened.map_err(|error| {
        Failure::usage(format!("cannot read records from {}", file.display()))
            .because(error)
            .hint("give a file of records, or - for standard input")
    })?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, opened)))
}

/// Standard input, or the file given, stopped being readable.
fn cannot_read(error: io::Error) -> Failure {
    Failure::usage("cannot read the records to their end").because(error)
}
