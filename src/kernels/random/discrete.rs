//! Draws from the discrete distributions, in Stan's parameterisations.

use super::continuous::{beta, std_exponential, std_gamma, std_uniform};
use crate::kernels::special::{
    inv_logit, lchoose, lgamma, lgamma_stirling_correction, log1p_minus,
};
use rand::Rng;
use std::f64::consts::PI;

/// Below this mean, sequential search takes few steps; above it the transformed rejections work (Hörmann 1993).
const REJECTION_FROM: f64 = 10.0;

/// 1 with probability p in [0, 1], else 0.
pub fn bernoulli<R: Rng + ?Sized>(rng: &mut R, p: f64) -> i64 {
    i64::from(std_uniform(rng) < p)
}

/// 1 with probability inv_logit(x), else 0.
pub fn bernoulli_logit<R: Rng + ?Sized>(rng: &mut R, x: f64) -> i64 {
    bernoulli(rng, inv_logit(x))
}

/// Poisson with the given finite rate ≥ 0.
///
/// Above a rate of 10 Hörmann's PTRS, "The transformed rejection method for generating Poisson random variables" (1993),
/// with a mass function that stays precise for any rate.
pub fn poisson<R: Rng + ?Sized>(rng: &mut R, rate: f64) -> i64 {
    if rate < REJECTION_FROM {
        let mut mass = (-rate).exp();
        let mut left = std_uniform(rng);
        let mut k = 0;
        while left > mass && k < 1000 {
            left -= mass;
            k += 1;
            mass *= rate / k as f64;
        }
        return k;
    }
    if !rate.is_finite() {
        return i64::MAX;
    }
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let squeeze = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = std_uniform(rng) - 0.5;
        let v = std_uniform(rng);
        let edge = 0.5 - u.abs();
        let k = ((2.0 * a / edge + b) * u + rate + 0.43).floor();
        if edge >= 0.07 && v <= squeeze {
            return k as i64;
        }
        if k < 0.0 || (edge < 0.013 && v > edge) {
            continue;
        }
        if (v * inverse_alpha / (a / (edge * edge) + b)).ln() <= log_poisson_mass(k, rate) {
            return k as i64;
        }
    }
}

/// ln(rate^k e^-rate / k!) with the large terms cancelled by hand (Loader 2000).
fn log_poisson_mass(k: f64, rate: f64) -> f64 {
    if k < 10.0 {
        return k * rate.ln() - rate - lgamma(k + 1.0);
    }
    k * log1p_minus((rate - k) / k) - lgamma_stirling_correction(k) - 0.5 * (2.0 * PI * k).ln()
}

/// Poisson with the logarithm of the rate; it must be below 40 or so for the result to fit.
pub fn poisson_log<R: Rng + ?Sized>(rng: &mut R, log_rate: f64) -> i64 {
    poisson(rng, log_rate.exp())
}

/// The number of successes in n ≥ 0 trials with probability p in [0, 1].
///
/// Above an expectation of 10 Hörmann's BTRS, "The generation of binomial random variates" (1993).
pub fn binomial<R: Rng + ?Sized>(rng: &mut R, n: i64, p: f64) -> i64 {
    if p > 0.5 {
        return n - binomial(rng, n, 1.0 - p);
    }
    let (count, q) = (n as f64, 1.0 - p);
    if count * p < REJECTION_FROM {
        let mut mass = (count * (-p).ln_1p()).exp();
        let mut left = std_uniform(rng);
        let mut k = 0;
        while left > mass && k < n && k < 1000 {
            left -= mass;
            k += 1;
            mass *= (count - k as f64 + 1.0) / k as f64 * (p / q);
        }
        return k;
    }
    let spread = (count * p * q).sqrt();
    if spread.is_nan() {
        return 0;
    }
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let centre = count * p + 0.5;
    let squeeze = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * spread;
    let log_mode_mass = log_binomial_mass(((count + 1.0) * p).floor(), count, p);
    loop {
        let u = std_uniform(rng) - 0.5;
        let v = std_uniform(rng);
        let edge = 0.5 - u.abs();
        let k = ((2.0 * a / edge + b) * u + centre).floor();
        if edge >= 0.07 && v <= squeeze {
            return k as i64;
        }
        if k < 0.0 || k > count {
            continue;
        }
        if (v * alpha / (a / (edge * edge) + b)).ln()
            <= log_binomial_mass(k, count, p) - log_mode_mass
        {
            return k as i64;
        }
    }
}

/// ln(n! / (k! (n-k)!) p^k (1-p)^(n-k)) with the large terms cancelled by hand (Loader 2000), 0 < p < 1.
fn log_binomial_mass(k: f64, n: f64, p: f64) -> f64 {
    if k == 0.0 {
        return n * (-p).ln_1p();
    }
    if k == n {
        return n * p.ln();
    }
    let rest = n - k;
    let correction = lgamma_stirling_correction(n)
        - lgamma_stirling_correction(k)
        - lgamma_stirling_correction(rest);
    let excess = n * p - k;
    correction
        + k * log1p_minus(excess / k)
        + rest * log1p_minus(-excess / rest)
        + 0.5 * (n / (2.0 * PI * k * rest)).ln()
}

/// Binomial whose probability is beta(a, b); n ≥ 0, a, b > 0.
pub fn beta_binomial<R: Rng + ?Sized>(rng: &mut R, n: i64, a: f64, b: f64) -> i64 {
    let p = beta(rng, a, b);
    binomial(rng, n, p)
}

