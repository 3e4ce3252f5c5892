//! Backward differentiation of order 1 to 5 with variable step size, for stiff systems.
//!
//! Shampine and Reichelt, "The MATLAB ODE suite" (1997), sections 2.1 to 2.3: numerical differentiation formulas on
//! quasi-constant steps, kept as backward differences, solved by a simplified Newton iteration. Deviation: the Jacobian
//! may be that of a leading block of states, and then serves every block of an augmented system (the simultaneous
//! corrector of Maly and Petzold 1996), which costs one factorisation of the states' size instead of the whole system's.

use super::{Failure, StepCounter, Tolerances};
use crate::kernels::linalg::{Lu, axpy};

const MAX_ORDER: usize = 5;
/// The κ of each order, from the paper's table 1.
const KAPPA: [f64; MAX_ORDER + 1] = [0.0, -0.1850, -1.0 / 9.0, -0.0823, -0.0415, 0.0];
/// Σ 1/j up to each order.
const HARMONIC: [f64; MAX_ORDER + 1] = [0.0, 1.0, 1.5, 11.0 / 6.0, 25.0 / 12.0, 137.0 / 60.0];
/// Iterations after which the paper's code gives up a Newton solve.
const NEWTON_ITERATIONS: i32 = 4;
const LARGEST_GROWTH: f64 = 10.0;
const LARGEST_SHRINKING: f64 = 0.2;
/// Fraction of the optimal step that is taken, before the correction for slow Newton solves.
const SAFETY: f64 = 0.9;

/// Integrates from `y0` at `t0` and writes the solution at each of `times`, which ascend from `t0` on, one after the other
/// into `out` (`times.len() * y0.len()`).
///
/// `system` writes dy/dt at (t, y) into its last argument. `jacobian` writes the `states` × `states` matrix of the
/// derivatives of the first `states` components of dy/dt with respect to the first `states` of y, column-major. The length of
/// `y0` must be a multiple of `states`; further blocks should have the same diagonal block, as sensitivities do.
#[expect(
    clippy::too_many_arguments,
    reason = "a system, its Jacobian, where from, where to, how precisely"
)]
pub fn bdf<E>(
    mut system: impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
    mut jacobian: impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
    states: usize,
    t0: f64,
    y0: &[f64],
    times: &[f64],
    tolerances: &Tolerances,
    out: &mut [f64],
) -> Result<(), Failure<E>> {
    let n = y0.len();
    let Some(&last_time) = times.last() else {
        return Ok(());
    };
    if n == 0 || last_time == t0 {
        out.chunks_exact_mut(n.max(1))
            .for_each(|row| row.copy_from_slice(y0));
        return Ok(());
    }
    let mut solver = Solver::new(&mut system, t0, y0, states, last_time, *tolerances)
        .map_err(Failure::System)?;
    jacobian(t0, y0, &mut solver.jacobian).map_err(Failure::System)?;
    let mut counter = StepCounter::new(tolerances);
    for (&time, row) in times.iter().zip(out.chunks_exact_mut(n)) {
        while solver.time < time {
            solver.advance(&mut system, &mut jacobian)?;
            counter.count(solver.time)?;
        }
        solver.interpolate(time, row);
        counter.taken = 0;
    }
    Ok(())
}

struct Solver {
    n: usize,
    states: usize,
    tolerances: Tolerances,
    time: f64,
    step: f64,
    order: usize,
    /// Steps of this size and order so far.
    equal_steps: usize,
    /// Backward differences of the solution at the current time: row 0 is the solution.
    differences: Vec<Vec<f64>>,
    jacobian: Vec<f64>,
    /// Whether `jacobian` was taken for the step being tried.
    jacobian_is_current: bool,
    /// Factors of I − cJ for the current step size and order, with that c.
    factors: Option<(f64, Lu)>,
    predicted: Vec<f64>,
    /// What the formula takes of the differences.
    psi: Vec<f64>,
    correction: Vec<f64>,
    trial: Vec<f64>,
    slope: Vec<f64>,
    residual: Vec<f64>,
    update: Vec<f64>,
}

/// κ γ + 1/(k + 1): the error of a step in units of its correction.
fn error_constant(order: usize) -> f64 {
    KAPPA[order] * HARMONIC[order] + 1.0 / (order + 1) as f64
}

/// (1 − κ) γ, the coefficient of the correction.
fn leading_coefficient(order: usize) -> f64 {
    (1.0 - KAPPA[order]) * HARMONIC[order]
}

