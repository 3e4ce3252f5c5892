//! Prediction: a fitted model for new rows, at known levels, at new ones drawn from their population, or at its location.
//!
//! Section 3e of the language reference. [`program`] makes a program of generated quantities from the model, [`predict`]
//! runs it for every draw of the fit, [`grid`] makes the rows of curves, and [`picture`] draws them.

pub mod grid;
mod means;
pub mod picture;
pub mod program;
mod run;
mod unread;

pub use program::{CannotPredict, PredictionProgram, prediction_program};
pub use run::{Fit, Predicted, PredictedOutcome, predict};
