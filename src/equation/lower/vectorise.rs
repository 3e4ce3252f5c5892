//! Expressions for all elements of a letter at once: numbers, `x[i]`, `x[f[i]]`, and sums and multiples of these (3d.5).

use super::build;
use super::context::Lowering;
use super::expr::binary;
use super::form::{Element, Form, Value};
use super::scope::Scope;
use super::usage;
use crate::equation::tree::{Expr, ExprKind, LetterId, NameId, Role, Subscript};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};

impl Lowering<'_> {
    /// The value over all elements of a letter: a number if it does not depend on the letter, else a vector or a list of
    /// integers. `None` where a loop must say it. Nothing may be added to the scope's prelude.
    pub(super) fn vectorised(
        &mut self,
        expr: &Expr,
        letter: LetterId,
        scope: &mut Scope,
    ) -> Option<Value> {
        if !usage::mentions(expr, letter) {
            let before = scope.prelude.len();
            let value = self.bare(expr, scope);
            if scope.prelude.len() > before {
                scope.prelude.truncate(before);
                return None;
            }
            return Some(value);
        }
        let span = expr.span;
        match &expr.kind {
            ExprKind::Name { name, subscripts } => {
                let value = self.gathered_name(*name, subscripts, letter, scope, span)?;
                let is_numbers = value.form == Form::VECTOR || value.form.is_list();
                is_numbers.then_some(value)
            }
            ExprKind::Unary {
                operator: operator @ (UnaryOp::Negate | UnaryOp::Plus),
                operand,
            } => {
                let operand = self.vectorised(operand, letter, scope)?.operand();
                Some(Value::new(
                    build::unary(*operator, operand.expr, span),
                    operand.form,
                ))
            }
            ExprKind::Binary {
                operator,
                left,
                right,
            } => self.vectorised_binary(*operator, left, right, letter, scope, span),
            _ => None,
        }
    }

    fn vectorised_binary(
        &mut self,
        operator: BinaryOp,
        left: &Expr,
        right: &Expr,
        letter: LetterId,
        scope: &mut Scope,
        span: Span,
    ) -> Option<Value> {
        if operator == BinaryOp::Multiply && left.axes.len() == 1 && right.axes.len() == 1 {
            return self.row_products(left, right, letter, scope, span);
        }
        if !left.axes.is_empty() || !right.axes.is_empty() {
            return None;
        }
        let operator = match operator {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => operator,
            BinaryOp::ElementMultiply => BinaryOp::Multiply,
            BinaryOp::ElementDivide => BinaryOp::Divide,
            _ => return None,
        };
        let left = self.vectorised(left, letter, scope)?.operand();
        let right = self.vectorised(right, letter, scope)?.operand();
        let both = left.form == Form::VECTOR && right.form == Form::VECTOR;
        let operator = match operator {
            BinaryOp::Multiply if both => BinaryOp::ElementMultiply,
            BinaryOp::Divide if right.form == Form::VECTOR => BinaryOp::ElementDivide,
            operator => operator,
        };
        Some(binary(operator, left, right, span))
    }

    /// `X[i] * b` for all i: `X * b`, of a matrix whose rows the letter numbers and a vector without it.
    fn row_products(
        &mut self,
        left: &Expr,
        right: &Expr,
        letter: LetterId,
        scope: &mut Scope,
        span: Span,
    ) -> Option<Value> {
        let (rows, weights) = match usage::mentions(right, letter) {
            false => (left, right),
            true if !usage::mentions(left, letter) => (right, left),
            true => return None,
        };
        let ExprKind::Name { name, subscripts } = &rows.kind else {
            return None;
        };
        let matrix = self.gathered_name(*name, subscripts, letter, scope, rows.span)?;
        if matrix.form != Form::MATRIX {
            return None;
        }
        let weights = self.vectorised(weights, letter, scope)?;
        Some(binary(BinaryOp::Multiply, matrix, weights, span))
    }

    /// A name at its subscripts for all elements of a letter, which must stand in the last subscript.
    pub(super) fn gathered_name(
        &mut self,
        name: NameId,
        subscripts: &[Subscript],
        letter: LetterId,
        scope: &mut Scope,
        span: Span,
    ) -> Option<Value> {
        let declared = self.name(name);
        let is_level = declared.levels_of.is_some() && declared.role == Role::Data;
        let (last, first) = subscripts.split_last()?;
        let depends = |subscript: &Subscript| usage::subscript_mentions(subscript, letter);
        if self.long[name.0] || is_level || first.iter().any(depends) {
            return None;
        }
        let is_single =
            |subscript: &Subscript| !matches!(subscript, Subscript::All | Subscript::Range { .. });
        if !first.iter().all(is_single) {
            return None;
        }
        let gathered = self.gathered(last, letter, span)?;
        let mut indices = Vec::new();
        for subscript in first {
            indices.push(self.index(subscript, scope, span));
        }
        indices.push(gathered);
        while matches!(indices.last(), Some(ast::Index::All)) {
            indices.pop();
        }
        let mut picks = vec![true; first.len()];
        picks.push(false);
        let form = self.form(name).after(&picks);
        // The columns of a matrix row lie in a row, and what follows expects columns.
        let called = self.read(name);
        let value = Value::new(
            build::indexed(build::variable(called, span), indices, span),
            form,
        );
        Some(match form.element {
            Element::Row => value.column(),
            _ => value,
        })
    }
}
