//! Bessel functions: of integral order for the oscillating kinds, of real order for the logarithms of the modified.

use super::coefficients::DEBYE;
use super::dual::{Dual, Number};
use super::gamma::{digamma, lgamma, tgamma};
use std::f64::consts::PI;

/// J_n(x) for integral n and real x; absolute error about 1e-16 near its zeros.
pub fn bessel_first_kind(n: f64, x: f64) -> f64 {
    if n.is_nan() || x.is_nan() {
        f64::NAN
    } else {
        libm::jn(n as i32, x)
    }
}

/// Y_n(x) for integral n and x > 0; -∞ at 0, NaN below.
pub fn bessel_second_kind(n: f64, x: f64) -> f64 {
    if n.is_nan() || x.is_nan() {
        f64::NAN
    } else {
        libm::yn(n as i32, x)
    }
}

/// I_n(x) for integral n and real x.
pub fn modified_bessel_first_kind(n: f64, x: f64) -> f64 {
    if n.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    let n = n.abs();
    let sign = if x < 0.0 && n % 2.0 == 1.0 { -1.0 } else { 1.0 };
    let x = x.abs();
    // e^x in two factors: it overflows a little before I_n does.
    let half = (0.5 * x).exp();
    if half == f64::INFINITY {
        sign * half
    } else {
        sign * scaled_first_kind(n, x) * half * half
    }
}

/// e^-x I_n(x) for integral n ≥ 0 and finite x ≥ 0.
pub(super) fn scaled_first_kind(n: f64, x: f64) -> f64 {
    if x <= 10.0 || x * x <= 40.0 * (n + 1.0) {
        // DLMF 10.25.2; all terms positive and few.
        let quarter = 0.25 * x * x;
        let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
        while term > 1e-17 * sum {
            term *= quarter / (k * (k + n));
            sum += term;
            k += 1.0;
        }
        let power = if n <= 170.0 {
            (0.5 * x).powf(n) / tgamma(n + 1.0)
        } else {
            (n * (0.5 * x).ln() - lgamma(n + 1.0)).exp()
        };
        return power * sum * (-x).exp();
    }
    if hankel_applies(n, x) {
        return hankel_sum(n, x) / (2.0 * PI * x).sqrt();
    }
    miller(n, x)
}

/// Backward recurrence (DLMF 10.29.1) normalised by e^x = I_0 + 2 Σ I_k (10.35.5): stable, as I_k falls with k.
fn miller(n: f64, x: f64) -> f64 {
    let target = n as usize;
    // I_k falls like exp(-k²/2x): twelve times √x beyond the order is far below rounding.
    let start = target + 20 + (12.0 * x.sqrt()) as usize;
    let (mut above, mut here) = (0.0, 1e-290);
    let (mut norm, mut wanted) = (0.0, 0.0);
    for k in (0..=start).rev() {
        if k == target {
            wanted = here;
        }
        norm += if k == 0 { here } else { 2.0 * here };
        (above, here) = (here, above + 2.0 * k as f64 / x * here);
        if here > 1e280 {
            for value in [&mut above, &mut here, &mut norm, &mut wanted] {
                *value *= 1e-280;
            }
        }
    }
    wanted / norm
}

/// Whether the expansion for large argument reaches full precision.
fn hankel_applies(order: f64, x: f64) -> bool {
    x >= 30.0 && x >= order * order
}

/// √(2πx) e^-x I_v(x), DLMF 10.40.1.
fn hankel_sum<N: Number>(order: N, x: f64) -> N {
    let mu = (order * order).scale(4.0);
    let mut term = N::constant(1.0);
    let mut sum = term;
    for k in 1..40 {
        let k = f64::from(k);
        let odd = 2.0 * k - 1.0;
        term = -(term * mu.shift(-odd * odd).scale(1.0 / (8.0 * k * x)));
        sum = sum + term;
        if term.is_negligible_beside(sum) {
            break;
        }
    }
    sum
}

/// ln I_v(x) for real order v > -1 and x ≥ 0.
///
/// Hankel's expansion for large x, Debye's uniform one (DLMF 10.41.3) for v ≥ 50, else the power series summed
/// outward from its largest term. The absolute error is a few 1e-16 times the larger of 1, x and |ln I|.
pub fn log_modified_bessel_first_kind(v: f64, x: f64) -> f64 {
    if v.is_nan() || v <= -1.0 || x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return if v == 0.0 {
            0.0
        } else if v > 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    if x == f64::INFINITY {
        x
    } else {
        log_first_kind(v, x)
    }
}

/// ∂ ln I_v(x) / ∂v, for real v > -1 and x > 0.
pub fn log_modified_bessel_first_kind_d_order(v: f64, x: f64) -> f64 {
    if v.is_nan() || v <= -1.0 || x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    log_first_kind(Dual::<1>::parameter(v, 0), x).partials[0]
}

