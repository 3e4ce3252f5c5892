//! A run from settings to draws.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use super::csv::{self, RunFiles};
use super::draws::Draws;
use super::fixed::sample_fixed;
use super::progress::{Progress, Silent};
use super::settings::RunSettings;
use super::sink::{ChainSink, FirstRejection, Watched};
use crate::diag;
use crate::io::FileError;
use crate::io::draws_csv::DrawsWriter;
use crate::loops::Stop;
use crate::mcmc::{
    ChainOutcome, ChainParts, ChainReport, Ending, FreshStart, Settings, SettingsError, Start,
    sample_chains,
};
use crate::model::{Posterior, Threads, ThreadsError};
use crate::session::Failure;

/// What a run left behind: draws, and how each chain went.
#[derive(Debug)]
pub struct Run {
    /// The draws after warmup.
    pub draws: Draws,
    /// The chains, in the order of their numbers.
    pub chains: Vec<ChainRun>,
}

/// How one chain went.
#[derive(Debug)]
pub struct ChainRun {
    /// The sampler's report. Without parameters there is no sampler, and it counts draws and time alone.
    pub report: ChainReport,
    /// The first rejection of the density, with its place in the program.
    pub first_rejection: Option<Stop>,
    /// Draws whose generated quantities failed: they are NaN there, as Stan has it.
    pub generated_failures: usize,
    /// The first of these failures.
    pub first_generated_failure: Option<Stop>,
}

/// Why there is no run.
#[derive(Debug)]
pub enum RunError {
    /// Impossible settings.
    Settings(Vec<SettingsError>),
    /// The threads within chains could not be started.
    Threads(ThreadsError),
    /// A chain's file could not be created.
    File(FileError),
    /// A chain failed, and the caller had asked for whole draws or none: the reasons, with their places.
    Chains(Failure),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Settings(errors) => {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                f.write_str(&errors.join("; "))
            }
            RunError::Threads(error) => error.fmt(f),
            RunError::File(error) => error.fmt(f),
            RunError::Chains(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs all chains of the settings, in parallel.
///
/// With `files` the draws are also written as they are made. Setting `interrupt` ends all chains at their next
/// gradient; files end properly, and the draws made so far are in the result. A chain that fails is no error here: its
/// draws are kept, and [`Run::findings`] says why it ended. Draws depend on the seed and the chain's number only.
///
/// # Errors
/// Impossible settings, or files that cannot be created; nothing has run then.
pub fn sample(
    posterior: &Posterior,
    settings: &RunSettings,
    files: Option<&RunFiles>,
    progress: &dyn Progress,
    interrupt: &AtomicBool,
) -> Result<Run, RunError> {
    settings.validate().map_err(RunError::Settings)?;
    let first = settings.sampler.first_chain;
    let numbers = first..first + settings.sampler.chains as u64;
    let create = |chain| match files {
        Some(files) => csv::create(files, posterior, settings, chain).map(Some),
        None => Ok(None),
    };
    let writers: Vec<Mutex<Option<DrawsWriter>>> = numbers
        .map(|chain| create(chain).map(Mutex::new))
        .collect::<Result<_, _>>()
        .map_err(RunError::File)?;
    let at_once = settings.chains_at_once();
    let threads = Threads::start(settings.threads_per_chain, at_once).map_err(RunError::Threads)?;
    let rejections: Vec<FirstRejection> = writers.iter().map(|_| Mutex::default()).collect();
    let sink = |chain: u64| {
        let writer = take(&writers[(chain - first) as usize]);
        ChainSink::new(posterior, settings, chain, writer, progress)
    };
    let outcomes = if posterior.dimension() == 0 {
        sample_fixed(settings, sink, interrupt)
    } else {
        let parts = |chain: u64| {
            let rejection = &rejections[(chain - first) as usize];
            ChainParts {
                density: Watched::new(posterior, threads.as_ref(), chain, progress, rejection),
                sink: sink(chain),
                start: Start::Fresh(FreshStart {
                    initial: settings.initial.clone(),
                    ..FreshStart::default()
                }),
            }
        };
        let sampler = Settings {
            threads: at_once,
            ..settings.sampler.clone()
        };
        sample_chains(&sampler, parts, interrupt).map_err(RunError::Settings)?
    };
    Ok(assemble(posterior, outcomes, &rejections))
}

/// Ends the files and collects what chains left.
fn assemble(
    posterior: &Posterior,
    outcomes: Vec<ChainOutcome<ChainSink<'_>>>,
    rejections: &[FirstRejection],
) -> Run {
    let (mut draws, mut chains) = (Vec::new(), Vec::new());
    for (outcome, rejection) in outcomes.into_iter().zip(rejections) {
        let ChainOutcome {
            mut report,
            mut sink,
        } = outcome;
        let finished = sink.finish(&report.times);
        if let (Err(error), Ending::Finished | Ending::Interrupted) = (finished, &report.ending) {
            report.ending = Ending::SinkFailed(error.into());
        }
        chains.push(ChainRun {
            report,
            first_rejection: take(rejection),
            generated_failures: sink.failures,
            first_generated_failure: sink.first_failure,
        });
        draws.push(sink.draws);
    }
    Run {
        draws: Draws::new(
            posterior.columns().to_vec(),
            draws,
            posterior.dimension() > 0,
            posterior.labelling().clone(),
        ),
        chains,
    }
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Posterior {
    /// Runs all chains and returns their draws, in memory alone.
    ///
    /// # Errors
    /// Impossible settings, or a chain that failed: why, and where in the program. [`sample`] keeps the other chains'
    /// draws then, writes files, shows progress and can be interrupted.
    pub fn sample(&self, settings: &RunSettings) -> Result<Draws, RunError> {
        let run = sample(self, settings, None, &Silent, &AtomicBool::new(false))?;
        let findings = run.findings(self);
        if diag::any_error(&findings.diagnostics) {
            Err(RunError::Chains(findings))
        } else {
            Ok(run.draws)
        }
    }
}
