//! Compares slice functions with values to thirty digits, computed by tests/reference/simd.py.

use super::{ALL, SliceFunction};
use std::collections::BTreeMap;

const REFERENCE: &str = include_str!("../../../tests/reference/simd.tsv");

/// How many units in the last place each function may be from its true value.
const BOUNDS: &[(&str, f64)] = &[
    ("exp", 1.0),
    ("expm1", 2.0),
    ("log", 1.0),
    ("log1p", 1.0),
    ("log1m", 1.0),
    ("log1p_exp", 2.0),
    ("log1m_exp", 3.0),
    ("inv_logit", 2.0),
    ("log_inv_logit", 2.0),
    ("log1m_inv_logit", 2.0),
    ("tanh", 3.0),
    ("lgamma", 2.0),
    ("digamma", 2.0),
    ("trigamma", 2.0),
    ("erf", 2.0),
    ("erfc", 2.0),
    ("phi", 2.0),
    ("log_phi", 2.0),
    ("sin", 1.0),
    ("cos", 1.0),
];

/// A function's arguments and values: the nearest numbers, and what these lack.
#[derive(Default)]
struct Table {
    arguments: Vec<f64>,
    values: Vec<[f64; 2]>,
}

fn tables() -> BTreeMap<&'static str, Table> {
    let mut tables: BTreeMap<&str, Table> = BTreeMap::new();
    for line in REFERENCE.lines() {
        let (name, numbers) = line.split_once('\t').unwrap();
        let mut numbers = numbers.split('\t').map(|field| field.parse().unwrap());
        let mut next = || -> f64 { numbers.next().unwrap() };
        let (argument, value) = (next(), [next(), next()]);
        let table = tables.entry(name).or_default();
        table.arguments.push(argument);
        table.values.push(value);
    }
    tables
}

fn named(name: &str) -> SliceFunction {
    ALL.iter().find(|(other, _)| *other == name).unwrap().1
}

/// The error in units in the last place of the value; of zero, and only of zero, any error is infinite.
fn error(found: f64, [value, lacking]: [f64; 2]) -> f64 {
    let error = ((found - value) - lacking).abs();
    let size = value.abs().min(f64::MAX.next_down());
    if error == 0.0 {
        0.0
    } else if value == 0.0 || found.is_nan() {
        f64::INFINITY
    } else {
        error / (size.next_up() - size)
    }
}

#[test]
fn slices_match_their_reference_values() {
    let tables = tables();
    assert_eq!(tables.len(), BOUNDS.len());
    for (name, bound) in BOUNDS {
        let table = &tables[name];
        let mut found = vec![f64::NAN; table.arguments.len()];
        named(name)(&table.arguments, &mut found);
        for ((x, found), value) in table.arguments.iter().zip(&found).zip(&table.values) {
            let error = error(*found, *value);
            assert!(
                error <= *bound,
                "{name}({x:e}) = {found:e}, {error:.2} ulp from {:e}",
                value[0]
            );
        }
    }
}
