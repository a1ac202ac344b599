//! The inside of a quarantined record, and its seal: nothing is opened that was not sealed, and what was opens again.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mesh_avro::keys::{KeyName, KeyRing, RootKeys};
use mesh_masking::quarantine::{Envelope, open, parse, seal};
use zeroize::Zeroizing;

const PLACE: &[u8] = b"mesh-quarantine/crm.customers.v1.in/0/7";

static KEYS: LazyLock<RootKeys> = LazyLock::new(|| RootKeys::single(Zeroizing::new([42; 32])));

fuzz_target!(|input: &[u8]| {
    let name = KeyName::quarantine("crm");
    if let Ok(envelope) = parse(input) {
        assert_eq!(inside(&envelope), input, "a form has one spelling");
        let sealed = sealed(&envelope, &name);
        assert!(open(&*KEYS, &name, PLACE, &sealed).expect("it was sealed") == envelope);
    }
    assert!(open(&*KEYS, &name, PLACE, input).is_err(), "nobody sealed this");
});

fn sealed(envelope: &Envelope, name: &KeyName) -> Vec<u8> {
    let key = KEYS.key(name).expect("the ring has every name");
    let headers = envelope.headers.iter().map(|header| (&header.name[..], header.value.as_deref()));
    let (record_key, value) = (envelope.key.as_deref(), envelope.value.as_deref());
    seal(&key, PLACE, record_key, value, headers, &mut Vec::new()).expect("there is randomness, and room")
}

/// What is documented to be inside the seal.
fn inside(envelope: &Envelope) -> Vec<u8> {
    let bytes = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let optional = |value: &Option<Vec<u8>>| value.as_ref().map_or(vec![0], |value| [vec![1], bytes(value)].concat());
    let headers = envelope.headers.iter().flat_map(|header| [bytes(&header.name), optional(&header.value)].concat());
    let count = (envelope.headers.len() as u32).to_be_bytes();
    let parts = [vec![1], optional(&envelope.key), optional(&envelope.value), count.to_vec()];
    parts.into_iter().flatten().chain(headers).collect()
}
