//! Euclidean metrics: the inverse mass matrix M⁻¹, which plays the posterior's covariance, and what follows from it.
//!
//! Betancourt (2017), "A conceptual introduction to Hamiltonian Monte Carlo", section 4.2: p ~ N(0, M), velocity
//! p♯ = M⁻¹p, kinetic energy ½ p·p♯.

use std::error::Error;
use std::fmt;

use super::points::{Motion, Point, PointMut};
use super::random::Randomness;
use super::vector::{Block, Lanes, block_count, dot, in_blocks};

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
        inverse: Vec<Lanes>,
        /// √M, the standard deviation of each momentum.
        deviation: Vec<Lanes>,
    },
    Dense {
        /// Rows, each of whole blocks.
        inverse: Vec<Lanes>,
        /// L with M⁻¹ = LLᵀ, by rows, each of whole blocks.
        factor: Vec<Lanes>,
    },
}

impl Metric {
    /// The identity.
    pub(super) fn unit(dimension: usize) -> Self {
        let ones = in_blocks(&vec![1.0; dimension], 1.0);
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
        let inverse = in_blocks(variances, 1.0);
        let root = |variances: &Lanes| variances.map(|variance| 1.0 / variance.sqrt());
        let deviation = inverse.iter().map(root).collect();
        Ok(Self::Diagonal { inverse, deviation })
    }

    fn dense(matrix: &[f64], dimension: usize) -> Result<Self, MetricError> {
        check_size(matrix.len(), dimension * dimension)?;
        for (row, entries) in matrix.chunks_exact(dimension.max(1)).enumerate() {
            for (column, entry) in entries.iter().enumerate() {
                let mirrored = matrix[column * dimension + row];
                if (entry - mirrored).abs() > 1e-8 * entry.abs().max(mirrored.abs()) {
                    return Err(MetricError::NotSymmetric { row, column });
                }
            }
        }
        let rows = matrix.chunks_exact(dimension.max(1));
        let inverse: Vec<Lanes> = rows.flat_map(|row| in_blocks(row, 0.0)).collect();
        let factor = cholesky(&inverse, dimension)?;
        Ok(Self::Dense { inverse, factor })
    }

    /// Draws p ~ N(0, M), sets the velocity, and returns twice the kinetic energy; `normals` is overwritten.
    pub(super) fn sample_momentum<R: Randomness>(
        &self,
        dimension: usize,
        random: &mut R,
        normals: &mut [Lanes],
        motion: &mut [Motion],
    ) -> f64 {
        let numbers = &mut normals.as_flattened_mut()[..dimension];
        random.fill_normal(numbers);
        match self {
            Self::Diagonal { deviation, .. } => {
                for ((motion, normal), deviation) in motion.iter_mut().zip(normals).zip(deviation) {
                    motion.momentum = (Block(*normal) * Block(*deviation)).0;
                }
            }
            Self::Dense { factor, .. } => {
                solve_transposed(factor, numbers);
                for (motion, solved) in motion.iter_mut().zip(normals) {
                    motion.momentum = *solved;
                }
            }
        }
        self.set_velocity(motion)
    }

    /// The first half of a leapfrog step ε: p ← p + ½ε∇, q ← q + εM⁻¹p.
    #[inline]
    pub(super) fn drift(&self, step_size: f64, from: Point<'_>, into: &mut PointMut<'_>) {
        let (step, half) = (Block::splat(step_size), Block::splat(0.5 * step_size));
        let count = from.position.len();
        let old_motion = &from.motion[..count];
        let gradient = &from.gradient[..count];
        let motion = &mut into.motion[..count];
        match self {
            Self::Diagonal { inverse, .. } => {
                let position = &mut into.position[..count];
                let inverse = &inverse[..count];
                for at in 0..count {
                    let pushed = Block(old_motion[at].momentum) + half * Block(gradient[at]);
                    let moved = Block(from.position[at]) + step * (Block(inverse[at]) * pushed);
                    motion[at].momentum = pushed.0;
                    position[at] = moved.0;
                }
            }
            Self::Dense { inverse, .. } => {
                for at in 0..count {
                    let pushed = Block(old_motion[at].momentum) + half * Block(gradient[at]);
                    motion[at].momentum = pushed.0;
                }
                let old = from.position.as_flattened();
                let rows = inverse.chunks_exact(count.max(1));
                for ((position, old), row) in into
                    .position
                    .as_flattened_mut()
                    .iter_mut()
                    .zip(old)
                    .zip(rows)
                {
                    *position = old + step_size * dot(row, momenta(motion));
                }
            }
        }
    }

