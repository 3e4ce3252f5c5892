//! What a run's draws warn of: facts with numbers, and what to do about each.

use std::fmt;

use super::autocovariance::{dot, sum};
use super::ess::variance;
use super::{Summary, SummaryRow};

/// R̂ above this means that chains disagree (Vehtari et al. 2021, section 4.1).
const LARGEST_RHAT: f64 = 1.01;

/// Fewest effective draws per chain, bulk and tail, for R̂ and standard errors to be reliable (the same, section 4.2).
const ESS_PER_CHAIN: f64 = 100.0;

/// E-BFMI below this means that the energy is explored slowly; the threshold of Stan's `diagnose` and of ArviZ.
const SMALLEST_EBFMI: f64 = 0.3;

/// What the sampler reported of one chain's draws after warmup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainStatistics<'a> {
    /// 1 for draws whose trajectory diverged, else 0.
    pub divergent: &'a [f64],
    /// Depth of each trajectory's tree.
    pub tree_depth: &'a [f64],
    /// The Hamiltonian at each draw.
    pub energy: &'a [f64],
}

/// Something a reader of the draws must know.
#[derive(Debug, Clone, PartialEq)]
pub enum SamplingWarning {
    /// Trajectories diverged.
    Divergences {
        /// How many.
        count: usize,
        /// Of so many draws.
        draws: usize,
    },
    /// Trajectories were stopped by the largest tree depth.
    TreeDepth {
        /// How many.
        count: usize,
        /// Of so many draws.
        draws: usize,
        /// The largest depth.
        max_depth: usize,
    },
    /// Chains explored the energy slowly.
    Energy {
        /// Number (from 1) and E-BFMI of each.
        chains: Vec<(usize, f64)>,
        /// Of so many chains.
        of: usize,
    },
    /// Chains disagree.
    Rhat {
        /// How many variables are above the threshold.
        count: usize,
        /// The worst one's name.
        worst: String,
        /// Its R̂.
        rhat: f64,
    },
    /// Too few effective draws.
    EffectiveSampleSize {
        /// How many variables are below the threshold.
        count: usize,
        /// The worst one's name.
        worst: String,
        /// The smaller of its bulk and tail effective sample sizes.
        ess: f64,
        /// Whether that is the one of the tails.
        in_tail: bool,
        /// The threshold: 100 per chain.
        needed: f64,
    },
    /// There is one chain only, so that chains cannot be compared.
    SingleChain,
}

/// The energy Bayesian fraction of missing information of one chain (Betancourt 2016, arXiv 1604.00695, equation 11):
/// the mean squared step of the energy over its variance. NaN for fewer than two draws or constant energies.
pub fn ebfmi(energy: &[f64]) -> f64 {
    let steps: Vec<f64> = energy.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.is_empty() {
        return f64::NAN;
    }
    dot(&steps, &steps) / steps.len() as f64 / variance(energy)
}

