//! The sampler's settings: every tuning constant, its origin, and what values it may take.

use std::error::Error;
use std::fmt;
use std::thread;

/// The deepest tree that may be asked for; 2²⁰ leapfrog steps in one transition is a mistake, not a wish.
const DEEPEST_TREE: usize = 20;

/// Everything a run of chains depends on besides the density.
///
/// Defaults are those of Stan (CmdStan user's guide, "MCMC sampling"), except `chains`, which is what its
/// interfaces choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Key of all randomness: a draw depends on `(seed, chain)` only, never on the number of threads.
    pub seed: u64,
    /// How many chains to run.
    pub chains: usize,
    /// The number of the first chain; chains run in separate processes differ in it.
    pub first_chain: u64,
    /// At most so many chains run at once; 0 means as many as the machine has cores.
    pub threads: usize,
    /// Transitions per chain that tune step size and metric (Stan: 1000). 0 samples with the step size as given.
    pub warmup: usize,
    /// Transitions per chain after warmup (Stan: 1000).
    pub samples: usize,
    /// The shape of the mass matrix.
    pub metric: MetricKind,
    /// The trajectory doubles at most so often (Stan: 10, at most 1023 leapfrog steps).
    pub max_depth: usize,
    /// An energy error H − H₀ beyond this is a divergence (Stan: 1000, fixed there).
    pub max_energy_error: f64,
    /// The step size and its adaptation.
    pub step_size: StepSizeSettings,
    /// When warmup updates the metric.
    pub windows: WarmupWindows,
    /// A checkpoint is handed to the sink after each so many transitions; 0 means never.
    pub checkpoint_every: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            chains: 4,
            first_chain: 0,
            threads: 0,
            warmup: 1000,
            samples: 1000,
            metric: MetricKind::Diagonal,
            max_depth: 10,
            max_energy_error: 1000.0,
            step_size: StepSizeSettings::default(),
            windows: WarmupWindows::default(),
            checkpoint_every: 0,
        }
    }
}

/// The shape of the mass matrix, and so what warmup estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetricKind {
    /// The identity, never adapted.
    Unit,
    /// One variance per parameter (Stan's `diag_e`, the default).
    #[default]
    Diagonal,
    /// The full covariance (Stan's `dense_e`): a step costs O(n²).
    Dense,
}

/// The leapfrog step size ε and how warmup tunes it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSizeSettings {
    /// Where the search for a first step size starts (Stan: 1), or the step size itself if warmup is 0.
    pub initial: f64,
    /// Each transition uses ε·(1 + jitter·U(−1, 1)) (Stan: 0).
    pub jitter: f64,
    /// Constants of the dual averaging.
    pub adaptation: DualAveragingSettings,
}

impl Default for StepSizeSettings {
    fn default() -> Self {
        Self {
            initial: 1.0,
            jitter: 0.0,
            adaptation: DualAveragingSettings::default(),
        }
    }
}

/// Constants of Nesterov's dual averaging (Hoffman and Gelman 2014, section 3.2; the values are theirs except δ).
#[derive(Debug, Clone, PartialEq)]
pub struct DualAveragingSettings {
    /// δ: the accept statistic to aim at (Stan: 0.8; the paper found 0.6 best on its targets).
    pub target_accept: f64,
    /// γ: how weakly log ε is drawn towards μ = log(10 ε₀) (0.05).
    pub gamma: f64,
    /// κ: how fast old iterates are forgotten, in (0.5, 1] (0.75).
    pub kappa: f64,
    /// t₀: how strongly the first iterations are damped (10).
    pub offset: f64,
}

impl Default for DualAveragingSettings {
    fn default() -> Self {
        Self {
            target_accept: 0.8,
            gamma: 0.05,
            kappa: 0.75,
            offset: 10.0,
        }
    }
}