    /// The second half: p ← p + ½ε∇; sets the velocity p♯ and returns p·p♯, twice the kinetic energy.
    #[inline]
    pub(super) fn kick(&self, step_size: f64, point: &mut PointMut<'_>) -> f64 {
        let half = Block::splat(0.5 * step_size);
        let motion = &mut *point.motion;
        let count = motion.len();
        let gradient = &point.gradient[..count];
        match self {
            Self::Diagonal { inverse, .. } => {
                let inverse = &inverse[..count];
                let mut lanes = Block::default();
                for at in 0..count {
                    let momentum = Block(motion[at].momentum) + half * Block(gradient[at]);
                    let velocity = Block(inverse[at]) * momentum;
                    lanes += momentum * velocity;
                    motion[at] = Motion {
                        momentum: momentum.0,
                        velocity: velocity.0,
                    };
                }
                lanes.total()
            }
            Self::Dense { .. } => {
                for (motion, gradient) in motion.iter_mut().zip(gradient) {
                    motion.momentum = (Block(motion.momentum) + half * Block(*gradient)).0;
                }
                self.set_velocity(motion)
            }
        }
    }

    /// Sets p♯ = M⁻¹p and returns p·p♯.
    fn set_velocity(&self, motion: &mut [Motion]) -> f64 {
        match self {
            Self::Diagonal { inverse, .. } => {
                for (motion, inverse) in motion.iter_mut().zip(inverse) {
                    motion.velocity = (Block(*inverse) * Block(motion.momentum)).0;
                }
            }
            Self::Dense { inverse, .. } => {
                let mut rows = inverse.chunks_exact(motion.len().max(1));
                for at in 0..motion.len() {
                    let velocity = std::array::from_fn(|_| {
                        rows.next().map_or(0.0, |row| dot(row, momenta(motion)))
                    });
                    motion[at].velocity = velocity;
                }
            }
        }
        dot(
            momenta(motion),
            motion.iter().map(|motion| &motion.velocity),
        )
    }
}

fn momenta(motion: &[Motion]) -> impl Iterator<Item = &Lanes> {
    motion.iter().map(|motion| &motion.momentum)
}

fn check_size(found: usize, expected: usize) -> Result<(), MetricError> {
    if found == expected {
        Ok(())
    } else {
        Err(MetricError::Size { found, expected })
    }
}

/// L with `matrix` = LLᵀ, both by rows of whole blocks; reads the lower triangle.
fn cholesky(matrix: &[Lanes], dimension: usize) -> Result<Vec<Lanes>, MetricError> {
    let length = block_count(dimension);
    let mut factor = vec![Lanes::default(); matrix.len()];
    for row in 0..dimension {
        let (above, current) = factor.split_at_mut(row * length);
        let current = &mut current[..length];
        let wanted = matrix[row * length..][..length].as_flattened();
        for column in 0..row {
            let other = &above[column * length..][..length];
            // Entries from `column` on are still zero in `current`, so that the whole product is the partial one.
            let partial = dot(&*current, other);
            let entry = (wanted[column] - partial) / other.as_flattened()[column];
            current.as_flattened_mut()[column] = entry;
        }
        let pivot = wanted[row] - dot(&*current, &*current);
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err(MetricError::NotPositiveDefinite { row });
        }
        current.as_flattened_mut()[row] = pivot.sqrt();
    }
    Ok(factor)
}

/// Solves Lᵀx = b in place.
fn solve_transposed(factor: &[Lanes], values: &mut [f64]) {
    let length = block_count(values.len());
    for row in (0..values.len()).rev() {
        let coefficients = factor[row * length..][..length].as_flattened();
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
            let mut normals = [Lanes::default()];
            // E[v vᵀ] = M⁻¹ E[p pᵀ] M⁻¹ = M⁻¹, and E[p·v] = n.
            let (mut moments, mut twice_kinetic) = ([0.0; 9], 0.0);
            let count = 40_000;
            for _ in 0..count {
                let motion = points.get_mut(0).motion;
                twice_kinetic += metric.sample_momentum(3, &mut random, &mut normals, motion);
                let velocity = motion[0].velocity;
                for (entry, moment) in moments.iter_mut().enumerate() {
                    *moment += velocity[entry / 3] * velocity[entry % 3];
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
            let start = points.get_mut(0);
            start.gradient.as_flattened_mut()[..5].copy_from_slice(&[1.0, -2.0, 0.5, 0.1, 3.0]);
            let mut random = Random::new(chain_generator(5, 0));
            metric.sample_momentum(5, &mut random, &mut [Lanes::default(); 2], start.motion);
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
