//! Logarithms of sums and differences of exponentials, and the link functions built on them, without cancellation.

use std::f64::consts::LN_2;

/// ln(1 - x); -∞ at 1, NaN above.
#[inline]
pub fn log1m(x: f64) -> f64 {
    (-x).ln_1p()
}

/// ln(1 - e^x) for x ≤ 0; -∞ at 0, NaN above. Mächler, "Accurately computing log(1 - exp(-|a|))" (2012), equation 7.
pub fn log1m_exp(x: f64) -> f64 {
    if x > -LN_2 {
        (-x.exp_m1()).ln()
    } else {
        (-x.exp()).ln_1p()
    }
}

/// ln(1 + e^x), the softplus.
pub fn log1p_exp(x: f64) -> f64 {
    if x > 0.0 {
        x + (-x).exp().ln_1p()
    } else {
        x.exp().ln_1p()
    }
}

/// ln(e^x + e^y).
pub fn log_sum_exp(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let (low, high) = if x < y { (x, y) } else { (y, x) };
    // Equal infinities would give ∞ - ∞.
    if low == f64::NEG_INFINITY || high == f64::INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

/// ln(e^x - e^y) for x ≥ y; -∞ when they are equal and finite (or both -∞), NaN when x < y.
pub fn log_diff_exp(x: f64, y: f64) -> f64 {
    if x == y && x < f64::INFINITY {
        f64::NEG_INFINITY
    } else {
        x + log1m_exp(y - x)
    }
}

/// ln(θ e^x + (1 - θ) e^y), the log density of a two-component mixture; θ in [0, 1].
pub fn log_mix(theta: f64, x: f64, y: f64) -> f64 {
    log_sum_exp(theta.ln() + x, log1m(theta) + y)
}

/// ln(p / (1 - p)) for p in [0, 1], with full relative precision around 1/2.
pub fn logit(p: f64) -> f64 {
    if (0.25..=0.75).contains(&p) {
        // 2p - 1 is exact here.
        ((2.0 * p - 1.0) / (1.0 - p)).ln_1p()
    } else {
        (p / (1.0 - p)).ln()
    }
}

/// 1 / (1 + e^-x).
pub fn inv_logit(x: f64) -> f64 {
    if x < 0.0 {
        let e = x.exp();
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + (-x).exp())
    }
}

/// ln inv_logit(x) = -ln(1 + e^-x).
pub fn log_inv_logit(x: f64) -> f64 {
    -log1p_exp(-x)
}

/// ln(1 - inv_logit(x)) = -ln(1 + e^x).
pub fn log1m_inv_logit(x: f64) -> f64 {
    -log1p_exp(x)
}

/// ln(inv_logit(x) - inv_logit(y)) for x > y.
pub fn log_inv_logit_diff(x: f64, y: f64) -> f64 {
    // inv_logit(x) - inv_logit(y) = inv_logit(x) (1 - inv_logit(y)) (1 - e^(y - x)); each factor is well conditioned.
    log_inv_logit(x) + log1m_inv_logit(y) + log1m_exp(y - x)
}

/// The complementary log-log link ln(-ln(1 - p)) for p in [0, 1].
pub fn cloglog(p: f64) -> f64 {
    (-log1m(p)).ln()
}

/// Its inverse, 1 - exp(-e^x).
pub fn inv_cloglog(x: f64) -> f64 {
    -(-x.exp()).exp_m1()
}

/// x ln y, and 0 for x = y = 0.
pub fn multiply_log(x: f64, y: f64) -> f64 {
    if x == 0.0 && y == 0.0 {
        0.0
    } else {
        x * y.ln()
    }
}

/// x ln y, and 0 for x = y = 0: the other name of [`multiply_log`].
pub fn lmultiply(x: f64, y: f64) -> f64 {
    multiply_log(x, y)
}

/// The log loss of predicting probability p for an outcome y of 0 or 1: -ln p if y is not 0, else -ln(1 - p).
pub fn binary_log_loss(y: f64, p: f64) -> f64 {
    if y != 0.0 { -p.ln() } else { -log1m(p) }
}

/// ln(1 + x) - x without cancellation near 0.
///
/// With s = x / (2 + x): ln(1 + x) = 2 artanh s, and x - 2s = s x, so the difference is -s x + 2 (s³/3 + s⁵/5 + ...).
pub fn log1p_minus(x: f64) -> f64 {
    if !(-0.4..=0.65).contains(&x) {
        return x.ln_1p() - x;
    }
    let s = x / (2.0 + x);
    let square = s * s;
    let mut power = 1.0;
    let mut sum = 0.0;
    // s² < 1/16 here: 15 terms reach 1e-18 of the first.
    for k in 0..15 {
        sum += power / f64::from(2 * k + 3);
        power *= square;
    }
    s * (2.0 * square * sum - x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_exact() {
        let inf = f64::INFINITY;
        let same = [
            (log_sum_exp(-inf, -inf), -inf),
            (log_sum_exp(inf, inf), inf),
            (log_sum_exp(-inf, 3.0), 3.0),
            (log_sum_exp(inf, -inf), inf),
            (log_diff_exp(2.0, 2.0), -inf),
            (log_diff_exp(2.0, -inf), 2.0),
            (log_diff_exp(-inf, -inf), -inf),
            (log1m_exp(0.0), -inf),
            (log1p_exp(-inf), 0.0),
            (log1p_exp(1e10), 1e10),
            (inv_logit(-inf), 0.0),
            (inv_logit(inf), 1.0),
            (logit(0.5), 0.0),
            (logit(0.0), -inf),
            (logit(1.0), inf),
            (multiply_log(0.0, 0.0), 0.0),
            (log_mix(1.0, -2.5, 7.0), -2.5),
            (inv_cloglog(-inf), 0.0),
        ];
        for (k, (got, want)) in same.into_iter().enumerate() {
            assert_eq!(got, want, "case {k}");
        }
        let nan = f64::NAN;
        for x in [
            log_sum_exp(nan, 1.0),
            log_sum_exp(1.0, nan),
            log_diff_exp(1.0, 2.0),
            log1m_exp(0.1),
            log1p_exp(nan),
        ] {
            assert!(x.is_nan());
        }
    }
}
