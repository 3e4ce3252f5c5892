//! Innermost loops several rounds at once, in pairs of lanes, with the rounds left over one by one.
//!
//! Uniform values and the places of a loop's first lane are computed once per group of rounds, by the scalar
//! translation; reals are vectors; everything else (gathers, kernels, integers) is taken apart into lanes, for each of
//! which the scalar translation runs. If a check fails in any lane, the loop is run again round by round when it is
//! through: the failing round then says what it has to say.

use super::CompileError;
use super::blocks::Segments;
use super::compile::{Compiled, Def, FunctionCompiler};
use super::lanes::{CellUse, Class, PAIR, Plan};
use super::prim;
use crate::builtins::Scalar;
use crate::loops::{BufferId, CellId, Stmt, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64X2, I64, I64X2};
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value};
use cranelift_frontend::Variable;
use std::collections::BTreeMap;

/// Compiles a loop in groups of rounds, if that is possible and pays; else does nothing and returns false.
pub(super) fn compile_loop(
    compiler: &mut FunctionCompiler<'_, '_, '_>,
    stmt: &Stmt,
) -> Result<bool, CompileError> {
    let Stmt::For {
        var,
        start,
        end,
        body,
        ..
    } = stmt
    else {
        return Ok(false);
    };
    let known = |value: ValueId| match compiler.defs[value.0 as usize] {
        Def::ConstInt(constant) => Some(Scalar::Int(constant)),
        Def::ConstReal(constant) => Some(Scalar::Real(constant)),
        _ => None,
    };
    let Some(plan) = Plan::new(compiler.unit.procedure, stmt, compiler.unit.host, known) else {
        return Ok(false);
    };
    let role = |buffer: BufferId| {
        compiler.unit.procedure.buffers[buffer.0 as usize]
            .role
            .clone()
    };
    let segments = Segments::new(&plan, body, role);
    let size = (PAIR * plan.unroll) as i64;
    let (start, end) = (compiler.value(*start), compiler.value(*end));
    let sums = declare_sums(compiler, &plan, body);
    let checks = plan.checked.then(|| declare_checks(compiler));
    let [first_group, finish, rest] = [(); 3].map(|()| compiler.builder.create_block());
    let rest_at = compiler.builder.append_block_param(rest, I64);
    // The rounds in full groups, and where they end.
    let rounds = compiler.builder.ins().isub(end, start);
    let whole = compiler.builder.ins().band_imm_s(rounds, -size);
    let limit = compiler.builder.ins().iadd(start, whole);
    let any = compiler
        .builder
        .ins()
        .icmp_imm_s(IntCC::SignedGreaterThan, whole, 0);
    let at_start = [BlockArg::Value(start)];
    compiler
        .builder
        .ins()
        .brif(any, first_group, &[], rest, &at_start);
    compiler.builder.switch_to_block(first_group);
    compiler.builder.seal_block(first_group);
    let mut group = Group {
        compiler,
        plan: &plan,
        sums,
        lanes: BTreeMap::new(),
        locals: BTreeMap::new(),
        checks,
        block: None,
    };
    match &segments {
        None => group.rounds(*var, start, limit, |group| {
            body.iter().try_for_each(|stmt| group.stmt(stmt))?;
            group.leave_locals();
            Ok(())
        })?,
        Some(segments) => group.blocks(segments, *var, start, limit, body)?,
    }
    let Group { compiler, sums, .. } = group;
    compiler.builder.ins().jump(finish, &[]);
    compiler.builder.switch_to_block(finish);
    compiler.builder.seal_block(finish);
    if let Some(checks) = checks {
        let commit = compiler.builder.create_block();
        let held = compiler.builder.use_var(checks);
        let held = compiler.builder.ins().vall_true(held);
        compiler
            .builder
            .ins()
            .brif(held, commit, &[], rest, &at_start);
        compiler.builder.switch_to_block(commit);
        compiler.builder.seal_block(commit);
    }
    commit_sums(compiler, &sums);
    compiler.builder.ins().jump(rest, &[BlockArg::Value(limit)]);
    compiler.builder.switch_to_block(rest);
    compiler.builder.seal_block(rest);
    if !plan.is_exact() {
        compiler.counted(*var, rest_at, end, false, |compiler| compiler.block(body))?;
    }
    Ok(true)
}

/// What a sum over the rounds goes to in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Cell(CellId),
    /// An element whose index is the same in all rounds.
    Element(BufferId, ValueId),
}

/// The running sum of each target: one vector, to which the sum of a group's vectors is added, so that sums take few
/// registers.
pub(super) type Sums = BTreeMap<Target, Variable>;

/// What a statement adds up over all rounds.
fn target(plan: &Plan, stmt: &Stmt) -> Option<Target> {
    match stmt {
        Stmt::Add(cell, _) if plan.cells.get(cell) == Some(&CellUse::Sum) => {
            Some(Target::Cell(*cell))
        }
        Stmt::Accumulate(buffer, index, _) if plan.class(*index) == Class::Uniform => {
            Some(Target::Element(*buffer, *index))
        }
        _ => None,
    }
}

