//! Straight-line code on vectors of eight lanes, before registers are assigned: what a segment's rounds become.

use super::encode;
use std::fmt;

/// A vector of eight numbers or a mask of eight lanes, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub u32);

/// What an address begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The context that the code is called with; all of a vector's lanes are there even if there are fewer rounds.
    Context,
    /// The address in the context's table of that number.
    Table(usize),
}

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub base: Base,
    pub displacement: i32,
}

/// Where a vector that is not computed comes from, at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// Scalars in a row, from those of the first round.
    Row(Address),
    /// A scalar that is the same in all rounds, by its number in the context.
    Splat(usize),
    /// The bits of a constant.
    Constant(u64),
    /// How many rounds came before, an integer; the address is that of the first eight.
    Rounds(Address),
}

/// An operation on two vectors, lane by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Two {
    Add,
    Sub,
    Mul,
    Div,
    And,
    Or,
    Xor,
    AddInt,
    SubInt,
    MulInt,
}

impl Two {
    pub fn commutes(self) -> bool {
        !matches!(self, Two::Sub | Two::Div | Two::SubInt)
    }

    pub fn code(self) -> encode::Code {
        match self {
            Two::Add => encode::Code::ADD,
            Two::Sub => encode::Code::SUB,
            Two::Mul => encode::Code::MUL,
            Two::Div => encode::Code::DIV,
            Two::And => encode::Code::AND,
            Two::Or => encode::Code::OR,
            Two::Xor => encode::Code::XOR,
            Two::AddInt => encode::Code::ADD_INT,
            Two::SubInt => encode::Code::SUB_INT,
            Two::MulInt => encode::Code::MUL_INT,
        }
    }
}

/// An operation on one vector, lane by lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum One {
    Sqrt,
    Floor,
    Ceil,
    Trunc,
    /// Of integers.
    ToReal,
}

/// A comparison of two vectors: of reals or of integers, by the machine's number of the predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Reals(u8),
    Ints(u8),
}

/// An operation on masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logic {
    And(Id, Id),
    Or(Id, Id),
    Not(Id),
}

/// What defines a vector or a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Two(Two, Id, Id),
    One(One, Id),
    /// `a * b + c`, rounded once.
    Fma(Id, Id, Id),
    /// Scalars in a row, which may be others later on.
    Load(Address),
    /// The scalars of a table at indices.
    Gather(Address, Id),
    /// The second where the mask holds, else the third.
    Blend(Id, Id, Id),
    Compare(Comparison, Id, Id),
    Logic(Logic),
}

impl Op {
    pub fn is_mask(&self) -> bool {
        matches!(self, Op::Compare(..) | Op::Logic(_))
    }

    fn operands(&self) -> Vec<Id> {
        match *self {
            Op::Two(_, a, b) | Op::Compare(_, a, b) => vec![a, b],
            Op::One(_, a) | Op::Gather(_, a) => vec![a],
            Op::Fma(a, b, c) | Op::Blend(a, b, c) => vec![a, b, c],
            Op::Load(_) => Vec::new(),
            Op::Logic(Logic::And(a, b) | Logic::Or(a, b)) => vec![a, b],
            Op::Logic(Logic::Not(a)) => vec![a],
        }
    }
}

/// A step of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Define(Id, Op),
    Store(Address, Id),
    /// Adds to the scalars in a row.
    AddTo(Address, Id),
    /// Adds to the scalars of a table at indices, lane by lane.
    Scatter(Address, Id, Id),
    /// Adds to the running sum of that number.
    Sum(usize, Id),
    /// Adds a product to it, rounded once.
    SumProduct(usize, Id, Id),
    /// Notes a failure unless the mask holds in all lanes.
    Check(Id),
}

impl Step {
    pub fn operands(&self) -> Vec<Id> {
        match *self {
            Step::Define(_, op) => op.operands(),
            Step::Store(_, a) | Step::AddTo(_, a) | Step::Sum(_, a) | Step::Check(a) => vec![a],
            Step::Scatter(_, a, b) | Step::SumProduct(_, a, b) => vec![a, b],
        }
    }
}

