//! Evaluation among values that are known before the program runs: what lowering asks for.

use std::borrow::Cow;

use super::failure::Eval;
use super::frame::Frame;
use super::interpreter::{Effects, Interpreter};
use super::statement::Place;
use super::value::Value;
use crate::ir::{Expr, ExprKind, Index, VarId};
use crate::source::Span;

impl Interpreter<'_> {
    /// The value of an expression of the program or of one function, given the values of its variables.
    ///
    /// # Errors
    /// Any failure of the expression, a variable without a value among them.
    pub fn evaluate_known<'v>(
        &self,
        expr: &Expr,
        value_of: &dyn Fn(VarId) -> Option<&'v Value>,
    ) -> Eval<Value> {
        let mut variables = Vec::new();
        collect_variables(expr, &mut variables);
        let frame = self.frame_of(&variables, value_of);
        let evaluator = self.evaluator(false, Effects::default());
        evaluator.eval(expr, &frame).map(Cow::into_owned)
    }

    /// What a variable holds after `target[indices] = value`, given what it holds and the values of the variables in the
    /// indexes.
    ///
    /// # Errors
    /// An index out of range, sizes that do not match.
    pub fn assign_known<'v>(
        &self,
        current: &'v Value,
        (target, indices): (VarId, &[Index]),
        value: Value,
        value_of: &dyn Fn(VarId) -> Option<&'v Value>,
    ) -> Eval<Value> {
        let mut variables = vec![target];
        for index in indices {
            index_parts(index).for_each(|part| collect_variables(part, &mut variables));
        }
        let lookup = |var| {
            if var == target {
                Some(current)
            } else {
                value_of(var)
            }
        };
        let mut frame = self.frame_of(&variables, &lookup);
        let evaluator = self.evaluator(false, Effects::default());
        let slot = self.layout().slot(target);
        let place = Place {
            target,
            indices,
            projections: &[],
            span: Span::default(),
        };
        evaluator.assign_value(&place, value, &mut frame, slot)?;
        Ok(frame.take(slot).unwrap_or_else(|| current.clone()))
    }

    fn frame_of<'v>(
        &self,
        variables: &[VarId],
        value_of: &dyn Fn(VarId) -> Option<&'v Value>,
    ) -> Frame<'v> {
        let size = variables
            .iter()
            .map(|&var| self.layout().slot(var) + 1)
            .max()
            .unwrap_or(0);
        let mut frame = Frame::of_size(size);
        for &var in variables {
            if let Some(value) = value_of(var) {
                frame.set(self.layout().slot(var), Cow::Borrowed(value));
            }
        }
        frame
    }
}

/// The variables that an expression reads.
fn collect_variables(expr: &Expr, found: &mut Vec<VarId>) {
    match &expr.kind {
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Text(_)
        | ExprKind::Function(_)
        | ExprKind::Target => {}
        ExprKind::Variable(var) => found.push(*var),
        ExprKind::Index(base, indices) => {
            collect_variables(base, found);
            for index in indices {
                index_parts(index).for_each(|part| collect_variables(part, found));
            }
        }
        ExprKind::Call(_, parts)
        | ExprKind::Array(parts)
        | ExprKind::Row(parts)
        | ExprKind::Matrix(parts)
        | ExprKind::Tuple(parts) => parts.iter().for_each(|part| collect_variables(part, found)),
        ExprKind::Ternary(a, b, c) => [a, b, c]
            .into_iter()
            .for_each(|part| collect_variables(part, found)),
        ExprKind::And(a, b) | ExprKind::Or(a, b) => {
            [a, b]
                .into_iter()
                .for_each(|part| collect_variables(part, found));
        }
        ExprKind::Project(base, _) => collect_variables(base, found),
    }
}

fn index_parts(index: &Index) -> impl Iterator<Item = &Expr> {
    let (a, b) = match index {
        Index::All => (None, None),
        Index::Single(index) | Index::Multiple(index) => (Some(index), None),
        Index::Range(low, high) => (low.as_ref(), high.as_ref()),
    };
    a.into_iter().chain(b)
}
