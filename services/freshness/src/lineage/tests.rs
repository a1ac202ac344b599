#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn report(product: &str, views: &[(&str, State)]) -> ProductReport {
    let views: Vec<_> =
        views.iter().map(|(topic, state)| json!({"view": "masked", "topic": topic, "state": state})).collect();
    serde_json::from_value(json!({
        "product": product, "version": 1, "owner": "crm", "promise": "1 hour", "promise_seconds": 3_600,
        "state": "fresh", "since_ms": 0, "evaluated_at_ms": 0, "views": views,
    }))
    .unwrap()
}

fn told(news: &mut News, reports: &[ProductReport]) -> Vec<(String, bool, String)> {
    let told = news.of(reports.iter()).into_iter();
    told.map(|(topic, it)| (topic, it.success, it.actual.unwrap())).collect()
}

fn line(topic: &str, success: bool, actual: &str) -> (String, bool, String) {
    (topic.to_owned(), success, actual.to_owned())
}

#[test]
fn each_output_port_is_told_of_when_its_state_changes() {
    let mut news = News::default();
    let first = [report("a.b", &[("a.b.v1", State::Fresh), ("a.b.v1.other", State::Unknown)])];
    assert_eq!(told(&mut news, &first), [line("a.b.v1", true, "fresh")]);
    assert_eq!(told(&mut news, &first), [], "nothing changed");
    let stale = [report("a.b", &[("a.b.v1", State::Stale), ("a.b.v1.other", State::Excused)])];
    assert_eq!(told(&mut news, &stale), [line("a.b.v1", false, "stale"), line("a.b.v1.other", true, "excused")]);
}

#[test]
fn a_new_promise_is_told_and_a_product_that_comes_back_is_another() {
    let mut news = News::default();
    let hourly = report("a.b", &[("a.b.v1", State::Fresh)]);
    let daily = ProductReport { promise: "1 day".to_owned(), ..hourly.clone() };
    for reports in [&[hourly.clone()][..], std::slice::from_ref(&daily)] {
        assert_eq!(told(&mut news, reports), [line("a.b.v1", true, "fresh")]);
    }
    assert_eq!(told(&mut news, &[]), []);
    assert_eq!(told(&mut news, &[daily]).len(), 1);
}

#[test]
fn many_are_told_of_in_turns() {
    let topics: Vec<String> = (0..EVENTS_MAX + 1).map(|n| format!("a.b{n}.v1")).collect();
    let views: Vec<_> = topics.iter().map(|topic| (&**topic, State::Stale)).collect();
    let (mut news, reports) = (News::default(), [report("a.b", &views)]);
    let counts = [0; 3].map(|_| told(&mut news, &reports).len());
    assert_eq!(counts, [EVENTS_MAX, 1, 0]);
}
