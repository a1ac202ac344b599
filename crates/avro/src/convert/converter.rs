//! The memory of a conversion, kept from record to record.

use crate::wire::HEADER_BYTES;

/// The memory that [`Conversion::run`](super::Conversion::run) works in, and its output. Reuse it: once warm, no record
/// allocates.
#[derive(Debug, Default)]
pub struct Converter {
    /// Room for the wire format's header, then what is written so far.
    pub(super) out: Vec<u8>,
    pub(super) spare: Vec<u8>,
    /// Where kept fields end, of records whose fields change their order.
    pub(super) ends: Vec<usize>,
    pub(super) frames: Vec<Frame>,
    /// The input up to here is in `out`, or was replaced.
    pub(super) copied: usize,
    /// Whether anything was replaced; else the input is the output.
    pub(super) is_changed: bool,
    /// Whether the last run succeeded.
    pub(super) is_whole: bool,
    /// Items that took no bytes.
    pub(super) empty_items: u64,
    /// Bytes that changed their order.
    pub(super) moved: usize,
}

/// What is open.
#[derive(Debug)]
pub(super) enum Frame {
    Record {
        node: u32,
        /// The step that is next.
        next: usize,
        /// Where the output of the record begins, and its `ends`.
        start: usize,
        ends: usize,
        /// Where the output of a field begins that is to be left out.
        dropping: Option<usize>,
    },
    Blocks {
        item: u32,
        is_map: bool,
        /// How many items of the block are left.
        left: u64,
        /// Where the block ends, if it says so.
        end: Option<usize>,
        /// Where the item at hand begins.
        item_at: Option<usize>,
    },
}

impl Converter {
    /// An empty one.
    #[must_use]
    pub fn new() -> Converter {
        Converter::default()
    }

    pub(super) fn reset(&mut self) {
        self.out.clear();
        self.out.extend_from_slice(&[0; HEADER_BYTES]);
        self.ends.clear();
        self.frames.clear();
        (self.copied, self.empty_items, self.moved) = (0, 0, 0);
        (self.is_changed, self.is_whole) = (false, false);
    }

    /// The reader's bytes of the datum that was run last; `datum` itself where nothing in it changed. Empty if that run failed:
    /// there is never a partial output.
    #[must_use]
    pub fn output<'a>(&'a self, datum: &'a [u8]) -> &'a [u8] {
        match (self.is_whole, self.is_changed) {
            (false, _) => &[],
            (true, false) => datum,
            (true, true) => &self.out[HEADER_BYTES..],
        }
    }

    /// The same with the wire format's header before it, as one slice; `value` is the record that the datum was taken from, its
    /// own header included.
    pub fn framed<'a>(&'a mut self, header: [u8; HEADER_BYTES], value: &'a [u8]) -> &'a [u8] {
        if !self.is_whole {
            return &[];
        }
        if !self.is_changed {
            if value.starts_with(&header) {
                return value;
            }
            self.out.truncate(HEADER_BYTES);
            self.out.extend_from_slice(value.get(HEADER_BYTES..).unwrap_or_default());
        }
        self.out[..HEADER_BYTES].copy_from_slice(&header);
        &self.out
    }
}
