//! Complete, no and partial pooling side by side: the two extremes derived from the one model, and what lies between.

mod comparison;
pub mod effect;
mod mentions;
mod picture;
pub mod rewrite;

pub use comparison::{Coefficient, Comparison, Estimate, Group, GroupDraws};
