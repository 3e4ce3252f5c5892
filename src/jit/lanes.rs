//! Decides which innermost loops run several rounds at once, and what each of their values is then.
//!
//! A loop qualifies when its rounds meet only in sums: every cell it writes is only added to, or is written before it
//! is read in each round; every buffer it writes is only added to, or is accessed at one place per round. Then rounds
//! may run side by side, whatever their direction. Sums come out in another order, so in other roundings.

use super::host::Host;
use super::partition::blocks;
use super::{prim, symbols};
use crate::builtins::{Kind, Prim, Scalar};
use crate::loops::{BufferId, CellId, Op, Procedure, Stmt, ValueId};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds in one vector register.
pub(super) const PAIR: usize = 2;
/// A loop without this many operations on vectors is left alone; a guess.
const WORTHWHILE: usize = 2;
/// Two registers per value pay as long as the machine's 16 last; a guess from bodies of densities.
const UNROLLED_OPERATIONS: usize = 48;
/// Up to so many sums, which then have a register for each of a group's vectors if they are of products.
const UNROLLED_SUMS: usize = 4;
/// Where kernels cut the body, a round does enough to hide that a sum has one register alone: logistic regressions on up to
/// eight columns are a third faster with two registers per other value. Where the gain ends is a guess.
const UNROLLED_SUMS_WITH_KERNELS: usize = 16;

/// What a value of the body is when several rounds run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The same in every round.
    Uniform,
    /// An integer that goes up by one from round to round: `base + constant` plus the loop's variable.
    Linear {
        /// Something uniform.
        base: Option<ValueId>,
        /// Something known.
        constant: i64,
    },
    /// Integers, one by one.
    Ints,
    /// Truth values, as masks of vectors.
    Mask,
    /// Reals, as vectors.
    Reals,
}

/// How a loop's body treats a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellUse {
    /// Only read.
    Read,
    /// Only added to.
    Sum,
    /// Written before it is read.
    Local,
}

/// What a sum over the rounds goes to in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Cell(CellId),
    /// An element whose index is the same in all rounds.
    Element(BufferId, ValueId),
}

/// How to run a loop several rounds at once.
#[derive(Debug)]
pub(super) struct Plan {
    /// What each value defined in the body is; values from outside are uniform.
    classes: BTreeMap<ValueId, Class>,
    /// The cells that the body touches.
    pub cells: BTreeMap<CellId, CellUse>,
    /// Loads of what the same round stored there, with the stored value.
    pub forwarded: BTreeMap<ValueId, ValueId>,
    /// Tests of `|x| < ∞`, with x.
    pub finite: BTreeMap<ValueId, ValueId>,
    /// Products of two reals, with the factors: what only adds one up takes a fused multiply-add instead.
    pub products: BTreeMap<ValueId, [ValueId; 2]>,
    /// Whether rounds may run again one by one although no check fails in them then: what they write they write again, but
    /// for sums, which are taken over at the end.
    pub repeatable: bool,
    /// Tests of `|x| < ∞` that hold if a sum over the rounds is finite in the end, with the statement that adds to it. Only
    /// where rounds are repeatable: a sum may overflow although all tests hold.
    pub implied: BTreeMap<ValueId, usize>,
    /// Buffers that are written and not only added to: accesses keep their order.
    pub ordered: BTreeSet<BufferId>,
    /// Vector registers per value.
    pub unroll: usize,
    /// Whether sums of products have as many.
    pub splits_sums: bool,
    /// Whether a check may send the rounds back to run one by one.
    pub checked: bool,
    /// The number of rounds, if known.
    pub rounds: Option<i64>,
    pub host: Host,
}

impl Plan {
    /// What a value is.
    pub fn class(&self, value: ValueId) -> Class {
        self.classes.get(&value).copied().unwrap_or(Class::Uniform)
    }

    /// What a statement adds up over all rounds.
    pub fn target(&self, stmt: &Stmt) -> Option<Target> {
        match stmt {
            Stmt::Add(cell, _) if self.cells.get(cell) == Some(&CellUse::Sum) => {
                Some(Target::Cell(*cell))
            }
            Stmt::Accumulate(buffer, index, _) if self.class(*index) == Class::Uniform => {
                Some(Target::Element(*buffer, *index))
            }
            _ => None,
        }
    }

