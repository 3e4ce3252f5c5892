//! What lowering must know of functions and families: which are of counts, which take levels, where arrays are needed.

use super::build;
use super::form::{Form, Value};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp};

/// Families of integers (`_lpmf`); all others have densities (`_lpdf`).
const DISCRETE: &[&str] = &[
    "bernoulli",
    "bernoulli_logit",
    "bernoulli_logit_glm",
    "beta_binomial",
    "beta_neg_binomial",
    "binomial",
    "binomial_logit",
    "binomial_logit_glm",
    "categorical",
    "categorical_logit",
    "categorical_logit_glm",
    "dirichlet_multinomial",
    "discrete_range",
    "hypergeometric",
    "multinomial",
    "multinomial_logit",
    "neg_binomial",
    "neg_binomial_2",
    "neg_binomial_2_log",
    "neg_binomial_2_log_glm",
    "ordered_logistic",
    "ordered_logistic_glm",
    "ordered_probit",
    "poisson",
    "poisson_log",
    "poisson_log_glm",
    "yule_simon",
    "poisson_binomial",
];

/// Families of levels: their outcomes are positions.
const OF_LEVELS: &[&str] = &[
    "categorical",
    "categorical_logit",
    "categorical_logit_glm",
    "ordered_logistic",
    "ordered_logistic_glm",
    "ordered_probit",
];

/// Families whose outcome is a vector or a matrix, by the places of arguments that only vectors can take.
const MULTIVARIATE: &[(&str, &[usize])] = &[
    ("dirichlet", &[0]),
    ("multi_normal", &[0]),
    ("multi_normal_cholesky", &[0]),
    ("multi_normal_prec", &[0]),
    ("multi_student_t", &[1]),
    ("multi_student_t_cholesky", &[1]),
    ("multinomial", &[0]),
    ("multinomial_logit", &[0]),
    ("dirichlet_multinomial", &[0]),
    ("lkj_corr", &[]),
    ("lkj_corr_cholesky", &[]),
    ("wishart", &[]),
    ("wishart_cholesky", &[]),
    ("inv_wishart", &[]),
    ("inv_wishart_cholesky", &[]),
];

/// Families that the library cannot draw from.
const WITHOUT_DRAWS: &[&str] = &[
    "wiener",
    "gaussian_dlm_obs",
    "multi_gp",
    "multi_gp_cholesky",
    "lkj_cov",
    "hmm_marginal",
    "sum_to_zero_normal",
    "poisson_binomial",
];

/// Functions of arrays where the equation form has vectors.
const OF_ARRAYS: &[(&str, &[usize])] = &[
    ("gp_exp_quad_cov", &[0]),
    ("gp_exponential_cov", &[0]),
    ("gp_matern32_cov", &[0]),
    ("gp_matern52_cov", &[0]),
    ("gp_dot_prod_cov", &[0]),
    ("gp_periodic_cov", &[0]),
];

/// Functions that take an array of integers as it is, and give an integer for it.
const OF_INTEGERS: &[&str] = &["max", "min", "sum", "abs", "prod"];

/// Functions of one vector that do not care which way it lies.
const INDIFFERENT: &[&str] = &[
    "dot_product",
    "dot_self",
    "sum",
    "mean",
    "sd",
    "variance",
    "max",
    "min",
    "prod",
    "squared_distance",
    "distance",
    "log_sum_exp",
    "size",
    "num_elements",
    "quantile",
    "norm1",
    "norm2",
];

/// Functions whose value is an integer whatever they take.
const COUNTING: &[&str] = &[
    "size",
    "num_elements",
    "rows",
    "cols",
    "is_inf",
    "is_nan",
    "int_step",
    "to_int",
    "rank",
];

/// Whether a family's outcomes are integers.
pub(super) fn is_discrete(family: &str) -> bool {
    DISCRETE.contains(&family)
}

/// Whether a family's outcomes are levels.
pub(super) fn takes_levels(family: &str) -> bool {
    OF_LEVELS.contains(&family)
}

/// The places of arguments that only vectors can take, of families whose outcome is a vector or matrix.
pub(super) fn multivariate(family: &str) -> Option<&'static [usize]> {
    let row = MULTIVARIATE.iter().find(|(name, _)| *name == family);
    row.map(|(_, places)| *places)
}

