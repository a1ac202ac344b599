//! Everything that speaks to Apache Kafka: admin, sources, transactional sinks, control topics, the embedded Kafka.
