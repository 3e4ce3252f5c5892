//! What users of the crate hold: a checked [`Model`], and, once it has data, a compiled [`Posterior`].

use crate::bind::{Bound, DataFile};
use crate::check::CheckOptions;
use crate::diag::{Code, Diagnostic};
use crate::equation::lower::Purpose;
use crate::equation::plan::MissingValues;
use crate::interp::{Container, Value};
use crate::io::data_json::{self, Data};
use crate::ir::VarId;
use crate::jit::{Compiled, Workspace};
pub use crate::jit::{Threads, ThreadsError};
use crate::kernels::random::ChainRng;
use crate::loops::{Evaluator, MessageKind, Procedure, Stop};
use crate::lower::Outputs;
use crate::mcmc::{DensityError, LogDensity};
use crate::session::{self, Failure, Options, Program};
use crate::source::{SourceId, SourceMap, Span};
use crate::summary::Labelling;
use crate::syntax::Included;
use crate::tables::{self, FittedSet, Sources, Tabled};
use crate::types::Ty;
use std::path::Path;
use std::sync::Arc;

mod filled;

pub use filled::Filled;

/// A checked program, waiting for data.
#[derive(Clone, Debug)]
pub struct Model {
    name: String,
    options: CheckOptions,
    program: Arc<Program>,
}

impl Model {
    /// Reads and checks a program given as text. `name` is what messages call it.
    ///
    /// # Errors
    /// Everything that is wrong with the program.
    pub fn from_text(name: &str, text: &str) -> Result<Model, Failure> {
        Model::with_options(name, text, &CheckOptions::default())
    }

    /// [`Model::from_text`] with a say in what `~` means.
    ///
    /// # Errors
    /// Everything that is wrong with the program.
    pub fn with_options(name: &str, text: &str, options: &CheckOptions) -> Result<Model, Failure> {
        let mut include = include_from_folder;
        let program = session::read(name, text, &mut include, options)?;
        let stem = Path::new(name)
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        Ok(Model {
            name: stem.unwrap_or_else(|| "model".to_string()),
            options: *options,
            program: Arc::new(program),
        })
    }

    /// The program's name: that of its file without folder and extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same model made for another purpose than a fit without more, if it is in equation form.
    ///
    /// # Errors
    /// What the block form cannot say.
    pub fn for_purpose(&self, purpose: &Purpose) -> Result<Model, Failure> {
        let program = session::lowered_for(&self.program, purpose, &self.options)?;
        let name = match purpose {
            Purpose::Prior if program.equations.is_some() => format!("{}-prior", self.name),
            _ => self.name.clone(),
        };
        Ok(Model {
            name,
            options: self.options,
            program: Arc::new(program),
        })
    }

    /// The program as the phases left it.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What the program's author should look at.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.program.warnings
    }

    /// Binds data given as Stan JSON and compiles. `name` is what messages call the data.
    ///
    /// # Errors
    /// Everything that is wrong with the data, or what cannot be compiled.
    pub fn bind_json(
        &self,
        name: &str,
        json: &[u8],
        options: &BindOptions,
    ) -> Result<Posterior, Failure> {
        let data = read_data(name, json)?;
        self.bind(
            &DataFile {
                name,
                text: json,
                data: &data,
            },
            options,
        )
    }

    /// Binds data made in memory and compiles.
    ///
    /// # Errors
    /// As of [`Model::bind_json`].
    pub fn bind_data(&self, data: &Data, options: &BindOptions) -> Result<Posterior, Failure> {
        self.bind(
            &DataFile {
                name: "data",
                text: &[],
                data,
            },
            options,
        )
    }

    /// Binds data that were read from a file and compiles.
    ///
    /// # Errors
    /// As of [`Model::bind_json`].
    pub fn bind(&self, file: &DataFile<'_>, options: &BindOptions) -> Result<Posterior, Failure> {
        self.fill(file, options)?.compile(options)
    }

    /// Turns tables and named values into what the data block holds, of a model in equation form. The model that is
    /// returned is this one, or, where missing values change the program, the one that they make of it.
    ///
    /// # Errors
    /// Everything that is wrong with the data.
    pub fn tabulate(
        &self,
        sources: &Sources,
        options: &tables::Options,
    ) -> Result<(Model, Tabled), Failure> {
        let fail = |diagnostics| Failure {
            sources: sources.texts.clone(),
            diagnostics,
        };
        let Some(equations) = &self.program.equations else {
            return Err(fail(vec![Diagnostic::error(
                Code::DataFile,
                "a program in block form takes its data as JSON",
                Span::default(),
                "",
            )]));
        };
        let missing = tables::missing_values(&equations.plan, sources, options).map_err(fail)?;
        let model = match (&equations.purpose, missing == MissingValues::default()) {
            (Purpose::Fit { generate, .. }, false) => self.for_purpose(&Purpose::Fit {
                generate: *generate,
                missing,
            })?,
            _ => self.clone(),
        };
        let plan = match &model.program.equations {
            Some(equations) => equations.plan.clone(),
            None => equations.plan.clone(),
        };
        let tabled = tables::bind(&plan, sources, options).map_err(fail)?;
        Ok((model, tabled))
    }

    /// [`Model::fill`] with data that [`Model::tabulate`] made for this model.
    ///
    /// # Errors
    /// Everything that is wrong with the data.
    pub fn fill_tabled(&self, tabled: &Tabled, options: &BindOptions) -> Result<Bound, Failure> {
        let file = DataFile {
            name: "data",
            text: &[],
            data: &tabled.data,
        };
        session::bind(&self.program, &file, options.seed)
    }

    /// Compiles for data that [`Model::fill_tabled`] accepted.
    ///
    /// # Errors
    /// What cannot be compiled.
    pub fn compile(&self, bound: Bound, options: &BindOptions) -> Result<Posterior, Failure> {
        Posterior::new(self, bound, options)
    }
}

