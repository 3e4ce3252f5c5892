//! The exponential function, one per leapfrog step: without branches or tables, the same bits everywhere.
//!
//! x = n·log 2 + r with |r| ≤ ½ log 2 (Cody and Waite 1980, two-part log 2), eʳ by its Taylor polynomial of degree 13,
//! whose truncation is below 1e-17, in Estrin's order, which is a third as deep as Horner's.

/// log 2 = `LN_2_HIGH` + `LN_2_LOW`, the high part short enough that n·`LN_2_HIGH` is exact (fdlibm's split).
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Adding and subtracting this rounds to the nearest integer: 1.5 · 2⁵².
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Below this the result is not a normal number; the sampler takes it as 0.
const SMALLEST_POWER: f64 = -708.0;

/// eˣ to about one unit in the last place, for x ≤ 709; 0 below −708.
#[inline]
pub(super) fn exp(x: f64) -> f64 {
    let power = x.max(SMALLEST_POWER);
    let shifted = power * std::f64::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (power - n * LN_2_HIGH) - n * LN_2_LOW;

    const FACTORIALS: [f64; 14] = inverse_factorials();
    let c = &FACTORIALS;
    let r2 = r * r;
    let r4 = r2 * r2;
    let r8 = r4 * r4;
    let low = (c[2] + c[3] * r) + (c[4] + c[5] * r) * r2;
    let middle = (c[6] + c[7] * r) + (c[8] + c[9] * r) * r2;
    let high = (c[10] + c[11] * r) + (c[12] + c[13] * r) * r2;
    let value = 1.0 + (r + r2 * (low + (middle * r4 + high * r8)));

    // The integer n is in the low bits of `shifted`; 2ⁿ has it in its exponent.
    let scale = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    if x < SMALLEST_POWER {
        0.0
    } else {
        value * scale
    }
}

/// 1/k! for the coefficients of the Taylor polynomial.
const fn inverse_factorials() -> [f64; 14] {
    let mut inverses = [1.0; 14];
    let mut factorial = 1.0;
    let mut k = 1;
    while k < inverses.len() {
        factorial *= k as f64;
        inverses[k] = 1.0 / factorial;
        k += 1;
    }
    inverses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential() {
        for step in -70_000..70_000 {
            let x = f64::from(step) * 0.010_007;
            let (found, expected) = (exp(x), libm::exp(x));
            assert!(
                (found / expected - 1.0).abs() < 4e-16,
                "{x}: {found} {expected}"
            );
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
    }

    #[test]
    fn it_vanishes_far_down() {
        assert!(exp(-708.0) > 0.0);
        assert_eq!(exp(-708.1), 0.0);
        assert_eq!(exp(-1e300), 0.0);
    }
}
