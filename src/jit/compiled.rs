//! Owns compiled code: compiles a procedure, runs it safely, frees it when dropped.

use super::compile::{self, Unit};
use super::host::{self, Host};
use super::lanes::Definitions;
use super::layout::{LINE, Layout, Line};
use super::parallel::Parallel;
use super::partition::{Chunk, Partition};
use super::parts::{Entry, Parts, Threads};
use super::runtime::{Frame, Runtime, Site};
use super::system::CompiledSystem;
use crate::builtins::Prim;
use crate::loops::{Message, Op, Procedure, Role, Stmt, Stop, evaluate};
use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::ExternalName;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError};
use rand::Rng;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

/// A procedure takes and gives at most so many slices.
const MOST_SLICES: usize = 8;

/// How to compile.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    /// Let Cranelift optimise; compiles in about two thirds of the time without.
    pub optimise: bool,
    /// Compile innermost loops two rounds at a time where their rounds are independent.
    pub vectorise: bool,
    /// Eight rounds at a time where the machine has AVX-512.
    pub wide: bool,
    /// Check every index, as a guard against bugs of the compiler; on by default in debug builds.
    pub check_bounds: bool,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions {
            optimise: true,
            vectorise: true,
            wide: true,
            check_bounds: cfg!(debug_assertions),
        }
    }
}

/// Why a procedure could not be compiled.
#[derive(Clone, Debug, PartialEq)]
pub enum CompileError {
    /// The machine is not supported.
    Host(String),
    /// Scratch or constants need more memory than displacements reach.
    TooLarge {
        /// How much.
        bytes: usize,
    },
    /// The procedure takes or gives more slices than there is room for.
    TooManySlices,
    /// A primitive has no kernel; a bug of the compiler.
    NoKernel(Prim),
    /// The code refers to a symbol; a bug of the compiler.
    Symbol(String),
    /// Cranelift refuses the code; a bug of the compiler.
    Code(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompileError::Host(reason) => write!(out, "this machine is not supported: {reason}"),
            CompileError::TooLarge { bytes } => {
                write!(out, "the model needs {bytes} bytes of memory per chain")
            }
            CompileError::TooManySlices => {
                write!(
                    out,
                    "a procedure has more than {MOST_SLICES} inputs or outputs"
                )
            }
            CompileError::NoKernel(prim) => write!(out, "{} has no kernel", prim.name()),
            CompileError::Symbol(name) => write!(out, "the code refers to `{name}`"),
            CompileError::Code(reason) => write!(out, "the code is malformed: {reason}"),
        }
    }
}

impl Error for CompileError {}

/// A compiled procedure. Any number of threads may run it, each with its own [`Workspace`].
pub struct Compiled {
    /// Tells workspaces of different procedures apart.
    identity: u64,
    name: String,
    /// The code in order.
    steps: Vec<Step>,
    /// The functions of [`wide`](super::wide), which the code calls by number.
    wide: Vec<*const u8>,
    /// Owns the code; `None` only while being dropped.
    module: Option<JITModule>,
    /// The code refers to these by address.
    constants: Vec<Line>,
    sites: Vec<Site>,
    messages: Vec<Message>,
    systems: Vec<CompiledSystem>,
    /// Number and length of each input.
    inputs: Vec<(usize, usize)>,
    /// Number and length of each output.
    outputs: Vec<(usize, usize)>,
    arena_lines: usize,
    /// The lines of each part's own memory, if there are loops in parts.
    own_lines: usize,
    /// The scalars of the arena that are NaN in a new workspace: those of real scratch buffers.
    unset: Vec<std::ops::Range<usize>>,
    draws: bool,
    /// For messages about slices of the wrong length only.
    shape: Procedure,
}

/// A function of the code.
enum Step {
    Once(Entry),
    InParts(Parts),
}

// SAFETY: code and constants are never written after `compile`, and `module` is touched by `drop` alone.
unsafe impl Send for Compiled {}
// SAFETY: as above.
unsafe impl Sync for Compiled {}

/// What a procedure compiles to: Cranelift's IR of each function before it optimises, then the machine's
/// instructions.
///
/// # Errors
/// As of [`Compiled::compile`].
pub fn code_text(procedure: &Procedure, options: &CompileOptions) -> Result<String, CompileError> {
    let mut text = String::new();
    let compiled = Compiled::with_text(procedure, options, Some(&mut text))?;
    drop(compiled);
    Ok(text)
}

/// The memory that one thread needs to run one procedure.
#[derive(Debug)]
pub struct Workspace {
    identity: u64,
    arena: Vec<Line>,
    /// The memory of parts.
    own: Vec<Line>,
    threads: Option<Threads>,
    runtime: Runtime,
}

