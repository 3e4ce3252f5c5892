//! Euclidean metrics: the inverse mass matrix M⁻¹, which plays the posterior's covariance, and what follows from it.
//!
//! Betancourt (2017), "A conceptual introduction to Hamiltonian Monte Carlo", section 4.2: p ~ N(0, M), velocity
//! p♯ = M⁻¹p, kinetic energy ½ p·p♯.

use std::error::Error;
use std::fmt;

use super::points::{Point, PointMut};
use super::random::Randomness;
use super::vector::{Block, blocks, blocks_mut, dot, padded};

/// The inverse mass matrix M⁻¹ as plain numbers, in the units of the squared unconstrained parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum InverseMetric {
    /// The diagonal, one variance per parameter.
    Diagonal(Vec<f64>),
    /// The full matrix, n × n, row by row, symmetric.
    Dense(Vec<f64>),
}

impl InverseMetric {
    /// The identity as a diagonal.
    pub fn unit(dimension: usize) -> Self {
        Self::Diagonal(vec![1.0; dimension])
    }

    /// The identity as a full matrix.
    pub fn dense_unit(dimension: usize) -> Self {
        let mut matrix = vec![0.0; dimension * dimension];
        matrix
            .iter_mut()
            .step_by(dimension + 1)
            .for_each(|entry| *entry = 1.0);
        Self::Dense(matrix)
    }
}

/// Why an inverse metric cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricError {
    /// It has this many numbers where the density's dimension demands that many.
    Size {
        /// How many numbers there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// It is not positive definite (or not finite); the first offending row.
    NotPositiveDefinite {
        /// 0-based row.
        row: usize,
    },
    /// Rows `row` and `column` disagree.
    NotSymmetric {
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
    },
}

impl fmt::Display for MetricError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { found, expected } => {
                write!(
                    f,
                    "the inverse metric has {found} entries instead of {expected}"
                )
            }
            Self::NotPositiveDefinite { row } => write!(
                f,
                "the inverse metric is not finite and positive definite (entry {} of its diagonal)",
                row + 1
            ),
            Self::NotSymmetric { row, column } => write!(
                f,
                "the inverse metric is not symmetric at row {}, column {}",
                row + 1,
                column + 1
            ),
        }
    }
}

impl Error for MetricError {}

/// An inverse metric prepared for use: padded, and with the factor that scales momenta.
#[derive(Debug)]
pub(super) enum Metric {
    Diagonal {
        inverse: Vec<f64>,
        /// √M, the standard deviation of each momentum.
        deviation: Vec<f64>,
    },
    Dense {
        /// Rows, each padded.
        inverse: Vec<f64>,
        /// L with M⁻¹ = LLᵀ, by rows, each padded.
        factor: Vec<f64>,
    },
}

impl Metric {
    /// The identity.
    pub(super) fn unit(dimension: usize) -> Self {
        let ones = vec![1.0; padded(dimension)];
        Self::Diagonal {
            inverse: ones.clone(),
            deviation: ones,
        }
    }

    pub(super) fn new(inverse: &InverseMetric, dimension: usize) -> Result<Self, MetricError> {
        match inverse {
            InverseMetric::Diagonal(variances) => Self::diagonal(variances, dimension),
            InverseMetric::Dense(matrix) => Self::dense(matrix, dimension),
        }
    }

    fn diagonal(variances: &[f64], dimension: usize) -> Result<Self, MetricError> {
        check_size(variances.len(), dimension)?;
        let usable = |variance: &f64| *variance > 0.0 && variance.is_finite();
        if let Some(row) = variances.iter().position(|variance| !usable(variance)) {
            return Err(MetricError::NotPositiveDefinite { row });
        }
        let mut inverse = variances.to_vec();
        inverse.resize(padded(dimension), 1.0);
        let deviation = inverse
            .iter()
            .map(|variance| 1.0 / variance.sqrt())
            .collect();
        Ok(Self::Diagonal { inverse, deviation })
    }

    fn dense(matrix: &[f64], dimension: usize) -> Result<Self, MetricError> {
        check_size(matrix.len(), dimension * dimension)?;
        let row_length = padded(dimension);
        let mut inverse = vec![0.0; dimension * row_length];
        for row in 0..dimension {
            for column in 0..dimension {
                let (entry, mirrored) = (
                    matrix[row * dimension + column],
                    matrix[column * dimension + row],
                );
                if (entry - mirrored).abs() > 1e-8 * entry.abs().max(mirrored.abs()) {
                    return Err(MetricError::NotSymmetric { row, column });
                }
                inverse[row * row_length + column] = entry;
            }
        }
        let factor = cholesky(&inverse, dimension, row_length)?;
        Ok(Self::Dense { inverse, factor })
    }

