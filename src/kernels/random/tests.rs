//! Compares draws of fixed seeds with distribution functions (Kolmogorov and Smirnov) and with known moments.

use super::*;
use crate::kernels::special::{
    gamma_p, gamma_q, inc_beta, inv_logit, lchoose, phi, student_t_cdf, von_mises_cdf,
};

const COUNT: usize = 20_000;
/// √n times the KS distance exceeds this with probability 0.001.
const CRITICAL: f64 = 1.95;

fn rng(purpose: u32) -> ChainRng {
    ChainRng::new(2024, 1, purpose)
}

/// The largest distance, times √n, between the empirical and the given distribution function. For integers it is taken at
/// the integers only, which makes the bound conservative.
fn distance(mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64, is_discrete: bool) -> f64 {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let mut largest: f64 = 0.0;
    for (k, &x) in draws.iter().enumerate() {
        let here = cdf(x);
        if !is_discrete {
            largest = largest.max((here - k as f64 / n).abs());
        }
        if !is_discrete || draws.get(k + 1) != Some(&x) {
            largest = largest.max((here - (k + 1) as f64 / n).abs());
        }
    }
    largest * n.sqrt()
}

type Draw = fn(&mut ChainRng) -> f64;
type CountDraw = fn(&mut ChainRng) -> i64;
type Cdf = fn(f64) -> f64;

