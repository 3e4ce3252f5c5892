//! Small constructors of the block form's syntax tree; each node takes the place in the user's file that it stands for.

use crate::source::Span;
use crate::syntax::ast::*;

/// A name with its place.
pub(super) fn identifier(name: impl Into<String>, span: Span) -> Identifier {
    Identifier {
        name: name.into(),
        span,
    }
}

fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, span }
}

/// `12`, or `-12`.
pub(super) fn int(value: i64, span: Span) -> Expr {
    let magnitude = i32::try_from(value.unsigned_abs()).unwrap_or(i32::MAX);
    let literal = expr(ExprKind::Int(magnitude), span);
    if value < 0 {
        unary(UnaryOp::Negate, literal, span)
    } else {
        literal
    }
}

/// `1.5`
pub(super) fn real(value: f64, span: Span) -> Expr {
    expr(ExprKind::Real(value), span)
}

/// The value of a variable.
pub(super) fn variable(name: impl Into<String>, span: Span) -> Expr {
    expr(ExprKind::Variable(name.into()), span)
}

/// `-a`, `a'`
pub(super) fn unary(operator: UnaryOp, operand: Expr, span: Span) -> Expr {
    let operand = Box::new(operand);
    expr(ExprKind::Unary { operator, operand }, span)
}

/// `a + b`
pub(super) fn binary(operator: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
    let (left, right) = (Box::new(left), Box::new(right));
    expr(
        ExprKind::Binary {
            operator,
            left,
            right,
        },
        span,
    )
}

/// `a + n`, computed where both are known; `a - 1` rather than `a + -1`.
pub(super) fn shifted(base: Expr, by: i64, span: Span) -> Expr {
    if let Some(value) = literal(&base) {
        return int(value + by, span);
    }
    match by {
        0 => base,
        by if by < 0 => binary(BinaryOp::Subtract, base, int(-by, span), span),
        by => binary(BinaryOp::Add, base, int(by, span), span),
    }
}

/// The value of an integer that is written out.
pub(super) fn literal(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Int(value) => Some(i64::from(*value)),
        ExprKind::Unary {
            operator: UnaryOp::Negate,
            operand,
        } => literal(operand).map(|value| -value),
        _ => None,
    }
}

/// `f(a, b)`
pub(super) fn call(function: impl Into<String>, arguments: Vec<Expr>, span: Span) -> Expr {
    let function = identifier(function, span);
    expr(
        ExprKind::Call {
            function,
            arguments,
            bar: false,
        },
        span,
    )
}

/// `f(a | b, c)`
pub(super) fn density(function: impl Into<String>, arguments: Vec<Expr>, span: Span) -> Expr {
    let function = identifier(function, span);
    expr(
        ExprKind::Call {
            function,
            arguments,
            bar: true,
        },
        span,
    )
}

/// `base[i, j]`; the base itself where there are no indices. Indices are added to those that it has.
pub(super) fn indexed(base: Expr, indices: Vec<Index>, span: Span) -> Expr {
    if indices.is_empty() {
        return base;
    }
    match base.kind {
        ExprKind::Index {
            base: inner,
            indices: mut outer,
        } if outer.iter().all(|index| matches!(index, Index::Single(_))) => {
            outer.extend(indices);
            expr(
                ExprKind::Index {
                    base: inner,
                    indices: outer,
                },
                span,
            )
        }
        kind => {
            let base = Box::new(expr(kind, base.span));
            expr(ExprKind::Index { base, indices }, span)
        }
    }
}

/// `base[position]`
pub(super) fn element(base: Expr, position: Expr, span: Span) -> Expr {
    indexed(base, vec![Index::Single(position)], span)
}

/// `a:b` between brackets.
pub(super) fn range(lower: Expr, upper: Expr) -> Index {
    Index::Range {
        lower: Some(lower),
        upper: Some(upper),
    }
}

/// A statement.
pub(super) fn stmt(kind: StmtKind, span: Span) -> Stmt {
    Stmt { kind, span }
}

/// `name[i, j] = value;`
pub(super) fn assign(name: &str, indices: Vec<Index>, value: Expr, span: Span) -> Stmt {
    assign_with(name, indices, None, value, span)
}

