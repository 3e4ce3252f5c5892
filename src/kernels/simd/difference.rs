//! Logarithms of differences of exponentials.

use super::Level;
use super::elementary::log1m_exp;

by_level! {
    /// log(e^x - e^y) of each pair of numbers, into `to`; as many as the shortest of the three has. Corner cases are those of
    /// [`special::log_diff_exp`](crate::kernels::special::log_diff_exp).
    ///
    /// Within 2 ulp of the larger in size of the value and x.
    fn log_diff_exp(x: &[f64], y: &[f64], to: &mut [f64]) = log_diff_exp_each;
}

#[inline(always)]
fn log_diff_exp_each(x: &[f64], y: &[f64], to: &mut [f64]) {
    for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
        let difference = *x + log1m_exp(*y - *x);
        let is_nothing = *x == *y && *x < f64::INFINITY;
        *to = if is_nothing {
            f64::NEG_INFINITY
        } else {
            difference
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::special;

    #[test]
    fn differences_are_those_of_the_scalar_function_at_every_level() {
        let mut numbers: Vec<f64> = (-60..60).map(|at| f64::from(at) * 0.713).collect();
        numbers.extend((-40..40).map(|at| 1e-3 * f64::from(at)));
        numbers.extend([
            700.0,
            -800.0,
            1e300,
            -1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ]);
        for &y in &numbers {
            let others = vec![y; numbers.len()];
            let mut bits = Vec::new();
            for level in [Level::Portable, Level::Avx2, Level::Avx512] {
                let mut found = vec![7.0; numbers.len()];
                at_level::log_diff_exp(level, &numbers, &others, &mut found);
                for (&x, &found) in numbers.iter().zip(&found) {
                    let expected = special::log_diff_exp(x, y);
                    let same = found == expected || found.is_nan() && expected.is_nan();
                    let size = expected.abs().max(x.abs());
                    assert!(
                        same || (found - expected).abs() <= 4.0 * f64::EPSILON * size,
                        "{x:e}, {y:e}: {found:e} {expected:e}"
                    );
                }
                let quiet = |x: &f64| if x.is_nan() { 0 } else { x.to_bits() };
                bits.push(found.iter().map(quiet).collect::<Vec<u64>>());
            }
            assert!(bits.iter().all(|level| *level == bits[0]), "{y}");
        }
    }
}
