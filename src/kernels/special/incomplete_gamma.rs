//! The regularised incomplete gamma functions, their logarithms, and their derivatives in both arguments.
//!
//! DLMF chapter 8: the series 8.7.1 left of the transition, Legendre's continued fraction 8.9.2 right of it, Temme's
//! uniform expansion 8.12.3 to 8.12.7 around it when a is large, and 8.7.1's other form for Q when both arguments are
//! small. The derivative with respect to a differentiates each expansion term by term (see [`super::dual`]), so it is
//! as precise as the value. Relative error grows to about 1e-13 where the result nears underflow.

use super::coefficients::TEMME;
use super::dual::{Dual, Number};
use super::gamma::{digamma, lgamma_1p, lgamma_stirling_correction, tgamma};
use super::logarithmic::{log1m_exp, log1p_minus};
use super::normal::erfcx;
use std::f64::consts::{PI, SQRT_2};

/// Bounds every loop; the regions below need a few hundred steps at most.
const MAX_TERMS: usize = 10_000;
/// From here on Temme's expansion with the tabulated orders reaches 1e-16.
const TEMME_FROM: f64 = 20.0;
/// And it is used for |x - a| below this fraction of a, outside of which the others converge geometrically.
const TEMME_WIDTH: f64 = 0.4;

/// P(a, x) = γ(a, x) / Γ(a) for a > 0, x ≥ 0: the gamma distribution's cdf.
pub fn gamma_p(a: f64, x: f64) -> f64 {
    if in_domain(a, x) {
        tails(a, x).0
    } else {
        f64::NAN
    }
}

/// Q(a, x) = 1 - P(a, x), precise in its own right.
pub fn gamma_q(a: f64, x: f64) -> f64 {
    if in_domain(a, x) {
        tails(a, x).1
    } else {
        f64::NAN
    }
}

/// ∂P(a, x)/∂a.
pub fn gamma_p_da(a: f64, x: f64) -> f64 {
    if in_domain(a, x) {
        tails(Dual::<1>::parameter(a, 0), x).0.partials[0]
    } else {
        f64::NAN
    }
}

/// ∂Q(a, x)/∂a = -∂P(a, x)/∂a.
pub fn gamma_q_da(a: f64, x: f64) -> f64 {
    -gamma_p_da(a, x)
}

/// ∂P(a, x)/∂x = x^(a-1) e^-x / Γ(a).
pub fn gamma_p_dx(a: f64, x: f64) -> f64 {
    if !in_domain(a, x) {
        return f64::NAN;
    }
    if x == 0.0 {
        return if a < 1.0 {
            f64::INFINITY
        } else if a == 1.0 {
            1.0
        } else {
            0.0
        };
    }
    if x == f64::INFINITY {
        0.0
    } else {
        prefactor(a, x) * (a / x)
    }
}

/// ∂Q(a, x)/∂x = -∂P(a, x)/∂x.
pub fn gamma_q_dx(a: f64, x: f64) -> f64 {
    -gamma_p_dx(a, x)
}

/// ln P(a, x), also where P underflows.
pub fn log_gamma_p(a: f64, x: f64) -> f64 {
    if in_domain(a, x) {
        log_tails(a, x).0
    } else {
        f64::NAN
    }
}

/// ln Q(a, x), also where Q underflows.
pub fn log_gamma_q(a: f64, x: f64) -> f64 {
    if in_domain(a, x) {
        log_tails(a, x).1
    } else {
        f64::NAN
    }
}

fn in_domain(a: f64, x: f64) -> bool {
    a > 0.0 && a.is_finite() && x >= 0.0
}

enum Region {
    /// x = 0.
    Start,
    /// x = ∞.
    End,
    /// Both arguments small: Q by its own series.
    Corner,
    /// P by its power series.
    Series,
    /// Q by the continued fraction.
    Fraction,
    /// The smaller of P and Q by the uniform expansion.
    Transition,
}

fn region(a: f64, x: f64) -> Region {
    if x == 0.0 {
        Region::Start
    } else if x == f64::INFINITY {
        Region::End
    } else if a >= TEMME_FROM && (x - a).abs() < TEMME_WIDTH * a {
        Region::Transition
    } else if a < 1.0 && x < 1.1 {
        Region::Corner
    } else if x < a + 1.0 {
        Region::Series
    } else {
        Region::Fraction
    }
}

