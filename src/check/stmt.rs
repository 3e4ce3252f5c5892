//! Statements.

use super::Checker;
use super::frame::{Ending, Place};
use super::function::Mode;
use super::promote::{joint_level, promote, promotions, real_constant};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Constraint, Expr, SizedTy, Stmt, StmtKind, VarId, VarRole, Variable};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Level, Ty};

impl<'a> Checker<'a> {
    /// Elaborates a statement and appends what it means; a faulty one appends nothing.
    pub(super) fn stmt(&mut self, written: &'a ast::Stmt, out: &mut Vec<Stmt>) {
        let span = written.span;
        let kind = match &written.kind {
            ast::StmtKind::Empty => None,
            ast::StmtKind::Declaration(declaration) => {
                self.declaration(declaration, out);
                None
            }
            ast::StmtKind::Assign {
                target,
                operator,
                value,
            } => {
                let value = self.value(value);
                self.assign(target, *operator, value, span)
            }
            ast::StmtKind::Tilde {
                variate,
                distribution,
                arguments,
                truncation,
            } => {
                self.tilde(
                    variate,
                    distribution,
                    arguments,
                    truncation.as_ref(),
                    span,
                    out,
                );
                None
            }
            ast::StmtKind::TargetIncrement(value) => self.target_increment(value, span),
            ast::StmtKind::JacobianIncrement(value) => self.jacobian_increment(value, span),
            ast::StmtKind::Call {
                function,
                arguments,
            } => self
                .call_statement(function, arguments, span)
                .map(|(id, arguments)| StmtKind::Call(id, arguments)),
            ast::StmtKind::For {
                variable,
                lower,
                upper,
                body,
            } => self.for_loop(variable, lower, upper, body),
            ast::StmtKind::ForEach {
                variable,
                collection,
                body,
            } => self.for_each(variable, collection, body),
            ast::StmtKind::While { condition, body } => self.while_loop(condition, body),
            ast::StmtKind::If {
                condition,
                then_body,
                else_body,
            } => self.branches(condition, then_body, else_body.as_deref()),
            ast::StmtKind::Block(body) | ast::StmtKind::Profile { body, .. } => {
                Some(StmtKind::Block(self.scoped(body)))
            }
            ast::StmtKind::Break => self.jump(StmtKind::Break, "break", span),
            ast::StmtKind::Continue => self.jump(StmtKind::Continue, "continue", span),
            ast::StmtKind::Return(value) => self.return_stmt(value.as_ref(), span),
            ast::StmtKind::Print(items) => self.items(items).map(StmtKind::Print),
            ast::StmtKind::Reject(items) => self.items(items).map(StmtKind::Reject),
            ast::StmtKind::FatalError(items) => self.items(items).map(StmtKind::FatalError),
        };
        out.extend(kind.map(|kind| Stmt { kind, span }));
    }

    /// Statements with names of their own.
    fn scoped(&mut self, body: &'a [ast::Stmt]) -> Vec<Stmt> {
        self.scopes.enter();
        let mut statements = Vec::new();
        for statement in body {
            self.stmt(statement, &mut statements);
        }
        self.scopes.leave();
        statements
    }

    /// The body of a loop or branch: a block's braces and a lone statement mean the same.
    fn body(&mut self, body: &'a ast::Stmt) -> Vec<Stmt> {
        match &body.kind {
            ast::StmtKind::Block(statements) => self.scoped(statements),
            _ => self.scoped(std::slice::from_ref(body)),
        }
    }

    /// What `print` and the like take: values of any type and texts.
    fn items(&mut self, written: &'a [ast::Expr]) -> Option<Vec<Expr>> {
        self.values(written)
    }

    // -----------------------------------------------------------------------------------------
    // The log density
    // -----------------------------------------------------------------------------------------

    fn target_increment(&mut self, value: &'a ast::Expr, span: Span) -> Option<StmtKind> {
        self.verify_adds_to_target("`target +=`", span);
        let value = self.summand(value)?;
        Some(StmtKind::AddTarget(value))
    }

    fn jacobian_increment(&mut self, value: &'a ast::Expr, span: Span) -> Option<StmtKind> {
        let place = self.frame.place;
        if !place.adds_jacobian() {
            self.report(
                Diagnostic::error(
                    Code::NoJacobianHere,
                    "`jacobian +=` cannot be used here",
                    span,
                    format!("in {}", place.describe()),
                )
                .with_note("Jacobians are added in transformed parameters and in functions ending in _jacobian."),
            );
        }
        let value = self.summand(value)?;
        Some(StmtKind::AddJacobian(value))
    }

    /// A number or a container of numbers.
    fn summand(&mut self, written: &'a ast::Expr) -> Option<Expr> {
        let value = self.value(written)?;
        match value.ty.scalar() {
            Ty::Real => Some(value),
            Ty::Int => {
                let ty = super::promote::with_scalar(&value.ty, &Ty::Real);
                Some(promote(value, &ty))
            }
            _ => {
                let title = format!("{} cannot be added to the log density", value.ty);
                self.fail(Diagnostic::error(
                    Code::AssignmentType,
                    title,
                    value.span,
                    "",
                ))
            }
        }
    }

    // -----------------------------------------------------------------------------------------
    // Control flow
    // -----------------------------------------------------------------------------------------

