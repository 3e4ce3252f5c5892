//! The two real branches of Lambert's W, the inverse of w e^w.

use super::coefficients::LAMBERT_BRANCH;
use super::gamma::polynomial;
use std::f64::consts::{E, SQRT_2};

/// What the constant [`E`] lacks of e.
const E_REST: f64 = 1.445_646_891_729_250_2e-16;
/// Below this p the series in p = √(2(ex + 1)) around the branch point is used as it stands (radius √2).
const SERIES_UP_TO: f64 = 0.2;

/// W_0(x) ≥ -1 for x ≥ -1/e.
pub fn lambert_w0(x: f64) -> f64 {
    if x == 0.0 || x == f64::INFINITY {
        return x;
    }
    let Some(p) = distance_from_branch(x) else {
        return f64::NAN;
    };
    if p < SERIES_UP_TO {
        return polynomial(&LAMBERT_BRANCH, p);
    }
    let guess = if x < 0.0 {
        p * (1.0 - p / 3.0 * (1.0 - 11.0 / 24.0 * p)) - 1.0
    } else {
        let log = x.ln_1p();
        log * (1.0 - log.ln_1p() / (2.0 + log))
    };
    // Where the guess starts from the branch point it loses its digits near 0, and so does x/w below.
    let guess = if x.abs() < 0.1 {
        x * (1.0 - x * (1.0 - 1.5 * x))
    } else {
        guess
    };
    refine(x, guess)
}

/// W_-1(x) ≤ -1 for -1/e ≤ x < 0; -∞ at 0 from below, NaN outside.
pub fn lambert_wm1(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x > 0.0 {
        return f64::NAN;
    }
    let Some(p) = distance_from_branch(x) else {
        return f64::NAN;
    };
    if p < SERIES_UP_TO {
        return polynomial(&LAMBERT_BRANCH, -p);
    }
    let guess = if x < -0.2 {
        polynomial(&LAMBERT_BRANCH, -p)
    } else {
        let log = (-x).ln();
        let log_log = (-log).ln();
        log - log_log + log_log / log
    };
    refine(x, guess)
}

/// √(2(ex + 1)), or nothing left of the branch point -1/e (up to rounding) and for NaN.
fn distance_from_branch(x: f64) -> Option<f64> {
    let q = x.mul_add(E, 1.0) + x * E_REST;
    if q >= 0.0 {
        Some(SQRT_2 * q.sqrt())
    } else if q > -1e-16 {
        Some(0.0)
    } else {
        None
    }
}

/// Fritsch, Shafer and Crowley, "Algorithm 443" (1973): a step of fourth order on ln(x/w) - w = 0.
fn refine(x: f64, mut w: f64) -> f64 {
    for _ in 0..6 {
        let z = (x / w).ln() - w;
        let q = 2.0 * (1.0 + w) * (1.0 + w + 2.0 / 3.0 * z);
        let change = z / (1.0 + w) * (q - z) / (q - 2.0 * z);
        w *= 1.0 + change;
        if change.abs() <= 1e-5 {
            break;
        }
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_the_domain() {
        assert_eq!(
            (lambert_w0(0.0), lambert_w0(f64::INFINITY)),
            (0.0, f64::INFINITY)
        );
        assert_eq!(lambert_wm1(0.0), f64::NEG_INFINITY);
        assert!(
            (lambert_w0(-1.0 / E) + 1.0).abs() < 1e-7 && (lambert_wm1(-1.0 / E) + 1.0).abs() < 1e-7
        );
        assert!(
            lambert_w0(-0.5).is_nan() && lambert_wm1(-0.5).is_nan() && lambert_wm1(0.5).is_nan()
        );
        assert!(lambert_w0(f64::NAN).is_nan() && lambert_wm1(f64::NAN).is_nan());
    }
}
