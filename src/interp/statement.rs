//! Execution of statements.

use std::borrow::Cow;

use super::evaluate::Evaluator;
use super::failure::{Eval, Failure};
use super::frame::Frame;
use super::index::Access;
use super::select::Selection;
use super::text::{describe_dims, describe_shape, display_value};
use super::value::{Scalars, Value};
use crate::builtins::Scalar;
use crate::ir::{Expr, ExprKind, Index, Stmt, StmtKind, VarId};
use crate::source::Span;
use crate::types::{MOST_ELEMENTS, element_count, spelled_sizes};

/// How control leaves a statement.
#[derive(Debug)]
pub(super) enum Flow {
    /// To the next statement.
    Next,
    /// Out of the innermost loop.
    Break,
    /// To the next round of the innermost loop.
    Continue,
    /// Out of the function, with its value.
    Return(Option<Box<Value>>),
}

/// The left side of an assignment.
pub(super) struct Place<'a> {
    pub(super) target: VarId,
    pub(super) projections: &'a [usize],
    pub(super) indices: &'a [Index],
    pub(super) span: Span,
}

impl Evaluator<'_, '_> {
    /// Runs statements in order until one leaves the list.
    pub(super) fn run<'f>(&self, stmts: &[Stmt], frame: &mut Frame<'f>) -> Eval<Flow> {
        for stmt in stmts {
            match self.execute(stmt, frame)? {
                Flow::Next => {}
                leaving => return Ok(leaving),
            }
        }
        Ok(Flow::Next)
    }

    fn execute<'f>(&self, stmt: &Stmt, frame: &mut Frame<'f>) -> Eval<Flow> {
        match &stmt.kind {
            StmtKind::Declare(var) => self.declare(*var, frame)?,
            StmtKind::Assign {
                target,
                indices,
                projections,
                value,
            } => {
                let place = Place {
                    target: *target,
                    projections,
                    indices,
                    span: stmt.span,
                };
                self.assign(&place, value, frame)?;
            }
            StmtKind::AddTarget(value) => {
                let sum = self.sum(value, frame)?;
                self.target.set(self.target.get() + sum);
            }
            StmtKind::AddJacobian(value) => {
                // Evaluated even where it does not count: its failures do.
                let sum = self.sum(value, frame)?;
                if self.jacobian {
                    self.target.set(self.target.get() + sum);
                }
            }
            StmtKind::For {
                var,
                lower,
                upper,
                body,
            } => return self.for_range(*var, lower, upper, body, frame),
            StmtKind::ForEach { var, over, body } => {
                return self.for_each(*var, over, body, frame);
            }
            StmtKind::While { condition, body } => {
                while self.truth(condition, frame)? {
                    match self.run(body, frame)? {
                        Flow::Next | Flow::Continue => {}
                        Flow::Break => break,
                        leaving => return Ok(leaving),
                    }
                }
            }
            StmtKind::If {
                condition,
                then,
                otherwise,
            } => {
                let taken = self.truth(condition, frame)?;
                return self.run(if taken { then } else { otherwise }, frame);
            }
            StmtKind::Block(body) => return self.run(body, frame),
            StmtKind::Break => return Ok(Flow::Break),
            StmtKind::Continue => return Ok(Flow::Continue),
            StmtKind::Return(value) => return self.return_value(value.as_ref(), frame),
            StmtKind::Print(parts) => {
                let line = self.message(parts, frame)?;
                if let Some(print) = &mut self.effects.borrow_mut().print {
                    print(&line);
                }
            }
            StmtKind::Reject(parts) => {
                return Err(Failure::rejected(self.message(parts, frame)?, stmt.span));
            }
            StmtKind::FatalError(parts) => {
                return Err(Failure::fatal(self.message(parts, frame)?, stmt.span));
            }
            StmtKind::Call(function, args) => {
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(self.eval(arg, frame)?);
                }
                self.run_function(*function, values, stmt.span)?;
            }
            StmtKind::Validate(var) => self.validate(*var, frame)?,
        }
        Ok(Flow::Next)
    }

    /// `return`: a local variable that is returned as a whole is moved out, as its frame ends here.
    fn return_value(&self, value: Option<&Expr>, frame: &mut Frame<'_>) -> Eval<Flow> {
        let Some(value) = value else {
            return Ok(Flow::Return(None));
        };
        if let ExprKind::Variable(var) = &value.kind
            && let Some(value) = frame.take(self.layout.slot(*var))
        {
            return Ok(Flow::Return(Some(Box::new(value))));
        }
        let value = self.eval(value, frame)?.into_owned();
        Ok(Flow::Return(Some(Box::new(value))))
    }

    /// A variable begins: its sizes are evaluated, its scalars are unset.
    pub(super) fn declare(&self, var: VarId, frame: &mut Frame<'_>) -> Eval<()> {
        let dims = self.declared_dims(var, frame)?;
        let value = Value::uninitialised(&self.program.variable(var).sized.ty, &dims);
        frame.set(self.layout.slot(var), Cow::Owned(value));
        Ok(())
    }

    /// The sizes of a variable's declaration.
    pub(super) fn declared_dims(&self, var: VarId, frame: &Frame<'_>) -> Eval<Vec<usize>> {
        let variable = self.program.variable(var);
        let mut dims = Vec::with_capacity(variable.sized.dims.len());
        for dim in &variable.sized.dims {
            let size = self.int(dim, frame)?;
            dims.push(usize::try_from(size).map_err(|_| {
                let name = &variable.name;
                Failure::fatal(
                    format!("`{name}` is declared with the size {size}"),
                    dim.span,
                )
            })?);
        }
        if element_count(&dims).is_none() {
            let place = variable
                .sized
                .dims
                .first()
                .map_or(variable.span, |dim| dim.span);
            let (name, sizes) = (&variable.name, spelled_sizes(&dims));
            let message = format!(
                "`{name}` is declared with {sizes} elements; at most {MOST_ELEMENTS} are possible"
            );
            return Err(Failure::fatal(message, place));
        }
        Ok(dims)
    }

    fn sum(&self, value: &Expr, frame: &Frame<'_>) -> Eval<f64> {
        Ok(match self.eval(value, frame)?.as_ref() {
            Value::Real(value) => *value,
            value => value.to_reals().iter().sum(),
        })
    }

    fn for_range<'f>(
        &self,
        var: VarId,
        lower: &Expr,
        upper: &Expr,
        body: &[Stmt],
        frame: &mut Frame<'f>,
    ) -> Eval<Flow> {
        let (lower, upper) = (self.int(lower, frame)?, self.int(upper, frame)?);
        let slot = self.layout.slot(var);
        for at in lower..=upper {
            frame.set(slot, Cow::Owned(Value::Int(at)));
            match self.run(body, frame)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                leaving => return Ok(leaving),
            }
        }
        Ok(Flow::Next)
    }

    fn for_each<'f>(
        &self,
        var: VarId,
        over: &Expr,
        body: &[Stmt],
        frame: &mut Frame<'f>,
    ) -> Eval<Flow> {
        let visited = self.eval(over, frame)?.into_owned();
        let slot = self.layout.slot(var);
        let count = match &visited {
            // The scalars of a matrix, which are stored column by column.
            Value::Container(container) if container.array_depth() == 0 => container.len(),
            Value::Container(container) => container.dims[0],
            Value::Tuple(elements) => elements.len(),
            _ => 0,
        };
        for at in 0..count {
            let element = match &visited {
                Value::Container(container) if container.array_depth() == 0 => {
                    container.scalars.get(at).into()
                }
                Value::Container(container) => container.element(&[at]),
                Value::Tuple(elements) => elements[at].clone(),
                scalar => scalar.clone(),
            };
            frame.set(slot, Cow::Owned(element));
            match self.run(body, frame)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                leaving => return Ok(leaving),
            }
        }
        Ok(Flow::Next)
    }

    /// What `print` and `reject` say.
    fn message(&self, parts: &[Expr], frame: &Frame<'_>) -> Eval<String> {
        let mut message = String::new();
        for part in parts {
            match &part.kind {
                ExprKind::Text(text) => message.push_str(text),
                _ => message.push_str(&display_value(self.eval(part, frame)?.as_ref())),
            }
        }
        Ok(message)
    }

    /// `x.1[i, j] = value`: the value first, then the indexes, then the sizes are checked.
    fn assign(&self, place: &Place<'_>, value: &Expr, frame: &mut Frame<'_>) -> Eval<()> {
        let slot = self.layout.slot(place.target);
        if value.ty.is_scalar() {
            let scalar = self.scalar(value, frame)?;
            if self.assign_scalar(place, scalar, frame)? {
                return Ok(());
            }
            return self.assign_value(place, scalar.into(), frame, slot);
        }
        let value = self.eval(value, frame)?.into_owned();
        self.assign_value(place, value, frame, slot)
    }

    /// The common case of a scalar for a whole scalar variable or one element; `false` if it is not that.
    fn assign_scalar(
        &self,
        place: &Place<'_>,
        scalar: Scalar,
        frame: &mut Frame<'_>,
    ) -> Eval<bool> {
        if !place.projections.is_empty() {
            return Ok(false);
        }
        let slot = self.layout.slot(place.target);
        if place.indices.is_empty() {
            match frame.get_mut(slot) {
                Some(Value::Real(current)) => *current = scalar.as_real(),
                Some(current) => *current = scalar.into(),
                None => frame.set(slot, Cow::Owned(scalar.into())),
            }
            return Ok(true);
        }
        let Some(Value::Container(container)) = frame.get(slot) else {
            return Ok(false);
        };
        let var = Some(place.target);
        let Some(position) = self.scalar_position(container, place.indices, var, frame)? else {
            return Ok(false);
        };
        if let Some(Value::Container(container)) = frame.get_mut(slot) {
            container.scalars.set(position, scalar);
        }
        Ok(true)
    }

    pub(super) fn assign_value(
        &self,
        place: &Place<'_>,
        value: Value,
        frame: &mut Frame<'_>,
        slot: usize,
    ) -> Eval<()> {
        let name = || &self.program.variable(place.target).name;
        let Some(current) = frame.get(slot) else {
            return Err(Failure::internal(
                format!("`{}` is not declared", name()),
                place.span,
            ));
        };
        let part = project(current, place.projections)
            .ok_or_else(|| Failure::internal("no such part of a tuple", place.span))?;
        if place.indices.is_empty() {
            if !fits_whole(part, &value) {
                let message = format!(
                    "`{}` is {}, but the assigned value is {}",
                    name(),
                    describe_shape(part),
                    describe_shape(&value)
                );
                return Err(Failure::fatal(message, place.span));
            }
            let value = converted(part, value);
            return replace(frame, slot, place, value);
        }
        match part {
            Value::Container(container) => {
                let var = Some(place.target);
                let picks = self.picks(container, place.indices, var, Access::Assign, frame)?;
                let selection = Selection::new(container, picks);
                if selection.dims() != value.dims() {
                    let message = format!(
                        "the assigned part of `{}` is {}, but the value is {}",
                        name(),
                        describe_dims(selection.ty(), selection.dims()),
                        describe_shape(&value)
                    );
                    return Err(Failure::fatal(message, place.span));
                }
                let part = frame
                    .get_mut(slot)
                    .and_then(|v| project_mut(v, place.projections));
                if let Some(Value::Container(container)) = part {
                    container.write(&selection, &value);
                }
                Ok(())
            }
            Value::Tuple(_) => {
                let mut whole = part.clone();
                self.assign_tuple_element(&mut whole, place.indices, value, place.span, frame)?;
                replace(frame, slot, place, whole)
            }
            _ => Err(Failure::internal("a scalar has no elements", place.span)),
        }
    }

    /// An element of an array of tuples, which single indexes lead to.
    fn assign_tuple_element(
        &self,
        whole: &mut Value,
        indices: &[Index],
        value: Value,
        span: Span,
        frame: &Frame<'_>,
    ) -> Eval<()> {
        let (first, rest) = match indices {
            [] => {
                *whole = value;
                return Ok(());
            }
            [Index::Single(first), rest @ ..] => (first, rest),
            _ => {
                let message = "arrays of tuples can be assigned one element at a time only";
                return Err(Failure::fatal(message, span));
            }
        };
        let index = self.int(first, frame)?;
        let Value::Tuple(elements) = whole else {
            return Err(Failure::internal("an array of tuples was expected", span));
        };
        let size = elements.len();
        match usize::try_from(index - 1)
            .ok()
            .and_then(|at| elements.get_mut(at))
        {
            Some(element) => self.assign_tuple_element(element, rest, value, span, frame),
            None => {
                let message = format!("index {index} is out of range: there are {size} elements");
                Err(Failure::fatal(message, first.span))
            }
        }
    }
}

