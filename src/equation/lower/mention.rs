//! The variables that statements of the block form mention.

use std::collections::BTreeSet;

use crate::syntax::ast::{
    Bounds, Expr, Index, LValue, PlaceStep, Stmt, StmtKind, TypeKind, TypeSpec,
};

/// Every variable that statements read or assign, loops' variables and local ones included.
pub(super) fn mentioned(statements: &[Stmt]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for statement in statements {
        in_statement(statement, &mut names);
    }
    names
}

fn in_statement(statement: &Stmt, names: &mut BTreeSet<String>) {
    match &statement.kind {
        StmtKind::Declaration(declaration) => {
            in_type(&declaration.type_spec, names);
            for declarator in &declaration.declarators {
                in_expressions(&declarator.initial, names);
            }
        }
        StmtKind::Assign { target, value, .. } => {
            in_place(target, names);
            in_expression(value, names);
        }
        StmtKind::Tilde {
            variate,
            arguments,
            truncation,
            ..
        } => {
            in_expression(variate, names);
            in_expressions(arguments, names);
            if let Some(truncation) = truncation {
                in_expressions(&truncation.lower, names);
                in_expressions(&truncation.upper, names);
            }
        }
        StmtKind::TargetIncrement(value)
        | StmtKind::JacobianIncrement(value)
        | StmtKind::Return(Some(value)) => in_expression(value, names),
        StmtKind::Call { arguments, .. }
        | StmtKind::Print(arguments)
        | StmtKind::Reject(arguments)
        | StmtKind::FatalError(arguments) => in_expressions(arguments, names),
        StmtKind::For {
            lower, upper, body, ..
        } => {
            in_expression(lower, names);
            in_expression(upper, names);
            in_statement(body, names);
        }
        StmtKind::ForEach {
            collection, body, ..
        } => {
            in_expression(collection, names);
            in_statement(body, names);
        }
        StmtKind::While { condition, body } => {
            in_expression(condition, names);
            in_statement(body, names);
        }
        StmtKind::If {
            condition,
            then_body,
            else_body,
        } => {
            in_expression(condition, names);
            in_statement(then_body, names);
            if let Some(body) = else_body {
                in_statement(body, names);
            }
        }
        StmtKind::Block(body) | StmtKind::Profile { body, .. } => {
            body.iter()
                .for_each(|statement| in_statement(statement, names));
        }
        StmtKind::Empty | StmtKind::Break | StmtKind::Continue | StmtKind::Return(None) => {}
    }
}

fn in_place(target: &LValue, names: &mut BTreeSet<String>) {
    match target {
        LValue::Tuple { elements, .. } => {
            elements.iter().for_each(|element| in_place(element, names));
        }
        LValue::Place(place) => {
            names.insert(place.variable.name.clone());
            for step in &place.path {
                if let PlaceStep::Index(indices) = step {
                    in_expressions(indices.iter().flat_map(Index::parts), names);
                }
            }
        }
    }
}

fn in_type(type_spec: &TypeSpec, names: &mut BTreeSet<String>) {
    match &type_spec.kind {
        TypeKind::Basic { bounds, sizes, .. } => {
            in_expressions(sizes, names);
            let ends = match bounds {
                Bounds::None => [None, None],
                Bounds::Interval { lower, upper } => [lower.as_ref(), upper.as_ref()],
                Bounds::Affine { offset, multiplier } => [offset.as_ref(), multiplier.as_ref()],
            };
            for end in ends.into_iter().flatten() {
                in_expression(end, names);
            }
        }
        TypeKind::Array { sizes, element } => {
            in_expressions(sizes, names);
            in_type(element, names);
        }
        TypeKind::Tuple(elements) => elements.iter().for_each(|element| in_type(element, names)),
    }
}

fn in_expressions<'e>(
    expressions: impl IntoIterator<Item = &'e Expr>,
    names: &mut BTreeSet<String>,
) {
    expressions
        .into_iter()
        .for_each(|expr| in_expression(expr, names));
}

fn in_expression(expr: &Expr, names: &mut BTreeSet<String>) {
    names.extend(expr.variables().into_iter().map(str::to_string));
}

/// The variables that statements declare, those of inner blocks aside.
pub(super) fn declared(statements: &[Stmt]) -> Vec<String> {
    let mut names = Vec::new();
    for statement in statements {
        if let StmtKind::Declaration(declaration) = &statement.kind {
            let declarators = declaration.declarators.iter();
            names.extend(declarators.map(|declarator| declarator.name.name.clone()));
        }
    }
    names
}
