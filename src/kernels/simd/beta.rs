//! The logarithm of the beta function.
//!
//! With large parameters the terms of Stirling's formula that would cancel are taken together (Didonato and Morris, 1992,
//! "Algorithm 708", section 3); if both are below 5/2 it is the sum of three logarithms of gamma functions. Parameters beyond
//! 10^±290 are left to [`special`].

use super::Level;
use super::elementary::{log, log1p};
use super::gamma::{FAR_FROM, Lgamma, stirling_error};
use super::pieces::{CHUNK, Pieces};
use crate::kernels::special;

/// ln √(2π).
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_7;
/// Between its inverse and this no sum or quotient leaves the range of numbers.
const LARGEST: f64 = 1e290;

by_level! {
    /// ln B(a, b) of each pair of numbers, into `to`; as many as the shortest of the three has.
    ///
    /// Within 3 ulp of the larger in size of the value and 1.
    fn lbeta(a: &[f64], b: &[f64], to: &mut [f64]) = lbeta_each;

    /// ln B(a, b) of one pair for which [`is_regular`], with the bits of the slice function.
    fn lbeta_alone(a: f64, b: f64) -> f64 = lbeta_of_pair;
}

/// Whether the function is computed here: of positive numbers that are neither tiny nor huge.
#[inline(always)]
pub fn is_regular(a: f64, b: f64) -> bool {
    let (small, large) = in_order(a, b);
    // NaN is not, wherever it ended up.
    small >= 1.0 / LARGEST && large <= LARGEST && small <= large
}

#[inline(always)]
fn lbeta_each(a: &[f64], b: &[f64], to: &mut [f64]) {
    let chunks = a
        .chunks(CHUNK)
        .zip(b.chunks(CHUNK))
        .zip(to.chunks_mut(CHUNK));
    for ((a, b), to) in chunks {
        chunk(a, b, to);
    }
}

#[inline(always)]
fn chunk(a: &[f64], b: &[f64], to: &mut [f64]) {
    // As numbers as wide as the reals, for the sake of vectors.
    let (mut near, mut rare) = (0_u64, 0_u64);
    for (a, b) in a.iter().zip(b) {
        near |= if *a >= FAR_FROM && *b >= FAR_FROM {
            0
        } else {
            1
        };
        rare |= if is_regular(*a, *b) { 0 } else { 1 };
    }
    if near == 0 {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            let (small, large) = in_order(*a, *b);
            *to = both_far(small, large);
        }
    } else {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            let (small, large) = in_order(*a, *b);
            *to = either(small, large);
        }
    }
    if rare != 0 {
        for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
            if !is_regular(*a, *b) {
                *to = special::lbeta(*a, *b);
            }
        }
    }
}

#[inline(always)]
fn in_order(a: f64, b: f64) -> (f64, f64) {
    (if a < b { a } else { b }, if a < b { b } else { a })
}

#[inline(always)]
fn lbeta_of_pair(a: f64, b: f64) -> f64 {
    let (small, large) = in_order(a, b);
    if small >= FAR_FROM {
        both_far(small, large)
    } else if large >= FAR_FROM {
        one_far(small, large)
    } else {
        none_far(small, large)
    }
}

/// The same without branches.
#[inline(always)]
fn either(small: f64, large: f64) -> f64 {
    let (both, one, none) = (
        both_far(small, large),
        one_far(small, large),
        none_far(small, large),
    );
    let near = if large >= FAR_FROM { one } else { none };
    if small >= FAR_FROM { both } else { near }
}

/// ln Γ(large) - ln Γ(small + large) + small ln(small + large) - small, for a large number.
#[inline(always)]
fn far_ratio(small: f64, large: f64) -> f64 {
    let errors = stirling_error(large) - stirling_error(small + large);
    (0.5 - large).mul_add(log1p(small / large), errors)
}

#[inline(always)]
fn both_far(small: f64, large: f64) -> f64 {
    let constant = HALF_LOG_TWO_PI - 0.5 * log(small) + stirling_error(small);
    let shares = small.mul_add(log(small / (small + large)), constant);
    shares + far_ratio(small, large)
}

#[inline(always)]
fn one_far(small: f64, large: f64) -> f64 {
    let rest = small.mul_add(1.0 - log(small + large), far_ratio(small, large));
    Lgamma.other(small) + rest
}

#[inline(always)]
fn none_far(small: f64, large: f64) -> f64 {
    let rest = Lgamma.other(large) - Lgamma.either(small + large);
    Lgamma.other(small) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = include_str!("../../../tests/reference/special.tsv");

    #[test]
    fn slices_match_reference_values() {
        let mut count = 0;
        for line in REFERENCE.lines().filter(|line| line.starts_with("lbeta\t")) {
            let numbers = line.split('\t').skip(1).map(|field| field.parse().unwrap());
            let numbers: Vec<f64> = numbers.collect();
            let (mut found, expected) = ([0.0; 2], numbers[2]);
            lbeta(&[numbers[0], 3.0], &[numbers[1], 4.0], &mut found);
            let error = (found[0] - expected).abs() / expected.abs().max(1.0);
            assert!(error <= 3.0 * f64::EPSILON, "{line} {}", found[0]);
            count += 1;
        }
        assert!(count > 50);
    }

    #[test]
    fn slices_have_the_scalar_functions_bits_at_every_level() {
        let corners = [
            f64::NAN,
            f64::INFINITY,
            0.0,
            -1.0,
            5e-324,
            1e-291,
            1e291,
            1e-290,
            1e290,
            2.5,
        ];
        let near = (1..40).map(|at| f64::from(at) * 0.113);
        let far = (0..40).map(|at| 2.5 * 1.7_f64.powi(at));
        let numbers: Vec<f64> = near.chain(far).collect();
        let all: Vec<f64> = corners.iter().chain(&numbers).copied().collect();
        for numbers in [&all, &numbers] {
            for &b in numbers {
                let others = vec![b; numbers.len()];
                for level in [Level::Portable, Level::Avx2, Level::Avx512] {
                    let mut found = vec![7.0; numbers.len()];
                    at_level::lbeta(level, numbers, &others, &mut found);
                    for (&a, &found) in numbers.iter().zip(&found) {
                        let expected = special::lbeta(a, b);
                        let same = found.to_bits() == expected.to_bits()
                            || found.is_nan() && expected.is_nan();
                        assert!(same, "{a:e}, {b:e}: {found:e} {expected:e} {level:?}");
                    }
                }
            }
        }
    }
}
