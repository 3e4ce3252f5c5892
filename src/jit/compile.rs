//! Translates the statements of a procedure into Cranelift's IR, one function per chunk of the body.
//!
//! Values become SSA values, cells become variables that Cranelift keeps in registers, buffers become memory at
//! constant displacements from a few bases. Every function takes the [`Frame`] and returns 0, or one more than the
//! number of the [`Site`] at which the run stopped.

use super::host::Host;
use super::layout::{Layout, Line, Place, SCALAR};
use super::partition::{self, Chunk, Partition};
use super::runtime::{self, Described, Frame, Site};
use super::{CompileError, CompileOptions, prim, symbols, vector};
use crate::builtins::{Kind, Prim};
use crate::loops::{BufferId, CellId, MessageId, Op, Procedure, Slice, Stmt, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, F64X2, I8, I64};
use cranelift_codegen::ir::{
    AbiParam, AliasRegion, AliasRegionData, Block, BlockArg, InstBuilder, MemFlagsData, SigRef,
    Signature, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, Variable};
use std::mem::offset_of;

/// Buffers beyond so many share one alias region: Cranelift carries each region's last store through every block.
const ALIAS_REGIONS: usize = 48;
/// Memory up to so many bytes is cleared by stores, more by a call.
const CLEARED_INLINE: usize = 256;

/// What all functions of a procedure share.
pub(super) struct Unit<'p> {
    /// The procedure.
    pub procedure: &'p Procedure,
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
    /// Lines at the arena's end that loops keep their blocks in, one after another.
    pub kept_lines: usize,
}

impl Unit<'_> {
    /// The arena's byte where the slice of that number begins, of slices of so many bytes each.
    pub fn kept_slice(&mut self, number: usize, bytes: usize) -> usize {
        let lines = ((number + 1) * bytes).div_ceil(size_of::<Line>());
        self.kept_lines = self.kept_lines.max(lines);
        self.layout.arena_lines * size_of::<Line>() + number * bytes
    }
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
    cells: Vec<Option<Variable>>,
    regions: Vec<AliasRegion>,
    frame: Value,
    pub arena: Value,
    constants: Value,
    inputs: Vec<Option<Value>>,
    outputs: Vec<Option<Value>>,
    /// Signatures of calls, by parameters and result.
    signatures: Vec<(Signature, SigRef)>,
    /// Blocks that end the run, to be filled at the end of the function.
    stops: Vec<PendingStop>,
    target: TargetFrontendConfig,
}

/// A block that ends the run at a site.
struct PendingStop {
    block: Block,
    site: usize,
    /// What goes to the start of the arena.
    operands: Vec<Value>,
}

