//! Cuts a long body into functions, because the time to compile one grows faster than its length.
//!
//! Cuts lie between statements of the outermost block. A value or cell that both sides of a cut use gets a slot of
//! memory; everything else stays in registers. A loop that runs in parts is a function of its own, and so is a recurrence:
//! where calls are near, what it hands from round to round would not stay in a register.

use super::parallel::Parallel;
use crate::loops::{self, CellId, Op, Procedure, Slice, Stmt, ValueId};
use std::collections::BTreeMap;
use std::ops::Range;

/// Statements per function. ENGINE measurements: about 2 µs per instruction up to some thousand, superlinear
/// beyond; functions of 500 compile 10,000 instructions in three quarters of the time of one.
const LONGEST: usize = 600;
/// A recurrence of fewer rounds does not repay a call, nor one of more statements, which needs more registers than there are;
/// guesses.
const FEWEST_ROUNDS: i64 = 32;
const MOST_STATEMENTS: usize = 32;

/// How a body is cut.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// The functions, in order; at least one.
    pub chunks: Vec<Chunk>,
    /// The slot of each value that is used beyond the function that defines it.
    pub value_slots: Vec<Option<usize>>,
    /// The slot of each cell that several functions use.
    pub cell_slots: Vec<Option<usize>>,
    /// How many slots.
    pub slots: usize,
}

/// One function.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Its statements in the procedure's body.
    pub stmts: Range<usize>,
    /// The cells that it touches, in order.
    pub cells: Vec<CellId>,
    /// How it runs in parts, if it does: then it is one loop.
    pub parallel: Option<Parallel>,
}

impl Partition {
    /// Cuts a procedure's body, of which some loops run in parts.
    pub fn new(procedure: &Procedure, parallel: BTreeMap<usize, Parallel>) -> Partition {
        let mut partition = Partition {
            chunks: cut(&procedure.body, parallel),
            value_slots: vec![None; procedure.values.len()],
            cell_slots: vec![None; procedure.cells.len()],
            slots: 0,
        };
        // The function that defines a value of the outermost block; constants are repeated in each instead.
        let mut home: Vec<Option<usize>> = vec![None; procedure.values.len()];
        let mut cell_home: Vec<Option<usize>> = vec![None; procedure.cells.len()];
        let last = partition.chunks.len() - 1;
        for number in 0..partition.chunks.len() {
            let mut cells = vec![false; procedure.cells.len()];
            for stmt in &procedure.body[partition.chunks[number].stmts.clone()] {
                if let Stmt::Let(value, op) = stmt
                    && !matches!(op, Op::Int(_) | Op::Real(_))
                {
                    home[value.0 as usize] = Some(number);
                }
                each_value(stmt, &mut |value| {
                    let at = value.0 as usize;
                    if home[at].is_some_and(|home| home != number) {
                        share(&mut partition.value_slots[at], &mut partition.slots);
                    }
                });
                each_cell(stmt, &mut |cell| cells[cell.0 as usize] = true);
            }
            if let (Some(result), true) = (procedure.result, number == last) {
                cells[result.0 as usize] = true;
            }
            for at in (0..cells.len()).filter(|at| cells[*at]) {
                if cell_home[at].is_some_and(|home| home != number) {
                    share(&mut partition.cell_slots[at], &mut partition.slots);
                }
                cell_home[at] = Some(number);
                partition.chunks[number].cells.push(CellId(at as u32));
            }
        }
        partition
    }
}

fn share(slot: &mut Option<usize>, slots: &mut usize) {
    if slot.is_none() {
        *slot = Some(*slots);
        *slots += 1;
    }
}

