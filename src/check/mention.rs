//! Which variables an expression mentions: for rules that look at names, not at values.

use crate::ir::{Expr, ExprKind, Index, VarId};

/// Whether the expression mentions a variable for which the question is answered with yes.
pub(super) fn mentions(expr: &Expr, wanted: &dyn Fn(VarId) -> bool) -> bool {
    let inside = |expr: &Expr| mentions(expr, wanted);
    match &expr.kind {
        ExprKind::Variable(id) => wanted(*id),
        ExprKind::Index(base, indices) => inside(base) || index_mentions(indices, wanted),
        ExprKind::Call(_, parts)
        | ExprKind::Array(parts)
        | ExprKind::Row(parts)
        | ExprKind::Matrix(parts)
        | ExprKind::Tuple(parts) => parts.iter().any(inside),
        ExprKind::Ternary(condition, if_true, if_false) => {
            inside(condition) || inside(if_true) || inside(if_false)
        }
        ExprKind::And(left, right) | ExprKind::Or(left, right) => inside(left) || inside(right),
        ExprKind::Project(base, _) => inside(base),
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Text(_)
        | ExprKind::Function(_)
        | ExprKind::Target => false,
    }
}

/// Whether any of the indexes mentions such a variable.
pub(super) fn index_mentions(indices: &[Index], wanted: &dyn Fn(VarId) -> bool) -> bool {
    indices.iter().any(|index| match index {
        Index::All => false,
        Index::Single(position) | Index::Multiple(position) => mentions(position, wanted),
        Index::Range(lower, upper) => lower.iter().chain(upper).any(|end| mentions(end, wanted)),
    })
}
