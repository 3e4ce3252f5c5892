//! Statements.

use super::Checker;
use super::frame::{Ending, Place};
use super::function::Mode;
use super::index::{index_level, indexed_ty, is_single, too_many_indexes};
use super::mention::index_mentions;
use super::promote::{joint_level, promote, promotions, real_constant};
use super::scope::nearest;
use crate::diag::{Code, Diagnostic};
use crate::ir::{
    Constraint, Expr, ExprKind, Index, SizedTy, Stmt, StmtKind, VarId, VarRole, Variable,
};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp};
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
            } => self.assign(target, *operator, value, span),
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
    // Assignment
    // -----------------------------------------------------------------------------------------

    fn assign(
        &mut self,
        target: &'a ast::LValue,
        operator: Option<BinaryOp>,
        value: &'a ast::Expr,
        span: Span,
    ) -> Option<StmtKind> {
        let value = self.value(value);
        let place = match target {
            ast::LValue::Place(place) => place,
            ast::LValue::Tuple { span, .. } => return self.unsupported("tuples are", *span),
        };
        let (id, indices) = self.place(place)?;
        let mut value = value?;
        let declared = self.variable(id).sized.ty.clone();
        let ty = indexed_ty(&declared, &indices);
        if index_mentions(&indices, &|mentioned| mentioned == id) {
            self.report_index_reads_target(place);
        }
        if let Some(operator) = operator {
            if ty.is_scalar() && is_elementwise(operator) {
                return self.scalar_elementwise(operator, &ty, span);
            }
            let current = self.current_value(id, &indices, &ty, place.span);
            value = self.binary(operator, current, value, span)?;
        }
        let value = self.assignable(value, &ty)?;
        self.raise(id, value.level.max(index_level(&indices)));
        Some(StmtKind::Assign {
            target: id,
            indices,
            projections: Vec::new(),
            value,
        })
    }

    fn report_index_reads_target(&mut self, place: &ast::Place) {
        let name = &place.variable.name;
        self.report(
            Diagnostic::error(
                Code::IndexReadsTarget,
                format!("the index reads `{name}`, which is being assigned"),
                place.span,
                "",
            )
            .with_hint("compute the index in a statement before"),
        );
    }

    fn scalar_elementwise<T>(&mut self, operator: BinaryOp, ty: &Ty, span: Span) -> Option<T> {
        let symbol = operator.symbol();
        let title = format!("`{symbol}=` works on containers, not on {ty}");
        let hint = format!("write `{}=`", &symbol[1..]);
        self.fail(Diagnostic::error(Code::OperandTypes, title, span, "").with_hint(hint))
    }

    /// Assigns a whole variable, as its declaration does.
    pub(super) fn assign_whole(
        &mut self,
        target: VarId,
        value: Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let ty = self.variable(target).sized.ty.clone();
        let Some(value) = self.assignable(value, &ty) else {
            return;
        };
        self.raise(target, value.level);
        let kind = StmtKind::Assign {
            target,
            indices: Vec::new(),
            projections: Vec::new(),
            value,
        };
        out.push(Stmt { kind, span });
    }

    /// The left side of an assignment: a variable that can be written here, and the way into it.
    fn place(&mut self, place: &'a ast::Place) -> Option<(VarId, Vec<Index>)> {
        let id = self.written_variable(&place.variable);
        let mut indices: Vec<Index> = Vec::new();
        let mut sound = true;
        for step in &place.path {
            let ast::PlaceStep::Index(written) = step else {
                return self.unsupported("tuples are", place.span);
            };
            if !indices.iter().all(is_single) {
                self.report_nested_slices(place.span);
                sound = false;
            }
            match self.indices(written) {
                Some(further) => indices.extend(further),
                None => sound = false,
            }
        }
        let id = id?;
        let ty = &self.variable(id).sized.ty;
        if indices.len() > ty.rank() {
            let title = too_many_indexes(ty, indices.len());
            return self.fail(Diagnostic::error(Code::NotIndexable, title, place.span, ""));
        }
        sound.then_some((id, indices))
    }

    fn report_nested_slices(&mut self, span: Span) {
        self.report(
            Diagnostic::error(
                Code::NestedSlices,
                "a slice of a slice cannot be assigned",
                span,
                "",
            )
            .with_hint("put all indexes into one pair of brackets: `x[1:3, 2]`"),
        );
    }

    fn written_variable(&mut self, name: &'a ast::Identifier) -> Option<VarId> {
        let Some(binding) = self.scopes.find(&name.name) else {
            return self.undeclared_target(name);
        };
        let (id, declared_at) = (binding.variable?, binding.span);
        let variable = self.variable(id);
        let place = self.frame.place;
        let reason = match variable.role {
            VarRole::Local => return Some(id),
            VarRole::TransformedData if place == Place::TransformedData => return Some(id),
            VarRole::TransformedParameter if place == Place::TransformedParameters => {
                return Some(id);
            }
            VarRole::Generated if place == Place::Generated => return Some(id),
            VarRole::Loop => "the variable of a loop".to_owned(),
            VarRole::Argument => "an argument of the function".to_owned(),
            VarRole::Data => "data".to_owned(),
            VarRole::Parameter | VarRole::Free => "a parameter".to_owned(),
            VarRole::TransformedData => "declared in transformed data".to_owned(),
            VarRole::TransformedParameter => "declared in transformed parameters".to_owned(),
            VarRole::Generated => "declared in generated quantities".to_owned(),
        };
        self.fail(
            Diagnostic::error(
                Code::ReadOnly,
                format!("`{}` cannot be assigned here", name.name),
                name.span,
                format!("it is {reason}"),
            )
            .with_secondary(declared_at, "declared here")
            .with_hint("assign to a local variable instead"),
        )
    }

    fn undeclared_target<T>(&mut self, name: &ast::Identifier) -> Option<T> {
        let title = format!("`{}` is not declared", name.name);
        let diagnostic = Diagnostic::error(Code::UndeclaredVariable, title, name.span, "");
        let diagnostic = match nearest(&name.name, self.scopes.names()) {
            Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
            None => diagnostic.with_hint(format!("declare it first: `real {};`", name.name)),
        };
        self.fail(diagnostic)
    }

    /// What a compound assignment reads.
    fn current_value(&self, id: VarId, indices: &[Index], ty: &Ty, span: Span) -> Expr {
        let variable = self.variable(id);
        let whole = Expr {
            kind: ExprKind::Variable(id),
            ty: variable.sized.ty.clone(),
            level: variable.level,
            span,
        };
        if indices.is_empty() {
            return whole;
        }
        let level = whole.level.max(index_level(indices));
        Expr {
            kind: ExprKind::Index(Box::new(whole), indices.to_vec()),
            ty: ty.clone(),
            level,
            span,
        }
    }

    /// The value promoted to the type of what it is assigned to.
    fn assignable(&mut self, value: Expr, ty: &Ty) -> Option<Expr> {
        if promotions(&value.ty, ty).is_some() {
            return Some(promote(value, ty));
        }
        let title = format!("{} cannot be assigned to {ty}", value.ty);
        let diagnostic = Diagnostic::error(Code::AssignmentType, title, value.span, "");
        let hint = match (&value.ty, ty) {
            (Ty::Real, Ty::Int) => {
                Some("declare the variable real; of data, `to_int(x)` drops the fraction")
            }
            (Ty::RowVector, Ty::Vector) | (Ty::Vector, Ty::RowVector) => {
                Some("transpose it with `'`")
            }
            (Ty::Array(_), Ty::Vector) => Some("convert it with `to_vector`"),
            (Ty::Vector | Ty::RowVector | Ty::Matrix, Ty::Array(_)) => {
                Some("convert it with `to_array_1d` or `to_array_2d`")
            }
            _ => None,
        };
        self.fail(match hint {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        })
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

/// Whether the operator is one of those that start with a dot.
fn is_elementwise(operator: BinaryOp) -> bool {
    matches!(
        operator,
        BinaryOp::ElementMultiply | BinaryOp::ElementDivide | BinaryOp::ElementPower
    )
}
