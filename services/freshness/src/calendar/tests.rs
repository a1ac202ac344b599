#![allow(clippy::unwrap_used)]

use jiff::Timestamp;

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn calendar(hours: &str) -> Calendar {
    Calendar::of(Some(&hours.parse().unwrap()))
}

fn promised(hours: &str, from: &str, to: &str) -> i64 {
    calendar(hours).promised_ms(ms(from), ms(to))
}

#[test]
fn a_weekend_does_not_count() {
    let office = "Mon-Fri 08:00-18:00 UTC";
    assert_eq!(promised(office, "2026-01-02T17:50:00Z", "2026-01-05T08:05:00Z"), 15 * MINUTE);
    assert_eq!(promised(office, "2026-01-03T00:00:00Z", "2026-01-04T23:59:00Z"), 0);
    assert_eq!(promised(office, "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"), 50 * HOUR);
}

#[test]
fn hours_follow_their_zone_through_the_change_of_clocks() {
    let berlin = "Mon-Sun 08:00-18:00 Europe/Berlin";
    assert_eq!(promised(berlin, "2026-03-28T06:00:00Z", "2026-03-28T07:30:00Z"), 30 * MINUTE, "winter: 07:00 UTC");
    assert_eq!(promised(berlin, "2026-03-29T05:00:00Z", "2026-03-29T06:30:00Z"), 30 * MINUTE, "summer: 06:00 UTC");
    let nights = "Mon-Sun 00:00-24:00 Europe/Berlin";
    assert_eq!(promised(nights, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), 23 * HOUR, "the short day");
    assert_eq!(promised(nights, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), 25 * HOUR, "the long day");
}

