//! Values of the language as the interpreter, the binder and `lower` hold them: one flat buffer per container.
//!
//! # Storage order
//! The elements of an array lie one after another (the last array index varies fastest), and within an element a
//! matrix is column-major. It is the order of Stan's unconstrained vector and of the loop IR's buffers. *Output*
//! order (the columns of a CSV file) is different: column-major over all dimensions, arrays included.

use std::fmt::Write as _;

use super::select::Selection;
use crate::builtins::Scalar;
use crate::shared::Shared;
use crate::types::Ty;

/// The value of an `int` that was never assigned: the least 32-bit integer.
pub const UNSET_INT: i64 = i32::MIN as i64;

/// A value of any type but `void` and the complex ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An `int`.
    Int(i64),
    /// A `real`.
    Real(f64),
    /// Anything with dimensions whose scalars are integers or reals.
    Container(Container),
    /// A tuple; also an array of tuples, as the tuple of its elements.
    Tuple(Vec<Value>),
}

/// A vector, row vector, matrix, or an array (of any depth) of these or of scalars.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// The type; never a scalar or tuple.
    pub ty: Ty,
    /// One size per dimension: arrays first, then rows and columns; vectors of either kind have one.
    pub dims: Vec<usize>,
    /// As many as the product of `dims`, in storage order (see the module).
    pub scalars: Scalars,
}

/// The scalars of a container.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalars {
    /// Of arrays of `int`.
    Int(Shared<i64>),
    /// Of everything else.
    Real(Shared<f64>),
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Value {
        match scalar {
            Scalar::Int(value) => Value::Int(value),
            Scalar::Real(value) => Value::Real(value),
        }
    }
}

impl Scalars {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Scalars::Int(values) => values.len(),
            Scalars::Real(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The scalar at a storage position. Panics beyond the end.
    pub fn get(&self, position: usize) -> Scalar {
        match self {
            Scalars::Int(values) => Scalar::Int(values[position]),
            Scalars::Real(values) => Scalar::Real(values[position]),
        }
    }

    /// Replaces the scalar at a storage position, converting it to the kind held. Panics beyond the end.
    pub fn set(&mut self, position: usize, scalar: Scalar) {
        match self {
            Scalars::Int(values) => values.to_mut()[position] = scalar.as_int(),
            Scalars::Real(values) => values.to_mut()[position] = scalar.as_real(),
        }
    }

    /// `len` scalars that were never assigned: NaN, or the least `int` when the scalar type is `int`.
    pub fn unset(scalar: &Ty, len: usize) -> Scalars {
        match scalar {
            Ty::Int => Scalars::Int(vec![UNSET_INT; len].into()),
            _ => Scalars::Real(vec![f64::NAN; len].into()),
        }
    }

    /// Adds every scalar of `value` (not a tuple) at the end, converting them to the kind held.
    pub fn append(&mut self, value: &Value) {
        match (self, value) {
            (Scalars::Int(to), Value::Int(value)) => to.to_mut().push(*value),
            (Scalars::Int(to), Value::Container(from)) => {
                to.to_mut()
                    .extend((0..from.len()).map(|at| from.scalars.get(at).as_int()));
            }
            (Scalars::Int(to), Value::Real(value)) => to.to_mut().push(*value as i64),
            (Scalars::Real(to), Value::Real(value)) => to.to_mut().push(*value),
            (Scalars::Real(to), Value::Container(from)) => {
                to.to_mut().extend_from_slice(&from.as_reals());
            }
            (Scalars::Real(to), value) => to.to_mut().extend(value.to_reals()),
            (Scalars::Int(_), Value::Tuple(_)) => {}
        }
    }

    /// As reals, in storage order; integers are converted.
    pub fn to_reals(&self) -> Vec<f64> {
        match self {
            Scalars::Int(values) => values.iter().map(|&value| value as f64).collect(),
            Scalars::Real(values) => values.to_vec(),
        }
    }
}

impl Container {
    /// A container of reals. The type's rank must be the number of `dims`, and `values` (in storage order) fill it.
    pub fn reals(ty: Ty, dims: Vec<usize>, values: impl Into<Shared<f64>>) -> Container {
        let values = values.into();
        debug_assert_eq!(ty.rank(), dims.len(), "{ty} has another rank");
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        Container {
            ty,
            dims,
            scalars: Scalars::Real(values),
        }
    }

