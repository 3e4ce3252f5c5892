//! Running estimates of the posterior's variance or covariance, from which warmup makes the next metric.
//!
//! Welford (1962), "Note on a method for calculating corrected sums of squares and products".

use super::metric::InverseMetric;

/// How many pseudo-draws the estimate is shrunk with (Stan: `var_adaptation`, `covar_adaptation`).
const SHRINKAGE_DRAWS: f64 = 5.0;

/// The variance of those pseudo-draws (Stan: 1e-3).
const SHRINKAGE_VARIANCE: f64 = 1e-3;

/// The draws of one window, reduced to their moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// How many draws there were.
    pub count: u64,
    /// Their mean.
    pub mean: Vec<f64>,
    /// Sums of squared deviations (n entries), or of their products (n × n, by rows, lower triangle in use).
    pub squares: Vec<f64>,
}

/// Moments in the making.
#[derive(Debug)]
pub(super) struct Welford {
    moments: Moments,
    dense: bool,
    deviation: Vec<f64>,
}

impl Welford {
    /// An estimate of the variances, or of the full covariance if `dense`.
    pub(super) fn new(dimension: usize, dense: bool) -> Self {
        let entries = if dense {
            dimension * dimension
        } else {
            dimension
        };
        Self {
            moments: Moments {
                count: 0,
                mean: vec![0.0; dimension],
                squares: vec![0.0; entries],
            },
            dense,
            deviation: vec![0.0; dimension],
        }
    }

    pub(super) fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Goes on from moments made earlier; false if they are not of this shape.
    pub(super) fn restore(&mut self, moments: &Moments) -> bool {
        let fits = moments.mean.len() == self.moments.mean.len()
            && moments.squares.len() == self.moments.squares.len();
        if fits {
            self.moments.clone_from(moments);
        }
        fits
    }

    /// Forgets all draws.
    pub(super) fn restart(&mut self) {
        self.moments.count = 0;
        self.moments.mean.fill(0.0);
        self.moments.squares.fill(0.0);
    }

    /// Takes one draw in.
    pub(super) fn add(&mut self, position: &[f64]) {
        let Moments {
            count,
            mean,
            squares,
        } = &mut self.moments;
        *count += 1;
        let count = *count as f64;
        for ((deviation, mean), value) in self.deviation.iter_mut().zip(&mut *mean).zip(position) {
            *deviation = value - *mean;
            *mean += *deviation / count;
        }
        if self.dense {
            let dimension = position.len();
            for row in 0..dimension {
                let rest = position[row] - mean[row];
                let squares = &mut squares[row * dimension..][..row + 1];
                for (square, deviation) in squares.iter_mut().zip(&self.deviation) {
                    *square += rest * deviation;
                }
            }
        } else {
            for (index, square) in squares.iter_mut().enumerate() {
                *square += (position[index] - mean[index]) * self.deviation[index];
            }
        }
    }

    /// n/(n+5) · estimate + 5/(n+5) · 10⁻³, Stan's regularised covariance; needs two draws.
    pub(super) fn inverse_metric(&self) -> InverseMetric {
        let Moments {
            count,
            mean,
            squares,
        } = &self.moments;
        let count = *count as f64;
        let share = count / (count + SHRINKAGE_DRAWS) / (count - 1.0);
        let floor = SHRINKAGE_VARIANCE * (SHRINKAGE_DRAWS / (count + SHRINKAGE_DRAWS));
        if !self.dense {
            let variance = |square| share * square + floor;
            return InverseMetric::Diagonal(squares.iter().map(variance).collect());
        }
        let dimension = mean.len();
        let mut matrix = vec![0.0; dimension * dimension];
        for row in 0..dimension {
            for column in 0..=row {
                let entry = share * squares[row * dimension + column];
                matrix[row * dimension + column] = entry;
                matrix[column * dimension + row] = entry;
            }
            matrix[row * dimension + row] += floor;
        }
        InverseMetric::Dense(matrix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: [[f64; 2]; 4] = [
        [1e6, 1.0],
        [1e6 + 1.0, 0.0],
        [1e6 + 2.0, 5.0],
        [1e6 + 5.0, 2.0],
    ];

    #[test]
    fn variances_are_shrunk_as_stan_does() {
        let mut welford = Welford::new(2, false);
        DRAWS.iter().for_each(|draw| welford.add(draw));
        // Both samples have variance 14/3.
        let expected = 4.0 / 9.0 * (14.0 / 3.0) + 1e-3 * (5.0 / 9.0);
        let InverseMetric::Diagonal(variances) = welford.inverse_metric() else {
            panic!("not diagonal");
        };
        assert!(
            variances
                .iter()
                .all(|variance| (variance - expected).abs() < 1e-12)
        );
    }

    #[test]
    fn covariances_are_shrunk_as_stan_does() {
        let mut welford = Welford::new(2, true);
        welford.add(&[4.0, 4.0]);
        welford.restart();
        DRAWS.iter().for_each(|draw| welford.add(draw));
        let diagonal = 4.0 / 9.0 * (14.0 / 3.0) + 1e-3 * (5.0 / 9.0);
        let beside = 4.0 / 9.0 * (4.0 / 3.0);
        let InverseMetric::Dense(matrix) = welford.inverse_metric() else {
            panic!("not dense");
        };
        for (entry, expected) in matrix.iter().zip([diagonal, beside, beside, diagonal]) {
            assert!((entry - expected).abs() < 1e-12, "{entry} {expected}");
        }
    }
}
