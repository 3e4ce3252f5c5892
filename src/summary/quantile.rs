//! Quantiles of draws, and their Monte Carlo standard errors.

use super::autocovariance::Transform;
use super::ess::effective_sample_size;
use super::ranks::split;

/// Probabilities that a normal deviate is below −1 and below 1: half their distance is one standard error.
const ONE_SIGMA: [f64; 2] = [0.158_655_253_931_457_05, 0.841_344_746_068_542_9];

/// Quantile of ascending values by linear interpolation between order statistics (type 7 of Hyndman and Fan 1996, the
/// default of R and NumPy). NaN without values.
pub fn quantile_of_sorted(sorted: &[f64], probability: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = last as f64 * probability.clamp(0.0, 1.0);
    let below = place.floor() as usize;
    let (low, high) = (sorted[below], sorted[last.min(below + 1)]);
    // Equal neighbours may be infinite, and must give themselves exactly.
    if low == high {
        low
    } else {
        low + (place - place.floor()) * (high - low)
    }
}

/// Monte Carlo standard error of a quantile of one variable, one slice of draws a chain. Of chains that differ in length
/// the draws count that every chain has.
///
/// As in posterior: the draws that count in favour of the quantile are binomial with the effective sample size of the
/// indicator, so the order statistics at the 16 % and 84 % quantiles of the matching beta distribution bracket it by
/// one standard error (Vehtari et al. 2021, section 4.4). NaN where the effective sample size is.
pub fn mcse_quantile(chains: &[&[f64]], probability: f64) -> f64 {
    let common = chains.iter().map(|chain| chain.len()).min().unwrap_or(0);
    let chains: Vec<&[f64]> = chains.iter().map(|chain| &chain[..common]).collect();
    let chains = chains.as_slice();
    let mut sorted = chains.concat();
    sorted.sort_unstable_by(f64::total_cmp);
    let quantile = quantile_of_sorted(&sorted, probability);
    let ess = ess_quantile(chains, quantile, &mut Transform::default());
    if ess.is_nan() || sorted.iter().any(|value| !value.is_finite()) {
        return f64::NAN;
    }
    let total = sorted.len() as f64;
    let place = |p| {
        beta_quantile(p, ess * probability + 1.0, ess * (1.0 - probability) + 1.0) * total - 1.0
    };
    let low = place(ONE_SIGMA[0]).floor().max(0.0) as usize;
    let high = place(ONE_SIGMA[1]).ceil().min(total - 1.0) as usize;
    (sorted[high] - sorted[low]) / 2.0
}

/// Effective sample size of the share of draws up to `quantile`; NaN when that is none or all of them.
pub(super) fn ess_quantile(chains: &[&[f64]], quantile: f64, transform: &mut Transform) -> f64 {
    let Some(length) = chains.first().map(|chain| chain.len() / 2) else {
        return f64::NAN;
    };
    let mut indicators = split(chains.iter().copied());
    indicators
        .iter_mut()
        .for_each(|value| *value = f64::from(u8::from(*value <= quantile)));
    effective_sample_size(&indicators, length, transform)
}

/// The x with Iₓ(a, b) = p, to about 1e-15 by bisection: an index into a few thousand draws needs no more.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if regularised_beta(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function Iₓ(a, b), by the continued fraction 8.17.22 of the Digital Library of
/// Mathematical Functions, evaluated by Lentz's method as modified by Thompson and Barnett.
fn regularised_beta(x: f64, a: f64, b: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        // The fraction converges fast only below the mean.
        return 1.0 - regularised_beta(1.0 - x, b, a);
    }
    if x <= 0.0 {
        return 0.0;
    }
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * libm::log(x) + b * libm::log1p(-x) - log_beta) / a;
    let guarded = |value: f64| {
        if value.abs() < f64::MIN_POSITIVE {
            f64::MIN_POSITIVE
        } else {
            value
        }
    };
    let (mut c, mut d) = (1.0, 1.0 / guarded(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    // The number of terms grows as the square root of the larger parameter.
    for step in 1..10_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / guarded(1.0 + coefficient * d);
            c = guarded(1.0 + coefficient / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 4.0 * f64::EPSILON {
            break;
        }
    }
    front * fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_as_in_r() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (probability, expected) in [
            (0.0, 1.0),
            (0.05, 1.15),
            (0.5, 3.0),
            (0.95, 7.4),
            (1.0, 8.0),
        ] {
            assert!(
                (quantile_of_sorted(&sorted, probability) - expected).abs() < 1e-14,
                "{probability}"
            );
        }
        assert_eq!(
            quantile_of_sorted(&[f64::NEG_INFINITY, f64::NEG_INFINITY, 1.0], 0.3),
            f64::NEG_INFINITY
        );
        assert_eq!(quantile_of_sorted(&[3.0], 0.5), 3.0);
        assert!(quantile_of_sorted(&[], 0.5).is_nan());
    }

    #[test]
    fn beta_quantiles_match_scipy() {
        // `scipy.stats.beta.ppf`, SciPy 1.17.
        let cases = BETA_QUANTILES;
        for (p, a, b, expected) in cases {
            let found = beta_quantile(p, a, b);
            assert!(
                (found - expected).abs() < 1e-13,
                "{p} {a} {b}: {found} {expected}"
            );
        }
    }

    const BETA_QUANTILES: [(f64, f64, f64, f64); 4] = [
        (0.1586553, 201.0, 3801.0, 0.04677486490128214),
        (0.8413447, 2001.5, 2001.5, 0.5079027296156209),
        (0.5, 1.0, 1.0, 0.5),
        (0.9, 3.5, 120.0, 0.04835049625372735),
    ];
}