fn log_first_kind<N: Number>(v: N, x: f64) -> N {
    if hankel_applies(v.value(), x) {
        return hankel_sum(v, x).ln().shift(x - 0.5 * (2.0 * PI * x).ln());
    }
    if v.value() >= 50.0 {
        return log_debye(v, x);
    }
    let log_half = (0.5 * x).ln();
    let quarter = 0.25 * x * x;
    let order = v.value();
    // The largest term has k (k + v) = x²/4.
    let peak = (0.5 * ((order * order + x * x).sqrt() - order))
        .floor()
        .max(0.0);
    let log_peak = v.chain(
        (2.0 * peak + order) * log_half - lgamma(peak + 1.0) - lgamma(peak + order + 1.0),
        || log_half - digamma(peak + order + 1.0),
    );
    let mut sum = N::constant(1.0);
    let (mut term, mut k) = (sum, peak + 1.0);
    while !term.is_negligible_beside(sum) {
        term = term.scale(quarter / k) / v.shift(k);
        sum = sum + term;
        k += 1.0;
    }
    (term, k) = (N::constant(1.0), peak);
    while k > 0.0 && !term.is_negligible_beside(sum) {
        term = term * v.shift(k).scale(k / quarter);
        sum = sum + term;
        k -= 1.0;
    }
    log_peak + sum.ln()
}

/// DLMF 10.41.3: with s = √(v² + x²) and p = v/s, ln I_v(x) ~ s - v arsinh(v/x) - ln(2πs)/2 + ln Σ U_k(p)/v^k.
fn log_debye<N: Number>(v: N, x: f64) -> N {
    let s = (v * v).shift(x * x).sqrt();
    let p = v / s;
    let (order, root) = (v.value(), s.value());
    let slope = libm::asinh(order / x);
    let exponent = v.chain(root - order * slope, || -slope);
    let square = p * p;
    // U_k(p) = p^k times a polynomial in p², and p/v = 1/s.
    let inverse = N::constant(1.0) / s;
    let mut sum = N::constant(0.0);
    for row in DEBYE.iter().rev() {
        let coefficient = row
            .iter()
            .rev()
            .fold(N::constant(0.0), |sum, &c| (sum * square).shift(c));
        sum = sum * inverse + coefficient;
    }
    exponent - s.scale(2.0 * PI).ln().scale(0.5) + sum.ln()
}

/// K_n(x) for integral (in fact any real) order and x > 0; ∞ at 0, NaN below.
pub fn modified_bessel_second_kind(n: f64, x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY;
    }
    let (exponent, sum) = second_kind(n, x);
    exponent.exp() * sum
}

/// ln K_v(x) for real order and x > 0.
pub fn log_modified_bessel_second_kind(v: f64, x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY;
    }
    let (exponent, sum) = second_kind(v, x);
    exponent + sum.ln()
}

/// K_v(x) = e^exponent · sum, by the trapezoidal rule on DLMF 10.32.9, ∫_0^∞ exp(-x cosh t) cosh(vt) dt.
///
/// The integrand is entire and falls double-exponentially, so the rule converges geometrically: the step resolves the
/// peak at sinh t = v/x, whose width is (v² + x²)^(-1/4).
fn second_kind(v: f64, x: f64) -> (f64, f64) {
    if v.is_nan() || x.is_nan() || x < 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x == f64::INFINITY {
        return (0.0, 0.0);
    }
    let v = v.abs();
    let exponent = |t: f64| {
        let sinh = (0.5 * t).sinh();
        v * t - 2.0 * x * sinh * sinh
    };
    let peak = libm::asinh(v / x);
    let highest = exponent(peak);
    let step = (0.7 / v.hypot(x).sqrt()).min(0.125);
    let mut sum = 0.5 * (-highest).exp();
    let mut k = 1.0;
    loop {
        let t = k * step;
        let term = (exponent(t) - highest).exp() * 0.5 * (1.0 + (-2.0 * v * t).exp());
        sum += term;
        k += 1.0;
        if t > peak && term <= 1e-18 * sum {
            break;
        }
    }
    (highest - x, sum * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_symmetry() {
        assert_eq!(modified_bessel_first_kind(0.0, 0.0), 1.0);
        assert_eq!(modified_bessel_first_kind(3.0, 0.0), 0.0);
        assert_eq!(
            modified_bessel_first_kind(3.0, -2.0),
            -modified_bessel_first_kind(-3.0, 2.0)
        );
        assert_eq!(modified_bessel_first_kind(2.0, 1e4), f64::INFINITY);
        assert_eq!(modified_bessel_second_kind(2.0, 0.0), f64::INFINITY);
        assert!(
            modified_bessel_second_kind(2.0, -1.0).is_nan()
                && bessel_second_kind(1.0, -1.0).is_nan()
        );
        assert_eq!(log_modified_bessel_first_kind(0.0, 0.0), 0.0);
        assert_eq!(log_modified_bessel_first_kind(2.5, 0.0), f64::NEG_INFINITY);
        assert!(log_modified_bessel_first_kind(-1.0, 1.0).is_nan());
    }

    #[test]
    fn wronskian_holds_across_methods() {
        // DLMF 10.28.2: I_n(x) K_{n+1}(x) + I_{n+1}(x) K_n(x) = 1/x.
        for n in [0.0, 1.0, 4.0, 17.0, 60.0] {
            for x in [0.3, 5.0, 9.9, 10.1, 25.0, 31.0, 300.0] {
                let sum = modified_bessel_first_kind(n, x)
                    * modified_bessel_second_kind(n + 1.0, x)
                    + modified_bessel_first_kind(n + 1.0, x) * modified_bessel_second_kind(n, x);
                assert!((sum * x - 1.0).abs() < 1e-12, "n = {n}, x = {x}: {sum}");
            }
        }
    }
}