    /// A container of integers, under the same conditions.
    pub fn ints(ty: Ty, dims: Vec<usize>, values: impl Into<Shared<i64>>) -> Container {
        let values = values.into();
        debug_assert_eq!(ty.rank(), dims.len(), "{ty} has another rank");
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        Container {
            ty,
            dims,
            scalars: Scalars::Int(values),
        }
    }

    /// A column vector.
    pub fn vector(values: Vec<f64>) -> Container {
        Container::reals(Ty::Vector, vec![values.len()], values)
    }

    /// A row vector.
    pub fn row_vector(values: Vec<f64>) -> Container {
        Container::reals(Ty::RowVector, vec![values.len()], values)
    }

    /// A matrix from its scalars in column-major order.
    pub fn matrix(rows: usize, cols: usize, values: Vec<f64>) -> Container {
        Container::reals(Ty::Matrix, vec![rows, cols], values)
    }

    /// A container whose scalars were never assigned.
    pub fn unset(ty: Ty, dims: Vec<usize>) -> Container {
        let len = dims.iter().product();
        let scalars = Scalars::unset(&ty.scalar(), len);
        Container { ty, dims, scalars }
    }

    /// How many scalars it has.
    pub fn len(&self) -> usize {
        self.scalars.len()
    }

    /// Whether it has no scalars.
    pub fn is_empty(&self) -> bool {
        self.scalars.is_empty()
    }

    /// The number of its array dimensions; the rest of `dims` are rows and columns.
    pub fn array_depth(&self) -> usize {
        self.ty.array_parts().0
    }

    /// For a vector, row vector or matrix: rows and columns as of a matrix.
    pub fn rows_cols(&self) -> (usize, usize) {
        match (&self.ty, self.dims.as_slice()) {
            (Ty::RowVector, [cols]) => (1, *cols),
            (Ty::Matrix, [rows, cols]) => (*rows, *cols),
            (_, dims) => (dims.iter().product(), 1),
        }
    }

    /// For each dimension, the distance in storage between neighbours along it.
    pub fn strides(&self) -> Vec<usize> {
        strides(&self.ty, &self.dims)
    }

    /// The scalars as reals, in storage order, without copying where they are reals already.
    pub fn as_reals(&self) -> std::borrow::Cow<'_, [f64]> {
        match &self.scalars {
            Scalars::Real(values) => std::borrow::Cow::Borrowed(values),
            ints @ Scalars::Int(_) => std::borrow::Cow::Owned(ints.to_reals()),
        }
    }

    /// What single indexes (counted from 0, one per leading dimension, in range) lead to.
    pub fn element(&self, indexes: &[usize]) -> Value {
        self.read(&Selection::of_singles(self, indexes))
    }

    /// Reads the selected part.
    pub fn read(&self, selection: &Selection) -> Value {
        let scalars = match &self.scalars {
            Scalars::Int(values) => Scalars::Int(selection.gather(values).into()),
            Scalars::Real(values) => Scalars::Real(selection.gather(values).into()),
        };
        if selection.dims().is_empty() {
            return scalars.get(0).into();
        }
        Value::Container(Container {
            ty: selection.ty().clone(),
            dims: selection.dims().to_vec(),
            scalars,
        })
    }

    /// Overwrites the selected part, whose shape `value` must have (the caller has checked it).
    pub fn write(&mut self, selection: &Selection, value: &Value) {
        match (&mut self.scalars, value) {
            (scalars, Value::Int(value)) => scalars.set(selection.first(), Scalar::Int(*value)),
            (scalars, Value::Real(value)) => scalars.set(selection.first(), Scalar::Real(*value)),
            (Scalars::Int(to), Value::Container(from)) => {
                if let Scalars::Int(from) = &from.scalars {
                    selection.scatter(from, to.to_mut());
                }
            }
            (Scalars::Real(to), Value::Container(from)) => {
                selection.scatter(&from.as_reals(), to.to_mut());
            }
            (_, Value::Tuple(_)) => {}
        }
    }

