//! Staying who one is: a token is renewed in time, and one that came of a login is replaced.

use std::time::{Duration, Instant};

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    answer::{Login, Lookup, Standing},
    login::{LoginFileError, VaultLogin},
    server::{Request, Server, Trouble},
};

/// How often it is looked at how long the token has left.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(60);

/// A login, and what came of it.
pub(super) struct Session {
    login: VaultLogin,
    /// The token that we logged in for.
    own: Option<Zeroizing<String>>,
    looked: Option<Instant>,
}

impl Session {
    pub(super) fn new(login: VaultLogin) -> Self {
        Session { login, own: None, looked: None }
    }

    /// Whether it is time to look how long the token has left.
    pub(super) fn is_to_be_looked_at(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= LOOKUP_INTERVAL)
    }

    /// The token, unless one has to log in for it.
    pub(super) fn token(&self) -> Result<Option<Zeroizing<String>>, LoginFileError> {
        match &self.own {
            Some(token) => Ok(Some(token.clone())),
            None => self.login.given(),
        }
    }

    #[cfg(test)]
    pub(super) fn forget_looking(&mut self) {
        self.looked = None;
    }

    /// Has the next request log in anew; false where the token is none that one logs in for.
    pub(super) fn forget(&mut self) -> bool {
        self.own.take().is_some()
    }
}

impl Server {
    /// Logs in.
    pub(super) async fn log_in(&mut self) -> Result<Zeroizing<String>, Trouble> {
        let VaultLogin::Role { method, proof } = &self.session().login else {
            return Err(Trouble::Other("there is no token, and nothing to log in with".to_owned()));
        };
        let (path, body) = method.clone().request(&proof.clone()).map_err(Trouble::Login)?;
        let login: Login = self.send(&Request::post(&path, body), None).await?;
        let token = Zeroizing::new(login.auth.client_token.clone());
        tracing::debug!(origin = self.origin(), path, "logged in");
        let session = self.session();
        (session.own, session.looked) = (Some(token.clone()), Some(Instant::now()));
        Ok(token)
    }

    /// Renews the token once less than half of its time is left; where that cannot be, logs in anew. Failing is no reason not to use a
    /// token that was given: it may be renewed by an agent, or live for ever.
    pub(super) async fn look_at_token(&mut self) {
        let Ok(Some(token)) = self.session().token() else { return };
        self.session().looked = Some(Instant::now());
        let looked: Result<Lookup, Trouble> = self.send(&Request::get("auth/token/lookup-self"), Some(&token)).await;
        let standing = match looked {
            Ok(lookup) => lookup.data,
            Err(trouble) => {
                tracing::debug!(origin = self.origin(), ?trouble, "cannot look at how long the token lives");
                return;
            }
        };
        if standing.is_late() && !self.renew(&standing, &token).await && !self.session().forget() {
            let left_seconds = standing.ttl;
            tracing::warn!(
                origin = self.origin(),
                left_seconds,
                "the token ends soon and cannot be renewed: replace it"
            );
        }
    }

    async fn renew(&self, standing: &Standing, token: &str) -> bool {
        let request = Request::post("auth/token/renew-self", json!({}));
        let renewed: bool = standing.renewable && self.send::<serde_json::Value>(&request, Some(token)).await.is_ok();
        tracing::debug!(origin = self.origin(), renewed, "less than half of the token's time is left");
        renewed
    }
}