/// The functions: neither the first, which clears memory, nor the last, which has the result, is a loop in parts.
fn cut(body: &[Stmt], mut parallel: BTreeMap<usize, Parallel>) -> Vec<Chunk> {
    let chunk = |stmts, parallel| Chunk {
        stmts,
        cells: Vec::new(),
        parallel,
    };
    let mut chunks = Vec::new();
    let (mut start, mut length) = (0, 0);
    let mut constants = BTreeMap::new();
    for (at, stmt) in body.iter().enumerate() {
        if let Stmt::Let(value, Op::Int(constant)) = stmt {
            constants.insert(*value, *constant);
        }
        if is_recurrence(stmt, &constants) {
            chunks.push(chunk(start..at, None));
            chunks.push(chunk(at..at + 1, None));
            (start, length) = (at + 1, 0);
            continue;
        }
        if let Some(parallel) = parallel.remove(&at) {
            chunks.push(chunk(start..at, None));
            chunks.push(chunk(at..at + 1, Some(parallel)));
            (start, length) = (at + 1, 0);
            continue;
        }
        let more = count(stmt);
        if length > 0 && length + more > LONGEST {
            chunks.push(chunk(start..at, None));
            (start, length) = (at, 0);
        }
        length += more;
    }
    chunks.push(chunk(start..body.len(), None));
    chunks
}

/// Whether a statement is a short loop whose rounds wait for each other.
fn is_recurrence(stmt: &Stmt, constants: &BTreeMap<ValueId, i64>) -> bool {
    let Stmt::For {
        start, end, body, ..
    } = stmt
    else {
        return false;
    };
    let (Some(start), Some(end)) = (constants.get(start), constants.get(end)) else {
        return false;
    };
    let innermost = body.iter().all(|stmt| loops::blocks(stmt).next().is_none());
    let is_short = innermost && body.len() <= MOST_STATEMENTS;
    is_short && end.saturating_sub(*start) >= FEWEST_ROUNDS && loops::carries(body)
}

/// How many statements a statement is, with those in it.
fn count(stmt: &Stmt) -> usize {
    1 + blocks(stmt).into_iter().flatten().map(count).sum::<usize>()
}

/// The nested blocks of a statement.
pub(super) fn blocks(stmt: &Stmt) -> [&[Stmt]; 2] {
    match stmt {
        Stmt::For { body, .. } => [body, &[]],
        Stmt::If {
            then, otherwise, ..
        } => [then, otherwise],
        Stmt::While { header, body, .. } => [header, body],
        _ => [&[], &[]],
    }
}

/// Calls `visit` for every value that a statement, or one within it, uses.
fn each_value(stmt: &Stmt, visit: &mut impl FnMut(ValueId)) {
    let slices = |slices: &[Slice], visit: &mut dyn FnMut(ValueId)| {
        for slice in slices {
            for value in [slice.offset, slice.rows, slice.cols] {
                visit(value);
            }
        }
    };
    match stmt {
        Stmt::Let(_, op) => op.operands().into_iter().for_each(&mut *visit),
        Stmt::Set(_, value) | Stmt::Add(_, value) | Stmt::Push(value) => visit(*value),
        Stmt::Store(_, index, value) | Stmt::Accumulate(_, index, value) => {
            visit(*index);
            visit(*value);
        }
        Stmt::Fill(slice, value) => {
            slices(&[*slice], visit);
            visit(*value);
        }
        Stmt::For { start, end, .. } => {
            visit(*start);
            visit(*end);
        }
        Stmt::If { condition, .. } | Stmt::While { condition, .. } => visit(*condition),
        Stmt::Call {
            inputs, outputs, ..
        } => {
            slices(inputs, visit);
            slices(outputs, visit);
        }
        Stmt::Check { ok, values, .. } => {
            visit(*ok);
            values.iter().copied().for_each(&mut *visit);
        }
        Stmt::Print { values, .. } => values.iter().copied().for_each(&mut *visit),
        Stmt::PushSlice(slice) | Stmt::PopSlice(slice) => slices(&[*slice], visit),
    }
    for inner in blocks(stmt).into_iter().flatten() {
        each_value(inner, visit);
    }
}

/// The values that a statement of the outermost block, or one within it, uses.
pub(super) fn used(stmt: &Stmt) -> Vec<ValueId> {
    let mut values = Vec::new();
    each_value(stmt, &mut |value| values.push(value));
    values
}

fn each_cell(stmt: &Stmt, visit: &mut impl FnMut(CellId)) {
    match stmt {
        Stmt::Let(_, Op::Get(cell)) | Stmt::Set(cell, _) | Stmt::Add(cell, _) => visit(*cell),
        _ => {}
    }
    for inner in blocks(stmt).into_iter().flatten() {
        each_cell(inner, visit);
    }
}
