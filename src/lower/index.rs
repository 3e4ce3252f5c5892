//! Index lists: parts of containers, with their range checks.

use super::outcome::Lowered;
use super::procedure::Lowering;
use super::view::{Pick, Source, Val, View};
use crate::builtins::Prim;
use crate::ir::{Expr, ExprKind, Index};
use crate::loops::{MessageKind, Part, ValueId};
use crate::source::Span;
use crate::types::{Axis, Ty};
use std::rc::Rc;

/// What an index indexes, for messages.
#[derive(Clone, Copy)]
pub(super) struct Place<'n> {
    /// How messages call the container.
    pub name: &'n str,
    /// What the index counts.
    pub axis: Axis,
}

impl Lowering<'_> {
    /// `base[indices]`
    pub fn index(&mut self, base: &Expr, indices: &[Index], expr: &Expr) -> Lowered<Val> {
        let name = describe(self, base);
        let view = self.view(base)?;
        let part = self.part(&view, indices, &name, expr.ty.clone(), expr.span)?;
        if part.dims.is_empty() {
            return self.element(&part, &[]).map(Val::Scalar);
        }
        Ok(Val::View(part))
    }

    /// The part of a view that an index list picks.
    pub fn part(
        &mut self,
        view: &Rc<View>,
        indices: &[Index],
        name: &str,
        ty: Ty,
        span: Span,
    ) -> Lowered<Rc<View>> {
        let mut picks = Vec::with_capacity(view.dims.len());
        let mut dims = Vec::new();
        let zero = self.int(0);
        for (axis, &size) in view.dims.clone().iter().enumerate() {
            let place = Place {
                name,
                axis: view.ty.axis(axis),
            };
            match indices.get(axis) {
                None | Some(Index::All) => {
                    picks.push(Pick::Range {
                        start: zero,
                        step: 1,
                    });
                    dims.push(size);
                }
                Some(Index::Single(index)) => {
                    let position = self.position(index, size, place)?;
                    picks.push(Pick::Single(position));
                }
                Some(Index::Range(low, high)) => {
                    let is_array = axis < view.ty.array_parts().0;
                    let (start, len) = self.index_range(low, high, size, is_array, place, span)?;
                    picks.push(Pick::Range { start, step: 1 });
                    dims.push(len);
                }
                Some(Index::Multiple(list)) => {
                    let list_view = self.view(list)?;
                    self.check_positions(&list_view, size, place, list.span)?;
                    dims.push(list_view.dims[0]);
                    picks.push(Pick::Many(list_view));
                }
            }
        }
        Ok(self.pick(view, picks, dims, ty))
    }

    /// A part of a view; of stored elements, where it can be, with strides of its own.
    pub fn pick(
        &mut self,
        view: &Rc<View>,
        picks: Vec<Pick>,
        dims: Vec<ValueId>,
        ty: Ty,
    ) -> Rc<View> {
        let many = picks.iter().any(|pick| matches!(pick, Pick::Many(_)));
        let source = match &view.source {
            Source::Strided {
                buffer,
                offset,
                strides,
            } if !many => {
                let (mut at, mut kept) = (*offset, Vec::new());
                for (pick, &stride) in picks.iter().zip(strides) {
                    let (start, step) = match pick {
                        Pick::Single(position) => (*position, None),
                        Pick::Range { start, step } => (*start, Some(*step)),
                        Pick::Many(_) => continue,
                    };
                    let shift = self.mul_int(start, stride);
                    at = self.add_int(at, shift);
                    if let Some(step) = step {
                        let step = self.int(step);
                        kept.push(self.mul_int(stride, step));
                    }
                }
                Source::Strided {
                    buffer: *buffer,
                    offset: at,
                    strides: kept,
                }
            }
            Source::Fill(value) => Source::Fill(*value),
            _ => Source::Part(view.clone(), picks),
        };
        Rc::new(View { ty, dims, source })
    }

    /// A single index as a position from 0, checked.
    pub fn position(&mut self, index: &Expr, size: ValueId, place: Place) -> Lowered<ValueId> {
        let value = self.scalar(index)?;
        self.check_index(value, size, place, index.span);
        let one = self.int(1);
        Ok(self.sub_int(value, one))
    }

    /// Checks that 1 ≤ index ≤ size, unless ranges prove it.
    pub fn check_index(&mut self, index: ValueId, size: ValueId, place: Place, span: Span) {
        self.check_index_unless(None, index, size, place, span);
    }

    /// Checks that 1 ≤ index ≤ size or `excused` holds, unless ranges prove it.
    fn check_index_unless(
        &mut self,
        excused: Option<ValueId>,
        index: ValueId,
        size: ValueId,
        place: Place,
        span: Span,
    ) {
        if let (Some((low, high)), Some((least, _))) = (self.range(index), self.range(size))
            && low >= 1
            && high <= least
        {
            return;
        }
        let one = self.int(1);
        let (above, below) = (
            self.prim(Prim::GeInt, &[index, one]),
            self.prim(Prim::LeInt, &[index, size]),
        );
        let mut ok = self.prim(Prim::AndInt, &[above, below]);
        if let Some(excused) = excused {
            ok = self.prim(Prim::OrInt, &[excused, ok]);
        }
        let [before, between] = place.axis.out_of_range(place.name);
        let parts = vec![
            Part::Text(before),
            Part::Value(0),
            Part::Text(between),
            Part::Value(1),
        ];
        self.check(ok, MessageKind::Fatal, parts, vec![index, size], span);
    }

    /// Checks every entry of an index array, unless ranges prove them.
    fn check_positions(
        &mut self,
        list: &Rc<View>,
        size: ValueId,
        place: Place,
        span: Span,
    ) -> Lowered<()> {
        if let Source::Strided { buffer, .. } = &list.source
            && let (Some(&(low, high)), Some((least, _))) =
                (self.extremes.get(buffer), self.range(size))
            && low >= 1
            && high <= least
        {
            return Ok(());
        }
        let (ty, dims) = (list.ty.clone(), list.dims.clone());
        self.for_each_index(&ty, &dims, &mut |lowering, indexes| {
            let index = lowering.element(list, indexes)?;
            lowering.check_index(index, size, place, span);
            Ok(())
        })
    }

    /// `low:high` as a start from 0 and a length. Vectors and matrices check the start of an empty range, arrays do not.
    fn index_range(
        &mut self,
        low: &Option<Expr>,
        high: &Option<Expr>,
        size: ValueId,
        is_array: bool,
        place: Place,
        span: Span,
    ) -> Lowered<(ValueId, ValueId)> {
        let one = self.int(1);
        let zero = self.int(0);
        let from = match low {
            Some(low) => self.scalar(low)?,
            None => one,
        };
        let to = match high {
            Some(high) => self.scalar(high)?,
            None => size,
        };
        let start = self.sub_int(from, one);
        let count = self.sub_int(to, start);
        let len = self.prim(Prim::MaxInt, &[count, zero]);
        let known_empty = self.builder.known_int(len) == Some(0);
        if low.is_some() && !(is_array && known_empty) {
            if is_array {
                self.check_range_if_any(from, to, size, len, place, span);
                return Ok((start, len));
            }
            self.check_index(from, size, place, span);
        }
        if high.is_some() && !known_empty {
            self.check_range_if_any(from, to, size, len, place, span);
        }
        Ok((start, len))
    }

    /// Checks that a range that is not empty ends (and begins) inside.
    fn check_range_if_any(
        &mut self,
        from: ValueId,
        to: ValueId,
        size: ValueId,
        len: ValueId,
        place: Place,
        span: Span,
    ) {
        let zero = self.int(0);
        let empty = self.prim(Prim::EqInt, &[len, zero]);
        for bound in [from, to] {
            self.check_index_unless(Some(empty), bound, size, place, span);
        }
    }

    /// What one single index leads to (position from 0, in range): a view of one dimension less.
    pub fn element_view(&mut self, view: &View, position: ValueId) -> View {
        let view = Rc::new(view.clone());
        let zero = self.int(0);
        let mut picks = vec![Pick::Single(position)];
        picks.extend(view.dims[1..].iter().map(|_| Pick::Range {
            start: zero,
            step: 1,
        }));
        let ty = view.ty.element().unwrap_or(Ty::Real);
        let dims = view.dims[1..].to_vec();
        (*self.pick(&view, picks, dims, ty)).clone()
    }
}

/// How messages call an expression: by its variable's name if it has one.
pub(super) fn describe(lowering: &Lowering<'_>, expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Variable(var) => format!("`{}`", lowering.program.variable(*var).name),
        ExprKind::Index(base, _) => describe(lowering, base),
        _ => "this expression".to_string(),
    }
}
