//! A token: an opaque text that is good for a time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

/// A token of which nobody says how long it is good is asked for anew after this long.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(300);
/// No token is longer: it goes with every connection.
pub(super) const BYTES_MAX: usize = 64 * 1024;

/// What lets a client in for a time.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) value: String,
    /// Milliseconds since 1970 at which it is no longer good.
    pub(super) expires_ms: i64,
    /// When it was seen first, likewise.
    received_ms: i64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}

impl Token {
    /// A token as it was received; its lifetime is what was said with it, else what it says itself.
    ///
    /// # Errors
    /// It is none, or no longer good.
    pub(super) fn received(value: &str, lifetime: Option<Duration>) -> Result<Token, String> {
        let value = value.trim();
        let printable = value.bytes().all(|byte| byte.is_ascii_graphic());
        if value.is_empty() || value.len() > BYTES_MAX || !printable {
            return Err("it is no token: empty, too long, or of characters that no token has".to_owned());
        }
        let received_ms = now_ms();
        let told = lifetime.map(|lifetime| received_ms.saturating_add(millis(lifetime)));
        let expires_ms =
            told.or_else(|| own_expiry_ms(value)).unwrap_or_else(|| received_ms + millis(UNKNOWN_LIFETIME));
        if expires_ms <= received_ms {
            return Err("the token has expired".to_owned());
        }
        Ok(Token { value: value.to_owned(), expires_ms, received_ms })
    }

    /// How long until four fifths of its time are over.
    pub(super) fn refresh_in(&self) -> Duration {
        let lifetime = self.expires_ms - self.received_ms;
        let left = self.received_ms + lifetime / 5 * 4 - now_ms();
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    pub(super) fn is_good(&self) -> bool {
        now_ms() < self.expires_ms
    }
}

/// `exp` of a JSON Web Token (RFC 7519, 4.1.4).
fn own_expiry_ms(value: &str) -> Option<i64> {
    let claims = value.split('.').nth(1).filter(|_| value.split('.').count() == 3)?;
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let seconds = claims.get("exp")?.as_f64().filter(|seconds| seconds.is_finite() && seconds.abs() < 1e12)?;
    // bounded above: no digit of the integer part is lost
    #[allow(clippy::cast_possible_truncation)]
    Some((seconds * 1000.0) as i64)
}

fn now_ms() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.AA", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn its_lifetime_is_what_was_said_else_what_it_says() {
        let hour = Duration::from_secs(3600);
        let told = Token::received(&jwt(r#"{"exp": 4102444800}"#), Some(hour)).unwrap();
        assert!(told.is_good() && told.refresh_in() <= hour / 5 * 4 && told.refresh_in() > hour / 2);
        assert_eq!(Token::received(&jwt(r#"{"exp": 4102444800}"#), None).unwrap().expires_ms, 4_102_444_800_000);
        let opaque = Token::received(" opaque\n", None).unwrap();
        assert_eq!(opaque.value, "opaque");
        assert!(opaque.refresh_in() <= UNKNOWN_LIFETIME / 5 * 4);
        assert!(!format!("{opaque:?}").contains("opaque"));
    }

    #[test]
    fn one_that_is_over_or_none_at_all_is_refused() {
        for text in [jwt(r#"{"exp": 1}"#), String::new(), "two words".to_owned(), "a\u{1}b".to_owned()] {
            assert!(Token::received(&text, None).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".*", claims in ".*", exp in any::<f64>()) {
            let _ = Token::received(&text, None);
            let _ = Token::received(&jwt(&claims), None);
            let _ = Token::received(&jwt(&format!("{{\"exp\": {exp}}}")), Some(Duration::MAX));
        }
    }
}
