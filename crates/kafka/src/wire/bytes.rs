//! The protocol's primitives, as requests before KIP-482's compact forms have them: big-endian, lengths before what they measure.

use super::Fault;

/// An answer that ends too early, or is of another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A request being written.
#[derive(Debug, Default)]
pub(super) struct Encoder(Vec<u8>);

impl Encoder {
    pub(super) fn i8(self, value: i8) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn bool(self, value: bool) -> Self {
        self.i8(value.into())
    }

    pub(super) fn i16(self, value: i16) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn i32(self, value: i32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn f64(self, value: f64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// A text that may be null, with its length in 16 bits.
    pub(super) fn nullable(self, value: Option<&str>) -> Result<Self, Fault> {
        match value {
            Some(value) => self.text(value),
            None => Ok(self.i16(-1)),
        }
    }

    /// A text, with its length in 16 bits.
    pub(super) fn text(self, value: &str) -> Result<Self, Fault> {
        let length = i16::try_from(value.len()).map_err(|_| too_long())?;
        Ok(self.i16(length).raw(value.as_bytes()))
    }

    /// Bytes, with their length in 32 bits.
    pub(super) fn bytes(self, value: &[u8]) -> Result<Self, Fault> {
        Ok(self.i32(length(value.len())?).raw(value))
    }

    /// Items, with their count in 32 bits.
    pub(super) fn list<T>(
        self,
        items: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(Self, T) -> Result<Self, Fault>,
    ) -> Result<Self, Fault> {
        let counted = self.i32(length(items.len())?);
        items.into_iter().try_fold(counted, &mut write)
    }

    pub(super) fn followed_by(self, other: Encoder) -> Self {
        self.raw(&other.0)
    }

    /// What was written, behind its length in 32 bits.
    pub(super) fn framed(self) -> Result<Vec<u8>, Fault> {
        Ok(Encoder::default().bytes(&self.0)?.0)
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

fn length(length: usize) -> Result<i32, Fault> {
    i32::try_from(length).map_err(|_| too_long())
}

fn too_long() -> Fault {
    Fault::invalid("a name or value is too long for Kafka's protocol")
}

/// An answer being read.
#[derive(Debug)]
pub(super) struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Decoder(bytes)
    }

    fn raw(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn i16(&mut self) -> Result<i16, Malformed> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn f64(&mut self) -> Result<f64, Malformed> {
        self.array().map(f64::from_be_bytes)
    }

    /// A text that may be null.
    pub(super) fn nullable(&mut self) -> Result<Option<String>, Malformed> {
        match self.i16()? {
            -1 => Ok(None),
            length => {
                let bytes = self.raw(usize::try_from(length).map_err(|_| Malformed)?)?;
                std::str::from_utf8(bytes).map(|text| Some(text.to_owned())).map_err(|_| Malformed)
            }
        }
    }

    pub(super) fn text(&mut self) -> Result<String, Malformed> {
        self.nullable()?.ok_or(Malformed)
    }

    /// Bytes; null is none at all.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        match self.i32()? {
            -1 => Ok(&[]),
            length => self.raw(usize::try_from(length).map_err(|_| Malformed)?),
        }
    }

    /// Items; null is none at all. What is counted has to have arrived: no item is shorter than a byte.
    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = match self.i32()? {
            -1 => 0,
            count => usize::try_from(count).map_err(|_| Malformed)?,
        };
        if count > self.0.len() {
            return Err(Malformed);
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}
