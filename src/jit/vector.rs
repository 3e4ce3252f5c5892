//! Innermost loops several rounds at once, in pairs of lanes, with the rounds left over one by one.
//!
//! Uniform values and the places of a loop's first lane are computed once per group of rounds, by the scalar
//! translation; reals are vectors; everything else (gathers, kernels, integers) is taken apart into lanes, for each of
//! which the scalar translation runs. If a check fails in any lane, the loop is run again round by round when it is
//! through: the failing round then says what it has to say.

use super::CompileError;
use super::blocks::{self, BLOCK, Segments};
use super::compile::{Affine, Def, FunctionCompiler};
use super::lanes::{CellUse, Class, PAIR, Plan};
use super::layout::SCALAR;
use super::partition::operands;
use super::{prim, symbols};
use crate::builtins::{Kind, Prim};
use crate::loops::{BufferId, CellId, Op, Stmt, ValueId};
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
        Def::ConstInt(constant) => Some(constant),
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
enum Target {
    Cell(CellId),
    /// An element whose index is the same in all rounds.
    Element(BufferId, ValueId),
}

/// The running sums of each target, a vector register each.
type Sums = BTreeMap<Target, Vec<Variable>>;

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
            let declare = |_| {
                let variable = compiler.builder.declare_var(F64X2);
                compiler.builder.def_var(variable, zero);
                variable
            };
            (0..plan.unroll).map(declare).collect()
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
    for (target, variables) in sums {
        let mut total = None;
        for variable in variables {
            let sum = compiler.builder.use_var(*variable);
            total = Some(match total {
                Some(others) => compiler.builder.ins().fadd(others, sum),
                None => sum,
            });
        }
        let Some(total) = total else { continue };
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
enum Lanes {
    /// Integers, one definition a lane.
    Ints(Vec<Def>),
    /// Truth values: vectors of all ones or all zeros.
    Mask(Vec<Value>),
    /// Reals: vectors.
    Reals(Vec<Value>),
}

/// What a local cell holds.
#[derive(Clone, Debug)]
enum Held {
    Uniform(Def),
    Varying(Lanes),
}

/// The translation of one group of rounds.
struct Group<'g, 'u, 'p, 'f> {
    compiler: &'g mut FunctionCompiler<'u, 'p, 'f>,
    plan: &'g Plan,
    sums: Sums,
    lanes: BTreeMap<ValueId, Lanes>,
    locals: BTreeMap<CellId, Held>,
    /// The mask of the lanes in which every check has held.
    checks: Option<Variable>,
    /// Where this group is in its block, for loops in segments.
    block: Option<Place>,
}

/// A group's place in a block.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The segment.
    segment: usize,
    /// The arena plus the group's distance from the block's start, in bytes.
    address: Value,
}

type Compiled = Result<(), CompileError>;

impl Group<'_, '_, '_, '_> {
    fn size(&self) -> usize {
        PAIR * self.plan.unroll
    }

