//! The no-U-turn sampler of Stan, over any density that can be differentiated; knows nothing of the language.
//!
//! [`sample_chains`] runs several chains over a [`LogDensity`]; each hands its draws to a [`DrawSink`] as it makes them; [`Positions`]
//! is the simplest.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use hlm::mcmc::{
//!     ChainParts, DensityError, LogDensity, Positions, Settings, Start, sample_chains,
//! };
//!
//! struct StandardNormal;
//!
//! impl LogDensity for StandardNormal {
//!     fn dimension(&self) -> usize {
//!         1
//!     }
//!     fn log_density_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64, DensityError> {
//!         gradient[0] = -x[0];
//!         Ok(-0.5 * x[0] * x[0])
//!     }
//! }
//!
//! let settings = Settings { seed: 1, ..Settings::default() };
//! let prepare = |_chain| ChainParts {
//!     density: StandardNormal,
//!     sink: Positions::default(),
//!     start: Start::default(),
//! };
//! let chains = sample_chains(&settings, prepare, &AtomicBool::new(false)).unwrap();
//! let draws: Vec<f64> = chains.iter().flat_map(|chain| &chain.sink.0).map(|draw| draw[0]).collect();
//! assert_eq!(draws.len(), 4000);
//! assert!((draws.iter().sum::<f64>() / 4000.0).abs() < 0.1);
//! ```

mod chain;
mod chains;
mod density;
mod exponential;
mod initial;
mod integrator;
mod metric;
mod points;
mod random;
mod report;
mod settings;
mod step_size;
mod trajectory;
mod turning;
mod vector;
mod warmup;
mod welford;

#[cfg(test)]
mod tests;

pub use chain::{FreshStart, Start, sample_chain};
pub use chains::{ChainOutcome, ChainParts, sample_chains};
pub use density::{Cause, DensityError, LogDensity};
pub use initial::{InitialFailure, InitialPoint, InitialTries};
pub use metric::{InverseMetric, MetricError};
pub use report::{
    Adaptation, ChainReport, Checkpoint, Counts, Draw, DrawSink, Ending, PhaseCounts, Positions,
    Times, WrongStart,
};
pub use settings::{
    DualAveragingSettings, MetricKind, Settings, SettingsError, StepSizeSettings, WarmupWindows,
};
pub use step_size::{DualAveraging, StepSizeError};
pub use welford::Moments;
