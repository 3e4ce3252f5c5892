//! The thin QR decomposition.

use super::Failure;
use super::product::{Matrix, axpy, dot, multiply, multiply_add, transpose};
use super::triangular::solve_lower_right_in_place;

/// A = Q R with Q m × k of orthonormal columns and R k × n upper triangular (trapezoidal), k = min(m, n), and R's diagonal
/// not negative, as in Stan.
///
/// Householder reflections (Golub and Van Loan, *Matrix Computations*, algorithm 5.2.1).
pub fn qr_thin(m: usize, n: usize, a: &[f64], q: &mut [f64], r: &mut [f64]) {
    let k = m.min(n);
    let mut work = a[..m * n].to_vec();
    // Reflection j is I − 2 v vᵀ with v of length 1 (or 0) in column j of `reflectors`, from row j on.
    let mut reflectors = vec![0.0; m * k];
    for j in 0..k {
        let reflector = &mut reflectors[j * m + j..(j + 1) * m];
        reflector.copy_from_slice(&work[j * m + j..(j + 1) * m]);
        make_reflector(reflector);
        for column in work[j * m..].chunks_exact_mut(m) {
            reflect(reflector, &mut column[j..]);
        }
    }
    q[..m * k].fill(0.0);
    for (j, column) in q[..m * k].chunks_exact_mut(m.max(1)).enumerate() {
        column[j] = 1.0;
        for i in (0..k).rev() {
            reflect(&reflectors[i * m + i..(i + 1) * m], &mut column[i..]);
        }
    }
    r[..k * n].fill(0.0);
    for j in 0..n {
        let height = k.min(j + 1);
        r[j * k..j * k + height].copy_from_slice(&work[j * m..j * m + height]);
    }
    for i in 0..k {
        if r[i + i * k] < 0.0 {
            q[i * m..(i + 1) * m]
                .iter_mut()
                .for_each(|value| *value = -*value);
            for j in i..n {
                r[i + j * k] = -r[i + j * k];
            }
        }
    }
}

/// Turns x into the unit vector whose reflection maps x onto the first axis, on the side that does not cancel.
fn make_reflector(x: &mut [f64]) {
    let scale = x
        .iter()
        .fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if scale == 0.0 {
        return;
    }
    x.iter_mut().for_each(|value| *value /= scale);
    x[0] += dot(x, x).sqrt().copysign(x[0]);
    let norm = dot(x, x).sqrt();
    x.iter_mut().for_each(|value| *value /= norm);
}

fn reflect(v: &[f64], x: &mut [f64]) {
    axpy(-2.0 * dot(v, x), v, x);
}

/// The adjoint of [`qr_thin`]; A must have full rank (R's leading block is inverted), or it fails.
///
/// Walter and Lehmann, "On evaluating higher-order derivatives of the QR decomposition" (2012), section 4: with
/// M = R R̄ᵀ − Q̄ᵀ Q and its lower triangle mirrored to a symmetric matrix, Ā += (Q̄ + Q sym(M)) R⁻ᵀ. A matrix with more
/// columns than rows is [X Y] with X = Q U and R = [U V], V = Qᵀ Y: the adjoint of V flows into Y and Q first.
#[expect(
    clippy::too_many_arguments,
    reason = "sizes, input, two outputs and the three adjoints"
)]
pub fn qr_thin_adjoint(
    m: usize,
    n: usize,
    a: &[f64],
    q: &[f64],
    r: &[f64],
    q_bar: &[f64],
    r_bar: &[f64],
    a_bar: &mut [f64],
) -> Result<(), Failure> {
    let k = m.min(n);
    if let Some(pivot) = (0..k).find(|&j| r[j + j * k] == 0.0) {
        return Err(Failure::Singular { pivot });
    }
    let mut q_bar = q_bar[..m * k].to_vec();
    if n > k {
        let (y, v_bar) = (
            Matrix::new(&a[m * k..], m, n - k),
            Matrix::new(&r_bar[k * k..], k, n - k),
        );
        multiply_add(1.0, y, v_bar.transposed(), &mut q_bar);
        multiply_add(1.0, Matrix::new(q, m, k), v_bar, &mut a_bar[m * k..]);
    }
    // Only the upper triangle of R is an output.
    let mut u_bar = r_bar[..k * k].to_vec();
    for j in 0..k {
        u_bar[j * k + j + 1..(j + 1) * k].fill(0.0);
    }
    let mut mirrored = vec![0.0; k * k];
    multiply(
        Matrix::new(r, k, k),
        Matrix::new(&u_bar, k, k).transposed(),
        &mut mirrored,
    );
    multiply_add(
        -1.0,
        Matrix::new(&q_bar, m, k).transposed(),
        Matrix::new(q, m, k),
        &mut mirrored,
    );
    for j in 0..k {
        for i in j + 1..k {
            mirrored[j + i * k] = mirrored[i + j * k];
        }
    }
    multiply_add(
        1.0,
        Matrix::new(q, m, k),
        Matrix::new(&mirrored, k, k),
        &mut q_bar,
    );
    // R⁻ᵀ is the inverse of the lower triangular Rᵀ.
    let lower = transpose(&r[..k * k], k, k);
    solve_lower_right_in_place(false, m, k, &lower, &mut q_bar);
    super::add_to(a_bar, &q_bar);
    Ok(())
}
