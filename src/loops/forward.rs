//! The functions of linear algebra, as calls of the kernels.

use super::LinearAlgebra;
use super::linear::{Matrix, MatrixMut, Values};
use crate::kernels::linalg;

/// Computes `outputs` from `inputs`. Their numbers are [`LinearAlgebra::arity`]'s, their shapes `lower`'s responsibility.
///
/// # Errors
/// Why there is no result, in words that complete a message ("the matrix is not positive definite").
pub(super) fn forward(
    function: LinearAlgebra,
    inputs: &[Matrix<'_>],
    outputs: &mut [MatrixMut<'_>],
) -> Result<(), String> {
    use LinearAlgebra as F;
    let fits = (inputs.len(), outputs.len()) == function.arity();
    let (true, Some(&a)) = (fits, inputs.first()) else {
        return Err(format!("{function:?} was given other slices than it takes"));
    };
    let b = inputs.get(1).copied().unwrap_or(a);
    let (n, x) = (a.rows, a.values);
    let mut results = outputs.iter_mut().map(|output| match &mut output.values {
        Values::Real(values) => Ok(&mut **values),
        Values::Int(_) => Err("results of linear algebra are reals".to_owned()),
    });
    let mut next = || results.next().unwrap_or(Ok(&mut []));
    let result = next()?;
    let outcome = match function {
        F::Product {
            transpose_left,
            transpose_right,
        } => {
            let left = linalg::Matrix::new(a.values, a.rows, a.cols);
            let right = linalg::Matrix::new(b.values, b.rows, b.cols);
            let left = left.transposed_if(transpose_left);
            linalg::multiply(left, right.transposed_if(transpose_right), result);
            Ok(())
        }
        F::Cholesky => linalg::cholesky(n, x, result),
        F::SolveLower { transpose } => {
            linalg::solve_lower(transpose, n, b.cols, x, b.values, result);
            Ok(())
        }
        F::SolveLowerRight { transpose } => {
            linalg::solve_lower_right(transpose, a.rows, a.cols, x, b.values, result);
            Ok(())
        }
        F::Solve => linalg::solve(n, b.cols, x, b.values, result),
        F::SolveRight => linalg::solve_right(a.rows, a.cols, x, b.values, result),
        F::SolveSpd => linalg::solve_spd(n, b.cols, x, b.values, result),
        F::Inverse => linalg::inverse(n, x, result),
        F::InverseSpd => linalg::inverse_spd(n, x, result),
        F::Determinant => set(result, linalg::determinant(n, x)),
        F::LogDeterminant => set(result, linalg::log_abs_determinant(n, x)),
        F::LogDeterminantSpd => {
            linalg::log_determinant_spd(n, x).and_then(|value| set(result, value))
        }
        F::EigenSym => linalg::eigen_sym(n, x, result, next()?),
        F::QrThin => {
            linalg::qr_thin(a.rows, a.cols, x, result, next()?);
            Ok(())
        }
        F::SingularValues => linalg::singular_values(a.rows, a.cols, x, result),
        F::MatrixExp => linalg::matrix_exp(n, x, result),
    };
    outcome.map_err(|failure| failure.to_string())
}

fn set(result: &mut [f64], value: f64) -> Result<(), linalg::Failure> {
    result[0] = value;
    Ok(())
}
