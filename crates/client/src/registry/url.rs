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

/// Takes user and password out of an address that has them.
pub(super) fn take_credentials(url: &mut String) -> Result<Option<(String, String)>, RegistryError> {
    let mut parsed = reqwest::Url::parse(url).map_err(|error| wrong(url, &error.to_string()))?;
    if parsed.username().is_empty() && parsed.password().is_none() {
        return Ok(None);
    }
    let user = decoded(parsed.username());
    let password = decoded(parsed.password().unwrap_or_default());
    let unable = |()| wrong(url, "credentials cannot stand in it");
    parsed.set_username("").and_then(|()| parsed.set_password(None)).map_err(unable)?;
    *url = parsed.as_str().trim_end_matches('/').to_owned();
    Ok(Some((user, password)))
}

/// Text whose bytes may stand as `%` and two hexadecimal digits.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = || std::str::from_utf8(after.get(..2)?).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex().filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
