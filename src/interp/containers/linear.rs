//! Linear algebra: shapes are settled here, the work is done by the functions that compiled code calls too.

use super::{Outcome, Problem, arg, container};
use crate::builtins::Container as Function;
use crate::interp::value::{Container, Value};
use crate::loops::linear::{Matrix, MatrixMut, Values, execute};
use crate::loops::{Intrinsic, LinearAlgebra};
use crate::types::Ty;

/// A call: what to run on which arguments, and which of its outputs is wanted.
struct Call {
    function: LinearAlgebra,
    inputs: Vec<usize>,
    outputs: Vec<(usize, usize)>,
    wanted: usize,
}

/// Applies a function of linear algebra; `ty` is the type of its result.
pub(super) fn apply(function: Function, args: &[&Value], ty: &Ty) -> Outcome {
    if function == Function::Multiply && (0..2).any(|at| args[at].as_container().is_none()) {
        return scale(args, ty);
    }
    let call = plan(function, args)?;
    let mut inputs = Vec::with_capacity(call.inputs.len());
    for &at in &call.inputs {
        let matrix = container(args, at)?;
        inputs.push((matrix.rows_cols(), matrix.as_reals()));
    }
    let inputs: Vec<Matrix<'_>> = (inputs.iter())
        .map(|((rows, cols), values)| Matrix::new(*rows, *cols, values))
        .collect();
    let mut results: Vec<Vec<f64>> = (call.outputs.iter())
        .map(|(rows, cols)| vec![0.0; rows * cols])
        .collect();
    let mut outputs: Vec<MatrixMut<'_>> = (call.outputs.iter().zip(&mut results))
        .map(|(&(rows, cols), values)| MatrixMut::new(rows, cols, Values::Real(values)))
        .collect();
    execute(Intrinsic::Forward(call.function), &inputs, &mut outputs).map_err(Problem::Domain)?;
    drop(outputs);
    let (rows, cols) = call.outputs[call.wanted];
    let values = results.swap_remove(call.wanted);
    Ok(match ty {
        Ty::Matrix => Value::Container(Container::matrix(rows, cols, values)),
        Ty::Vector | Ty::RowVector => {
            Value::Container(Container::reals(ty.clone(), vec![rows * cols], values))
        }
        _ => Value::Real(values.first().copied().unwrap_or(0.0)),
    })
}

/// Which function of [`LinearAlgebra`] it is, and the shapes of its results.
fn plan(function: Function, args: &[&Value]) -> Result<Call, Problem> {
    use Function as F;
    use LinearAlgebra as L;
    let one = |function, rows, cols| Call {
        function,
        inputs: vec![0],
        outputs: vec![(rows, cols)],
        wanted: 0,
    };
    let (rows, cols) = container(args, 0)?.rows_cols();
    Ok(match function {
        F::Multiply => {
            let (inner, right) = container(args, 1)?.rows_cols();
            if cols != inner {
                return Err(Problem::Sizes(format!(
                    "the left side has {cols} columns, but the right side has {inner} rows"
                )));
            }
            Call {
                inputs: vec![0, 1],
                ..one(product(false, false), rows, right)
            }
        }
        F::Crossprod => Call {
            inputs: vec![0, 0],
            ..one(product(true, false), cols, cols)
        },
        F::Tcrossprod => Call {
            inputs: vec![0, 0],
            ..one(product(false, true), rows, rows)
        },
        F::MdivideLeftTriLow => left(L::SolveLower { transpose: false }, args)?,
        F::MdivideLeft => left(L::Solve, args)?,
        F::MdivideLeftSpd => left(L::SolveSpd, args)?,
        F::MdivideRightTriLow => right(L::SolveLowerRight { transpose: false }, args)?,
        F::MdivideRight => right(L::SolveRight, args)?,
        F::MdivideRightSpd => right(L::SolveRight, args)?,
        F::QrThinQ | F::QrThinR => {
            let rank = rows.min(cols);
            Call {
                outputs: vec![(rows, rank), (rank, cols)],
                wanted: usize::from(function == F::QrThinR),
                ..one(L::QrThin, 0, 0)
            }
        }
        F::SingularValues => one(L::SingularValues, rows.min(cols), 1),
        _ => {
            square(rows, cols)?;
            let n = rows;
            match function {
                F::CholeskyDecompose => one(L::Cholesky, n, n),
                F::Inverse => one(L::Inverse, n, n),
                F::InverseSpd => one(L::InverseSpd, n, n),
                F::MatrixExp => one(L::MatrixExp, n, n),
                F::Determinant => one(L::Determinant, 1, 1),
                F::LogDeterminant => one(L::LogDeterminant, 1, 1),
                F::LogDeterminantSpd => one(L::LogDeterminantSpd, 1, 1),
                F::EigenvaluesSym | F::EigenvectorsSym => Call {
                    outputs: vec![(n, 1), (n, n)],
                    wanted: usize::from(function == F::EigenvectorsSym),
                    ..one(L::EigenSym, 0, 0)
                },
                _ => return Err(Problem::Arguments),
            }
        }
    })
}

