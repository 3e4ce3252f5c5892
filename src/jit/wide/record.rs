//! Records the statements of a segment as straight-line code on vectors of eight lanes.

use super::code::{Address, Base, Code, Comparison, Home, Id, Logic, One, Op, Step, Two};
use super::{Ahead, Entry, Function, Shared, SumOf};
use crate::builtins::Prim;
use crate::jit::blocks::{Rounds, Segments};
use crate::jit::compile::{Def, FunctionCompiler};
use crate::jit::lanes::{Class, Plan, Target};
use crate::jit::layout::SCALAR;
use crate::loops::{self, BufferId, Stmt, ValueId};
use std::collections::{BTreeMap, BTreeSet};

/// The machine's numbers of comparisons.
const EQUAL: u8 = 0;
const LESS: u8 = 1;
const LESS_OR_EQUAL: u8 = 2;
const UNORDERED: u8 = 3;
const NOT_EQUAL: u8 = 4;
const ORDERED: u8 = 7;
const GREATER_OR_EQUAL: u8 = 13;
const GREATER: u8 = 14;
/// Of integers.
const INT_GREATER_OR_EQUAL: u8 = 5;
const INT_GREATER: u8 = 6;

/// A statement that has no such code.
#[derive(Debug)]
pub(super) struct Unsupported;

type Recorded<T> = Result<T, Unsupported>;

/// What has been recorded of a segment.
pub(super) struct Recorder<'r, 'u, 'p, 'f> {
    compiler: &'r FunctionCompiler<'u, 'p, 'f>,
    plan: &'r Plan,
    /// The buffers that the loop writes to.
    written: &'r BTreeSet<BufferId>,
    /// Where each kept slice begins, from the context on, in bytes.
    kept: &'r [i32],
    /// Whether checks of finiteness have a sum of their own.
    sums_finite: bool,
    values: BTreeMap<ValueId, Id>,
    code: Code,
    function: Function,
}

impl<'r, 'u, 'p, 'f> Recorder<'r, 'u, 'p, 'f> {
    pub fn new(
        compiler: &'r FunctionCompiler<'u, 'p, 'f>,
        plan: &'r Plan,
        written: &'r BTreeSet<BufferId>,
        kept: &'r [i32],
        sums_finite: bool,
    ) -> Recorder<'r, 'u, 'p, 'f> {
        Recorder {
            compiler,
            plan,
            written,
            kept,
            sums_finite,
            values: BTreeMap::new(),
            code: Code::default(),
            function: Function::default(),
        }
    }

    /// The code of a segment, or of a loop without segments, and what it has to be called with.
    pub fn segment(
        mut self,
        segments: Option<&Segments>,
        body: &[Stmt],
        segment: usize,
    ) -> Recorded<(Code, Function)> {
        let plan = self.plan;
        match segments {
            Some(segments) => segments.walk(plan, body, segment, &mut self)?,
            None => body.iter().try_for_each(|stmt| self.take(stmt))?,
        }
        self.code.sums = self.function.sums.len();
        self.code.drop_unused();
        Ok((self.code, self.function))
    }

    // ---- Statements.

    fn write(
        &mut self,
        stmt: &Stmt,
        buffer: BufferId,
        index: ValueId,
        value: ValueId,
    ) -> Recorded<()> {
        let value = self.vector(value)?;
        let step = match (stmt, self.plan.class(index)) {
            (Stmt::Store(..), Class::Linear { base, constant }) => {
                Step::Store(self.row(buffer, base, constant)?, value)
            }
            (_, Class::Linear { base, constant }) => {
                Step::AddTo(self.row(buffer, base, constant)?, value)
            }
            (Stmt::Accumulate(..), Class::Ints) => {
                Step::Scatter(self.table(buffer)?, self.vector(index)?, value)
            }
            _ => return Err(Unsupported),
        };
        self.code.steps.push(step);
        Ok(())
    }