/// `name[i, j] += value;`
pub(super) fn assign_with(
    name: &str,
    indices: Vec<Index>,
    operator: Option<BinaryOp>,
    value: Expr,
    span: Span,
) -> Stmt {
    let path = match indices.is_empty() {
        true => Vec::new(),
        false => vec![PlaceStep::Index(indices)],
    };
    let target = LValue::Place(Place {
        variable: identifier(name, span),
        path,
        span,
    });
    stmt(
        StmtKind::Assign {
            target,
            operator,
            value,
        },
        span,
    )
}

/// `target += value;`
pub(super) fn increment(value: Expr, span: Span) -> Stmt {
    stmt(StmtKind::TargetIncrement(value), span)
}

/// `for (variable in lower:upper) …`; several statements get braces.
pub(super) fn for_loop(
    variable: &str,
    lower: Expr,
    upper: Expr,
    body: Vec<Stmt>,
    span: Span,
) -> Stmt {
    stmt(
        StmtKind::For {
            variable: identifier(variable, span),
            lower,
            upper,
            body: Box::new(braced(body, span)),
        },
        span,
    )
}

/// `if (condition) …`
pub(super) fn if_then(condition: Expr, body: Vec<Stmt>, span: Span) -> Stmt {
    stmt(
        StmtKind::If {
            condition,
            then_body: Box::new(braced(body, span)),
            else_body: None,
        },
        span,
    )
}

/// A body: braces around anything but one statement that needs none. Loops and conditions get braces too, as people write.
fn braced(mut body: Vec<Stmt>, span: Span) -> Stmt {
    let is_plain = |stmt: &Stmt| !matches!(stmt.kind, StmtKind::Declaration(_));
    match body.pop() {
        Some(only) if body.is_empty() && is_plain(&only) => only,
        last => {
            body.extend(last);
            stmt(StmtKind::Block(body), span)
        }
    }
}

/// A type without array: `vector<lower=0>[N]`.
pub(super) fn basic_type(base: BaseType, bounds: Bounds, sizes: Vec<Expr>, span: Span) -> TypeSpec {
    TypeSpec {
        kind: TypeKind::Basic {
            base,
            bounds,
            sizes,
        },
        span,
    }
}

/// `array[N, M] element`; the element itself without sizes.
pub(super) fn array_type(sizes: Vec<Expr>, element: TypeSpec, span: Span) -> TypeSpec {
    if sizes.is_empty() {
        return element;
    }
    TypeSpec {
        kind: TypeKind::Array {
            sizes,
            element: Box::new(element),
        },
        span,
    }
}

/// `<lower=a, upper=b>`
pub(super) fn interval(lower: Option<Expr>, upper: Option<Expr>) -> Bounds {
    match (lower, upper) {
        (None, None) => Bounds::None,
        (lower, upper) => Bounds::Interval {
            lower: lower.map(Box::new),
            upper: upper.map(Box::new),
        },
    }
}

/// `type name = initial;`
pub(super) fn declaration(
    type_spec: TypeSpec,
    name: &str,
    initial: Option<Expr>,
    span: Span,
) -> Declaration {
    Declaration {
        type_spec,
        declarators: vec![Declarator {
            name: identifier(name, span),
            initial,
        }],
        span,
    }
}

/// A declaration as a statement.
pub(super) fn declare(type_spec: TypeSpec, name: &str, initial: Option<Expr>, span: Span) -> Stmt {
    stmt(
        StmtKind::Declaration(declaration(type_spec, name, initial, span)),
        span,
    )
}

/// A block, or none if it is empty.
pub(super) fn block<T>(items: Vec<T>, span: Span) -> Option<Block<T>> {
    (!items.is_empty()).then_some(Block { items, span })
}

/// `if (condition) … else …`
pub(super) fn if_else(
    condition: Expr,
    then_body: Vec<Stmt>,
    else_body: Vec<Stmt>,
    span: Span,
) -> Stmt {
    stmt(
        StmtKind::If {
            condition,
            then_body: Box::new(braced(then_body, span)),
            else_body: Some(Box::new(braced(else_body, span))),
        },
        span,
    )
}
