//! The life of a service: configuration, shutdown, readiness, telemetry, admin HTTP, keys.
