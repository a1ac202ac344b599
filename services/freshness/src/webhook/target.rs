//! Who is told: a file that names the receivers.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use mesh_runtime::private_file::{self, OTHERS_THAN_GROUP, PrivateFileError};
use reqwest::{Certificate, Url};
use serde::Deserialize;

use super::signature::Secret;

/// No such file, and no file of an authority, is larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// More receivers than these are no list of receivers.
const TARGETS_MAX: usize = 64;
const NAME_LENGTH_MAX: usize = 64;
/// The newest secret and those before it, while receivers learn of the change.
const SECRETS_MAX: usize = 3;

/// A receiver. Its address may hold a token, so that it is never shown; its name is.
#[derive(Clone)]
pub struct Target {
    /// How it is called in logs, metrics and on `mesh.freshness`.
    pub name: String,
    pub(super) url: Url,
    pub(super) secrets: Vec<Secret>,
    pub(super) authority: Option<Vec<Certificate>>,
    domains: BTreeSet<String>,
}

/// A file of receivers that cannot be used. Nothing secret is quoted.
#[derive(Debug, thiserror::Error)]
pub enum TargetsError {
    /// The file, or that of an authority, cannot be read, or could be read by others.
    #[error("cannot read the file of webhook targets")]
    ReadFile(#[source] PrivateFileError),
    /// It is not in the documented form.
    #[error("{} is not a file of webhook targets: line {line}, column {column}: {what}", path.display())]
    ParseFile {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
        /// What was expected there.
        what: String,
    },
    /// Some of its targets cannot be used: all that is wrong.
    #[error("webhook targets of {} cannot be used: {}", path.display(), faults.join("; "))]
    UseTargets {
        /// The file.
        path: PathBuf,
        /// One sentence each.
        faults: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    targets: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    url: String,
    secrets: Vec<String>,
    #[serde(default)]
    domains: BTreeSet<String>,
    #[serde(default)]
    authority: Option<PathBuf>,
    #[serde(default)]
    allow_http: bool,
}

impl Target {
    /// Whether it is told of this domain's products.
    pub(super) fn wants(&self, domain: &str) -> bool {
        self.domains.is_empty() || self.domains.contains(domain)
    }

    #[cfg(test)]
    pub(super) fn named(name: &str, domains: &[&str]) -> Self {
        let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        let url = Url::parse("http://localhost").expect("a URL");
        Self { name: name.to_owned(), url, secrets: Vec::new(), authority: None, domains }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Target");
        shown.field("name", &self.name).field("domains", &self.domains).finish_non_exhaustive()
    }
}

/// Reads `{"targets": [{"name", "url", "secrets", "domains", "authority", "allow_http"}]}`; the last three may be left out.
/// Other users must not be able to read the file, its group may.
///
/// # Errors
/// See [`TargetsError`]; everything that is wrong with the targets is told at once.
pub fn read(path: &Path) -> Result<Vec<Target>, TargetsError> {
    let text = private_file::read(path, OTHERS_THAN_GROUP, FILE_BYTES_MAX).map_err(TargetsError::ReadFile)?;
    let document: Document = serde_json::from_str(&text).map_err(|error| unparsed(path, &error))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    let mut targets = Vec::new();
    for entry in document.targets {
        if !names.insert(entry.name.clone()) {
            faults.push(format!("{:?} is there twice", shown(&entry.name)));
        }
        match target(entry, folder) {
            Ok(target) => targets.push(target),
            Err(wrong) => faults.extend(wrong),
        }
    }
    if names.is_empty() || names.len() > TARGETS_MAX {
        faults.push(format!("there are between 1 and {TARGETS_MAX} targets, and it has {}", names.len()));
    }
    if faults.is_empty() { Ok(targets) } else { Err(TargetsError::UseTargets { path: path.to_owned(), faults }) }
}

/// serde_json's messages quote values of a wrong type, which may be secret: only its kind of message is passed on.
fn unparsed(path: &Path, error: &serde_json::Error) -> TargetsError {
    let what = if error.is_data() {
        "an object `targets`, a list of {name, url, secrets, domains?, authority?, allow_http?}, was expected"
    } else {
        "it is not JSON"
    };
    TargetsError::ParseFile { path: path.to_owned(), line: error.line(), column: error.column(), what: what.to_owned() }
}

fn target(entry: Entry, folder: &Path) -> Result<Target, Vec<String>> {
    let mut faults = Vec::new();
    let name = shown(&entry.name);
    let mut fault = |what: &str| faults.push(format!("{name:?} {what}"));
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if entry.name.is_empty() || entry.name.len() > NAME_LENGTH_MAX || !entry.name.chars().all(is_name) {
        fault("is no name: lower-case letters, digits, `-` and `_`, at most 64");
    }
    let url = address(&entry.url, entry.allow_http).map_err(&mut fault).ok();
    let secrets: Option<Vec<Secret>> = entry.secrets.iter().map(|text| Secret::parse(text)).collect();
    if secrets.is_none() || entry.secrets.is_empty() || entry.secrets.len() > SECRETS_MAX {
        fault("needs one to three secrets: whsec_ and base64 of 24 to 64 bytes each");
    }
    let authority = entry.authority.map(|file| authority(&folder.join(file))).transpose();
    let authority = authority.map_err(&mut fault).ok();
    match (url, secrets, authority) {
        (Some(url), Some(secrets), Some(authority)) if faults.is_empty() => {
            Ok(Target { name: entry.name, url, secrets, authority, domains: entry.domains })
        }
        _ => Err(faults),
    }
}

fn address(text: &str, allow_http: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "has an address that is no URL")?;
    let is_here = match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
        Some("localhost") => true,
        Some(host) => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_here || allow_http => {}
        "http" => return Err("would be told in clear: use https://, or say \"allow_http\": true"),
        _ => return Err("has an address that is neither https:// nor http://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user or password in its address: receivers tell us by the signature");
    }
    Ok(url)
}

fn authority(file: &Path) -> Result<Vec<Certificate>, &'static str> {
    // An authority's certificate is no secret.
    let pem =
        private_file::read(file, 0, FILE_BYTES_MAX).map_err(|_| "names an authority whose file cannot be read")?;
    let certificates = Certificate::from_pem_bundle(pem.as_bytes());
    let certificates = certificates.map_err(|_| "names an authority that is no certificate in PEM")?;
    if certificates.is_empty() { Err("names an authority that is no certificate in PEM") } else { Ok(certificates) }
}

fn shown(name: &str) -> String {
    name.chars().take(NAME_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests;
