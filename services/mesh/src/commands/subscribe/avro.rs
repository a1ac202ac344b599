//! Events as an Avro object container file.

use crate::commands::product::registry_failure;
use crate::failure::Failure;
use crate::output::Reader;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::{Schema, Writer};
use mesh_client::{Event, RegistryClient, SubscribeError};
use mesh_contract::value_subject;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Write as _};

/// How many bytes are gathered before they are written.
const BLOCK_BYTES: usize = 256 * 1024;

/// A file that is being written to standard output, in the newest schema of the topic.
pub(super) struct Container {
    schema: &'static Schema,
    /// The schemas that events were written with, by id; none is one that the library cannot use.
    written: HashMap<u32, Option<Schema>>,
    writer: Writer<'static, Vec<u8>>,
}

impl Container {
    /// Begins a file with the newest schema of a topic.
    pub(super) async fn open(registry: &RegistryClient, topic: &str) -> Result<Self, Failure> {
        let latest = registry.latest(&value_subject(topic)).await.map_err(registry_failure)?;
        let unusable = |error| Failure::internal("cannot begin an Avro file with the view's schema").because(error);
        let schema = parse(&latest.schema.text, &latest.schema.references).map_err(unusable)?;
        // one for the whole run of the command, as the writer wants it
        let schema: &'static Schema = Box::leak(Box::new(schema));
        let writer = Writer::new(schema, Vec::new()).map_err(unusable)?;
        Ok(Self { schema, written: HashMap::new(), writer })
    }

    /// Adds an event; a tombstone has no place in such a file.
    pub(super) fn add(&mut self, event: &Event) -> Result<Reader, SubscribeError> {
        let Some(value) = self.value(event)? else { return Ok(Reader::There) };
        let added =
            self.writer.append_value(value).map_err(|_| event.undecodable("it does not fit the view's newest schema"));
        added.map(|_| Reader::There)
    }

    fn value(&mut self, event: &Event) -> Result<Option<Value>, SubscribeError> {
        let (Some(mut datum), Some(schema)) = (event.datum()?, event.schema()) else { return Ok(None) };
        let written = self.written.entry(schema.id).or_insert_with(|| parse(&schema.text, &schema.references).ok());
        let unusable = || event.undecodable("the Avro library cannot use the schema it was written with");
        let written = written.as_ref().ok_or_else(unusable)?;
        let reader = GenericDatumReader::builder(written).reader_schema(self.schema).build().map_err(|_| unusable())?;
        // the library's errors quote values
        let value = reader.read_value(&mut datum);
        value.map(Some).map_err(|_| event.undecodable("it does not resolve to the view's newest schema"))
    }

    /// Writes what has been gathered, if it is much, or `all` of it.
    pub(super) fn write(&mut self, all: bool) -> Result<Reader, Failure> {
        let broken = |error| Failure::internal("cannot write an Avro file").because(error);
        if all {
            self.writer.flush().map_err(broken)?;
        }
        if !all && self.writer.get_ref().len() < BLOCK_BYTES {
            return Ok(Reader::There);
        }
        let bytes = std::mem::take(self.writer.get_mut());
        let mut out = io::stdout().lock();
        match out.write_all(&bytes).and_then(|()| out.flush()) {
            Ok(()) => Ok(Reader::There),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(error) => Err(Failure::internal("cannot write to standard output").because(error)),
        }
    }
}

/// The library's own form of a schema with all that it refers to.
fn parse(text: &str, references: &[String]) -> Result<Schema, apache_avro::Error> {
    let (schema, _) = Schema::parse_str_with_list(text, references)?;
    Ok(schema)
}