type Compiled = Result<(), CompileError>;

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
    fn function(mut self, number: usize) -> Compiled {
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
    fn clear_memory(&mut self) {
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

    fn clear(&mut self, base: Value, start: i32, bytes: usize, aligned: bool) {
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

    fn constants_of_earlier_chunks(&mut self, earlier: &[Stmt]) {
        for stmt in earlier {
            if let Stmt::Let(value, op) = stmt {
                self.define_constant(*value, op);
            }
        }
    }

    fn define_constant(&mut self, value: ValueId, op: &Op) {
        match op {
            Op::Int(constant) => self.defs[value.0 as usize] = Def::ConstInt(*constant),
            Op::Real(constant) => self.defs[value.0 as usize] = Def::ConstReal(*constant),
            _ => {}
        }
    }

    /// The arena's displacement of a slot.
    fn slot(&self, slot: usize) -> i32 {
        (self.unit.slots + slot * SCALAR) as i32
    }

    fn enter_cells(&mut self, chunk: &Chunk) {
        let (procedure, partition) = (self.unit.procedure, self.unit.partition);
        for &cell in &chunk.cells {
            let ty = machine_type(procedure.cells[cell.0 as usize].kind);
            let variable = self.builder.declare_var(ty);
            let initial = match partition.cell_slots[cell.0 as usize] {
                Some(slot) => {
                    let at = self.slot(slot);
                    let flags = MemFlagsData::trusted();
                    self.builder.ins().load(ty, flags, self.arena, at)
                }
                None if ty == F64 => self.builder.ins().f64const(0.0),
                None => self.builder.ins().iconst(I64, 0),
            };
            self.builder.def_var(variable, initial);
            self.cells[cell.0 as usize] = Some(variable);
        }
    }

    fn leave_cells(&mut self, chunk: &Chunk) {
        for &cell in &chunk.cells {
            if let Some(slot) = self.unit.partition.cell_slots[cell.0 as usize] {
                let (value, at) = (self.get(cell), self.slot(slot));
                let flags = MemFlagsData::trusted();
                self.builder.ins().store(flags, value, self.arena, at);
            }
        }
    }

    /// Loads the values of earlier functions that a statement of the outermost block uses.
    fn import_values(&mut self, stmt: &Stmt) {
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
    fn export_value(&mut self, stmt: &Stmt) {
        if let Stmt::Let(value, _) = stmt
            && let Some(slot) = self.unit.partition.value_slots[value.0 as usize]
        {
            let (register, at) = (self.value(*value), self.slot(slot));
            let flags = MemFlagsData::trusted();
            self.builder.ins().store(flags, register, self.arena, at);
        }
    }

    // ---- Stopping.

    pub fn site(&mut self, site: Site) -> usize {
        self.unit.sites.push(site);
        self.unit.sites.len() - 1
    }

    /// Goes on if the condition is not zero; else ends the run at a site, leaving operands for its message.
    pub fn stop_unless(&mut self, ok: Value, site: usize, operands: Vec<Value>) {
        let (next, stop) = self.stop_branches(site, operands);
        self.builder.ins().brif(ok, next, &[], stop, &[]);
        self.builder.switch_to_block(next);
        self.builder.seal_block(next);
    }

    /// Ends the run at a site if the condition is not zero.
    fn stop_if(&mut self, failed: Value, site: usize, operands: Vec<Value>) {
        let (next, stop) = self.stop_branches(site, operands);
        self.builder.ins().brif(failed, stop, &[], next, &[]);
        self.builder.switch_to_block(next);
        self.builder.seal_block(next);
    }

    fn stop_branches(&mut self, site: usize, operands: Vec<Value>) -> (Block, Block) {
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

    fn fill_stops(&mut self) {
        for stop in std::mem::take(&mut self.stops) {
            self.builder.switch_to_block(stop.block);
            self.store_operands(&stop.operands);
            let code = self.builder.ins().iconst(I64, stop.site as i64 + 1);
            self.builder.ins().return_(&[code]);
        }
    }

    /// Puts operands at the start of the arena.
    fn store_operands(&mut self, operands: &[Value]) {
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
                .store(flags, wide, self.arena, displacement);
        }
    }

    // ---- Operands.

    /// A value in a register of 64 bits.
    pub fn value(&mut self, value: ValueId) -> Value {
        let kind = self.unit.procedure.values[value.0 as usize];
        self.register(self.defs[value.0 as usize], kind)
    }

    /// A definition in a register of 64 bits.
    pub fn register(&mut self, def: Def, kind: Kind) -> Value {
        match def {
            Def::Register(register) => register,
            Def::ConstInt(constant) => self.builder.ins().iconst(I64, constant),
            Def::ConstReal(constant) => self.builder.ins().f64const(constant),
            Def::Truth(truth) => self.builder.ins().uextend(I64, truth),
            // The verifier excludes this; a constant keeps the code well formed.
            Def::Absent => match kind {
                Kind::Int => self.builder.ins().iconst(I64, 0),
                Kind::Real => self.builder.ins().f64const(f64::NAN),
            },
        }
    }

    pub fn values(&mut self, values: &[ValueId]) -> Vec<Value> {
        values.iter().map(|value| self.value(*value)).collect()
    }

    /// Something that is not zero exactly when the value is not.
    pub fn truth(&mut self, value: ValueId) -> Value {
        match self.defs[value.0 as usize] {
            Def::Truth(truth) => truth,
            _ => self.value(value),
        }
    }

    /// A value in 8 bits, 0 or 1.
    fn flag(&mut self, value: ValueId) -> Value {
        match self.defs[value.0 as usize] {
            Def::Truth(truth) => truth,
            _ => {
                let register = self.value(value);
                self.builder.ins().icmp_imm_s(IntCC::NotEqual, register, 0)
            }
        }
    }

    /// The value as a register plus a constant.
    pub fn affine(&mut self, value: ValueId) -> Affine {
        if let Def::ConstInt(constant) = self.defs[value.0 as usize] {
            return Affine {
                base: None,
                constant,
            };
        }
        match self.affine[value.0 as usize] {
            Some(affine) => affine,
            None => Affine {
                base: Some(self.value(value)),
                constant: 0,
            },
        }
    }

    fn define(&mut self, value: ValueId, register: Value) {
        self.defs[value.0 as usize] = Def::Register(register);
    }

    /// The variable's current value.
    pub fn get(&mut self, cell: CellId) -> Value {
        match self.cells[cell.0 as usize] {
            Some(variable) => self.builder.use_var(variable),
            // The partition lists every cell that a function touches.
            None => self.builder.ins().f64const(f64::NAN),
        }
    }

    /// Changes a cell.
    pub fn set(&mut self, cell: CellId, value: Value) {
        if let Some(variable) = self.cells[cell.0 as usize] {
            self.builder.def_var(variable, value);
        }
    }

    // ---- Memory.

    /// A buffer's base and displacement.
    fn base(&self, buffer: BufferId) -> (Value, i32) {
        match self.unit.layout.places[buffer.0 as usize] {
            Place::Constant(at) => (self.constants, at as i32),
            Place::Arena(at) => (self.arena, at as i32),
            Place::Input(number) => (self.inputs[number as usize].unwrap_or(self.arena), 0),
            Place::Output(number) => (self.outputs[number as usize].unwrap_or(self.arena), 0),
        }
    }

    /// The address of an element: a register and a displacement.
    pub fn address(&mut self, buffer: BufferId, index: Affine) -> (Value, i32) {
        let (base, start) = self.base(buffer);
        let displacement = (index.constant)
            .checked_mul(SCALAR as i64)
            .and_then(|bytes| bytes.checked_add(i64::from(start)))
            .and_then(|bytes| i32::try_from(bytes).ok());
        let (index, displacement) = match displacement {
            Some(displacement) => (index.base, displacement),
            None => (Some(self.materialise(index)), start),
        };
        match index {
            Some(index) => {
                let bytes = self.builder.ins().ishl_imm_u(index, 3);
                (self.builder.ins().iadd(base, bytes), displacement)
            }
            None => (base, displacement),
        }
    }

    /// The integer in one register.
    pub fn materialise(&mut self, affine: Affine) -> Value {
        match affine.base {
            Some(base) if affine.constant == 0 => base,
            Some(base) => self.builder.ins().iadd_imm_s(base, affine.constant),
            None => self.builder.ins().iconst(I64, affine.constant),
        }
    }

    /// How memory of a buffer is accessed.
    pub fn flags(&self, buffer: BufferId) -> MemFlagsData {
        let at = (buffer.0 as usize)
            .min(ALIAS_REGIONS)
            .min(self.regions.len() - 1);
        let flags = MemFlagsData::new()
            .with_notrap()
            .with_alias_region(Some(self.regions[at]));
        match self.unit.layout.places[buffer.0 as usize] {
            Place::Constant(_) | Place::Input(_) => flags.with_readonly(),
            Place::Arena(_) | Place::Output(_) => flags,
        }
    }

    /// An element.
    pub fn load(&mut self, buffer: BufferId, index: ValueId) -> Value {
        self.check_range(buffer, index);
        let kind = self.unit.procedure.buffers[buffer.0 as usize].kind;
        let affine = self.affine(index);
        let (address, displacement) = self.address(buffer, affine);
        let mut flags = self.flags(buffer).with_aligned();
        // Known to be in range wherever it runs, so it may leave a loop.
        if flags.readonly() && affine.base.is_none() {
            flags = flags.with_can_move();
        }
        self.builder
            .ins()
            .load(machine_type(kind), flags, address, displacement)
    }

    /// Writes an element.
    pub fn store(&mut self, buffer: BufferId, index: ValueId, value: Value) {
        let affine = self.affine(index);
        let (address, displacement) = self.address(buffer, affine);
        let flags = self.flags(buffer).with_aligned();
        self.builder
            .ins()
            .store(flags, value, address, displacement);
    }

    /// On request, stops the run where an index is out of range: a bug of the compiler, not of the program.
    fn check_range(&mut self, buffer: BufferId, index: ValueId) {
        if self.unit.options.check_bounds {
            let place = self.affine(index);
            self.check_place(buffer, place);
        }
    }

    /// The same for an index that is not a value.
    pub fn check_place(&mut self, buffer: BufferId, place: Affine) {
        if !self.unit.options.check_bounds {
            return;
        }
        let declared = &self.unit.procedure.buffers[buffer.0 as usize];
        let len = declared.len;
        let site = Site::Range {
            buffer: declared.name.clone(),
            len,
        };
        let site = self.site(site);
        let index = self.materialise(place);
        let inside = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThan, index, len as i64);
        self.stop_unless(inside, site, vec![index]);
    }

    /// A slice's first element and its number of elements.
    fn slice(&mut self, slice: &Slice) -> (Value, Value) {
        self.check_slice(slice);
        let offset = self.affine(slice.offset);
        let (address, displacement) = self.address(slice.buffer, offset);
        let start = self
            .builder
            .ins()
            .iadd_imm_s(address, i64::from(displacement));
        let (rows, cols) = (self.value(slice.rows), self.value(slice.cols));
        let count = self.builder.ins().imul(rows, cols);
        (start, count)
    }

    fn check_slice(&mut self, slice: &Slice) {
        if !self.unit.options.check_bounds {
            return;
        }
        let declared = &self.unit.procedure.buffers[slice.buffer.0 as usize];
        let len = declared.len as i64;
        let site = Site::Range {
            buffer: declared.name.clone(),
            len: declared.len,
        };
        let site = self.site(site);
        let [offset, rows, cols] =
            [slice.offset, slice.rows, slice.cols].map(|value| self.value(value));
        // Sizes no larger than the buffer cannot overflow in the product.
        let mut inside = None;
        for part in [offset, rows, cols] {
            let fits = self
                .builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, part, len);
            inside = Some(match inside {
                Some(others) => self.builder.ins().band(others, fits),
                None => fits,
            });
        }
        let count = self.builder.ins().imul(rows, cols);
        let end = self.builder.ins().iadd(offset, count);
        let fits = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, end, len);
        let inside = match inside {
            Some(others) => self.builder.ins().band(others, fits),
            None => fits,
        };
        self.stop_unless(inside, site, vec![offset]);
    }

    // ---- Calls.

    /// Calls a function of the C calling convention.
    pub fn call_shim(
        &mut self,
        address: usize,
        args: &[Value],
        result: Option<Type>,
    ) -> Option<Value> {
        let mut signature = Signature::new(self.target.default_call_conv);
        for arg in args {
            let ty = self.builder.func.dfg.value_type(*arg);
            signature.params.push(AbiParam::new(ty));
        }
        signature.returns.extend(result.map(AbiParam::new));
        let known = self
            .signatures
            .iter()
            .find(|(known, _)| *known == signature);
        let reference = match known {
            Some((_, reference)) => *reference,
            None => {
                let reference = self.builder.import_signature(signature.clone());
                self.signatures.push((signature, reference));
                reference
            }
        };
        let callee = self.builder.ins().iconst(I64, address as i64);
        let call = self.builder.ins().call_indirect(reference, callee, args);
        self.builder.inst_results(call).first().copied()
    }

    /// Calls a shim that returns 0 for success, and stops at the site if it does not.
    fn call_fallible(&mut self, address: usize, args: &[Value], site: usize) {
        if let Some(failed) = self.call_shim(address, args, Some(I64)) {
            self.stop_if(failed, site, Vec::new());
        }
    }

    /// The address of the runtime.
    fn runtime(&mut self) -> Value {
        let read = MemFlagsData::trusted().with_readonly().with_can_move();
        let at = offset_of!(Frame, runtime) as i32;
        self.builder.ins().load(I64, read, self.frame, at)
    }

    fn site_number(&mut self, site: usize) -> Value {
        self.builder.ins().iconst(I64, site as i64)
    }

    /// A real or integer as the 64 bits of an integer register.
    fn bits(&mut self, value: Value) -> Value {
        if self.builder.func.dfg.value_type(value) == F64 {
            self.builder.ins().bitcast(I64, MemFlagsData::new(), value)
        } else {
            value
        }
    }

    fn call(&mut self, stmt: &Stmt) {
        let Stmt::Call {
            function,
            inputs,
            outputs,
            message,
        } = stmt
        else {
            return;
        };
        let size = size_of::<Described>();
        let bytes = (size * (inputs.len() + outputs.len())) as u32;
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3);
        let slot = self.builder.create_sized_stack_slot(slot);
        for (at, slice) in inputs.iter().chain(outputs).enumerate() {
            let (start, _) = self.slice(slice);
            let (rows, cols) = (self.value(slice.rows), self.value(slice.cols));
            for (field, value) in [
                (offset_of!(Described, start), start),
                (offset_of!(Described, rows), rows),
                (offset_of!(Described, cols), cols),
            ] {
                let displacement = (at * size + field) as i32;
                self.builder
                    .ins()
                    .stack_store(I64, value, slot, displacement);
            }
        }
        let site = self.site(Site::Call {
            function: *function,
            inputs: inputs.len(),
            outputs: outputs.len(),
            message: *message,
        });
        let described = self.builder.ins().stack_addr(I64, slot, 0);
        let (runtime, number) = (self.runtime(), self.site_number(site));
        let address = runtime::call as *const () as usize;
        self.call_fallible(address, &[runtime, number, described], site);
    }

    // ---- Statements.

    pub fn block(&mut self, body: &[Stmt]) -> Compiled {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    pub fn stmt(&mut self, stmt: &Stmt) -> Compiled {
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
    fn effect(&mut self, stmt: &Stmt) {
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

    pub fn message_site(&mut self, message: MessageId, values: &[ValueId]) -> usize {
        let kinds = &self.unit.procedure.values;
        let kinds = values.iter().map(|value| kinds[value.0 as usize]).collect();
        self.site(Site::Message { message, kinds })
    }

    fn for_loop(&mut self, stmt: &Stmt) -> Compiled {
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
        let (first, last) = (self.value(*start), self.value(*end));
        self.counted(*var, first, last, *reverse, |compiler| compiler.block(body))
    }

    /// A loop over `start..end`, tested at the bottom behind a test at the top.
    pub fn counted(
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

    fn branch(&mut self, condition: ValueId, then: &[Stmt], otherwise: &[Stmt]) -> Compiled {
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

    fn while_loop(&mut self, header: &[Stmt], condition: ValueId, body: &[Stmt]) -> Compiled {
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

    // ---- Operations.

    fn op(&mut self, value: ValueId, op: &Op) -> Compiled {
        let register = match op {
            Op::Real(_) | Op::Int(_) => {
                self.define_constant(value, op);
                return Ok(());
            }
            Op::Prim(prim, args) => return self.prim(value, *prim, args),
            Op::Select(condition, then, otherwise) => {
                let condition = self.truth(*condition);
                let (then, otherwise) = (self.value(*then), self.value(*otherwise));
                self.builder.ins().select(condition, then, otherwise)
            }
            Op::Load(buffer, index) => self.load(*buffer, *index),
            Op::Get(cell) => self.get(*cell),
            Op::Draw(draw, args) => {
                let operands = self.values(args);
                self.store_operands(&operands);
                let site = self.site(Site::Draw(*draw));
                let (runtime, number) = (self.runtime(), self.site_number(site));
                let address = runtime::draw as *const () as usize;
                self.call_fallible(address, &[runtime, number, self.arena], site);
                self.load_operand(draw.row().2)
            }
            Op::Pop(kind) => {
                let (runtime, site) = (self.runtime(), self.site(Site::Tape));
                let address = runtime::pop as *const () as usize;
                self.call_fallible(address, &[runtime, self.arena], site);
                self.load_operand(*kind)
            }
        };
        self.define(value, register);
        Ok(())
    }

    /// What a shim left at the start of the arena.
    fn load_operand(&mut self, kind: Kind) -> Value {
        let flags = MemFlagsData::trusted();
        self.builder
            .ins()
            .load(machine_type(kind), flags, self.arena, 0)
    }

    fn prim(&mut self, value: ValueId, prim: Prim, args: &[ValueId]) -> Compiled {
        if let Some(truth) = self.truth_prim(prim, args) {
            self.defs[value.0 as usize] = Def::Truth(truth);
            return Ok(());
        }
        self.note_affine(value, prim, args);
        let operands = self.values(args);
        let result = match prim {
            Prim::ToReal => Some(self.builder.ins().fcvt_from_sint(F64, operands[0])),
            Prim::ToInt => Some(self.builder.ins().fcvt_to_sint_sat(I64, operands[0])),
            _ if prim::is_inline_real(prim, self.unit.host) => {
                prim::real(&mut self.builder, prim, &operands)
            }
            _ => prim::int(&mut self.builder, prim, &operands),
        };
        let register = match result {
            Some(register) => register,
            None => self.kernel(prim, &operands)?,
        };
        self.define(value, register);
        Ok(())
    }

    /// Primitives whose result is a truth value.
    fn truth_prim(&mut self, prim: Prim, args: &[ValueId]) -> Option<Value> {
        if let (Some(condition), &[a, b]) = (prim::int_condition(prim), args) {
            let (a, b) = (self.value(a), self.value(b));
            return Some(self.builder.ins().icmp(condition, a, b));
        }
        match (prim, args) {
            (Prim::Not, &[a]) => {
                let a = self.truth(a);
                Some(self.builder.ins().icmp_imm_s(IntCC::Equal, a, 0))
            }
            (Prim::AndInt, &[a, b]) => {
                let (a, b) = (self.flag(a), self.flag(b));
                Some(self.builder.ins().band(a, b))
            }
            (Prim::OrInt, &[a, b]) => {
                let (a, b) = (self.flag(a), self.flag(b));
                Some(self.builder.ins().bor(a, b))
            }
            (Prim::IsNan | Prim::IsInf | Prim::IntStep, _) => self.question(prim, args),
            _ if prim::real_condition(prim).is_some() => self.question(prim, args),
            _ => None,
        }
    }

    fn question(&mut self, prim: Prim, args: &[ValueId]) -> Option<Value> {
        let operands = self.values(args);
        prim::question(&mut self.builder, prim, &operands)
    }

    /// Remembers sums with constants, which addresses absorb.
    fn note_affine(&mut self, value: ValueId, prim: Prim, args: &[ValueId]) {
        let &[a, b] = args else { return };
        if !matches!(prim, Prim::AddInt | Prim::SubInt) {
            return;
        }
        let (a, b) = (self.affine(a), self.affine(b));
        let sum = match (prim, a.base, b.base) {
            (Prim::AddInt, base, None) | (Prim::AddInt, None, base) => Some(Affine {
                base,
                constant: a.constant.wrapping_add(b.constant),
            }),
            (Prim::SubInt, base, None) => Some(Affine {
                base,
                constant: a.constant.wrapping_sub(b.constant),
            }),
            _ => None,
        };
        self.affine[value.0 as usize] = sum;
    }

    /// Calls the kernel of a primitive; integers travel as reals.
    pub fn kernel(&mut self, prim: Prim, operands: &[Value]) -> Result<Value, CompileError> {
        let symbol = symbols::symbol(prim).ok_or(CompileError::NoKernel(prim))?;
        let mut args = Vec::with_capacity(symbol.arity);
        for operand in operands {
            let integer = self.builder.func.dfg.value_type(*operand) == I64;
            args.push(if integer {
                self.builder.ins().fcvt_from_sint(F64, *operand)
            } else {
                *operand
            });
        }
        let result = self
            .call_shim(symbol.address, &args, Some(F64))
            .ok_or(CompileError::NoKernel(prim))?;
        Ok(match prim.result() {
            Kind::Real => result,
            Kind::Int => self.builder.ins().fcvt_to_sint_sat(I64, result),
        })
    }
}

/// The register that holds a scalar.
pub(super) fn machine_type(kind: Kind) -> Type {
    match kind {
        Kind::Int => I64,
        Kind::Real => F64,
    }
}
