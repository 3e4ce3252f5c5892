//! The equation form: a model diagram, transliterated, becomes a block-form program and a plan for its tables.
//!
//! `docs/equation-form.md` is the language reference. Nothing after this room knows that a program was written in it.

mod closure;
mod demands;
pub mod families;
mod functions;
pub mod lower;
pub mod plan;
mod resolve;
mod shapes;
mod signs;
mod supports;
mod terms;
mod text;
pub mod tree;

use crate::diag::{self, Diagnostic};
use crate::syntax::equation::EquationProgram;
use tree::Model;

/// A model without errors, every name, letter, shape and support decided.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The model.
    pub model: Model,
    /// What its author should look at, in reading order.
    pub warnings: Vec<Diagnostic>,
}

/// Resolves a program in equation form: names, indices, closure, shapes, supports, signs.
///
/// # Errors
/// Every fault found (and the warnings), in reading order.
pub fn resolve(program: &EquationProgram) -> Result<Resolved, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let model = resolved(program, &mut diagnostics);
    diag::sort(&mut diagnostics);
    // `a, b ~ d(…)` is two statements, which have their faults in common.
    diagnostics.dedup();
    match model {
        Some(model) if !diag::any_error(&diagnostics) => Ok(Resolved {
            model,
            warnings: diagnostics,
        }),
        _ => Err(diagnostics),
    }
}

/// The phases in order; each needs the one before without errors.
fn resolved(program: &EquationProgram, diagnostics: &mut Vec<Diagnostic>) -> Option<Model> {
    let resolve::Resolution {
        mut model,
        closed,
        declared_free,
    } = resolve::resolve(program, diagnostics)?;
    if !shapes::find_shapes(&mut model, &closed, diagnostics) {
        return None;
    }
    // Signs of a model that lacks its data or priors say nothing.
    let is_whole = !diag::any_error(diagnostics);
    supports::find_supports(&mut model, diagnostics);
    if is_whole {
        signs::check_signs(&model, &declared_free, diagnostics);
    }
    Some(model)
}
