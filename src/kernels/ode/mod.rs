//! Initial value problems dy/dt = f(t, y): an explicit Runge-Kutta method and, for stiff systems, backward differentiation.
//!
//! The solvers know nothing of what they integrate: a caller who wants sensitivities integrates the system augmented with
//! them, states first, then one block of the states' length for each parameter.

mod bdf;
mod rk45;
#[cfg(test)]
mod tests;

pub use bdf::bdf;
pub use rk45::rk45;

/// When a solver is precise enough, and when it gives up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// Local error allowed relative to a component's magnitude.
    pub relative: f64,
    /// Local error allowed in absolute terms, added to the relative part.
    pub absolute: f64,
    /// The largest number of steps between two output times.
    pub max_steps: u64,
}

impl Tolerances {
    /// Stan's defaults for its explicit solver: 1e-6, 1e-6 and 1,000,000 steps.
    pub const RK45: Tolerances = Tolerances {
        relative: 1e-6,
        absolute: 1e-6,
        max_steps: 1_000_000,
    };
    /// Stan's defaults for its stiff solver: 1e-10, 1e-10 and 100,000,000 steps.
    pub const BDF: Tolerances = Tolerances {
        relative: 1e-10,
        absolute: 1e-10,
        max_steps: 100_000_000,
    };
}

/// What Stan requires of a problem before it is solved: a finite initial state, times that ascend from the initial time,
/// positive tolerances.
///
/// # Errors
/// What is wrong, as a sentence for users.
pub fn verify(y0: &[f64], t0: f64, times: &[f64], tolerances: &Tolerances) -> Result<(), String> {
    if let Some(value) = y0.iter().find(|value| !value.is_finite()) {
        return Err(format!(
            "the initial state of the system has the element {value}"
        ));
    }
    let ascending = std::iter::once(&t0).chain(times).is_sorted();
    let finite = times.iter().all(|time| time.is_finite());
    if !finite || !ascending || times.first().is_some_and(|first| *first <= t0) {
        return Err(format!(
            "the times of the solution must ascend from the initial time {t0}"
        ));
    }
    if tolerances.relative > 0.0 && tolerances.absolute > 0.0 && tolerances.max_steps > 0 {
        return Ok(());
    }
    Err("tolerances and the number of steps must be positive".to_owned())
}

/// Why there is no solution, and the time that was reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure<E> {
    /// The system itself failed.
    System(E),
    /// More than [`Tolerances::max_steps`] steps between two output times.
    TooManySteps {
        /// Where the last step ended.
        time: f64,
    },
    /// The step size went to nothing: the solution blows up, or f is not finite or not smooth there.
    StepTooSmall {
        /// Where the last step ended.
        time: f64,
    },
}

impl<E: std::fmt::Display> std::fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::System(error) => error.fmt(f),
            Failure::TooManySteps { time } => {
                write!(
                    f,
                    "the ODE solver took more steps than allowed; it reached time {time}"
                )
            }
            Failure::StepTooSmall { time } => {
                write!(
                    f,
                    "the ODE solver cannot go beyond time {time}: the solution or its derivative is not finite"
                )
            }
        }
    }
}

impl<E: std::fmt::Debug + std::fmt::Display> std::error::Error for Failure<E> {}

/// Counts the steps since the last output.
struct StepCounter {
    taken: u64,
    limit: u64,
}

impl StepCounter {
    fn new(tolerances: &Tolerances) -> StepCounter {
        StepCounter {
            taken: 0,
            limit: tolerances.max_steps,
        }
    }

    fn count<E>(&mut self, time: f64) -> Result<(), Failure<E>> {
        self.taken += 1;
        if self.taken > self.limit {
            Err(Failure::TooManySteps { time })
        } else {
            Ok(())
        }
    }
}