#[test]
fn a_time_that_the_clocks_skip_or_show_twice_is_one_time() {
    let skipped = "Sun 02:30-04:00 Europe/Berlin";
    assert_eq!(promised(skipped, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"), 30 * MINUTE, "03:30 to 04:00");
    let twice = "Sun 02:30-04:00 Europe/Berlin";
    assert_eq!(promised(twice, "2026-10-25T00:00:00Z", "2026-10-25T12:00:00Z"), 150 * MINUTE, "from the first 02:30");
    let none = "Sun 02:00-02:30 Europe/Berlin";
    assert_eq!(promised(none, "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"), 30 * MINUTE, "03:00 to 03:30");
}

#[test]
fn zones_with_odd_offsets_are_as_they_are() {
    let kathmandu = "Mon-Sun 09:00-10:00 Asia/Kathmandu";
    assert_eq!(promised(kathmandu, "2026-01-05T03:15:00Z", "2026-01-05T04:15:00Z"), HOUR, "UTC+05:45");
    let lord_howe = "Mon-Sun 00:00-24:00 Australia/Lord_Howe";
    let day = promised(lord_howe, "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z");
    assert_eq!(day, 23 * HOUR + 30 * MINUTE, "its clocks change by half an hour");
}

#[test]
fn hours_may_span_midnight() {
    let night = "Mon-Fri 22:00-06:00 Europe/Berlin";
    assert_eq!(promised(night, "2026-01-05T21:00:00Z", "2026-01-06T05:00:00Z"), 8 * HOUR);
    assert_eq!(
        promised(night, "2026-01-10T00:00:00Z", "2026-01-10T12:00:00Z"),
        5 * HOUR,
        "Friday's night, on Saturday"
    );
    assert_eq!(promised(night, "2026-01-11T12:00:00Z", "2026-01-12T12:00:00Z"), 0, "Sunday is not among the days");
    assert_eq!(promised("Sat 22:00-06:00 Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 7 * HOUR);
    assert_eq!(promised("Sat 22:00-06:00 Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 9 * HOUR);
}

#[test]
fn holidays_do_not_count() {
    let office = |at: &str, except: &[&str]| {
        let except = except.iter().map(|day| day.parse().unwrap()).collect();
        Calendar::of(Some(&OfficeHours { at: at.parse().unwrap(), except }))
    };
    let berlin = office("Mon-Fri 08:00-18:00 Europe/Berlin", &["12-25", "2027-01-01"]);
    let promised = |from: &str, to: &str| berlin.promised_ms(ms(from), ms(to));
    assert_eq!(
        promised("2026-12-24T16:00:00Z", "2026-12-28T08:00:00Z"),
        2 * HOUR,
        "Christmas is on Friday, then a weekend"
    );
    assert_eq!(promised("2029-12-24T17:00:00Z", "2029-12-26T08:00:00Z"), HOUR, "each year");
    assert_eq!(promised("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"), 0);
    assert_eq!(promised("2027-01-04T00:00:00Z", "2027-01-05T00:00:00Z"), 10 * HOUR);
    let nights = office("Mon-Fri 22:00-06:00 Europe/Berlin", &["2026-12-25"]);
    let promised = |from: &str, to: &str| nights.promised_ms(ms(from), ms(to));
    assert_eq!(promised("2026-12-24T12:00:00Z", "2026-12-25T12:00:00Z"), 8 * HOUR, "Thursday's night goes on");
    assert_eq!(promised("2026-12-25T12:00:00Z", "2026-12-26T12:00:00Z"), 0, "Friday's does not begin");
    assert_eq!(berlin.deadline_ms(ms("2026-12-24T16:30:00Z"), HOUR), ms("2026-12-28T07:30:00Z"));
}

#[test]
fn what_cannot_be_told_counts_whole() {
    let office = calendar("Mon-Fri 08:00-18:00 UTC");
    assert_eq!(office.promised_ms(ms("2026-01-02T00:00:00Z"), i64::MAX), i64::MAX - ms("2026-01-02T00:00:00Z"));
    let hours: Hours = "Mon-Fri 08:00-18:00 UTC".parse().unwrap();
    assert_eq!(Calendar::of(Some(&Hours { zone: "Nowhere/Land".to_owned(), ..hours }.into())).promised_ms(5, 9), 4);
}

#[test]
fn ages_are_bounded_and_never_negative() {
    let office = calendar("Mon-Fri 08:00-18:00 UTC");
    assert_eq!(office.promised_ms(ms("2026-01-06T10:00:00Z"), ms("2026-01-05T10:00:00Z")), 0);
    assert!(office.promised_ms(i64::MIN, ms("2026-01-05T10:00:00Z")) > 5_000 * HOUR);
}

#[test]
fn maintenance_is_cut_out_of_the_hours() {
    let office = calendar("Mon-Fri 08:00-18:00 UTC");
    let monday = Span::new(ms("2026-01-05T00:00:00Z"), ms("2026-01-06T00:00:00Z"));
    let maintenance = Span::new(ms("2026-01-05T06:00:00Z"), ms("2026-01-05T09:00:00Z"));
    let calendar = office.without(maintenance).without_weekly(&"Mon 17:00-19:00 UTC".parse().unwrap());
    assert_eq!(calendar.promised_ms(monday.from_ms, monday.to_ms), 8 * HOUR);
    let maintained: i64 = calendar.maintained(monday).into_iter().map(Span::length_ms).sum();
    assert_eq!(maintained, 2 * HOUR, "what lies outside the hours takes nothing");
    assert!(calendar.is_maintained(ms("2026-01-05T06:00:00Z")) && calendar.is_maintained(ms("2026-01-05T18:30:00Z")));
    assert!(!calendar.is_maintained(ms("2026-01-05T09:00:00Z")) && calendar.is_promised(ms("2026-01-05T09:00:00Z")));
}

#[test]
fn deadlines_pass_over_what_does_not_count() {
    let office = calendar("Mon-Fri 08:00-18:00 UTC");
    let friday = ms("2026-01-02T17:30:00Z");
    assert_eq!(office.deadline_ms(friday, HOUR), ms("2026-01-05T08:30:00Z"));
    let away = office.away(&[Span::new(ms("2026-01-05T08:00:00Z"), ms("2026-01-05T09:00:00Z"))]);
    assert_eq!(away.deadline_ms(friday, HOUR), ms("2026-01-05T09:30:00Z"));
    assert_eq!(
        away.deadline_ms(friday, 20 * HOUR),
        ms("2026-01-07T08:30:00Z"),
        "half an hour, 9 h, 10 h, half an hour"
    );
    let never = Calendar::default().without(Span::new(0, i64::MAX));
    assert_eq!(never.deadline_ms(5, 1), i64::MAX);
    assert_eq!(Calendar::default().deadline_ms(5, i64::MAX), i64::MAX);
}

#[test]
fn a_deadline_is_where_the_promised_time_is_spent() {
    let calendar = calendar("Mon,Wed-Fri 22:00-06:30 Asia/Kathmandu").without(Span::new(1_000 * HOUR, 1_010 * HOUR));
    for (from_ms, length_ms) in [(0, 1), (17 * HOUR, HOUR), (990 * HOUR, 7 * HOUR), (123 * HOUR + 7, 100 * HOUR)] {
        let deadline_ms = calendar.deadline_ms(from_ms, length_ms);
        assert_eq!(calendar.promised_ms(from_ms, deadline_ms), length_ms);
        assert!(calendar.promised_ms(from_ms, deadline_ms + 1) > length_ms);
    }
}
