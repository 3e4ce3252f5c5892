//! The types of the language, as values have them: no sizes, no constraints.

mod axis;
mod size;

pub use axis::Axis;
pub use size::{MOST_ELEMENTS, element_count, spelled_sizes};

use std::fmt;

/// The type of an expression or variable. Sizes and constraints are not part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ty {
    /// A 32-bit integer in the language; carried as `i64`.
    Int,
    /// A double.
    Real,
    /// A complex number (parsed and typed; later phases do not support it yet).
    Complex,
    /// A column vector of reals.
    Vector,
    /// A row vector of reals.
    RowVector,
    /// A matrix of reals, column-major wherever it is stored.
    Matrix,
    /// A column vector of complex numbers.
    ComplexVector,
    /// A row vector of complex numbers.
    ComplexRowVector,
    /// A matrix of complex numbers.
    ComplexMatrix,
    /// An array of one dimension; `array[,] real` is an array of arrays.
    Array(Box<Ty>),
    /// A tuple.
    Tuple(Vec<Ty>),
    /// What a `void` function returns.
    Void,
}

impl Ty {
    /// An array of `self`, `depth` dimensions deep.
    pub fn array_of(self, depth: usize) -> Ty {
        (0..depth).fold(self, |ty, _| Ty::Array(Box::new(ty)))
    }

    /// The number of leading array dimensions and what the innermost array holds.
    pub fn array_parts(&self) -> (usize, &Ty) {
        let (mut depth, mut ty) = (0, self);
        while let Ty::Array(inner) = ty {
            depth += 1;
            ty = inner;
        }
        (depth, ty)
    }

    /// The number of single indexes that lead to a scalar: 2 for a matrix, 1 + rank of the element for an array.
    pub fn rank(&self) -> usize {
        let (depth, inner) = self.array_parts();
        depth
            + match inner {
                Ty::Vector | Ty::RowVector | Ty::ComplexVector | Ty::ComplexRowVector => 1,
                Ty::Matrix | Ty::ComplexMatrix => 2,
                _ => 0,
            }
    }

    /// The type that one single index leads to, if the type can be indexed.
    pub fn element(&self) -> Option<Ty> {
        match self {
            Ty::Vector | Ty::RowVector => Some(Ty::Real),
            Ty::Matrix => Some(Ty::RowVector),
            Ty::ComplexVector | Ty::ComplexRowVector => Some(Ty::Complex),
            Ty::ComplexMatrix => Some(Ty::ComplexRowVector),
            Ty::Array(inner) => Some((**inner).clone()),
            _ => None,
        }
    }

    /// The scalar type at the bottom: what `rank` single indexes lead to.
    pub fn scalar(&self) -> Ty {
        match self.array_parts().1 {
            Ty::Vector | Ty::RowVector | Ty::Matrix => Ty::Real,
            Ty::ComplexVector | Ty::ComplexRowVector | Ty::ComplexMatrix => Ty::Complex,
            other => other.clone(),
        }
    }

    /// Whether this is `int`, `real` or `complex`.
    pub fn is_scalar(&self) -> bool {
        matches!(self, Ty::Int | Ty::Real | Ty::Complex)
    }

    /// Whether this is a container whose scalars are reals or integers.
    pub fn is_container(&self) -> bool {
        self.rank() > 0
    }
}

impl fmt::Display for Ty {
    /// The type as the language spells it in a function's argument list: `array[,] real`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Int => f.write_str("int"),
            Ty::Real => f.write_str("real"),
            Ty::Complex => f.write_str("complex"),
            Ty::Vector => f.write_str("vector"),
            Ty::RowVector => f.write_str("row_vector"),
            Ty::Matrix => f.write_str("matrix"),
            Ty::ComplexVector => f.write_str("complex_vector"),
            Ty::ComplexRowVector => f.write_str("complex_row_vector"),
            Ty::ComplexMatrix => f.write_str("complex_matrix"),
            Ty::Void => f.write_str("void"),
            Ty::Array(_) => {
                let (depth, inner) = self.array_parts();
                write!(f, "array[{}] {inner}", ",".repeat(depth - 1))
            }
            Ty::Tuple(parts) => {
                f.write_str("tuple(")?;
                for (position, part) in parts.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{part}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Whether a value can depend on parameters, by the static rules of the language (not by its actual data flow).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Known once the data are bound.
    Data,
    /// May depend on parameters (or, in generated quantities, on random numbers).
    Param,
}
