//! Sine and cosine.
//!
//! The argument less a multiple of π/2, which is in three parts (Cody and Waite, 1980; Payne and Hanek's method would be for
//! larger numbers, which are left to [`special`](crate::kernels::special)); then a polynomial in its square.

use super::coefficients::{COSINE, HALF_PI_HIGH, HALF_PI_LOW, HALF_PI_MIDDLE, SINE};
use super::double::Double;
use super::elementary::{SHIFT, polynomial};
use super::pieces::Pieces;
use crate::kernels::special;
use std::f64::consts::FRAC_2_PI;

/// Up to here products of a multiple with 33 bits are exact: 2^19 π/2 is a little more.
const LARGEST: f64 = 8e5;

/// x = n π/2 + r with |r| at most a little above π/4: the lowest bits of n, and r.
#[inline(always)]
fn reduce(x: f64) -> (u64, Double) {
    let shifted = x.mul_add(FRAC_2_PI, SHIFT);
    let n = shifted - SHIFT;
    let near = n.mul_add(-HALF_PI_HIGH, x);
    let middle = n * HALF_PI_MIDDLE;
    let high = near - middle;
    // Exact whichever of the two is larger (Knuth's sum).
    let taken = near - high;
    let lost = (near - (high + taken)) + (taken - middle);
    let low = n.mul_add(-HALF_PI_LOW, lost);
    (shifted.to_bits(), Double::sum(high, low))
}

/// sin(r), |r| ≤ π/4.
#[inline(always)]
fn sine(r: Double) -> f64 {
    let square = r.high * r.high;
    let cube = square * r.high;
    // The low part times the cosine, as far as that matters.
    let low = r.low.mul_add(
        0.5f64.mul_add(-square, 1.0),
        cube * polynomial(&SINE, square),
    );
    r.high + low
}

/// cos(r), |r| ≤ π/4.
#[inline(always)]
fn cosine(r: Double) -> f64 {
    let square = r.high * r.high;
    let half = 0.5 * square;
    let near = 1.0 - half;
    let lost = (1.0 - near) - half;
    // r² and what its rounding lost, the low part included.
    let square_low = r.high.mul_add(r.high, -square) + 2.0 * r.high * r.low;
    let low = (square * square).mul_add(polynomial(&COSINE, square), lost - 0.5 * square_low);
    near + low
}

/// sin(x + quarter π/2).
#[inline(always)]
fn wave(x: f64, quarter: u64) -> f64 {
    let (n, r) = reduce(x);
    let n = n.wrapping_add(quarter);
    let (sine, cosine) = (sine(r), cosine(r));
    let value = if n & 1 == 0 { sine } else { cosine };
    f64::from_bits(value.to_bits() ^ (n & 2) << 62)
}

/// The sine.
#[derive(Clone, Copy)]
pub(super) struct Sin;

/// The cosine.
#[derive(Clone, Copy)]
pub(super) struct Cos;

macro_rules! waves {
    ($($name:ident: $quarter:literal, $at_zero:expr, $scalar:path;)*) => {
        $(
            impl Pieces for $name {
                #[inline(always)]
                fn is_simple(self, x: f64) -> bool {
                    x.abs() <= LARGEST
                }

                #[inline(always)]
                fn simple(self, x: f64) -> f64 {
                    wave(x, $quarter)
                }

                #[inline(always)]
                fn other(self, x: f64) -> f64 {
                    wave(x, $quarter)
                }

                #[inline(always)]
                fn either(self, x: f64) -> f64 {
                    wave(x, $quarter)
                }

                #[inline(always)]
                fn is_rare(self, x: f64) -> bool {
                    x.is_nan() || x.abs() > LARGEST
                }

                #[inline(always)]
                fn rare(self, x: f64) -> f64 {
                    $scalar(x)
                }
            }
        )*
    };
}

waves! {
    Sin: 0, 0.0, special::sin;
    Cos: 1, 1.0, special::cos;
}
