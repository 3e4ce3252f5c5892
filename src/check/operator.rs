//! Operators: which primitive or container function an operator means for operands of given types.

use std::slice;

use super::Checker;
use super::promote::{joint_level, prim_call, promote, with_scalar};
use super::signature::fitting_form;
use crate::builtins::{Container, Prim};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Callee, Expr, ExprKind};
use crate::source::Span;
use crate::syntax::ast::{BinaryOp, UnaryOp};
use crate::types::Ty;

impl<'a> Checker<'a> {
    /// An operator with one operand.
    pub(super) fn unary(&mut self, operator: UnaryOp, operand: Expr, span: Span) -> Option<Expr> {
        let elementwise = is_numeric(&operand.ty);
        match operator {
            UnaryOp::Plus if elementwise => Some(operand),
            UnaryOp::Negate if elementwise => Some(negated(operand, span)),
            UnaryOp::Not if operand.ty == Ty::Int => {
                Some(prim_call(Prim::Not, vec![operand], span))
            }
            UnaryOp::Transpose => {
                match fitting_form(Container::Transpose, slice::from_ref(&operand.ty)) {
                    Some(form) => Some(container_call(
                        Container::Transpose,
                        form.result,
                        vec![operand],
                        span,
                    )),
                    None => self.wrong_operand(operator, &operand, span),
                }
            }
            _ => self.wrong_operand(operator, &operand, span),
        }
    }

    fn wrong_operand<T>(&mut self, operator: UnaryOp, operand: &Expr, span: Span) -> Option<T> {
        let symbol = operator.symbol();
        let note = match operator {
            UnaryOp::Not => "`!` negates a truth value, which is an int.",
            UnaryOp::Transpose => "Only vectors, row vectors and matrices can be transposed.",
            UnaryOp::Negate | UnaryOp::Plus => {
                "It takes numbers, vectors, row vectors and matrices, but not arrays."
            }
        };
        self.fail(
            Diagnostic::error(
                Code::OperandTypes,
                format!("`{symbol}` cannot be applied to {}", operand.ty),
                span,
                "",
            )
            .with_note(note),
        )
    }

