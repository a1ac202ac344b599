//! Walks over an audit and finds what is wrong with it. Pure, and of bounded memory however long the audit is.

use std::collections::{BTreeMap, HashMap};

use mesh_kafka::Record;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::Digest;
use crate::fault::Fault;
use crate::link::{HASH_HEADER, LINK_HEADER, Link, SEAL_HEADER, hash_of};
use crate::notary::SEALED;
use crate::seal::is_sealed;
use crate::verify::VerifyOptions;
use crate::waiting::Waiting;
use crate::window::Window;

/// So far back an entry may name another. Writers look for the newest right before they begin a chain; what comes in between are others
/// that write in that moment, such as an apply that makes tens of thousands of changes. It takes some 20 MB.
pub(crate) const WINDOW: usize = 100_000;
/// So many chains without an end are followed. Commands end theirs; those of services are few.
const CHAINS_MAX: usize = 100_000;
/// So many faults are spelt out.
const FAULTS_MAX: usize = 1_000;
/// What is told without a chain, within the transactions that do it: counts that leave no range of offsets out.
const UNCHAINED: [&str; 3] = ["records-masked", "outputs-remasked", "quarantine-replayed"];
/// What nobody does without keys, so that it is sealed by whoever tells it.
const KEYED: [&str; 4] = ["quarantine-shown", "quarantine-replay-asked", "values-decrypted", "subject-forgotten"];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many entries there are.
    pub entries: u64,
    /// Of these, how many are in chains.
    pub chained: u64,
    /// Of these, how many are sealed with keys that were at hand, and rightly.
    pub sealed: u64,
    /// How many are sealed, but not with keys that were at hand.
    pub seals_not_checked: u64,
    /// How many entries of chains have no seal: their writers have no keys.
    pub unsealed: u64,
    /// How many of these lie under a notary's word that is sealed, and rightly: since then they are as they were.
    pub vouched: u64,
    /// How many chains were begun.
    pub chains: u64,
    /// How many of them have no last entry (yet).
    pub chains_open: u64,
    /// How many entries were covered by a notary's word, and are as it saw them.
    pub notarised: u64,
    /// Whether entries from before the first are gone, as by the topic's retention.
    pub is_truncated: bool,
    /// The digest of all entries, to be kept elsewhere; none if the beginning is gone and no notary has told of it.
    pub head: Option<Digest>,
    /// The offset of the last entry.
    pub last_offset: Option<i64>,
    /// How many faults there are.
    pub faults_total: u64,
    /// The first of them.
    pub faults: Vec<Fault>,
}

/// How far a chain is followed.
#[derive(Clone, Copy, Debug)]
struct Tail {
    next_seq: u64,
    hash: Digest,
    touched: u64,
    is_sealed: bool,
}

/// Walks over an audit, entry by entry.
pub struct Inspector {
    options: VerifyOptions,
    report: Report,
    chains: HashMap<Uuid, Tail>,
    /// The chains by when they went on.
    by_touch: BTreeMap<u64, Uuid>,
    window: Window,
    all: Option<Digest>,
    /// The notary's entry up to which all was well.
    notarised_at: Option<i64>,
    /// Entries without a seal that no notary has vouched for yet.
    waiting: Waiting,
    head_found: bool,
}

/// What of an entry matters here.
#[derive(Deserialize)]
struct Told {
    event: String,
    /// A notary's: the hash of the last entry that it saw, and the digest up to there.
    tip: Option<Digest>,
    digest: Option<Digest>,
}

impl Inspector {
    /// Begins with the first entry that is left; some before it may be gone.
    pub fn new(options: VerifyOptions, is_truncated: bool) -> Inspector {
        let all = (!is_truncated).then_some(Digest::EMPTY);
        Inspector {
            head_found: options.head.is_none() || options.head == all,
            options,
            report: Report { is_truncated, head: all, ..Report::default() },
            chains: HashMap::new(),
            by_touch: BTreeMap::new(),
            window: Window::new(WINDOW),
            all,
            notarised_at: None,
            waiting: Waiting::default(),
        }
    }

