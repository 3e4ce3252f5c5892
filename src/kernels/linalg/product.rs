//! Matrix products of all transpositions, their adjoint, and the vector operations beneath them.

use crate::kernels::simd;
use nalgebra::{DMatrixView, DMatrixViewMut, Dyn};

/// From this length on, the machine's widest vectors repay the call that picks them.
const WIDE_FROM: usize = 32;
/// From these dimensions on the packed kernels of nalgebra (the `matrixmultiply` crate) repay their set-up.
const PACKED_FROM: usize = 8;

/// A matrix in a slice, possibly transposed or cut out of a larger one.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    elements: &'a [f64],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A dense column-major matrix.
    pub fn new(elements: &'a [f64], rows: usize, cols: usize) -> Matrix<'a> {
        Matrix {
            elements: &elements[..rows * cols],
            rows,
            cols,
            row_stride: 1,
            col_stride: rows,
        }
    }

    /// Its transpose, without moving anything.
    pub fn transposed(self) -> Matrix<'a> {
        Matrix {
            elements: self.elements,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// Transposed if the flag says so.
    pub fn transposed_if(self, transpose: bool) -> Matrix<'a> {
        if transpose { self.transposed() } else { self }
    }

    /// The block of the given size whose first element is (row, col).
    pub(super) fn block(self, row: usize, col: usize, rows: usize, cols: usize) -> Matrix<'a> {
        let start = if rows == 0 || cols == 0 {
            0
        } else {
            row * self.row_stride + col * self.col_stride
        };
        Matrix {
            elements: &self.elements[start..],
            rows,
            cols,
            ..self
        }
    }

    fn at(self, row: usize, col: usize) -> f64 {
        self.elements[row * self.row_stride + col * self.col_stride]
    }

    /// A column, if its elements lie side by side.
    fn column(self, col: usize) -> Option<&'a [f64]> {
        let start = col * self.col_stride;
        (self.row_stride == 1).then(|| &self.elements[start..start + self.rows])
    }

    fn view(self) -> DMatrixView<'a, f64, Dyn, Dyn> {
        DMatrixView::from_slice_with_strides(
            self.elements,
            self.rows,
            self.cols,
            self.row_stride,
            self.col_stride,
        )
    }
}

/// C = A B, where C is dense, `a.rows` × `b.cols`.
pub fn multiply(a: Matrix, b: Matrix, c: &mut [f64]) {
    c[..a.rows * b.cols].fill(0.0);
    multiply_add(1.0, a, b, c);
}

/// C += s A B, where C is dense, `a.rows` × `b.cols`.
pub fn multiply_add(scale: f64, a: Matrix, b: Matrix, c: &mut [f64]) {
    multiply_add_strided(scale, a, b, c, a.rows);
}

/// C += s A B, where element (i, j) of C is at `i + j * stride`.
pub(super) fn multiply_add_strided(scale: f64, a: Matrix, b: Matrix, c: &mut [f64], stride: usize) {
    let (rows, cols, inner) = (a.rows, b.cols, a.cols);
    debug_assert_eq!(inner, b.rows);
    if rows == 0 || cols == 0 || inner == 0 {
        return;
    }
    if rows >= PACKED_FROM && cols >= PACKED_FROM && inner >= PACKED_FROM {
        DMatrixViewMut::from_slice_with_strides_mut(c, rows, cols, 1, stride).gemm(
            scale,
            &a.view(),
            &b.view(),
            1.0,
        );
        return;
    }
    if rows == 1 && cols > 1 && stride == 1 {
        // A row vector times a matrix, as the transposed product, whose result lies side by side.
        return multiply_add_strided(scale, b.transposed(), a.transposed(), c, cols);
    }
    for j in 0..cols {
        let target = &mut c[j * stride..j * stride + rows];
        if let Some(column) = b.column(j)
            && rows.max(inner) >= WIDE_FROM
            && (a.row_stride == 1 || a.col_stride == 1)
        {
            if a.row_stride == 1 {
                simd::product::add_product(scale, a.elements, a.col_stride, column, target);
            } else {
                let stride = a.row_stride;
                simd::product::add_transposed_product(scale, a.elements, stride, column, target);
            }
        } else if a.row_stride == 1 {
            for k in 0..inner {
                axpy(
                    scale * b.at(k, j),
                    &a.elements[k * a.col_stride..k * a.col_stride + rows],
                    target,
                );
            }
        } else {
            for (i, value) in target.iter_mut().enumerate() {
                *value += scale * row_times_column(a, i, b, j);
            }
        }
    }
}

fn row_times_column(a: Matrix, i: usize, b: Matrix, j: usize) -> f64 {
    match (a.transposed().column(i), b.column(j)) {
        (Some(x), Some(y)) => dot(x, y),
        _ => (0..a.cols).map(|k| a.at(i, k) * b.at(k, j)).sum(),
    }
}

/// Σ xᵢ yᵢ, in partial sums so that it runs at the width of the machine; the order of summation is fixed.
#[inline]
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    if x.len() >= WIDE_FROM {
        return simd::product::dot(x, y);
    }
    let mut sums = [0.0; 8];
    let (x_chunks, y_chunks) = (x.chunks_exact(8), y.chunks_exact(8));
    let mut rest = 0.0;
    for (a, b) in x_chunks.remainder().iter().zip(y_chunks.remainder()) {
        rest += a * b;
    }
    for (a, b) in x_chunks.zip(y_chunks) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}

/// y += s x.
#[inline]
pub fn axpy(scale: f64, x: &[f64], y: &mut [f64]) {
    if x.len() >= WIDE_FROM {
        return simd::product::add_scaled(scale, x, y);
    }
    for (target, value) in y.iter_mut().zip(x) {
        *target += scale * value;
    }
}

/// The adjoint of C = op(A) op(B), where op transposes if its flag says so.
///
/// `a` and `b` are the stored matrices with their stored dimensions. Ā += C̄ op(B)ᵀ and B̄ += op(A)ᵀ C̄, transposed along
/// with their arguments.
pub fn product_adjoint(
    (a, transpose_a): (Matrix, bool),
    (b, transpose_b): (Matrix, bool),
    c_bar: &[f64],
    a_bar: Option<&mut [f64]>,
    b_bar: Option<&mut [f64]>,
) {
    let (left, right) = (a.transposed_if(transpose_a), b.transposed_if(transpose_b));
    let c_bar = Matrix::new(c_bar, left.rows, right.cols);
    if let Some(a_bar) = a_bar {
        if transpose_a {
            multiply_add(1.0, right, c_bar.transposed(), a_bar);
        } else {
            multiply_add(1.0, c_bar, right.transposed(), a_bar);
        }
    }
    if let Some(b_bar) = b_bar {
        if transpose_b {
            multiply_add(1.0, c_bar.transposed(), left, b_bar);
        } else {
            multiply_add(1.0, left.transposed(), c_bar, b_bar);
        }
    }
}

/// The transpose of a dense matrix, copied.
pub(super) fn transpose(a: &[f64], rows: usize, cols: usize) -> Vec<f64> {
    let mut result = vec![0.0; rows * cols];
    for j in 0..cols {
        for i in 0..rows {
            result[j + i * cols] = a[i + j * rows];
        }
    }
    result
}
