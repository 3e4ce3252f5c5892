//! What a run depends on besides the posterior.

use crate::mcmc::{InitialPoint, Settings, SettingsError};

/// Everything that a run of a posterior depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSettings {
    /// The sampler: seed, chains, threads, transitions, tuning.
    pub sampler: Settings,
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