#[test]
fn continuous_draws_follow_their_distribution_functions() {
    let cases: &[(&str, Draw, Cdf)] = &[
        ("std_uniform", |r| std_uniform(r), |x| x),
        ("uniform", |r| uniform(r, -2.0, 3.0), |x| (x + 2.0) / 5.0),
        ("std_normal", |r| std_normal(r), phi),
        ("normal", |r| normal(r, 1.0, 3.0), |x| phi((x - 1.0) / 3.0)),
        (
            "lognormal",
            |r| lognormal(r, 1.0, 0.5),
            |x| phi((x.ln() - 1.0) / 0.5),
        ),
        (
            "exponential",
            |r| exponential(r, 2.0),
            |x| -(-2.0 * x).exp_m1(),
        ),
        ("gamma 0.01", |r| std_gamma(r, 0.01), |x| gamma_p(0.01, x)),
        (
            "gamma 0.7",
            |r| gamma(r, 0.7, 3.0),
            |x| gamma_p(0.7, 3.0 * x),
        ),
        ("gamma 1", |r| std_gamma(r, 1.0), |x| gamma_p(1.0, x)),
        ("gamma 25", |r| std_gamma(r, 25.0), |x| gamma_p(25.0, x)),
        (
            "inv_gamma",
            |r| inv_gamma(r, 3.0, 2.0),
            |x| gamma_q(3.0, 2.0 / x),
        ),
        (
            "chi_square",
            |r| chi_square(r, 5.0),
            |x| gamma_p(2.5, 0.5 * x),
        ),
        (
            "inv_chi_square",
            |r| inv_chi_square(r, 5.0),
            |x| gamma_q(2.5, 0.5 / x),
        ),
        (
            "scaled_inv_chi_square",
            |r| scaled_inv_chi_square(r, 5.0, 2.0),
            |x| gamma_q(2.5, 10.0 / x),
        ),
        ("beta", |r| beta(r, 0.5, 3.0), |x| inc_beta(0.5, 3.0, x)),
        (
            "student_t",
            |r| student_t(r, 3.5, 1.0, 2.0),
            |x| student_t_cdf((x - 1.0) / 2.0, 3.5),
        ),
        (
            "cauchy",
            |r| cauchy(r, 1.0, 2.0),
            |x| student_t_cdf((x - 1.0) / 2.0, 1.0),
        ),
        (
            "double_exponential",
            |r| double_exponential(r, 0.0, 2.0),
            |x| {
                if x < 0.0 {
                    0.5 * (x / 2.0).exp()
                } else {
                    1.0 - 0.5 * (-x / 2.0).exp()
                }
            },
        ),
        (
            "logistic",
            |r| logistic(r, 1.0, 2.0),
            |x| inv_logit((x - 1.0) / 2.0),
        ),
        (
            "loglogistic",
            |r| loglogistic(r, 2.0, 3.0),
            |x| inv_logit(3.0 * (x / 2.0).ln()),
        ),
        (
            "weibull",
            |r| weibull(r, 1.5, 2.0),
            |x| -(-(x / 2.0).powf(1.5)).exp_m1(),
        ),
        (
            "frechet",
            |r| frechet(r, 1.5, 2.0),
            |x| (-(x / 2.0).powf(-1.5)).exp(),
        ),
        (
            "gumbel",
            |r| gumbel(r, 1.0, 2.0),
            |x| (-(-(x - 1.0) / 2.0).exp()).exp(),
        ),
        (
            "pareto",
            |r| pareto(r, 2.0, 3.0),
            |x| 1.0 - (2.0 / x).powi(3),
        ),
        (
            "pareto_type_2",
            |r| pareto_type_2(r, 1.0, 2.0, 3.0),
            |x| 1.0 - (1.0 + (x - 1.0) / 2.0).powi(-3),
        ),
        (
            "rayleigh",
            |r| rayleigh(r, 2.0),
            |x| -(-x * x / 8.0).exp_m1(),
        ),
        (
            "skew_normal",
            |r| skew_normal(r, 0.0, 1.0, 2.0),
            |x| phi(x) - 2.0 * crate::kernels::special::owens_t(x, 2.0),
        ),
        (
            "exp_mod_normal",
            |r| exp_mod_normal(r, 0.0, 1.0, 2.0),
            |x| phi(x) - (2.0 - 2.0 * x).exp() * phi(x - 2.0),
        ),
        (
            "von_mises 0.3",
            |r| von_mises(r, 0.0, 0.3),
            |x| von_mises_cdf(x, 0.3),
        ),
        (
            "von_mises 5",
            |r| von_mises(r, 0.0, 5.0),
            |x| von_mises_cdf(x, 5.0),
        ),
        (
            "von_mises 1e5",
            |r| von_mises(r, 0.0, 1e5),
            |x| von_mises_cdf(x, 1e5),
        ),
    ];
    for (k, (name, draw, cdf)) in cases.iter().enumerate() {
        let mut generator = rng(k as u32);
        let draws = (0..COUNT).map(|_| draw(&mut generator)).collect();
        let found = distance(draws, cdf, false);
        assert!(found < CRITICAL, "{name}: {found}");
    }
}