    /// Draws p ~ N(0, M) and returns twice its kinetic energy; also sets the velocity.
    pub(super) fn sample_momentum<R: Randomness>(
        &self,
        dimension: usize,
        random: &mut R,
        point: &mut PointMut<'_>,
    ) -> f64 {
        random.fill_normal(&mut point.momentum[..dimension]);
        match self {
            Self::Diagonal { deviation, .. } => {
                for (momentum, deviation) in point.momentum.iter_mut().zip(deviation) {
                    *momentum *= deviation;
                }
            }
            Self::Dense { factor, .. } => {
                solve_transposed(factor, &mut point.momentum[..dimension], padded(dimension));
            }
        }
        self.kick(0.0, point)
    }

    /// The first half of a leapfrog step ε: p ← p + ½ε∇, q ← q + εM⁻¹p.
    #[inline]
    pub(super) fn drift(&self, step_size: f64, from: Point<'_>, into: &mut PointMut<'_>) {
        let (step, half) = (Block::splat(step_size), Block::splat(0.5 * step_size));
        let old_position = blocks(from.position);
        let count = old_position.len();
        let old_momentum = &blocks(from.momentum)[..count];
        let gradient = &blocks(from.gradient)[..count];
        let momentum = &mut blocks_mut(into.momentum)[..count];
        match self {
            Self::Diagonal { inverse, .. } => {
                let position = &mut blocks_mut(into.position)[..count];
                let inverse = &blocks(inverse)[..count];
                for at in 0..count {
                    let pushed = Block(old_momentum[at]) + half * Block(gradient[at]);
                    let moved = Block(old_position[at]) + step * (Block(inverse[at]) * pushed);
                    momentum[at] = pushed.0;
                    position[at] = moved.0;
                }
            }
            Self::Dense { inverse, .. } => {
                for at in 0..count {
                    momentum[at] = (Block(old_momentum[at]) + half * Block(gradient[at])).0;
                }
                let rows = inverse.chunks_exact(into.momentum.len().max(1));
                for ((position, old), row) in into.position.iter_mut().zip(from.position).zip(rows)
                {
                    *position = old + step_size * dot(row, into.momentum);
                }
            }
        }
    }

    /// The second half: p ← p + ½ε∇; sets the velocity p♯ and returns p·p♯, twice the kinetic energy.
    #[inline]
    pub(super) fn kick(&self, step_size: f64, point: &mut PointMut<'_>) -> f64 {
        let half = Block::splat(0.5 * step_size);
        let momentum = blocks_mut(point.momentum);
        let count = momentum.len();
        let gradient = &blocks(point.gradient)[..count];
        match self {
            Self::Diagonal { inverse, .. } => {
                let velocity = &mut blocks_mut(point.velocity)[..count];
                let inverse = &blocks(inverse)[..count];
                let mut lanes = Block::default();
                for at in 0..count {
                    let pushed = Block(momentum[at]) + half * Block(gradient[at]);
                    let swift = Block(inverse[at]) * pushed;
                    lanes += pushed * swift;
                    momentum[at] = pushed.0;
                    velocity[at] = swift.0;
                }
                lanes.total()
            }
            Self::Dense { inverse, .. } => {
                for (momentum, gradient) in momentum.iter_mut().zip(gradient) {
                    *momentum = (Block(*momentum) + half * Block(*gradient)).0;
                }
                let rows = inverse.chunks_exact(point.momentum.len().max(1));
                for (velocity, row) in point.velocity.iter_mut().zip(rows) {
                    *velocity = dot(row, point.momentum);
                }
                dot(point.momentum, point.velocity)
            }
        }
    }
}

fn check_size(found: usize, expected: usize) -> Result<(), MetricError> {
    if found == expected {
        Ok(())
    } else {
        Err(MetricError::Size { found, expected })
    }
}

/// L with `matrix` = LLᵀ, both by padded rows; reads the lower triangle.
fn cholesky(matrix: &[f64], dimension: usize, row_length: usize) -> Result<Vec<f64>, MetricError> {
    let mut factor = vec![0.0; matrix.len()];
    for row in 0..dimension {
        let (above, current) = factor.split_at_mut(row * row_length);
        let current = &mut current[..row_length];
        for column in 0..row {
            let other = &above[column * row_length..][..row_length];
            // Entries from `column` on are still zero in `current`, so the padded product is the partial one.
            let partial = dot(current, other);
            current[column] = (matrix[row * row_length + column] - partial) / other[column];
        }
        let pivot = matrix[row * row_length + row] - dot(current, current);
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err(MetricError::NotPositiveDefinite { row });
        }
        current[row] = pivot.sqrt();
    }
    Ok(factor)
}

