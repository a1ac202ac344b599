//! Which clusters a tree is for: `cluster.yaml` beside `topics/` names them, `production: 4L6g3nShT-eMCtK--X86sw`.

use crate::failure::Failure;
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeMap;
use std::path::Path;

/// Where it is looked for: beside `topics/`.
const FILE: &str = "cluster.yaml";
const FORM: &str = "write `production: <cluster id>`, one cluster a line; `mesh plan` shows the id";

/// The clusters that a tree is for, by id; none if it does not say.
///
/// # Errors
/// The file cannot be read, or is not of that form.
pub(super) fn read(root: &Path) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let file = root.join(FILE);
    let failed = || Failure::usage(format!("cannot use {}", file.display()));
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed().because(error)),
    };
    parse(&text).map(Some).map_err(|why| failed().because(why).hint(FORM))
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    let [document] = documents.as_slice() else { return Err("it names no cluster".to_owned()) };
    let clusters = document.as_mapping().filter(|clusters| !clusters.is_empty()).ok_or("it names no cluster")?;
    let pair = |(name, id): (&Yaml<'_>, &Yaml<'_>)| Some((id.as_str()?.to_owned(), name.as_str()?.to_owned()));
    clusters.iter().map(pair).collect::<Option<_>>().ok_or_else(|| "a cluster's name and id are words".to_owned())
}

/// Refuses a cluster that is not among those that a tree is for; whether it is certain that it is the one that is meant.
///
/// # Errors
/// It is another cluster.
pub(super) fn check(
    clusters: Option<&BTreeMap<String, String>>,
    given: Option<&str>,
    cluster_id: &str,
) -> Result<bool, Failure> {
    if given.is_some_and(|given| given != cluster_id) {
        return Err(Failure::usage(format!("this is the cluster {cluster_id}, and not the one of --cluster-id"))
            .hint("check --bootstrap-servers; nothing was changed"));
    }
    match clusters {
        Some(clusters) if !clusters.contains_key(cluster_id) => {
            let names: Vec<&str> = clusters.values().map(String::as_str).collect();
            Err(Failure::usage(format!("this is the cluster {cluster_id}, and {FILE} knows only {}", names.join(", ")))
                .hint(format!("check --bootstrap-servers, or add it to {FILE}; nothing was changed")))
        }
        Some(_) => Ok(true),
        None => Ok(given.is_some()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_cluster_is_refused() {
        let clusters = parse("production: a1\nstaging: b-2\n").unwrap();
        assert!(check(Some(&clusters), None, "a1").unwrap());
        assert!(check(Some(&clusters), Some("b-2"), "b-2").unwrap());
        assert!(check(None, Some("c"), "c").unwrap());
        assert!(!check(None, None, "c").unwrap());
        let refused = check(Some(&clusters), None, "c").unwrap_err();
        assert_eq!(refused.to_string(), "this is the cluster c, and cluster.yaml knows only production, staging");
        check(Some(&clusters), Some("a1"), "b-2").unwrap_err();
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        for text in ["", "{}", "[a]", "production: [a]", "production: 7", "a: ["] {
            parse(text).unwrap_err();
        }
    }
}
