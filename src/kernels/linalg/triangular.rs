//! Solves with lower triangular matrices, from the left and the right, and their adjoints.
//!
//! The strict upper triangle of L is never read, and gets no adjoint. A zero on the diagonal gives infinities, as in Stan.
//! Large systems are cut into blocks, so that most of the work is a matrix product.

use super::product::{Matrix, axpy, dot, multiply_add, multiply_add_strided};

/// Size of the diagonal blocks; below it, substitution runs in the first-level cache anyway.
const BLOCK: usize = 32;

/// X = op(L)⁻¹ B, where op transposes if the flag says so; L is n × n, B and X are n × m.
pub fn solve_lower(transpose: bool, n: usize, m: usize, l: &[f64], b: &[f64], x: &mut [f64]) {
    x[..n * m].copy_from_slice(&b[..n * m]);
    solve_lower_in_place(transpose, n, m, l, x);
}

/// X ← op(L)⁻¹ X.
pub(super) fn solve_lower_in_place(transpose: bool, n: usize, m: usize, l: &[f64], x: &mut [f64]) {
    if n <= BLOCK || m < 4 {
        for column in x[..n * m].chunks_exact_mut(n.max(1)) {
            substitute(transpose, n, l, column, 0..n);
        }
        return;
    }
    let matrix = Matrix::new(l, n, n);
    let mut solved = vec![0.0; BLOCK * m];
    let starts = (0..n).step_by(BLOCK);
    let order: Vec<usize> = if transpose {
        starts.rev().collect()
    } else {
        starts.collect()
    };
    for start in order {
        let end = n.min(start + BLOCK);
        let size = end - start;
        for (column, copy) in x.chunks_exact_mut(n).zip(solved.chunks_exact_mut(size)) {
            substitute(transpose, n, l, column, start..end);
            copy.copy_from_slice(&column[start..end]);
        }
        let solved = Matrix::new(&solved, size, m);
        if transpose {
            let above = matrix.block(start, 0, size, start).transposed();
            multiply_add_strided(-1.0, above, solved, x, n);
        } else if end < n {
            let below = matrix.block(end, start, n - end, size);
            multiply_add_strided(-1.0, below, solved, &mut x[end..], n);
        }
    }
}

/// Solves with the diagonal block of the given rows; x outside of the block is taken to be accounted for.
fn substitute(transpose: bool, n: usize, l: &[f64], x: &mut [f64], rows: std::ops::Range<usize>) {
    let end = rows.end;
    if transpose {
        for j in rows.rev() {
            let column = &l[j * n..(j + 1) * n];
            let (head, tail) = x[..end].split_at_mut(j + 1);
            head[j] = (head[j] - dot(&column[j + 1..end], tail)) / column[j];
        }
    } else {
        for j in rows {
            let column = &l[j * n..(j + 1) * n];
            let (head, tail) = x[..end].split_at_mut(j + 1);
            head[j] /= column[j];
            axpy(-head[j], &column[j + 1..end], tail);
        }
    }
}

/// The adjoint of [`solve_lower`]: with G = op(L)⁻ᵀ X̄, B̄ += G and op(L)‾ −= G Xᵀ in the lower triangle.
#[expect(
    clippy::too_many_arguments,
    reason = "two flags and sizes, inputs, output, three adjoints"
)]
pub fn solve_lower_adjoint(
    transpose: bool,
    n: usize,
    m: usize,
    l: &[f64],
    x: &[f64],
    x_bar: &[f64],
    l_bar: Option<&mut [f64]>,
    b_bar: Option<&mut [f64]>,
) {
    let mut g = x_bar[..n * m].to_vec();
    solve_lower_in_place(!transpose, n, m, l, &mut g);
    if let Some(l_bar) = l_bar {
        let (x, g) = (Matrix::new(x, n, m), Matrix::new(&g, n, m));
        let (left, right) = if transpose { (x, g) } else { (g, x) };
        subtract_lower_product(n, left, right.transposed(), l_bar);
    }
    if let Some(b_bar) = b_bar {
        super::add_to(b_bar, &g);
    }
}

/// The lower triangle of `target` −= A B.
fn subtract_lower_product(n: usize, a: Matrix, b: Matrix, target: &mut [f64]) {
    let mut product = vec![0.0; n * n];
    multiply_add(-1.0, a, b, &mut product);
    for j in 0..n {
        super::add_to(
            &mut target[j + j * n..(j + 1) * n],
            &product[j + j * n..(j + 1) * n],
        );
    }
}

/// X = B op(L)⁻¹, where op transposes if the flag says so; B and X are m × n, L is n × n.
pub fn solve_lower_right(transpose: bool, m: usize, n: usize, b: &[f64], l: &[f64], x: &mut [f64]) {
    x[..m * n].copy_from_slice(&b[..m * n]);
    solve_lower_right_in_place(transpose, m, n, l, x);
}

/// X ← X op(L)⁻¹.
pub(super) fn solve_lower_right_in_place(
    transpose: bool,
    m: usize,
    n: usize,
    l: &[f64],
    x: &mut [f64],
) {
    solve_lower_right_strided(transpose, m, n, l, n, x);
}

/// X ← X op(L)⁻¹ for L whose columns are `stride` apart.
pub(super) fn solve_lower_right_strided(
    transpose: bool,
    m: usize,
    n: usize,
    l: &[f64],
    stride: usize,
    x: &mut [f64],
) {
    // Column k of X is final once the columns that it depends on are; then it is taken out of the others.
    let order: Vec<usize> = if transpose {
        (0..n).collect()
    } else {
        (0..n).rev().collect()
    };
    for k in order {
        let (before, rest) = x.split_at_mut(k * m);
        let (column, after) = rest.split_at_mut(m);
        let diagonal = l[k + k * stride];
        column.iter_mut().for_each(|value| *value /= diagonal);
        if transpose {
            for (other, j) in after.chunks_exact_mut(m.max(1)).zip(k + 1..n) {
                axpy(-l[j + k * stride], column, other);
            }
        } else {
            for (other, j) in before.chunks_exact_mut(m.max(1)).zip(0..k) {
                axpy(-l[k + j * stride], column, other);
            }
        }
    }
}

/// The adjoint of [`solve_lower_right`]: with G = X̄ op(L)⁻ᵀ, B̄ += G and op(L)‾ −= Xᵀ G in the lower triangle.
#[expect(
    clippy::too_many_arguments,
    reason = "two flags and sizes, inputs, output, three adjoints"
)]
pub fn solve_lower_right_adjoint(
    transpose: bool,
    m: usize,
    n: usize,
    l: &[f64],
    x: &[f64],
    x_bar: &[f64],
    b_bar: Option<&mut [f64]>,
    l_bar: Option<&mut [f64]>,
) {
    let mut g = x_bar[..m * n].to_vec();
    solve_lower_right_in_place(!transpose, m, n, l, &mut g);
    if let Some(l_bar) = l_bar {
        let (x, g) = (Matrix::new(x, m, n), Matrix::new(&g, m, n));
        let (left, right) = if transpose { (g, x) } else { (x, g) };
        subtract_lower_product(n, left.transposed(), right, l_bar);
    }
    if let Some(b_bar) = b_bar {
        super::add_to(b_bar, &g);
    }
}
