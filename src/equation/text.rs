//! Resolved expressions as a reader would write them, for messages.

use super::tree::{Expr, ExprKind, Model, Order, SetId, SetKind, Subscript};
use crate::syntax::ast::{BinaryOp, UnaryOp};

impl Model {
    /// An expression as one would write it.
    pub fn expr_text(&self, expr: &Expr) -> String {
        self.text_within(expr, 0)
    }

    /// A name with subscripts: `b[s, p]`; the name alone without any.
    pub fn subscripted(&self, name: &str, subscripts: &[Subscript]) -> String {
        if subscripts.is_empty() {
            return name.to_owned();
        }
        let terms: Vec<String> = subscripts.iter().map(|term| self.term_text(term)).collect();
        format!("{name}[{}]", terms.join(", "))
    }

    /// The labels that the file lists for a set; empty if it lists none.
    pub(super) fn listed_labels(&self, set: SetId) -> Vec<&str> {
        let labels = match &self.sets[set.0].kind {
            SetKind::Fixed(Order::Labels(labels))
            | SetKind::Levels {
                order: Some(Order::Labels(labels)),
                ..
            } => labels.as_slice(),
            SetKind::Rows
            | SetKind::Levels { .. }
            | SetKind::Fixed(Order::Range(..))
            | SetKind::Combinations { .. } => &[],
        };
        labels.iter().map(|label| label.text.as_str()).collect()
    }

    /// A set as one would speak of it: `{1, spend}`, or its letter.
    pub(super) fn set_text(&self, set: SetId) -> String {
        match &self.sets[set.0].kind {
            SetKind::Fixed(Order::Labels(labels)) => {
                let labels: Vec<&str> = labels.iter().map(|label| label.text.as_str()).collect();
                format!("{{{}}}", labels.join(", "))
            }
            SetKind::Fixed(Order::Range(from, to)) => {
                format!("{}:{}", self.expr_text(from), self.expr_text(to))
            }
            SetKind::Rows | SetKind::Levels { .. } | SetKind::Combinations { .. } => {
                self.sets[set.0].name.clone()
            }
        }
    }

    fn text_within(&self, expr: &Expr, outer: u8) -> String {
        match &expr.kind {
            ExprKind::Int(value) => value.to_string(),
            ExprKind::Real(value) => value.to_string(),
            ExprKind::Name { name, subscripts } => {
                self.subscripted(&self.names[name.0].name, subscripts)
            }
            ExprKind::LevelTest {
                column,
                subscripts,
                label,
                negated,
            } => {
                let column = self.subscripted(&self.names[column.0].name, subscripts);
                let operator = if *negated { "!=" } else { "==" };
                format!("{column} {operator} \"{label}\"")
            }
            ExprKind::Size(set) => format!("size({})", self.sets[set.0].name),
            ExprKind::LetterValue(letter) => self.letters[letter.0].name.clone(),
            ExprKind::Reduce {
                function,
                letters,
                body,
                ..
            } => {
                let letters: Vec<&str> = letters
                    .iter()
                    .map(|letter| self.letters[letter.0].name.as_str())
                    .collect();
                let body = self.text_within(body, 0);
                format!("{}[{}]({body})", function.name, letters.join(", "))
            }
            ExprKind::Unary { operator, operand } => {
                let inside = self.text_within(operand, 9);
                match operator {
                    UnaryOp::Transpose => format!("{inside}'"),
                    UnaryOp::Negate | UnaryOp::Plus | UnaryOp::Not => {
                        format!("{}{inside}", operator.symbol())
                    }
                }
            }
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let level = precedence(*operator);
                let left = self.text_within(left, level);
                let right = self.text_within(right, level + 1);
                let text = format!("{left} {} {right}", operator.symbol());
                if level < outer {
                    format!("({text})")
                } else {
                    text
                }
            }
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => {
                let [condition, if_true, if_false] =
                    [condition, if_true, if_false].map(|part| self.text_within(part, 1));
                let text = format!("{condition} ? {if_true} : {if_false}");
                if outer > 0 { format!("({text})") } else { text }
            }
            ExprKind::Call {
                function,
                arguments,
                bar,
            } => {
                let mut text = format!("{}(", function.name);
                for (position, argument) in arguments.iter().enumerate() {
                    text.push_str(match position {
                        0 => "",
                        1 if *bar => " | ",
                        _ => ", ",
                    });
                    text.push_str(&self.text_within(argument, 0));
                }
                text.push(')');
                text
            }
            ExprKind::RowVector(elements) => format!("[{}]", self.list_text(elements)),
            ExprKind::Array(elements) => format!("{{{}}}", self.list_text(elements)),
        }
    }

    /// Expressions between commas.
    pub(super) fn list_text(&self, list: &[Expr]) -> String {
        let texts: Vec<String> = list.iter().map(|expr| self.expr_text(expr)).collect();
        texts.join(", ")
    }
}

/// How tightly an operator binds; larger is tighter.
fn precedence(operator: BinaryOp) -> u8 {
    match operator {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Equal | BinaryOp::NotEqual => 3,
        BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => 4,
        BinaryOp::Add | BinaryOp::Subtract => 5,
        BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Modulo
        | BinaryOp::ElementMultiply
        | BinaryOp::ElementDivide
        | BinaryOp::IntegerDivide
        | BinaryOp::LeftDivide => 6,
        BinaryOp::Power | BinaryOp::ElementPower => 8,
    }
}
