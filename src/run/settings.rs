//! What a run depends on besides the posterior.

use crate::mcmc::{InitialPoint, Settings, SettingsError};
use std::thread;

/// Threads within a chain, at most: more is a slip of the finger.
const MOST_THREADS: usize = 1024;

/// Everything that a run of a posterior depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSettings {
    /// The sampler: seed, chains, threads, transitions, tuning.
    pub sampler: Settings,
    /// Threads on which each chain computes long sums (Stan: `threads_per_chain`). Draws do not depend on it.
    pub threads_per_chain: usize,
    /// Of the draws of either phase, the first and every `thin`-th after it are kept (Stan: 1, all).
    pub thin: usize,
    /// Whether warmup's draws are written to the files; memory holds those after warmup alone.
    pub save_warmup: bool,
    /// Where chains begin.
    pub initial: InitialPoint,
}

impl Default for RunSettings {
    fn default() -> RunSettings {
        RunSettings {
            sampler: Settings {
                // Chains are counted from 1, as in the names of their files.
                first_chain: 1,
                ..Settings::default()
            },
            threads_per_chain: 1,
            thin: 1,
            save_warmup: false,
            initial: InitialPoint::default(),
        }
    }
}

impl RunSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// All that are impossible.
    pub fn validate(&self) -> Result<(), Vec<SettingsError>> {
        let mut errors = self.sampler.validate().err().unwrap_or_default();
        let mut require = |holds: bool, setting, value: f64, demand| {
            if !holds {
                errors.push(SettingsError {
                    setting,
                    value,
                    demand,
                });
            }
        };
        let per_chain = self.threads_per_chain as f64;
        let sensible = (1..=MOST_THREADS).contains(&self.threads_per_chain);
        require(sensible, "threads_per_chain", per_chain, "from 1 to 1024");
        require(self.thin > 0, "thin", self.thin as f64, "at least 1");
        if let InitialPoint::Random { radius } | InitialPoint::Partial { radius, .. } = self.initial
        {
            let is_radius = radius >= 0.0 && radius.is_finite();
            require(is_radius, "init", radius, "a radius: finite, not negative");
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// How many chains run at once: unless that is given, as many as there are cores for all their threads.
    pub fn chains_at_once(&self) -> usize {
        let sampler = &self.sampler;
        match (sampler.threads, self.threads_per_chain) {
            (0, per_chain @ 2..) => {
                let cores = thread::available_parallelism().map_or(1, usize::from);
                (cores / per_chain).clamp(1, sampler.chains.max(1))
            }
            _ => sampler.thread_count(),
        }
    }

    /// The number of a transition's draw among those kept of its phase, if it is kept. `iteration` counts from 0 over
    /// both phases.
    pub(super) fn kept(&self, iteration: usize, warmup: bool) -> Option<usize> {
        let first = if warmup { 0 } else { self.sampler.warmup };
        let place = iteration - first;
        place.is_multiple_of(self.thin).then_some(place / self.thin)
    }

    /// How many draws after warmup a chain keeps.
    pub(super) fn kept_draws(&self) -> usize {
        self.sampler.samples.div_ceil(self.thin)
    }
}
