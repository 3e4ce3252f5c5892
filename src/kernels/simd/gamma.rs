//! The logarithm of the gamma function, and its first two derivatives, of positive numbers.
//!
//! From 5/2 or 2 on they are Stirling's series (DLMF 5.11), with a polynomial in 1/x² fitted to its sum. From there down to
//! 1 they are polynomials, times the distances from the function's zeros, so that they keep their relative precision there;
//! and below 1 the recurrences (DLMF 5.5) lead there. Zero, negative numbers and NaN are left to
//! [`special`](crate::kernels::special).

use super::coefficients::{
    DIGAMMA_FAR, DIGAMMA_NEAR, DIGAMMA_ROOT, DIGAMMA_ROOT_REST, LGAMMA_FAR, LGAMMA_NEAR,
    TRIGAMMA_FAR, TRIGAMMA_NEAR,
};
use super::double::Double;
use super::elementary::{log_in_two_parts, polynomial};
use super::pieces::Pieces;
use crate::kernels::special;

/// From here on Stirling's series serves ln Γ and ψ.
pub(super) const FAR_FROM: f64 = 2.5;

/// ln Γ.
#[derive(Clone, Copy)]
pub(super) struct Lgamma;

impl Pieces for Lgamma {
    #[inline(always)]
    fn is_simple(self, x: f64) -> bool {
        x >= FAR_FROM
    }

    #[inline(always)]
    fn simple(self, x: f64) -> f64 {
        lgamma_far(x, log_in_two_parts(x), 1.0 / x)
    }

    #[inline(always)]
    fn other(self, x: f64) -> f64 {
        let shift = Shift::new(x);
        let log = log_in_two_parts(shift.product);
        shift.lgamma(log, 1.0 / shift.product)
    }

    #[inline(always)]
    fn either(self, x: f64) -> f64 {
        let is_far = self.is_simple(x);
        let shift = Shift::new(x);
        let of_log = if is_far { x } else { shift.product };
        let (log, inverse) = (log_in_two_parts(of_log), 1.0 / of_log);
        let (far, near) = (lgamma_far(x, log, inverse), shift.lgamma(log, inverse));
        if is_far { far } else { near }
    }

    #[inline(always)]
    fn is_rare(self, x: f64) -> bool {
        x.is_nan() || x <= 0.0
    }

    #[inline(always)]
    fn rare(self, x: f64) -> f64 {
        special::lgamma(x)
    }
}

/// ln Γ(x) = ln Γ(2 + t) - log(product + lost), where 1 ≤ 2 + t < 5/2.
struct Shift {
    t: f64,
    product: f64,
    lost: f64,
}

impl Shift {
    #[inline(always)]
    fn new(x: f64) -> Shift {
        let (once, twice) = (x < 1.0, x < 0.5);
        // x (1 + x), and what its rounding lost.
        let product = x.mul_add(x, x);
        let lost = x.mul_add(x, x - product);
        let (t, below) = (x - 2.0, x - 1.0);
        let product = if twice { product } else { x };
        let t = if once { below } else { t };
        Shift {
            t: if twice { x } else { t },
            product: if once { product } else { 1.0 },
            lost: if twice { lost } else { 0.0 },
        }
    }

    #[inline(always)]
    fn lgamma(&self, log: Double, inverse: f64) -> f64 {
        let factor = polynomial(&LGAMMA_NEAR, self.t + 0.25);
        let distances = Double::product(self.t, self.t + 1.0);
        // So close to 0 that nothing is lost the inverse may be infinite.
        let lost = if self.lost == 0.0 {
            0.0
        } else {
            self.lost * inverse
        };
        let low = log.low + lost;
        let low = distances.low.mul_add(factor, -low);
        distances.high.mul_add(factor, low) - log.high
    }
}

/// The error of Stirling's formula, ln Γ(x) - ((x - 1/2) ln x - x + ln(2π)/2), for x ≥ 5/2.
#[inline(always)]
pub(super) fn stirling_error(x: f64) -> f64 {
    let inverse = 1.0 / x;
    inverse * polynomial(&LGAMMA_FAR, inverse * inverse)
}