impl Workspace {
    /// What was printed since the last call, a line for each `print`.
    pub fn take_printed(&mut self) -> String {
        std::mem::take(&mut self.runtime.printed)
    }
}

impl Compiled {
    /// Compiles a procedure, which must pass [`crate::loops::verify`].
    ///
    /// # Errors
    /// Memory beyond what code can address, an unsupported machine, or a bug of the compiler.
    pub fn compile(
        procedure: &Procedure,
        options: &CompileOptions,
    ) -> Result<Compiled, CompileError> {
        Compiled::with_text(procedure, options, None)
    }

    /// [`Compiled::compile`] that may write down what it does.
    pub(super) fn with_text(
        procedure: &Procedure,
        options: &CompileOptions,
        mut text: Option<&mut String>,
    ) -> Result<Compiled, CompileError> {
        let numbered = |number: fn(&Role) -> Option<u32>| {
            let slices = procedure.buffers.iter();
            let slices =
                slices.filter_map(|buffer| Some((number(&buffer.role)? as usize, buffer.len)));
            let slices: Vec<(usize, usize)> = slices.collect();
            match slices.iter().any(|(number, _)| *number >= MOST_SLICES) {
                true => Err(CompileError::TooManySlices),
                false => Ok(slices),
            }
        };
        let inputs = numbered(|role| match role {
            Role::Input(number) => Some(*number),
            _ => None,
        })?;
        let outputs = numbered(|role| match role {
            Role::Output(number) => Some(*number),
            _ => None,
        })?;
        let mut host = Host::detect();
        host.wide &= options.wide;
        let parallel = match options.vectorise {
            true => Parallel::all(procedure, host),
            false => BTreeMap::new(),
        };
        let partition = Partition::new(procedure, parallel);
        let (mut layout, slots) = Layout::new(procedure, partition.slots)?;
        let constants = std::mem::take(&mut layout.constants);
        let mut unit = Unit {
            procedure,
            definitions: Definitions::of(procedure),
            layout: &layout,
            partition: &partition,
            slots,
            constants: constants.as_ptr() as usize,
            host,
            options: *options,
            sites: Vec::new(),
            kept_lines: 0,
            wide: Vec::new(),
        };
        let mut systems = Vec::with_capacity(procedure.systems.len());
        for system in &procedure.systems {
            let text = text.as_deref_mut();
            systems.push(CompiledSystem::compile(system, options, text)?);
        }
        let (module, entries, wide) = generate(&mut unit, text)?;
        let kept_lines = unit.kept_lines;
        let step = |(chunk, entry): (&Chunk, Entry)| match &chunk.parallel {
            None => Step::Once(entry),
            Some(parallel) => Step::InParts(Parts::new(
                entry,
                parallel,
                &layout,
                &partition,
                slots,
                |buffer| procedure.buffers[buffer].len,
            )),
        };
        let steps: Vec<Step> = partition.chunks.iter().zip(entries).map(step).collect();
        let own_lines = parts(&steps).map(|parts| parts.lines() + kept_lines).max();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Ok(Compiled {
            identity: NEXT.fetch_add(1, Ordering::Relaxed),
            name: procedure.name.clone(),
            steps,
            wide,
            module: Some(module),
            constants,
            sites: unit.sites,
            messages: procedure.messages.clone(),
            systems,
            inputs,
            outputs,
            arena_lines: layout.arena_lines + kept_lines,
            own_lines: own_lines.unwrap_or(0),
            unset: layout.unset(procedure),
            draws: draws(&procedure.body),
            shape: shape(procedure),
        })
    }

    /// The memory for one thread, and for the parts of loops on `threads` beside it.
    pub fn workspace(&self, threads: Option<&Threads>) -> Workspace {
        let parts = match threads {
            Some(_) => parts(&self.steps).map(Parts::count).max().unwrap_or(0),
            None => 1,
        };
        let mut arena = vec![Line([0; 8]); self.arena_lines];
        for scalar in self.unset.iter().cloned().flatten() {
            arena[scalar / 8].0[scalar % 8] = f64::NAN.to_bits();
        }
        Workspace {
            identity: self.identity,
            arena,
            own: vec![Line([0; 8]); self.own_lines * parts],
            threads: threads.cloned(),
            runtime: Runtime {
                systems: self.systems.iter().map(CompiledSystem::workspace).collect(),
                ..Runtime::default()
            },
        }
    }