    /// Whether no round is left over for running one by one.
    pub fn is_exact(&self) -> bool {
        let group = (PAIR * self.unroll) as i64;
        !self.checked && self.rounds.is_some_and(|rounds| rounds % group == 0)
    }

    /// Whether checks of finiteness go into a sum of zeros, each zero times a number that must be finite: NaN as soon as one
    /// is not. It costs half of what a mask does.
    pub fn sums_finite(&self) -> bool {
        let unimplied = self.finite.len() > self.implied.len();
        self.checked && self.host.fuses && self.repeatable && unimplied
    }

    /// Whether a statement adds to elements that differ from round to round: run again, it would add again.
    pub fn adds_in_place(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Accumulate(buffer, index, _) => {
                self.class(*index) != Class::Uniform && !self.ordered.contains(buffer)
            }
            _ => false,
        }
    }

    /// The plan for a loop, if it qualifies and vectors pay. `known` tells constants.
    pub fn new(
        procedure: &Procedure,
        definitions: &Definitions<'_>,
        stmt: &Stmt,
        host: Host,
        known: impl Fn(ValueId) -> Option<Scalar>,
    ) -> Option<Plan> {
        let Stmt::For {
            var,
            start,
            end,
            reverse,
            body,
        } = stmt
        else {
            return None;
        };
        let mut survey = Survey {
            procedure,
            definitions,
            host,
            known: &known,
            classes: BTreeMap::new(),
            cells: BTreeMap::new(),
            locals: BTreeMap::new(),
            accesses: BTreeMap::new(),
            stored: BTreeMap::new(),
            forwarded: BTreeMap::new(),
            sizes: BTreeMap::new(),
            finite: BTreeMap::new(),
            products: BTreeMap::new(),
            checked: false,
            vector_operations: 0,
            kernels: 0,
            calls: 0,
        };
        let place = Class::Linear {
            base: None,
            constant: 0,
        };
        survey.classes.insert(*var, place);
        for stmt in body {
            survey.cell_use(stmt)?;
        }
        for stmt in body {
            survey.stmt(stmt)?;
        }
        let ordered = survey.check_buffers()?;
        // Rounds go on until all checks are looked at, so those of indices must not be left to them: what they guard would
        // be read or written all the same. (Those that hold for the data are not there any more.)
        if survey.checked && survey.guards_memory(body) {
            return None;
        }
        let local = survey.cells.values().any(|usage| *usage == CellUse::Local);
        // Which round fails first, or writes a local last, depends on the direction.
        if *reverse && (survey.checked || local) || survey.vector_operations < WORTHWHILE {
            return None;
        }
        let rounds = match (known(*start), known(*end)) {
            (Some(Scalar::Int(start)), Some(Scalar::Int(end))) => Some(end.saturating_sub(start)),
            _ => None,
        };
        let sums = survey
            .cells
            .values()
            .filter(|usage| **usage == CellUse::Sum)
            .count();
        let most_sums = match survey.kernels {
            0 => UNROLLED_SUMS,
            _ => UNROLLED_SUMS_WITH_KERNELS,
        };
        let mut unroll = if survey.calls == 0
            && survey.vector_operations <= UNROLLED_OPERATIONS
            && sums <= most_sums
        {
            2
        } else {
            1
        };
        if let Some(rounds) = rounds {
            if rounds < PAIR as i64 {
                return None;
            }
            if rounds < (PAIR * unroll) as i64 {
                unroll = 1;
            }
        }
        let implied = survey.implied(body);
        let mut plan = Plan {
            classes: survey.classes,
            cells: survey.cells,
            implied,
            repeatable: false,
            forwarded: survey.forwarded,
            finite: survey.finite,
            products: survey.products,
            ordered,
            unroll,
            splits_sums: sums <= UNROLLED_SUMS,
            checked: survey.checked,
            rounds,
            host,
        };
        plan.repeatable = !body.iter().any(|stmt| plan.adds_in_place(stmt));
        Some(plan)
    }
}

/// Where an integer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Buffer(BufferId),
    Cell(CellId),
    /// The rounds of a loop.
    Value(ValueId),
}

/// The operations that define a procedure's values, wherever they stand.
pub(super) struct Definitions<'p>(Vec<Option<&'p Op>>);