/// Whether the library can draw from a family of its own.
pub(super) fn has_draws(family: &str) -> bool {
    !WITHOUT_DRAWS.contains(&family)
}

/// A draw from a family. Stan cannot draw from two of those that it has densities of: theirs are spelled out.
pub(super) fn draw(family: &str, mut arguments: Vec<ast::Expr>, span: Span) -> ast::Expr {
    let (base, of_last) = match family {
        "binomial_logit" => ("binomial", Some("inv_logit")),
        "multi_normal_prec" => ("multi_normal", Some("inverse_spd")),
        _ => (family, None),
    };
    if let Some(function) = of_last
        && let Some(last) = arguments.pop()
    {
        arguments.push(build::call(function, vec![last], span));
    }
    build::call(format!("{base}_rng"), arguments, span)
}

/// The name of a family's log density.
pub(super) fn log_density(family: &str, is_discrete: bool) -> String {
    let suffix = if is_discrete { "_lpmf" } else { "_lpdf" };
    format!("{family}{suffix}")
}

/// The family whose density or cumulative function a call is.
pub(super) fn of_call(function: &str) -> Option<&str> {
    [
        "_lpmf", "_lpdf", "_lupmf", "_lupdf", "_lcdf", "_lccdf", "_cdf",
    ]
    .iter()
    .find_map(|suffix| function.strip_suffix(suffix))
}

/// An argument as the function's signature takes it.
pub(super) fn argument(function: &str, place: usize, value: Value) -> Value {
    let row = OF_ARRAYS.iter().find(|(name, _)| *name == function);
    if row.is_some_and(|(_, places)| places.contains(&place)) {
        return value.list();
    }
    let is_density = of_call(function).is_some() || function.ends_with("_rng");
    if is_density || INDIFFERENT.contains(&function) || OF_INTEGERS.contains(&function) {
        return value;
    }
    // Most functions of vectors give vectors of the same lie, and columns are what the rest expects.
    value.column()
}

/// What a call gives, by the number of its axes and its arguments.
pub(super) fn result(function: &str, axes: usize, arguments: &[Value]) -> Form {
    let integers = arguments
        .iter()
        .all(|value| value.form.element == super::form::Element::Int);
    match axes {
        0 if COUNTING.contains(&function) => Form::INT,
        0 if OF_INTEGERS.contains(&function) && integers => Form::INT,
        0 => match function.strip_suffix("_rng") {
            Some(family) if is_discrete(family) => Form::INT,
            _ => Form::REAL,
        },
        1 => match function.strip_suffix("_rng") {
            Some(family) if multivariate(family).is_none() && is_discrete(family) => {
                Form::INT.in_array()
            }
            Some(family) if multivariate(family).is_none() => Form::REAL.in_array(),
            _ => Form::VECTOR,
        },
        _ => Form::MATRIX,
    }
}

/// Families symmetric about their location, and which argument that is.
const LOCATED: &[(&str, usize)] = &[
    ("normal", 0),
    ("student_t", 1),
    ("cauchy", 0),
    ("double_exponential", 0),
    ("logistic", 0),
    ("multi_normal", 0),
    ("multi_normal_cholesky", 0),
    ("multi_normal_prec", 0),
    ("multi_student_t", 1),
    ("multi_student_t_cholesky", 1),
];

/// Which argument is the location, if the family is symmetric about one.
pub(super) fn location(family: &str) -> Option<usize> {
    let row = LOCATED.iter().find(|(name, _)| *name == family);
    row.map(|(_, place)| *place)
}

