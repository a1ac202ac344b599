//! The registry's addresses.

use super::RegistryError;

/// The addresses of a list that is separated by commas, without slashes at their ends.
pub(super) fn split(list: &str) -> Result<Vec<String>, RegistryError> {
    let urls: Vec<String> = list.split(',').map(|url| url.trim().trim_end_matches('/').to_owned()).collect();
    for url in &urls {
        let parsed = reqwest::Url::parse(url).map_err(|error| wrong(url, &error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(wrong(url, "expected http://host:port or https://host:port"));
        }
    }
    Ok(urls)
}

/// The addresses as they may be shown: without credentials.
pub(super) fn shown(urls: &[String]) -> String {
    urls.iter().map(|url| without_credentials(url)).collect::<Vec<_>>().join(",")
}

/// A subject as a segment of a path.
pub(super) fn segment(subject: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    subject.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn wrong(url: &str, said: &str) -> RegistryError {
    RegistryError::Url { url: without_credentials(url), said: said.to_owned() }
}

fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lists_are_split_and_credentials_hidden() {
        let urls = split("http://u:secret@one:8081/, https://two:8081").unwrap();
        assert_eq!(urls, ["http://u:secret@one:8081", "https://two:8081"]);
        assert_eq!(shown(&urls), "http://one:8081,https://two:8081");
    }

    #[test]
    fn what_is_no_url_is_refused_without_credentials() {
        for wrong in ["registry:8081", "ftp://u:secret@host", "", "http://"] {
            let error = split(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn subjects_are_escaped() {
        assert_eq!(segment("crm.customers.v1-value"), "crm.customers.v1-value");
        assert_eq!(segment(":.ctx:a/b"), "%3A.ctx%3Aa%2Fb");
    }
}