    /// Runs the procedure: reads `inputs`, writes `outputs` (by the numbers of [`Role`]), and returns the result,
    /// 0 if the procedure has none. Procedures that draw need a generator. Does not allocate unless the procedure
    /// prints, stops, calls linear algebra or grows its tape.
    ///
    /// # Errors
    /// The [`Stop`] that a check raised; one of the machinery for slices of the wrong length, a missing generator,
    /// or another procedure's workspace. Outputs are then unspecified.
    #[inline]
    pub fn run<'g>(
        &self,
        workspace: &mut Workspace,
        inputs: &[&[f64]],
        outputs: &mut [&mut [f64]],
        generator: Option<&'g mut (dyn Rng + 'g)>,
    ) -> Result<f64, Stop> {
        let mut input_table = [ptr::null(); MOST_SLICES];
        let mut output_table = [ptr::null_mut(); MOST_SLICES];
        let mut fits = workspace.identity == self.identity && self.draws <= generator.is_some();
        for &(number, len) in &self.inputs {
            match inputs.get(number) {
                Some(input) if input.len() == len => input_table[number] = input.as_ptr(),
                _ => fits = false,
            }
        }
        for &(number, len) in &self.outputs {
            match outputs.get_mut(number) {
                Some(output) if output.len() == len => output_table[number] = output.as_mut_ptr(),
                _ => fits = false,
            }
        }
        if !fits {
            return Err(self.misuse(workspace, inputs, outputs));
        }
        let runtime = &mut workspace.runtime;
        runtime.tape.clear();
        runtime.sites = Some(NonNull::from(self.sites.as_slice()));
        runtime.messages = Some(NonNull::from(self.messages.as_slice()));
        runtime.compiled_systems = Some(NonNull::from(self.systems.as_slice()));
        runtime.generator = generator.map(erase);
        let mut frame = Frame {
            arena: workspace.arena.as_mut_ptr(),
            inputs: input_table.as_ptr(),
            outputs: output_table.as_ptr(),
            runtime,
            result: 0.0,
            wide: self.wide.as_ptr(),
            own: ptr::null_mut(),
            from: 0,
            to: 0,
        };
        for step in &self.steps {
            // SAFETY: the code was generated for slices of these lengths, an arena of this size (the workspace is
            // this procedure's) and these sites; inputs and outputs are live and disjoint, being references; the
            // code stays mapped as long as `self`. Indices are in range by the loop IR's invariant.
            let status = unsafe {
                match step {
                    Step::Once(entry) => entry(&mut frame),
                    Step::InParts(parts) => {
                        let threads = workspace.threads.as_ref();
                        parts.run(&frame, threads, &mut workspace.own, self.own_lines)
                    }
                }
            };
            if status != 0 {
                return Err(self.stopped(workspace, status));
            }
        }
        workspace.runtime.generator = None;
        Ok(frame.result)
    }

    /// How many loops, or segments of loops, run eight rounds at a time.
    #[cfg(test)]
    pub(super) fn wide_functions(&self) -> usize {
        self.wide.len()
    }

    /// The procedure's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    #[cold]
    fn stopped(&self, workspace: &mut Workspace, status: u64) -> Stop {
        workspace.runtime.generator = None;
        if let Some(stop) = workspace.runtime.stopped.take() {
            return stop;
        }
        let operands: Vec<u64> = workspace.arena.iter().flat_map(|line| line.0).collect();
        match self.sites.get(status as usize - 1) {
            Some(site) => site.stop(&self.messages, &operands, &workspace.runtime.failure),
            None => Stop::internal("compiler bug: stopped at an unknown site"),
        }
    }

    #[cold]
    fn misuse(&self, workspace: &Workspace, inputs: &[&[f64]], outputs: &[&mut [f64]]) -> Stop {
        let lengths: Vec<usize> = outputs.iter().map(|output| output.len()).collect();
        match evaluate::check_lengths(&self.shape, inputs, &lengths) {
            Err(stop) => stop,
            Ok(()) if workspace.identity != self.identity => Stop::internal(format!(
                "a workspace of another procedure than `{}`",
                self.name
            )),
            Ok(()) => Stop::internal("a procedure that draws needs a generator"),
        }
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Compiled")
            .field("name", &self.name)
            .field("functions", &self.steps.len())
            .field("constants", &self.constants.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: `run` borrows `self`, so no code is running, and the entries are not handed out.
            unsafe { module.free_memory() };
        }
    }
}

/// The steps that run in parts.
fn parts(steps: &[Step]) -> impl Iterator<Item = &Parts> {
    steps.iter().filter_map(|step| match step {
        Step::Once(_) => None,
        Step::InParts(parts) => Some(parts),
    })
}

