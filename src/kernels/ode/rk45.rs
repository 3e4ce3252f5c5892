//! The explicit Runge-Kutta method of Dormand and Prince, of order 5 with an embedded solution of order 4.
//!
//! Dormand and Prince, "A family of embedded Runge-Kutta formulae" (1980); interpolation and tableau as in Hairer, Nørsett
//! and Wanner, *Solving Ordinary Differential Equations I*, section II.5 and II.6. The error norm, the step size rule and
//! the first step of 0.1 are those of Boost's odeint as Stan uses it, so that solutions agree with Stan's far more closely
//! than the tolerance: loose tolerances are part of many posteriors.

use super::{Failure, StepCounter, Tolerances};
use crate::kernels::simd::stages::{self, LANES, largest_error};

/// Row s holds what stage s + 1 takes of the stages before it; the last row is also the solution of order 5.
const TABLEAU: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[
        19_372.0 / 6_561.0,
        -25_360.0 / 2_187.0,
        64_448.0 / 6_561.0,
        -212.0 / 729.0,
    ],
    &[
        9_017.0 / 3_168.0,
        -355.0 / 33.0,
        46_732.0 / 5_247.0,
        49.0 / 176.0,
        -5_103.0 / 18_656.0,
    ],
    &SOLUTION,
];
const SOLUTION: [f64; 6] = [
    35.0 / 384.0,
    0.0,
    500.0 / 1_113.0,
    125.0 / 192.0,
    -2_187.0 / 6_784.0,
    11.0 / 84.0,
];
/// Where in the step each of the stages 2 to 7 is.
const NODES: [f64; 6] = [1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0];
/// The solution of order 5 less that of order 4.
const ERROR: [f64; 7] = [
    35.0 / 384.0 - 5_179.0 / 57_600.0,
    0.0,
    500.0 / 1_113.0 - 7_571.0 / 16_695.0,
    125.0 / 192.0 - 393.0 / 640.0,
    -2_187.0 / 6_784.0 + 92_097.0 / 339_200.0,
    11.0 / 84.0 - 187.0 / 2_100.0,
    -1.0 / 40.0,
];
const FIRST_STEP: f64 = 0.1;
/// odeint's step size rule: this fraction of the optimal step, growth and shrinking by at most a factor of 5.
const SAFETY: f64 = 0.9;
const LARGEST_CHANGE: f64 = 5.0;
/// A step whose error is above this fraction of the tolerance does not make the next one larger.
const GROW_BELOW: f64 = 0.5;

/// Integrates from `y0` at `t0` and writes the solution at each of `times`, which ascend from `t0` on, one after the other
/// into `out` (`times.len() * y0.len()`).
///
/// The system writes dy/dt at (t, y) into its last argument, or fails.
pub fn rk45<E>(
    mut system: impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
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
    let mut step = Step::new(t0, y0);
    system(t0, y0, &mut step.stages[..n]).map_err(Failure::System)?;
    let mut counter = StepCounter::new(tolerances);
    let mut rows = out.chunks_exact_mut(n.max(1));
    for &time in times {
        while time > step.time {
            // The last step ends exactly at the last time.
            if step.time + step.size > last_time {
                step.size = last_time - step.time;
            }
            step.advance(&mut system, tolerances)?;
            counter.count(step.time)?;
        }
        if let Some(row) = rows.next() {
            step.interpolate(time, row);
        }
        counter.taken = 0;
    }
    Ok(())
}

/// All vectors are padded with zeros to a multiple of [`LANES`].
struct Step {
    /// The number of equations.
    n: usize,
    /// Where the last step ended, and the solution there.
    time: f64,
    y: Vec<f64>,
    /// Where it began.
    old_time: f64,
    old_y: Vec<f64>,
    /// The length of the next step.
    size: f64,
    /// The stages of the next attempt, one after the other: the first is f at the current point.
    stages: Vec<f64>,
    /// Those of the last step.
    old_stages: Vec<f64>,
    trial: Vec<f64>,
}

impl Step {
    fn new(t0: f64, y0: &[f64]) -> Step {
        let padded = y0.len().next_multiple_of(LANES);
        let mut y = vec![0.0; padded];
        y[..y0.len()].copy_from_slice(y0);
        Step {
            n: y0.len(),
            time: t0,
            old_time: t0,
            old_y: y.clone(),
            trial: vec![0.0; padded],
            y,
            size: FIRST_STEP,
            stages: vec![0.0; 7 * padded],
            old_stages: vec![0.0; 7 * padded],
        }
    }

