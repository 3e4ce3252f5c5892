//! The loop IR: a program specialised on its data, as scalars, loops and flat buffers.
//!
//! What `lower` makes of the typed IR once the data are bound, what `autodiff` differentiates, what the evaluator
//! runs literally and the JIT compiles. Containers are gone: every element is a scalar value in static single
//! assignment, a mutable scalar *cell*, or a slot of a flat *buffer*. Vectorised statements and the loops that users
//! write meet here as the same loops. Linear algebra stays whole, as calls on slices of buffers.
//!
//! Invariants (checked by [`verify`]): a value is defined once, before its uses, in an enclosing block; operands have
//! the kinds their operation takes; a buffer index is an `Int` value and in range, because `lower` proved it or
//! emitted a [`Stmt::Check`] before it; [`Role::Constant`] and [`Role::Input`] buffers are never written.

mod adjoint;
mod build;
pub(crate) mod evaluate;
mod forward;
mod intrinsic;
pub(crate) mod linear;
pub(crate) mod ode;
mod print;
mod rewrite;
mod splice;
mod stop;
mod verify;

pub use build::Builder;
pub use evaluate::Evaluator;
pub use intrinsic::{Intrinsic, LinearAlgebra};
pub use ode::{Problem, System};
pub use rewrite::{
    blocks, blocks_mut, carries, for_each_operand, for_each_operand_inside, for_each_written,
    rewrite_definitions, rewrite_operands, rewrite_operands_here, written_in,
};
pub use stop::Stop;
pub use verify::verify;

use crate::builtins::{Draw, Kind, Prim, Scalar};
use crate::shared::Shared;
use crate::source::Span;
use std::collections::BTreeMap;

/// Names a scalar value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// Names a mutable scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(pub u32);

/// Names a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub u32);

/// Names a message: an index into [`Procedure::messages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u32);

/// A procedure: one run computes, say, a log density and its gradient.
#[derive(Clone, Debug, Default)]
pub struct Procedure {
    /// What it is for: `log_density`, `gradient`, `draw`.
    pub name: String,
    /// The kind of every value.
    pub values: Vec<Kind>,
    /// Every cell.
    pub cells: Vec<Cell>,
    /// Every buffer.
    pub buffers: Vec<Buffer>,
    /// The variable of the innermost `for` loop around the declaration of those buffers that are declared in one: what
    /// one round leaves in them, no other round reads.
    pub scopes: BTreeMap<BufferId, ValueId>,
    /// What can go wrong or be printed.
    pub messages: Vec<Message>,
    /// The systems of differential equations that [`Intrinsic::Ode`] solves.
    pub systems: Vec<System>,
    /// The code.
    pub body: Vec<Stmt>,
    /// The cell that holds the result (a real) at the end.
    pub result: Option<CellId>,
}

impl Procedure {
    /// A new value that nothing defines yet.
    pub fn fresh(&mut self, kind: Kind) -> ValueId {
        let id = ValueId(self.values.len() as u32);
        self.values.push(kind);
        id
    }
}

/// A mutable scalar. It is 0 at the start of the procedure.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// For people who read the printed IR.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// A flat array of fixed length.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// For people who read the printed IR.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// How many.
    pub len: usize,
    /// Where its contents come from.
    pub role: Role,
}

/// Where a buffer's contents come from.
#[derive(Clone, Debug)]
pub enum Role {
    /// Reals known at binding; never written.
    ConstantReal(Shared<f64>),
    /// Integers known at binding; never written.
    ConstantInt(Shared<i64>),
    /// Given by the caller, never written: the position (0), and whatever else a procedure takes, by number.
    Input(u32),
    /// Handed back to the caller, by number: the gradient (0), values, … Zero at the start of the procedure.
    Output(u32),
    /// Scratch. NaN (integers: 0) when a workspace is made; afterwards whatever the last run left.
    Work,
    /// Scratch that is zero at the start of the procedure (adjoints).
    Zeroed,
}

impl Buffer {
    /// An element, if the contents were known at binding and there is such an element.
    pub fn constant(&self, index: i64) -> Option<Scalar> {
        let index = usize::try_from(index).ok()?;
        match &self.role {
            Role::ConstantReal(contents) => contents.get(index).copied().map(Scalar::Real),
            Role::ConstantInt(contents) => contents.get(index).copied().map(Scalar::Int),
            _ => None,
        }
    }
}

/// A rectangle of a buffer, column-major and dense: element (i, j) is at `offset + i + j * rows`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// The buffer.
    pub buffer: BufferId,
    /// Where it starts (an `Int` value).
    pub offset: ValueId,
    /// Rows (an `Int` value).
    pub rows: ValueId,
    /// Columns (an `Int` value).
    pub cols: ValueId,
}