    fn sum(&mut self, target: Target, value: ValueId) -> Recorded<()> {
        let number = self.sum_number(SumOf::Target(target));
        let step = match self.plan.products.get(&value) {
            Some(&[a, b]) if self.is_here(a) && self.is_here(b) => {
                Step::SumProduct(number, self.vector(a)?, self.vector(b)?)
            }
            _ => Step::Sum(number, self.vector(value)?),
        };
        self.code.steps.push(step);
        Ok(())
    }

    fn sum_number(&mut self, sum: SumOf) -> usize {
        let sums = &mut self.function.sums;
        sums.iter()
            .position(|known| *known == sum)
            .unwrap_or_else(|| {
                sums.push(sum);
                sums.len() - 1
            })
    }

    fn check(&mut self, ok: ValueId) -> Recorded<()> {
        if self.plan.repeatable && self.plan.implied.contains_key(&ok) {
            return Ok(());
        }
        let step = match self.plan.finite.get(&ok) {
            Some(number) if self.sums_finite => {
                let number = self.vector(*number)?;
                let zero = self.constant(0.0);
                Step::SumProduct(self.sum_number(SumOf::Finite), number, zero)
            }
            _ => Step::Check(self.mask(ok)?),
        };
        self.code.steps.push(step);
        Ok(())
    }

    // ---- Definitions.

    fn define(&mut self, value: ValueId, op: &loops::Op) -> Recorded<()> {
        if let Some(&stored) = self.plan.forwarded.get(&value) {
            if self.plan.class(value) == Class::Uniform {
                let (from, to) = (stored, value);
                self.function.ahead.push(Ahead::Copy { from, to });
                return Ok(());
            }
            let stored = self.vector(stored)?;
            self.values.insert(value, stored);
            return Ok(());
        }
        let id = match (self.plan.class(value), op) {
            (Class::Uniform, _) => {
                let stmt = Stmt::Let(value, op.clone());
                self.function.ahead.push(Ahead::Statement(stmt));
                return Ok(());
            }
            (Class::Linear { .. }, _) => return Ok(()),
            (_, loops::Op::Load(buffer, index)) => self.load(*buffer, *index)?,
            (_, loops::Op::Select(condition, then, otherwise)) => {
                let (then, otherwise) = (self.vector(*then)?, self.vector(*otherwise)?);
                let mask = self.mask(*condition)?;
                self.blend(mask, then, otherwise)
            }
            (_, loops::Op::Prim(prim, args)) => match self.plan.finite.get(&value) {
                Some(of) => {
                    let of = self.vector(*of)?;
                    let nothing = self.two(Two::Sub, of, of);
                    self.compare(ORDERED, nothing, nothing)
                }
                None => self.prim(*prim, args)?,
            },
            _ => return Err(Unsupported),
        };
        self.values.insert(value, id);
        Ok(())
    }

    fn load(&mut self, buffer: BufferId, index: ValueId) -> Recorded<Id> {
        match self.plan.class(index) {
            Class::Linear { base, constant } => {
                let row = self.row(buffer, base, constant)?;
                Ok(match self.written.contains(&buffer) {
                    true => self.code.define(Op::Load(row)),
                    false => self.code.at_home(Home::Row(row)),
                })
            }
            Class::Ints => {
                let (table, index) = (self.table(buffer)?, self.vector(index)?);
                Ok(self.code.define(Op::Gather(table, index)))
            }
            _ => Err(Unsupported),
        }
    }

    fn prim(&mut self, prim: Prim, args: &[ValueId]) -> Recorded<Id> {
        if let Prim::Not | Prim::AndInt | Prim::OrInt = prim {
            return self.logic(prim, args);
        }
        let args = args.iter().map(|arg| self.vector(*arg));
        let args: Vec<Id> = args.collect::<Recorded<_>>()?;
        match *args.as_slice() {
            [a] => self.of_one(prim, a),
            [a, b] => self.of_two(prim, a, b),
            [a, b, c] if prim == Prim::Fma => Ok(self.code.define(Op::Fma(a, b, c))),
            _ => Err(Unsupported),
        }
    }

