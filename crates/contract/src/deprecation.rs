//! The end of a product's major version, announced.

use std::fmt;

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::product::ProductRef;

/// A major version that is to be retired: from when on nobody should come to rely on it, until when it is there, and what to read
/// instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// The last day (UTC) that it is there on.
    pub until: Date,
    /// Why, and what its subscribers should know.
    pub reason: String,
    /// What to read instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<ProductRef>,
    /// The day that it was announced on; not after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
}

impl Deprecation {
    /// When its last day is over, in milliseconds since the epoch.
    pub fn ends_ms(&self) -> i64 {
        let day_after = self.until.saturating_add(Span::new().days(1));
        // only years that no calendar has are beyond
        day_after.to_zoned(TimeZone::UTC).map_or(i64::MAX, |at| at.timestamp().as_millisecond())
    }

    /// Whether its last day has passed.
    pub fn is_over(&self, today: Date) -> bool {
        self.until < today
    }
}

impl fmt::Display for Deprecation {
    /// `deprecated, there until 2027-06-30; read crm.customers@2 instead: names are split`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deprecated, there until {}", self.until)?;
        if let Some(successor) = &self.successor {
            write!(f, "; read {successor} instead")?;
        }
        write!(f, ": {}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_there_through_its_last_day() {
        let json = r#"{"until":"2027-06-30","reason":"names are split","successor":"crm.customers@2"}"#;
        let deprecation: Deprecation = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&deprecation).unwrap(), json);
        assert!(!deprecation.is_over("2027-06-30".parse().unwrap()));
        assert!(deprecation.is_over("2027-07-01".parse().unwrap()));
        assert_eq!(deprecation.ends_ms(), 1_814_400_000_000, "2027-07-01T00:00:00Z");
        insta::assert_snapshot!(deprecation, @"deprecated, there until 2027-06-30; read crm.customers@2 instead: names are split");
    }
}
