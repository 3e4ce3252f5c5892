//! The U-turn criterion on momentum sums, with the two checks across the seam of merged subtrees.
//!
//! Betancourt (2017), appendix A.4.2: a trajectory from begin to end with momentum sum ρ goes on while
//! p♯(begin)·ρ > 0 and p♯(end)·ρ > 0. The checks across the seam (Stan since 2.21, stan#2800) extend either half by
//! the first point of the other, which catches a turn that the whole trajectory has already completed.

use super::points::Point;
use super::vector::{Block, blocks, blocks_mut};

/// Two single points one step apart: whether they go on; the sum of their momenta goes to `sum`.
///
/// With halves of one point the checks across the seam repeat the check of the whole.
#[inline]
pub(super) fn points_persist(left: Point<'_>, right: Point<'_>, sum: &mut [f64]) -> bool {
    sum.copy_from_slice(left.momentum);
    add_and_check(left.velocity, right.velocity, sum, right.momentum)
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

/// Two subtrees of several points: whether they go on; if so, the right one's momentum sum is added to the left one's.
#[inline]
pub(super) fn subtrees_persist(seam: &Seam<'_>, left_sum: &mut [f64], right_sum: &[f64]) -> bool {
    let Seam {
        begin,
        left_end,
        right_begin,
        end,
    } = seam;
    check(
        begin.velocity,
        right_begin.velocity,
        left_sum,
        right_begin.momentum,
    ) && check(
        left_end.velocity,
        end.velocity,
        right_sum,
        left_end.momentum,
    ) && add_and_check(begin.velocity, end.velocity, left_sum, right_sum)
}

/// Whether both velocities point along the sum of two vectors.
#[inline]
fn check(begin: &[f64], end: &[f64], left: &[f64], right: &[f64]) -> bool {
    let left = blocks(left);
    let count = left.len();
    let right = &blocks(right)[..count];
    let begin = &blocks(begin)[..count];
    let end = &blocks(end)[..count];
    let mut at_begin = Block::default();
    let mut at_end = Block::default();
    for at in 0..count {
        let sum = Block(left[at]) + Block(right[at]);
        at_begin += Block(begin[at]) * sum;
        at_end += Block(end[at]) * sum;
    }
    at_begin.total() > 0.0 && at_end.total() > 0.0
}

/// As [`check`], with the sum left in `sum`.
#[inline]
fn add_and_check(begin: &[f64], end: &[f64], sum: &mut [f64], added: &[f64]) -> bool {
    let sum = blocks_mut(sum);
    let count = sum.len();
    let added = &blocks(added)[..count];
    let begin = &blocks(begin)[..count];
    let end = &blocks(end)[..count];
    let mut at_begin = Block::default();
    let mut at_end = Block::default();
    for at in 0..count {
        let total = Block(sum[at]) + Block(added[at]);
        at_begin += Block(begin[at]) * total;
        at_end += Block(end[at]) * total;
        sum[at] = total.0;
    }
    at_begin.total() > 0.0 && at_end.total() > 0.0
}
