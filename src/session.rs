//! The pipeline, top to bottom: text → syntax tree → typed IR → data → loop IR → gradient → machine code.

use crate::autodiff;
use crate::bind::{self, Bound, DataFile};
use crate::check::{self, CheckOptions, Library};
use crate::diag::{self, Diagnostic};
use crate::equation::lower::{Expansion, Note, Purpose};
use crate::equation::plan::Plan;
use crate::equation::{self, tree};
use crate::interp::{Effects, Value};
use crate::ir;
use crate::jit::{CompileOptions, Compiled};
use crate::kernels::random::ChainRng;
use crate::loops::Procedure;
use crate::lower;
use crate::passes::{self, Switches};
use crate::source::{SourceId, SourceMap};
use crate::stdlib;
use crate::syntax::{self, Form, ast};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The purpose of transformed data's random numbers, apart from those of the draws.
const TRANSFORMED_DATA: u32 = 1;

/// What a phase found wrong, with the texts that it points into.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The texts.
    pub sources: SourceMap,
    /// What is wrong, in reading order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// As people read it: each finding with the lines that it speaks of.
    pub fn render(&self, colour: bool) -> String {
        diag::render(&self.sources, &self.diagnostics, colour)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Failure {}

/// The library, parsed once per process, and the texts that it was parsed from.
///
/// # Errors
/// The library's own syntax errors: a bug, which the tests would have found.
pub fn library() -> Result<&'static (SourceMap, Library), Failure> {
    static LIBRARY: OnceLock<Result<(SourceMap, Library), Failure>> = OnceLock::new();
    let parsed = LIBRARY.get_or_init(|| {
        let mut sources = SourceMap::new();
        match Library::parse(&mut sources, stdlib::files()) {
            Ok(library) => Ok((sources, library)),
            Err(diagnostics) => Err(Failure {
                sources,
                diagnostics,
            }),
        }
    });
    parsed.as_ref().map_err(Clone::clone)
}

/// A program that was read and checked.
#[derive(Clone, Debug)]
pub struct Program {
    /// The library's texts, the program's, and those that it includes.
    pub sources: SourceMap,
    /// The program's own text.
    pub source: SourceId,
    /// As written; of a program in equation form, the block form that it stands for.
    pub syntax: ast::Program,
    /// As understood.
    pub typed: ir::Program,
    /// What its author should look at.
    pub warnings: Vec<Diagnostic>,
    /// What a program in equation form says beyond its block form.
    pub equations: Option<Equations>,
}

/// A program in equation form, beyond the block form that it stands for.
#[derive(Clone, Debug)]
pub struct Equations {
    /// The resolved model: names, shapes, supports.
    pub model: Arc<tree::Model>,
    /// What the block form was made for.
    pub purpose: Purpose,
    /// What goes into the block form's data and comes out of its draws.
    pub plan: Arc<Plan>,
    /// What `hlm expand` says beside declarations.
    pub notes: Vec<Note>,
}

/// Reads and checks a program. `name` is what messages call the text; `include` finds the files that it includes.
///
/// # Errors
/// Every syntax error; if there is none, everything else that is wrong with it.
pub fn read(
    name: &str,
    text: &str,
    include: &mut dyn syntax::ResolveInclude,
    options: &CheckOptions,
) -> Result<Program, Failure> {
    let (sources, library) = library()?;
    let mut sources = sources.clone();
    let source = sources.add(name, text);
    let fail = |sources: &SourceMap, diagnostics| Failure {
        sources: sources.clone(),
        diagnostics,
    };
    let form = syntax::parse_form(&mut sources, source, include);
    match form.map_err(|diagnostics| fail(&sources, diagnostics))? {
        Form::Block(syntax) => {
            let checked = check::check(&syntax, library, options);
            let checked = checked.map_err(|diagnostics| fail(&sources, diagnostics))?;
            Ok(Program {
                sources,
                source,
                syntax,
                typed: checked.program,
                warnings: checked.warnings,
                equations: None,
            })
        }
        Form::Equation(equations) => {
            let resolved = equation::resolve(&equations);
            let resolved = resolved.map_err(|diagnostics| fail(&sources, diagnostics))?;
            let model = Arc::new(resolved.model);
            lowered(
                sources,
                source,
                model,
                &Purpose::default(),
                options,
                resolved.warnings,
            )
        }
    }
}

/// A program in equation form, lowered for another purpose than it was read for; a program in block form as it is.
///
/// # Errors
/// What the block form cannot say.
pub fn lowered_for(
    program: &Program,
    purpose: &Purpose,
    options: &CheckOptions,
) -> Result<Program, Failure> {
    match &program.equations {
        None => Ok(program.clone()),
        Some(equations) if equations.purpose == *purpose => Ok(program.clone()),
        Some(equations) => lowered(
            program.sources.clone(),
            program.source,
            equations.model.clone(),
            purpose,
            options,
            program.warnings.clone(),
        ),
    }
}

