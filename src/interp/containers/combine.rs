//! Reductions, and containers put end to end.

use super::{Outcome, Problem, arg, container};
use crate::builtins::Container as Function;
use crate::interp::value::{Container, Scalars, Value};
use crate::types::Ty;

/// `sum`: 0 where there are no elements.
pub(super) fn sum(args: &[&Value], ty: &Ty) -> Outcome {
    let value = arg(args, 0)?;
    Ok(match (ty, value) {
        (Ty::Int, Value::Container(container)) => match &container.scalars {
            Scalars::Int(values) => Value::Int(values.iter().sum()),
            Scalars::Real(_) => return Err(Problem::Arguments),
        },
        (Ty::Int, scalar) => scalar.clone(),
        _ => Value::Real(value.to_reals().iter().sum()),
    })
}

/// `dot_product`.
pub(super) fn dot_product(args: &[&Value]) -> Outcome {
    let (left, right) = (container(args, 0)?, container(args, 1)?);
    if left.len() != right.len() {
        return Err(Problem::Sizes(format!(
            "the arguments have {} and {} elements",
            left.len(),
            right.len()
        )));
    }
    let (left, right) = (left.as_reals(), right.as_reals());
    Ok(Value::Real(
        left.iter().zip(right.iter()).map(|(a, b)| a * b).sum(),
    ))
}

/// `append_row`, `append_col`, `append_array`.
pub(super) fn append(function: Function, args: &[&Value], ty: &Ty) -> Outcome {
    let (first, second) = (arg(args, 0)?, arg(args, 1)?);
    match (function, ty) {
        (Function::AppendArray, _) => append_arrays(first, second, ty),
        (Function::AppendRow, Ty::Matrix) => append_rows(container(args, 0)?, container(args, 1)?),
        (_, Ty::Matrix) => append_columns(container(args, 0)?, container(args, 1)?),
        _ => {
            let mut values = first.to_reals();
            values.extend(second.to_reals());
            let dims = vec![values.len()];
            Ok(Value::Container(Container::reals(ty.clone(), dims, values)))
        }
    }
}

fn append_arrays(first: &Value, second: &Value, ty: &Ty) -> Outcome {
    match (first, second) {
        (Value::Tuple(first), Value::Tuple(second)) => {
            Ok(Value::Tuple(first.iter().chain(second).cloned().collect()))
        }
        (Value::Container(a), Value::Container(b)) => {
            let (inner_a, inner_b) = (&a.dims[1..], &b.dims[1..]);
            if a.dims[0] > 0 && b.dims[0] > 0 && inner_a != inner_b {
                return Err(Problem::Sizes(format!(
                    "the elements have different sizes, {inner_a:?} and {inner_b:?}"
                )));
            }
            let mut dims = if a.dims[0] > 0 {
                a.dims.clone()
            } else {
                b.dims.clone()
            };
            dims[0] = a.dims[0] + b.dims[0];
            let mut scalars = Scalars::unset(&ty.scalar(), 0);
            scalars.append(first);
            scalars.append(second);
            Ok(Value::Container(Container {
                ty: ty.clone(),
                dims,
                scalars,
            }))
        }
        _ => Err(Problem::Arguments),
    }
}

fn append_rows(above: &Container, below: &Container) -> Outcome {
    let ((rows_a, cols_a), (rows_b, cols_b)) = (above.rows_cols(), below.rows_cols());
    if cols_a != cols_b {
        return Err(Problem::Sizes(format!(
            "the arguments have {cols_a} and {cols_b} columns"
        )));
    }
    let (a, b) = (above.as_reals(), below.as_reals());
    let mut values = Vec::with_capacity(a.len() + b.len());
    for col in 0..cols_a {
        values.extend_from_slice(&a[col * rows_a..(col + 1) * rows_a]);
        values.extend_from_slice(&b[col * rows_b..(col + 1) * rows_b]);
    }
    Ok(Value::Container(Container::matrix(
        rows_a + rows_b,
        cols_a,
        values,
    )))
}

fn append_columns(left: &Container, right: &Container) -> Outcome {
    let ((rows_a, cols_a), (rows_b, cols_b)) = (left.rows_cols(), right.rows_cols());
    if rows_a != rows_b {
        return Err(Problem::Sizes(format!(
            "the arguments have {rows_a} and {rows_b} rows"
        )));
    }
    let mut values = left.as_reals().into_owned();
    values.extend_from_slice(&right.as_reals());
    Ok(Value::Container(Container::matrix(
        rows_a,
        cols_a + cols_b,
        values,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_appended() {
        let m = Value::Container(Container::matrix(2, 2, vec![1., 2., 3., 4.]));
        let row = Value::Container(Container::row_vector(vec![8., 9.]));
        let column = Value::Container(Container::vector(vec![8., 9.]));
        let below = append(Function::AppendRow, &[&m, &row], &Ty::Matrix);
        let right = append(Function::AppendCol, &[&m, &column], &Ty::Matrix);
        assert_eq!(below.expect("fits").to_reals(), [1., 2., 8., 3., 4., 9.]);
        assert_eq!(right.expect("fits").to_reals(), [1., 2., 3., 4., 8., 9.]);
        let wrong = append(Function::AppendRow, &[&m, &column], &Ty::Matrix);
        assert!(matches!(wrong, Err(Problem::Sizes(_))));
        let longer = append(
            Function::AppendRow,
            &[&Value::Real(7.0), &column],
            &Ty::Vector,
        );
        assert_eq!(longer.expect("fits").to_reals(), [7., 8., 9.]);
    }
}
