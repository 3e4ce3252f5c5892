//! Where a chain begins: a point that is given, or random ones until the density accepts one.

use std::fmt;

use super::density::{Cause, DensityError, LogDensity};
use super::random::Randomness;
use super::trajectory::Trajectory;

/// How many random points are tried (Stan: `initialize`).
const TRIES: usize = 100;

/// Half the width of the uniform distribution of random initial values (Stan: 2).
const RADIUS: f64 = 2.0;

/// Where a chain begins, on the unconstrained scale.
#[derive(Debug, Clone, PartialEq)]
pub enum InitialPoint {
    /// Each parameter uniform on (−radius, radius); 0 begins at the origin.
    Random {
        /// Half the width (Stan: 2).
        radius: f64,
    },
    /// Some parameters as given, the others uniform on (−radius, radius).
    Partial {
        /// One entry per parameter.
        values: Vec<Option<f64>>,
        /// Half the width.
        radius: f64,
    },
    /// Every parameter as given.
    Given(Vec<f64>),
}

impl Default for InitialPoint {
    fn default() -> Self {
        Self::Random { radius: RADIUS }
    }
}

impl InitialPoint {
    /// The number of parameters it speaks of, if it does.
    pub(super) fn dimension(&self) -> Option<usize> {
        match self {
            Self::Random { .. } => None,
            Self::Partial { values, .. } => Some(values.len()),
            Self::Given(values) => Some(values.len()),
        }
    }

    fn is_random(&self) -> bool {
        match self {
            Self::Random { radius } => *radius != 0.0,
            Self::Partial { values, radius } => {
                *radius != 0.0 && values.iter().any(Option::is_none)
            }
            Self::Given(_) => false,
        }
    }

    fn draw<R: Randomness>(&self, random: &mut R, position: &mut [f64]) {
        let mut within = |radius: f64| radius * (2.0 * random.uniform() - 1.0);
        match self {
            Self::Random { radius } => position.fill_with(|| within(*radius)),
            Self::Partial { values, radius } => {
                for (coordinate, value) in position.iter_mut().zip(values) {
                    *coordinate = value.unwrap_or_else(|| within(*radius));
                }
            }
            Self::Given(values) => position.copy_from_slice(values),
        }
    }
}

/// What was wrong with a point that was tried.
#[derive(Debug, Clone, PartialEq)]
pub enum InitialFailure {
    /// The density rejected it, with this message.
    Rejected(String),
    /// The log density is not finite.
    LogDensity(f64),
    /// A component of the gradient is not finite.
    Gradient {
        /// 0-based index of the unconstrained parameter.
        parameter: usize,
        /// The component.
        value: f64,
    },
}

impl fmt::Display for InitialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(message) => f.write_str(message),
            Self::LogDensity(value) => write!(f, "the log density is {value}"),
            Self::Gradient { parameter, value } => write!(
                f,
                "the gradient is {value} for unconstrained parameter {}",
                parameter + 1
            ),
        }
    }
}

/// How the search for an initial point went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InitialTries {
    /// How many points were tried, the accepted one included.
    pub tries: usize,
    /// How many of them failed.
    pub failures: usize,
    /// What was wrong with the first that failed.
    pub first_failure: Option<InitialFailure>,
}

impl fmt::Display for InitialTries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tries, failures, ..
        } = self;
        match tries {
            1 if *failures == 1 => write!(f, "the initial point failed")?,
            _ => write!(f, "{failures} of {tries} initial points failed")?,
        }
        match &self.first_failure {
            Some(failure) if *failures > 1 => write!(f, "; the first: {failure}"),
            Some(failure) => write!(f, ": {failure}"),
            None => Ok(()),
        }
    }
}

/// Moves the trajectory to the first acceptable point; says whether there was one.
pub(super) fn find_initial<D: LogDensity, R: Randomness>(
    initial: &InitialPoint,
    density: &mut D,
    trajectory: &mut Trajectory,
    random: &mut R,
    tries: &mut InitialTries,
) -> Result<bool, Cause> {
    let mut position = vec![0.0; density.dimension()];
    let limit = if initial.is_random() { TRIES } else { 1 };
    while tries.tries < limit {
        initial.draw(random, &mut position);
        tries.tries += 1;
        let failure = match trajectory.set_position(density, &position) {
            Ok(log_density) if !log_density.is_finite() => InitialFailure::LogDensity(log_density),
            Ok(_) => match first_not_finite(trajectory.gradient()) {
                Some((parameter, value)) => InitialFailure::Gradient { parameter, value },
                None => return Ok(true),
            },
            Err(DensityError::Rejected(cause)) => InitialFailure::Rejected(cause.to_string()),
            Err(DensityError::Fatal(cause)) => return Err(cause),
        };
        tries.failures += 1;
        tries.first_failure.get_or_insert(failure);
    }
    Ok(false)
}

fn first_not_finite(values: &[f64]) -> Option<(usize, f64)> {
    values
        .iter()
        .copied()
        .enumerate()
        .find(|(_, value)| !value.is_finite())
}
