//! Validation of declared constraints: which element breaks the promise, its value, and what was promised.
//!
//! Tolerances are Stan's `CONSTRAINT_TOLERANCE`; ordering is strict, bounds are inclusive, NaN satisfies nothing.

// Comparisons are negated on purpose: what NaN makes false is a violation.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

use std::borrow::Cow;

use super::evaluate::Evaluator;
use super::failure::{Eval, Failure};
use super::frame::Frame;
use super::value::{Container, Value};
use crate::builtins::Scalar;
use crate::ir::{Constraint, Expr, VarId};
use crate::kernels::special;

/// How far sums, norms, diagonals and symmetry may be off (Stan Math, `constraint_tolerance.hpp`).
const TOLERANCE: f64 = 1e-8;

/// A broken promise of a declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The indexes, counted from 1, of the element that breaks it; none where the whole value does.
    pub indexes: Vec<usize>,
    /// What is wrong, as the predicate of a sentence: `is -1, but must be at least 0`.
    pub predicate: String,
}

impl Violation {
    /// The whole sentence, given the variable's name.
    pub fn sentence(&self, name: &str) -> String {
        if self.indexes.is_empty() {
            return format!("`{name}` {}", self.predicate);
        }
        let indexes: Vec<String> = self.indexes.iter().map(usize::to_string).collect();
        format!("`{name}[{}]` {}", indexes.join(", "), self.predicate)
    }
}

/// A real as messages show it.
fn shown(value: f64) -> Scalar {
    Scalar::Real(value)
}

pub(super) type Check = Result<(), Violation>;

impl Evaluator<'_, '_> {
    /// Rejects unless the variable satisfies its declared constraint.
    pub(super) fn validate(&self, var: VarId, frame: &Frame<'_>) -> Eval<()> {
        let variable = self.program.variable(var);
        self.check_constraint(var, frame)?.map_err(|violation| {
            Failure::rejected(violation.sentence(&variable.name), variable.span)
        })
    }

    /// Whether the variable satisfies its declared constraint.
    pub(super) fn check_constraint(&self, var: VarId, frame: &Frame<'_>) -> Eval<Check> {
        let variable = self.program.variable(var);
        if variable.constraint == Constraint::None {
            return Ok(Ok(()));
        }
        let value = self.variable(var, variable.span, frame)?;
        self.satisfies(&variable.constraint, value, frame)
    }

    fn satisfies(&self, constraint: &Constraint, value: &Value, frame: &Frame<'_>) -> Eval<Check> {
        let at_least: (fn(f64, f64) -> bool, &str) = (|x, bound| x >= bound, "at least");
        let at_most: (fn(f64, f64) -> bool, &str) = (|x, bound| x <= bound, "at most");
        Ok(match constraint {
            Constraint::None | Constraint::OffsetMultiplier(..) => Ok(()),
            Constraint::Lower(bound) => self.within(value, bound, at_least, frame)?,
            Constraint::Upper(bound) => self.within(value, bound, at_most, frame)?,
            Constraint::LowerUpper(lower, upper) => {
                match self.within(value, lower, at_least, frame)? {
                    Ok(()) => self.within(value, upper, at_most, frame)?,
                    violation => violation,
                }
            }
            Constraint::Ordered => each_element(value, |x| ordered(x.as_reals())),
            Constraint::PositiveOrdered => each_element(value, |x| {
                ordered(x.as_reals())?;
                positive(x.as_reals().first().copied())
            }),
            Constraint::Simplex => each_element(value, |x| simplex(&x.as_reals())),
            Constraint::UnitVector => each_element(value, |x| unit_vector(&x.as_reals())),
            Constraint::SumToZeroVector => {
                each_element(value, |x| sums_to_zero(&x.as_reals(), &[]))
            }
            Constraint::SumToZeroMatrix => each_element(value, sum_to_zero_matrix),
            Constraint::RowStochasticMatrix => each_element(value, |x| each_row(x, simplex)),
            Constraint::ColumnStochasticMatrix => each_element(value, |x| each_column(x, simplex)),
            Constraint::CovMatrix => each_element(value, positive_definite),
            Constraint::CorrMatrix => each_element(value, |x| {
                unit_diagonal(x)?;
                positive_definite(x)
            }),
            Constraint::CholeskyFactorCov => each_element(value, cholesky_factor),
            Constraint::CholeskyFactorCorr => each_element(value, |x| {
                cholesky_factor(x)?;
                each_row(x, unit_vector)
            }),
        })
    }

