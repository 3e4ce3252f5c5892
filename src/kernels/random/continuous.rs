//! Draws from the univariate continuous distributions, in Stan's parameterisations.

use crate::kernels::special::{inv_phi, logit};
use rand::Rng;
use std::f64::consts::PI;

/// Uniform on the open interval (0, 1): a multiple of 2^-53, never 0 or 1.
pub fn std_uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    loop {
        let bits = rng.next_u64() >> 11;
        if bits > 0 {
            return bits as f64 * f64::EPSILON * 0.5;
        }
    }
}

/// Normal with mean 0 and standard deviation 1: the quantile function of a uniform, one per draw, so that streams stay
/// aligned and antithetic draws are possible. The largest magnitude is 8.2.
pub fn std_normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    inv_phi(std_uniform(rng))
}

/// Exponential with rate 1.
pub fn std_exponential<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    -std_uniform(rng).ln()
}

/// Gamma with rate 1; shape > 0. Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
pub fn std_gamma<R: Rng + ?Sized>(rng: &mut R, shape: f64) -> f64 {
    if shape < 1.0 {
        std_log_gamma(rng, shape).exp()
    } else {
        marsaglia_tsang(rng, shape)
    }
}

/// The logarithm of a gamma draw with rate 1, also where the draw itself would underflow; shape > 0.
///
/// Below shape 1 a draw at shape + 1 is multiplied by U^(1/shape), as Marsaglia and Tsang propose.
pub fn std_log_gamma<R: Rng + ?Sized>(rng: &mut R, shape: f64) -> f64 {
    if shape >= 1.0 {
        return marsaglia_tsang(rng, shape).ln();
    }
    let boosted = marsaglia_tsang(rng, shape + 1.0).ln();
    boosted - std_exponential(rng) / shape
}

fn marsaglia_tsang<R: Rng + ?Sized>(rng: &mut R, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    if !c.is_normal() {
        // An infinite shape, or one outside of the domain, would never be accepted.
        return d;
    }
    loop {
        let x = std_normal(rng);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        if std_uniform(rng).ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
            return d * v;
        }
    }
}

/// Uniform on (low, high); low < high.
pub fn uniform<R: Rng + ?Sized>(rng: &mut R, low: f64, high: f64) -> f64 {
    let u = std_uniform(rng);
    // Not low + u (high - low), which may round up to or past high.
    low * (1.0 - u) + high * u
}

/// Normal; σ > 0.
pub fn normal<R: Rng + ?Sized>(rng: &mut R, mu: f64, sigma: f64) -> f64 {
    mu + sigma * std_normal(rng)
}

/// Lognormal: exp of normal(μ, σ); σ > 0.
pub fn lognormal<R: Rng + ?Sized>(rng: &mut R, mu: f64, sigma: f64) -> f64 {
    normal(rng, mu, sigma).exp()
}

/// Exponential with the given rate > 0.
pub fn exponential<R: Rng + ?Sized>(rng: &mut R, rate: f64) -> f64 {
    std_exponential(rng) / rate
}

/// Gamma; shape > 0, rate > 0.
pub fn gamma<R: Rng + ?Sized>(rng: &mut R, shape: f64, rate: f64) -> f64 {
    std_gamma(rng, shape) / rate
}

/// Inverse gamma; shape > 0, scale > 0.
pub fn inv_gamma<R: Rng + ?Sized>(rng: &mut R, shape: f64, scale: f64) -> f64 {
    scale / std_gamma(rng, shape)
}

/// χ² with ν > 0 degrees of freedom.
pub fn chi_square<R: Rng + ?Sized>(rng: &mut R, nu: f64) -> f64 {
    2.0 * std_gamma(rng, 0.5 * nu)
}

/// Inverse χ²; ν > 0.
pub fn inv_chi_square<R: Rng + ?Sized>(rng: &mut R, nu: f64) -> f64 {
    1.0 / chi_square(rng, nu)
}

/// Scaled inverse χ²: ν σ² / χ²_ν; ν > 0, σ > 0.
pub fn scaled_inv_chi_square<R: Rng + ?Sized>(rng: &mut R, nu: f64, sigma: f64) -> f64 {
    nu * sigma * sigma / chi_square(rng, nu)
}

/// Beta; a, b > 0. The ratio of two gammas is formed from logarithms, so that tiny shapes do not give 0/0.
pub fn beta<R: Rng + ?Sized>(rng: &mut R, a: f64, b: f64) -> f64 {
    let (x, y) = (std_log_gamma(rng, a), std_log_gamma(rng, b));
    1.0 / (1.0 + (y - x).exp())
}

/// Student's t; ν > 0, σ > 0; ν = ∞ is normal.
pub fn student_t<R: Rng + ?Sized>(rng: &mut R, nu: f64, mu: f64, sigma: f64) -> f64 {
    let z = std_normal(rng);
    let scale = if nu == f64::INFINITY {
        1.0
    } else {
        (nu / chi_square(rng, nu)).sqrt()
    };
    mu + sigma * z * scale
}

