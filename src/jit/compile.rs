//! Translates the statements of a procedure into Cranelift's IR, one function per chunk of the body.
//!
//! Values become SSA values, cells become variables that Cranelift keeps in registers, buffers become memory at
//! constant displacements from a few bases. Every function takes the [`Frame`] and returns 0, or one more than the
//! number of the [`Site`] at which the run stopped.

use super::host::Host;
use super::lanes::Definitions;
use super::layout::{LINE, Layout, Place, SCALAR};
use super::parallel::Parallel;
use super::partition::{self, Chunk, Partition};
use super::runtime::{self, Frame, Site};
use super::{CompileError, CompileOptions, prim, vector, wide};
use crate::builtins::Kind;
use crate::loops::{MessageId, Op, Procedure, Stmt, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, F64X2, I8, I64};
use cranelift_codegen::ir::{
    AbiParam, AliasRegion, AliasRegionData, Block, BlockArg, InstBuilder, MemFlagsData, SigRef,
    Signature, Type, Value,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, Variable};
use std::mem::offset_of;

/// Buffers beyond so many share one alias region: Cranelift carries each region's last store through every block.
pub(super) const ALIAS_REGIONS: usize = 48;
/// Memory up to so many bytes is cleared by stores, more by a call.
const CLEARED_INLINE: usize = 256;

/// What all functions of a procedure share.
pub(super) struct Unit<'p> {
    /// The procedure.
    pub procedure: &'p Procedure,
    /// What defines its values.
    pub definitions: Definitions<'p>,
    /// Its memory.
    pub layout: &'p Layout,
    /// Its functions.
    pub partition: &'p Partition,
    /// The arena's byte where slots of values and cells begin.
    pub slots: usize,
    /// The address of the constants.
    pub constants: usize,
    /// The machine.
    pub host: Host,
    /// What was asked for.
    pub options: CompileOptions,
    /// Places that may stop or call out, so far.
    pub sites: Vec<Site>,
    /// Lines that loops keep their blocks in, one after another: at the end of the arena, or of a part's own memory.
    pub kept_lines: usize,
    /// The functions of [`wide`](super::wide) so far.
    pub wide: Vec<wide::Finished>,
}

/// What a value of the procedure is in the function at hand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Def {
    /// Not defined here (yet).
    Absent,
    /// An integer constant.
    ConstInt(i64),
    /// A real constant.
    ConstReal(f64),
    /// A register of 64 bits, real or integer.
    Register(Value),
    /// An integer known to be 0 or 1, in 8 bits.
    Truth(Value),
}

/// An integer as a register plus a constant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    /// The register; none for a plain constant.
    pub base: Option<Value>,
    /// What is added to it.
    pub constant: i64,
}

/// The translation of one function.
pub(super) struct FunctionCompiler<'u, 'p, 'f> {
    pub unit: &'u mut Unit<'p>,
    pub builder: FunctionBuilder<'f>,
    pub defs: Vec<Def>,
    pub affine: Vec<Option<Affine>>,
    pub cells: Vec<Option<Variable>>,
    pub regions: Vec<AliasRegion>,
    pub frame: Value,
    pub arena: Value,
    /// Where operands of messages and blocks are: the arena, or a part's own memory.
    pub own: Value,
    /// The first and last round of the loop in parts that the function is.
    pub bounds: Option<[Value; 2]>,
    /// How the function runs in parts.
    pub parallel: Option<&'u Parallel>,
    pub constants: Value,
    pub inputs: Vec<Option<Value>>,
    pub outputs: Vec<Option<Value>>,
    /// Signatures of calls, by parameters and result.
    pub signatures: Vec<(Signature, SigRef)>,
    /// Blocks that end the run, to be filled at the end of the function.
    stops: Vec<PendingStop>,
    pub target: TargetFrontendConfig,
}

/// A block that ends the run at a site.
struct PendingStop {
    block: Block,
    site: usize,
    /// What goes to the start of the arena.
    operands: Vec<Value>,
}

