//! `mesh secure init DIR`: certificates, users, passwords and tokens, without Kafka.

use super::{OPERATOR_STORE, tokens, unusable};
use crate::apply::RightsOptions;
use crate::cli::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::platform::Principals;
use crate::schema_rules::NameOptions;
use crate::tree::WorkingTree;
use mesh_kafka::secure::{BROKER, OPERATOR, Purpose, SecureFolder, certificates_end};
use serde_json::json;
use std::path::PathBuf;

/// The brokers' certificate with its key.
const BROKER_STORE: &str = "broker.pem";
const HTTP: &str = "http";
/// Where brokers write whom they have denied what, for the audit.
const LOG: &str = "log";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder; made if it is not there, for its owner's eyes only
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The hosts that brokers are reached at: names or addresses, with commas
    #[arg(long, value_name = "HOSTS", required = true, value_delimiter = ',')]
    kafka: Vec<String>,
    /// A service that is served over HTTPS and the hosts it is reached at, such as registry=registry.example.org,localhost; may be
    /// repeated
    #[arg(long, value_name = "NAME=HOSTS", value_parser = http_service)]
    http: Vec<HttpService>,
    #[command(flatten)]
    names: NameOptions,
    #[command(flatten)]
    rights: RightsOptions,
}

#[derive(Debug, Clone)]
struct HttpService {
    name: String,
    hosts: Vec<String>,
}

fn http_service(text: &str) -> Result<HttpService, String> {
    let (name, hosts) = text.split_once('=').ok_or("expected NAME=HOSTS, such as registry=registry,localhost")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(format!("{name:?} is no name: letters, digits, `-` and `_`"));
    }
    Ok(HttpService { name: name.to_owned(), hosts: hosts.split(',').map(str::to_owned).collect() })
}

pub fn run(mut args: Args, context: &Context) -> Result<Exit, Failure> {
    let kafka = context.given_kafka()?.ok_or_else(|| {
        Failure::usage("it is not known where clients will reach Kafka")
            .hint("give --bootstrap-servers: the address goes into the users' files")
    })?;
    let root = context.root()?;
    let tree = WorkingTree::read(&root, &args.names.names()?)?.sound()?;
    args.rights.own_cluster = true;
    let wanted = args.rights.wanted(&tree, &root)?;
    let folder = SecureFolder::open(&args.folder).map_err(unusable)?;
    certificates(&folder, &args)?;
    folder.make_folder(LOG).map_err(unusable)?;
    let mut users = Principals::users(Some(&tree), wanted.as_ref());
    users.insert(OPERATOR.to_owned());
    for user in &users {
        folder.user(user, kafka.bootstrap()).map_err(unusable)?;
    }
    let tokens = tokens::make(&folder, &tree, wanted.as_ref())?;
    told(&args.folder.display().to_string(), &users.into_iter().collect::<Vec<_>>(), &tokens, context.format())
}

/// All of them anew, so that doing it again renews what would expire. The authority stays: clients trust it.
fn certificates(folder: &SecureFolder, args: &Args) -> Result<(), Failure> {
    let broker = folder.issue(BROKER, &args.kafka, Purpose::Both).map_err(unusable)?;
    let operator = folder.issue(OPERATOR, &[], Purpose::Client).map_err(unusable)?;
    folder.write(BROKER_STORE, &broker.store()).map_err(unusable)?;
    folder.write(OPERATOR_STORE, &operator.store()).map_err(unusable)?;
    folder.make_folder(HTTP).map_err(unusable)?;
    for HttpService { name, hosts } in &args.http {
        let issued = folder.issue(name, hosts, Purpose::Server).map_err(unusable)?;
        folder.write(&format!("{HTTP}/{name}.key"), &issued.key).map_err(unusable)?;
        folder.write(&format!("{HTTP}/{name}.crt"), &issued.certificate).map_err(unusable)?;
    }
    Ok(())
}

fn told(folder: &str, users: &[String], tokens: &[String], format: Format) -> Result<Exit, Failure> {
    let until = format!("{}-01-01", certificates_end());
    let lines = match format {
        Format::Json => {
            vec![json!({ "folder": folder, "users": users, "tokens": tokens, "certificates_until": until }).to_string()]
        }
        Format::Text => vec![
            format!("authority     {folder}/ca.pem, which clients trust; its key stays there"),
            format!("certificates  of brokers, operator and HTTP services, good until {until}: do this again before"),
            format!("kafka users   {folder}/clients/<user>.properties: {}", users.join(", ")),
            format!("http users    {folder}/tokens/<user>.json: {}", tokens.join(", ")),
        ],
    };
    for line in lines {
        let _reader = output::data(&line)?;
    }
    Ok(Exit::Fine)
}