    /// The indexes (counted from 1) of the scalar at a storage position.
    pub fn indexes_of(&self, position: usize) -> Vec<usize> {
        let strides = self.strides();
        (strides.iter().zip(&self.dims))
            .map(|(stride, size)| position / stride % size + 1)
            .collect()
    }

    /// The storage positions in output order: column-major over all dimensions, so the first index varies fastest.
    pub fn output_order(&self) -> impl Iterator<Item = usize> {
        let strides = self.strides();
        let mut index = vec![0usize; self.dims.len()];
        (0..self.len()).map(move |_| {
            let position = index.iter().zip(&strides).map(|(at, by)| at * by).sum();
            advance(&mut index, &self.dims);
            position
        })
    }

    /// The columns' names in output order: `theta.1.2`.
    fn output_names(&self, name: &str, names: &mut Vec<String>) {
        let mut index = vec![0usize; self.dims.len()];
        for _ in 0..self.len() {
            let mut column = name.to_owned();
            for at in &index {
                let _ = write!(column, ".{}", at + 1);
            }
            names.push(column);
            advance(&mut index, &self.dims);
        }
    }
}

/// Moves an index tuple (counted from 0) to the next one, the first index fastest.
fn advance(index: &mut [usize], dims: &[usize]) {
    for (at, &size) in index.iter_mut().zip(dims) {
        *at += 1;
        if *at < size {
            return;
        }
        *at = 0;
    }
}

/// For each dimension of a container, the distance in storage between neighbours along it.
pub(super) fn strides(ty: &Ty, dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    let (depth, inner) = ty.array_parts();
    if *inner == Ty::Matrix && dims.len() == depth + 2 {
        strides[depth + 1] = dims[depth];
    }
    let mut step = dims[depth..].iter().product();
    for dimension in (0..depth).rev() {
        strides[dimension] = step;
        step *= dims[dimension];
    }
    strides
}

impl Value {
    /// A value of that type whose scalars were never assigned. `dims` has one size per dimension of the type;
    /// containers within tuples, whose sizes a type does not carry, are empty.
    pub fn uninitialised(ty: &Ty, dims: &[usize]) -> Value {
        match ty {
            Ty::Int => Value::Int(UNSET_INT),
            Ty::Tuple(parts) => Value::Tuple(
                parts
                    .iter()
                    .map(|part| Value::uninitialised(part, &vec![0; part.rank()]))
                    .collect(),
            ),
            Ty::Array(element) if matches!(ty.array_parts().1, Ty::Tuple(_)) => {
                let (first, rest) = dims.split_first().map_or((0, dims), |(n, rest)| (*n, rest));
                Value::Tuple(vec![Value::uninitialised(element, rest); first])
            }
            _ if ty.is_container() => Value::Container(Container::unset(ty.clone(), dims.to_vec())),
            _ => Value::Real(f64::NAN),
        }
    }

    /// The type. An array of tuples shows as the tuple that it is held as.
    pub fn ty(&self) -> Ty {
        match self {
            Value::Int(_) => Ty::Int,
            Value::Real(_) => Ty::Real,
            Value::Container(container) => container.ty.clone(),
            Value::Tuple(parts) => Ty::Tuple(parts.iter().map(Value::ty).collect()),
        }
    }

    /// One size per dimension; none for scalars and tuples.
    pub fn dims(&self) -> &[usize] {
        match self {
            Value::Container(container) => &container.dims,
            _ => &[],
        }
    }

