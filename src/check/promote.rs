//! Promotion from int to real, and the shapes that elementwise functions give to their results.

use crate::builtins::Prim;
use crate::ir::{Callee, Expr, ExprKind};
use crate::source::Span;
use crate::types::{Level, Ty};

/// How many promotions lead from one type to the other, arrays included; `None` if they do not.
/// From int to complex counts 2, as in Stan.
pub(super) fn promotions(from: &Ty, to: &Ty) -> Option<u32> {
    match (from, to) {
        _ if from == to => Some(0),
        (Ty::Int, Ty::Real) | (Ty::Real, Ty::Complex) => Some(1),
        (Ty::Int, Ty::Complex) => Some(2),
        (Ty::Array(_), Ty::Array(_)) if matches!(to.array_parts().1, Ty::Tuple(_)) => None,
        (Ty::Array(from), Ty::Array(to)) => promotions(from, to),
        (Ty::Tuple(from), Ty::Tuple(to)) if from.len() == to.len() => {
            let mut parts = from.iter().zip(to);
            parts.try_fold(0, |sum, (from, to)| Some(sum + promotions(from, to)?))
        }
        _ => None,
    }
}

/// The smallest type that both promote to.
pub(super) fn common_type(left: &Ty, right: &Ty) -> Option<Ty> {
    if let (Ty::Tuple(lefts), Ty::Tuple(rights)) = (left, right)
        && lefts.len() == rights.len()
    {
        let parts = lefts.iter().zip(rights);
        let common: Option<Vec<Ty>> = parts
            .map(|(left, right)| common_type(left, right))
            .collect();
        return common.map(Ty::Tuple);
    }
    if promotions(left, right).is_some() {
        Some(right.clone())
    } else if promotions(right, left).is_some() {
        Some(left.clone())
    } else {
        None
    }
}

/// The same container with other scalars. A vector of integers is an array.
pub(super) fn with_scalar(ty: &Ty, scalar: &Ty) -> Ty {
    let (depth, inner) = ty.array_parts();
    match inner {
        Ty::Vector | Ty::RowVector | Ty::Matrix if *scalar == Ty::Real => {
            inner.clone().array_of(depth)
        }
        _ => scalar.clone().array_of(ty.rank()),
    }
}

/// The expression as a value of `ty`, which its type must promote to.
pub(super) fn promote(expr: Expr, ty: &Ty) -> Expr {
    if expr.ty == *ty {
        return expr;
    }
    let (level, span) = (expr.level, expr.span);
    if let Ty::Tuple(types) = ty {
        return promote_tuple(expr, types);
    }
    let kind = match expr.kind {
        ExprKind::Int(value) => ExprKind::Real(value as f64),
        _ => ExprKind::Call(Callee::Prim(Prim::ToReal), vec![expr]),
    };
    Expr {
        kind,
        ty: ty.clone(),
        level,
        span,
    }
}

fn promote_tuple(expr: Expr, types: &[Ty]) -> Expr {
    let (level, span) = (expr.level, expr.span);
    let parts: Vec<Expr> = match (expr.kind, expr.ty) {
        (ExprKind::Tuple(parts), _) => parts,
        (kind, Ty::Tuple(given)) => {
            let whole = Box::new(Expr {
                kind,
                ty: Ty::Tuple(given.clone()),
                level,
                span,
            });
            let projected = given.into_iter().enumerate().map(|(position, ty)| Expr {
                kind: ExprKind::Project(whole.clone(), position),
                ty,
                level,
                span,
            });
            projected.collect()
        }
        _ => Vec::new(),
    };
    let promoted = parts
        .into_iter()
        .zip(types)
        .map(|(part, ty)| promote(part, ty));
    Expr {
        kind: ExprKind::Tuple(promoted.collect()),
        ty: Ty::Tuple(types.to_vec()),
        level,
        span,
    }
}

/// The level of something computed from several values.
pub(super) fn joint_level<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Level {
    exprs
        .into_iter()
        .map(|expr| expr.level)
        .max()
        .unwrap_or(Level::Data)
}

/// An integer constant.
pub(super) fn int_constant(value: i64, span: Span) -> Expr {
    Expr {
        kind: ExprKind::Int(value),
        ty: Ty::Int,
        level: Level::Data,
        span,
    }
}

/// A real constant.
pub(super) fn real_constant(value: f64, span: Span) -> Expr {
    Expr {
        kind: ExprKind::Real(value),
        ty: Ty::Real,
        level: Level::Data,
        span,
    }
}

/// A primitive of scalars applied to arguments of its kinds; the result has the shape of the first container.
pub(super) fn prim_call(prim: Prim, arguments: Vec<Expr>, span: Span) -> Expr {
    let scalar = match prim.result() {
        crate::builtins::Kind::Int => Ty::Int,
        crate::builtins::Kind::Real => Ty::Real,
    };
    let ty = arguments
        .iter()
        .find(|argument| argument.ty.is_container())
        .map_or(scalar.clone(), |container| {
            with_scalar(&container.ty, &scalar)
        });
    let level = joint_level(&arguments);
    Expr {
        kind: ExprKind::Call(Callee::Prim(prim), arguments),
        ty,
        level,
        span,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_goes_up_only() {
        let (ints, reals) = (Ty::Int.array_of(2), Ty::Real.array_of(2));
        assert_eq!(promotions(&ints, &reals), Some(1));
        assert_eq!(promotions(&reals, &ints), None);
        assert_eq!(promotions(&Ty::Int, &Ty::Complex), Some(2));
        assert_eq!(promotions(&Ty::RowVector, &Ty::Vector), None);
    }

    #[test]
    fn tuples_meet_part_by_part() {
        let left = Ty::Tuple(vec![Ty::Int, Ty::Real]);
        let right = Ty::Tuple(vec![Ty::Real, Ty::Int]);
        let both = Ty::Tuple(vec![Ty::Real, Ty::Real]);
        assert_eq!(common_type(&left, &right), Some(both));
        assert_eq!(common_type(&left, &Ty::Int), None);
    }

    #[test]
    fn scalars_of_containers_change() {
        assert_eq!(with_scalar(&Ty::Vector, &Ty::Int), Ty::Int.array_of(1));
        assert_eq!(
            with_scalar(&Ty::Int.array_of(2), &Ty::Real),
            Ty::Real.array_of(2)
        );
        assert_eq!(
            with_scalar(&Ty::Matrix.array_of(1), &Ty::Real),
            Ty::Matrix.array_of(1)
        );
    }
}
