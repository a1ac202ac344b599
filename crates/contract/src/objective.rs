//! How often a refresh rate must be kept: `99.5 %`.

/// The objective of a refresh rate that names none.
pub(crate) const DEFAULT: f64 = 0.995;

/// Reads `99.5 %` as 0.995; none unless more than 0 % and less than 100 %.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?.trim_end();
    let plain = !number.is_empty() && number.len() <= 12 && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    // Shifting the decimal point in the text keeps 99.9 % at the float nearest to 0.999.
    let fraction: f64 = format!("{number}e-2").parse().ok().filter(|_| plain)?;
    (fraction > 0.0 && fraction < 1.0).then_some(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_read_as_fractions() {
        assert_eq!(parse("99.5 %"), Some(0.995));
        assert_eq!(parse("99.9%"), Some(0.999));
        assert_eq!(parse("99.95 %"), Some(0.9995));
    }

    #[test]
    fn what_is_no_objective_is_refused() {
        for text in ["", "%", "99.5", "0 %", "100 %", "-1 %", "1e1 %", "99.5 % %", ".%", "1.2.3 %", "inf %", "NaN%"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
