//! The interpreter: evaluates the typed IR literally, one scalar after another.
//!
//! It runs transformed data, sizes and the REPL's expressions, and it is the oracle of the compiled path: clarity
//! comes before speed, but variables are borrowed and never copied to be read.

mod containers;
mod evaluate;
mod failure;
mod frame;
mod index;
mod interpreter;
mod known;
mod lift;
mod ode;
mod select;
mod statement;
#[cfg(test)]
mod tests;
mod text;
mod validate;
mod value;

pub use failure::{Eval, Failure};
pub use interpreter::{Effects, Generated, Interpreter, Named, Values};
pub use select::{Pick, Selection};
pub use text::{describe_dims, describe_shape, display_value};
pub use validate::Violation;
pub use value::{Container, Scalars, UNSET_INT, Value};
