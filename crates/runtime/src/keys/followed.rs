//! Keys that are rotated while they are used: root secrets that are loaded again and again.

use std::{
    fmt,
    future::Future,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant, SystemTime},
};

use mesh_avro::keys::{Key, KeyError, KeyName, KeyRing, RootKeys, SubjectKeys};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use tokio::task::JoinHandle;

use super::KeysError;

/// Between two attempts while a source fails; doubled from the first, up to the interval.
const RETRY_FIRST: Duration = Duration::from_millis(250);

/// Where root secrets are loaded from.
pub trait KeySource: Send + 'static {
    /// Where that is, for people: no secret.
    fn origin(&self) -> String;

    /// The roots as they are there now.
    fn load(&mut self) -> impl Future<Output = Result<RootKeys, KeysError>> + Send;
}

/// How a source is followed.
#[derive(Debug, Clone, Copy)]
pub struct FollowOptions {
    /// How often it is loaded.
    pub interval: Duration,
    /// How long keys are used that could not be loaded again: after that the source may have withdrawn them.
    pub age_max: Duration,
}

impl Default for FollowOptions {
    fn default() -> Self {
        FollowOptions { interval: Duration::from_secs(10), age_max: Duration::from_secs(3600) }
    }
}

/// Root secrets as they were loaded last. Where they cannot be had, keys are [unavailable](KeyError::Unavailable) until they can.
pub struct FollowedKeys {
    state: Arc<RwLock<State>>,
    follower: JoinHandle<()>,
}

struct State {
    roots: Option<RootKeys>,
    epoch: u64,
    loaded: Instant,
    age_max: Duration,
    /// Why they could not be loaded (again).
    trouble: String,
}

impl FollowedKeys {
    /// Follows a source from now on, on the current Tokio runtime, whether it answers yet or not.
    #[must_use]
    pub fn start(source: impl KeySource, options: FollowOptions) -> Self {
        Self::follow(source, None, options)
    }

    /// Follows a source that answers: returns once its roots have been loaded.
    ///
    /// # Errors
    /// They cannot be.
    pub async fn open(mut source: impl KeySource, options: FollowOptions) -> Result<Self, KeysError> {
        let roots = source.load().await?;
        Ok(Self::follow(source, Some(roots), options))
    }

    fn follow(source: impl KeySource, roots: Option<RootKeys>, options: FollowOptions) -> Self {
        describe();
        let trouble = format!("{} has not answered yet", source.origin());
        let is_loaded = roots.is_some();
        let state = State { roots: None, epoch: 0, loaded: Instant::now(), age_max: options.age_max, trouble };
        let state = Arc::new(RwLock::new(state));
        if let Some(roots) = roots {
            take(&state, &source.origin(), roots);
        }
        let follower = tokio::spawn(pursue(source, state.clone(), is_loaded, options.interval));
        FollowedKeys { state, follower }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The roots, unless they are too old to be relied on.
    fn roots(&self, name: &KeyName) -> Result<&RootKeys, KeyError> {
        let unavailable = |reason: String| KeyError::Unavailable { name: name.clone(), reason };
        let roots = self.roots.as_ref().ok_or_else(|| unavailable(self.trouble.clone()))?;
        let age = self.loaded.elapsed();
        if age > self.age_max {
            let reason = format!("not confirmed for {} s: {}", age.as_secs(), self.trouble);
            return Err(unavailable(reason));
        }
        Ok(roots)
    }
}

impl KeyRing for FollowedKeys {
    fn key(&self, name: &KeyName) -> Result<Key, KeyError> {
        self.state().roots(name)?.key(name)
    }

    fn key_version(&self, name: &KeyName, version: u32) -> Result<Key, KeyError> {
        self.state().roots(name)?.key_version(name, version)
    }

    fn subjects(&self) -> Result<Arc<SubjectKeys>, KeyError> {
        self.state().roots(&KeyName::subjects())?.subjects()
    }

    fn epoch(&self) -> u64 {
        self.state().epoch
    }
}

impl Drop for FollowedKeys {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl fmt::Debug for FollowedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("FollowedKeys").field("roots", &state.roots).field("epoch", &state.epoch).finish_non_exhaustive()
    }
}

/// Loads the roots again and again.
async fn pursue(mut source: impl KeySource, state: Arc<RwLock<State>>, is_loaded: bool, interval: Duration) {
    let mut retry = RETRY_FIRST.min(interval);
    let mut pause = if is_loaded { interval } else { Duration::ZERO };
    loop {
        tokio::time::sleep(pause).await;
        pause = match source.load().await {
            Ok(roots) => {
                take(&state, &source.origin(), roots);
                retry = RETRY_FIRST.min(interval);
                interval
            }
            Err(error) => {
                fail(&state, &source.origin(), &error);
                let pause = retry;
                retry = (retry * 2).min(interval);
                pause
            }
        };
    }
}

