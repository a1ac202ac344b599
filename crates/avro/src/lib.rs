//! Avro wire format, compatibility rules and masking programs on Avro binary. No I/O.
