//! The instructions of a program.

use super::transform::seal::Sealer;
use super::transform::{BytesMask, FixedMask, IntegerMask, TextHash, TextMask};

/// One instruction. Numbers are indexes into the program's tables, or addresses of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    // Values that are validated and stay as they are.
    Boolean,
    Int,
    /// A union of a string and null, which is the branch of this index.
    OptionalText {
        null: u32,
    },
    /// A union of a long and null, which is the branch of this index.
    OptionalLong {
        null: u32,
    },
    /// So many longs, one after another.
    Longs(u32),
    Bytes,
    /// So many strings, one after another.
    Texts(u32),
    Fixed(u32),
    Enum(u32),
    /// A fixed that is longer than an item may be.
    TooLong,

    // Values that are masked.
    MaskText(u32),
    /// A string is replaced by a hash in hex.
    HashText(u32),
    MaskBytes(u32),
    /// A string is encrypted for its subject.
    SealText(u32),
    SealBytes(u32),
    MaskFixed {
        mask: u32,
        size: u32,
    },
    MaskInt(u32),
    MaskLong(u32),
    MaskFloat(u32),
    MaskDouble(u32),
    /// A string is replaced by a constant.
    ReplaceText(u32),
    /// The value from here to the matching [`Op::Constant`] is replaced.
    Start,
    Constant(u32),
    /// Everything from here to the matching [`Op::CoverEnd`] is replaced in some outputs, whatever happens within.
    CoverBegin(u32),
    CoverEnd(u32),

    // Where to go on.
    Union {
        table: u32,
        branches: u32,
    },
    Jump(u32),
    Blocks(u32),
    /// A whole array or map whose items are so many strings each, none of them masked.
    TextBlocks {
        texts: u32,
    },
    Next,
    Call(u32),
    Return,
    End,

    // What the caller wants to know.
    KeyBegin,
    KeyEnd,
    EventTime(EventTime),
}

/// How an int or long tells the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventTime {
    Days,
    Millis,
    Micros,
    Nanos,
}

impl EventTime {
    /// Milliseconds since 1970, rounded down.
    pub(super) fn millis(self, value: i64) -> i64 {
        match self {
            EventTime::Days => value.saturating_mul(86_400_000),
            EventTime::Millis => value,
            EventTime::Micros => value.div_euclid(1_000),
            EventTime::Nanos => value.div_euclid(1_000_000),
        }
    }
}

/// An array or a map.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    /// Where the items' instructions begin.
    pub(super) body: u32,
    /// Where it goes on after the last block.
    pub(super) end: u32,
    /// Whether an item always takes no bytes; then there are no instructions for it.
    pub(super) is_empty: bool,
    /// Whether an item takes a byte at least.
    pub(super) takes_bytes: bool,
    /// Whether something in the items may change, so that a block's size may.
    pub(super) may_change: bool,
}

/// The outputs in which a value is masked.
pub(super) type Outputs = Box<[u16]>;

/// A mask and where it is written.
#[derive(Debug)]
pub(super) struct Action<M> {
    pub(super) mask: M,
    pub(super) outputs: Outputs,
}

/// The masks that instructions refer to.
#[derive(Default)]
pub(super) struct Actions {
    pub(super) texts: Vec<Action<TextMask>>,
    pub(super) hashes: Vec<Action<TextHash>>,
    pub(super) bytes: Vec<Action<BytesMask>>,
    pub(super) seals: Vec<Action<Box<Sealer>>>,
    pub(super) fixed: Vec<Action<FixedMask>>,
    pub(super) integers: Vec<Action<IntegerMask>>,
    pub(super) fractions: Vec<Action<f64>>,
    pub(super) constants: Vec<Action<Box<[u8]>>>,
}
