//! Format-preserving tokens: FF1 (NIST SP 800-38G) under AES-256.
//!
//! A value's *alphabet* is the smallest of a fixed list that holds all its characters: digits, lower-case letters,
//! upper-case letters, and their unions. The token is of the same length and the same alphabet: FF1 in that alphabet is
//! applied again until the token's own smallest alphabet is the value's (cycle walking). So tokens of values of
//! different alphabets never meet, different values have different tokens, and the key's holder can reverse a token
//! from the token alone.

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};

use super::numerals::{NUMERALS_MAX, ShortNumerals};
use crate::keys::{Key, KeyName, KeyRing};
use crate::mask::MaskErrorKind;

/// Longest value; FF1's work grows with the square of the length.
const CHARS_MAX: usize = 256;

/// Fewest values of a domain, after SP 800-38G revision 1.
const DOMAIN_MIN: u64 = 1_000_000;

/// An alphabet of one is left by chance more often than this never.
const WALKS_MAX: usize = 10_000;

const DIGITS: u8 = 1;
const LOWER: u8 = 2;
const UPPER: u8 = 4;

/// The parts that a value's smallest alphabet consists of: a set of [`DIGITS`], [`LOWER`] and [`UPPER`].
#[derive(Clone, Copy, PartialEq, Eq)]
struct Alphabet(u8);

impl Alphabet {
    /// The alphabet of a text. `None` if a character is in none.
    fn of(text: &[u8]) -> Option<Alphabet> {
        let mut parts = 0;
        for byte in text {
            parts |= match byte {
                b'0'..=b'9' => DIGITS,
                b'a'..=b'z' => LOWER,
                b'A'..=b'Z' => UPPER,
                _ => return None,
            };
        }
        Some(Alphabet(parts))
    }

    fn radix(self) -> u32 {
        let sizes = [(DIGITS, 10), (LOWER, 26), (UPPER, 26)];
        sizes.iter().filter(|(part, _)| self.0 & part != 0).map(|(_, size)| size).sum()
    }

    /// A character's numeral: digits first, then lower-case, then upper-case letters.
    fn numeral(self, byte: u8) -> u8 {
        let lower_start = if self.0 & DIGITS != 0 { 10 } else { 0 };
        let upper_start = lower_start + if self.0 & LOWER != 0 { 26 } else { 0 };
        match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + lower_start,
            _ => byte.wrapping_sub(b'A').wrapping_add(upper_start),
        }
    }

    fn character(self, numeral: u8) -> u8 {
        let lower_start = if self.0 & DIGITS != 0 { 10 } else { 0 };
        let upper_start = lower_start + if self.0 & LOWER != 0 { 26 } else { 0 };
        if numeral < lower_start {
            b'0' + numeral
        } else if numeral < upper_start {
            b'a' + (numeral - lower_start)
        } else {
            b'A' + (numeral - upper_start)
        }
    }

    /// Whether there are enough strings of that length.
    fn is_large_enough(self, length: usize) -> bool {
        let mut domain: u64 = 1;
        for _ in 0..length {
            domain = domain.saturating_mul(u64::from(self.radix()));
        }
        length > 0 && domain >= DOMAIN_MIN
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forth,
    Back,
}

/// A class's tokens.
pub(in crate::mask) struct Tokeniser {
    /// One cipher for each alphabet, by its set of parts; that of no parts is not used.
    ciphers: Vec<FF1<Aes256>>,
}

impl Tokeniser {
    pub(in crate::mask) fn new(key: &Key) -> Tokeniser {
        let cipher = |parts: u8| {
            let radix = Alphabet(parts).radix().max(2);
            FF1::new(key.secret(), radix).expect("a radix is between 2 and 62")
        };
        Tokeniser { ciphers: (0..=DIGITS | LOWER | UPPER).map(cipher).collect() }
    }

    /// Appends a text's token.
    pub(in crate::mask) fn write_token(&self, out: &mut Vec<u8>, text: &[u8]) -> Result<(), MaskErrorKind> {
        self.walk(out, text, Direction::Forth)
    }