    /// An operator with two operands.
    pub(super) fn binary(
        &mut self,
        operator: BinaryOp,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Option<Expr> {
        use BinaryOp::*;
        let call = match operator {
            Or | And => logical(operator, &left, &right, span),
            Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual => {
                comparison(operator, &left, &right, span)
            }
            Add => elementwise(Prim::AddInt, Prim::Add, &left, &right, span),
            Subtract => elementwise(Prim::SubInt, Prim::Sub, &left, &right, span),
            ElementMultiply => elementwise(Prim::MulInt, Prim::Mul, &left, &right, span),
            ElementDivide => elementwise(Prim::DivInt, Prim::Div, &left, &right, span),
            Multiply => product(&left, &right, span),
            Divide => quotient(&left, &right, span),
            LeftDivide => matrix_call(Container::MdivideLeft, &left, &right, span),
            Modulo => of_ints(Prim::ModInt, &left, &right, span),
            IntegerDivide => of_ints(Prim::DivInt, &left, &right, span),
            Power | ElementPower => power(&left, &right, span),
        };
        let Some(call) = call else {
            return self.wrong_operands(operator, &left, &right, span);
        };
        if operator == Divide && call.ty == Ty::Int && !self.frame.from_library {
            self.warn_integer_division(span);
        }
        Some(call)
    }

    fn warn_integer_division(&mut self, span: Span) {
        self.report(
            Diagnostic::warning(
                Code::IntegerDivision,
                "this division rounds towards zero",
                span,
                "both operands are integers",
            )
            .with_hint(
                "write a decimal point (`1.0 / n`) for a real quotient, or `%/%` if rounding is meant",
            ),
        );
    }

    fn wrong_operands<T>(
        &mut self,
        operator: BinaryOp,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Option<T> {
        let symbol = operator.symbol();
        let title = format!("`{symbol}` cannot combine {} and {}", left.ty, right.ty);
        let diagnostic = Diagnostic::error(Code::OperandTypes, title, span, "")
            .with_secondary(left.span, left.ty.to_string())
            .with_secondary(right.span, right.ty.to_string());
        let diagnostic = match operand_hint(operator, &left.ty, &right.ty) {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        };
        self.fail(diagnostic)
    }
}

/// Whether operators treat the type as a number or a container of linear algebra.
fn is_numeric(ty: &Ty) -> bool {
    matches!(
        ty,
        Ty::Int | Ty::Real | Ty::Vector | Ty::RowVector | Ty::Matrix
    )
}

/// Whether the type is a vector, row vector or matrix.
fn is_linear(ty: &Ty) -> bool {
    matches!(ty, Ty::Vector | Ty::RowVector | Ty::Matrix)
}

fn is_number(ty: &Ty) -> bool {
    matches!(ty, Ty::Int | Ty::Real)
}

/// `-operand`, folded for literals.
pub(super) fn negated(operand: Expr, span: Span) -> Expr {
    let kind = match operand.kind {
        ExprKind::Int(value) => ExprKind::Int(-value),
        ExprKind::Real(value) => ExprKind::Real(-value),
        _ if operand.ty == Ty::Int => return prim_call(Prim::NegInt, vec![operand], span),
        _ => return prim_call(Prim::Neg, vec![operand], span),
    };
    Expr {
        kind,
        span,
        ..operand
    }
}

/// `left operator right` of numbers and containers of linear algebra, element by element; known to fit.
pub(super) fn combined(prim: Prim, left: Expr, right: Expr, span: Span) -> Expr {
    prim_call(prim, vec![real(&left), real(&right)], span)
}

/// A call of a container function.
pub(super) fn container_call(
    function: Container,
    ty: Ty,
    arguments: Vec<Expr>,
    span: Span,
) -> Expr {
    let level = joint_level(&arguments);
    Expr {
        kind: ExprKind::Call(Callee::Container(function), arguments),
        ty,
        level,
        span,
    }
}

fn real(expr: &Expr) -> Expr {
    let ty = with_scalar(&expr.ty, &Ty::Real);
    promote(expr.clone(), &ty)
}

fn of_ints(prim: Prim, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    (left.ty == Ty::Int && right.ty == Ty::Int)
        .then(|| prim_call(prim, vec![left.clone(), right.clone()], span))
}

fn logical(operator: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    if left.ty != Ty::Int || right.ty != Ty::Int {
        return None;
    }
    let level = left.level.max(right.level);
    let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
    let kind = match operator {
        BinaryOp::And => ExprKind::And(left, right),
        _ => ExprKind::Or(left, right),
    };
    Some(Expr {
        kind,
        ty: Ty::Int,
        level,
        span,
    })
}

fn comparison(operator: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    let (of_ints, of_reals) = match operator {
        BinaryOp::Equal => (Prim::EqInt, Prim::Eq),
        BinaryOp::NotEqual => (Prim::NeInt, Prim::Ne),
        BinaryOp::Less => (Prim::LtInt, Prim::Lt),
        BinaryOp::LessEqual => (Prim::LeInt, Prim::Le),
        BinaryOp::Greater => (Prim::GtInt, Prim::Gt),
        _ => (Prim::GeInt, Prim::Ge),
    };
    if !is_number(&left.ty) || !is_number(&right.ty) {
        return None;
    }
    elementwise(of_ints, of_reals, left, right, span)
}

/// Two numbers, two containers of one type, or a number and a container.
fn elementwise(
    of_ints: Prim,
    of_reals: Prim,
    left: &Expr,
    right: &Expr,
    span: Span,
) -> Option<Expr> {
    if left.ty == Ty::Int && right.ty == Ty::Int {
        return Some(prim_call(of_ints, vec![left.clone(), right.clone()], span));
    }
    let fits = match (&left.ty, &right.ty) {
        (left, right) if is_number(left) => is_numeric(right),
        (left, right) if is_number(right) => is_numeric(left),
        (left, right) => left == right && is_linear(left),
    };
    fits.then(|| combined(of_reals, left.clone(), right.clone(), span))
}

fn product(left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    if is_number(&left.ty) || is_number(&right.ty) {
        return elementwise(Prim::MulInt, Prim::Mul, left, right, span);
    }
    let arguments = vec![left.clone(), right.clone()];
    if left.ty == Ty::RowVector && right.ty == Ty::Vector {
        return Some(container_call(
            Container::DotProduct,
            Ty::Real,
            arguments,
            span,
        ));
    }
    matrix_call(Container::Multiply, left, right, span)
}

fn quotient(left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    if is_number(&left.ty) || is_number(&right.ty) {
        return elementwise(Prim::DivInt, Prim::Div, left, right, span);
    }
    matrix_call(Container::MdivideRight, left, right, span)
}

fn matrix_call(function: Container, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    let form = fitting_form(function, &[left.ty.clone(), right.ty.clone()])?;
    Some(container_call(
        function,
        form.result,
        vec![left.clone(), right.clone()],
        span,
    ))
}

/// Powers are real even of integers.
fn power(left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    let (base, exponent) = (
        with_scalar(&left.ty, &Ty::Real),
        with_scalar(&right.ty, &Ty::Real),
    );
    let scalar = |ty: &Ty| ty.scalar() == Ty::Real;
    let fits = scalar(&base)
        && scalar(&exponent)
        && (base == exponent || base == Ty::Real || exponent == Ty::Real);
    fits.then(|| combined(Prim::Pow, left.clone(), right.clone(), span))
}

/// What to type instead, where a likely intention is known.
fn operand_hint(operator: BinaryOp, left: &Ty, right: &Ty) -> Option<String> {
    use BinaryOp::*;
    match (operator, left, right) {
        (_, Ty::Array(_), _) | (_, _, Ty::Array(_)) => Some(
            "arrays have no arithmetic: convert them with `to_vector`, or loop over their elements"
                .to_owned(),
        ),
        (Multiply, Ty::Vector, Ty::Vector) | (Multiply, Ty::RowVector, Ty::RowVector) => Some(
            "use `.*` for the elementwise product, or `dot_product(a, b)` for the sum of products"
                .to_owned(),
        ),
        (Divide, _, Ty::Vector | Ty::RowVector | Ty::Matrix) => {
            Some("use `./` to divide element by element".to_owned())
        }
        (Add | Subtract | ElementMultiply | ElementDivide, Ty::Vector, Ty::RowVector)
        | (Add | Subtract | ElementMultiply | ElementDivide, Ty::RowVector, Ty::Vector) => {
            Some("transpose one of them with `'`".to_owned())
        }
        (Modulo | IntegerDivide, Ty::Real, _) | (Modulo | IntegerDivide, _, Ty::Real) => {
            Some("both operands must be integers; for reals use `fmod` or `/`".to_owned())
        }
        (Or | And, ..) => Some("truth values are integers: compare, as in `x > 0`".to_owned()),
        (Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual, ..) => {
            Some("only numbers can be compared".to_owned())
        }
        _ => None,
    }
}
