//! One chain: finds its initial point, warms up, samples, and hands out each draw as it is made.
//!
//! Follows Stan's `run_adaptive_sampler` and `adapt_diag_e_nuts`, with one deviation: μ of the first dual averaging is
//! log(10 ε₀) of the step size just found, as in the paper and in all later windows, not of the step size configured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rand_chacha::ChaCha8Rng;

use super::density::{Cause, DensityError, LogDensity};
use super::initial::{InitialPoint, InitialTries, find_initial};
use super::metric::{InverseMetric, Metric};
use super::random::{Random, Randomness, chain_generator};
use super::report::{
    Adaptation, ChainReport, Checkpoint, Counts, Draw, DrawSink, Ending, Times, WrongStart,
};
use super::settings::{MetricKind, Settings};
use super::step_size::{DualAveraging, search_step_size};
use super::trajectory::{Limits, Trajectory, Transition};
use super::warmup::{Schedule, Window};
use super::welford::Welford;

/// Where a chain starts from.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// From an initial point.
    Fresh(FreshStart),
    /// From where an earlier run of the same chain stopped.
    Resume(Box<Checkpoint>),
}

impl Default for Start {
    fn default() -> Self {
        Self::Fresh(FreshStart::default())
    }
}

/// A start from nothing but what is known of the posterior.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FreshStart {
    /// The initial point.
    pub initial: InitialPoint,
    /// The first inverse metric; without it the identity.
    pub inverse_metric: Option<InverseMetric>,
    /// The first step size, instead of that of the settings.
    pub step_size: Option<f64>,
}

/// Runs one chain to its end.
///
/// The settings are taken to be valid. The chain ends early, with what it has, when `interrupt` becomes true.
pub fn sample_chain<D: LogDensity, S: DrawSink>(
    settings: &Settings,
    chain: u64,
    density: D,
    sink: &mut S,
    start: &Start,
    interrupt: &AtomicBool,
) -> ChainReport {
    let mut chain = Chain::new(settings, chain, density, interrupt);
    let ending = match chain.run(sink, start) {
        Ok(()) => Ending::Finished,
        Err(ending) => ending,
    };
    chain.into_report(ending)
}

/// A density that counts its evaluations and fails when the chain is to stop.
struct Monitored<'a, D> {
    density: D,
    interrupt: &'a AtomicBool,
    /// Set between a draw and the checkpoint that includes it, where an interruption has to wait.
    deaf: bool,
    evaluations: u64,
    rejections: u64,
    first_rejection: Option<String>,
}

impl<D> Monitored<'_, D> {
    fn interrupted(&self) -> bool {
        !self.deaf && self.interrupt.load(Ordering::Relaxed)
    }
}

impl<D: LogDensity> LogDensity for Monitored<'_, D> {
    fn dimension(&self) -> usize {
        self.density.dimension()
    }

    #[inline]
    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        if self.interrupted() {
            return Err(DensityError::fatal(Interruption));
        }
        self.evaluations += 1;
        let result = self.density.log_density_gradient(position, gradient);
        if let Err(DensityError::Rejected(cause)) = &result {
            self.rejections += 1;
            self.first_rejection
                .get_or_insert_with(|| cause.to_string());
        }
        result
    }
}

/// Marks the fatal error by which an interruption leaves a trajectory.
#[derive(Debug)]
struct Interruption;

impl std::fmt::Display for Interruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interruption {}

/// A fatal error of the density, unless it is our own interruption.
fn density_failure(cause: Cause) -> Ending {
    if cause.is::<Interruption>() {
        Ending::Interrupted
    } else {
        Ending::Fatal(cause)
    }
}

struct Chain<'a, D> {
    settings: &'a Settings,
    chain: u64,
    density: Monitored<'a, D>,
    random: Random<ChaCha8Rng>,
    /// The place in the random stream before the transition under way.
    random_position: u128,
    trajectory: Trajectory,
    initial: InitialTries,
    inverse_metric: InverseMetric,
    metric: Metric,
    /// ε before jitter.
    step_size: f64,
    averaging: DualAveraging,
    schedule: Schedule,
    /// None with a unit metric.
    estimator: Option<Welford>,
    /// Whether the tuning was announced.
    adapted: bool,
    /// Transitions made.
    iteration: usize,
    counts: Counts,
    times: Times,
    /// When the clock was last read.
    clock: Instant,
}

impl<'a, D: LogDensity> Chain<'a, D> {
    fn new(settings: &'a Settings, chain: u64, density: D, interrupt: &'a AtomicBool) -> Self {
        let dimension = density.dimension();
        let limits = Limits {
            depth: settings.max_depth,
            energy_error: settings.max_energy_error,
        };
        let step_size = settings.step_size.initial;
        Self {
            settings,
            chain,
            density: Monitored {
                density,
                interrupt,
                deaf: false,
                evaluations: 0,
                rejections: 0,
                first_rejection: None,
            },
            random: Random::new(chain_generator(settings.seed, chain)),
            random_position: 0,
            trajectory: Trajectory::new(dimension, limits),
            initial: InitialTries::default(),
            inverse_metric: InverseMetric::unit(dimension),
            metric: Metric::unit(dimension),
            step_size,
            averaging: DualAveraging::new(step_size),
            schedule: Schedule::new(settings.warmup, &settings.windows),
            estimator: match settings.metric {
                MetricKind::Unit => None,
                MetricKind::Diagonal => Some(Welford::new(dimension, false)),
                MetricKind::Dense => Some(Welford::new(dimension, true)),
            },
            adapted: false,
            iteration: 0,
            counts: Counts::default(),
            times: Times::default(),
            clock: Instant::now(),
        }
    }

