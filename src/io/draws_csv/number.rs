//! Numbers as text in a file of draws.

use std::io::Write;

/// How many digits a number gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digits {
    /// As few as read back as the same double.
    #[default]
    Shortest,
    /// At most this many significant digits (at least one), as C's `%g` writes them. Whole numbers keep all theirs.
    Significant(usize),
}

/// Decimal exponents outside this range are written as `1e-7` and `1e+20` rather than with zeros; those of JavaScript and R.
const PLAIN_EXPONENTS: std::ops::Range<i32> = -5..16;

/// Whole numbers up to here are exact in a double, and print as integers.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Appends a number: whole numbers without a point, non-finite ones as `nan`, `inf` and `-inf`.
pub(super) fn push_number(value: f64, digits: Digits, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = if value.is_nan() {
        out.write_all(b"nan")
    } else if value.is_infinite() {
        out.write_all(if value > 0.0 { b"inf" } else { b"-inf" })
    } else if value == value.trunc() && value.abs() <= LARGEST_WHOLE {
        write!(out, "{value}")
    } else {
        match digits {
            Digits::Shortest => push_shortest(value, out),
            Digits::Significant(count) => push_significant(value, count.max(1), out),
        }
    };
}

/// Plain or with an exponent as [`PLAIN_EXPONENTS`] says. Draws are mostly such numbers, and for small models writing them
/// takes as long as finding them: hence a library that is faster than the standard one.
fn push_shortest(value: f64, out: &mut Vec<u8>) -> std::io::Result<()> {
    out.write_all(zmij::Buffer::new().format_finite(value).as_bytes())
}

fn push_significant(value: f64, count: usize, out: &mut Vec<u8>) -> std::io::Result<()> {
    let scientific = format!("{value:.*e}", count - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if PLAIN_EXPONENTS.contains(&exponent) {
        let decimals = usize::try_from(count as i32 - 1 - exponent).unwrap_or(0);
        write!(out, "{}", trimmed(&format!("{value:.decimals$}")))
    } else {
        write!(out, "{}e{exponent:+}", trimmed(mantissa))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64, digits: Digits) -> String {
        let mut out = Vec::new();
        push_number(value, digits, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_read_as_other_tools_expect() {
        let cases = [
            (3.0, "3"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e-5, "0.00001"),
            (1.5e-7, "1.5e-7"),
            (1e300, "1e+300"),
            (2147483647.0, "2147483647"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value, Digits::Shortest), expected);
        }
        let cases = [
            (2147483647.0, 3, "2147483647"),
            (0.123456789, 3, "0.123"),
            (0.1, 8, "0.1"),
            (123456.789, 8, "123456.79"),
            (123456.789, 3, "123457"),
            (9.9999e-7, 3, "1e-6"),
            (1.23456e20, 3, "1.23e+20"),
            (1.23456e-20, 3, "1.23e-20"),
            (0.99999, 0, "1"),
        ];
        for (value, count, expected) in cases {
            assert_eq!(text(value, Digits::Significant(count)), expected);
        }
    }

    proptest! {
        #[test]
        fn shortest_digits_read_back_exactly(value in any::<f64>()) {
            let again: f64 = text(value, Digits::Shortest).parse().unwrap();
            prop_assert!(again.to_bits() == value.to_bits() || (again.is_nan() && value.is_nan()));
        }

        #[test]
        fn significant_digits_are_accurate(value in any::<f64>(), count in 1usize..18) {
            prop_assume!(value.is_finite());
            let again: f64 = text(value, Digits::Significant(count)).parse().unwrap();
            let tolerance = 0.5000001 * 10f64.powi(1 - count as i32);
            prop_assert!((again - value).abs() <= tolerance * value.abs() + f64::MIN_POSITIVE, "{value} {again}");
        }
    }
}
