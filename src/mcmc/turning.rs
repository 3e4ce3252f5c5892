//! The U-turn criterion on momentum sums, with the two checks across the seam of merged subtrees.
//!
//! Betancourt (2017), appendix A.4.2: a trajectory from begin to end with momentum sum ρ goes on while
//! p♯(begin)·ρ > 0 and p♯(end)·ρ > 0. The checks across the seam (Stan since 2.21, stan#2800) extend either half by
//! the first point of the other, which catches a turn that the whole trajectory has already completed.

use super::points::Motion;
use super::vector::{Block, Lanes};

/// Two single points one step apart: whether they go on; the sum of their momenta goes to `sum`.
///
/// With halves of one point the checks across the seam repeat the check of the whole.
#[inline]
pub(super) fn points_persist(left: &[Motion], right: &[Motion], sum: &mut [Lanes]) -> bool {
    let count = sum.len();
    let (left, right) = (&left[..count], &right[..count]);
    let mut check = Check::default();
    for at in 0..count {
        let total = Block(left[at].momentum) + Block(right[at].momentum);
        check.add(&left[at], &right[at], total);
        sum[at] = total.0;
    }
    check.persists()
}

/// The four points of two subtrees that the criterion looks at, in the order of integration.
#[derive(Debug)]
pub(super) struct Seam<'a> {
    /// First point of the left subtree.
    pub begin: &'a [Motion],
    /// Last point of the left subtree.
    pub left_end: &'a [Motion],
    /// First point of the right subtree, one step on.
    pub right_begin: &'a [Motion],
    /// Last point of the right subtree.
    pub end: &'a [Motion],
}

/// Two subtrees of several points: whether they go on; if so, the right one's momentum sum is added to the left one's.
#[inline]
pub(super) fn subtrees_persist(
    seam: &Seam<'_>,
    left_sum: &mut [Lanes],
    right_sum: &[Lanes],
) -> bool {
    let count = left_sum.len();
    let right_sum = &right_sum[..count];
    let begin = &seam.begin[..count];
    let left_end = &seam.left_end[..count];
    let right_begin = &seam.right_begin[..count];
    let end = &seam.end[..count];

    let mut check = Check::default();
    for at in 0..count {
        let sum = Block(left_sum[at]) + Block(right_begin[at].momentum);
        check.add(&begin[at], &right_begin[at], sum);
    }
    if !check.persists() {
        return false;
    }
    let mut check = Check::default();
    for at in 0..count {
        let sum = Block(right_sum[at]) + Block(left_end[at].momentum);
        check.add(&left_end[at], &end[at], sum);
    }
    if !check.persists() {
        return false;
    }
    let mut check = Check::default();
    for at in 0..count {
        let sum = Block(left_sum[at]) + Block(right_sum[at]);
        check.add(&begin[at], &end[at], sum);
        left_sum[at] = sum.0;
    }
    check.persists()
}

/// The products of a momentum sum with the velocities at both ends, in the making.
#[derive(Default)]
struct Check {
    at_begin: Block,
    at_end: Block,
}

impl Check {
    #[inline]
    fn add(&mut self, begin: &Motion, end: &Motion, sum: Block) {
        self.at_begin += Block(begin.velocity) * sum;
        self.at_end += Block(end.velocity) * sum;
    }

    #[inline]
    fn persists(self) -> bool {
        self.at_begin.total() > 0.0 && self.at_end.total() > 0.0
    }
}