/// (x - 1/2) (ln x - 1) + ln(2π)/2 - 1/2 + a correction.
#[inline(always)]
fn lgamma_far(x: f64, log: Double, inverse: f64) -> f64 {
    const HALF_LOG_TWO_PI_LESS_HALF: f64 = 0.418_938_533_204_672_7;
    let correction = polynomial(&LGAMMA_FAR, inverse * inverse);
    let less_one = Double::sum(log.high, -1.0);
    let power = x - 0.5;
    let product = Double::product(power, less_one.high);
    let low = power.mul_add(less_one.low + log.low, product.low)
        + inverse.mul_add(correction, HALF_LOG_TWO_PI_LESS_HALF);
    // An infinity leaves nothing over.
    let low = if product.high < f64::INFINITY {
        low
    } else {
        0.0
    };
    product.high + low
}

/// ψ.
#[derive(Clone, Copy)]
pub(super) struct Digamma;

impl Pieces for Digamma {
    #[inline(always)]
    fn is_simple(self, x: f64) -> bool {
        x >= FAR_FROM
    }

    #[inline(always)]
    fn simple(self, x: f64) -> f64 {
        digamma_far(x, 1.0 / x)
    }

    #[inline(always)]
    fn other(self, x: f64) -> f64 {
        digamma_near(x, 1.0 / x)
    }

    #[inline(always)]
    fn is_rare(self, x: f64) -> bool {
        x.is_nan() || x <= 0.0
    }

    #[inline(always)]
    fn rare(self, x: f64) -> f64 {
        special::digamma(x)
    }
}

#[inline(always)]
fn digamma_far(x: f64, inverse: f64) -> f64 {
    let square = inverse * inverse;
    let log = log_in_two_parts(x);
    let rest = square.mul_add(polynomial(&DIGAMMA_FAR, square), 0.5 * inverse);
    let result = log.high + (log.low - rest);
    if x == f64::INFINITY { x } else { result }
}

#[inline(always)]
fn digamma_near(x: f64, inverse: f64) -> f64 {
    // ψ(x) = ψ(x + 1) - 1/x, and what the division lost.
    let is_below = x < 1.0;
    let lost = x.mul_add(-inverse, 1.0) * inverse;
    // So close to 0 that is infinity times 0.
    let is_lost = is_below && x > 1e-290;
    let fraction = if is_below { inverse } else { 0.0 };
    let lost = if is_lost { lost } else { 0.0 };
    let above = x + 1.0;
    let x = if is_below { above } else { x };
    let factor = polynomial(&DIGAMMA_NEAR, x - 1.75);
    let near = (x - DIGAMMA_ROOT).mul_add(factor, (-DIGAMMA_ROOT_REST).mul_add(factor, -lost));
    near - fraction
}

/// From here on the asymptotic series serves ψ'.
const TRIGAMMA_FAR_FROM: f64 = 2.0;

/// ψ'.
#[derive(Clone, Copy)]
pub(super) struct Trigamma;

impl Pieces for Trigamma {
    #[inline(always)]
    fn is_simple(self, x: f64) -> bool {
        x >= TRIGAMMA_FAR_FROM
    }

    #[inline(always)]
    fn simple(self, x: f64) -> f64 {
        trigamma_far(1.0 / x)
    }

    #[inline(always)]
    fn other(self, x: f64) -> f64 {
        trigamma_near(x, 1.0 / x)
    }

    #[inline(always)]
    fn is_rare(self, x: f64) -> bool {
        x.is_nan() || x <= 0.0
    }

    #[inline(always)]
    fn rare(self, x: f64) -> f64 {
        special::trigamma(x)
    }
}

#[inline(always)]
fn trigamma_far(inverse: f64) -> f64 {
    let square = inverse * inverse;
    let tail = inverse.mul_add(polynomial(&TRIGAMMA_FAR, square), 0.5);
    square.mul_add(tail, inverse)
}

#[inline(always)]
fn trigamma_near(x: f64, inverse: f64) -> f64 {
    // ψ'(x) = ψ'(x + 1) + 1/x², and what division and square lost.
    let is_below = x < 1.0;
    let square = Double::product(inverse, inverse);
    let lost = x.mul_add(-inverse, 1.0) * inverse;
    let lost = (2.0 * inverse).mul_add(lost, square.low);
    // So close to 0 that is infinity less infinity.
    let is_lost = is_below && x > 1e-140;
    let fraction = if is_below { square.high } else { 0.0 };
    let lost = if is_lost { lost } else { 0.0 };
    let above = x + 1.0;
    let x = if is_below { above } else { x };
    fraction + (polynomial(&TRIGAMMA_NEAR, x - 1.5) + lost)
}