    /// Takes one step, smaller than `size` if that is too inaccurate, and chooses the next size.
    fn advance<E>(
        &mut self,
        system: &mut impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
        tolerances: &Tolerances,
    ) -> Result<(), Failure<E>> {
        loop {
            self.attempt(system).map_err(Failure::System)?;
            let allowed = [tolerances.absolute, tolerances.relative];
            let error = largest_error(&ERROR, &self.stages, self.size, &self.y, allowed);
            if error <= 1.0 {
                self.accept(error);
                return Ok(());
            }
            // A NaN shrinks the step as far as one rule allows.
            let factor = if error.is_nan() {
                0.0
            } else {
                SAFETY * error.powf(-1.0 / 3.0)
            };
            self.size *= factor.max(1.0 / LARGEST_CHANGE);
            if self.time + self.size == self.time {
                return Err(Failure::StepTooSmall { time: self.time });
            }
        }
    }

    fn attempt<E>(
        &mut self,
        system: &mut impl FnMut(f64, &[f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (n, padded) = (self.n, self.y.len());
        for (s, (row, node)) in TABLEAU.iter().zip(NODES).enumerate() {
            stages::advance(row, &self.stages, self.size, &self.y, &mut self.trial);
            let slope = &mut self.stages[(s + 1) * padded..][..n];
            system(self.time + node * self.size, &self.trial[..n], slope)?;
        }
        Ok(())
    }

    fn accept(&mut self, error: f64) {
        std::mem::swap(&mut self.y, &mut self.old_y);
        std::mem::swap(&mut self.y, &mut self.trial);
        self.old_time = self.time;
        self.time += self.size;
        std::mem::swap(&mut self.stages, &mut self.old_stages);
        // The last stage is f at the new point, the first of the next step.
        let padded = self.y.len();
        self.stages[..padded].copy_from_slice(&self.old_stages[6 * padded..]);
        if error < GROW_BELOW {
            self.size *= SAFETY * error.max(LARGEST_CHANGE.powi(-5)).powf(-1.0 / 5.0);
        }
    }

    /// The solution inside of the last step, with an error of order 5 in its length.
    fn interpolate(&mut self, time: f64, out: &mut [f64]) {
        if time == self.time {
            out.copy_from_slice(&self.y[..self.n]);
            return;
        }
        let length = self.time - self.old_time;
        let weights = interpolation_weights((time - self.old_time) / length);
        stages::advance(
            &weights,
            &self.old_stages,
            length,
            &self.old_y,
            &mut self.trial,
        );
        out.copy_from_slice(&self.trial[..self.n]);
    }
}

/// What each stage contributes at the fraction θ of the step: Hermite interpolation of values and slopes at both ends, and
/// a term that vanishes at both with its slope (Hairer, Nørsett and Wanner, equations II.6.12 and following).
fn interpolation_weights(theta: f64) -> [f64; 7] {
    let inner = [
        -5.0 * (2_558_722_523.0 - 31_403_016.0 * theta) / 11_282_082_432.0,
        0.0,
        100.0 * (882_725_551.0 - 15_701_508.0 * theta) / 32_700_410_799.0,
        -25.0 * (443_332_067.0 - 31_403_016.0 * theta) / 1_880_347_072.0,
        32_805.0 * (23_143_187.0 - 3_489_224.0 * theta) / 199_316_789_632.0,
        -55.0 * (29_972_135.0 - 7_076_736.0 * theta) / 822_651_844.0,
        10.0 * (7_414_447.0 - 829_305.0 * theta) / 29_380_423.0,
    ];
    let (square, left) = (theta * theta, theta - 1.0);
    let value = square * (3.0 - 2.0 * theta);
    let bump = square * left * left;
    std::array::from_fn(|s| {
        let solution = SOLUTION.get(s).copied().unwrap_or(0.0);
        let slope = match s {
            0 => theta * left * left,
            6 => square * left,
            _ => 0.0,
        };
        value * solution + slope + bump * inner[s]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_satisfies_the_order_conditions() {
        // Σ b_s(θ) c_s^(k-1) = θ^k / k: the solutions of dy/dt = t^(k-1) are exact.
        let nodes = [0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0_f64];
        for theta in [0.0, 0.25, 0.5, 0.9, 1.0_f64] {
            let weights = interpolation_weights(theta);
            for k in 1..=4 {
                let sum: f64 = weights
                    .iter()
                    .zip(nodes)
                    .map(|(weight, node)| weight * node.powi(k - 1))
                    .sum();
                assert!(
                    (sum - theta.powi(k) / f64::from(k)).abs() < 1e-14,
                    "θ = {theta}, order {k}: {sum}"
                );
            }
        }
    }
}
