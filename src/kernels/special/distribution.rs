//! Distribution functions that need more than one line over the special functions: Student's t and von Mises.

use super::bessel::scaled_first_kind;
use super::incomplete_beta::{log_tails, quantile, tails};
use super::normal::{gauss_legendre, inv_phi, log_phi, phi};
use std::f64::consts::{LN_2, PI};

/// x = ν/(ν + t²) and 1 - x, neither by subtraction.
fn beta_arguments(t: f64, nu: f64) -> (f64, f64) {
    // The ratio first, so that t² cannot overflow into NaN.
    let ratio = (t / nu.sqrt()).powi(2);
    if ratio == f64::INFINITY {
        (0.0, 1.0)
    } else {
        (1.0 / (1.0 + ratio), ratio / (1.0 + ratio))
    }
}

/// The cdf at t of Student's distribution with ν > 0 degrees of freedom, location 0 and scale 1; ν = ∞ is normal.
pub fn student_t_cdf(t: f64, nu: f64) -> f64 {
    if t.is_nan() || nu.is_nan() || nu <= 0.0 {
        return f64::NAN;
    }
    if nu == f64::INFINITY {
        return phi(t);
    }
    let (x, y) = beta_arguments(t, nu);
    let (tail, centre) = tails(0.5 * nu, 0.5, x, y);
    if t < 0.0 {
        0.5 * tail
    } else {
        0.5 + 0.5 * centre
    }
}

/// The logarithm of [`student_t_cdf`], also where that underflows; the upper tail is the lower one at -t.
pub fn student_t_log_cdf(t: f64, nu: f64) -> f64 {
    if t.is_nan() || nu.is_nan() || nu <= 0.0 {
        return f64::NAN;
    }
    if nu == f64::INFINITY {
        return log_phi(t);
    }
    let (x, y) = beta_arguments(t, nu);
    let (log_tail, _) = log_tails(0.5 * nu, 0.5, x, y);
    if t < 0.0 {
        log_tail - LN_2
    } else {
        (-0.5 * log_tail.exp()).ln_1p()
    }
}

/// The t with `student_t_cdf(t, nu) = p`, for p in [0, 1].
pub fn student_t_quantile(p: f64, nu: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) || nu.is_nan() || nu <= 0.0 {
        return f64::NAN;
    }
    if nu == f64::INFINITY {
        return inv_phi(p);
    }
    let tail = if p < 0.5 { p } else { 1.0 - p };
    let (x, y) = quantile(0.5 * nu, 0.5, 2.0 * tail, 1.0 - 2.0 * tail);
    let magnitude = (nu * (y / x)).sqrt();
    if p < 0.5 { -magnitude } else { magnitude }
}

/// The cdf of the von Mises distribution with mean 0 and concentration κ ≥ 0 at an angle x in [-π, π]; 0 and 1 outside.
///
/// Up to κ = 50 the Fourier series, summed backward with the ratios of Bessel functions as in Hill, "Algorithm 518"
/// (1977), with an absolute error of 1e-16; above, Gauss-Legendre over nine standard deviations of the density, which
/// keeps relative precision in the tail.
pub fn von_mises_cdf(x: f64, kappa: f64) -> f64 {
    if x.is_nan() || kappa.is_nan() || kappa < 0.0 {
        return f64::NAN;
    }
    if x <= -PI {
        return 0.0;
    }
    if x >= PI {
        return 1.0;
    }
    if kappa > 50.0 {
        let start = (-PI).max(-x.abs() - 9.0 / kappa.sqrt());
        // 1 - cos t = 2 sin²(t/2) keeps the exponent precise for small angles.
        let density = |t: f64| (-2.0 * kappa * (0.5 * t).sin().powi(2)).exp();
        let tail =
            gauss_legendre(start, -x.abs(), density) / (2.0 * PI * scaled_first_kind(0.0, kappa));
        return if x < 0.0 { tail } else { 1.0 - tail };
    }
    let (mut ratio, mut sum) = (0.0, 0.0);
    // I_n(50)/I_0(50) is below 1e-17 from n = 65 on.
    for n in (1..=80).rev() {
        let n = f64::from(n);
        ratio = 1.0 / (2.0 * n / kappa + ratio);
        sum = ratio * ((n * x).sin() / n + sum);
    }
    (0.5 + (0.5 * x + sum) / PI).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_forms() {
        for t in [-40.0_f64, -1.5, -1e-9, 0.0, 0.3, 7.0] {
            let cauchy = 0.5 + t.atan() / PI;
            assert!(
                (student_t_cdf(t, 1.0) - cauchy).abs() < 2e-16 + 1e-14 * cauchy,
                "t = {t}"
            );
            let two = 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
            assert!((student_t_cdf(t, 2.0) - two).abs() < 2e-16, "t = {t}");
        }
        assert_eq!(student_t_cdf(1.3, f64::INFINITY), phi(1.3));
        assert_eq!(student_t_quantile(0.5, 3.0), 0.0);
        assert_eq!(
            (student_t_quantile(0.0, 3.0), student_t_quantile(1.0, 3.0)),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
        assert_eq!(
            (
                student_t_cdf(f64::NEG_INFINITY, 3.0),
                student_t_cdf(f64::INFINITY, 3.0)
            ),
            (0.0, 1.0)
        );
    }

    #[test]
    fn quantile_inverts() {
        for nu in [0.3, 1.0, 4.5, 30.0, 1e5] {
            for p in [1e-12, 0.003, 0.2, 0.49, 0.6, 0.95, 0.9999] {
                let t = student_t_quantile(p, nu);
                assert!(
                    (student_t_cdf(t, nu) / p - 1.0).abs() < 1e-12,
                    "nu = {nu}, p = {p}, t = {t}"
                );
            }
        }
    }

    #[test]
    fn von_mises_is_continuous_where_its_methods_meet_and_uniform_at_zero() {
        for x in [-3.0, -0.4, -0.01, 0.2, 1.0] {
            let (below, above) = (von_mises_cdf(x, 50.0), von_mises_cdf(x, 50.0 + 1e-12));
            assert!((below - above).abs() < 1e-14, "x = {x}: {below} {above}");
            assert!((von_mises_cdf(x, 0.0) - (0.5 + x / (2.0 * PI))).abs() < 1e-16);
        }
    }
}
