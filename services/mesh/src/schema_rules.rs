//! What is asked of the schemas of products besides their contracts: the same options for commands and for the registry,
//! so that what `check` lets pass is not refused later.

use crate::failure::Failure;
use clap::Args;
use mesh_avro::compat::{Setting, Severities};
use mesh_avro::sensitivity::SensitiveNames;

/// Which names look sensitive.
#[derive(Debug, Clone, Default, Args)]
pub struct NameOptions {
    /// A further name that looks sensitive, such as "staff number", or one that does not: -street; may be repeated
    #[arg(long, value_name = "NAME", env = "MESH_SENSITIVE_NAMES", value_delimiter = ',', allow_hyphen_values = true)]
    pub sensitive_name: Vec<String>,
}

/// Which names look sensitive, and how changes of meaning are taken.
#[derive(Debug, Clone, Default, Args)]
pub struct SchemaRules {
    #[command(flatten)]
    pub names: NameOptions,
    /// How a change of meaning in a product's schema is taken, such as default-changed=warn [default: all error]; may be
    /// repeated
    #[arg(long, value_name = "ID=LEVEL", env = "MESH_MEANING", value_delimiter = ',')]
    pub meaning: Vec<Setting>,
}

impl NameOptions {
    /// The names that have to be explained.
    ///
    /// # Errors
    /// A name is none.
    pub fn names(&self) -> Result<SensitiveNames, Failure> {
        let changed = |names: SensitiveNames, name: &String| names.changed(name);
        let names = self.sensitive_name.iter().try_fold(SensitiveNames::default(), changed);
        names.map_err(|error| Failure::usage("cannot take --sensitive-name").because(error))
    }
}

impl SchemaRules {
    /// How severe changes of meaning are: errors, unless set otherwise.
    pub fn severities(&self) -> Severities {
        Severities::strict().with(self.meaning.iter().copied())
    }
}
