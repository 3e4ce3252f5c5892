//! Lowering (3d): a resolved model becomes a program of the block form, and a plan of what goes in and comes out.
//!
//! Everything is written as a person would write it, since `hlm expand` shows it; every node keeps its place in the user's
//! file, so that later phases point there.

mod build;
mod context;
mod covariates;
mod declare;
mod define;
mod domain;
mod expr;
mod families;
mod form;
mod generate;
mod long;
mod mention;
mod names;
mod predict;
mod predictable;
mod prior;
mod program;
mod reduce;
mod scope;
mod statement;
mod tables;
mod usage;
mod vectorise;

pub use names::ascii;

use super::plan::{MissingValues, Plan, SetId};
use super::tree::Model;
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::syntax::ast;
use context::Lowering;

/// What a program is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To fit the model: its posterior.
    Fit {
        /// What is generated besides.
        generate: Generate,
        /// Which columns' missing values change the program.
        missing: MissingValues,
    },
    /// To look at the prior: draws from it, and the data that it predicts.
    Prior,
    /// To predict outcomes at new rows from a fit's draws (3e).
    Predict(Prediction),
}

impl Default for Purpose {
    fn default() -> Purpose {
        Purpose::Fit {
            generate: Generate::default(),
            missing: MissingValues::default(),
        }
    }
}

/// What is predicted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prediction {
    /// Index sets whose effects are left out: each is at the location of its prior, where the family has one.
    pub without: Vec<SetId>,
}

/// Generated quantities on request (3f).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generate {
    /// Replicates of observed outcomes: `y_rep`.
    pub replicates: bool,
    /// The log density of each observation: `log_lik`.
    pub log_lik: bool,
}

/// A model in block form.
#[derive(Clone, Debug, PartialEq)]
pub struct Expansion {
    /// The program.
    pub program: ast::Program,
    /// What goes in and comes out.
    pub plan: Plan,
    /// What `hlm expand` says beside declarations.
    pub notes: Vec<Note>,
}

/// A comment on a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The variable.
    pub variable: String,
    /// What to say: "scale of normal".
    pub text: String,
    /// The place that it speaks of, whose line is added.
    pub place: Option<Span>,
}

/// Lowers a resolved model to block form.
///
/// # Errors
/// What the block form cannot say.
pub fn lower(model: &Model, purpose: &Purpose) -> Result<Expansion, Vec<Diagnostic>> {
    let none = MissingValues::default();
    let missing = match purpose {
        Purpose::Fit { missing, .. } => missing,
        Purpose::Prior | Purpose::Predict(_) => &none,
    };
    let mut lowering = Lowering::new(model, missing);
    let expansion = match purpose {
        Purpose::Fit { generate, .. } => lowering.fit(*generate),
        Purpose::Prior => lowering.prior(),
        Purpose::Predict(prediction) => lowering.predict(prediction.clone()),
    };
    if lowering.diagnostics.is_empty() {
        Ok(expansion)
    } else {
        Err(lowering.diagnostics)
    }
}