fn project<'v>(value: &'v Value, projections: &[usize]) -> Option<&'v Value> {
    projections
        .iter()
        .try_fold(value, |value, &at| match value {
            Value::Tuple(parts) => parts.get(at),
            _ => None,
        })
}

fn project_mut<'v>(value: &'v mut Value, projections: &[usize]) -> Option<&'v mut Value> {
    projections
        .iter()
        .try_fold(value, |value, &at| match value {
            Value::Tuple(parts) => parts.get_mut(at),
            _ => None,
        })
}

fn replace(frame: &mut Frame<'_>, slot: usize, place: &Place<'_>, value: Value) -> Eval<()> {
    let part = frame
        .get_mut(slot)
        .and_then(|whole| project_mut(whole, place.projections));
    if let Some(part) = part {
        *part = value;
    }
    Ok(())
}

/// Whether a value may replace a whole variable: sizes agree, or the variable is empty and takes any.
fn fits_whole(current: &Value, value: &Value) -> bool {
    match (current, value) {
        (Value::Container(current), Value::Container(value)) => {
            current.is_empty() || current.dims == value.dims
        }
        (Value::Tuple(current), Value::Tuple(value)) => {
            current.is_empty()
                || current.len() == value.len()
                    && current
                        .iter()
                        .zip(value)
                        .all(|(current, value)| fits_whole(current, value))
        }
        _ => true,
    }
}

/// The value with the scalar kinds of the variable it replaces (ints become reals).
fn converted(current: &Value, value: Value) -> Value {
    match (current, value) {
        (Value::Real(_), Value::Int(value)) => Value::Real(value as f64),
        (Value::Container(current), Value::Container(mut value)) => {
            if let (Scalars::Real(_), Scalars::Int(_)) = (&current.scalars, &value.scalars) {
                value.scalars = Scalars::Real(value.scalars.to_reals().into());
                value.ty = current.ty.clone();
            }
            Value::Container(value)
        }
        (_, value) => value,
    }
}
