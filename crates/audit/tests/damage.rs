//! Audits that were damaged by hand, each in its way, and random ones: what is whole is found so, what is not is not.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use mesh_audit::{
    Chain, Digest, Event, Fault, HASH_HEADER, Inspector, LINK_HEADER, Link, Notary, Report, VerifyOptions, Who,
};
use mesh_avro::keys::{KeyRing, RootKeys};
use mesh_kafka::{Header, OutgoingRecord, Record};
use proptest::prelude::*;
use zeroize::Zeroizing;

fn keys(secret: u8) -> Arc<dyn KeyRing> {
    Arc::new(RootKeys::single(Zeroizing::new([secret; 32])))
}

/// A topic: what is appended to it gets an offset.
#[derive(Default)]
struct Log(Vec<Record>);

impl Log {
    fn append(&mut self, record: OutgoingRecord) {
        let OutgoingRecord { topic, key, value, headers, .. } = record;
        let offset = i64::try_from(self.0.len()).unwrap();
        self.0.push(Record { topic, partition: 0, offset, timestamp_ms: None, key, value, headers });
    }

    fn tell(&mut self, chain: &mut Chain, kind: &str, last: bool) -> Digest {
        let event = Event::at(kind, &Who::default(), 1).with("n", self.0.len());
        let (record, hash) = chain.entry(&event, last).unwrap();
        self.append(record);
        chain.written(hash);
        hash
    }

    fn newest(&self) -> Option<Digest> {
        self.0.last().map(hash)
    }

    /// As it would be on a topic that it is copied to: the offsets are others.
    fn copied(self) -> Log {
        let mut copy = Log::default();
        for record in self.0 {
            let Record { topic, key, value, headers, .. } = record;
            copy.append(OutgoingRecord { topic, partition: None, timestamp_ms: None, key, value, headers });
        }
        copy
    }

    fn inspect(&self, options: VerifyOptions) -> Report {
        let mut inspector = Inspector::new(options, false);
        self.0.iter().for_each(|record| inspector.take(record));
        inspector.finish()
    }

    fn faults(&self) -> Vec<Fault> {
        self.inspect(VerifyOptions::default()).faults
    }
}

fn hash(record: &Record) -> Digest {
    let link = record.header(LINK_HEADER).map(|link| link.to_vec()).unwrap_or_default();
    Digest::of_entry(&link, record.value.as_deref().unwrap())
}

