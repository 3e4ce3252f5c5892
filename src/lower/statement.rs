//! Statements: run now where they only concern what is known, else emitted.

use super::environment::Binding;
use super::index::describe;
use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::view::{Val, View, kind_of};
use crate::builtins::{Kind, Prim, Scalar};
use crate::interp::Value;
use crate::ir::{Expr, ExprKind, Stmt as IrStmt, StmtKind, VarId};
use crate::loops::{Message, MessageKind, Part, Slice, Stmt, ValueId};
use crate::source::Span;
use crate::types::{Level, Ty};
use std::rc::Rc;

/// A loop whose body must know its variable is unrolled up to this many rounds; a guess: beyond it, code would take
/// longer to compile than anyone waits.
const MAX_UNROLL: i64 = 20_000;

/// Containers of more elements than this are printed in part.
const MAX_PRINTED: usize = 200;

/// How a list of statements ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// At its end.
    Next,
    /// In a `return`, on every path.
    Returned,
    /// In a `break` of the unrolled loop around it.
    Broke,
    /// In a `continue` of the unrolled loop around it.
    Continued,
}

/// What follows the statements at hand, in the same function: needed where a branch that is not known now returns.
#[derive(Clone, Copy)]
struct Rest<'a> {
    what: What<'a>,
    next: Option<&'a Rest<'a>>,
}

/// A part of what follows.
#[derive(Clone, Copy)]
enum What<'a> {
    /// The statements after this one in its block.
    Stmts(&'a [IrStmt]),
    /// The rounds that an unrolled loop has left.
    Rounds {
        var: VarId,
        from: i64,
        last: i64,
        body: &'a [IrStmt],
    },
    /// The rounds that a `while` that runs now has left.
    While {
        condition: &'a Expr,
        body: &'a [IrStmt],
    },
}