/// What translations return.
pub(super) type Compiled = Result<(), CompileError>;

/// The signature of compiled functions.
pub(super) fn signature(convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.push(AbiParam::new(I64));
    signature.returns.push(AbiParam::new(I64));
    signature
}

/// Fills a function with the translation of one chunk.
pub(super) fn compile_chunk(
    unit: &mut Unit<'_>,
    mut builder: FunctionBuilder<'_>,
    target: TargetFrontendConfig,
    number: usize,
) -> Compiled {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    builder.seal_block(entry);
    let frame = builder.block_params(entry)[0];
    let read = MemFlagsData::trusted().with_readonly().with_can_move();
    let arena = builder
        .ins()
        .load(I64, read, frame, offset_of!(Frame, arena) as i32);
    let partition = unit.partition;
    let parallel = partition.chunks[number].parallel.as_ref();
    let mut field = |at: usize| builder.ins().load(I64, read, frame, at as i32);
    let own = match parallel {
        Some(_) => field(offset_of!(Frame, own)),
        None => arena,
    };
    let bounds = parallel.map(|_| [offset_of!(Frame, from), offset_of!(Frame, to)].map(field));
    let constants = builder.ins().iconst(I64, unit.constants as i64);
    let inputs = bases(
        unit,
        &mut builder,
        frame,
        offset_of!(Frame, inputs),
        |place| match place {
            Place::Input(number) => Some(number),
            _ => None,
        },
    );
    let outputs = bases(
        unit,
        &mut builder,
        frame,
        offset_of!(Frame, outputs),
        |place| match place {
            Place::Output(number) => Some(number),
            _ => None,
        },
    );
    let regions = (0..unit.procedure.buffers.len().min(ALIAS_REGIONS) + 1).map(|number| {
        let region = AliasRegionData {
            user_id: number as u32,
            description: "buffer".into(),
        };
        builder.func.dfg.alias_regions.insert(region)
    });
    let regions = regions.collect();
    let compiler = FunctionCompiler {
        defs: vec![Def::Absent; unit.procedure.values.len()],
        affine: vec![None; unit.procedure.values.len()],
        cells: vec![None; unit.procedure.cells.len()],
        regions,
        builder,
        frame,
        arena,
        own,
        bounds,
        parallel,
        constants,
        inputs,
        outputs,
        signatures: Vec::new(),
        stops: Vec::new(),
        target,
        unit,
    };
    compiler.function(number)
}

/// The caller's pointers of one direction, by number.
fn bases(
    unit: &Unit<'_>,
    builder: &mut FunctionBuilder<'_>,
    frame: Value,
    table: usize,
    number: impl Fn(Place) -> Option<u32>,
) -> Vec<Option<Value>> {
    let numbers: Vec<u32> = unit
        .layout
        .places
        .iter()
        .filter_map(|place| number(*place))
        .collect();
    let mut bases = vec![None; numbers.iter().max().map_or(0, |last| *last as usize + 1)];
    if numbers.is_empty() {
        return bases;
    }
    let read = MemFlagsData::trusted().with_readonly().with_can_move();
    let pointers = builder.ins().load(I64, read, frame, table as i32);
    for number in numbers {
        let displacement = number as i32 * SCALAR as i32;
        bases[number as usize] = Some(builder.ins().load(I64, read, pointers, displacement));
    }
    bases
}

