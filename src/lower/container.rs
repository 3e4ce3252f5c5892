//! Functions of whole containers: sizes and views cost nothing, reductions become loops.

use super::index::Place;
use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::view::{Operand, Pick, Source, Val, View, kind_of};
use crate::builtins::{Container as F, Integrator, Kind, Prim};
use crate::interp::Value;
use crate::ir::Expr;
use crate::loops::{Stmt, ValueId};
use crate::source::Span;
use crate::types::{Axis, Ty};
use std::rc::Rc;

/// Reductions of this many elements or fewer are written out: the code is shorter than the loop around it.
const WRITTEN_OUT: i64 = 8;

impl Lowering<'_> {
    pub fn call_container(&mut self, function: F, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        match function {
            F::Size | F::NumElements | F::Rows | F::Cols | F::Dims => {
                self.size(function, args, expr)
            }
            F::Sum => self.sum(&args[0]),
            F::DotProduct => self.dot_product(&args[0], &args[1], expr.span),
            F::RepVector | F::RepRowVector | F::RepMatrix | F::RepArray => self.repeat(args, expr),
            F::ToVector | F::ToRowVector | F::ToMatrix | F::ToArray1d | F::ToArray2d => {
                self.reshape(function, args, expr)
            }
            F::Transpose => {
                let view = self.view(&args[0])?;
                Ok(Val::View(self.transposed(&view, expr.ty.clone())))
            }
            F::Head
            | F::Tail
            | F::Segment
            | F::Reverse
            | F::Col
            | F::Row
            | F::Block
            | F::SubCol
            | F::SubRow => self.part_by_name(function, args, expr),
            F::Diagonal => self.diagonal(args, expr),
            F::DiagMatrix => self.diag_matrix(args, expr),
            F::AppendRow | F::AppendCol | F::AppendArray => self.append(function, args, expr),
            F::SortAsc | F::SortDesc | F::SortIndicesAsc | F::SortIndicesDesc => {
                self.sort(function, args, expr)
            }
            _ => match Integrator::of(function, args.len()) {
                Some(integrator) => self.solve_ode(integrator, args, expr),
                None => self.linear_algebra(function, args, expr),
            },
        }
    }

    fn size(&mut self, function: F, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        if args[0].ty.is_scalar() {
            return Ok(Val::Scalar(self.int(1)));
        }
        let view = self.view(&args[0])?;
        if function == F::Dims {
            let sizes = self
                .known_dims(&view, expr.span)?
                .into_iter()
                .map(|dim| dim as i64)
                .collect::<Vec<_>>();
            let len = sizes.len();
            let container = crate::interp::Container::ints(expr.ty.clone(), vec![len], sizes);
            return Ok(Val::Static(Rc::new(Value::Container(container))));
        }
        let one = self.int(1);
        let all = |lowering: &mut Self| {
            view.dims
                .iter()
                .fold(one, |product, &dim| lowering.mul_int(product, dim))
        };
        let value = match (function, &view.ty) {
            (F::Size, Ty::Matrix) | (F::NumElements, _) => all(self),
            (F::Size, _) => view.dims[0],
            (F::Rows, Ty::RowVector) | (F::Cols, Ty::Vector) => one,
            (F::Rows, _) => view.dims[0],
            (_, Ty::RowVector) => view.dims[0],
            _ => view.dims[view.dims.len() - 1],
        };
        Ok(Val::Scalar(value))
    }

    fn sum(&mut self, arg: &Expr) -> Lowered<Val> {
        if arg.ty.is_scalar() {
            return self.value(arg);
        }
        let view = self.view(arg)?;
        self.sum_of(&view).map(Val::Scalar)
    }

    /// The sum over a view's elements of something made of each.
    pub fn reduce(
        &mut self,
        view: &Rc<View>,
        term: &mut dyn FnMut(&mut Self, ValueId) -> ValueId,
    ) -> Lowered<ValueId> {
        let (ty, dims, kind) = (view.ty.clone(), view.dims.clone(), view.kind());
        self.reduce_over(&ty, &dims, kind, &mut |lowering, indexes| {
            let element = lowering.element(view, indexes)?;
            Ok(term(lowering, element))
        })
    }

    fn reduce_over(
        &mut self,
        ty: &Ty,
        dims: &[ValueId],
        kind: Kind,
        term: &mut dyn FnMut(&mut Self, &[ValueId]) -> Lowered<ValueId>,
    ) -> Lowered<ValueId> {
        let add = if kind == Kind::Int {
            Prim::AddInt
        } else {
            Prim::Add
        };
        if let [size] = dims
            && let Some(size) = self.builder.known_int(*size)
            && size <= WRITTEN_OUT
        {
            let mut sum = None;
            for position in 0..size {
                let index = self.int(position);
                let value = term(self, &[index])?;
                sum = Some(match sum {
                    None => value,
                    Some(sum) => self.prim(add, &[sum, value]),
                });
            }
            return Ok(match (sum, kind) {
                (Some(sum), _) => sum,
                (None, Kind::Int) => self.int(0),
                (None, Kind::Real) => self.builder.real(0.0),
            });
        }
        let cell = self.builder.cell("sum", kind);
        let zero = if kind == Kind::Int {
            self.int(0)
        } else {
            self.builder.real(0.0)
        };
        self.builder.push(Stmt::Set(cell, zero));
        self.for_each_index(ty, dims, &mut |lowering, indexes| {
            let value = term(lowering, indexes)?;
            if kind == Kind::Real {
                lowering.builder.push(Stmt::Add(cell, value));
            } else {
                let before = lowering.builder.get(cell);
                let after = lowering.prim(add, &[before, value]);
                lowering.builder.push(Stmt::Set(cell, after));
            }
            Ok(())
        })?;
        Ok(self.builder.get(cell))
    }

    fn dot_product(&mut self, a: &Expr, b: &Expr, span: Span) -> Lowered<Val> {
        let (left, right) = (self.view(a)?, self.view(b)?);
        self.check_same_size(
            left.dims[0],
            right.dims[0],
            "the operands of a product",
            span,
        );
        let (ty, dims) = (Ty::Vector, vec![left.dims[0]]);
        let sum = self.reduce_over(&ty, &dims, Kind::Real, &mut |lowering, indexes| {
            let (x, y) = (
                lowering.element(&left, indexes)?,
                lowering.element(&right, indexes)?,
            );
            let (x, y) = (lowering.real_value(x), lowering.real_value(y));
            Ok(lowering.prim(Prim::Mul, &[x, y]))
        })?;
        Ok(Val::Scalar(sum))
    }

    fn repeat(&mut self, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let mut sizes = Vec::with_capacity(args.len() - 1);
        for arg in &args[1..] {
            let size = self.scalar(arg)?;
            if self.builder.known_int(size).is_some_and(|size| size < 0) {
                return Err(LowerError::dynamic("a negative size", arg.span));
            }
            sizes.push(size);
        }
        if args[0].ty.is_scalar() {
            let value = self.scalar(&args[0])?;
            let value = if kind_of(&expr.ty) == Kind::Real {
                self.real_value(value)
            } else {
                value
            };
            let view = View {
                ty: expr.ty.clone(),
                dims: sizes,
                source: Source::Fill(value),
            };
            return Ok(Val::View(Rc::new(view)));
        }
        // A repeated container: a stride of 0 along the new dimensions.
        let base = self.view(&args[0])?;
        let base = self.stored(&base, args[0].span)?;
        let Source::Strided {
            buffer,
            offset,
            strides,
        } = &base.source
        else {
            return Err(LowerError::unsupported("this repetition", expr.span));
        };
        let zero = self.int(0);
        let (dims, strides) = match args[0].ty {
            // rep_matrix(v, n): columns repeat; rep_matrix(r, m): rows repeat.
            Ty::Vector if expr.ty == Ty::Matrix => {
                (vec![base.dims[0], sizes[0]], vec![strides[0], zero])
            }
            Ty::RowVector if expr.ty == Ty::Matrix => {
                (vec![sizes[0], base.dims[0]], vec![zero, strides[0]])
            }
            _ => {
                let mut all = sizes.clone();
                all.extend(&base.dims);
                let mut steps = vec![zero; sizes.len()];
                steps.extend(strides);
                (all, steps)
            }
        };
        let source = Source::Strided {
            buffer: *buffer,
            offset: *offset,
            strides,
        };
        Ok(Val::View(Rc::new(View {
            ty: expr.ty.clone(),
            dims,
            source,
        })))
    }

    pub fn transposed(&mut self, view: &Rc<View>, ty: Ty) -> Rc<View> {
        let mut dims = view.dims.clone();
        dims.reverse();
        let source = match &view.source {
            Source::Strided {
                buffer,
                offset,
                strides,
            } => {
                let mut strides = strides.clone();
                strides.reverse();
                Source::Strided {
                    buffer: *buffer,
                    offset: *offset,
                    strides,
                }
            }
            Source::Fill(value) => Source::Fill(*value),
            _ => Source::Transposed(view.clone()),
        };
        Rc::new(View { ty, dims, source })
    }

    /// A flat view of a container, matrices column by column, arrays row by row: its storage order, except that arrays of
    /// vectors and the like are never flattened in another.
    fn flat(&mut self, view: &Rc<View>, span: Span) -> Lowered<Rc<View>> {
        if view.dims.len() == 1 {
            return Ok(view.clone());
        }
        let dims = self.known_dims(view, span)?;
        let contiguous = match &view.source {
            Source::Strided { strides, .. } => {
                let wanted = super::view::strides(&view.ty, &dims);
                strides
                    .iter()
                    .zip(&wanted)
                    .zip(&dims)
                    .all(|((&stride, &wanted), &dim)| {
                        dim <= 1 || self.builder.known_int(stride) == Some(wanted as i64)
                    })
            }
            _ => false,
        };
        let stored = if contiguous {
            view.clone()
        } else {
            let place = self.new_storage("temporary", &view.ty, &dims);
            self.copy_elements(&place, view)?;
            Rc::new(place)
        };
        let Source::Strided { buffer, offset, .. } = &stored.source else {
            return Ok(stored);
        };
        let (count, one) = (self.int(dims.iter().product::<usize>() as i64), self.int(1));
        Ok(Rc::new(View {
            ty: Ty::Array(Box::new(view.ty.scalar())),
            dims: vec![count],
            source: Source::Strided {
                buffer: *buffer,
                offset: *offset,
                strides: vec![one],
            },
        }))
    }

    fn retyped(&mut self, view: &Rc<View>, ty: Ty) -> Rc<View> {
        if view.ty == ty {
            return view.clone();
        }
        if view.kind() == Kind::Int && kind_of(&ty) == Kind::Real {
            let operands = vec![Operand::View(view.clone())];
            return Rc::new(View {
                ty,
                dims: view.dims.clone(),
                source: Source::Map(Prim::ToReal, operands),
            });
        }
        Rc::new(View {
            ty,
            ..(**view).clone()
        })
    }

    fn reshape(&mut self, function: F, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let span = expr.span;
        if args[0].ty.is_scalar() {
            let value = self.scalar(&args[0])?;
            let (value, one) = (self.real_value(value), self.int(1));
            let dims = vec![one; expr.ty.rank()];
            return Ok(Val::View(Rc::new(View {
                ty: expr.ty.clone(),
                dims,
                source: Source::Fill(value),
            })));
        }
        let view = self.view(&args[0])?;
        match function {
            F::ToMatrix if args.len() == 1 => self.matrix_of(&view, expr),
            F::ToMatrix => {
                // Flattened (matrices by columns) and filled again, by columns unless the last argument is 0.
                let by_rows = match args.get(3) {
                    Some(flag) => self.static_int(flag)? == Some(0),
                    None => false,
                };
                let flat = self.flat(&view, span)?;
                let flat = self.stored(&flat, span)?;
                let flat = if flat.kind() == Kind::Int {
                    let real = self.retyped(&flat, Ty::Vector);
                    self.stored(&real, span)?
                } else {
                    flat
                };
                let (rows, cols) = (self.scalar(&args[1])?, self.scalar(&args[2])?);
                let count = self.mul_int(rows, cols);
                self.check_same_size(
                    flat.dims[0],
                    count,
                    "the container and the matrix made of it",
                    span,
                );
                let Source::Strided {
                    buffer,
                    offset,
                    strides,
                } = &flat.source
                else {
                    return Err(LowerError::unsupported("this conversion", span));
                };
                let along = strides[0];
                let strides = if by_rows {
                    vec![self.mul_int(cols, along), along]
                } else {
                    vec![along, self.mul_int(rows, along)]
                };
                let source = Source::Strided {
                    buffer: *buffer,
                    offset: *offset,
                    strides,
                };
                Ok(Val::View(Rc::new(View {
                    ty: Ty::Matrix,
                    dims: vec![rows, cols],
                    source,
                })))
            }
            F::ToArray2d => {
                let ty = expr.ty.clone();
                Ok(Val::View(Rc::new(View {
                    ty,
                    ..(*view).clone()
                })))
            }
            _ => {
                let flat = self.flat(&view, span)?;
                Ok(Val::View(self.retyped(&flat, expr.ty.clone())))
            }
        }
    }

    /// `to_matrix(x)`: a vector is one column, a row vector one row, an array of rows a matrix of them.
    fn matrix_of(&mut self, view: &Rc<View>, expr: &Expr) -> Lowered<Val> {
        let view = if view.kind() == Kind::Int {
            let ty = match &view.ty {
                Ty::Array(_) => Ty::Real.array_of(view.dims.len()),
                other => other.clone(),
            };
            self.retyped(view, ty)
        } else {
            view.clone()
        };
        if view.dims.len() == 2 {
            return Ok(Val::View(Rc::new(View {
                ty: Ty::Matrix,
                ..(*view).clone()
            })));
        }
        let stored = self.stored(&view, expr.span)?;
        let Source::Strided {
            buffer,
            offset,
            strides,
        } = &stored.source
        else {
            return Err(LowerError::unsupported("this conversion", expr.span));
        };
        let (one, step) = (self.int(1), strides[0]);
        let (dims, strides) = if view.ty == Ty::RowVector {
            (vec![one, view.dims[0]], vec![one, step])
        } else {
            (vec![view.dims[0], one], vec![step, view.dims[0]])
        };
        let source = Source::Strided {
            buffer: *buffer,
            offset: *offset,
            strides,
        };
        Ok(Val::View(Rc::new(View {
            ty: Ty::Matrix,
            dims,
            source,
        })))
    }

    fn part_by_name(&mut self, function: F, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let view = self.view(&args[0])?;
        let numbers = args[1..]
            .iter()
            .map(|arg| self.scalar(arg))
            .collect::<Lowered<Vec<_>>>()?;
        let (zero, one) = (self.int(0), self.int(1));
        let name = format!("the container given to `{}`", function.name());
        let size = view.dims[0];
        let span = expr.span;
        let mut picks: Vec<Pick> = Vec::with_capacity(view.dims.len());
        let mut dims = Vec::new();
        let along = |lowering: &mut Self, axis: usize, from: ValueId, count: ValueId| {
            let size = view.dims[axis];
            lowering.check_part(from, count, size, &name, span);
            (
                Pick::Range {
                    start: lowering.sub_int(from, one),
                    step: 1,
                },
                count,
            )
        };
        match function {
            F::Head => {
                let (pick, len) = along(self, 0, one, numbers[0]);
                picks.push(pick);
                dims.push(len);
            }
            F::Tail => {
                let skipped = self.sub_int(size, numbers[0]);
                let from = self.add_int(skipped, one);
                let (pick, len) = along(self, 0, from, numbers[0]);
                picks.push(pick);
                dims.push(len);
            }
            F::Segment => {
                let (pick, len) = along(self, 0, numbers[0], numbers[1]);
                picks.push(pick);
                dims.push(len);
            }
            F::Reverse => {
                let last = self.sub_int(size, one);
                picks.push(Pick::Range {
                    start: last,
                    step: -1,
                });
                dims.push(size);
            }
            F::Col | F::Row | F::SubCol | F::SubRow => {
                return self.line(function, &view, &numbers, expr);
            }
            _ => {
                let (rows, row_count) = along(self, 0, numbers[0], numbers[2]);
                let (cols, col_count) = along(self, 1, numbers[1], numbers[3]);
                picks.extend([rows, cols]);
                dims.extend([row_count, col_count]);
            }
        }
        for &dim in &view.dims[picks.len()..] {
            picks.push(Pick::Range {
                start: zero,
                step: 1,
            });
            dims.push(dim);
        }
        Ok(Val::View(self.pick(&view, picks, dims, expr.ty.clone())))
    }

    /// A column or row of a matrix, or a part of one.
    fn line(
        &mut self,
        function: F,
        view: &Rc<View>,
        numbers: &[ValueId],
        expr: &Expr,
    ) -> Lowered<Val> {
        let (zero, one) = (self.int(0), self.int(1));
        let name = format!("the matrix given to `{}`", function.name());
        let (rows, cols) = (view.dims[0], view.dims[1]);
        let (picks, len) = match function {
            F::Col | F::Row => {
                let (axis, size) = match function {
                    F::Col => (Axis::Columns, cols),
                    _ => (Axis::Rows, rows),
                };
                let place = Place { name: &name, axis };
                self.check_index(numbers[0], size, place, expr.span);
                let position = self.sub_int(numbers[0], one);
                let all = Pick::Range {
                    start: zero,
                    step: 1,
                };
                if function == F::Col {
                    (vec![all, Pick::Single(position)], rows)
                } else {
                    (vec![Pick::Single(position), all], cols)
                }
            }
            // sub_col(m, i, j, n): n entries of column j from row i; sub_row(m, i, j, n): of row i from column j.
            _ => {
                let down = function == F::SubCol;
                let (single, single_size) = if down {
                    (numbers[1], cols)
                } else {
                    (numbers[0], rows)
                };
                let (from, from_size) = if down {
                    (numbers[0], rows)
                } else {
                    (numbers[1], cols)
                };
                let axis = if down { Axis::Columns } else { Axis::Rows };
                let place = Place { name: &name, axis };
                self.check_index(single, single_size, place, expr.span);
                self.check_part(from, numbers[2], from_size, &name, expr.span);
                let position = Pick::Single(self.sub_int(single, one));
                let range = Pick::Range {
                    start: self.sub_int(from, one),
                    step: 1,
                };
                (
                    if down {
                        vec![range, position]
                    } else {
                        vec![position, range]
                    },
                    numbers[2],
                )
            }
        };
        Ok(Val::View(self.pick(
            view,
            picks,
            vec![len],
            expr.ty.clone(),
        )))
    }

    /// `count` elements from `from` must lie inside; none need not.
    fn check_part(&mut self, from: ValueId, count: ValueId, size: ValueId, name: &str, span: Span) {
        let (zero, one) = (self.int(0), self.int(1));
        let none = self.prim(Prim::EqInt, &[count, zero]);
        let before = self.sub_int(from, one);
        let last = self.add_int(before, count);
        let inside = [
            self.prim(Prim::GeInt, &[from, one]),
            self.prim(Prim::LeInt, &[last, size]),
            self.prim(Prim::GtInt, &[count, zero]),
        ];
        let ok = self.prim(Prim::AndInt, &[inside[0], inside[1]]);
        let ok = self.prim(Prim::AndInt, &[ok, inside[2]]);
        let ok = self.prim(Prim::OrInt, &[none, ok]);
        if let (Some((low, _)), Some((_, high)), Some((least, _)), Some((fewest, _))) = (
            self.range(from),
            self.range(last),
            self.range(size),
            self.range(count),
        ) && low >= 1
            && high <= least
            && fewest >= 0
        {
            return;
        }
        let parts = vec![
            crate::loops::Part::Text("elements ".to_string()),
            crate::loops::Part::Value(0),
            crate::loops::Part::Text(" to ".to_string()),
            crate::loops::Part::Value(1),
            crate::loops::Part::Text(format!(" of {name} are asked for, but there are ")),
            crate::loops::Part::Value(2),
        ];
        self.check(
            ok,
            crate::loops::MessageKind::Fatal,
            parts,
            vec![from, last, size],
            span,
        );
    }

    fn diagonal(&mut self, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let view = self.view(&args[0])?;
        let len = self.prim(Prim::MinInt, &[view.dims[0], view.dims[1]]);
        let view = self.stored(&view, expr.span)?;
        let Source::Strided {
            buffer,
            offset,
            strides,
        } = &view.source
        else {
            return Err(LowerError::unsupported("this diagonal", expr.span));
        };
        let stride = self.add_int(strides[0], strides[1]);
        let source = Source::Strided {
            buffer: *buffer,
            offset: *offset,
            strides: vec![stride],
        };
        Ok(Val::View(Rc::new(View {
            ty: expr.ty.clone(),
            dims: vec![len],
            source,
        })))
    }

    fn diag_matrix(&mut self, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let view = self.view(&args[0])?;
        let size = self.known_dims(&view, expr.span)?[0];
        let place = self.new_storage("diagonal", &Ty::Matrix, &[size, size]);
        let zero = self.builder.real(0.0);
        let nothing = View {
            ty: Ty::Matrix,
            dims: place.dims.clone(),
            source: Source::Fill(zero),
        };
        self.copy_elements(&place, &Rc::new(nothing))?;
        self.for_each_index(&Ty::Vector, &view.dims.clone(), &mut |lowering, indexes| {
            let value = lowering.element(&view, indexes)?;
            lowering.store_element(&place, &[indexes[0], indexes[0]], value)
        })?;
        Ok(Val::View(Rc::new(place)))
    }

    fn append(&mut self, function: F, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let axis = match (function, &expr.ty) {
            (F::AppendCol, Ty::Matrix) => 1,
            _ => 0,
        };
        let rank = expr.ty.rank();
        let mut parts = Vec::with_capacity(2);
        for arg in args {
            let value = self.value(arg)?;
            parts.push(self.appendable(&value, arg, axis, rank)?);
        }
        let (a, b) = (
            self.known_dims(&parts[0], expr.span)?,
            self.known_dims(&parts[1], expr.span)?,
        );
        let mut dims = a.clone();
        dims[axis] += b[axis];
        for other in (0..rank).filter(|&other| other != axis) {
            let what = format!("the arguments of `{}`", function.name());
            self.check_same_size(parts[0].dims[other], parts[1].dims[other], &what, expr.span);
        }
        let place = Rc::new(self.new_storage("appended", &expr.ty, &dims));
        let zero = self.int(0);
        for (part, start) in parts.iter().zip([0, a[axis]]) {
            let start = self.int(start as i64);
            let picks = (0..rank)
                .map(|other| Pick::Range {
                    start: if other == axis { start } else { zero },
                    step: 1,
                })
                .collect();
            let target = self.pick(&place, picks, part.dims.clone(), expr.ty.clone());
            self.copy_elements(&target, part)?;
        }
        Ok(Val::View(place))
    }

    /// An argument of an append as a container of the result's rank.
    fn appendable(
        &mut self,
        value: &Val,
        arg: &Expr,
        axis: usize,
        rank: usize,
    ) -> Lowered<Rc<View>> {
        let one = self.int(1);
        if arg.ty.is_scalar() {
            let scalar = self.scalar_of(value, arg.span)?;
            let scalar = self.real_value(scalar);
            return Ok(Rc::new(View {
                ty: Ty::Vector,
                dims: vec![one],
                source: Source::Fill(scalar),
            }));
        }
        let view = self.view_of(value, arg.span)?;
        if view.dims.len() == rank {
            return Ok(view);
        }
        let view = self.stored(&view, arg.span)?;
        let Source::Strided {
            buffer,
            offset,
            strides,
        } = &view.source
        else {
            return Err(LowerError::unsupported("this append", arg.span));
        };
        let (dims, strides) = if axis == 1 {
            (vec![view.dims[0], one], vec![strides[0], one])
        } else {
            (vec![one, view.dims[0]], vec![one, strides[0]])
        };
        let source = Source::Strided {
            buffer: *buffer,
            offset: *offset,
            strides,
        };
        Ok(Rc::new(View {
            ty: Ty::Matrix,
            dims,
            source,
        }))
    }
}
