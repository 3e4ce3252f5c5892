//! Densities with known answers, and exact draws from them.

use crate::mcmc::random::Randomness;
use crate::mcmc::{DensityError, LogDensity};

/// A target that can be drawn from directly, and whose coordinates map to standard uniforms.
pub(in crate::mcmc) trait Exact: LogDensity + Clone {
    fn sample<R: Randomness>(&self, random: &mut R) -> Vec<f64>;

    /// Statistics of a position that are independent and uniform on (0, 1) under the target.
    fn uniforms(&self, position: &[f64]) -> Vec<f64>;
}

/// Independent normals with the given standard deviations.
#[derive(Debug, Clone)]
pub(in crate::mcmc) struct Normals(pub Vec<f64>);

impl LogDensity for Normals {
    fn dimension(&self) -> usize {
        self.0.len()
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        let mut sum = 0.0;
        for ((gradient, x), deviation) in gradient.iter_mut().zip(position).zip(&self.0) {
            *gradient = -x / (deviation * deviation);
            sum += 0.5 * x * *gradient;
        }
        Ok(sum)
    }
}

impl Exact for Normals {
    fn sample<R: Randomness>(&self, random: &mut R) -> Vec<f64> {
        let mut values = vec![0.0; self.0.len()];
        random.fill_normal(&mut values);
        values.iter().zip(&self.0).map(|(z, s)| z * s).collect()
    }

    fn uniforms(&self, position: &[f64]) -> Vec<f64> {
        let standardised = position.iter().zip(&self.0).map(|(x, s)| x / s);
        standardised.map(super::normal_cdf).collect()
    }
}

/// A normal with mean zero and the given precision matrix, by rows.
#[derive(Debug, Clone)]
pub(in crate::mcmc) struct Correlated {
    pub precision: Vec<f64>,
    pub mean: Vec<f64>,
}

impl LogDensity for Correlated {
    fn dimension(&self) -> usize {
        self.mean.len()
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        let centred: Vec<f64> = position
            .iter()
            .zip(&self.mean)
            .map(|(x, m)| x - m)
            .collect();
        let mut sum = 0.0;
        for (row, gradient) in gradient.iter_mut().enumerate() {
            let precision = &self.precision[row * centred.len()..][..centred.len()];
            *gradient = -precision
                .iter()
                .zip(&centred)
                .map(|(p, x)| p * x)
                .sum::<f64>();
            sum += 0.5 * *gradient * centred[row];
        }
        Ok(sum)
    }
}

/// Independent Student t with three degrees of freedom.
#[derive(Debug, Clone)]
pub(in crate::mcmc) struct StudentThree {
    pub dimension: usize,
}

impl LogDensity for StudentThree {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        let mut sum = 0.0;
        for (gradient, x) in gradient.iter_mut().zip(position) {
            sum -= 2.0 * (x * x / 3.0).ln_1p();
            *gradient = -4.0 * x / (3.0 + x * x);
        }
        Ok(sum)
    }
}

impl Exact for StudentThree {
    fn sample<R: Randomness>(&self, random: &mut R) -> Vec<f64> {
        let mut draw = || {
            let mut z = [0.0; 4];
            random.fill_normal(&mut z);
            z[0] / ((z[1] * z[1] + z[2] * z[2] + z[3] * z[3]) / 3.0).sqrt()
        };
        (0..self.dimension).map(|_| draw()).collect()
    }

    fn uniforms(&self, position: &[f64]) -> Vec<f64> {
        let cdf = |x: &f64| {
            let scaled = x / 3f64.sqrt();
            0.5 + (scaled / (1.0 + scaled * scaled) + scaled.atan()) / std::f64::consts::PI
        };
        position.iter().map(cdf).collect()
    }
}

/// Neal's funnel: v ~ normal(0, 3), the others normal(0, exp(v/2)); v comes first.
#[derive(Debug, Clone)]
pub(in crate::mcmc) struct Funnel {
    pub dimension: usize,
}

impl LogDensity for Funnel {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        let v = position[0];
        let precision = (-v).exp();
        let rest = &position[1..];
        let squares: f64 = rest.iter().map(|x| x * x).sum();
        let count = rest.len() as f64;
        gradient[0] = -v / 9.0 - 0.5 * count + 0.5 * precision * squares;
        for (gradient, x) in gradient[1..].iter_mut().zip(rest) {
            *gradient = -precision * x;
        }
        Ok(-v * v / 18.0 - 0.5 * count * v - 0.5 * precision * squares)
    }
}

impl Exact for Funnel {
    fn sample<R: Randomness>(&self, random: &mut R) -> Vec<f64> {
        let mut values = vec![0.0; self.dimension];
        random.fill_normal(&mut values);
        values[0] *= 3.0;
        let scale = (values[0] / 2.0).exp();
        values[1..].iter_mut().for_each(|value| *value *= scale);
        values
    }

    fn uniforms(&self, position: &[f64]) -> Vec<f64> {
        let scale = (position[0] / 2.0).exp();
        let rest = position[1..].iter().map(|x| x / scale);
        std::iter::once(position[0] / 3.0)
            .chain(rest)
            .map(super::normal_cdf)
            .collect()
    }
}

/// Half of a standard normal: negative first coordinates are rejected.
#[derive(Debug, Clone)]
pub(in crate::mcmc) struct HalfPlane;

impl LogDensity for HalfPlane {
    fn dimension(&self) -> usize {
        2
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        if position[0] < 0.0 {
            return Err(DensityError::rejected("scale is negative"));
        }
        Normals(vec![1.0; 2]).log_density_gradient(position, gradient)
    }
}
