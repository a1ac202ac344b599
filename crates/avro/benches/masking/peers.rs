//! What users write today: a library's decoding, a change, its encoding.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use serde_avro_fast::ser::SerializerConfig;

use super::rules::{ByHand, IBAN_DIGITS, REDACTED, first_day_of_year, hex, keep_last};
use super::workload::{Customer, SCHEMA};

/// apache-avro: to generic values and back.
pub(crate) struct Apache<'s> {
    reader: GenericDatumReader<'s>,
    writer: GenericDatumWriter<'s>,
    masks: ByHand,
}

impl<'s> Apache<'s> {
    pub(crate) fn schema() -> Schema {
        Schema::parse_str(SCHEMA).expect("the schema is valid")
    }

    pub(crate) fn new(schema: &'s Schema) -> Apache<'s> {
        Apache {
            reader: GenericDatumReader::builder(schema).build().expect("the schema is valid"),
            writer: GenericDatumWriter::builder(schema).build().expect("the schema is valid"),
            masks: ByHand::new(),
        }
    }

    pub(crate) fn run(&self, datum: &[u8], out: &mut Vec<u8>) {
        let mut value = self.reader.read_value(&mut &*datum).expect("the datum is valid");
        self.mask(&mut value);
        out.clear();
        self.writer.write_value_ref(out, &value).expect("the masked value fits the schema");
    }

    fn mask(&self, value: &mut Value) {
        let Value::Record(fields) = value else { return };
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("full_name" | "street", Value::String(text)) => *text = REDACTED.to_owned(),
                ("email", Value::String(text)) => *text = hex(&self.masks.email(text.as_bytes())),
                ("phone", Value::String(text)) => *text = keep_last(text),
                ("iban", Value::String(text)) => {
                    *text = hex(&self.masks.iban(text.as_bytes())[..IBAN_DIGITS / 2]);
                }
                ("birth_date", Value::Date(day)) => *day = first_day_of_year(*day),
                ("address", address) => self.mask(address),
                _ => {}
            }
        }
    }
}

/// serde_avro_fast: to a struct that borrows from the datum, and back.
pub(crate) struct Fast {
    schema: serde_avro_fast::Schema,
    masks: ByHand,
}

impl Fast {
    /// It reads decimals only as numbers, and the rules never touch `balance`: it gets the schema without that logical
    /// type.
    pub(crate) fn new() -> Fast {
        let text = SCHEMA.replace(r#","logicalType":"decimal","precision":12,"scale":2"#, "");
        Fast { schema: text.parse().expect("the schema is valid"), masks: ByHand::new() }
    }

    pub(crate) fn config(&self) -> SerializerConfig<'_> {
        SerializerConfig::new(&self.schema)
    }

    pub(crate) fn run(&self, config: &mut SerializerConfig<'_>, datum: &[u8], out: &mut Vec<u8>) {
        let mut record: Customer<'_> =
            serde_avro_fast::from_datum_slice(datum, &self.schema).expect("the datum is valid");
        self.masks.mask(&mut record);
        out.clear();
        *out = serde_avro_fast::to_datum(&record, std::mem::take(out), config).expect("the record fits the schema");
    }
}
