//! The frame of a record on Kafka: read back, it is the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_avro::wire;

fuzz_target!(|input: &[u8]| {
    match wire::parse(input) {
        Ok(framed) => {
            assert_eq!(framed.datum.len() + wire::HEADER_BYTES, input.len());
            assert_eq!(wire::header(framed.schema_id), input[..wire::HEADER_BYTES]);
        }
        Err(error) => assert!(error.code().starts_with("wire-") && !error.to_string().is_empty()),
    }
});
