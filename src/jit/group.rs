//! The statements of a group of rounds: vectors where there are some, lane by lane elsewhere.

use super::CompileError;
use super::compile::{Affine, Compiled, Def, FunctionCompiler};
use super::lanes::{Class, PAIR, Target};
use super::layout::SCALAR;
use super::prim;
use super::vector::{Group, Held, Lanes};
use crate::builtins::{Kind, Prim};
use crate::loops::{BufferId, CellId, Op, Stmt, ValueId};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64X2, I64, I64X2};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::Variable;

impl Group<'_, '_, '_, '_> {
    // ---- Definitions.

    pub(super) fn define(&mut self, stmt: &Stmt, value: ValueId, op: &Op) -> Compiled {
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
            (Class::Mask, Op::Prim(prim, args)) => {
                Lanes::Mask(match self.plan.finite.get(&value) {
                    Some(of) => self.finite(*of),
                    None => self.mask_prim(*prim, args),
                })
            }
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
    pub(super) fn copy(&mut self, from: ValueId, to: ValueId) {
        if let Some(lanes) = self.lanes.get(&from).cloned() {
            self.lanes.insert(to, lanes);
        }
        let (from, to) = (from.0 as usize, to.0 as usize);
        self.compiler.defs[to] = self.compiler.defs[from];
        self.compiler.affine[to] = self.compiler.affine[from];
    }

    /// A primitive of reals, a vector at a time.
    pub(super) fn real_prim(&mut self, prim: Prim, args: &[ValueId]) -> Vec<Value> {
        self.each_vector(args, |group, operands| {
            let builder = &mut group.compiler.builder;
            let result = prim::real(builder, prim, operands);
            result.unwrap_or_else(|| prim::constant(builder, F64X2, f64::NAN))
        })
    }

    /// Whether reals are finite.
    fn finite(&mut self, value: ValueId) -> Vec<Value> {
        self.each_vector(&[value], |group, operands| {
            prim::finite(&mut group.compiler.builder, operands[0])
        })
    }

    pub(super) fn mask_prim(&mut self, prim: Prim, args: &[ValueId]) -> Vec<Value> {
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

    pub(super) fn select(
        &mut self,
        condition: ValueId,
        then: ValueId,
        otherwise: ValueId,
    ) -> Vec<Value> {
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
    pub(super) fn each_vector(
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
    pub(super) fn one_by_one(&mut self, value: ValueId, op: &Op) -> Result<Lanes, CompileError> {
        let operands = op.operands();
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
    pub(super) fn each_lane(
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
    pub(super) fn lane(&mut self, value: ValueId, lane: usize) -> (Def, Option<Affine>) {
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
    pub(super) fn offset(&mut self, value: ValueId, lane: usize) -> Affine {
        let first = self.compiler.affine(value);
        Affine {
            base: first.base,
            constant: first.constant.wrapping_add(lane as i64),
        }
    }

    // ---- Operands.

    /// A real as vectors.
    pub(super) fn reals(&mut self, value: ValueId) -> Vec<Value> {
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
    pub(super) fn mask(&mut self, value: ValueId) -> Vec<Value> {
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

    pub(super) fn load(&mut self, buffer: BufferId, index: ValueId) -> Vec<Value> {
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
    pub(super) fn place(&mut self, buffer: BufferId, index: ValueId) -> (Value, i32) {
        let first = self.compiler.affine(index);
        self.compiler.check_place(buffer, first);
        let last = self.offset(index, self.size() - 1);
        self.compiler.check_place(buffer, last);
        self.compiler.address(buffer, first)
    }

    pub(super) fn write(
        &mut self,
        stmt: &Stmt,
        buffer: BufferId,
        index: ValueId,
        value: ValueId,
    ) -> Compiled {
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

    pub(super) fn add_to_sum(&mut self, target: Target, value: ValueId) {
        let Some(variables) = self.sums.get(&target).cloned() else {
            return;
        };
        if let Some(&factors) = self.plan.products.get(&value)
            && factors.iter().all(|factor| self.is_here(*factor))
        {
            let [left, right] = factors.map(|factor| self.reals(factor));
            for (at, &variable) in (0..self.plan.unroll).zip(variables.iter().cycle()) {
                let builder = &mut self.compiler.builder;
                let sum = builder.use_var(variable);
                let sum = builder.ins().fma(left[at], right[at], sum);
                builder.def_var(variable, sum);
            }
            return;
        }
        let vectors = self.reals(value);
        let builder = &mut self.compiler.builder;
        let both = |a, b| builder.ins().fadd(a, b);
        if let (Some(variable), Some(group)) = (variables.first(), vectors.into_iter().reduce(both))
        {
            let sum = builder.use_var(*variable);
            let sum = builder.ins().fadd(sum, group);
            builder.def_var(*variable, sum);
        }
    }

    /// Adds a scalar to a sum over the rounds.
    pub(super) fn add_scalar_to_sum(&mut self, target: Target, value: Value) {
        if let Some(&variable) = self.sums.get(&target).and_then(|sums| sums.first()) {
            let builder = &mut self.compiler.builder;
            let sum = builder.use_var(variable);
            // The other lane is zero.
            let vector = builder.ins().scalar_to_vector(F64X2, value);
            let sum = builder.ins().fadd(sum, vector);
            builder.def_var(variable, sum);
        }
    }

    /// Whether a real is at hand in this segment.
    fn is_here(&self, value: ValueId) -> bool {
        self.lanes.contains_key(&value) || self.plan.class(value) == Class::Uniform
    }

    pub(super) fn held(&mut self, value: ValueId) -> Held {
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

    pub(super) fn add_to_local(&mut self, cell: CellId, value: ValueId) {
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
    pub(super) fn leave_locals(&mut self) {
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
    pub(super) fn check(&mut self, ok: ValueId) {
        let Some(checks) = self.checks else { return };
        if self.plan.repeatable && self.plan.implied.contains_key(&ok) {
            return;
        }
        if let (Some(sum), Some(&number)) = (checks.finite, self.plan.finite.get(&ok)) {
            return self.check_finite(sum, number);
        }
        let masks = self.mask(ok);
        let builder = &mut self.compiler.builder;
        let held = builder.use_var(checks.mask);
        let both = |all, mask| builder.ins().band(all, mask);
        let held = masks.into_iter().fold(held, both);
        builder.def_var(checks.mask, held);
    }

    /// Notes whether a real is finite in all lanes. The group's vectors are added first, so that the next group need not
    /// wait for two operations; if their sum overflows, the rounds run one by one for nothing.
    fn check_finite(&mut self, sum: Variable, number: ValueId) {
        let vectors = self.reals(number);
        let builder = &mut self.compiler.builder;
        let both = |a, b| builder.ins().fadd(a, b);
        if let Some(group) = vectors.into_iter().reduce(both) {
            let zero = prim::constant(builder, F64X2, 0.0);
            let before = builder.use_var(sum);
            let after = builder.ins().fma(group, zero, before);
            builder.def_var(sum, after);
        }
    }
}
