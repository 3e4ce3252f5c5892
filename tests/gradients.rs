//! Gradients of programs with every kind of control flow: compiled code and its literal twin against differences of the
//! interpreter's log density, which shares nothing with them but the typed IR.

use hlm::interp::Interpreter;
use hlm::mcmc::LogDensity;
use hlm::model::{BindOptions, Model};
use hlm::passes::Switches;

/// Checks a program at two positions, with and without passes.
fn check(name: &str, program: &str, data: &str) {
    let model = Model::from_text(name, program).unwrap_or_else(|error| panic!("{error}"));
    for passes in [Switches::ALL, Switches::NONE] {
        let mut options = BindOptions::default();
        options.compile.passes = passes;
        let posterior = model
            .bind_json("data.json", data.as_bytes(), &options)
            .unwrap_or_else(|error| panic!("{error}"));
        let interpreter = Interpreter::new(&model.program().typed);
        let exact = |position: &[f64]| {
            interpreter
                .log_density(posterior.values(), position, true)
                .unwrap_or_else(|failure| panic!("{name}: {failure}"))
        };
        for shift in [0.1, -0.35] {
            let position: Vec<f64> = (0..posterior.dimension())
                .map(|at| shift + 0.6 * (1.7 * at as f64).sin())
                .collect();
            let mut compiled = vec![0.0; position.len()];
            let mut literal = compiled.clone();
            let value = posterior
                .density()
                .log_density_gradient(&position, &mut compiled)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let twin = posterior
                .literal_density()
                .log_density_gradient(&position, &mut literal)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let wanted = exact(&position);
            assert!(
                (value - wanted).abs() < 1e-9 * wanted.abs().max(1.0),
                "{name}: {value}, interpreter {wanted}"
            );
            assert!(
                (value - twin).abs() < 1e-11 * wanted.abs().max(1.0),
                "{name}: {value}, literal {twin}"
            );
            for at in 0..position.len() {
                let step = 1e-5;
                let difference = |scale: f64| {
                    let (mut up, mut down) = (position.clone(), position.clone());
                    up[at] += scale * step;
                    down[at] -= scale * step;
                    (exact(&up) - exact(&down)) / (2.0 * scale * step)
                };
                // Richardson's extrapolation of central differences.
                let slope = (4.0 * difference(1.0) - difference(2.0)) / 3.0;
                let tolerance = 1e-6 * slope.abs().max(1.0);
                assert!(
                    (compiled[at] - slope).abs() < tolerance,
                    "{name}[{at}]: {} for {slope}",
                    compiled[at]
                );
                assert!(
                    (literal[at] - slope).abs() < tolerance,
                    "{name}[{at}]: literal {} for {slope}",
                    literal[at]
                );
            }
        }
    }
}

#[test]
fn recurrences_keep_what_their_reverse_needs() {
    check(
        "recurrence",
        "data { int T; vector[T] y; }
         parameters { real phi; real<lower=0> s; real m; }
         model {
           vector[T] state;
           real previous = m;
           state[1] = exp(0.1 * phi);
           for (t in 2:T) {
             state[t] = tanh(phi * state[t - 1] + m) + sqrt(square(previous) + s);
             previous = previous * 0.9 + sin(state[t]) / (1 + s);
           }
           y ~ normal(state + previous, s);
         }",
        r#"{"T": 6, "y": [0.3, -0.2, 0.5, 1.1, 0.2, 0.4]}"#,
    );
}

#[test]
fn recurrences_of_more_than_one_state_and_lag() {
    // Two lags, a variance whose root is squared again, an array of two states, and a state that reads what its own round
    // wrote before.
    check(
        "lags",
        "data { int T; vector[T] y; }
         parameters { vector[2] phi; real<lower=0> s; real<lower=0, upper=1> a; }
         model {
           vector[T] level;
           vector[T] scale;
           array[T, 2] real pair;
           level[1] = phi[1];
           level[2] = phi[2] * y[1];
           scale[1] = 0.7;
           pair[1] = {0.1, s};
           for (t in 2:T) {
             scale[t] = sqrt(s + a * square(y[t - 1]) + 0.3 * square(scale[t - 1]));
             pair[t, 1] = 0.5 * pair[t - 1, 2] + y[t];
             pair[t, 2] = sin(pair[t, 1]) * pair[t - 1, 1];
           }
           for (t in 3:T) {
             level[t] = phi[1] * level[t - 1] + phi[2] * level[t - 2] + y[t];
           }
           y ~ normal(level, scale);
           target += -0.5 * square(pair[T, 1] - pair[T, 2]) + pair[3, 1];
         }",
        r#"{"T": 7, "y": [0.3, -0.2, 0.5, 1.1, 0.2, 0.4, -0.6]}"#,
    );
}