/// Three commands, a service that goes on beside them, a sidecar's counts, and a notary's word in the middle and at the end.
fn whole(keys: Option<&Arc<dyn KeyRing>>) -> Log {
    let mut log = Log::default();
    let mut service = Chain::begin(keys.cloned(), None);
    let mut notary_chain = Chain::begin(keys.cloned(), None);
    for round in 0..3 {
        log.tell(&mut service, "maintenance-planned", false);
        let mut command = Chain::begin(keys.cloned(), log.newest());
        log.tell(&mut command, "contract-applied", false);
        log.append(
            OutgoingRecord::to("mesh.audit").value(format!(r#"{{"event":"records-masked","at_ms":1,"n":{round}}}"#)),
        );
        log.tell(&mut command, "access-granted", false);
        log.tell(&mut command, "access-revoked", true);
        if round != 1 {
            let mut notary = Notary::new(VerifyOptions::default(), false);
            log.0.iter().for_each(|record| notary.take(record));
            let (word, tip) = notary.word(&Who::default()).unwrap();
            notary_chain.saw(tip);
            let (record, hash) = notary_chain.entry(&word, false).unwrap();
            log.append(record);
            notary_chain.written(hash);
        }
    }
    log
}

#[test]
fn a_whole_one_is_found_so() {
    let report = whole(None).inspect(VerifyOptions::default());
    assert_eq!(report.faults, []);
    assert_eq!((report.entries, report.chained, report.chains, report.chains_open), (17, 14, 5, 2));
    assert_eq!((report.notarised, report.sealed), (16, 0));
}

#[test]
fn one_byte_changed_shows() {
    for index in 0..whole(None).0.len() {
        let mut log = whole(None);
        let mut value = log.0[index].value.clone().unwrap().to_vec();
        let at = value.len() - 2;
        value[at] = if value[at] == b'7' { b'8' } else { b'7' };
        log.0[index].value = Some(value.into());
        let faults = log.faults();
        let is_chained = log.0[index].header(LINK_HEADER).is_some();
        let shows_there = faults.contains(&Fault::Altered { offset: log.0[index].offset });
        assert!(!faults.is_empty() && shows_there == is_chained, "{index}: {faults:?}");
    }
}

#[test]
fn a_byte_changed_with_its_hash_made_anew_shows_at_the_next_entry() {
    let mut log = whole(None);
    log.0[1].value = Some(r#"{"event":"contract-applied","at_ms":1,"n":99}"#.into());
    let anew = hash(&log.0[1]).to_string();
    log.0[1].headers.iter_mut().find(|header| header.name == HASH_HEADER).unwrap().value = Some(anew.into());
    let broken = |fault: &Fault| matches!(fault, Fault::Broken { offset: 3, seq: 1, .. });
    assert!(log.faults().iter().any(broken), "{:?}", log.faults());
}

#[test]
fn an_entry_left_out_shows() {
    for index in 0..16 {
        let mut log = whole(None);
        log.0.remove(index);
        assert_ne!(log.copied().faults(), [], "{index}");
    }
}

#[test]
fn an_entry_of_a_chain_left_out_is_named() {
    let mut log = whole(None);
    log.0.remove(3);
    let found = log.copied().faults();
    assert!(matches!(found[0], Fault::Missing { offset: 3, first: 1, last: 1, .. }), "{found:?}");
    assert!(matches!(found[1], Fault::Different { since: None, .. }), "{found:?}");
    assert_eq!(found.len(), 2, "one thing is told once by each that misses it: {found:?}");
}

#[test]
fn two_that_changed_places_show() {
    let mut log = whole(None);
    log.0.swap(3, 4);
    let found = log.copied().faults();
    assert!(found.iter().any(|fault| matches!(fault, Fault::Missing { .. })), "{found:?}");
    // those of different chains, and one in none
    for (one, other) in [(1, 2), (2, 3), (5, 6)] {
        let mut log = whole(None);
        log.0.swap(one, other);
        assert_ne!(log.copied().faults(), [], "{one} {other}");
    }
}

#[test]
fn the_end_cut_off_shows_beside_a_head_that_was_kept() {
    let log = whole(None);
    let head = log.inspect(VerifyOptions::default()).head;
    for left in 0..log.0.len() {
        let mut cut = whole_like(&log);
        cut.0.truncate(left);
        assert_eq!(cut.faults(), [], "of itself it cannot know");
        let found = cut.inspect(VerifyOptions { head, ..VerifyOptions::default() }).faults;
        assert_eq!(found, [Fault::HeadNotFound { head: head.unwrap() }]);
    }
    let mut longer = whole_like(&log);
    longer.tell(&mut Chain::begin(None, log.newest()), "contract-applied", true);
    assert_eq!(longer.inspect(VerifyOptions { head, ..VerifyOptions::default() }).faults, [], "it has been so");
}

fn whole_like(log: &Log) -> Log {
    Log(log.0.clone())
}

#[test]
fn the_end_of_a_chain_cut_off_is_missed_by_what_came_after() {
    let mut log = Log::default();
    let mut one = Chain::begin(None, None);
    log.tell(&mut one, "subject-forgotten", false);
    log.tell(&mut one, "subject-forgotten", true);
    let cut = log.newest().unwrap();
    log.tell(&mut Chain::begin(None, log.newest()), "contract-applied", true);
    log.0.remove(1);
    assert_eq!(log.copied().faults(), [Fault::Vanished { offset: 1, hash: cut }]);
}

#[test]
fn an_entry_put_in_shows() {
    let forged = |log: &mut Log, record: OutgoingRecord| {
        log.append(record);
        let last = log.0.pop().unwrap();
        log.0.insert(7, last);
    };
    let mut unchained = whole(None);
    forged(&mut unchained, OutgoingRecord::to("mesh.audit").value(r#"{"event":"subject-forgotten","at_ms":1}"#));
    let found = unchained.copied().faults();
    assert!(matches!(&found[0], Fault::Unchained { offset: 7, event } if event == "subject-forgotten"), "{found:?}");
    let mut rubbish = whole(None);
    forged(&mut rubbish, OutgoingRecord::to("mesh.audit").value("rubbish"));
    assert!(matches!(rubbish.copied().faults()[0], Fault::Unreadable { offset: 7, .. }));
    // a sidecar's count that no sidecar told
    let mut count = whole(None);
    forged(&mut count, OutgoingRecord::to("mesh.audit").value(r#"{"event":"records-masked","at_ms":1}"#));
    assert!(matches!(count.copied().faults()[0], Fault::Different { since: Some(5), .. }));
    // a fork: two that go on after the same one
    let mut fork = Log::default();
    let mut chain = Chain::begin(None, None);
    fork.tell(&mut chain, "contract-applied", false);
    let (twin, _) = chain.entry(&Event::at("contract-applied", &Who::default(), 9), true).unwrap();
    fork.tell(&mut chain, "contract-applied", false);
    fork.append(twin);
    assert!(matches!(fork.faults()[..], [Fault::OutOfOrder { offset: 2, seq: 1, .. }]));
}

#[test]
fn an_entry_that_is_there_twice_shows() {
    for index in 0..17 {
        let mut log = whole(None);
        let twice = log.0[index].clone();
        log.0.push(twice);
        let is_chained = log.0[index].header(LINK_HEADER).is_some();
        // a count told twice shows in its offsets (`mesh audit masked`), and to the notary that comes next
        assert_eq!(log.copied().faults().is_empty(), !is_chained, "{index}");
    }
}

#[test]
fn whoever_has_no_keys_cannot_forge() {
    let holder = keys(7);
    let log = whole(Some(&holder));
    let with = |keys: &Arc<dyn KeyRing>| VerifyOptions { keys: Some(keys.clone()), require_seals: true, head: None };
    let report = log.inspect(with(&holder));
    assert_eq!((report.faults.len(), report.sealed, report.seals_not_checked), (0, report.chained, 0));
    assert_eq!(log.inspect(VerifyOptions::default()).seals_not_checked, report.chained);
    // all of it made anew, in chains that hold
    let anew = whole(Some(&keys(8)));
    assert_eq!(anew.faults(), []);
    assert!(anew.inspect(with(&holder)).faults.iter().all(|fault| matches!(fault, Fault::Forged { .. })));
    assert_eq!(anew.inspect(with(&holder)).faults_total, report.chained);
    let unsealed = whole(None).inspect(with(&holder));
    assert_eq!(unsealed.faults_total, unsealed.chained);
}

/// A notary says what it saw of a log; sealed, if it has keys.
fn notarised(log: &mut Log, keys: Option<&Arc<dyn KeyRing>>) {
    let mut notary = Notary::new(VerifyOptions::default(), false);
    log.0.iter().for_each(|record| notary.take(record));
    let (word, tip) = notary.word(&Who::default()).unwrap();
    let (record, _) = Chain::begin(keys.cloned(), Some(tip)).entry(&word, true).unwrap();
    log.append(record);
}

fn sealed(holder: &Arc<dyn KeyRing>) -> VerifyOptions {
    VerifyOptions { keys: Some(holder.clone()), require_seals: true, head: None }
}

#[test]
fn whom_a_notary_has_seen_needs_no_seal_of_his_own() {
    let holder = keys(7);
    let mut log = Log::default();
    let mut apply = Chain::begin(None, None);
    log.tell(&mut apply, "access-granted", false);
    log.tell(&mut apply, "apply-finished", true);
    log.tell(&mut Chain::begin(Some(holder.clone()), log.newest()), "maintenance-planned", true);
    let alone = log.inspect(sealed(&holder));
    assert_eq!(alone.faults, [Fault::Unsealed { offset: 0 }, Fault::Unsealed { offset: 1 }]);
    assert_eq!((alone.unsealed, alone.vouched, alone.sealed), (2, 0, 1));
    // whoever does not ask for seals is told all the same
    assert_eq!(log.inspect(VerifyOptions::default()).unsealed, 2);

    let mut unsealed_word = whole_like(&log);
    notarised(&mut unsealed_word, None);
    assert_eq!(unsealed_word.inspect(sealed(&holder)).faults_total, 3, "the word itself is one more");
    let mut forged_word = whole_like(&log);
    notarised(&mut forged_word, Some(&keys(8)));
    assert_eq!(forged_word.inspect(sealed(&holder)).faults_total, 3);

    notarised(&mut log, Some(&holder));
    let seen = log.inspect(sealed(&holder));
    assert_eq!((seen.faults.as_slice(), seen.unsealed, seen.vouched), ([].as_slice(), 2, 2));
    log.tell(&mut Chain::begin(None, log.newest()), "access-granted", true);
    assert_eq!(
        log.inspect(sealed(&holder)).faults,
        [Fault::Unsealed { offset: 4 }],
        "what came after it, it has not seen"
    );
    // after it nobody changes what it saw: chains of hashes can be made anew by anybody
    let mut anew = Log::default();
    let mut apply = Chain::begin(None, None);
    anew.tell(&mut apply, "access-revoked", false);
    anew.tell(&mut apply, "apply-finished", true);
    log.0.splice(..2, anew.0);
    let faults = log.copied().inspect(sealed(&holder)).faults;
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Different { offset: 3, .. })), "{faults:?}");
}

#[test]
fn what_takes_keys_is_sealed_by_whoever_does_it_and_a_sealed_chain_to_its_end() {
    let holder = keys(7);
    let mut shown = Log::default();
    shown.tell(&mut Chain::begin(None, None), "quarantine-shown", true);
    notarised(&mut shown, Some(&holder));
    assert_eq!(shown.inspect(sealed(&holder)).faults, [Fault::Unsealed { offset: 0 }]);

    // whoever has no keys goes on in somebody's chain
    let mut log = Log::default();
    let mut chain = Chain::begin(Some(holder.clone()), None);
    let prev = log.tell(&mut chain, "access-granted", false);
    let (record, _) = chain.entry(&Event::at("access-granted", &Who::default(), 2), true).unwrap();
    let mut link: Link = serde_json::from_slice(&record.headers[0].value.clone().unwrap()).unwrap();
    (link.key, link.prev) = (None, Some(prev));
    let (link, value) = (serde_json::to_vec(&link).unwrap(), record.value.unwrap());
    let hash = Digest::of_entry(&link, &value).to_string();
    log.append(OutgoingRecord::to("mesh.audit").value(value).header(LINK_HEADER, link).header(HASH_HEADER, hash));
    assert_eq!(log.faults(), [Fault::Unsealed { offset: 1 }]);
    notarised(&mut log, Some(&holder));
    assert_eq!(log.inspect(sealed(&holder)).faults, [Fault::Unsealed { offset: 1 }]);
}

#[test]
fn what_retention_took_is_no_fault_and_is_told() {
    let mut log = whole(None);
    log.0.drain(..4);
    let mut inspector = Inspector::new(VerifyOptions::default(), true);
    log.0.iter().for_each(|record| inspector.take(record));
    let report = inspector.finish();
    assert_eq!(report.faults, []);
    assert!(report.is_truncated && report.head.is_some());
}

#[test]
fn a_chain_that_may_have_been_cut_off_in_doubt_is_followed_by_another() {
    let mut log = Log::default();
    let mut chain = Chain::begin(None, None);
    log.tell(&mut chain, "contract-applied", false);
    chain.lost();
    log.tell(&mut chain, "contract-applied", true);
    let report = log.inspect(VerifyOptions::default());
    assert_eq!((report.faults, report.chains, report.chains_open), (vec![], 2, 1));
}

/// What may be done to a topic.
#[derive(Clone, Debug)]
enum Damage {
    Change { index: usize, byte: usize },
    Remove { index: usize },
    Swap { one: usize, other: usize },
    Repeat { index: usize },
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), any::<usize>()).prop_map(|(index, byte)| Damage::Change { index, byte }),
        any::<usize>().prop_map(|index| Damage::Remove { index }),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Damage::Swap { one, other }),
        any::<usize>().prop_map(|index| Damage::Repeat { index }),
    ]
}

