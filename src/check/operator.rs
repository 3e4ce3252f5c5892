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
        let Some(meaning) = meaning(operator, &left.ty, &right.ty) else {
            return self.wrong_operands(operator, &left, &right, span);
        };
        let call = meaning.applied(left, right, span);
        if operator == BinaryOp::Divide && call.ty == Ty::Int && !self.frame.from_library {
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
    prim_call(prim, vec![real(left), real(right)], span)
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

fn real(expr: Expr) -> Expr {
    let ty = with_scalar(&expr.ty, &Ty::Real);
    promote(expr, &ty)
}

/// What an operator stands for.
enum Meaning {
    /// A primitive of two integers.
    OfInts(Prim),
    /// A primitive of reals, element by element.
    OfReals(Prim),
    /// A function of whole containers, and the type of its value.
    Whole(Container, Ty),
    /// `&&`
    And,
    /// `||`
    Or,
}

impl Meaning {
    fn applied(self, left: Expr, right: Expr, span: Span) -> Expr {
        let level = left.level.max(right.level);
        let kind = match self {
            Meaning::OfInts(prim) => return prim_call(prim, vec![left, right], span),
            Meaning::OfReals(prim) => return combined(prim, left, right, span),
            Meaning::Whole(function, ty) => {
                return container_call(function, ty, vec![left, right], span);
            }
            Meaning::And => ExprKind::And(Box::new(left), Box::new(right)),
            Meaning::Or => ExprKind::Or(Box::new(left), Box::new(right)),
        };
        Expr {
            kind,
            ty: Ty::Int,
            level,
            span,
        }
    }
}

/// What an operator stands for between operands of these types, if it can stand there.
fn meaning(operator: BinaryOp, left: &Ty, right: &Ty) -> Option<Meaning> {
    use BinaryOp::*;
    let ints = *left == Ty::Int && *right == Ty::Int;
    let numbers = is_number(left) && is_number(right);
    let compared = |of_ints, of_reals| {
        numbers.then_some(if ints {
            Meaning::OfInts(of_ints)
        } else {
            Meaning::OfReals(of_reals)
        })
    };
    match operator {
        Or => ints.then_some(Meaning::Or),
        And => ints.then_some(Meaning::And),
        Equal => compared(Prim::EqInt, Prim::Eq),
        NotEqual => compared(Prim::NeInt, Prim::Ne),
        Less => compared(Prim::LtInt, Prim::Lt),
        LessEqual => compared(Prim::LeInt, Prim::Le),
        Greater => compared(Prim::GtInt, Prim::Gt),
        GreaterEqual => compared(Prim::GeInt, Prim::Ge),
        Add => elementwise(Prim::AddInt, Prim::Add, left, right),
        Subtract => elementwise(Prim::SubInt, Prim::Sub, left, right),
        ElementMultiply => elementwise(Prim::MulInt, Prim::Mul, left, right),
        ElementDivide => elementwise(Prim::DivInt, Prim::Div, left, right),
        Multiply => product(left, right),
        Divide if is_number(left) || is_number(right) => {
            elementwise(Prim::DivInt, Prim::Div, left, right)
        }
        Divide => whole(Container::MdivideRight, left, right),
        LeftDivide => whole(Container::MdivideLeft, left, right),
        Modulo => ints.then_some(Meaning::OfInts(Prim::ModInt)),
        IntegerDivide => ints.then_some(Meaning::OfInts(Prim::DivInt)),
        Power | ElementPower => power(left, right),
    }
}

/// Two numbers, two containers of one type, or a number and a container.
fn elementwise(of_ints: Prim, of_reals: Prim, left: &Ty, right: &Ty) -> Option<Meaning> {
    if *left == Ty::Int && *right == Ty::Int {
        return Some(Meaning::OfInts(of_ints));
    }
    let fits = if is_number(left) {
        is_numeric(right)
    } else if is_number(right) {
        is_numeric(left)
    } else {
        left == right && is_linear(left)
    };
    fits.then_some(Meaning::OfReals(of_reals))
}

fn product(left: &Ty, right: &Ty) -> Option<Meaning> {
    if is_number(left) || is_number(right) {
        return elementwise(Prim::MulInt, Prim::Mul, left, right);
    }
    if *left == Ty::RowVector && *right == Ty::Vector {
        return Some(Meaning::Whole(Container::DotProduct, Ty::Real));
    }
    whole(Container::Multiply, left, right)
}

fn whole(function: Container, left: &Ty, right: &Ty) -> Option<Meaning> {
    let form = fitting_form(function, &[left.clone(), right.clone()])?;
    Some(Meaning::Whole(function, form.result))
}

/// Powers are real even of integers.
fn power(left: &Ty, right: &Ty) -> Option<Meaning> {
    let base = with_scalar(left, &Ty::Real);
    let exponent = with_scalar(right, &Ty::Real);
    let of_numbers = is_number(&left.scalar()) && is_number(&right.scalar());
    let one_shape = base == exponent || base == Ty::Real || exponent == Ty::Real;
    (of_numbers && one_shape).then_some(Meaning::OfReals(Prim::Pow))
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