    fn logic(&mut self, prim: Prim, args: &[ValueId]) -> Recorded<Id> {
        let masks = args.iter().map(|arg| self.mask(*arg));
        let masks: Vec<Id> = masks.collect::<Recorded<_>>()?;
        let logic = match (prim, masks.as_slice()) {
            (Prim::AndInt, &[a, b]) => Logic::And(a, b),
            (Prim::OrInt, &[a, b]) => Logic::Or(a, b),
            (Prim::Not, &[a]) => Logic::Not(a),
            _ => return Err(Unsupported),
        };
        Ok(self.code.define(Op::Logic(logic)))
    }

    /// Primitives of one number, as the pairs' translation has them.
    fn of_one(&mut self, prim: Prim, a: Id) -> Recorded<Id> {
        let one = match prim {
            Prim::Sqrt => Some(One::Sqrt),
            Prim::Floor => Some(One::Floor),
            Prim::Ceil => Some(One::Ceil),
            Prim::Trunc => Some(One::Trunc),
            Prim::ToReal => Some(One::ToReal),
            _ => None,
        };
        if let Some(one) = one {
            return Ok(self.code.define(Op::One(one, a)));
        }
        Ok(match prim {
            Prim::StopGradient => a,
            Prim::Neg => {
                let sign = self.constant(-0.0);
                self.two(Two::Xor, a, sign)
            }
            Prim::Abs => self.size(a),
            Prim::Square => self.two(Two::Mul, a, a),
            Prim::Inv => self.inverse(a),
            Prim::InvSqrt => {
                let root = self.code.define(Op::One(One::Sqrt, a));
                self.inverse(root)
            }
            Prim::InvSquare => {
                let square = self.two(Two::Mul, a, a);
                self.inverse(square)
            }
            Prim::Round => {
                // The largest number below one half, as in the pairs' translation.
                let (sign, below_half) = (self.constant(-0.0), self.constant(0.5_f64.next_down()));
                let sign = self.two(Two::And, a, sign);
                let half = self.two(Two::Or, below_half, sign);
                let sum = self.two(Two::Add, a, half);
                self.code.define(Op::One(One::Trunc, sum))
            }
            Prim::Step => {
                let (zero, one) = (self.constant(0.0), self.constant(1.0));
                let below = self.compare(LESS, a, zero);
                self.blend(below, zero, one)
            }
            Prim::IsNan => self.compare(UNORDERED, a, a),
            Prim::IsInf => {
                let (size, infinity) = (self.size(a), self.constant(f64::INFINITY));
                self.compare(EQUAL, size, infinity)
            }
            Prim::IntStep => {
                let zero = self.constant(0.0);
                self.compare(GREATER, a, zero)
            }
            Prim::NegInt => {
                let zero = self.code.at_home(Home::Constant(0));
                self.two(Two::SubInt, zero, a)
            }
            _ => return Err(Unsupported),
        })
    }

