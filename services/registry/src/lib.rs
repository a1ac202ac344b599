//! A Confluent-compatible schema registry on a compacted Kafka topic; refuses incompatible schemas.
