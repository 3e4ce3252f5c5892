//! Complete, no and partial pooling side by side: the two extremes derived from the one model, and what lies between.

mod comparison;
mod counts;
pub mod effect;
mod fit;
mod mentions;
mod picture;
pub mod rewrite;

pub use comparison::{Coefficient, Comparison, Estimate, Group, GroupDraws};
pub use fit::{Derived, Fits, Models, compare, derive, equations_of};