    /// Takes the next entry.
    pub fn take(&mut self, record: &Record) {
        let (offset, hash) = (record.offset, hash_of(record));
        self.report.entries += 1;
        self.report.last_offset = Some(offset);
        match record.value.as_deref().map(serde_json::from_slice::<Told>) {
            Some(Ok(told)) => self.take_told(record, hash, &told),
            Some(Err(error)) => self.fault(Fault::Unreadable { offset, why: error.to_string() }),
            None => self.fault(Fault::Unreadable { offset, why: "it has no value".to_owned() }),
        }
        self.see(hash);
    }

    /// What was found, once everything was taken.
    pub fn finish(mut self) -> Report {
        if self.options.require_seals {
            let left = std::mem::take(&mut self.waiting);
            left.offsets().for_each(|offset| self.fault(Fault::Unsealed { offset }));
            self.report.faults_total += left.not_remembered();
        }
        if let Some(head) = self.options.head.filter(|_| !self.head_found) {
            self.fault(Fault::HeadNotFound { head });
        }
        self.report()
    }

    /// What was found so far.
    pub fn report(&self) -> Report {
        Report { chains_open: self.chains.len() as u64, head: self.all, ..self.report.clone() }
    }

    /// How many faults there are so far.
    pub fn faults_total(&self) -> u64 {
        self.report.faults_total
    }

    /// The last entry's hash and the digest of all up to it; none if there is no entry. What is before the first is left out if it is
    /// gone.
    pub(crate) fn head(&mut self) -> Option<(Digest, Digest)> {
        let (newest, all) = self.window.head()?;
        self.all = Some(all);
        Some((newest, all))
    }

    fn take_told(&mut self, record: &Record, hash: Digest, told: &Told) {
        let offset = record.offset;
        let Some(link) = record.header(LINK_HEADER) else {
            if !UNCHAINED.contains(&told.event.as_str()) {
                self.fault(Fault::Unchained { offset, event: told.event.clone() });
            }
            return;
        };
        let link = match serde_json::from_slice::<Link>(link) {
            Ok(link) => link,
            Err(error) => return self.fault(Fault::Unreadable { offset, why: format!("its link: {error}") }),
        };
        self.report.chained += 1;
        let own = record.header(HASH_HEADER).map(|hash| &hash[..]);
        if own != Some(hash.to_string().as_bytes()) {
            self.fault(Fault::Altered { offset });
        }
        let is_sealed = self.check_seal(record, &link, hash, &told.event);
        self.check_seen(offset, &link);
        self.follow(offset, &link, hash);
        if let (SEALED, Some(tip), Some(digest)) = (told.event.as_str(), told.tip, told.digest) {
            self.compare(offset, tip, digest, is_sealed);
        }
    }

    /// Whether an entry is sealed with keys that are at hand, and rightly.
    fn check_seal(&mut self, record: &Record, link: &Link, hash: Digest, event: &str) -> bool {
        let offset = record.offset;
        let Some(version) = link.key else {
            self.take_unsealed(offset, link, event);
            return false;
        };
        let given = record.header(SEAL_HEADER).map(|seal| &seal[..]).unwrap_or_default();
        match self.options.keys.as_ref().map(|keys| is_sealed(keys, version, hash, given)) {
            Some(Ok(true)) => {
                self.report.sealed += 1;
                return true;
            }
            Some(Ok(false)) => self.fault(Fault::Forged { offset }),
            // a seal that cannot be checked is none to whoever asks for seals
            Some(Err(_)) | None if self.options.require_seals => self.fault(Fault::Unsealed { offset }),
            Some(Err(_)) | None => self.report.seals_not_checked += 1,
        }
        false
    }

