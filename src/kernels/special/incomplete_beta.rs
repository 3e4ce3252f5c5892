//! The regularised incomplete beta function, its logarithm, its derivatives in all three arguments, and its inverse.
//!
//! DLMF 8.17: the power series 8.17.7 when the second parameter is at most 1, otherwise the even part of the continued
//! fraction 8.17.22 as arranged by Didonato and Morris, "Algorithm 708" (1992), equation 9; the reflection 8.17.4
//! exchanges the parameters so that both converge. Derivatives with respect to the parameters differentiate the
//! expansions (see [`super::dual`]).

use super::combinatorics::lbeta;
use super::dual::{Dual, Number};
use super::gamma::{digamma, lgamma_stirling_correction};
use super::logarithmic::{log1m_exp, log1p_minus};
use std::f64::consts::PI;

/// Bounds the loops; the fraction takes about √max(a, b) steps near its transition.
const MAX_TERMS: usize = 1_000_000;
/// Up to where the power series is used: within a hundred terms for most second parameters, within some hundred for
/// small ones, whose reflection would cancel.
fn series_reaches(b: f64, x: f64) -> bool {
    b <= 1.0 && x <= if b < 0.1 { 0.95 } else { 0.7 }
}

/// I_x(a, b) for a, b > 0 and x in [0, 1]: the beta distribution's cdf.
pub fn inc_beta(a: f64, b: f64, x: f64) -> f64 {
    if in_domain(a, b, x) {
        tails(a, b, x, 1.0 - x).0
    } else {
        f64::NAN
    }
}

/// ∂I_x(a, b)/∂a.
pub fn inc_beta_da(a: f64, b: f64, x: f64) -> f64 {
    if !in_domain(a, b, x) {
        return f64::NAN;
    }
    tails(Dual::<1>::parameter(a, 0), Dual::constant(b), x, 1.0 - x)
        .0
        .partials[0]
}

/// ∂I_x(a, b)/∂b.
pub fn inc_beta_db(a: f64, b: f64, x: f64) -> f64 {
    if !in_domain(a, b, x) {
        return f64::NAN;
    }
    tails(Dual::<1>::constant(a), Dual::parameter(b, 0), x, 1.0 - x)
        .0
        .partials[0]
}

/// ∂I_x(a, b)/∂x = x^(a-1) (1-x)^(b-1) / B(a, b).
pub fn inc_beta_dx(a: f64, b: f64, x: f64) -> f64 {
    if !in_domain(a, b, x) {
        return f64::NAN;
    }
    let y = 1.0 - x;
    if x == 0.0 || y == 0.0 {
        // Only one power vanishes or blows up; the other is 1.
        let shape = if x == 0.0 { a } else { b };
        return if shape < 1.0 {
            f64::INFINITY
        } else if shape > 1.0 {
            0.0
        } else {
            (-lbeta(a, b)).exp()
        };
    }
    (log_kernel(a, b, x, y) - x.ln() - log_of(y, x)).exp()
}

/// ln I_x(a, b), also where I underflows.
pub fn log_inc_beta(a: f64, b: f64, x: f64) -> f64 {
    if in_domain(a, b, x) {
        log_tails(a, b, x, 1.0 - x).0
    } else {
        f64::NAN
    }
}

/// ln(1 - I_x(a, b)), also where the difference underflows.
pub fn log_inc_beta_complement(a: f64, b: f64, x: f64) -> f64 {
    if in_domain(a, b, x) {
        log_tails(a, b, x, 1.0 - x).1
    } else {
        f64::NAN
    }
}

/// The x with I_x(a, b) = p, for a, b > 0 and p in [0, 1].
pub fn inv_inc_beta(a: f64, b: f64, p: f64) -> f64 {
    if in_domain(a, b, p) {
        quantile(a, b, p, 1.0 - p).0
    } else {
        f64::NAN
    }
}

fn in_domain(a: f64, b: f64, x: f64) -> bool {
    a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite() && (0.0..=1.0).contains(&x)
}

enum Expansion {
    Series,
    Fraction,
}

/// Which of I_x(a, b) (true) and I_y(b, a) (false) to expand, and how.
fn expansion(a: f64, b: f64, x: f64, y: f64) -> (bool, Expansion) {
    if series_reaches(b, x) {
        (true, Expansion::Series)
    } else if series_reaches(a, y) {
        (false, Expansion::Series)
    } else {
        (x * (a + b + 2.0) <= a + 1.0, Expansion::Fraction)
    }
}

