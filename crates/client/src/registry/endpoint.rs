//! Where a registry is, and how to be let in.

use std::fmt;

use super::{Credentials, Login, RegistryError, url};

/// Where a registry is, and how to be let in. A plain address is one, too.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    login: Login,
}

impl Endpoint {
    /// The registry at `url`, such as `https://registry:8081`; several replicas are separated by commas.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), login: Login::default() }
    }

    /// Is let in so.
    pub fn with_login(self, login: Login) -> Self {
        Self { login, ..self }
    }

    /// The addresses, without the credentials that stand in them, and the login: these credentials, if none are given.
    pub(super) fn split(&self) -> Result<(Vec<String>, Login), RegistryError> {
        let mut login = self.login.clone();
        let mut urls = url::split(&self.url)?;
        for url in &mut urls {
            let Some((user, password)) = url::take_credentials(url)? else { continue };
            if !login.has_credentials() {
                login = login.with(Credentials::basic(&user, &password));
            }
        }
        Ok((urls, login))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self} ({:?})", self.login)
    }
}

impl fmt::Display for Endpoint {
    /// The addresses, without credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<String> = self.url.split(',').map(|url| url.trim().to_owned()).collect();
        formatter.write_str(&url::shown(&urls))
    }
}

impl From<&str> for Endpoint {
    fn from(url: &str) -> Self {
        Self::new(url)
    }
}

impl From<String> for Endpoint {
    fn from(url: String) -> Self {
        Self::new(url)
    }
}

impl From<&String> for Endpoint {
    fn from(url: &String) -> Self {
        Self::new(url.as_str())
    }
}

impl From<&Endpoint> for Endpoint {
    fn from(endpoint: &Endpoint) -> Self {
        endpoint.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn credentials_in_an_address_leave_it() {
        let endpoint = Endpoint::new("https://crm:p%40ss@one:8081,https://two:8081/");
        let (urls, login) = endpoint.split().unwrap();
        assert_eq!(urls, ["https://one:8081", "https://two:8081"]);
        assert_eq!(login, Login::default().with(Credentials::basic("crm", "p@ss")));
        assert_eq!(endpoint.to_string(), "https://one:8081,https://two:8081/");
        assert!(!format!("{endpoint:?}").contains("p%40ss"));

        let told = Login::default().with(Credentials::token("mesh_t"));
        assert_eq!(endpoint.with_login(told.clone()).split().unwrap().1, told);
    }
}