impl Solver {
    fn new<E>(
        system: &mut impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
        t0: f64,
        y0: &[f64],
        states: usize,
        last_time: f64,
        tolerances: Tolerances,
    ) -> Result<Solver, E> {
        let n = y0.len();
        let zero = vec![0.0; n];
        let mut slope = zero.clone();
        system(t0, y0, &mut slope)?;
        let mut solver = Solver {
            n,
            states,
            tolerances,
            time: t0,
            step: 0.0,
            order: 1,
            equal_steps: 0,
            differences: vec![zero.clone(); MAX_ORDER + 3],
            jacobian: vec![0.0; states * states],
            jacobian_is_current: true,
            factors: None,
            predicted: zero.clone(),
            psi: zero.clone(),
            correction: zero.clone(),
            trial: zero.clone(),
            slope,
            residual: zero.clone(),
            update: zero,
        };
        solver.step = solver.first_step(system, t0, y0, last_time - t0)?;
        solver.differences[0].copy_from_slice(y0);
        for (difference, slope) in solver.differences[1].iter_mut().zip(&solver.slope) {
            *difference = solver.step * slope;
        }
        Ok(solver)
    }

    /// Hairer, Nørsett and Wanner, *Solving Ordinary Differential Equations I*, section II.4, for a method of order 1.
    fn first_step<E>(
        &mut self,
        system: &mut impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
        t0: f64,
        y0: &[f64],
        span: f64,
    ) -> Result<f64, E> {
        let (size, speed) = (self.norm(y0, y0), self.norm(&self.slope, y0));
        let guess = if size < 1e-5 || speed < 1e-5 {
            1e-6
        } else {
            0.01 * size / speed
        };
        let guess = guess.min(span);
        self.trial.copy_from_slice(y0);
        axpy(guess, &self.slope, &mut self.trial);
        system(t0 + guess, &self.trial, &mut self.residual)?;
        axpy(-1.0, &self.slope, &mut self.residual);
        let bend = self.norm(&self.residual, y0) / guess;
        let fastest = speed.max(bend);
        let second = if fastest <= 1e-15 {
            (guess * 1e-3).max(1e-6)
        } else {
            (0.01 / fastest).sqrt()
        };
        // `min` passes over a NaN of the slope, whose trouble the first step will find.
        Ok((100.0 * guess).min(second).min(span))
    }

    /// Root mean square of x in units of the error allowed for values of the size of y.
    fn norm(&self, x: &[f64], y: &[f64]) -> f64 {
        let sum: f64 = x
            .iter()
            .zip(y)
            .map(|(x, y)| {
                let scaled = x / (self.tolerances.absolute + self.tolerances.relative * y.abs());
                scaled * scaled
            })
            .sum();
        (sum / self.n as f64).sqrt()
    }