/// Reads a data file given as Stan JSON. `name` is what messages call it.
///
/// # Errors
/// Where the file is not JSON of the form that Stan reads.
pub fn read_data(name: &str, json: &[u8]) -> Result<Data, Failure> {
    data_json::parse_data_json(json).map_err(|error| {
        let mut sources = SourceMap::new();
        let source = sources.add(name, String::from_utf8_lossy(json));
        Failure {
            sources,
            diagnostics: vec![data_file_diagnostic(&error, source)],
        }
    })
}

/// Finds an included file in the folder of the file that includes it.
///
/// # Errors
/// Why it cannot be read.
pub fn include_from_folder(path: &str, from: &str) -> Result<Included, String> {
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let place = folder.join(path);
    match std::fs::read_to_string(&place) {
        Ok(text) => Ok(Included {
            name: place.to_string_lossy().into_owned(),
            text,
        }),
        Err(error) => Err(format!("{} could not be read: {error}", place.display())),
    }
}

fn data_file_diagnostic(error: &data_json::DataError, source: SourceId) -> Diagnostic {
    let span = Span::new(source, error.span.start as u32, error.span.end as u32);
    Diagnostic::error(Code::DataFile, error.problem.to_string(), span, "")
}

/// What binding and compiling may be told.
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    /// Of `_rng` functions in transformed data.
    pub seed: u64,
    /// Whether the log density includes the log Jacobians of the constraining transforms.
    pub jacobian: bool,
    /// Passes and code.
    pub compile: Options,
}

impl Default for BindOptions {
    fn default() -> BindOptions {
        BindOptions {
            seed: 0,
            jacobian: true,
            compile: Options::default(),
        }
    }
}

/// A column of a draw: a scalar of a parameter, transformed parameter or generated quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As CmdStan spells it: `theta.1.2`.
    pub name: String,
    /// Whether its values are integers.
    pub is_int: bool,
}

/// A model with its data, compiled.
#[derive(Debug)]
pub struct Posterior {
    model: Model,
    values: Vec<Option<Value>>,
    unused: Vec<String>,
    dimension: usize,
    density: Procedure,
    gradient: Procedure,
    compiled: Arc<Compiled>,
    draws: DrawProgram,
    transformed: DrawProgram,
    /// The sets of the plan, of a program in equation form.
    sets: Vec<FittedSet>,
    labelling: Arc<Labelling>,
}

/// How to get a draw's values from a position.
#[derive(Clone, Debug)]
struct DrawProgram {
    compiled: Arc<Compiled>,
    columns: Arc<Vec<Column>>,
    /// Where in the procedure's output each column's value is.
    order: Arc<Vec<usize>>,
}

