//! The functions for one number, free of branches and calls so that loops around them become vector code.
//!
//! Argument reduction and the polynomials of `log` are those of fdlibm (Sun Microsystems, 1993: `e_log.c`); `exp` is
//! the Taylor polynomial on |r| ≤ ln 2 / 2, whose remainder is below 5e-18 there.
// Constants stand as they were published.
#![allow(clippy::excessive_precision)]

use super::double::Double;
use super::pieces::Pieces;
use std::f64::consts::LOG2_E;

/// Adding it rounds to an integer, which is then in the low bits.
pub(super) const SHIFT: f64 = 6755399441055744.0; // 1.5 * 2^52
/// ln 2 in two parts; the first has 32 trailing zeros, so that products with exponents are exact (fdlibm).
pub(super) const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-01;
pub(super) const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
/// 2^54, which makes subnormal numbers normal.
const LIFT: f64 = 18014398509481984.0;

/// 2^k for |k| ≤ 1023, where `shifted` is k + SHIFT.
#[inline(always)]
fn power_of_two(shifted: f64) -> f64 {
    f64::from_bits(
        shifted
            .to_bits()
            .wrapping_sub(SHIFT.to_bits())
            .wrapping_add(1023)
            << 52,
    )
}

/// x as n ln 2 + r: (n, r).
#[inline(always)]
fn reduce(x: f64) -> (f64, f64) {
    let n = x.mul_add(LOG2_E, SHIFT) - SHIFT;
    let r = n.mul_add(-LN2_HIGH, x);
    (n, n.mul_add(-LN2_LOW, r))
}

/// (e^r - 1 - r) / r² for |r| ≤ ln 2 / 2: 1/2! + r/3! + …, by pairs so that the multiplications overlap.
#[inline(always)]
fn exp_tail(r: f64) -> f64 {
    const C: [f64; 12] = [
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5040.0,
        1.0 / 40320.0,
        1.0 / 362880.0,
        1.0 / 3628800.0,
        1.0 / 39916800.0,
        1.0 / 479001600.0,
        1.0 / 6227020800.0,
    ];
    let r2 = r * r;
    let r4 = r2 * r2;
    let p0 = r.mul_add(C[1], C[0]);
    let p2 = r.mul_add(C[3], C[2]);
    let p4 = r.mul_add(C[5], C[4]);
    let p6 = r.mul_add(C[7], C[6]);
    let p8 = r.mul_add(C[9], C[8]);
    let p10 = r.mul_add(C[11], C[10]);
    let q0 = r2.mul_add(p2, p0);
    let q4 = r2.mul_add(p6, p4);
    let q8 = r2.mul_add(p10, p8);
    r4.mul_add(r4.mul_add(q8, q4), q0)
}

/// m 2^n, by two powers of two because 2^n alone may be out of range.
#[inline(always)]
pub(super) fn scale(m: f64, n: f64) -> f64 {
    let half = n.mul_add(0.5, SHIFT);
    let rest = (n - (half - SHIFT)) + SHIFT;
    m * power_of_two(half) * power_of_two(rest)
}

#[inline(always)]
fn within(x: f64, low: f64, high: f64) -> f64 {
    // NaN passes both comparisons.
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    let (n, r) = reduce(within_range(x));
    let m = (r * r).mul_add(exp_tail(r), r);
    scale(m + 1.0, n)
}

/// [`exp`], in fewer operations where the power is a normal number.
#[derive(Clone, Copy)]
pub(super) struct Exp;

impl Pieces for Exp {
    #[inline(always)]
    fn is_simple(self, x: f64) -> bool {
        x.abs() <= 700.0
    }

    #[inline(always)]
    fn simple(self, x: f64) -> f64 {
        let shifted = x.mul_add(LOG2_E, SHIFT);
        let n = shifted - SHIFT;
        let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
        let m = (r * r).mul_add(exp_tail(r), r);
        (m + 1.0) * power_of_two(shifted)
    }

    #[inline(always)]
    fn other(self, x: f64) -> f64 {
        exp(x)
    }

    #[inline(always)]
    fn either(self, x: f64) -> f64 {
        exp(x)
    }

    #[inline(always)]
    fn is_rare(self, _: f64) -> bool {
        false
    }

