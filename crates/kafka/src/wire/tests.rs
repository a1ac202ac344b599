#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use proptest::prelude::*;

use super::*;

/// A broker that answers what it is told to, whatever it is asked, and then closes. Nothing real says such things.
fn liar(answers: Vec<Vec<u8>>) -> (Settings, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings::new(listener.local_addr().unwrap().to_string());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for answer in answers {
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let mut request = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
            stream.read_exact(&mut request).unwrap();
            // key and version are 2 bytes each, the correlation is 4
            let answer = [&request[4..8], &answer].concat();
            let framed = Encoder::default().bytes(&answer).unwrap();
            stream.write_all(&framed.framed().unwrap()[4..]).unwrap();
        }
    });
    (settings, thread)
}

/// That it speaks these requests, each in version 0.
fn speaking(keys: &[i16]) -> Vec<u8> {
    let ranges = Encoder::default().i16(0).list(keys.iter(), |answer, key| Ok(answer.i16(*key).i16(0).i16(0)));
    ranges.unwrap().framed().unwrap().split_off(4)
}

fn open(settings: &Settings) -> Result<Broker, Fault> {
    Broker::open(settings, None, Duration::from_secs(10))
}

#[test]
fn a_broker_that_is_too_old_is_told_so() {
    let (settings, thread) = liar(vec![speaking(&[18])]);
    let refused = open(&settings).unwrap().quotas().unwrap_err();
    assert_eq!(
        (refused.kind, refused.said()),
        (ErrorKind::Invalid, "the broker does not speak DescribeClientQuotas in version 0")
    );
    thread.join().unwrap();
}

#[test]
fn quotas_of_users_alone_are_read() {
    let part = |entry: Encoder, (kind, name): (&str, Option<&str>)| entry.text(kind)?.nullable(name);
    let entities: [&[(&str, Option<&str>)]; 4] = [
        &[("user", Some("ana"))],
        &[("user", None)],
        &[("user", Some("ana")), ("client-id", Some("kcat"))],
        &[("ip", Some("127.0.0.1"))],
    ];
    let answer =
        Encoder::default().i32(0).i16(0).nullable(None).unwrap().list(entities.into_iter(), |answer, entity| {
            let answer = answer.list(entity.iter().copied(), part)?;
            answer.list([1.5].into_iter(), |answer, value| Ok(answer.text("request_percentage")?.f64(value)))
        });
    let answer = answer.unwrap().framed().unwrap().split_off(4);
    let (settings, thread) = liar(vec![speaking(&[18, 48]), answer]);
    let found = open(&settings).unwrap().quotas().unwrap();
    let wanted = [("request_percentage".to_owned(), 1.5)].into();
    assert_eq!(found, [("ana".to_owned(), wanted)].into());
    thread.join().unwrap();
}

#[test]
fn what_a_broker_says_against_it_is_told_in_its_words() {
    let answer = Encoder::default().i32(0).i16(31).nullable(Some("Cluster authorization failed.")).unwrap().i32(-1);
    let (settings, thread) = liar(vec![speaking(&[18, 48]), answer.framed().unwrap().split_off(4)]);
    let refused = open(&settings).unwrap().quotas().unwrap_err();
    assert_eq!((refused.kind, refused.said()), (ErrorKind::Unauthorised, "Cluster authorization failed."));
    thread.join().unwrap();
}

#[test]
fn one_that_closes_or_is_not_there_is_unreachable_and_the_next_is_asked() {
    let (closing, thread) = liar(Vec::new());
    let closed = open(&closing).err().unwrap();
    assert!(closed.kind == ErrorKind::Unreachable && closed.said().contains("closed the connection"), "{closed:?}");
    thread.join().unwrap();
    let nobody = open(&closing).err().unwrap();
    assert!(nobody.kind == ErrorKind::Unreachable && nobody.said().contains("cannot connect"), "{nobody:?}");
    let (answering, thread) = liar(vec![speaking(&[18])]);
    open(&Settings::new(format!("{},{}", closing.bootstrap(), answering.bootstrap()))).unwrap();
    thread.join().unwrap();
}