    /// A loop over the groups from `start` to `end`, of which there is at least one.
    fn rounds(
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

    // ---- Blocks.

    /// A loop over blocks, in each of them a loop per segment and the kernels after it.
    fn blocks(
        &mut self,
        segments: &Segments,
        var: ValueId,
        start: Value,
        end: Value,
        body: &[Stmt],
    ) -> Compiled {
        let [block, exit] = [(); 2].map(|()| self.compiler.builder.create_block());
        let from = self.compiler.builder.append_block_param(block, I64);
        let first = [BlockArg::Value(start)];
        let builder = &mut self.compiler.builder;
        builder.ins().jump(block, &first);
        builder.switch_to_block(block);
        let full = builder.ins().iadd_imm_s(from, BLOCK as i64);
        let is_full = builder.ins().icmp(IntCC::SignedLessThan, full, end);
        let to = builder.ins().select(is_full, full, end);
        for segment in 0..segments.count {
            self.lanes.clear();
            self.rounds(var, from, to, |group| {
                let at = group.compiler.value(var);
                let builder = &mut group.compiler.builder;
                let distance = builder.ins().isub(at, from);
                let bytes = builder.ins().ishl_imm_u(distance, 3);
                let address = builder.ins().iadd(group.compiler.arena, bytes);
                group.block = Some(Place { segment, address });
                group.segment(segments, body)
            })?;
            self.kernels(segments, segment, body, from, to)?;
        }
        let builder = &mut self.compiler.builder;
        let more = builder.ins().icmp(IntCC::SignedLessThan, to, end);
        let next = [BlockArg::Value(to)];
        builder.ins().brif(more, block, &next, exit, &[]);
        builder.seal_block(block);
        builder.switch_to_block(exit);
        builder.seal_block(exit);
        Ok(())
    }

    /// The statements of the segment at hand.
    fn segment(&mut self, segments: &Segments, body: &[Stmt]) -> Compiled {
        let Some(place) = self.block else {
            return Ok(());
        };
        let mut ready = BTreeSet::new();
        for (stmt, segment) in body.iter().zip(&segments.of_stmt) {
            let called = match stmt {
                Stmt::Let(_, op) => blocks::slice_call(self.plan, op).is_some(),
                _ => false,
            };
            if *segment != place.segment || called {
                continue;
            }
            for value in blocks::uses(self.plan, stmt) {
                self.bring(segments, body, &mut ready, value)?;
            }
            self.stmt(stmt)?;
            if let Stmt::Let(value, _) = stmt {
                ready.insert(*value);
                if let Some(&number) = segments.kept.get(value) {
                    self.keep(*value, number);
                }
            }
        }
        Ok(())
    }

    /// Makes a value of an earlier segment available in this one.
    fn bring(
        &mut self,
        segments: &Segments,
        body: &[Stmt],
        ready: &mut BTreeSet<ValueId>,
        value: ValueId,
    ) -> Compiled {
        let definition = body
            .iter()
            .find(|stmt| matches!(stmt, Stmt::Let(defined, _) if *defined == value));
        let Some(stmt) = definition else {
            return Ok(());
        };
        // Uniform values of earlier segments are scalars that are still there.
        if self.plan.class(value) == Class::Uniform || !ready.insert(value) {
            return Ok(());
        }
        if let Some(&number) = segments.kept.get(&value) {
            let vectors = self.kept(number);
            self.lanes.insert(value, Lanes::Reals(vectors));
            return Ok(());
        }
        for operand in blocks::uses(self.plan, stmt) {
            self.bring(segments, body, ready, operand)?;
        }
        self.stmt(stmt)
    }

    /// The arena's displacement of a kept value's slice.
    fn kept_at(&mut self, number: usize) -> i32 {
        self.compiler.unit.kept_slice(number, BLOCK * SCALAR) as i32
    }

    fn keep(&mut self, value: ValueId, number: usize) {
        let Some(place) = self.block else { return };
        let start = self.kept_at(number);
        let flags = MemFlagsData::trusted();
        for (at, vector) in self.reals(value).into_iter().enumerate() {
            let displacement = start + (at * PAIR * SCALAR) as i32;
            let ins = self.compiler.builder.ins();
            ins.store(flags, vector, place.address, displacement);
        }
    }

    fn kept(&mut self, number: usize) -> Vec<Value> {
        let Some(place) = self.block else {
            return Vec::new();
        };
        let start = self.kept_at(number);
        let flags = MemFlagsData::trusted();
        let load = |at: usize| {
            let displacement = start + (at * PAIR * SCALAR) as i32;
            let ins = self.compiler.builder.ins();
            ins.load(F64X2, flags, place.address, displacement)
        };
        (0..self.plan.unroll).map(load).collect()
    }

    /// Calls the kernels whose arguments a segment has computed.
    fn kernels(
        &mut self,
        segments: &Segments,
        segment: usize,
        body: &[Stmt],
        from: Value,
        to: Value,
    ) -> Compiled {
        for (stmt, of_stmt) in body.iter().zip(&segments.of_stmt) {
            let Stmt::Let(value, op) = stmt else { continue };
            let Some((prim, arg)) = blocks::slice_call(self.plan, op) else {
                continue;
            };
            let (Some(&arg), Some(&result), Some(address)) = (
                segments.kept.get(&arg),
                segments.kept.get(value),
                symbols::slice_symbol(prim),
            ) else {
                return Err(CompileError::NoKernel(prim));
            };
            if *of_stmt != segment {
                continue;
            }
            let (arg, result) = (self.kept_at(arg), self.kept_at(result));
            let compiler = &mut *self.compiler;
            let count = compiler.builder.ins().isub(to, from);
            let arena = compiler.arena;
            let [arg, result] =
                [arg, result].map(|at| compiler.builder.ins().iadd_imm_s(arena, i64::from(at)));
            compiler.call_shim(address, &[arg, result, count], None);
        }
        Ok(())
    }

    // ---- Statements.

    fn stmt(&mut self, stmt: &Stmt) -> Compiled {
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

    // ---- Definitions.

    fn define(&mut self, stmt: &Stmt, value: ValueId, op: &Op) -> Compiled {
        if let Some(stored) = self.plan.forwarded.get(&value) {
            self.copy(*stored, value);
            return Ok(());
        }
        if let Op::Get(cell) = op
            && let Some(held) = self.locals.get(cell).cloned()
        {
            match held {
                Held::Uniform(def) => self.compiler.defs[value.0 as usize] = def,
                Held::Varying(lanes) => {
                    self.lanes.insert(value, lanes);
                }
            }
            return Ok(());
        }
        let lanes = match (self.plan.class(value), op) {
            (Class::Uniform | Class::Linear { .. }, _) => return self.compiler.stmt(stmt),
            (Class::Mask, Op::Prim(prim, args)) => Lanes::Mask(self.mask_prim(*prim, args)),
            (Class::Reals, Op::Load(buffer, index))
                if matches!(self.plan.class(*index), Class::Linear { .. }) =>
            {
                Lanes::Reals(self.load(*buffer, *index))
            }
            (Class::Reals, Op::Prim(prim, args))
                if prim::is_inline_real(*prim, self.compiler.unit.host) =>
            {
                Lanes::Reals(self.real_prim(*prim, args))
            }
            (Class::Reals, Op::Select(condition, then, otherwise)) => {
                Lanes::Reals(self.select(*condition, *then, *otherwise))
            }
            _ => self.one_by_one(value, op)?,
        };
        self.lanes.insert(value, lanes);
        Ok(())
    }

    /// Makes a value what another is.
    fn copy(&mut self, from: ValueId, to: ValueId) {
        if let Some(lanes) = self.lanes.get(&from).cloned() {
            self.lanes.insert(to, lanes);
        }
        let (from, to) = (from.0 as usize, to.0 as usize);
        self.compiler.defs[to] = self.compiler.defs[from];
        self.compiler.affine[to] = self.compiler.affine[from];
    }

    /// A primitive of reals, a vector at a time.
    fn real_prim(&mut self, prim: Prim, args: &[ValueId]) -> Vec<Value> {
        self.each_vector(args, |group, operands| {
            let builder = &mut group.compiler.builder;
            let result = prim::real(builder, prim, operands);
            result.unwrap_or_else(|| prim::constant(builder, F64X2, f64::NAN))
        })
    }

    fn mask_prim(&mut self, prim: Prim, args: &[ValueId]) -> Vec<Value> {
        if !matches!(prim, Prim::Not | Prim::AndInt | Prim::OrInt) {
            return self.each_vector(args, |group, operands| {
                let builder = &mut group.compiler.builder;
                match prim::question(builder, prim, operands) {
                    Some(mask) => mask,
                    None => operands[0],
                }
            });
        }
        let masks: Vec<Vec<Value>> = args.iter().map(|arg| self.mask(*arg)).collect();
        let combine = |at: usize| {
            let ins = self.compiler.builder.ins();
            match (prim, masks.as_slice()) {
                (Prim::AndInt, [a, b]) => ins.band(a[at], b[at]),
                (Prim::OrInt, [a, b]) => ins.bor(a[at], b[at]),
                (_, masks) => ins.bnot(masks[0][at]),
            }
        };
        (0..self.plan.unroll).map(combine).collect()
    }

    fn select(&mut self, condition: ValueId, then: ValueId, otherwise: ValueId) -> Vec<Value> {
        let masks = self.mask(condition);
        let mut masks = masks.into_iter();
        self.each_vector(&[then, otherwise], |group, operands| {
            let builder = &mut group.compiler.builder;
            match masks.next() {
                Some(mask) => prim::choose(builder, mask, operands[0], operands[1]),
                None => operands[0],
            }
        })
    }

    /// Applies something to the vectors of operands, register by register.
    fn each_vector(
        &mut self,
        args: &[ValueId],
        mut emit: impl FnMut(&mut Self, &[Value]) -> Value,
    ) -> Vec<Value> {
        let args: Vec<Vec<Value>> = args.iter().map(|arg| self.reals(*arg)).collect();
        let mut vectors = Vec::with_capacity(self.plan.unroll);
        for at in 0..self.plan.unroll {
            let operands: Vec<Value> = args.iter().map(|arg| arg[at]).collect();
            vectors.push(emit(self, &operands));
        }
        vectors
    }

    /// Takes an operation apart into lanes, each translated as a scalar.
    fn one_by_one(&mut self, value: ValueId, op: &Op) -> Result<Lanes, CompileError> {
        let operands = operands(op);
        let mut results = Vec::with_capacity(self.size());
        self.each_lane(&operands, |compiler| {
            compiler.stmt(&Stmt::Let(value, op.clone()))?;
            results.push(compiler.defs[value.0 as usize]);
            Ok(())
        })?;
        // What the last lane's sum is made of says nothing about the others.
        self.compiler.affine[value.0 as usize] = None;
        if self.compiler.unit.procedure.values[value.0 as usize] == Kind::Int {
            return Ok(Lanes::Ints(results));
        }
        let mut vectors = Vec::with_capacity(self.plan.unroll);
        for pair in results.chunks(PAIR) {
            let [low, high] = [0, 1].map(|at| {
                self.compiler.defs[value.0 as usize] = pair[at];
                self.compiler.value(value)
            });
            let ins = self.compiler.builder.ins();
            let vector = ins.scalar_to_vector(F64X2, low);
            vectors.push(self.compiler.builder.ins().insertlane(vector, high, 1));
        }
        Ok(Lanes::Reals(vectors))
    }

    /// Translates something once a lane, with the operands standing for that lane's.
    fn each_lane(
        &mut self,
        operands: &[ValueId],
        mut emit: impl FnMut(&mut FunctionCompiler<'_, '_, '_>) -> Compiled,
    ) -> Compiled {
        let varying: Vec<ValueId> = operands
            .iter()
            .copied()
            .filter(|operand| self.plan.class(*operand) != Class::Uniform)
            .collect();
        let before: Vec<(Def, Option<Affine>)> = varying
            .iter()
            .map(|value| value.0 as usize)
            .map(|at| (self.compiler.defs[at], self.compiler.affine[at]))
            .collect();
        for lane in 0..self.size() {
            for (&value, &(def, affine)) in varying.iter().zip(&before) {
                self.compiler.defs[value.0 as usize] = def;
                self.compiler.affine[value.0 as usize] = affine;
                let (def, affine) = self.lane(value, lane);
                self.compiler.defs[value.0 as usize] = def;
                self.compiler.affine[value.0 as usize] = affine;
            }
            emit(self.compiler)?;
        }
        for (value, (def, affine)) in varying.into_iter().zip(before) {
            self.compiler.defs[value.0 as usize] = def;
            self.compiler.affine[value.0 as usize] = affine;
        }
        Ok(())
    }

    /// What a varying value is in one lane.
    fn lane(&mut self, value: ValueId, lane: usize) -> (Def, Option<Affine>) {
        let (register, half) = (lane / PAIR, (lane % PAIR) as u8);
        match self.lanes.get(&value) {
            Some(Lanes::Ints(defs)) => (defs[lane], None),
            Some(Lanes::Mask(vectors)) => {
                let builder = &mut self.compiler.builder;
                let bits = builder.ins().extractlane(vectors[register], half);
                let truth = builder.ins().icmp_imm_s(IntCC::NotEqual, bits, 0);
                (Def::Truth(truth), None)
            }
            Some(Lanes::Reals(vectors)) => {
                let ins = self.compiler.builder.ins();
                (
                    Def::Register(ins.extractlane(vectors[register], half)),
                    None,
                )
            }
            // Linear: so many beyond the first lane's.
            None => {
                let place = self.offset(value, lane);
                let register = self.compiler.materialise(place);
                (Def::Register(register), Some(place))
            }
        }
    }

    /// A linear value in one lane.
    fn offset(&mut self, value: ValueId, lane: usize) -> Affine {
        let first = self.compiler.affine(value);
        Affine {
            base: first.base,
            constant: first.constant.wrapping_add(lane as i64),
        }
    }

    // ---- Operands.

    /// A real as vectors.
    fn reals(&mut self, value: ValueId) -> Vec<Value> {
        match self.lanes.get(&value) {
            Some(Lanes::Reals(vectors)) => vectors.clone(),
            _ => {
                let scalar = self.compiler.value(value);
                let vector = self.compiler.builder.ins().splat(F64X2, scalar);
                vec![vector; self.plan.unroll]
            }
        }
    }

    /// A truth value as masks.
    fn mask(&mut self, value: ValueId) -> Vec<Value> {
        match self.lanes.get(&value).cloned() {
            Some(Lanes::Mask(vectors)) => vectors,
            Some(Lanes::Ints(defs)) => {
                let before = self.compiler.defs[value.0 as usize];
                let mut vectors = Vec::with_capacity(self.plan.unroll);
                for pair in defs.chunks(PAIR) {
                    let [low, high] = [0, 1].map(|at| {
                        self.compiler.defs[value.0 as usize] = pair[at];
                        let truth = self.compiler.truth(value);
                        self.compiler.builder.ins().bmask(I64, truth)
                    });
                    let ins = self.compiler.builder.ins();
                    let vector = ins.scalar_to_vector(I64X2, low);
                    vectors.push(self.compiler.builder.ins().insertlane(vector, high, 1));
                }
                self.compiler.defs[value.0 as usize] = before;
                vectors
            }
            _ => {
                let truth = self.compiler.truth(value);
                let bits = self.compiler.builder.ins().bmask(I64, truth);
                let vector = self.compiler.builder.ins().splat(I64X2, bits);
                vec![vector; self.plan.unroll]
            }
        }
    }

    // ---- Memory.

    fn load(&mut self, buffer: BufferId, index: ValueId) -> Vec<Value> {
        let (address, start) = self.place(buffer, index);
        let flags = self.compiler.flags(buffer);
        let load = |at: usize| {
            let displacement = start + (at * PAIR * SCALAR) as i32;
            let ins = self.compiler.builder.ins();
            ins.load(F64X2, flags, address, displacement)
        };
        (0..self.plan.unroll).map(load).collect()
    }

    /// The address of a group's first element at a linear place.
    fn place(&mut self, buffer: BufferId, index: ValueId) -> (Value, i32) {
        let first = self.compiler.affine(index);
        self.compiler.check_place(buffer, first);
        let last = self.offset(index, self.size() - 1);
        self.compiler.check_place(buffer, last);
        self.compiler.address(buffer, first)
    }

    fn write(&mut self, stmt: &Stmt, buffer: BufferId, index: ValueId, value: ValueId) -> Compiled {
        let linear = matches!(self.plan.class(index), Class::Linear { .. });
        let real = self.compiler.unit.procedure.values[value.0 as usize] == Kind::Real;
        if !linear || !real {
            return self.each_lane(&[index, value], |compiler| compiler.stmt(stmt));
        }
        let (address, start) = self.place(buffer, index);
        let flags = self.compiler.flags(buffer);
        for (at, vector) in self.reals(value).into_iter().enumerate() {
            let displacement = start + (at * PAIR * SCALAR) as i32;
            let builder = &mut self.compiler.builder;
            let vector = match stmt {
                Stmt::Accumulate(..) => {
                    let before = builder.ins().load(F64X2, flags, address, displacement);
                    builder.ins().fadd(before, vector)
                }
                _ => vector,
            };
            builder.ins().store(flags, vector, address, displacement);
        }
        Ok(())
    }

    // ---- Sums and cells.

    fn add_to_sum(&mut self, target: Target, value: ValueId) {
        let vectors = self.reals(value);
        let Some(variables) = self.sums.get(&target) else {
            return;
        };
        for (variable, vector) in variables.iter().zip(vectors) {
            let sum = self.compiler.builder.use_var(*variable);
            let sum = self.compiler.builder.ins().fadd(sum, vector);
            self.compiler.builder.def_var(*variable, sum);
        }
    }

    fn held(&mut self, value: ValueId) -> Held {
        match (self.lanes.get(&value), self.plan.class(value)) {
            (Some(lanes), _) => Held::Varying(lanes.clone()),
            (None, Class::Linear { .. }) => {
                let first = self.compiler.affine(value);
                let lane = |lane: usize| {
                    let place = Affine {
                        base: first.base,
                        constant: first.constant + lane as i64,
                    };
                    Def::Register(self.compiler.materialise(place))
                };
                Held::Varying(Lanes::Ints(
                    (0..PAIR * self.plan.unroll).map(lane).collect(),
                ))
            }
            (None, _) => Held::Uniform(self.compiler.defs[value.0 as usize]),
        }
    }

    fn add_to_local(&mut self, cell: CellId, value: ValueId) {
        let before = match self.locals.get(&cell).cloned() {
            Some(Held::Varying(Lanes::Reals(vectors))) => vectors,
            Some(Held::Uniform(def)) => {
                let scalar = match def {
                    Def::ConstReal(constant) => self.compiler.builder.ins().f64const(constant),
                    Def::Register(register) => register,
                    _ => return,
                };
                let vector = self.compiler.builder.ins().splat(F64X2, scalar);
                vec![vector; self.plan.unroll]
            }
            _ => return,
        };
        let added = self.reals(value);
        let sum = |(before, added): (Value, Value)| self.compiler.builder.ins().fadd(before, added);
        let sums = before.into_iter().zip(added).map(sum).collect();
        self.locals.insert(cell, Held::Varying(Lanes::Reals(sums)));
    }

    /// Local cells end up with what the last round put in them.
    fn leave_locals(&mut self) {
        for (cell, held) in std::mem::take(&mut self.locals) {
            let builder = &mut self.compiler.builder;
            let last = match held {
                Held::Uniform(def) => def,
                Held::Varying(Lanes::Ints(defs)) => defs[defs.len() - 1],
                Held::Varying(Lanes::Mask(vectors)) => {
                    let bits = builder.ins().extractlane(vectors[vectors.len() - 1], 1);
                    Def::Truth(builder.ins().icmp_imm_s(IntCC::NotEqual, bits, 0))
                }
                Held::Varying(Lanes::Reals(vectors)) => {
                    Def::Register(builder.ins().extractlane(vectors[vectors.len() - 1], 1))
                }
            };
            let kind = self.compiler.unit.procedure.cells[cell.0 as usize].kind;
            let value = self.compiler.register(last, kind);
            self.compiler.set(cell, value);
        }
    }

    // ---- Checks.

    /// Notes in which lanes a condition holds.
    fn check(&mut self, ok: ValueId) {
        let Some(checks) = self.checks else { return };
        let masks = self.mask(ok);
        let builder = &mut self.compiler.builder;
        let held = builder.use_var(checks);
        let both = |all, mask| builder.ins().band(all, mask);
        let held = masks.into_iter().fold(held, both);
        builder.def_var(checks, held);
    }
}
