//! Loops over padded vectors, in a fixed order of summation so that draws do not depend on the machine's vector width.
//!
//! Every vector of the sampler has a length that is a multiple of [`LANES`], its padding zero, so that no loop has
//! a remainder; sums run in [`LANES`] accumulators, which LLVM keeps in vector registers without reassociating.

/// How many sums run side by side; four hide the latency of an addition with two-wide registers.
pub(super) const LANES: usize = 4;

/// One block of a padded vector.
pub(super) type Block = [f64; LANES];

/// The length of a padded vector that holds `dimension` numbers.
pub(super) fn padded(dimension: usize) -> usize {
    dimension.next_multiple_of(LANES)
}

/// A padded vector as blocks.
pub(super) fn blocks(vector: &[f64]) -> &[Block] {
    debug_assert!(vector.len().is_multiple_of(LANES));
    vector.as_chunks().0
}

/// A padded vector as mutable blocks.
pub(super) fn blocks_mut(vector: &mut [f64]) -> &mut [Block] {
    debug_assert!(vector.len().is_multiple_of(LANES));
    vector.as_chunks_mut().0
}

/// The sum of one block of accumulators.
pub(super) fn total(lanes: Block) -> f64 {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

/// The inner product of two padded vectors.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    for (left, right) in blocks(left).iter().zip(blocks(right)) {
        for lane in 0..LANES {
            lanes[lane] += left[lane] * right[lane];
        }
    }
    total(lanes)
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
