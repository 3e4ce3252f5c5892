//! Expressions: known now, a scalar of the code, or a view.

use super::environment::Binding;
use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::view::{Source, Val, View, kind_of};
use crate::builtins::{Kind, Prim, Scalar};
use crate::interp::{Scalars, Value};
use crate::ir::{Callee, Expr, ExprKind, Index, VarId};
use crate::loops::{Op, Role, Stmt, ValueId};
use crate::source::Span;
use crate::types::Ty;
use std::rc::Rc;

/// Containers of this many elements or fewer are built element by element.
const SMALL: usize = 8;

impl Lowering<'_> {
    /// The value of an expression.
    pub fn value(&mut self, expr: &Expr) -> Lowered<Val> {
        if let Some(value) = self.known(expr) {
            return Ok(Val::Static(value));
        }
        match &expr.kind {
            ExprKind::Int(constant) => Ok(Val::Scalar(self.builder.int(*constant))),
            ExprKind::Real(constant) => Ok(Val::Scalar(self.builder.real(*constant))),
            ExprKind::Text(_) | ExprKind::Function(_) => {
                Err(LowerError::unsupported("this use of a name", expr.span))
            }
            ExprKind::Variable(var) => self.read_variable(*var, expr.span),
            ExprKind::Index(base, indices) => self.index(base, indices, expr),
            ExprKind::Call(callee, args) => self.call(callee, args, expr),
            ExprKind::Ternary(condition, then, otherwise) => {
                self.ternary(condition, then, otherwise, expr)
            }
            ExprKind::And(a, b) => self.short_circuit(a, b, true),
            ExprKind::Or(a, b) => self.short_circuit(a, b, false),
            ExprKind::Array(elements) | ExprKind::Row(elements) | ExprKind::Matrix(elements) => {
                self.literal(elements, expr)
            }
            ExprKind::Tuple(parts) => {
                let parts = parts
                    .iter()
                    .map(|part| self.value(part))
                    .collect::<Lowered<Vec<_>>>()?;
                Ok(Val::Tuple(parts))
            }
            ExprKind::Project(base, position) => match self.value(base)? {
                Val::Tuple(mut parts) if *position < parts.len() => {
                    Ok(parts.swap_remove(*position))
                }
                Val::Static(value) => match &*value {
                    Value::Tuple(parts) if *position < parts.len() => {
                        Ok(Val::Static(Rc::new(parts[*position].clone())))
                    }
                    _ => Err(LowerError::unsupported("this projection", expr.span)),
                },
                _ => Err(LowerError::unsupported("this projection", expr.span)),
            },
            ExprKind::Target => Ok(Val::Scalar(self.builder.get(self.target))),
        }
    }

    /// The value of a scalar expression.
    pub fn scalar(&mut self, expr: &Expr) -> Lowered<ValueId> {
        let value = self.value(expr)?;
        self.scalar_of(&value, expr.span)
    }

    /// A scalar value as a value of the code.
    pub fn scalar_of(&mut self, value: &Val, span: Span) -> Lowered<ValueId> {
        match value {
            Val::Scalar(value) => Ok(*value),
            Val::Static(value) => match value.as_scalar() {
                Some(Scalar::Int(constant)) => Ok(self.builder.int(constant)),
                Some(Scalar::Real(constant)) => Ok(self.builder.real(constant)),
                None => Err(LowerError::unsupported(
                    "a container in place of a scalar",
                    span,
                )),
            },
            Val::View(_) | Val::Tuple(_) => Err(LowerError::unsupported(
                "a container in place of a scalar",
                span,
            )),
        }
    }

    /// A container value as a view.
    pub fn view_of(&mut self, value: &Val, span: Span) -> Lowered<Rc<View>> {
        match value {
            Val::View(view) => Ok(view.clone()),
            Val::Static(value) => self.constant(value, span),
            Val::Scalar(_) | Val::Tuple(_) => Err(LowerError::unsupported(
                "a scalar or tuple in place of a container",
                span,
            )),
        }
    }

    /// The value of a container expression.
    pub fn view(&mut self, expr: &Expr) -> Lowered<Rc<View>> {
        let value = self.value(expr)?;
        self.view_of(&value, expr.span)
    }

    /// A known container as a constant buffer, one per value.
    fn constant(&mut self, value: &Rc<Value>, span: Span) -> Lowered<Rc<View>> {
        let Value::Container(container) = &**value else {
            return Err(LowerError::unsupported(
                "a scalar or tuple in place of a container",
                span,
            ));
        };
        let address = Rc::as_ptr(value) as usize;
        let buffer = match self.constants.get(&address) {
            Some((_, buffer)) => *buffer,
            None => {
                let (kind, role) = match &container.scalars {
                    Scalars::Int(values) => (Kind::Int, Role::ConstantInt(values.clone())),
                    Scalars::Real(values) => (Kind::Real, Role::ConstantReal(values.clone())),
                };
                let buffer = self.builder.buffer("data", kind, container.len(), role);
                if let Scalars::Int(values) = &container.scalars
                    && let (Some(&least), Some(&greatest)) =
                        (values.iter().min(), values.iter().max())
                {
                    self.extremes.insert(buffer, (least, greatest));
                }
                self.constants.insert(address, (value.clone(), buffer));
                buffer
            }
        };
        let zero = self.int(0);
        Ok(Rc::new(self.strided(
            container.ty.clone(),
            &container.dims,
            buffer,
            zero,
        )))
    }

    /// The current value of a variable.
    pub fn read_variable(&mut self, var: VarId, span: Span) -> Lowered<Val> {
        match self.env.get(var) {
            Some(Binding::Static(value)) => Ok(Val::Static(value.clone())),
            Some(Binding::Fixed(value)) => Ok(value.clone()),
            Some(Binding::Scalar {
                current: Some(value),
                ..
            }) => Ok(Val::Scalar(*value)),
            Some(Binding::Scalar {
                cell: Some(cell), ..
            }) => {
                let value = self.builder.get(*cell);
                self.env.set_current(var, Some(value));
                Ok(Val::Scalar(value))
            }
            Some(Binding::Scalar { kind, .. }) => Ok(Val::Scalar(self.unset(*kind))),
            Some(Binding::Storage(view)) => Ok(Val::View(view.clone())),
            None => {
                let name = &self.program.variable(var).name;
                Err(LowerError::dynamic(
                    format!("`{name}` (it has no value yet)"),
                    span,
                ))
            }
        }
    }

    /// What an unassigned scalar holds: NaN, or the least 32-bit integer.
    pub fn unset(&mut self, kind: Kind) -> ValueId {
        match kind {
            Kind::Real => self.builder.real(f64::NAN),
            Kind::Int => self.builder.int(crate::interp::UNSET_INT),
        }
    }

    // ------------------------------------------------------------------------------------------
    // What is known now
    // ------------------------------------------------------------------------------------------

    /// The value of an expression if it can be computed now. Failures (an index out of range) are left to run time.
    pub fn known(&mut self, expr: &Expr) -> Option<Rc<Value>> {
        match &expr.kind {
            ExprKind::Int(constant) => Some(Rc::new(Value::Int(*constant))),
            ExprKind::Real(constant) => Some(Rc::new(Value::Real(*constant))),
            ExprKind::Variable(var) => match self.env.get(*var) {
                Some(Binding::Static(value)) => Some(value.clone()),
                _ => None,
            },
            _ if !self.is_known(expr) => None,
            ExprKind::Call(Callee::Prim(prim), args) if expr.ty.is_scalar() => {
                let args = args
                    .iter()
                    .map(|arg| self.known(arg).and_then(|value| value.as_scalar()))
                    .collect::<Option<Vec<_>>>()?;
                prim.apply(&args)
                    .map(|scalar| Rc::new(scalar_value(scalar)))
            }
            _ => self.interpret(expr).map(Rc::new),
        }
    }

    /// An integer expression's value, if it is known now.
    pub fn static_int(&mut self, expr: &Expr) -> Lowered<Option<i64>> {
        if let Some(value) = self.known(expr) {
            return Ok(value.as_int());
        }
        let value = self.scalar(expr)?;
        Ok(self.builder.known_int(value))
    }

    /// Whether an expression's value can be computed now: everything in it is known, and evaluating it has no effect.
    fn is_known(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Int(_) | ExprKind::Real(_) => true,
            ExprKind::Text(_) | ExprKind::Target => false,
            ExprKind::Function(_) => true,
            ExprKind::Variable(var) => matches!(self.env.get(*var), Some(Binding::Static(_))),
            ExprKind::Index(base, indices) => {
                self.is_known(base)
                    && indices.iter().all(|index| match index {
                        Index::All => true,
                        Index::Single(index) | Index::Multiple(index) => self.is_known(index),
                        Index::Range(low, high) => [low, high]
                            .into_iter()
                            .flatten()
                            .all(|bound| self.is_known(bound)),
                    })
            }
            ExprKind::Call(Callee::Draw(_), _) => false,
            ExprKind::Call(Callee::Function(function, _), args) => {
                let function = self.program.function(*function);
                !function.name.ends_with("_rng")
                    && !function.name.ends_with("_lp")
                    && !function.name.ends_with("_jacobian")
                    && args.iter().all(|arg| self.is_known(arg))
            }
            ExprKind::Call(_, args)
            | ExprKind::Array(args)
            | ExprKind::Row(args)
            | ExprKind::Matrix(args)
            | ExprKind::Tuple(args) => args.iter().all(|arg| self.is_known(arg)),
            ExprKind::Ternary(condition, then, otherwise) => [condition, then, otherwise]
                .into_iter()
                .all(|part| self.is_known(part)),
            ExprKind::And(a, b) | ExprKind::Or(a, b) => self.is_known(a) && self.is_known(b),
            ExprKind::Project(base, _) => self.is_known(base),
        }
    }

    /// Evaluates a known expression.
    fn interpret(&mut self, expr: &Expr) -> Option<Value> {
        let env = &self.env;
        self.interpreter
            .evaluate_known(expr, &|var| match env.get(var) {
                Some(Binding::Static(value)) => Some(&**value),
                _ => None,
            })
            .ok()
    }

    // ------------------------------------------------------------------------------------------
    // Branches and literals
    // ------------------------------------------------------------------------------------------

    fn ternary(
        &mut self,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
        expr: &Expr,
    ) -> Lowered<Val> {
        if let Some(condition) = self.static_truth(condition)? {
            return self.value(if condition { then } else { otherwise });
        }
        let chosen = self.scalar(condition)?;
        if !expr.ty.is_scalar() {
            return self.container_ternary(chosen, then, otherwise, expr);
        }
        let kind = kind_of(&expr.ty);
        let cell = self.builder.cell("choice", kind);
        let mut blocks = Vec::with_capacity(2);
        let before = self.env.clone();
        for branch in [then, otherwise] {
            self.builder.open();
            let outcome = self.scalar(branch);
            if let Ok(value) = outcome {
                self.builder.push(Stmt::Set(cell, value));
            }
            let block = self.builder.close();
            self.env = before.clone();
            outcome?;
            blocks.push(block);
        }
        let otherwise = blocks.pop().unwrap_or_default();
        let then = blocks.pop().unwrap_or_default();
        if let Some(value) = self.select(chosen, &then, &otherwise, kind) {
            return Ok(Val::Scalar(value));
        }
        self.builder.push(Stmt::If {
            condition: chosen,
            then,
            otherwise,
        });
        Ok(Val::Scalar(self.builder.get(cell)))
    }

    /// A choice between branches that only compute something cheap needs no branch.
    fn select(
        &mut self,
        condition: ValueId,
        then: &[Stmt],
        otherwise: &[Stmt],
        kind: Kind,
    ) -> Option<ValueId> {
        let cheap = |block: &[Stmt]| {
            block.len() <= 4
                && block.iter().all(|stmt| {
                    matches!(
                        stmt,
                        Stmt::Set(..)
                            | Stmt::Let(
                                _,
                                Op::Prim(
                                    Prim::Add
                                        | Prim::Sub
                                        | Prim::Mul
                                        | Prim::Neg
                                        | Prim::AddInt
                                        | Prim::SubInt
                                        | Prim::ToReal,
                                    _
                                ) | Op::Get(_)
                            )
                    )
                })
        };
        if !cheap(then) || !cheap(otherwise) {
            return None;
        }
        let mut ends = Vec::with_capacity(2);
        for block in [then, otherwise] {
            let (Stmt::Set(_, value), rest) = block.split_last()? else {
                return None;
            };
            if rest.iter().any(|stmt| matches!(stmt, Stmt::Set(..))) {
                return None;
            }
            ends.push((*value, rest));
        }
        for (_, rest) in &ends {
            for stmt in *rest {
                self.builder.push(stmt.clone());
            }
        }
        Some(
            self.builder
                .define(kind, Op::Select(condition, ends[0].0, ends[1].0)),
        )
    }

    fn container_ternary(
        &mut self,
        chosen: ValueId,
        then: &Expr,
        otherwise: &Expr,
        expr: &Expr,
    ) -> Lowered<Val> {
        let mut storage: Option<View> = None;
        let mut blocks = Vec::with_capacity(2);
        let before = self.env.clone();
        for branch in [then, otherwise] {
            self.builder.open();
            let outcome = self.view(branch).and_then(|view| {
                let dims = self.known_dims(&view, branch.span)?;
                let place = match &storage {
                    Some(place) => place.clone(),
                    None => self.new_storage("choice", &expr.ty, &dims),
                };
                self.check_same_dims(
                    &place.dims,
                    &view.dims,
                    "the branches of `? :`",
                    branch.span,
                )?;
                self.copy_elements(&place, &view)?;
                storage = Some(place);
                Ok(())
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
        storage
            .map(|view| Val::View(Rc::new(view)))
            .ok_or_else(|| LowerError::unsupported("this choice", expr.span))
    }

    /// A condition's value, if it is known now.
    pub fn static_truth(&mut self, condition: &Expr) -> Lowered<Option<bool>> {
        if let Some(value) = self.known(condition) {
            return Ok(value.as_int().map(|value| value != 0));
        }
        match &condition.kind {
            ExprKind::And(a, b) => match (self.static_truth(a)?, self.static_truth(b)?) {
                (Some(false), _) | (_, Some(false)) => Ok(Some(false)),
                (Some(true), other) | (other, Some(true)) => Ok(other),
                _ => Ok(None),
            },
            ExprKind::Or(a, b) => match (self.static_truth(a)?, self.static_truth(b)?) {
                (Some(true), _) | (_, Some(true)) => Ok(Some(true)),
                (Some(false), other) | (other, Some(false)) => Ok(other),
                _ => Ok(None),
            },
            ExprKind::Call(Callee::Prim(Prim::Not), args) => {
                Ok(self.static_truth(&args[0])?.map(|truth| !truth))
            }
            // Sizes are known even of containers that are not.
            ExprKind::Call(Callee::Prim(prim), args)
                if prim.args().iter().all(|&kind| kind == Kind::Int) =>
            {
                let mut scalars = Vec::with_capacity(args.len());
                for arg in args {
                    if !matches!(
                        arg.kind,
                        ExprKind::Int(_)
                            | ExprKind::Variable(_)
                            | ExprKind::Call(Callee::Container(_), _)
                    ) {
                        return Ok(None);
                    }
                    match self.static_int(arg)? {
                        Some(value) => scalars.push(Scalar::Int(value)),
                        None => return Ok(None),
                    }
                }
                Ok(prim.apply(&scalars).map(|scalar| scalar.as_int() != 0))
            }
            _ => Ok(None),
        }
    }

    fn short_circuit(&mut self, a: &Expr, b: &Expr, and: bool) -> Lowered<Val> {
        let first = self.scalar(a)?;
        let cell = self.builder.cell("truth", Kind::Int);
        self.builder.open();
        let outcome = self.scalar(b);
        let mut second = Err(LowerError::unsupported("this condition", b.span));
        if let Ok(value) = outcome {
            let zero = self.int(0);
            let truth = self.builder.prim(Prim::NeInt, &[value, zero]);
            self.builder.push(Stmt::Set(cell, truth));
            second = Ok(truth);
        } else if let Err(error) = outcome {
            second = Err(error);
        }
        let block = self.builder.close();
        let second = second?;
        // A second part that is only arithmetic is computed in any case.
        if block.iter().all(|stmt| {
            matches!(
                stmt,
                Stmt::Let(_, Op::Prim(..) | Op::Get(_)) | Stmt::Set(..)
            )
        }) && block.len() <= 4
        {
            for stmt in block {
                if !matches!(stmt, Stmt::Set(..)) {
                    self.builder.push(stmt);
                }
            }
            let prim = if and { Prim::AndInt } else { Prim::OrInt };
            return Ok(Val::Scalar(self.builder.prim(prim, &[first, second])));
        }
        let constant = self.int(i64::from(!and));
        let short = vec![Stmt::Set(cell, constant)];
        let (then, otherwise) = if and { (block, short) } else { (short, block) };
        self.builder.push(Stmt::If {
            condition: first,
            then,
            otherwise,
        });
        Ok(Val::Scalar(self.builder.get(cell)))
    }

    /// `{a, b}`, `[a, b]`, `[r, s]`: storage filled element by element.
    fn literal(&mut self, elements: &[Expr], expr: &Expr) -> Lowered<Val> {
        let count = elements.len();
        if expr.ty.rank() == 1 {
            let view = self.new_storage("literal", &expr.ty, &[count]);
            for (position, element) in elements.iter().enumerate() {
                let value = self.scalar(element)?;
                let index = self.int(position as i64);
                self.store_element(&view, &[index], value)?;
            }
            return Ok(Val::View(Rc::new(view)));
        }
        if matches!(expr.ty.array_parts().1, Ty::Tuple(_)) {
            return Err(LowerError::unsupported("an array of tuples", expr.span));
        }
        let parts = elements
            .iter()
            .map(|element| self.view(element))
            .collect::<Lowered<Vec<_>>>()?;
        let Some(first) = parts.first() else {
            return Err(LowerError::unsupported(
                "an empty array expression",
                expr.span,
            ));
        };
        let mut dims = vec![count];
        dims.extend(self.known_dims(first, expr.span)?);
        let view = self.new_storage("literal", &expr.ty, &dims);
        for (position, part) in parts.iter().enumerate() {
            self.check_same_dims(
                &view.dims[1..],
                &part.dims,
                "the elements of this expression",
                expr.span,
            )?;
            let index = self.int(position as i64);
            let place = self.element_view(&view, index);
            self.copy_elements(&place, part)?;
        }
        Ok(Val::View(Rc::new(view)))
    }

    // ------------------------------------------------------------------------------------------
    // Storage
    // ------------------------------------------------------------------------------------------

    /// The sizes of a view, which must be known now.
    pub fn known_dims(&mut self, view: &View, span: Span) -> Lowered<Vec<usize>> {
        view.dims
            .iter()
            .map(|&dim| {
                self.required_int(dim)
                    .and_then(|dim| usize::try_from(dim).ok())
                    .ok_or_else(|| LowerError::dynamic("the size of this expression", span))
            })
            .collect()
    }

    /// A view whose elements are stored: for what reads them more than once.
    pub fn stored(&mut self, view: &Rc<View>, span: Span) -> Lowered<Rc<View>> {
        if matches!(view.source, Source::Strided { .. }) {
            return Ok(view.clone());
        }
        let dims = self.known_dims(view, span)?;
        let place = self.new_storage("temporary", &view.ty, &dims);
        self.copy_elements(&place, view)?;
        Ok(Rc::new(place))
    }

    /// A view that is cheap to read: stored unless it is already.
    pub fn readable(&mut self, view: &Rc<View>, span: Span) -> Lowered<Rc<View>> {
        if view.is_cheap() {
            Ok(view.clone())
        } else {
            self.stored(view, span)
        }
    }

    /// Calls `body` with the indexes (from 0) of every element of a shape, in storage order.
    pub fn for_each_index(
        &mut self,
        ty: &Ty,
        dims: &[ValueId],
        body: &mut dyn FnMut(&mut Self, &[ValueId]) -> Lowered<()>,
    ) -> Lowered<()> {
        let (depth, inner) = ty.array_parts();
        let mut order: Vec<usize> = (0..depth.min(dims.len())).collect();
        if matches!(inner, Ty::Matrix | Ty::ComplexMatrix) && dims.len() == depth + 2 {
            order.extend([depth + 1, depth]);
        } else {
            order.extend(depth..dims.len());
        }
        let zero = self.int(0);
        let mut indexes = vec![zero; dims.len()];
        self.nest(&order, dims, &mut indexes, body)
    }

    fn nest(
        &mut self,
        order: &[usize],
        dims: &[ValueId],
        indexes: &mut Vec<ValueId>,
        body: &mut dyn FnMut(&mut Self, &[ValueId]) -> Lowered<()>,
    ) -> Lowered<()> {
        let Some((&axis, rest)) = order.split_first() else {
            return body(self, indexes);
        };
        let (zero, size) = (self.int(0), dims[axis]);
        if self.builder.known_int(size) == Some(1) {
            indexes[axis] = zero;
            return self.nest(rest, dims, indexes, body);
        }
        self.residual_loop(zero, size, &mut |lowering, var| {
            indexes[axis] = var;
            lowering.nest(rest, dims, indexes, body)
        })
    }

    /// A loop over `start..end` that stays a loop. What its body assigns outside must live in cells or buffers already.
    pub fn residual_loop(
        &mut self,
        start: ValueId,
        end: ValueId,
        body: &mut dyn FnMut(&mut Self, ValueId) -> Lowered<()>,
    ) -> Lowered<()> {
        if let (Some(start), Some(end)) =
            (self.builder.known_int(start), self.builder.known_int(end))
            && end <= start
        {
            return Ok(());
        }
        let var = self.builder.fresh(Kind::Int);
        if let (Some((low, _)), Some((_, high))) = (self.range(start), self.range(end)) {
            self.ranges.insert(var, (low, high - 1));
        }
        let before = self.env.clone();
        self.loops.push(var);
        self.builder.open();
        let outcome = body(self, var);
        let block = self.builder.close();
        self.loops.pop();
        self.env = before;
        outcome?;
        self.builder.push(Stmt::For {
            var,
            start,
            end,
            reverse: false,
            body: block,
        });
        Ok(())
    }

    /// Stores every element of `source` into `place`, which has the same sizes.
    pub fn copy_elements(&mut self, place: &View, source: &Rc<View>) -> Lowered<()> {
        let count: Option<i64> = place
            .dims
            .iter()
            .map(|&dim| self.builder.known_int(dim))
            .try_fold(1_i64, |product, dim| Some(product * dim?));
        if count.is_some_and(|count| count <= SMALL as i64) && place.dims.len() == 1 {
            for position in 0..count.unwrap_or(0) {
                let index = self.int(position);
                let value = self.element(source, &[index])?;
                self.store_element(place, &[index], value)?;
            }
            return Ok(());
        }
        let (ty, dims) = (place.ty.clone(), place.dims.clone());
        self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
            let value = lowering.element(source, indexes)?;
            lowering.store_element(place, indexes, value)
        })
    }

    /// Stores one element.
    pub fn store_element(
        &mut self,
        place: &View,
        indexes: &[ValueId],
        value: ValueId,
    ) -> Lowered<()> {
        let Source::Strided {
            buffer,
            offset,
            strides,
        } = &place.source
        else {
            return Err(LowerError::unsupported(
                "an assignment to this",
                Span::default(),
            ));
        };
        let at = self.linear(*offset, strides, indexes);
        let held = self.builder.procedure.buffers[buffer.0 as usize].kind;
        let value = match (held, self.builder.kind(value)) {
            (Kind::Real, Kind::Int) => self.real_value(value),
            _ => value,
        };
        self.builder.push(Stmt::Store(*buffer, at, value));
        Ok(())
    }
}

/// A scalar as a value.
pub(super) fn scalar_value(scalar: Scalar) -> Value {
    match scalar {
        Scalar::Int(value) => Value::Int(value),
        Scalar::Real(value) => Value::Real(value),
    }
}