/// Negative binomial with shape α > 0 and inverse scale β > 0.
pub fn neg_binomial<R: Rng + ?Sized>(rng: &mut R, alpha: f64, beta: f64) -> i64 {
    let rate = std_gamma(rng, alpha) / beta;
    poisson(rng, rate)
}

/// Negative binomial with mean μ ≥ 0 and precision φ > 0.
pub fn neg_binomial_2<R: Rng + ?Sized>(rng: &mut R, mu: f64, phi: f64) -> i64 {
    let rate = std_gamma(rng, phi) / phi * mu;
    poisson(rng, rate)
}

/// Negative binomial with the logarithm of the mean and precision φ > 0.
pub fn neg_binomial_2_log<R: Rng + ?Sized>(rng: &mut R, eta: f64, phi: f64) -> i64 {
    neg_binomial_2(rng, eta.exp(), phi)
}

/// The number of good ones among n drawn without replacement from `good` and `bad`; 0 ≤ n ≤ good + bad.
///
/// Inversion that starts at the mode and works outward, so that the expected number of steps is a few standard deviations.
pub fn hypergeometric<R: Rng + ?Sized>(rng: &mut R, n: i64, good: i64, bad: i64) -> i64 {
    let (lowest, highest) = ((n - bad).max(0), n.min(good));
    let (draws, a, b) = (n as f64, good as f64, bad as f64);
    let mode = ((draws + 1.0) * (a + 1.0) / (a + b + 2.0)).floor() as i64;
    let mode = mode.clamp(lowest, highest.max(lowest));
    let log_mass =
        lchoose(a, mode as f64) + lchoose(b, draws - mode as f64) - lchoose(a + b, draws);
    let mass = log_mass.exp();
    // mass(k + 1) / mass(k).
    let ratio = |k: i64| {
        let k = k as f64;
        (a - k) * (draws - k) / ((k + 1.0) * (b - draws + k + 1.0))
    };
    let mut left = std_uniform(rng) - mass;
    if left <= 0.0 {
        return mode;
    }
    let (mut below, mut above) = (mode, mode);
    let (mut mass_below, mut mass_above) = (mass, mass);
    while below > lowest || above < highest {
        if above < highest {
            mass_above *= ratio(above);
            above += 1;
            left -= mass_above;
            if left <= 0.0 {
                return above;
            }
        }
        if below > lowest {
            below -= 1;
            mass_below /= ratio(below);
            left -= mass_below;
            if left <= 0.0 {
                return below;
            }
        }
        // Rounding may leave a crumb that no mass is there to take.
        if mass_above.max(mass_below) < 1e-300 {
            break;
        }
    }
    mode
}

/// An index from 1 on with probability proportional to its weight; weights ≥ 0, not all 0.
pub fn categorical<R: Rng + ?Sized>(rng: &mut R, weights: &[f64]) -> i64 {
    let total: f64 = weights.iter().sum();
    let mut left = std_uniform(rng) * total;
    let mut last = 0;
    for (k, &weight) in weights.iter().enumerate() {
        if weight > 0.0 {
            last = k;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    last as i64 + 1
}

/// An index from 1 on with probability proportional to e^logit: the largest of logit + Gumbel noise.
pub fn categorical_logit<R: Rng + ?Sized>(rng: &mut R, logits: &[f64]) -> i64 {
    let mut best = (f64::NEG_INFINITY, 0);
    for (k, &logit) in logits.iter().enumerate() {
        let value = logit - std_exponential(rng).ln();
        if value > best.0 {
            best = (value, k);
        }
    }
    best.1 as i64 + 1
}

/// An integer from low to high, both included, each as likely; low ≤ high.
pub fn discrete_range<R: Rng + ?Sized>(rng: &mut R, low: i64, high: i64) -> i64 {
    let span = high.wrapping_sub(low) as u64;
    if span == u64::MAX {
        return rng.next_u64() as i64;
    }
    let count = span + 1;
    // Reject the incomplete last cycle, so that every value is exactly as likely.
    let limit = u64::MAX - u64::MAX % count;
    loop {
        let bits = rng.next_u64();
        if bits < limit {
            return low.wrapping_add((bits % count) as i64);
        }
    }
}

/// Category counts of n ≥ 0 draws with probabilities proportional to `weights` (≥ 0, not all 0).
pub fn multinomial<R: Rng + ?Sized>(rng: &mut R, n: i64, weights: &[f64], counts: &mut [i64]) {
    let mut weight_left: f64 = weights.iter().sum();
    let mut left = n;
    let last = weights
        .iter()
        .rposition(|&weight| weight > 0.0)
        .unwrap_or(0);
    for (k, (&weight, count)) in weights.iter().zip(counts.iter_mut()).enumerate() {
        *count = if k == last {
            left
        } else if left == 0 || weight <= 0.0 {
            0
        } else {
            binomial(rng, left, (weight / weight_left).min(1.0))
        };
        left -= *count;
        weight_left -= weight;
    }
}

/// A category from 1 to K with linear predictor η and K - 1 ascending cutpoints.
pub fn ordered_logistic<R: Rng + ?Sized>(rng: &mut R, eta: f64, cutpoints: &[f64]) -> i64 {
    let u = std_uniform(rng);
    // P(y ≤ k) = inv_logit(c_k - η) ascends in k.
    1 + cutpoints
        .iter()
        .take_while(|&&cut| u >= inv_logit(cut - eta))
        .count() as i64
}
