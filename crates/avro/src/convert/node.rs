//! What a conversion is made of: for each pair of types, how the writer's value becomes the reader's.

use std::ops::Range;

/// How a value is converted; other nodes are named by their index.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Number(Promotion),
    /// For each of the writer's symbols the reader's; none where the reader has neither it nor a default.
    Enum(Box<[Option<u32>]>),
    Array(u32),
    Map(u32),
    /// For each of the writer's branches what becomes of it.
    Union(Box<[Branch]>),
    /// A value that is no union, as a branch of the reader's.
    Into(Branch),
    Record(Box<Fields>),
    /// The reader cannot take it.
    Refused,
}

/// A number of a type whose encoding is another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Promotion {
    IntToFloat,
    IntToDouble,
    LongToFloat,
    LongToDouble,
    FloatToDouble,
}

/// A branch's value and the index that it stands behind in the reader's union; none if the reader's type is no union.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    pub(super) to: Option<u32>,
    pub(super) node: u32,
}

/// A record's fields.
#[derive(Debug)]
pub(super) struct Fields {
    /// What is done, in the writer's order.
    pub(super) steps: Box<[Step]>,
    /// The reader's order, where it is another one.
    pub(super) order: Option<Box<[Piece]>>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The reader's own default, in the encoded defaults.
    Default(Range<usize>),
    /// A field of both.
    Keep(u32),
    /// A field that the reader does not have.
    Drop(u32),
}

/// What stands at a place of the reader's.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// The so many-th of the kept fields.
    Kept(usize),
    Default(Range<usize>),
}
