//! The error functions, and the normal distribution function with its logarithm.
//!
//! Both tails are e^(-x²) or e^(-x²/2) times a function that falls like 1/x: a polynomial in (x - k)/(x + k) over 1 + cx, after
//! Shepherd and Laframboise (1981), fitted afresh to each, because a scaled argument would err by too much in the tails. The
//! square, the quotient and the exponential are in two parts each, so that little but the last product rounds.

use super::coefficients::{ERF_NEAR_ZERO, ERFC_TAIL, PHI_TAIL};
use super::double::Double;
use super::elementary::{exp_less_one, log_in_two_parts, polynomial, polynomial_slope, scale};

/// How a function falls beside its exponential.
struct Tail {
    coefficients: &'static [f64; 25],
    centre: f64,
    steepness: f64,
}

const ERFC: Tail = Tail {
    coefficients: &ERFC_TAIL,
    centre: 3.5,
    steepness: 1.125,
};
const PHI: Tail = Tail {
    coefficients: &PHI_TAIL,
    centre: 5.0,
    steepness: 0.8125,
};

impl Tail {
    /// The function over its exponential, for x ≥ 0.
    #[inline(always)]
    fn of(&self, x: f64) -> Double {
        // Beyond, the exponential is 0, and products would overflow.
        let x = if x > 1e100 { 1e100 } else { x };
        let sum = x + self.centre;
        let divisor = self.steepness.mul_add(x, 1.0);
        let divisor_low = self.steepness.mul_add(x, 1.0 - divisor);
        // One division for both quotients.
        let inverse = 1.0 / (sum * divisor);
        let (of_sum, inverse) = (divisor * inverse, sum * inverse);
        // (x - centre) / sum, where x is small as the difference from -1.
        let share = 2.0 * x * of_sum;
        let left = (-share).mul_add(sum, 2.0 * x);
        let t = left.mul_add(of_sum, share - 1.0);
        let slope = polynomial_slope(self.coefficients, t);
        let above = t.mul_add(slope, self.coefficients[0]);
        let above_low = t.mul_add(slope, self.coefficients[0] - above);
        let quotient = above * inverse;
        let left = (-quotient).mul_add(divisor, above);
        let left = (-quotient).mul_add(divisor_low, left + above_low);
        Double::sum(quotient, left * inverse)
    }
}

/// e^-(a + b) (high + low) for a ≥ 0 and b far below a.
#[inline(always)]
fn damped(square: Double, factor: Double) -> Double {
    let (n, m) = exp_less_one(-square.high, -square.low);
    let product = Double::sum(factor.high, m.mul_add(factor.high, factor.low));
    Double {
        high: scale(product.high, n),
        low: scale(product.low, n),
    }
}

/// x² times 1 or 1/2.
#[inline(always)]
fn square(x: f64, times: f64) -> Double {
    let square = Double::product(times * x, x);
    // An infinity leaves nothing over.
    let low = if square.high < f64::INFINITY {
        square.low
    } else {
        0.0
    };
    Double {
        high: square.high,
        low,
    }
}

/// erfc(x) for x ≥ 0.
#[inline(always)]
fn erfc_tail(x: f64) -> f64 {
    damped(square(x, 1.0), ERFC.of(x)).high
}

#[inline(always)]
pub(super) fn erfc(x: f64) -> f64 {
    let tail = erfc_tail(x.abs());
    if x < 0.0 { 2.0 - tail } else { tail }
}

#[inline(always)]
pub(super) fn erf(x: f64) -> f64 {
    let near = x.mul_add(polynomial(&ERF_NEAR_ZERO, x * x), x);
    let far = (1.0 - erfc_tail(x.abs())).copysign(x);
    if x.abs() <= 0.5 { near } else { far }
}

#[inline(always)]
pub(super) fn phi(x: f64) -> f64 {
    let tail = damped(square(x, 0.5), PHI.of(x.abs())).high;
    // NaN passes.
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[inline(always)]
pub(super) fn log_phi(x: f64) -> f64 {
    let square = square(x, 0.5);
    let factor = PHI.of(x.abs());
    let tail = damped(square, factor);
    // log(1 - tail), or log(factor) - square.
    let is_upper = x > 0.0;
    let rest = Double::sum(1.0, -tail.high);
    let rest_low = rest.low - tail.low;
    let high = if is_upper { rest.high } else { factor.high };
    let low = if is_upper { rest_low } else { factor.low };
    let log = log_in_two_parts(high);
    let low = log.low + low / high;
    let upper = log.high + low;
    let lower = (log.high + (low - square.low)) - square.high;
    if is_upper { upper } else { lower }
}
