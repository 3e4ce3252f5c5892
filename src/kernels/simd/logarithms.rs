//! Sums of logarithms, as the logarithm of a product.
//!
//! Significands are multiplied and exponents added, so that a block of numbers costs one logarithm. A sum errs by about
//! 2⁻⁵³ for each of its terms, which is what the terms' own errors come to unless the numbers are very close to 1.

use super::{Level, elementary};

/// How many partial products there are.
const PRODUCTS: usize = 16;
/// How many numbers share a logarithm: the product of so many significands, each below 2, is in range.
const BLOCK: usize = 512;

by_level! {
    /// Σ log(xᵢ); the order of multiplication is fixed. What is not finite, and positive, counts as in the plain sum.
    fn sum_log(from: &[f64]) -> f64 = sum_log_each;

    /// Σ log(1 + xᵢ); the order of multiplication is fixed. What is not finite, and above -1, counts as in the plain sum.
    fn sum_log1p(from: &[f64]) -> f64 = sum_log1p_each;
}

#[inline(always)]
fn sum_log_each(from: &[f64]) -> f64 {
    sum(from, 1.0, |x| (x, 0.0), elementary::log)
}

#[inline(always)]
fn sum_log1p_each(from: &[f64]) -> f64 {
    // What 1 + x lost matters where x is small, and there 1 + x is close to 1: added up as it is, it keeps sums of tiny
    // terms. It is exact up to 1; beyond, the logarithm is large enough not to miss it.
    let parts = |x: f64| {
        let u = 1.0 + x;
        (u, if x < 1.0 { x - (u - 1.0) } else { 0.0 })
    };
    let mut total = 0.0;
    for block in from.chunks(BLOCK) {
        total += match sum_of_fractions(block) {
            Some(sum) => sum,
            None => sum(block, 0.0, parts, elementary::log1p),
        };
    }
    total
}

/// Σ log(1 + xᵢ) of at most [`BLOCK`] numbers from 0 to 1, such as e^-|s|: their factors, 2 at most, need not be taken apart.
#[inline(always)]
fn sum_of_fractions(block: &[f64]) -> Option<f64> {
    const ONE: u64 = 1.0_f64.to_bits();
    let (mut products, mut lacking) = ([1.0; PRODUCTS], [0.0; PRODUCTS]);
    let mut others = [0_u64; PRODUCTS];
    let mut multiply = |group: &[f64; PRODUCTS]| {
        for (k, x) in group.iter().enumerate() {
            let u = 1.0 + x;
            products[k] *= u;
            lacking[k] += x - (u - 1.0);
            // Bits of numbers below 0, above 1 and of NaN are above those of 1.
            others[k] |= if x.to_bits() > ONE { 1 } else { 0 };
        }
    };
    let (groups, rest) = block.as_chunks::<PRODUCTS>();
    groups.iter().for_each(&mut multiply);
    let mut last = [0.0; PRODUCTS];
    last[..rest.len()].copy_from_slice(rest);
    multiply(&last);
    if others.iter().any(|other| *other != 0) {
        return None;
    }
    let mut partial = Partial::new();
    partial.multiply(&products, |u| (u, 0.0));
    partial.lacking = lacking;
    Some(partial.log(PRODUCTS))
}

/// The sum of a logarithm over a slice, where `parts` are the number whose logarithm a term is and what it lacks, `one` has
/// the logarithm 0, and `plain` is the function for numbers that are not positive, normal and finite.
#[inline(always)]
fn sum(
    from: &[f64],
    one: f64,
    parts: impl Fn(f64) -> (f64, f64),
    plain: impl Fn(f64) -> f64,
) -> f64 {
    let mut total = 0.0;
    for block in from.chunks(BLOCK) {
        let mut partial = Partial::new();
        let (groups, rest) = block.as_chunks::<PRODUCTS>();
        for group in groups {
            partial.multiply(group, &parts);
        }
        let mut last = [one; PRODUCTS];
        last[..rest.len()].copy_from_slice(rest);
        partial.multiply(&last, &parts);
        total += match partial.is_regular() {
            true => partial.log((groups.len() + 1) * PRODUCTS),
            false => block.iter().fold(0.0, |sum, x| sum + plain(*x)),
        };
    }
    total
}

/// Products of significands in [1, 2), and what else their logarithm takes.
struct Partial {
    products: [f64; PRODUCTS],
    /// Sums of exponents as they are in the format, 1023 too large each.
    exponents: [u64; PRODUCTS],
    lacking: [f64; PRODUCTS],
    /// Not zero once a number was not positive, normal and finite.
    irregular: [u64; PRODUCTS],
}

