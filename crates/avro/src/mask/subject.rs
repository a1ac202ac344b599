//! Whom a record is about: found before the record is walked, so that a value can be sealed wherever it stands.

use std::fmt::Write;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::compile::Code;
use super::run::{Input, Machine};
use super::transform::hash::{HashKey, UUID_BYTES, uuid_text};
use super::transform::seal::{Subject, SubjectCipher};
use super::{MaskError, MaskErrorKind};
use crate::keys::{SECRET_BYTES, SubjectKeys, SubjectPath, path_of};
use crate::schema::{Kind, Logical, Node};

/// How a subject is written in its canonical form: alike, whatever the writer's type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubjectForm {
    /// As it is.
    Text,
    /// In lower case.
    UuidText,
    /// In decimal.
    Number,
    /// In lower-case hex.
    Hex,
    /// As the text of a UUID.
    Uuid,
}

impl SubjectForm {
    /// The form of the contract's column; none if it cannot name a subject.
    pub(super) fn of(node: &Node) -> Option<SubjectForm> {
        match (&node.kind, node.logical) {
            (Kind::String, Some(Logical::Uuid)) => Some(SubjectForm::UuidText),
            (Kind::String, None) => Some(SubjectForm::Text),
            (Kind::Int | Kind::Long, None) => Some(SubjectForm::Number),
            (Kind::Fixed { size }, Some(Logical::Uuid)) if *size == UUID_BYTES => Some(SubjectForm::Uuid),
            (Kind::Bytes | Kind::Fixed { .. }, None) => Some(SubjectForm::Hex),
            _ => None,
        }
    }

    /// Whether the values of a writer's column can be brought into this form.
    pub(super) fn takes(self, written: &Kind) -> bool {
        match self {
            SubjectForm::Text | SubjectForm::UuidText => matches!(written, Kind::String | Kind::Bytes),
            SubjectForm::Number => matches!(written, Kind::Int | Kind::Long),
            SubjectForm::Hex => matches!(written, Kind::String | Kind::Bytes | Kind::Fixed { .. }),
            SubjectForm::Uuid => matches!(written, Kind::Fixed { size } if *size == UUID_BYTES),
        }
    }

    /// The canonical form of what a person writes; none where it is no value of the column.
    pub(super) fn canonical(self, text: &str) -> Option<String> {
        match self {
            SubjectForm::Text => Some(text.to_owned()),
            SubjectForm::UuidText | SubjectForm::Uuid => {
                let lower = text.to_ascii_lowercase();
                let is_uuid = lower.len() == 36
                    && lower.bytes().enumerate().all(|(at, byte)| match at {
                        8 | 13 | 18 | 23 => byte == b'-',
                        _ => byte.is_ascii_hexdigit(),
                    });
                (is_uuid || self == SubjectForm::UuidText).then_some(lower)
            }
            SubjectForm::Number => text.parse::<i64>().ok().map(|number| number.to_string()),
            SubjectForm::Hex => {
                let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_hex.then(|| text.to_ascii_lowercase())
            }
        }
    }

    /// What a person writes such a subject as, in messages.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            SubjectForm::Text => "text",
            SubjectForm::UuidText | SubjectForm::Uuid => "a UUID",
            SubjectForm::Number => "a whole number",
            SubjectForm::Hex => "bytes in hex",
        }
    }

    /// Puts the canonical form of a value, in its Avro encoding, into `out`.
    fn write(self, value: &[u8], written: Written, out: &mut Vec<u8>) -> Result<(), MaskError> {
        out.clear();
        let mut input = Input::new(value);
        let content = match written {
            Written::Number => {
                let number = input.long()?;
                return write!(ByteText(out), "{number}").map_err(|_| MaskErrorKind::NoSubject.at(0));
            }
            Written::Item => input.item()?,
            Written::Fixed => value,
        };
        match self {
            SubjectForm::Text | SubjectForm::Number => out.extend_from_slice(content),
            SubjectForm::UuidText => out.extend(content.iter().map(u8::to_ascii_lowercase)),
            SubjectForm::Hex => content.iter().for_each(|byte| out.extend_from_slice(&hex(*byte))),
            SubjectForm::Uuid => match content.first_chunk::<UUID_BYTES>() {
                Some(uuid) => out.extend_from_slice(&uuid_text(*uuid)),
                None => return Err(MaskErrorKind::NoSubject.at(0)),
            },
        }
        Ok(())
    }
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0x0f)]]
}

/// Takes formatted text as bytes.
struct ByteText<'a>(&'a mut Vec<u8>);

impl Write for ByteText<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// How a writer's subject is encoded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    Number,
    /// With its length.
    Item,
    Fixed,
}

impl Written {
    pub(super) fn of(kind: &Kind) -> Written {
        match kind {
            Kind::Int | Kind::Long => Written::Number,
            Kind::Fixed { .. } => Written::Fixed,
            _ => Written::Item,
        }
    }
}

/// How to find the subject in a writer's records: instructions that end behind it, and how it is encoded.
pub(super) struct Locator {
    pub(super) code: Code,
    pub(super) written: Written,
}

/// Finds the key of each record's subject.
pub(super) struct SubjectPlan {
    /// None where the writer has no such column: all its records are nobody's.
    locator: Option<Locator>,
    form: SubjectForm,
    is_required: bool,
    product: [u8; 16],
    keys: Arc<SubjectKeys>,
    version: u32,
    paths: HashKey,
    /// What is written for who was forgotten follows from this, which nobody keeps.
    discards: HashKey,
}

impl SubjectPlan {
    /// `is_required` says that a record without a subject is refused. None where the system gives no randomness.
    pub(super) fn new(
        locator: Option<Locator>,
        form: SubjectForm,
        is_required: bool,
        product: [u8; 16],
        keys: Arc<SubjectKeys>,
    ) -> Option<SubjectPlan> {
        let mut random = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(random.as_mut_slice()).ok()?;
        Some(SubjectPlan {
            locator,
            form,
            is_required,
            product,
            version: keys.newest_version(),
            paths: HashKey::of_bytes(keys.path_key()),
            discards: HashKey::of_bytes(random.as_slice()),
            keys,
        })
    }

    /// Has the machine know the subject of the datum that `bytes` begin with.
    pub(super) fn identify(&self, machine: &mut Machine, bytes: &[u8]) -> Result<(), MaskError> {
        machine.rewind();
        let subject = match &self.locator {
            Some(locator) => self.located(locator, machine, bytes)?,
            None => Subject::Nobody,
        };
        **machine.subject.get_or_insert_default() = subject;
        Ok(())
    }

    fn located(&self, locator: &Locator, machine: &mut Machine, bytes: &[u8]) -> Result<Subject, MaskError> {
        machine.walk(&locator.code, bytes)?;
        let Some(value) = machine.key.take() else {
            return if self.is_required { Err(MaskErrorKind::NoSubject.at(0)) } else { Ok(Subject::Nobody) };
        };
        let start = value.start;
        self.form.write(&bytes[value], locator.written, &mut machine.work).map_err(|error| error.kind.at(start))?;
        Ok(self.subject(path_of(&self.paths.hash_behind(&self.product, &machine.work))))
    }

    fn subject(&self, path: SubjectPath) -> Subject {
        match self.keys.secrets(self.version, path) {
            Some(secrets) => Subject::Known(SubjectCipher::new(&secrets, path)),
            None => Subject::Forgotten(HashKey::of_bytes(&self.discards.hash(&path.0.to_be_bytes()))),
        }
    }
}
