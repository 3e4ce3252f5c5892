//! Loops in blocks: a loop over blocks, in each of them a loop per segment and the kernels after it.

use super::CompileError;
use super::blocks::{BLOCK, Rounds, Segments};
use super::compile::Compiled;
use super::lanes::{Class, PAIR};
use super::layout::SCALAR;
use super::vector::{Group, Lanes, Sums, implying, zeros};
use super::wide::Wide;
use super::{runtime, symbols};
use crate::loops::{Stmt, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, F64X2, I64};
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::Variable;

impl Rounds for Group<'_, '_, '_, '_> {
    type Error = CompileError;

    fn take(&mut self, stmt: &Stmt) -> Compiled {
        self.stmt(stmt)
    }

    fn bring(&mut self, value: ValueId, number: usize) -> Compiled {
        let Some(address) = self.block else {
            return Ok(());
        };
        let start = self.kept_at(number);
        let flags = MemFlagsData::trusted();
        let load = |at: usize| {
            let displacement = start + (at * PAIR * SCALAR) as i32;
            let ins = self.compiler.builder.ins();
            ins.load(F64X2, flags, address, displacement)
        };
        let vectors = (0..self.plan.unroll).map(load).collect();
        self.lanes.insert(value, Lanes::Reals(vectors));
        Ok(())
    }

    fn keep(&mut self, value: ValueId, number: usize) -> Compiled {
        let Some(address) = self.block else {
            return Ok(());
        };
        let start = self.kept_at(number);
        let flags = MemFlagsData::trusted();
        for (at, vector) in self.reals(value).into_iter().enumerate() {
            let displacement = start + (at * PAIR * SCALAR) as i32;
            let ins = self.compiler.builder.ins();
            ins.store(flags, vector, address, displacement);
        }
        Ok(())
    }
}

impl Group<'_, '_, '_, '_> {
    /// A loop over blocks, in each of them the rounds of each segment and the kernels after it. Returns up to where rounds have been
    /// taken over: up to the end, or to the first block of which a check failed.
    pub(super) fn blocks(
        &mut self,
        segments: &Segments,
        wide: Option<&Wide>,
        var: ValueId,
        [start, end]: [Value; 2],
        body: &[Stmt],
    ) -> Result<Value, CompileError> {
        let [block, exit] = [(); 2].map(|()| self.compiler.builder.create_block());
        let from = self.compiler.builder.append_block_param(block, I64);
        let done = self.compiler.builder.append_block_param(exit, I64);
        let first = [BlockArg::Value(start)];
        let builder = &mut self.compiler.builder;
        builder.ins().jump(block, &first);
        builder.switch_to_block(block);
        let full = builder.ins().iadd_imm_s(from, BLOCK as i64);
        let is_full = builder.ins().icmp(IntCC::SignedLessThan, full, end);
        let to = builder.ins().select(is_full, full, end);
        let before = self.sums_so_far();
        for segment in 0..segments.count {
            if segment == segments.checked {
                self.stop_unless_checked(body, &before, exit, from);
            }
            if let Some(wide) = wide {
                self.wide_rounds(wide, segment, from, to)?;
            } else {
                self.pair_rounds(segments, segment, var, [from, to], body)?;
            }
            self.kernels(segments, segment, body, from, to)?;
            self.log_sums(segments, segment, body, from, to)?;
        }
        if segments.checked == segments.count {
            self.stop_unless_checked(body, &before, exit, from);
        }
        for scatter in segments.scatters.values() {
            if let Some(&number) = segments.kept.get(&scatter.value) {
                self.scatter(scatter, number, from, to);
            }
        }
        let builder = &mut self.compiler.builder;
        let more = builder.ins().icmp(IntCC::SignedLessThan, to, end);
        let next = [BlockArg::Value(to)];
        builder.ins().brif(more, block, &next, exit, &next);
        builder.seal_block(block);
        builder.switch_to_block(exit);
        builder.seal_block(exit);
        Ok(done)
    }

    /// The rounds of a segment in pairs.
    fn pair_rounds(
        &mut self,
        segments: &Segments,
        segment: usize,
        var: ValueId,
        [from, to]: [Value; 2],
        body: &[Stmt],
    ) -> Compiled {
        self.lanes.clear();
        let sums = self.sums_of_segment(segments, segment, body);
        let before_segment = std::mem::replace(&mut self.sums, sums);
        self.rounds(var, from, to, |group| {
            let at = group.compiler.value(var);
            let builder = &mut group.compiler.builder;
            let distance = builder.ins().isub(at, from);
            let bytes = builder.ins().ishl_imm_u(distance, 3);
            let address = builder.ins().iadd(group.compiler.own, bytes);
            group.block = Some(address);
            segments.walk(group.plan, body, segment, group)
        })?;
        let sums = std::mem::replace(&mut self.sums, before_segment);
        self.add_sums(&sums);
        Ok(())
    }

    /// Running sums for the rounds of a segment alone: registers hold them, as they do not live across the kernels' calls.
    fn sums_of_segment(&mut self, segments: &Segments, segment: usize, body: &[Stmt]) -> Sums {
        let mut sums = Sums::new();
        for (at, stmt) in body.iter().enumerate() {
            if let Some(target) = self.plan.target(stmt)
                && segments.of_stmt[at] == segment
                && !segments.log_sums.contains_key(&at)
                && !sums.contains_key(&target)
                && let Some(variables) = self.sums.get(&target)
            {
                let own = variables.iter().map(|_| zeros(self.compiler)).collect();
                sums.insert(target, own);
            }
        }
        sums
    }

