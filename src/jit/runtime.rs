//! What compiled code works on and calls: its frame, the tape, printing, draws, linear algebra, solvers.
//!
//! # Safety
//! Compiled code is the only caller of the `extern "C"` functions here. It passes the `Runtime` of the run in
//! progress, which nothing else refers to meanwhile, and pointers to as many scalars as the procedure's (verified)
//! statement says, inside a buffer of the run. None of the functions panics short of running out of memory.

use super::layout::{Line, SCALAR};
use super::system::{CompiledSystem, SystemWorkspace};
use crate::builtins::{Draw, Kind, Scalar};
use crate::loops::linear::{self, Matrix, MatrixMut, Values};
use crate::loops::ode::Unsolved;
use crate::loops::{Intrinsic, Message, MessageId, Stop};
use rand::Rng;
use std::ptr::NonNull;
use std::slice;

/// Where running sums begin. They are loaded from here rather than being constants, which Cranelift would share with all
/// other zeros of a function: one that lives across a call then takes a sum of an innermost loop to the stack with it.
pub(super) static ZEROS: Line = Line([0; 8]);

/// The one argument of compiled code.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Frame {
    /// The arena, cleared or not.
    pub arena: *mut Line,
    /// One pointer per input number.
    pub inputs: *const *const f64,
    /// One pointer per output number.
    pub outputs: *const *mut f64,
    /// What shims work on.
    pub runtime: *mut Runtime,
    /// The result, written at the end of a run that does not stop.
    pub result: f64,
    /// The functions of [`wide`](super::wide), by number.
    pub wide: *const *const u8,
    /// Of a loop in parts: the memory of this part.
    pub own: *mut Line,
    /// Of a loop in parts: the first round of this part.
    pub from: i64,
    /// Of a loop in parts: the round behind this part's last.
    pub to: i64,
}

/// The state of a run that compiled code reaches only through shims.
#[derive(Debug, Default)]
pub(super) struct Runtime {
    /// Values kept for the reverse sweep of loops whose number of rounds is not known.
    pub tape: Vec<u64>,
    /// Lines printed so far.
    pub printed: String,
    /// Why the last call of linear algebra failed.
    pub failure: String,
    /// How the last system of differential equations stopped, if one did.
    pub stopped: Option<Stop>,
    /// The memory of the procedure's systems.
    pub systems: Vec<SystemWorkspace>,
    /// The code of the procedure's systems, while a run is in progress.
    pub compiled_systems: Option<NonNull<[CompiledSystem]>>,
    /// The procedure's sites, while a run is in progress.
    pub sites: Option<NonNull<[Site]>>,
    /// The procedure's messages, while a run is in progress.
    pub messages: Option<NonNull<[Message]>>,
    /// The generator, while a run that draws is in progress.
    pub generator: Option<NonNull<dyn Rng>>,
}

// SAFETY: the pointers are set at the start of a run and cleared at its end, within one call on one thread.
unsafe impl Send for Runtime {}
// SAFETY: as above; nothing reads them through a shared reference.
unsafe impl Sync for Runtime {}

/// A place in the compiled code that may end a run or call out; its number is what the code returns or passes.
#[derive(Clone, Debug)]
pub(super) enum Site {
    /// A check or a print, with the kinds of the values that it leaves at the start of the arena.
    Message {
        /// Which message.
        message: MessageId,
        /// One kind per value.
        kinds: Vec<Kind>,
    },
    /// A call of linear algebra or of a solver.
    Call {
        /// Which function.
        function: Intrinsic,
        /// How many slices it reads.
        inputs: usize,
        /// How many it writes.
        outputs: usize,
        /// What to say when it fails.
        message: MessageId,
    },
    /// A draw, with the kinds of its arguments.
    Draw(Draw),
    /// An index out of range (checked on request only): the index is at the start of the arena.
    Range {
        /// The buffer's name.
        buffer: String,
        /// Its length.
        len: usize,
    },
    /// A value popped off an empty tape.
    Tape,
}

impl Site {
    /// The stop that this site stands for, with the values that the code left behind.
    pub fn stop(&self, messages: &[Message], operands: &[u64], failure: &str) -> Stop {
        match self {
            Site::Message { message, kinds } => {
                let template = &messages[message.0 as usize];
                Stop::raised(*message, template, &scalars(kinds, operands))
            }
            Site::Call { message, .. } => {
                Stop::failed(*message, &messages[message.0 as usize], failure)
            }
            Site::Draw(_) => Stop::internal("a procedure that draws needs a generator"),
            Site::Range { buffer, len } => {
                let index = operands.first().copied().unwrap_or_default() as i64;
                Stop::internal(format!(
                    "compiler bug: index {index} is outside of `{buffer}` of length {len}"
                ))
            }
            Site::Tape => Stop::internal("compiler bug: popped a value off an empty tape"),
        }
    }
}

