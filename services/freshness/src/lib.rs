//! Measures freshness SLAs.
