//! The commands that run once and end.

mod check;
mod expand;
mod log_density;
mod sample;
mod summary;
mod table;

pub use check::check;
pub use expand::expand;
pub use log_density::log_density;
pub use sample::sample;
pub use summary::summary;