/// P and Q.
fn tails<N: Number>(a: N, x: f64) -> (N, N) {
    let (zero, one) = (N::constant(0.0), N::constant(1.0));
    match region(a.value(), x) {
        Region::Start => (zero, one),
        Region::End => (one, zero),
        Region::Corner => (prefactor(a, x) * series(a, x), corner(a, x)),
        Region::Series => {
            let p = prefactor(a, x) * series(a, x);
            (p, one - p)
        }
        Region::Fraction => {
            let q = prefactor(a, x) * a * fraction(a, x);
            (one - q, q)
        }
        Region::Transition => {
            let (log_scale, factor) = transition(a, x);
            let tail = log_scale.exp() * factor;
            if x < a.value() {
                (tail, one - tail)
            } else {
                (one - tail, tail)
            }
        }
    }
}

/// ln P and ln Q.
fn log_tails(a: f64, x: f64) -> (f64, f64) {
    let (is_lower, log_tail) = match region(a, x) {
        Region::Start => (true, f64::NEG_INFINITY),
        Region::End => (false, f64::NEG_INFINITY),
        Region::Corner => {
            let q = corner(a, x);
            let log_p = if q < 0.5 {
                (-q).ln_1p()
            } else {
                log_prefactor(a, x) + series(a, x).ln()
            };
            return (log_p, q.ln());
        }
        Region::Series => (true, log_prefactor(a, x) + series(a, x).ln()),
        Region::Fraction => (false, log_prefactor(a, x) + (a * fraction(a, x)).ln()),
        Region::Transition => {
            let (log_scale, factor) = transition(a, x);
            (x < a, log_scale + factor.ln())
        }
    };
    let other = log1m_exp(log_tail);
    if is_lower {
        (log_tail, other)
    } else {
        (other, log_tail)
    }
}

/// ln(x^a e^-x / Γ(a + 1)). For large a the cancelling parts are combined by hand: with μ = x/a - 1 it is
/// a (ln(1 + μ) - μ) less Stirling's logarithm.
fn log_prefactor(a: f64, x: f64) -> f64 {
    if a < 10.0 {
        a * x.ln() - x - lgamma_1p(a)
    } else {
        let mu = (x - a) / a;
        // Far left 1 + μ would lose the digits of x/a.
        let exponent = if mu < -0.3 {
            (x / a).ln() - mu
        } else {
            log1p_minus(mu)
        };
        a * exponent - lgamma_stirling_correction(a) - 0.5 * (2.0 * PI * a).ln()
    }
}

/// x^a e^-x / Γ(a + 1).
fn prefactor<N: Number>(a: N, x: f64) -> N {
    let shape = a.value();
    // With these limits neither power nor exponential over- or underflows unless the product does.
    let value = if shape < 10.0 && x < 700.0 {
        x.powf(shape) * (-x).exp() / tgamma(shape + 1.0)
    } else {
        log_prefactor(shape, x).exp()
    };
    a.chain(value, || value * (x.ln() - digamma(shape + 1.0)))
}

/// Σ x^n / ((a + 1) ... (a + n)), DLMF 8.7.1 without its prefactor.
fn series<N: Number>(a: N, x: f64) -> N {
    let mut term = N::constant(1.0);
    let mut sum = term;
    for n in 1..MAX_TERMS {
        term = term.scale(x) / a.shift(n as f64);
        sum = sum + term;
        if term.is_negligible_beside(sum) {
            break;
        }
    }
    sum
}

/// Γ(a, x) e^x x^-a by the continued fraction DLMF 8.9.2, evaluated by Lentz's method.
fn fraction<N: Number>(a: N, x: f64) -> N {
    let one = N::constant(1.0);
    let mut b = (-a).shift(x + 1.0);
    let mut c = N::constant(1e300);
    let mut d = one / b;
    let mut result = d;
    for i in 1..MAX_TERMS {
        let i = i as f64;
        let numerator = a.shift(-i).scale(i);
        b = b.shift(2.0);
        d = one / (numerator * d + b);
        c = b + numerator / c;
        let change = c * d;
        let before = result;
        result = result * change;
        if (result - before).is_negligible_beside(result) {
            break;
        }
    }
    result
}

