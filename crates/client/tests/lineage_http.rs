//! Events by HTTP, to a back end that answers as the test wants.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use mesh_client::lineage::{Emitter, HttpOptions, HttpTransport, Job, JobRun, KafkaNamespace};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

const DEADLINE: Duration = Duration::from_secs(30);

/// What the back end does with a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Status(u16),
    /// Takes the request and says nothing.
    Hang,
    /// Closes the connection.
    HangUp,
}

/// Answers in turn, the last answer for ever; keeps what it took.
#[derive(Clone)]
struct BackEnd {
    answers: Arc<Mutex<Vec<Answer>>>,
    taken: Arc<Mutex<Vec<(u16, Value)>>>,
}

impl BackEnd {
    async fn start(answers: &[Answer]) -> (Self, String) {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.iter().rev().copied().collect()));
        let back_end = Self { answers, taken: Arc::default() };
        let accepting = back_end.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(connection));
            }
        });
        (back_end, url)
    }

    async fn serve(self, connection: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(connection);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).await? == 0 {
                    return Ok(());
                }
            }
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.unwrap().parse().unwrap()];
            stream.read_exact(&mut body).await?;
            match self.answer() {
                Answer::Hang => std::future::pending().await,
                Answer::HangUp => return Ok(()),
                Answer::Status(status) => {
                    self.taken.lock().unwrap().push((status, serde_json::from_slice(&body).unwrap()));
                    let said = format!("HTTP/1.1 {status} said\r\ncontent-length: 0\r\n\r\n");
                    stream.get_mut().write_all(said.as_bytes()).await?;
                }
            }
        }
    }

    fn answer(&self) -> Answer {
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop().unwrap() } else { answers[0] }
    }

    /// The types of the events that were answered so.
    fn taken(&self, status: u16) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let of_status = taken.iter().filter(|(said, _)| *said == status);
        of_status.map(|(_, event)| event["eventType"].as_str().unwrap().to_owned()).collect()
    }
}

fn emitter(url: &str) -> Emitter {
    let options = HttpOptions { timeout: Duration::from_millis(300), ..HttpOptions::new(url) };
    Emitter::spawn(HttpTransport::new(&options).unwrap())
}

/// A start, two snapshots and an end of one run.
fn emit_all(emitter: &Emitter) {
    let mut run = JobRun::new(Job::mesh("masking.a.b.v1"), KafkaNamespace::of("k:1"));
    let at = Timestamp::now();
    for offset in 0..3 {
        run.read("a.b.v1.in", 0, offset, 10);
        emitter.emit(run.news(at).unwrap());
    }
    emitter.emit(run.complete(at));
}

#[tokio::test]
async fn what_fails_for_a_while_is_sent_again_and_in_order() {
    let answers = [Answer::Status(503), Answer::HangUp, Answer::Hang, Answer::Status(429), Answer::Status(201)];
    let (back_end, url) = BackEnd::start(&answers).await;
    let emitter = emitter(&url);
    emit_all(&emitter);
    assert!(emitter.flush(DEADLINE).await);
    assert_eq!(back_end.taken(201), ["START", "COMPLETE"], "the end makes the snapshots stale");
    assert_eq!((emitter.delivered(), emitter.superseded(), emitter.dropped()), (2, 2, 0));
}

#[tokio::test]
async fn what_is_refused_for_good_is_dropped_and_the_next_is_sent() {
    let (back_end, url) = BackEnd::start(&[Answer::Status(400), Answer::Status(200)]).await;
    let emitter = emitter(&url);
    emit_all(&emitter);
    assert!(emitter.flush(DEADLINE).await);
    assert_eq!((back_end.taken(400).len(), back_end.taken(200)), (1, vec!["COMPLETE".to_owned()]));
    assert_eq!((emitter.delivered(), emitter.dropped()), (1, 1));
}

#[tokio::test]
async fn a_back_end_that_comes_late_is_told_what_was_kept() {
    // a port that was free a moment ago, on which nobody listens
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let emitter = emitter(&format!("http://{address}"));
    emit_all(&emitter);
    assert!(!emitter.flush(Duration::from_millis(500)).await, "nobody is there");

    let back_end = BackEnd { answers: Arc::new(Mutex::new(vec![Answer::Status(201)])), taken: Arc::default() };
    let listener = TcpListener::bind(address).await.unwrap();
    let accepting = back_end.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(accepting.clone().serve(connection));
        }
    });
    assert!(emitter.flush(DEADLINE).await);
    assert_eq!(back_end.taken(201), ["START", "COMPLETE"]);
    assert_eq!(emitter.dropped(), 0);
}

#[tokio::test]
async fn one_that_never_answers_holds_nobody_up() {
    let (_back_end, url) = BackEnd::start(&[Answer::Hang]).await;
    let emitter = emitter(&url);
    // far more than may wait
    for _ in 0..2_000 {
        emit_all(&emitter);
    }
    assert_eq!(emitter.delivered(), 0);
    assert!(emitter.dropped() > 0, "what waits is bounded");
    assert!(!emitter.flush(Duration::from_millis(10)).await);
}