#[test]
fn discrete_draws_follow_their_distribution_functions() {
    fn binomial_cdf(k: f64, n: f64, p: f64) -> f64 {
        if k >= n {
            1.0
        } else {
            1.0 - inc_beta(k + 1.0, n - k, p)
        }
    }
    fn hypergeometric_cdf(k: f64) -> f64 {
        let mass =
            |i: f64| (lchoose(60.0, i) + lchoose(90.0, 40.0 - i) - lchoose(150.0, 40.0)).exp();
        (0..=k as i64).map(|i| mass(i as f64)).sum()
    }
    let cases: &[(&str, CountDraw, Cdf)] = &[
        (
            "bernoulli",
            |r| bernoulli(r, 0.3),
            |k| if k < 1.0 { 0.7 } else { 1.0 },
        ),
        (
            "bernoulli_logit",
            |r| bernoulli_logit(r, 0.0),
            |k| if k < 1.0 { 0.5 } else { 1.0 },
        ),
        (
            "poisson 0.4",
            |r| poisson(r, 0.4),
            |k| gamma_q(k + 1.0, 0.4),
        ),
        (
            "poisson 9.9",
            |r| poisson(r, 9.9),
            |k| gamma_q(k + 1.0, 9.9),
        ),
        (
            "poisson 10.1",
            |r| poisson(r, 10.1),
            |k| gamma_q(k + 1.0, 10.1),
        ),
        (
            "poisson 1e3",
            |r| poisson_log(r, 1e3_f64.ln()),
            |k| gamma_q(k + 1.0, 1e3),
        ),
        (
            "poisson 1e9",
            |r| poisson(r, 1e9),
            |k| gamma_q(k + 1.0, 1e9),
        ),
        (
            "binomial 0.1",
            |r| binomial(r, 20, 0.1),
            |k| binomial_cdf(k, 20.0, 0.1),
        ),
        (
            "binomial 0.8",
            |r| binomial(r, 100, 0.8),
            |k| binomial_cdf(k, 100.0, 0.8),
        ),
        (
            "binomial 0.4",
            |r| binomial(r, 1000, 0.4),
            |k| binomial_cdf(k, 1000.0, 0.4),
        ),
        (
            "neg_binomial",
            |r| neg_binomial(r, 2.5, 0.5),
            |k| inc_beta(2.5, k + 1.0, 1.0 / 3.0),
        ),
        (
            "neg_binomial_2",
            |r| neg_binomial_2(r, 4.0, 1.5),
            |k| inc_beta(1.5, k + 1.0, 1.5 / 5.5),
        ),
        (
            "hypergeometric",
            |r| hypergeometric(r, 40, 60, 90),
            hypergeometric_cdf,
        ),
        (
            "categorical",
            |r| categorical(r, &[0.2, 0.0, 0.5, 0.3]),
            |k| [0.2, 0.2, 0.7, 1.0][k as usize - 1],
        ),
        (
            "categorical_logit",
            |r| categorical_logit(r, &[2.0_f64.ln(), 0.0, 1.0_f64.ln()]),
            |k| [0.5, 0.75, 1.0][k as usize - 1],
        ),
        (
            "discrete_range",
            |r| discrete_range(r, -3, 6),
            |k| (k + 4.0) / 10.0,
        ),
        (
            "ordered_logistic",
            |r| ordered_logistic(r, 0.5, &[-1.0, 2.0]),
            |k| [inv_logit(-1.5), inv_logit(1.5), 1.0][k as usize - 1],
        ),
        (
            "beta_binomial",
            |r| beta_binomial(r, 9, 1.0, 1.0),
            |k| (k + 1.0) / 10.0,
        ),
    ];
    for (k, (name, draw, cdf)) in cases.iter().enumerate() {
        let mut generator = rng(100 + k as u32);
        let draws = (0..COUNT).map(|_| draw(&mut generator) as f64).collect();
        let found = distance(draws, cdf, true);
        assert!(found < CRITICAL, "{name}: {found}");
    }
}

/// Asserts that the mean of `values` is within four standard errors of `want`.
fn assert_mean(name: &str, values: &[f64], want: f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let error = (mean - want) / (variance / n).sqrt();
    assert!(
        error.abs() < 4.0,
        "{name}: mean {mean}, expected {want}, {error} standard errors off"
    );
}