    fn run<S: DrawSink>(&mut self, sink: &mut S, start: &Start) -> Result<(), Ending> {
        if self.density.dimension() == 0 {
            return Err(Ending::NoParameters);
        }
        match start {
            Start::Fresh(start) => self.begin(sink, start)?,
            Start::Resume(checkpoint) => self.resume(checkpoint)?,
        }
        let ended = self.sample(sink);
        self.read_clock();
        if let Err(Ending::Interrupted) = ended {
            let checkpoint = self.checkpoint();
            sink.checkpoint(&checkpoint).map_err(Ending::SinkFailed)?;
        }
        ended
    }

    /// Finds the initial point and the first step size.
    fn begin<S: DrawSink>(&mut self, sink: &mut S, start: &FreshStart) -> Result<(), Ending> {
        let dimension = self.density.dimension();
        if let Some(found) = start
            .initial
            .dimension()
            .filter(|found| *found != dimension)
        {
            return Err(Ending::WrongStart(WrongStart::Dimension {
                found,
                expected: dimension,
            }));
        }
        let inverse_metric = match (&start.inverse_metric, self.settings.metric) {
            (Some(given), _) => given.clone(),
            (None, MetricKind::Dense) => InverseMetric::dense_unit(dimension),
            (None, _) => InverseMetric::unit(dimension),
        };
        self.set_metric(inverse_metric)?;
        self.step_size = start.step_size.unwrap_or(self.step_size);
        let found = find_initial(
            &start.initial,
            &mut self.density,
            &mut self.trajectory,
            &mut self.random,
            &mut self.initial,
        );
        if !found.map_err(density_failure)? {
            return Err(Ending::NoInitialPoint);
        }
        sink.initialized(&self.initial)
            .map_err(Ending::SinkFailed)?;
        if self.settings.warmup > 0 {
            self.restart_step_size()?;
        }
        Ok(())
    }

