use std::fmt;

use super::Kind;
use super::json::{Json, Object};

/// A meaning above the type that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Logical {
    /// A decimal number with a fixed point, on bytes or fixed.
    Decimal {
        /// How many digits in all.
        precision: u32,
        /// How many of them after the point.
        scale: u32,
    },
    /// A decimal number that carries its own scale, on bytes.
    BigDecimal,
    /// A UUID, on string or a fixed of 16 bytes.
    Uuid,
    /// Days since 1970-01-01, on int.
    Date,
    /// Milliseconds after midnight, on int.
    TimeMillis,
    /// Microseconds after midnight, on long.
    TimeMicros,
    /// Milliseconds since 1970-01-01T00:00Z, on long.
    TimestampMillis,
    /// Microseconds since 1970-01-01T00:00Z, on long.
    TimestampMicros,
    /// Nanoseconds since 1970-01-01T00:00Z, on long.
    TimestampNanos,
    /// Milliseconds since 1970-01-01T00:00 of an unnamed time zone, on long.
    LocalTimestampMillis,
    /// Microseconds since 1970-01-01T00:00 of an unnamed time zone, on long.
    LocalTimestampMicros,
    /// Nanoseconds since 1970-01-01T00:00 of an unnamed time zone, on long.
    LocalTimestampNanos,
    /// Months, days and milliseconds, on a fixed of 12 bytes.
    Duration,
}

impl Logical {
    /// The logical type that a type's attributes declare, if the type can carry it.
    ///
    /// An unknown one, or one that does not fit, is `None`: the specification has readers ignore it.
    pub(super) fn of(kind: &Kind, attributes: &Object<'_>) -> Option<Logical> {
        let word = attributes.get("logicalType")?.as_str()?;
        match (word, kind) {
            ("decimal", Kind::Bytes) => decimal(attributes, None),
            ("decimal", Kind::Fixed { size }) => decimal(attributes, Some(*size)),
            ("big-decimal", Kind::Bytes) => Some(Logical::BigDecimal),
            ("uuid", Kind::String | Kind::Fixed { size: 16 }) => Some(Logical::Uuid),
            ("date", Kind::Int) => Some(Logical::Date),
            ("time-millis", Kind::Int) => Some(Logical::TimeMillis),
            ("time-micros", Kind::Long) => Some(Logical::TimeMicros),
            ("timestamp-millis", Kind::Long) => Some(Logical::TimestampMillis),
            ("timestamp-micros", Kind::Long) => Some(Logical::TimestampMicros),
            ("timestamp-nanos", Kind::Long) => Some(Logical::TimestampNanos),
            ("local-timestamp-millis", Kind::Long) => Some(Logical::LocalTimestampMillis),
            ("local-timestamp-micros", Kind::Long) => Some(Logical::LocalTimestampMicros),
            ("local-timestamp-nanos", Kind::Long) => Some(Logical::LocalTimestampNanos),
            ("duration", Kind::Fixed { size: 12 }) => Some(Logical::Duration),
            _ => None,
        }
    }

    /// The logical type's name in a schema's text.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Logical::Decimal { .. } => "decimal",
            Logical::BigDecimal => "big-decimal",
            Logical::Uuid => "uuid",
            Logical::Date => "date",
            Logical::TimeMillis => "time-millis",
            Logical::TimeMicros => "time-micros",
            Logical::TimestampMillis => "timestamp-millis",
            Logical::TimestampMicros => "timestamp-micros",
            Logical::TimestampNanos => "timestamp-nanos",
            Logical::LocalTimestampMillis => "local-timestamp-millis",
            Logical::LocalTimestampMicros => "local-timestamp-micros",
            Logical::LocalTimestampNanos => "local-timestamp-nanos",
            Logical::Duration => "duration",
        }
    }
}

impl fmt::Display for Logical {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Logical::Decimal { precision, scale } => write!(formatter, "decimal({precision},{scale})"),
            other => formatter.write_str(other.word()),
        }
    }
}

fn decimal(attributes: &Object<'_>, size: Option<usize>) -> Option<Logical> {
    let precision = digits(attributes.get("precision")?)?;
    let scale = attributes.get("scale").map_or(Some(0), digits)?;
    let room = size.is_none_or(|size| u64::from(precision) <= digits_that_fit(size));
    (precision > 0 && scale <= precision && room).then_some(Logical::Decimal { precision, scale })
}

fn digits(value: &Json<'_>) -> Option<u32> {
    value.as_u64().and_then(|digits| u32::try_from(digits).ok())
}

/// The decimal digits that any two's complement number of that many bytes can hold: floor(log10(2^(8n-1) - 1)).
fn digits_that_fit(size: usize) -> u64 {
    let bits = (size as f64) * 8.0 - 1.0;
    if bits < 1.0 { 0 } else { (bits * std::f64::consts::LOG10_2).floor() as u64 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn logical(kind: &Kind, attributes: Value) -> Option<Logical> {
        let Json::Object(object) = Json::of(&attributes) else { panic!("{attributes}") };
        Logical::of(kind, &object)
    }

    #[test]
    fn a_decimal_needs_a_precision_and_a_scale_within_it() {
        let decimal = |precision: Value, scale: Value| {
            logical(&Kind::Bytes, json!({"logicalType": "decimal", "precision": precision, "scale": scale}))
        };
        assert_eq!(decimal(json!(10), json!(2)), Some(Logical::Decimal { precision: 10, scale: 2 }));
        assert_eq!(decimal(json!(2), json!(3)), None);
        assert_eq!(decimal(json!(0), json!(0)), None);
        assert_eq!(decimal(json!("10"), json!(2)), None);
        assert_eq!(decimal(json!(10), json!(-1)), None);
        assert_eq!(logical(&Kind::Bytes, json!({"logicalType": "decimal"})), None);
    }

    #[test]
    fn a_fixed_limits_a_decimals_precision() {
        let decimal =
            |size, precision| logical(&Kind::Fixed { size }, json!({"logicalType": "decimal", "precision": precision}));
        for (size, most) in [(1, 2), (2, 4), (4, 9), (8, 18), (12, 28), (16, 38)] {
            assert!(decimal(size, most).is_some(), "{most} digits in {size} bytes");
            assert!(decimal(size, most + 1).is_none(), "{} digits in {size} bytes", most + 1);
        }
        assert_eq!(decimal(0, 1), None);
    }

    #[test]
    fn a_logical_type_on_the_wrong_type_is_ignored() {
        assert_eq!(logical(&Kind::Long, json!({"logicalType": "date"})), None);
        assert_eq!(logical(&Kind::Int, json!({"logicalType": "date"})), Some(Logical::Date));
        assert_eq!(logical(&Kind::Fixed { size: 11 }, json!({"logicalType": "duration"})), None);
        assert_eq!(logical(&Kind::Fixed { size: 16 }, json!({"logicalType": "uuid"})), Some(Logical::Uuid));
        assert_eq!(logical(&Kind::Int, json!({"logicalType": 7})), None);
        assert_eq!(logical(&Kind::Int, json!({"logicalType": "made-up"})), None);
    }
}
