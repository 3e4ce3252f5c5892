//! `hlm check`: what is wrong with a program (and its data), and what the compiler makes of it.

use std::process::ExitCode;

use crate::args::{CheckArgs, Stage};
use crate::fault::Fault;
use crate::files::{DataSource, read_bytes};
use crate::screen;
use hlm::check::CheckOptions;
use hlm::jit::code_text;
use hlm::model::{BindOptions, Model, Posterior, include_from_folder};
use hlm::session::Failure;
use hlm::source::SourceMap;
use hlm::syntax;

/// Runs the command.
///
/// # Errors
/// Everything that is wrong with the program or the data.
pub fn check(args: &CheckArgs) -> Result<ExitCode, Fault> {
    // Early stages print even where later ones fail.
    for stage in &args.emit {
        match stage {
            Stage::Tokens => screen::print(&tokens(args)?)?,
            Stage::Ast => screen::print(&syntax_tree(args)?)?,
            _ => {}
        }
    }
    let data = DataSource::read(&args.data)?;
    let model = data.read_model(&args.model, &CheckOptions::default())?;
    screen::diagnostics(&model.program().sources, model.warnings());
    if args.emit.contains(&Stage::Ir) {
        screen::print(&model.program().typed.to_string())?;
    }
    let is_compiled = |stage: &Stage| matches!(stage, Stage::Density | Stage::Grad | Stage::Clif);
    let needs_code = args.emit.iter().any(is_compiled);
    if !data.is_empty() || needs_code {
        let posterior = data.bind(&model, &BindOptions::default())?;
        for stage in args.emit.iter().filter(|stage| is_compiled(stage)) {
            screen::print(&compiled_stage(*stage, &posterior)?)?;
        }
    }
    if args.emit.is_empty() {
        screen::note(&verdict(args, &data, &model));
    }
    Ok(ExitCode::SUCCESS)
}

fn verdict(args: &CheckArgs, data: &DataSource, model: &Model) -> String {
    let shown = args.model.display();
    let data = match data.is_empty() {
        false => format!(", and {} fits it", data.names()),
        true => String::new(),
    };
    match model.warnings().len() {
        0 => format!("{shown} is fine{data}"),
        1 => format!("{shown} can run, with one warning{data}"),
        count => format!("{shown} can run, with {count} warnings{data}"),
    }
}

/// The program's text as a source of its own, for the stages before the checker.
fn source(args: &CheckArgs) -> Result<(SourceMap, hlm::source::SourceId), Fault> {
    let bytes = read_bytes(&args.model, "program")?;
    let mut sources = SourceMap::new();
    let name = args.model.display().to_string();
    let source = sources.add(name, String::from_utf8_lossy(&bytes));
    Ok((sources, source))
}

fn tokens(args: &CheckArgs) -> Result<String, Fault> {
    let (sources, source) = source(args)?;
    Ok(syntax::list_tokens(&sources, source))
}

fn syntax_tree(args: &CheckArgs) -> Result<String, Fault> {
    let (mut sources, source) = source(args)?;
    match syntax::parse(&mut sources, source, &mut include_from_folder) {
        Ok(tree) => Ok(format!("{tree:#?}\n")),
        Err(diagnostics) => Err(Fault::Findings(Failure {
            sources,
            diagnostics,
        })),
    }
}

fn compiled_stage(stage: Stage, posterior: &Posterior) -> Result<String, Fault> {
    let gradient = posterior.gradient_procedure();
    match stage {
        Stage::Density => Ok(posterior.density_procedure().to_string()),
        Stage::Clif => code_text(gradient, &BindOptions::default().compile.code)
            .map_err(|error| Fault::new(error.to_string())),
        _ => Ok(gradient.to_string()),
    }
}
