//! Expressions.

use super::Checker;
use super::promote::{common_type, int_constant, joint_level, promote, real_constant};
use super::scope::nearest;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Expr, ExprKind};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Level, Ty};

impl<'a> Checker<'a> {
    /// Elaborates an expression; `None` once its fault has been reported.
    pub(super) fn expr(&mut self, written: &'a ast::Expr) -> Option<Expr> {
        let span = written.span;
        match &written.kind {
            ast::ExprKind::Int(value) => Some(int_constant(i64::from(*value), span)),
            ast::ExprKind::Real(value) => Some(real_constant(*value, span)),
            ast::ExprKind::Imaginary(_) => self.unsupported("complex numbers are", span),
            ast::ExprKind::Text(text) => Some(Expr {
                kind: ExprKind::Text(text.clone()),
                ty: Ty::Void,
                level: Level::Data,
                span,
            }),
            ast::ExprKind::Variable(name) => self.variable_use(name, span),
            ast::ExprKind::Unary { operator, operand } => {
                let operand = self.value(operand)?;
                self.unary(*operator, operand, span)
            }
            ast::ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let (left, right) = (self.value(left), self.value(right));
                self.binary(*operator, left?, right?, span)
            }
            ast::ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => self.ternary(condition, if_true, if_false, span),
            ast::ExprKind::Index { base, indices } => {
                let base = self.value(base);
                match base {
                    Some(base) => self.indexed(base, indices, span),
                    None => {
                        self.indices(indices);
                        None
                    }
                }
            }
            ast::ExprKind::Projection { base, slot } => {
                let base = self.value(base)?;
                let (position, ty) = self.part(&base.ty, *slot, span)?;
                Some(Expr {
                    level: base.level,
                    kind: ExprKind::Project(Box::new(base), position),
                    ty,
                    span,
                })
            }
            ast::ExprKind::Tuple(parts) => {
                let parts = self.values(parts)?;
                Some(Expr {
                    ty: Ty::Tuple(parts.iter().map(|part| part.ty.clone()).collect()),
                    level: joint_level(&parts),
                    kind: ExprKind::Tuple(parts),
                    span,
                })
            }
            ast::ExprKind::Call {
                function,
                arguments,
                bar,
            } => self.call(function, arguments, *bar, span),
            ast::ExprKind::Reduction { function, .. } => {
                self.fail(reduction_in_block_form(&function.name, span))
            }
            ast::ExprKind::Target => self.target(span),
            ast::ExprKind::Array(elements) => self.array(elements, span),
            ast::ExprKind::RowVector(elements) => self.row_vector(elements, span),
        }
    }

    /// An expression that has a value: not a call of a void function.
    pub(super) fn value(&mut self, written: &'a ast::Expr) -> Option<Expr> {
        let expr = self.expr(written)?;
        if expr.ty == Ty::Void && !matches!(expr.kind, ExprKind::Text(_)) {
            return self.fail(Diagnostic::error(
                Code::NoValue,
                "this function returns nothing",
                written.span,
                "a value is needed here",
            ));
        }
        Some(expr)
    }

    /// Several expressions; all are checked even if one is wrong.
    pub(super) fn values(&mut self, written: &'a [ast::Expr]) -> Option<Vec<Expr>> {
        let elaborated: Vec<Option<Expr>> = written.iter().map(|expr| self.value(expr)).collect();
        elaborated.into_iter().collect()
    }

    /// An int; `what` it is for is part of the message.
    pub(super) fn integer(&mut self, written: &'a ast::Expr, what: &str) -> Option<Expr> {
        let expr = self.value(written)?;
        if expr.ty != Ty::Int {
            let title = format!("{what} must be int, not {}", expr.ty);
            return self.fail(Diagnostic::error(
                Code::IntegerExpected,
                title,
                expr.span,
                "",
            ));
        }
        Some(expr)
    }

    /// The condition of a statement or of `?:`.
    pub(super) fn condition(&mut self, written: &'a ast::Expr) -> Option<Expr> {
        let expr = self.value(written)?;
        if expr.ty != Ty::Int {
            let title = format!("a condition must be int, not {}", expr.ty);
            return self.fail(
                Diagnostic::error(Code::ConditionType, title, expr.span, "")
                    .with_hint("compare, as in `x > 0`"),
            );
        }
        Some(expr)
    }

    fn variable_use(&mut self, name: &'a str, span: Span) -> Option<Expr> {
        let Some(binding) = self.scopes.find(name) else {
            return self.undeclared(name, span);
        };
        let id = binding.variable?;
        let variable = self.variable(id);
        Some(Expr {
            kind: ExprKind::Variable(id),
            ty: variable.sized.ty.clone(),
            level: variable.level,
            span,
        })
    }

    fn undeclared<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let title = format!("`{name}` is not declared");
        let diagnostic = Diagnostic::error(Code::UndeclaredVariable, title, span, "");
        let is_function = !self.user_definitions(name).is_empty() || self.is_library_name(name);
        let diagnostic = if is_function {
            diagnostic.with_note(format!(
                "`{name}` is a function; its value needs parentheses: `{name}(…)`."
            ))
        } else if let Some(near) = nearest(name, self.scopes.names()) {
            diagnostic.with_hint(format!("did you mean `{near}`?"))
        } else {
            diagnostic.with_note("Variables are declared with their type before they are used.")
        };
        self.fail(diagnostic)
    }

    fn ternary(
        &mut self,
        condition: &'a ast::Expr,
        if_true: &'a ast::Expr,
        if_false: &'a ast::Expr,
        span: Span,
    ) -> Option<Expr> {
        let condition = self.condition(condition);
        let (if_true, if_false) = (self.value(if_true), self.value(if_false));
        let (condition, if_true, if_false) = (condition?, if_true?, if_false?);
        let Some(ty) = common_type(&if_true.ty, &if_false.ty) else {
            let title = "the two values of `?:` differ in type";
            return self.fail(
                Diagnostic::error(Code::OperandTypes, title, span, "")
                    .with_secondary(if_true.span, if_true.ty.to_string())
                    .with_secondary(if_false.span, if_false.ty.to_string()),
            );
        };
        let level = joint_level([&condition, &if_true, &if_false]);
        Some(Expr {
            kind: ExprKind::Ternary(
                Box::new(condition),
                Box::new(promote(if_true, &ty)),
                Box::new(promote(if_false, &ty)),
            ),
            ty,
            level,
            span,
        })
    }

    fn target(&mut self, span: Span) -> Option<Expr> {
        if !self.frame.place.sees_target() {
            return self.fail(
                Diagnostic::error(
                    Code::NoTargetHere,
                    "the log density cannot be read here",
                    span,
                    format!("in {}", self.frame.place.describe()),
                )
                .with_note("`target()` can be used in transformed parameters, in the model block and in functions ending in _lp."),
            );
        }
        Some(Expr {
            kind: ExprKind::Target,
            ty: Ty::Real,
            level: Level::Param,
            span,
        })
    }

    fn array(&mut self, written: &'a [ast::Expr], span: Span) -> Option<Expr> {
        let elements = self.values(written)?;
        let ty = self.element_type(&elements, "an array")?;
        let level = joint_level(&elements);
        let elements = elements
            .into_iter()
            .map(|element| promote(element, &ty))
            .collect();
        Some(Expr {
            kind: ExprKind::Array(elements),
            ty: Ty::Array(Box::new(ty)),
            level,
            span,
        })
    }

    fn row_vector(&mut self, written: &'a [ast::Expr], span: Span) -> Option<Expr> {
        let elements = self.values(written)?;
        let element = self.element_type(&elements, "a row vector or matrix")?;
        let level = joint_level(&elements);
        let (kind, ty) = match element {
            Ty::Int | Ty::Real => {
                let reals = elements
                    .into_iter()
                    .map(|element| promote(element, &Ty::Real));
                (ExprKind::Row(reals.collect()), Ty::RowVector)
            }
            Ty::RowVector => (ExprKind::Matrix(elements), Ty::Matrix),
            other => {
                return self.fail(
                    Diagnostic::error(
                        Code::MixedElements,
                        format!("brackets cannot hold elements of type {other}"),
                        span,
                        "",
                    )
                    .with_note("`[…]` makes a row vector of numbers, or a matrix of row vectors.")
                    .with_hint("use `{…}` for an array"),
                );
            }
        };
        Some(Expr {
            kind,
            ty,
            level,
            span,
        })
    }

    /// The type that all elements promote to.
    fn element_type(&mut self, elements: &[Expr], what: &str) -> Option<Ty> {
        let mut ty = elements.first()?.ty.clone();
        for element in elements {
            match common_type(&ty, &element.ty) {
                Some(common) => ty = common,
                None => {
                    let title = format!("the elements of {what} must have one type");
                    let label = format!("{}, but the elements before are {ty}", element.ty);
                    return self.fail(Diagnostic::error(
                        Code::MixedElements,
                        title,
                        element.span,
                        label,
                    ));
                }
            }
        }
        Some(ty)
    }

    /// Whether no parameter can reach the value, by the language's static rule: integers and everything in
    /// generated quantities count as data.
    pub(super) fn is_static_data(&self, expr: &Expr) -> bool {
        let generated = matches!(
            self.frame.place,
            super::frame::Place::Generated | super::frame::Place::Prompt
        );
        generated || expr.level == Level::Data || expr.ty.scalar() == Ty::Int
    }
}

/// The error for `mean[i](x)` where letters bind nothing.
fn reduction_in_block_form(function: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::ReductionInBlockForm,
        "a reduction over letters belongs to the equation form",
        span,
        "no letter is known in block form",
    )
    .with_hint(format!(
        "Give `{function}` a vector or an array: `{function}(x)`."
    ))
}
