//! The vendored purchases: `data/cdnow_master.txt.gz`, see `data/README.md`.

use super::source::{BadData, Source};

/// One purchase, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub customer: u32,
    pub date: jiff::civil::Date,
    pub quantity: i32,
    pub cents: i64,
}

/// The file.
pub const FILE: Source =
    Source { name: "cdnow_master.txt.gz", bytes: include_bytes!("../../../../data/cdnow_master.txt.gz") };

/// All of them, in the file's order.
///
/// # Errors
/// The file is not as `data/README.md` describes it.
pub fn read() -> Result<Vec<Purchase>, BadData> {
    FILE.parse(parse)
}

/// `00001 19970101  1   11.77`
fn parse(line: &str) -> Option<Purchase> {
    let mut columns = line.split_ascii_whitespace();
    let customer = columns.next()?.parse().ok()?;
    let date = jiff::civil::Date::strptime("%Y%m%d", columns.next()?).ok()?;
    let quantity = columns.next()?.parse().ok()?;
    let cents = cents(columns.next()?)?;
    columns.next().is_none().then_some(Purchase { customer, date, quantity, cents })
}

/// `11.77` without a detour through floating point.
fn cents(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.')?;
    let (whole, fraction): (i64, &str) = (whole.parse().ok()?, fraction);
    (fraction.len() == 2).then_some(())?;
    Some(whole * 100 + fraction.parse::<i64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_purchase() {
        let expected = Purchase { customer: 4, date: jiff::civil::date(1997, 1, 18), quantity: 2, cents: 2_973 };
        assert_eq!(parse(" 00004 19970118  2   29.73"), Some(expected));
    }

    #[test]
    fn anything_else_is_not() {
        for line in ["", "00004 19970118 2", "00004 19971318 2 29.73", "00004 19970118 2 29.7", "4 19970118 2 1.00 9"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
