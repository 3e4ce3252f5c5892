//! Dense linear algebra on column-major slices, each differentiable function with its reverse-mode adjoint.
//!
//! Conventions of the whole module:
//! - Element (i, j) of a matrix with m rows is at `i + j * m`; vectors are matrices of one column, row vectors of one row.
//! - A function overwrites its output. An adjoint *accumulates into* the adjoints of the inputs, which are `Option`s where
//!   there are several inputs, as some are data; it takes the inputs and outputs of the forward call and the outputs'
//!   adjoints. For every direction dA in the domain, dF = Σ a_bar ∘ dA.
//! - Functions of a symmetric matrix read its lower triangle; their adjoints need only be right for symmetric dA, and each
//!   says where it puts them.
//! - Slices must have the lengths that the dimensions say; a shorter one panics, as indexing does. Everything else that
//!   can go wrong is a [`Failure`].
//!
//! Adjoint formulas: Giles, "Collected matrix derivative results" (2008), unless another source is named.

mod cholesky;
mod eigen;
mod exponential;
mod lu;
mod product;
mod qr;
mod svd;
#[cfg(test)]
mod tests;
mod triangular;

pub use cholesky::{
    cholesky, cholesky_adjoint, inverse_spd, inverse_spd_adjoint, log_determinant_spd,
    log_determinant_spd_adjoint, solve_spd, solve_spd_adjoint,
};
pub use eigen::{eigen_sym, eigen_sym_adjoint};
pub use exponential::{matrix_exp, matrix_exp_adjoint};
pub(in crate::kernels) use lu::Lu;
pub use lu::{
    determinant, determinant_adjoint, inverse, inverse_adjoint, log_abs_determinant,
    log_abs_determinant_adjoint, solve, solve_adjoint, solve_right, solve_right_adjoint,
};
pub use product::{Matrix, axpy, dot, multiply, multiply_add, product_adjoint};
pub use qr::{qr_thin, qr_thin_adjoint};
pub use svd::{singular_values, singular_values_adjoint, svd, svd_adjoint};
pub use triangular::{
    solve_lower, solve_lower_adjoint, solve_lower_right, solve_lower_right_adjoint,
};

/// How far from symmetric a matrix may be, as in Stan (its `CONSTRAINT_TOLERANCE`).
pub const SYMMETRY_TOLERANCE: f64 = 1e-8;

/// Why a matrix function has no result. Indices count from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure {
    /// Elements (row, col) and (col, row) differ by more than [`SYMMETRY_TOLERANCE`].
    NotSymmetric {
        /// Row of the element below the diagonal.
        row: usize,
        /// Its column.
        col: usize,
        /// The element below the diagonal.
        below: f64,
        /// The element above the diagonal.
        above: f64,
    },
    /// The squared diagonal element of a Cholesky factor would not be positive.
    NotPositiveDefinite {
        /// Which diagonal element.
        pivot: usize,
        /// What was left on the diagonal there: not positive, or NaN.
        value: f64,
    },
    /// Elimination found no nonzero pivot.
    Singular {
        /// The column.
        pivot: usize,
    },
    /// An element is infinite or NaN.
    NotFinite,
    /// An iteration (eigenvalues, singular values) did not converge.
    NotConverged,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Failure::NotSymmetric {
                row,
                col,
                below,
                above,
            } => write!(
                f,
                "the matrix is not symmetric: element [{}, {}] is {below}, but [{}, {}] is {above}",
                row + 1,
                col + 1,
                col + 1,
                row + 1
            ),
            Failure::NotPositiveDefinite { pivot, value } => write!(
                f,
                "the matrix is not positive definite: {value} is left at diagonal element {} of its decomposition",
                pivot + 1
            ),
            Failure::Singular { pivot } => {
                write!(
                    f,
                    "the matrix is singular: column {} depends on those before it",
                    pivot + 1
                )
            }
            Failure::NotFinite => write!(
                f,
                "the matrix has an element that is infinite or not a number"
            ),
            Failure::NotConverged => write!(f, "the decomposition did not converge"),
        }
    }
}

impl std::error::Error for Failure {}

/// Whether the n × n matrix is symmetric within [`SYMMETRY_TOLERANCE`] (NaN is passed on to whoever reads it).
pub fn verify_symmetric(n: usize, a: &[f64]) -> Result<(), Failure> {
    for col in 0..n {
        for row in col + 1..n {
            let (below, above) = (a[row + col * n], a[col + row * n]);
            if (below - above).abs() > SYMMETRY_TOLERANCE {
                return Err(Failure::NotSymmetric {
                    row,
                    col,
                    below,
                    above,
                });
            }
        }
    }
    Ok(())
}

fn verify_finite(a: &[f64]) -> Result<(), Failure> {
    if a.iter().all(|x| x.is_finite()) {
        Ok(())
    } else {
        Err(Failure::NotFinite)
    }
}

/// Adds `term` to `sum`, element by element.
fn add_to(sum: &mut [f64], term: &[f64]) {
    for (total, value) in sum.iter_mut().zip(term) {
        *total += value;
    }
}