/// I_x(a, b) and its complement, where y = 1 - x is given apart so that either may be tiny.
pub(super) fn tails<N: Number>(a: N, b: N, x: f64, y: f64) -> (N, N) {
    let (zero, one) = (N::constant(0.0), N::constant(1.0));
    if x == 0.0 {
        return (zero, one);
    }
    if y == 0.0 {
        return (one, zero);
    }
    let (is_lower, expansion) = expansion(a.value(), b.value(), x, y);
    let (a, b, x, y) = if is_lower { (a, b, x, y) } else { (b, a, y, x) };
    let tail = match expansion {
        Expansion::Series => kernel(a, b, x, y, true) * series(a, b, x),
        Expansion::Fraction => kernel(a, b, x, y, false) * fraction(a, b, x, y),
    };
    if is_lower {
        (tail, one - tail)
    } else {
        (one - tail, tail)
    }
}

/// The logarithms of [`tails`].
pub(super) fn log_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x == 0.0 {
        return (f64::NEG_INFINITY, 0.0);
    }
    if y == 0.0 {
        return (0.0, f64::NEG_INFINITY);
    }
    let (is_lower, expansion) = expansion(a, b, x, y);
    let (a, b, x, y) = if is_lower { (a, b, x, y) } else { (b, a, y, x) };
    let log_tail = match expansion {
        Expansion::Series => a * log_of(x, y) - lbeta(a, b) + series(a, b, x).ln(),
        Expansion::Fraction => log_kernel(a, b, x, y) + fraction(a, b, x, y).ln(),
    };
    let other = log1m_exp(log_tail);
    if is_lower {
        (log_tail, other)
    } else {
        (other, log_tail)
    }
}

/// ln x given y = 1 - x, from whichever is the more precise.
fn log_of(x: f64, y: f64) -> f64 {
    if y < 0.5 { (-y).ln_1p() } else { x.ln() }
}

/// ln(x^a y^b / B(a, b)). When both parameters are large the cancelling parts are combined by hand: with
/// d = b x - a y it is a (ln(1 + d/a) - d/a) + b (ln(1 - d/b) + d/b) plus its value at the mode.
pub(super) fn log_kernel(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if a < 10.0 || b < 10.0 {
        return a * log_of(x, y) + b * log_of(y, x) - lbeta(a, b);
    }
    let d = difference_of_products(b, x, a, y);
    let correction = lgamma_stirling_correction(a + b)
        - lgamma_stirling_correction(a)
        - lgamma_stirling_correction(b);
    // Far from the mode 1 + d/a would lose the digits of x.
    let part = |ratio: f64, relative: f64| {
        if ratio < -0.3 {
            relative.ln() - ratio
        } else {
            log1p_minus(ratio)
        }
    };
    let sum = a + b;
    a * part(d / a, x * sum / a)
        + b * part(-d / b, y * sum / b)
        + correction
        + 0.5 * (a / (2.0 * PI) * (b / (a + b))).ln()
}

/// x^a y^b / B(a, b), or x^a / B(a, b) if `without_y`.
fn kernel<N: Number>(a: N, b: N, x: f64, y: f64, without_y: bool) -> N {
    let (first, second) = (a.value(), b.value());
    let log_y = if without_y { 0.0 } else { log_of(y, x) };
    let value = if without_y {
        (first * log_of(x, y) - lbeta(first, second)).exp()
    } else {
        log_kernel(first, second, x, y).exp()
    };
    let sum = || digamma(first + second);
    let by_first = a.chain(value, || value * (log_of(x, y) - digamma(first) + sum()));
    let by_second = b.chain(0.0, || value * (log_y - digamma(second) + sum()));
    by_first + by_second
}

/// 1/a + Σ_{n≥1} (1-b)(2-b)...(n-b)/n! x^n / (a + n); all terms positive for b ≤ 1.
fn series<N: Number>(a: N, b: N, x: f64) -> N {
    let mut power = N::constant(1.0);
    let mut sum = N::constant(1.0) / a;
    for n in 1..MAX_TERMS {
        let n = n as f64;
        power = power * (-b).shift(n).scale(x / n);
        let term = power / a.shift(n);
        sum = sum + term;
        // For b = 1 the terms vanish, but their derivatives do not.
        if term.is_negligible_beside(sum) && power.is_negligible_beside(sum) {
            break;
        }
    }
    sum
}