    #[inline(always)]
    fn rare(self, x: f64) -> f64 {
        exp(x)
    }
}

/// x, or the nearest beyond which e^x is 0 or infinite, and is rounded so by [`scale`].
#[inline(always)]
fn within_range(x: f64) -> f64 {
    within(x, -750.0, 710.0)
}

/// e^(x + c) for a correction c of at most x's last place.
#[inline(always)]
pub(super) fn exp_of_sum(x: f64, c: f64) -> f64 {
    let (n, m) = exp_less_one(x, c);
    scale(m + 1.0, n)
}

/// e^(x + c) as 2^n (1 + m), |m| < 0.42: (n, m), where little but the last sum rounds.
#[inline(always)]
pub(super) fn exp_less_one(x: f64, c: f64) -> (f64, f64) {
    let x = within_range(x);
    let n = x.mul_add(LOG2_E, SHIFT) - SHIFT;
    let r = Double::sum(n.mul_add(-LN2_HIGH, x), n.mul_add(-LN2_LOW, c));
    let tail = (r.high * r.high).mul_add(exp_tail(r.high), r.low);
    (n, r.high + tail)
}

#[inline(always)]
pub(super) fn expm1(x: f64) -> f64 {
    let (n, r) = reduce(within(x, -50.0, 710.0));
    let m = (r * r).mul_add(exp_tail(r), r);
    // 2^n (1 + m) - 1 = 2^n m + (2^n - 1), where the bracket is exact for |n| ≤ 53.
    let half = n.mul_add(0.5, SHIFT);
    let rest = (n - (half - SHIFT)) + SHIFT;
    let (a, b) = (power_of_two(half), power_of_two(rest));
    let result = (m * a).mul_add(b, a.mul_add(b, -1.0));
    // Near overflow a b may be infinite while the product with 1 + m is not.
    let large = (m + 1.0) * a * b;
    let result = if n > 1000.0 { large } else { result };
    // Keeps the sign of zero.
    if x == 0.0 { x } else { result }
}

/// The k and m with u = 2^k m, √½ ≤ m < √2, for u normal, positive and finite.
#[inline(always)]
fn significand(u: f64) -> (f64, f64) {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let k = (u.to_bits().wrapping_sub(SQRT_HALF) as i64) >> 52;
    let m = f64::from_bits(u.to_bits().wrapping_sub((k as u64) << 52));
    let k = f64::from_bits((k as u64).wrapping_add(SHIFT.to_bits())) - SHIFT;
    (k, m)
}

/// The same for u that may be subnormal.
#[inline(always)]
pub(super) fn split(u: f64) -> (f64, f64) {
    let (u, exponent) = lift(u);
    let (k, m) = significand(u);
    (k + exponent, m)
}

/// A number made normal, and the power of two that this divides by.
#[inline(always)]
fn lift(x: f64) -> (f64, f64) {
    if x < f64::MIN_POSITIVE {
        (x * LIFT, -54.0)
    } else {
        (x, 0.0)
    }
}

/// log(u) = k ln 2 + f - square/2 + s (square/2 + rest), u normal, positive and finite.
struct LogTerms {
    k: f64,
    f: f64,
    s: f64,
    half_square: f64,
    rest: f64,
}

#[inline(always)]
fn log_terms(u: f64) -> LogTerms {
    let (k, m) = significand(u);
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * w.mul_add(
        w.mul_add(1.531383769920937332e-01, 2.222219843214978396e-01),
        3.999999999940941908e-01,
    );
    let odd = z * w.mul_add(
        w.mul_add(
            w.mul_add(1.479819860511658591e-01, 1.818357216161805012e-01),
            2.857142874366239149e-01,
        ),
        6.666666666666735130e-01,
    );
    LogTerms {
        k,
        f,
        s,
        half_square: 0.5 * f * f,
        rest: even + odd,
    }
}

/// log(u + c) for a correction c far below u's last place, u normal, positive and finite; or log(u) + c/u for any that is
/// small beside the logarithm.
#[inline(always)]
pub(super) fn log_parts(u: f64, c_over_u: f64, exponent: f64) -> f64 {
    let LogTerms {
        k,
        f,
        s,
        half_square,
        rest,
    } = log_terms(u);
    let k = k + exponent;
    let low = k.mul_add(LN2_LOW, c_over_u);
    let tail = s.mul_add(half_square + rest, low);
    k.mul_add(LN2_HIGH, f - (half_square - tail))
}

