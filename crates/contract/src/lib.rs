//! The product contract: parse, validate, derive topics and subjects. No I/O.