#[test]
fn vectors_have_their_moments() {
    let mut generator = rng(200);
    let factor = [2.0, -1.0, 0.0, 0.5];
    let (mut normals, mut students, mut simplices, mut counts) = (vec![], vec![], vec![], vec![]);
    for _ in 0..COUNT {
        let mut draw = [0.0; 2];
        multi_normal_cholesky(&mut generator, &[1.0, 2.0], &factor, &mut draw);
        normals.push((draw[0] - 1.0) * (draw[1] - 2.0));
        multi_student_t_cholesky(&mut generator, 9.0, &[1.0, 2.0], &factor, &mut draw);
        students.push((draw[0] - 1.0) * (draw[1] - 2.0));
        let mut simplex = [0.0; 3];
        dirichlet(&mut generator, &[0.5, 1.0, 2.5], &mut simplex);
        assert!((simplex.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        simplices.push(simplex[2]);
        let mut count = [0; 3];
        multinomial(&mut generator, 10, &[0.2, 0.0, 0.8], &mut count);
        assert!(count.iter().sum::<i64>() == 10 && count[1] == 0);
        counts.push(count[0] as f64);
    }
    assert_mean("multi_normal", &normals, -2.0);
    assert_mean("multi_student_t", &students, -2.0 * 9.0 / 7.0);
    assert_mean("dirichlet", &simplices, 2.5 / 4.0);
    assert_mean("multinomial", &counts, 2.0);
    let mut tiny = [0.0; 2];
    dirichlet(&mut generator, &[1e-5, 1e-5], &mut tiny);
    assert!((tiny[0] + tiny[1] - 1.0).abs() < 1e-15);
}

/// M Mᵀ of a 3 × 3 matrix.
fn tcrossprod(m: &[f64; 9]) -> [f64; 9] {
    std::array::from_fn(|at| (0..3).map(|k| m[at % 3 + 3 * k] * m[at / 3 + 3 * k]).sum())
}

#[test]
fn matrices_have_their_moments() {
    let factor = [1.5, 0.3, -0.7, 0.0, 0.8, 0.4, 0.0, 0.0, 1.1];
    let scale = tcrossprod(&factor);
    let mut generator = rng(201);
    let (mut wishart, mut inverse, mut correlation) = (vec![], vec![], vec![]);
    for _ in 0..COUNT {
        let mut m = [0.0; 9];
        wishart_cholesky(&mut generator, 3, 6.5, &factor, &mut m);
        wishart.push(tcrossprod(&m));
        inv_wishart_cholesky(&mut generator, 3, 9.0, &factor, &mut m);
        inverse.push(tcrossprod(&m));
        lkj_corr_cholesky(&mut generator, 3, 2.0, &mut m);
        correlation.push(tcrossprod(&m));
    }
    for at in 0..9 {
        let column = |draws: &[[f64; 9]]| draws.iter().map(|m| m[at]).collect::<Vec<f64>>();
        assert_mean("wishart", &column(&wishart), 6.5 * scale[at]);
        assert_mean("inv_wishart", &column(&inverse), scale[at] / 5.0);
    }
    for at in [1, 2, 5] {
        // Each correlation is 2 beta(b, b) - 1 with b = η + (K - 2)/2, alike for every pair.
        let draws = correlation.iter().map(|m| m[at]).collect();
        let found = distance(draws, |x| inc_beta(2.5, 2.5, 0.5 * (x + 1.0)), false);
        assert!(found < CRITICAL, "lkj_corr at {at}: {found}");
        assert!(
            correlation
                .iter()
                .all(|m| (m[0] - 1.0).abs() < 1e-14 && (m[8] - 1.0).abs() < 1e-14)
        );
    }
}

#[test]
fn edges_of_the_parameters_end() {
    let mut generator = rng(202);
    let r = &mut generator;
    assert_eq!(
        (
            poisson(r, 0.0),
            binomial(r, 0, 0.5),
            binomial(r, 7, 0.0),
            binomial(r, 7, 1.0)
        ),
        (0, 0, 0, 7)
    );
    assert_eq!(hypergeometric(r, 5, 5, 0), 5);
    assert_eq!(hypergeometric(r, 0, 5, 3), 0);
    assert_eq!(discrete_range(r, 4, 4), 4);
    discrete_range(r, i64::MIN, i64::MAX);
    for bad in [f64::NAN, -1.0, f64::INFINITY] {
        poisson(r, bad);
        std_gamma(r, bad);
        beta(r, bad, 1.0);
        von_mises(r, 0.0, bad);
        binomial(r, 100, bad);
    }
    let mut log_gamma = std_log_gamma(r, 1e-5);
    log_gamma = log_gamma.min(std_log_gamma(r, 1e-5));
    assert!(log_gamma.is_finite() && log_gamma < -700.0);
}
