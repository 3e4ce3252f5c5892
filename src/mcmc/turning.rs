//! The U-turn criterion on momentum sums, with the two checks across the seam of merged subtrees.
//!
//! Betancourt (2017), appendix A.4.2: a trajectory from begin to end with momentum sum ρ goes on while
//! p♯(begin)·ρ > 0 and p♯(end)·ρ > 0. The checks across the seam (Stan since 2.21, stan#2800) extend either half by
//! the first point of the other, which catches a turn that the whole trajectory has already completed.

use super::points::Point;
use super::vector::{Block, LANES, blocks, blocks_mut, total};

/// Two single points one step apart: whether they go on, and the sum of their momenta in `sum`.
///
/// With halves of one point the checks across the seam repeat the check of the whole.
pub(super) fn points_persist(left: Point<'_>, right: Point<'_>, sum: &mut [f64]) -> bool {
    let sum = blocks_mut(sum);
    let count = sum.len();
    let (left_momentum, left_velocity) = (
        &blocks(left.momentum)[..count],
        &blocks(left.velocity)[..count],
    );
    let (right_momentum, right_velocity) = (
        &blocks(right.momentum)[..count],
        &blocks(right.velocity)[..count],
    );
    let mut at_left = [0.0; LANES];
    let mut at_right = [0.0; LANES];
    for block in 0..count {
        for lane in 0..LANES {
            let momentum = left_momentum[block][lane] + right_momentum[block][lane];
            sum[block][lane] = momentum;
            at_left[lane] += left_velocity[block][lane] * momentum;
            at_right[lane] += right_velocity[block][lane] * momentum;
        }
    }
    total(at_left) > 0.0 && total(at_right) > 0.0
}

/// The four points of two subtrees that the criterion looks at, in the order of integration.
#[derive(Debug)]
pub(super) struct Seam<'a> {
    /// First point of the left subtree.
    pub begin: Point<'a>,
    /// Last point of the left subtree.
    pub left_end: Point<'a>,
    /// First point of the right subtree, one step on.
    pub right_begin: Point<'a>,
    /// Last point of the right subtree.
    pub end: Point<'a>,
}

/// Two subtrees of several points: whether they go on; adds the right one's momentum sum to the left one's.
pub(super) fn subtrees_persist(seam: &Seam<'_>, left_sum: &mut [f64], right_sum: &[f64]) -> bool {
    let left_sum = blocks_mut(left_sum);
    let count = left_sum.len();
    let right_sum = &blocks(right_sum)[..count];
    let begin = &blocks(seam.begin.velocity)[..count];
    let end = &blocks(seam.end.velocity)[..count];
    let left_end = &blocks(seam.left_end.velocity)[..count];
    let left_momentum = &blocks(seam.left_end.momentum)[..count];
    let right_begin = &blocks(seam.right_begin.velocity)[..count];
    let right_momentum = &blocks(seam.right_begin.momentum)[..count];

    let mut whole: [Block; 2] = Default::default();
    let mut left_and_one: [Block; 2] = Default::default();
    let mut right_and_one: [Block; 2] = Default::default();
    for block in 0..count {
        for lane in 0..LANES {
            let (left, right) = (left_sum[block][lane], right_sum[block][lane]);
            let (begin, end) = (begin[block][lane], end[block][lane]);
            let sum = left + right;
            whole[0][lane] += begin * sum;
            whole[1][lane] += end * sum;
            let sum_left = left + right_momentum[block][lane];
            left_and_one[0][lane] += begin * sum_left;
            left_and_one[1][lane] += right_begin[block][lane] * sum_left;
            let sum_right = right + left_momentum[block][lane];
            right_and_one[0][lane] += left_end[block][lane] * sum_right;
            right_and_one[1][lane] += end * sum_right;
            left_sum[block][lane] = sum;
        }
    }
    [whole, left_and_one, right_and_one]
        .as_flattened()
        .iter()
        .all(|lanes| total(*lanes) > 0.0)
}
