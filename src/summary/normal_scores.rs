//! Normal scores of ranks.

use crate::kernels::special::inv_phi;

/// Blom's offset of ranks, which the rank-normalised R̂ uses (Vehtari et al. 2021, equation 14).
const BLOM: f64 = 3.0 / 8.0;

/// Normal scores of the ranks among a fixed number of draws, computed once for all variables.
#[derive(Debug, Clone)]
pub(super) struct NormalScores {
    scores: Vec<f64>,
}

impl NormalScores {
    pub(super) fn new(draws: usize) -> NormalScores {
        NormalScores {
            scores: (1..=draws).map(|rank| score(rank as f64, draws)).collect(),
        }
    }

    pub(super) fn draws(&self) -> usize {
        self.scores.len()
    }

    /// The score of the draws that share the ranks `first..=last`, from 1: that of their mean rank.
    pub(super) fn of_ranks(&self, first: usize, last: usize) -> f64 {
        if first == last {
            return self.scores[first - 1];
        }
        score((first + last) as f64 / 2.0, self.scores.len())
    }
}

fn score(rank: f64, draws: usize) -> f64 {
    inv_phi((rank - BLOM) / (draws as f64 - 2.0 * BLOM + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_symmetric_and_average_ties() {
        let scores = NormalScores::new(7);
        assert_eq!(scores.of_ranks(4, 4), 0.0);
        assert!((scores.of_ranks(1, 1) + scores.of_ranks(7, 7)).abs() < 1e-15);
        assert_eq!(scores.of_ranks(3, 5), 0.0);
        assert!(scores.of_ranks(1, 2) > scores.of_ranks(1, 1));
    }
}