/// log(x) with an error of about 2⁻⁶⁰, and in proportion near 1, for x positive, normal or not, and finite. The low part
/// is up to 0.02.
#[inline(always)]
pub(super) fn log_in_two_parts(x: f64) -> Double {
    let (u, exponent) = lift(x);
    let LogTerms {
        k,
        f,
        s,
        half_square,
        rest,
    } = log_terms(u);
    let k = k + exponent;
    // What the square's rounding lost.
    let lost = (0.5 * f).mul_add(f, -half_square);
    let near = Double::sum(f, -half_square);
    let whole = Double::sum(k * LN2_HIGH, near.high);
    let tail = s.mul_add(half_square + rest, k.mul_add(LN2_LOW, -lost));
    Double {
        high: whole.high,
        low: (whole.low + near.low) + tail,
    }
}

/// A polynomial of at least three terms, constant term first. The last addition rounds alone.
#[inline(always)]
pub(super) fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    x.mul_add(polynomial_slope(coefficients, x), coefficients[0])
}

/// A polynomial less its constant term, over x. Even and odd powers are apart, so that the multiplications overlap.
#[inline(always)]
pub(super) fn polynomial_slope<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let square = x * x;
    let (mut first, mut second) = (coefficients[N - 1], coefficients[N - 2]);
    // In pairs: a loop of few, plain rounds is unrolled, without which loops around this would not become vector code.
    for pair in 2..N.div_ceil(2) {
        first = square.mul_add(first, coefficients[N + 1 - 2 * pair]);
        second = square.mul_add(second, coefficients[N - 2 * pair]);
    }
    match N % 2 {
        0 => x.mul_add(second, square.mul_add(first, coefficients[1])),
        _ => x.mul_add(first, second),
    }
}

#[inline(always)]
pub(super) fn log(x: f64) -> f64 {
    let (u, exponent) = lift(x);
    let result = log_parts(u, 0.0, exponent);
    let result = if x == 0.0 { f64::NEG_INFINITY } else { result };
    let result = if x == f64::INFINITY { x } else { result };
    // NaN too.
    if x >= 0.0 { result } else { f64::NAN }
}

#[inline(always)]
pub(super) fn log1p(x: f64) -> f64 {
    let u = 1.0 + x;
    // What the sum lost: exact, by the larger summand.
    let c = if x < 1.0 {
        x - (u - 1.0)
    } else {
        1.0 - (u - x)
    };
    let result = log_parts(u, c / u, 0.0);
    let result = if u == 0.0 { f64::NEG_INFINITY } else { result };
    let result = if x == f64::INFINITY { x } else { result };
    // Keeps the sign of zero and the last bits of subnormal numbers.
    let result = if x.abs() < 1e-290 { x } else { result };
    if x >= -1.0 { result } else { f64::NAN }
}

#[inline(always)]
pub(super) fn log1m(x: f64) -> f64 {
    log1p(-x)
}

#[inline(always)]
pub(super) fn log1p_exp(x: f64) -> f64 {
    let positive = if x > 0.0 { x } else { 0.0 };
    let result = positive + log1p(exp(-x.abs()));
    if x == f64::INFINITY { x } else { result }
}

#[inline(always)]
pub(super) fn log1m_exp(x: f64) -> f64 {
    // Mächler (2012), equation 7.
    let near = log(-expm1(x));
    let far = log1p(-exp(x));
    if x > -std::f64::consts::LN_2 {
        near
    } else {
        far
    }
}

#[inline(always)]
pub(super) fn inv_logit(x: f64) -> f64 {
    let e = exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

#[inline(always)]
pub(super) fn log_inv_logit(x: f64) -> f64 {
    -log1p_exp(-x)
}

#[inline(always)]
pub(super) fn log1m_inv_logit(x: f64) -> f64 {
    -log1p_exp(x)
}

#[inline(always)]
pub(super) fn tanh(x: f64) -> f64 {
    // Beyond 22 it is 1 to the last place.
    let e = expm1(2.0 * within(x, -22.0, 22.0));
    let result = e / (e + 2.0);
    if x == 0.0 { x } else { result }
}
