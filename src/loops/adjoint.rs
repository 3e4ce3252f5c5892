//! The adjoints of linear algebra, as calls of the kernels: each accumulates into the adjoints of its inputs.

use super::LinearAlgebra;
use super::linear::{Matrix, MatrixMut, Values};
use crate::kernels::linalg;

/// Accumulates into `outputs`, the adjoints of those inputs whose bit is set in `mask`. `slices` are the function's
/// inputs, its outputs, and the outputs' adjoints, in that order.
///
/// # Errors
/// Why there is no result: a singular matrix, slices that do not fit.
pub(super) fn adjoint(
    function: LinearAlgebra,
    mask: u8,
    slices: &[Matrix<'_>],
    outputs: &mut [MatrixMut<'_>],
) -> Result<(), String> {
    use LinearAlgebra as F;
    let (inputs, results) = function.arity();
    if slices.len() != inputs + 2 * results || outputs.len() != mask.count_ones() as usize {
        return Err(format!(
            "the adjoint of {function:?} was given other slices than it takes"
        ));
    }
    let (a, result, result_bar) = (slices[0], slices[inputs], slices[inputs + results]);
    let b = if inputs > 1 { slices[1] } else { a };
    let mut bars = outputs
        .iter_mut()
        .filter_map(|output| match &mut output.values {
            Values::Real(values) => Some(&mut **values),
            Values::Int(_) => None,
        });
    let mut bar = |bit: u8| {
        if mask & (1 << bit) != 0 {
            bars.next()
        } else {
            None
        }
    };
    let (mut a_bar, mut b_bar) = (bar(0), bar(1));
    let (n, x) = (a.rows, a.values);
    let only = a_bar.as_deref_mut();
    let outcome = match function {
        F::Product {
            transpose_left,
            transpose_right,
        } => {
            let left = linalg::Matrix::new(a.values, a.rows, a.cols);
            let right = linalg::Matrix::new(b.values, b.rows, b.cols);
            let (left, right) = ((left, transpose_left), (right, transpose_right));
            linalg::product_adjoint(left, right, result_bar.values, a_bar.take(), b_bar.take());
            Ok(())
        }
        F::SolveLower { transpose } => {
            linalg::solve_lower_adjoint(
                transpose,
                n,
                b.cols,
                x,
                result.values,
                result_bar.values,
                a_bar.take(),
                b_bar.take(),
            );
            Ok(())
        }
        F::SolveLowerRight { transpose } => {
            linalg::solve_lower_right_adjoint(
                transpose,
                a.rows,
                a.cols,
                b.values,
                result.values,
                result_bar.values,
                a_bar.take(),
                b_bar.take(),
            );
            Ok(())
        }
        F::Solve => linalg::solve_adjoint(
            n,
            b.cols,
            x,
            result.values,
            result_bar.values,
            a_bar.take(),
            b_bar.take(),
        ),
        F::SolveSpd => linalg::solve_spd_adjoint(
            n,
            b.cols,
            x,
            result.values,
            result_bar.values,
            a_bar.take(),
            b_bar.take(),
        ),
        F::SolveRight => linalg::solve_right_adjoint(
            a.rows,
            a.cols,
            b.values,
            result.values,
            result_bar.values,
            a_bar.take(),
            b_bar.take(),
        ),
        _ => match only {
            None => Ok(()),
            Some(bar) => of_one_input(
                function,
                a,
                &slices[1..1 + results],
                &slices[1 + results..],
                bar,
            ),
        },
    };
    outcome.map_err(|failure| failure.to_string())
}

/// The adjoint of a function of one matrix.
fn of_one_input(
    function: LinearAlgebra,
    a: Matrix<'_>,
    results: &[Matrix<'_>],
    result_bars: &[Matrix<'_>],
    bar: &mut [f64],
) -> Result<(), linalg::Failure> {
    use LinearAlgebra as F;
    let (n, x) = (a.rows, a.values);
    let (value, value_bar) = (results[0].values, result_bars[0].values);
    match function {
        F::Cholesky => {
            linalg::cholesky_adjoint(n, value, value_bar, bar);
            Ok(())
        }
        F::Inverse => {
            linalg::inverse_adjoint(n, value, value_bar, bar);
            Ok(())
        }
        F::InverseSpd => {
            linalg::inverse_spd_adjoint(n, value, value_bar, bar);
            Ok(())
        }
        F::Determinant => linalg::determinant_adjoint(n, x, value[0], value_bar[0], bar),
        F::LogDeterminant => linalg::log_abs_determinant_adjoint(n, x, value_bar[0], bar),
        F::LogDeterminantSpd => linalg::log_determinant_spd_adjoint(n, x, value_bar[0], bar),
        F::EigenSym => {
            linalg::eigen_sym_adjoint(
                n,
                value,
                results[1].values,
                value_bar,
                result_bars[1].values,
                bar,
            );
            Ok(())
        }
        F::QrThin => {
            let (r, r_bar) = (results[1].values, result_bars[1].values);
            linalg::qr_thin_adjoint(n, a.cols, x, value, r, value_bar, r_bar, bar)
        }
        F::SingularValues => linalg::singular_values_adjoint(n, a.cols, x, value_bar, bar),
        F::MatrixExp => linalg::matrix_exp_adjoint(n, x, value_bar, bar),
        F::Product { .. }
        | F::SolveLower { .. }
        | F::SolveLowerRight { .. }
        | F::Solve
        | F::SolveRight
        | F::SolveSpd => Ok(()),
    }
}
