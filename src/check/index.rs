//! Indexes: what type is left after `[i, a:b, :]`.

use super::Checker;
use super::promote::joint_level;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Expr, ExprKind, Index};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Level, Ty};

impl<'a> Checker<'a> {
    /// `base[indices]`. Indexes of an expression that is itself indexed by single positions are joined to one list.
    pub(super) fn indexed(
        &mut self,
        base: Expr,
        written: &'a [ast::Index],
        span: Span,
    ) -> Option<Expr> {
        let (depth, inner) = base.ty.array_parts();
        let rank = base.ty.rank();
        if written.len() > rank {
            let title = if rank == 0 {
                format!("{inner} cannot be indexed")
            } else {
                too_many_indexes(&base.ty, written.len())
            };
            let label = if depth == 0 { "" } else { "too many indexes" };
            return self.fail(Diagnostic::error(Code::NotIndexable, title, span, label));
        }
        let indices = self.indices(written)?;
        let ty = indexed_ty(&base.ty, &indices);
        let level = base.level.max(index_level(&indices));
        let kind = match base.kind {
            ExprKind::Index(inner, mut before) if before.iter().all(is_single) => {
                before.extend(indices);
                ExprKind::Index(inner, before)
            }
            kind => ExprKind::Index(Box::new(Expr { kind, ..base }), indices),
        };
        Some(Expr {
            kind,
            ty,
            level,
            span,
        })
    }

    /// The indexes of one pair of brackets; all are checked even if one is wrong.
    pub(super) fn indices(&mut self, written: &'a [ast::Index]) -> Option<Vec<Index>> {
        let elaborated: Vec<Option<Index>> =
            written.iter().map(|index| self.index(index)).collect();
        elaborated.into_iter().collect()
    }

    fn index(&mut self, written: &'a ast::Index) -> Option<Index> {
        match written {
            ast::Index::All => Some(Index::All),
            ast::Index::Range { lower, upper } => {
                let lower = self.range_end(lower.as_ref());
                let upper = self.range_end(upper.as_ref());
                Some(Index::Range(lower?, upper?))
            }
            ast::Index::Single(position) => {
                let position = self.expr(position)?;
                match &position.ty {
                    Ty::Int => Some(Index::Single(position)),
                    Ty::Array(element) if **element == Ty::Int => Some(Index::Multiple(position)),
                    ty => {
                        let title = format!("an index must be int or array[] int, not {ty}");
                        self.fail(Diagnostic::error(Code::IndexType, title, position.span, ""))
                    }
                }
            }
        }
    }

    /// An end of a range: `Some(None)` if it is not written.
    fn range_end(&mut self, written: Option<&'a ast::Expr>) -> Option<Option<Expr>> {
        let Some(written) = written else {
            return Some(None);
        };
        let end = self.expr(written)?;
        if end.ty != Ty::Int {
            let title = format!("the end of a range must be int, not {}", end.ty);
            return self.fail(Diagnostic::error(Code::IndexType, title, end.span, ""));
        }
        Some(Some(end))
    }
}

/// What is wrong with more indexes than dimensions.
pub(super) fn too_many_indexes(ty: &Ty, count: usize) -> String {
    let rank = ty.rank();
    let plural = if rank == 1 { "" } else { "s" };
    format!("{ty} has {rank} dimension{plural}, but there are {count} indexes")
}

/// Whether the index leads to a single position.
pub(super) fn is_single(index: &Index) -> bool {
    matches!(index, Index::Single(_))
}

/// The level of the positions that indexes name.
pub(super) fn index_level(indices: &[Index]) -> Level {
    indices
        .iter()
        .map(|index| match index {
            Index::All => Level::Data,
            Index::Single(position) | Index::Multiple(position) => position.level,
            Index::Range(lower, upper) => joint_level(lower.iter().chain(upper)),
        })
        .max()
        .unwrap_or(Level::Data)
}

/// What indexes lead to; there are at most as many as the type has dimensions.
pub(super) fn indexed_ty(ty: &Ty, indices: &[Index]) -> Ty {
    let (depth, inner) = ty.array_parts();
    let arrays = indices.len().min(depth);
    let kept = indices[..arrays]
        .iter()
        .filter(|index| !is_single(index))
        .count();
    let rest: Vec<bool> = indices[arrays..]
        .iter()
        .map(|index| !is_single(index))
        .collect();
    let element = match (inner, rest.as_slice()) {
        (Ty::Vector | Ty::RowVector, [false]) | (Ty::Matrix, [false, false]) => Ty::Real,
        (Ty::Matrix, [false] | [false, true]) => Ty::RowVector,
        (Ty::Matrix, [true, false]) => Ty::Vector,
        (Ty::ComplexVector | Ty::ComplexRowVector, [false])
        | (Ty::ComplexMatrix, [false, false]) => Ty::Complex,
        (Ty::ComplexMatrix, [false] | [false, true]) => Ty::ComplexRowVector,
        (Ty::ComplexMatrix, [true, false]) => Ty::ComplexVector,
        _ => inner.clone(),
    };
    element.array_of(depth - arrays + kept)
}

#[cfg(test)]
mod tests {
    use super::super::promote::int_constant;
    use super::*;

    #[test]
    fn single_drops_and_others_keep_a_dimension() {
        let single = || Index::Single(int_constant(1, Span::default()));
        let matrices = Ty::Matrix.array_of(2);
        assert_eq!(indexed_ty(&matrices, &[single()]), Ty::Matrix.array_of(1));
        assert_eq!(
            indexed_ty(&matrices, &[Index::All, single(), single(), Index::All]),
            Ty::RowVector.array_of(1)
        );
        assert_eq!(indexed_ty(&Ty::Matrix, &[Index::All, single()]), Ty::Vector);
        assert_eq!(indexed_ty(&Ty::Matrix, &[Index::All]), Ty::Matrix);
        assert_eq!(indexed_ty(&Ty::Vector, &[single()]), Ty::Real);
    }
}
