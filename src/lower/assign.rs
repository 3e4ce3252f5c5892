//! Assignments: to what is known now, to scalars, to storage.

use super::environment::Binding;
use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::view::{Source, Val, View, kind_of};
use crate::builtins::Kind;
use crate::interp::Value;
use crate::ir::{Expr, Index, VarId, VarRole};
use crate::loops::{Stmt, ValueId};
use crate::source::Span;
use std::rc::Rc;

impl Lowering<'_> {
    /// `target.p1.p2[indices] = value`
    pub fn assign(
        &mut self,
        target: VarId,
        indices: &[Index],
        projections: &[usize],
        value: &Expr,
        span: Span,
    ) -> Lowered<()> {
        if !projections.is_empty() {
            return Err(LowerError::unsupported(
                "assigning a part of a tuple that depends on parameters",
                span,
            ));
        }
        if let Some(Binding::Static(current)) = self.env.get(target)
            && let Some(new) = self.assigned_now(&current.clone(), target, indices, value)
        {
            self.env.set(target, Binding::Static(new));
            return Ok(());
        }
        if indices.is_empty() {
            return self.assign_whole(target, value, span);
        }
        if matches!(self.env.get(target), Some(Binding::Static(_))) {
            self.settle_variable(target);
        }
        let Some(Binding::Storage(view)) = self.env.get(target).cloned() else {
            return Err(LowerError::unsupported("this assignment", span));
        };
        let name = format!("`{}`", self.program.variable(target).name);
        if value.ty.is_scalar() {
            let scalar = self.scalar(value)?;
            let place = self.part(&view, indices, &name, value.ty.clone(), span)?;
            if !place.dims.is_empty() {
                return Err(LowerError::unsupported(
                    "a scalar assigned to a container",
                    span,
                ));
            }
            return self.store_element(&place, &[], scalar);
        }
        let source = self.view(value)?;
        let place = self.part(&view, indices, &name, value.ty.clone(), span)?;
        self.store_view(&place, &source, &name, span)
    }

    /// The new value of a variable that is known, if the assignment can be done now.
    fn assigned_now(
        &mut self,
        current: &Rc<Value>,
        target: VarId,
        indices: &[Index],
        value: &Expr,
    ) -> Option<Rc<Value>> {
        let new = self.known(value)?;
        let env = &self.env;
        self.interpreter
            .assign_known(
                current,
                (target, indices),
                (*new).clone(),
                &|var| match env.get(var) {
                    Some(Binding::Static(value)) => Some(&**value),
                    _ => None,
                },
            )
            .ok()
            .map(Rc::new)
    }

    fn assign_whole(&mut self, target: VarId, value: &Expr, span: Span) -> Lowered<()> {
        let program = self.program;
        let ty = &program.variable(target).sized.ty;
        if ty.is_scalar() {
            let scalar = self.scalar(value)?;
            let scalar = if kind_of(ty) == Kind::Real {
                self.real_value(scalar)
            } else {
                scalar
            };
            self.assign_scalar(target, scalar);
            return Ok(());
        }
        let new = self.value(value)?;
        if let Val::Tuple(_) = new {
            return Err(LowerError::unsupported(
                "a tuple variable that depends on parameters",
                span,
            ));
        }
        let source = self.view_of(&new, span)?;
        if self.adopts(target, &source) {
            let view = match self.env.get(target) {
                Some(Binding::Storage(declared)) => {
                    let declared = declared.dims.clone();
                    let what = format!(
                        "`{}` and the value assigned to it",
                        program.variable(target).name
                    );
                    self.check_same_dims(&declared, &source.dims, &what, span)?;
                    source
                }
                _ => source,
            };
            self.env.set(target, Binding::Storage(view));
            return Ok(());
        }
        if matches!(self.env.get(target), Some(Binding::Static(_))) {
            self.settle_variable(target);
        }
        let Some(Binding::Storage(place)) = self.env.get(target).cloned() else {
            return Err(LowerError::unsupported("this assignment", span));
        };
        let name = format!("`{}`", program.variable(target).name);
        self.store_view(&place, &source, &name, span)
    }

    /// A parameter without constraint is its free form: both are never assigned again, so they may share storage.
    fn adopts(&self, target: VarId, source: &View) -> bool {
        self.program.variable(target).role == VarRole::Parameter
            && matches!(&source.source, Source::Strided { buffer, .. }
                if matches!(self.builder.procedure.buffers[buffer.0 as usize].role, crate::loops::Role::Input(_)))
    }

    /// Gives a scalar variable a value.
    pub fn assign_scalar(&mut self, target: VarId, value: ValueId) {
        let (kind, cell) = match self.env.get(target) {
            Some(Binding::Scalar { kind, cell, .. }) => (*kind, *cell),
            _ => (self.builder.kind(value), None),
        };
        if let Some(cell) = cell {
            self.builder.push(Stmt::Set(cell, value));
        }
        self.env.set(
            target,
            Binding::Scalar {
                kind,
                current: Some(value),
                cell,
            },
        );
    }

    /// A container into a part of storage of the same sizes.
    fn store_view(
        &mut self,
        place: &Rc<View>,
        source: &Rc<View>,
        name: &str,
        span: Span,
    ) -> Lowered<()> {
        let what = format!("{name} (or its part) and the value assigned to it");
        self.check_same_dims(&place.dims, &source.dims, &what, span)?;
        let buffer = match &place.source {
            Source::Strided { buffer, .. } => *buffer,
            Source::Part(base, _) => match &base.source {
                Source::Strided { buffer, .. } => *buffer,
                _ => return Err(LowerError::unsupported("this assignment", span)),
            },
            _ => return Err(LowerError::unsupported("this assignment", span)),
        };
        // The right side is evaluated before anything is written.
        let source = if source.reads(buffer) && !std::ptr::eq(&**place, &**source) {
            let dims = self.known_dims(source, span)?;
            let copy = self.new_storage("temporary", &source.ty, &dims);
            self.copy_elements(&copy, source)?;
            Rc::new(copy)
        } else {
            source.clone()
        };
        if let Source::Part(base, picks) = &place.source {
            let (base, picks) = (base.clone(), picks.clone());
            let (ty, dims) = (place.ty.clone(), place.dims.clone());
            return self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
                let value = lowering.element(&source, indexes)?;
                let inner = lowering.picked(&picks, indexes)?;
                lowering.store_element(&base, &inner, value)
            });
        }
        self.copy_elements(place, &source)
    }
}
