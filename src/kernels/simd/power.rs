//! Powers of slices: x^y as e^(y log x), with the logarithm in two parts.
//!
//! The logarithm needs more precision than its result has digits: an error is multiplied by y log x, up to 745. It is
//! 2 artanh(s) for s = f / (2 + f), as in fdlibm, with s, s² and the first term of the series in two parts each,
//! which leaves a relative error of about 2⁻⁶⁴. The result is within 2 ulp of the scalar function.

use super::Level;
use super::double::Double;
use super::elementary::{LN2_HIGH, LN2_LOW, exp_of_sum, split};

by_level! {
    /// x^y of each pair of numbers, with the corner cases of C, into `to`; as many as the shortest of the three has.
    fn pow(x: &[f64], y: &[f64], to: &mut [f64]) = pow_each;
}

#[inline(always)]
fn pow_each(x: &[f64], y: &[f64], to: &mut [f64]) {
    for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
        *to = power(*x, *y);
    }
}

/// log(x) for x positive, normal or not, and finite.
#[inline(always)]
fn log(x: f64) -> Double {
    /// 2/3 in two parts.
    const TWO_THIRDS: f64 = 2.0 / 3.0;
    const TWO_THIRDS_LOW: f64 = 3.700743415417188e-17;
    let (k, m) = split(x);
    let f = m - 1.0;
    let divisor = Double::sum(2.0, f);
    let s = f / divisor.high;
    // What is left of f, over the divisor.
    let s_low = (-s).mul_add(divisor.low, (-s).mul_add(divisor.high, f)) / divisor.high;
    let z = Double::product(s, s);
    let z_low = (2.0 * s).mul_add(s_low, z.low);
    // (log(m) - 2s) / s = 2/3 z + 2/5 z² + 2/7 z³ + …, the first term in two parts.
    let first = Double::product(TWO_THIRDS, z.high);
    let first_low = TWO_THIRDS.mul_add(z_low, TWO_THIRDS_LOW.mul_add(z.high, first.low));
    let z = z.high;
    let z2 = z * z;
    let p0 = z.mul_add(2.0 / 7.0, 2.0 / 5.0);
    let p2 = z.mul_add(2.0 / 11.0, 2.0 / 9.0);
    let p4 = z.mul_add(2.0 / 15.0, 2.0 / 13.0);
    let p6 = z.mul_add(2.0 / 19.0, 2.0 / 17.0);
    let p8 = z.mul_add(2.0 / 23.0, 2.0 / 21.0);
    let z4 = z2 * z2;
    let q0 = z2.mul_add(p2, p0);
    let q4 = z2.mul_add(p6, p4);
    let q8 = z2.mul_add(2.0 / 25.0, p8);
    let tail = z4.mul_add(z4.mul_add(q8, q4), q0);
    let series = Double::sum(first.high, z2.mul_add(tail, first_low));
    let product = Double::product(s, series.high);
    let low = s.mul_add(series.low, s_low.mul_add(series.high, product.low));
    // k ln 2 + 2s + product, by size.
    let whole = Double::sum(k * LN2_HIGH, 2.0 * s);
    let all = Double::sum(whole.high, product.high);
    let low = low + 2.0 * s_low + k.mul_add(LN2_LOW, whole.low + all.low);
    Double::sum(all.high, low)
}

/// x^y with the corner cases of C.
#[inline(always)]
fn power(x: f64, y: f64) -> f64 {
    let size = x.abs();
    let Double { high, low } = log(size);
    let regular = size > 0.0 && size < f64::INFINITY;
    let edge = if size == 0.0 { f64::NEG_INFINITY } else { size };
    let high = if regular { high } else { edge };
    let product = Double::product(y, high);
    let low = y.mul_add(low, product.low);
    // Beyond, the result is 0 or infinite; and infinities leave nothing over.
    let low = if product.high.abs() < 800.0 { low } else { 0.0 };
    let result = exp_of_sum(product.high, low);
    // Of a negative base only whole powers exist, and odd ones are negative.
    let half = 0.5 * y;
    let (is_whole, is_odd) = (y.trunc() == y, half.trunc() != half && y.trunc() == y);
    let result = if x < 0.0 && regular && !is_whole {
        f64::NAN
    } else {
        result
    };
    let result = if is_odd { result.copysign(x) } else { result };
    // -1 to an infinite power is 1.
    let result = if size == 1.0 && y.abs() == f64::INFINITY {
        1.0
    } else {
        result
    };
    if y == 0.0 || x == 1.0 { 1.0 } else { result }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::special;

    const LEVELS: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

    /// Bases and exponents of every sign and magnitude, and the corners.
    fn numbers() -> Vec<f64> {
        let mut numbers = vec![
            0.0,
            1.0,
            0.5,
            2.0,
            3.0,
            25.0,
            0.707_106_781_186_547_5,
            std::f64::consts::SQRT_2,
            0.999_999_999_999,
            1.000_000_000_001,
            709.7,
            1023.0,
            1074.0,
            5e-324,
            1e-310,
            f64::MIN_POSITIVE,
            f64::MAX,
            4_503_599_627_370_497.0,
            9_007_199_254_740_993.0,
            f64::INFINITY,
        ];
        numbers.extend((1..60).map(|at| f64::from(at) * 0.371));
        numbers.extend((-60..60).map(|at| 1.37_f64.powi(at * 9) * 1.000_321));
        let negative: Vec<f64> = numbers.iter().map(|x| -x).collect();
        numbers.extend(negative);
        numbers.push(f64::NAN);
        numbers
    }

    #[test]
    fn powers_are_those_of_the_scalar_function_at_every_level() {
        let numbers = numbers();
        for &y in &numbers {
            let exponents = vec![y; numbers.len()];
            let mut bits = Vec::new();
            for level in LEVELS {
                let mut found = vec![7.0; numbers.len()];
                at_level::pow(level, &numbers, &exponents, &mut found);
                for (&x, &found) in numbers.iter().zip(&found) {
                    let expected = special::pow(x, y);
                    let size = expected.abs().max(f64::MIN_POSITIVE);
                    let ulp = size.next_up() - size;
                    let same = found.to_bits() == expected.to_bits()
                        || (found.is_nan() && expected.is_nan());
                    assert!(
                        same || (found - expected).abs() <= 2.0 * ulp,
                        "{x:e} ^ {y:e} = {found:e} instead of {expected:e}"
                    );
                }
                let quiet = |x: &f64| if x.is_nan() { 0 } else { x.to_bits() };
                bits.push(found.iter().map(quiet).collect::<Vec<u64>>());
            }
            assert!(bits.iter().all(|level| *level == bits[0]), "{y}");
        }
    }
}
