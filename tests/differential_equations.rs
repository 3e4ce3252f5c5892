//! Models with differential equations whose solutions are known in closed form: compiled, evaluated literally, interpreted.

#![allow(clippy::unwrap_used, clippy::panic)]

use hlm::interp::Interpreter;
use hlm::jit::{CompileOptions, Compiled};
use hlm::loops::{Evaluator, MessageKind, Procedure, Stop};
use hlm::mcmc::{DensityError, LogDensity};
use hlm::model::{BindOptions, Model, Posterior};

fn posterior(text: &str, json: &str) -> Posterior {
    let model = Model::from_text("model.stan", text).unwrap_or_else(|failure| panic!("{failure}"));
    model
        .bind_json("data.json", json.as_bytes(), &BindOptions::default())
        .unwrap_or_else(|failure| panic!("{failure}"))
}

fn assert_near(what: &str, value: f64, wanted: f64, tolerance: f64) {
    assert!(
        (value - wanted).abs() <= tolerance * wanted.abs().max(1.0),
        "{what} is {value}, not {wanted}"
    );
}

/// Compares log density and gradient, compiled and literal, with an exact log density.
fn assert_density(posterior: &Posterior, position: &[f64], exact: &dyn Fn(&[f64]) -> f64) {
    let mut gradient = vec![0.0; position.len()];
    let value = posterior
        .density()
        .log_density_gradient(position, &mut gradient)
        .unwrap();
    assert_near("the log density", value, exact(position), 1e-9);
    for (at, derivative) in gradient.iter().enumerate() {
        // Five points: exact up to the fifth derivative times the fourth power of the step.
        let moved = |step: f64| {
            let mut position = position.to_vec();
            position[at] += step;
            exact(&position)
        };
        let h = 1e-3;
        let (near, far) = (moved(h) - moved(-h), moved(2.0 * h) - moved(-2.0 * h));
        let wanted = (8.0 * near - far) / (12.0 * h);
        assert_near(&format!("derivative {at}"), *derivative, wanted, 1e-8);
    }
    let mut literal = vec![0.0; position.len()];
    let literal_value = posterior
        .literal_density()
        .log_density_gradient(position, &mut literal)
        .unwrap();
    assert_near("the literal log density", literal_value, value, 1e-11);
    for (literal, compiled) in literal.iter().zip(&gradient) {
        assert_near("a literal derivative", *literal, *compiled, 1e-9);
    }
    let interpreter = Interpreter::new(&posterior.model().program().typed);
    let interpreted = interpreter
        .log_density(posterior.values(), position, true)
        .unwrap();
    assert_near("the interpreted log density", interpreted, value, 1e-9);
}

fn stop(posterior: &Posterior, position: &[f64]) -> Stop {
    let mut gradient = vec![0.0; position.len()];
    let error = |outcome: Result<f64, DensityError>| match outcome.unwrap_err() {
        DensityError::Rejected(cause) | DensityError::Fatal(cause) => {
            cause.downcast_ref::<Stop>().unwrap().clone()
        }
    };
    let compiled = error(
        posterior
            .density()
            .log_density_gradient(position, &mut gradient),
    );
    let literal = error(
        posterior
            .literal_density()
            .log_density_gradient(position, &mut gradient),
    );
    assert_eq!(compiled, literal);
    compiled
}

/// y₁' = −k y₁ + r₁ and y₂' = −r₂ x t y₂, with parameters of all shapes and data of both kinds.
fn flow(solver: &str) -> String {
    format!(
        r#"
functions {{
  vector flow(real t, vector y, real k, array[] real r, data vector x, data array[] int n) {{
    vector[2] slope;
    slope[1] = -k * y[1] + r[n[1]];
    slope[2] = -r[2] * x[n[2]] * t * y[2];
    return slope;
  }}
}}
data {{
  vector[3] x;
  array[2] int n;
  array[3] real ts;
}}
parameters {{
  real a;
  array[2] real r;
  vector[2] s;
}}
transformed parameters {{
  array[3] vector[2] y = {solver}(flow, square(s), 0, ts, 1e-12, 1e-12, 1000000, exp(a), r, x, n);
}}
model {{
  target += y[1][1] + 2 * y[2][2] + y[3][1] * y[3][2];
}}
generated quantities {{
  array[2] real last;
  {{
    array[1] vector[2] z = {solver}(flow, square(s), 0, {{ts[3]}}, 1e-12, 1e-12, 1000000, exp(a), r, x, n);
    last = to_array_1d(z[1]);
  }}
}}
"#
    )
}