/// Lengths, in transitions, of warmup's phases (Stan reference manual, "Automatic parameter tuning").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmupWindows {
    /// Only the step size adapts while the chain finds the typical set (Stan: 75).
    pub initial: usize,
    /// The first window that estimates the metric; each next one is twice as long (Stan: 25).
    pub base: usize,
    /// Only the step size adapts to the final metric (Stan: 50).
    pub terminal: usize,
}

impl Default for WarmupWindows {
    fn default() -> Self {
        Self {
            initial: 75,
            base: 25,
            terminal: 50,
        }
    }
}

impl Settings {
    /// How many chains run at once.
    pub fn thread_count(&self) -> usize {
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        threads.min(self.chains)
    }

    /// Checks every setting and returns all that are impossible.
    ///
    /// # Errors
    /// One [`SettingsError`] per offending setting, in the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<SettingsError>> {
        let mut errors = Vec::new();
        let mut require = |holds: bool, setting, value: f64, demand| {
            if !holds {
                errors.push(SettingsError {
                    setting,
                    value,
                    demand,
                });
            }
        };
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let adaptation = &self.step_size.adaptation;

        require(self.chains > 0, "chains", self.chains as f64, "at least 1");
        require(
            (1..=DEEPEST_TREE).contains(&self.max_depth),
            "max_depth",
            self.max_depth as f64,
            "between 1 and 20",
        );
        require(
            self.max_energy_error > 0.0,
            "max_energy_error",
            self.max_energy_error,
            "positive",
        );
        require(
            positive(self.step_size.initial),
            "step_size",
            self.step_size.initial,
            "positive and finite",
        );
        require(
            (0.0..=1.0).contains(&self.step_size.jitter),
            "step_size_jitter",
            self.step_size.jitter,
            "between 0 and 1",
        );
        require(
            adaptation.target_accept > 0.0 && adaptation.target_accept < 1.0,
            "target_accept",
            adaptation.target_accept,
            "strictly between 0 and 1",
        );
        require(
            positive(adaptation.gamma),
            "gamma",
            adaptation.gamma,
            "positive and finite",
        );
        require(
            positive(adaptation.kappa),
            "kappa",
            adaptation.kappa,
            "positive and finite",
        );
        require(
            positive(adaptation.offset),
            "t0",
            adaptation.offset,
            "positive and finite",
        );
        require(
            self.windows.base > 1,
            "base_window",
            self.windows.base as f64,
            "at least 2",
        );
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

/// A setting whose value is impossible.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsError {
    /// The name of the setting.
    pub setting: &'static str,
    /// What it was set to.
    pub value: f64,
    /// What it has to be, to complete "must be …".
    pub demand: &'static str,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            value,
            demand,
        } = self;
        write!(f, "{setting} must be {demand}, but is {value}")
    }
}

impl Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(Settings::default().validate(), Ok(()));
    }

    #[test]
    fn every_impossible_setting_is_named() {
        let settings = Settings {
            chains: 0,
            max_depth: 0,
            max_energy_error: f64::NAN,
            step_size: StepSizeSettings {
                initial: -1.0,
                jitter: 2.0,
                adaptation: DualAveragingSettings {
                    target_accept: 1.0,
                    gamma: 0.0,
                    kappa: f64::INFINITY,
                    offset: f64::NAN,
                },
            },
            windows: WarmupWindows {
                base: 0,
                ..WarmupWindows::default()
            },
            ..Settings::default()
        };
        let named: Vec<_> = settings
            .validate()
            .unwrap_err()
            .iter()
            .map(|error| error.setting)
            .collect();
        assert_eq!(
            named,
            [
                "chains",
                "max_depth",
                "max_energy_error",
                "step_size",
                "step_size_jitter",
                "target_accept",
                "gamma",
                "kappa",
                "t0",
                "base_window"
            ]
        );
    }

    #[test]
    fn an_error_reads_as_a_sentence() {
        let error = SettingsError {
            setting: "target_accept",
            value: 1.5,
            demand: "strictly between 0 and 1",
        };
        assert_eq!(
            error.to_string(),
            "target_accept must be strictly between 0 and 1, but is 1.5"
        );
    }
}
