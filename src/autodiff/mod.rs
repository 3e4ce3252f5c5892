//! Reverse-mode differentiation as a transformation of the loop IR.
//!
//! [`differentiate`] turns a procedure that computes a log density into one that computes it and its gradient. The
//! forward code is kept; the reverse code follows it, statement by statement backwards (Griewank and Walther,
//! *Evaluating Derivatives*, 2008, chapter 4). What is ours is how loops are treated (see [`plan`]):
//!
//! * *fused*: a loop that only adds to the target has adjoint 1 before it starts. Forward and reverse sweeps run
//!   together, once, in one pass, and nothing is stored.
//! * *recomputed*: a cheap loop whose inputs are still there runs forward once and again, element by element, in reverse.
//! * *taped*: anything else keeps the values that its reverse needs, in buffers of known size where the trip counts are
//!   known, else on a growing tape.
//!
//! Values of straight-line code are never stored: the reverse code is in the same scope and uses them as they are.

mod analysis;
mod plan;
mod reverse;
mod rules;
mod system;
mod tree;

pub use reverse::differentiate;
