//! `mesh keys`: the file of root secrets that all keys are derived from. No secret is ever shown.

use crate::audit;
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use clap::Subcommand;
use mesh_audit::{Event, Who};
use mesh_kafka::Settings;
use mesh_runtime::keys::{FileKeys, KeysError, SealedFile, TransitKey};
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
    Generate {
        /// Seal it with this key of Vault's transit engine, without which it is of no use to anybody
        #[arg(long, value_name = "MOUNT/KEY")]
        transit: Option<TransitKey>,
    },
    /// Add a new root secret, which values are masked with from now on; services follow without a restart
    Rotate,
    /// Make keys of subjects where there are none yet: what products need whose contract names a `subject`
    Subjects,
    /// The versions there are
    List,
    /// Seal a key file that is in clear with a key of Vault's transit engine; services that use it have to be started anew
    Seal {
        /// The key, such as transit/mesh-roots
        #[arg(long, value_name = "MOUNT/KEY")]
        transit: TransitKey,
    },
    /// Bring a sealed file to the newest version of the transit key, after that was rotated in Vault
    Rewrap,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let done = args.command.done();
    let file = context.keys_file().ok_or_else(|| Failure::usage("no key file is named").hint("give --keys FILE"))?;
    let sealed = || context.sealed_keys(&file);
    match args.command {
        Command::Generate { transit: Some(key) } => sealed()?.generate(&key).await.map_err(failed)?,
        Command::Generate { transit: None } => FileKeys::generate(&file).map(|_| ()).map_err(failed)?,
        Command::Seal { transit } => {
            sealed()?.enclose(&transit).await.map_err(failed)?;
            output::talk(
                "what the file held in clear may still be on the disk, and in copies of it: rotate it away, or destroy those",
            );
        }
        Command::Rewrap => sealed()?.rewrap().await.map_err(failed)?,
        Command::Rotate => {
            let version = match SealedFile::is_one(&file) {
                true => sealed()?.rotate().await.map_err(failed)?,
                false => FileKeys::rotate(&file).map_err(failed)?,
            };
            output::talk(&format!(
                "version {version} is the newest; hashes of the versions before stay as they are: `mesh remask PRODUCT` makes them anew"
            ));
        }
        Command::Subjects => _ = context.key_store()?.add_subjects().await?,
        Command::List => {}
    }
    if let Some(done) = done {
        let event = |kafka: &Settings| {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
            Event::new(done, &Who::here(kafka, "mesh keys")).with("file", name)
        };
        audit::try_tell(context, event).await;
    }
    show(&file, context).await?;
    Ok(Exit::Fine)
}

impl Command {
    /// What goes on record once it is done; nothing if nothing changes.
    fn done(&self) -> Option<&'static str> {
        match self {
            Self::Generate { .. } => Some("keys-generated"),
            Self::Rotate => Some("keys-rotated"),
            Self::Subjects => Some("keys-of-subjects-made"),
            Self::Seal { .. } => Some("keys-sealed"),
            Self::Rewrap => Some("keys-rewrapped"),
            Self::List => None,
        }
    }
}

async fn show(file: &Path, context: &Context) -> Result<(), Failure> {
    let is_sealed = SealedFile::is_one(file);
    let versions: Vec<u32> = match is_sealed {
        true => context.sealed_keys(file)?.versions().await.map_err(failed)?,
        false => FileKeys::open(file).map_err(failed)?.versions().collect(),
    };
    let file = file.display().to_string();
    let _reader = match context.format() {
        Format::Json => output::json(&json!({ "file": file, "versions": versions, "sealed": is_sealed }))?,
        Format::Text => {
            let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
            let sealed = if is_sealed { " (sealed)" } else { "" };
            output::data(&format!("{file}: versions {}{sealed}", versions.join(", ")))?
        }
    };
    Ok(())
}

fn failed(error: KeysError) -> Failure {
    match error {
        KeysError::VaultAway { .. } => Failure::unreachable("cannot use the key file"),
        _ => Failure::usage("cannot use the key file"),
    }
    .because(error)
}
