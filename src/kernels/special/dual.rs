//! Numbers that may carry partial derivatives, so that one series or continued fraction serves a value and its
//! derivatives with respect to its parameters.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// What the incomplete gamma and beta expansions need of a number.
pub(super) trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A number with no derivative.
    fn constant(value: f64) -> Self;
    /// Its value.
    fn value(self) -> f64;
    /// f(self), given f's value here and, computed only when needed, its slope.
    fn chain(self, value: f64, slope: impl FnOnce() -> f64) -> Self;
    /// Whether adding `self` to `sum` would change neither value nor derivatives by more than rounding.
    fn is_negligible_beside(self, sum: Self) -> bool;

    /// Multiplies by a plain number.
    fn scale(self, factor: f64) -> Self {
        self * Self::constant(factor)
    }

    /// Adds a plain number.
    fn shift(self, term: f64) -> Self {
        self + Self::constant(term)
    }

    /// e^self.
    fn exp(self) -> Self {
        let value = self.value().exp();
        self.chain(value, || value)
    }

    /// ln self.
    fn ln(self) -> Self {
        let value = self.value();
        self.chain(value.ln(), || 1.0 / value)
    }

    /// √self.
    fn sqrt(self) -> Self {
        let root = self.value().sqrt();
        self.chain(root, || 0.5 / root)
    }
}

impl Number for f64 {
    fn constant(value: f64) -> f64 {
        value
    }

    fn value(self) -> f64 {
        self
    }

    fn chain(self, value: f64, _slope: impl FnOnce() -> f64) -> f64 {
        value
    }

    fn is_negligible_beside(self, sum: f64) -> bool {
        self.abs() <= f64::EPSILON * 0.25 * sum.abs()
    }
}

/// A value and its partial derivatives with respect to `N` parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dual<const N: usize> {
    pub value: f64,
    pub partials: [f64; N],
}

impl<const N: usize> Dual<N> {
    /// The parameter number `index` itself.
    pub fn parameter(value: f64, index: usize) -> Self {
        let mut partials = [0.0; N];
        partials[index] = 1.0;
        Dual { value, partials }
    }

    fn zip(self, other: Self, value: f64, partial: impl Fn(f64, f64) -> f64) -> Self {
        Dual {
            value,
            partials: std::array::from_fn(|k| partial(self.partials[k], other.partials[k])),
        }
    }
}

impl<const N: usize> Number for Dual<N> {
    fn constant(value: f64) -> Self {
        Dual {
            value,
            partials: [0.0; N],
        }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn chain(self, value: f64, slope: impl FnOnce() -> f64) -> Self {
        let slope = slope();
        Dual {
            value,
            partials: self.partials.map(|partial| partial * slope),
        }
    }

    fn is_negligible_beside(self, sum: Self) -> bool {
        let tolerance = f64::EPSILON * 0.25;
        self.value.abs() <= tolerance * sum.value.abs()
            && self
                .partials
                .iter()
                .zip(&sum.partials)
                .all(|(term, total)| {
                    // A derivative that is zero by chance must not keep the loop going.
                    term.abs() <= tolerance * total.abs().max(tolerance * sum.value.abs())
                })
    }
}

impl<const N: usize> Add for Dual<N> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip(other, self.value + other.value, |a, b| a + b)
    }
}

impl<const N: usize> Sub for Dual<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.zip(other, self.value - other.value, |a, b| a - b)
    }
}

impl<const N: usize> Mul for Dual<N> {
    type Output = Self;
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the product rule adds")]
    fn mul(self, other: Self) -> Self {
        self.zip(other, self.value * other.value, |a, b| {
            a * other.value + self.value * b
        })
    }
}

impl<const N: usize> Div for Dual<N> {
    type Output = Self;
    #[expect(
        clippy::suspicious_arithmetic_impl,
        reason = "the quotient rule multiplies and subtracts"
    )]
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        self.zip(other, quotient, |a, b| (a - quotient * b) / other.value)
    }
}

impl<const N: usize> Neg for Dual<N> {
    type Output = Self;
    fn neg(self) -> Self {
        Dual {
            value: -self.value,
            partials: self.partials.map(|partial| -partial),
        }
    }
}