    /// Compares every scalar with its bound, which is one real for all or has the value's shape.
    fn within(
        &self,
        value: &Value,
        bound: &Expr,
        (holds, words): (fn(f64, f64) -> bool, &str),
        frame: &Frame<'_>,
    ) -> Eval<Check> {
        let bound = self.eval(bound, frame)?;
        let limit = |at: usize| match bound.as_ref() {
            Value::Container(container) => container.scalars.get(at),
            scalar => scalar.as_scalar().unwrap_or(Scalar::Real(f64::NAN)),
        };
        let check = |scalar: Scalar, at: usize| {
            let limit = limit(at);
            if holds(scalar.as_real(), limit.as_real()) {
                return None;
            }
            Some(format!("is {scalar}, but must be {words} {limit}"))
        };
        if let Value::Container(container) = bound.as_ref()
            && container.len() != value.scalar_count()
        {
            return Ok(violated("has a bound of another size"));
        }
        Ok(match value {
            Value::Container(container) => {
                container.output_order().try_for_each(|at| {
                    match check(container.scalars.get(at), at) {
                        None => Ok(()),
                        Some(predicate) => Err(Violation {
                            indexes: container.indexes_of(at),
                            predicate,
                        }),
                    }
                })
            }
            scalar => match check(scalar.as_scalar().unwrap_or(Scalar::Real(f64::NAN)), 0) {
                None => Ok(()),
                Some(predicate) => violated(predicate),
            },
        })
    }
}

fn violated(predicate: impl Into<String>) -> Check {
    Err(Violation {
        indexes: Vec::new(),
        predicate: predicate.into(),
    })
}

fn violated_at(indexes: Vec<usize>, predicate: String) -> Check {
    Err(Violation { indexes, predicate })
}

/// Checks each vector or matrix of an array (or the only one).
fn each_element(value: &Value, check: impl Fn(&Container) -> Check) -> Check {
    let Value::Container(container) = value else {
        return Ok(());
    };
    let depth = container.array_depth();
    if depth == 0 {
        return check(container);
    }
    let dims = &container.dims[..depth];
    for at in 0..dims.iter().product() {
        let mut index = vec![0; depth];
        let mut rest = at;
        for (position, size) in index.iter_mut().zip(dims).rev() {
            *position = rest % size;
            rest /= size;
        }
        if let Value::Container(element) = container.element(&index) {
            check(&element).map_err(|violation| Violation {
                indexes: (index.iter().map(|at| at + 1))
                    .chain(violation.indexes)
                    .collect(),
                predicate: violation.predicate,
            })?;
        }
    }
    Ok(())
}

fn each_row(matrix: &Container, check: impl Fn(&[f64]) -> Check) -> Check {
    let (rows, cols) = matrix.rows_cols();
    let values = matrix.as_reals();
    for row in 0..rows {
        let scalars: Vec<f64> = (0..cols).map(|col| values[row + col * rows]).collect();
        check(&scalars).map_err(|violation| Violation {
            indexes: std::iter::once(row + 1).chain(violation.indexes).collect(),
            predicate: violation.predicate,
        })?;
    }
    Ok(())
}

fn each_column(matrix: &Container, check: impl Fn(&[f64]) -> Check) -> Check {
    let (rows, cols) = matrix.rows_cols();
    for col in 0..cols {
        check(&matrix.as_reals()[col * rows..(col + 1) * rows]).map_err(|violation| {
            let predicate = format!("has a column {} that {}", col + 1, violation.predicate);
            Violation {
                indexes: Vec::new(),
                predicate,
            }
        })?;
    }
    Ok(())
}

fn ordered(values: Cow<'_, [f64]>) -> Check {
    for at in 1..values.len() {
        let (before, value) = (values[at - 1], values[at]);
        if !(value > before) {
            let (before, value) = (shown(before), shown(value));
            let predicate =
                format!("is {value}, but must be greater than the element before it, {before}");
            return violated_at(vec![at + 1], predicate);
        }
    }
    Ok(())
}

fn positive(first: Option<f64>) -> Check {
    match first {
        Some(first) if !(first >= 0.0) => {
            let predicate = format!("is {}, but must be at least 0", shown(first));
            violated_at(vec![1], predicate)
        }
        _ => Ok(()),
    }
}

fn simplex(values: &[f64]) -> Check {
    if values.is_empty() {
        return violated("has no elements, but a simplex has at least one");
    }
    let sum: f64 = values.iter().sum();
    if !(special::abs(sum - 1.0) <= TOLERANCE) {
        return violated(format!("sums to {sum}, but a simplex must sum to 1"));
    }
    match values.iter().position(|value| !(*value >= 0.0)) {
        Some(at) => violated_at(
            vec![at + 1],
            format!("is {}, but must be at least 0", shown(values[at])),
        ),
        None => Ok(()),
    }
}

fn unit_vector(values: &[f64]) -> Check {
    let square: f64 = values.iter().map(|value| value * value).sum();
    if !(special::abs(square - 1.0) <= TOLERANCE) {
        return violated(format!(
            "has squared length {square}, but must have length 1"
        ));
    }
    Ok(())
}

fn sums_to_zero(values: &[f64], indexes: &[usize]) -> Check {
    let sum: f64 = values.iter().sum();
    if !(special::abs(sum) <= TOLERANCE) {
        return violated_at(
            indexes.to_vec(),
            format!("sums to {sum}, but must sum to 0"),
        );
    }
    Ok(())
}

