//! Which names an item of the equation form mentions, and which it is about.

use crate::syntax::ast::{Bounds, Expr, ExprKind, Index};
use crate::syntax::equation::{DeclaredType, Item, ItemKind};
use std::collections::BTreeSet;

/// The names on the left of an item that it gives a distribution, a type or a value: `a` and `b` of `a[k], b[k] ~ …`.
/// Empty for factors and for what is no statement.
pub fn subjects(item: &Item) -> Vec<&str> {
    match &item.kind {
        ItemKind::Draw { variates, .. } => variates.iter().filter_map(simple_name).collect(),
        ItemKind::Define { term, .. } => vec![&term.name.name],
        ItemKind::Declare { terms, .. } => {
            terms.iter().map(|term| term.name.name.as_str()).collect()
        }
        ItemKind::Index { .. } | ItemKind::Data(_) | ItemKind::Target { .. } => Vec::new(),
    }
}

/// The name of `theta` or `theta[j]`.
pub fn simple_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Variable(name) => Some(name),
        ExprKind::Index { base, .. } => match &base.kind {
            ExprKind::Variable(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Every name that a statement or declaration mentions besides its subjects; letters are among them.
pub fn mentioned(item: &Item) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match &item.kind {
        ItemKind::Draw {
            declared,
            variates,
            arguments,
            truncation,
            ..
        } => {
            declared_type(declared.as_ref(), &mut names);
            for variate in variates {
                match &variate.kind {
                    ExprKind::Variable(_) => {}
                    ExprKind::Index { indices: all, .. } => indices(all, &mut names),
                    _ => expression(variate, &mut names),
                }
            }
            for argument in arguments {
                expression(argument, &mut names);
            }
            if let Some(truncation) = truncation {
                for bound in [&truncation.lower, &truncation.upper].into_iter().flatten() {
                    expression(bound, &mut names);
                }
            }
        }
        ItemKind::Define {
            declared,
            term,
            value,
        } => {
            declared_type(declared.as_ref(), &mut names);
            indices(&term.subscripts, &mut names);
            expression(value, &mut names);
        }
        ItemKind::Declare { declared, terms } => {
            declared_type(declared.as_ref(), &mut names);
            for term in terms {
                indices(&term.subscripts, &mut names);
            }
        }
        ItemKind::Target { letters, value } => {
            names.extend(letters.iter().map(|letter| letter.name.clone()));
            expression(value, &mut names);
        }
        ItemKind::Index { .. } | ItemKind::Data(_) => {}
    }
    names
}

/// Every name in an expression, letters of reductions included.
pub fn expression(expr: &Expr, names: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Variable(name) => {
            names.insert(name.clone());
        }
        ExprKind::Reduction { letters, .. } => {
            names.extend(letters.iter().map(|letter| letter.name.clone()));
        }
        _ => {}
    }
    for part in expr.parts() {
        expression(part, names);
    }
}

fn indices(all: &[Index], names: &mut BTreeSet<String>) {
    for part in all.iter().flat_map(Index::parts) {
        expression(part, names);
    }
}

fn declared_type(declared: Option<&DeclaredType>, names: &mut BTreeSet<String>) {
    let ends = match declared.map(|declared| &declared.bounds) {
        Some(Bounds::Interval { lower, upper }) => [lower, upper],
        Some(Bounds::Affine { offset, multiplier }) => [offset, multiplier],
        Some(Bounds::None) | None => return,
    };
    for end in ends.into_iter().flatten() {
        expression(end, names);
    }
}
