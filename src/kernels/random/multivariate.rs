//! Draws of vectors and matrices. Matrices are column-major and square; `_cholesky` ones take the lower factor of their
//! matrix argument, of which the upper triangle is not read.

use super::continuous::{beta, chi_square, std_log_gamma, std_normal};
use rand::Rng;

/// Dirichlet with concentrations > 0, into a simplex of the same length. Formed from logarithms, so that tiny
/// concentrations give a vertex rather than 0/0.
pub fn dirichlet<R: Rng + ?Sized>(rng: &mut R, concentrations: &[f64], simplex: &mut [f64]) {
    for (value, &concentration) in simplex.iter_mut().zip(concentrations) {
        *value = std_log_gamma(rng, concentration);
    }
    let highest = simplex.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for value in simplex.iter_mut() {
        *value = (*value - highest).exp();
        total += *value;
    }
    for value in simplex {
        *value /= total;
    }
}

/// μ + L z, z standard normal: multivariate normal with covariance L Lᵀ. L is n × n for n = `mean.len()`.
pub fn multi_normal_cholesky<R: Rng + ?Sized>(
    rng: &mut R,
    mean: &[f64],
    factor: &[f64],
    draw: &mut [f64],
) {
    for value in draw.iter_mut() {
        *value = std_normal(rng);
    }
    multiply_lower(factor, draw);
    for (value, &center) in draw.iter_mut().zip(mean) {
        *value += center;
    }
}

/// Multivariate Student t with ν > 0 degrees of freedom, location μ and scale matrix L Lᵀ.
pub fn multi_student_t_cholesky<R: Rng + ?Sized>(
    rng: &mut R,
    nu: f64,
    location: &[f64],
    factor: &[f64],
    draw: &mut [f64],
) {
    for value in draw.iter_mut() {
        *value = std_normal(rng);
    }
    multiply_lower(factor, draw);
    let scale = if nu == f64::INFINITY {
        1.0
    } else {
        (nu / chi_square(rng, nu)).sqrt()
    };
    for (value, &center) in draw.iter_mut().zip(location) {
        *value = center + scale * *value;
    }
}

/// x ← L x with the lower triangle of L, from the last row up so that no copy is needed.
fn multiply_lower(factor: &[f64], x: &mut [f64]) {
    let n = x.len();
    for i in (0..n).rev() {
        x[i] = (0..=i).map(|j| factor[i + j * n] * x[j]).sum();
    }
}

/// The lower Cholesky factor of a Wishart draw with ν > n - 1 degrees of freedom and scale matrix L Lᵀ (both n × n).
///
/// Bartlett's decomposition: L A, where A is lower triangular, A_ii² is χ² with ν - i degrees of freedom (i from 0), and
/// the elements below are standard normal.
pub fn wishart_cholesky<R: Rng + ?Sized>(
    rng: &mut R,
    n: usize,
    nu: f64,
    factor: &[f64],
    draw: &mut [f64],
) {
    bartlett(rng, n, nu, draw);
    for column in draw.chunks_exact_mut(n) {
        multiply_lower(factor, column);
    }
}

/// The matrix A of Bartlett's decomposition; zero above the diagonal.
fn bartlett<R: Rng + ?Sized>(rng: &mut R, n: usize, nu: f64, out: &mut [f64]) {
    for j in 0..n {
        for i in 0..n {
            out[i + j * n] = match i.cmp(&j) {
                std::cmp::Ordering::Less => 0.0,
                std::cmp::Ordering::Equal => chi_square(rng, nu - j as f64).sqrt(),
                std::cmp::Ordering::Greater => std_normal(rng),
            };
        }
    }
}

/// A square root M (not triangular: M Mᵀ is the draw) of an inverse Wishart draw with ν > n - 1 degrees of freedom and
/// scale matrix S = L Lᵀ.
///
/// The inverse of a Wishart draw with scale S⁻¹ = L⁻ᵀ L⁻¹, which is L⁻ᵀ A Aᵀ L⁻¹; so M = L A⁻ᵀ.
pub fn inv_wishart_cholesky<R: Rng + ?Sized>(
    rng: &mut R,
    n: usize,
    nu: f64,
    factor: &[f64],
    draw: &mut [f64],
) {
    bartlett(rng, n, nu, draw);
    invert_lower_transposed(n, draw);
    for column in draw.chunks_exact_mut(n) {
        multiply_lower(factor, column);
    }
}

/// A ← A⁻ᵀ for lower triangular A: upper triangular, computed column by column from the right.
fn invert_lower_transposed(n: usize, a: &mut [f64]) {
    // Invert in place in the lower triangle, then move it over the diagonal.
    for j in 0..n {
        a[j + j * n] = 1.0 / a[j + j * n];
        for i in j + 1..n {
            let sum: f64 = (j..i).map(|k| a[i + k * n] * a[k + j * n]).sum();
            a[i + j * n] = -sum / a[i + i * n];
        }
    }
    for j in 0..n {
        for i in j + 1..n {
            a[j + i * n] = a[i + j * n];
            a[i + j * n] = 0.0;
        }
    }
}

/// The lower Cholesky factor of a correlation matrix with density proportional to det^(η-1); η > 0, K × K.
///
/// The onion method of Lewandowski, Kurowicka and Joe (2009), section 3.2: the squared length of row k's part left of
/// the diagonal is beta(k/2, η + (K - 1 - k)/2) for k = 1, …, K - 1, its direction uniform on the sphere.
pub fn lkj_corr_cholesky<R: Rng + ?Sized>(rng: &mut R, size: usize, eta: f64, factor: &mut [f64]) {
    factor.fill(0.0);
    if size == 0 {
        return;
    }
    factor[0] = 1.0;
    for k in 1..size {
        let squared = beta(rng, 0.5 * k as f64, eta + 0.5 * (size - 1 - k) as f64);
        let mut norm = 0.0;
        for j in 0..k {
            let z = std_normal(rng);
            factor[k + j * size] = z;
            norm += z * z;
        }
        let scale = (squared / norm).sqrt();
        for j in 0..k {
            factor[k + j * size] *= scale;
        }
        factor[k + k * size] = (1.0 - squared).sqrt();
    }
}
