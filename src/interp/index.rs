//! Indexing: from 1, checked, with messages that name the variable, the index and the size.
//!
//! Ranges follow Stan: `a:b` with b < a is empty; reads of vectors and matrices still require a to be an index,
//! arrays and assignments do not.

use super::evaluate::Evaluator;
use super::failure::{Eval, Failure};
use super::frame::Frame;
use super::select::{Pick, Selection};
use super::value::{Container, Value};
use crate::builtins::Scalar;
use crate::ir::{Expr, ExprKind, Index, VarId};
use crate::source::Span;
use crate::types::Ty;

/// Whether an index list reads or assigns: empty ranges are checked differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Assign,
}

impl Evaluator<'_, '_> {
    /// `base[indices]`, of any type.
    pub(super) fn index(&self, base: &Expr, indices: &[Index], frame: &Frame<'_>) -> Eval<Value> {
        let value = self.eval(base, frame)?;
        match value.as_ref() {
            Value::Container(container) => {
                let picks = self.picks(
                    container,
                    indices,
                    named_variable(base),
                    Access::Read,
                    frame,
                )?;
                Ok(container.read(&Selection::new(container, picks)))
            }
            Value::Tuple(elements) => self.index_tuples(elements, base, indices, frame),
            _ => Err(Failure::internal("a scalar has no elements", base.span)),
        }
    }

    /// `base[i, j]` that leads to a scalar: no container is built when all indexes are single.
    pub(super) fn scalar_index(
        &self,
        base: &Expr,
        indices: &[Index],
        expr: &Expr,
        frame: &Frame<'_>,
    ) -> Eval<Scalar> {
        if let ExprKind::Variable(var) = &base.kind
            && let Value::Container(container) = self.variable(*var, base.span, frame)?
            && let Some(position) = self.scalar_position(container, indices, Some(*var), frame)?
        {
            return Ok(container.scalars.get(position));
        }
        (self.index(base, indices, frame)?.as_scalar())
            .ok_or_else(|| Failure::internal("a scalar was expected", expr.span))
    }

    /// The storage position that single indexes lead to; `None` when they are fewer than dimensions or not single.
    pub(super) fn scalar_position(
        &self,
        container: &Container,
        indices: &[Index],
        var: Option<VarId>,
        frame: &Frame<'_>,
    ) -> Eval<Option<usize>> {
        if indices.len() != container.dims.len() {
            return Ok(None);
        }
        let depth = container.array_depth();
        let is_matrix = container.dims.len() == depth + 2;
        let mut position = 0;
        let mut row = 0;
        for (dimension, index) in indices.iter().enumerate() {
            let Index::Single(index) = index else {
                return Ok(None);
            };
            let at = self.checked(container, dimension, index, var, frame)?;
            if is_matrix && dimension == depth {
                row = at;
            } else if is_matrix && dimension == depth + 1 {
                position =
                    (position * container.dims[dimension] + at) * container.dims[depth] + row;
            } else {
                position = position * container.dims[dimension] + at;
            }
        }
        Ok(Some(position))
    }

    /// What each index picks along its dimension.
    pub(super) fn picks(
        &self,
        container: &Container,
        indices: &[Index],
        var: Option<VarId>,
        access: Access,
        frame: &Frame<'_>,
    ) -> Eval<Vec<Pick>> {
        let depth = container.array_depth();
        let mut picks = Vec::with_capacity(indices.len());
        for (dimension, index) in indices.iter().enumerate() {
            let size = container.dims[dimension];
            picks.push(match index {
                Index::All => Pick::Range(0..size),
                Index::Single(index) => {
                    Pick::Single(self.checked(container, dimension, index, var, frame)?)
                }
                Index::Multiple(indexes) => {
                    self.multiple(container, dimension, indexes, var, frame)?
                }
                Index::Range(first, last) => {
                    let bounds = (first.as_ref(), last.as_ref());
                    let strict = access == Access::Read && dimension >= depth;
                    self.range(container, dimension, bounds, strict, var, frame)?
                }
            });
        }
        Ok(picks)
    }