impl Posterior {
    fn new(model: &Model, bound: Bound, options: &BindOptions) -> Result<Posterior, Failure> {
        let program = &model.program;
        let fail = |diagnostics| Failure {
            sources: program.sources.clone(),
            diagnostics,
        };
        let switches = options.compile.passes;
        let density = session::density(&program.typed, &bound.values, options.jacobian, switches)
            .map_err(fail)?;
        let gradient = session::gradient(&density, switches);
        let compiled = session::compile(&gradient, &options.compile.code).map_err(fail)?;
        let dimension = density
            .buffers
            .iter()
            .find(|buffer| matches!(buffer.role, crate::loops::Role::Input(0)))
            .map_or(0, |buffer| buffer.len);
        let transformed = draw_program(
            program,
            &bound.values,
            Outputs::Transformed,
            &options.compile,
        )
        .map_err(fail)?;
        let draws = if program.typed.generate.is_empty() {
            transformed.clone()
        } else {
            draw_program(program, &bound.values, Outputs::Generated, &options.compile)
                .map_err(fail)?
        };
        Ok(Posterior {
            model: model.clone(),
            values: bound.values,
            unused: bound.unused,
            dimension,
            density,
            gradient,
            compiled: Arc::new(compiled),
            draws,
            transformed,
            sets: Vec::new(),
            labelling: Arc::default(),
        })
    }

    /// The index sets, in the order of the plan; none of a program in block form.
    pub fn sets(&self) -> &[FittedSet] {
        &self.sets
    }

    /// The labels of the dimensions of what draws hold.
    pub fn labelling(&self) -> &Arc<Labelling> {
        &self.labelling
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The values of data and transformed data, one place per variable of the typed program.
    pub fn values(&self) -> &[Option<Value>] {
        &self.values
    }

    /// Names in the data that the program does not declare.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    /// The number of unconstrained parameters.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The columns of a draw: parameters, transformed parameters, generated quantities, in CmdStan's order.
    pub fn columns(&self) -> &[Column] {
        &self.draws.columns
    }

    /// The columns of parameters and transformed parameters alone.
    pub fn transformed_columns(&self) -> &[Column] {
        &self.transformed.columns
    }

    /// The log density as loop IR.
    pub fn density_procedure(&self) -> &Procedure {
        &self.density
    }

    /// The log density and its gradient as loop IR.
    pub fn gradient_procedure(&self) -> &Procedure {
        &self.gradient
    }

    /// The compiled log density and gradient, with scratch memory of its own: one per thread.
    pub fn density(&self) -> CompiledDensity {
        self.density_on(None)
    }

    /// The same, with long loops on several threads. Values do not depend on how many there are.
    pub fn density_on(&self, threads: Option<&Threads>) -> CompiledDensity {
        CompiledDensity {
            workspace: self.compiled.workspace(threads),
            compiled: self.compiled.clone(),
            dimension: self.dimension,
        }
    }

    /// The same by the slow, literal evaluator of the loop IR: the compiled one's twin.
    pub fn literal_density(&self) -> LiteralDensity<'_> {
        LiteralDensity {
            evaluator: Evaluator::new(&self.gradient),
            dimension: self.dimension,
        }
    }

    /// Computes the values of draws, with scratch memory of its own: one per thread.
    pub fn drawer(&self) -> Drawer {
        self.draws.drawer()
    }

    /// Computes parameters and transformed parameters alone.
    pub fn transformer(&self) -> Drawer {
        self.transformed.drawer()
    }

    /// The position of parameter values given by column name, transformed parameters and the like ignored.
    ///
    /// # Errors
    /// A missing column, or a value outside its constraint, in words.
    pub fn unconstrain(&self, value_of: &dyn Fn(&str) -> Option<f64>) -> Result<Vec<f64>, String> {
        let values = self.with_parameters(value_of)?;
        crate::interp::Interpreter::new(&self.model.program.typed)
            .unconstrain(&values)
            .map_err(|failure| failure.message().to_string())
    }

    /// Data and parameters' values, the latter by column name.
    fn with_parameters(
        &self,
        value_of: &dyn Fn(&str) -> Option<f64>,
    ) -> Result<Vec<Option<Value>>, String> {
        let typed = &self.model.program.typed;
        let interpreter = crate::interp::Interpreter::new(typed);
        let mut values = self.values.clone();
        for parameter in &typed.parameters {
            let variable = typed.variable(parameter.variable);
            let dims = interpreter
                .declared_dims(parameter.variable, &self.values)
                .map_err(|failure| failure.message().to_string())?;
            let template = Value::uninitialised(&variable.sized.ty, &dims);
            let names = template.output_names(&variable.name);
            let mut numbers = Vec::with_capacity(names.len());
            for name in &names {
                numbers
                    .push(value_of(name).ok_or_else(|| format!("there is no value for `{name}`"))?);
            }
            let value = match &template {
                Value::Container(container) => {
                    let mut scalars = vec![0.0; numbers.len()];
                    for (position, place) in container.output_order().enumerate() {
                        scalars[place] = numbers[position];
                    }
                    Value::Container(Container::reals(variable.sized.ty.clone(), dims, scalars))
                }
                _ => Value::Real(numbers[0]),
            };
            values[parameter.variable.0 as usize] = Some(value);
        }
        Ok(values)
    }
}