impl<'p> Definitions<'p> {
    /// Those of a procedure: made once, for all of its loops.
    pub fn of(procedure: &'p Procedure) -> Definitions<'p> {
        let mut definitions = Definitions(vec![None; procedure.values.len()]);
        definitions.block(&procedure.body);
        definitions
    }

    fn block(&mut self, stmts: &'p [Stmt]) {
        for stmt in stmts {
            if let Stmt::Let(value, op) = stmt {
                self.0[value.0 as usize] = Some(op);
            }
            for block in blocks(stmt) {
                self.block(block);
            }
        }
    }

    /// The operation that defines a value; none of a loop's variable.
    fn get(&self, value: ValueId) -> Option<&'p Op> {
        self.0[value.0 as usize]
    }
}

/// How a statement of the body touches a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Load(Class),
    Store(Class),
    Accumulate,
    /// Accumulated into at one place per round.
    AccumulateAt(Class),
}

/// What has been seen of a body so far. Each method returns `None` for something that rules vectors out.
struct Survey<'s, K> {
    procedure: &'s Procedure,
    definitions: &'s Definitions<'s>,
    host: Host,
    known: &'s K,
    classes: BTreeMap<ValueId, Class>,
    cells: BTreeMap<CellId, CellUse>,
    /// What each local cell holds at this point of the body.
    locals: BTreeMap<CellId, Class>,
    accesses: BTreeMap<BufferId, Vec<Access>>,
    /// What each buffer was last given at this point of the body, and where.
    stored: BTreeMap<BufferId, (Class, ValueId)>,
    forwarded: BTreeMap<ValueId, ValueId>,
    /// Absolute values, with what they are of.
    sizes: BTreeMap<ValueId, ValueId>,
    finite: BTreeMap<ValueId, ValueId>,
    products: BTreeMap<ValueId, [ValueId; 2]>,
    checked: bool,
    vector_operations: usize,
    /// Calls of kernels on blocks.
    kernels: usize,
    /// Calls lane by lane.
    calls: usize,
}

