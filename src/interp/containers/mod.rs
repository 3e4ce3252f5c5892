//! Functions of whole containers.

mod combine;
mod linear;
mod order;
mod shape;

use super::failure::Failure;
use super::value::Value;
use crate::builtins::Container as Function;
use crate::source::Span;
use crate::types::{Axis, Ty};

/// Why a function of containers has no value.
#[derive(Debug)]
pub(super) enum Problem {
    /// Sizes or indexes that do not fit: ends the run.
    Sizes(String),
    /// A value outside the function's domain: rejects this position.
    Domain(String),
    /// The typed IR called it with what it does not take.
    Arguments,
}

impl Problem {
    /// The failure of the call at `span`.
    pub(super) fn at(self, function: &str, span: Span) -> Failure {
        match self {
            Problem::Sizes(what) => Failure::fatal(format!("{function}: {what}"), span),
            Problem::Domain(what) => Failure::rejected(format!("{function}: {what}"), span),
            Problem::Arguments => {
                Failure::internal(format!("{function} does not take these arguments"), span)
            }
        }
    }
}

type Outcome = Result<Value, Problem>;

/// Applies a function; `ty` is the type of its result. Solvers of differential equations are not among them.
pub(super) fn apply(function: Function, args: &[&Value], ty: &Ty) -> Outcome {
    use Function as F;
    match function {
        F::Size | F::NumElements | F::Rows | F::Cols | F::Dims => shape::measure(function, args),
        F::RepVector | F::RepRowVector | F::RepMatrix | F::RepArray => shape::repeat(args, ty),
        F::ToVector | F::ToRowVector | F::ToArray1d => shape::flatten(args, ty),
        F::ToMatrix => shape::to_matrix(args),
        F::ToArray2d | F::Transpose => shape::transpose(args, ty),
        F::Head | F::Tail | F::Segment | F::Reverse => shape::slice(function, args),
        F::Col | F::Row | F::Block | F::SubCol | F::SubRow => shape::part(function, args),
        F::Diagonal | F::DiagMatrix => shape::diagonal(function, args),
        F::AppendRow | F::AppendCol | F::AppendArray => combine::append(function, args, ty),
        F::Sum => combine::sum(args, ty),
        F::DotProduct => combine::dot_product(args),
        F::SortAsc | F::SortDesc | F::SortIndicesAsc | F::SortIndicesDesc => {
            order::sort(function, args)
        }
        F::Multiply
        | F::Crossprod
        | F::Tcrossprod
        | F::CholeskyDecompose
        | F::MdivideLeftTriLow
        | F::MdivideRightTriLow
        | F::MdivideLeft
        | F::MdivideRight
        | F::MdivideLeftSpd
        | F::MdivideRightSpd
        | F::Inverse
        | F::InverseSpd
        | F::Determinant
        | F::LogDeterminant
        | F::LogDeterminantSpd
        | F::EigenvaluesSym
        | F::EigenvectorsSym
        | F::QrThinQ
        | F::QrThinR
        | F::SingularValues
        | F::MatrixExp => linear::apply(function, args, ty),
        F::IntegrateOdeRk45
        | F::IntegrateOdeBdf
        | F::IntegrateOdeAdams
        | F::IntegrateOde
        | F::OdeRk45
        | F::OdeRk45Tol
        | F::OdeBdf
        | F::OdeBdfTol => Err(Problem::Arguments),
    }
}

/// The argument at a position.
fn arg<'a>(args: &[&'a Value], position: usize) -> Result<&'a Value, Problem> {
    args.get(position).copied().ok_or(Problem::Arguments)
}

/// The container at a position.
fn container<'a>(
    args: &[&'a Value],
    position: usize,
) -> Result<&'a super::value::Container, Problem> {
    arg(args, position)?
        .as_container()
        .ok_or(Problem::Arguments)
}

/// The integer at a position.
fn int(args: &[&Value], position: usize) -> Result<i64, Problem> {
    arg(args, position)?.as_int().ok_or(Problem::Arguments)
}

/// A size at a position: not negative.
fn size(args: &[&Value], position: usize) -> Result<usize, Problem> {
    let value = int(args, position)?;
    usize::try_from(value)
        .map_err(|_| Problem::Domain(format!("a size is {value}, but must not be negative")))
}

/// An index at a position, checked against the size of what it indexes and counted from 0.
fn index(args: &[&Value], position: usize, of: usize, axis: Axis) -> Result<usize, Problem> {
    let value = int(args, position)?;
    match usize::try_from(value - 1) {
        Ok(at) if at < of => Ok(at),
        _ => {
            let subject = match axis {
                Axis::Elements | Axis::Dimension(_) => "the container",
                Axis::Rows | Axis::Columns => "the matrix",
            };
            let [before, between] = axis.out_of_range(subject);
            Err(Problem::Sizes(format!("{before}{value}{between}{of}")))
        }
    }
}