const FLOW_DATA: &str = r#"{"x": [9, 9, 0.8], "n": [1, 3], "ts": [0.5, 1, 2.5]}"#;

fn exact_flow(position: &[f64], t: f64) -> [f64; 2] {
    let &[a, r1, r2, s1, s2] = position else {
        return [f64::NAN; 2];
    };
    let limit = r1 / a.exp();
    let first = limit + (s1 * s1 - limit) * (-a.exp() * t).exp();
    [first, s2 * s2 * (-r2 * 0.8 * t * t / 2.0).exp()]
}

#[test]
fn initial_states_parameters_and_data_reach_the_system() {
    let exact = |position: &[f64]| {
        let [y1, y2, y3] = [0.5, 1.0, 2.5].map(|t| exact_flow(position, t));
        y1[0] + 2.0 * y2[1] + y3[0] * y3[1]
    };
    let position = [0.3, 0.7, 0.4, 1.2, -0.9];
    for solver in ["ode_rk45_tol", "ode_ckrk_tol"] {
        assert_density(&posterior(&flow(solver), FLOW_DATA), &position, &exact);
    }
}

#[test]
fn draws_are_solved_without_sensitivities() {
    let position = [0.3, 0.7, 0.4, 1.2, -0.9];
    for (solver, tolerance) in [("ode_rk45_tol", 1e-10), ("ode_bdf_tol", 1e-8)] {
        let posterior = posterior(&flow(solver), FLOW_DATA);
        let mut drawer = posterior.drawer();
        let mut values = vec![0.0; drawer.width()];
        let mut rng = hlm::kernels::random::ChainRng::new(1, 1, 1);
        drawer.values(&position, &mut rng, &mut values).unwrap();
        for (value, wanted) in values[values.len() - 2..]
            .iter()
            .zip(exact_flow(&position, 2.5))
        {
            assert_near(solver, *value, wanted, tolerance);
        }
    }
}

#[test]
fn stiff_systems_have_gradients() {
    // y₁' = −k (y₁ − cos t), whose solution from 1 at 0 is known; k is large.
    let text = r#"
functions {
  array[] real relax(real t, array[] real y, array[] real theta, array[] real x_r, array[] int x_i) {
    return {-theta[1] * (y[1] - cos(t))};
  }
}
parameters { real a; real b; }
model {
  array[2, 1] real y = integrate_ode_bdf(relax, {1 + b}, 0, {0.7, 2.0}, {exp(a)},
                                         rep_array(0.0, 0), rep_array(0, 0), 1e-12, 1e-12, 1e6);
  target += 3 * y[1, 1] + y[2, 1] ^ 2;
}
"#;
    let solution = |k: f64, b: f64, t: f64| {
        let particular = k / (k * k + 1.0) * (k * t.cos() + t.sin());
        particular + (1.0 + b - k * k / (k * k + 1.0)) * (-k * t).exp()
    };
    let exact = |position: &[f64]| {
        let (k, b) = (position[0].exp(), position[1]);
        let [first, second] = [0.7, 2.0].map(|t| solution(k, b, t));
        3.0 * first + second * second
    };
    let posterior = posterior(text, "{}");
    assert_density(&posterior, &[1.0, 0.2], &exact);
    assert_density(&posterior, &[5.0, -0.5], &exact);
}

/// One solution per subject, in a loop, with data picked by its variable.
fn subjects(body: &str) -> String {
    format!(
        r#"
functions {{
  vector uptake(real t, vector y, real k, real dose, int group, vector r) {{
    return [-k * y[1] + dose * r[group]]';
  }}
}}
data {{
  int N;
  array[N] real dose;
  array[N] int group;
  array[N, 2] real ts;
}}
parameters {{
  real k;
  vector[2] r;
}}
{body}
"#
    )
}

const SUBJECTS_DATA: &str = r#"{
    "N": 4, "dose": [1, 2, 0.5, 3], "group": [1, 2, 2, 1],
    "ts": [[0.5, 1], [1, 2], [0.3, 0.9], [0.1, 3]]
}"#;

