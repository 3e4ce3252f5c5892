//! Machine code for procedures, through Cranelift: the only room with `unsafe` (beside SIMD dispatch in the kernels).
//!
//! [`Compiled`] owns code and constants and frees them when dropped; [`Workspace`] is what one thread needs to run
//! it. Buffer indices are not checked at run time: that they are in range is an invariant of the loop IR, which
//! `lower` proves or checks. [`CompileOptions::check_bounds`] checks each access all the same, and is on in debug
//! builds.
#![allow(unsafe_code)]

mod access;
mod blocks;
mod compile;
mod compiled;
mod group;
mod host;
mod lanes;
mod layout;
mod operation;
mod parallel;
mod partition;
mod parts;
mod prim;
mod runtime;
mod scatter;
mod segment;
mod symbols;
mod system;
#[cfg(test)]
mod tests;
mod vector;
mod wide;

pub use compiled::{CompileError, CompileOptions, Compiled, Workspace, code_text};
pub use parts::{Threads, ThreadsError};
