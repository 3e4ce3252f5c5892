//! Sums of exp(H₀ − H) over any range, for the literal twin.
//!
//! Stan adds weights with log-sum-exp, the fast sampler adds plain numbers and moves their origin when they would
//! overflow. Here a weight is a plain number times e to a multiple of [`SPAN`].

use std::ops::Add;

use crate::mcmc::exponential::exp;

/// The spacing of the exponents that are split off; sums of 2²⁰ weights below e^256 cannot overflow.
const SPAN: f64 = 512.0;

/// A non-negative weight, `scaled` · e^`exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weight {
    scaled: f64,
    exponent: f64,
}

impl Weight {
    /// The weight of the trajectory's first point.
    pub(super) const ONE: Self = Self {
        scaled: 1.0,
        exponent: 0.0,
    };

    /// e to a finite power.
    pub(super) fn of_power(power: f64) -> Self {
        let exponent = (power / SPAN).round() * SPAN;
        Self {
            scaled: exp(power - exponent),
            exponent,
        }
    }

    /// This weight over another.
    pub(super) fn over(self, other: Self) -> f64 {
        if self.exponent == other.exponent {
            self.scaled / other.scaled
        } else {
            self.scaled / other.scaled * libm::exp(self.exponent - other.exponent)
        }
    }

    fn relative_to(self, exponent: f64) -> f64 {
        self.scaled * libm::exp(self.exponent - exponent)
    }
}

impl Add for Weight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.exponent == other.exponent {
            return Self {
                scaled: self.scaled + other.scaled,
                exponent: self.exponent,
            };
        }
        let exponent = self.exponent.max(other.exponent);
        Self {
            scaled: self.relative_to(exponent) + other.relative_to(exponent),
            exponent,
        }
    }
}

#[test]
fn ordinary_weights_are_plain_numbers() {
    let sum = Weight::of_power(0.5) + Weight::of_power(-1.5);
    assert!((sum.over(Weight::ONE) - (0.5f64.exp() + (-1.5f64).exp())).abs() < 1e-15);
}

#[test]
fn huge_weights_keep_their_ratio() {
    for base in [-999.0, -300.0, 0.0, 255.9, 4e5, 1e12] {
        let (left, right) = (Weight::of_power(base), Weight::of_power(base + 1.0));
        let share = right.over(left + right);
        let expected = 1.0 / (1.0 + (-1f64).exp());
        assert!((share - expected).abs() < 1e-12, "{base}: {share}");
    }
}

#[test]
fn far_apart_weights_do_not_overflow() {
    let (tiny, huge) = (Weight::of_power(-900.0), Weight::of_power(5e4));
    assert_eq!(tiny.over(tiny + huge), 0.0);
    assert_eq!(huge.over(tiny + huge), 1.0);
    assert_eq!(huge.over(tiny), f64::INFINITY);
}
