//! Innermost loops several rounds at once, in pairs of lanes, with the rounds left over one by one.
//!
//! Uniform values and the places of a loop's first lane are computed once per group of rounds, by the scalar
//! translation; reals are vectors; everything else (gathers, kernels, integers) is taken apart into lanes, for each of
//! which the scalar translation runs. If a check fails in any lane, the loop (of a loop in blocks: what begins with that
//! block) is run again round by round: the failing round then says what it has to say.

use super::CompileError;
use super::blocks::Segments;
use super::compile::{Compiled, Def, FunctionCompiler};
use super::lanes::{PAIR, Plan, Target};
use super::wide::Wide;
use super::{prim, runtime};
use crate::builtins::Scalar;
use crate::loops::{CellId, Stmt, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64X2, I64, I64X2};
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::Variable;
use std::collections::{BTreeMap, BTreeSet};

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
    let unit = &compiler.unit;
    let plan = Plan::new(unit.procedure, &unit.definitions, stmt, unit.host, known);
    let Some(mut plan) = plan else {
        return Ok(false);
    };
    if compiler.parallel.is_some() {
        plan.rounds = None;
    }
    let segments = Segments::new(compiler.unit.procedure, &plan, body);
    plan.repeatable |= segments.is_some();
    let wide = Wide::new(compiler, &plan, segments.as_ref(), body);
    let size = match &wide {
        Some(_) => 1,
        None => (PAIR * plan.unroll) as i64,
    };
    let [start, end] = compiler.bounds(*start, *end);
    let sums = declare_sums(compiler, &plan, body);
    let checks = plan.checked.then(|| Checks::declare(compiler, &plan));
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
    let done = match (&segments, &wide) {
        (None, Some(wide)) => {
            group.wide_rounds(wide, 0, start, limit)?;
            limit
        }
        (None, None) => {
            group.rounds(*var, start, limit, |group| {
                body.iter().try_for_each(|stmt| group.stmt(stmt))?;
                group.leave_locals();
                Ok(())
            })?;
            limit
        }
        (Some(segments), _) => group.blocks(segments, wide.as_ref(), *var, [start, limit], body)?,
    };
    let Group { compiler, sums, .. } = group;
    compiler.builder.ins().jump(finish, &[]);
    compiler.builder.switch_to_block(finish);
    compiler.builder.seal_block(finish);
    if let (Some(checks), None) = (checks, &segments) {
        let commit = compiler.builder.create_block();
        let held = checks.held(compiler, implying(&plan, body, &sums));
        compiler
            .builder
            .ins()
            .brif(held, commit, &[], rest, &at_start);
        compiler.builder.switch_to_block(commit);
        compiler.builder.seal_block(commit);
    }
    commit_sums(compiler, &sums);
    compiler.builder.ins().jump(rest, &[BlockArg::Value(done)]);
    compiler.builder.switch_to_block(rest);
    compiler.builder.seal_block(rest);
    let is_done = match &wide {
        Some(_) => !plan.checked,
        None => plan.is_exact(),
    };
    if !is_done {
        compiler.counted(*var, rest_at, end, false, |compiler| compiler.block(body))?;
    }
    Ok(true)
}

/// The running sum of each target. Of products it has a vector for each of a group's vectors, so that one fused
/// multiply-add need not wait for the other, unless there are many; of anything else one vector, to which the sum of the group's is added, so
/// that sums take few registers.
pub(super) type Sums = BTreeMap<Target, Vec<Variable>>;

fn declare_sums(compiler: &mut FunctionCompiler<'_, '_, '_>, plan: &Plan, body: &[Stmt]) -> Sums {
    let mut sums = Sums::new();
    for stmt in body {
        let Some(target) = plan.target(stmt) else {
            continue;
        };
        let (Stmt::Add(_, value) | Stmt::Accumulate(_, _, value)) = stmt else {
            continue;
        };
        let vectors = match plan.splits_sums && plan.products.contains_key(value) {
            true => plan.unroll,
            false => 1,
        };
        let variables = sums.entry(target).or_default();
        while variables.len() < vectors {
            variables.push(zeros(compiler));
        }
    }
    sums
}

pub(super) fn zeros(compiler: &mut FunctionCompiler<'_, '_, '_>) -> Variable {
    let address = &raw const runtime::ZEROS as i64;
    let address = compiler.builder.ins().iconst(I64, address);
    let flags = MemFlagsData::trusted();
    let zero = compiler.builder.ins().load(F64X2, flags, address, 0);
    let variable = compiler.builder.declare_var(F64X2);
    compiler.builder.def_var(variable, zero);
    variable
}

/// Whether every check has held so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checks {
    /// The mask of the lanes in which all have.
    pub mask: Variable,
    /// The sum of [`Plan::sums_finite`].
    pub finite: Option<Variable>,
}

impl Checks {
    fn declare(compiler: &mut FunctionCompiler<'_, '_, '_>, plan: &Plan) -> Checks {
        let mask = compiler.builder.declare_var(I64X2);
        let ones = compiler.builder.ins().iconst(I64, -1);
        let ones = compiler.builder.ins().splat(I64X2, ones);
        compiler.builder.def_var(mask, ones);
        let sums_finite = plan.sums_finite();
        Checks {
            mask,
            finite: sums_finite.then(|| zeros(compiler)),
        }
    }

    /// Whether all have held, as a truth value.
    pub(super) fn held(
        self,
        compiler: &mut FunctionCompiler<'_, '_, '_>,
        implying: Vec<Variable>,
    ) -> Value {
        let mut mask = compiler.builder.use_var(self.mask);
        for sum in self.finite.into_iter().chain(implying) {
            let sum = compiler.builder.use_var(sum);
            let finite = prim::finite(&mut compiler.builder, sum);
            mask = compiler.builder.ins().band(mask, finite);
        }
        compiler.builder.ins().vall_true(mask)
    }
}

/// The sums that are finite only if numbers that have to be finite are.
pub(super) fn implying(plan: &Plan, body: &[Stmt], sums: &Sums) -> Vec<Variable> {
    let places: BTreeSet<usize> = match plan.repeatable {
        true => plan.implied.values().copied().collect(),
        false => BTreeSet::new(),
    };
    let targets: BTreeSet<Target> = places
        .into_iter()
        .filter_map(|place| plan.target(&body[place]))
        .collect();
    targets
        .into_iter()
        .filter_map(|target| sums.get(&target))
        .flatten()
        .copied()
        .collect()
}

/// Adds the sums of all lanes to their targets.
fn commit_sums(compiler: &mut FunctionCompiler<'_, '_, '_>, sums: &Sums) {
    for (target, variables) in sums {
        let vectors = variables
            .iter()
            .map(|vector| compiler.builder.use_var(*vector));
        let vectors: Vec<Value> = vectors.collect();
        let both = |a, b| compiler.builder.ins().fadd(a, b);
        let Some(total) = vectors.into_iter().reduce(both) else {
            continue;
        };
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
    /// Where the outcomes of checks go.
    pub checks: Option<Checks>,
    /// For loops in segments the memory of blocks plus the group's distance from the block's start, in bytes.
    pub block: Option<Value>,
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
        if let Some(target) = self.plan.target(stmt)
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
