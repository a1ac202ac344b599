//! did you mean