fn declare_sums(compiler: &mut FunctionCompiler<'_, '_, '_>, plan: &Plan, body: &[Stmt]) -> Sums {
    let mut sums = Sums::new();
    for target in body.iter().filter_map(|stmt| target(plan, stmt)) {
        sums.entry(target).or_insert_with(|| {
            let zero = prim::constant(&mut compiler.builder, F64X2, 0.0);
            let variable = compiler.builder.declare_var(F64X2);
            compiler.builder.def_var(variable, zero);
            variable
        });
    }
    sums
}

/// The mask of the lanes in which every check has held so far.
fn declare_checks(compiler: &mut FunctionCompiler<'_, '_, '_>) -> Variable {
    let variable = compiler.builder.declare_var(I64X2);
    let ones = compiler.builder.ins().iconst(I64, -1);
    let ones = compiler.builder.ins().splat(I64X2, ones);
    compiler.builder.def_var(variable, ones);
    variable
}

/// Adds the sums of all lanes to their targets.
fn commit_sums(compiler: &mut FunctionCompiler<'_, '_, '_>, sums: &Sums) {
    for (target, variable) in sums {
        let total = compiler.builder.use_var(*variable);
        let [low, high] = [0u8, 1].map(|lane| compiler.builder.ins().extractlane(total, lane));
        let total = compiler.builder.ins().fadd(low, high);
        match *target {
            Target::Cell(cell) => {
                let before = compiler.get(cell);
                let sum = compiler.builder.ins().fadd(before, total);
                compiler.set(cell, sum);
            }
            Target::Element(buffer, index) => {
                let before = compiler.load(buffer, index);
                let sum = compiler.builder.ins().fadd(before, total);
                compiler.store(buffer, index, sum);
            }
        }
    }
}

/// A value that differs between the rounds of a group.
#[derive(Clone, Debug)]
pub(super) enum Lanes {
    /// Integers, one definition a lane.
    Ints(Vec<Def>),
    /// Truth values: vectors of all ones or all zeros.
    Mask(Vec<Value>),
    /// Reals: vectors.
    Reals(Vec<Value>),
}

/// What a local cell holds.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Uniform(Def),
    Varying(Lanes),
}

/// The translation of one group of rounds.
pub(super) struct Group<'g, 'u, 'p, 'f> {
    pub compiler: &'g mut FunctionCompiler<'u, 'p, 'f>,
    pub plan: &'g Plan,
    pub sums: Sums,
    pub lanes: BTreeMap<ValueId, Lanes>,
    pub locals: BTreeMap<CellId, Held>,
    /// The mask of the lanes in which every check has held.
    pub checks: Option<Variable>,
    /// Where this group is in its block, for loops in segments.
    pub block: Option<Place>,
}

/// A group's place in a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The segment.
    pub segment: usize,
    /// The arena plus the group's distance from the block's start, in bytes.
    pub address: Value,
}

impl Group<'_, '_, '_, '_> {
    pub(super) fn size(&self) -> usize {
        PAIR * self.plan.unroll
    }

    /// A loop over the groups from `start` to `end`, of which there is at least one.
    pub(super) fn rounds(
        &mut self,
        var: ValueId,
        start: Value,
        end: Value,
        body: impl FnOnce(&mut Self) -> Compiled,
    ) -> Compiled {
        let size = self.size() as i64;
        let [round, exit] = [(); 2].map(|()| self.compiler.builder.create_block());
        let at = self.compiler.builder.append_block_param(round, I64);
        let first = [BlockArg::Value(start)];
        self.compiler.builder.ins().jump(round, &first);
        self.compiler.builder.switch_to_block(round);
        self.compiler.defs[var.0 as usize] = Def::Register(at);
        body(self)?;
        let builder = &mut self.compiler.builder;
        let next = builder.ins().iadd_imm_s(at, size);
        let more = builder.ins().icmp(IntCC::SignedLessThan, next, end);
        let next = [BlockArg::Value(next)];
        builder.ins().brif(more, round, &next, exit, &[]);
        builder.seal_block(round);
        builder.switch_to_block(exit);
        builder.seal_block(exit);
        Ok(())
    }

    // ---- Statements.

    pub(super) fn stmt(&mut self, stmt: &Stmt) -> Compiled {
        if let Some(target) = target(self.plan, stmt)
            && let Stmt::Add(_, value) | Stmt::Accumulate(_, _, value) = stmt
        {
            self.add_to_sum(target, *value);
            return Ok(());
        }
        match stmt {
            Stmt::Let(value, op) => self.define(stmt, *value, op),
            Stmt::Set(cell, value) => {
                let held = self.held(*value);
                self.locals.insert(*cell, held);
                Ok(())
            }
            Stmt::Add(cell, value) => {
                self.add_to_local(*cell, *value);
                Ok(())
            }
            Stmt::Store(buffer, index, value) | Stmt::Accumulate(buffer, index, value) => {
                self.write(stmt, *buffer, *index, *value)
            }
            Stmt::Check { ok, .. } => {
                self.check(*ok);
                Ok(())
            }
            // The plan admits nothing else.
            _ => Ok(()),
        }
    }
}
