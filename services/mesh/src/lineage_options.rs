//! Where lineage is told beside `mesh.lineage`: any OpenLineage back end, by the names that the specification's own clients
//! have for it.

use crate::failure::Failure;
use mesh_client::lineage::{Emitter, HttpOptions, HttpTransport, KafkaTransport};
use mesh_client::registry::{Credentials, Login};
use mesh_kafka::Settings;
use mesh_runtime::private_file::{self, OTHERS};
use std::path::PathBuf;

/// No certificate of an authority, and no key, is larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The token to be let in with; never an argument, which every user of the machine can see.
const API_KEY: &str = "OPENLINEAGE_API_KEY";

/// Where lineage is told beside `mesh.lineage`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Lineage")]
pub struct LineageOptions {
    /// An OpenLineage back end, such as Marquez, that is told as well as mesh.lineage: http://host:port or https://host:port
    #[arg(long, value_name = "URL", env = "OPENLINEAGE_URL")]
    lineage_url: Option<String>,
    /// The path there that takes events [default: api/v1/lineage]
    #[arg(long, value_name = "PATH", env = "OPENLINEAGE_ENDPOINT")]
    lineage_endpoint: Option<String>,
    /// A file of one's own that holds the API key to be let in with there; or set OPENLINEAGE_API_KEY
    #[arg(long, value_name = "FILE", env = "MESH_LINEAGE_KEY_FILE")]
    lineage_key_file: Option<PathBuf>,
    /// The authority whose certificate it has, in PEM [default: those that the system trusts]
    #[arg(long, value_name = "FILE", env = "MESH_LINEAGE_CA")]
    lineage_ca: Option<PathBuf>,
    /// Send events there compressed, which not every back end takes
    #[arg(long, env = "MESH_LINEAGE_GZIP")]
    lineage_gzip: bool,
    /// Tell nobody
    #[arg(long, env = "OPENLINEAGE_DISABLED", value_parser = clap::builder::FalseyValueParser::new())]
    no_lineage: bool,
}

impl LineageOptions {
    /// Whether anybody is told.
    pub fn is_on(&self) -> bool {
        !self.no_lineage
    }

    /// The back end, if one is named.
    ///
    /// # Errors
    /// Its address is none, or what lets one in cannot be read, or could be seen by others.
    pub fn http(&self) -> Result<Option<HttpOptions>, Failure> {
        let Some(url) = self.lineage_url.as_deref().filter(|url| !url.is_empty()) else { return Ok(None) };
        let options = HttpOptions {
            endpoint: self.lineage_endpoint.clone(),
            login: self.login()?,
            gzip: self.lineage_gzip,
            ..HttpOptions::new(url)
        };
        // what cannot work is told before anything is started
        HttpTransport::new(&options).map_err(unusable)?;
        Ok(Some(options))
    }

    /// The way out: `mesh.lineage`, and the back end if one is named.
    ///
    /// # Errors
    /// As [`LineageOptions::http`].
    pub fn emitter(&self, kafka: &Settings) -> Result<Emitter, Failure> {
        if !self.is_on() {
            return Ok(Emitter::disabled());
        }
        let kafka = KafkaTransport::new(kafka);
        let emitter = Emitter::spawn(kafka.map_err(|error| Failure::usage("cannot tell mesh.lineage").because(error))?);
        Ok(match self.http()? {
            Some(options) => emitter.and(HttpTransport::new(&options).map_err(unusable)?),
            None => emitter,
        })
    }

    fn login(&self) -> Result<Login, Failure> {
        let mut login = Login::default();
        if let Some(file) = &self.lineage_ca {
            // an authority's certificate is no secret
            let authority = private_file::read(file, 0, FILE_BYTES_MAX);
            let authority =
                authority.map_err(|error| Failure::usage("cannot use the file of --lineage-ca").because(error))?;
            login = login.trusting(&authority).map_err(|error| {
                Failure::usage(format!("cannot trust the authority in {}", file.display())).because(error)
            })?;
        }
        Ok(match self.api_key()? {
            Some(key) => login.with(Credentials::token(&key)),
            None => login,
        })
    }

    fn api_key(&self) -> Result<Option<String>, Failure> {
        let key = match &self.lineage_key_file {
            None => std::env::var(API_KEY).ok(),
            Some(file) => {
                let text = private_file::read(file, OTHERS, FILE_BYTES_MAX);
                let text =
                    text.map_err(|error| Failure::usage("cannot use the file of --lineage-key-file").because(error))?;
                Some(text.to_string())
            }
        };
        Ok(key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()))
    }
}

fn unusable(error: mesh_client::lineage::transport::HttpTransportError) -> Failure {
    Failure::usage("cannot tell lineage to the back end of --lineage-url").because(error)
}
