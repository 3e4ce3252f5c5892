//! Evaluation of expressions.
//!
//! Scalars go through [`Evaluator::scalar`], which builds no containers; everything else through
//! [`Evaluator::compound`], which borrows variables rather than copying them.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use super::containers;
use super::failure::{Eval, Failure};
use super::frame::{Frame, Layout};
use super::interpreter::Effects;
use super::text;
use super::value::{Container, Scalars, Value};
use crate::builtins::{Integrator, Scalar};
use crate::ir::{Callee, Expr, ExprKind, Program, VarId};
use crate::source::Span;
use crate::types::Ty;

/// One evaluation of (part of) a program: what it accrues and what it may touch.
pub(super) struct Evaluator<'p, 'e> {
    pub(super) program: &'p Program,
    pub(super) layout: &'p Layout,
    /// The log density accrued so far.
    pub(super) target: Cell<f64>,
    /// Whether `jacobian +=` counts.
    pub(super) jacobian: bool,
    pub(super) effects: RefCell<Effects<'e>>,
    /// How many calls of functions are running.
    pub(super) depth: Cell<usize>,
}

impl<'p> Evaluator<'p, '_> {
    /// The value of any expression.
    pub(super) fn eval<'f>(&self, expr: &Expr, frame: &'f Frame<'_>) -> Eval<Cow<'f, Value>> {
        match expr.ty {
            Ty::Int | Ty::Real => Ok(Cow::Owned(self.scalar(expr, frame)?.into())),
            _ => self.compound(expr, frame),
        }
    }

    /// The value of an `int` or `real` expression.
    pub(super) fn scalar(&self, expr: &Expr, frame: &Frame<'_>) -> Eval<Scalar> {
        let scalar = match &expr.kind {
            ExprKind::Int(value) => Some(Scalar::Int(*value)),
            ExprKind::Real(value) => Some(Scalar::Real(*value)),
            ExprKind::Variable(var) => self.variable(*var, expr.span, frame)?.as_scalar(),
            ExprKind::Index(base, indices) => return self.scalar_index(base, indices, expr, frame),
            ExprKind::Call(Callee::Prim(prim), args) => {
                return self.prim_of_scalars(*prim, args, expr.span, frame);
            }
            ExprKind::And(left, right) => {
                let truth = self.truth(left, frame)? && self.truth(right, frame)?;
                Some(Scalar::Int(i64::from(truth)))
            }
            ExprKind::Or(left, right) => {
                let truth = self.truth(left, frame)? || self.truth(right, frame)?;
                Some(Scalar::Int(i64::from(truth)))
            }
            ExprKind::Ternary(condition, then, otherwise) => {
                let taken = self.truth(condition, frame)?;
                return self.scalar(if taken { then } else { otherwise }, frame);
            }
            ExprKind::Target => Some(Scalar::Real(self.target.get())),
            _ => self.compound(expr, frame)?.as_scalar(),
        };
        scalar.ok_or_else(|| Failure::internal("a scalar was expected", expr.span))
    }

    /// The value of an `int` expression.
    pub(super) fn int(&self, expr: &Expr, frame: &Frame<'_>) -> Eval<i64> {
        self.scalar(expr, frame).map(Scalar::as_int)
    }

    /// Whether a condition holds.
    pub(super) fn truth(&self, condition: &Expr, frame: &Frame<'_>) -> Eval<bool> {
        Ok(self.int(condition, frame)? != 0)
    }

    /// A variable's value.
    pub(super) fn variable<'f>(
        &self,
        var: VarId,
        span: Span,
        frame: &'f Frame<'_>,
    ) -> Eval<&'f Value> {
        frame.get(self.layout.slot(var)).ok_or_else(|| {
            let name = &self.program.variable(var).name;
            Failure::fatal(format!("`{name}` has no value yet"), span)
        })
    }

    /// The value of an expression that is not one of [`Evaluator::scalar`]'s own.
    fn compound<'f>(&self, expr: &Expr, frame: &'f Frame<'_>) -> Eval<Cow<'f, Value>> {
        let owned = match &expr.kind {
            ExprKind::Variable(var) => {
                return self.variable(*var, expr.span, frame).map(Cow::Borrowed);
            }
            ExprKind::Ternary(condition, then, otherwise) => {
                let taken = self.truth(condition, frame)?;
                return self.eval(if taken { then } else { otherwise }, frame);
            }
            ExprKind::Index(base, indices) => self.index(base, indices, frame)?,
            ExprKind::Call(callee, args) => self.call(callee, args, expr, frame)?,
            ExprKind::Array(elements) => self.array(elements, expr, frame)?,
            ExprKind::Row(elements) => {
                let mut values = Vec::with_capacity(elements.len());
                for element in elements {
                    values.push(self.scalar(element, frame)?.as_real());
                }
                Value::Container(Container::row_vector(values))
            }
            ExprKind::Matrix(rows) => self.matrix(rows, expr.span, frame)?,
            ExprKind::Tuple(parts) => Value::Tuple(self.eval_all(parts, frame)?),
            ExprKind::Project(tuple, position) => {
                return self.project(tuple, *position, expr.span, frame);
            }
            ExprKind::Text(_) | ExprKind::Function(_) => {
                return Err(Failure::internal("this is no value", expr.span));
            }
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Target => self.scalar(expr, frame)?.into(),
        };
        Ok(Cow::Owned(owned))
    }

    fn eval_all(&self, exprs: &[Expr], frame: &Frame<'_>) -> Eval<Vec<Value>> {
        let eval = |expr| self.eval(expr, frame).map(Cow::into_owned);
        exprs.iter().map(eval).collect()
    }

    fn call(&self, callee: &Callee, args: &[Expr], expr: &Expr, frame: &Frame<'_>) -> Eval<Value> {
        match callee {
            Callee::Prim(prim) => self.prim(*prim, args, expr, frame),
            Callee::Draw(draw) => self.draw(*draw, args, expr.span, frame),
            Callee::Function(function, lift) => self.function(*function, *lift, args, expr, frame),
            Callee::Container(function) => {
                if let Some(integrator) = Integrator::of(*function, args.len()) {
                    return self.solve_ode(integrator, args, expr, frame);
                }
                let mut values = Vec::with_capacity(args.len());
                for arg in args {
                    values.push(self.eval(arg, frame)?);
                }
                let values: Vec<&Value> = values.iter().map(|value| value.as_ref()).collect();
                containers::apply(*function, &values, &expr.ty)
                    .map_err(|problem| problem.at(function.name(), expr.span))
            }
        }
    }

    /// `{a, b}`: elements of one shape, one after another.
    fn array(&self, elements: &[Expr], expr: &Expr, frame: &Frame<'_>) -> Eval<Value> {
        let values = self.eval_all(elements, frame)?;
        if matches!(expr.ty.array_parts().1, Ty::Tuple(_)) {
            return Ok(Value::Tuple(values));
        }
        let mut dims = vec![values.len()];
        if let Some(first) = values.first() {
            dims.extend_from_slice(first.dims());
        }
        let mut scalars = Scalars::unset(&expr.ty.scalar(), 0);
        for (value, element) in values.iter().zip(elements) {
            if value.dims() != &dims[1..] {
                return Err(Failure::fatal(
                    format!(
                        "the elements of an array have one shape, but the first is {} and this is {}",
                        text::describe_shape(&values[0]),
                        text::describe_shape(value)
                    ),
                    element.span,
                ));
            }
            scalars.append(value);
        }
        Ok(Value::Container(Container {
            ty: expr.ty.clone(),
            dims,
            scalars,
        }))
    }

    /// `[r, s]`: rows of one length.
    fn matrix(&self, rows: &[Expr], span: Span, frame: &Frame<'_>) -> Eval<Value> {
        let values = self.eval_all(rows, frame)?;
        let cols = values.first().map_or(0, |row| row.scalar_count());
        let mut scalars = vec![0.0; rows.len() * cols];
        for (at, row) in values.iter().enumerate() {
            if row.scalar_count() != cols {
                return Err(Failure::fatal(
                    format!(
                        "the rows of a matrix have one length, but row 1 has {cols} elements and row {} has {}",
                        at + 1,
                        row.scalar_count()
                    ),
                    span,
                ));
            }
            for (col, value) in row.to_reals().into_iter().enumerate() {
                scalars[at + col * rows.len()] = value;
            }
        }
        Ok(Value::Container(Container::matrix(
            rows.len(),
            cols,
            scalars,
        )))
    }

    fn project<'f>(
        &self,
        tuple: &Expr,
        position: usize,
        span: Span,
        frame: &'f Frame<'_>,
    ) -> Eval<Cow<'f, Value>> {
        let part = match self.eval(tuple, frame)? {
            Cow::Borrowed(Value::Tuple(parts)) => parts.get(position).map(Cow::Borrowed),
            Cow::Owned(Value::Tuple(mut parts)) if position < parts.len() => {
                Some(Cow::Owned(parts.swap_remove(position)))
            }
            _ => None,
        };
        part.ok_or_else(|| Failure::internal("no such part of a tuple", span))
    }
}
