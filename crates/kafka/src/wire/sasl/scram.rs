//! SCRAM (RFC 5802) with SHA-256 (RFC 7677) and SHA-512, without channel binding, as Kafka has it.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::memcmp;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;

/// Fewer rounds make a password easy to guess for whoever listens (RFC 7677, 4).
const ROUNDS_MIN: usize = 4096;
/// More would only keep this client busy; Kafka's own limit is 16384.
const ROUNDS_MAX: usize = 1_000_000;
const NONCE_BYTES: usize = 24;

/// The hash of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Hash {
    pub(super) fn mechanism(self) -> &'static str {
        match self {
            Hash::Sha256 => "SCRAM-SHA-256",
            Hash::Sha512 => "SCRAM-SHA-512",
        }
    }

    fn digest(self) -> MessageDigest {
        match self {
            Hash::Sha256 => MessageDigest::sha256(),
            Hash::Sha512 => MessageDigest::sha512(),
        }
    }
}

/// The client's side of one exchange.
pub(super) struct Scram<'a> {
    hash: Hash,
    user: String,
    password: &'a str,
    nonce: String,
}

/// What to answer to the challenge, and what the broker has to answer to that.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) message: String,
    signature: Vec<u8>,
}

impl<'a> Scram<'a> {
    pub(super) fn new(hash: Hash, user: &str, password: &'a str) -> Result<Self, ErrorStack> {
        let mut nonce = [0; NONCE_BYTES];
        rand_bytes(&mut nonce)?;
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Ok(Scram { hash, user, password, nonce: BASE64_STANDARD.encode(nonce) })
    }

    fn bare(&self) -> String {
        format!("n={},r={}", self.user, self.nonce)
    }

    /// Who one is.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare())
    }

    /// Shows that the password is known.
    ///
    /// # Errors
    /// The challenge is of another form, answers somebody else, or asks for too few rounds.
    pub(super) fn reply(&self, challenge: &[u8]) -> Result<Reply, String> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| malformed())?;
        let given = attributes(challenge)?;
        let nonce = given.get("r").filter(|nonce| nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce));
        let nonce = nonce.ok_or("the broker's challenge is not for this client")?;
        let salt = given.get("s").and_then(|salt| BASE64_STANDARD.decode(salt).ok()).ok_or_else(malformed)?;
        let rounds: usize = given.get("i").and_then(|rounds| rounds.parse().ok()).ok_or_else(malformed)?;
        if !(ROUNDS_MIN..=ROUNDS_MAX).contains(&rounds) {
            return Err(format!("the broker asks for {rounds} rounds of hashing"));
        }
        let unproved = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{unproved}", self.bare());
        let (proof, signature) = self.proof(&salt, rounds, signed.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Reply { message: format!("{unproved},p={}", BASE64_STANDARD.encode(proof)), signature })
    }

    fn proof(&self, salt: &[u8], rounds: usize, signed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
        let digest = self.hash.digest();
        let mut salted = vec![0; digest.size()];
        pbkdf2_hmac(self.password.as_bytes(), salt, rounds, digest, &mut salted)?;
        let client_key = mac(digest, &salted, b"Client Key")?;
        let client_signature = mac(digest, &hash(digest, &client_key)?, signed)?;
        let proof = client_key.iter().zip(client_signature).map(|(key, signature)| key ^ signature).collect();
        let server_key = mac(digest, &salted, b"Server Key")?;
        Ok((proof, mac(digest, &server_key, signed)?))
    }
}

impl Reply {
    /// Whether the broker knows the password, too.
    ///
    /// # Errors
    /// It does not, or it refuses.
    pub(super) fn check(&self, shown: &[u8]) -> Result<(), String> {
        let given = attributes(std::str::from_utf8(shown).map_err(|_| malformed())?)?;
        let shown = given.get("v").and_then(|signature| BASE64_STANDARD.decode(signature).ok());
        // lengths are no secret, and have to be the same to be compared
        match shown.filter(|shown| shown.len() == self.signature.len() && memcmp::eq(shown, &self.signature)) {
            Some(_) => Ok(()),
            None => Err("the broker does not show that it knows the password".to_owned()),
        }
    }
}

/// `a=…,b=…`; a value may have `=` in it.
fn attributes(message: &str) -> Result<BTreeMap<&str, &str>, String> {
    message.split(',').map(|pair| pair.split_once('=').ok_or_else(malformed)).collect()
}

fn malformed() -> String {
    "the broker's challenge is malformed".to_owned()
}

fn mac(digest: MessageDigest, key: &[u8], message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    Signer::new(digest, &*PKey::hmac(key)?)?.sign_oneshot_to_vec(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// RFC 7677, 3.
    fn example() -> Scram<'static> {
        let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
        Scram { hash: Hash::Sha256, user: "user".to_owned(), password: "pencil", nonce }
    }

    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    #[test]
    fn the_example_of_the_standard_comes_out() {
        let scram = example();
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let reply = scram.reply(CHALLENGE.as_bytes()).unwrap();
        assert_eq!(
            reply.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        reply.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
    }

    #[test]
    fn a_broker_that_does_not_know_the_password_is_not_believed() {
        let reply = example().reply(CHALLENGE.as_bytes()).unwrap();
        for shown in ["v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "v=", "v=AAAA", "e=other-error", ""] {
            assert!(reply.check(shown.as_bytes()).is_err(), "{shown}");
        }
    }

    #[test]
    fn challenges_for_others_or_of_few_rounds_are_refused() {
        for (challenge, said) in [
            (CHALLENGE.replace("r=rO", "r=xO"), "not for this client"),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".to_owned(), "not for this client"),
            (CHALLENGE.replace("i=4096", "i=1"), "asks for 1 rounds"),
            (CHALLENGE.replace("i=4096", "i=99999999"), "asks for 99999999 rounds"),
            (CHALLENGE.replace("s=W", "s=!"), "malformed"),
            (CHALLENGE.replace("i=4096", "i=-1"), "malformed"),
            ("nonsense".to_owned(), "malformed"),
        ] {
            let refused = example().reply(challenge.as_bytes()).unwrap_err();
            assert!(refused.contains(said), "{challenge}: {refused}");
        }
    }

    #[test]
    fn names_are_escaped_and_nonces_differ() {
        let [one, other] = [(); 2].map(|()| Scram::new(Hash::Sha512, "a=b,c", "").unwrap());
        assert!(one.first().starts_with("n,,n=a=3Db=2Cc,r="));
        assert_ne!(one.nonce, other.nonce);
    }

    proptest! {
        #[test]
        fn nothing_panics(challenge in proptest::collection::vec(any::<u8>(), 0..64), text in ".*") {
            let _ = example().reply(&challenge);
            let _ = example().reply(format!("r=rOprNGfwEbeRWgbNEkqO{text}").as_bytes());
            let reply = Reply { message: String::new(), signature: challenge.clone() };
            let _ = reply.check(text.as_bytes());
            let _ = reply.check(&challenge);
        }
    }
}
