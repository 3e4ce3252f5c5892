//! The eigendecomposition of symmetric matrices.

use super::product::{Matrix, multiply, multiply_add};
use super::{Failure, verify_finite, verify_symmetric};
use nalgebra::{DMatrix, SymmetricEigen};

/// Eigenvalues in ascending order and the matrix of eigenvectors (columns, in the same order, of length 1) of a symmetric
/// n × n matrix.
///
/// A vector's sign is arbitrary by nature; here its largest element is positive. nalgebra's Householder tridiagonalisation
/// and implicit QR iteration do the work.
pub fn eigen_sym(
    n: usize,
    a: &[f64],
    values: &mut [f64],
    vectors: &mut [f64],
) -> Result<(), Failure> {
    verify_symmetric(n, a)?;
    verify_finite(a)?;
    if n == 0 {
        return Ok(());
    }
    // 30 steps an eigenvalue is LAPACK's limit too.
    let steps = 30 * n.max(10);
    let decomposition = SymmetricEigen::try_new(
        DMatrix::from_column_slice(n, n, &a[..n * n]),
        f64::EPSILON,
        steps,
    )
    .ok_or(Failure::NotConverged)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| decomposition.eigenvalues[i].total_cmp(&decomposition.eigenvalues[j]));
    for (k, &from) in order.iter().enumerate() {
        values[k] = decomposition.eigenvalues[from];
        let column = &mut vectors[k * n..(k + 1) * n];
        column.copy_from_slice(decomposition.eigenvectors.column(from).as_slice());
        if largest_element(column) < 0.0 {
            column.iter_mut().for_each(|value| *value = -*value);
        }
    }
    Ok(())
}

/// The element of largest magnitude, the first of several.
pub(super) fn largest_element(column: &[f64]) -> f64 {
    column.iter().copied().fold(0.0, |best: f64, value| {
        if value.abs() > best.abs() {
            value
        } else {
            best
        }
    })
}

/// The adjoint of [`eigen_sym`]: Ā += V (diag(λ̄) + F ∘ (Vᵀ V̄)) Vᵀ with F_ij = 1/(λ_j − λ_i) off the diagonal.
///
/// Equal eigenvalues whose vectors matter give infinities: there is no derivative. The result is not symmetrised.
pub fn eigen_sym_adjoint(
    n: usize,
    values: &[f64],
    vectors: &[f64],
    values_bar: &[f64],
    vectors_bar: &[f64],
    a_bar: &mut [f64],
) {
    let v = Matrix::new(vectors, n, n);
    let mut inner = vec![0.0; n * n];
    if vectors_bar.iter().any(|&x| x != 0.0) {
        multiply(v.transposed(), Matrix::new(vectors_bar, n, n), &mut inner);
        for j in 0..n {
            for i in 0..n {
                inner[i + j * n] = if i == j {
                    0.0
                } else {
                    inner[i + j * n] / (values[j] - values[i])
                };
            }
        }
    }
    for j in 0..n {
        inner[j + j * n] = values_bar[j];
    }
    let mut left = vec![0.0; n * n];
    multiply(v, Matrix::new(&inner, n, n), &mut left);
    multiply_add(1.0, Matrix::new(&left, n, n), v.transposed(), a_bar);
}