#[test]
fn short_loops_inside_long_ones() {
    check(
        "mixture",
        "data { int N; int K; vector[N] y; }
         parameters { simplex[K] weight; ordered[K] centre; vector<lower=0>[K] s; }
         model {
           for (n in 1:N) {
             vector[K] terms = log(weight);
             for (k in 1:K) terms[k] += normal_lpdf(y[n] | centre[k], s[k]);
             target += log_sum_exp(terms);
           }
           {
             // What is written under an unknown index may be what is read under a known one.
             array[K] real cells = rep_array(0.5, K);
             for (n in 1:N) {
               for (k in 1:K) {
                 cells[1 + (n + k) % K] *= 0.3;
                 cells[1 + (n + k) % K] += 0.2 * s[k] * cells[k];
               }
               if (y[n] > 0) cells[2] = cells[1] * 0.3;
               target += -cells[2];
             }
           }
         }",
        r#"{"N": 20, "K": 3, "y": [0.3, -0.2, 0.5, 1.1, 0.2, 0.4, -0.6, 2.0, 1.7, -1.1,
            0.1, 0.8, -0.4, 1.3, 0.6, 0.9, -0.7, 2.2, 1.5, -1.6]}"#,
    );
}

#[test]
fn sums_of_squares_over_groups_of_rows() {
    // One group, groups by one index and by two, weights of data, factors that differ by group, and a matrix of predictors.
    check(
        "groups",
        "data { int N; array[N] int g; array[N] int h; vector[N] x; vector[N] y; vector[N] w; matrix[N, 3] X; }
         parameters { vector[3] a; vector[2] b; real m; vector[3] beta; real<lower=0> s; vector<lower=0>[3] t; }
         model {
           y ~ normal(m + beta[1] * x, s);
           for (n in 1:N) y[n] ~ normal(a[g[n]] + exp(b[1]) * x[n], s);
           y ~ normal(m + s * a[g] + b[h] .* x, w);
           for (n in 1:N) target += -0.5 * square((y[n] - a[g[n]]) / t[g[n]]);
           y ~ normal(X * beta + m, s);
           x ~ normal(a[g], 1);
         }",
        r#"{"N": 24, "g": [1, 1, 1, 2, 2, 3, 3, 3, 3, 2, 1, 1, 1, 1, 3, 2, 2, 2, 2, 1, 3, 3, 3, 1],
            "h": [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2],
            "x": [0.1, 0.8, -0.4, 1.3, 0.6, 0.9, -0.7, 2.2, 1.5, -1.6, 0.3, -0.2,
                  0.5, 1.1, 0.2, 0.4, -0.6, 2.0, 1.7, -1.1, 0.7, 0.0, 1.0, -0.9],
            "y": [0.3, -0.2, 0.5, 1.1, 0.2, 0.4, -0.6, 2.0, 1.7, -1.1, 0.1, 0.8,
                  -0.4, 1.3, 0.6, 0.9, -0.7, 2.2, 1.5, -1.6, 0.2, 0.9, -1.4, 0.6],
            "w": [1.3, 1.2, 0.5, 1.1, 0.2, 0.4, 0.6, 2.0, 1.7, 1.1, 0.1, 0.8,
                  0.4, 1.3, 0.6, 0.9, 0.7, 2.2, 1.5, 1.6, 0.2, 0.9, 1.4, 0.6],
            "X": [[1, 0.1, 0.2], [1, 0.8, 0.1], [0, -0.4, 0.3], [1, 1.3, 0.2], [0, 0.6, 0.9], [1, 0.9, 0.4],
                  [0, -0.7, 0.1], [0, 2.2, 1.2], [1, 1.5, -0.2], [1, -1.6, 0.3], [0, 0.3, 0.8], [1, -0.2, 0.1],
                  [1, 0.5, 0.2], [0, 1.1, 0.5], [1, 0.2, 0.7], [1, 0.4, -0.3], [0, -0.6, 0.2], [1, 2.0, 0.9],
                  [0, 1.7, 0.4], [1, -1.1, 0.6], [0, 0.7, 0.1], [1, 0.0, -0.8], [0, 1.0, 0.3], [1, -0.9, 0.2]]}"#,
    );
}