fn scalars(kinds: &[Kind], bits: &[u64]) -> Vec<Scalar> {
    let pairs = kinds.iter().zip(bits);
    pairs
        .map(|(kind, bits)| Scalar::from_bits(*kind, *bits))
        .collect()
}

impl Runtime {
    fn site(&self, number: u64) -> Option<&Site> {
        // SAFETY: `Compiled::run` sets the pointer from a slice that outlives the run.
        let sites = unsafe { self.sites?.as_ref() };
        sites.get(number as usize)
    }

    fn solve(
        &mut self,
        number: u32,
        inputs: &[Matrix<'_>],
        outputs: &mut [MatrixMut<'_>],
    ) -> Result<(), Unsolved> {
        // SAFETY: `Compiled::run` sets the pointer from a slice that outlives the run.
        let compiled = self
            .compiled_systems
            .and_then(|systems| unsafe { systems.as_ref() }.get(number as usize));
        let (Some(compiled), Some(workspace)) = (compiled, self.systems.get_mut(number as usize))
        else {
            return Err(Unsolved::Failed("compiler bug: no such system".to_string()));
        };
        compiled.solve(workspace, inputs, outputs, &mut self.printed)
    }

    fn print(&mut self, site: u64, operands: &[u64]) {
        // SAFETY: as in `site`.
        let messages = self.messages.map(|messages| unsafe { messages.as_ref() });
        if let (Some(Site::Message { message, kinds }), Some(messages)) =
            (self.site(site), messages)
        {
            let line = messages[message.0 as usize].text(&scalars(kinds, operands));
            self.printed.push_str(&line);
            self.printed.push('\n');
        }
    }
}

/// Clears memory: `bytes` bytes from `start`, aligned to 8.
pub(super) unsafe extern "C" fn clear(start: *mut u64, bytes: u64) {
    // SAFETY: see the module.
    unsafe { start.write_bytes(0, bytes as usize / SCALAR) }
}

/// Sets `count` scalars from `start` to one value.
pub(super) unsafe extern "C" fn fill(start: *mut u64, count: i64, bits: u64) {
    if let Ok(count) = usize::try_from(count) {
        // SAFETY: see the module.
        unsafe { slice::from_raw_parts_mut(start, count) }.fill(bits);
    }
}

/// Puts a value on the tape.
pub(super) unsafe extern "C" fn push(runtime: *mut Runtime, bits: u64) {
    // SAFETY: see the module.
    unsafe { &mut *runtime }.tape.push(bits);
}

/// Takes a value off the tape and writes it to `to`; 1 if the tape is empty.
pub(super) unsafe extern "C" fn pop(runtime: *mut Runtime, to: *mut u64) -> u64 {
    // SAFETY: see the module.
    match unsafe { &mut *runtime }.tape.pop() {
        Some(bits) => {
            // SAFETY: see the module.
            unsafe { *to = bits };
            0
        }
        None => 1,
    }
}

/// Puts `count` values on the tape.
pub(super) unsafe extern "C" fn push_slice(runtime: *mut Runtime, from: *const u64, count: i64) {
    if let Ok(count) = usize::try_from(count) {
        // SAFETY: see the module.
        let (runtime, from) = unsafe { (&mut *runtime, slice::from_raw_parts(from, count)) };
        runtime.tape.extend_from_slice(from);
    }
}

/// Takes `count` values off the tape; 1 if there are not so many.
pub(super) unsafe extern "C" fn pop_slice(runtime: *mut Runtime, to: *mut u64, count: i64) -> u64 {
    // SAFETY: see the module.
    let tape = &mut unsafe { &mut *runtime }.tape;
    let kept = usize::try_from(count)
        .ok()
        .and_then(|count| tape.len().checked_sub(count));
    let Some(kept) = kept else { return 1 };
    // SAFETY: see the module.
    unsafe { slice::from_raw_parts_mut(to, tape.len() - kept) }.copy_from_slice(&tape[kept..]);
    tape.truncate(kept);
    0
}

/// Prints the message of a site with the operands at `operands`.
pub(super) unsafe extern "C" fn print(runtime: *mut Runtime, site: u64, operands: *const u64) {
    // SAFETY: see the module.
    let runtime = unsafe { &mut *runtime };
    let count = match runtime.site(site) {
        Some(Site::Message { kinds, .. }) => kinds.len(),
        _ => 0,
    };
    // SAFETY: see the module.
    let operands = unsafe { slice::from_raw_parts(operands, count) };
    runtime.print(site, operands);
}

/// Makes the draw of a site from the operands at `operands` and puts the result in their place; 1 if that failed.
pub(super) unsafe extern "C" fn draw(runtime: *mut Runtime, site: u64, operands: *mut u64) -> u64 {
    // SAFETY: see the module.
    let runtime = unsafe { &mut *runtime };
    let (Some(Site::Draw(draw)), Some(mut generator)) =
        (runtime.site(site).cloned(), runtime.generator)
    else {
        return 1;
    };
    let (_, kinds, _) = draw.row();
    // SAFETY: see the module.
    let args = scalars(kinds, unsafe {
        slice::from_raw_parts(operands, kinds.len())
    });
    // SAFETY: `Compiled::run` sets the pointer from an exclusive reference that outlives the run.
    match linear::sample(draw, &args, unsafe { generator.as_mut() }) {
        Ok(result) => {
            // SAFETY: see the module.
            unsafe { *operands = result.to_bits() };
            0
        }
        Err(_) => 1,
    }
}

/// A slice as compiled code describes it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Described {
    /// The first element.
    pub start: *mut u64,
    /// Rows.
    pub rows: i64,
    /// Columns.
    pub cols: i64,
}

impl Described {
    fn shape(&self) -> (usize, usize) {
        let [rows, cols] = [self.rows, self.cols].map(|size| usize::try_from(size).unwrap_or(0));
        (rows, cols)
    }