    fn walk(&self, out: &mut Vec<u8>, text: &[u8], direction: Direction) -> Result<(), MaskErrorKind> {
        let alphabet = Alphabet::of(text).ok_or(MaskErrorKind::TokenAlphabet)?;
        if text.len() > CHARS_MAX {
            return Err(MaskErrorKind::TokenTooLong);
        }
        if !alphabet.is_large_enough(text.len()) {
            return Err(MaskErrorKind::TokenDomainTooSmall);
        }
        let start = out.len();
        out.extend_from_slice(text);
        for _ in 0..WALKS_MAX {
            self.step(alphabet, &mut out[start..], direction)?;
            if Alphabet::of(&out[start..]) == Some(alphabet) {
                return Ok(());
            }
        }
        Err(MaskErrorKind::TokenAlphabet)
    }

    fn step(&self, alphabet: Alphabet, text: &mut [u8], direction: Direction) -> Result<(), MaskErrorKind> {
        let cipher = &self.ciphers[usize::from(alphabet.0)];
        let numerals = text.iter().map(|byte| alphabet.numeral(*byte));
        if text.len() <= NUMERALS_MAX {
            let plain = ShortNumerals::new(numerals).ok_or(MaskErrorKind::TokenTooLong)?;
            let token = match direction {
                Direction::Forth => cipher.encrypt(b"", &plain),
                Direction::Back => cipher.decrypt(b"", &plain),
            };
            let token = token.map_err(|_| MaskErrorKind::TokenDomainTooSmall)?;
            text.iter_mut().zip(token.as_slice()).for_each(|(byte, numeral)| *byte = alphabet.character(*numeral));
        } else {
            let plain = FlexibleNumeralString::from(numerals.map(u16::from).collect::<Vec<u16>>());
            let token = match direction {
                Direction::Forth => cipher.encrypt(b"", &plain),
                Direction::Back => cipher.decrypt(b"", &plain),
            };
            let token: Vec<u16> = token.map_err(|_| MaskErrorKind::TokenDomainTooSmall)?.into();
            text.iter_mut().zip(&token).for_each(|(byte, numeral)| *byte = alphabet.character(*numeral as u8));
        }
        Ok(())
    }
}

/// Reverses `tokenise` for the key's holder. `None` if the text is no token, or the key cannot be had.
pub fn detokenise(ring: &dyn KeyRing, class: &str, version: u32, token: &str) -> Option<String> {
    let key = ring.key_version(&KeyName::tokenise(class), version).ok()?;
    let mut value = Vec::new();
    Tokeniser::new(&key).walk(&mut value, token.as_bytes(), Direction::Back).ok()?;
    String::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;
    use crate::keys::RootKeys;

    fn ring() -> RootKeys {
        RootKeys::single(Zeroizing::new([5; 32]))
    }

    fn token(text: &str) -> Result<String, MaskErrorKind> {
        let mut out = Vec::new();
        Tokeniser::new(&ring().key(&KeyName::tokenise("pii")).unwrap()).write_token(&mut out, text.as_bytes())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn small_domains_and_other_characters_are_refused() {
        assert_eq!(token("12345"), Err(MaskErrorKind::TokenDomainTooSmall));
        assert_eq!(token(""), Err(MaskErrorKind::TokenDomainTooSmall));
        assert_eq!(token("aZ1"), Err(MaskErrorKind::TokenDomainTooSmall));
        assert_eq!(token("0176-123456"), Err(MaskErrorKind::TokenAlphabet));
        assert_eq!(token("Müller"), Err(MaskErrorKind::TokenAlphabet));
        assert_eq!(token(&"1".repeat(257)), Err(MaskErrorKind::TokenTooLong));
        assert!(token("123456").is_ok() && token("aZ11").is_ok());
    }

    proptest! {
        #[test]
        fn tokens_keep_length_and_alphabet_and_reverse(text in "[0-9]{6,60}|[a-z]{5,50}|[A-Z]{5,9}|[a-z0-9]{4,45}|[A-Z0-9]{4,9}|[a-zA-Z0-9]{4,256}") {
            prop_assume!(Alphabet::of(text.as_bytes()).unwrap().is_large_enough(text.len()));
            let token = token(&text).unwrap();
            prop_assert_eq!(token.len(), text.len());
            prop_assert!(Alphabet::of(token.as_bytes()) == Alphabet::of(text.as_bytes()));
            prop_assert_eq!(detokenise(&ring(), "pii", 1, &token), Some(text));
        }
    }
}
