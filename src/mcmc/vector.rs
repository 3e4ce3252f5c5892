//! Loops over padded vectors, in a fixed order of summation so that draws do not depend on the machine's vector width.
//!
//! Every vector of the sampler has a length that is a multiple of [`LANES`], its padding zero, so that no loop has
//! a remainder; sums run in [`LANES`] accumulators, which LLVM keeps in vector registers without reassociating.

use std::ops::{Add, AddAssign, Mul};

/// How many sums run side by side; four hide the latency of an addition with two-wide registers.
pub(super) const LANES: usize = 4;

/// One block of a padded vector, computed with as a value: loads before it and stores after it are whole, which is
/// what lets LLVM use vector registers although the slices of a loop might overlap for all it knows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Block(pub [f64; LANES]);

impl Block {
    /// The same number in every lane.
    #[inline]
    pub(super) fn splat(value: f64) -> Self {
        Self([value; LANES])
    }

    /// The sum over the lanes, halves first: with two-wide registers one addition, then one across.
    #[inline]
    pub(super) fn total(self) -> f64 {
        let [a, b, c, d] = self.0;
        (a + c) + (b + d)
    }
}

impl Add for Block {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a + e, b + f, c + g, d + h])
    }
}

impl Mul for Block {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a * e, b * f, c * g, d * h])
    }
}

impl AddAssign for Block {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The length of a padded vector that holds `dimension` numbers.
#[inline]
pub(super) fn padded(dimension: usize) -> usize {
    dimension.next_multiple_of(LANES)
}

/// A padded vector as blocks.
#[inline]
pub(super) fn blocks(vector: &[f64]) -> &[[f64; LANES]] {
    debug_assert!(vector.len().is_multiple_of(LANES));
    vector.as_chunks().0
}

/// A padded vector as mutable blocks.
#[inline]
pub(super) fn blocks_mut(vector: &mut [f64]) -> &mut [[f64; LANES]] {
    debug_assert!(vector.len().is_multiple_of(LANES));
    vector.as_chunks_mut().0
}

/// The inner product of two padded vectors.
#[inline]
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut lanes = Block::default();
    for (left, right) in blocks(left).iter().zip(blocks(right)) {
        lanes += Block(*left) * Block(*right);
    }
    lanes.total()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_reaches_the_next_block() {
        assert_eq!([0, 1, 4, 5].map(padded), [0, 4, 4, 8]);
    }

    #[test]
    fn dot_sums_all_lanes() {
        let left: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(dot(&left, &left), 140.0);
    }
}
