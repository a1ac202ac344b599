//! `mesh keys`: the file of root secrets that all keys are derived from. No secret is ever shown.

use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use clap::Subcommand;
use mesh_runtime::keys::{FileKeys, KeysError};
use serde_json::json;
use std::path::Path;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a new file with one root secret; an existing one is never overwritten
    Generate,
    /// Add a new root secret, which values are masked with from now on; services follow without a restart
    Rotate,
    /// The versions there are
    List,
}

pub fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let file = context.keys_file().ok_or_else(|| Failure::usage("no key file is named").hint("give --keys FILE"))?;
    match args.command {
        Command::Generate => FileKeys::generate(&file).map(|_| ()).map_err(failed)?,
        Command::Rotate => {
            let version = FileKeys::rotate(&file).map_err(failed)?;
            output::talk(&format!(
                "version {version} is the newest; hashes of the versions before stay as they are: `mesh remask PRODUCT` makes them anew"
            ));
        }
        Command::List => {}
    }
    show(&file, context.format())?;
    Ok(Exit::Fine)
}

fn show(file: &Path, format: Format) -> Result<(), Failure> {
    let versions: Vec<u32> = FileKeys::open(file).map_err(failed)?.versions().collect();
    let file = file.display().to_string();
    let _reader = match format {
        Format::Json => output::json(&json!({ "file": file, "versions": versions }))?,
        Format::Text => {
            let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
            output::data(&format!("{file}: versions {}", versions.join(", ")))?
        }
    };
    Ok(())
}

fn failed(error: KeysError) -> Failure {
    Failure::usage("cannot use the key file").because(error)
}
