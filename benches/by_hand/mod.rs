//! Gradients written by hand, for this one model each: the limit that compiled code is measured against.
//!
//! Each takes the best instruction set of the machine: AVX-512 written out with intrinsics, else what the compiler makes of
//! the scalar code. Sums of logarithms are logarithms of products, as in the library's own kernels.

mod garch;
mod line;
mod logistic;
mod robust;
mod schools;
#[cfg(target_arch = "x86_64")]
mod wide;

pub use garch::{DAYS, Garch};
pub use line::earn_height;
pub use logistic::Logistic;
pub use robust::{COLUMNS, Robust};
pub use schools::Schools;
