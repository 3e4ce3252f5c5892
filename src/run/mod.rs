//! Running a posterior: chains that compute the values of every draw, keep them, write them as they are made, and
//! say in the end what went wrong and where.
//!
//! [`Posterior::sample`](crate::model::Posterior::sample) is the short form for a library's user, [`sample`] the
//! whole: with files, progress and interruption.

mod csv;
mod describe;
mod draws;
mod findings;
mod fixed;
mod initial;
mod labels;
mod progress;
mod sample;
mod settings;
mod sha256;
mod sink;
#[cfg(test)]
mod tests;

pub use csv::RunFiles;
pub use describe::{DataIdentity, FileIdentity, describe};
pub use draws::{ChainDraws, Draws, Statistic, UnknownColumn};
pub use initial::initial_point;
pub use labels::labelling_of;
pub use progress::{Progress, Silent, Transition};
pub use sample::{ChainRun, Run, RunError, sample};
pub use settings::RunSettings;
pub use sha256::sha256;
