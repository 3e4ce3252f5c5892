//! The elementary functions: the standard library's, under the names of the language, with C's corner cases.
//!
//! Measured on x86-64 Linux the standard library (which calls the platform's C library) is as fast as or faster
//! than the `libm` crate for all of these, and it rounds better; the price is that results are promised per machine
//! type, not across operating systems.

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {
        $(
            $(#[$doc])*
            #[inline]
            pub fn $name(x: f64) -> f64 {
                x.$method()
            }
        )*
    };
}

unary! {
    /// |x|.
    abs = abs;
    /// e^x.
    exp = exp;
    /// 2^x.
    exp2 = exp2;
    /// e^x - 1 without cancellation near 0.
    expm1 = exp_m1;
    /// ln x; -∞ at 0, NaN below.
    log = ln;
    /// ln(1 + x) without cancellation near 0; -∞ at -1, NaN below.
    log1p = ln_1p;
    /// Logarithm to base 2.
    log2 = log2;
    /// Logarithm to base 10.
    log10 = log10;
    /// √x; NaN below 0.
    sqrt = sqrt;
    /// Real cube root, of either sign.
    cbrt = cbrt;
    /// Sine of x radians.
    sin = sin;
    /// Cosine of x radians.
    cos = cos;
    /// Tangent of x radians.
    tan = tan;
    /// Inverse sine in [-π/2, π/2]; NaN outside [-1, 1].
    asin = asin;
    /// Inverse cosine in [0, π]; NaN outside [-1, 1].
    acos = acos;
    /// Inverse tangent in [-π/2, π/2].
    atan = atan;
    /// Hyperbolic sine.
    sinh = sinh;
    /// Hyperbolic cosine.
    cosh = cosh;
    /// Hyperbolic tangent.
    tanh = tanh;
    /// The largest integer ≤ x.
    floor = floor;
    /// The smallest integer ≥ x.
    ceil = ceil;
    /// The nearest integer, halves away from zero (as C's `round`).
    round = round;
    /// The integer part, toward zero.
    trunc = trunc;
}

/// Inverse hyperbolic sine: sign(x) ln(|x| + √(x² + 1)), arranged so as not to cancel near 0 or overflow.
pub fn asinh(x: f64) -> f64 {
    libm::asinh(x)
}

/// Inverse hyperbolic cosine; NaN below 1.
pub fn acosh(x: f64) -> f64 {
    libm::acosh(x)
}

/// Inverse hyperbolic tangent; ±∞ at ±1, NaN beyond.
pub fn atanh(x: f64) -> f64 {
    libm::atanh(x)
}

/// 1 / x.
#[inline]
pub fn inv(x: f64) -> f64 {
    1.0 / x
}

/// x².
#[inline]
pub fn square(x: f64) -> f64 {
    x * x
}

/// 1 / √x.
#[inline]
pub fn inv_sqrt(x: f64) -> f64 {
    1.0 / x.sqrt()
}

/// 1 / x².
#[inline]
pub fn inv_square(x: f64) -> f64 {
    1.0 / (x * x)
}

/// x^y with C's corner cases: `pow(x, 0)` and `pow(1, y)` are 1 even for NaN, a negative base needs an integral
/// exponent (NaN otherwise), `pow(0, y)` is ∞ for y < 0.
pub fn pow(x: f64, y: f64) -> f64 {
    x.powf(y)
}

/// The angle of the point (x, y) from the positive x axis, in (-π, π].
pub fn atan2(y: f64, x: f64) -> f64 {
    y.atan2(x)
}

/// √(x² + y²) without overflow.
pub fn hypot(x: f64, y: f64) -> f64 {
    x.hypot(y)
}

/// x·y + z with one rounding.
#[inline]
pub fn fma(x: f64, y: f64, z: f64) -> f64 {
    x.mul_add(y, z)
}

/// The positive difference: x - y if x > y, else 0; NaN if either is.
#[inline]
pub fn fdim(x: f64, y: f64) -> f64 {
    if x <= y { 0.0 } else { x - y }
}

/// The larger argument; a NaN yields to the other one, as in C.
#[inline]
pub fn fmax(x: f64, y: f64) -> f64 {
    x.max(y)
}

/// The smaller argument; a NaN yields to the other one, as in C.
#[inline]
pub fn fmin(x: f64, y: f64) -> f64 {
    x.min(y)
}

/// The remainder x - n·y with n = x/y truncated toward zero; it has the sign of x, and is NaN for y = 0.
#[inline]
pub fn fmod(x: f64, y: f64) -> f64 {
    x % y
}

/// x · 2^n for an integral n, with one rounding.
pub fn ldexp(x: f64, n: f64) -> f64 {
    // Beyond ±2200 every finite x has over- or underflowed already.
    if n.is_nan() {
        f64::NAN
    } else {
        libm::scalbn(x, n.clamp(-2200.0, 2200.0) as i32)
    }
}

/// 0 below zero, 1 from zero on (and, as in Stan, for NaN).
#[inline]
pub fn step(x: f64) -> f64 {
    if x < 0.0 { 0.0 } else { 1.0 }
}

/// 1 above zero, 0 elsewhere: unlike [`step`] it is 0 at zero.
#[inline]
pub fn int_step(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corner_cases_follow_c() {
        let same = [
            (pow(f64::NAN, 0.0), 1.0),
            (pow(0.0, -1.0), f64::INFINITY),
            (pow(-2.0, 3.0), -8.0),
            (fdim(3.0, 5.0), 0.0),
            (fdim(f64::INFINITY, f64::INFINITY), 0.0),
            (fmax(f64::NAN, 2.0), 2.0),
            (fmod(-7.5, 2.0), -1.5),
            (ldexp(0.75, 5.0), 24.0),
            (ldexp(1.0, -1e9), 0.0),
            (round(-2.5), -3.0),
            (step(0.0), 1.0),
            (int_step(0.0), 0.0),
        ];
        for (k, (got, want)) in same.into_iter().enumerate() {
            assert_eq!(got, want, "case {k}");
        }
        assert!(
            pow(-2.0, 0.5).is_nan()
                && fdim(f64::NAN, 1.0).is_nan()
                && ldexp(1.0, f64::NAN).is_nan()
        );
    }

    #[test]
    fn inverse_hyperbolics_keep_their_precision_near_zero_and_far_out() {
        assert_eq!(asinh(1e-20), 1e-20);
        assert_eq!(atanh(-1e-20), -1e-20);
        assert!((asinh(-1e200) + 461.210_165_779_357).abs() < 1e-10);
        assert!(acosh(0.5).is_nan() && atanh(1.5).is_nan());
    }
}
