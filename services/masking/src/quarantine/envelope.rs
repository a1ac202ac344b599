//! A quarantined record's body: the original's key, value and headers, sealed.
//!
//! Inside the seal, format 1: `01`, then key and value each as an optional byte string, the count of headers (u32), and
//! for each its name as a byte string and its value as an optional one. A byte string is its length (u32) and its bytes;
//! an optional one has `00` before it if it is null, nothing following, else `01`. Numbers are big-endian. The seal is
//! [`mesh_avro::keys::seal`]'s and binds where the record came from.

use mesh_avro::keys::{self, EnvelopeError, Key, KeyName, KeyRing};

const FORMAT: u8 = 1;
const NULL: u8 = 0;
const PRESENT: u8 = 1;

/// A record as it was refused.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<EnvelopeHeader>,
}

/// A header as it was.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvelopeHeader {
    /// Its name; UTF-8 unless somebody broke Kafka's protocol.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Option<Vec<u8>>,
}

/// An envelope that does not give its record.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be unsealed.
    #[error("cannot unseal the quarantined record")]
    Unseal(#[source] EnvelopeError),
    /// What was sealed is not a record; a defect, or a newer format.
    #[error("the quarantined record is of a form that this version does not know ({what})")]
    Form {
        /// What is not understood.
        what: &'static str,
    },
}

/// What the seal is bound to: an envelope moved to another record's place does not open.
#[must_use]
pub fn associated_data(topic: &str, partition: i32, offset: i64) -> Vec<u8> {
    format!("mesh-quarantine/{topic}/{partition}/{offset}").into_bytes()
}

/// Seals a record's parts. `buffer` is working memory, overwritten before this returns.
///
/// # Errors
/// No randomness, or a record too long to be sealed.
pub fn seal<'r>(
    key: &Key,
    associated_data: &[u8],
    record_key: Option<&[u8]>,
    record_value: Option<&[u8]>,
    headers: impl Iterator<Item = (&'r [u8], Option<&'r [u8]>)>,
    buffer: &mut Vec<u8>,
) -> Result<Vec<u8>, EnvelopeError> {
    write(buffer, record_key, record_value, headers);
    let sealed = keys::seal(key, associated_data, buffer);
    buffer.fill(0);
    buffer.clear();
    sealed
}

/// Opens a sealed record.
///
/// # Errors
/// See [`OpenError`]; a key that cannot be had, a wrong key, changed bytes, another place.
pub fn open(ring: &dyn KeyRing, name: &KeyName, associated_data: &[u8], sealed: &[u8]) -> Result<Envelope, OpenError> {
    parse(&keys::open(ring, name, associated_data, sealed).map_err(OpenError::Unseal)?)
}

/// Reads what is inside the seal.
///
/// # Errors
/// [`OpenError::Form`] for whatever is not exactly one record.
pub fn parse(plain: &[u8]) -> Result<Envelope, OpenError> {
    read(plain).map_err(|what| OpenError::Form { what })
}

fn write<'r>(
    out: &mut Vec<u8>,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: impl Iterator<Item = (&'r [u8], Option<&'r [u8]>)>,
) {
    out.clear();
    out.push(FORMAT);
    write_optional(out, key);
    write_optional(out, value);
    let count_at = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut count: u32 = 0;
    for (name, value) in headers {
        write_bytes(out, name);
        write_optional(out, value);
        count += 1;
    }
    out[count_at..count_at + 4].copy_from_slice(&count.to_be_bytes());
}

fn write_optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.push(NULL),
        Some(bytes) => {
            out.push(PRESENT);
            write_bytes(out, bytes);
        }
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    // Kafka's own lengths are 31 bits, so that nothing is cut off here.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

fn read(plain: &[u8]) -> Result<Envelope, &'static str> {
    let mut rest = plain;
    if read_byte(&mut rest)? != FORMAT {
        return Err("its format's number");
    }
    let key = read_optional(&mut rest)?;
    let value = read_optional(&mut rest)?;
    let count = read_number(&mut rest)?;
    let mut headers = Vec::new();
    for _ in 0..count {
        let name = read_bytes(&mut rest)?;
        headers.push(EnvelopeHeader { name, value: read_optional(&mut rest)? });
    }
    if rest.is_empty() { Ok(Envelope { key, value, headers }) } else { Err("bytes are left over") }
}

