//! Short strings of numerals for FF1, on the stack: the `fpe` crate's own allocate for every round.

use fpe::ff1::{NumeralString, Operations};

/// Most numerals of a string; a half then is at most 2^118 for radix 62 (20 numerals of under 6 bits).
pub(super) const NUMERALS_MAX: usize = 40;
/// A half of a string: at most half of them, rounded up.
const HALF_MAX: usize = NUMERALS_MAX.div_ceil(2);
/// A half's number is less than 2^120, so that a byte more still fits 128 bits.
const HALF_BYTES: usize = 16;

/// A string of at most [`NUMERALS_MAX`] numerals, of a radix of at most 62.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortNumerals {
    numerals: [u8; NUMERALS_MAX],
    count: usize,
}

/// Half of a string: a number, and how many numerals it is written with.
#[derive(Clone, Copy)]
pub(super) struct Half {
    numerals: [u8; HALF_MAX],
    count: usize,
}

/// A number's big-endian bytes.
pub(super) struct Bytes {
    bytes: [u8; HALF_BYTES],
    start: usize,
}

impl ShortNumerals {
    /// `None` if there are too many.
    pub(super) fn new(numerals: impl ExactSizeIterator<Item = u8>) -> Option<ShortNumerals> {
        let count = numerals.len();
        let mut all = [0; NUMERALS_MAX];
        if count > NUMERALS_MAX {
            return None;
        }
        for (slot, numeral) in all.iter_mut().zip(numerals) {
            *slot = numeral;
        }
        Some(ShortNumerals { numerals: all, count })
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.numerals[..self.count]
    }
}

impl NumeralString for ShortNumerals {
    type Ops = Half;

    fn is_valid(&self, radix: u32) -> bool {
        self.as_slice().iter().all(|numeral| u32::from(*numeral) < radix)
    }

    fn numeral_count(&self) -> usize {
        self.count
    }

    fn split(&self) -> (Half, Half) {
        let (front, back) = self.as_slice().split_at(self.count / 2);
        (Half::of(front), Half::of(back))
    }

    fn concat(a: Half, b: Half) -> ShortNumerals {
        let mut numerals = [0; NUMERALS_MAX];
        numerals[..a.count].copy_from_slice(&a.numerals[..a.count]);
        numerals[a.count..a.count + b.count].copy_from_slice(&b.numerals[..b.count]);
        ShortNumerals { numerals, count: a.count + b.count }
    }
}

impl Half {
    fn of(part: &[u8]) -> Half {
        let mut numerals = [0; HALF_MAX];
        numerals[..part.len()].copy_from_slice(part);
        Half { numerals, count: part.len() }
    }

    fn number(&self, radix: u32) -> u128 {
        self.numerals[..self.count].iter().fold(0, |number, numeral| number * u128::from(radix) + u128::from(*numeral))
    }

    fn written(mut number: u128, radix: u32, count: usize) -> Half {
        let mut numerals = [0; HALF_MAX];
        for slot in numerals[..count].iter_mut().rev() {
            *slot = (number % u128::from(radix)) as u8;
            number /= u128::from(radix);
        }
        Half { numerals, count }
    }
}

impl Operations for Half {
    type Bytes = Bytes;

    fn numeral_count(&self) -> usize {
        self.count
    }

