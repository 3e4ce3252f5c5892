//! Draws in order: sorted once per variable, from which quantiles, ranks and folded ranks follow.

use super::normal_scores::NormalScores;
use super::quantile::quantile_of_sorted;

/// The finite draws of one variable, cut into half chains.
pub(super) struct SplitDraws {
    /// Half chains of `length` draws one after the other; the middle draw of an odd chain belongs to none.
    pub(super) values: Vec<f64>,
    /// Draws of each half chain.
    pub(super) length: usize,
    /// `values` in ascending order, each with its place there.
    ascending: Vec<(f64, usize)>,
}

impl SplitDraws {
    pub(super) fn new(chains: &[&[f64]]) -> SplitDraws {
        let values = split(chains.iter().copied());
        let mut ascending: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
        ascending.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        SplitDraws {
            values,
            length: chains.first().map_or(0, |chain| chain.len() / 2),
            ascending,
        }
    }

    /// The values in ascending order.
    pub(super) fn sorted_values(&self) -> Vec<f64> {
        self.ascending.iter().map(|&(value, _)| value).collect()
    }

    /// The normal scores of the draws' ranks, in the order of `values`.
    pub(super) fn normal_scores(&self, scores: &NormalScores) -> Vec<f64> {
        scores_in_place(&self.ascending, scores)
    }

    /// The normal scores of the ranks of the distances from the median.
    pub(super) fn folded_normal_scores(&self, scores: &NormalScores) -> Vec<f64> {
        let sorted = self.sorted_values();
        let median = quantile_of_sorted(&sorted, 0.5);
        let distance = |&(value, place): &(f64, usize)| ((value - median).abs(), place);
        // Distances grow outward on either side, so merging the sides sorts them.
        let middle = sorted.partition_point(|&value| value < median);
        let (below, above) = self.ascending.split_at(middle);
        let mut below = below.iter().rev().map(distance).peekable();
        let mut above = above.iter().map(distance).peekable();
        let mut merged = Vec::with_capacity(sorted.len());
        loop {
            let take_below = match (below.peek(), above.peek()) {
                (Some(left), Some(right)) => left.0 <= right.0,
                (Some(_), None) => true,
                (None, _) => false,
            };
            match if take_below {
                below.next()
            } else {
                above.next()
            } {
                Some(element) => merged.push(element),
                None => return scores_in_place(&merged, scores),
            }
        }
    }
}

/// Halves of chains one after the other, without the middle draw of odd ones.
pub(super) fn split<'a>(chains: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let mut values = Vec::new();
    for chain in chains {
        let half = chain.len() / 2;
        values.extend_from_slice(&chain[..half]);
        values.extend_from_slice(&chain[chain.len() - half..]);
    }
    values
}

/// Normal scores by place; draws that are equal share their mean rank.
fn scores_in_place(ascending: &[(f64, usize)], scores: &NormalScores) -> Vec<f64> {
    let mut by_place = vec![0.0; ascending.len()];
    let mut rank = 1;
    for ties in ascending.chunk_by(|left, right| left.0 == right.0) {
        let score = scores.of_ranks(rank, rank + ties.len() - 1);
        ties.iter().for_each(|&(_, place)| by_place[place] = score);
        rank += ties.len();
    }
    by_place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_chains_lose_their_middle_draw() {
        let chains: [&[f64]; 2] = [&[1.0, 2.0, 9.0, 3.0, 4.0], &[5.0, 6.0, 9.0, 7.0, 8.0]];
        let draws = SplitDraws::new(&chains);
        assert_eq!(draws.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(draws.length, 2);
    }

    #[test]
    fn folding_by_merging_equals_folding_by_sorting() {
        let values: Vec<f64> = (0..40)
            .map(|i| f64::from(i * i % 23) - f64::from(i % 3))
            .collect();
        let draws = SplitDraws::new(&[&values]);
        let scores = NormalScores::new(40);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let median = (sorted[19] + sorted[20]) / 2.0;
        let folded: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        let expected = SplitDraws::new(&[&folded]).normal_scores(&scores);
        assert_eq!(draws.folded_normal_scores(&scores), expected);
    }
}
