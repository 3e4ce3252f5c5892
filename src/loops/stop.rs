//! How a run of a procedure ends early, and how its messages become text.

use super::{Message, MessageId, MessageKind, Part};
use crate::builtins::{Kind, Scalar};
use crate::source::Span;
use std::error::Error;
use std::fmt;

/// Why a run ended before its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// The message of the procedure that was raised; none where one of its systems stopped, or the machinery itself failed
    /// (a compiler bug, a caller's slice of the wrong length).
    pub message: Option<MessageId>,
    /// What it means for the run: [`MessageKind::Reject`] or [`MessageKind::Fatal`].
    pub kind: MessageKind,
    /// The text, with its values.
    pub text: String,
    /// The place in the program.
    pub span: Span,
}

impl Stop {
    /// A failure of the machinery: it ends the run and has no place in the program.
    pub fn internal(text: impl Into<String>) -> Stop {
        Stop {
            message: None,
            kind: MessageKind::Fatal,
            text: text.into(),
            span: Span::default(),
        }
    }

    /// The message of that number, raised with these values.
    pub fn raised(id: MessageId, message: &Message, values: &[Scalar]) -> Stop {
        Stop {
            message: Some(id),
            kind: message.kind,
            text: message.text(values),
            span: message.span,
        }
    }

    /// A failed call of linear algebra: the message, then the function's own words.
    pub fn failed(id: MessageId, message: &Message, reason: &str) -> Stop {
        let mut stop = Stop::raised(id, message, &[]);
        if !stop.text.is_empty() && !stop.text.ends_with(' ') {
            stop.text.push_str(": ");
        }
        stop.text.push_str(reason);
        stop
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Error for Stop {}

impl Scalar {
    /// Zero of that kind.
    pub fn zero(kind: Kind) -> Scalar {
        Scalar::from_bits(kind, 0)
    }

    /// The scalar that a register of 64 bits holds.
    pub fn from_bits(kind: Kind, bits: u64) -> Scalar {
        match kind {
            Kind::Int => Scalar::Int(bits as i64),
            Kind::Real => Scalar::Real(f64::from_bits(bits)),
        }
    }

    /// The 64 bits that hold it.
    pub fn to_bits(self) -> u64 {
        match self {
            Scalar::Int(value) => value as u64,
            Scalar::Real(value) => value.to_bits(),
        }
    }
}

/// As Stan prints: integers in full, reals to six significant digits without trailing zeros (C's `%g`).
impl fmt::Display for Scalar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Int(value) => write!(out, "{value}"),
            Scalar::Real(value) => write_real(*value, out),
        }
    }
}

/// Significant digits of a printed real: the default precision of C++ streams, which Stan keeps.
const DIGITS: i32 = 6;

fn write_real(value: f64, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !value.is_finite() {
        let text = match (value.is_nan(), value > 0.0) {
            (true, _) => "nan",
            (false, true) => "inf",
            (false, false) => "-inf",
        };
        return out.write_str(text);
    }
    // Rounding to six digits may carry into the exponent, so the exponent is read off the rounded form.
    let scientific = format!("{value:.*e}", DIGITS as usize - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let fixed = format!("{value:.*}", (DIGITS - 1 - exponent) as usize);
        out.write_str(trimmed(&fixed))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
    }
}

/// Without zeros at the end of the fraction.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

impl Message {
    /// The text with its values; a place without a value stays empty.
    pub fn text(&self, values: &[Scalar]) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(at) => values.get(*at).map(Scalar::to_string).unwrap_or_default(),
        };
        self.parts.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_print_as_in_c() {
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (-0.1, "-0.1"),
            (1.0 / 3.0, "0.333333"),
            (123456.0, "123456"),
            (999999.5, "1e+06"),
            (1234567.0, "1.23457e+06"),
            (0.0001, "0.0001"),
            (0.00001234, "1.234e-05"),
            (1e100, "1e+100"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, text) in cases {
            assert_eq!(Scalar::Real(value).to_string(), text);
        }
    }

    #[test]
    fn messages_put_values_in_their_places() {
        let message = Message {
            kind: MessageKind::Reject,
            parts: vec![
                Part::Text("scale is ".into()),
                Part::Value(1),
                Part::Text(" at ".into()),
                Part::Value(0),
            ],
            span: Span::default(),
        };
        let values = [Scalar::Int(3), Scalar::Real(-0.5)];
        assert_eq!(message.text(&values), "scale is -0.5 at 3");
        let failing = Message {
            parts: vec![Part::Text("cholesky_decompose".into())],
            ..message
        };
        let stop = Stop::failed(MessageId(0), &failing, "not positive definite");
        assert_eq!(stop.text, "cholesky_decompose: not positive definite");
    }
}