/// Solves Lᵀx = b in place.
fn solve_transposed(factor: &[f64], values: &mut [f64], row_length: usize) {
    for row in (0..values.len()).rev() {
        let coefficients = &factor[row * row_length..][..row + 1];
        let solved = values[row] / coefficients[row];
        values[row] = solved;
        for (value, coefficient) in values[..row].iter_mut().zip(coefficients) {
            *value -= coefficient * solved;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcmc::points::Points;
    use crate::mcmc::random::{Random, chain_generator};

    const COVARIANCE: [f64; 9] = [4.0, 1.2, -0.5, 1.2, 1.0, 0.3, -0.5, 0.3, 2.0];

    #[test]
    fn momenta_have_the_inverse_covariance() {
        for (inverse, covariance) in [
            (InverseMetric::Dense(COVARIANCE.to_vec()), COVARIANCE),
            (
                InverseMetric::Diagonal(vec![4.0, 0.25, 1.0]),
                [4.0, 0.0, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 1.0],
            ),
        ] {
            let metric = Metric::new(&inverse, 3).unwrap();
            let mut random = Random::new(chain_generator(4, 0));
            let mut points = Points::new(3, 1);
            // E[v vᵀ] = M⁻¹ E[p pᵀ] M⁻¹ = M⁻¹, and E[p·v] = n.
            let (mut moments, mut twice_kinetic) = ([0.0; 9], 0.0);
            let count = 40_000;
            for _ in 0..count {
                let mut point = points.get_mut(0);
                twice_kinetic += metric.sample_momentum(3, &mut random, &mut point);
                for (entry, moment) in moments.iter_mut().enumerate() {
                    *moment += point.velocity[entry / 3] * point.velocity[entry % 3];
                }
            }
            assert!((twice_kinetic / f64::from(count) - 3.0).abs() < 0.05);
            for (moment, expected) in moments.iter().zip(covariance) {
                let scale = 4.0 * (2.0 * 16.0 / f64::from(count)).sqrt();
                assert!((moment / f64::from(count) - expected).abs() < scale);
            }
        }
    }

    #[test]
    fn a_diagonal_matrix_moves_as_the_diagonal_does() {
        let variances = [4.0, 0.25, 1.0, 9.0, 2.0];
        let mut matrix = vec![0.0; 25];
        for (row, variance) in variances.iter().enumerate() {
            matrix[row * 6] = *variance;
        }
        let [diagonal, dense] = [
            InverseMetric::Diagonal(variances.to_vec()),
            InverseMetric::Dense(matrix),
        ]
        .map(|inverse| {
            let metric = Metric::new(&inverse, 5).unwrap();
            let mut points = Points::new(5, 2);
            let mut start = points.get_mut(0);
            start.gradient[..5].copy_from_slice(&[1.0, -2.0, 0.5, 0.1, 3.0]);
            metric.sample_momentum(5, &mut Random::new(chain_generator(5, 0)), &mut start);
            let (from, mut into) = points.pair(0, 1);
            metric.drift(0.3, from, &mut into);
            let kinetic = metric.kick(0.3, &mut into);
            (points.position(1).to_vec(), kinetic)
        });
        assert!((diagonal.1 - dense.1).abs() < 1e-12);
        for (diagonal, dense) in diagonal.0.iter().zip(dense.0) {
            assert!((diagonal - dense).abs() < 1e-14);
        }
    }

    #[test]
    fn unusable_metrics_are_refused() {
        let refuse = |inverse| Metric::new(&inverse, 2).unwrap_err();
        assert_eq!(
            refuse(InverseMetric::Diagonal(vec![1.0])),
            MetricError::Size {
                found: 1,
                expected: 2
            }
        );
        assert_eq!(
            refuse(InverseMetric::Diagonal(vec![1.0, f64::NAN])),
            MetricError::NotPositiveDefinite { row: 1 }
        );
        assert_eq!(
            refuse(InverseMetric::Dense(vec![1.0, 2.0, 2.0, 1.0])),
            MetricError::NotPositiveDefinite { row: 1 }
        );
        assert_eq!(
            refuse(InverseMetric::Dense(vec![1.0, 0.5, 0.2, 1.0])),
            MetricError::NotSymmetric { row: 0, column: 1 }
        );
    }

    #[test]
    fn the_dense_unit_is_the_identity() {
        assert_eq!(
            InverseMetric::dense_unit(2),
            InverseMetric::Dense(vec![1.0, 0.0, 0.0, 1.0])
        );
    }
}