    /// Adds the sums of a segment's rounds to the loop's.
    fn add_sums(&mut self, sums: &Sums) {
        let builder = &mut self.compiler.builder;
        for (target, variables) in sums {
            for (total, of_segment) in self.sums[target].iter().zip(variables) {
                let (before, more) = (builder.use_var(*total), builder.use_var(*of_segment));
                let sum = builder.ins().fadd(before, more);
                builder.def_var(*total, sum);
            }
        }
    }

    /// What the sums are at this point.
    fn sums_so_far(&mut self) -> Vec<(Variable, Value)> {
        let builder = &mut self.compiler.builder;
        let variables = self.sums.values().flatten();
        let so_far = variables.map(|variable| (*variable, builder.use_var(*variable)));
        so_far.collect()
    }

    /// Leaves the loop over blocks if a check has failed, with the sums as they were before this block.
    fn stop_unless_checked(
        &mut self,
        body: &[Stmt],
        before: &[(Variable, Value)],
        exit: Block,
        from: Value,
    ) {
        let Some(checks) = self.checks else { return };
        let [held, failed] = [(); 2].map(|()| self.compiler.builder.create_block());
        let implying = implying(self.plan, body, &self.sums);
        let all = checks.held(self.compiler, implying);
        let builder = &mut self.compiler.builder;
        builder.ins().brif(all, held, &[], failed, &[]);
        builder.switch_to_block(failed);
        builder.seal_block(failed);
        builder.set_cold_block(failed);
        for (variable, value) in before {
            builder.def_var(*variable, *value);
        }
        builder.ins().jump(exit, &[BlockArg::Value(from)]);
        builder.switch_to_block(held);
        builder.seal_block(held);
    }

    /// The displacement of a kept value's slice.
    pub(super) fn kept_at(&mut self, number: usize) -> i32 {
        self.compiler.kept_slice(number, BLOCK * SCALAR) as i32
    }

    /// Calls the kernels whose arguments a segment has computed.
    pub(super) fn kernels(
        &mut self,
        segments: &Segments,
        segment: usize,
        body: &[Stmt],
        from: Value,
        to: Value,
    ) -> Compiled {
        for (stmt, of_stmt) in body.iter().zip(&segments.of_stmt) {
            let Stmt::Let(value, _) = stmt else { continue };
            let Some((prim, args)) = segments.slice_call(self.plan, stmt) else {
                continue;
            };
            if *of_stmt != segment {
                continue;
            }
            let (Some(&result), Some(address)) =
                (segments.kept.get(value), symbols::slice_symbol(prim))
            else {
                return Err(CompileError::NoKernel(prim));
            };
            let count = self.compiler.builder.ins().isub(to, from);
            let mut operands = Vec::with_capacity(args.len() + 2);
            for arg in args {
                let Some(&number) = segments.kept.get(arg) else {
                    return Err(CompileError::NoKernel(prim));
                };
                let start = self.kept_start(number);
                if self.plan.class(*arg) == Class::Uniform {
                    self.lay_out(*arg, start, count);
                }
                operands.push(start);
            }
            operands.extend([self.kept_start(result), count]);
            self.compiler.call_shim(address, &operands, None);
        }
        Ok(())
    }

    /// The address of a kept value's slice.
    fn kept_start(&mut self, number: usize) -> Value {
        let at = i64::from(self.kept_at(number));
        let own = self.compiler.own;
        self.compiler.builder.ins().iadd_imm_s(own, at)
    }

    /// Fills a slice with a value that is the same in all rounds, for a kernel that takes one per round.
    fn lay_out(&mut self, value: ValueId, start: Value, count: Value) {
        let compiler = &mut *self.compiler;
        let value = compiler.value(value);
        let bits = compiler.bits(value);
        let fill = runtime::fill as *const () as usize;
        compiler.call_shim(fill, &[start, count, bits], None);
    }

    /// Adds up the logarithms whose arguments are there after a segment.
    fn log_sums(
        &mut self,
        segments: &Segments,
        segment: usize,
        body: &[Stmt],
        from: Value,
        to: Value,
    ) -> Compiled {
        for (&at, sum) in &segments.log_sums {
            if segments.of_stmt[at] != segment {
                continue;
            }
            let (Some(&arg), Some(address), Some(target)) = (
                segments.kept.get(&sum.arg),
                symbols::sum_symbol(sum.prim),
                self.plan.target(&body[at]),
            ) else {
                return Err(CompileError::NoKernel(sum.prim));
            };
            let arg = self.kept_at(arg);
            let compiler = &mut *self.compiler;
            let count = compiler.builder.ins().isub(to, from);
            let arg = compiler
                .builder
                .ins()
                .iadd_imm_s(compiler.own, i64::from(arg));
            if let Some(total) = compiler.call_shim(address, &[arg, count], Some(F64)) {
                self.add_scalar_to_sum(target, total);
            }
        }
        Ok(())
    }
}