    /// An entry without a seal waits for a notary that has the keys. Not so where its writer has them: that one seals all of a chain.
    fn take_unsealed(&mut self, offset: i64, link: &Link, event: &str) {
        self.report.unsealed += 1;
        let began_sealed = self.chains.get(&link.chain).is_some_and(|tail| tail.is_sealed);
        if began_sealed || self.options.require_seals && KEYED.contains(&event) {
            return self.fault(Fault::Unsealed { offset });
        }
        self.waiting.add(self.report.entries, offset);
    }

    /// What its writer had seen has to be there.
    fn check_seen(&mut self, offset: i64, link: &Link) {
        let seen_all = self.window.has_all();
        match link.seen {
            // it may be from before the first entry that is left
            Some(_) if self.report.is_truncated && seen_all => {}
            Some(hash) if self.window.number(hash).is_none() => self.fault(Fault::Vanished { offset, hash }),
            None if link.seq == 0 && !seen_all => {
                self.fault(Fault::OutOfOrder { offset, chain: link.chain, seq: 0 });
            }
            Some(_) | None => {}
        }
    }

    fn follow(&mut self, offset: i64, link: &Link, hash: Digest) {
        let Link { chain, seq, .. } = *link;
        let known = self.chains.get(&chain).copied();
        if known.is_none() {
            self.report.chains += 1;
        }
        // where the beginning is gone, a chain may begin anywhere
        let (next_seq, before) = match known {
            Some(tail) => (tail.next_seq, Some(tail.hash)),
            None if self.report.is_truncated => (seq, link.prev),
            None => (0, None),
        };
        if seq > next_seq {
            self.fault(Fault::Missing { offset, chain, first: next_seq, last: seq - 1 });
        } else if seq < next_seq || self.window.number(hash).is_some() {
            return self.fault(Fault::OutOfOrder { offset, chain, seq });
        } else if link.prev != before {
            self.fault(Fault::Broken { offset, chain, seq });
        }
        self.touch(link, hash);
    }

    /// Remembers how far a chain is followed, if it goes on.
    fn touch(&mut self, link: &Link, hash: Digest) {
        let touched = self.report.entries;
        let is_sealed = link.key.is_some();
        let tail = Tail { next_seq: link.seq.saturating_add(1), hash, touched, is_sealed };
        if let Some(before) = self.chains.insert(link.chain, tail) {
            self.by_touch.remove(&before.touched);
        }
        self.by_touch.insert(touched, link.chain);
        if link.last {
            self.chains.remove(&link.chain);
            self.by_touch.remove(&touched);
        } else if self.chains.len() > CHAINS_MAX
            && let Some((_, oldest)) = self.by_touch.pop_first()
        {
            self.chains.remove(&oldest);
        }
    }

    /// Compares with what a notary saw. Where its word is sealed, what it saw needs no other seal.
    fn compare(&mut self, offset: i64, tip: Digest, digest: Digest, is_sealed: bool) {
        let Some(number) = self.window.number(tip) else {
            return self.fault(Fault::Vanished { offset, hash: tip });
        };
        let all = self.window.all_up_to(number);
        if all.is_some_and(|all| all != digest) {
            self.fault(Fault::Different { offset, since: self.notarised_at });
        } else {
            self.report.notarised = number;
        }
        if is_sealed {
            self.report.vouched += self.waiting.settle(number);
        }
        self.notarised_at = Some(offset);
        // from here on, with the notary: one fault is told once
        if all != Some(digest) {
            self.all = Some(self.window.set_all_up_to(number, digest));
        }
    }

    fn see(&mut self, hash: Digest) {
        self.all = self.all.map(|all| all.and(hash));
        self.head_found |= self.all.is_some() && self.all == self.options.head;
        self.window.see(hash, self.all);
    }

    fn fault(&mut self, fault: Fault) {
        self.report.faults_total += 1;
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(fault);
        }
    }
}
