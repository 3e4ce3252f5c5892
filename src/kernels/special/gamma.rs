//! The gamma function, its logarithm, and the logarithm's first three derivatives.

use super::coefficients::{BERNOULLI, LGAMMA_1P, LGAMMA_CORRECTION};
use crate::kernels::simd::alone;
use std::f64::consts::PI;

/// From here on ten terms of the asymptotic series reach 1e-17 of the result.
const ASYMPTOTIC_FROM: f64 = 10.0;

/// ln |Γ(x)|; ∞ at 0 and the negative integers.
///
/// Within 2 ulp for positive x; for negative x the error is absolute, about 1e-16 (1 + |ln Γ|), near the zeros that lie
/// between the integers.
pub fn lgamma(x: f64) -> f64 {
    if x > 0.0 {
        alone::lgamma(x)
    } else {
        libm::lgamma(x)
    }
}

/// Γ(x); NaN at the negative integers, ±∞ at ±0.
pub fn tgamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// ln Γ(1 + x) without cancellation near x = 0.
pub fn lgamma_1p(x: f64) -> f64 {
    if x.abs() <= 0.5 {
        x * polynomial(&LGAMMA_1P, x)
    } else {
        lgamma(1.0 + x)
    }
}

/// The error of Stirling's formula, ln Γ(x) - ((x - 1/2) ln x - x + ln(2π)/2), for x > 0. DLMF 5.11.1.
pub fn lgamma_stirling_correction(x: f64) -> f64 {
    if x < ASYMPTOTIC_FROM {
        let half_log_two_pi = 0.918_938_533_204_672_7;
        return lgamma(x) - ((x - 0.5) * x.ln() - x + half_log_two_pi);
    }
    let inverse = 1.0 / x;
    inverse * polynomial(&LGAMMA_CORRECTION, inverse * inverse)
}

/// ψ(x) = d ln Γ(x) / dx; NaN at 0 and the negative integers.
///
/// Within 2 ulp for positive x; reflection (DLMF 5.5.4) for negative x.
pub fn digamma(x: f64) -> f64 {
    if x > 0.0 {
        return alone::digamma(x);
    }
    if x == x.floor() || x.is_nan() {
        return f64::NAN;
    }
    digamma(1.0 - x) - PI * cot_pi(x)
}

/// ψ'(x); ∞ at 0 and the negative integers.
///
/// Within 2 ulp for positive x; reflection (DLMF 5.15.6) for negative x.
pub fn trigamma(x: f64) -> f64 {
    if x > 0.0 {
        return alone::trigamma(x);
    }
    if x == x.floor() {
        return f64::INFINITY;
    }
    if x.is_nan() {
        return x;
    }
    let s = PI / sin_pi(x);
    s * s - trigamma(1.0 - x)
}

/// ψ''(x), the derivative of [`trigamma`]; NaN at 0 and the negative integers.
pub fn tetragamma(x: f64) -> f64 {
    if x <= 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        // Derivative of ψ'(x) = (π / sin πx)² - ψ'(1 - x).
        let s = PI / sin_pi(x);
        return tetragamma(1.0 - x) - 2.0 * PI * s * s * cot_pi(x);
    }
    let mut shifted = x;
    let mut sum = 0.0;
    while shifted < ASYMPTOTIC_FROM {
        sum -= 2.0 / (shifted * shifted * shifted);
        shifted += 1.0;
    }
    let square = 1.0 / (shifted * shifted);
    let mut tail = 0.0;
    for (k, bernoulli) in BERNOULLI.iter().enumerate().rev() {
        // Term by term the derivative of B_2k x^-(2k+1).
        tail = tail * square + bernoulli * (2 * k + 3) as f64;
    }
    sum - square * (1.0 + (1.0 / shifted) + square * tail)
}

/// sin πx with exact reduction, so that the neighbourhood of integers is precise.
fn sin_pi(x: f64) -> f64 {
    let nearest = x.round();
    let sine = (PI * (x - nearest)).sin();
    if nearest % 2.0 == 0.0 { sine } else { -sine }
}

fn cot_pi(x: f64) -> f64 {
    let offset = x - x.round();
    if offset.abs() < 0.25 {
        1.0 / (PI * offset).tan()
    } else {
        // Around the zero at one half the complement is exact.
        (PI * (0.5 - offset.abs())).tan().copysign(offset)
    }
}

/// Horner's rule, constant term first.
pub(super) fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients
        .iter()
        .rev()
        .fold(0.0, |sum, &coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_and_nan() {
        for pole in [0.0, -1.0, -7.0] {
            assert_eq!(lgamma(pole), f64::INFINITY);
            assert_eq!(trigamma(pole), f64::INFINITY);
            assert!(digamma(pole).is_nan() && tetragamma(pole).is_nan());
        }
        for f in [lgamma, tgamma, digamma, trigamma, tetragamma, lgamma_1p] {
            assert!(f(f64::NAN).is_nan());
        }
        assert_eq!(digamma(f64::INFINITY), f64::INFINITY);
        assert_eq!(trigamma(f64::INFINITY), 0.0);
    }
}
