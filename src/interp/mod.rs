//! The interpreter: evaluates the typed IR literally, one scalar after another.

mod select;
mod value;

pub use select::{Pick, Selection};
pub use value::{Container, Scalars, UNSET_INT, Value};
