//! Where the keys of a command come from.

mod store;

use crate::cli::Global;
use crate::failure::Failure;
use mesh_avro::keys::KeyRing;
use mesh_runtime::keys::{
    EnvKeys, FileSource, FollowOptions, FollowedKeys, KeySource, KeysError, SealedFile, VaultAccess, VaultKeys,
    VaultLogin,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

pub use store::KeyStore;

/// A file is looked at more often than a server is asked.
const FILE_INTERVAL: Duration = Duration::from_secs(2);
const ADDRESS: &str = "VAULT_ADDR";
const TOKEN: &str = "VAULT_TOKEN";
const AUTHORITY: &str = "VAULT_CACERT";
const NAMESPACE: &str = "VAULT_NAMESPACE";

/// How long somebody waits for a provider that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Not at all: keys that cannot be had now end the command.
    Now,
    /// As long as it takes: partitions are held meanwhile.
    Service,
}

/// The keys that are given, or those of `file`.
pub fn of(global: &Global, file: Option<PathBuf>, patience: Patience) -> Result<Arc<dyn KeyRing>, Failure> {
    if let Some(secret) = &global.vault_keys {
        let vault = VaultKeys::new(&vault(global)?, secret).map_err(unusable)?;
        return of_vault(vault, patience);
    }
    if global.keys.is_none() && EnvKeys::present() {
        return EnvKeys::read().map(|keys| Arc::new(keys) as Arc<dyn KeyRing>).map_err(unusable);
    }
    let file = file.ok_or_else(|| {
        Failure::usage("no keys are given, and masking cannot do without").hint(
            "give --keys FILE or --vault-keys MOUNT/PATH, or set MESH_KEYS; `mesh up` makes a key file of its own",
        )
    })?;
    if SealedFile::is_one(&file) {
        return of_vault(sealed_file(global, &file)?, patience);
    }
    followed(&file)
}

/// The keys of a file in clear, followed as it is replaced.
pub fn followed(file: &Path) -> Result<Arc<dyn KeyRing>, Failure> {
    open(FileSource::new(file), FollowOptions { interval: FILE_INTERVAL, ..FollowOptions::default() })
}

/// A key file that Vault opens.
pub fn sealed_file(global: &Global, file: &Path) -> Result<SealedFile, Failure> {
    SealedFile::new(file, &vault(global)?).map_err(unusable)
}

fn of_vault(source: impl KeySource, patience: Patience) -> Result<Arc<dyn KeyRing>, Failure> {
    match patience {
        Patience::Service => Ok(Arc::new(FollowedKeys::start(source, FollowOptions::default()))),
        Patience::Now => open(source, FollowOptions::default()),
    }
}

fn open(source: impl KeySource, options: FollowOptions) -> Result<Arc<dyn KeyRing>, Failure> {
    let opened = block_in_place(|| Handle::current().block_on(FollowedKeys::open(source, options)));
    opened.map(|keys| Arc::new(keys) as Arc<dyn KeyRing>).map_err(unusable)
}

fn vault(global: &Global) -> Result<VaultAccess, Failure> {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let address = variable(ADDRESS).ok_or_else(|| {
        needs("its address is not known").hint("set VAULT_ADDR, such as https://vault.example.org:8200")
    })?;
    let login = match (global.vault_login.clone(), global.vault_token_file.clone()) {
        (Some(method), proof) => VaultLogin::role(method, proof)
            .map_err(|why| needs(why).hint("give --vault-token-file FILE, which holds the secret id"))?,
        (None, Some(file)) => VaultLogin::TokenFile(file),
        (None, None) => VaultLogin::token(variable(TOKEN).ok_or_else(|| {
            needs("there is no token").hint("give --vault-token-file FILE or --vault-login ROLE, or set VAULT_TOKEN")
        })?),
    };
    let authority = variable(AUTHORITY).map(PathBuf::from);
    Ok(VaultAccess { address, login, namespace: variable(NAMESPACE), authority })
}

fn needs(what: &str) -> Failure {
    Failure::usage(format!("cannot ask Vault for keys: {what}"))
}

/// How a command ends that cannot have its keys.
pub fn unusable(error: KeysError) -> Failure {
    match error {
        KeysError::VaultAway { .. } => Failure::unreachable("cannot have the keys"),
        _ => Failure::usage("cannot use the given keys"),
    }
    .because(error)
}
