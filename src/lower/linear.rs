//! Linear algebra: products written out where they are small, else calls on slices.

use super::outcome::{LowerError, Lowered};
use super::procedure::Lowering;
use super::view::{Operand, Pick, Source, Val, View};
use crate::builtins::{Container as F, Kind, Prim};
use crate::ir::Expr;
use crate::kernels::simd::Level;
use crate::loops::{Intrinsic, LinearAlgebra as L, MessageKind, Role, Slice, Stmt, ValueId};
use crate::source::Span;
use crate::types::Ty;
use std::rc::Rc;

/// A matrix of data with this many columns or fewer times a vector is not computed as a whole: its elements are pulled by
/// what consumes them, so that `X * beta` and the density around it are one pass over X. Of 5,000 rows, a logistic
/// regression gains a factor of 1.5 at 24 columns and 1.3 at 48, one with Student's t 1.4 and nothing. Two rounds at a time,
/// where the machine has no AVX-512, the call of a kernel is ahead from six columns.
fn pulled_columns() -> i64 {
    match Level::of_machine() {
        Level::Avx512 => 48,
        Level::Avx2 | Level::Portable => 6,
    }
}

impl Lowering<'_> {
    pub fn linear_algebra(&mut self, function: F, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let span = expr.span;
        let plain = |transpose_left, transpose_right| L::Product {
            transpose_left,
            transpose_right,
        };
        match function {
            F::Multiply => self.multiply(&args[0], &args[1], expr),
            F::Crossprod | F::Tcrossprod => {
                let view = self.view(&args[0])?;
                let view = self.dense(&view, args[0].span)?;
                let of_columns = function == F::Crossprod;
                let size = if of_columns {
                    view.dims[1]
                } else {
                    view.dims[0]
                };
                self.matrix_call(
                    plain(of_columns, !of_columns),
                    &[view.clone(), view],
                    &[(size, size)],
                    Ty::Matrix,
                    span,
                )
            }
            F::CholeskyDecompose => self.square(L::Cholesky, &args[0], expr),
            F::Inverse => self.square(L::Inverse, &args[0], expr),
            F::InverseSpd => self.square(L::InverseSpd, &args[0], expr),
            F::MatrixExp => self.square(L::MatrixExp, &args[0], expr),
            F::Determinant => self.number(L::Determinant, &args[0], expr),
            F::LogDeterminant => self.number(L::LogDeterminant, &args[0], expr),
            F::LogDeterminantSpd => self.number(L::LogDeterminantSpd, &args[0], expr),
            F::MdivideLeftTriLow => {
                self.solve(L::SolveLower { transpose: false }, args, true, expr)
            }
            F::MdivideLeft => self.solve(L::Solve, args, true, expr),
            F::MdivideLeftSpd => self.solve(L::SolveSpd, args, true, expr),
            F::MdivideRightTriLow => {
                self.solve(L::SolveLowerRight { transpose: false }, args, false, expr)
            }
            F::MdivideRight => self.solve(L::SolveRight, args, false, expr),
            F::EigenvaluesSym | F::EigenvectorsSym => {
                let view = self.view(&args[0])?;
                let view = self.dense(&view, args[0].span)?;
                let (size, one) = (view.dims[0], self.int(1));
                let outputs =
                    self.call_outputs(L::EigenSym, &[view], &[(size, one), (size, size)], span)?;
                let wanted = usize::from(function == F::EigenvectorsSym);
                Ok(Val::View(self.as_type(&outputs[wanted], expr.ty.clone())))
            }
            F::QrThinQ | F::QrThinR => {
                let view = self.view(&args[0])?;
                let view = self.dense(&view, args[0].span)?;
                let (rows, cols) = (view.dims[0], view.dims[1]);
                let least = self.prim(Prim::MinInt, &[rows, cols]);
                let outputs =
                    self.call_outputs(L::QrThin, &[view], &[(rows, least), (least, cols)], span)?;
                Ok(Val::View(
                    outputs[usize::from(function == F::QrThinR)].clone(),
                ))
            }
            F::SingularValues => {
                let view = self.view(&args[0])?;
                let view = self.dense(&view, args[0].span)?;
                let least = self.prim(Prim::MinInt, &[view.dims[0], view.dims[1]]);
                let one = self.int(1);
                self.matrix_call(
                    L::SingularValues,
                    &[view],
                    &[(least, one)],
                    Ty::Vector,
                    span,
                )
            }
            _ => Err(LowerError::unsupported(
                format!("`{}` of parameters", function.name()),
                span,
            )),
        }
    }

    fn multiply(&mut self, a: &Expr, b: &Expr, expr: &Expr) -> Lowered<Val> {
        let (left, right) = (self.view(a)?, self.view(b)?);
        let span = expr.span;
        let one = self.int(1);
        match (&a.ty, &b.ty) {
            (Ty::Matrix, Ty::Vector) => {
                self.check_same_size(
                    left.dims[1],
                    right.dims[0],
                    "the columns and the vector of a product",
                    span,
                );
                if let Some(view) = self.row_sums(&left, &right)? {
                    return Ok(Val::View(view));
                }
            }
            (Ty::RowVector, Ty::Matrix) => {
                self.check_same_size(
                    left.dims[0],
                    right.dims[0],
                    "the row vector and the rows of a product",
                    span,
                );
                let turned = self.transposed(&right, Ty::Matrix);
                if let Some(view) = self.row_sums(&turned, &left)? {
                    return Ok(Val::View(Rc::new(View {
                        ty: Ty::RowVector,
                        ..(*view).clone()
                    })));
                }
            }
            (Ty::Vector, Ty::RowVector) => return self.outer_product(&left, &right),
            _ => {
                self.check_same_size(
                    left.dims[1],
                    right.dims[0],
                    "the columns and the rows of a product",
                    span,
                );
            }
        }
        let (left, transpose_left) = self.dense_or_turned(&left, a.span)?;
        let (right, transpose_right) = self.dense_or_turned(&right, b.span)?;
        let rows = if a.ty == Ty::RowVector {
            one
        } else if transpose_left {
            left.dims[1]
        } else {
            left.dims[0]
        };
        let cols = if b.ty == Ty::Vector {
            one
        } else if transpose_right {
            right.dims[0]
        } else {
            right.dims[1]
        };
        let product = L::Product {
            transpose_left,
            transpose_right,
        };
        self.matrix_call(
            product,
            &[left, right],
            &[(rows, cols)],
            expr.ty.clone(),
            span,
        )
    }

    /// A matrix of data with few columns times a vector, to be pulled.
    fn row_sums(&mut self, matrix: &Rc<View>, vector: &Rc<View>) -> Lowered<Option<Rc<View>>> {
        let Some(cols) = self.builder.known_int(matrix.dims[1]) else {
            return Ok(None);
        };
        let Source::Strided { buffer, .. } = &matrix.source else {
            return Ok(None);
        };
        let constant = matches!(
            self.builder.procedure.buffers[buffer.0 as usize].role,
            Role::ConstantReal(_) | Role::ConstantInt(_)
        );
        if !constant || cols > pulled_columns() {
            return Ok(None);
        }
        let mut factors = Vec::with_capacity(cols as usize);
        for column in 0..cols {
            let index = self.int(column);
            factors.push(self.element(vector, &[index])?);
        }
        let source = Source::RowSums {
            matrix: matrix.clone(),
            vector: factors,
        };
        Ok(Some(Rc::new(View {
            ty: Ty::Vector,
            dims: vec![matrix.dims[0]],
            source,
        })))
    }

    fn outer_product(&mut self, left: &Rc<View>, right: &Rc<View>) -> Lowered<Val> {
        let (left, right) = (
            self.readable(left, Span::default())?,
            self.readable(right, Span::default())?,
        );
        let (rows, cols, zero) = (left.dims[0], right.dims[0], self.int(0));
        let along = |start: ValueId| Pick::Range { start, step: 1 };
        // Element (i, j) of each operand spread over the other's dimension.
        let spread = |lowering: &mut Self, view: &Rc<View>, is_column: bool| -> Lowered<Rc<View>> {
            let stored = lowering.stored(view, Span::default())?;
            let Source::Strided {
                buffer,
                offset,
                strides,
            } = &stored.source
            else {
                return Ok(stored);
            };
            let strides = if is_column {
                vec![strides[0], zero]
            } else {
                vec![zero, strides[0]]
            };
            let source = Source::Strided {
                buffer: *buffer,
                offset: *offset,
                strides,
            };
            let spread = Rc::new(View {
                ty: Ty::Matrix,
                dims: vec![rows, cols],
                source,
            });
            Ok(lowering.pick(
                &spread,
                vec![along(zero), along(zero)],
                vec![rows, cols],
                Ty::Matrix,
            ))
        };
        let operands = vec![
            Operand::View(spread(self, &left, true)?),
            Operand::View(spread(self, &right, false)?),
        ];
        let source = Source::Map(Prim::Mul, operands);
        Ok(Val::View(Rc::new(View {
            ty: Ty::Matrix,
            dims: vec![rows, cols],
            source,
        })))
    }

    fn square(&mut self, function: L, arg: &Expr, expr: &Expr) -> Lowered<Val> {
        let view = self.view(arg)?;
        self.check_same_size(
            view.dims[0],
            view.dims[1],
            "the rows and columns of this matrix",
            expr.span,
        );
        let view = self.dense(&view, arg.span)?;
        let size = view.dims[0];
        self.matrix_call(function, &[view], &[(size, size)], Ty::Matrix, expr.span)
    }

    fn number(&mut self, function: L, arg: &Expr, expr: &Expr) -> Lowered<Val> {
        let view = self.view(arg)?;
        self.check_same_size(
            view.dims[0],
            view.dims[1],
            "the rows and columns of this matrix",
            expr.span,
        );
        let view = self.dense(&view, arg.span)?;
        let (one, zero) = (self.int(1), self.int(0));
        let outputs = self.call_outputs(function, &[view], &[(one, one)], expr.span)?;
        self.element(&outputs[0], &[zero, zero]).map(Val::Scalar)
    }

    /// A division of matrices; the divisor is on the left or on the right.
    fn solve(&mut self, function: L, args: &[Expr], left: bool, expr: &Expr) -> Lowered<Val> {
        let (a, b) = (self.view(&args[0])?, self.view(&args[1])?);
        let (a, b) = (self.dense(&a, args[0].span)?, self.dense(&b, args[1].span)?);
        let one = self.int(1);
        let divided = if left { &b } else { &a };
        let shape = match divided.ty {
            Ty::Vector => (divided.dims[0], one),
            Ty::RowVector => (one, divided.dims[0]),
            _ => (divided.dims[0], divided.dims[1]),
        };
        let (divisor, size) = if left { (&a, shape.0) } else { (&b, shape.1) };
        self.check_same_size(
            divisor.dims[0],
            size,
            "the operands of this division",
            expr.span,
        );
        self.check_same_size(
            divisor.dims[0],
            divisor.dims[1],
            "the rows and columns of the divisor",
            expr.span,
        );
        self.matrix_call(function, &[a, b], &[shape], expr.ty.clone(), expr.span)
    }

    // ------------------------------------------------------------------------------------------
    // Calls on slices
    // ------------------------------------------------------------------------------------------

    fn matrix_call(
        &mut self,
        function: L,
        inputs: &[Rc<View>],
        outputs: &[(ValueId, ValueId)],
        ty: Ty,
        span: Span,
    ) -> Lowered<Val> {
        let outputs = self.call_outputs(function, inputs, outputs, span)?;
        Ok(Val::View(self.as_type(&outputs[0], ty)))
    }

    /// Emits a call; its outputs are new matrices of the given sizes.
    fn call_outputs(
        &mut self,
        function: L,
        inputs: &[Rc<View>],
        outputs: &[(ValueId, ValueId)],
        span: Span,
    ) -> Lowered<Vec<Rc<View>>> {
        let mut slices = Vec::with_capacity(inputs.len());
        for input in inputs {
            slices.push(self.slice(input, span)?);
        }
        let (mut places, mut results) = (Vec::new(), Vec::new());
        for &(rows, cols) in outputs {
            let view = View {
                ty: Ty::Matrix,
                dims: vec![rows, cols],
                source: Source::Fill(rows),
            };
            let dims = self.known_dims(&view, span)?;
            let place = Rc::new(self.new_storage("matrix", &Ty::Matrix, &dims));
            results.push(self.slice(&place, span)?);
            places.push(place);
        }
        let message = self.plain_message(MessageKind::Reject, "", span);
        self.builder.push(Stmt::Call {
            function: Intrinsic::Forward(function),
            inputs: slices,
            outputs: results,
            message,
        });
        Ok(places)
    }

    /// A matrix of one row or column as the vector that it is.
    fn as_type(&mut self, view: &Rc<View>, ty: Ty) -> Rc<View> {
        let zero = self.int(0);
        let all = Pick::Range {
            start: zero,
            step: 1,
        };
        match ty {
            Ty::Vector => {
                let len = view.dims[0];
                self.pick(view, vec![all, Pick::Single(zero)], vec![len], ty)
            }
            Ty::RowVector => {
                let len = view.dims[1];
                self.pick(view, vec![Pick::Single(zero), all], vec![len], ty)
            }
            _ => view.clone(),
        }
    }

    /// A view stored densely, column by column.
    pub fn dense(&mut self, view: &Rc<View>, span: Span) -> Lowered<Rc<View>> {
        let dims = self.known_dims(view, span)?;
        if view.kind() == Kind::Real && self.is_dense(view, &dims) {
            return Ok(view.clone());
        }
        let ty = match view.ty {
            Ty::Array(_) if dims.len() == 1 => Ty::Vector,
            Ty::Array(_) => Ty::Matrix,
            ref other => other.clone(),
        };
        let place = self.new_storage("temporary", &ty, &dims);
        self.copy_elements(&place, view)?;
        Ok(Rc::new(place))
    }

    fn is_dense(&self, view: &View, dims: &[usize]) -> bool {
        let Source::Strided { strides, .. } = &view.source else {
            return false;
        };
        let wanted: &[i64] = match dims {
            [_] => &[1],
            [rows, _] => &[1, *rows as i64],
            _ => return false,
        };
        strides
            .iter()
            .zip(wanted)
            .zip(dims)
            .all(|((&stride, &wanted), &dim)| {
                dim <= 1 || self.builder.known_int(stride) == Some(wanted)
            })
    }

    /// A matrix stored densely, or the dense matrix that it is the transpose of (and true).
    fn dense_or_turned(&mut self, view: &Rc<View>, span: Span) -> Lowered<(Rc<View>, bool)> {
        let dims = self.known_dims(view, span)?;
        if dims.len() == 2 && !self.is_dense(view, &dims) {
            let turned = self.transposed(view, Ty::Matrix);
            if turned.kind() == Kind::Real && self.is_dense(&turned, &[dims[1], dims[0]]) {
                return Ok((turned, true));
            }
        }
        Ok((self.dense(view, span)?, false))
    }

    /// A dense view as a slice.
    pub fn slice(&mut self, view: &Rc<View>, span: Span) -> Lowered<Slice> {
        let view = self.dense(view, span)?;
        let Source::Strided { buffer, offset, .. } = &view.source else {
            return Err(LowerError::unsupported("this matrix", span));
        };
        let one = self.int(1);
        let (rows, cols) = match (&view.ty, view.dims.as_slice()) {
            (Ty::RowVector, [len]) => (one, *len),
            (_, [len]) => (*len, one),
            (_, [rows, cols]) => (*rows, *cols),
            _ => return Err(LowerError::unsupported("this matrix", span)),
        };
        Ok(Slice {
            buffer: *buffer,
            offset: *offset,
            rows,
            cols,
        })
    }

    /// Sorting: the order is found by a call, the sorted elements are gathered.
    pub fn sort(&mut self, function: F, args: &[Expr], expr: &Expr) -> Lowered<Val> {
        let view = self.view(&args[0])?;
        let view = self.stored(&view, args[0].span)?;
        let ty = if view.kind() == Kind::Int {
            Ty::Vector
        } else {
            view.ty.clone()
        };
        let keys = if view.kind() == Kind::Int {
            let operands = vec![Operand::View(view.clone())];
            Rc::new(View {
                ty,
                dims: view.dims.clone(),
                source: Source::Map(Prim::ToReal, operands),
            })
        } else {
            Rc::new(View {
                ty: Ty::Vector,
                ..(*view).clone()
            })
        };
        let keys = self.dense(&keys, expr.span)?;
        let size = self.known_dims(&keys, expr.span)?[0];
        let order = self.new_storage("order", &Ty::Array(Box::new(Ty::Int)), &[size]);
        let Source::Strided { buffer, offset, .. } = order.source else {
            return Err(LowerError::unsupported("this sort", expr.span));
        };
        self.extremes.insert(buffer, (1, size as i64));
        let input = self.slice(&keys, expr.span)?;
        let output = Slice {
            buffer,
            offset,
            rows: input.rows,
            cols: input.cols,
        };
        let message = self.plain_message(MessageKind::Reject, "", expr.span);
        let descending = matches!(function, F::SortDesc | F::SortIndicesDesc);
        self.builder.push(Stmt::Call {
            function: Intrinsic::SortIndices { descending },
            inputs: vec![input],
            outputs: vec![output],
            message,
        });
        let order = Rc::new(order);
        if matches!(function, F::SortIndicesAsc | F::SortIndicesDesc) {
            return Ok(Val::View(order));
        }
        let dims = view.dims.clone();
        Ok(Val::View(self.pick(
            &view,
            vec![Pick::Many(order)],
            dims,
            expr.ty.clone(),
        )))
    }
}