    /// The number of scalars in all.
    pub fn scalar_count(&self) -> usize {
        match self {
            Value::Int(_) | Value::Real(_) => 1,
            Value::Container(container) => container.len(),
            Value::Tuple(parts) => parts.iter().map(Value::scalar_count).sum(),
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<Scalar> {
        match self {
            Value::Int(value) => Some(Scalar::Int(*value)),
            Value::Real(value) => Some(Scalar::Real(*value)),
            _ => None,
        }
    }

    /// The integer, if it is an `int`.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The scalar as a real, if it is an `int` or a `real`.
    pub fn as_real(&self) -> Option<f64> {
        self.as_scalar().map(Scalar::as_real)
    }

    /// The container, if it is one.
    pub fn as_container(&self) -> Option<&Container> {
        match self {
            Value::Container(container) => Some(container),
            _ => None,
        }
    }

    /// Every scalar as a real, in storage order.
    pub fn to_reals(&self) -> Vec<f64> {
        match self {
            Value::Int(value) => vec![*value as f64],
            Value::Real(value) => vec![*value],
            Value::Container(container) => container.scalars.to_reals(),
            Value::Tuple(parts) => parts.iter().flat_map(Value::to_reals).collect(),
        }
    }

    /// Every scalar as a real, in output order (column-major over all dimensions).
    pub fn output_reals(&self) -> Vec<f64> {
        match self {
            Value::Container(container) => {
                let scalar = |at| container.scalars.get(at).as_real();
                container.output_order().map(scalar).collect()
            }
            Value::Tuple(parts) => parts.iter().flat_map(Value::output_reals).collect(),
            scalar => scalar.to_reals(),
        }
    }

    /// The names of its scalars in output order: `theta.1.2`, a tuple's parts `t:1`, `t:2.1`.
    pub fn output_names(&self, name: &str) -> Vec<String> {
        let mut names = Vec::new();
        self.push_output_names(name, &mut names);
        names
    }

    fn push_output_names(&self, name: &str, names: &mut Vec<String>) {
        match self {
            Value::Int(_) | Value::Real(_) => names.push(name.to_owned()),
            Value::Container(container) => container.output_names(name, names),
            Value::Tuple(parts) => {
                for (position, part) in parts.iter().enumerate() {
                    part.push_output_names(&format!("{name}:{}", position + 1), names);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrices() -> Container {
        // array[2] matrix[2, 3], element (a, r, c) = 100 (a + 1) + 10 (r + 1) + c + 1
        let values: Vec<f64> = (0..12)
            .map(|at| (100 * (at / 6 + 1) + 10 * (at % 2 + 1) + at % 6 / 2 + 1) as f64)
            .collect();
        Container::reals(Ty::Matrix.array_of(1), vec![2, 2, 3], values)
    }

    #[test]
    fn single_indexes_follow_the_storage_order() {
        let all = matrices();
        assert_eq!(all.element(&[1, 0, 2]), Value::Real(213.0));
        let row = Container::row_vector(vec![121.0, 122.0, 123.0]);
        assert_eq!(all.element(&[0, 1]), Value::Container(row));
        let matrix = Container::matrix(2, 3, vec![211.0, 221.0, 212.0, 222.0, 213.0, 223.0]);
        assert_eq!(all.element(&[1]), Value::Container(matrix));
    }

    #[test]
    fn output_is_column_major_over_all_dimensions() {
        let all = Value::Container(matrices());
        assert_eq!(all.output_reals()[..5], [111.0, 211.0, 121.0, 221.0, 112.0]);
        let names = all.output_names("m");
        assert_eq!(names[..3], ["m.1.1.1", "m.2.1.1", "m.1.2.1"]);
        assert_eq!(names[11], "m.2.2.3");
    }

    #[test]
    fn tuples_are_named_by_position() {
        let tuple = Value::Tuple(vec![
            Value::Int(1),
            Value::Container(Container::vector(vec![2.0, 3.0])),
        ]);
        assert_eq!(tuple.output_names("t"), ["t:1", "t:2.1", "t:2.2"]);
        assert_eq!(tuple.output_reals(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn unset_scalars_are_nan_or_the_least_int() {
        let ty = Ty::Int.array_of(2);
        assert_eq!(
            Value::uninitialised(&ty, &[1, 2]),
            Value::Container(Container::ints(ty, vec![1, 2], vec![UNSET_INT; 2]))
        );
        assert!(matches!(Value::uninitialised(&Ty::Real, &[]), Value::Real(x) if x.is_nan()));
    }
}
