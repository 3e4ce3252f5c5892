//! Loops eight rounds at a time, where the machine has AVX-512: own machine code around what Cranelift translates.
//!
//! Cranelift has vectors of two lanes. So the statements of a segment are recorded as straight-line code ([`record`]), which
//! gets registers ([`registers`]) and becomes a loop ([`assemble`]) in the machine's instructions ([`encode`]). Cranelift's
//! code calls it with a context: scalars that are the same in all rounds and addresses go in, sums and failures come out. A
//! loop of which anything cannot be recorded is translated in pairs, as all are on other machines; tests compare the two.

mod assemble;
mod code;
mod encode;
mod record;
mod registers;

use super::CompileError;
use super::blocks::{BLOCK, Segments};
use super::compile::{Affine, Compiled, FunctionCompiler};
use super::lanes::{CellUse, Plan, Target};
use super::layout::SCALAR;
use super::runtime::Frame;
use super::vector::Group;
use crate::loops::{BufferId, Stmt, ValueId};
use assemble::Context;
use code::Code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64X2, I64, I64X2};
use cranelift_codegen::ir::{AbiParam, InstBuilder, MemFlagsData, Signature, Value};
use std::collections::BTreeSet;
use std::fmt;
use std::mem::offset_of;

/// A loop of fewer rounds than this does not repay the call: of 25 rounds with two calls of kernels, a model took 7.5 µs
/// instead of 5.5.
const FEWEST_ROUNDS: i64 = 40;
/// The context takes so many slices of a block at most.
const CONTEXT_SLICES: usize = 4;

/// The first rounds, for code that counts them.
static FIRST_ROUNDS: [i64; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

/// A number that all rounds share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shared {
    Value(ValueId),
    /// The first round's number, plus something uniform, plus a constant.
    First(Option<ValueId>, i64),
}

/// An address that rounds begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// That of a loop's first round, from where the memory of a buffer is, and something uniform further on.
    Row(Value, Option<ValueId>),
    /// Where the memory of a buffer is.
    Start(Value),
    /// Of [`FIRST_ROUNDS`].
    FirstRounds,
}

/// What a running sum is added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SumOf {
    Target(Target),
    /// Zeros, unless something is not finite.
    Finite,
}

/// What is the same in all rounds and done before them.
#[derive(Debug)]
enum Ahead {
    Statement(Stmt),
    /// Makes a value what another is.
    Copy {
        from: ValueId,
        to: ValueId,
    },
}

/// What the code of a segment is called with.
#[derive(Debug, Default)]
struct Function {
    ahead: Vec<Ahead>,
    /// Values from there, and others, that the rounds use.
    scalars: Vec<Shared>,
    table: Vec<Entry>,
    sums: Vec<SumOf>,
    /// Linear places that are read or written: the buffer, something uniform, a constant.
    accesses: Vec<(BufferId, Option<ValueId>, i64)>,
    checked: bool,
    /// Its number among the procedure's; none if there is nothing to do.
    number: Option<usize>,
}

/// A finished function, with what it was made of.
#[derive(Debug)]
pub(super) struct Finished {
    pub bytes: Vec<u8>,
    code: Code,
}

impl fmt::Display for Finished {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(out)
    }
}

/// The code of a loop's segments.
#[derive(Debug)]
pub(super) struct Wide {
    functions: Vec<Function>,
    /// The displacement of the context from the memory of blocks.
    context: i32,
}