    fn overlaps(&self, other: &Described) -> bool {
        let range = |slice: &Described| {
            let (rows, cols) = slice.shape();
            let start = slice.start as usize;
            start..start + rows * cols * SCALAR
        };
        let (a, b) = (range(self), range(other));
        a.start < b.end && b.start < a.end
    }
}

/// Carries out the call of a site on the slices described at `slices`, inputs first; 1 if it fails.
pub(super) unsafe extern "C" fn call(
    runtime: *mut Runtime,
    site: u64,
    slices: *const Described,
) -> u64 {
    // SAFETY: see the module.
    let runtime = unsafe { &mut *runtime };
    let Some(&Site::Call {
        function,
        inputs,
        outputs,
        ..
    }) = runtime.site(site)
    else {
        return 1;
    };
    // SAFETY: see the module.
    let slices = unsafe { slice::from_raw_parts(slices, inputs + outputs) };
    let (inputs, outputs) = slices.split_at(inputs);
    // SAFETY: see the module.
    match unsafe { call_in_turn(runtime, function, inputs, outputs) } {
        Ok(()) => return 0,
        Err(Unsolved::Failed(reason)) => runtime.failure = reason,
        Err(Unsolved::Stopped(stop)) => runtime.stopped = Some(stop),
    }
    1
}

/// Adjoints may be accumulated into overlapping slices (of `A Aᵀ`, both factors'): then one at a time.
///
/// # Safety
/// As the module says; outputs do not overlap inputs.
unsafe fn call_in_turn(
    runtime: &mut Runtime,
    function: Intrinsic,
    inputs: &[Described],
    outputs: &[Described],
) -> Result<(), Unsolved> {
    match (function, outputs) {
        (Intrinsic::Adjoint(of, mask), [first, second]) if first.overlaps(second) => {
            let low = mask & mask.wrapping_neg();
            // SAFETY: passed on.
            unsafe {
                call_at_once(runtime, Intrinsic::Adjoint(of, low), inputs, &outputs[..1])?;
                call_at_once(
                    runtime,
                    Intrinsic::Adjoint(of, mask & !low),
                    inputs,
                    &outputs[1..],
                )
            }
        }
        // SAFETY: passed on.
        _ => unsafe { call_at_once(runtime, function, inputs, outputs) },
    }
}

/// # Safety
/// As the module says; no output overlaps another slice.
unsafe fn call_at_once(
    runtime: &mut Runtime,
    function: Intrinsic,
    inputs: &[Described],
    outputs: &[Described],
) -> Result<(), Unsolved> {
    let read = inputs.iter().map(|slice| {
        let (rows, cols) = slice.shape();
        // SAFETY: the caller's.
        let values = unsafe { slice::from_raw_parts(slice.start as *const f64, rows * cols) };
        Matrix::new(rows, cols, values)
    });
    let written = outputs.iter().map(|slice| {
        let (rows, cols) = slice.shape();
        // SAFETY: the caller's.
        let values = unsafe {
            match function {
                Intrinsic::SortIndices { .. } => Values::Int(slice::from_raw_parts_mut(
                    slice.start as *mut i64,
                    rows * cols,
                )),
                Intrinsic::Forward(_) | Intrinsic::Adjoint(..) | Intrinsic::Ode(_) => Values::Real(
                    slice::from_raw_parts_mut(slice.start as *mut f64, rows * cols),
                ),
            }
        };
        MatrixMut::new(rows, cols, values)
    });
    let read: Vec<Matrix> = read.collect();
    let mut written: Vec<MatrixMut> = written.collect();
    match function {
        Intrinsic::Ode(number) => runtime.solve(number, &read, &mut written),
        _ => linear::execute(function, &read, &mut written).map_err(Unsolved::Failed),
    }
}