    /// Takes up where a checkpoint was made.
    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), Ending> {
        let wrong = |wrong| Err(Ending::WrongStart(wrong));
        let expected = (self.settings.seed, self.chain);
        let found = (checkpoint.seed, checkpoint.chain);
        if found != expected {
            return wrong(WrongStart::OtherChain { found, expected });
        }
        let (found, expected) = (checkpoint.position.len(), self.density.dimension());
        if found != expected {
            return wrong(WrongStart::Dimension { found, expected });
        }
        let restored = match (&mut self.estimator, &checkpoint.moments) {
            (Some(estimator), Some(moments)) => estimator.restore(moments),
            (None, None) => true,
            _ => false,
        };
        if !restored {
            return wrong(WrongStart::OtherMetric);
        }
        self.set_metric(checkpoint.inverse_metric.clone())?;
        match self
            .trajectory
            .set_position(&mut self.density, &checkpoint.position)
        {
            Ok(log_density) if log_density.is_finite() => {}
            Ok(_) | Err(DensityError::Rejected(_)) => return wrong(WrongStart::OtherDensity),
            Err(DensityError::Fatal(cause)) => return Err(density_failure(cause)),
        }
        let mut generator = chain_generator(self.settings.seed, self.chain);
        generator.set_word_pos(checkpoint.random_position);
        self.random = Random::new(generator);
        self.step_size = checkpoint.step_size;
        self.averaging = checkpoint.averaging.clone();
        for _ in 0..checkpoint.iteration.min(self.settings.warmup) {
            self.schedule.advance();
        }
        self.iteration = checkpoint.iteration;
        self.counts = checkpoint.counts;
        self.density.evaluations += checkpoint.counts.gradient_evaluations;
        self.density.rejections += checkpoint.counts.rejections;
        self.times = checkpoint.times;
        Ok(())
    }

    /// Makes all transitions that are left.
    fn sample<S: DrawSink>(&mut self, sink: &mut S) -> Result<(), Ending> {
        let Settings {
            warmup, samples, ..
        } = *self.settings;
        let every = self.settings.checkpoint_every;
        while self.iteration < warmup + samples {
            self.random_position = self.random.generator().get_word_pos();
            if self.density.interrupted() {
                return Err(Ending::Interrupted);
            }
            let in_warmup = self.iteration < warmup;
            if !in_warmup && !self.adapted {
                self.read_clock();
                self.finish_warmup(sink)?;
            }
            self.advance(sink, in_warmup)?;
            if every > 0 && self.iteration.is_multiple_of(every) {
                self.read_clock();
                self.random_position = self.random.generator().get_word_pos();
                let checkpoint = self.checkpoint();
                sink.checkpoint(&checkpoint).map_err(Ending::SinkFailed)?;
            }
        }
        if self.adapted {
            Ok(())
        } else {
            self.finish_warmup(sink)
        }
    }

    /// Makes one transition, hands out the draw, and learns from it if in warmup.
    fn advance<S: DrawSink>(&mut self, sink: &mut S, warmup: bool) -> Result<(), Ending> {
        let jitter = self.settings.step_size.jitter;
        let step_size = if jitter > 0.0 {
            self.step_size * (1.0 + jitter * (2.0 * self.random.uniform() - 1.0))
        } else {
            self.step_size
        };
        let transition = self
            .trajectory
            .transition(&mut self.density, &self.metric, step_size, &mut self.random)
            .map_err(density_failure)?;
        let draw = Draw {
            iteration: self.iteration,
            warmup,
            position: self.trajectory.position(),
            log_density: self.trajectory.log_density(),
            gradient: self.trajectory.gradient(),
            accept_stat: transition.accept_stat,
            step_size,
            tree_depth: transition.tree_depth,
            leapfrog_steps: transition.leapfrog_steps,
            divergent: transition.divergent,
            energy: transition.energy,
        };
        sink.draw(&draw).map_err(Ending::SinkFailed)?;
        self.count(&transition, warmup);
        self.iteration += 1;
        if warmup {
            self.density.deaf = true;
            self.learn(&transition)?;
            self.density.deaf = false;
        }
        Ok(())
    }

    fn count(&mut self, transition: &Transition, warmup: bool) {
        let phase = if warmup {
            &mut self.counts.warmup
        } else {
            &mut self.counts.sampling
        };
        phase.draws += 1;
        phase.divergences += usize::from(transition.divergent);
        phase.max_depth_hits += usize::from(transition.tree_depth == self.settings.max_depth);
        phase.leapfrog_steps += transition.leapfrog_steps as u64;
    }

    /// Tunes the step size, and the metric when a window closes.
    fn learn(&mut self, transition: &Transition) -> Result<(), Ending> {
        let constants = &self.settings.step_size.adaptation;
        self.step_size = self.averaging.learn(constants, transition.accept_stat);
        let window = self.schedule.advance();
        let Some(estimator) = &mut self.estimator else {
            return Ok(());
        };
        if window == Window::Outside {
            return Ok(());
        }
        estimator.add(self.trajectory.position());
        if window == Window::Closes {
            let inverse_metric = estimator.inverse_metric();
            estimator.restart();
            self.set_metric(inverse_metric)?;
            self.restart_step_size()?;
        }
        Ok(())
    }

    /// Finds a step size for the current metric, from the current one on, and starts its adaptation afresh.
    fn restart_step_size(&mut self) -> Result<(), Ending> {
        self.step_size = search_step_size(self.step_size, |step_size| {
            self.trajectory
                .try_step(&mut self.density, &self.metric, step_size, &mut self.random)
                .map_err(density_failure)
        })?;
        self.averaging = DualAveraging::new(self.step_size);
        Ok(())
    }

    fn set_metric(&mut self, inverse_metric: InverseMetric) -> Result<(), Ending> {
        self.metric = Metric::new(&inverse_metric, self.density.dimension())?;
        self.inverse_metric = inverse_metric;
        Ok(())
    }

    /// Fixes the step size and announces the tuning.
    fn finish_warmup<S: DrawSink>(&mut self, sink: &mut S) -> Result<(), Ending> {
        self.adapted = true;
        self.step_size = self.averaging.averaged().unwrap_or(self.step_size);
        sink.adapted(&Adaptation {
            step_size: self.step_size,
            inverse_metric: &self.inverse_metric,
        })
        .map_err(Ending::SinkFailed)
    }

    /// Books the time since the last reading to the phase under way.
    fn read_clock(&mut self) {
        let now = Instant::now();
        let phase = if self.adapted {
            &mut self.times.sampling
        } else {
            &mut self.times.warmup
        };
        *phase += now - self.clock;
        self.clock = now;
    }

    fn counts(&self) -> Counts {
        Counts {
            gradient_evaluations: self.density.evaluations,
            rejections: self.density.rejections,
            ..self.counts
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            seed: self.settings.seed,
            chain: self.chain,
            iteration: self.iteration,
            position: self.trajectory.position().to_vec(),
            random_position: self.random_position,
            step_size: self.step_size,
            averaging: self.averaging.clone(),
            inverse_metric: self.inverse_metric.clone(),
            moments: self
                .estimator
                .as_ref()
                .map(|estimator| estimator.moments().clone()),
            counts: self.counts(),
            times: self.times,
        }
    }

    fn into_report(self, ending: Ending) -> ChainReport {
        ChainReport {
            chain: self.chain,
            ending,
            counts: self.counts(),
            initial: self.initial,
            step_size: self.step_size,
            inverse_metric: self.inverse_metric,
            first_rejection: self.density.first_rejection,
            times: self.times,
        }
    }
}
