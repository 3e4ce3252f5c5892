//! What a chain hands out: its draws while it runs, what it tuned, and how it ended.

use std::fmt;
use std::time::Duration;

use super::density::Cause;
use super::initial::InitialTries;
use super::metric::{InverseMetric, MetricError};
use super::step_size::{DualAveraging, StepSizeError};
use super::welford::Moments;

/// One transition's result, valid while the sink looks at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw<'a> {
    /// 0-based number of the transition, warmup included.
    pub iteration: usize,
    /// Whether the transition belongs to warmup, whose draws are not of the posterior.
    pub warmup: bool,
    /// The unconstrained parameters.
    pub position: &'a [f64],
    /// The log density there (`lp__`).
    pub log_density: f64,
    /// The gradient of the log density there.
    pub gradient: &'a [f64],
    /// Mean Metropolis acceptance over the trajectory (`accept_stat__`).
    pub accept_stat: f64,
    /// The step size used, jitter included (`stepsize__`).
    pub step_size: f64,
    /// Number of completed doublings (`treedepth__`).
    pub tree_depth: usize,
    /// Number of leapfrog steps (`n_leapfrog__`).
    pub leapfrog_steps: usize,
    /// Whether the trajectory diverged (`divergent__`).
    pub divergent: bool,
    /// The Hamiltonian of the draw (`energy__`).
    pub energy: f64,
}

/// What warmup arrived at, and sampling uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptation<'a> {
    /// The leapfrog step size before jitter.
    pub step_size: f64,
    /// The inverse mass matrix.
    pub inverse_metric: &'a InverseMetric,
}

/// Receives what a chain makes, as it is made. An error (a full disk) ends the chain.
pub trait DrawSink {
    /// Takes one draw.
    ///
    /// # Errors
    /// Whatever keeps the sink from storing it.
    fn draw(&mut self, draw: &Draw<'_>) -> Result<(), Cause>;

    /// Learns that the chain found its initial point, before any draw.
    ///
    /// # Errors
    /// Whatever keeps the sink from storing it.
    fn initialized(&mut self, _tries: &InitialTries) -> Result<(), Cause> {
        Ok(())
    }

    /// Learns the tuning, after the last warmup draw and before the first of sampling.
    ///
    /// # Errors
    /// Whatever keeps the sink from storing it.
    fn adapted(&mut self, _adaptation: &Adaptation<'_>) -> Result<(), Cause> {
        Ok(())
    }

    /// Takes a state from which the chain can go on as if it had never stopped.
    ///
    /// Called after every `Settings::checkpoint_every` transitions and when the chain is interrupted; all draws made
    /// before it have been handed over.
    ///
    /// # Errors
    /// Whatever keeps the sink from storing it.
    fn checkpoint(&mut self, _checkpoint: &Checkpoint) -> Result<(), Cause> {
        Ok(())
    }
}

impl<S: DrawSink + ?Sized> DrawSink for &mut S {
    fn draw(&mut self, draw: &Draw<'_>) -> Result<(), Cause> {
        (**self).draw(draw)
    }
    fn initialized(&mut self, tries: &InitialTries) -> Result<(), Cause> {
        (**self).initialized(tries)
    }
    fn adapted(&mut self, adaptation: &Adaptation<'_>) -> Result<(), Cause> {
        (**self).adapted(adaptation)
    }
    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Cause> {
        (**self).checkpoint(checkpoint)
    }
}

/// The sink that keeps the unconstrained positions of a chain after warmup, and nothing else.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Positions(pub Vec<Vec<f64>>);

impl DrawSink for Positions {
    fn draw(&mut self, draw: &Draw<'_>) -> Result<(), Cause> {
        if !draw.warmup {
            self.0.push(draw.position.to_vec());
        }
        Ok(())
    }
}

/// A chain between two transitions: with the same settings and density, everything that its future depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The seed of the settings it was made with.
    pub seed: u64,
    /// The chain's number.
    pub chain: u64,
    /// How many transitions were made, warmup included.
    pub iteration: usize,
    /// The unconstrained parameters.
    pub position: Vec<f64>,
    /// How many 32-bit words of the chain's random stream were consumed.
    pub random_position: u128,
    /// The step size of the next transition, before jitter.
    pub step_size: f64,
    /// The state of the step size's adaptation.
    pub averaging: DualAveraging,
    /// The inverse metric in use.
    pub inverse_metric: InverseMetric,
    /// The draws of the current window of warmup; none with a unit metric.
    pub moments: Option<Moments>,
    /// What was counted so far.
    pub counts: Counts,
    /// Time spent so far.
    pub times: Times,
}

