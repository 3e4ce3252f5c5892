//! Two spellings of one model have one log density: `~` and `target +=`, truncation and its normaliser, higher-order
//! functions and loops, constraints and the same change of variables by hand.

use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model};

const DATA: &str = r#"{"N": 4, "y": [0.3, 1.2, -0.4, 0.9], "k": [1, 3, 2, 5]}"#;

/// The data block that goes with [`DATA`], and two parameters.
const FRAME: &str = "
data { int N; vector[N] y; array[N] int k; }
parameters { real mu; real<lower=0> sigma; }
";

/// The log density with its gradient, at each of some positions.
fn densities(name: &str, program: &str) -> Vec<Vec<f64>> {
    let model = Model::from_text(name, program).unwrap_or_else(|error| panic!("{name}: {error}"));
    let posterior = model
        .bind_json("data.json", DATA.as_bytes(), &BindOptions::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut density = posterior.density();
    let mut at = |shift: f64| {
        let position: Vec<f64> = (0..posterior.dimension())
            .map(|at| shift + 0.4 * (1.3 * at as f64).cos())
            .collect();
        let mut values = vec![0.0; position.len()];
        let value = density
            .log_density_gradient(&position, &mut values)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        values.insert(0, value);
        values
    };
    vec![at(0.2), at(-0.5)]
}

/// Whether two programs have one log density, up to a constant if `shifted`.
fn check(name: &str, left: &str, right: &str, shifted: bool) {
    let (left, right) = (densities(name, left), densities(name, right));
    let offset = if shifted {
        left[0][0] - right[0][0]
    } else {
        0.0
    };
    assert_eq!(shifted, offset != 0.0, "{name}: constant {offset}");
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(left.len(), right.len(), "{name}");
        for (at, (&left, &right)) in left.iter().zip(right).enumerate() {
            let right = if at == 0 { right + offset } else { right };
            let tolerance = 1e-9 * right.abs().max(1.0);
            assert!(
                (left - right).abs() < tolerance,
                "{name}: {left} and {right} at {at}"
            );
        }
    }
}

/// Whether two model blocks over [`FRAME`] have one log density.
fn check_models(name: &str, left: &str, right: &str) {
    let program = |model: &str| format!("{FRAME} model {{ {model} }}");
    check(name, &program(left), &program(right), false);
}

#[test]
fn distribution_statements_drop_constants() {
    let program = |model: &str| format!("{FRAME} model {{ {model} }}");
    for (name, left, right) in [
        (
            "normal",
            "y ~ normal(mu, sigma);",
            "target += normal_lpdf(y | mu, sigma);",
        ),
        (
            "poisson",
            "k ~ poisson(sigma);",
            "target += poisson_lpmf(k | sigma);",
        ),
        (
            "fixed scale",
            "y ~ normal(mu, 2);",
            "target += normal_lpdf(y | mu, 2);",
        ),
        (
            "student",
            "y ~ student_t(4, mu, sigma);",
            "target += student_t_lpdf(y | 4, mu, sigma);",
        ),
    ] {
        check(name, &program(left), &program(right), true);
    }
}

#[test]
fn unnormalised_calls_are_distribution_statements() {
    check_models(
        "lupdf",
        "y ~ normal(mu, 3); k ~ poisson_log(mu);",
        "target += normal_lupdf(y | mu, 3); target += poisson_log_lupmf(k | mu);",
    );
}

#[test]
fn vectorised_statements_are_loops() {
    check_models(
        "loop",
        "y ~ normal(mu, sigma); k ~ poisson_log(y * mu);",
        "for (n in 1:N) { y[n] ~ normal(mu, sigma); k[n] ~ poisson_log(y[n] * mu); }",
    );
}

#[test]
fn truncation_is_its_normaliser() {
    check_models(
        "both",
        "mu ~ normal(1, sigma) T[-2, 3];",
        "mu ~ normal(1, sigma);
         target += -log_diff_exp(normal_lcdf(3 | 1, sigma), normal_lcdf(-2 | 1, sigma));",
    );
    check_models(
        "lower, vector outcome",
        "y ~ normal(mu, sigma) T[-1, ];",
        "y ~ normal(mu, sigma); target += -N * normal_lccdf(-1 | mu, sigma);",
    );
    check_models(
        "upper, vector location",
        "y ~ normal(mu + y, sigma) T[, 2];",
        "for (n in 1:N) { y[n] ~ normal(mu + y[n], sigma); target += -normal_lcdf(2 | mu + y[n], sigma); }",
    );
    check_models(
        "both, vector location",
        "y ~ normal(mu + y, sigma) T[-1, 2];",
        "for (n in 1:N) y[n] ~ normal(mu + y[n], sigma) T[-1, 2];",
    );
}