/// Puts roots in force, unless they cannot follow those before.
fn take(state: &RwLock<State>, origin: &str, roots: RootKeys) {
    let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = &state.roots
        && let Err(error) = roots.succeed(before)
    {
        counter!("mesh_keys_load_failures_total").increment(1);
        if state.trouble != error.to_string() {
            tracing::error!(
                origin,
                error = &error as &dyn std::error::Error,
                "rotated keys are refused, the ones before stay in force"
            );
        }
        // not confirmed either: what is refused here is not what others go on with
        state.trouble = error.to_string();
        return;
    }
    let newest = roots.newest_version();
    let before = state.roots.as_ref().map(RootKeys::newest_version);
    if before != Some(newest) {
        state.epoch += 1;
        tracing::info!(origin, version = newest, "keys in force");
    } else if state.roots.as_ref().is_some_and(|before| !before.has_same_subjects(&roots)) {
        state.epoch += 1;
        tracing::info!(origin, "subjects were forgotten, or have keys now");
    }
    state.roots = Some(roots);
    state.loaded = Instant::now();
    state.trouble.clear();
    gauge!("mesh_keys_newest_version").set(f64::from(newest));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    gauge!("mesh_keys_loaded_timestamp_seconds").set(now.as_secs_f64());
}

fn fail(state: &RwLock<State>, origin: &str, error: &KeysError) {
    let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
    counter!("mesh_keys_load_failures_total").increment(1);
    let trouble = error.to_string();
    if state.trouble != trouble {
        let error = error as &dyn std::error::Error;
        tracing::warn!(origin, error, in_force = state.roots.is_some(), "keys cannot be loaded, retrying");
        state.trouble = trouble;
    }
}

fn describe() {
    describe_gauge!("mesh_keys_newest_version", "the version of the newest root secret in force");
    describe_gauge!(
        "mesh_keys_loaded_timestamp_seconds",
        "when the root secrets were last loaded, in seconds since 1970"
    );
    describe_counter!("mesh_keys_load_failures_total", "times that root secrets could not be loaded, or were refused");
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use zeroize::Zeroizing;

    use super::*;

    /// What the next loading gives: versions, each with a byte of its secret; or a failure.
    type Shelf = Arc<Mutex<Option<Vec<(u32, u8)>>>>;

    struct Shelved(Shelf);

    impl KeySource for Shelved {
        fn origin(&self) -> String {
            "the shelf".to_owned()
        }

        async fn load(&mut self) -> Result<RootKeys, KeysError> {
            let found = self.0.lock().expect("nobody panics with it").clone();
            let down = || KeysError::Malformed { origin: self.origin(), why: "it is empty".to_owned() };
            let roots = found.ok_or_else(down)?;
            let roots = roots.into_iter().map(|(version, byte)| (version, Zeroizing::new([byte; 32])));
            Ok(RootKeys::new(roots).expect("at least one"))
        }
    }

    const QUICK: FollowOptions =
        FollowOptions { interval: Duration::from_millis(5), age_max: Duration::from_millis(200) };

    fn version(keys: &FollowedKeys) -> Result<u32, KeyError> {
        keys.key(&KeyName::hash("pii")).map(|key| key.version())
    }

    async fn until(what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !holds() {
            assert!(Instant::now() < deadline, "{what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn newer_keys_come_without_a_restart_and_the_older_stay() {
        let shelf: Shelf = Arc::new(Mutex::new(Some(vec![(1, 1)])));
        let keys = FollowedKeys::open(Shelved(shelf.clone()), QUICK).await.expect("they are there");
        let first = keys.epoch();
        assert_eq!(version(&keys), Ok(1));
        *shelf.lock().expect("ours") = Some(vec![(1, 1), (2, 2)]);
        until("version 2 comes", || version(&keys) == Ok(2)).await;
        assert!(keys.epoch() > first);
        assert_eq!(keys.key_version(&KeyName::hash("pii"), 1).expect("the overlap").version(), 1);
        let second = keys.epoch();
        // without the overlap, or with another secret, nothing is taken over
        for wrong in [vec![(3, 3)], vec![(1, 1), (2, 9), (3, 3)]] {
            *shelf.lock().expect("ours") = Some(wrong);
            let refused = || keys.state().trouble.contains("version 2");
            until("it is refused", refused).await;
            assert_eq!((version(&keys), keys.epoch()), (Ok(2), second));
            *shelf.lock().expect("ours") = Some(vec![(1, 1), (2, 2)]);
            until("it is mended", || keys.state().trouble.is_empty()).await;
        }
    }

    #[tokio::test]
    async fn what_does_not_answer_is_waited_for_and_what_is_silent_for_too_long_is_not_relied_on() {
        let shelf: Shelf = Arc::default();
        let keys = FollowedKeys::start(Shelved(shelf.clone()), QUICK);
        assert!(matches!(version(&keys), Err(KeyError::Unavailable { .. })));
        *shelf.lock().expect("ours") = Some(vec![(1, 1)]);
        until("they come", || version(&keys) == Ok(1)).await;
        *shelf.lock().expect("ours") = None;
        until("they are too old", || version(&keys).is_err()).await;
        let said = version(&keys).expect_err("too old").to_string();
        assert!(said.contains("it is empty"), "{said}");
        let before = keys.epoch();
        *shelf.lock().expect("ours") = Some(vec![(1, 1)]);
        until("they are back", || version(&keys) == Ok(1)).await;
        assert_eq!(keys.epoch(), before, "no newer keys have come");
    }

    #[tokio::test]
    async fn nothing_to_begin_with_is_an_error_where_it_is_asked_for() {
        assert!(FollowedKeys::open(Shelved(Arc::default()), QUICK).await.is_err());
    }
}