#[test]
fn one_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings::new(silent.local_addr().unwrap().to_string());
    for settings in [settings.clone(), settings.with("security.protocol", "ssl")] {
        let given_up = Broker::open(&settings, None, Duration::from_millis(100)).err().unwrap();
        assert!(given_up.kind == ErrorKind::Unreachable && given_up.said().contains("in time"), "{given_up:?}");
    }
}

#[test]
fn a_length_that_no_answer_has_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings::new(listener.local_addr().unwrap().to_string());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&i32::MAX.to_be_bytes()).unwrap();
        // until the client has gone
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let refused = open(&settings).err().unwrap();
    assert!(refused.said().contains("does not speak Kafka's protocol"), "{refused:?}");
    thread.join().unwrap();
}

#[test]
fn settings_that_cannot_be_used_are_named_without_a_value() {
    let tls = || Settings::new("127.0.0.1:1").with("security.protocol", "SSL");
    for (settings, said) in [
        (tls().with("ssl.ca.location", "/no/such/file"), "cannot read /no/such/file of ssl.ca.location"),
        (tls().with("ssl.key.pem", "hunter2"), "cannot use ssl.key.pem"),
        (tls().with("ssl.certificate.pem", "hunter2"), "ssl.certificate.pem holds no certificate"),
        (tls().with("ssl.providers", "legacy"), "with ssl.providers"),
        (tls().with("ssl.cipher.suites", "hunter2"), "cannot use ssl.cipher.suites"),
        (Settings::new("127.0.0.1:1").with("security.protocol", "hunter2"), "security.protocol is none of"),
    ] {
        let refused = open(&settings).err().unwrap();
        assert_eq!(refused.kind, ErrorKind::Invalid, "{refused:?}");
        assert!(refused.said().contains(said) && !refused.said().contains("hunter2"), "{refused:?}");
    }
}

#[tokio::test]
async fn who_one_is_follows_from_the_settings() {
    let sasl = |mechanism| Settings::new("a:1").with("security.protocol", "SASL_SSL").with("sasl.mechanism", mechanism);
    assert!(Login::of(&Settings::new("a:1").with("sasl.mechanism", "PLAIN")).await.unwrap().is_none());
    let lacking = Login::of(&sasl("SCRAM-SHA-256")).await.err().unwrap();
    assert_eq!(lacking.said(), "SCRAM-SHA-256 needs sasl.username");
    let named = sasl("plain").with("sasl.username", "ana").with("sasl.password", "hunter2");
    assert!(matches!(Login::of(&named).await, Ok(Some(Login::Plain { .. }))));
    let unknown = Login::of(&sasl("GSSAPI")).await.err().unwrap();
    assert!(unknown.said().contains("cannot be asked for by GSSAPI"), "{unknown:?}");
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_or_take_memory(answer in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = versions(&answer);
        let _ = quotas::described(&answer);
        let _ = quotas::altered(&answer);
        // long lists and texts that are not there
        let long = [&[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff], answer.as_slice()].concat();
        prop_assert!(quotas::described(&long).is_err());
    }

    #[test]
    fn what_is_cut_short_or_goes_on_is_malformed(name in "[a-z]{0,20}", value in any::<f64>(), cut in 0_usize..40) {
        let entry = Encoder::default().i32(0).i16(0).nullable(None).unwrap().list([name.as_str()].into_iter(), |entry, name| {
            let entry = entry.list([name].into_iter(), |entry, name| entry.text("user")?.nullable(Some(name)))?;
            entry.list([value].into_iter(), |entry, value| Ok(entry.text("producer_byte_rate")?.f64(value)))
        });
        let mut whole = entry.unwrap().framed().unwrap().split_off(4);
        let (_, _, entries) = quotas::described(&whole).unwrap();
        prop_assert_eq!(entries.len(), 1);
        prop_assert_eq!(entries[0].1["producer_byte_rate"].to_bits(), value.to_bits());
        let short = whole.len().saturating_sub(cut + 1);
        prop_assert!(quotas::described(&whole[..short]).is_err());
        whole.push(0);
        prop_assert!(quotas::described(&whole).is_err());
    }
}