#[test]
fn a_location_that_is_not_finite_is_refused_by_name() {
    let model = Model::from_text(
        "line",
        "data { int N; vector[N] y; } parameters { real m; } model { y ~ normal(exp(m), 1); }",
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let data = br#"{"N": 4, "y": [1, 2, 3, 5]}"#;
    let posterior = model
        .bind_json("data.json", data, &BindOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let refused = posterior
        .density()
        .log_density_gradient(&[800.0], &mut [0.0]);
    let message = refused.expect_err("the location is infinite").to_string();
    assert!(
        message.contains("Location parameter is inf, but must be finite"),
        "{message}"
    );
}

#[test]
fn ragged_rows_fall_into_classes() {
    // Lengths 1 to 3, in an order that makes classes of rounds that do not follow each other; in `inner` what must be known
    // depends on the loop around.
    check(
        "ragged",
        "data { int N; int M; array[N] int pos; array[N] int len; vector[M] y; }
         parameters { vector[M] beta; real<lower=0> s; }
         model {
           for (n in 1:N) {
             vector[len[n] + 1] z = append_row(rep_vector(0, 1), segment(beta, pos[n], len[n]));
             target += log_sum_exp(cumulative_sum(z) * s);
             for (k in 1:len[n]) {
               vector[len[n]] inner = segment(beta, pos[n], len[n]) * (0.1 * k);
               target += -dot_self(inner);
             }
             segment(y, pos[n], len[n]) ~ normal(segment(beta, pos[n], len[n]), s);
           }
         }",
        r#"{"N": 5, "M": 9, "pos": [1, 3, 4, 7, 9], "len": [2, 1, 3, 2, 1],
            "y": [0.3, -0.2, 0.5, 1.1, 0.2, 0.4, -0.6, 2.0, 1.7]}"#,
    );
}

#[test]
fn the_code_of_ragged_rows_does_not_grow_with_the_rows() {
    let program = "data { int N; array[N] int len; vector[3 * N] y; }
         parameters { vector[3 * N] beta; }
         model {
           for (n in 1:N) segment(y, 3 * n - 2, len[n]) ~ normal(segment(beta, 3 * n - 2, len[n]), 1);
         }";
    let statements = |rows: usize| {
        let lengths: Vec<usize> = (0..rows).map(|row| 1 + row * row % 3).collect();
        let y: Vec<f64> = (0..3 * rows).map(|at| (at as f64).sin()).collect();
        let data = format!(r#"{{"N": {rows}, "len": {lengths:?}, "y": {y:?}}}"#);
        let model = Model::from_text("ragged", program).unwrap_or_else(|error| panic!("{error}"));
        let posterior = model
            .bind_json("data.json", data.as_bytes(), &BindOptions::default())
            .unwrap_or_else(|error| panic!("{error}"));
        posterior.gradient_procedure().to_string().lines().count()
    };
    let (few, many) = (statements(30), statements(300));
    assert!(
        many <= few + few / 10,
        "{few} lines for 30 rows, {many} for 300"
    );
}

/// The gradient's loop code.
fn gradient_code(program: &str, data: &str) -> String {
    let model = Model::from_text("code", program).unwrap_or_else(|error| panic!("{error}"));
    let posterior = model
        .bind_json("data.json", data.as_bytes(), &BindOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    posterior.gradient_procedure().to_string()
}

#[test]
fn recurrences_are_carried_and_short_loops_unrolled() {
    let code = gradient_code(
        "data { int T; vector[T] y; }
         parameters { real<lower=0> s; real<lower=0, upper=1> a; }
         model {
           vector[T] scale;
           scale[1] = 0.7;
           for (t in 2:T) scale[t] = sqrt(s + a * square(y[t - 1]) + 0.3 * square(scale[t - 1]));
           y ~ normal(0, scale);
         }",
        r#"{"T": 7, "y": [0.3, -0.2, 0.5, 1.1, 0.2, 0.4, -0.6]}"#,
    );
    assert!(code.contains("square of last scale = "), "{code}");
    assert!(code.contains("last adjoint of scale = "), "{code}");
    let code = gradient_code(
        "data { int N; vector[N] y; }
         parameters { vector[3] centre; }
         model {
           for (n in 1:N) {
             vector[3] terms;
             for (k in 1:3) terms[k] = normal_lpdf(y[n] | centre[k], 1);
             target += log_sum_exp(terms);
           }
         }",
        r#"{"N": 7, "y": [0.3, -0.2, 0.5, 1.1, 0.2, 0.4, -0.6]}"#,
    );
    // No loop inside another, and nothing kept for the reverse.
    assert!(!code.contains("        for "), "{code}");
    assert!(!code.contains("tape"), "{code}");
}

#[test]
fn a_linear_model_costs_the_same_for_all_rows() {
    let program = "data { int N; vector[N] x; vector[N] y; }
         parameters { real a; real b; real<lower=0> s; }
         model { y ~ normal(a + b * x, s); }";
    let code = |rows: usize| {
        let x: Vec<f64> = (0..rows).map(|row| (row as f64).sin()).collect();
        let y: Vec<f64> = (0..rows).map(|row| (row as f64).cos()).collect();
        gradient_code(
            program,
            &format!(r#"{{"N": {rows}, "x": {x:?}, "y": {y:?}}}"#),
        )
    };
    for rows in [20, 2000] {
        assert!(!code(rows).contains("for "), "{}", code(rows));
    }
    let matrix = gradient_code(
        "data { int N; matrix[N, 2] X; vector[N] y; }
         parameters { vector[2] beta; real<lower=0> s; }
         model { y ~ normal(X * beta, s); }",
        r#"{"N": 6, "X": [[1, 0.1], [1, 0.5], [1, -0.3], [0, 1.2], [0, 0.4], [1, 2.1]], "y": [1, 2, 3, 4, 5, 6.5]}"#,
    );
    assert!(
        !matrix.contains("for ") && !matrix.contains("call"),
        "{matrix}"
    );
}

#[test]
fn branches_on_parameters_and_data() {
    check(
        "branches",
        "data { int N; array[N] int g; vector[N] y; }
         parameters { vector[3] a; real<lower=0> s; }
         model {
           real total = 0;
           for (n in 1:N) {
             real centre = a[g[n]];
             if (centre > 0.05) centre = centre * s; else { centre -= 0.5 * s; }
             if (g[n] == 2) { target += normal_lpdf(y[n] | centre, s); }
             else target += student_t_lpdf(y[n] | 4, centre, s);
             total += centre > 0 ? log1p(centre) : square(centre);
           }
           target += -total * total;
         }",
        r#"{"N": 5, "g": [1, 2, 3, 2, 1], "y": [0.3, -0.2, 0.5, 1.1, 0.2]}"#,
    );
}

#[test]
fn variables_that_are_overwritten() {
    check(
        "overwritten",
        "data { int T; int K; matrix[T, K] y; }
         parameters { simplex[K] start; real b; }
         model {
           vector[K] alpha = log(start);
           for (t in 1:T) {
             vector[K] next;
             for (k in 1:K) {
               vector[K] terms;
               for (j in 1:K) terms[j] = alpha[j] * 0.5 + b * y[t, k] * (j == k);
               next[k] = log_sum_exp(terms);
             }
             alpha = next;
             alpha[1] += 0.1 * alpha[2];
           }
           target += log_sum_exp(alpha);
         }",
        r#"{"T": 4, "K": 3, "y": [[0.1, 0.2, -0.4], [0.5, 0.1, 0.9], [-0.2, 0.3, 0.3], [1.0, 0.0, 0.2]]}"#,
    );
}

#[test]
fn while_loops_run_as_often_as_the_parameters_say() {
    check(
        "while",
        "parameters { real a; real b; }
         model {
           real x = exp(a);
           int n = 0;
           while (x < 40) { x = x * 1.7 + square(b); n += 1; }
           target += -square(x - 30) * 0.01 - square(b) - square(a) + n;
         }",
        "{}",
    );
}

#[test]
fn functions_that_return_from_branches() {
    check(
        "returns",
        "functions {
           real piece(real x, real s) {
             if (x > 0.2) return log(x) * s;
             if (x > -0.1) { real y = x * s; return y * y; }
             return exp(x) + s;
           }
           vector shifted(vector v, real by) {
             vector[size(v)] r = v + by;
             for (i in 2:size(v)) r[i] += r[i - 1] * v[i];
             return r;
           }
           real first_above(array[] real xs, real limit) {
             for (i in 1:size(xs)) if (xs[i] > limit) return xs[i] * i;
             return -limit;
           }
           void fail_if(int bad) { if (bad) reject(\"bad\"); }
           real power(real x, int n) { if (n == 0) return 1; return x * power(x, n - 1); }
         }
         parameters { vector[4] v; real<lower=0, upper=2> s; }
         model {
           fail_if(s < 0);
           for (i in 1:4) target += piece(v[i], s) - square(v[i]);
           target += -dot_self(shifted(v, s)) + first_above(to_array_1d(v), 0.15) - power(s, 3);
         }",
        "{}",
    );
}

#[test]
fn linear_algebra_alone_and_in_loops() {
    check(
        "linear algebra",
        "data { int N; matrix[N, 2] x; vector[N] y; }
         parameters { real<lower=0> a; real<lower=0> r; vector[2] b; cov_matrix[2] S; cholesky_factor_corr[3] L; }
         model {
           matrix[N, N] K = add_diag(gp_exp_quad_cov(to_array_1d(x[:, 1]), a, r), 0.3);
           y ~ multi_normal(x * b, K);
           b ~ multi_normal([0.1, 0.2]', S);
           S ~ inv_wishart(4, diag_matrix(rep_vector(1, 2)));
           L ~ lkj_corr_cholesky(2);
           for (n in 1:N) {
             matrix[2, 2] M = S + a * n * identity_matrix(2);
             M[1, 2] += 0; 
             target += -0.1 * log_determinant(M) - 0.01 * quad_form(inverse(M), b);
             target += -mdivide_left_tri_low(cholesky_decompose(M), b)[2];
           }
           target += -sum(tcrossprod(L) .* L) - trace(L * L') - sum(eigenvalues_sym(S)) * 0.1;
         }",
        r#"{"N": 3, "x": [[0.1, 1.0], [0.7, -0.3], [1.5, 0.4]], "y": [0.2, 0.5, -0.4]}"#,
    );
}

#[test]
fn parts_of_containers_on_both_sides() {
    check(
        "parts",
        "data { int N; array[3] int pick; array[N] int len; vector[6] w; }
         parameters { matrix[3, 4] m; array[2] vector[6] v; positive_ordered[3] o; sum_to_zero_vector[4] z; }
         model {
           matrix[3, 4] t = m;
           vector[6] u = rep_vector(0, 6);
           int at = 1;
           t[2] = m[pick[1]] * 2;
           t[:, 3] = o .* m[:, 1];
           u[2:4] = v[1, pick];
           u[{1, 6}] = v[2][{6, 1}];
           for (n in 1:N) {
             target += -0.1 * sum(square(segment(v[1], at, len[n]))) * n;
             at += len[n];
           }
           target += -sum(square(t)) - dot_product(u, w) - dot_self(head(u, 2) - tail(v[2], 2));
           target += -sum(square(to_vector(t'))[5:8]) - square(prod(o)) - dot_self(z) - sum(sort_asc(v[1]) .* w);
           target += -max(v[2]) - log_sum_exp(append_row(v[1], o)) - mean(append_col(m, t[:, 1:2]));
         }",
        r#"{"N": 3, "pick": [1, 3, 2], "len": [1, 0, 3], "w": [1, 2, 3, 4, 5, 6]}"#,
    );
}

#[test]
fn the_target_read_back() {
    check(
        "target",
        "parameters { real a; vector[3] b; }
         model {
           b ~ normal(a, 1);
           if (target() > -100) target += sin(target()) * a;
           for (e in b) target += -0.1 * e * a;
         }",
        "{}",
    );
}

#[test]
fn constraints_of_every_kind() {
    check(
        "constraints",
        "data { real low; }
         parameters {
           real<lower=low> a; real<upper=a> b; vector<lower=low, upper=3>[2] c; real<offset=a, multiplier=2> d;
           ordered[3] e; simplex[4] f; unit_vector[3] g; corr_matrix[3] h; cholesky_factor_cov[3, 2] i;
           array[2] simplex[3] j; array[2, 2] real<lower=0> k; cov_matrix[2] l;
         }
         model {
           target += -square(a) - square(b) - dot_self(c) - square(d) - dot_self(e) + sum(log(f)) - square(g[1] - 0.3);
           target += log_determinant(h) - sum(square(i)) + sum(log(j[1])) + 2 * sum(log(j[2])) - k[1, 2] * k[2, 1] - k[2, 2];
           target += -trace(l) + 0.5 * log_determinant(l);
         }",
        r#"{"low": -0.5}"#,
    );
}

#[test]
fn vectorised_densities_and_the_loops_that_they_stand_for() {
    let data = r#"{"N": 7, "x": [0.1, 0.5, -0.3, 0.9, 1.4, -1.1, 0.0], "k": [1, 0, 1, 1, 0, 0, 1], "g": [1, 2, 2, 1, 3, 3, 3]}"#;
    let head = "data { int N; vector[N] x; array[N] int k; array[N] int g; }
                parameters { vector[3] a; real b; real<lower=0> s; }";
    check(
        "vectorised",
        &format!(
            "{head} model {{ x ~ normal(a[g] + b * to_vector(k), s); k ~ bernoulli_logit(a[g] * s + b);
             a ~ student_t(3, b, s); k ~ poisson_log(a[g]); k ~ neg_binomial_2_log(b + a[g], s);
             x ~ skew_normal(b, s, a[1]); to_vector(k) ~ lognormal(b, s) T[, 3]; }}"
        )
        .replace("to_vector(k) ~ lognormal(b, s) T[, 3];", "b ~ normal(0, s) T[-5, 3];"),
        data,
    );
    check(
        "looped",
        &format!(
            "{head} model {{ for (n in 1:N) {{ x[n] ~ normal(a[g[n]] + b * k[n], s);
             k[n] ~ bernoulli_logit(a[g[n]] * s + b); k[n] ~ binomial_logit(3, a[g[n]]);
             target += log_mix(inv_logit(b), normal_lpdf(x[n] | 0, s), cauchy_lpdf(x[n] | a[1], 1)); }} }}"
        )
        .replace("k[n] ~ binomial_logit(3, a[g[n]]);", "k[n] ~ binomial_logit(3, a[g[n]]);"),
        data,
    );
}

/// As many rows as take kernels on blocks, with some left over.
fn rows() -> String {
    let list = |number: &dyn Fn(usize) -> String| {
        let numbers: Vec<String> = (0..21).map(number).collect();
        numbers.join(", ")
    };
    let x = list(&|at| format!("{:.3}", 1.7 * (at as f64 * 0.9).sin()));
    let k = list(&|at| (at * 5 % 3 % 2).to_string());
    let g = list(&|at| (1 + at % 3).to_string());
    let e = list(&|at| (at as i64 % 5 - 1).to_string());
    format!(r#"{{"N": 21, "x": [{x}], "k": [{k}], "g": [{g}], "e": [{e}]}}"#)
}

const ROWS: &str = "data { int N; vector[N] x; array[N] int k; array[N] int g; array[N] int e; }
                    parameters { vector[3] a; real b; real<lower=0> s; real<lower=0, upper=1> t; }";

#[test]
fn logistic_terms_of_many_rows() {
    check(
        "links",
        &format!(
            "{ROWS} model {{
               k ~ bernoulli_logit(a[g] * s + b * x);
               k ~ bernoulli(inv_logit(b * x - s));
               x ~ logistic(a[g], s);
               x ~ student_t(4, b, exp(a[g]));
               x ~ normal(b, s + square(a[g]));
               for (n in 1:N) {{
                 target += log_mix(t, normal_lpdf(x[n] | a[1], s), normal_lpdf(x[n] | a[2], 1));
                 target += -log1p_exp(b - x[n]) + log_inv_logit(x[n] - b) * inv_logit(b - x[n]);
                 target += log1m_inv_logit(s * x[n]) - log(s + x[n] ^ 2);
               }} }}"
        ),
        &rows(),
    );
}

#[test]
fn powers_of_many_rows() {
    check(
        "powers",
        &format!(
            "{ROWS} model {{
               for (n in 1:N) {{
                 target += pow(s, e[n]) - pow(s, x[n]) * pow(t, abs(e[n]));
                 target += pow(abs(x[n]) + 0.1, b) + pow(-s, e[n]) + x[n] * b ^ 3 - s ^ -1 + b ^ 2;
                 // A base of 0, of whose powers none but the first has a slope.
                 target += pow(b * (x[n] < 9 ? 0 : 1), abs(e[n])) + pow(s * 0, 0.5);
               }} }}"
        ),
        &rows(),
    );
}

#[test]
fn branches_that_do_not_run_pass_nothing_back() {
    // What can be taken out of the loop overflows where the branch guards against it; so does what it is computed from.
    let program = r#"
data { int N; array[N] int y; }
parameters { real a; real b; }
model {
  for (n in 1:N) {
    if (y[n] > b) target += -exp(2 * exp(a));
    if (a < 700) target += -n * log1p(exp(a) * y[n]);
    target += -square(a);
  }
}"#;
    let model = Model::from_text("guarded", program).unwrap();
    for passes in [Switches::ALL, Switches::NONE] {
        let mut options = BindOptions::default();
        options.compile.passes = passes;
        let data = r#"{"N": 5, "y": [0, 1, 0, 1, 1]}"#;
        let posterior = model
            .bind_json("data.json", data.as_bytes(), &options)
            .unwrap();
        let mut gradient = [0.0; 2];
        let value = posterior
            .density()
            .log_density_gradient(&[1000.0, 5.0], &mut gradient)
            .unwrap();
        assert_eq!((value, gradient), (-5e6, [-10_000.0, 0.0]));
    }
}

#[test]
fn rows_that_data_repeat_and_tables_that_they_pick_from() {
    let data = r#"{"N": 24, "K": 3, "J": 4,
        "i": [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3],
        "j": [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4],
        "y": [0, 1, 3, 0, 1, 2, 5, 1, 0, 0, 0, 1, 2, 1, 0, 0, 1, 0, 4, 0, 1, 1, 1, 0],
        "n": [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]}"#;
    let program = |body: &str| {
        format!(
            "data {{ int N; int K; int J; array[N] int i; array[N] int j; array[N] int y; array[N] int n; }}
            parameters {{ vector[K] u; vector[J] v; }}
            model {{ u ~ normal(0, 1); v ~ normal(0, 2); {body} }}"
        )
    };
    for body in [
        "y ~ poisson_log(u[i] + v[j]);",
        "for (r in 1:N) y[r] ~ binomial_logit(n[r], u[i[r]] * v[j[r]]);",
        "for (r in 1:N) { if (y[r] > 0) target += y[r] * u[i[r]]; else target += -log1p_exp(v[j[r]]); }",
        // Each element is picked about as often as it is computed, or oftener.
        "matrix[K, J] t; for (a in 1:K) for (b in 1:J) t[a, b] = u[a] + sin(v[b]);
         for (r in 1:N) y[r] ~ poisson_log(t[i[r], j[r]]);",
        "matrix[12, J] t; for (b in 1:J) for (a in 1:12) t[a, b] = u[1 + a %/% 5] + v[b];
         for (r in 1:N) y[r] ~ poisson_log(t[i[r], j[r]] + t[12, j[r]]);",
        "array[12] vector[J] t; for (a in 1:12) { real e = exp(u[1 + a %/% 5]); for (b in 1:J) t[a, b] = e * v[b]; }
         for (r in 1:N) target += -square(t[i[r], j[r]] - y[r]);",
    ] {
        check("rows", &program(body), data);
    }
}
