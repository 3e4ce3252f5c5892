//! What becomes of one chain's positions: the values of the model's variables, in memory and in the chain's file.

use std::sync::{Mutex, PoisonError};

use super::csv;
use super::draws::{ChainDraws, STATISTICS};
use super::progress::{Progress, Transition};
use super::settings::RunSettings;
use crate::io::FileError;
use crate::io::draws_csv::{DrawsWriter, Elapsed, SamplerStatistics};
use crate::kernels::random::ChainRng;
use crate::loops::{MessageKind, Procedure, Stop};
use crate::mcmc::{Adaptation, Cause, DensityError, Draw, DrawSink, LogDensity, Times};
use crate::model::{CompiledDensity, Drawer, Posterior, Threads};

/// The purpose of the random numbers of generated quantities, apart from those of transformed data.
const GENERATED_QUANTITIES: u32 = 2;

/// Receives the draws of one chain.
pub(super) struct ChainSink<'a> {
    settings: &'a RunSettings,
    progress: &'a dyn Progress,
    drawer: Drawer,
    random: ChainRng,
    /// The values of the draw under way.
    values: Vec<f64>,
    writer: Option<DrawsWriter>,
    pub(super) draws: ChainDraws,
    /// Draws whose generated quantities failed.
    pub(super) failures: usize,
    pub(super) first_failure: Option<Stop>,
}

impl<'a> ChainSink<'a> {
    pub(super) fn new(
        posterior: &Posterior,
        settings: &'a RunSettings,
        chain: u64,
        writer: Option<DrawsWriter>,
        progress: &'a dyn Progress,
    ) -> ChainSink<'a> {
        let drawer = posterior.drawer();
        let width = drawer.width();
        // Chains are numbered far below 2³²; beyond, they would share the random numbers of generated quantities.
        let stream = chain as u32;
        ChainSink {
            settings,
            progress,
            random: ChainRng::new(settings.sampler.seed, stream, GENERATED_QUANTITIES),
            values: vec![0.0; width],
            draws: ChainDraws::new(chain, width, settings.kept_draws()),
            drawer,
            writer,
            failures: 0,
            first_failure: None,
        }
    }

    /// Computes, keeps and writes a draw, if it is one of those kept.
    pub(super) fn record(
        &mut self,
        iteration: usize,
        warmup: bool,
        position: &[f64],
        statistics: &SamplerStatistics,
    ) -> Result<(), FileError> {
        self.progress.transition(&Transition {
            chain: self.draws.chain,
            done: iteration + 1,
            warmup,
            divergent: statistics.divergent,
        });
        let is_wanted = !warmup || (self.settings.save_warmup && self.writer.is_some());
        if !is_wanted || self.settings.kept(iteration, warmup).is_none() {
            return Ok(());
        }
        self.compute(iteration, position);
        if !warmup {
            self.draws.push(&numbers(statistics), &self.values);
        }
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        writer.write_draw(statistics, &self.values)?;
        let is_last = !warmup && self.draws.rows() == self.settings.kept_draws();
        if is_last { writer.flush() } else { Ok(()) }
    }

    fn compute(&mut self, iteration: usize, position: &[f64]) {
        self.random.seek(iteration as u32);
        let outcome = self
            .drawer
            .values(position, &mut self.random, &mut self.values);
        if let Err(stop) = outcome {
            self.failures += 1;
            self.first_failure.get_or_insert(stop);
        }
        let printed = self.drawer.take_printed();
        if !printed.is_empty() {
            self.progress.printed(self.draws.chain, &printed);
        }
    }

    /// Ends the file.
    pub(super) fn finish(&mut self, times: &Times) -> Result<(), FileError> {
        let elapsed = Elapsed {
            warmup: times.warmup.as_secs_f64(),
            sampling: times.sampling.as_secs_f64(),
        };
        match self.writer.take() {
            Some(writer) => writer.finish(elapsed),
            None => Ok(()),
        }
    }
}

impl DrawSink for ChainSink<'_> {
    fn draw(&mut self, draw: &Draw<'_>) -> Result<(), Cause> {
        let statistics = SamplerStatistics {
            lp: draw.log_density,
            accept_stat: draw.accept_stat,
            step_size: draw.step_size,
            tree_depth: draw.tree_depth,
            leapfrog_steps: draw.leapfrog_steps,
            divergent: draw.divergent,
            energy: draw.energy,
        };
        Ok(self.record(draw.iteration, draw.warmup, draw.position, &statistics)?)
    }

    fn adapted(&mut self, adaptation: &Adaptation<'_>) -> Result<(), Cause> {
        if let Some(writer) = &mut self.writer {
            let kind = self.settings.sampler.metric;
            let metric = csv::metric(kind, adaptation.inverse_metric);
            writer.write_adaptation(adaptation.step_size, &metric)?;
        }
        Ok(())
    }
}

/// In the order of [`super::Statistic`].
fn numbers(statistics: &SamplerStatistics) -> [f64; STATISTICS] {
    [
        statistics.lp,
        statistics.accept_stat,
        statistics.step_size,
        statistics.tree_depth as f64,
        statistics.leapfrog_steps as f64,
        f64::from(u8::from(statistics.divergent)),
        statistics.energy,
    ]
}

/// Where the first rejection of a chain's density is kept, with its place in the program.
pub(super) type FirstRejection = Mutex<Option<Stop>>;

/// A chain's density that hands on what the model prints and keeps the first rejection.
pub(super) struct Watched<'a> {
    density: CompiledDensity,
    chain: u64,
    prints: bool,
    progress: &'a dyn Progress,
    first_rejection: &'a FirstRejection,
}

impl<'a> Watched<'a> {
    pub(super) fn new(
        posterior: &Posterior,
        threads: Option<&Threads>,
        chain: u64,
        progress: &'a dyn Progress,
        first_rejection: &'a FirstRejection,
    ) -> Watched<'a> {
        Watched {
            density: posterior.density_on(threads),
            chain,
            prints: prints(posterior.gradient_procedure()),
            progress,
            first_rejection,
        }
    }

    #[cold]
    fn hand_on_printed(&mut self) {
        let printed = self.density.take_printed();
        if !printed.is_empty() {
            self.progress.printed(self.chain, &printed);
        }
    }

    #[cold]
    fn keep(&self, error: &DensityError) {
        if let DensityError::Rejected(cause) = error
            && let Some(stop) = cause.downcast_ref::<Stop>()
        {
            let mut first = self
                .first_rejection
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| stop.clone());
        }
    }
}

impl LogDensity for Watched<'_> {
    fn dimension(&self) -> usize {
        self.density.dimension()
    }

    #[inline]
    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        let result = self.density.log_density_gradient(position, gradient);
        if self.prints {
            self.hand_on_printed();
        }
        if let Err(error) = &result {
            self.keep(error);
        }
        result
    }
}

/// Whether a procedure can print.
fn prints(procedure: &Procedure) -> bool {
    let mut messages = procedure.messages.iter();
    messages.any(|message| message.kind == MessageKind::Print)
}
