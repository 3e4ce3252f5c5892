//! Carries out the calls of linear algebra on slices: shared by the evaluator and the compiled code.

use super::adjoint::adjoint;
use super::forward::forward;
use super::{Intrinsic, Stop};
use crate::builtins::{Draw, Scalar};
use crate::kernels::random;
use rand::Rng;

/// A dense column-major matrix that a call reads.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'m> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// `rows * cols` elements, column after column.
    pub values: &'m [f64],
}

impl<'m> Matrix<'m> {
    /// A matrix over its elements.
    pub fn new(rows: usize, cols: usize, values: &'m [f64]) -> Matrix<'m> {
        Matrix { rows, cols, values }
    }
}

/// The elements of what a call writes.
#[derive(Debug)]
pub enum Values<'m> {
    /// Reals.
    Real(&'m mut [f64]),
    /// Integers: the indices of [`Intrinsic::SortIndices`].
    Int(&'m mut [i64]),
}

/// A dense column-major matrix that a call writes.
#[derive(Debug)]
pub struct MatrixMut<'m> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// `rows * cols` elements, column after column.
    pub values: Values<'m>,
}

impl<'m> MatrixMut<'m> {
    /// A matrix over its elements.
    pub fn new(rows: usize, cols: usize, values: Values<'m>) -> MatrixMut<'m> {
        MatrixMut { rows, cols, values }
    }
}

/// Calls the function. Shapes follow from [`Intrinsic`] and are `lower`'s responsibility; a shape or a number of
/// slices that does not fit is reported like a failure.
///
/// # Errors
/// Why there is no result, in words that complete a message ("the matrix is not positive definite").
pub fn execute(
    function: Intrinsic,
    inputs: &[Matrix<'_>],
    outputs: &mut [MatrixMut<'_>],
) -> Result<(), String> {
    let whole = |output: &MatrixMut<'_>| {
        let len = match &output.values {
            Values::Real(values) => values.len(),
            Values::Int(values) => values.len(),
        };
        len == output.rows * output.cols
    };
    if !outputs.iter().all(whole) {
        return Err("a result has other sizes than its place".to_string());
    }
    match (function, inputs, outputs) {
        (Intrinsic::SortIndices { descending }, [keys], [order]) => match &mut order.values {
            Values::Int(order) => {
                sort_indices(keys.values, order, descending);
                Ok(())
            }
            Values::Real(_) => Err("indices are integers".to_string()),
        },
        (Intrinsic::Forward(function), inputs, outputs) => forward(function, inputs, outputs),
        (Intrinsic::Adjoint(function, mask), inputs, outputs) => {
            adjoint(function, mask, inputs, outputs)
        }
        _ => Err(format!("{function:?} is not available")),
    }
}

/// The places of the keys in ascending or descending order, counted from 1; equal keys keep their order.
/// NaN counts as larger than every number.
fn sort_indices(keys: &[f64], order: &mut [i64], descending: bool) {
    let mut places: Vec<usize> = (0..keys.len()).collect();
    let compare = |a: f64, b: f64| {
        let ordered = a.partial_cmp(&b);
        ordered.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    };
    if descending {
        places.sort_by(|&a, &b| compare(keys[b], keys[a]));
    } else {
        places.sort_by(|&a, &b| compare(keys[a], keys[b]));
    }
    for (to, place) in order.iter_mut().zip(places) {
        *to = place as i64 + 1;
    }
}

/// A random draw of one scalar.
///
/// # Errors
/// Arguments that are not of the draw's row.
pub fn sample(draw: Draw, args: &[Scalar], generator: &mut dyn Rng) -> Result<Scalar, Stop> {
    if args.len() != draw.row().1.len() {
        return Err(Stop::internal(format!("{draw:?} takes other arguments")));
    }
    let real = |at: usize| args[at].as_real();
    let count = |at: usize| args[at].as_int();
    Ok(match draw {
        Draw::Uniform => Scalar::Real(random::std_uniform(generator)),
        Draw::Normal => Scalar::Real(random::std_normal(generator)),
        Draw::Exponential => Scalar::Real(random::std_exponential(generator)),
        Draw::Gamma => Scalar::Real(random::std_gamma(generator, real(0))),
        Draw::Poisson => Scalar::Int(random::poisson(generator, real(0))),
        Draw::Binomial => Scalar::Int(random::binomial(generator, count(0), real(1))),
        Draw::Hypergeometric => Scalar::Int(random::hypergeometric(
            generator,
            count(0),
            count(1),
            count(2),
        )),
        Draw::VonMises => Scalar::Real(random::von_mises(generator, real(0), real(1))),
    })
}