fn product(transpose_left: bool, transpose_right: bool) -> LinearAlgebra {
    LinearAlgebra::Product {
        transpose_left,
        transpose_right,
    }
}

fn square(rows: usize, cols: usize) -> Result<(), Problem> {
    if rows == cols {
        return Ok(());
    }
    Err(Problem::Sizes(format!(
        "the matrix must be square, but has {rows} rows and {cols} columns"
    )))
}

/// A \ b.
fn left(function: LinearAlgebra, args: &[&Value]) -> Result<Call, Problem> {
    let (rows, cols) = container(args, 0)?.rows_cols();
    let (given, right) = container(args, 1)?.rows_cols();
    square(rows, cols)?;
    if given != rows {
        return Err(Problem::Sizes(format!(
            "the matrix has {rows} rows, but the right side has {given}"
        )));
    }
    Ok(Call {
        function,
        inputs: vec![0, 1],
        outputs: vec![(rows, right)],
        wanted: 0,
    })
}

/// b / A.
fn right(function: LinearAlgebra, args: &[&Value]) -> Result<Call, Problem> {
    let (rows, given) = container(args, 0)?.rows_cols();
    let (of, cols) = container(args, 1)?.rows_cols();
    square(of, cols)?;
    if given != of {
        return Err(Problem::Sizes(format!(
            "the matrix has {of} columns, but the left side has {given}"
        )));
    }
    Ok(Call {
        function,
        inputs: vec![0, 1],
        outputs: vec![(rows, of)],
        wanted: 0,
    })
}

/// A product with a scalar.
fn scale(args: &[&Value], ty: &Ty) -> Outcome {
    let (left, right) = (arg(args, 0)?, arg(args, 1)?);
    let (scalar, other) = match (left.as_real(), right.as_real()) {
        (Some(left), Some(right)) => return Ok(Value::Real(left * right)),
        (Some(scalar), None) => (scalar, right),
        (None, Some(scalar)) => (scalar, left),
        (None, None) => return Err(Problem::Arguments),
    };
    let values = other.to_reals().into_iter();
    let values: Vec<f64> = values.map(|value| value * scalar).collect();
    let dims = other.dims().to_vec();
    Ok(Value::Container(Container::reals(ty.clone(), dims, values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: Function, args: &[Value], ty: Ty) -> Outcome {
        let args: Vec<&Value> = args.iter().collect();
        apply(function, &args, &ty)
    }

    fn matrix(rows: usize, cols: usize, values: &[f64]) -> Value {
        Value::Container(Container::matrix(rows, cols, values.to_vec()))
    }

    fn vector(values: &[f64]) -> Value {
        Value::Container(Container::vector(values.to_vec()))
    }

    fn row(values: &[f64]) -> Value {
        Value::Container(Container::row_vector(values.to_vec()))
    }

    #[test]
    fn products_have_the_type_that_their_shapes_make() {
        let m = matrix(2, 2, &[1., 3., 2., 4.]);
        let product = |a: &Value, b: &Value, ty| {
            call(Function::Multiply, &[a.clone(), b.clone()], ty).expect("shapes fit")
        };
        assert_eq!(
            product(&m, &vector(&[1., 1.]), Ty::Vector),
            vector(&[3., 7.])
        );
        assert_eq!(product(&row(&[1., 1.]), &m, Ty::RowVector), row(&[4., 6.]));
        assert_eq!(
            product(&row(&[1., 2.]), &vector(&[3., 4.]), Ty::Real),
            Value::Real(11.0)
        );
        assert_eq!(
            product(&vector(&[1., 2.]), &row(&[3., 4.]), Ty::Matrix),
            matrix(2, 2, &[3., 6., 4., 8.])
        );
        let wrong = call(Function::Multiply, &[m, vector(&[1.0])], Ty::Vector);
        assert!(matches!(wrong, Err(Problem::Sizes(_))));
    }

    #[test]
    fn divisions_undo_products() {
        let l = matrix(2, 2, &[2., 1., 0., 4.]);
        let left = call(
            Function::MdivideLeftTriLow,
            &[l.clone(), vector(&[2., 9.])],
            Ty::Vector,
        );
        assert_eq!(left.expect("regular"), vector(&[1., 2.]));
        let right = call(Function::MdivideRight, &[row(&[4., 8.]), l], Ty::RowVector);
        assert_eq!(right.expect("regular").to_reals(), [1., 2.]);
    }

    #[test]
    fn what_is_not_positive_definite_is_outside_the_domain() {
        let m = matrix(2, 2, &[1., 2., 2., 1.]);
        let failed = call(
            Function::CholeskyDecompose,
            std::slice::from_ref(&m),
            Ty::Matrix,
        );
        assert!(matches!(failed, Err(Problem::Domain(_))));
        let values = call(Function::EigenvaluesSym, &[m], Ty::Vector).expect("symmetric");
        for (value, expected) in values.to_reals().into_iter().zip([-1.0, 3.0]) {
            assert!((value - expected).abs() < 1e-14, "{value}");
        }
        let wide = call(Function::Inverse, &[matrix(1, 2, &[1., 2.])], Ty::Matrix);
        assert!(matches!(wide, Err(Problem::Sizes(_))));
    }
}