/// The right side of a [`Stmt::Let`].
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A real constant.
    Real(f64),
    /// An integer constant.
    Int(i64),
    /// A primitive; operands have its kinds. Pure.
    Prim(Prim, Vec<ValueId>),
    /// `condition ? then : otherwise`, both evaluated. The condition is an `Int`.
    Select(ValueId, ValueId, ValueId),
    /// `buffer[index]`
    Load(BufferId, ValueId),
    /// The cell's current value.
    Get(CellId),
    /// A random draw; only in procedures that are given a generator.
    Draw(Draw, Vec<ValueId>),
    /// Takes the last value off the tape.
    Pop(Kind),
}

impl Op {
    /// What the operation gives if its operands, which `value` knows, and data tell; a division by zero gives nothing.
    pub fn known(
        &self,
        buffers: &[Buffer],
        value: impl Fn(ValueId) -> Option<Scalar>,
    ) -> Option<Scalar> {
        match self {
            Op::Real(constant) => Some(Scalar::Real(*constant)),
            Op::Int(constant) => Some(Scalar::Int(*constant)),
            // Called per row of data, so that operands must not be collected on the heap.
            Op::Prim(prim, args) => match args[..] {
                [a] => prim.apply(&[value(a)?]),
                [a, b] => prim.apply(&[value(a)?, value(b)?]),
                [a, b, c] => prim.apply(&[value(a)?, value(b)?, value(c)?]),
                _ => None,
            },
            Op::Select(condition, then, otherwise) => match value(*condition)?.as_int() {
                0 => value(*otherwise),
                _ => value(*then),
            },
            Op::Load(buffer, index) => buffers[buffer.0 as usize].constant(value(*index)?.as_int()),
            Op::Get(_) | Op::Draw(..) | Op::Pop(_) => None,
        }
    }

    /// The values that the operation uses.
    pub fn operands(&self) -> Vec<ValueId> {
        match self {
            Op::Real(_) | Op::Int(_) | Op::Get(_) | Op::Pop(_) => Vec::new(),
            Op::Prim(_, args) | Op::Draw(_, args) => args.clone(),
            Op::Select(condition, then, otherwise) => vec![*condition, *then, *otherwise],
            Op::Load(_, index) => vec![*index],
        }
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// Defines a value.
    Let(ValueId, Op),
    /// `cell = value`
    Set(CellId, ValueId),
    /// `cell += value` (reals only): a reduction where nothing else in a loop touches the cell.
    Add(CellId, ValueId),
    /// `buffer[index] = value`
    Store(BufferId, ValueId, ValueId),
    /// `buffer[index] += value` (reals only)
    Accumulate(BufferId, ValueId, ValueId),
    /// Sets a slice's elements to one value.
    Fill(Slice, ValueId),
    /// `for var in start..end` (end excluded, no rounds when end <= start), last to first when `reverse`.
    For {
        /// Defined in the body alone.
        var: ValueId,
        /// First value.
        start: ValueId,
        /// One past the last value.
        end: ValueId,
        /// From `end - 1` down to `start`.
        reverse: bool,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `if`
    If {
        /// An `Int`; non-zero is true.
        condition: ValueId,
        /// When true.
        then: Vec<Stmt>,
        /// When false.
        otherwise: Vec<Stmt>,
    },
    /// Runs `header`, then, while `condition` (defined in it) is non-zero, `body` and `header` again.
    While {
        /// Computes the condition; its values are visible in the body.
        header: Vec<Stmt>,
        /// An `Int`.
        condition: ValueId,
        /// The body.
        body: Vec<Stmt>,
    },
    /// Linear algebra on slices, and the solution of differential equations. Outputs do not overlap inputs. May fail
    /// (not positive definite): then `message`, with no values.
    Call {
        /// Which.
        function: Intrinsic,
        /// Read.
        inputs: Vec<Slice>,
        /// Written, or accumulated into: see [`Intrinsic`].
        outputs: Vec<Slice>,
        /// What to say when it fails; the intrinsic's own words follow.
        message: MessageId,
    },
    /// Ends the procedure with a message unless `ok` is non-zero.
    Check {
        /// An `Int`.
        ok: ValueId,
        /// What to say.
        message: MessageId,
        /// The values in it.
        values: Vec<ValueId>,
    },
    /// Prints a message.
    Print {
        /// What.
        message: MessageId,
        /// The values in it.
        values: Vec<ValueId>,
    },
    /// Puts a value on the tape, which grows as needed.
    Push(ValueId),
    /// Puts a slice's contents on the tape.
    PushSlice(Slice),
    /// Takes a slice's contents off the tape.
    PopSlice(Slice),
}

/// Something to say at run time.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it does to the run.
    pub kind: MessageKind,
    /// The text, with places for values.
    pub parts: Vec<Part>,
    /// The place in the program.
    pub span: Span,
}

/// What a message does to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// The log density is −∞ at this point; sampling goes on.
    Reject,
    /// The run ends: an index out of range, sizes that do not match, `fatal_error`.
    Fatal,
    /// Printed.
    Print,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// As it stands.
    Text(String),
    /// The value at that position of the statement's list.
    Value(usize),
}
