//! hlm: an embedded probabilistic programming language for hierarchical models.

pub mod autodiff;
pub mod bind;
pub mod builtins;
pub mod check;
pub mod diag;
pub mod equation;
pub mod interp;
pub mod io;
pub mod ir;
pub mod jit;
pub mod kernels;
pub mod loops;
pub mod lower;
pub mod mcmc;
pub mod model;
pub mod passes;
pub mod plot;
pub mod pooling;
pub mod run;
pub mod session;
pub mod source;
pub mod stdlib;
pub mod summary;
pub mod syntax;
pub mod tables;
pub mod types;
