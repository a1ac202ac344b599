//! Secrets as an access file keeps them: hashed.

use std::sync::{Mutex, PoisonError};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What hashed tokens begin with.
const TOKEN_HASH: &str = "sha256:";
/// What tokens begin with, so that those who search for leaked secrets know one.
const TOKEN_PREFIX: &str = "mesh_";
/// Bytes of chance in a token: enough for one fast hash to keep it.
const TOKEN_BYTES: usize = 32;
/// No password is longer: hashing must not be made expensive by whoever has none.
pub(super) const PASSWORD_BYTES_MAX: usize = 1024;

type Digest256 = [u8; 32];

/// A token's SHA-256. Tokens are made by chance, so that nothing slower is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TokenHash(Digest256);

impl TokenHash {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix(TOKEN_HASH).filter(|hex| hex.len() == 64 && hex.is_ascii())?;
        let mut digest = Digest256::default();
        for (at, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(digest))
    }

    /// Takes as long whether it is the token or not.
    pub(super) fn matches(&self, token: &TokenHash) -> bool {
        self.0.ct_eq(&token.0).into()
    }
}

impl std::fmt::Display for TokenHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(TOKEN_HASH)?;
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// A password's Argon2id hash, in PHC's form. It remembers, keyed by chance, the password that was last found right.
pub(super) struct PasswordVerdict {
    hash: PasswordHash,
    remembered: Mutex<Option<Digest256>>,
    key: Digest256,
}

impl PasswordVerdict {
    /// Reads `$argon2id$…`.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let hash = PasswordHash::new(text).map_err(|_| "it is not a hash in PHC's form, such as $argon2id$v=19$…")?;
        if hash.algorithm.as_str() != "argon2id" {
            return Err("it is not an Argon2id hash");
        }
        let mut key = Digest256::default();
        getrandom::fill(&mut key).map_err(|_| "the system gave no random bytes")?;
        Ok(Self { hash, remembered: Mutex::default(), key })
    }

    /// Whether this password was found right before; fast.
    pub(super) fn remembers(&self, password: &str) -> bool {
        let remembered = *self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.is_some_and(|remembered| remembered.ct_eq(&self.keyed(password)).into())
    }

    /// Whether this is the password; some tens of milliseconds of one core, and 19 MiB.
    pub(super) fn verify(&self, password: &str) -> bool {
        let right = Argon2::default().verify_password(password.as_bytes(), &self.hash).is_ok();
        if right {
            *self.remembered.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.keyed(password));
        }
        right
    }

    fn keyed(&self, password: &str) -> Digest256 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key may have any length");
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// A new token.
///
/// # Errors
/// The system gave no random bytes.
pub fn new_token() -> Result<Zeroizing<String>, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
    getrandom::fill(bytes.as_mut_slice())?;
    Ok(Zeroizing::new(format!("{TOKEN_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(*bytes))))
}

/// A token as an access file keeps it.
#[must_use]
pub fn hashed_token(token: &str) -> String {
    TokenHash::of(token).to_string()
}

/// A password as an access file keeps it: Argon2id with a salt of its own.
///
/// # Errors
/// The system gave no random bytes, or the password is longer than 1024 bytes.
pub fn hashed_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(argon2::password_hash::Error::PasswordInvalid);
    }
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash() {
        let token = new_token().expect("random bytes");
        let hash = TokenHash::parse(&hashed_token(&token)).expect("a hash");
        assert!(hash.matches(&TokenHash::of(&token)));
        assert!(!hash.matches(&TokenHash::of(&new_token().expect("random bytes"))));
        for wrong in [
            "",
            "sha256:",
            "sha256:12",
            &token,
            &format!("sha256:{}", "g".repeat(64)),
            &format!("sha256:{}", "é".repeat(32)),
        ] {
            assert_eq!(TokenHash::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_password_is_remembered_once_it_was_right() {
        let verdict = PasswordVerdict::parse(&hashed_password("correct horse").expect("a hash")).expect("its form");
        assert!(!verdict.remembers("correct horse") && !verdict.verify("battery staple"));
        assert!(!verdict.remembers("battery staple"));
        assert!(verdict.verify("correct horse") && verdict.remembers("correct horse"));
        assert!(!verdict.remembers("correct horsf"));
        for wrong in
            ["", "hunter2", "$2b$12$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"]
        {
            assert!(PasswordVerdict::parse(wrong).is_err(), "{wrong}");
        }
    }
}
