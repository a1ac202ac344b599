//! One attempt to tell a target.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};

use super::event::Event;
use super::signature;
use super::target::Target;
use crate::Error;

/// How long a receiver may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// A receiver that asks for a longer pause gets this one.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// Why a receiver was not told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What it answered, or why there was no answer; nothing of its body, nothing of its address.
    pub(super) why: String,
    /// How long it asks to be left alone.
    pub(super) pause: Option<Duration>,
    /// Whether it wants to be told no more: 410.
    pub(super) is_final: bool,
}

/// The client of one target. Redirects are not followed: what is signed for one receiver is not for another.
pub(super) fn client(target: &Target) -> Result<Client, Error> {
    let client = Client::builder().timeout(ATTEMPT_TIMEOUT).redirect(Policy::none());
    let client = client.user_agent(concat!("mesh/", env!("CARGO_PKG_VERSION")));
    let client = match &target.authority {
        Some(certificates) => client.tls_certs_only(certificates.clone()),
        None => client,
    };
    client.build().map_err(|source| Error::SetUpWebhook { target: target.name.clone(), source: source.without_url() })
}

/// Sends an event; the timestamp and signature are this attempt's own, the id is the event's.
pub(super) async fn post(client: &Client, target: &Target, event: &Event) -> Result<(), Refusal> {
    let now_seconds = Timestamp::now().as_second();
    let request = client.post(target.url.clone()).header(CONTENT_TYPE, MEDIA_TYPE);
    let request = request
        .header("webhook-id", &event.id)
        .header("webhook-timestamp", now_seconds)
        .header("webhook-signature", signature::sign(&target.secrets, &event.id, now_seconds, &event.body));
    match request.body(event.body.clone()).send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(refused(&answer)),
        Err(error) => Err(Refusal { why: cause(error), pause: None, is_final: false }),
    }
}

fn refused(answer: &Response) -> Refusal {
    let status = answer.status();
    let pause = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let hint = if status.is_redirection() { ", and redirects are not followed" } else { "" };
    Refusal {
        why: format!("it answered {}{hint}", status.as_u16()),
        pause: pause.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX)),
        is_final: status == StatusCode::GONE,
    }
}

/// The innermost cause, which says what happened.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
