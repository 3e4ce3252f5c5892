//! Draws as CmdStan writes them: one CSV file a chain, with the settings and the adaptation in comments.
//!
//! Files written here are read by cmdstanpy, cmdstanr, ArviZ, posterior and stansummary; theirs are read here.

mod header;
mod number;
mod read;
mod write;

pub use header::{Adaptation, Algorithm, SampleHeader};
pub use number::Digits;
pub use read::{
    ChainDraws, DrawsBlock, HeaderEntry, columns_of, parse_draws_csv, read_chains, read_draws_csv,
};
pub use write::{DrawsWriter, SamplerStatistics};

/// Columns that precede the variables in a file of NUTS draws.
pub const SAMPLER_COLUMNS: [&str; 7] = [
    "lp__",
    "accept_stat__",
    "stepsize__",
    "treedepth__",
    "n_leapfrog__",
    "divergent__",
    "energy__",
];

/// The inverse mass matrix that warmup ended with (an estimate of the posterior covariance).
#[derive(Debug, Clone, PartialEq)]
pub enum InverseMetric {
    /// The identity.
    Unit,
    /// One variance per unconstrained parameter.
    Diagonal(Vec<f64>),
    /// The rows of a covariance matrix of the unconstrained parameters.
    Dense(Vec<Vec<f64>>),
}

/// Wall-clock seconds that a chain took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elapsed {
    /// Seconds of warmup.
    pub warmup: f64,
    /// Seconds of sampling.
    pub sampling: f64,
}

#[cfg(test)]
mod tests;
