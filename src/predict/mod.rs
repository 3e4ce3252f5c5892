//! Prediction: a fitted model for new rows, at known levels, at new ones drawn from their population, or at its location.
//!
//! Section 3e of the language reference. `equation::lower` makes the program, whose parameters are the draws of the fit;
//! [`predict`] fills and runs it, [`grid`] makes the rows of curves, and [`picture`] draws them.

mod draft;
pub mod grid;
pub mod picture;
mod run;

pub use run::{CannotPredict, Fit, Predicted, PredictedOutcome, predict, program};
