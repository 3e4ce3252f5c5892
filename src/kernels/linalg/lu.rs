//! Gaussian elimination with partial pivoting: solves, inverse and determinants of general square matrices.

use super::product::{Matrix, axpy, dot, multiply, multiply_add, transpose};
use super::{Failure, add_to};

/// P A = L U.
pub(in crate::kernels) struct Lu {
    n: usize,
    /// U on and above the diagonal, L below it (its diagonal is 1).
    factors: Vec<f64>,
    /// Row k of L U is row `rows[k]` of A.
    rows: Vec<usize>,
    /// The sign of the permutation.
    sign: f64,
    /// The first column without a nonzero pivot.
    singular_at: Option<usize>,
}

impl Lu {
    /// Right-looking elimination, column by column (Golub and Van Loan, *Matrix Computations*, algorithm 3.4.1).
    fn new(n: usize, a: &[f64]) -> Lu {
        let mut factors = a[..n * n].to_vec();
        let mut rows: Vec<usize> = (0..n).collect();
        let mut sign = 1.0;
        let mut singular_at = None;
        for k in 0..n {
            let column = &factors[k * n..(k + 1) * n];
            let mut pivot = k;
            for i in k + 1..n {
                // A NaN is never chosen over a number, but spreads through the elimination all the same.
                if column[i].abs() > column[pivot].abs() {
                    pivot = i;
                }
            }
            if column[pivot] == 0.0 {
                singular_at = singular_at.or(Some(k));
                continue;
            }
            if pivot != k {
                rows.swap(k, pivot);
                sign = -sign;
                for column in factors.chunks_exact_mut(n) {
                    column.swap(k, pivot);
                }
            }
            let (done, rest) = factors.split_at_mut((k + 1) * n);
            let column = &mut done[k * n..];
            let diagonal = column[k];
            column[k + 1..]
                .iter_mut()
                .for_each(|value| *value /= diagonal);
            for other in rest.chunks_exact_mut(n) {
                let factor = other[k];
                axpy(-factor, &column[k + 1..], &mut other[k + 1..]);
            }
        }
        Lu {
            n,
            factors,
            rows,
            sign,
            singular_at,
        }
    }

    /// The factors, unless A is singular.
    pub(in crate::kernels) fn regular(n: usize, a: &[f64]) -> Result<Lu, Failure> {
        let lu = Lu::new(n, a);
        match lu.singular_at {
            None => Ok(lu),
            Some(pivot) => Err(Failure::Singular { pivot }),
        }
    }

    fn diagonal(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.n).map(|k| self.factors[k + k * self.n])
    }

    /// x = A⁻¹ b for each column.
    pub(in crate::kernels) fn solve(&self, b: &[f64], x: &mut [f64]) {
        let n = self.n;
        for (b, x) in b.chunks_exact(n.max(1)).zip(x.chunks_exact_mut(n.max(1))) {
            for (value, &row) in x.iter_mut().zip(&self.rows) {
                *value = b[row];
            }
            for k in 0..n {
                let (head, tail) = x.split_at_mut(k + 1);
                axpy(-head[k], &self.factors[k * n + k + 1..(k + 1) * n], tail);
            }
            for k in (0..n).rev() {
                let column = &self.factors[k * n..(k + 1) * n];
                x[k] /= column[k];
                let (head, tail) = x.split_at_mut(k);
                axpy(-tail[0], &column[..k], head);
            }
        }
    }

    /// x = A⁻ᵀ b for each column.
    fn solve_transposed(&self, b: &[f64], x: &mut [f64]) {
        let n = self.n;
        let mut work = vec![0.0; n];
        for (b, x) in b.chunks_exact(n.max(1)).zip(x.chunks_exact_mut(n.max(1))) {
            work.copy_from_slice(b);
            for k in 0..n {
                let column = &self.factors[k * n..(k + 1) * n];
                work[k] = (work[k] - dot(&column[..k], &work[..k])) / column[k];
            }
            for k in (0..n).rev() {
                let column = &self.factors[k * n..(k + 1) * n];
                work[k] -= dot(&column[k + 1..], &work[k + 1..]);
            }
            for (&value, &row) in work.iter().zip(&self.rows) {
                x[row] = value;
            }
        }
    }
}

/// X = A⁻¹ B; A is n × n, B and X are n × m.
pub fn solve(n: usize, m: usize, a: &[f64], b: &[f64], x: &mut [f64]) -> Result<(), Failure> {
    Lu::regular(n, a)?.solve(&b[..n * m], &mut x[..n * m]);
    Ok(())
}

