//! Where a procedure's buffers lie in memory: one arena for scratch, one allocation for constants.

use super::CompileError;
use crate::builtins::Kind;
use crate::loops::{Procedure, Role, Stmt};
use std::ops::Range;

/// One cache line. Allocating in lines aligns everything for vectors of any width.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Line(pub [u64; 8]);

/// Bytes in a [`Line`].
pub(super) const LINE: usize = 64;
/// Bytes in a scalar.
pub(super) const SCALAR: usize = 8;
/// Arena and constants stay below this, so that every displacement fits an instruction.
const LARGEST: usize = i32::MAX as usize / 2;

/// Where a buffer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At this byte of the constants.
    Constant(usize),
    /// At this byte of the arena.
    Arena(usize),
    /// The caller's slice of that number, read.
    Input(u32),
    /// The caller's slice of that number, written.
    Output(u32),
}

/// The memory plan of a procedure.
#[derive(Debug)]
pub(super) struct Layout {
    /// The place of each buffer.
    pub places: Vec<Place>,
    /// The arena's bytes that are cleared when a run starts.
    pub zeroed: Range<usize>,
    /// The size of the arena in lines. Its first bytes hold the operands of messages and draws.
    pub arena_lines: usize,
    /// The contents of all constant buffers.
    pub constants: Vec<Line>,
}

impl Layout {
    /// Plans the memory of a procedure with so many scalars of its own in the cleared part of the arena; returns
    /// the byte of the first of these too.
    pub fn new(procedure: &Procedure, own_scalars: usize) -> Result<(Layout, usize), CompileError> {
        let mut places = Vec::with_capacity(procedure.buffers.len());
        // Data may be most of the memory of a process, so that there must be no growing in steps.
        let mut constants = Vec::with_capacity(constant_lines(procedure));
        for buffer in &procedure.buffers {
            places.push(match &buffer.role {
                Role::ConstantReal(contents) => {
                    Place::Constant(append(&mut constants, contents, |value| value.to_bits()))
                }
                Role::ConstantInt(contents) => {
                    Place::Constant(append(&mut constants, contents, |value| value as u64))
                }
                Role::Input(number) => Place::Input(*number),
                Role::Output(number) => Place::Output(*number),
                // Placed below, once the zeroed ones are together.
                Role::Work | Role::Zeroed => Place::Arena(0),
            });
        }
        let mut end = operand_bytes(procedure);
        let own = end;
        let start = end;
        end += own_scalars * SCALAR;
        let mut zeroed_end = end;
        for zeroed in [true, false] {
            for (buffer, place) in procedure.buffers.iter().zip(&mut places) {
                if matches!(place, Place::Arena(_)) && matches!(buffer.role, Role::Zeroed) == zeroed
                {
                    // Small buffers sit close together, so that clearing them stays cheap.
                    end = round_up(end, if buffer.len < 8 { 2 * SCALAR } else { LINE });
                    *place = Place::Arena(end);
                    end = end.saturating_add(buffer.len.saturating_mul(SCALAR));
                }
            }
            if zeroed {
                zeroed_end = end;
            }
        }
        if end > LARGEST || constants.len() * LINE > LARGEST {
            return Err(CompileError::TooLarge {
                bytes: end.max(constants.len() * LINE),
            });
        }
        let layout = Layout {
            places,
            zeroed: start..zeroed_end,
            arena_lines: end.div_ceil(LINE),
            constants,
        };
        Ok((layout, own))
    }

    /// The scalars of the arena that belong to real scratch buffers.
    pub fn unset(&self, procedure: &Procedure) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for (buffer, place) in procedure.buffers.iter().zip(&self.places) {
            if let (Place::Arena(byte), Role::Work, Kind::Real) = (place, &buffer.role, buffer.kind)
            {
                ranges.push(byte / SCALAR..byte / SCALAR + buffer.len);
            }
        }
        ranges
    }
}

/// How many lines the constant buffers take.
fn constant_lines(procedure: &Procedure) -> usize {
    let lines = procedure.buffers.iter().map(|buffer| match &buffer.role {
        Role::ConstantReal(contents) => contents.len().div_ceil(8),
        Role::ConstantInt(contents) => contents.len().div_ceil(8),
        _ => 0,
    });
    lines.sum()
}

/// Appends a buffer's scalars from a new line on and returns the byte where they begin.
fn append<T: Copy>(lines: &mut Vec<Line>, scalars: &[T], bits: impl Fn(T) -> u64) -> usize {
    let start = lines.len() * LINE;
    lines.extend(scalars.chunks(8).map(|chunk| {
        let mut line = [0; 8];
        for (to, scalar) in line.iter_mut().zip(chunk) {
            *to = bits(*scalar);
        }
        Line(line)
    }));
    start
}

fn round_up(bytes: usize, to: usize) -> usize {
    bytes.next_multiple_of(to)
}

/// The bytes for the operands of messages and draws: whole lines.
pub(super) fn operand_bytes(procedure: &Procedure) -> usize {
    round_up(operand_count(&procedure.body) * SCALAR, LINE)
}

/// The most scalars that any message or draw hands over at once.
fn operand_count(body: &[Stmt]) -> usize {
    let count = |stmt: &Stmt| match stmt {
        Stmt::Let(_, crate::loops::Op::Draw(_, args)) => args.len(),
        Stmt::Check { values, .. } | Stmt::Print { values, .. } => values.len(),
        Stmt::For { body, .. } => operand_count(body),
        Stmt::If {
            then, otherwise, ..
        } => operand_count(then).max(operand_count(otherwise)),
        Stmt::While { header, body, .. } => operand_count(header).max(operand_count(body)),
        _ => 0,
    };
    // At least two, for the index and length of a range check.
    body.iter().map(count).max().unwrap_or(0).max(2)
}