/// A generator without its lifetime, for the length of a run.
fn erase<'g>(generator: &'g mut (dyn Rng + 'g)) -> NonNull<dyn Rng> {
    let pointer: NonNull<dyn Rng + 'g> = NonNull::from(generator);
    // SAFETY: only the lifetime changes; `run` clears the pointer before the borrow ends.
    unsafe { std::mem::transmute::<NonNull<dyn Rng + 'g>, NonNull<dyn Rng>>(pointer) }
}

/// The owner of code, its functions in order, and those of [`wide`](super::wide).
type Generated = (JITModule, Vec<Entry>, Vec<*const u8>);

/// Compiles every function of a unit.
fn generate(unit: &mut Unit<'_>, text: Option<&mut String>) -> Result<Generated, CompileError> {
    let target = host::target(unit.options.optimise)?;
    let config = target.frontend_config();
    let mut builder = JITBuilder::with_isa(target, cranelift_module::default_libcall_names());
    // No symbol is ever looked up: see `reject_symbols`.
    builder.symbol_lookup_fn(Box::new(|_| None));
    let mut module = JITModule::new(builder);
    let generated = define_all(unit, &mut module, config, text);
    let entries = generated.and_then(|(functions, wide)| {
        module.finalize_definitions().map_err(code)?;
        let entry = |function| {
            let start = module.get_finalized_function(function);
            // SAFETY: the function was generated with this signature.
            unsafe { std::mem::transmute::<*const u8, Entry>(start) }
        };
        let wide = wide.into_iter();
        let wide = wide.map(|function| module.get_finalized_function(function));
        let wide = wide.collect();
        Ok((functions.into_iter().map(entry).collect(), wide))
    });
    match entries {
        Ok((entries, wide)) => Ok((module, entries, wide)),
        Err(error) => {
            // SAFETY: no function of the module was handed out.
            unsafe { module.free_memory() };
            Err(error)
        }
    }
}

fn define_all(
    unit: &mut Unit<'_>,
    module: &mut JITModule,
    config: cranelift_codegen::isa::TargetFrontendConfig,
    mut text: Option<&mut String>,
) -> Result<(Vec<FuncId>, Vec<FuncId>), CompileError> {
    let mut builders = FunctionBuilderContext::new();
    let mut context = Context::new();
    let mut functions = Vec::new();
    for number in 0..unit.partition.chunks.len() {
        let signature = compile::signature(config.default_call_conv);
        let id = module
            .declare_anonymous_function(&signature)
            .map_err(code)?;
        context.func.signature = signature;
        let builder = FunctionBuilder::new(&mut context.func, &mut builders);
        compile::compile_chunk(unit, builder, config, number)?;
        if let Some(text) = &mut text {
            text.push_str(&context.func.display().to_string());
            context.set_disasm(true);
        }
        let compiled = context
            .compile(module.isa(), &mut ControlPlane::default())
            .map_err(|error| CompileError::Code(format!("{:?}", error.inner)))?;
        let alignment = u64::from(compiled.buffer.alignment);
        let bytes = compiled.code_buffer().to_vec();
        if let (Some(text), Some(instructions)) = (&mut text, &compiled.vcode) {
            text.push('\n');
            text.push_str(instructions);
            text.push('\n');
        }
        reject_symbols(&context)?;
        module
            .define_function_bytes(id, alignment, &bytes, &[])
            .map_err(code)?;
        functions.push(id);
        module.clear_context(&mut context);
    }
    let mut wide = Vec::with_capacity(unit.wide.len());
    for (number, function) in unit.wide.iter().enumerate() {
        if let Some(text) = &mut text {
            text.push_str(&format!("\neight rounds at a time, {number}:\n{function}"));
        }
        let signature = compile::signature(config.default_call_conv);
        let id = module
            .declare_anonymous_function(&signature)
            .map_err(code)?;
        module
            .define_function_bytes(id, LINE as u64, &function.bytes, &[])
            .map_err(code)?;
        wide.push(id);
    }
    Ok((functions, wide))
}

/// Refuses code that refers to anything outside of itself: the linker would bind a name to whatever it finds.
fn reject_symbols(context: &Context) -> Result<(), CompileError> {
    let relocations = context
        .compiled_code()
        .map(|compiled| compiled.buffer.relocs())
        .unwrap_or_default();
    match relocations.first() {
        None => Ok(()),
        Some(relocation) => Err(CompileError::Symbol(match &relocation.target {
            cranelift_codegen::FinalizedRelocTarget::ExternalName(ExternalName::LibCall(call)) => {
                call.to_string()
            }
            target => format!("{target:?}"),
        })),
    }
}

fn code(error: ModuleError) -> CompileError {
    CompileError::Code(error.to_string())
}

/// Whether the code draws random numbers.
fn draws(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| {
        matches!(stmt, Stmt::Let(_, Op::Draw(..)))
            || super::partition::blocks(stmt).into_iter().any(draws)
    })
}

/// The procedure without its body and constants.
fn shape(procedure: &Procedure) -> Procedure {
    let numbered = |role: &Role| matches!(role, Role::Input(_) | Role::Output(_));
    let buffers = procedure
        .buffers
        .iter()
        .filter(|buffer| numbered(&buffer.role));
    Procedure {
        name: procedure.name.clone(),
        buffers: buffers.cloned().collect(),
        ..Procedure::default()
    }
}
