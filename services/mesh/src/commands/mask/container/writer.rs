//! A container file that is written: the data in it are the view's own bytes.

use super::{MAGIC, SYNC_BYTES};
use crate::commands::mask::out::OutFile;
use crate::failure::Failure;
use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;
use std::io::Write;
use uuid::Uuid;

/// How long a block gets before the next one begins, in bytes before packing.
const BLOCK_BYTES: usize = 64 << 10;

/// A container file that grows.
pub(in crate::commands::mask) struct ContainerWriter {
    file: OutFile,
    is_deflated: bool,
    sync: [u8; SYNC_BYTES],
    /// The block that is not written yet.
    records: u64,
    block: Vec<u8>,
}

impl ContainerWriter {
    /// Begins a file of records of a schema, packed or not.
    pub(in crate::commands::mask) fn begin(
        mut file: OutFile,
        schema: &Value,
        is_deflated: bool,
    ) -> Result<ContainerWriter, Failure> {
        let sync = Uuid::new_v4().into_bytes();
        let codec: &[u8] = if is_deflated { b"deflate" } else { b"null" };
        let mut header = MAGIC.to_vec();
        long(&mut header, 2);
        for (key, value) in [("avro.schema", schema.to_string().as_bytes()), ("avro.codec", codec)] {
            item(&mut header, key.as_bytes());
            item(&mut header, value);
        }
        long(&mut header, 0);
        header.extend(sync);
        file.write(&header)?;
        Ok(ContainerWriter { file, is_deflated, sync, records: 0, block: Vec::new() })
    }

    /// Appends a datum.
    pub(in crate::commands::mask) fn add(&mut self, datum: &[u8]) -> Result<(), Failure> {
        self.block.extend_from_slice(datum);
        self.records += 1;
        if self.block.len() < BLOCK_BYTES { Ok(()) } else { self.end_block() }
    }

    fn end_block(&mut self) -> Result<(), Failure> {
        let mut block = Vec::new();
        long(&mut block, self.records);
        if self.is_deflated {
            item(&mut block, &deflate(&self.block)?);
        } else {
            item(&mut block, &self.block);
        }
        block.extend(self.sync);
        self.block.clear();
        self.records = 0;
        self.file.write(&block)
    }

    /// Writes what is left and gives the file its name.
    pub(in crate::commands::mask) fn finish(mut self) -> Result<(), Failure> {
        if self.records > 0 {
            self.end_block()?;
        }
        self.file.finish()
    }
}

fn deflate(block: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    let packed = packed.write_all(block).and_then(|()| packed.finish());
    packed.map_err(|error| Failure::internal("cannot pack a block").because(error))
}

/// Appends a count or a length.
fn long(out: &mut Vec<u8>, value: u64) {
    let mut rest = value << 1;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends bytes with their length.
fn item(out: &mut Vec<u8>, bytes: &[u8]) {
    long(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
