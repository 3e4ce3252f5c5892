//! Walks over expressions.

use super::ast::{Expr, ExprKind, Index};

impl Expr {
    /// The expressions directly within this one, in reading order.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Unary { operand, .. } => vec![operand],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => vec![condition, if_true, if_false],
            ExprKind::Index { base, indices } => {
                let mut parts: Vec<&Expr> = vec![base];
                parts.extend(indices.iter().flat_map(Index::parts));
                parts
            }
            ExprKind::Projection { base, .. } => vec![base],
            ExprKind::Reduction { body, .. } => vec![body],
            ExprKind::Call {
                arguments: parts, ..
            }
            | ExprKind::Array(parts)
            | ExprKind::RowVector(parts)
            | ExprKind::Tuple(parts) => parts.iter().collect(),
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Imaginary(_)
            | ExprKind::Text(_)
            | ExprKind::Variable(_)
            | ExprKind::Target => Vec::new(),
        }
    }

    /// [`parts`](Expr::parts), to be changed.
    pub fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Unary { operand, .. } => vec![operand],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => vec![condition, if_true, if_false],
            ExprKind::Index { base, indices } => {
                let mut parts: Vec<&mut Expr> = vec![base];
                for index in indices {
                    match index {
                        Index::All => {}
                        Index::Single(position) => parts.push(position),
                        Index::Range { lower, upper } => {
                            parts.extend(lower.iter_mut().chain(upper));
                        }
                    }
                }
                parts
            }
            ExprKind::Projection { base, .. } => vec![base],
            ExprKind::Reduction { body, .. } => vec![body],
            ExprKind::Call {
                arguments: parts, ..
            }
            | ExprKind::Array(parts)
            | ExprKind::RowVector(parts)
            | ExprKind::Tuple(parts) => parts.iter_mut().collect(),
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Imaginary(_)
            | ExprKind::Text(_)
            | ExprKind::Variable(_)
            | ExprKind::Target => Vec::new(),
        }
    }

    /// The variables that it mentions, subscripts included, each as often as it stands there.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.add_variables(&mut names);
        names
    }

    fn add_variables<'e>(&'e self, names: &mut Vec<&'e str>) {
        if let ExprKind::Variable(name) = &self.kind {
            names.push(name);
        }
        for part in self.parts() {
            part.add_variables(names);
        }
    }
}

impl Index {
    /// The expressions within this one: a position, or the ends of a range.
    pub fn parts(&self) -> impl Iterator<Item = &Expr> {
        let (first, second) = match self {
            Index::All => (None, None),
            Index::Single(position) => (Some(position), None),
            Index::Range { lower, upper } => (lower.as_ref(), upper.as_ref()),
        };
        first.into_iter().chain(second)
    }
}

#[cfg(test)]
mod tests {
    use crate::source::SourceMap;
    use crate::syntax::parse_expression;

    #[test]
    fn every_variable_is_found() {
        let mut sources = SourceMap::new();
        let id = sources.add(
            "a",
            "f(a + -b, [c, {d}], (e, 1))[g, :, h:k] ? l' : m.1 * s[i](n)",
        );
        let mut expr = parse_expression(&sources, id).unwrap();
        let expected = ["a", "b", "c", "d", "e", "g", "h", "k", "l", "m", "n"];
        assert_eq!(expr.variables(), expected);
        assert_eq!(expr.parts().len(), expr.parts_mut().len());
    }
}
