//! The matrix exponential.

use super::product::{Matrix, axpy, multiply};
use super::{Failure, lu, verify_finite};

/// Numerator coefficients of the [13/13] Padé approximant of eˣ, constant first, scaled so that the last is 1.
const PADE: [f64; 14] = [
    64_764_752_532_480_000.0,
    32_382_376_266_240_000.0,
    7_771_770_303_897_600.0,
    1_187_353_796_428_800.0,
    129_060_195_264_000.0,
    10_559_470_521_600.0,
    670_442_572_800.0,
    33_522_128_640.0,
    1_323_241_920.0,
    40_840_800.0,
    960_960.0,
    16_380.0,
    182.0,
    1.0,
];
/// The 1-norm up to which that approximant is exact to rounding, θ₁₃ in Higham's table 2.3.
const LARGEST_NORM: f64 = 5.371_920_351_148_152;

/// e^A; both n × n.
///
/// Higham, "The scaling and squaring method for the matrix exponential revisited" (2005), always with degree 13.
pub fn matrix_exp(n: usize, a: &[f64], result: &mut [f64]) -> Result<(), Failure> {
    let a = &a[..n * n];
    verify_finite(a)?;
    if n == 0 {
        return Ok(());
    }
    let norm = a
        .chunks_exact(n)
        .map(|column| column.iter().map(|x| x.abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let halvings = (norm / LARGEST_NORM).log2().ceil().clamp(0.0, 2000.0) as i32;
    let scale = 0.5_f64.powi(halvings);
    let scaled: Vec<f64> = a.iter().map(|x| x * scale).collect();

    let square = power(n, &scaled, &scaled);
    let fourth = power(n, &square, &square);
    let sixth = power(n, &fourth, &square);
    // p(A) = U + V with U odd and V even in A; both from A², A⁴, A⁶ by Horner in A⁶.
    let half = |first: usize| {
        let high = combine(
            n,
            [0.0, PADE[first + 8], PADE[first + 10], PADE[first + 12]],
            &square,
            &fourth,
            &sixth,
        );
        let low = [
            PADE[first],
            PADE[first + 2],
            PADE[first + 4],
            PADE[first + 6],
        ];
        let mut sum = power(n, &sixth, &high);
        super::add_to(&mut sum, &combine(n, low, &square, &fourth, &sixth));
        sum
    };
    let (odd, even) = (power(n, &scaled, &half(1)), half(0));
    let numerator: Vec<f64> = even.iter().zip(&odd).map(|(v, u)| v + u).collect();
    let denominator: Vec<f64> = even.iter().zip(&odd).map(|(v, u)| v - u).collect();
    lu::solve(n, n, &denominator, &numerator, result)?;
    for _ in 0..halvings {
        let squared = power(n, result, result);
        result[..n * n].copy_from_slice(&squared);
    }
    Ok(())
}

fn power(n: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; n * n];
    multiply(Matrix::new(a, n, n), Matrix::new(b, n, n), &mut product);
    product
}

/// c₀ I + c₁ A² + c₂ A⁴ + c₃ A⁶.
fn combine(n: usize, c: [f64; 4], square: &[f64], fourth: &[f64], sixth: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; n * n];
    for j in 0..n {
        sum[j + j * n] = c[0];
    }
    axpy(c[1], square, &mut sum);
    axpy(c[2], fourth, &mut sum);
    axpy(c[3], sixth, &mut sum);
    sum
}

/// The adjoint of [`matrix_exp`]: Ā += the Fréchet derivative of the exponential at Aᵀ in the direction Ȳ.
///
/// It is the upper right block of the exponential of [[Aᵀ, Ȳ], [0, Aᵀ]] (Najfeld and Havel 1995; Higham, *Functions of
/// Matrices*, equation 3.16).
pub fn matrix_exp_adjoint(
    n: usize,
    a: &[f64],
    result_bar: &[f64],
    a_bar: &mut [f64],
) -> Result<(), Failure> {
    // The block is linear in Ȳ; a Ȳ of the size of A keeps the scaling from being driven by it.
    let largest = |x: &[f64]| {
        x.iter()
            .fold(0.0, |largest: f64, value| largest.max(value.abs()))
    };
    let (size_a, size_bar) = (largest(&a[..n * n]), largest(&result_bar[..n * n]));
    if size_bar == 0.0 {
        return Ok(());
    }
    let scale = if size_a > 0.0 {
        size_a / size_bar
    } else {
        1.0 / size_bar
    };
    let double = 2 * n;
    let mut block = vec![0.0; double * double];
    for j in 0..n {
        for i in 0..n {
            let transposed = a[j + i * n];
            block[i + j * double] = transposed;
            block[n + i + (n + j) * double] = transposed;
            block[i + (n + j) * double] = scale * result_bar[i + j * n];
        }
    }
    let mut exponential = vec![0.0; double * double];
    matrix_exp(double, &block, &mut exponential)?;
    for j in 0..n {
        for i in 0..n {
            a_bar[i + j * n] += exponential[i + (n + j) * double] / scale;
        }
    }
    Ok(())
}
