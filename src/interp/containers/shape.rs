//! Sizes, repetition, conversion of shape, and views.

use super::{Outcome, Problem, arg, container, index, size};
use crate::builtins::Container as Function;
use crate::interp::select::{Pick, Selection};
use crate::interp::value::{Container, Scalars, Value};
use crate::types::{Axis, MOST_ELEMENTS, Ty, element_count, spelled_sizes};

/// `size`, `num_elements`, `rows`, `cols`, `dims`.
pub(super) fn measure(function: Function, args: &[&Value]) -> Outcome {
    let value = arg(args, 0)?;
    let count = match (function, value) {
        (Function::Dims, _) => {
            let dims = match value {
                Value::Tuple(elements) => vec![elements.len() as i64],
                _ => value.dims().iter().map(|&size| size as i64).collect(),
            };
            let ty = Ty::Int.array_of(1);
            return Ok(Value::Container(Container::ints(
                ty,
                vec![dims.len()],
                dims,
            )));
        }
        (Function::Size, Value::Tuple(elements)) => elements.len(),
        (Function::Size, Value::Container(container)) if container.array_depth() > 0 => {
            container.dims[0]
        }
        (Function::Size | Function::NumElements, _) => value.scalar_count(),
        (Function::Rows, Value::Container(container)) => container.rows_cols().0,
        (_, Value::Container(container)) => container.rows_cols().1,
        _ => return Err(Problem::Arguments),
    };
    Ok(Value::Int(count as i64))
}

/// `rep_vector`, `rep_row_vector`, `rep_matrix`, `rep_array`.
pub(super) fn repeat(args: &[&Value], ty: &Ty) -> Outcome {
    let value = arg(args, 0)?;
    let counts: Result<Vec<usize>, Problem> = (1..args.len()).map(|at| size(args, at)).collect();
    let counts = counts?;
    let within_limit = |dims: &[usize]| {
        element_count(dims).ok_or_else(|| {
            let sizes = spelled_sizes(dims);
            Problem::Sizes(format!(
                "{sizes} elements are asked for; at most {MOST_ELEMENTS} are possible"
            ))
        })
    };
    let times = within_limit(&counts)?;
    within_limit(&[value.dims(), &counts].concat())?;
    if let (Value::Tuple(_), [count, rest @ ..]) = (value, counts.as_slice()) {
        let inner =
            (rest.iter().rev()).fold(value.clone(), |element, &n| Value::Tuple(vec![element; n]));
        return Ok(Value::Tuple(vec![inner; *count]));
    }
    if let (Ty::Matrix, Value::Container(row)) = (ty, value)
        && row.ty == Ty::RowVector
    {
        // Every column repeats one element.
        let rows = times;
        let values = row.as_reals();
        let values = values
            .iter()
            .flat_map(|&value| std::iter::repeat_n(value, rows));
        return Ok(Value::Container(Container::matrix(
            rows,
            row.len(),
            values.collect(),
        )));
    }
    let mut scalars = Scalars::unset(&ty.scalar(), 0);
    for _ in 0..times {
        scalars.append(value);
    }
    let dims = match (ty, value) {
        (Ty::Matrix, Value::Container(column)) => vec![column.len(), times],
        _ => counts.iter().chain(value.dims()).copied().collect(),
    };
    Ok(Value::Container(Container {
        ty: ty.clone(),
        dims,
        scalars,
    }))
}

/// `to_vector`, `to_row_vector`, `to_array_1d`: the scalars in storage order.
pub(super) fn flatten(args: &[&Value], ty: &Ty) -> Outcome {
    let value = arg(args, 0)?;
    let mut scalars = Scalars::unset(&ty.scalar(), 0);
    scalars.append(value);
    Ok(Value::Container(Container {
        ty: ty.clone(),
        dims: vec![scalars.len()],
        scalars,
    }))
}

/// `to_matrix` in all its forms.
pub(super) fn to_matrix(args: &[&Value]) -> Outcome {
    let from = container(args, 0)?;
    if args.len() >= 3 {
        let (rows, cols) = (size(args, 1)?, size(args, 2)?);
        if rows * cols != from.len() {
            return Err(Problem::Sizes(format!(
                "{rows} rows of {cols} columns do not hold the {} elements given",
                from.len()
            )));
        }
        let by_columns = args.len() < 4 || super::int(args, 3)? != 0;
        let values = from.as_reals().into_owned();
        let values = if by_columns {
            values
        } else {
            swap_order(&values, cols, rows)
        };
        return Ok(Value::Container(Container::matrix(rows, cols, values)));
    }
    let (rows, cols, values) = match (&from.ty, from.dims.as_slice()) {
        (Ty::Array(_), [rows, cols]) => (*rows, *cols, swap_order(&from.as_reals(), *cols, *rows)),
        _ => {
            let (rows, cols) = from.rows_cols();
            (rows, cols, from.as_reals().into_owned())
        }
    };
    Ok(Value::Container(Container::matrix(rows, cols, values)))
}

