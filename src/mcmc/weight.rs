//! Sums of exp(H₀ − H) that neither overflow nor need a logarithm per leaf.
//!
//! Stan adds weights with log-sum-exp. Here a weight is a plain number times e to a multiple of [`SPAN`]; nearly
//! always that multiple is 0, and adding two weights is adding two numbers. Same value, up to rounding.

use std::ops::Add;

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
    pub(super) fn exp(power: f64) -> Self {
        let exponent = (power / SPAN).round() * SPAN;
        Self {
            scaled: libm::exp(power - exponent),
            exponent,
        }
    }

    /// min(1, weight): the probability that Metropolis' rule accepts the point.
    pub(super) fn acceptance(self) -> f64 {
        if self.exponent == 0.0 {
            self.scaled.min(1.0)
        } else if self.exponent > 0.0 {
            1.0
        } else {
            self.relative_to(0.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_weights_are_plain_numbers() {
        let sum = Weight::exp(0.5) + Weight::exp(-1.5);
        assert!((sum.over(Weight::ONE) - (0.5f64.exp() + (-1.5f64).exp())).abs() < 1e-15);
        assert_eq!(Weight::exp(-1.5).acceptance(), libm::exp(-1.5));
        assert_eq!(Weight::exp(1.5).acceptance(), 1.0);
    }

    #[test]
    fn huge_weights_keep_their_ratio() {
        for base in [-999.0, -300.0, 0.0, 255.9, 4e5, 1e12] {
            let (left, right) = (Weight::exp(base), Weight::exp(base + 1.0));
            let share = right.over(left + right);
            let expected = 1.0 / (1.0 + (-1f64).exp());
            assert!((share - expected).abs() < 1e-12, "{base}: {share}");
        }
    }

    #[test]
    fn far_apart_weights_do_not_overflow() {
        let (tiny, huge) = (Weight::exp(-900.0), Weight::exp(5e4));
        assert_eq!(tiny.over(tiny + huge), 0.0);
        assert_eq!(huge.over(tiny + huge), 1.0);
        assert_eq!(huge.over(tiny), f64::INFINITY);
        assert_eq!(huge.acceptance(), 1.0);
        assert_eq!(tiny.acceptance(), 0.0);
        assert!(Weight::exp(-300.0).acceptance() > 0.0);
    }
}