fn draw_program(
    program: &Program,
    values: &[Option<Value>],
    outputs: Outputs,
    options: &Options,
) -> Result<DrawProgram, Vec<Diagnostic>> {
    let procedure = session::draw(&program.typed, values, outputs, options.passes)?;
    let compiled = session::compile(&procedure, &options.code)?;
    let (columns, order) = columns(program, values, outputs);
    Ok(DrawProgram {
        compiled: Arc::new(compiled),
        columns: Arc::new(columns),
        order: Arc::new(order),
    })
}

/// The columns of a draw in CmdStan's order (column-major over all dimensions), and where the procedure puts each.
fn columns(
    program: &Program,
    values: &[Option<Value>],
    outputs: Outputs,
) -> (Vec<Column>, Vec<usize>) {
    let typed = &program.typed;
    let generated: &[VarId] = match outputs {
        Outputs::Transformed => &[],
        Outputs::Generated => &typed.generated_quantities,
    };
    let variables = (typed.parameters.iter().map(|parameter| parameter.variable))
        .chain(typed.transformed_parameters.iter().copied())
        .chain(generated.iter().copied());
    let interpreter = crate::interp::Interpreter::new(typed);
    let (mut columns, mut order) = (Vec::new(), Vec::new());
    for var in variables {
        let variable = typed.variable(var);
        let dims = interpreter.declared_dims(var, values).unwrap_or_default();
        let template = Value::uninitialised(&variable.sized.ty, &dims);
        let is_int = variable.sized.ty.scalar() == Ty::Int;
        let first = order.len();
        for name in template.output_names(&variable.name) {
            columns.push(Column { name, is_int });
        }
        match &template {
            Value::Container(container) => {
                order.extend(container.output_order().map(|place| first + place));
            }
            _ => order.push(first),
        }
    }
    (columns, order)
}

impl DrawProgram {
    fn drawer(&self) -> Drawer {
        Drawer {
            workspace: self.compiled.workspace(None),
            raw: vec![0.0; self.order.len()],
            program: self.clone(),
        }
    }
}

/// Computes the values of draws.
#[derive(Debug)]
pub struct Drawer {
    program: DrawProgram,
    workspace: Workspace,
    raw: Vec<f64>,
}

impl Drawer {
    /// Computes a draw's values at a position into `values`, as long and in the order of the columns. A failure in generated
    /// quantities leaves the rest of them NaN and is returned.
    ///
    /// # Errors
    /// Why values are missing.
    pub fn values(
        &mut self,
        position: &[f64],
        rng: &mut ChainRng,
        values: &mut [f64],
    ) -> Result<(), Stop> {
        self.raw.fill(f64::NAN);
        let outcome = self.program.compiled.run(
            &mut self.workspace,
            &[position],
            &mut [&mut self.raw],
            Some(rng),
        );
        for (value, &place) in values.iter_mut().zip(self.program.order.iter()) {
            *value = self.raw[place];
        }
        outcome.map(|_| ())
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.program.order.len()
    }

    /// What generated quantities printed since the last call.
    pub fn take_printed(&mut self) -> String {
        self.workspace.take_printed()
    }
}

/// A compiled log density with its gradient.
#[derive(Debug)]
pub struct CompiledDensity {
    compiled: Arc<Compiled>,
    workspace: Workspace,
    dimension: usize,
}

impl CompiledDensity {
    /// What the model printed since the last call.
    pub fn take_printed(&mut self) -> String {
        self.workspace.take_printed()
    }
}

impl LogDensity for CompiledDensity {
    fn dimension(&self) -> usize {
        self.dimension
    }

    #[inline]
    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        self.compiled
            .run(&mut self.workspace, &[position], &mut [gradient], None)
            .map_err(density_error)
    }
}

/// A log density with its gradient by the literal evaluator.
#[derive(Debug)]
pub struct LiteralDensity<'p> {
    evaluator: Evaluator<'p>,
    dimension: usize,
}

impl LogDensity for LiteralDensity<'_> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn log_density_gradient(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> Result<f64, DensityError> {
        gradient.fill(0.0);
        self.evaluator
            .run(&[position], &mut [gradient], None)
            .map_err(density_error)
    }
}

#[cold]
fn density_error(stop: Stop) -> DensityError {
    match stop.kind {
        MessageKind::Fatal => DensityError::fatal(stop),
        MessageKind::Reject | MessageKind::Print => DensityError::rejected(stop),
    }
}
