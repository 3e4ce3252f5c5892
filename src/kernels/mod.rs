//! Numeric kernels on plain `f64`: special functions, random variates, linear algebra with adjoints, ODE solvers.
//!
//! Nothing here knows of the language, its types or its compiler: the interpreter and the JIT call the same
//! functions, so that they agree bit for bit. This is also the one room in which the transcendental methods of
//! [`f64`] are called; everything else goes through [`special`].

pub mod linalg;
pub mod ode;
pub mod random;
pub mod simd;
pub mod special;