impl Lowering<'_> {
    /// Lowers the statements of a block or of a function's body.
    pub fn statements(&mut self, stmts: &[IrStmt]) -> Lowered<()> {
        self.run(stmts, None).map(|_| ())
    }

    fn run(&mut self, stmts: &[IrStmt], next: Option<&Rest<'_>>) -> Lowered<Flow> {
        for (position, stmt) in stmts.iter().enumerate() {
            let rest = Rest {
                what: What::Stmts(&stmts[position + 1..]),
                next,
            };
            let flow = self.statement(stmt, &rest)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, stmt: &IrStmt, rest: &Rest<'_>) -> Lowered<Flow> {
        match &stmt.kind {
            StmtKind::Declare(var) => self.declare(*var)?,
            StmtKind::Assign {
                target,
                indices,
                projections,
                value,
            } => {
                self.assign(*target, indices, projections, value, stmt.span)?;
            }
            StmtKind::AddTarget(value) => {
                if self.counts_target {
                    self.add_terms(value, false)?;
                }
            }
            StmtKind::AddJacobian(value) => {
                if self.counts_jacobian {
                    self.add_terms(value, false)?;
                }
            }
            StmtKind::For {
                var,
                lower,
                upper,
                body,
            } => {
                return self.for_range(*var, lower, upper, body, rest);
            }
            StmtKind::ForEach { var, over, body } => {
                return self.for_each(*var, over, body, stmt.span);
            }
            StmtKind::While { condition, body } => {
                return self.while_loop(condition, body, stmt.span, Some(rest));
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                return self.branch(condition, then, otherwise, rest, stmt.span);
            }
            StmtKind::Block(body) => {
                return self.run(body, Some(rest));
            }
            StmtKind::Break => return Ok(Flow::Broke),
            StmtKind::Continue => return Ok(Flow::Continued),
            StmtKind::Return(value) => return self.do_return(value.as_ref(), stmt.span),
            StmtKind::Print(parts) => {
                let (message, values) = self.message_of(parts, MessageKind::Print, stmt.span)?;
                self.builder.push(Stmt::Print { message, values });
            }
            StmtKind::Reject(parts) => self.stop(parts, MessageKind::Reject, None, stmt.span)?,
            StmtKind::FatalError(parts) => self.stop(parts, MessageKind::Fatal, None, stmt.span)?,
            StmtKind::Call(function, args) => {
                let values = self.arguments(args)?;
                self.invoke(
                    *function,
                    values,
                    super::call::Returns::Directly(None),
                    stmt.span,
                )?;
            }
            StmtKind::Validate(var) => self.validate(*var)?,
        }
        Ok(Flow::Next)
    }

    // ------------------------------------------------------------------------------------------
    // Declarations
    // ------------------------------------------------------------------------------------------

    fn declare(&mut self, var: VarId) -> Lowered<()> {
        let program = self.program;
        let variable = program.variable(var);
        let ty = &variable.sized.ty;
        let dims = self.static_dims(var)?;
        if variable.level == Level::Data {
            let value = Value::uninitialised(ty, &dims);
            self.env.set(var, Binding::Static(Rc::new(value)));
            return Ok(());
        }
        if matches!(ty.array_parts().1, Ty::Tuple(_)) {
            return Err(LowerError::unsupported(
                "a tuple variable that depends on parameters",
                variable.span,
            ));
        }
        if ty.is_scalar() {
            self.env.set(
                var,
                Binding::Scalar {
                    kind: kind_of(ty),
                    current: None,
                    cell: None,
                },
            );
            return Ok(());
        }
        let view = self.new_storage(&variable.name, ty, &dims);
        if !self.loops.is_empty() {
            self.fill_unset(&view);
        }
        self.env.set(var, Binding::Storage(Rc::new(view)));
        Ok(())
    }

    /// Storage that a loop comes back to starts each round unset.
    fn fill_unset(&mut self, view: &View) {
        let super::view::Source::Strided { buffer, offset, .. } = view.source else {
            return;
        };
        let mut count = self.int(1);
        for &dim in &view.dims {
            count = self.mul_int(count, dim);
        }
        let (one, value) = (self.int(1), self.unset(view.kind()));
        self.builder.push(Stmt::Fill(
            Slice {
                buffer,
                offset,
                rows: count,
                cols: one,
            },
            value,
        ));
    }

    // ------------------------------------------------------------------------------------------
    // Control flow
    // ------------------------------------------------------------------------------------------

    fn branch(
        &mut self,
        condition: &Expr,
        then: &[IrStmt],
        otherwise: &[IrStmt],
        rest: &Rest<'_>,
        span: Span,
    ) -> Lowered<Flow> {
        if let Some(truth) = self.static_truth(condition)? {
            return self.run(if truth { then } else { otherwise }, Some(rest));
        }
        if let Some((parts, kind, place)) = only_stop(then)
            && otherwise.is_empty()
        {
            let condition = self.scalar(condition)?;
            let ok = self.prim(Prim::Not, &[condition]);
            self.stop(parts, kind, Some(ok), place)?;
            return Ok(Flow::Next);
        }
        let chosen = self.scalar(condition)?;
        if let Some(truth) = self.builder.known_int(chosen) {
            return self.run(if truth != 0 { then } else { otherwise }, Some(rest));
        }
        if leaves(then) || leaves(otherwise) {
            if breaks(then) || breaks(otherwise) {
                return Err(LowerError::unsupported(
                    "break or continue under a condition that depends on parameters",
                    span,
                ));
            }
            return self.branch_that_returns(chosen, then, otherwise, rest);
        }
        self.settle(&[then, otherwise]);
        let before = self.env.clone();
        let mut blocks = Vec::with_capacity(2);
        for stmts in [then, otherwise] {
            self.builder.open();
            let outcome = self.run(stmts, None);
            blocks.push(self.builder.close());
            self.env = before.clone();
            outcome?;
        }
        let otherwise_code = blocks.pop().unwrap_or_default();
        let then_code = blocks.pop().unwrap_or_default();
        self.builder.push(Stmt::If {
            condition: chosen,
            then: then_code,
            otherwise: otherwise_code,
        });
        self.forget(&[then, otherwise]);
        Ok(Flow::Next)
    }

    /// A branch that returns on some path: what follows it in the function becomes part of both branches.
    fn branch_that_returns(
        &mut self,
        chosen: ValueId,
        then: &[IrStmt],
        otherwise: &[IrStmt],
        rest: &Rest<'_>,
    ) -> Lowered<Flow> {
        self.return_through_memory();
        let mut later: Vec<&[IrStmt]> = vec![then, otherwise];
        let mut next = Some(rest);
        while let Some(rest) = next {
            later.push(match rest.what {
                What::Stmts(body) | What::Rounds { body, .. } | What::While { body, .. } => body,
            });
            next = rest.next;
        }
        self.settle(&later);
        let before = self.env.clone();
        let mut blocks = Vec::with_capacity(2);
        for stmts in [then, otherwise] {
            self.builder.open();
            let outcome = self.run(stmts, Some(rest)).and_then(|flow| match flow {
                Flow::Next => self.run_rest(Some(rest)),
                flow => Ok(flow),
            });
            blocks.push(self.builder.close());
            self.env = before.clone();
            outcome?;
        }
        let otherwise = blocks.pop().unwrap_or_default();
        let then = blocks.pop().unwrap_or_default();
        self.builder.push(Stmt::If {
            condition: chosen,
            then,
            otherwise,
        });
        Ok(Flow::Returned)
    }

    fn run_rest(&mut self, rest: Option<&Rest<'_>>) -> Lowered<Flow> {
        let Some(rest) = rest else {
            return Ok(Flow::Next);
        };
        let flow = match rest.what {
            What::Stmts(stmts) => self.run(stmts, rest.next)?,
            What::Rounds {
                var,
                from,
                last,
                body,
            } => self.rounds(var, from, last, body, rest.next)?,
            What::While { condition, body } => {
                self.while_loop(condition, body, condition.span, rest.next)?
            }
        };
        match flow {
            Flow::Next => self.run_rest(rest.next),
            flow => Ok(flow),
        }
    }

    fn for_range(
        &mut self,
        var: VarId,
        lower: &Expr,
        upper: &Expr,
        body: &[IrStmt],
        rest: &Rest<'_>,
    ) -> Lowered<Flow> {
        let (first, last) = (self.scalar(lower)?, self.scalar(upper)?);
        if let (Some(first), Some(last)) =
            (self.builder.known_int(first), self.builder.known_int(last))
        {
            if last < first {
                return Ok(Flow::Next);
            }
            if first == last || leaves(body) || self.concerns_known(body) {
                return self.rounds(var, first, last, body, Some(rest));
            }
            let (env, returns) = (self.env.clone(), self.returns.clone());
            self.builder.open();
            let outcome = self.kept_loop(var, first, last, body);
            let code = self.builder.close();
            let is_short = last - first < MAX_UNROLL;
            return match outcome {
                Err(LowerError::Dynamic { .. }) if is_short && !self.asks_further_out() => {
                    self.env = env;
                    self.returns = returns;
                    self.rounds(var, first, last, body, Some(rest))
                }
                outcome => {
                    outcome?;
                    code.into_iter().for_each(|stmt| self.builder.push(stmt));
                    Ok(Flow::Next)
                }
            };
        }
        if leaves(body) {
            let what = "leaving early a loop whose bounds are not known";
            return Err(LowerError::unsupported(what, lower.span.to(upper.span)));
        }
        let (start, one) = (first, self.int(1));
        let end = self.add_int(last, one);
        self.settle(&[body]);
        self.residual_loop(start, end, &mut |lowering, index| {
            lowering.env.set(var, Binding::Fixed(Val::Scalar(index)));
            lowering.run(body, None).map(|_| ())
        })?;
        self.forget(&[body]);
        Ok(Flow::Next)
    }

    /// The rounds of an unrolled loop, each with its variable known.
    fn rounds(
        &mut self,
        var: VarId,
        first: i64,
        last: i64,
        body: &[IrStmt],
        next: Option<&Rest<'_>>,
    ) -> Lowered<Flow> {
        for value in first..=last {
            self.env
                .set(var, Binding::Static(Rc::new(Value::Int(value))));
            let rest = Rest {
                what: What::Rounds {
                    var,
                    from: value + 1,
                    last,
                    body,
                },
                next,
            };
            match self.run(body, Some(&rest))? {
                Flow::Next | Flow::Continued => {}
                Flow::Broke => break,
                Flow::Returned => return Ok(Flow::Returned),
            }
        }
        Ok(Flow::Next)
    }

    fn for_each(&mut self, var: VarId, over: &Expr, body: &[IrStmt], span: Span) -> Lowered<Flow> {
        if leaves(body) {
            return Err(LowerError::unsupported(
                "leaving a foreach loop early",
                span,
            ));
        }
        let view = self.view(over)?;
        let view = self.readable(&view, over.span)?;
        self.settle(&[body]);
        if view.ty == Ty::Matrix {
            let (ty, dims) = (view.ty.clone(), view.dims.clone());
            self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
                let element = lowering.element(&view, indexes)?;
                lowering.env.set(var, Binding::Fixed(Val::Scalar(element)));
                lowering.run(body, None).map(|_| ())
            })?;
        } else {
            let (zero, size) = (self.int(0), view.dims[0]);
            self.residual_loop(zero, size, &mut |lowering, index| {
                let element = if view.dims.len() == 1 {
                    Val::Scalar(lowering.element(&view, &[index])?)
                } else {
                    Val::View(Rc::new(lowering.element_view(&view, index)))
                };
                lowering.env.set(var, Binding::Fixed(element));
                lowering.run(body, None).map(|_| ())
            })?;
        }
        self.forget(&[body]);
        Ok(Flow::Next)
    }

    fn while_loop(
        &mut self,
        condition: &Expr,
        body: &[IrStmt],
        span: Span,
        next: Option<&Rest<'_>>,
    ) -> Lowered<Flow> {
        let mut rounds = 0;
        while let Some(truth) = self.static_truth(condition)? {
            if !truth {
                return Ok(Flow::Next);
            }
            rounds += 1;
            if rounds > MAX_UNROLL {
                return Err(LowerError::unsupported(
                    "unrolling a loop of so many rounds",
                    span,
                ));
            }
            let rest = Rest {
                what: What::While { condition, body },
                next,
            };
            match self.run(body, Some(&rest))? {
                Flow::Next | Flow::Continued => {}
                Flow::Broke => return Ok(Flow::Next),
                Flow::Returned => return Ok(Flow::Returned),
            }
        }
        if leaves(body) {
            return Err(LowerError::unsupported(
                "leaving early a loop whose condition depends on parameters",
                span,
            ));
        }
        self.settle(&[body]);
        let before = self.env.clone();
        self.builder.open();
        let outcome = self.scalar(condition);
        let header = self.builder.close();
        let mut code = Vec::new();
        let outcome = outcome.and_then(|value| {
            self.builder.open();
            let outcome = self.run(body, None);
            code = self.builder.close();
            outcome.map(|_| value)
        });
        self.env = before;
        let value = outcome?;
        self.builder.push(Stmt::While {
            header,
            condition: value,
            body: code,
        });
        self.forget(&[body]);
        Ok(Flow::Next)
    }

    // ------------------------------------------------------------------------------------------
    // Variables across control flow
    // ------------------------------------------------------------------------------------------

    /// Before control flow that is not known now: variables that it assigns move into cells and buffers.
    pub fn settle(&mut self, bodies: &[&[IrStmt]]) {
        for var in assigned_in(bodies) {
            self.settle_variable(var);
        }
    }

    /// Moves a variable into a cell or buffer.
    pub fn settle_variable(&mut self, var: VarId) {
        let Some(binding) = self.env.get(var).cloned() else {
            return;
        };
        match binding {
            Binding::Static(value) => match value.as_scalar() {
                Some(scalar) => {
                    let (kind, current) = match scalar {
                        Scalar::Int(constant) => (Kind::Int, self.builder.int(constant)),
                        Scalar::Real(constant) => (Kind::Real, self.builder.real(constant)),
                    };
                    let name = self.program.variable(var).name.clone();
                    let cell = self.builder.cell(&name, kind);
                    self.builder.push(Stmt::Set(cell, current));
                    self.env.set(
                        var,
                        Binding::Scalar {
                            kind,
                            current: Some(current),
                            cell: Some(cell),
                        },
                    );
                }
                None => self.settle_container(var, &value),
            },
            Binding::Scalar {
                kind,
                current,
                cell: None,
            } => {
                let name = self.program.variable(var).name.clone();
                let cell = self.builder.cell(&name, kind);
                let current = match current {
                    Some(current) => current,
                    None => self.unset(kind),
                };
                self.builder.push(Stmt::Set(cell, current));
                self.env.set(
                    var,
                    Binding::Scalar {
                        kind,
                        current: Some(current),
                        cell: Some(cell),
                    },
                );
            }
            _ => {}
        }
        // Inside, and after, its value must be read from the cell.
        self.env.set_current(var, None);
    }

    fn settle_container(&mut self, var: VarId, value: &Rc<Value>) {
        let Value::Container(container) = &**value else {
            return;
        };
        let name = self.program.variable(var).name.clone();
        let view = self.new_storage(&name, &container.ty, &container.dims);
        let unset = Value::uninitialised(&container.ty, &container.dims);
        if same_bits(&unset, value) {
            if !self.loops.is_empty() {
                self.fill_unset(&view);
            }
        } else if let Ok(source) = self.view_of(&Val::Static(value.clone()), Span::default()) {
            // Copying a constant into storage cannot fail: both are stored with the same sizes.
            let _ = self.copy_elements(&view, &source);
        }
        self.env.set(var, Binding::Storage(Rc::new(view)));
    }

    /// After control flow that is not known now: what it assigned is in its cell.
    pub fn forget(&mut self, bodies: &[&[IrStmt]]) {
        for var in assigned_in(bodies) {
            self.env.set_current(var, None);
        }
    }

    /// Whether statements only concern what is known: nothing reaches the target, every assigned variable is known.
    fn concerns_known(&self, body: &[IrStmt]) -> bool {
        body.iter().all(|stmt| match &stmt.kind {
            StmtKind::Declare(var) => self.program.variable(*var).level == Level::Data,
            StmtKind::Assign { target, value, .. } => {
                value.level == Level::Data
                    && match self.env.get(*target) {
                        Some(Binding::Static(_)) => true,
                        None => self.program.variable(*target).level == Level::Data,
                        _ => false,
                    }
            }
            StmtKind::For {
                lower, upper, body, ..
            } => {
                lower.level == Level::Data
                    && upper.level == Level::Data
                    && self.concerns_known(body)
            }
            StmtKind::ForEach { over, body, .. } => {
                over.level == Level::Data && self.concerns_known(body)
            }
            StmtKind::While { condition, body } => {
                condition.level == Level::Data && self.concerns_known(body)
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                condition.level == Level::Data
                    && self.concerns_known(then)
                    && self.concerns_known(otherwise)
            }
            StmtKind::Block(body) => self.concerns_known(body),
            StmtKind::Break | StmtKind::Continue => true,
            _ => false,
        }) && self.loops.is_empty()
    }

    // ------------------------------------------------------------------------------------------
    // Messages
    // ------------------------------------------------------------------------------------------

    /// `reject` and `fatal_error`, unless `ok`.
    fn stop(
        &mut self,
        parts: &[Expr],
        kind: MessageKind,
        ok: Option<ValueId>,
        span: Span,
    ) -> Lowered<()> {
        if ok.is_some_and(|ok| self.builder.known_int(ok).is_some_and(|ok| ok != 0)) {
            return Ok(());
        }
        let (message, values) = self.message_of(parts, kind, span)?;
        let ok = match ok {
            Some(ok) => ok,
            None => self.int(0),
        };
        self.builder.push(Stmt::Check {
            ok,
            message,
            values,
        });
        Ok(())
    }

    fn message_of(
        &mut self,
        exprs: &[Expr],
        kind: MessageKind,
        span: Span,
    ) -> Lowered<(crate::loops::MessageId, Vec<ValueId>)> {
        let (mut parts, mut values) = (Vec::new(), Vec::new());
        for expr in exprs {
            match &expr.kind {
                ExprKind::Text(text) => parts.push(Part::Text(text.clone())),
                _ => {
                    let value = self.value(expr)?;
                    self.message_value(&value, &mut parts, &mut values, expr)?;
                }
            }
        }
        let message = self.builder.message(Message {
            kind,
            parts,
            span: self.blame.unwrap_or(span),
        });
        Ok((message, values))
    }

    fn message_value(
        &mut self,
        value: &Val,
        parts: &mut Vec<Part>,
        values: &mut Vec<ValueId>,
        expr: &Expr,
    ) -> Lowered<()> {
        match value {
            Val::Static(value) => parts.push(Part::Text(crate::interp::display_value(value))),
            Val::Scalar(value) => {
                parts.push(Part::Value(values.len()));
                values.push(*value);
            }
            Val::View(view) => {
                let count: usize = self.known_dims(view, expr.span)?.iter().product();
                if count > MAX_PRINTED {
                    parts.push(Part::Text(format!(
                        "{} ({count} elements)",
                        describe(self, expr)
                    )));
                    return Ok(());
                }
                self.message_elements(view, parts, values)?;
            }
            Val::Tuple(fields) => {
                parts.push(Part::Text("(".to_string()));
                for (position, field) in fields.iter().enumerate() {
                    if position > 0 {
                        parts.push(Part::Text(", ".to_string()));
                    }
                    self.message_value(field, parts, values, expr)?;
                }
                parts.push(Part::Text(")".to_string()));
            }
        }
        Ok(())
    }

    fn message_elements(
        &mut self,
        view: &View,
        parts: &mut Vec<Part>,
        values: &mut Vec<ValueId>,
    ) -> Lowered<()> {
        parts.push(Part::Text("[".to_string()));
        let size = self.builder.known_int(view.dims[0]).unwrap_or(0);
        for position in 0..size {
            if position > 0 {
                parts.push(Part::Text(", ".to_string()));
            }
            let index = self.int(position);
            if view.dims.len() == 1 {
                let value = self.element(&Rc::new(view.clone()), &[index])?;
                parts.push(Part::Value(values.len()));
                values.push(value);
            } else {
                let element = self.element_view(view, index);
                self.message_elements(&element, parts, values)?;
            }
        }
        parts.push(Part::Text("]".to_string()));
        Ok(())
    }
}