    fn multiple(
        &self,
        container: &Container,
        dimension: usize,
        indexes: &Expr,
        var: Option<VarId>,
        frame: &Frame<'_>,
    ) -> Eval<Pick> {
        let values = self.eval(indexes, frame)?;
        let Some(indexes_given) = values.as_container() else {
            return Err(Failure::internal(
                "an array of indexes was expected",
                indexes.span,
            ));
        };
        let check = |at| {
            let index = indexes_given.scalars.get(at).as_int();
            self.check_index(container, dimension, index, var, indexes.span)
        };
        let positions: Eval<Vec<usize>> = (0..indexes_given.len()).map(check).collect();
        positions.map(Pick::Many)
    }

    fn range(
        &self,
        container: &Container,
        dimension: usize,
        (first, last): (Option<&Expr>, Option<&Expr>),
        strict: bool,
        var: Option<VarId>,
        frame: &Frame<'_>,
    ) -> Eval<Pick> {
        let size = container.dims[dimension] as i64;
        let lower = first.map_or(Ok(1), |expr| self.int(expr, frame))?;
        let upper = last.map_or(Ok(size), |expr| self.int(expr, frame))?;
        let check = |index: i64, expr: Option<&Expr>| match expr {
            Some(expr) => self
                .check_index(container, dimension, index, var, expr.span)
                .map(|_| ()),
            None => Ok(()),
        };
        if strict && first.is_some() {
            check(lower, first)?;
        }
        if upper < lower {
            return Ok(Pick::Range(0..0));
        }
        check(lower, first)?;
        check(upper, last)?;
        Ok(Pick::Range(lower as usize - 1..upper as usize))
    }

    /// A single index, checked and counted from 0.
    fn checked(
        &self,
        container: &Container,
        dimension: usize,
        index: &Expr,
        var: Option<VarId>,
        frame: &Frame<'_>,
    ) -> Eval<usize> {
        let value = self.int(index, frame)?;
        self.check_index(container, dimension, value, var, index.span)
    }

    fn check_index(
        &self,
        container: &Container,
        dimension: usize,
        index: i64,
        var: Option<VarId>,
        span: Span,
    ) -> Eval<usize> {
        let size = container.dims[dimension];
        if index >= 1 && index as u64 <= size as u64 {
            return Ok(index as usize - 1);
        }
        let subject = match var {
            Some(var) => format!("`{}`", self.program.variable(var).name),
            None => "the indexed value".to_string(),
        };
        let [before, between] = container.ty.axis(dimension).out_of_range(&subject);
        let message = format!("{before}{index}{between}{size}");
        Err(Failure::fatal(message, span))
    }

    /// Indexing of an array of tuples.
    fn index_tuples(
        &self,
        elements: &[Value],
        base: &Expr,
        indices: &[Index],
        frame: &Frame<'_>,
    ) -> Eval<Value> {
        let Some((first, rest)) = indices.split_first() else {
            return Ok(Value::Tuple(elements.to_vec()));
        };
        // An array of the same length stands in for the tuples: only sizes matter to `picks`.
        let stand_in = Container::unset(Ty::Int.array_of(1), vec![elements.len()]);
        let var = named_variable(base);
        let picks = self.picks(
            &stand_in,
            std::slice::from_ref(first),
            var,
            Access::Read,
            frame,
        )?;
        let within = |at: usize| match &elements[at] {
            Value::Tuple(inner) => self.index_tuples(inner, base, rest, frame),
            _ => Err(Failure::internal(
                "an array of tuples was expected",
                base.span,
            )),
        };
        match picks.as_slice() {
            [Pick::Single(at)] => within(*at),
            [pick] => {
                let parts: Eval<Vec<Value>> = pick.positions().map(within).collect();
                parts.map(Value::Tuple)
            }
            _ => Err(Failure::internal("one index was expected", base.span)),
        }
    }
}

/// The variable that an expression is, for messages.
fn named_variable(expr: &Expr) -> Option<VarId> {
    match &expr.kind {
        ExprKind::Variable(var) => Some(*var),
        ExprKind::Index(base, _) => named_variable(base),
        _ => None,
    }
}
