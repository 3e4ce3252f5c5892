//! The Cholesky decomposition and what follows from it: solves, inverse and log determinant of positive definite matrices.
//!
//! Only the lower triangle of the input is read, after a check that the matrix is symmetric.

use super::product::{Matrix, multiply, multiply_add, multiply_add_strided};
use super::triangular::{
    solve_lower_in_place, solve_lower_right_in_place, solve_lower_right_strided,
};
use super::{Failure, axpy, dot, verify_symmetric};

/// Columns that are factored at a time; what they leave is updated by one matrix product.
const BLOCK: usize = 48;

/// L, lower triangular with positive diagonal and zeros above it, with L Lᵀ = A; both n × n.
///
/// Right-looking by blocks of columns (Golub and Van Loan, *Matrix Computations*, section 4.2.9).
pub fn cholesky(n: usize, a: &[f64], l: &mut [f64]) -> Result<(), Failure> {
    verify_symmetric(n, a)?;
    for j in 0..n {
        l[j * n..j * n + j].fill(0.0);
        l[j * n + j..(j + 1) * n].copy_from_slice(&a[j * n + j..(j + 1) * n]);
    }
    let mut panel = Vec::new();
    let mut start = 0;
    while start < n {
        let end = if n <= 2 * BLOCK {
            n
        } else {
            n.min(start + BLOCK)
        };
        factor_diagonal_block(n, l, start, end)?;
        let (size, below) = (end - start, n - end);
        if below > 0 {
            // The panel below the block: A21 L11⁻ᵀ.
            panel.clear();
            for j in start..end {
                panel.extend_from_slice(&l[j * n + end..(j + 1) * n]);
            }
            solve_lower_right_strided(true, below, size, &l[start * n + start..], n, &mut panel);
            for (j, column) in (start..end).zip(panel.chunks_exact(below)) {
                l[j * n + end..(j + 1) * n].copy_from_slice(column);
            }
            subtract_trailing_product(n, end, Matrix::new(&panel, below, size), size, l);
        }
        start = end;
    }
    Ok(())
}

/// The lower triangle from row and column `end` on −= P Pᵀ, by strips of columns that skip most of the upper triangle.
fn subtract_trailing_product(n: usize, end: usize, panel: Matrix, size: usize, l: &mut [f64]) {
    let below = n - end;
    for first in (0..below).step_by(BLOCK) {
        let width = BLOCK.min(below - first);
        let left = panel.block(first, 0, below - first, size);
        let right = panel.block(first, 0, width, size).transposed();
        let target = &mut l[(end + first) * n + end + first..];
        multiply_add_strided(-1.0, left, right, target, n);
        // The product also reached the strip's corner above the diagonal.
        for j in 1..width {
            target[j * n..j * n + j].fill(0.0);
        }
    }
}

/// Factors rows and columns `start..end`, whose earlier columns are accounted for already.
fn factor_diagonal_block(n: usize, l: &mut [f64], start: usize, end: usize) -> Result<(), Failure> {
    for j in start..end {
        let (before, rest) = l.split_at_mut(j * n);
        let column = &mut rest[j..end];
        for done in before[start * n..].chunks_exact(n) {
            axpy(-done[j], &done[j..end], column);
        }
        let square = column[0];
        if square.is_nan() || square <= 0.0 {
            return Err(Failure::NotPositiveDefinite {
                pivot: j,
                value: square,
            });
        }
        let pivot = square.sqrt();
        column.iter_mut().for_each(|value| *value /= pivot);
        column[0] = pivot;
    }
    Ok(())
}

/// The adjoint of [`cholesky`], added to the lower triangle of `a_bar`.
///
/// Elements above the diagonal get nothing, as in Stan: below it each stands for both of its copies.
pub fn cholesky_adjoint(n: usize, l: &[f64], l_bar: &[f64], a_bar: &mut [f64]) {
    if n <= BLOCK {
        adjoint_by_columns(n, l, l_bar, a_bar);
    } else {
        adjoint_by_solves(n, l, l_bar, a_bar);
    }
}

/// Column by column, last to first, each step of the decomposition in reverse: for matrices too small to repay products of
/// whole matrices (Murray, "Differentiation of the Cholesky decomposition", 2016, section 4.1).
fn adjoint_by_columns(n: usize, l: &[f64], l_bar: &[f64], a_bar: &mut [f64]) {
    let mut adjoint = l_bar[..n * n].to_vec();
    for j in (0..n).rev() {
        let pivot = l[j + j * n];
        // The column below the pivot was divided by it; the pivot is a square root.
        let (earlier, own) = adjoint.split_at_mut(j * n);
        let own = &mut own[j..n];
        let below = &l[j * n + j + 1..(j + 1) * n];
        let through_pivot = own[0] - dot(below, &own[1..]) / pivot;
        own.iter_mut().for_each(|value| *value /= pivot);
        own[0] = through_pivot / pivot;
        // Before that each earlier column, times its element in the pivot's row, was taken out of it.
        for (column, theirs) in l.chunks_exact(n).zip(earlier.chunks_exact_mut(n)) {
            let in_row = column[j];
            theirs[j] -= own[0] * in_row + dot(&own[1..], &column[j + 1..]);
            axpy(-in_row, &own[1..], &mut theirs[j + 1..]);
        }
        own[0] *= 0.5;
    }
    for j in 0..n {
        let lower = j * n + j..(j + 1) * n;
        super::add_to(&mut a_bar[lower.clone()], &adjoint[lower]);
    }
}

