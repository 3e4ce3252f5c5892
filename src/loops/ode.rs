//! Integrates the systems of a procedure, with sensitivities where a gradient needs them: shared by the evaluator and the
//! compiled code.
//!
//! With dy/dt = f(t, y, θ), the sensitivities S = ∂y/∂(y₀, θ) satisfy dS/dt = ∂f/∂y S + ∂f/∂(y₀, θ) from S = (I, 0)
//! (Hairer, Nørsett and Wanner, *Solving Ordinary Differential Equations I*, section I.14). They are integrated together
//! with the states and count in the error control, as in Stan's coupled system: so the steps, and with loose tolerances
//! the solutions, are Stan's.

use super::linear::{Matrix, MatrixMut, Values};
use super::{Procedure, Stop};
use crate::kernels::ode::{self, Tolerances};

/// A system of ordinary differential equations dy/dt = f(t, y, θ, g), where θ are its parameters and g is given: nothing is
/// ever differentiated with respect to that.
#[derive(Clone, Debug)]
pub struct System {
    /// The function that the user wrote.
    pub name: String,
    /// Sizes, method, tolerances.
    pub problem: Problem,
    /// f: from y and θ (input 0), t and g (input 1) to dy/dt (output 0).
    pub right_side: Procedure,
    /// The gradient of Σ wᵢ fᵢ with respect to y and θ (output 0), from the same and the weights w (input 2). With one
    /// weight 1 and the others 0 it is a row of f's Jacobian. Present where sensitivities or the method need that.
    pub weighted: Option<Procedure>,
    /// The derivatives of y and its sensitivities by time (output 0: y's first, then as many for each column) from y and θ
    /// (input 0), t and g (input 1) and the sensitivities (input 2, column by column): what the other two procedures
    /// give, in one call. Differentiation of what solves the system makes it, of small systems.
    pub coupled: Option<Procedure>,
}

/// What a solver must know of a system besides its equations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Problem {
    /// The length of y.
    pub states: usize,
    /// The length of θ.
    pub parameters: usize,
    /// What the solution is differentiated by: nothing (0), θ (its length), or y₀ and θ (both lengths).
    pub columns: usize,
    /// The length of g.
    pub given: usize,
    /// Whether the method is that for stiff systems.
    pub stiff: bool,
    /// How precise the solution is to be.
    pub tolerances: Tolerances,
}

/// Evaluates the procedures of a [`System`].
pub(crate) trait Equations {
    /// Writes dy/dt, given y and θ, and t and g.
    fn right_side(&mut self, point: &[f64], given: &[f64], slope: &mut [f64]) -> Result<(), Stop>;

    /// Writes the gradient of the weighted sum of dy/dt with respect to y and θ.
    fn weighted(
        &mut self,
        point: &[f64],
        given: &[f64],
        weights: &[f64],
        gradient: &mut [f64],
    ) -> Result<(), Stop>;

    /// Writes the derivatives of y and its sensitivities by time and returns true; false if there is no such procedure.
    fn coupled(
        &mut self,
        point: &[f64],
        given: &[f64],
        sensitivities: &[f64],
        slope: &mut [f64],
    ) -> Result<bool, Stop>;
}

/// Why a system has no solution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unsolved {
    /// Its right-hand side stopped.
    Stopped(Stop),
    /// The solver failed, or refused; in words that complete a message.
    Failed(String),
}

impl From<ode::Failure<Stop>> for Unsolved {
    fn from(failure: ode::Failure<Stop>) -> Unsolved {
        match failure {
            // The message is of the system's procedure, not of the one that is running.
            ode::Failure::System(stop) => Unsolved::Stopped(Stop {
                message: None,
                ..stop
            }),
            failure => Unsolved::Failed(failure.to_string()),
        }
    }
}

