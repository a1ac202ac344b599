//! Decimal numbers as text, to and from their unscaled value in two's complement, of any size.

/// More digits are refused: the work grows with their square.
const DIGITS_MAX: usize = 4_096;

/// A decimal number: sign, and digits without a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Decimal digits, the first not 0 unless it is the only one.
    digits: Vec<u8>,
    /// How many of them are behind the point.
    scale: usize,
}

impl Decimal {
    /// Reads `-12.34`, also `1.2e3` as JSON numbers may be written.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let plain = !whole.is_empty() && digits.iter().all(u8::is_ascii_digit) && digits.len() <= DIGITS_MAX;
        if !plain || (mantissa.contains('.') && fraction.is_empty()) {
            return None;
        }
        let mut number = Decimal { negative, digits: digits.iter().map(|digit| digit - b'0').collect(), scale: 0 };
        let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        number.shift(scale)?;
        number.trim();
        Some(number)
    }

    fn shift(&mut self, scale: i64) -> Option<()> {
        if scale < 0 {
            let zeros = usize::try_from(-scale).ok().filter(|zeros| *zeros <= DIGITS_MAX)?;
            self.digits.extend(std::iter::repeat_n(0, zeros));
        } else {
            self.scale = usize::try_from(scale).ok().filter(|scale| *scale <= DIGITS_MAX)?;
        }
        Some(())
    }

    fn trim(&mut self) {
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count().min(self.digits.len() - 1);
        self.digits.drain(..zeros);
        if self.digits == [0] {
            self.negative = false;
        }
    }

    /// The same number with so many digits behind the point; none if that would lose any.
    pub(super) fn rescale(mut self, scale: usize) -> Option<Decimal> {
        while self.scale > scale {
            if self.digits.last() != Some(&0) {
                return None;
            }
            if self.digits.len() > 1 {
                self.digits.pop();
            }
            self.scale -= 1;
        }
        if self.digits != [0] {
            self.digits.extend(std::iter::repeat_n(0, scale - self.scale));
        }
        self.scale = scale;
        Some(self)
    }

    /// How many digits it has, the leading zeros aside.
    pub(super) fn precision(&self) -> usize {
        self.digits.len()
    }

    pub(super) fn scale(&self) -> usize {
        self.scale
    }

    /// The unscaled value in big-endian two's complement, as short as possible.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // little-endian magnitude: times ten, plus the next digit
        let mut magnitude: Vec<u8> = Vec::new();
        for digit in &self.digits {
            let mut carry = u32::from(*digit);
            for byte in &mut magnitude {
                let sum = u32::from(*byte) * 10 + carry;
                *byte = sum as u8;
                carry = sum >> 8;
            }
            if carry > 0 {
                magnitude.push(carry as u8);
            }
        }
        // room for the sign bit
        magnitude.push(0);
        if self.negative {
            negate(&mut magnitude);
        }
        while let [.., before, last] = magnitude[..] {
            let redundant = (last == 0 && before < 0x80) || (last == 0xff && before >= 0x80);
            if !redundant {
                break;
            }
            magnitude.pop();
        }
        magnitude.reverse();
        magnitude
    }

    /// Reads an unscaled value in big-endian two's complement; no bytes are 0. None if it is too long.
    pub(super) fn from_bytes(bytes: &[u8], scale: usize) -> Option<Decimal> {
        if bytes.len() > DIGITS_MAX / 3 || scale > DIGITS_MAX {
            return None;
        }
        let negative = bytes.first().is_some_and(|first| *first >= 0x80);
        let mut magnitude: Vec<u8> = bytes.iter().rev().copied().collect();
        if negative {
            // the smallest number's magnitude needs a bit more
            magnitude.push(0xff);
            negate(&mut magnitude);
        }
        let mut digits = Vec::new();
        while magnitude.iter().any(|byte| *byte != 0) {
            let mut remainder = 0_u32;
            for byte in magnitude.iter_mut().rev() {
                let dividend = remainder << 8 | u32::from(*byte);
                *byte = (dividend / 10) as u8;
                remainder = dividend % 10;
            }
            digits.push(remainder as u8);
        }
        digits.reverse();
        if digits.is_empty() {
            digits.push(0);
        }
        Some(Decimal { negative, digits, scale })
    }
}

/// Two's complement of a little-endian number.
fn negate(number: &mut [u8]) {
    let mut carry = true;
    for byte in number {
        let (negated, overflow) = (!*byte).overflowing_add(u8::from(carry));
        (*byte, carry) = (negated, overflow);
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let padded = self.digits.len().max(self.scale + 1);
        let zeros = std::iter::repeat_n(0, padded - self.digits.len());
        let digits: String = zeros.chain(self.digits.iter().copied()).map(|digit| char::from(digit + b'0')).collect();
        let (whole, fraction) = digits.split_at(padded - self.scale);
        let sign = if self.negative { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_are_read() {
        let shown = |text: &str| Decimal::parse(text).map(|number| number.to_string());
        assert_eq!(shown("12.34").as_deref(), Some("12.34"));
        assert_eq!(shown("-0.05").as_deref(), Some("-0.05"));
        assert_eq!(shown("007").as_deref(), Some("7"));
        assert_eq!(shown("1.5e3").as_deref(), Some("1500"));
        assert_eq!(shown("15e-3").as_deref(), Some("0.015"));
        assert_eq!(shown("-0").as_deref(), Some("0"));
        for wrong in ["", "-", ".5", "5.", "1,5", "1e", "0x1", "1e999999", "1 ", "--1"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rescaling_loses_nothing() {
        let rescaled = |text: &str, scale| Decimal::parse(text).unwrap().rescale(scale).map(|n| n.to_string());
        assert_eq!(rescaled("1.5", 2).as_deref(), Some("1.50"));
        assert_eq!(rescaled("1.500", 2).as_deref(), Some("1.50"));
        assert_eq!(rescaled("0.00", 1).as_deref(), Some("0.0"));
        assert_eq!(rescaled("1.505", 2), None);
    }

    #[test]
    fn bytes_are_shortest() {
        let bytes = |text: &str| Decimal::parse(text).unwrap().to_bytes();
        assert_eq!(bytes("0"), [0]);
        assert_eq!(bytes("127"), [0x7f]);
        assert_eq!(bytes("128"), [0, 0x80]);
        assert_eq!(bytes("-128"), [0x80]);
        assert_eq!(bytes("-129"), [0xff, 0x7f]);
        assert_eq!(Decimal::from_bytes(&[], 2).unwrap().to_string(), "0.00");
        assert_eq!(Decimal::from_bytes(&[0xff, 0xff, 0x80], 0).unwrap().to_string(), "-128");
    }

    proptest! {
        #[test]
        fn numbers_come_back(number: i128, scale in 0_usize..40) {
            let bytes = number.to_be_bytes();
            let decimal = Decimal::from_bytes(&bytes, scale).unwrap();
            prop_assert_eq!(decimal.rescale(scale).unwrap().to_string().replace('.', "").parse::<i128>().unwrap(), number);
            let decimal = Decimal::from_bytes(&bytes, 0).unwrap();
            prop_assert_eq!(decimal.to_string(), number.to_string());
            let again = Decimal::parse(&number.to_string()).unwrap();
            prop_assert_eq!(Decimal::from_bytes(&again.to_bytes(), 0).unwrap(), decimal);
        }
    }
}
