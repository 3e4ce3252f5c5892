//! The thin singular value decomposition.

use super::eigen::largest_element;
use super::product::{Matrix, multiply, multiply_add};
use super::{Failure, verify_finite};
use nalgebra::{DMatrix, SVD};

/// A = U diag(s) Vᵀ with U m × k, s descending, V n × k, k = min(m, n).
///
/// The signs of a pair of vectors are arbitrary by nature; here the largest element of U's is positive. nalgebra's
/// bidiagonalisation and implicit QR iteration do the work.
pub fn svd(
    m: usize,
    n: usize,
    a: &[f64],
    u: &mut [f64],
    s: &mut [f64],
    v: &mut [f64],
) -> Result<(), Failure> {
    verify_finite(a)?;
    let k = m.min(n);
    if k == 0 {
        return Ok(());
    }
    let decomposition = decompose(m, n, a, true)?;
    let (Some(left), Some(right)) = (decomposition.u, decomposition.v_t) else {
        return Err(Failure::NotConverged);
    };
    s[..k].copy_from_slice(decomposition.singular_values.as_slice());
    for j in 0..k {
        let column = &mut u[j * m..(j + 1) * m];
        column.copy_from_slice(left.column(j).as_slice());
        let sign = if largest_element(column) < 0.0 {
            -1.0
        } else {
            1.0
        };
        column.iter_mut().for_each(|value| *value *= sign);
        for i in 0..n {
            v[i + j * n] = sign * right[(j, i)];
        }
    }
    Ok(())
}

fn decompose(
    m: usize,
    n: usize,
    a: &[f64],
    vectors: bool,
) -> Result<SVD<f64, nalgebra::Dyn, nalgebra::Dyn>, Failure> {
    // 30 steps a value is LAPACK's limit too.
    let steps = 30 * m.min(n).max(10);
    let matrix = DMatrix::from_column_slice(m, n, &a[..m * n]);
    SVD::try_new(matrix, vectors, vectors, f64::EPSILON, steps).ok_or(Failure::NotConverged)
}

/// The singular values of an m × n matrix in descending order.
pub fn singular_values(m: usize, n: usize, a: &[f64], s: &mut [f64]) -> Result<(), Failure> {
    verify_finite(a)?;
    let k = m.min(n);
    if k > 0 {
        s[..k].copy_from_slice(decompose(m, n, a, false)?.singular_values.as_slice());
    }
    Ok(())
}

/// The adjoint of [`singular_values`]: Ā += U diag(s̄) Vᵀ.
pub fn singular_values_adjoint(
    m: usize,
    n: usize,
    a: &[f64],
    s_bar: &[f64],
    a_bar: &mut [f64],
) -> Result<(), Failure> {
    let k = m.min(n);
    let (mut u, mut s, mut v) = (vec![0.0; m * k], vec![0.0; k], vec![0.0; n * k]);
    svd(m, n, a, &mut u, &mut s, &mut v)?;
    for (column, bar) in u.chunks_exact_mut(m.max(1)).zip(s_bar) {
        column.iter_mut().for_each(|value| *value *= bar);
    }
    multiply_add(
        1.0,
        Matrix::new(&u, m, k),
        Matrix::new(&v, n, k).transposed(),
        a_bar,
    );
    Ok(())
}

/// The adjoint of [`svd`]; the singular values must be distinct, and positive where a vector orthogonal to U or V matters.
///
/// Townsend, "Differentiating the singular value decomposition" (2016), with F_ij = 1/(s_j² − s_i²):
/// Ā += [U (F ∘ (UᵀŪ − ŪᵀU)) S + (I − UUᵀ) Ū S⁻¹] Vᵀ + U s̄ Vᵀ + U [S (F ∘ (VᵀV̄ − V̄ᵀV)) Vᵀ + S⁻¹ V̄ᵀ (I − VVᵀ)].
#[expect(
    clippy::too_many_arguments,
    reason = "sizes, three outputs and the four adjoints"
)]
pub fn svd_adjoint(
    m: usize,
    n: usize,
    u: &[f64],
    s: &[f64],
    v: &[f64],
    u_bar: &[f64],
    s_bar: &[f64],
    v_bar: &[f64],
    a_bar: &mut [f64],
) {
    let k = m.min(n);
    let mut inner = vec![0.0; k * k];
    let left = side(m, k, u, s, u_bar, &mut inner, true);
    let right = side(n, k, v, s, v_bar, &mut inner, false);
    for j in 0..k {
        inner[j + j * k] += s_bar[j];
    }
    let (u, v) = (Matrix::new(u, m, k), Matrix::new(v, n, k));
    let mut product = vec![0.0; m * k];
    multiply(u, Matrix::new(&inner, k, k), &mut product);
    super::add_to(&mut product, &left);
    multiply_add(1.0, Matrix::new(&product, m, k), v.transposed(), a_bar);
    multiply_add(1.0, u, Matrix::new(&right, n, k).transposed(), a_bar);
}

/// What one side's vectors W contribute: F ∘ (WᵀW̄ − W̄ᵀW), times S from the right (left vectors) or the left, is added to
/// `inner`; the part (I − WWᵀ) W̄ S⁻¹ orthogonal to W is returned.
fn side(
    rows: usize,
    k: usize,
    w: &[f64],
    s: &[f64],
    w_bar: &[f64],
    inner: &mut [f64],
    is_left: bool,
) -> Vec<f64> {
    let matrix = Matrix::new(w, rows, k);
    let mut cross = vec![0.0; k * k];
    multiply(matrix.transposed(), Matrix::new(w_bar, rows, k), &mut cross);
    for j in 0..k {
        for i in 0..k {
            if i != j {
                let skew = cross[i + j * k] - cross[j + i * k];
                let scale = if is_left { s[j] } else { s[i] };
                inner[i + j * k] += scale * skew / ((s[j] - s[i]) * (s[j] + s[i]));
            }
        }
    }
    let mut rest = w_bar[..rows * k].to_vec();
    if rows == k {
        // W is square and orthogonal: nothing is orthogonal to it.
        rest.fill(0.0);
        return rest;
    }
    multiply_add(-1.0, matrix, Matrix::new(&cross, k, k), &mut rest);
    for (column, value) in rest.chunks_exact_mut(rows.max(1)).zip(s) {
        column.iter_mut().for_each(|element| *element /= value);
    }
    rest
}