/// Q for small a and x: 1 - x^a/Γ(1 + a) (1 + a Σ_{n≥1} (-x)^n / (n! (a + n))), with the 1 cancelled by hand.
fn corner<N: Number>(a: N, x: f64) -> N {
    let shape = a.value();
    let exponent = a.chain(shape * x.ln() - lgamma_1p(shape), || {
        x.ln() - digamma(1.0 + shape)
    });
    let mut power = 1.0;
    let mut sum = N::constant(0.0);
    for n in 1..MAX_TERMS {
        let n = n as f64;
        power *= -x / n;
        let term = N::constant(power) / a.shift(n);
        sum = sum + term;
        if term.is_negligible_beside(sum) {
            break;
        }
    }
    let grown = exponent.exp();
    let e = exponent.value();
    -(exponent.chain(e.exp_m1(), || e.exp())) - grown * a * sum
}

/// The smaller tail (P for x < a, else Q) as (ln scale, factor), by DLMF 8.12.3 to 8.12.7.
fn transition<N: Number>(a: N, x: f64) -> (N, N) {
    let mu = (N::constant(x) - a) / a;
    // (μ - ln(1 + μ)) / μ² in s = μ / (2 + μ), as in `log1p_minus`, which is smooth through μ = 0.
    let denominator = mu.shift(2.0);
    let s = mu / denominator;
    let square = s * s;
    let mut sum = N::constant(0.0);
    for k in (0..15).rev() {
        sum = (sum * square).shift(1.0 / f64::from(2 * k + 3));
    }
    let ratio = N::constant(1.0) / denominator - (s * sum).scale(2.0) / (denominator * denominator);
    let eta = mu * ratio.scale(2.0).sqrt();
    let log_scale = -(a * mu * mu * ratio);

    let sign = if x < a.value() { -1.0 } else { 1.0 };
    let z = (eta * a.sqrt()).scale(sign / SQRT_2);
    let gaussian_value = erfcx(z.value());
    let gaussian = z.chain(gaussian_value, || {
        2.0 * z.value() * gaussian_value - 2.0 / PI.sqrt()
    });

    let inverse = N::constant(1.0) / a;
    let mut correction = N::constant(0.0);
    for row in TEMME[..orders(a.value())].iter().rev() {
        let coefficient = row
            .iter()
            .rev()
            .fold(N::constant(0.0), |sum, &c| (sum * eta).shift(c));
        correction = correction * inverse + coefficient;
    }
    let correction = correction / a.scale(2.0 * PI).sqrt();
    (log_scale, gaussian.scale(0.5) + correction.scale(sign))
}

/// How many of Temme's orders reach 1e-17 of the leading one.
fn orders(a: f64) -> usize {
    if a > 1e5 {
        4
    } else if a > 200.0 {
        8
    } else {
        TEMME.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_the_domain() {
        assert_eq!((gamma_p(2.0, 0.0), gamma_q(2.0, 0.0)), (0.0, 1.0));
        assert_eq!(
            (gamma_p(2.0, f64::INFINITY), gamma_q(2.0, f64::INFINITY)),
            (1.0, 0.0)
        );
        assert_eq!(log_gamma_p(2.0, 0.0), f64::NEG_INFINITY);
        assert_eq!(log_gamma_q(2.0, 0.0), 0.0);
        for (a, x) in [
            (0.0, 1.0),
            (-1.0, 1.0),
            (1.0, -1.0),
            (f64::NAN, 1.0),
            (1.0, f64::NAN),
        ] {
            assert!(
                gamma_p(a, x).is_nan() && gamma_p_da(a, x).is_nan() && log_gamma_q(a, x).is_nan()
            );
        }
    }

    #[test]
    fn regions_agree_where_they_meet() {
        for a in [20.0_f64, 57.3, 1e3, 1e5] {
            for edge in [a * (1.0 - TEMME_WIDTH), a * (1.0 + TEMME_WIDTH)] {
                let (inside, outside) = (edge - (edge - a) * 1e-13, edge + (edge - a) * 1e-13);
                let (left, right) = (log_gamma_p(a, inside), log_gamma_p(a, outside));
                assert!(
                    (left - right).abs() <= 2e-12 * left.abs() + 1e-15,
                    "P at a = {a}: {left} {right}"
                );
                let (left, right) = (log_gamma_q(a, inside), log_gamma_q(a, outside));
                assert!(
                    (left - right).abs() <= 2e-12 * left.abs() + 1e-15,
                    "Q at a = {a}: {left} {right}"
                );
            }
        }
    }
}