/// Lowers a resolved model and checks what comes of it.
fn lowered(
    sources: SourceMap,
    source: SourceId,
    model: Arc<tree::Model>,
    purpose: &Purpose,
    options: &CheckOptions,
    warnings: Vec<Diagnostic>,
) -> Result<Program, Failure> {
    let (_, library) = library()?;
    let checked = equation::lower::lower(&model, purpose).and_then(|expansion| {
        let checked = check::check(&expansion.program, library, options)?;
        Ok((expansion, checked))
    });
    match checked {
        Ok((expansion, checked)) => {
            let Expansion {
                program,
                plan,
                notes,
            } = expansion;
            Ok(Program {
                sources,
                source,
                syntax: program,
                typed: checked.program,
                // What the checker warns of is how lowering writes it, which is none of the author's concern.
                warnings,
                equations: Some(Equations {
                    model,
                    purpose: purpose.clone(),
                    plan: Arc::new(plan),
                    notes,
                }),
            })
        }
        Err(diagnostics) => Err(Failure {
            sources,
            diagnostics,
        }),
    }
}

/// The block form of a program in equation form, as a person would write it; a program in block form as it was written,
/// apart from its spacing and comments.
pub fn expand(program: &Program) -> String {
    let Some(equations) = &program.equations else {
        return syntax::format_program(&program.syntax);
    };
    let note = |variable: &str| {
        let mut notes = equations.notes.iter();
        let note = notes.find(|note| note.variable == variable)?;
        Some(match note.place {
            Some(place) => {
                let line = program.sources.line_column(place.source, place.start).line;
                format!("{}, line {line}", note.text)
            }
            None => note.text.clone(),
        })
    };
    syntax::format_program_with_notes(&program.syntax, &note)
}

/// Fills a program's data from a file and runs its transformed data. The seed is for `_rng` functions there.
///
/// # Errors
/// Everything that is wrong with the data.
pub fn bind(program: &Program, file: &DataFile<'_>, seed: u64) -> Result<Bound, Failure> {
    let mut rng = ChainRng::new(seed, 0, TRANSFORMED_DATA);
    let mut print = |line: &str| println!("{line}");
    let effects = Effects {
        rng: Some(&mut rng),
        print: Some(&mut print),
    };
    bind::bind(&program.typed, file, effects).map_err(|diagnostics| Failure {
        sources: program.sources.clone(),
        diagnostics,
    })
}

/// How a program is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which passes run.
    pub passes: Switches,
    /// How machine code is made.
    pub code: CompileOptions,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            passes: Switches::ALL,
            code: CompileOptions::default(),
        }
    }
}

/// The log density as loop IR.
///
/// # Errors
/// What cannot be compiled.
pub fn density(
    program: &ir::Program,
    data: &[Option<Value>],
    jacobian: bool,
    passes: Switches,
) -> Result<Procedure, Vec<Diagnostic>> {
    let mut procedure = lower::density(program, data, lower::Density { jacobian })
        .map_err(|error| vec![error.into_diagnostic()])?;
    passes::improve_density(&mut procedure, passes);
    Ok(procedure)
}

/// A log density and its gradient as loop IR.
pub fn gradient(density: &Procedure, passes: Switches) -> Procedure {
    let mut gradient = autodiff::differentiate(density);
    passes::improve_gradient(&mut gradient, passes);
    gradient
}

/// A draw's values as loop IR.
///
/// # Errors
/// What cannot be compiled.
pub fn draw(
    program: &ir::Program,
    data: &[Option<Value>],
    outputs: lower::Outputs,
    passes: Switches,
) -> Result<Procedure, Vec<Diagnostic>> {
    let mut procedure =
        lower::draw(program, data, outputs).map_err(|error| vec![error.into_diagnostic()])?;
    passes::improve(&mut procedure, passes);
    Ok(procedure)
}

/// Machine code of a procedure.
///
/// # Errors
/// Memory beyond what code can address, an unsupported machine, or a bug of the compiler.
pub fn compile(
    procedure: &Procedure,
    options: &CompileOptions,
) -> Result<Compiled, Vec<Diagnostic>> {
    Compiled::compile(procedure, options).map_err(|error| {
        vec![Diagnostic::error(
            diag::Code::NotCompiled,
            format!("the model could not be compiled: {error}"),
            crate::source::Span::default(),
            "",
        )]
    })
}