impl Wide {
    /// The code of a loop, if all of it can be recorded and the machine runs it.
    pub fn new(
        compiler: &mut FunctionCompiler<'_, '_, '_>,
        plan: &Plan,
        segments: Option<&Segments>,
        body: &[Stmt],
    ) -> Option<Wide> {
        let few = plan.rounds.is_some_and(|rounds| rounds < FEWEST_ROUNDS);
        let local = plan.cells.values().any(|usage| *usage == CellUse::Local);
        if !compiler.unit.host.wide || few || local {
            return None;
        }
        let slices = segments.map_or(0, |segments| segments.kept.len());
        let slice_at = |compiler: &mut FunctionCompiler<'_, '_, '_>, number: usize| {
            compiler.kept_slice(number, BLOCK * SCALAR) as i32
        };
        let lines_before = compiler.unit.kept_lines;
        let context = slice_at(compiler, slices);
        slice_at(compiler, slices + CONTEXT_SLICES - 1);
        let kept: Vec<i32> = (0..slices)
            .map(|number| slice_at(compiler, number) - context)
            .collect();
        let recorded = Wide::record(compiler, plan, segments, body, &kept);
        let Some(recorded) = recorded else {
            compiler.unit.kept_lines = lines_before;
            return None;
        };
        let mut functions = Vec::with_capacity(recorded.len());
        for (mut function, finished) in recorded {
            if let Some(finished) = finished {
                function.number = Some(compiler.unit.wide.len());
                compiler.unit.wide.push(finished);
            }
            functions.push(function);
        }
        Some(Wide { functions, context })
    }

    /// The functions of all segments, with their code if they have any.
    fn record(
        compiler: &FunctionCompiler<'_, '_, '_>,
        plan: &Plan,
        segments: Option<&Segments>,
        body: &[Stmt],
        kept: &[i32],
    ) -> Option<Vec<(Function, Option<Finished>)>> {
        let written: BTreeSet<BufferId> = body
            .iter()
            .filter_map(|stmt| match stmt {
                Stmt::Store(buffer, ..) | Stmt::Accumulate(buffer, ..) => Some(*buffer),
                _ => None,
            })
            .collect();
        let mut recorded = Vec::new();
        for segment in 0..segments.map_or(1, |segments| segments.count) {
            let sums_finite = plan.sums_finite();
            let recorder = record::Recorder::new(compiler, plan, &written, kept, sums_finite);
            let (code, mut function) = recorder.segment(segments, body, segment).ok()?;
            let mut finished = None;
            if !code.steps.is_empty() {
                let context = function.context();
                let assembled = assemble::assemble(&code, context)?;
                if assembled.context_bytes > CONTEXT_SLICES * BLOCK * SCALAR {
                    return None;
                }
                function.checked = code.is_checked();
                let bytes = assembled.bytes;
                finished = Some(Finished { bytes, code });
            }
            recorded.push((function, finished));
        }
        Some(recorded)
    }
}

impl Function {
    fn context(&self) -> Context {
        Context {
            sums: self.sums.len(),
            splats: self.scalars.len(),
            table: self.table.len(),
        }
    }
}

impl Group<'_, '_, '_, '_> {
    /// The rounds of a segment from one up to before another, of which there is at least one.
    pub(super) fn wide_rounds(
        &mut self,
        wide: &Wide,
        segment: usize,
        from: Value,
        to: Value,
    ) -> Compiled {
        let function = &wide.functions[segment];
        for ahead in &function.ahead {
            match ahead {
                Ahead::Statement(stmt) => self.compiler.stmt(stmt)?,
                Ahead::Copy { from, to } => self.copy(*from, *to),
            }
        }
        let Some(number) = function.number else {
            return Ok(());
        };
        self.check_rows(function, from, to);
        let context = i64::from(wide.context);
        let own = self.compiler.own;
        let context = self.compiler.builder.ins().iadd_imm_s(own, context);
        self.fill_context(function, context, from);
        let count = self.compiler.builder.ins().isub(to, from);
        self.compiler.call_wide(number, context, count)?;
        self.take_results(function, context);
        Ok(())
    }

    /// On request, checks the first and last place of every row.
    fn check_rows(&mut self, function: &Function, from: Value, to: Value) {
        if !self.compiler.unit.options.check_bounds {
            return;
        }
        let last = self.compiler.builder.ins().iadd_imm_s(to, -1);
        for &(buffer, base, constant) in &function.accesses {
            for round in [from, last] {
                let base = self.compiler.further(round, base);
                let base = Some(base);
                self.compiler.check_place(buffer, Affine { base, constant });
            }
        }
    }

