//! Keeps a token fresh, and every client of the same settings in possession of it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::native::Handle;
use super::options::{Options, Source};
use super::token::Token;

/// A first wait after a failure, doubled by each further one.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How often a file of somebody else's is looked at.
const FILE_LOOK: Duration = Duration::from_secs(10);
/// A token that is good for seconds only is not asked for all the time.
const REFRESH_MIN: Duration = Duration::from_secs(1);

/// The keeper of some settings' tokens, shared by their clones; started with the first client.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<OnceLock<Arc<Keeper>>>);

impl Tokens {
    /// Has this client handed tokens for as long as the lease lives.
    ///
    /// # Errors
    /// The thread that fetches tokens cannot be started.
    pub(crate) fn lease(&self, options: Options, client: Handle) -> Result<Lease, String> {
        if self.0.get().is_none() {
            // another thread may have been first: then this one ends
            let _ = self.0.set(Keeper::start(options)?);
        }
        let keeper = self.0.get().expect("it was set above");
        keeper.state.add(client);
        Ok(Lease { keeper: keeper.clone(), client })
    }
}

/// Tokens' way to a client: to be dropped before that is.
pub(crate) struct Lease {
    keeper: Arc<Keeper>,
    client: Handle,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // under the lock that every handing over holds: none is under way for this client any more
        self.keeper.state.lock().clients.retain(|client| *client != self.client);
    }
}

/// Ends its thread when nobody needs it any more.
struct Keeper {
    state: Arc<State>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.state.over.notify_one();
    }
}

struct State {
    options: Options,
    over: Notify,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// Why the last attempt brought none.
    failure: Option<String>,
    clients: Vec<Handle>,
}

impl Keeper {
    fn start(options: Options) -> Result<Arc<Self>, String> {
        let state = Arc::new(State { options, over: Notify::new(), held: Mutex::default() });
        let failed = |error: std::io::Error| format!("cannot start what fetches tokens: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let kept = state.clone();
        let thread = std::thread::Builder::new().name("kafka-tokens".into());
        thread.spawn(move || runtime.block_on(kept.keep())).map_err(failed)?;
        Ok(Arc::new(Keeper { state }))
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, client: Handle) {
        let mut held = self.lock();
        held.clients.push(client);
        match (held.token.as_ref().filter(|token| token.is_good()), &held.failure) {
            (Some(token), _) => self.hand(token, &[client]),
            (None, Some(failure)) => client.fail(failure),
            (None, None) => {}
        }
    }

    fn hand(&self, token: &Token, clients: &[Handle]) {
        for client in clients {
            if let Err(why) = client.set(token, &self.options.extensions) {
                client.fail(&why);
            }
        }
    }

    /// Fetches and hands over until nobody needs it any more.
    async fn keep(&self) {
        let mut retry = RETRY_FIRST;
        loop {
            let pause = match self.options.source.fetch().await {
                Ok(token) => {
                    retry = RETRY_FIRST;
                    self.renew(token)
                }
                Err(failure) => {
                    self.tell(failure);
                    let next = (retry * 2).min(RETRY_MAX);
                    std::mem::replace(&mut retry, next)
                }
            };
            if tokio::time::timeout(pause, self.over.notified()).await.is_ok() {
                return;
            }
        }
    }

    /// Hands a token over if it is another; how long until the next look.
    fn renew(&self, token: Token) -> Duration {
        let mut held = self.lock();
        let is_file = matches!(self.options.source, Source::File(_));
        let is_known = held.token.as_ref().is_some_and(|known| known.value == token.value && known.is_good());
        let refresh = token.refresh_in().max(REFRESH_MIN);
        held.failure = None;
        if !(is_file && is_known) {
            self.hand(&token, &held.clients);
            held.token = Some(token);
        }
        if is_file { refresh.min(FILE_LOOK) } else { refresh }
    }

    /// A token that is still good lets in; without one, clients are told why they are not.
    fn tell(&self, failure: String) {
        let mut held = self.lock();
        if held.token.as_ref().is_some_and(Token::is_good) {
            tracing::warn!(failure, "cannot renew the token for kafka, retrying; the one before is still good");
            return;
        }
        tracing::warn!(failure, "there is no token for kafka, retrying");
        held.clients.iter().for_each(|client| client.fail(&failure));
        held.failure = Some(failure);
    }
}
