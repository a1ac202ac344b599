//! Avro container files, block by block: the data in them stay the writer's own bytes.

mod writer;

pub(super) use writer::ContainerWriter;

use crate::failure::Failure;
use flate2::read::DeflateDecoder;
use std::io::{self, BufRead, Read};

const MAGIC: [u8; 4] = *b"Obj\x01";
const SYNC_BYTES: usize = 16;

/// The longest block, unpacked, and the longest header.
const BLOCK_BYTES_MAX: u64 = 256 << 20;
const HEADER_BYTES_MAX: u64 = 4 << 20;

/// A container file that is read.
pub(super) struct Container<'a> {
    input: &'a mut dyn BufRead,
    pub(super) schema: String,
    pub(super) is_deflated: bool,
    sync: [u8; SYNC_BYTES],
}

/// Data one after another.
pub(super) struct Block {
    pub(super) records: u64,
    pub(super) bytes: Vec<u8>,
}

impl<'a> Container<'a> {
    /// Reads the header.
    pub(super) fn open(input: &'a mut dyn BufRead) -> Result<Container<'a>, Failure> {
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic).map_err(truncated)?;
        if magic != MAGIC {
            return Err(Failure::usage("the input is no Avro container file")
                .hint("such a file begins with \"Obj\"; for JSON lines give --encoding json"));
        }
        let (mut schema, mut codec) = (None, None);
        loop {
            let count = long(input)?;
            if count == 0 {
                break;
            }
            if count < 0 {
                long(input)?;
            }
            for _ in 0..count.unsigned_abs() {
                let (key, value) = (item(input)?, item(input)?);
                match key.as_slice() {
                    b"avro.schema" => schema = Some(value),
                    b"avro.codec" => codec = Some(value),
                    _ => {}
                }
            }
        }
        let schema = schema.and_then(|schema| String::from_utf8(schema).ok());
        let schema = schema.ok_or_else(|| damaged("its header has no schema"))?;
        let is_deflated = match codec.as_deref() {
            None | Some(b"null") => false,
            Some(b"deflate") => true,
            Some(other) => {
                let other: String = String::from_utf8_lossy(other).chars().take(40).collect();
                return Err(Failure::usage(format!("the container file is packed with {other:?}"))
                    .hint("write it with the codec null or deflate"));
            }
        };
        let mut sync = [0; SYNC_BYTES];
        input.read_exact(&mut sync).map_err(truncated)?;
        Ok(Container { input, schema, is_deflated, sync })
    }

    /// The next block; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Block>, Failure> {
        if self.input.fill_buf().map_err(super::cannot_read)?.is_empty() {
            return Ok(None);
        }
        let records = u64::try_from(long(self.input)?).map_err(|_| damaged("a block counts less than no records"))?;
        let packed = bytes(self.input, BLOCK_BYTES_MAX)?;
        let mut sync = [0; SYNC_BYTES];
        self.input.read_exact(&mut sync).map_err(truncated)?;
        if sync != self.sync {
            return Err(damaged("a block does not end with the file's sync marker"));
        }
        let bytes = if self.is_deflated { inflate(&packed)? } else { packed };
        Ok(Some(Block { records, bytes }))
    }
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut bounded = DeflateDecoder::new(packed).take(BLOCK_BYTES_MAX + 1);
    bounded.read_to_end(&mut bytes).map_err(|_| damaged("a block cannot be unpacked"))?;
    if bytes.len() as u64 > BLOCK_BYTES_MAX {
        return Err(damaged("a block is longer than 256 MiB"));
    }
    Ok(bytes)
}

fn long(input: &mut dyn BufRead) -> Result<i64, Failure> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        input.read_exact(&mut byte).map_err(truncated)?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(((value >> 1) as i64) ^ -((value & 1) as i64));
        }
    }
    Err(damaged("a number has more than ten bytes"))
}

fn item(input: &mut dyn BufRead) -> Result<Vec<u8>, Failure> {
    bytes(input, HEADER_BYTES_MAX)
}

fn bytes(input: &mut dyn BufRead, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    let length = u64::try_from(long(input)?).map_err(|_| damaged("a length is negative"))?;
    if length > bytes_max {
        return Err(damaged("a length is larger than any that is read"));
    }
    let mut bytes = Vec::new();
    let read = Read::take(&mut *input, length).read_to_end(&mut bytes).map_err(super::cannot_read)?;
    if (read as u64) < length {
        return Err(truncated(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(bytes)
}

fn damaged(why: &'static str) -> Failure {
    Failure::findings(format!("the container file is damaged: {why}"))
}

fn truncated(error: io::Error) -> Failure {
    Failure::findings("the container file ends too early").because(error)
}