    fn to_be_bytes(&self, radix: u32, b: usize) -> Bytes {
        Bytes { bytes: self.number(radix).to_be_bytes(), start: HALF_BYTES - b.min(HALF_BYTES) }
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, radix: u32, m: usize) -> Half {
        let modulus = power(radix, m);
        Half::written((self.number(radix) % modulus + remainder(other, modulus)) % modulus, radix, m)
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, radix: u32, m: usize) -> Half {
        let modulus = power(radix, m);
        Half::written((self.number(radix) % modulus + modulus - remainder(other, modulus)) % modulus, radix, m)
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

fn power(radix: u32, exponent: usize) -> u128 {
    (0..exponent).fold(1, |product, _| product * u128::from(radix))
}

/// A big-endian number, however long, modulo one of at most 120 bits.
fn remainder(bytes: impl Iterator<Item = u8>, modulus: u128) -> u128 {
    match u64::try_from(modulus) {
        // The common, short case in native arithmetic.
        Ok(small) if small < 1 << 56 => u128::from(bytes.fold(0, |rest, byte| ((rest << 8) | u64::from(byte)) % small)),
        _ => bytes.fold(0, |rest, byte| ((rest << 8) | u128::from(byte)) % modulus),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aes::{Aes128, Aes192, Aes256};
    use fpe::ff1::{FF1, FlexibleNumeralString};
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [
        0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, 0xef, 0x43,
        0x59, 0xd8, 0xd5, 0x80, 0xaa, 0x4f, 0x7f, 0x03, 0x6d, 0x6f, 0x04, 0xfc, 0x6a, 0x94,
    ];
    const TWEAK: &[u8] = b"9876543210";
    const TWEAK_36: &[u8] = &[0x37, 0x37, 0x37, 0x37, 0x70, 0x71, 0x72, 0x73, 0x37, 0x37, 0x37];

    fn numerals(text: &str) -> ShortNumerals {
        let digits: Vec<u8> = text.chars().map(|c| c.to_digit(36).unwrap() as u8).collect();
        ShortNumerals::new(digits.into_iter()).unwrap()
    }

    fn check<C>(key: &[u8], radix: u32, tweak: &[u8], plain: &str, expected: &str)
    where
        C: aes::cipher::KeyInit + aes::cipher::BlockCipherEncrypt + Clone,
    {
        let ff1 = FF1::<C>::new(key, radix).unwrap();
        let encrypted = ff1.encrypt(tweak, &numerals(plain)).unwrap();
        assert_eq!(encrypted.as_slice(), numerals(expected).as_slice());
        assert_eq!(ff1.decrypt(tweak, &encrypted).unwrap().as_slice(), numerals(plain).as_slice());
    }

    /// NIST's FF1samples.pdf, samples 1 to 9.
    #[test]
    fn nist_samples() {
        check::<Aes128>(&KEY[..16], 10, b"", "0123456789", "2433477484");
        check::<Aes128>(&KEY[..16], 10, TWEAK, "0123456789", "6124200773");
        check::<Aes128>(&KEY[..16], 36, TWEAK_36, "0123456789abcdefghi", "a9tv40mll9kdu509eum");
        check::<Aes192>(&KEY[..24], 10, b"", "0123456789", "2830668132");
        check::<Aes192>(&KEY[..24], 10, TWEAK, "0123456789", "2496655549");
        check::<Aes192>(&KEY[..24], 36, TWEAK_36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr");
        check::<Aes256>(&KEY, 10, b"", "0123456789", "6657667009");
        check::<Aes256>(&KEY, 10, TWEAK, "0123456789", "1001623463");
        check::<Aes256>(&KEY, 36, TWEAK_36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd");
    }

    proptest! {
        /// Ours and the `fpe` crate's own numeral strings are one cipher.
        #[test]
        fn short_and_long_strings_agree(seed in prop::collection::vec(0..62_u8, 6..=NUMERALS_MAX), radix in 10..=62_u32) {
            let digits: Vec<u8> = seed.iter().map(|digit| digit % radix as u8).collect();
            let ff1 = FF1::<Aes256>::new(&KEY, radix).unwrap();
            let short = ff1.encrypt(b"t", &ShortNumerals::new(digits.iter().copied()).unwrap()).unwrap();
            let wide: Vec<u16> = digits.iter().map(|digit| u16::from(*digit)).collect();
            let long: Vec<u16> = ff1.encrypt(b"t", &FlexibleNumeralString::from(wide)).unwrap().into();
            prop_assert_eq!(short.as_slice().iter().map(|digit| u16::from(*digit)).collect::<Vec<_>>(), long);
        }
    }
}
