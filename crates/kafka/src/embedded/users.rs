//! Users of a secured Kafka: made known to it, and waited for.

use std::time::{Duration, Instant};

use super::broker::Broker;
use super::{EmbeddedError, User};
use crate::admin::Admin;

/// How long the last of them may take to be let in.
const KNOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// Adds users; they are let in when this returns.
pub(super) async fn add(broker: &Broker, names: &[&str]) -> Result<Vec<User>, EmbeddedError> {
    let not_secured = || EmbeddedError::NotSecured { path: broker.layout.root.clone() };
    let secure = broker.secure.as_ref().ok_or_else(not_secured)?;
    let failed = |user: &str| {
        let user = user.to_owned();
        |source| EmbeddedError::AddUser { user, source }
    };
    let mut users = Vec::with_capacity(names.len());
    let admin = Admin::new(&broker.own_settings()).map_err(failed("of the broker"))?;
    for name in names {
        let user = secure.user(name, &broker.bootstrap())?;
        admin.set_password(name, user.password()).await.map_err(failed(name))?;
        users.push(user);
    }
    // the broker learns of users in their order: when the last is let in, all are
    if let Some(last) = users.last() {
        wait(last).await.map_err(failed(&last.name))?;
    }
    Ok(users)
}

async fn wait(user: &User) -> Result<(), crate::Error> {
    let started = Instant::now();
    let admin = Admin::new(&user.settings)?;
    loop {
        match admin.wait_ready(Duration::from_secs(1)).await {
            Err(_) if started.elapsed() < KNOWN_TIMEOUT => tokio::time::sleep(Duration::from_millis(20)).await,
            ended => return ended,
        }
    }
}
