//! Values while lowering: known, scalar, or a container described by how to get its elements.

use crate::builtins::{Kind, Prim};
use crate::interp::Value;
use crate::loops::{BufferId, ValueId};
use crate::types::Ty;
use std::rc::Rc;

/// The value of an expression.
#[derive(Clone, Debug)]
pub(super) enum Val {
    /// Known now.
    Static(Rc<Value>),
    /// A scalar of the code.
    Scalar(ValueId),
    /// A container.
    View(Rc<View>),
    /// A tuple.
    Tuple(Vec<Val>),
}

/// A container: its sizes, and how to get an element.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Its type.
    pub ty: Ty,
    /// Its sizes (`Int` values), arrays first, then rows and columns: as many as `ty.rank()`.
    pub dims: Vec<ValueId>,
    /// Where elements come from.
    pub source: Source,
}

/// Where a container's elements come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Element (i, j, …) is at `offset + i·strides[0] + j·strides[1] + …`.
    Strided {
        buffer: BufferId,
        offset: ValueId,
        strides: Vec<ValueId>,
    },
    /// Every element is the same scalar.
    Fill(ValueId),
    /// A primitive of the elements of containers of the same sizes, or of scalars.
    Map(Prim, Vec<Operand>),
    /// A part of another container, one pick per dimension of that.
    Part(Rc<View>, Vec<Pick>),
    /// A matrix with rows and columns exchanged, or a vector as the other kind of vector.
    Transposed(Rc<View>),
    /// Element i is the sum over k of matrix element (i, k) times vector element k, for a few k.
    RowSums {
        matrix: Rc<View>,
        vector: Vec<ValueId>,
    },
}

/// An argument of an elementwise primitive.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Scalar(ValueId),
    View(Rc<View>),
}

/// What an index list's entry picks along a dimension.
#[derive(Clone, Debug)]
pub(super) enum Pick {
    /// One position, counted from 0: drops the dimension.
    Single(ValueId),
    /// Position `start + step · i`: keeps it.
    Range { start: ValueId, step: i64 },
    /// Position `view[i] - 1`: keeps it.
    Many(Rc<View>),
}

impl View {
    /// The kind of its scalars.
    pub fn kind(&self) -> Kind {
        kind_of(&self.ty)
    }

    /// Whether getting an element costs no more than a load.
    pub fn is_cheap(&self) -> bool {
        match &self.source {
            Source::Strided { .. } | Source::Fill(_) => true,
            Source::Part(base, _) | Source::Transposed(base) => base.is_cheap(),
            Source::Map(Prim::ToReal, operands) => operands.iter().all(|operand| match operand {
                Operand::Scalar(_) => true,
                Operand::View(view) => view.is_cheap(),
            }),
            Source::Map(..) | Source::RowSums { .. } => false,
        }
    }

    /// Whether its elements come (also) from that buffer.
    pub fn reads(&self, buffer: BufferId) -> bool {
        match &self.source {
            Source::Strided { buffer: own, .. } => *own == buffer,
            Source::Fill(_) => false,
            Source::Map(_, operands) => operands.iter().any(|operand| match operand {
                Operand::Scalar(_) => false,
                Operand::View(view) => view.reads(buffer),
            }),
            Source::Part(base, picks) => {
                base.reads(buffer)
                    || picks
                        .iter()
                        .any(|pick| matches!(pick, Pick::Many(view) if view.reads(buffer)))
            }
            Source::Transposed(base) => base.reads(buffer),
            Source::RowSums { matrix, .. } => matrix.reads(buffer),
        }
    }
}

/// The machine kind of a type's scalars.
pub(super) fn kind_of(ty: &Ty) -> Kind {
    if ty.scalar() == Ty::Int {
        Kind::Int
    } else {
        Kind::Real
    }
}

/// The distance in storage between neighbours along each dimension: arrays one element after another, matrices column by
/// column.
pub(super) fn strides(ty: &Ty, dims: &[usize]) -> Vec<usize> {
    let (depth, inner) = ty.array_parts();
    let mut strides = vec![1; dims.len()];
    let (arrays, block) = dims.split_at(depth.min(dims.len()));
    if matches!(inner, Ty::Matrix | Ty::ComplexMatrix) && block.len() == 2 {
        strides[depth + 1] = block[0];
    }
    let mut step: usize = block.iter().product();
    for (position, dim) in arrays.iter().enumerate().rev() {
        strides[position] = step;
        step *= dim;
    }
    strides
}