impl Partial {
    #[inline(always)]
    fn new() -> Partial {
        Partial {
            products: [1.0; PRODUCTS],
            exponents: [0; PRODUCTS],
            lacking: [0.0; PRODUCTS],
            irregular: [0; PRODUCTS],
        }
    }

    #[inline(always)]
    fn multiply(&mut self, group: &[f64; PRODUCTS], parts: impl Fn(f64) -> (f64, f64)) {
        const ONE: u64 = 1.0_f64.to_bits();
        const SIGNIFICAND: u64 = (1 << 52) - 1;
        for (k, x) in group.iter().enumerate() {
            let (u, lacking) = parts(*x);
            let bits = u.to_bits();
            self.products[k] *= f64::from_bits(bits & SIGNIFICAND | ONE);
            self.exponents[k] += bits >> 52;
            self.lacking[k] += lacking;
            let regular = (f64::MIN_POSITIVE..=f64::MAX).contains(&u);
            self.irregular[k] |= if regular { 0 } else { 1 };
        }
    }

    #[inline(always)]
    fn is_regular(&self) -> bool {
        self.irregular.iter().all(|flag| *flag == 0)
    }

    /// The logarithm of the product of so many numbers.
    #[inline(always)]
    fn log(&self, count: usize) -> f64 {
        let exponent = self.exponents.iter().sum::<u64>() as i64 - 1023 * count as i64;
        let product = self.products.iter().product();
        let lacking: f64 = self.lacking.iter().sum();
        elementary::log_parts(product, lacking, exponent as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Sum = fn(Level, &[f64]) -> f64;
    type Term = fn(f64) -> f64;
    const LEVELS: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

    /// Both sums with their plain terms.
    const CASES: [(Sum, Term); 2] = [
        (at_level::sum_log, f64::ln),
        (at_level::sum_log1p, f64::ln_1p),
    ];

    /// The sum at every level, which must be the same to the bit.
    fn at_every_level(sum: Sum, numbers: &[f64]) -> f64 {
        let found = LEVELS.map(|level| sum(level, numbers));
        let bits = found.map(|sum| if sum.is_nan() { 0 } else { sum.to_bits() });
        assert_eq!(bits, [bits[0]; 3]);
        found[0]
    }

    #[test]
    fn sums_are_those_of_the_terms() {
        for length in [0, 1, 15, 16, 17, 511, 512, 513, 2000] {
            for scale in [1e-3, 1.0, 1e250] {
                let numbers: Vec<f64> = (0..length)
                    .map(|at| ((at as f64 * 0.713).sin() * 40.0).exp() * scale)
                    .collect();
                for (sum, term) in CASES {
                    let terms: Vec<f64> = numbers.iter().map(|x| term(*x)).collect();
                    let (mut expected, mut lost, mut size) = (0.0, 0.0, 1.0);
                    for term in terms {
                        let next = expected + term;
                        // Exact, by the larger summand (Neumaier, 1974).
                        lost += match f64::abs(expected) >= f64::abs(term) {
                            true => (expected - next) + term,
                            false => (term - next) + expected,
                        };
                        expected = next;
                        size += term.abs() + 1.0;
                    }
                    let expected = expected + lost;
                    let found = at_every_level(sum, &numbers);
                    assert!(
                        (found - expected).abs() <= 2e-16 * size,
                        "{found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn sums_of_tiny_terms_keep_their_precision() {
        for size in [1e-9_f64, 1e-17, 1e-30, 5e-324] {
            let numbers = [size; 100];
            let expected: f64 = numbers.iter().map(|x| x.ln_1p()).sum();
            let found = at_every_level(at_level::sum_log1p, &numbers);
            assert!((found / expected - 1.0).abs() < 1e-8, "{found} {expected}");
        }
    }

    #[test]
    fn corner_cases_are_those_of_the_plain_sum() {
        let corners = [
            0.0,
            -0.0,
            -1.0,
            -2.0,
            5e-324,
            -5e-324,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for (sum, term) in CASES {
            for first in corners {
                for second in corners {
                    let mut numbers = vec![1.5; 600];
                    numbers[7] = first;
                    numbers[599] = second;
                    let expected: f64 = numbers.iter().map(|x| term(*x)).sum();
                    let found = at_every_level(sum, &numbers);
                    let same = found == expected || (found.is_nan() && expected.is_nan());
                    let close = (found - expected).abs() <= 1e-12 * expected.abs();
                    assert!(same || close, "{first:e}, {second:e}: {found} {expected}");
                }
            }
        }
    }
}
