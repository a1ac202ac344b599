//! Rounding down: points in time to calendar units, numbers to multiples.
//!
//! Where the rounded value is below what the type can hold, the type's lowest value stands for it: it is the same for
//! every value of that unit, so it says no more than the unit would.

use mesh_contract::Generalisation;

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mask) enum Unit {
    Year,
    Month,
    Day,
    Hour,
}

impl Unit {
    /// The unit of a rule that names one.
    pub(in crate::mask) fn of(to: Generalisation) -> Option<Unit> {
        match to {
            Generalisation::Year => Some(Unit::Year),
            Generalisation::Month => Some(Unit::Month),
            Generalisation::Day => Some(Unit::Day),
            Generalisation::Hour => Some(Unit::Hour),
            Generalisation::Multiple(_) => None,
        }
    }
}

/// The first day of a date's unit, in days since 1970.
pub(in crate::mask) fn floor_date(days: i64, unit: Unit) -> i64 {
    first_day(days, unit).max(i64::from(i32::MIN))
}

/// The beginning of a timestamp's unit, in ticks since 1970.
pub(in crate::mask) fn floor_timestamp(ticks: i64, ticks_per_day: i64, unit: Unit) -> i64 {
    if unit == Unit::Hour {
        let ticks_per_hour = ticks_per_day / 24;
        return ticks.div_euclid(ticks_per_hour).saturating_mul(ticks_per_hour);
    }
    first_day(ticks.div_euclid(ticks_per_day), unit).saturating_mul(ticks_per_day)
}

/// The first day of a day's unit; the day itself where the unit is no longer.
fn first_day(days: i64, unit: Unit) -> i64 {
    match unit {
        Unit::Year => days_of(civil_of(days).0, 1),
        Unit::Month => {
            let (year, month) = civil_of(days);
            days_of(year, month)
        }
        Unit::Day | Unit::Hour => days,
    }
}

/// The greatest multiple that is no greater than the value, but no less than `lowest`.
pub(in crate::mask) fn floor_multiple(value: i64, multiple: u64, lowest: i64) -> i64 {
    let multiple = i128::from(multiple);
    let floored = i128::from(value).div_euclid(multiple) * multiple;
    i64::try_from(floored.max(i128::from(lowest))).unwrap_or(lowest)
}

/// The same for fractions. What is not a number says nothing but that.
pub(in crate::mask) fn floor_fraction(value: f64, multiple: f64) -> f64 {
    if value.is_nan() {
        return f64::NAN;
    }
    if value.is_infinite() {
        return value;
    }
    // Adding zero makes of minus zero, a bit of the input, zero.
    (value / multiple).floor() * multiple + 0.0
}

/// Year and month of a day, after Howard Hinnant's `civil_from_days`; no day that an i64 of ticks can name overflows.
fn civil_of(days: i64) -> (i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// The first day of a month, in days since 1970, after Howard Hinnant's `days_from_civil`.
fn days_of(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLIS_PER_DAY: i64 = 86_400_000;

    #[test]
    fn dates_round_down_to_their_unit() {
        // 2024-02-29, 1969-12-31, 1968-02-29.
        for (days, month, year) in [(19_782, 19_754, 19_723), (-1, -31, -365), (-672, -700, -731)] {
            assert_eq!(floor_date(days, Unit::Month), month);
            assert_eq!(floor_date(days, Unit::Year), year);
            assert_eq!(floor_date(days, Unit::Day), days);
        }
    }

    #[test]
    fn timestamps_before_1970_round_down_as_well() {
        assert_eq!(floor_timestamp(-1, MILLIS_PER_DAY, Unit::Hour), -3_600_000);
        assert_eq!(floor_timestamp(-1, MILLIS_PER_DAY, Unit::Day), -MILLIS_PER_DAY);
        assert_eq!(floor_timestamp(-1, MILLIS_PER_DAY, Unit::Year), -365 * MILLIS_PER_DAY);
        assert_eq!(floor_timestamp(1_709_164_800_123, MILLIS_PER_DAY, Unit::Month), 19_754 * MILLIS_PER_DAY);
    }

    #[test]
    fn multiples_round_down_also_below_zero() {
        assert_eq!(floor_multiple(37, 10, i64::MIN), 30);
        assert_eq!(floor_multiple(-37, 10, i64::MIN), -40);
        assert_eq!(floor_multiple(i64::MIN, 1_000, i64::MIN), i64::MIN);
        assert_eq!(floor_multiple(5, u64::MAX, i64::MIN), 0);
        assert_eq!(floor_multiple(-5, u64::MAX, i64::from(i32::MIN)), i64::from(i32::MIN));
        assert_eq!(floor_fraction(-0.5, 10.0), -10.0);
        assert!(floor_fraction(-0.0, 10.0).is_sign_positive());
        assert_eq!(floor_fraction(f64::from_bits(0x7ff8_0000_dead_beef), 10.0).to_bits(), f64::NAN.to_bits());
    }

    proptest! {
        #[test]
        fn any_tick_rounds_without_overflow_to_no_more_than_itself(ticks: i64, unit in 0..4_usize) {
            let unit = [Unit::Year, Unit::Month, Unit::Day, Unit::Hour][unit];
            for ticks_per_day in [MILLIS_PER_DAY, MILLIS_PER_DAY * 1_000, MILLIS_PER_DAY * 1_000_000] {
                let floored = floor_timestamp(ticks, ticks_per_day, unit);
                prop_assert!(floored <= ticks);
                prop_assert_eq!(floor_timestamp(floored, ticks_per_day, unit), floored);
            }
        }

        #[test]
        fn months_and_days_agree(days in -700_000..700_000_i64) {
            let (year, month) = civil_of(days);
            prop_assert!(days_of(year, month) <= days && days < days_of(year, month) + 31);
            prop_assert!((1..=12).contains(&month));
            prop_assert_eq!(civil_of(days_of(year, month)), (year, month));
        }
    }
}