    fn for_loop(
        &mut self,
        variable: &'a ast::Identifier,
        lower: &'a ast::Expr,
        upper: &'a ast::Expr,
        body: &'a ast::Stmt,
    ) -> Option<StmtKind> {
        let lower = self.integer(lower, "the start of a loop");
        let upper = self.integer(upper, "the end of a loop");
        let level = joint_level(lower.iter().chain(&upper));
        let (var, body) = self.loop_body(variable, Some(Ty::Int), level, body);
        Some(StmtKind::For {
            var: var?,
            lower: lower?,
            upper: upper?,
            body,
        })
    }

    fn for_each(
        &mut self,
        variable: &'a ast::Identifier,
        collection: &'a ast::Expr,
        body: &'a ast::Stmt,
    ) -> Option<StmtKind> {
        let over = self.value(collection);
        let element = over.as_ref().and_then(|over| self.visited_type(over));
        let level = over.as_ref().map_or(Level::Data, |over| over.level);
        // How often it runs depends on the shape, not on the values.
        let (var, body) = self.loop_over(variable, element, level, Level::Data, body);
        Some(StmtKind::ForEach {
            var: var?,
            over: over?,
            body,
        })
    }

    fn visited_type(&mut self, over: &Expr) -> Option<Ty> {
        match &over.ty {
            Ty::Vector | Ty::RowVector | Ty::Matrix => Some(Ty::Real),
            Ty::Array(element) => Some((**element).clone()),
            ty => {
                let title = format!("{ty} has no elements to loop over");
                self.fail(
                    Diagnostic::error(Code::LoopType, title, over.span, "")
                        .with_hint("to count, write `for (i in 1:n)`"),
                )
            }
        }
    }

    fn loop_body(
        &mut self,
        variable: &'a ast::Identifier,
        ty: Option<Ty>,
        level: Level,
        body: &'a ast::Stmt,
    ) -> (Option<VarId>, Vec<Stmt>) {
        self.loop_over(variable, ty, level, level, body)
    }

    /// A loop's variable (without a type if the loop is at fault) and its body.
    fn loop_over(
        &mut self,
        variable: &'a ast::Identifier,
        ty: Option<Ty>,
        level: Level,
        rounds: Level,
        body: &'a ast::Stmt,
    ) -> (Option<VarId>, Vec<Stmt>) {
        self.scopes.enter();
        let id = ty.map(|ty| {
            self.allocate(Variable {
                name: variable.name.clone(),
                sized: SizedTy {
                    ty,
                    dims: Vec::new(),
                },
                role: VarRole::Loop,
                level,
                constraint: Constraint::None,
                span: variable.span,
            })
        });
        self.bind(variable, id);
        let body = self.in_loop(rounds, |checker| checker.body(body));
        self.scopes.leave();
        (id, body)
    }

    fn while_loop(&mut self, condition: &'a ast::Expr, body: &'a ast::Stmt) -> Option<StmtKind> {
        let condition = self.condition(condition);
        let level = condition
            .as_ref()
            .map_or(Level::Data, |condition| condition.level);
        let body = self.in_loop(level, |checker| checker.body(body));
        Some(StmtKind::While {
            condition: condition?,
            body,
        })
    }

    fn branches(
        &mut self,
        condition: &'a ast::Expr,
        then_body: &'a ast::Stmt,
        else_body: Option<&'a ast::Stmt>,
    ) -> Option<StmtKind> {
        let condition = self.condition(condition);
        let level = condition
            .as_ref()
            .map_or(Level::Data, |condition| condition.level);
        let then = self.under(level, |checker| checker.body(then_body));
        let otherwise = self.under(level, |checker| {
            else_body.map_or_else(Vec::new, |body| checker.body(body))
        });
        Some(StmtKind::If {
            condition: condition?,
            then,
            otherwise,
        })
    }

    fn jump(&mut self, kind: StmtKind, word: &str, span: Span) -> Option<StmtKind> {
        if !self.frame.in_loop() {
            let title = format!("`{word}` outside of a loop");
            return self.fail(Diagnostic::error(Code::OutsideLoop, title, span, ""));
        }
        self.note_jump();
        Some(kind)
    }

    fn return_stmt(&mut self, value: Option<&'a ast::Expr>, span: Span) -> Option<StmtKind> {
        if !matches!(self.frame.place, Place::Function(_)) {
            let title = "only functions return";
            return self.fail(Diagnostic::error(Code::MisplacedReturn, title, span, ""));
        }
        let wanted = self.frame.result.clone();
        let Some(written) = value else {
            if wanted == Ty::Void {
                return Some(StmtKind::Return(None));
            }
            let title = format!("this function must return {wanted}");
            return self.fail(Diagnostic::error(Code::ReturnType, title, span, "no value"));
        };
        let drops = self.frame.from_library
            && self.frame.mode == Mode::Unnormalized
            && self.frame.place == Place::Function(Ending::Density);
        let value = if drops {
            let kept = self.kept_terms(written)?;
            kept.unwrap_or_else(|| real_constant(0.0, span))
        } else {
            self.value(written)?
        };
        if wanted == Ty::Void {
            let title = "this function is declared void and returns no value";
            return self.fail(Diagnostic::error(Code::ReturnType, title, value.span, ""));
        }
        if promotions(&value.ty, &wanted).is_none() {
            let title = format!("this function returns {wanted}, not {}", value.ty);
            return self.fail(Diagnostic::error(Code::ReturnType, title, value.span, ""));
        }
        Some(StmtKind::Return(Some(promote(value, &wanted))))
    }
}