/// Amounts at the second times.
fn exact_subjects(position: &[f64]) -> [f64; 4] {
    let k = position[0];
    let subject = |dose: f64, group: usize, t: f64| {
        let limit = dose * position[group] / k;
        limit + (k - limit) * (-k * t).exp()
    };
    [
        subject(1.0, 1, 1.0),
        subject(2.0, 2, 2.0),
        subject(0.5, 2, 0.9),
        subject(3.0, 1, 3.0),
    ]
}

#[test]
fn subjects_in_a_loop_share_a_system() {
    let bodies = [
        // The loop adds to the target alone: forward and reverse in one pass.
        r#"
model {
  for (i in 1:N) {
    array[2] vector[1] y = ode_rk45_tol(uptake, [k]', 0, ts[i], 1e-12, 1e-12, 100000, k, dose[i], group[i], r);
    target += square(y[2][1]);
  }
}"#,
        // The solutions are used after the loop: sensitivities are kept.
        r#"
transformed parameters {
  vector[N] last;
  for (i in 1:N) {
    array[2] vector[1] y = ode_rk45_tol(uptake, [k]', 0, ts[i], 1e-12, 1e-12, 100000, k, dose[i], group[i], r);
    last[i] = y[2][1];
  }
}
model {
  target += dot_self(last);
}"#,
    ];
    let exact = |position: &[f64]| -> f64 {
        let amounts = exact_subjects(position);
        amounts.iter().map(|amount| amount * amount).sum()
    };
    for body in bodies {
        let posterior = posterior(&subjects(body), SUBJECTS_DATA);
        assert_eq!(posterior.gradient_procedure().systems.len(), 1);
        assert_density(&posterior, &[0.8, 1.3, 0.4], &exact);
    }
}

#[test]
fn subjects_with_times_of_their_own_share_systems() {
    // The number of times must be known: the loop becomes one for each number, and what was made for it before is forgotten.
    let body = r#"
model {
  for (i in 1:N) {
    array[1] vector[1] y = ode_rk45_tol(uptake, [k]', 0, ts[i, 2:2], 1e-12, 1e-12, 100000, k, dose[i], group[i], r);
    array[i] vector[1] z = ode_rk45_tol(uptake, y[1], ts[i, 2], linspaced_array(i, 4.0, 5.0), 1e-12, 1e-12, 100000, 0.0, 0.0, 1, r);
    target += square(z[i][1]);
  }
}"#;
    let exact = |position: &[f64]| -> f64 {
        let amounts = exact_subjects(position);
        amounts.iter().map(|amount| amount * amount).sum()
    };
    let posterior = posterior(&subjects(body), SUBJECTS_DATA);
    assert_density(&posterior, &[0.8, 1.3, 0.4], &exact);
    let solved = &posterior.gradient_procedure().systems;
    assert_eq!(
        solved.len(),
        2,
        "one for all doses, one for all that follows"
    );
}

#[test]
fn a_system_may_solve_a_system() {
    // u' = k u from 1 is e^k at 1; y' = −u y.
    let text = r#"
functions {
  vector growth(real t, vector u, real k) { return k * u; }
  vector decay(real t, vector y, real k) {
    return -ode_rk45_tol(growth, [1]', 0, {1.0}, 1e-13, 1e-13, 100000, k)[1][1] * y;
  }
}
parameters { real k; real s; }
model {
  target += ode_rk45_tol(decay, [s]', 0, {1.0}, 1e-12, 1e-12, 100000, k)[1][1];
}
"#;
    let exact = |position: &[f64]| position[1] * (-position[0].exp()).exp();
    assert_density(&posterior(text, "{}"), &[0.2, 1.5], &exact);
}

#[test]
fn solvers_reject_in_their_own_words_at_the_call() {
    let text = r#"
functions {
  vector decay(real t, vector y, real k) {
    if (k > 5) reject("k is ", k);
    return -k * y;
  }
}
parameters { real k; real s; }
model {
  target += ode_rk45_tol(decay, [s]', 0, {1.0}, 1e-12, 1e-12, 9, k)[1][1];
}
"#;
    let posterior = posterior(text, "{}");
    let quoted = |stop: &Stop| text[stop.span.start as usize..stop.span.end as usize].to_owned();
    let slow = stop(&posterior, &[1.0, 1.0]);
    assert!(slow.text.contains("more steps than allowed"), "{slow}");
    assert_eq!(slow.kind, MessageKind::Reject);
    assert!(quoted(&slow).starts_with("ode_rk45_tol("), "{slow:?}");
    let undefined = stop(&posterior, &[1.0, f64::NAN]);
    assert!(undefined.text.contains("initial state"), "{undefined}");
    // The system's own words have the system's own place.
    let own = stop(&posterior, &[6.0, 1.0]);
    assert_eq!(own.text, "k is 6");
    assert!(quoted(&own).contains("reject("), "{own:?}");
}

#[test]
fn a_system_of_another_size_than_its_state_ends_the_run() {
    let text = r#"
functions {
  vector decay(real t, vector y, real k) { return [-k * y[1]]'; }
}
parameters { real k; }
model {
  target += ode_rk45(decay, [k, 1]', 0, {1.0}, k)[1][1];
}
"#;
    let stop = stop(&posterior(text, "{}"), &[1.0]);
    let wanted = "the system returns 1 derivatives, but the state has 2 elements";
    assert_eq!(
        (stop.text.as_str(), stop.kind),
        (wanted, MessageKind::Fatal)
    );
}

/// A chain of compartments with a loop, a branch by time, a branch by the state and functions of parameters.
fn chain(states: usize, extra: &str) -> String {
    format!(
        r#"
functions {{
  real uptake(real dose, real k) {{ return dose * exp(-k); }}
  vector chain(real t, vector y, real k, vector rates, real dose) {{
    vector[{states}] slope = rep_vector(0, {states});
    {extra}
    slope[1] = (t < 0.5 ? uptake(dose, k) : 0.0) - rates[1] * y[1] / (k + y[1]);
    for (i in 2:{states}) {{
      slope[i] = rates[i - 1] * y[i - 1] / (k + y[i - 1]) - rates[i] * y[i] ^ 1.5;
    }}
    if (y[2] > 0.4) {{
      slope[2] -= 0.1 * square(y[2] - 0.4) * k;
    }}
    return slope;
  }}
}}
data {{ real dose; }}
parameters {{
  real<lower=0> k;
  vector<lower=0>[{states}] rates;
  real<lower=0> start;
}}
model {{
  array[3] vector[{states}] fixed = ode_rk45(chain, rep_vector(1, {states}), 0, {{0.3, 0.7, 2}}, k, rates, dose);
  array[2] vector[{states}] free = ode_bdf(chain, rep_vector(start, {states}), 0, {{0.7, 2}}, k, rates, dose);
  target += sum(log(fixed[2])) + dot_self(fixed[3]) + sum(log(free[2])) - dot_self(rates) - k;
}}
"#
    )
}

#[test]
fn coupled_systems_are_what_their_rows_say() {
    let position = |states: usize| -> Vec<f64> {
        (0..states + 2)
            .map(|i| 0.3 - 0.17 * (i % 5) as f64)
            .collect()
    };
    for (states, extra, is_coupled) in [
        (2, "", true),
        (4, "", true),
        // Beyond what is written out; what is printed is not to be repeated.
        (9, "", false),
        (3, r#"print("here");"#, false),
    ] {
        let posterior = posterior(&chain(states, extra), r#"{"dose": 1.3}"#);
        let whole = posterior.gradient_procedure();
        assert_eq!(whole.systems.len(), 2);
        let mut rows = whole.clone();
        for system in &mut rows.systems {
            assert_eq!(system.coupled.take().is_some(), is_coupled, "{system:?}");
        }
        let position = position(states);
        let gradient = |procedure: &Procedure| {
            let mut gradient = vec![0.0; position.len()];
            let compiled = Compiled::compile(procedure, &CompileOptions::default()).unwrap();
            let mut workspace = compiled.workspace(None);
            let value = compiled
                .run(&mut workspace, &[&position], &mut [&mut gradient], None)
                .unwrap();
            let mut literal = vec![0.0; position.len()];
            Evaluator::new(procedure)
                .run(&[&position], &mut [&mut literal], None)
                .unwrap();
            for (compiled, literal) in gradient.iter().zip(&literal) {
                assert_near("a literal derivative", *literal, *compiled, 1e-9);
            }
            gradient.push(value);
            gradient
        };
        for (whole, rows) in gradient(whole).iter().zip(gradient(&rows)) {
            assert!(whole.is_finite());
            assert_near("the derivative by rows", rows, *whole, 1e-11);
        }
    }
}