impl FunctionCompiler<'_, '_, '_> {
    pub(super) fn function(mut self, number: usize) -> Compiled {
        let (procedure, partition) = (self.unit.procedure, self.unit.partition);
        let chunk = &partition.chunks[number];
        if number == 0 {
            self.clear_memory();
        }
        self.constants_of_earlier_chunks(&procedure.body[..chunk.stmts.start]);
        self.enter_cells(chunk);
        for stmt in &procedure.body[chunk.stmts.clone()] {
            self.import_values(stmt);
            self.stmt(stmt)?;
            self.export_value(stmt);
        }
        self.leave_cells(chunk);
        if number + 1 == partition.chunks.len()
            && let Some(result) = procedure.result
        {
            let result = self.get(result);
            let flags = MemFlagsData::trusted();
            let at = offset_of!(Frame, result) as i32;
            self.builder.ins().store(flags, result, self.frame, at);
        }
        let done = self.builder.ins().iconst(I64, 0);
        self.builder.ins().return_(&[done]);
        self.fill_stops();
        self.builder.seal_all_blocks();
        self.builder.finalize(self.target);
        Ok(())
    }

    // ---- The start and end of a function.

    /// Clears outputs and the zeroed part of the arena.
    pub(super) fn clear_memory(&mut self) {
        let zeroed = self.unit.layout.zeroed.clone();
        self.clear(self.arena, zeroed.start as i32, zeroed.len(), true);
        let procedure = self.unit.procedure;
        for (buffer, place) in procedure.buffers.iter().zip(&self.unit.layout.places) {
            if let Place::Output(number) = *place
                && let Some(base) = self.outputs[number as usize]
            {
                self.clear(base, 0, buffer.len * SCALAR, false);
            }
        }
    }

    pub(super) fn clear(&mut self, base: Value, start: i32, bytes: usize, aligned: bool) {
        if bytes == 0 {
            return;
        }
        if bytes > CLEARED_INLINE {
            let start = self.builder.ins().iadd_imm_s(base, i64::from(start));
            let bytes = self.builder.ins().iconst(I64, bytes as i64);
            self.call_shim(runtime::clear as *const () as usize, &[start, bytes], None);
            return;
        }
        let mut flags = MemFlagsData::new().with_notrap();
        if aligned {
            flags = flags.with_aligned();
        }
        let pair = prim::constant(&mut self.builder, F64X2, 0.0);
        let single = prim::constant(&mut self.builder, F64, 0.0);
        let mut at = 0;
        while at < bytes {
            let wide = at + 2 * SCALAR <= bytes;
            let zero = if wide { pair } else { single };
            // Offsets of the zeroed part start at a line, so pairs are aligned there.
            self.builder
                .ins()
                .store(flags, zero, base, start + at as i32);
            at += if wide { 2 * SCALAR } else { SCALAR };
        }
    }

    pub(super) fn constants_of_earlier_chunks(&mut self, earlier: &[Stmt]) {
        for stmt in earlier {
            if let Stmt::Let(value, op) = stmt {
                self.define_constant(*value, op);
            }
        }
    }

    pub(super) fn define_constant(&mut self, value: ValueId, op: &Op) {
        match op {
            Op::Int(constant) => self.defs[value.0 as usize] = Def::ConstInt(*constant),
            Op::Real(constant) => self.defs[value.0 as usize] = Def::ConstReal(*constant),
            _ => {}
        }
    }

    /// The arena's displacement of a slot.
    pub(super) fn slot(&self, slot: usize) -> i32 {
        (self.unit.slots + slot * SCALAR) as i32
    }

    pub(super) fn enter_cells(&mut self, chunk: &Chunk) {
        let (procedure, partition) = (self.unit.procedure, self.unit.partition);
        for &cell in &chunk.cells {
            let ty = machine_type(procedure.cells[cell.0 as usize].kind);
            let variable = self.builder.declare_var(ty);
            let is_sum = self.parallel.is_some_and(|it| it.sum(cell).is_some());
            let initial = match partition.cell_slots[cell.0 as usize] {
                Some(slot) if !is_sum => {
                    let at = self.slot(slot);
                    let flags = MemFlagsData::trusted();
                    self.builder.ins().load(ty, flags, self.arena, at)
                }
                _ if ty == F64 => self.builder.ins().f64const(0.0),
                _ => self.builder.ins().iconst(I64, 0),
            };
            self.builder.def_var(variable, initial);
            self.cells[cell.0 as usize] = Some(variable);
        }
    }

    pub(super) fn leave_cells(&mut self, chunk: &Chunk) {
        let flags = MemFlagsData::trusted();
        for &cell in &chunk.cells {
            let slot = self.unit.partition.cell_slots[cell.0 as usize];
            let (base, at) = match (self.parallel, slot) {
                (Some(parallel), _) => match parallel.sum(cell) {
                    Some(at) => (self.own, at as i32),
                    None => continue,
                },
                (None, Some(slot)) => (self.arena, self.slot(slot)),
                (None, None) => continue,
            };
            let value = self.get(cell);
            self.builder.ins().store(flags, value, base, at);
        }
    }

    /// Loads the values of earlier functions that a statement of the outermost block uses.
    pub(super) fn import_values(&mut self, stmt: &Stmt) {
        if self.unit.partition.slots == 0 {
            return;
        }
        for value in partition::used(stmt) {
            let at = value.0 as usize;
            if let (Def::Absent, Some(slot)) = (self.defs[at], self.unit.partition.value_slots[at])
            {
                let ty = machine_type(self.unit.procedure.values[at]);
                let at_slot = self.slot(slot);
                let flags = MemFlagsData::trusted();
                let loaded = self.builder.ins().load(ty, flags, self.arena, at_slot);
                self.defs[at] = Def::Register(loaded);
            }
        }
    }

    /// Stores a value that later functions use.
    pub(super) fn export_value(&mut self, stmt: &Stmt) {
        if let Stmt::Let(value, _) = stmt
            && let Some(slot) = self.unit.partition.value_slots[value.0 as usize]
        {
            let (register, at) = (self.value(*value), self.slot(slot));
            let flags = MemFlagsData::trusted();
            self.builder.ins().store(flags, register, self.arena, at);
        }
    }

    // ---- Stopping.

    pub(super) fn site(&mut self, site: Site) -> usize {
        self.unit.sites.push(site);
        self.unit.sites.len() - 1
    }

    /// Goes on if the condition is not zero; else ends the run at a site, leaving operands for its message.
    pub(super) fn stop_unless(&mut self, ok: Value, site: usize, operands: Vec<Value>) {
        let (next, stop) = self.stop_branches(site, operands);
        self.builder.ins().brif(ok, next, &[], stop, &[]);
        self.builder.switch_to_block(next);
        self.builder.seal_block(next);
    }

    /// Ends the run at a site if the condition is not zero.
    pub(super) fn stop_if(&mut self, failed: Value, site: usize, operands: Vec<Value>) {
        let (next, stop) = self.stop_branches(site, operands);
        self.builder.ins().brif(failed, stop, &[], next, &[]);
        self.builder.switch_to_block(next);
        self.builder.seal_block(next);
    }

    pub(super) fn stop_branches(&mut self, site: usize, operands: Vec<Value>) -> (Block, Block) {
        let next = self.builder.create_block();
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        self.stops.push(PendingStop {
            block,
            site,
            operands,
        });
        (next, block)
    }

    pub(super) fn fill_stops(&mut self) {
        for stop in std::mem::take(&mut self.stops) {
            self.builder.switch_to_block(stop.block);
            self.store_operands(&stop.operands);
            let code = self.builder.ins().iconst(I64, stop.site as i64 + 1);
            self.builder.ins().return_(&[code]);
        }
    }

    /// Puts operands at the start of the arena, or of a part's own memory.
    pub(super) fn store_operands(&mut self, operands: &[Value]) {
        for (at, operand) in operands.iter().enumerate() {
            let displacement = (at * SCALAR) as i32;
            let flags = MemFlagsData::trusted();
            let wide = if self.builder.func.dfg.value_type(*operand) == I8 {
                self.builder.ins().uextend(I64, *operand)
            } else {
                *operand
            };
            self.builder
                .ins()
                .store(flags, wide, self.own, displacement);
        }
    }

    // ---- Statements.

    pub(super) fn block(&mut self, body: &[Stmt]) -> Compiled {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) -> Compiled {
        match stmt {
            Stmt::Let(value, op) => self.op(*value, op)?,
            Stmt::Set(cell, value) => {
                let value = self.value(*value);
                self.set(*cell, value);
            }
            Stmt::Add(cell, value) => {
                let (sum, value) = (self.get(*cell), self.value(*value));
                let sum = self.builder.ins().fadd(sum, value);
                self.set(*cell, sum);
            }
            Stmt::Store(buffer, index, value) => {
                self.check_range(*buffer, *index);
                let value = self.value(*value);
                self.store(*buffer, *index, value);
            }
            Stmt::Accumulate(buffer, index, value) => {
                let (sum, value) = (self.load(*buffer, *index), self.value(*value));
                let sum = self.builder.ins().fadd(sum, value);
                self.store(*buffer, *index, sum);
            }
            Stmt::For { .. } => self.for_loop(stmt)?,
            Stmt::If {
                condition,
                then,
                otherwise,
            } => self.branch(*condition, then, otherwise)?,
            Stmt::While {
                header,
                condition,
                body,
            } => self.while_loop(header, *condition, body)?,
            Stmt::Check {
                ok,
                message,
                values,
            } => {
                let operands = self.values(values);
                let site = self.message_site(*message, values);
                let ok = self.truth(*ok);
                self.stop_unless(ok, site, operands);
            }
            _ => self.effect(stmt),
        }
        Ok(())
    }

    /// Statements that call out.
    pub(super) fn effect(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Fill(slice, value) => {
                let (start, count) = self.slice(slice);
                let value = self.value(*value);
                let bits = self.bits(value);
                let address = runtime::fill as *const () as usize;
                self.call_shim(address, &[start, count, bits], None);
            }
            Stmt::Call { .. } => self.call(stmt),
            Stmt::Print { message, values } => {
                let operands = self.values(values);
                self.store_operands(&operands);
                let site = self.message_site(*message, values);
                let (runtime, number) = (self.runtime(), self.site_number(site));
                let address = runtime::print as *const () as usize;
                self.call_shim(address, &[runtime, number, self.arena], None);
            }
            Stmt::Push(value) => {
                let value = self.value(*value);
                let (runtime, bits) = (self.runtime(), self.bits(value));
                let address = runtime::push as *const () as usize;
                self.call_shim(address, &[runtime, bits], None);
            }
            Stmt::PushSlice(slice) => {
                let (start, count) = self.slice(slice);
                let runtime = self.runtime();
                let address = runtime::push_slice as *const () as usize;
                self.call_shim(address, &[runtime, start, count], None);
            }
            Stmt::PopSlice(slice) => {
                let (start, count) = self.slice(slice);
                let (runtime, site) = (self.runtime(), self.site(Site::Tape));
                let address = runtime::pop_slice as *const () as usize;
                self.call_fallible(address, &[runtime, start, count], site);
            }
            _ => {}
        }
    }

    pub(super) fn message_site(&mut self, message: MessageId, values: &[ValueId]) -> usize {
        let kinds = &self.unit.procedure.values;
        let kinds = values.iter().map(|value| kinds[value.0 as usize]).collect();
        self.site(Site::Message { message, kinds })
    }

    pub(super) fn for_loop(&mut self, stmt: &Stmt) -> Compiled {
        let Stmt::For {
            var,
            start,
            end,
            reverse,
            body,
        } = stmt
        else {
            return Ok(());
        };
        if self.unit.options.vectorise && vector::compile_loop(self, stmt)? {
            return Ok(());
        }
        let [first, last] = self.bounds(*start, *end);
        self.counted(*var, first, last, *reverse, |compiler| compiler.block(body))
    }

    /// The first round of a loop and the one behind its last, of the part at hand.
    pub(super) fn bounds(&mut self, start: ValueId, end: ValueId) -> [Value; 2] {
        match self.bounds {
            Some(bounds) => bounds,
            None => [start, end].map(|bound| self.value(bound)),
        }
    }

    /// The displacement from `own` of the slice of that number that a loop keeps, of slices of so many bytes each.
    pub(super) fn kept_slice(&mut self, number: usize, bytes: usize) -> usize {
        let lines = ((number + 1) * bytes).div_ceil(LINE);
        self.unit.kept_lines = self.unit.kept_lines.max(lines);
        let start = match self.parallel {
            Some(parallel) => parallel.zeroed.end,
            None => self.unit.layout.arena_lines * LINE,
        };
        start + number * bytes
    }

    /// A loop over `start..end`, tested at the bottom behind a test at the top.
    pub(super) fn counted(
        &mut self,
        var: ValueId,
        start: Value,
        end: Value,
        reverse: bool,
        body: impl FnOnce(&mut Self) -> Compiled,
    ) -> Compiled {
        let round = self.builder.create_block();
        let exit = self.builder.create_block();
        let at = self.builder.append_block_param(round, I64);
        let first = if reverse {
            self.builder.ins().iadd_imm_s(end, -1)
        } else {
            start
        };
        let any = self.builder.ins().icmp(IntCC::SignedLessThan, start, end);
        let first = [BlockArg::Value(first)];
        self.builder.ins().brif(any, round, &first, exit, &[]);
        self.builder.switch_to_block(round);
        self.define(var, at);
        body(self)?;
        let (next, more) = if reverse {
            let next = self.builder.ins().iadd_imm_s(at, -1);
            let condition = IntCC::SignedGreaterThanOrEqual;
            (next, self.builder.ins().icmp(condition, next, start))
        } else {
            let next = self.builder.ins().iadd_imm_s(at, 1);
            (
                next,
                self.builder.ins().icmp(IntCC::SignedLessThan, next, end),
            )
        };
        let next = [BlockArg::Value(next)];
        self.builder.ins().brif(more, round, &next, exit, &[]);
        self.builder.seal_block(round);
        self.builder.switch_to_block(exit);
        self.builder.seal_block(exit);
        Ok(())
    }

    pub(super) fn branch(
        &mut self,
        condition: ValueId,
        then: &[Stmt],
        otherwise: &[Stmt],
    ) -> Compiled {
        let [on_true, on_false, exit] = [(); 3].map(|()| self.builder.create_block());
        let condition = self.truth(condition);
        self.builder
            .ins()
            .brif(condition, on_true, &[], on_false, &[]);
        for (block, body) in [(on_true, then), (on_false, otherwise)] {
            self.builder.switch_to_block(block);
            self.builder.seal_block(block);
            self.block(body)?;
            self.builder.ins().jump(exit, &[]);
        }
        self.builder.switch_to_block(exit);
        self.builder.seal_block(exit);
        Ok(())
    }

    pub(super) fn while_loop(
        &mut self,
        header: &[Stmt],
        condition: ValueId,
        body: &[Stmt],
    ) -> Compiled {
        let [test, round, exit] = [(); 3].map(|()| self.builder.create_block());
        self.builder.ins().jump(test, &[]);
        self.builder.switch_to_block(test);
        self.block(header)?;
        let condition = self.truth(condition);
        self.builder.ins().brif(condition, round, &[], exit, &[]);
        self.builder.switch_to_block(round);
        self.builder.seal_block(round);
        self.block(body)?;
        self.builder.ins().jump(test, &[]);
        self.builder.seal_block(test);
        self.builder.switch_to_block(exit);
        self.builder.seal_block(exit);
        Ok(())
    }
}

/// The register that holds a scalar.
pub(super) fn machine_type(kind: Kind) -> Type {
    match kind {
        Kind::Int => I64,
        Kind::Real => F64,
    }
}
