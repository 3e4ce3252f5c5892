//! Values of a data file (row-major) as values of the language (arrays element by element, matrices column-major).

use crate::interp::{Container, Scalars, Value};
use crate::io::data_json::{DataKind, DataValue};
use crate::shared::Shared;
use crate::types::Ty;
use std::ops::Range;

/// The value as one of the type; `None` where its nesting or kind is not the type's.
pub(super) fn to_value(value: &DataValue, ty: &Ty) -> Option<Value> {
    element(value, ty, 0, 0)
}

/// The part of `value` at position `at` (row-major) of its first `depth` dimensions.
fn element(value: &DataValue, ty: &Ty, at: usize, depth: usize) -> Option<Value> {
    match (ty, &value.kind) {
        (Ty::Tuple(parts), DataKind::Tuple(slots)) => {
            if parts.len() != slots.len() || value.dims.len() != depth {
                return None;
            }
            let part = |(slot, ty)| element(slot, ty, at, depth);
            let parts: Option<Vec<Value>> = slots.iter().zip(parts).map(part).collect();
            parts.map(Value::Tuple)
        }
        (Ty::Array(inner), DataKind::Tuple(_)) => {
            let &count = value.dims.get(depth)?;
            let part = |i| element(value, inner, at * count + i, depth + 1);
            let elements: Option<Vec<Value>> = (0..count).map(part).collect();
            elements.map(Value::Tuple)
        }
        _ => {
            let dims = value.dims.get(depth..)?;
            if dims.len() != ty.rank() {
                return None;
            }
            let len: usize = dims.iter().product();
            let scalars = scalars(&value.kind, &ty.scalar(), at * len, len)?;
            if dims.is_empty() {
                return Some(scalars.get(0).into());
            }
            Some(Value::Container(Container {
                ty: ty.clone(),
                dims: dims.to_vec(),
                scalars: in_storage_order(scalars, ty, dims),
            }))
        }
    }
}

/// A run of the numbers, of the kind that the type holds.
fn scalars(kind: &DataKind, scalar: &Ty, start: usize, len: usize) -> Option<Scalars> {
    let range = start..start + len;
    Some(match (scalar, kind) {
        (Ty::Int, DataKind::Int(values)) => Scalars::Int(run(values, range)?),
        (Ty::Real, DataKind::Int(values)) => {
            let values = values.get(range)?.iter();
            Scalars::Real(values.map(|&value| value as f64).collect())
        }
        (Ty::Real, DataKind::Real(values)) => Scalars::Real(run(values, range)?),
        _ => return None,
    })
}

/// A part of an array; the whole of it is shared.
fn run<T: Copy>(values: &Shared<T>, range: Range<usize>) -> Option<Shared<T>> {
    if range == (0..values.len()) {
        return Some(values.clone());
    }
    Some(values.get(range)?.to_vec().into())
}

/// Row-major scalars in storage order: the two differ within matrices alone.
fn in_storage_order(scalars: Scalars, ty: &Ty, dims: &[usize]) -> Scalars {
    let (Scalars::Real(values), (_, Ty::Matrix), [.., rows, cols]) =
        (&scalars, ty.array_parts(), dims)
    else {
        return scalars;
    };
    if rows * cols == 0 {
        return scalars;
    }
    let mut stored = Vec::with_capacity(values.len());
    for matrix in values.chunks(rows * cols) {
        for col in 0..*cols {
            stored.extend((0..*rows).map(|row| matrix[row * cols + col]));
        }
    }
    Scalars::Real(stored.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_file_become_columns_in_storage() {
        let value = DataValue::int(vec![1, 2, 3, 4, 5, 6], vec![2, 3]);
        let matrix = to_value(&value, &Ty::Matrix).expect("two dimensions");
        assert_eq!(matrix.to_reals(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let array = to_value(&value, &Ty::Int.array_of(2)).expect("two dimensions");
        assert_eq!(array.to_reals(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(to_value(&value, &Ty::Vector), None);
    }

    #[test]
    fn arrays_of_tuples_are_taken_apart() {
        let slots = vec![
            DataValue::int(vec![1, 2], vec![2]),
            DataValue::real(vec![0.5, 1.5, 2.5, 3.5], vec![2, 2]),
        ];
        let value = DataValue {
            kind: DataKind::Tuple(slots),
            ..DataValue::int(Vec::new(), vec![2])
        };
        let ty = Ty::Tuple(vec![Ty::Int, Ty::Vector]).array_of(1);
        let second = Value::Tuple(vec![
            Value::Int(2),
            Value::Container(Container::vector(vec![2.5, 3.5])),
        ]);
        let Some(Value::Tuple(elements)) = to_value(&value, &ty) else {
            panic!("an array of tuples");
        };
        assert_eq!(elements[1], second);
    }
}