    fn fill_context(&mut self, function: &Function, context: Value, from: Value) {
        let (flags, places) = (MemFlagsData::trusted(), function.context());
        for (number, scalar) in function.scalars.iter().enumerate() {
            let value = match *scalar {
                Shared::Value(value) => self.compiler.value(value),
                Shared::First(base, constant) => {
                    let base = Some(self.compiler.further(from, base));
                    self.compiler.materialise(Affine { base, constant })
                }
            };
            let at = places.splat(number);
            let ins = self.compiler.builder.ins();
            ins.store(flags, value, context, at);
        }
        for (number, entry) in function.table.iter().enumerate() {
            let address = match *entry {
                Entry::Start(start) => start,
                Entry::FirstRounds => {
                    let address = (&raw const FIRST_ROUNDS) as i64;
                    self.compiler.builder.ins().iconst(I64, address)
                }
                Entry::Row(start, base) => {
                    let first = self.compiler.further(from, base);
                    let bytes = self.compiler.builder.ins().ishl_imm_u(first, 3);
                    self.compiler.builder.ins().iadd(start, bytes)
                }
            };
            let at = places.address(number);
            let ins = self.compiler.builder.ins();
            ins.store(flags, address, context, at);
        }
    }

    fn take_results(&mut self, function: &Function, context: Value) {
        let (flags, places) = (MemFlagsData::trusted(), function.context());
        for (number, sum) in function.sums.iter().enumerate() {
            let variable = match sum {
                SumOf::Target(target) => self.sums.get(target).and_then(|sums| sums.first()),
                SumOf::Finite => self.checks.as_ref().and_then(|it| it.finite.as_ref()),
            };
            let Some(&variable) = variable else { continue };
            let at = places.sum(number);
            let builder = &mut self.compiler.builder;
            let pairs = [0, 16, 32, 48];
            let [a, b, c, d] =
                pairs.map(|further| builder.ins().load(F64X2, flags, context, at + further));
            let (low, high) = (builder.ins().fadd(a, b), builder.ins().fadd(c, d));
            let sum = builder.ins().fadd(low, high);
            let before = builder.use_var(variable);
            let after = builder.ins().fadd(before, sum);
            builder.def_var(variable, after);
        }
        if let (true, Some(checks)) = (function.checked, self.checks) {
            let builder = &mut self.compiler.builder;
            let failed = builder.ins().load(I64, flags, context, Context::FAILED);
            let held = builder.ins().icmp_imm_s(IntCC::Equal, failed, 0);
            let held = builder.ins().bmask(I64, held);
            let held = builder.ins().splat(I64X2, held);
            let before = builder.use_var(checks.mask);
            let after = builder.ins().band(before, held);
            builder.def_var(checks.mask, after);
        }
    }
}

impl FunctionCompiler<'_, '_, '_> {
    /// An integer plus something uniform.
    pub(super) fn further(&mut self, from: Value, base: Option<ValueId>) -> Value {
        match base {
            Some(base) => {
                let base = self.value(base);
                self.builder.ins().iadd(from, base)
            }
            None => from,
        }
    }

    /// Calls a function of the procedure's own machine code.
    fn call_wide(&mut self, number: usize, context: Value, count: Value) -> Compiled {
        let read = MemFlagsData::trusted().with_readonly().with_can_move();
        let at = offset_of!(Frame, wide) as i32;
        let table = self.builder.ins().load(I64, read, self.frame, at);
        let displacement = i32::try_from(number * SCALAR);
        let Ok(displacement) = displacement else {
            return Err(CompileError::Code("too many loops".into()));
        };
        let callee = self.builder.ins().load(I64, read, table, displacement);
        let mut signature = Signature::new(self.target.default_call_conv);
        signature.params.extend([AbiParam::new(I64); 2]);
        let reference = self.signature(signature);
        let arguments = [context, count];
        self.builder
            .ins()
            .call_indirect(reference, callee, &arguments);
        Ok(())
    }
}
