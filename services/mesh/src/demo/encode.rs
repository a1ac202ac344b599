//! Avro in the wire format, by `apache-avro` alone: what a producer does that knows nothing of this project.

use super::event::ChangeEvent;
use apache_avro::Schema;
use apache_avro::writer::datum::GenericDatumWriter;

/// Encodes the events of one product.
pub struct Encoder<'s> {
    schema_id: u32,
    writer: GenericDatumWriter<'s>,
}

impl<'s> Encoder<'s> {
    /// An encoder for `schema`, which the registry knows by `schema_id`.
    ///
    /// # Errors
    /// The schema refers to types that it does not define.
    pub fn new(schema: &'s Schema, schema_id: u32) -> Result<Self, apache_avro::Error> {
        let writer = GenericDatumWriter::builder(schema).human_readable(false).build()?;
        Ok(Self { schema_id, writer })
    }

    /// The schema's id.
    pub fn schema_id(&self) -> u32 {
        self.schema_id
    }

    /// The event as Avro binary, without a frame.
    ///
    /// # Errors
    /// The event is not of the schema.
    pub fn datum(&self, event: &impl ChangeEvent) -> Result<Vec<u8>, apache_avro::Error> {
        self.writer.write_ser_to_vec(event)
    }

    /// The event as a record's value: `00`, the schema id, Avro binary.
    ///
    /// # Errors
    /// The event is not of the schema.
    pub fn value(&self, event: &impl ChangeEvent) -> Result<Vec<u8>, apache_avro::Error> {
        let mut value = frame(self.schema_id, &[]);
        self.writer.write_ser(&mut value, event)?;
        Ok(value)
    }
}

/// The wire format around a datum.
pub fn frame(schema_id: u32, datum: &[u8]) -> Vec<u8> {
    [[0].as_slice(), &schema_id.to_be_bytes(), datum].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::demo::canary::Aviary;
    use crate::demo::event::{Cents, Order};
    use apache_avro::reader::datum::GenericDatumReader;
    use apache_avro::types::Value;
    use std::path::Path;

    fn schema(file: &str) -> Schema {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Schema::parse_str(&std::fs::read_to_string(root.join("schemas").join(file)).unwrap()).unwrap()
    }

    fn decoded(schema: &Schema, datum: &[u8]) -> Vec<(String, Value)> {
        let mut rest = datum;
        let reader = GenericDatumReader::builder(schema).build().unwrap();
        let value = reader.read_value(&mut rest).unwrap();
        assert!(rest.is_empty());
        match value {
            Value::Record(fields) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn customers_and_page_views_fit_their_schemas() {
        let mut aviary = Aviary::new(uuid::Uuid::nil());
        let (customer, view) = (aviary.customers(1).remove(0), aviary.page_views(1).remove(0));
        let (customers, views) = (schema("crm/customer.avsc"), schema("web/page_view.avsc"));
        let datum = Encoder::new(&customers, 1).unwrap().datum(&customer).unwrap();
        assert_eq!(decoded(&customers, &datum).len(), 11);
        let datum = Encoder::new(&views, 1).unwrap().datum(&view).unwrap();
        assert_eq!(decoded(&views, &datum).len(), 7);
    }

    #[test]
    fn money_is_a_decimal() {
        let orders = schema("crm/order.avsc");
        let order = Order {
            order_id: "O1".into(),
            customer_id: "C1".into(),
            ordered_at: 1,
            quantity: 2,
            amount: Cents(1_177),
            updated_at: 1,
        };
        let datum = Encoder::new(&orders, 1).unwrap().datum(&order).unwrap();
        let amount = decoded(&orders, &datum).remove(4);
        assert_eq!(amount, ("amount".to_owned(), Value::Decimal(apache_avro::Decimal::from([0x04, 0x99]))));
    }

    #[test]
    fn a_value_is_framed() {
        assert_eq!(frame(258, b"x"), [0, 0, 0, 1, 2, b'x']);
    }
}
