//! What a principal may take of each broker: how much it writes, how much it reads, how long it keeps the broker's threads busy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::serde_as_text;

/// The limits of a principal; none where it may take what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// How much it may write to each broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub produce: Option<ByteRate>,
    /// How much it may read from each broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consume: Option<ByteRate>,
    /// How much of the time of each broker's threads its requests may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<ThreadShare>,
}

/// One of the limits that a quota can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Writing.
    Produce,
    /// Reading.
    Consume,
    /// Threads' time.
    Requests,
}

/// Bytes a second: `10 MB/s`, `512 KiB/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRate(u64);

/// Time of a broker's threads, in hundredths of a percent of one thread: `50 %`, `12.5 %`, `200 %`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadShare(u32);

/// Not a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// Not a rate.
    #[error("{0:?} is not a rate: write a whole number and a unit, such as `10 MB/s` or `512 KiB/s`")]
    Rate(String),
    /// Not a share.
    #[error("{0:?} is not a share of one thread's time: write a percentage, such as `50 %` or `12.5 %`")]
    Share(String),
}

/// Units of a rate, those that people think in first.
const UNITS: [(&str, u64); 9] = [
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("KB", 1_000),
    ("kB", 1_000),
    ("KiB", 1 << 10),
    ("bytes", 1),
    ("B", 1),
];
/// A float counts so far without a gap, and no network is faster.
const RATE_MAX: u64 = 1_000_000_000_000_000;
/// Ten thousand threads.
const SHARE_MAX: u32 = 100_000_000;
/// Longer numbers are above every bound.
const DIGITS_MAX: usize = 15;

impl Limit {
    /// All of them.
    pub const ALL: [Limit; 3] = [Limit::Produce, Limit::Consume, Limit::Requests];

    /// Its key in `domain.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Produce => "produce",
            Limit::Consume => "consume",
            Limit::Requests => "requests",
        }
    }

    /// What Kafka calls it.
    pub fn kafkas_name(self) -> &'static str {
        match self {
            Limit::Produce => "producer_byte_rate",
            Limit::Consume => "consumer_byte_rate",
            Limit::Requests => "request_percentage",
        }
    }

    /// A value of Kafka's as `domain.yaml` would have it; one that it cannot have is told as it is.
    pub fn text(self, value: f64) -> String {
        // a float of this size that has no fraction is a whole number
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        match self {
            Limit::Requests => format!("{value} %"),
            Limit::Produce | Limit::Consume if value.fract() == 0.0 && (1.0..=RATE_MAX as f64).contains(&value) => {
                ByteRate(value as u64).to_string()
            }
            Limit::Produce | Limit::Consume => format!("{value} B/s"),
        }
    }
}

impl Quota {
    /// A limit's value as Kafka has it: bytes a second, or percent.
    pub fn value(&self, limit: Limit) -> Option<f64> {
        // both are below 2^53
        #[allow(clippy::cast_precision_loss)]
        let bytes = |rate: ByteRate| rate.0 as f64;
        match limit {
            Limit::Produce => self.produce.map(bytes),
            Limit::Consume => self.consume.map(bytes),
            Limit::Requests => self.requests.map(|share| f64::from(share.0) / 100.0),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for ByteRate {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        let refused = || QuotaError::Rate(shown(text));
        let amount = text.strip_suffix("/s").ok_or_else(refused)?;
        let digits = amount.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = amount.split_at(digits);
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit.trim_start()).ok_or_else(refused)?;
        let number: u64 = number.parse().ok().filter(|_| digits <= DIGITS_MAX).ok_or_else(refused)?;
        let bytes = number.checked_mul(*size).filter(|bytes| (1..=RATE_MAX).contains(bytes));
        bytes.map(ByteRate).ok_or_else(refused)
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().filter(|(_, size)| self.0.is_multiple_of(*size));
        let shortest = whole.min_by_key(|(name, size)| (self.0 / size, *name == "bytes"));
        let (unit, size) = shortest.unwrap_or(&("B", 1));
        write!(f, "{} {unit}/s", self.0 / size)
    }
}

impl FromStr for ThreadShare {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        let refused = || QuotaError::Share(shown(text));
        let number = text.strip_suffix('%').ok_or_else(refused)?.trim_end();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_plain = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_plain(whole, 7) || !is_plain(fraction, 2) {
            return Err(refused());
        }
        let hundredths = format!("{whole}{fraction:0<2}").parse().ok();
        hundredths.filter(|share| (1..=SHARE_MAX).contains(share)).map(ThreadShare).ok_or_else(refused)
    }
}

impl fmt::Display for ThreadShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 100.0)
    }
}

serde_as_text!(ByteRate);
serde_as_text!(ThreadShare);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_and_shares_are_what_they_say() {
        let quota = |produce: &str, consume: &str, requests: &str| {
            let (produce, consume) = (Some(produce.parse().unwrap()), Some(consume.parse().unwrap()));
            let quota = Quota { produce, consume, requests: Some(requests.parse().unwrap()) };
            Limit::ALL.map(|limit| quota.value(limit).unwrap())
        };
        assert_eq!(quota("10 MB/s", "512 KiB/s", "12.5 %"), [10_000_000.0, 524_288.0, 12.5]);
        assert_eq!(quota("1GB/s", "7 bytes/s", "200%"), [1_000_000_000.0, 7.0, 200.0]);
        assert_eq!(Quota::default().value(Limit::Produce), None);
    }

    #[test]
    fn what_is_none_is_refused() {
        let long = "9".repeat(40);
        for rate in ["", "10", "10 MB", "10 mb/s", "0 B/s", "-1 B/s", "1.5 MB/s", "B/s", "10 MB/h", "1e3 B/s", &long] {
            assert!(rate.parse::<ByteRate>().is_err(), "{rate}");
        }
        assert!(format!("{long} B/s").parse::<ByteRate>().is_err() && "9999999 GB/s".parse::<ByteRate>().is_err());
        for share in ["", "%", "50", "0 %", "0.00 %", "-1 %", "1.234 %", ".5 %", "5. %", "1e1 %", "9999999 %"] {
            assert!(share.parse::<ThreadShare>().is_err(), "{share}");
        }
    }

    #[test]
    fn values_of_the_cluster_are_shown_as_a_domain_writes_them() {
        assert_eq!(Limit::Produce.text(10_485_760.0), "10 MiB/s");
        assert_eq!(Limit::Consume.text(1_500_000.0), "1500 KB/s");
        assert_eq!(Limit::Consume.text(1.0), "1 B/s");
        assert_eq!(Limit::Produce.text(0.5), "0.5 B/s");
        assert_eq!(Limit::Produce.text(9.2e18), "9200000000000000000 B/s");
        assert_eq!(Limit::Requests.text(12.5), "12.5 %");
    }

    proptest! {
        #[test]
        fn each_is_read_as_it_is_shown(bytes in 1..=RATE_MAX, share in 1..=SHARE_MAX) {
            prop_assert_eq!(ByteRate(bytes).to_string().parse(), Ok(ByteRate(bytes)));
            prop_assert_eq!(ThreadShare(share).to_string().parse(), Ok(ThreadShare(share)));
        }

        #[test]
        fn nothing_panics(text in ".{0,40}") {
            let _ = (text.parse::<ByteRate>(), text.parse::<ThreadShare>());
            let _ = (format!("{text}/s").parse::<ByteRate>(), format!("{text}%").parse::<ThreadShare>());
        }
    }
}
