//! Models without parameters: nothing moves, and each draw is one of generated quantities (CmdStan's `fixed_param`).

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use super::settings::RunSettings;
use super::sink::ChainSink;
use crate::io::draws_csv::SamplerStatistics;
use crate::mcmc::{
    ChainOutcome, ChainReport, Counts, Ending, InitialTries, InverseMetric, PhaseCounts, Times,
};

/// What CmdStan writes of a draw that no sampler made.
const NO_STATISTICS: SamplerStatistics = SamplerStatistics {
    lp: 0.0,
    accept_stat: 0.0,
    step_size: 0.0,
    tree_depth: 0,
    leapfrog_steps: 0,
    divergent: false,
    energy: 0.0,
};

/// Makes all chains' draws; there is no warmup. The form is that of [`crate::mcmc::sample_chains`].
pub(super) fn sample_fixed<'a>(
    settings: &RunSettings,
    prepare: impl Fn(u64) -> ChainSink<'a> + Sync,
    interrupt: &AtomicBool,
) -> Vec<ChainOutcome<ChainSink<'a>>> {
    let sampler = &settings.sampler;
    let threads = match sampler.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= sampler.chains {
                return outcomes;
            }
            let chain = sampler.first_chain + index as u64;
            outcomes.push(sample_chain(settings, chain, prepare(chain), interrupt));
        }
    };
    let mut outcomes: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(sampler.chains))
            .map(|_| scope.spawn(work))
            .collect();
        let finished = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        finished.flatten().collect()
    });
    outcomes.sort_by_key(|outcome| outcome.report.chain);
    outcomes
}

fn sample_chain<'a>(
    settings: &RunSettings,
    chain: u64,
    mut sink: ChainSink<'a>,
    interrupt: &AtomicBool,
) -> ChainOutcome<ChainSink<'a>> {
    let begin = Instant::now();
    let (mut ending, mut draws) = (Ending::Finished, 0);
    let first = settings.sampler.warmup;
    while draws < settings.sampler.samples {
        if interrupt.load(Ordering::Relaxed) {
            ending = Ending::Interrupted;
            break;
        }
        if let Err(error) = sink.record(first + draws, false, &[], &NO_STATISTICS) {
            ending = Ending::SinkFailed(error.into());
            break;
        }
        draws += 1;
    }
    let report = ChainReport {
        chain,
        ending,
        initial: InitialTries::default(),
        step_size: 0.0,
        inverse_metric: InverseMetric::unit(0),
        counts: Counts {
            sampling: PhaseCounts {
                draws,
                ..PhaseCounts::default()
            },
            ..Counts::default()
        },
        first_rejection: None,
        times: Times {
            sampling: begin.elapsed(),
            ..Times::default()
        },
    };
    ChainOutcome { report, sink }
}