/// Cauchy; σ > 0.
pub fn cauchy<R: Rng + ?Sized>(rng: &mut R, mu: f64, sigma: f64) -> f64 {
    mu + sigma * (PI * (std_uniform(rng) - 0.5)).tan()
}

/// Double exponential (Laplace); σ > 0.
pub fn double_exponential<R: Rng + ?Sized>(rng: &mut R, mu: f64, sigma: f64) -> f64 {
    let u = std_uniform(rng);
    mu + sigma
        * if u < 0.5 {
            (2.0 * u).ln()
        } else {
            -(2.0 * (1.0 - u)).ln()
        }
}

/// Logistic; σ > 0.
pub fn logistic<R: Rng + ?Sized>(rng: &mut R, mu: f64, sigma: f64) -> f64 {
    mu + sigma * logit(std_uniform(rng))
}

/// Log-logistic; scale α > 0, shape β > 0.
pub fn loglogistic<R: Rng + ?Sized>(rng: &mut R, alpha: f64, beta: f64) -> f64 {
    alpha * (logit(std_uniform(rng)) / beta).exp()
}

/// Weibull; shape α > 0, scale σ > 0.
pub fn weibull<R: Rng + ?Sized>(rng: &mut R, alpha: f64, sigma: f64) -> f64 {
    sigma * std_exponential(rng).powf(1.0 / alpha)
}

/// Fréchet; shape α > 0, scale σ > 0.
pub fn frechet<R: Rng + ?Sized>(rng: &mut R, alpha: f64, sigma: f64) -> f64 {
    sigma * std_exponential(rng).powf(-1.0 / alpha)
}

/// Gumbel; scale β > 0.
pub fn gumbel<R: Rng + ?Sized>(rng: &mut R, mu: f64, beta: f64) -> f64 {
    mu - beta * std_exponential(rng).ln()
}

/// Pareto on (y_min, ∞); y_min > 0, shape α > 0.
pub fn pareto<R: Rng + ?Sized>(rng: &mut R, y_min: f64, alpha: f64) -> f64 {
    y_min * (std_exponential(rng) / alpha).exp()
}

/// Pareto of type 2 (Lomax) on (μ, ∞); scale λ > 0, shape α > 0.
pub fn pareto_type_2<R: Rng + ?Sized>(rng: &mut R, mu: f64, lambda: f64, alpha: f64) -> f64 {
    mu + lambda * (std_exponential(rng) / alpha).exp_m1()
}

/// Rayleigh; σ > 0.
pub fn rayleigh<R: Rng + ?Sized>(rng: &mut R, sigma: f64) -> f64 {
    sigma * (2.0 * std_exponential(rng)).sqrt()
}

/// Skew normal with location ξ, scale ω > 0 and shape α (Azzalini 1985).
pub fn skew_normal<R: Rng + ?Sized>(rng: &mut R, xi: f64, omega: f64, alpha: f64) -> f64 {
    let (half, other) = (std_normal(rng).abs(), std_normal(rng));
    // δ|z| + √(1-δ²) z' with δ = α/√(1+α²).
    xi + omega * (alpha * half + other) / 1.0_f64.hypot(alpha)
}

/// Exponentially modified normal: normal(μ, σ) plus exponential(λ); σ, λ > 0.
pub fn exp_mod_normal<R: Rng + ?Sized>(rng: &mut R, mu: f64, sigma: f64, lambda: f64) -> f64 {
    normal(rng, mu, sigma) + exponential(rng, lambda)
}

/// Von Mises with mean μ and concentration κ ≥ 0, in [μ - π, μ + π].
///
/// Best and Fisher, "Efficient simulation of the von Mises distribution" (1979). Above κ = 1e8 the angle is drawn from the
/// normal limit, whose relative error is of order 1/κ.
pub fn von_mises<R: Rng + ?Sized>(rng: &mut R, mu: f64, kappa: f64) -> f64 {
    if kappa > 1e8 {
        return normal(rng, mu, 1.0 / kappa.sqrt());
    }
    if kappa.is_nan() {
        return kappa;
    }
    // Uniform to rounding, and ρ below would lose its digits.
    if kappa < 1e-8 {
        return mu + PI * (2.0 * std_uniform(rng) - 1.0);
    }
    let tau = 1.0 + (1.0 + 4.0 * kappa * kappa).sqrt();
    let rho = (tau - (2.0 * tau).sqrt()) / (2.0 * kappa);
    let r = (1.0 + rho * rho) / (2.0 * rho);
    loop {
        let z = (PI * std_uniform(rng)).cos();
        let f = (1.0 + r * z) / (r + z);
        let c = kappa * (r - f);
        let u = std_uniform(rng);
        if c * (2.0 - c) > u || (c / u).ln() + 1.0 >= c {
            let angle = f.clamp(-1.0, 1.0).acos();
            return mu
                + if std_uniform(rng) < 0.5 {
                    -angle
                } else {
                    angle
                };
        }
    }
}
