//! Can every datum of a writer be read by a reader, and does it still mean the same.
