//! Expressions as text, with the parentheses that the grammar needs.

use super::Printer;
use crate::syntax::ast::*;

/// How tightly an expression holds together: the rules of the grammar, from loose to tight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ternary,
    Or,
    And,
    Equality,
    Comparison,
    Sum,
    Product,
    Quotient,
    Prefixed,
    Power,
    Postfixed,
    Primary,
}

impl Level {
    fn of(kind: &ExprKind) -> Level {
        match kind {
            ExprKind::Ternary { .. } => Level::Ternary,
            ExprKind::Binary { operator, .. } => Level::of_binary(*operator),
            ExprKind::Unary {
                operator: UnaryOp::Transpose,
                ..
            } => Level::Postfixed,
            ExprKind::Unary { .. } => Level::Prefixed,
            _ => Level::Primary,
        }
    }

    fn of_binary(operator: BinaryOp) -> Level {
        match operator {
            BinaryOp::Or => Level::Or,
            BinaryOp::And => Level::And,
            BinaryOp::Equal | BinaryOp::NotEqual => Level::Equality,
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                Level::Comparison
            }
            BinaryOp::Add | BinaryOp::Subtract => Level::Sum,
            BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Modulo
            | BinaryOp::ElementMultiply
            | BinaryOp::ElementDivide => Level::Product,
            BinaryOp::IntegerDivide | BinaryOp::LeftDivide => Level::Quotient,
            BinaryOp::Power | BinaryOp::ElementPower => Level::Power,
        }
    }

    /// The levels that the grammar has left and right of an operator.
    fn of_operands(operator: BinaryOp) -> (Level, Level) {
        let level = Level::of_binary(operator);
        let tighter = match level {
            Level::Or => Level::And,
            Level::And => Level::Equality,
            Level::Equality => Level::Comparison,
            Level::Comparison => Level::Sum,
            Level::Sum => Level::Product,
            Level::Product => Level::Quotient,
            Level::Quotient => Level::Prefixed,
            // Powers group to the right, and `2^-1` needs no parentheses.
            _ => return (Level::Postfixed, Level::Prefixed),
        };
        (level, tighter)
    }
}

impl Printer<'_> {
    /// Writes an expression where the grammar has `least`, in parentheses if it holds together
    /// less tightly than that.
    pub(super) fn expr(&mut self, expr: &Expr, least: Level) {
        let parentheses = Level::of(&expr.kind) < least;
        if parentheses {
            self.put("(");
        }
        self.expr_kind(&expr.kind);
        if parentheses {
            self.put(")");
        }
    }

    pub(super) fn exprs(&mut self, exprs: &[Expr]) {
        self.list(exprs, |printer, expr| printer.expr(expr, Level::Ternary));
    }

    fn expr_kind(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Int(value) => self.put(&value.to_string()),
            // `{:?}` gives the shortest text that reads back as the same number, always with a
            // point or an exponent.
            ExprKind::Real(value) => self.put(&format!("{value:?}")),
            ExprKind::Imaginary(value) => self.put(&format!("{value:?}i")),
            ExprKind::Text(text) => self.put(&format!("\"{text}\"")),
            ExprKind::Variable(name) => self.put(name),
            ExprKind::Unary { operator, operand } => self.unary(*operator, operand),
            ExprKind::Binary {
                operator,
                left,
                right,
            } => self.binary(*operator, left, right),
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => {
                self.expr(condition, Level::Or);
                self.put(" ? ");
                self.expr(if_true, Level::Ternary);
                self.put(" : ");
                self.expr(if_false, Level::Ternary);
            }
            ExprKind::Index { base, indices } => {
                self.expr(base, Level::Primary);
                self.indices(indices);
            }
            ExprKind::Projection { base, slot } => self.projection(base, *slot),
            ExprKind::Call {
                function,
                arguments,
                bar: false,
            } => self.call(&function.name, arguments),
            ExprKind::Call {
                function,
                arguments,
                bar: true,
            } => self.conditional_call(&function.name, arguments),
            ExprKind::Reduction {
                function,
                letters,
                body,
            } => {
                self.put(&function.name);
                self.letters(letters);
                self.put("(");
                self.expr(body, Level::Ternary);
                self.put(")");
            }
            ExprKind::Target => self.put("target()"),
            ExprKind::Array(elements) => {
                self.put("{");
                self.exprs(elements);
                self.put("}");
            }
            ExprKind::RowVector(elements) => {
                self.put("[");
                self.exprs(elements);
                self.put("]");
            }
            ExprKind::Tuple(elements) => self.tuple(elements, |printer, element| {
                printer.expr(element, Level::Ternary);
            }),
        }
    }

    fn unary(&mut self, operator: UnaryOp, operand: &Expr) {
        if operator == UnaryOp::Transpose {
            self.expr(operand, Level::Postfixed);
            self.put(operator.symbol());
        } else {
            self.put(operator.symbol());
            self.expr(operand, Level::Prefixed);
        }
    }

    fn binary(&mut self, operator: BinaryOp, left: &Expr, right: &Expr) {
        let (left_level, right_level) = Level::of_operands(operator);
        self.expr(left, left_level);
        if operator == BinaryOp::Power {
            self.put("^");
        } else {
            self.put(" ");
            self.put(operator.symbol());
            self.put(" ");
        }
        self.expr(right, right_level);
    }

    fn projection(&mut self, base: &Expr, slot: u32) {
        // `1.2` would be a number.
        let is_number = matches!(
            base.kind,
            ExprKind::Int(_) | ExprKind::Real(_) | ExprKind::Imaginary(_)
        );
        if is_number {
            self.put("(");
            self.expr_kind(&base.kind);
            self.put(")");
        } else {
            self.expr(base, Level::Primary);
        }
        self.put(&format!(".{slot}"));
    }

    pub(super) fn call(&mut self, name: &str, arguments: &[Expr]) {
        self.put(name);
        self.put("(");
        self.exprs(arguments);
        self.put(")");
    }

    fn conditional_call(&mut self, name: &str, arguments: &[Expr]) {
        self.put(name);
        self.put("(");
        if let Some((first, rest)) = arguments.split_first() {
            self.expr(first, Level::Ternary);
            self.put(if rest.is_empty() { " |" } else { " | " });
            self.exprs(rest);
        }
        self.put(")");
    }

    /// `[i, j]` behind what they index.
    pub(super) fn letters(&mut self, letters: &[Identifier]) {
        self.put("[");
        self.list(letters, |printer, letter| printer.put(&letter.name));
        self.put("]");
    }

    pub(super) fn indices(&mut self, indices: &[Index]) {
        self.put("[");
        self.list(indices, |printer, index| match index {
            Index::All => printer.put(":"),
            Index::Single(expr) => printer.expr(expr, Level::Ternary),
            Index::Range { lower, upper } => {
                if let Some(lower) = lower {
                    printer.range_end(lower);
                }
                printer.put(":");
                if let Some(upper) = upper {
                    printer.range_end(upper);
                }
            }
        });
        self.put("]");
    }

    /// One end of `a:b`. The grammar needs no parentheses here, but `1:N - 1` misleads the eye.
    pub(super) fn range_end(&mut self, expr: &Expr) {
        self.expr(expr, Level::Prefixed);
    }
}