#[test]
fn truncated_counts_include_their_bounds() {
    check_models(
        "counts from 1",
        "k ~ poisson(sigma) T[1, ];",
        "k ~ poisson(sigma); target += -N * log1m_exp(-sigma);",
    );
    check_models(
        "counts from 1 to 5",
        "k ~ poisson(sigma) T[1, 5];",
        "vector[5] inside;
         for (j in 1:5) inside[j] = poisson_lpmf(j | sigma);
         k ~ poisson(sigma); target += -N * log_sum_exp(inside);",
    );
}

#[test]
fn outcomes_out_of_bounds_are_impossible() {
    let text = format!("{FRAME} model {{ y ~ normal(mu, sigma) T[0, ]; }}");
    let model = Model::from_text("outside", &text).unwrap_or_else(|error| panic!("{error}"));
    let posterior = model
        .bind_json("data.json", DATA.as_bytes(), &BindOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let mut gradient = [0.0; 2];
    let value = posterior
        .density()
        .log_density_gradient(&[0.1, 0.2], &mut gradient);
    assert!(!value.is_ok_and(f64::is_finite), "an outcome is negative");
}

#[test]
fn higher_order_functions_are_loops() {
    let functions = "functions {
       real slice_lpdf(array[] real y, int first, int last, real mu) { return normal_lupdf(y | mu, 1); }
       vector job(vector shared, vector own, data array[] real x, data array[] int n) {
         return [shared[1] * own[1] + x[1], n[1] * own[1]]';
       }
     }";
    let program = |model: &str| format!("{functions} {FRAME} model {{ {model} }}");
    check(
        "reduce_sum",
        &program("target += reduce_sum(slice_lupdf, to_array_1d(y), 1, mu);"),
        &program("target += normal_lupdf(y | mu, 1);"),
        false,
    );
    check(
        "map_rect",
        &program(
            "target += map_rect(job, [sigma]', {[mu]', [2 * mu]'}, {{1.5}, {2.5}}, {{3}, {4}})' * [1, 2, 3, 4]';",
        ),
        &program(
            "target += sigma * mu + 1.5 + 2 * 3 * mu + 3 * (sigma * 2 * mu + 2.5) + 4 * 4 * 2 * mu;",
        ),
        false,
    );
}

#[test]
fn constraints_are_changes_of_variables() {
    let data = "data { int N; vector[N] y; array[N] int k; }";
    check(
        "bounds from parameters",
        &format!("{data} parameters {{ real a; real<lower=a> b; vector<lower=a, upper=3>[2] c; }} model {{ [a, b, c[1], c[2]] ~ normal(0, 1); }}"),
        &format!(
            "{data} parameters {{ real a; real u; vector[2] v; }}
             transformed parameters {{ real b = a + exp(u); vector[2] c = a + (3 - a) * inv_logit(v); }}
             model {{
               [a, b, c[1], c[2]] ~ normal(0, 1);
               target += u + 2 * log(3 - a) + sum(log_inv_logit(v) + log1m_inv_logit(v));
             }}"
        ),
        false,
    );
    check(
        "arrays of ordered vectors",
        &format!("{data} parameters {{ array[2] ordered[2] c; }} model {{ for (i in 1:2) c[i] ~ normal(0, 1); }}"),
        &format!(
            "{data} parameters {{ array[2] vector[2] u; }}
             model {{ for (i in 1:2) {{ [u[i, 1], u[i, 1] + exp(u[i, 2])] ~ normal(0, 1); target += u[i, 2]; }} }}"
        ),
        false,
    );
    check(
        "offset and multiplier",
        &format!(
            "{data} parameters {{ real m; vector<offset=m, multiplier=2>[3] x; }} model {{ m ~ normal(0, 1); x ~ normal(m, 2); }}"
        ),
        &format!(
            "{data} parameters {{ real m; vector[3] z; }} model {{ m ~ normal(0, 1); m + 2 * z ~ normal(m, 2); target += 3 * log(2); }}"
        ),
        false,
    );
}
