//! How the process is let in at registries. Secrets come from files and the environment, never from the command line,
//! which every user of the machine can see.

use crate::cli::Global;
use crate::failure::Failure;
use mesh_client::registry::{Credentials, Login, LoginError};
use mesh_runtime::private_file::{self, OTHERS, PrivateFileError};
use std::path::Path;

/// No certificate of an authority, and no credentials, are larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const URL: &str = "MESH_REGISTRY_URL";
const TOKEN: &str = "MESH_REGISTRY_TOKEN";
const USER: &str = "MESH_REGISTRY_USER";
const PASSWORD: &str = "MESH_REGISTRY_PASSWORD";

/// What the shared options and the environment say.
pub fn of(global: &Global) -> Result<Login, Failure> {
    refuse_visible_secrets(global.registry_url.as_deref())?;
    let mut login = Login::default();
    if let Some(file) = &global.registry_ca {
        // An authority's certificate is no secret.
        let authority =
            private_file::read(file, 0, FILE_BYTES_MAX).map_err(|error| unreadable("--registry-ca", error))?;
        login = login.trusting(&authority).map_err(|error| unusable(file, error))?;
    }
    Ok(match credentials(global.registry_credentials.as_deref())? {
        Some(credentials) => login.with(credentials),
        None => login,
    })
}

fn credentials(file: Option<&Path>) -> Result<Option<Credentials>, Failure> {
    if let Some(file) = file {
        let text = private_file::read(file, OTHERS, FILE_BYTES_MAX);
        let text = text.map_err(|error| unreadable("--registry-credentials", error))?;
        return Credentials::parse(&text).map(Some).map_err(|error| unusable(file, error));
    }
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable(TOKEN), variable(USER), variable(PASSWORD)) {
        (Some(token), None, None) => Ok(Some(Credentials::token(&token))),
        (None, Some(user), Some(password)) => Ok(Some(Credentials::basic(&user, &password))),
        (None, None, None) => Ok(None),
        _ => Err(Failure::usage("cannot tell who to be at the registry")
            .hint(format!("set {TOKEN} alone, or {USER} and {PASSWORD}"))),
    }
}

/// Credentials in an address are taken from the environment, but not from an argument.
fn refuse_visible_secrets(url: Option<&str>) -> Result<(), Failure> {
    let Some(url) = url.filter(|url| url.contains('@')) else { return Ok(()) };
    if std::env::var(URL).is_ok_and(|variable| variable == url) {
        return Ok(());
    }
    Err(Failure::usage("--registry-url has credentials in it, which every user of this machine can see")
        .hint(format!("give --registry-credentials FILE, or set {TOKEN}, or {USER} and {PASSWORD}")))
}

fn unreadable(option: &str, error: PrivateFileError) -> Failure {
    Failure::usage(format!("cannot use the file of {option}")).because(error)
}

fn unusable(file: &Path, error: LoginError) -> Failure {
    Failure::usage(format!("cannot be let in at the registry with {}", file.display())).because(error)
}
