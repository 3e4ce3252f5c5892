//! The potential scale reduction R̂.
//!
//! Vehtari et al. 2021 (arXiv 1903.08008), section 4: equations 1 to 4 on half chains, of the ranks' normal scores
//! (bulk) and of those of the distances from the median (tails); the larger counts.

use super::autocovariance::sum;
use super::ess::variance;

/// √((B/W + n − 1)/n) for sequences of `length` draws one after the other, B and W being n times the variance of their
/// means and the mean of their variances. NaN when all values are equal, infinite when each sequence is constant.
pub(super) fn scale_reduction(sequences: &[f64], length: usize) -> f64 {
    let n = length as f64;
    let means: Vec<f64> = sequences
        .chunks_exact(length)
        .map(|sequence| sum(sequence) / n)
        .collect();
    let variances: Vec<f64> = sequences.chunks_exact(length).map(variance).collect();
    let within = sum(&variances) / variances.len() as f64;
    ((n * variance(&means) / within + n - 1.0) / n).sqrt()
}