/// What a chain counts, in one phase or in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseCounts {
    /// Transitions made.
    pub draws: usize,
    /// Transitions that diverged.
    pub divergences: usize,
    /// Transitions that ended only because the tree was as deep as allowed.
    pub max_depth_hits: usize,
    /// Leapfrog steps.
    pub leapfrog_steps: u64,
}

/// What a chain counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// During warmup.
    pub warmup: PhaseCounts,
    /// After it.
    pub sampling: PhaseCounts,
    /// Evaluations of the density: leapfrog steps, initial points and trials of step sizes.
    pub gradient_evaluations: u64,
    /// Evaluations that the density rejected.
    pub rejections: u64,
}

/// Wall-clock time of a chain, for information: no decision depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// From the search for an initial point to the last warmup draw.
    pub warmup: Duration,
    /// From then to the last draw.
    pub sampling: Duration,
}

/// How a chain ended.
#[derive(Debug)]
pub enum Ending {
    /// All draws were made.
    Finished,
    /// The interrupt flag was set; a checkpoint was handed to the sink if there was a state to keep.
    Interrupted,
    /// The density has no parameters: there is nothing for this sampler to move.
    NoParameters,
    /// No initial point was acceptable; [`ChainReport::initial`] says why.
    NoInitialPoint,
    /// An initial point or checkpoint was given that does not fit the density or the settings.
    WrongStart(WrongStart),
    /// No first step size was found.
    NoStepSize(StepSizeError),
    /// The metric, given or estimated, is unusable.
    BadMetric(MetricError),
    /// The density gave up.
    Fatal(Cause),
    /// The sink gave up.
    SinkFailed(Cause),
}

impl From<StepSizeError> for Ending {
    fn from(error: StepSizeError) -> Self {
        Self::NoStepSize(error)
    }
}

impl From<MetricError> for Ending {
    fn from(error: MetricError) -> Self {
        Self::BadMetric(error)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("all draws were made"),
            Self::Interrupted => f.write_str("it was interrupted"),
            Self::NoParameters => f.write_str("the model has no parameters to sample"),
            Self::NoInitialPoint => f.write_str("no initial point was found"),
            Self::WrongStart(error) => error.fmt(f),
            Self::NoStepSize(error) => error.fmt(f),
            Self::BadMetric(error) => error.fmt(f),
            Self::Fatal(cause) => write!(f, "the model failed: {cause}"),
            Self::SinkFailed(cause) => write!(f, "the draws could not be stored: {cause}"),
        }
    }
}

/// In what a given start does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongStart {
    /// It has this many parameters where the density has that many.
    Dimension {
        /// Parameters of the start.
        found: usize,
        /// Parameters of the density.
        expected: usize,
    },
    /// The checkpoint is of another chain or seed.
    OtherChain {
        /// Seed and chain of the checkpoint.
        found: (u64, u64),
        /// Seed and chain to run.
        expected: (u64, u64),
    },
    /// The checkpoint was made with another kind of metric.
    OtherMetric,
    /// The density is not finite at the checkpoint's position: it is not the one that was sampled.
    OtherDensity,
}

impl fmt::Display for WrongStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dimension { found, expected } => write!(
                f,
                "the starting point has {found} unconstrained parameters, the model {expected}"
            ),
            Self::OtherChain { found, expected } => write!(
                f,
                "the checkpoint is of seed {} and chain {}, not of seed {} and chain {}",
                found.0, found.1, expected.0, expected.1
            ),
            Self::OtherMetric => f.write_str("the checkpoint was made with another kind of metric"),
            Self::OtherDensity => {
                f.write_str("the model rejects the checkpoint's position: it is another model")
            }
        }
    }
}

/// Everything about a chain but its draws.
#[derive(Debug)]
pub struct ChainReport {
    /// The chain's number.
    pub chain: u64,
    /// How it ended.
    pub ending: Ending,
    /// How the search for an initial point went.
    pub initial: InitialTries,
    /// The step size of sampling, or the latest if it did not get there.
    pub step_size: f64,
    /// The inverse metric of sampling, or the latest.
    pub inverse_metric: InverseMetric,
    /// What was counted.
    pub counts: Counts,
    /// The message of the first rejected evaluation.
    pub first_rejection: Option<String>,
    /// Wall-clock times.
    pub times: Times,
}