impl<K: Fn(ValueId) -> Option<Scalar>> Survey<'_, K> {
    fn class(&self, value: ValueId) -> Class {
        self.classes.get(&value).copied().unwrap_or(Class::Uniform)
    }

    /// Finds how the body uses each cell, in order.
    fn cell_use(&mut self, stmt: &Stmt) -> Option<()> {
        let (cell, here) = match stmt {
            Stmt::Let(_, Op::Get(cell)) => (*cell, CellUse::Read),
            Stmt::Add(cell, _) => (*cell, CellUse::Sum),
            Stmt::Set(cell, _) => (*cell, CellUse::Local),
            _ if blocks(stmt).iter().any(|block| !block.is_empty()) => return None,
            _ => return Some(()),
        };
        let usage = *self.cells.entry(cell).or_insert(here);
        (usage == here || usage == CellUse::Local).then_some(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Option<()> {
        match stmt {
            Stmt::Let(value, op) => {
                let class = self.op(*value, op)?;
                self.classes.insert(*value, class);
            }
            Stmt::Set(cell, value) => {
                let held = match self.class(*value) {
                    Class::Linear { .. } => Class::Ints,
                    class => class,
                };
                self.locals.insert(*cell, held);
            }
            Stmt::Add(cell, _) => {
                if self.locals.contains_key(cell) {
                    self.locals.insert(*cell, Class::Reals);
                }
                self.vector_operations += 1;
            }
            Stmt::Store(buffer, index, value) => {
                let class = self.class(*index);
                self.access(*buffer, Access::Store(class));
                self.stored.insert(*buffer, (class, *value));
                self.vector_operations += 1;
            }
            Stmt::Accumulate(buffer, index, _) => {
                let access = match self.class(*index) {
                    class @ Class::Linear { .. } => Access::AccumulateAt(class),
                    _ => Access::Accumulate,
                };
                self.access(*buffer, access);
                self.stored.remove(buffer);
                self.vector_operations += 1;
            }
            Stmt::Check { .. } => self.checked = true,
            _ => return None,
        }
        Some(())
    }

    /// Whether a check asks about integers that are indices as well, or about constants, which indices may have become.
    fn guards_memory(&self, body: &[Stmt]) -> bool {
        let (mut asked, mut indices) = (BTreeSet::new(), BTreeSet::new());
        for stmt in body {
            match stmt {
                Stmt::Check { ok, .. } => {
                    if let Some(Op::Int(_)) = self.definitions.get(*ok) {
                        return true;
                    }
                    self.origins(*ok, &mut asked);
                }
                Stmt::Let(_, Op::Load(_, index))
                | Stmt::Store(_, index, _)
                | Stmt::Accumulate(_, index, _) => self.origins(*index, &mut indices),
                _ => {}
            }
        }
        !asked.is_disjoint(&indices)
    }

    /// Where the integers come from that an integer depends on.
    fn origins(&self, value: ValueId, found: &mut BTreeSet<Origin>) {
        match self.definitions.get(value) {
            Some(Op::Int(_)) => {}
            Some(Op::Prim(prim, args)) => {
                let of_integers = args.iter().zip(prim.args());
                for (arg, _) in of_integers.filter(|(_, kind)| **kind == Kind::Int) {
                    self.origins(*arg, found);
                }
            }
            Some(Op::Select(condition, then, otherwise)) => {
                for part in [condition, then, otherwise] {
                    self.origins(*part, found);
                }
            }
            Some(Op::Load(buffer, _)) => {
                found.insert(Origin::Buffer(*buffer));
            }
            Some(Op::Get(cell)) => {
                found.insert(Origin::Cell(*cell));
            }
            _ => {
                found.insert(Origin::Value(value));
            }
        }
    }

    fn access(&mut self, buffer: BufferId, access: Access) {
        self.accesses.entry(buffer).or_default().push(access);
    }

    fn op(&mut self, value: ValueId, op: &Op) -> Option<Class> {
        let varies = |survey: &Self| {
            let mut operands = op.operands().into_iter();
            operands.any(|operand| survey.class(operand) != Class::Uniform)
        };
        let kind = self.procedure.values[value.0 as usize];
        match op {
            Op::Real(_) | Op::Int(_) => Some(Class::Uniform),
            Op::Get(cell) => match self.cells.get(cell) {
                Some(CellUse::Local) => self.locals.get(cell).copied(),
                _ => Some(Class::Uniform),
            },
            Op::Load(buffer, index) => {
                let class = self.class(*index);
                if let Some(&(place, stored)) = self.stored.get(buffer)
                    && place == class
                    && matches!(place, Class::Linear { .. })
                {
                    self.forwarded.insert(value, stored);
                    return Some(self.class(stored));
                }
                self.access(*buffer, Access::Load(class));
                Some(match (class, kind) {
                    (Class::Uniform, _) => Class::Uniform,
                    (_, Kind::Int) => Class::Ints,
                    (_, Kind::Real) => {
                        self.vector_operations += 1;
                        Class::Reals
                    }
                })
            }
            Op::Prim(..) | Op::Select(..) if !varies(self) => Some(Class::Uniform),
            Op::Prim(prim, args) => {
                self.note_finite(value, *prim, args);
                self.note_product(value, *prim, args);
                Some(self.varying_prim(*prim, args))
            }
            Op::Select(..) => Some(match kind {
                Kind::Int => Class::Ints,
                Kind::Real => {
                    self.vector_operations += 1;
                    Class::Reals
                }
            }),
            Op::Draw(..) | Op::Pop(_) => None,
        }
    }

    fn note_finite(&mut self, value: ValueId, prim: Prim, args: &[ValueId]) {
        match (prim, args) {
            (Prim::Abs, &[of]) => {
                self.sizes.insert(value, of);
            }
            (Prim::Lt, &[size, bound]) => {
                if let (Some(&of), Some(Scalar::Real(f64::INFINITY))) =
                    (self.sizes.get(&size), (self.known)(bound))
                {
                    self.finite.insert(value, of);
                }
            }
            _ => {}
        }
    }

    /// The tests of finiteness whose number goes into a sum, such that the sum cannot be finite if the number is not:
    /// infinity and NaN never leave a sum again.
    fn implied(&self, body: &[Stmt]) -> BTreeMap<ValueId, usize> {
        let mut implied = BTreeMap::new();
        for (&test, &number) in &self.finite {
            let mut tainted = BTreeSet::from([number]);
            for (at, stmt) in body.iter().enumerate() {
                match stmt {
                    Stmt::Let(value, Op::Prim(prim, args))
                        if prim::passes_infinity(*prim, args)
                            .iter()
                            .any(|arg| tainted.contains(arg)) =>
                    {
                        tainted.insert(*value);
                    }
                    Stmt::Add(cell, value)
                        if tainted.contains(value)
                            && self.cells.get(cell) == Some(&CellUse::Sum) =>
                    {
                        implied.insert(test, at);
                        break;
                    }
                    _ => {}
                }
            }
        }
        implied
    }

    fn note_product(&mut self, value: ValueId, prim: Prim, args: &[ValueId]) {
        let factors = match (prim, args) {
            _ if !self.host.fuses => return,
            (Prim::Mul, &[a, b]) => [a, b],
            (Prim::Square, &[a]) => [a, a],
            _ => return,
        };
        self.products.insert(value, factors);
    }

    fn varying_prim(&mut self, prim: Prim, args: &[ValueId]) -> Class {
        if let Some(linear) = self.linear(prim, args) {
            return linear;
        }
        let masks = args.iter().all(|arg| self.class(*arg) == Class::Mask);
        match prim {
            Prim::Not | Prim::AndInt | Prim::OrInt if masks => Class::Mask,
            Prim::IsNan | Prim::IsInf | Prim::IntStep => Class::Mask,
            _ if prim::real_condition(prim).is_some() => Class::Mask,
            _ if prim::is_inline_real(prim, self.host) => {
                self.vector_operations += 1;
                Class::Reals
            }
            _ if prim.result() == Kind::Real => {
                // Kernels of one real are called on whole blocks: see `blocks`.
                let on_blocks = symbols::slice_symbol(prim).is_some();
                self.kernels += usize::from(on_blocks);
                self.calls += usize::from(!on_blocks && prim != Prim::ToReal);
                self.vector_operations += 1;
                Class::Reals
            }
            _ => Class::Ints,
        }
    }

    /// A linear integer plus or minus something uniform.
    fn linear(&self, prim: Prim, args: &[ValueId]) -> Option<Class> {
        let &[a, b] = args else { return None };
        let (linear, other) = match (prim, self.class(a), self.class(b)) {
            (Prim::AddInt | Prim::SubInt, linear @ Class::Linear { .. }, Class::Uniform) => {
                (linear, b)
            }
            (Prim::AddInt, Class::Uniform, linear @ Class::Linear { .. }) => (linear, a),
            _ => return None,
        };
        let Class::Linear { base, constant } = linear else {
            return None;
        };
        let class = match ((self.known)(other), prim, base) {
            (Some(Scalar::Int(known)), Prim::AddInt, _) => Class::Linear {
                base,
                constant: constant.wrapping_add(known),
            },
            (Some(Scalar::Int(known)), _, _) => Class::Linear {
                base,
                constant: constant.wrapping_sub(known),
            },
            (None, Prim::AddInt, None) => Class::Linear {
                base: Some(other),
                constant,
            },
            // Still one up per round, but no longer a form that two places could be compared by: integers.
            _ => Class::Ints,
        };
        Some(class)
    }

    /// Whether every buffer that is written allows rounds to run side by side; those that are not only added to.
    fn check_buffers(&self) -> Option<BTreeSet<BufferId>> {
        let mut ordered = BTreeSet::new();
        for (buffer, accesses) in &self.accesses {
            let is_load = |access: &Access| matches!(access, Access::Load(_));
            let is_sum =
                |access: &Access| matches!(access, Access::Accumulate | Access::AccumulateAt(_));
            if accesses.iter().all(is_load) || accesses.iter().all(is_sum) {
                continue;
            }
            // One place per round, the same for all accesses, so that no round sees another's.
            let place = |access: &Access| match access {
                Access::Load(class) | Access::Store(class) | Access::AccumulateAt(class) => *class,
                Access::Accumulate => Class::Ints,
            };
            let first = place(&accesses[0]);
            let linear = matches!(first, Class::Linear { .. });
            if !linear || accesses.iter().any(|access| place(access) != first) {
                return None;
            }
            // Rounds that are run again after a failed check must find what they found before.
            if self.checked && accesses.iter().any(is_load) {
                return None;
            }
            ordered.insert(*buffer);
        }
        Some(ordered)
    }
}
