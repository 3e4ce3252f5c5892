//! Operands, memory and calls: what statements are translated with.

use super::compile::{ALIAS_REGIONS, Affine, Def, FunctionCompiler, machine_type};
use super::layout::{Place, SCALAR};
use super::runtime::{self, Described, Frame, Site};
use crate::builtins::Kind;
use crate::loops::{BufferId, CellId, Slice, Stmt, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{
    AbiParam, InstBuilder, MemFlagsData, SigRef, Signature, StackSlotData, StackSlotKind, Type,
    Value,
};
use std::mem::offset_of;

impl FunctionCompiler<'_, '_, '_> {
    // ---- Operands.

    /// A value in a register of 64 bits.
    pub(super) fn value(&mut self, value: ValueId) -> Value {
        let kind = self.unit.procedure.values[value.0 as usize];
        self.register(self.defs[value.0 as usize], kind)
    }

    /// A definition in a register of 64 bits.
    pub(super) fn register(&mut self, def: Def, kind: Kind) -> Value {
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

    pub(super) fn values(&mut self, values: &[ValueId]) -> Vec<Value> {
        values.iter().map(|value| self.value(*value)).collect()
    }

    /// Something that is not zero exactly when the value is not.
    pub(super) fn truth(&mut self, value: ValueId) -> Value {
        match self.defs[value.0 as usize] {
            Def::Truth(truth) => truth,
            _ => self.value(value),
        }
    }

    /// A value in 8 bits, 0 or 1.
    pub(super) fn flag(&mut self, value: ValueId) -> Value {
        match self.defs[value.0 as usize] {
            Def::Truth(truth) => truth,
            _ => {
                let register = self.value(value);
                self.builder.ins().icmp_imm_s(IntCC::NotEqual, register, 0)
            }
        }
    }

    /// The value as a register plus a constant.
    pub(super) fn affine(&mut self, value: ValueId) -> Affine {
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

    pub(super) fn define(&mut self, value: ValueId, register: Value) {
        self.defs[value.0 as usize] = Def::Register(register);
    }

    /// The variable's current value.
    pub(super) fn get(&mut self, cell: CellId) -> Value {
        match self.cells[cell.0 as usize] {
            Some(variable) => self.builder.use_var(variable),
            // The partition lists every cell that a function touches.
            None => self.builder.ins().f64const(f64::NAN),
        }
    }

    /// Changes a cell.
    pub(super) fn set(&mut self, cell: CellId, value: Value) {
        if let Some(variable) = self.cells[cell.0 as usize] {
            self.builder.def_var(variable, value);
        }
    }

    // ---- Memory.

    /// A buffer's base and displacement.
    pub(super) fn base(&self, buffer: BufferId) -> (Value, i32) {
        if let Some(at) = self.parallel.and_then(|it| it.table(buffer)) {
            return (self.own, at as i32);
        }
        match self.unit.layout.places[buffer.0 as usize] {
            Place::Constant(at) => (self.constants, at as i32),
            Place::Arena(at) => (self.arena, at as i32),
            Place::Input(number) => (self.inputs[number as usize].unwrap_or(self.arena), 0),
            Place::Output(number) => (self.outputs[number as usize].unwrap_or(self.arena), 0),
        }
    }

    /// The address of an element: a register and a displacement.
    pub(super) fn address(&mut self, buffer: BufferId, index: Affine) -> (Value, i32) {
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

    /// The address of an element in one register.
    pub(super) fn element(&mut self, buffer: BufferId, index: Affine) -> Value {
        let (address, displacement) = self.address(buffer, index);
        let displacement = i64::from(displacement);
        self.builder.ins().iadd_imm_s(address, displacement)
    }

    /// The integer in one register.
    pub(super) fn materialise(&mut self, affine: Affine) -> Value {
        match affine.base {
            Some(base) if affine.constant == 0 => base,
            Some(base) => self.builder.ins().iadd_imm_s(base, affine.constant),
            None => self.builder.ins().iconst(I64, affine.constant),
        }
    }

    /// How memory of a buffer is accessed.
    pub(super) fn flags(&self, buffer: BufferId) -> MemFlagsData {
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
    pub(super) fn load(&mut self, buffer: BufferId, index: ValueId) -> Value {
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
    pub(super) fn store(&mut self, buffer: BufferId, index: ValueId, value: Value) {
        let affine = self.affine(index);
        let (address, displacement) = self.address(buffer, affine);
        let flags = self.flags(buffer).with_aligned();
        self.builder
            .ins()
            .store(flags, value, address, displacement);
    }

    /// On request, stops the run where an index is out of range: a bug of the compiler, not of the program.
    pub(super) fn check_range(&mut self, buffer: BufferId, index: ValueId) {
        if self.unit.options.check_bounds {
            let place = self.affine(index);
            self.check_place(buffer, place);
        }
    }

    /// The same for an index that is not a value.
    pub(super) fn check_place(&mut self, buffer: BufferId, place: Affine) {
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
    pub(super) fn slice(&mut self, slice: &Slice) -> (Value, Value) {
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

    pub(super) fn check_slice(&mut self, slice: &Slice) {
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
        // Sizes below any buffer's limit cannot overflow in the product; one of an empty slice's may exceed the buffer's.
        let most = i64::from(i32::MAX);
        let mut inside = None;
        for (part, most) in [(offset, len), (rows, most), (cols, most)] {
            let fits = self
                .builder
                .ins()
                .icmp_imm_u(IntCC::UnsignedLessThanOrEqual, part, most);
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
    pub(super) fn call_shim(
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
        let reference = self.signature(signature);
        let callee = self.builder.ins().iconst(I64, address as i64);
        let call = self.builder.ins().call_indirect(reference, callee, args);
        self.builder.inst_results(call).first().copied()
    }

    /// A signature for calls.
    pub(super) fn signature(&mut self, signature: Signature) -> SigRef {
        let known = self
            .signatures
            .iter()
            .find(|(known, _)| *known == signature);
        match known {
            Some((_, reference)) => *reference,
            None => {
                let reference = self.builder.import_signature(signature.clone());
                self.signatures.push((signature, reference));
                reference
            }
        }
    }

    /// Calls a shim that returns 0 for success, and stops at the site if it does not.
    pub(super) fn call_fallible(&mut self, address: usize, args: &[Value], site: usize) {
        if let Some(failed) = self.call_shim(address, args, Some(I64)) {
            self.stop_if(failed, site, Vec::new());
        }
    }

    /// The address of the runtime.
    pub(super) fn runtime(&mut self) -> Value {
        let read = MemFlagsData::trusted().with_readonly().with_can_move();
        let at = offset_of!(Frame, runtime) as i32;
        self.builder.ins().load(I64, read, self.frame, at)
    }

    pub(super) fn site_number(&mut self, site: usize) -> Value {
        self.builder.ins().iconst(I64, site as i64)
    }

    /// A real or integer as the 64 bits of an integer register.
    pub(super) fn bits(&mut self, value: Value) -> Value {
        if self.builder.func.dfg.value_type(value) == F64 {
            self.builder.ins().bitcast(I64, MemFlagsData::new(), value)
        } else {
            value
        }
    }

    pub(super) fn call(&mut self, stmt: &Stmt) {
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
}