/// Writers that take turns as `turns` says; each first sees what is there.
fn written(turns: &[(u8, bool)]) -> Log {
    let mut log = Log::default();
    let mut writers: Vec<Option<Chain>> = (0..4).map(|_| None).collect();
    for (writer, last) in turns {
        let newest = log.newest();
        let slot = &mut writers[usize::from(*writer) % 4];
        let chain = slot.get_or_insert_with(|| Chain::begin(None, newest));
        log.tell(chain, "contract-applied", *last);
        if *last {
            *slot = None;
        }
    }
    // the last word is a notary's
    let mut notary = Notary::new(VerifyOptions::default(), false);
    log.0.iter().for_each(|record| notary.take(record));
    let (word, tip) = notary.word(&Who::default()).unwrap();
    let (record, _) = Chain::begin(None, Some(tip)).entry(&word, true).unwrap();
    log.append(record);
    log
}

proptest! {
    #[test]
    fn whatever_writers_do_is_whole(turns in prop::collection::vec((any::<u8>(), any::<bool>()), 1..60)) {
        prop_assert_eq!(written(&turns).faults(), []);
    }

    #[test]
    fn whatever_is_done_to_it_shows(turns in prop::collection::vec((any::<u8>(), any::<bool>()), 2..60), damage in damage()) {
        let mut log = written(&turns);
        // all but the notary's own word: what comes last is missed by nobody
        let told = log.0.len() - 1;
        let is_same = match damage {
            Damage::Change { index, byte } => {
                let record = &mut log.0[index % told];
                let mut value = record.value.clone().unwrap().to_vec();
                let byte = byte % value.len();
                value[byte] ^= 1;
                record.value = Some(value.into());
                false
            }
            Damage::Remove { index } => {
                log.0.remove(index % told);
                false
            }
            Damage::Swap { one, other } => {
                log.0.swap(one % told, other % told);
                one % told == other % told
            }
            Damage::Repeat { index } => {
                let again = log.0[index % told].clone();
                log.0.insert(told, again);
                false
            }
        };
        prop_assert_eq!(log.copied().faults().is_empty(), is_same);
    }

    #[test]
    fn nothing_that_stands_there_is_too_much(link in ".{0,80}", value in ".{0,80}") {
        let mut log = whole(None);
        let mut record = log.0[0].clone();
        record.headers = vec![Header::new(LINK_HEADER, link)];
        record.value = Some(value.into());
        log.0.push(record);
        prop_assert_ne!(log.copied().faults(), []);
    }
}