/// All warnings of a run, gravest first. `max_depth` is the sampler's setting, if known.
pub fn sampling_warnings(
    chains: &[ChainStatistics<'_>],
    max_depth: Option<usize>,
    summary: &Summary,
) -> Vec<SamplingWarning> {
    let draws = chains.iter().map(|chain| chain.divergent.len()).sum();
    let mut warnings = Vec::new();
    let divergent: f64 = chains.iter().map(|chain| sum(chain.divergent)).sum();
    if divergent > 0.0 {
        warnings.push(SamplingWarning::Divergences {
            count: divergent as usize,
            draws,
        });
    }
    warnings.extend(rhat_warning(&summary.rows));
    warnings.extend(ess_warning(&summary.rows, summary.chains));
    if summary.chains == 1 {
        warnings.push(SamplingWarning::SingleChain);
    }
    let fractions = chains.iter().map(|chain| ebfmi(chain.energy));
    let low: Vec<(usize, f64)> = (1..)
        .zip(fractions)
        .filter(|(_, fraction)| *fraction < SMALLEST_EBFMI)
        .collect();
    if !low.is_empty() {
        warnings.push(SamplingWarning::Energy {
            chains: low,
            of: chains.len(),
        });
    }
    if let Some(max_depth) = max_depth {
        let depths = chains.iter().flat_map(|chain| chain.tree_depth);
        let count = depths.filter(|depth| **depth >= max_depth as f64).count();
        if count > 0 {
            warnings.push(SamplingWarning::TreeDepth {
                count,
                draws,
                max_depth,
            });
        }
    }
    warnings
}

fn rhat_warning(rows: &[SummaryRow]) -> Option<SamplingWarning> {
    let high: Vec<&SummaryRow> = rows
        .iter()
        .filter(|row| row.summary.rhat > LARGEST_RHAT)
        .collect();
    let worst = high
        .iter()
        .max_by(|left, right| left.summary.rhat.total_cmp(&right.summary.rhat))?;
    Some(SamplingWarning::Rhat {
        count: high.len(),
        worst: worst.name.clone(),
        rhat: worst.summary.rhat,
    })
}

fn ess_warning(rows: &[SummaryRow], chains: usize) -> Option<SamplingWarning> {
    let needed = ESS_PER_CHAIN * chains as f64;
    // `min` passes over NaN: that of a constant, or of a tail without draws.
    let smaller = |row: &&SummaryRow| row.summary.ess_bulk.min(row.summary.ess_tail);
    let low: Vec<&SummaryRow> = rows.iter().filter(|row| smaller(row) < needed).collect();
    let worst = low
        .iter()
        .min_by(|left, right| smaller(left).total_cmp(&smaller(right)))?;
    Some(SamplingWarning::EffectiveSampleSize {
        count: low.len(),
        worst: worst.name.clone(),
        ess: smaller(worst),
        in_tail: worst.summary.ess_tail < worst.summary.ess_bulk,
        needed,
    })
}

impl SamplingWarning {
    /// What to do about it, in a sentence or two.
    pub fn advice(&self) -> &'static str {
        match self {
            SamplingWarning::Divergences { .. } => {
                "The sampler met regions too sharply curved for its step size, so the draws may miss part of the \
                 posterior and estimates may be biased. Raise the target acceptance rate (0.95 or 0.99), or write \
                 hierarchical effects in non-centred form; tighter priors on scales help too."
            }
            SamplingWarning::TreeDepth { .. } => {
                "The draws are valid, but trajectories were cut short, which costs efficiency. Rescale the parameters \
                 to similar sizes or reduce their correlation; only then raise the maximum depth."
            }
            SamplingWarning::Energy { .. } => {
                "The chain moves slowly between levels of the log density, often because of heavy tails or a scale \
                 near zero, and its tails may be missed. Try a non-centred form or tighter priors, and a longer warmup."
            }
            SamplingWarning::Rhat { .. } => {
                "The chains have not yet converged to one distribution: do not use these draws. Run longer warmup and \
                 more draws; if that does not help, look for several modes or parameters that the data and priors \
                 do not tell apart."
            }
            SamplingWarning::EffectiveSampleSize { .. } => {
                "R-hat and standard errors are unreliable with so few effective draws. Run more draws, or reduce the \
                 correlation of the parameters."
            }
            SamplingWarning::SingleChain => {
                "R-hat then compares only the halves of this chain, and cannot see a mode that it never visited. Run \
                 at least four chains."
            }
        }
    }
}

