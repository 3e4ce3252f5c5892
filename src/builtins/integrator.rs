//! The integrators among the container functions: which method each is, and where its arguments are.

use super::Container;
use crate::kernels::ode::Tolerances;
use std::ops::Range;

/// How a call of an integrator, the system included as argument 0, is to be read: 1 is the initial state, 2 the initial
/// time, 3 the times of the solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integrator {
    /// Whether the method is that for stiff systems.
    pub stiff: bool,
    /// Where the three tolerances begin, if they are given.
    tolerances: Option<usize>,
    /// Where the arguments begin that are passed on to the system.
    first_passed_on: usize,
    /// How many arguments there are.
    arguments: usize,
}

impl Integrator {
    /// The integrator that a function is; `None` for other functions. `arguments` is the call's number of arguments, the
    /// system included.
    pub fn of(function: Container, arguments: usize) -> Option<Integrator> {
        use Container as F;
        let stiff = match function {
            F::IntegrateOde | F::IntegrateOdeRk45 | F::OdeRk45 | F::OdeRk45Tol => false,
            F::IntegrateOdeBdf | F::IntegrateOdeAdams | F::OdeBdf | F::OdeBdfTol => true,
            _ => return None,
        };
        let (tolerances, first_passed_on) = match function {
            F::OdeRk45 | F::OdeBdf => (None, 4),
            F::OdeRk45Tol | F::OdeBdfTol => (Some(4), 7),
            // integrate_ode*(f, y0, t0, ts, theta, x_r, x_i[, tolerances])
            _ => (Some(7).filter(|_| arguments > 7), 4),
        };
        Some(Integrator {
            stiff,
            tolerances,
            first_passed_on,
            arguments,
        })
    }

    /// The arguments that are passed on to the system: the tolerances of the old interface come last and are not among them.
    pub fn passed_on(self) -> Range<usize> {
        let end = match self.tolerances {
            Some(at) if at >= self.first_passed_on => at,
            _ => self.arguments,
        };
        self.first_passed_on..end
    }

    /// The tolerances, `number` being the value of a scalar argument. Defaults where none are given; `None` if a value is
    /// not to be had.
    pub fn tolerances(self, mut number: impl FnMut(usize) -> Option<f64>) -> Option<Tolerances> {
        match self.tolerances {
            None if self.stiff => Some(Tolerances::BDF),
            None => Some(Tolerances::RK45),
            Some(at) => Some(Tolerances {
                relative: number(at)?,
                absolute: number(at + 1)?,
                max_steps: number(at + 2)? as u64,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerances_come_last_in_the_old_interface_and_before_the_systems_arguments_in_the_new() {
        let passed = |function, arguments| {
            Integrator::of(function, arguments).map(|integrator| integrator.passed_on())
        };
        assert_eq!(passed(Container::IntegrateOdeRk45, 7), Some(4..7));
        assert_eq!(passed(Container::IntegrateOdeBdf, 10), Some(4..7));
        assert_eq!(passed(Container::OdeBdf, 6), Some(4..6));
        assert_eq!(passed(Container::OdeRk45Tol, 9), Some(7..9));
        assert_eq!(passed(Container::Sum, 1), None);
    }

    #[test]
    fn tolerances_are_the_methods_unless_given() {
        let given = |at: usize| Some(at as f64);
        let old = Integrator::of(Container::IntegrateOde, 7).unwrap();
        assert_eq!(old.tolerances(given), Some(Tolerances::RK45));
        let new = Integrator::of(Container::OdeBdfTol, 8).unwrap();
        let wanted = Tolerances {
            relative: 4.0,
            absolute: 5.0,
            max_steps: 6,
        };
        assert_eq!(new.tolerances(given), Some(wanted));
        assert_eq!(new.tolerances(|_| None), None);
    }
}
