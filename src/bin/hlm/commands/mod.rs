//! The commands that run once and end.

mod check;
mod expand;
mod log_density;
mod pictures;
mod pooling;
mod predict;
pub mod sample;
mod summary;
mod table;

use std::process::ExitCode;

use crate::args::{Command, SampleArgs};
use crate::fault::Fault;

/// Runs a command, from the command line or from the prompt.
///
/// # Errors
/// Why the command could not do what it was asked.
pub fn execute(command: &Command) -> Result<ExitCode, Fault> {
    match command {
        Command::Sample(args) => sample::sample(args),
        Command::Prior(args) => sample::sample(&SampleArgs {
            prior: true,
            ..args.clone()
        }),
        Command::Summary(args) => summary::summary(args),
        Command::Pooling(args) => pooling::pooling(args),
        Command::Predict(args) => predict::predict(args),
        Command::Check(args) => check::check(args),
        Command::Expand(args) => expand::expand(args),
        Command::LogDensity(args) => log_density::log_density(args),
        Command::Repl(_) => Err(Fault::new("this is the prompt already")),
    }
}