/// `to_array_2d` of a matrix, and `m'`.
pub(super) fn transpose(args: &[&Value], ty: &Ty) -> Outcome {
    let from = container(args, 0)?;
    let (rows, cols) = from.rows_cols();
    let values = swap_order(&from.as_reals(), rows, cols);
    let dims = match ty {
        Ty::Matrix => vec![cols, rows],
        // The array's storage is row-major, so its scalars lie as the transposed matrix's do.
        Ty::Array(_) => vec![rows, cols],
        _ => vec![rows * cols],
    };
    Ok(Value::Container(Container::reals(ty.clone(), dims, values)))
}

/// The scalars of a column-major `rows` by `cols` matrix in row-major order.
fn swap_order(values: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    (0..rows)
        .flat_map(|row| (0..cols).map(move |col| values[row + col * rows]))
        .collect()
}

/// `head`, `tail`, `segment`, `reverse`: along the first dimension of a vector or array.
pub(super) fn slice(function: Function, args: &[&Value]) -> Outcome {
    let value = arg(args, 0)?;
    let len = match value {
        Value::Container(container) => container.dims[0],
        Value::Tuple(elements) => elements.len(),
        _ => return Err(Problem::Arguments),
    };
    let count = |at: usize, room: usize| -> Result<usize, Problem> {
        let count = size(args, at)?;
        if count > room {
            return Err(Problem::Sizes(format!(
                "{count} elements are asked for, but there are {room}"
            )));
        }
        Ok(count)
    };
    let pick = match function {
        Function::Head => Pick::Range(0..count(1, len)?),
        Function::Tail => Pick::Range(len - count(1, len)?..len),
        Function::Segment => {
            // No element is asked for: the start need not be one.
            if size(args, 2)? == 0 {
                Pick::Range(0..0)
            } else {
                let start = index(args, 1, len, Axis::Elements)?;
                Pick::Range(start..start + count(2, len - start)?)
            }
        }
        _ => Pick::Many((0..len).rev().collect()),
    };
    Ok(match value {
        Value::Container(container) => container.read(&Selection::new(container, vec![pick])),
        Value::Tuple(elements) => {
            Value::Tuple(pick.positions().map(|at| elements[at].clone()).collect())
        }
        scalar => scalar.clone(),
    })
}

/// `col`, `row`, `block`, `sub_col`, `sub_row`.
pub(super) fn part(function: Function, args: &[&Value]) -> Outcome {
    let matrix = container(args, 0)?;
    let (rows, cols) = matrix.rows_cols();
    let row = |at| index(args, at, rows, Axis::Rows).map(Pick::Single);
    let col = |at| index(args, at, cols, Axis::Columns).map(Pick::Single);
    let run = |start: usize, count: usize, of: usize, axis: Axis| -> Result<Pick, Problem> {
        let len = size(args, count)?;
        if len == 0 {
            return Ok(Pick::Range(0..0));
        }
        let first = index(args, start, of, axis)?;
        if first + len > of {
            return Err(Problem::Sizes(format!(
                "elements {} to {} are asked for, but there are {of}",
                first + 1,
                first + len
            )));
        }
        Ok(Pick::Range(first..first + len))
    };
    let picks = match function {
        Function::Row => vec![row(1)?],
        Function::Col => vec![Pick::Range(0..rows), col(1)?],
        Function::Block => vec![
            run(1, 3, rows, Axis::Rows)?,
            run(2, 4, cols, Axis::Columns)?,
        ],
        Function::SubCol => vec![run(1, 3, rows, Axis::Rows)?, col(2)?],
        _ => vec![row(1)?, run(2, 3, cols, Axis::Columns)?],
    };
    Ok(matrix.read(&Selection::new(matrix, picks)))
}

