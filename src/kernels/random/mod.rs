//! Random variates from any generator of the `rand` crate, and the generator that every chain of a run gets.
//!
//! The algorithms are our own down to the uniform, so that no update of a dependency can change a draw. Each is exact up
//! to rounding: no variate is cut off or approximated by a limiting distribution except where stated. Arguments are not
//! checked here: each function states its precondition, and outside of it the result is unspecified (but the call ends).

mod chain;
mod continuous;
mod discrete;
mod multivariate;
#[cfg(test)]
mod tests;

pub use chain::ChainRng;
pub use continuous::{
    beta, cauchy, chi_square, double_exponential, exp_mod_normal, exponential, frechet, gamma,
    gumbel, inv_chi_square, inv_gamma, logistic, loglogistic, lognormal, normal, pareto,
    pareto_type_2, rayleigh, scaled_inv_chi_square, skew_normal, std_exponential, std_gamma,
    std_log_gamma, std_normal, std_uniform, student_t, uniform, von_mises, weibull,
};
pub use discrete::{
    bernoulli, bernoulli_logit, beta_binomial, binomial, categorical, categorical_logit,
    discrete_range, hypergeometric, multinomial, neg_binomial, neg_binomial_2, neg_binomial_2_log,
    ordered_logistic, poisson, poisson_log,
};
pub use multivariate::{
    dirichlet, inv_wishart_cholesky, lkj_corr_cholesky, multi_normal_cholesky,
    multi_student_t_cholesky, wishart_cholesky,
};