    /// Takes one step, of whatever size is accurate enough, and chooses the next order and size.
    fn advance<E>(
        &mut self,
        system: &mut impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
        jacobian: &mut impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<(), Failure<E>> {
        loop {
            let target = self.time + self.step;
            if target <= self.time || target.is_nan() {
                return Err(Failure::StepTooSmall { time: self.time });
            }
            self.predict();
            let Some(iterations) = self.correct(target, system).map_err(Failure::System)? else {
                if self.jacobian_is_current {
                    self.rescale(0.5);
                } else {
                    jacobian(target, &self.predicted, &mut self.jacobian)
                        .map_err(Failure::System)?;
                    self.jacobian_is_current = true;
                    self.factors = None;
                }
                continue;
            };
            let allowance = f64::from(2 * NEWTON_ITERATIONS + 1);
            let safety = SAFETY * allowance / (allowance - 1.0 + f64::from(iterations));
            let error = error_constant(self.order) * self.norm(&self.correction, &self.trial);
            if error > 1.0 {
                let factor = safety * error.powf(-1.0 / (self.order + 1) as f64);
                self.rescale(factor.max(LARGEST_SHRINKING));
                continue;
            }
            self.accept(target);
            if self.equal_steps > self.order {
                self.choose_order(error, safety);
            }
            return Ok(());
        }
    }

    fn predict(&mut self) {
        self.predicted.fill(0.0);
        for row in &self.differences[..=self.order] {
            axpy(1.0, row, &mut self.predicted);
        }
    }

    /// Solves y = predicted + d, d = c f(t, y) − ψ for the correction d: the number of iterations, or nothing if they do not
    /// converge.
    fn correct<E>(
        &mut self,
        target: f64,
        system: &mut impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<Option<i32>, E> {
        let c = self.step / leading_coefficient(self.order);
        if self
            .factors
            .as_ref()
            .is_none_or(|(factored_at, _)| *factored_at != c)
        {
            self.factors = self.factor(c);
        }
        let Some((_, factors)) = &self.factors else {
            return Ok(None);
        };
        let relative = self.tolerances.relative;
        let tolerance = (10.0 * f64::EPSILON / relative).max(relative.sqrt().min(0.03));
        self.trial.copy_from_slice(&self.predicted);
        self.correction.fill(0.0);
        self.psi.fill(0.0);
        for (order, row) in self
            .differences
            .iter()
            .enumerate()
            .take(self.order + 1)
            .skip(1)
        {
            let weight = HARMONIC[order] / leading_coefficient(self.order);
            axpy(weight, row, &mut self.psi);
        }
        let mut previous: Option<f64> = None;
        for iteration in 0..NEWTON_ITERATIONS {
            system(target, &self.trial, &mut self.slope)?;
            for i in 0..self.n {
                self.residual[i] = c * self.slope[i] - self.psi[i] - self.correction[i];
            }
            factors.solve(&self.residual, &mut self.update);
            let size = self.norm(&self.update, &self.predicted);
            if !size.is_finite() {
                return Ok(None);
            }
            let rate = previous.map(|before| size / before);
            if let Some(rate) = rate {
                let left = NEWTON_ITERATIONS - iteration;
                if rate >= 1.0 || rate.powi(left) / (1.0 - rate) * size > tolerance {
                    return Ok(None);
                }
            }
            for i in 0..self.n {
                self.trial[i] += self.update[i];
                self.correction[i] += self.update[i];
            }
            if size == 0.0 || rate.is_some_and(|rate| rate / (1.0 - rate) * size < tolerance) {
                return Ok(Some(iteration + 1));
            }
            previous = Some(size);
        }
        Ok(None)
    }

    fn factor(&self, c: f64) -> Option<(f64, Lu)> {
        let states = self.states;
        let mut matrix: Vec<f64> = self.jacobian.iter().map(|x| -c * x).collect();
        for j in 0..states {
            matrix[j + j * states] += 1.0;
        }
        Lu::regular(states, &matrix)
            .ok()
            .map(|factors| (c, factors))
    }

    fn accept(&mut self, target: f64) {
        let order = self.order;
        self.time = target;
        self.equal_steps += 1;
        self.jacobian_is_current = false;
        for i in 0..self.n {
            let correction = self.correction[i];
            self.differences[order + 2][i] = correction - self.differences[order + 1][i];
            self.differences[order + 1][i] = correction;
            for k in (0..=order).rev() {
                self.differences[k][i] += self.differences[k + 1][i];
            }
        }
    }

    /// Takes the order, of this one and its neighbours, that allows the largest step.
    fn choose_order(&mut self, error: f64, safety: f64) {
        let allowed = |order: usize, error: f64| error.powf(-1.0 / (order + 1) as f64);
        let order = self.order;
        let mut best = (allowed(order, error), order);
        let neighbours = [
            (order > 1).then(|| order - 1),
            (order < MAX_ORDER).then_some(order + 1),
        ];
        for neighbour in neighbours.into_iter().flatten() {
            let error = error_constant(neighbour)
                * self.norm(&self.differences[neighbour + 1], &self.trial);
            let factor = allowed(neighbour, error);
            if factor > best.0 {
                best = (factor, neighbour);
            }
        }
        self.order = best.1;
        self.rescale((safety * best.0).min(LARGEST_GROWTH));
    }

    /// Changes the step size by a factor, re-forming the differences: D ← (R(factor) R(1))ᵀ D, section 2.2 of the paper.
    fn rescale(&mut self, factor: f64) {
        let order = self.order;
        let change = change_of_step(order, factor);
        let unchanged = change_of_step(order, 1.0);
        let size = order + 1;
        let mut matrix = [[0.0; MAX_ORDER + 1]; MAX_ORDER + 1];
        for (i, row) in matrix.iter_mut().enumerate().take(size) {
            for (j, value) in row.iter_mut().enumerate().take(size) {
                *value = (0..size).map(|k| change[i][k] * unchanged[k][j]).sum();
            }
        }
        for i in 0..self.n {
            let mut column = [0.0; MAX_ORDER + 1];
            for (j, value) in column.iter_mut().enumerate().take(size) {
                *value = (0..size)
                    .map(|k| matrix[k][j] * self.differences[k][i])
                    .sum();
            }
            for (j, &value) in column.iter().enumerate().take(size) {
                self.differences[j][i] = value;
            }
        }
        self.step *= factor;
        self.equal_steps = 0;
        self.factors = None;
    }

    /// The polynomial through the last points, DLMF 3.3's Newton form in backward differences.
    fn interpolate(&self, time: f64, out: &mut [f64]) {
        out.copy_from_slice(&self.differences[0]);
        let mut product = 1.0;
        for k in 0..self.order {
            product *= (time - self.time + k as f64 * self.step) / ((k + 1) as f64 * self.step);
            axpy(product, &self.differences[k + 1], out);
        }
    }
}

/// R_ij = Π_{m=1..i} (m − 1 − factor j) / m.
fn change_of_step(order: usize, factor: f64) -> [[f64; MAX_ORDER + 1]; MAX_ORDER + 1] {
    let mut matrix = [[0.0; MAX_ORDER + 1]; MAX_ORDER + 1];
    for j in 0..=order {
        let mut product = 1.0;
        matrix[0][j] = 1.0;
        for (i, row) in matrix.iter_mut().enumerate().take(order + 1).skip(1) {
            product *= ((i - 1) as f64 - factor * j as f64) / i as f64;
            row[j] = product;
        }
    }
    matrix
}
