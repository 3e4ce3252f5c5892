//! `hlm expand`: the block-form program that a model in equation form stands for.

use std::process::ExitCode;

use crate::args::{ExpandArgs, Generated};
use crate::fault::Fault;
use crate::files::read_model;
use crate::screen;
use hlm::check::CheckOptions;
use hlm::equation::lower::{Generate, Purpose};
use hlm::equation::plan::MissingValues;
use hlm::session;

/// Runs the command.
///
/// # Errors
/// Everything that is wrong with the program.
pub fn expand(args: &ExpandArgs) -> Result<ExitCode, Fault> {
    let model = read_model(&args.model, &CheckOptions::default())?;
    screen::diagnostics(&model.program().sources, model.warnings());
    let purpose = match args.prior {
        true => Purpose::Prior,
        false => Purpose::Fit {
            generate: generate(&args.generate),
            missing: MissingValues::default(),
        },
    };
    let model = model.for_purpose(&purpose)?;
    screen::print(&session::expand(model.program()))?;
    Ok(ExitCode::SUCCESS)
}

/// What was asked for, as lowering takes it.
pub fn generate(asked: &[Generated]) -> Generate {
    Generate {
        replicates: asked.contains(&Generated::Rep),
        log_lik: asked.contains(&Generated::LogLik),
    }
}