fn same_bits(a: &Value, b: &Value) -> bool {
    let (a, b) = (a.to_reals(), b.to_reals());
    a.len() == b.len()
        && a.iter()
            .zip(&b)
            .all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// What a branch that does nothing but stop says, and where it stops.
fn only_stop(stmts: &[IrStmt]) -> Option<(&[Expr], MessageKind, Span)> {
    match stmts {
        [stmt] => match &stmt.kind {
            StmtKind::Reject(parts) => Some((parts, MessageKind::Reject, stmt.span)),
            StmtKind::FatalError(parts) => Some((parts, MessageKind::Fatal, stmt.span)),
            StmtKind::Block(body) => only_stop(body),
            _ => None,
        },
        _ => None,
    }
}

/// Whether statements can end early: in a `return`, or a `break` or `continue` of a loop around them.
fn leaves(stmts: &[IrStmt]) -> bool {
    breaks(stmts) || returns(stmts)
}

fn returns(stmts: &[IrStmt]) -> bool {
    stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Return(_) => true,
        StmtKind::For { body, .. }
        | StmtKind::ForEach { body, .. }
        | StmtKind::While { body, .. }
        | StmtKind::Block(body) => returns(body),
        StmtKind::If {
            then, otherwise, ..
        } => returns(then) || returns(otherwise),
        _ => false,
    })
}

fn breaks(stmts: &[IrStmt]) -> bool {
    stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Break | StmtKind::Continue => true,
        StmtKind::Block(body) => breaks(body),
        StmtKind::If {
            then, otherwise, ..
        } => breaks(then) || breaks(otherwise),
        _ => false,
    })
}

/// The variables that statements assign, in order of first assignment.
fn assigned_in(bodies: &[&[IrStmt]]) -> Vec<VarId> {
    let mut found = Vec::new();
    for body in bodies {
        collect_assigned(body, &mut found);
    }
    found
}

fn collect_assigned(stmts: &[IrStmt], found: &mut Vec<VarId>) {
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Assign { target, .. } if !found.contains(target) => found.push(*target),
            StmtKind::For { body, .. }
            | StmtKind::ForEach { body, .. }
            | StmtKind::While { body, .. }
            | StmtKind::Block(body) => collect_assigned(body, found),
            StmtKind::If {
                then, otherwise, ..
            } => {
                collect_assigned(then, found);
                collect_assigned(otherwise, found);
            }
            _ => {}
        }
    }
}
