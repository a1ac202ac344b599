//! What settings say of tokens: where they come from, and who asks for them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Url;

use super::endpoint::Endpoint;
use super::token::Token;

const URL: &str = "sasl.oauthbearer.token.endpoint.url";
const ID: &str = "sasl.oauthbearer.client.id";
const SECRET: &str = "sasl.oauthbearer.client.secret";
const SECRET_LOCATION: &str = "sasl.oauthbearer.client.secret.location";
const SCOPE: &str = "sasl.oauthbearer.scope";
const EXTENSIONS: &str = "sasl.oauthbearer.extensions";
const METHOD: &str = "sasl.oauthbearer.method";
const AUTHORITY: &str = "https.ca.location";
/// Settings that are served here: librdkafka is not told of them.
const OWN: [&str; 8] = [URL, ID, SECRET, SECRET_LOCATION, SCOPE, EXTENSIONS, METHOD, AUTHORITY];

/// Where tokens come from, and what goes with them.
#[derive(Debug)]
pub(crate) struct Options {
    pub(super) source: Source,
    /// SASL extensions (KIP-342), by name.
    pub(super) extensions: Vec<(String, String)>,
}

/// Where tokens come from.
#[derive(Debug)]
pub(super) enum Source {
    /// OAuth 2.0's client credentials (RFC 6749, 4.4).
    Endpoint(Endpoint),
    /// Somebody else puts a token there and renews it, as Kubernetes does.
    File(PathBuf),
}

impl Source {
    /// A token as it is now.
    ///
    /// # Errors
    /// Why there is none, without a secret.
    pub(super) async fn fetch(&self) -> Result<Token, String> {
        match self {
            Source::Endpoint(endpoint) => endpoint.fetch().await,
            Source::File(path) => {
                let failed = |said: String| format!("cannot use the token in {}: {said}", path.display());
                let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
                Token::received(&text, None).map_err(failed)
            }
        }
    }
}

/// Whether a setting is served here, and none of librdkafka's.
pub(crate) fn is_own(property: &str) -> bool {
    OWN.contains(&property)
}

/// What these settings say of tokens; none if whoever they let in is not let in by one.
///
/// # Errors
/// What is wrong with them, without a value.
pub(crate) fn of(properties: &BTreeMap<String, String>) -> Result<Option<Options>, String> {
    let is_spoken = |mechanism: &String| mechanism.eq_ignore_ascii_case("OAUTHBEARER");
    let mechanism = properties.get("sasl.mechanisms").or_else(|| properties.get("sasl.mechanism"));
    if !mechanism.is_some_and(is_spoken) || unsecured(properties) {
        return Ok(None);
    }
    let get = |name: &str| properties.get(name).filter(|value| !value.is_empty());
    let url = get(URL).ok_or_else(|| {
        format!("OAUTHBEARER needs {URL}: the authorisation server's, or file:///… where a token is put and renewed")
    })?;
    let url = Url::parse(url).map_err(|_| format!("{URL} is no address"))?;
    let extensions = get(EXTENSIONS).map_or(Ok(Vec::new()), |text| extensions(text))?;
    let source = match url.scheme() {
        "file" => Source::File(url.to_file_path().map_err(|()| format!("{URL} names no file of this machine"))?),
        "https" | "http" if url.username().is_empty() && url.password().is_none() => {
            let id = get(ID).ok_or_else(|| format!("OAUTHBEARER needs {ID}, or a {URL} that is a file"))?;
            let secret = get(SECRET).cloned().map(Secret::Given);
            let secret = secret.or_else(|| get(SECRET_LOCATION).map(|path| Secret::File(path.into())));
            let secret = secret.ok_or_else(|| format!("OAUTHBEARER needs {SECRET}, or a file in {SECRET_LOCATION}"))?;
            refuse_plain(&url)?;
            let authority = get(AUTHORITY).map(PathBuf::from);
            Source::Endpoint(Endpoint::new(url, id.clone(), secret, get(SCOPE).cloned(), authority))
        }
        _ => return Err(format!("{URL} is neither https nor a file, or has credentials in it")),
    };
    Ok(Some(Options { source, extensions }))
}

/// A secret in clear stays on this machine.
fn refuse_plain(url: &Url) -> Result<(), String> {
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    match url.scheme() == "https" || loopback {
        true => Ok(()),
        false => Err(format!("{URL} is not https: the secret would be sent in clear")),
    }
}

/// librdkafka's tokens without a signature, for trying out.
fn unsecured(properties: &BTreeMap<String, String>) -> bool {
    properties.get("enable.sasl.oauthbearer.unsecure.jwt").is_some_and(|value| value == "true")
}

fn extensions(text: &str) -> Result<Vec<(String, String)>, String> {
    let malformed = || format!("{EXTENSIONS} is not of the form name=value,name=value");
    let pairs = text.split(',').map(|pair| {
        let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
        let (name, value) = (name.trim(), value.trim());
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic()) && name != "auth";
        if is_name { Ok((name.to_owned(), value.to_owned())) } else { Err(malformed()) }
    });
    pairs.collect()
}

/// A client's secret.
pub(super) enum Secret {
    /// It stands in the settings.
    Given(String),
    /// It stands in a file, which is read anew each time.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Secret::Given(_) => f.write_str("<redacted>"),
            Secret::File(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mechanism = [("sasl.mechanisms", "OAUTHBEARER")];
        mechanism.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_client_asks_an_endpoint_and_a_file_is_read() {
        let asked = [(URL, "https://idp/token"), (ID, "crm"), (SECRET, "hunter2"), (EXTENSIONS, "poolId=a, zone=b=c")];
        let options = of(&settings(&asked)).unwrap().unwrap();
        assert!(matches!(options.source, Source::Endpoint(_)));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(options.extensions, [pair("poolId", "a"), pair("zone", "b=c")]);
        assert!(!format!("{options:?}").contains("hunter2"));

        let file = of(&settings(&[(URL, "file:///var/run/secrets/token")])).unwrap().unwrap();
        assert!(matches!(file.source, Source::File(path) if path == std::path::Path::new("/var/run/secrets/token")));
    }

    #[test]
    fn others_are_let_in_without_tokens() {
        let scram = BTreeMap::from([("sasl.mechanisms".to_owned(), "SCRAM-SHA-512".to_owned())]);
        assert!(of(&scram).unwrap().is_none() && of(&BTreeMap::new()).unwrap().is_none());
        assert!(of(&settings(&[("enable.sasl.oauthbearer.unsecure.jwt", "true")])).unwrap().is_none());
    }

    #[test]
    fn what_is_missing_or_would_be_seen_is_said_without_a_value() {
        for (pairs, said) in [
            (&[][..], "needs sasl.oauthbearer.token.endpoint.url"),
            (&[(URL, "hunter2")], "is no address"),
            (&[(URL, "ftp://hunter2")], "neither https nor a file"),
            (&[(URL, "https://idp/token")], "needs sasl.oauthbearer.client.id"),
            (&[(URL, "https://idp/token"), (ID, "crm")], "needs sasl.oauthbearer.client.secret"),
            (&[(URL, "http://idp/token"), (ID, "crm"), (SECRET, "hunter2")], "sent in clear"),
            (&[(URL, "https://crm:hunter2@idp/token"), (ID, "crm"), (SECRET, "hunter2")], "has credentials in it"),
            (&[(URL, "file:///token"), (EXTENSIONS, "auth=hunter2")], "name=value"),
        ] {
            let refused = of(&settings(pairs)).unwrap_err();
            assert!(refused.contains(said) && !refused.contains("hunter2"), "{refused}");
        }
    }
}