/// Carries out [`super::Intrinsic::Ode`] on its slices.
pub(crate) fn solve(
    problem: &Problem,
    equations: &mut impl Equations,
    inputs: &[Matrix<'_>],
    outputs: &mut [MatrixMut<'_>],
) -> Result<(), Unsolved> {
    let (&[initial, parameters, given, times], [solution, sensitivities]) = (inputs, outputs)
    else {
        return Err(misfit());
    };
    let (Values::Real(solution), Values::Real(sensitivities), Some((&t0, times))) = (
        &mut solution.values,
        &mut sensitivities.values,
        times.values.split_first(),
    ) else {
        return Err(misfit());
    };
    let n = problem.states;
    // The parameters' columns, before them the initial state's.
    let columns = problem.columns;
    let fits = initial.values.len() == n
        && parameters.values.len() == problem.parameters
        && given.values.len() == problem.given
        && solution.len() == n * times.len()
        && sensitivities.len() == n * times.len() * columns
        && [0, problem.parameters, n + problem.parameters].contains(&columns);
    if !fits {
        return Err(misfit());
    }
    ode::verify(initial.values, t0, times, &problem.tolerances).map_err(Unsolved::Failed)?;
    let mut coupled = Coupled {
        states: n,
        first_parameter: columns.saturating_sub(problem.parameters),
        columns,
        point: [initial.values, parameters.values].concat(),
        given: [&[t0], given.values].concat(),
        weights: vec![0.0; n],
        row: vec![0.0; n + problem.parameters],
        equations,
    };
    if columns == 0 {
        return coupled.integrate(problem, t0, initial.values, times, solution);
    }
    let mut start = vec![0.0; n + n * columns];
    start[..n].copy_from_slice(initial.values);
    for state in 0..coupled.first_parameter {
        start[n + state * n + state] = 1.0;
    }
    let mut rows = vec![0.0; start.len() * times.len()];
    coupled.integrate(problem, t0, &start, times, &mut rows)?;
    let height = n * times.len();
    for (time, row) in rows.chunks_exact(start.len()).enumerate() {
        let (states, blocks) = row.split_at(n);
        solution[time * n..][..n].copy_from_slice(states);
        for (column, block) in blocks.chunks_exact(n).enumerate() {
            sensitivities[column * height + time * n..][..n].copy_from_slice(block);
        }
    }
    Ok(())
}

/// What running a system's missing procedure ends in.
pub(crate) fn no_jacobian() -> Stop {
    Stop::internal("compiler bug: the system has no Jacobian")
}

fn misfit() -> Unsolved {
    Unsolved::Failed("compiler bug: the system was given other slices than it takes".to_owned())
}

/// A system and its sensitivities as one system: the states, then one block of their length for each column.
struct Coupled<'e, E> {
    equations: &'e mut E,
    states: usize,
    /// The column of the first parameter; those before it are the initial state's.
    first_parameter: usize,
    columns: usize,
    /// y and θ.
    point: Vec<f64>,
    /// t and g.
    given: Vec<f64>,
    weights: Vec<f64>,
    /// A row of the Jacobian with respect to y and θ.
    row: Vec<f64>,
}

impl<E: Equations> Coupled<'_, E> {
    fn integrate(
        &mut self,
        problem: &Problem,
        t0: f64,
        start: &[f64],
        times: &[f64],
        out: &mut [f64],
    ) -> Result<(), Unsolved> {
        let tolerances = &problem.tolerances;
        if !problem.stiff {
            let slope = |t: f64, z: &[f64], dz: &mut [f64]| self.slope(t, z, dz);
            ode::rk45(slope, t0, start, times, tolerances, out)?;
            return Ok(());
        }
        // The solver asks for a slope or for a Jacobian, never for both at once.
        let n = problem.states;
        let shared = std::cell::RefCell::new(self);
        ode::bdf(
            |t, z, dz| shared.borrow_mut().slope(t, z, dz),
            |t, z, matrix| shared.borrow_mut().jacobian(t, &z[..n], matrix),
            n,
            t0,
            start,
            times,
            tolerances,
            out,
        )?;
        Ok(())
    }

    /// The derivative of states and sensitivities by time.
    fn slope(&mut self, t: f64, z: &[f64], dz: &mut [f64]) -> Result<(), Stop> {
        let n = self.states;
        self.move_to(t, &z[..n]);
        if self.columns > 0
            && self
                .equations
                .coupled(&self.point, &self.given, &z[n..], dz)?
        {
            return Ok(());
        }
        let (slope, block_slopes) = dz.split_at_mut(n);
        self.equations.right_side(&self.point, &self.given, slope)?;
        if self.columns == 0 {
            return Ok(());
        }
        block_slopes.fill(0.0);
        for state in 0..n {
            self.row_of_jacobian(state)?;
            let (by_states, by_parameters) = self.row.split_at(n);
            let blocks = z[n..].chunks_exact(n);
            for (block, slopes) in blocks.zip(block_slopes.chunks_exact_mut(n)) {
                let products = by_states.iter().zip(block).map(|(a, b)| a * b);
                slopes[state] = products.sum();
            }
            let of_parameters = block_slopes.chunks_exact_mut(n).skip(self.first_parameter);
            for (slopes, direct) in of_parameters.zip(by_parameters) {
                slopes[state] += direct;
            }
        }
        Ok(())
    }

    /// ∂f/∂y, column-major.
    fn jacobian(&mut self, t: f64, y: &[f64], matrix: &mut [f64]) -> Result<(), Stop> {
        let n = self.states;
        self.move_to(t, y);
        for state in 0..n {
            self.row_of_jacobian(state)?;
            for (column, entry) in self.row[..n].iter().enumerate() {
                matrix[state + column * n] = *entry;
            }
        }
        Ok(())
    }

    fn move_to(&mut self, t: f64, y: &[f64]) {
        self.given[0] = t;
        self.point[..y.len()].copy_from_slice(y);
    }

    /// Leaves in `row` the derivatives of one component of f.
    fn row_of_jacobian(&mut self, state: usize) -> Result<(), Stop> {
        self.weights.fill(0.0);
        self.weights[state] = 1.0;
        self.equations
            .weighted(&self.point, &self.given, &self.weights, &mut self.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A substance that decays at rate θ₁ into another that is removed at rate g₁: y₁' = −θ₁ y₁, y₂' = θ₁ y₁ − g₁ y₂.
    struct Chain {
        /// The state beyond which it stops.
        most: f64,
    }

    impl Equations for Chain {
        fn right_side(
            &mut self,
            point: &[f64],
            given: &[f64],
            slope: &mut [f64],
        ) -> Result<(), Stop> {
            let (&[y1, y2, rate], &[_, removal]) = (point, given) else {
                return Err(Stop::internal("lengths"));
            };
            if y2 > self.most {
                return Err(Stop::internal("too much"));
            }
            slope.copy_from_slice(&[-rate * y1, rate * y1 - removal * y2]);
            Ok(())
        }

        fn weighted(
            &mut self,
            point: &[f64],
            given: &[f64],
            weights: &[f64],
            gradient: &mut [f64],
        ) -> Result<(), Stop> {
            let (&[y1, _, rate], &[_, removal], &[w1, w2]) = (point, given, weights) else {
                return Err(Stop::internal("lengths"));
            };
            gradient.copy_from_slice(&[rate * (w2 - w1), -removal * w2, y1 * (w2 - w1)]);
            Ok(())
        }

        fn coupled(
            &mut self,
            _: &[f64],
            _: &[f64],
            _: &[f64],
            _: &mut [f64],
        ) -> Result<bool, Stop> {
            Ok(false)
        }
    }

    const INITIAL: [f64; 2] = [2.0, 0.5];
    const RATE: f64 = 0.7;
    const REMOVAL: f64 = 0.3;
    /// The initial time and those of the solution.
    const TIMES: [f64; 4] = [1.0, 1.5, 4.0, 9.0];

    fn problem(stiff: bool, columns: usize) -> Problem {
        Problem {
            states: 2,
            parameters: 1,
            columns,
            given: 1,
            stiff,
            tolerances: Tolerances {
                relative: 1e-12,
                absolute: 1e-12,
                max_steps: 100_000,
            },
        }
    }

    /// The solution and so many columns of sensitivities.
    fn solved(problem: &Problem, most: f64) -> Result<(Vec<f64>, Vec<f64>), Unsolved> {
        let columns = problem.columns;
        let (mut solution, mut sensitivities) = (vec![f64::NAN; 6], vec![f64::NAN; 6 * columns]);
        let inputs: [&[f64]; 4] = [&INITIAL, &[RATE], &[REMOVAL], &TIMES];
        solve(
            problem,
            &mut Chain { most },
            &inputs.map(|values| Matrix::new(values.len(), 1, values)),
            &mut [
                MatrixMut::new(2, 3, Values::Real(&mut solution)),
                MatrixMut::new(6, columns, Values::Real(&mut sensitivities)),
            ],
        )?;
        Ok((solution, sensitivities))
    }

    /// The exact states at the times of the solution, and their derivatives by y₁(t0), y₂(t0) and the rate.
    fn exact() -> (Vec<f64>, Vec<f64>) {
        let (a, b) = (RATE, REMOVAL);
        let (mut states, mut columns) = (Vec::new(), [const { Vec::new() }; 3]);
        for time in &TIMES[1..] {
            let t = time - TIMES[0];
            let (ea, eb) = ((-a * t).exp(), (-b * t).exp());
            // The part of one unit of the first that is in the second, and its derivative by the rate.
            let part = a / (b - a) * (ea - eb);
            let part_by_rate = b / ((b - a) * (b - a)) * (ea - eb) - a / (b - a) * t * ea;
            states.extend([INITIAL[0] * ea, INITIAL[0] * part + INITIAL[1] * eb]);
            columns[0].extend([ea, part]);
            columns[1].extend([0.0, eb]);
            columns[2].extend([-t * INITIAL[0] * ea, INITIAL[0] * part_by_rate]);
        }
        (states, columns.concat())
    }

    fn assert_near(values: &[f64], exact: &[f64], stiff: bool) {
        assert_eq!(values.len(), exact.len());
        // The global error is some multiple of the local one, larger for the method of lower order.
        let allowed = if stiff { 1e-8 } else { 1e-10 };
        for (value, exact) in values.iter().zip(exact) {
            assert!((value - exact).abs() < allowed, "{value} is not {exact}");
        }
    }

    #[test]
    fn sensitivities_are_the_derivatives_of_the_solution() {
        let (states, derivatives) = exact();
        for stiff in [false, true] {
            let (solution, sensitivities) = solved(&problem(stiff, 3), 9.0).unwrap();
            assert_near(&solution, &states, stiff);
            assert_near(&sensitivities, &derivatives, stiff);
        }
    }

    #[test]
    fn only_the_sensitivities_that_are_asked_for_are_found() {
        let (states, derivatives) = exact();
        for stiff in [false, true] {
            let (solution, sensitivities) = solved(&problem(stiff, 1), 9.0).unwrap();
            assert_near(&solution, &states, stiff);
            assert_near(&sensitivities, &derivatives[12..], stiff);
            let (solution, _) = solved(&problem(stiff, 0), 9.0).unwrap();
            assert_near(&solution, &states, stiff);
        }
    }

    #[test]
    fn a_stop_of_the_system_comes_out() {
        for stiff in [false, true] {
            let stop = solved(&problem(stiff, 3), 1.0).unwrap_err();
            assert_eq!(stop, Unsolved::Stopped(Stop::internal("too much")));
        }
    }

    #[test]
    fn a_failing_solver_says_why() {
        let mut problem = problem(false, 3);
        problem.tolerances.max_steps = 3;
        let Unsolved::Failed(reason) = solved(&problem, 9.0).unwrap_err() else {
            panic!("the system did not stop");
        };
        assert!(reason.contains("more steps than allowed"), "{reason}");
        problem.given = 2;
        assert_eq!(solved(&problem, 9.0), Err(misfit()));
    }
}