fn sum_to_zero_matrix(matrix: &Container) -> Check {
    each_column(matrix, |column| sums_to_zero(column, &[]))?;
    each_row(matrix, |row| sums_to_zero(row, &[]))
}

fn square(matrix: &Container) -> Check {
    let (rows, cols) = matrix.rows_cols();
    if rows != cols {
        return violated(format!(
            "has {rows} rows and {cols} columns, but must be square"
        ));
    }
    Ok(())
}

fn unit_diagonal(matrix: &Container) -> Check {
    square(matrix)?;
    let (rows, _) = matrix.rows_cols();
    for at in 0..rows {
        let value = matrix.as_reals()[at + at * rows];
        if !(special::abs(value - 1.0) <= TOLERANCE) {
            let predicate = format!("is {}, but must be 1", shown(value));
            return violated_at(vec![at + 1, at + 1], predicate);
        }
    }
    Ok(())
}

/// Symmetric, and its Cholesky factorisation has a positive diagonal.
fn positive_definite(matrix: &Container) -> Check {
    square(matrix)?;
    let (n, _) = matrix.rows_cols();
    let values = matrix.as_reals();
    for row in 0..n {
        for col in 0..row {
            let (below, above) = (values[row + col * n], values[col + row * n]);
            if !(special::abs(below - above) <= TOLERANCE) {
                let (below, above) = (shown(below), shown(above));
                let predicate = format!(
                    "is {below}, but its mirror image is {above}: the matrix must be symmetric"
                );
                return violated_at(vec![row + 1, col + 1], predicate);
            }
        }
    }
    let mut factor = values.into_owned();
    for col in 0..n {
        for row in col..n {
            let dot: f64 = (0..col)
                .map(|k| factor[row + k * n] * factor[col + k * n])
                .sum();
            let rest = factor[row + col * n] - dot;
            if row > col {
                factor[row + col * n] = rest / factor[col + col * n];
            } else if rest > 0.0 {
                factor[col + col * n] = special::sqrt(rest);
            } else {
                return violated("is not positive definite");
            }
        }
    }
    Ok(())
}

fn cholesky_factor(matrix: &Container) -> Check {
    let (rows, cols) = matrix.rows_cols();
    if rows < cols {
        return violated(format!(
            "has {rows} rows and {cols} columns, but must not have fewer rows than columns"
        ));
    }
    let values = matrix.as_reals();
    for col in 0..cols {
        for row in 0..=col {
            let value = values[row + col * rows];
            let (holds, must) = match row == col {
                true => (value > 0.0, "positive"),
                false => (value == 0.0, "0 (above the diagonal)"),
            };
            if !holds {
                let predicate = format!("is {}, but must be {must}", shown(value));
                return violated_at(vec![row + 1, col + 1], predicate);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Ty;

    fn message(check: Check) -> String {
        match check {
            Ok(()) => "fine".to_owned(),
            Err(Violation { indexes, predicate }) => format!("{indexes:?} {predicate}"),
        }
    }

    #[test]
    fn a_simplex_sums_to_one_and_has_no_negative_element() {
        assert_eq!(message(simplex(&[0.25, 0.75])), "fine");
        assert_eq!(
            message(simplex(&[0.25, 0.5])),
            "[] sums to 0.75, but a simplex must sum to 1"
        );
        assert_eq!(
            message(simplex(&[1.25, -0.25])),
            "[2] is -0.25, but must be at least 0"
        );
        assert_ne!(message(simplex(&[f64::NAN, 1.0])), "fine");
    }

    #[test]
    fn elements_of_arrays_are_named_by_all_their_indexes() {
        let ty = Ty::Vector.array_of(1);
        let vectors = Container::reals(ty, vec![2, 2], vec![1.0, 2.0, 4.0, 3.0]);
        let check = each_element(&Value::Container(vectors), |x| ordered(x.as_reals()));
        assert_eq!(
            message(check),
            "[2, 2] is 3, but must be greater than the element before it, 4"
        );
    }

    #[test]
    fn covariances_are_symmetric_and_positive_definite() {
        let check = |values: [f64; 4]| {
            message(positive_definite(&Container::matrix(2, 2, values.to_vec())))
        };
        assert_eq!(check([2.0, 1.0, 1.0, 2.0]), "fine");
        assert_eq!(check([1.0, 2.0, 2.0, 1.0]), "[] is not positive definite");
        assert!(check([1.0, 0.5, 0.4, 1.0]).contains("symmetric"));
    }

    #[test]
    fn cholesky_factors_are_lower_triangular() {
        let check =
            |values: [f64; 4]| message(cholesky_factor(&Container::matrix(2, 2, values.to_vec())));
        assert_eq!(check([1.0, 0.5, 0.0, 1.0]), "fine");
        assert_eq!(
            check([1.0, 0.5, 0.1, 1.0]),
            "[1, 2] is 0.1, but must be 0 (above the diagonal)"
        );
        assert_eq!(
            check([1.0, 0.5, 0.0, 0.0]),
            "[2, 2] is 0, but must be positive"
        );
    }
}
