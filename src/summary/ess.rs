//! Effective sample size of the mean of draws.
//!
//! Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and localization: an improved R̂"
//! (Bayesian Analysis 2021, arXiv 1903.08008), section 3.2: autocorrelations of all chains combined (equation 10),
//! summed by Geyer's initial monotone sequence. As in posterior and ArviZ the last even autocorrelation is kept when
//! it is positive, and the result is capped at S log₁₀ S.

use super::autocovariance::{Autocovariance, Transform};

/// The number of independent draws whose mean would be as certain as the mean of `sequences`: (half) chains of
/// `length` draws one after the other. NaN for fewer than two draws a sequence, constant or non-finite draws.
pub(super) fn effective_sample_size(
    sequences: &[f64],
    length: usize,
    transform: &mut Transform,
) -> f64 {
    let total = sequences.len() as f64;
    if length < 2 || is_constant(sequences) || sequences.iter().any(|value| !value.is_finite()) {
        return f64::NAN;
    }
    let mut covariance = Autocovariance::new(sequences, length, transform);
    let n = length as f64;
    let biased_variance = covariance.at(0);
    let within = biased_variance * n / (n - 1.0);
    let total_variance = biased_variance + variance(covariance.means());
    let mut correlation = |lag: usize| 1.0 - (within - covariance.at(lag)) / total_variance;

    // Pairs of neighbouring autocorrelations have positive sums that decrease, up to noise: Geyer's sequences stop at
    // the first pair that is not positive, and do not let a pair exceed the one before it.
    let mut even = 1.0;
    let mut odd = correlation(1);
    let mut previous_pair = f64::INFINITY;
    let mut sum_of_pairs = 0.0;
    let mut lag = 0;
    while lag + 4 < length && even + odd > 0.0 {
        let pair = (even + odd).min(previous_pair);
        sum_of_pairs += pair;
        previous_pair = pair;
        lag += 2;
        even = correlation(lag);
        odd = correlation(lag + 1);
    }
    let autocorrelation_time = -1.0 + 2.0 * sum_of_pairs + even.max(0.0);
    total / autocorrelation_time.max(1.0 / libm::log10(total))
}

/// True when no two draws differ by more than rounding: statistics of rounding errors would mean nothing. (posterior
/// compares the range with the machine epsilon; here it is relative, so that draws on a tiny scale count.)
pub(super) fn is_constant(values: &[f64]) -> bool {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| {
            (low.min(v), high.max(v))
        });
    high - low <= 4.0 * f64::EPSILON * low.abs().max(high.abs())
}

/// Unbiased variance; exactly 0 when all values are equal, and for a single one.
pub(super) fn variance(values: &[f64]) -> f64 {
    if values.iter().all(|value| *value == values[0]) {
        return 0.0;
    }
    let n = values.len() as f64;
    let mean = super::autocovariance::sum(values) / n;
    values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / (n - 1.0)
}
