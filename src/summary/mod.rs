//! What draws say: means, quantiles, how far to trust them, and what went wrong. Plain arrays only.

mod autocovariance;
mod ess;
mod labels;
mod names;
mod normal_scores;
mod pooling;
mod quantile;
mod ranks;
mod rhat;
mod table;
mod variable;
mod warnings;

pub use labels::{Labelling, Labels};
pub use names::{NamePattern, display_name};
pub use pooling::{mean_shrinkage_factor, pooling_factor, shrinkage_factor};
pub use quantile::{mcse_quantile, quantile_of_sorted};
pub use table::{Summary, SummaryRow, summarise, summarise_labelled};
pub use variable::{Summariser, VariableSummary};
pub use warnings::{ChainStatistics, SamplingWarning, ebfmi, sampling_warnings};

/// Fewest draws per chain for which R̂ and effective sample sizes are computed; posterior and ArviZ ask for the same.
pub const MIN_DRAWS: usize = 4;