    fn of_two(&mut self, prim: Prim, a: Id, b: Id) -> Recorded<Id> {
        let two = match prim {
            Prim::Add => Some(Two::Add),
            Prim::Sub => Some(Two::Sub),
            Prim::Mul => Some(Two::Mul),
            Prim::Div => Some(Two::Div),
            Prim::AddInt => Some(Two::AddInt),
            Prim::SubInt => Some(Two::SubInt),
            Prim::MulInt => Some(Two::MulInt),
            _ => None,
        };
        if let Some(two) = two {
            return Ok(self.two(two, a, b));
        }
        let comparison = match prim {
            Prim::Eq => Comparison::Reals(EQUAL),
            Prim::Ne => Comparison::Reals(NOT_EQUAL),
            Prim::Lt => Comparison::Reals(LESS),
            Prim::Le => Comparison::Reals(LESS_OR_EQUAL),
            Prim::Gt => Comparison::Reals(GREATER),
            Prim::Ge => Comparison::Reals(GREATER_OR_EQUAL),
            Prim::EqInt => Comparison::Ints(EQUAL),
            Prim::NeInt => Comparison::Ints(NOT_EQUAL),
            Prim::LtInt => Comparison::Ints(LESS),
            Prim::LeInt => Comparison::Ints(LESS_OR_EQUAL),
            Prim::GtInt => Comparison::Ints(INT_GREATER),
            Prim::GeInt => Comparison::Ints(INT_GREATER_OR_EQUAL),
            Prim::Fmin => return Ok(self.extreme(LESS, a, b)),
            Prim::Fmax => return Ok(self.extreme(GREATER, a, b)),
            Prim::Fdim => {
                let below = self.compare(LESS_OR_EQUAL, a, b);
                let difference = self.two(Two::Sub, a, b);
                let zero = self.constant(0.0);
                return Ok(self.blend(below, zero, difference));
            }
            _ => return Err(Unsupported),
        };
        Ok(self.code.define(Op::Compare(comparison, a, b)))
    }

    /// The second where it compares so with the first or where the first is NaN, else the first.
    fn extreme(&mut self, predicate: u8, a: Id, b: Id) -> Id {
        let second = self.compare(predicate, b, a);
        let first_is_nan = self.compare(UNORDERED, a, a);
        let take_second = Logic::Or(second, first_is_nan);
        let take_second = self.code.define(Op::Logic(take_second));
        self.blend(take_second, b, a)
    }

    fn size(&mut self, a: Id) -> Id {
        let all_but_sign = Home::Constant(!(-0.0_f64).to_bits());
        let all_but_sign = self.code.at_home(all_but_sign);
        self.two(Two::And, a, all_but_sign)
    }

    fn inverse(&mut self, a: Id) -> Id {
        let one = self.constant(1.0);
        self.two(Two::Div, one, a)
    }

    fn two(&mut self, two: Two, a: Id, b: Id) -> Id {
        self.code.define(Op::Two(two, a, b))
    }

    fn compare(&mut self, predicate: u8, a: Id, b: Id) -> Id {
        let comparison = Comparison::Reals(predicate);
        self.code.define(Op::Compare(comparison, a, b))
    }

    fn blend(&mut self, mask: Id, then: Id, otherwise: Id) -> Id {
        self.code.define(Op::Blend(mask, then, otherwise))
    }

    fn constant(&mut self, value: f64) -> Id {
        self.code.at_home(Home::Constant(value.to_bits()))
    }

    // ---- Operands.

    /// Whether a value is at hand in this segment.
    fn is_here(&self, value: ValueId) -> bool {
        self.values.contains_key(&value) || self.plan.class(value) == Class::Uniform
    }

    /// A value as a mask: of integers where they are not zero.
    fn mask(&mut self, value: ValueId) -> Recorded<Id> {
        let id = self.any(value)?;
        if self.code.is_mask(id) {
            return Ok(id);
        }
        let zero = self.code.at_home(Home::Constant(0));
        let comparison = Comparison::Ints(NOT_EQUAL);
        Ok(self.code.define(Op::Compare(comparison, id, zero)))
    }

    fn vector(&mut self, value: ValueId) -> Recorded<Id> {
        let id = self.any(value)?;
        match self.code.is_mask(id) {
            true => Err(Unsupported),
            false => Ok(id),
        }
    }

    fn any(&mut self, value: ValueId) -> Recorded<Id> {
        if let Some(id) = self.values.get(&value) {
            return Ok(*id);
        }
        match self.plan.class(value) {
            Class::Uniform => {}
            Class::Linear { base, constant } => {
                let id = self.linear(base, constant);
                self.values.insert(value, id);
                return Ok(id);
            }
            _ => return Err(Unsupported),
        }
        let home = match self.compiler.defs[value.0 as usize] {
            Def::ConstReal(constant) => Home::Constant(constant.to_bits()),
            Def::ConstInt(constant) => Home::Constant(constant as u64),
            _ => Home::Splat(self.scalar(Shared::Value(value))),
        };
        Ok(self.code.at_home(home))
    }

