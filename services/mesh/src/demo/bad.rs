//! Records that are bad on purpose, each with a canary of its own in it. None may get past the sidecar.

use super::canary::{Aviary, Perch};
use super::encode::{Encoder, frame};
use super::event::ChangeEvent;

/// A bad record.
pub struct BadRecord {
    /// What is wrong with it, as the report tells it.
    pub sent: &'static str,
    pub key: String,
    pub value: Vec<u8>,
}

/// A schema id that no registry has given out.
const UNKNOWN_SCHEMA_ID: u32 = 2_000_000_000;

/// What to spoil, and with what.
pub struct Spoiler<'a, E> {
    pub aviary: &'a mut Aviary,
    pub encoder: &'a Encoder<'a>,
    /// The id of another product's schema.
    pub foreign_schema_id: u32,
    /// Makes a good event with a word in it.
    pub event: fn(&str) -> E,
}

impl<E: ChangeEvent> Spoiler<'_, E> {
    /// One bad record of each kind.
    ///
    /// # Errors
    /// An event is not of the schema.
    pub fn records(&mut self) -> Result<Vec<BadRecord>, apache_avro::Error> {
        let schema_id = self.encoder.schema_id();
        let mut records = vec![
            self.spoil("JSON instead of Avro", |word, _| format!(r#"{{"email":"{word}@example.org"}}"#).into_bytes())?,
            self.spoil("cut off before its end", |_, datum| frame(schema_id, &datum[..datum.len() - 3]))?,
            self.spoil("three bytes too many", |_, datum| frame(schema_id, &[datum, b"!!!"].concat()))?,
            self.spoil("a schema id nobody gave out", |_, datum| frame(UNKNOWN_SCHEMA_ID, datum))?,
        ];
        let foreign_schema_id = self.foreign_schema_id;
        records.push(self.spoil("another product's schema", |_, datum| frame(foreign_schema_id, datum))?);
        records.push(self.wrong_key(schema_id)?);
        Ok(records)
    }

    fn spoil(
        &mut self,
        sent: &'static str,
        value: impl FnOnce(&str, &[u8]) -> Vec<u8>,
    ) -> Result<BadRecord, apache_avro::Error> {
        let word = self.aviary.word(Perch::Refused { product: E::PRODUCT });
        let event = (self.event)(&word);
        let datum = self.encoder.datum(&event)?;
        Ok(BadRecord { sent, key: event.key().to_owned(), value: value(&word, &datum) })
    }

    fn wrong_key(&mut self, schema_id: u32) -> Result<BadRecord, apache_avro::Error> {
        let key = self.aviary.word(Perch::Refused { product: E::PRODUCT });
        let record = self.spoil("a key of another record", |_, datum| frame(schema_id, datum))?;
        Ok(BadRecord { key, ..record })
    }
}
