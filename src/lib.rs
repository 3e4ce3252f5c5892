//! hlm: an embedded probabilistic programming language for hierarchical models.

pub mod diag;
pub mod mcmc;
pub mod source;
pub mod syntax;
