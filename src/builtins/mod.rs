//! The functions that the compiler itself provides: one row each, read by every phase.
//!
//! Three families. [`Prim`]: functions of scalars, lifted over containers element by element. [`Container`]:
//! functions that look at whole containers (shapes, reductions, linear algebra). [`Draw`]: the few random draws
//! that the library composes its `_rng` functions from. Everything else is written in the language, in `stdlib/`.

mod container;
mod draw;
mod integrator;
mod kernel;
mod prim;

pub use container::Container;
pub use draw::Draw;
pub use integrator::Integrator;
pub use kernel::{Kernel, Scalar};
pub use prim::{Kind, Prim};
