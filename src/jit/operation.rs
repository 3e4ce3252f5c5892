//! Right sides: what each operation on scalars becomes.

use super::compile::{Affine, Compiled, Def, FunctionCompiler, machine_type};
use super::runtime::{self, Site};
use super::{CompileError, prim, symbols};
use crate::builtins::{Kind, Prim};
use crate::loops::{Op, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};

impl FunctionCompiler<'_, '_, '_> {
    // ---- Operations.

    pub(super) fn op(&mut self, value: ValueId, op: &Op) -> Compiled {
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
    pub(super) fn load_operand(&mut self, kind: Kind) -> Value {
        let flags = MemFlagsData::trusted();
        self.builder
            .ins()
            .load(machine_type(kind), flags, self.arena, 0)
    }

    pub(super) fn prim(&mut self, value: ValueId, prim: Prim, args: &[ValueId]) -> Compiled {
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
    pub(super) fn truth_prim(&mut self, prim: Prim, args: &[ValueId]) -> Option<Value> {
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

    pub(super) fn question(&mut self, prim: Prim, args: &[ValueId]) -> Option<Value> {
        let operands = self.values(args);
        prim::question(&mut self.builder, prim, &operands)
    }

    /// Remembers sums with constants, which addresses absorb.
    pub(super) fn note_affine(&mut self, value: ValueId, prim: Prim, args: &[ValueId]) {
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
    pub(super) fn kernel(&mut self, prim: Prim, operands: &[Value]) -> Result<Value, CompileError> {
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