/// The adjoint of [`solve`]: with G = A⁻ᵀ X̄, B̄ += G and Ā −= G Xᵀ.
pub fn solve_adjoint(
    n: usize,
    m: usize,
    a: &[f64],
    x: &[f64],
    x_bar: &[f64],
    a_bar: Option<&mut [f64]>,
    b_bar: Option<&mut [f64]>,
) -> Result<(), Failure> {
    let mut g = vec![0.0; n * m];
    Lu::regular(n, a)?.solve_transposed(&x_bar[..n * m], &mut g);
    if let Some(a_bar) = a_bar {
        multiply_add(
            -1.0,
            Matrix::new(&g, n, m),
            Matrix::new(x, n, m).transposed(),
            a_bar,
        );
    }
    if let Some(b_bar) = b_bar {
        add_to(b_bar, &g);
    }
    Ok(())
}

/// X = B A⁻¹; A is n × n, B and X are m × n.
pub fn solve_right(m: usize, n: usize, b: &[f64], a: &[f64], x: &mut [f64]) -> Result<(), Failure> {
    let rows = transpose(b, m, n);
    let mut solved = vec![0.0; m * n];
    Lu::regular(n, a)?.solve_transposed(&rows, &mut solved);
    x[..m * n].copy_from_slice(&transpose(&solved, n, m));
    Ok(())
}

/// The adjoint of [`solve_right`]: with G = X̄ A⁻ᵀ, B̄ += G and Ā −= Xᵀ G.
pub fn solve_right_adjoint(
    m: usize,
    n: usize,
    a: &[f64],
    x: &[f64],
    x_bar: &[f64],
    b_bar: Option<&mut [f64]>,
    a_bar: Option<&mut [f64]>,
) -> Result<(), Failure> {
    let rows = transpose(x_bar, m, n);
    let mut g = vec![0.0; m * n];
    Lu::regular(n, a)?.solve(&rows, &mut g);
    // g is Gᵀ, n × m.
    if let Some(a_bar) = a_bar {
        multiply_add(
            -1.0,
            Matrix::new(x, m, n).transposed(),
            Matrix::new(&g, n, m).transposed(),
            a_bar,
        );
    }
    if let Some(b_bar) = b_bar {
        add_to(b_bar, &transpose(&g, n, m));
    }
    Ok(())
}

/// A⁻¹; both n × n.
pub fn inverse(n: usize, a: &[f64], inverse: &mut [f64]) -> Result<(), Failure> {
    let mut identity = vec![0.0; n * n];
    for j in 0..n {
        identity[j + j * n] = 1.0;
    }
    solve(n, n, a, &identity, inverse)
}

/// The adjoint of [`inverse`], given the inverse Y: Ā −= Yᵀ Ȳ Yᵀ.
pub fn inverse_adjoint(n: usize, inverse: &[f64], inverse_bar: &[f64], a_bar: &mut [f64]) {
    let transposed = Matrix::new(inverse, n, n).transposed();
    let mut left = vec![0.0; n * n];
    multiply(transposed, Matrix::new(inverse_bar, n, n), &mut left);
    multiply_add(-1.0, Matrix::new(&left, n, n), transposed, a_bar);
}

/// det A of an n × n matrix; 0 if it is singular, 1 if n is 0.
pub fn determinant(n: usize, a: &[f64]) -> f64 {
    let lu = Lu::new(n, a);
    lu.diagonal()
        .fold(lu.sign, |product, pivot| product * pivot)
}

/// The adjoint of [`determinant`]: Ā += d det(A) A⁻ᵀ, where d is the determinant's adjoint. A singular matrix fails.
pub fn determinant_adjoint(
    n: usize,
    a: &[f64],
    value: f64,
    value_bar: f64,
    a_bar: &mut [f64],
) -> Result<(), Failure> {
    log_abs_determinant_adjoint(n, a, value * value_bar, a_bar)
}

/// ln |det A| of an n × n matrix; -∞ if it is singular.
pub fn log_abs_determinant(n: usize, a: &[f64]) -> f64 {
    Lu::new(n, a).diagonal().map(|pivot| pivot.abs().ln()).sum()
}

/// The adjoint of [`log_abs_determinant`]: Ā += d A⁻ᵀ, where d is the logarithm's adjoint. A singular matrix fails.
pub fn log_abs_determinant_adjoint(
    n: usize,
    a: &[f64],
    value_bar: f64,
    a_bar: &mut [f64],
) -> Result<(), Failure> {
    let mut inverted = vec![0.0; n * n];
    inverse(n, a, &mut inverted)?;
    axpy(value_bar, &transpose(&inverted, n, n), a_bar);
    Ok(())
}
