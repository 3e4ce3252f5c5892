//! Several chains, at most so many at once; which thread runs a chain has no influence on it.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::chain::{Start, sample_chain};
use super::density::LogDensity;
use super::report::{ChainReport, DrawSink};
use super::settings::{Settings, SettingsError};

/// What one chain needs of its own.
#[derive(Debug)]
pub struct ChainParts<D, S> {
    /// The chain's evaluator.
    pub density: D,
    /// Where its draws go.
    pub sink: S,
    /// Where it starts.
    pub start: Start,
}

/// What is left of a chain.
#[derive(Debug)]
pub struct ChainOutcome<S> {
    /// How it went.
    pub report: ChainReport,
    /// The sink, with what it was given.
    pub sink: S,
}

/// Runs all chains of the settings and returns their outcomes in the order of their numbers.
///
/// `prepare` makes the parts of a chain from its number, on the thread that runs it. Setting `interrupt` ends all
/// chains at their next gradient.
///
/// # Errors
/// The settings that are impossible; nothing has run then.
pub fn sample_chains<D, S, F>(
    settings: &Settings,
    prepare: F,
    interrupt: &AtomicBool,
) -> Result<Vec<ChainOutcome<S>>, Vec<SettingsError>>
where
    D: LogDensity,
    S: DrawSink + Send,
    F: Fn(u64) -> ChainParts<D, S> + Sync,
{
    settings.validate()?;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= settings.chains {
                return outcomes;
            }
            let chain = settings.first_chain + index as u64;
            let ChainParts {
                density,
                mut sink,
                start,
            } = prepare(chain);
            let report = sample_chain(settings, chain, density, &mut sink, &start, interrupt);
            outcomes.push(ChainOutcome { report, sink });
        }
    };
    let mut outcomes = thread::scope(|scope| {
        let workers: Vec<_> = (0..settings.thread_count())
            .map(|_| scope.spawn(work))
            .collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<_>>| {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    outcomes.sort_by_key(|outcome| outcome.report.chain);
    Ok(outcomes)
}
