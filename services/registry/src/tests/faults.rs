use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;

use super::{Behaviour, Server};
use crate::{state::State, writer::LogFault};

#[tokio::test]
async fn nothing_is_said_to_be_absent_before_the_log_is_read() {
    let server = Server::start_behind().await;
    for path in ["/subjects", "/schemas/ids/1", "/subjects/a/versions", "/config", "/mode"] {
        let (status, body) = server.get(path).await;
        assert_eq!((status, &body["error_code"]), (503, &json!(50301)), "{path}");
    }
    let (status, _) = server.register("a", "\"int\"").await;
    assert_eq!(status, 503);
    server.store.replace(State::default(), 0);
    assert_eq!(server.register("a", "\"int\"").await, (200, json!({ "id": 1 })));
}

#[tokio::test]
async fn without_kafka_reads_go_on_and_writes_fail_until_it_is_back() {
    let server = Server::start().await;
    server.register("a", "\"int\"").await;
    server.behave(Behaviour::Fails(LogFault::Unavailable));
    let (status, body) = server.register("b", "\"long\"").await;
    assert_eq!((status, &body["error_code"]), (500, &json!(50001)));
    assert!(body["message"].as_str().unwrap().contains("cannot write to the log in Kafka"), "{body}");
    assert_eq!(server.get("/schemas/ids/1").await.0, 200);
    assert_eq!(server.register("a", "\"int\"").await, (200, json!({ "id": 1 })), "nothing has to be written");
    server.behave(Behaviour::Works);
    assert_eq!(server.register("b", "\"long\"").await, (200, json!({ "id": 2 })));
}

#[tokio::test]
async fn a_lost_answer_does_not_cost_an_id() {
    let server = Server::start().await;
    server.register("a", "\"int\"").await;
    server.behave(Behaviour::WritesAndFails);
    assert_eq!(server.register("b", "\"long\"").await.0, 500);
    server.behave(Behaviour::Works);
    assert_eq!(server.register("b", "\"long\"").await, (200, json!({ "id": 2 })));
    assert_eq!(server.register("c", "\"string\"").await, (200, json!({ "id": 3 })));
}

#[tokio::test]
async fn another_writer_is_reported_and_then_taken_over_from() {
    let server = Server::start().await;
    server.register("a", "\"int\"").await;
    server.behave(Behaviour::Fails(LogFault::Fenced));
    let (status, body) = server.register("b", "\"long\"").await;
    assert_eq!((status, &body["error_code"]), (500, &json!(50004)));
    server.behave(Behaviour::Fails(LogFault::TooLarge));
    server.behave(Behaviour::Works);
    assert_eq!(server.register("b", "\"long\"").await, (200, json!({ "id": 2 })));
}

#[tokio::test]
async fn a_write_that_hangs_times_out_and_too_many_are_turned_away() {
    let server = Server::start().await;
    server.register("a", "\"int\"").await;
    server.behave(Behaviour::Hangs);
    let (status, body) = server.register("b", "\"long\"").await;
    assert_eq!((status, &body["error_code"]), (500, &json!(50002)));
    let flood = (0..100).map(|number| {
        let (client, url) = (server.client.clone(), format!("{}/subjects/s{number}/versions", server.url));
        tokio::spawn(
            async move { client.post(url).json(&json!({ "schema": "\"long\"" })).send().await.unwrap().status() },
        )
    });
    let mut statuses = Vec::new();
    for answer in flood.collect::<Vec<_>>() {
        statuses.push(answer.await.unwrap().as_u16());
    }
    assert!(statuses.contains(&503), "{statuses:?}");
    assert!(statuses.iter().all(|status| [500, 503].contains(status)), "{statuses:?}");
    assert_eq!(server.get("/schemas/ids/1").await.0, 200);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for_without_end() {
    let server = Server::start().await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "POST /subjects/a/versions HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 9\r\n\r\n{";
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("did not arrive in time"), "{answer}");
}
