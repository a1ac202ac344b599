//! Who is in which group, from LDAP (RFC 4511) or Active Directory.

mod connection;
mod people;
mod settings;
mod walk;

use crate::{Answer, Answering, Directory, Error};
use connection::Connection;
use people::People;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

pub use settings::LdapSettings;
use settings::{Nested, Resolved};

/// How long everything that is asked for one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);

/// An LDAP directory. Each answer is asked for over a connection of its own, so that certificates and secrets that were changed are
/// used at once.
pub struct Ldap {
    settings: Arc<Resolved>,
}

impl Ldap {
    /// The directory of these settings; it is not asked yet.
    ///
    /// # Errors
    /// They contradict each other, or would send a password in clear.
    pub fn new(settings: LdapSettings) -> Result<Self, Error> {
        Ok(Self { settings: Arc::new(settings.resolve()?) })
    }
}

impl Directory for Ldap {
    fn members<'a>(&'a self, groups: &'a BTreeSet<String>) -> Answering<'a> {
        Box::pin(async {
            let (settings, groups) = (Arc::clone(&self.settings), groups.clone());
            let runtime = Handle::current();
            // on a thread of its own: what reads the protocol panics where an answer is none
            let asked = tokio::task::spawn_blocking(move || {
                runtime.block_on(async { tokio::time::timeout(ANSWER_WITHIN, ask(&settings, &groups)).await })
            });
            let url = || self.settings.url.to_string();
            match asked.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(Error::TooSlow { url: url(), seconds: ANSWER_WITHIN.as_secs() }),
                Err(source) => Err(Error::Unreadable { url: url(), source }),
            }
        })
    }

    fn name(&self) -> String {
        self.settings.url.as_str().trim_end_matches('/').to_owned()
    }
}

async fn ask(settings: &Resolved, groups: &BTreeSet<String>) -> Result<Answer, Error> {
    let connection = Connection::open(settings).await?;
    let mut people = People::new(settings, connection);
    let mut answer = Answer::default();
    for group in groups {
        let Some(found) = people.group(group).await? else { continue };
        let members = match settings.nested {
            Nested::Walk => walk::members(&mut people, found).await?,
            Nested::InChain => people.in_chain(&found.dn).await?,
        };
        answer.members.insert(group.clone(), members);
    }
    answer.left_out = people.left_out();
    answer.nobody = nobody(settings, &answer);
    people.close().await;
    Ok(answer)
}

/// The groups that are there, may be empty, and are. Where somebody's name is not to be had, that somebody may be in one.
fn nobody(settings: &Resolved, answer: &Answer) -> BTreeSet<String> {
    if answer.left_out > 0 {
        return BTreeSet::new();
    }
    let empty = answer.members.iter().filter(|(_, members)| members.is_empty()).map(|(group, _)| group);
    empty.filter(|group| settings.groups.may_be_empty.contains(*group)).cloned().collect()
}