/// I_x(a, b) B(a, b) / (x^a y^b) by the continued fraction, for x (a + b + 2) ≤ a + 1; Lentz's method.
fn fraction<N: Number>(a: N, b: N, x: f64, y: f64) -> N {
    let one = N::constant(1.0);
    let lambda_value = difference_of_products(a.value(), y, b.value(), x);
    let lambda = a.chain(lambda_value, || y) + b.chain(0.0, || -x);
    let mut denominator = a / a.shift(1.0) * lambda.shift(1.0);
    let mut c = N::constant(1e300);
    let mut d = one / denominator;
    let mut result = d;
    for n in 1..MAX_TERMS {
        let n = n as f64;
        let odd = a.shift(2.0 * n - 1.0);
        let shared = b.shift(-n).scale(n * x) / odd;
        let numerator = a.shift(n - 1.0) * (a + b).shift(n - 1.0) * shared.scale(x) / odd;
        denominator = shared.shift(n)
            + a.shift(n) / a.shift(2.0 * n + 1.0) * lambda.shift(1.0 + n * (1.0 + y));
        d = one / (numerator * d + denominator);
        c = denominator + numerator / c;
        let before = result;
        result = result * (c * d);
        if (result - before).is_negligible_beside(result) {
            break;
        }
    }
    result
}

/// a·x - b·y with one rounding of the result (Kahan).
fn difference_of_products(a: f64, x: f64, b: f64, y: f64) -> f64 {
    let second = b * y;
    let error = b.mul_add(-y, second);
    a.mul_add(x, -second) + error
}

/// (x, 1 - x) with I_x(a, b) = p, where q = 1 - p is given apart.
///
/// Newton's method for ln I (or ln(1 - I) in the upper half) as a function of logit x, which is concave because the
/// density of logit x is log-concave; a bracket catches steps that leave it.
pub(super) fn quantile(a: f64, b: f64, p: f64, q: f64) -> (f64, f64) {
    if p == 0.0 {
        return (0.0, 1.0);
    }
    if q == 0.0 {
        return (1.0, 0.0);
    }
    let upper_half = p > 0.5;
    let target = if upper_half { q.ln() } else { p.ln() };
    // Beyond ±745 either x or 1 - x is below the least positive double.
    let (mut low, mut high) = (-746.0, 746.0);
    let mut u = (a / b).ln().clamp(low, high);
    let split = |u: f64| {
        let e = (-u.abs()).exp();
        let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
        if u < 0.0 {
            (small, large)
        } else {
            (large, small)
        }
    };
    for _ in 0..200 {
        let (x, y) = split(u);
        let (log_lower, log_upper) = log_tails(a, b, x, y);
        let log_tail = if upper_half { log_upper } else { log_lower };
        // Positive if u is too far right.
        let excess = if upper_half {
            target - log_tail
        } else {
            log_tail - target
        };
        if excess > 0.0 {
            high = u;
        } else {
            low = u;
        }
        let slope = (log_kernel(a, b, x, y) - log_tail).exp();
        let step = excess / slope;
        let next = u - step;
        let tolerance = 2.0 * f64::EPSILON * u.abs().max(1.0);
        if step.abs() <= tolerance || high - low <= tolerance {
            break;
        }
        u = if next > low && next < high {
            next
        } else {
            0.5 * (low + high)
        };
    }
    split(u)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_the_domain() {
        assert_eq!(
            (inc_beta(2.0, 3.0, 0.0), inc_beta(2.0, 3.0, 1.0)),
            (0.0, 1.0)
        );
        assert_eq!(
            (inv_inc_beta(2.0, 3.0, 0.0), inv_inc_beta(2.0, 3.0, 1.0)),
            (0.0, 1.0)
        );
        assert_eq!(
            (inc_beta_dx(0.5, 2.0, 0.0), inc_beta_dx(2.0, 2.0, 1.0)),
            (f64::INFINITY, 0.0)
        );
        assert!((inc_beta_dx(1.0, 3.0, 0.0) - 3.0).abs() < 1e-14);
        for (a, b, x) in [
            (0.0, 1.0, 0.5),
            (1.0, -1.0, 0.5),
            (1.0, 1.0, 1.5),
            (f64::NAN, 1.0, 0.5),
            (1.0, 1.0, f64::NAN),
        ] {
            assert!(
                inc_beta(a, b, x).is_nan()
                    && inc_beta_db(a, b, x).is_nan()
                    && inv_inc_beta(a, b, x).is_nan()
            );
        }
    }

    #[test]
    fn quantile_inverts() {
        for (a, b) in [
            (0.01, 0.02),
            (0.5, 0.5),
            (1.0, 1.0),
            (3.0, 0.2),
            (50.0, 70.0),
            (1e6, 3.0),
        ] {
            for p in [1e-9, 0.01, 0.3, 0.5, 0.77, 0.999] {
                let (x, y) = quantile(a, b, p, 1.0 - p);
                if x < 1e-300 || y < 1e-300 {
                    continue;
                }
                let (lower, upper) = log_tails(a, b, x, y);
                let error = if p > 0.5 {
                    upper - (1.0 - p).ln()
                } else {
                    lower - p.ln()
                };
                assert!(error.abs() < 1e-12, "a = {a}, b = {b}, p = {p}: {error}");
            }
        }
    }
}
