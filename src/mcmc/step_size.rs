//! The step size: a first guess by doubling or halving, then dual averaging towards a target accept statistic.
//!
//! Hoffman and Gelman (2014), algorithms 4 and 5, with Stan's threshold of 0.8 for the first guess (theirs is 0.5)
//! and a fresh momentum for each trial.

use std::error::Error;
use std::fmt;

use super::settings::DualAveragingSettings;

/// One-step acceptance at which the first guess is right (Stan: `base_hmc::init_stepsize`).
const TRIAL_ACCEPTANCE: f64 = 0.8;

/// A step size beyond this means that the density never falls (Stan's bound).
const LARGEST: f64 = 1e7;

/// Why no first step size was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepSizeError {
    /// Ever longer steps are accepted: the density is flat, its integral infinite.
    TooLarge,
    /// No step is accepted however short: the density jumps, or its gradient is wrong.
    TooSmall,
}

impl fmt::Display for StepSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => {
                "steps of any length are accepted: the posterior is improper \
                 (does every parameter have a prior or data?)"
            }
            Self::TooSmall => {
                "no step is short enough to be accepted: the posterior is not continuous, \
                 or its gradient is wrong"
            }
        })
    }
}

impl Error for StepSizeError {}

/// Doubles or halves the step size until the acceptance of one step crosses 0.8.
///
/// `trial` returns H₀ − H after one step of the given size; its error ends the search.
pub(super) fn search_step_size<E: From<StepSizeError>>(
    initial: f64,
    mut trial: impl FnMut(f64) -> Result<f64, E>,
) -> Result<f64, E> {
    let threshold = libm::log(TRIAL_ACCEPTANCE);
    let mut step_size = initial;
    let growing = trial(step_size)? > threshold;
    loop {
        let accepted = trial(step_size)? > threshold;
        if accepted != growing {
            return Ok(step_size);
        }
        step_size *= if growing { 2.0 } else { 0.5 };
        if step_size > LARGEST {
            return Err(StepSizeError::TooLarge.into());
        }
        if step_size == 0.0 {
            return Err(StepSizeError::TooSmall.into());
        }
    }
}

/// Nesterov's dual averaging of log ε (Hoffman and Gelman 2014, section 3.2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct DualAveraging {
    /// μ = log(10 ε₀): the value that early iterates are drawn to.
    pub centre: f64,
    /// t: how many accept statistics have been learnt from.
    pub count: u64,
    /// h̄: the weighted mean of target − accept statistic.
    pub error: f64,
    /// log ε̄: the weighted mean of the iterates.
    pub averaged_log_step: f64,
}

impl DualAveraging {
    /// Starts from a first guess ε₀.
    pub(super) fn new(step_size: f64) -> Self {
        Self {
            centre: libm::log(10.0 * step_size),
            count: 0,
            error: 0.0,
            averaged_log_step: 0.0,
        }
    }

    /// Learns from one transition; returns the step size of the next.
    pub(super) fn learn(&mut self, settings: &DualAveragingSettings, accept_stat: f64) -> f64 {
        self.count += 1;
        let count = self.count as f64;
        let weight = 1.0 / (count + settings.offset);
        let error = settings.target_accept - accept_stat.min(1.0);
        self.error = (1.0 - weight) * self.error + weight * error;
        let log_step = self.centre - self.error * count.sqrt() / settings.gamma;
        let weight = libm::pow(count, -settings.kappa);
        self.averaged_log_step = (1.0 - weight) * self.averaged_log_step + weight * log_step;
        libm::exp(log_step)
    }

    /// ε̄, the step size to sample with; none before the first transition.
    pub(super) fn averaged(&self) -> Option<f64> {
        (self.count > 0).then(|| libm::exp(self.averaged_log_step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Failure(Option<StepSizeError>);

    impl From<StepSizeError> for Failure {
        fn from(error: StepSizeError) -> Self {
            Self(Some(error))
        }
    }

    #[test]
    fn the_search_ends_where_acceptance_crosses() {
        // Acceptance exp(−ε²): 0.8 at ε = 0.472.
        let search = |initial| search_step_size::<Failure>(initial, |step| Ok(-step * step));
        assert_eq!(search(1.0), Ok(0.25));
        assert_eq!(search(1.0 / 64.0), Ok(0.5));
    }

    #[test]
    fn a_search_without_end_is_an_error() {
        assert_eq!(
            search_step_size::<Failure>(1.0, |_| Ok(0.0)),
            Err(Failure(Some(StepSizeError::TooLarge)))
        );
        assert_eq!(
            search_step_size::<Failure>(1.0, |_| Ok(f64::NEG_INFINITY)),
            Err(Failure(Some(StepSizeError::TooSmall)))
        );
        assert_eq!(
            search_step_size(1.0, |_| Err(Failure(None))),
            Err(Failure(None))
        );
    }

    #[test]
    fn dual_averaging_takes_the_papers_first_steps() {
        // By hand, ε₀ = 1, accept statistics 0 and 1: h̄ = 0.8/11, then (11/12)·0.8/11 − 0.2/12 = 0.05.
        let settings = DualAveragingSettings::default();
        let mut averaging = DualAveraging::new(1.0);
        assert_eq!(averaging.averaged(), None);
        let first = averaging.learn(&settings, 0.0);
        assert!((first.ln() - (10f64.ln() - 0.8 / 11.0 / 0.05)).abs() < 1e-14);
        assert!((averaging.averaged().unwrap() - first).abs() < 1e-14);
        let second = averaging.learn(&settings, 7.0);
        assert!((second.ln() - (10f64.ln() - 0.05 * 2f64.sqrt() / 0.05)).abs() < 1e-14);
        let weight = 2f64.powf(-0.75);
        let expected = (1.0 - weight) * first.ln() + weight * second.ln();
        assert!((averaging.averaged().unwrap().ln() - expected).abs() < 1e-14);
    }

    #[test]
    fn it_finds_the_step_size_of_a_known_curve() {
        // Acceptance exp(−ε/2) is 0.8 at ε = 0.446.
        let settings = DualAveragingSettings::default();
        let mut averaging = DualAveraging::new(4.0);
        let mut step_size: f64 = 4.0;
        for _ in 0..2000 {
            step_size = averaging.learn(&settings, (-step_size / 2.0).exp());
        }
        let found = averaging.averaged().unwrap();
        assert!((found + 2.0 * 0.8f64.ln()).abs() < 0.01, "{found}");
    }
}
