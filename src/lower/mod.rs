//! Specialises a checked program on its data: typed IR and bound values in, loop IR out.
//!
//! This is partial evaluation (Jones, Gomard and Sestoft, *Partial Evaluation and Automatic Program Generation*, 1993).
//! Whatever depends on data alone is computed now, by the interpreter; what is left becomes scalars, loops and
//! buffers. Functions are inlined. A container expression is not computed but *described* (see [`view`]) and pulled element by element
//! by whoever consumes it, so that `y ~ normal(alpha + x * beta, sigma)` becomes the one loop that a person would write.
//! A loop is kept as a loop unless its body needs to know the loop's variable (a size depends on it): then it becomes a loop
//! per class of rounds (see [`classes`]) or is unrolled.

mod arithmetic;
mod assign;
mod call;
mod classes;
mod container;
mod environment;
mod expression;
mod index;
mod linear;
mod ode;
mod outcome;
mod procedure;
mod statement;
mod target;
mod validate;
mod view;

pub use outcome::LowerError;
pub use procedure::{Density, Outputs, density, draw};
