//! Collects and serves OpenLineage events.
