//! Sorting.

use std::cmp::Ordering;

use super::{Outcome, Problem, container};
use crate::builtins::Container as Function;
use crate::interp::value::{Container, Scalars, Value};
use crate::types::Ty;

/// `sort_asc`, `sort_desc`, `sort_indices_asc`, `sort_indices_desc`: stable; NaN has no place in any order.
pub(super) fn sort(function: Function, args: &[&Value]) -> Outcome {
    let from = container(args, 0)?;
    let keys = from.as_reals();
    if let Some(at) = keys.iter().position(|key| key.is_nan()) {
        return Err(Problem::Domain(format!("element {} is nan", at + 1)));
    }
    let descending = matches!(function, Function::SortDesc | Function::SortIndicesDesc);
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| {
        let ordering = keys[a].partial_cmp(&keys[b]).unwrap_or(Ordering::Equal);
        if descending {
            ordering.reverse()
        } else {
            ordering
        }
    });
    if matches!(
        function,
        Function::SortIndicesAsc | Function::SortIndicesDesc
    ) {
        let indexes: Vec<i64> = order.iter().map(|&at| at as i64 + 1).collect();
        let ty = Ty::Int.array_of(1);
        return Ok(Value::Container(Container::ints(
            ty,
            vec![order.len()],
            indexes,
        )));
    }
    let scalars = match &from.scalars {
        Scalars::Int(values) => Scalars::Int(order.iter().map(|&at| values[at]).collect()),
        Scalars::Real(values) => Scalars::Real(order.iter().map(|&at| values[at]).collect()),
    };
    Ok(Value::Container(Container {
        ty: from.ty.clone(),
        dims: from.dims.clone(),
        scalars,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_is_stable_and_refuses_nan() {
        let v = Value::Container(Container::vector(vec![2.0, 1.0, 2.0]));
        let sorted = |function| sort(function, &[&v]).expect("no nan").to_reals();
        assert_eq!(sorted(Function::SortDesc), [2.0, 2.0, 1.0]);
        assert_eq!(sorted(Function::SortIndicesAsc), [2.0, 1.0, 3.0]);
        assert_eq!(sorted(Function::SortIndicesDesc), [1.0, 3.0, 2.0]);
        let nan = Value::Container(Container::vector(vec![f64::NAN]));
        assert!(matches!(
            sort(Function::SortAsc, &[&nan]),
            Err(Problem::Domain(_))
        ));
    }
}
