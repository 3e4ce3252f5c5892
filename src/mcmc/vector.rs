//! Loops over padded vectors, in a fixed order of summation so that draws do not depend on the machine's vector width.
//!
//! Every vector of the sampler is made of blocks of [`LANES`] numbers, zero beyond its end, so that no loop has a
//! remainder; sums run in [`LANES`] accumulators, which LLVM keeps in vector registers without reassociating.

use std::ops::{Add, AddAssign, Mul};

/// How many sums run side by side; four hide the latency of an addition with two-wide registers.
pub(super) const LANES: usize = 4;

/// The numbers of one block as they lie in memory.
pub(super) type Lanes = [f64; LANES];

/// One block to compute with, as a value: loads before it and stores after it are whole, which is what lets LLVM use
/// vector registers although the slices of a loop might overlap for all it knows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Block(pub Lanes);

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

/// How many blocks hold a vector of `dimension` numbers.
pub(super) fn block_count(dimension: usize) -> usize {
    dimension.div_ceil(LANES)
}

/// A vector in blocks, its padding `rest`.
pub(super) fn in_blocks(vector: &[f64], rest: f64) -> Vec<Lanes> {
    let mut blocks = vec![[rest; LANES]; block_count(vector.len())];
    blocks.as_flattened_mut()[..vector.len()].copy_from_slice(vector);
    blocks
}

/// The inner product of two vectors.
#[inline]
pub(super) fn dot<'a>(
    left: impl IntoIterator<Item = &'a Lanes>,
    right: impl IntoIterator<Item = &'a Lanes>,
) -> f64 {
    let mut lanes = Block::default();
    for (left, right) in left.into_iter().zip(right) {
        lanes += Block(*left) * Block(*right);
    }
    lanes.total()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_fills_the_last_block() {
        assert_eq!(in_blocks(&[], 1.0), [[0.0; LANES]; 0]);
        assert_eq!(
            in_blocks(&[1.0, 2.0, 3.0, 4.0, 5.0], 7.0),
            [[1.0, 2.0, 3.0, 4.0], [5.0, 7.0, 7.0, 7.0]]
        );
    }

    #[test]
    fn dot_sums_all_lanes() {
        let numbers: Vec<f64> = (0..8).map(f64::from).collect();
        let vector = in_blocks(&numbers, 0.0);
        assert_eq!(dot(&vector, &vector), 140.0);
    }
}
