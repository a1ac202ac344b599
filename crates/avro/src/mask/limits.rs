//! What bounds the work that one record can cause.

/// Arrays, maps and calls into a recursive type that may be open at once.
pub const DEPTH_MAX: usize = 1_000;

/// Bytes of one string, bytes value or fixed.
pub const ITEM_BYTES_MAX: usize = 16 << 20;

/// Bytes of one view of a record.
pub const OUTPUT_BYTES_MAX: usize = 64 << 20;

/// Items of a record that take no bytes (`null`, a fixed of size 0, a record without fields): only these can be more
/// than the record has bytes.
pub const EMPTY_ITEMS_MAX: u64 = 1 << 20;