    /// The number of a round, plus something uniform, plus a constant.
    fn linear(&mut self, base: Option<ValueId>, constant: i64) -> Id {
        let rounds = self.address(Entry::FirstRounds, 0);
        let rounds = self.code.at_home(Home::Rounds(rounds));
        let first = Home::Splat(self.scalar(Shared::First(base, constant)));
        let first = self.code.at_home(first);
        self.two(Two::AddInt, rounds, first)
    }

    fn scalar(&mut self, scalar: Shared) -> usize {
        let scalars = &mut self.function.scalars;
        let known = scalars.iter().position(|known| *known == scalar);
        known.unwrap_or_else(|| {
            scalars.push(scalar);
            scalars.len() - 1
        })
    }

    /// Where the scalars of a linear place are.
    fn row(&mut self, buffer: BufferId, base: Option<ValueId>, constant: i64) -> Recorded<Address> {
        let (start, displacement) = self.compiler.base(buffer);
        let displacement = constant
            .checked_mul(SCALAR as i64)
            .and_then(|bytes| bytes.checked_add(i64::from(displacement)))
            .and_then(|bytes| i32::try_from(bytes).ok())
            .ok_or(Unsupported)?;
        self.function.accesses.push((buffer, base, constant));
        Ok(self.address(Entry::Row(start, base), displacement))
    }

    /// Where a buffer begins.
    fn table(&mut self, buffer: BufferId) -> Recorded<Address> {
        // On request every index is checked: the pairs' translation does.
        if self.compiler.unit.options.check_bounds {
            return Err(Unsupported);
        }
        let (start, displacement) = self.compiler.base(buffer);
        Ok(self.address(Entry::Start(start), displacement))
    }

    fn address(&mut self, entry: Entry, displacement: i32) -> Address {
        let table = &mut self.function.table;
        let known = table.iter().position(|known| *known == entry);
        let number = known.unwrap_or_else(|| {
            table.push(entry);
            table.len() - 1
        });
        Address {
            base: Base::Table(number),
            displacement,
        }
    }

    fn kept(&self, number: usize) -> Recorded<Address> {
        let displacement = *self.kept.get(number).ok_or(Unsupported)?;
        Ok(Address {
            base: Base::Context,
            displacement,
        })
    }
}

impl Rounds for Recorder<'_, '_, '_, '_> {
    type Error = Unsupported;

    fn take(&mut self, stmt: &Stmt) -> Recorded<()> {
        if let Some(target) = self.plan.target(stmt)
            && let Stmt::Add(_, value) | Stmt::Accumulate(_, _, value) = stmt
        {
            return self.sum(target, *value);
        }
        match stmt {
            Stmt::Let(value, op) => self.define(*value, op),
            Stmt::Store(buffer, index, value) | Stmt::Accumulate(buffer, index, value) => {
                self.write(stmt, *buffer, *index, *value)
            }
            Stmt::Check { ok, .. } => self.check(*ok),
            _ => Err(Unsupported),
        }
    }

    fn bring(&mut self, value: ValueId, number: usize) -> Recorded<()> {
        let row = self.kept(number)?;
        let id = self.code.at_home(Home::Row(row));
        self.values.insert(value, id);
        Ok(())
    }

    fn keep(&mut self, value: ValueId, number: usize) -> Recorded<()> {
        if self.plan.class(value) == Class::Uniform {
            return Ok(());
        }
        let (row, id) = (self.kept(number)?, self.vector(value)?);
        self.code.steps.push(Step::Store(row, id));
        Ok(())
    }
}
