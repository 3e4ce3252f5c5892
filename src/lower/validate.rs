//! Declared constraints, checked where a block ends.

use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::view::View;
use crate::builtins::{Kind, Prim};
use crate::ir::{Constraint, Expr, VarId};
use crate::loops::{Intrinsic, LinearAlgebra, MessageKind, Part, Stmt, ValueId};
use crate::source::Span;
use std::rc::Rc;

/// How far sums, norms, symmetry and unit diagonals may be off: Stan's `CONSTRAINT_TOLERANCE`.
const TOLERANCE: f64 = 1e-8;

impl Lowering<'_> {
    /// Rejects unless a variable satisfies its declaration.
    pub fn validate(&mut self, var: VarId) -> Lowered<()> {
        let program = self.program;
        let variable = program.variable(var);
        let (name, span) = (variable.name.as_str(), variable.span);
        match &variable.constraint {
            Constraint::None | Constraint::OffsetMultiplier(..) => Ok(()),
            Constraint::Lower(bound) => self.validate_bound(var, bound, true),
            Constraint::Upper(bound) => self.validate_bound(var, bound, false),
            Constraint::LowerUpper(low, high) => {
                self.validate_bound(var, low, true)?;
                self.validate_bound(var, high, false)
            }
            constraint => {
                let value = self.read_variable(var, span)?;
                let view = self.view_of(&value, span)?;
                let inner = match constraint {
                    Constraint::Ordered
                    | Constraint::PositiveOrdered
                    | Constraint::Simplex
                    | Constraint::UnitVector
                    | Constraint::SumToZeroVector => 1,
                    _ => 2,
                };
                self.for_each_part(&view, inner, &mut |lowering, part| {
                    lowering.validate_part(part, constraint, name, span)
                })
            }
        }
    }

    /// Calls `body` with every vector or matrix of an array of them.
    fn for_each_part(
        &mut self,
        view: &Rc<View>,
        inner: usize,
        body: &mut dyn FnMut(&mut Self, &Rc<View>) -> Lowered<()>,
    ) -> Lowered<()> {
        if view.dims.len() <= inner {
            return body(self, view);
        }
        let (zero, size) = (self.int(0), view.dims[0]);
        self.residual_loop(zero, size, &mut |lowering, index| {
            let part = Rc::new(lowering.element_view(view, index));
            lowering.for_each_part(&part, inner, body)
        })
    }

    fn validate_bound(&mut self, var: VarId, bound: &Expr, lower: bool) -> Lowered<()> {
        let program = self.program;
        let variable = program.variable(var);
        let (name, span) = (variable.name.clone(), variable.span);
        let value = self.read_variable(var, span)?;
        let limit = self.value(bound)?;
        let text = if lower {
            "but must be greater than or equal to"
        } else {
            "but must be less than or equal to"
        };
        let check = |lowering: &mut Self, value: ValueId, limit: ValueId| {
            // An integer with a real bound is compared as a real.
            let kind = lowering
                .builder
                .kind(limit)
                .max(lowering.builder.kind(value));
            let value = if kind == Kind::Real {
                lowering.real_value(value)
            } else {
                value
            };
            let prim = match (kind, lower) {
                (Kind::Int, true) => Prim::GeInt,
                (Kind::Int, false) => Prim::LeInt,
                (Kind::Real, true) => Prim::Ge,
                (Kind::Real, false) => Prim::Le,
            };
            let limit = if kind == Kind::Real {
                lowering.real_value(limit)
            } else {
                limit
            };
            let ok = lowering.prim(prim, &[value, limit]);
            let parts = vec![
                Part::Text(format!("`{name}` is ")),
                Part::Value(0),
                Part::Text(format!(", {text} ")),
                Part::Value(1),
            ];
            lowering.check(ok, MessageKind::Reject, parts, vec![value, limit], span);
        };
        if variable.sized.ty.is_scalar() {
            let (value, limit) = (self.scalar_of(&value, span)?, self.scalar_of(&limit, span)?);
            check(self, value, limit);
            return Ok(());
        }
        let view = self.view_of(&value, span)?;
        let scalar_limit = if bound.ty.is_scalar() {
            Some(self.scalar_of(&limit, span)?)
        } else {
            None
        };
        let limit_view = match scalar_limit {
            Some(_) => None,
            None => Some(self.view_of(&limit, span)?),
        };
        let (ty, dims) = (view.ty.clone(), view.dims.clone());
        self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
            let element = lowering.element(&view, indexes)?;
            let limit = match (scalar_limit, &limit_view) {
                (Some(limit), _) => limit,
                (None, Some(view)) => lowering.element(view, indexes)?,
                (None, None) => return Ok(()),
            };
            check(lowering, element, limit);
            Ok(())
        })
    }

    fn validate_part(
        &mut self,
        part: &Rc<View>,
        constraint: &Constraint,
        name: &str,
        span: Span,
    ) -> Lowered<()> {
        match constraint {
            Constraint::Ordered => self.validate_ordered(part, name, span),
            Constraint::PositiveOrdered => {
                self.validate_each(part, Prim::Ge, 0.0, name, "but must not be negative", span)?;
                self.validate_ordered(part, name, span)
            }
            Constraint::Simplex => {
                self.validate_each(
                    part,
                    Prim::Ge,
                    0.0,
                    name,
                    "but a simplex has no negative entries",
                    span,
                )?;
                let sum = self.sum_of(part)?;
                self.validate_near(sum, 1.0, &format!("the sum of `{name}`"), span);
                Ok(())
            }
            Constraint::UnitVector => {
                let norm = self.sum_of_squares(part)?;
                self.validate_near(norm, 1.0, &format!("the squared length of `{name}`"), span);
                Ok(())
            }
            Constraint::SumToZeroVector => {
                let sum = self.sum_of(part)?;
                self.validate_near(sum, 0.0, &format!("the sum of `{name}`"), span);
                Ok(())
            }
            Constraint::CovMatrix | Constraint::CorrMatrix => {
                self.validate_symmetric(part, name, span)?;
                if *constraint == Constraint::CorrMatrix {
                    self.validate_diagonal(part, name, span)?;
                }
                let slice = self.slice(part, span)?;
                let dims = self.known_dims(part, span)?;
                let factor = self.new_storage("factor", &part.ty, &dims);
                let output = self.slice(&Rc::new(factor), span)?;
                let text = format!("`{name}` is not positive definite: ");
                let message = self.plain_message(MessageKind::Reject, &text, span);
                self.builder.push(Stmt::Call {
                    function: Intrinsic::Forward(LinearAlgebra::Cholesky),
                    inputs: vec![slice],
                    outputs: vec![output],
                    message,
                });
                Ok(())
            }
            Constraint::CholeskyFactorCov | Constraint::CholeskyFactorCorr => {
                self.validate_triangle(part, name, span)
            }
            _ => Err(LowerError::unsupported("checking this constraint", span)),
        }
    }

    fn validate_each(
        &mut self,
        part: &Rc<View>,
        prim: Prim,
        limit: f64,
        name: &str,
        text: &str,
        span: Span,
    ) -> Lowered<()> {
        let limit = self.builder.real(limit);
        let (ty, dims) = (part.ty.clone(), part.dims.clone());
        self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
            let element = lowering.element(part, indexes)?;
            let ok = lowering.prim(prim, &[element, limit]);
            let parts = vec![
                Part::Text(format!("an entry of `{name}` is ")),
                Part::Value(0),
                Part::Text(format!(", {text}")),
            ];
            lowering.check(ok, MessageKind::Reject, parts, vec![element], span);
            Ok(())
        })
    }

    fn validate_ordered(&mut self, part: &Rc<View>, name: &str, span: Span) -> Lowered<()> {
        let (one, size) = (self.int(1), part.dims[0]);
        self.residual_loop(one, size, &mut |lowering, index| {
            let before = lowering.sub_int(index, one);
            let (a, b) = (
                lowering.element(part, &[before])?,
                lowering.element(part, &[index])?,
            );
            let ok = lowering.prim(Prim::Lt, &[a, b]);
            let parts = vec![
                Part::Text(format!("`{name}` is not ordered: ")),
                Part::Value(0),
                Part::Text(" is followed by ".to_string()),
                Part::Value(1),
            ];
            lowering.check(ok, MessageKind::Reject, parts, vec![a, b], span);
            Ok(())
        })
    }

    fn validate_near(&mut self, value: ValueId, wanted: f64, what: &str, span: Span) {
        let (wanted_value, tolerance) = (self.builder.real(wanted), self.builder.real(TOLERANCE));
        let difference = self.prim(Prim::Sub, &[value, wanted_value]);
        let distance = self.prim(Prim::Abs, &[difference]);
        let ok = self.prim(Prim::Le, &[distance, tolerance]);
        let parts = vec![
            Part::Text(format!("{what} is ")),
            Part::Value(0),
            Part::Text(format!(", but must be {wanted}")),
        ];
        self.check(ok, MessageKind::Reject, parts, vec![value], span);
    }

    fn validate_symmetric(&mut self, part: &Rc<View>, name: &str, span: Span) -> Lowered<()> {
        self.check_same_size(
            part.dims[0],
            part.dims[1],
            &format!("the rows and columns of `{name}`"),
            span,
        );
        let (ty, dims) = (part.ty.clone(), part.dims.clone());
        self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
            let a = lowering.element(part, indexes)?;
            let b = lowering.element(part, &[indexes[1], indexes[0]])?;
            let (difference, tolerance) = (
                lowering.prim(Prim::Sub, &[a, b]),
                lowering.builder.real(TOLERANCE),
            );
            let distance = lowering.prim(Prim::Abs, &[difference]);
            let ok = lowering.prim(Prim::Le, &[distance, tolerance]);
            let parts = vec![
                Part::Text(format!("`{name}` is not symmetric: ")),
                Part::Value(0),
                Part::Text(" is mirrored by ".to_string()),
                Part::Value(1),
            ];
            lowering.check(ok, MessageKind::Reject, parts, vec![a, b], span);
            Ok(())
        })
    }

    fn validate_diagonal(&mut self, part: &Rc<View>, name: &str, span: Span) -> Lowered<()> {
        let (zero, size) = (self.int(0), part.dims[0]);
        self.residual_loop(zero, size, &mut |lowering, index| {
            let entry = lowering.element(part, &[index, index])?;
            lowering.validate_near(entry, 1.0, &format!("a diagonal entry of `{name}`"), span);
            Ok(())
        })
    }

    /// Lower triangular, positive diagonal.
    fn validate_triangle(&mut self, part: &Rc<View>, name: &str, span: Span) -> Lowered<()> {
        let (ty, dims) = (part.ty.clone(), part.dims.clone());
        let zero = self.builder.real(0.0);
        self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
            let entry = lowering.element(part, indexes)?;
            let below = lowering.prim(Prim::GtInt, &[indexes[0], indexes[1]]);
            let on = lowering.prim(Prim::EqInt, &[indexes[0], indexes[1]]);
            let positive = lowering.prim(Prim::Gt, &[entry, zero]);
            let on_and_positive = lowering.prim(Prim::AndInt, &[on, positive]);
            let (off, nothing) = (
                lowering.prim(Prim::Not, &[on]),
                lowering.prim(Prim::Eq, &[entry, zero]),
            );
            let above = lowering.prim(Prim::AndInt, &[off, nothing]);
            let upper = lowering.prim(Prim::OrInt, &[on_and_positive, above]);
            let ok = lowering.prim(Prim::OrInt, &[below, upper]);
            let parts = vec![
                Part::Text(format!(
                    "`{name}` is not a Cholesky factor: on or above its diagonal stands "
                )),
                Part::Value(0),
            ];
            lowering.check(ok, MessageKind::Reject, parts, vec![entry], span);
            Ok(())
        })
    }

    /// The sum of a view's elements.
    pub fn sum_of(&mut self, view: &Rc<View>) -> Lowered<ValueId> {
        self.reduce(view, &mut |_, value| value)
    }

    fn sum_of_squares(&mut self, view: &Rc<View>) -> Lowered<ValueId> {
        self.reduce(view, &mut |lowering, value| {
            lowering.prim(Prim::Square, &[value])
        })
    }
}
