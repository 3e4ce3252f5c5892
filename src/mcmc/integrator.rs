//! The leapfrog integrator, one step from one point into another.
//!
//! Neal (2011), "MCMC using Hamiltonian dynamics", equations 2.28 to 2.30; the scaling by the metric is fused into
//! the same passes.

use super::density::{Cause, DensityError, LogDensity};
use super::metric::Metric;
use super::points::{PointId, Points};

/// Steps from `from` by `step_size` (negative: backwards in time) into `into`, whose energy it returns.
///
/// The energy is +∞ where the density is rejected, not finite, or the momentum overflows; such a point is no
/// state to go on from. Only a fatal error of the density is an error.
#[inline]
pub(super) fn leapfrog<D: LogDensity>(
    density: &mut D,
    metric: &Metric,
    step_size: f64,
    points: &mut Points,
    from: PointId,
    into: PointId,
) -> Result<f64, Cause> {
    let dimension = points.dimension();
    let (start, mut end) = points.pair(from, into);
    metric.drift(step_size, start, &mut end);
    let evaluated = density.log_density_gradient(
        &end.position.as_flattened()[..dimension],
        &mut end.gradient.as_flattened_mut()[..dimension],
    );
    let log_density = match evaluated {
        Ok(log_density) if log_density.is_finite() => log_density,
        Ok(_) | Err(DensityError::Rejected(_)) => {
            points.set_energy(into, f64::INFINITY);
            return Ok(f64::INFINITY);
        }
        Err(DensityError::Fatal(cause)) => return Err(cause),
    };
    let energy = 0.5 * metric.kick(step_size, &mut end) - log_density;
    let energy = if energy.is_finite() {
        energy
    } else {
        f64::INFINITY
    };
    points.set_log_density(into, log_density);
    points.set_energy(into, energy);
    Ok(energy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcmc::metric::InverseMetric;
    use crate::mcmc::random::{Random, Randomness, chain_generator};
    use crate::mcmc::tests::targets::Funnel;

    fn step(position: &[f64; 3], momentum: &[f64; 3], step_size: f64, steps: usize) -> [f64; 6] {
        let metric = Metric::new(
            &InverseMetric::Dense(vec![2.0, 0.5, 0.0, 0.5, 1.0, 0.2, 0.0, 0.2, 0.7]),
            3,
        )
        .unwrap();
        let mut density = Funnel { dimension: 3 };
        let mut points = Points::new(3, 2);
        let start = points.get_mut(0);
        start.position[0][..3].copy_from_slice(position);
        start.motion[0].momentum[..3].copy_from_slice(momentum);
        density
            .log_density_gradient(position, &mut start.gradient[0][..3])
            .unwrap();
        let mut from = 0;
        for _ in 0..steps {
            leapfrog(
                &mut density,
                &metric,
                step_size,
                &mut points,
                from,
                1 - from,
            )
            .unwrap();
            from = 1 - from;
        }
        let (position, motion) = (points.position(from), points.motion(from)[0]);
        std::array::from_fn(|at| {
            if at < 3 {
                position[at]
            } else {
                motion.momentum[at - 3]
            }
        })
    }

    fn random_state(seed: u64) -> ([f64; 3], [f64; 3]) {
        let mut values = [0.0; 6];
        Random::new(chain_generator(seed, 0)).fill_normal(&mut values);
        (
            [values[0], values[1], values[2]],
            [values[3], values[4], values[5]],
        )
    }

    #[test]
    fn it_is_reversible() {
        for seed in 0..20 {
            let (position, momentum) = random_state(seed);
            let end = step(&position, &momentum, 0.1, 17);
            let (there, speed) = end.split_at(3);
            let back = step(
                there.try_into().unwrap(),
                speed.try_into().unwrap(),
                -0.1,
                17,
            );
            for (start, returned) in position.iter().chain(&momentum).zip(back) {
                assert!((start - returned).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn it_preserves_volume() {
        for seed in 0..5 {
            let (position, momentum) = random_state(seed);
            let width = 1e-5;
            let mut jacobian = vec![0.0; 36];
            for column in 0..6 {
                let [ahead, behind] = [width, -width].map(|shift| {
                    let (mut position, mut momentum) = (position, momentum);
                    match column {
                        0..3 => position[column] += shift,
                        _ => momentum[column - 3] += shift,
                    }
                    step(&position, &momentum, 0.2, 3)
                });
                for row in 0..6 {
                    jacobian[row * 6 + column] = (ahead[row] - behind[row]) / (2.0 * width);
                }
            }
            let determinant = nalgebra::DMatrix::from_row_slice(6, 6, &jacobian).determinant();
            assert!((determinant - 1.0).abs() < 1e-6, "{determinant}");
        }
    }

    #[test]
    fn its_error_is_of_second_order() {
        let (position, momentum) = ([0.3, -0.4, 0.8], [0.5, 0.2, -1.0]);
        let fine = step(&position, &momentum, 1e-4, 10_000);
        let error = |step_size: f64, steps| {
            let end = step(&position, &momentum, step_size, steps);
            (end[0] - fine[0]).abs()
        };
        let ratio = error(0.02, 50) / error(0.01, 100);
        assert!((3.8..4.2).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_rejected_point_has_infinite_energy() {
        struct Wall;
        impl LogDensity for Wall {
            fn dimension(&self) -> usize {
                1
            }
            fn log_density_gradient(
                &mut self,
                position: &[f64],
                gradient: &mut [f64],
            ) -> Result<f64, DensityError> {
                gradient[0] = f64::NAN;
                match position[0] {
                    1.0 => Err(DensityError::rejected("a wall")),
                    2.0 => Ok(f64::NAN),
                    3.0 => Ok(f64::INFINITY),
                    4.0 => Ok(0.0),
                    _ => Err(DensityError::fatal("lost")),
                }
            }
        }
        let metric = Metric::new(&InverseMetric::unit(1), 1).unwrap();
        let mut points = Points::new(1, 2);
        for speed in [1.0, 2.0, 3.0, 4.0] {
            points.get_mut(0).motion[0].momentum[0] = speed;
            let energy = leapfrog(&mut Wall, &metric, 1.0, &mut points, 0, 1).unwrap();
            assert_eq!(energy, f64::INFINITY);
        }
        points.get_mut(0).motion[0].momentum[0] = 5.0;
        let cause = leapfrog(&mut Wall, &metric, 1.0, &mut points, 0, 1).unwrap_err();
        assert_eq!(cause.to_string(), "lost");
    }
}