/// `diagonal`, `diag_matrix`.
pub(super) fn diagonal(function: Function, args: &[&Value]) -> Outcome {
    let from = container(args, 0)?;
    let values = from.as_reals();
    if function == Function::Diagonal {
        let (rows, cols) = from.rows_cols();
        let values = (0..rows.min(cols)).map(|at| values[at + at * rows]);
        return Ok(Value::Container(Container::vector(values.collect())));
    }
    let n = from.len();
    let mut matrix = vec![0.0; n * n];
    for (at, &value) in values.iter().enumerate() {
        matrix[at + at * n] = value;
    }
    Ok(Value::Container(Container::matrix(n, n, matrix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: Function, args: &[&Value], ty: Ty) -> Value {
        super::super::apply(function, args, &ty).expect("valid arguments")
    }

    fn vector(values: &[f64]) -> Value {
        Value::Container(Container::vector(values.to_vec()))
    }

    fn matrix(rows: usize, cols: usize, values: &[f64]) -> Value {
        Value::Container(Container::matrix(rows, cols, values.to_vec()))
    }

    #[test]
    fn matrices_fill_by_columns_unless_told_otherwise() {
        let v = vector(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let (two, three, no) = (Value::Int(2), Value::Int(3), Value::Int(0));
        assert_eq!(
            call(Function::ToMatrix, &[&v, &two, &three], Ty::Matrix),
            matrix(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        );
        assert_eq!(
            call(Function::ToMatrix, &[&v, &two, &three, &no], Ty::Matrix),
            matrix(2, 3, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0])
        );
    }

    #[test]
    fn arrays_of_arrays_become_matrices_by_rows_and_back() {
        let ty = Ty::Real.array_of(2);
        let array = Container::reals(ty.clone(), vec![2, 3], vec![1., 2., 3., 4., 5., 6.]);
        let array = Value::Container(array);
        let m = call(Function::ToMatrix, &[&array], Ty::Matrix);
        assert_eq!(m, matrix(2, 3, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
        assert_eq!(call(Function::ToArray2d, &[&m], ty), array);
        assert_eq!(
            call(Function::Transpose, &[&m], Ty::Matrix),
            matrix(3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        );
    }

    #[test]
    fn repetition_of_vectors_in_matrices() {
        let two = Value::Int(2);
        let column = vector(&[1.0, 2.0, 3.0]);
        let row = Value::Container(Container::row_vector(vec![1.0, 2.0, 3.0]));
        assert_eq!(
            call(Function::RepMatrix, &[&column, &two], Ty::Matrix),
            matrix(3, 2, &[1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
        );
        assert_eq!(
            call(Function::RepMatrix, &[&row, &two], Ty::Matrix),
            matrix(2, 3, &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0])
        );
        let array = call(Function::RepArray, &[&row, &two], Ty::RowVector.array_of(1));
        assert_eq!(array.dims(), [2, 3]);
    }

    #[test]
    fn slices_check_their_size() {
        let v = vector(&[1.0, 2.0, 3.0]);
        let (two, four) = (Value::Int(2), Value::Int(4));
        let cut = |function, args: &[&Value]| call(function, args, Ty::Vector);
        assert_eq!(cut(Function::Tail, &[&v, &two]), vector(&[2.0, 3.0]));
        assert_eq!(
            cut(Function::Segment, &[&v, &two, &two]),
            vector(&[2.0, 3.0])
        );
        assert_eq!(cut(Function::Reverse, &[&v]), vector(&[3.0, 2.0, 1.0]));
        let wrong = super::super::apply(Function::Head, &[&v, &four], &Ty::Vector);
        assert!(matches!(wrong, Err(Problem::Sizes(_))));
    }

    #[test]
    fn parts_of_matrices() {
        let m = matrix(3, 3, &[11., 21., 31., 12., 22., 32., 13., 23., 33.]);
        let (one, two) = (Value::Int(1), Value::Int(2));
        assert_eq!(
            call(Function::Block, &[&m, &two, &one, &two, &two], Ty::Matrix),
            matrix(2, 2, &[21., 31., 22., 32.])
        );
        assert_eq!(
            call(Function::SubRow, &[&m, &two, &two, &two], Ty::RowVector),
            Value::Container(Container::row_vector(vec![22., 23.]))
        );
        assert_eq!(
            call(Function::SubCol, &[&m, &two, &one, &two], Ty::Vector),
            vector(&[21., 31.])
        );
        assert_eq!(
            call(Function::Diagonal, &[&m], Ty::Vector),
            vector(&[11., 22., 33.])
        );
    }
}
