//! The error functions, the normal distribution function with both tails, its inverse, and Owen's T.

use super::coefficients::{ERFCX, GAUSS_LEGENDRE};
use super::gamma::polynomial;
use super::logarithmic::inv_logit;
use crate::kernels::simd::alone;
use std::f64::consts::PI;

/// erf(x) = 2/√π ∫_0^x e^(-t²) dt.
pub fn erf(x: f64) -> f64 {
    alone::erf(x)
}

/// erfc(x) = 1 - erf(x), precise in the right tail.
pub fn erfc(x: f64) -> f64 {
    alone::erfc(x)
}

/// The scaled complement e^(x²) erfc(x); it overflows below about -26.6.
///
/// For x ≥ 0 a Chebyshev series in (x - k)/(x + k), after Shepherd and Laframboise, "Chebyshev approximation of
/// (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞" (1981), with coefficients computed afresh.
pub fn erfcx(x: f64) -> f64 {
    if x < 0.0 {
        let (square, rest) = square_in_two_parts(x);
        return 2.0 * square.exp() * (1.0 + rest) - erfcx(-x);
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    let t = (x - 3.75) / (x + 3.75);
    // Clenshaw's recurrence.
    let (mut next, mut after) = (0.0, 0.0);
    for &coefficient in ERFCX[1..].iter().rev() {
        (next, after) = (2.0 * t * next - after + coefficient, next);
    }
    (t * next - after + ERFCX[0]) / (1.0 + 2.0 * x)
}

/// x² as a rounded part and what was lost, so that e^(x²) can be had to full precision for large x.
fn square_in_two_parts(x: f64) -> (f64, f64) {
    let square = x * x;
    (
        square,
        if square.is_finite() {
            x.mul_add(x, -square)
        } else {
            0.0
        },
    )
}

/// The standard normal distribution function Φ(x), with full relative precision in the left tail.
pub fn phi(x: f64) -> f64 {
    alone::phi(x)
}

/// ln Φ(x).
pub fn log_phi(x: f64) -> f64 {
    alone::log_phi(x)
}

/// ln(1 - Φ(x)).
pub fn log_phi_complement(x: f64) -> f64 {
    log_phi(-x)
}

/// The fast logistic approximation of Φ, inv_logit(0.07056 x³ + 1.5976 x), Bowling et al. (2009), as in Stan.
pub fn phi_approx(x: f64) -> f64 {
    inv_logit(x * (0.07056 * x * x + 1.5976))
}

/// The standard normal quantile function for p in [0, 1]: ∓∞ at the ends, NaN outside.
///
/// Wichura, "Algorithm AS 241" (1988), routine PPND16: relative error about 1e-16.
pub fn inv_phi(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180625 - centred * centred;
        return centred * polynomial(&CENTRE_NUMERATOR, r) / polynomial(&CENTRE_DENOMINATOR, r);
    }
    let tail = if centred < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return f64::INFINITY.copysign(centred);
    }
    let r = (-tail.ln()).sqrt();
    let quantile = if r <= 5.0 {
        polynomial(&TAIL_NUMERATOR, r - 1.6) / polynomial(&TAIL_DENOMINATOR, r - 1.6)
    } else {
        polynomial(&FAR_NUMERATOR, r - 5.0) / polynomial(&FAR_DENOMINATOR, r - 5.0)
    };
    quantile.copysign(centred)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_854e3,
];
const TAIL_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const TAIL_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_7e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

/// Owen's T(h, a) = 1/(2π) ∫_0^a exp(-h² (1 + t²)/2) / (1 + t²) dt, for real h and a (also infinite).
///
/// For |a| ≤ 1 a 40-point Gauss-Legendre rule over the part of the range where the integrand matters; for larger |a|
/// the reflection of Owen (1956), equation 2.3, in terms of upper tails so that nothing cancels.
pub fn owens_t(h: f64, a: f64) -> f64 {
    if h.is_nan() || a.is_nan() {
        return f64::NAN;
    }
    let (h, magnitude) = (h.abs(), a.abs());
    if magnitude == 0.0 || h == f64::INFINITY {
        return 0.0_f64.copysign(a);
    }
    let value = if magnitude <= 1.0 {
        owens_t_integral(h, magnitude)
    } else {
        let (upper, scaled) = (phi(-h), h * magnitude);
        // h·a is 0·∞ only for h = 0, where Φ(0) = 1/2 on every ray.
        let scaled = if h == 0.0 { 0.0 } else { scaled };
        let upper_scaled = phi(-scaled);
        0.5 * upper + 0.5 * upper_scaled
            - upper * upper_scaled
            - owens_t_integral(scaled, 1.0 / magnitude)
    };
    value.copysign(a)
}

fn owens_t_integral(h: f64, a: f64) -> f64 {
    // Beyond 9/h the factor exp(-h²t²/2) is below 1e-17.
    let end = if h * a > 9.0 { 9.0 / h } else { a };
    let integrand = |t: f64| (-0.5 * h * h * t * t).exp() / (1.0 + t * t);
    if h == f64::INFINITY {
        return 0.0;
    }
    (-0.5 * h * h).exp() * gauss_legendre(0.0, end, integrand) / (2.0 * PI)
}

/// The 40-point Gauss-Legendre approximation of the integral of `f` from `low` to `high`.
pub(super) fn gauss_legendre(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let sum: f64 = GAUSS_LEGENDRE
        .iter()
        .map(|&(node, weight)| weight * (f(middle - half * node) + f(middle + half * node)))
        .sum();
    half * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_symmetry() {
        let inf = f64::INFINITY;
        assert_eq!(
            (phi(-inf), phi(inf), log_phi(-inf), log_phi(inf)),
            (0.0, 1.0, -inf, 0.0)
        );
        assert_eq!((inv_phi(0.0), inv_phi(1.0), inv_phi(0.5)), (-inf, inf, 0.0));
        assert!(inv_phi(-0.1).is_nan() && inv_phi(1.1).is_nan() && phi(f64::NAN).is_nan());
        assert_eq!(erfcx(inf), 0.0);
        assert_eq!(owens_t(0.7, -2.0), -owens_t(-0.7, 2.0));
        assert!((owens_t(0.0, inf) - 0.25).abs() < 1e-16);
        assert_eq!(owens_t(inf, 3.0), 0.0);
    }

    #[test]
    fn quantiles_match_tabulated_values() {
        // From SciPy 1.17 (`scipy.special.ndtri`).
        let cases = [
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.025, -1.959_963_984_540_054),
            (0.925, 1.439_531_470_938_456),
            (1e-5, -4.264_890_793_922_825),
            (1e-12, -7.034_483_825_301_131),
            (1e-300, -37.047_096_299_361_2),
        ];
        for (p, expected) in cases {
            let found = inv_phi(p);
            assert!(
                (found - expected).abs() <= 2e-15 * expected.abs(),
                "{p}: {found} {expected}"
            );
        }
    }

    #[test]
    fn quantile_and_distribution_function_are_inverse() {
        for k in 1..200 {
            let x = -37.0 + 37.0 * f64::from(k) / 200.0;
            assert!((inv_phi(phi(x)) / x - 1.0).abs() < 4e-15, "x = {x}");
        }
    }
}