/// Murray's equation 8: with P the lower triangle of Lᵀ L̄ mirrored to a symmetric matrix, S = L⁻ᵀ P L⁻¹ with halved
/// diagonal.
fn adjoint_by_solves(n: usize, l: &[f64], l_bar: &[f64], a_bar: &mut [f64]) {
    let mut lower = vec![0.0; n * n];
    for j in 0..n {
        lower[j * n + j..(j + 1) * n].copy_from_slice(&l_bar[j * n + j..(j + 1) * n]);
    }
    let mut s = vec![0.0; n * n];
    multiply(
        Matrix::new(l, n, n).transposed(),
        Matrix::new(&lower, n, n),
        &mut s,
    );
    for j in 0..n {
        for i in j + 1..n {
            s[j + i * n] = s[i + j * n];
        }
    }
    solve_lower_in_place(true, n, n, l, &mut s);
    solve_lower_right_in_place(false, n, n, l, &mut s);
    for j in 0..n {
        a_bar[j + j * n] += 0.5 * s[j + j * n];
        for i in j + 1..n {
            a_bar[i + j * n] += s[i + j * n];
        }
    }
}

fn factor(n: usize, a: &[f64]) -> Result<Vec<f64>, Failure> {
    let mut l = vec![0.0; n * n];
    cholesky(n, a, &mut l)?;
    Ok(l)
}

/// X = A⁻¹ B for symmetric positive definite A; A is n × n, B and X are n × m.
pub fn solve_spd(n: usize, m: usize, a: &[f64], b: &[f64], x: &mut [f64]) -> Result<(), Failure> {
    let l = factor(n, a)?;
    x[..n * m].copy_from_slice(&b[..n * m]);
    solve_lower_in_place(false, n, m, &l, x);
    solve_lower_in_place(true, n, m, &l, x);
    Ok(())
}

/// The adjoint of [`solve_spd`]: with G = A⁻¹ X̄, B̄ += G and Ā −= G Xᵀ (on both triangles, not symmetrised, as in Stan).
pub fn solve_spd_adjoint(
    n: usize,
    m: usize,
    a: &[f64],
    x: &[f64],
    x_bar: &[f64],
    a_bar: Option<&mut [f64]>,
    b_bar: Option<&mut [f64]>,
) -> Result<(), Failure> {
    let l = factor(n, a)?;
    let mut g = x_bar[..n * m].to_vec();
    solve_lower_in_place(false, n, m, &l, &mut g);
    solve_lower_in_place(true, n, m, &l, &mut g);
    if let Some(a_bar) = a_bar {
        multiply_add(
            -1.0,
            Matrix::new(&g, n, m),
            Matrix::new(x, n, m).transposed(),
            a_bar,
        );
    }
    if let Some(b_bar) = b_bar {
        super::add_to(b_bar, &g);
    }
    Ok(())
}

/// A⁻¹ for symmetric positive definite A, exactly symmetric; both n × n.
pub fn inverse_spd(n: usize, a: &[f64], inverse: &mut [f64]) -> Result<(), Failure> {
    let l = factor(n, a)?;
    let mut root = vec![0.0; n * n];
    for j in 0..n {
        root[j + j * n] = 1.0;
    }
    solve_lower_in_place(false, n, n, &l, &mut root);
    let root = Matrix::new(&root, n, n);
    multiply(root.transposed(), root, inverse);
    for j in 0..n {
        for i in j + 1..n {
            inverse[j + i * n] = inverse[i + j * n];
        }
    }
    Ok(())
}

/// The adjoint of [`inverse_spd`], given the inverse Y: Ā −= Y Ȳ Y.
pub fn inverse_spd_adjoint(n: usize, inverse: &[f64], inverse_bar: &[f64], a_bar: &mut [f64]) {
    // Y is symmetric, so this is the general rule.
    super::lu::inverse_adjoint(n, inverse, inverse_bar, a_bar);
}

/// ln det A for symmetric positive definite n × n A.
pub fn log_determinant_spd(n: usize, a: &[f64]) -> Result<f64, Failure> {
    let l = factor(n, a)?;
    Ok(2.0 * (0..n).map(|j| l[j + j * n].ln()).sum::<f64>())
}

/// The adjoint of [`log_determinant_spd`]: Ā += d A⁻¹, where d is the adjoint of the logarithm.
pub fn log_determinant_spd_adjoint(
    n: usize,
    a: &[f64],
    value_bar: f64,
    a_bar: &mut [f64],
) -> Result<(), Failure> {
    let mut inverse = vec![0.0; n * n];
    inverse_spd(n, a, &mut inverse)?;
    axpy(value_bar, &inverse, a_bar);
    Ok(())
}