fn read_byte(rest: &mut &[u8]) -> Result<u8, &'static str> {
    let (first, after) = rest.split_first().ok_or("it ends early")?;
    *rest = after;
    Ok(*first)
}

fn read_number(rest: &mut &[u8]) -> Result<u32, &'static str> {
    let (first, after) = rest.split_first_chunk::<4>().ok_or("it ends early")?;
    *rest = after;
    Ok(u32::from_be_bytes(*first))
}

fn read_bytes(rest: &mut &[u8]) -> Result<Vec<u8>, &'static str> {
    let length = read_number(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length).ok_or("it ends early")?;
    *rest = after;
    Ok(bytes.to_vec())
}

fn read_optional(rest: &mut &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    match read_byte(rest)? {
        NULL => Ok(None),
        PRESENT => read_bytes(rest).map(Some),
        _ => Err("neither null nor present"),
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(Vec::len);
        formatter
            .debug_struct("Envelope")
            .field("key_bytes", &len(&self.key))
            .field("value_bytes", &len(&self.value))
            .field("headers", &self.headers.len())
            .finish()
    }
}

impl std::fmt::Debug for EnvelopeHeader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EnvelopeHeader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use mesh_avro::keys::RootKeys;
    use proptest::{collection::vec, option::of, prelude::*};

    use super::*;

    fn keys() -> RootKeys {
        RootKeys::new([(3, [9; 32].into())]).unwrap()
    }

    fn sealed(envelope: &Envelope, place: &[u8]) -> Vec<u8> {
        let key = keys().key(&KeyName::quarantine("crm")).unwrap();
        let headers = envelope.headers.iter().map(|header| (&header.name[..], header.value.as_deref()));
        let mut buffer = Vec::new();
        let (key_bytes, value) = (envelope.key.as_deref(), envelope.value.as_deref());
        let sealed = seal(&key, place, key_bytes, value, headers, &mut buffer).unwrap();
        assert!(buffer.is_empty());
        sealed
    }

    fn envelopes() -> impl Strategy<Value = Envelope> {
        let bytes = || vec(any::<u8>(), 0..64);
        let headers = vec((bytes(), of(bytes())), 0..5)
            .prop_map(|pairs| pairs.into_iter().map(|(name, value)| EnvelopeHeader { name, value }).collect());
        (of(bytes()), of(bytes()), headers).prop_map(|(key, value, headers)| Envelope { key, value, headers })
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(envelope in envelopes()) {
            let sealed = sealed(&envelope, b"here");
            let opened = open(&keys(), &KeyName::quarantine("crm"), b"here", &sealed).unwrap();
            prop_assert!(opened == envelope);
        }

        #[test]
        fn no_bytes_make_it_panic(plain in vec(any::<u8>(), 0..200)) {
            let _ = read(&plain);
        }

        #[test]
        fn cut_anywhere_it_is_refused(envelope in envelopes(), cut: prop::sample::Index) {
            let mut plain = Vec::new();
            let headers = envelope.headers.iter().map(|header| (&header.name[..], header.value.as_deref()));
            write(&mut plain, envelope.key.as_deref(), envelope.value.as_deref(), headers);
            let shorter = &plain[..cut.index(plain.len())];
            prop_assert!(read(shorter).is_err());
        }
    }

    #[test]
    fn another_place_does_not_open() {
        let sealed = sealed(&Envelope { value: Some(b"jane@example.org".to_vec()), ..Envelope::default() }, b"here");
        let there = open(&keys(), &KeyName::quarantine("crm"), b"there", &sealed);
        assert!(matches!(there, Err(OpenError::Unseal(EnvelopeError::Authentication))));
        let other = open(&keys(), &KeyName::quarantine("web"), b"here", &sealed);
        assert!(matches!(other, Err(OpenError::Unseal(EnvelopeError::Authentication))));
    }

    #[test]
    fn nothing_shows_the_record() {
        let envelope = Envelope { value: Some(b"jane@example.org".to_vec()), ..Envelope::default() };
        assert!(!format!("{envelope:?}").contains("jane"));
        let sealed = sealed(&envelope, b"here");
        assert!(!sealed.windows(4).any(|window| window == b"jane"));
    }
}