/// A mean as a function of the arguments.
#[derive(Clone, Copy, Debug)]
enum Mean {
    /// An argument.
    Is(usize),
    /// A function of an argument.
    Of(&'static str, usize),
    /// An argument over another.
    Ratio(usize, usize),
    /// An argument times another.
    Product(usize, usize),
    /// An argument times a function of another.
    ProductOf(usize, &'static str, usize),
    /// The first over the sum of both.
    Share(usize, usize),
    /// The mean of both.
    Middle(usize, usize),
    /// One over an argument.
    Inverse(usize),
    /// `exp(mu + sigma^2 / 2)`
    LogNormal,
    /// `n * alpha / (alpha + beta)`
    BetaBinomial,
    /// `beta / (alpha - 1)`
    InverseGamma,
    /// `sigma * tgamma(1 + 1 / alpha)`
    Weibull,
}

/// The means of families, where they exist for all arguments that matter.
const MEANS: &[(&str, Mean)] = &[
    ("normal", Mean::Is(0)),
    ("student_t", Mean::Is(1)),
    ("double_exponential", Mean::Is(0)),
    ("logistic", Mean::Is(0)),
    ("lognormal", Mean::LogNormal),
    ("exponential", Mean::Inverse(0)),
    ("gamma", Mean::Ratio(0, 1)),
    ("chi_square", Mean::Is(0)),
    ("beta", Mean::Share(0, 1)),
    ("beta_proportion", Mean::Is(0)),
    ("uniform", Mean::Middle(0, 1)),
    ("bernoulli", Mean::Is(0)),
    ("bernoulli_logit", Mean::Of("inv_logit", 0)),
    ("binomial", Mean::Product(0, 1)),
    ("binomial_logit", Mean::ProductOf(0, "inv_logit", 1)),
    ("beta_binomial", Mean::BetaBinomial),
    ("inv_gamma", Mean::InverseGamma),
    ("weibull", Mean::Weibull),
    ("multi_normal", Mean::Is(0)),
    ("multi_normal_cholesky", Mean::Is(0)),
    ("multi_normal_prec", Mean::Is(0)),
    ("multi_student_t", Mean::Is(1)),
    ("multi_student_t_cholesky", Mean::Is(1)),
    ("poisson", Mean::Is(0)),
    ("poisson_log", Mean::Of("exp", 0)),
    ("neg_binomial", Mean::Ratio(0, 1)),
    ("neg_binomial_2", Mean::Is(0)),
    ("neg_binomial_2_log", Mean::Of("exp", 0)),
];

fn mean_row(family: &str) -> Option<Mean> {
    let row = MEANS.iter().find(|(name, _)| *name == family);
    row.map(|(_, mean)| *mean)
}

/// Whether the mean of a family is known.
pub(super) fn has_mean(family: &str) -> bool {
    mean_row(family).is_some()
}

/// The mean of a family with these arguments.
pub(super) fn mean(family: &str, arguments: &[Value], span: Span) -> Option<ast::Expr> {
    let at = |place: usize| arguments.get(place).map(|value| value.expr.clone());
    let times = |left, right| build::binary(BinaryOp::Multiply, left, right, span);
    let over = |left, right| build::binary(BinaryOp::Divide, left, right, span);
    let plus = |left, right| build::binary(BinaryOp::Add, left, right, span);
    let one = |function: &str, argument| build::call(function, vec![argument], span);
    // Real numbers, so that a quotient of two integers is not rounded.
    let real = |argument| times(build::real(1.0, span), argument);
    Some(match mean_row(family)? {
        Mean::Is(place) => at(place)?,
        Mean::Of(function, place) => one(function, at(place)?),
        Mean::Ratio(first, second) => over(real(at(first)?), at(second)?),
        Mean::Product(first, second) => times(at(first)?, at(second)?),
        Mean::ProductOf(first, function, second) => times(at(first)?, one(function, at(second)?)),
        Mean::Share(first, second) => over(real(at(first)?), plus(at(first)?, at(second)?)),
        Mean::Middle(first, second) => times(build::real(0.5, span), plus(at(first)?, at(second)?)),
        Mean::Inverse(place) => over(build::real(1.0, span), at(place)?),
        Mean::LogNormal => {
            let variance = one("square", at(1)?);
            let half = times(build::real(0.5, span), variance);
            one("exp", plus(at(0)?, half))
        }
        Mean::BetaBinomial => times(at(0)?, over(real(at(1)?), plus(at(1)?, at(2)?))),
        Mean::InverseGamma => over(
            at(1)?,
            build::binary(BinaryOp::Subtract, at(0)?, build::real(1.0, span), span),
        ),
        Mean::Weibull => {
            let inverse = over(build::real(1.0, span), at(0)?);
            times(at(1)?, one("tgamma", plus(build::real(1.0, span), inverse)))
        }
    })
}
