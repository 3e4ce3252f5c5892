//! The summary of one variable's draws.

use super::MIN_DRAWS;
use super::autocovariance::{Transform, sum};
use super::ess::{effective_sample_size, is_constant, variance};
use super::normal_scores::NormalScores;
use super::quantile::{ess_quantile, quantile_of_sorted};
use super::ranks::{SplitDraws, split};
use super::rhat::scale_reduction;

/// Probabilities of the tails whose effective sample size is given (Vehtari et al. 2021, section 4.3).
const TAILS: [f64; 2] = [0.05, 0.95];

/// Summary of one scalar variable over all chains.
///
/// NaN draws are left out of mean, sd and quantiles. Convergence measures and standard errors are NaN when a draw is
/// not finite, when all draws are equal, and with fewer than [`MIN_DRAWS`] draws a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableSummary {
    /// Mean.
    pub mean: f64,
    /// Monte Carlo standard error of the mean: sd/√ESS.
    pub mcse_mean: f64,
    /// Standard deviation, with denominator S − 1.
    pub sd: f64,
    /// Monte Carlo standard error of the standard deviation.
    pub mcse_sd: f64,
    /// Type-7 quantiles at the probabilities of the [`Summariser`].
    pub quantiles: Vec<f64>,
    /// Rank-normalised split R̂: the larger of that of the bulk and that of the folded draws.
    pub rhat: f64,
    /// Effective sample size of the bulk: of the ranks' normal scores.
    pub ess_bulk: f64,
    /// Effective sample size of the tails: the smaller of those of the 5 % and 95 % quantiles.
    pub ess_tail: f64,
    /// Draws over all chains, with the NaN.
    pub draws: usize,
    /// Draws that are NaN.
    pub nan_draws: usize,
    /// Draws that are infinite.
    pub infinite_draws: usize,
}

/// Summarises variables; what does not depend on the draws is computed once and kept.
#[derive(Debug, Clone)]
pub struct Summariser {
    probabilities: Vec<f64>,
    scores: NormalScores,
    transform: Transform,
}

impl Summariser {
    /// `probabilities` of the quantiles to give, each from 0 to 1.
    pub fn new(probabilities: &[f64]) -> Summariser {
        Summariser {
            probabilities: probabilities.to_vec(),
            scores: NormalScores::new(0),
            transform: Transform::default(),
        }
    }

    /// Summary of one variable, one slice of draws a chain.
    ///
    /// Chains of an interrupted run may differ in length: all draws count for mean, sd and quantiles, and for the rest
    /// those that every chain (but the empty ones) has.
    pub fn summarise(&mut self, chains: &[&[f64]]) -> VariableSummary {
        let draws = chains.iter().map(|chain| chain.len()).sum();
        let numbers = || {
            chains
                .iter()
                .flat_map(|chain| chain.iter().copied())
                .filter(|value| !value.is_nan())
        };
        let values: Vec<f64> = numbers().collect();
        let infinite_draws = values.iter().filter(|value| value.is_infinite()).count();
        let mut summary = VariableSummary {
            mean: sum(&values) / values.len() as f64,
            mcse_mean: f64::NAN,
            sd: if values.len() < 2 {
                f64::NAN
            } else {
                variance(&values).sqrt()
            },
            mcse_sd: f64::NAN,
            quantiles: Vec::new(),
            rhat: f64::NAN,
            ess_bulk: f64::NAN,
            ess_tail: f64::NAN,
            draws,
            nan_draws: draws - values.len(),
            infinite_draws,
        };
        let common = chains
            .iter()
            .map(|chain| chain.len())
            .filter(|&length| length > 0)
            .min()
            .unwrap_or(0);
        let can_judge = values.len() == draws && infinite_draws == 0 && common >= MIN_DRAWS;
        let sorted = if can_judge {
            let filled = chains.iter().filter(|chain| !chain.is_empty());
            let chains: Vec<&[f64]> = filled.map(|chain| &chain[..common]).collect();
            let split_draws = SplitDraws::new(&chains);
            let is_whole = split_draws.values.len() == draws;
            let sorted = if is_whole {
                split_draws.sorted_values()
            } else {
                sorted(values)
            };
            self.judge(&chains, &split_draws, &sorted, &mut summary);
            sorted
        } else {
            sorted(values)
        };
        summary.quantiles = self
            .probabilities
            .iter()
            .map(|&p| quantile_of_sorted(&sorted, p))
            .collect();
        summary
    }

    /// Fills in the measures of convergence and the standard errors. `chains` are finite and of one length.
    fn judge(
        &mut self,
        chains: &[&[f64]],
        draws: &SplitDraws,
        sorted: &[f64],
        summary: &mut VariableSummary,
    ) {
        if is_constant(&draws.values) {
            return;
        }
        let length = draws.length;
        if self.scores.draws() != draws.values.len() {
            self.scores = NormalScores::new(draws.values.len());
        }
        let bulk = draws.normal_scores(&self.scores);
        let folded = draws.folded_normal_scores(&self.scores);
        // Folding can make draws constant (a fair coin's); `max` then takes the other.
        summary.rhat = scale_reduction(&bulk, length).max(scale_reduction(&folded, length));
        summary.ess_bulk = effective_sample_size(&bulk, length, &mut self.transform);

        let tails =
            TAILS.map(|p| ess_quantile(chains, quantile_of_sorted(sorted, p), &mut self.transform));
        let is_known = tails.iter().all(|ess| !ess.is_nan());
        summary.ess_tail = if is_known {
            tails[0].min(tails[1])
        } else {
            f64::NAN
        };

        let ess_mean = effective_sample_size(&draws.values, length, &mut self.transform);
        summary.mcse_mean = summary.sd / ess_mean.sqrt();
        summary.mcse_sd = self.mcse_sd(chains);
    }

    /// The delta method on the variance: the squared deviations' standard error, over twice the standard deviation.
    fn mcse_sd(&mut self, chains: &[&[f64]]) -> f64 {
        let all = chains.concat();
        let count = all.len() as f64;
        let mean = sum(&all) / count;
        let square = |value: &f64| (value - mean) * (value - mean);
        let squares: Vec<f64> = all.iter().map(square).collect();
        let mean_square = sum(&squares) / count;
        let spread = squares
            .iter()
            .map(|s| (s - mean_square) * (s - mean_square))
            .sum::<f64>()
            / count;
        let length = chains[0].len();
        let halves = split(squares.chunks_exact(length));
        let ess = effective_sample_size(&halves, length / 2, &mut self.transform);
        (spread / ess / mean_square / 4.0).sqrt()
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}
