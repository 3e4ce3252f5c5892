//! Tests of the sampler as a whole, and what they share.

mod orbit;
mod recursive;
mod runs;
mod stationarity;
pub(super) mod targets;
mod weight;

/// The distribution function of the standard normal.
pub(super) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The p-value of the Kolmogorov-Smirnov test of a sample against a distribution function (Stephens 1970).
pub(super) fn kolmogorov_smirnov(sample: &mut [f64], cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let count = sample.len() as f64;
    let distance = sample
        .iter()
        .enumerate()
        .map(|(rank, value)| {
            let probability = cdf(*value);
            let below = rank as f64 / count;
            (probability - below).max(below + 1.0 / count - probability)
        })
        .fold(0.0, f64::max);
    let scaled = distance * (count.sqrt() + 0.12 + 0.11 / count.sqrt());
    let terms = (1..=100).map(|k: i32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * (-2.0 * f64::from(k * k) * scaled * scaled).exp()
    });
    terms.sum::<f64>().clamp(0.0, 1.0)
}

#[test]
fn kolmogorov_smirnov_knows_right_from_wrong() {
    let grid = || {
        (0..1000)
            .map(|i| (f64::from(i) + 0.5) / 1000.0)
            .collect::<Vec<_>>()
    };
    assert!(kolmogorov_smirnov(&mut grid(), |x| x) > 0.99);
    assert!(kolmogorov_smirnov(&mut grid(), |x| x.powf(1.2)) < 1e-3);
}