impl fmt::Display for SamplingWarning {
    /// What happened, in one sentence; [`advice`](SamplingWarning::advice) says what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |count: usize, draws: usize| 100.0 * count as f64 / draws.max(1) as f64;
        match self {
            SamplingWarning::Divergences { count, draws } => write!(
                f,
                "{count} of {draws} transitions after warmup ({:.1}%) ended with a divergence.",
                percent(*count, *draws)
            ),
            SamplingWarning::TreeDepth {
                count,
                draws,
                max_depth,
            } => write!(
                f,
                "{count} of {draws} transitions after warmup ({:.1}%) reached the maximum tree depth of {max_depth}.",
                percent(*count, *draws)
            ),
            SamplingWarning::Energy { chains, of } => {
                let list: Vec<String> = chains
                    .iter()
                    .map(|(chain, value)| format!("{value:.2} (chain {chain})"))
                    .collect();
                write!(
                    f,
                    "E-BFMI is below {SMALLEST_EBFMI} in {} of {of} chains: {}.",
                    chains.len(),
                    list.join(", ")
                )
            }
            SamplingWarning::Rhat { count, worst, rhat } => {
                write!(
                    f,
                    "R-hat is above {LARGEST_RHAT} for {}; worst is {worst} with {rhat:.3}.",
                    variables(*count)
                )
            }
            SamplingWarning::EffectiveSampleSize {
                count,
                worst,
                ess,
                in_tail,
                needed,
            } => write!(
                f,
                "The effective sample size is below {needed:.0} (100 per chain) for {}; worst is {worst} with {ess:.0} \
                 in the {}.",
                variables(*count),
                if *in_tail { "tails" } else { "bulk" }
            ),
            SamplingWarning::SingleChain => write!(f, "There is only one chain."),
        }
    }
}

fn variables(count: usize) -> String {
    if count == 1 {
        "1 variable".to_string()
    } else {
        format!("{count} variables")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::summarise;

    #[test]
    fn energy_fraction_by_hand() {
        // Steps 1, −2, 3 have mean square 14/3; the variance of 0, 1, −1, 2 is 5/3.
        assert!((ebfmi(&[0.0, 1.0, -1.0, 2.0]) - 14.0 / 5.0).abs() < 1e-15);
        assert!(ebfmi(&[1.0]).is_nan() && ebfmi(&[1.0, 1.0]).is_nan());
    }

    #[test]
    fn each_warning_has_its_numbers() {
        let steady: Vec<f64> = (0..1000).map(|i| f64::from(i * 619 % 1000)).collect();
        let far: Vec<f64> = steady.iter().map(|value| value + 400.0).collect();
        let columns: Vec<(&str, Vec<&[f64]>)> = vec![
            ("good", vec![&steady, &steady]),
            ("theta.2", vec![&steady, &far]),
        ];
        let summary = summarise(&columns, &[0.5], &[]);
        let drift: Vec<f64> = (0..1000).map(f64::from).collect();
        let divergent: Vec<f64> = (0..1000).map(|i| f64::from(u8::from(i < 3))).collect();
        let depth: Vec<f64> = (0..1000)
            .map(|i| f64::from(if i < 5 { 10 } else { 4 }))
            .collect();
        let zeros = vec![0.0; 1000];
        let chains = [
            ChainStatistics {
                divergent: &divergent,
                tree_depth: &depth,
                energy: &steady,
            },
            ChainStatistics {
                divergent: &zeros,
                tree_depth: &depth,
                energy: &drift,
            },
        ];
        let texts: Vec<String> = sampling_warnings(&chains, Some(10), &summary)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            texts[0],
            "3 of 2000 transitions after warmup (0.1%) ended with a divergence."
        );
        assert!(
            texts[1].starts_with("R-hat is above 1.01 for 1 variable; worst is theta[2] with 1."),
            "{}",
            texts[1]
        );
        assert!(texts[2].starts_with("The effective sample size is below 200 (100 per chain) for 1 variable; worst is theta[2]"));
        assert_eq!(
            texts[3],
            "E-BFMI is below 0.3 in 1 of 2 chains: 0.00 (chain 2)."
        );
        assert_eq!(
            texts[4],
            "10 of 2000 transitions after warmup (0.5%) reached the maximum tree depth of 10."
        );
        assert_eq!(texts.len(), 5);
        let fine = [ChainStatistics {
            divergent: &zeros,
            tree_depth: &zeros,
            energy: &steady,
        }; 2];
        let good = summarise(&columns[..1], &[0.5], &[]);
        assert_eq!(sampling_warnings(&fine, Some(10), &good), []);
        let single = summarise(&[("good", vec![&steady[..]])], &[0.5], &[]);
        assert_eq!(
            sampling_warnings(&fine[..1], None, &single),
            [SamplingWarning::SingleChain]
        );
    }
}
