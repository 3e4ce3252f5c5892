//! Constraint transforms of the library: log Jacobians against numerical determinants, round trips, validity.

#![allow(clippy::expect_used)]

use hlm::kernels::random::ChainRng;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Drawer, Model, Posterior};

/// A declaration, and the positions of the values (column-major) that are its coordinates: as many as free values.
/// A simplex has all but its last element.
const CONSTRAINTS: &[(&str, &[usize])] = &[
    ("real<lower=1.5> x", &[0]),
    ("real<upper=-2> x", &[0]),
    ("real<lower=-1, upper=3> x", &[0]),
    ("real<lower=negative_infinity(), upper=3> x", &[0]),
    ("vector<offset=1, multiplier=2.5>[2] x", &[0, 1]),
    ("ordered[3] x", &[0, 1, 2]),
    ("positive_ordered[3] x", &[0, 1, 2]),
    ("simplex[4] x", &[0, 1, 2]),
    ("array[2] simplex[3] x", &[0, 1, 2, 3]),
    ("cholesky_factor_corr[3] x", &[1, 2, 5]),
    ("corr_matrix[4] x", &[1, 2, 3, 6, 7, 11]),
    ("cholesky_factor_cov[2] x", &[0, 1, 3]),
    ("cholesky_factor_cov[4, 2] x", &[0, 1, 2, 3, 5, 6, 7]),
    ("cov_matrix[3] x", &[0, 1, 2, 4, 5, 8]),
    ("column_stochastic_matrix[3, 2] x", &[0, 1, 3, 4]),
    ("row_stochastic_matrix[2, 3] x", &[0, 1, 2, 3]),
];

/// Declarations whose free values outnumber their coordinates, or whose map is orthonormal.
const OTHERS: &[&str] = &[
    "unit_vector[3] x",
    "sum_to_zero_vector[4] x",
    "sum_to_zero_matrix[3, 4] x",
];

fn posterior(declaration: &str) -> Posterior {
    let text = format!("parameters {{ {declaration}; }}");
    Model::from_text("transform", &text)
        .and_then(|model| model.bind_json("none", b"{}", &BindOptions::default()))
        .unwrap_or_else(|failure| panic!("{failure}"))
}

/// A position of moderate numbers of either sign.
fn position(dimension: usize) -> Vec<f64> {
    (0..dimension)
        .map(|k| 0.75 * (1.7 * k as f64 + 0.6).sin())
        .collect()
}

fn constrained(transformer: &mut Drawer, position: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; transformer.width()];
    let mut rng = ChainRng::new(1, 0, 0);
    transformer
        .values(position, &mut rng, &mut values)
        .expect("a valid position");
    values
}

/// The log of the absolute determinant, by elimination with row pivots.
fn log_determinant(mut rows: Vec<Vec<f64>>) -> f64 {
    let mut total = 0.0;
    for k in 0..rows.len() {
        let pivot = (k..rows.len()).max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs()));
        rows.swap(k, pivot.expect("a row"));
        total += rows[k][k].abs().ln();
        let leading = rows[k].clone();
        for row in &mut rows[k + 1..] {
            let factor = row[k] / leading[k];
            row.iter_mut()
                .zip(&leading)
                .for_each(|(entry, lead)| *entry -= factor * lead);
        }
    }
    total
}

#[test]
fn jacobians_are_determinants() {
    for &(declaration, coordinates) in CONSTRAINTS {
        let posterior = posterior(declaration);
        let dimension = posterior.dimension();
        assert_eq!(dimension, coordinates.len(), "{declaration}");
        let at = position(dimension);
        let mut transformer = posterior.transformer();
        let step = 1e-4;
        let rows: Vec<Vec<f64>> = (0..dimension)
            .map(|k| {
                let mut shifted = |by: f64| {
                    let mut at = at.clone();
                    at[k] += by * step;
                    constrained(&mut transformer, &at)
                };
                let (near, back) = (shifted(1.0), shifted(-1.0));
                let (far, far_back) = (shifted(2.0), shifted(-2.0));
                (coordinates.iter())
                    .map(|&c| (8.0 * (near[c] - back[c]) - (far[c] - far_back[c])) / (12.0 * step))
                    .collect()
            })
            .collect();
        let wanted = log_determinant(rows);
        let mut gradient = vec![0.0; dimension];
        let found = posterior
            .density()
            .log_density_gradient(&at, &mut gradient)
            .expect("a value");
        assert!(
            (found - wanted).abs() < 1e-8,
            "{declaration}: {found}, should be {wanted}"
        );
    }
}

#[test]
fn positions_survive_constraining_and_back() {
    let declarations = CONSTRAINTS.iter().map(|&(declaration, _)| declaration);
    for declaration in declarations.chain(OTHERS.iter().copied()) {
        let posterior = posterior(declaration);
        let at = position(posterior.dimension());
        let values = constrained(&mut posterior.transformer(), &at);
        let names: Vec<String> = posterior
            .transformed_columns()
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let value_of = |name: &str| {
            names
                .iter()
                .position(|known| known == name)
                .map(|k| values[k])
        };
        let back = posterior.unconstrain(&value_of).expect("valid values");
        let again = constrained(&mut posterior.transformer(), &back);
        for (value, again) in values.iter().zip(&again) {
            assert!(
                (value - again).abs() < 1e-9,
                "{declaration}: {values:?} became {again:?}"
            );
        }
    }
}
