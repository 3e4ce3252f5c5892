//! Beta functions, binomial coefficients, factorial powers and the multivariate gamma function.

use super::gamma::{lgamma, lgamma_stirling_correction, tgamma};
use crate::kernels::simd;
use std::f64::consts::{LN_2, PI};

/// Where Stirling's formula with its correction replaces direct evaluation.
const STIRLING_FROM: f64 = 10.0;
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// ln B(a, b) = ln Γ(a) + ln Γ(b) - ln Γ(a + b) for a, b ≥ 0; ∞ if either is 0.
///
/// Within 3 ulp of the larger in size of the value and 1.
pub fn lbeta(a: f64, b: f64) -> f64 {
    if simd::beta::is_regular(a, b) {
        return simd::beta::lbeta_alone(a, b);
    }
    if a.is_nan() || b.is_nan() || a < 0.0 || b < 0.0 {
        return f64::NAN;
    }
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small == 0.0 {
        return f64::INFINITY;
    }
    if large == f64::INFINITY {
        return f64::NEG_INFINITY;
    }
    // One is tiny, or one is huge and Stirling's formula without an error. Sums of huge ones may overflow, halves do not.
    let half_sum = 0.5 * small + 0.5 * large;
    if small < STIRLING_FROM {
        return lgamma(small) + small * (1.0 - LN_2 - half_sum.ln())
            - (large - 0.5) * (small / large).ln_1p();
    }
    HALF_LOG_TWO_PI + lgamma_stirling_correction(small) - 0.5 * large.ln()
        + (small - 0.5) * (0.5 * small / half_sum).ln()
        + large * (-0.5 * small / half_sum).ln_1p()
}

/// B(a, b) for a, b > 0.
pub fn beta(a: f64, b: f64) -> f64 {
    if a >= 1e-300 && b >= 1e-300 && a < STIRLING_FROM && b < STIRLING_FROM {
        tgamma(a) * (tgamma(b) / tgamma(a + b))
    } else {
        lbeta(a, b).exp()
    }
}

/// ln of the binomial coefficient "n over k" for real n ≥ 0 and 0 ≤ k ≤ n (continued to -1 ≤ k ≤ n + 1, where the
/// coefficient reaches 0 and the result -∞); NaN outside.
pub fn lchoose(n: f64, k: f64) -> f64 {
    if k == 0.0 || k == n {
        return 0.0;
    }
    -lbeta(n - k + 1.0, k + 1.0) - n.ln_1p()
}

/// The binomial coefficient for integral n ≥ 0 and k; 0 for k outside [0, n]. Exact up to 2^53.
pub fn choose(n: f64, k: f64) -> f64 {
    if n.is_nan() || k.is_nan() || n < 0.0 {
        return f64::NAN;
    }
    let k = k.min(n - k);
    if k < 0.0 {
        return 0.0;
    }
    // A product of more factors has long overflowed or lost its digits.
    if k > 1000.0 {
        return lchoose(n, k).exp();
    }
    let mut result = 1.0;
    for i in 1..=(k as i64) {
        // Exact: a product of i consecutive integers is divisible by i!.
        result = result * (n - k + i as f64) / i as f64;
    }
    result
}

/// x (x - 1) ... (x - n + 1) for an integral n ≥ 0; NaN for negative n.
pub fn falling_factorial(x: f64, n: f64) -> f64 {
    factorial_power(x, n, -1.0)
}

/// x (x + 1) ... (x + n - 1) for an integral n ≥ 0; NaN for negative n.
pub fn rising_factorial(x: f64, n: f64) -> f64 {
    factorial_power(x, n, 1.0)
}

fn factorial_power(x: f64, n: f64, step: f64) -> f64 {
    if x.is_nan() || n.is_nan() || n < 0.0 {
        return f64::NAN;
    }
    // No product of a million consecutive numbers is both nonzero and finite.
    let count = n.min(1e6) as i64;
    let mut result = 1.0;
    for i in 0..count {
        result *= x + step * i as f64;
        if result == 0.0 || result.is_infinite() {
            break;
        }
    }
    result
}

/// ln Γ(x + n) - ln Γ(x), the log of the rising factorial continued to real n.
pub fn log_rising_factorial(x: f64, n: f64) -> f64 {
    if x >= STIRLING_FROM && n > 0.0 {
        lgamma(n) - lbeta(x, n)
    } else {
        lgamma(x + n) - lgamma(x)
    }
}

/// ln Γ(x + 1) - ln Γ(x - n + 1), the log of the falling factorial continued to real n.
pub fn log_falling_factorial(x: f64, n: f64) -> f64 {
    log_rising_factorial(x - n + 1.0, n)
}

/// ln of the multivariate gamma function of integral order k ≥ 0 (DLMF 35.3.4):
/// k (k - 1)/4 ln π + Σ_{j<k} ln Γ(x - j/2), for x > (k - 1)/2.
pub fn lmgamma(k: f64, x: f64) -> f64 {
    let mut sum = 0.25 * k * (k - 1.0) * PI.ln();
    let mut j = 0.0;
    while j < k {
        sum += lgamma(x - 0.5 * j);
        j += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integral_cases_are_exact() {
        let same = [
            (choose(5.0, 2.0), 10.0),
            (choose(52.0, 26.0), 495_918_532_948_104.0),
            (choose(5.0, 6.0), 0.0),
            (choose(5.0, -1.0), 0.0),
            (choose(0.0, 0.0), 1.0),
            (falling_factorial(5.0, 3.0), 60.0),
            (falling_factorial(2.0, 4.0), 0.0),
            (rising_factorial(-2.5, 2.0), 3.75),
            (rising_factorial(3.0, 0.0), 1.0),
            (lchoose(7.0, 0.0), 0.0),
            (lchoose(7.0, 7.0), 0.0),
            (lchoose(7.0, 8.0), f64::NEG_INFINITY),
            (lbeta(0.0, 3.0), f64::INFINITY),
            (lbeta(1.0, 1.0), 0.0),
            (lmgamma(0.0, 3.0), 0.0),
        ];
        for (k, (got, want)) in same.into_iter().enumerate() {
            assert_eq!(got, want, "case {k}");
        }
        assert!(
            lbeta(-1.0, 2.0).is_nan()
                && choose(-1.0, 1.0).is_nan()
                && rising_factorial(1.0, -1.0).is_nan()
        );
        assert!(lmgamma(2.0, f64::NAN).is_nan() && falling_factorial(f64::NAN, 2.0).is_nan());
    }
}