/// The code of one group of rounds.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// For each vector that is not computed where it comes from.
    pub homes: Vec<Option<Home>>,
    /// Which are masks.
    masks: Vec<bool>,
    pub steps: Vec<Step>,
    /// How many running sums.
    pub sums: usize,
}

impl Code {
    /// A vector that comes from somewhere.
    pub fn at_home(&mut self, home: Home) -> Id {
        let known = self.homes.iter().position(|known| *known == Some(home));
        let at = known.unwrap_or_else(|| {
            self.homes.push(Some(home));
            self.masks.push(false);
            self.homes.len() - 1
        });
        Id(at as u32)
    }

    /// A computed vector or mask.
    pub fn define(&mut self, op: Op) -> Id {
        let id = Id(self.homes.len() as u32);
        self.homes.push(None);
        self.masks.push(op.is_mask());
        self.steps.push(Step::Define(id, op));
        id
    }

    pub fn is_mask(&self, id: Id) -> bool {
        self.masks[id.0 as usize]
    }

    /// Whether anything may fail.
    pub fn is_checked(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| matches!(step, Step::Check(_)))
    }

    /// Leaves out what nothing uses.
    pub fn drop_unused(&mut self) {
        let mut used = vec![false; self.homes.len()];
        let mut kept: Vec<Step> = Vec::with_capacity(self.steps.len());
        for step in self.steps.iter().rev() {
            if let Step::Define(id, _) = step
                && !used[id.0 as usize]
            {
                continue;
            }
            for operand in step.operands() {
                used[operand.0 as usize] = true;
            }
            kept.push(*step);
        }
        kept.reverse();
        self.steps = kept;
    }
}

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "w{}", self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Base::Context => write!(out, "[context{:+}]", self.displacement),
            Base::Table(number) => write!(out, "[address {number}{:+}]", self.displacement),
        }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Home::Row(address) => write!(out, "row {address}"),
            Home::Splat(number) => write!(out, "scalar {number}"),
            Home::Constant(bits) => write!(out, "{bits:#x} ({:?})", f64::from_bits(*bits)),
            Home::Rounds(_) => write!(out, "rounds"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Two(two, a, b) => write!(out, "{two:?} {a} {b}"),
            Op::One(one, a) => write!(out, "{one:?} {a}"),
            Op::Fma(a, b, c) => write!(out, "Fma {a} {b} {c}"),
            Op::Load(address) => write!(out, "load {address}"),
            Op::Gather(address, index) => write!(out, "gather {address} at {index}"),
            Op::Blend(mask, then, otherwise) => write!(out, "{mask} ? {then} : {otherwise}"),
            Op::Compare(comparison, a, b) => write!(out, "{comparison:?} {a} {b}"),
            Op::Logic(Logic::And(a, b)) => write!(out, "{a} and {b}"),
            Op::Logic(Logic::Or(a, b)) => write!(out, "{a} or {b}"),
            Op::Logic(Logic::Not(a)) => write!(out, "not {a}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Define(id, op) => write!(out, "{id} = {op}"),
            Step::Store(address, value) => write!(out, "store {address} {value}"),
            Step::AddTo(address, value) => write!(out, "add to {address} {value}"),
            Step::Scatter(address, index, value) => {
                write!(out, "add to {address} at {index}, lane by lane, {value}")
            }
            Step::Sum(number, value) => write!(out, "sum {number} += {value}"),
            Step::SumProduct(number, a, b) => write!(out, "sum {number} += {a} {b}"),
            Step::Check(mask) => write!(out, "check {mask}"),
        }
    }
}

/// What comes from somewhere, then the steps.
impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, home) in self.homes.iter().enumerate() {
            if let Some(home) = home {
                writeln!(out, "    {} = {home}", Id(number as u32))?;
            }
        }
        self.steps
            .iter()
            .try_for_each(|step| writeln!(out, "    {step}"))
    }
}
