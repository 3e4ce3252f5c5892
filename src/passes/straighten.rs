//! Straight code: short loops are unrolled, and what was just written is not read back from memory.
//!
//! A mixture of five components or the states of a Markov chain are loops of a few rounds inside a long one. Unrolled,
//! their containers are values, and the long loop has the form that differentiation fuses and vectors take.

use super::memory::{Memory, Place};
use crate::builtins::{Kind, Prim};
use crate::loops::{
    BufferId, Builder, CellId, Op, Procedure, Role, Slice, Stmt, ValueId, blocks,
    rewrite_operands_here,
};
use std::collections::BTreeMap;

/// Loops inside others are unrolled up to so many rounds: mixtures and Markov chains rarely have more states, and longer
/// loops fill vectors themselves.
const MOST_ROUNDS_INSIDE: i64 = 8;
/// Loops of the outermost block are unrolled up to so many rounds; eight are worth a vector loop.
const MOST_ROUNDS_OUTSIDE: i64 = 5;
/// A loop is unrolled to so many statements at most, such that a machine function stays near 500 instructions, beyond
/// which compile time grows faster than code (measured with prototypes of the code generator).
const MOST_STATEMENTS: usize = 600;
/// All loops of a procedure together; a guess.
const MOST_STATEMENTS_IN_ALL: usize = 6_000;
/// Fills of up to so many elements are remembered element by element.
const MOST_FILLED: i64 = 32;
/// So many zeros are remembered at the start, if there are no more; what memory holds grows with that.
const MOST_ZEROS: usize = 256;

/// Unrolls short loops and forwards what is written to what reads it.
pub(super) fn straighten(procedure: &mut Procedure) {
    let mut old = std::mem::take(procedure);
    let body = std::mem::take(&mut old.body);
    // Every value is defined anew.
    old.values.clear();
    let mut straightener = Straightener {
        target: old.result,
        scopes: std::mem::take(&mut old.scopes),
        build: Builder::resume(old),
        renamed: BTreeMap::new(),
        places: BTreeMap::new(),
        memory: Memory::default(),
        loops: Vec::new(),
        unrolled: 0,
    };
    straightener.note_zeros();
    straightener.block(&body);
    *procedure = straightener.build.finish();
}

struct Straightener {
    build: Builder,
    /// The cell of the result, which is only added to: differentiation counts on that.
    target: Option<CellId>,
    /// The scopes of buffers in the old code.
    scopes: BTreeMap<BufferId, ValueId>,
    /// What stands for each value of the old code.
    renamed: BTreeMap<ValueId, ValueId>,
    /// Indexes that are a constant away from another value.
    places: BTreeMap<ValueId, Place>,
    memory: Memory,
    /// The variables of the loops around, as they are now.
    loops: Vec<ValueId>,
    /// Statements that unrolling has made.
    unrolled: usize,
}

impl Straightener {
    fn now(&self, value: ValueId) -> ValueId {
        self.renamed.get(&value).copied().unwrap_or(value)
    }

    /// Where an index of the new code points.
    fn place(&self, index: ValueId) -> Place {
        if let Some(constant) = self.build.known_int(index) {
            return Place {
                base: None,
                constant,
            };
        }
        let itself = Place {
            base: Some(index),
            constant: 0,
        };
        self.places.get(&index).copied().unwrap_or(itself)
    }

    /// Adjoints and outputs are zero at the start.
    fn note_zeros(&mut self) {
        let mut zeros = Vec::new();
        for (id, buffer) in self.build.procedure.buffers.iter().enumerate() {
            let is_zero = matches!(buffer.role, Role::Zeroed | Role::Output(_));
            let is_short = buffer.len <= MOST_FILLED as usize;
            if is_zero && is_short && buffer.kind == Kind::Real {
                zeros.extend((0..buffer.len).map(|at| (BufferId(id as u32), at as i64)));
            }
        }
        if zeros.len() > MOST_ZEROS {
            return;
        }
        let zero = self.build.real(0.0);
        for (buffer, constant) in zeros {
            let place = Place {
                base: None,
                constant,
            };
            self.memory.note_element(buffer, place, zero);
        }
    }

    fn block(&mut self, stmts: &[Stmt]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    /// A block inside a statement, whose values end with it; `memory` is what is known at its start.
    fn inner(&mut self, stmts: &[Stmt], memory: Memory) -> Vec<Stmt> {
        let before = std::mem::replace(&mut self.memory, memory);
        self.build.open();
        self.block(stmts);
        self.memory = before;
        self.build.close()
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value, op) => {
                let now = self.op(op);
                self.renamed.insert(*value, now);
            }
            Stmt::Set(cell, value) => {
                let value = self.now(*value);
                if Some(*cell) != self.target {
                    self.memory.set_cell(*cell, value);
                }
                self.build.push(Stmt::Set(*cell, value));
            }
            Stmt::Add(cell, value) => self.add(*cell, self.now(*value)),
            Stmt::Store(buffer, index, value) => {
                let (index, value) = (self.now(*index), self.now(*value));
                let place = self.place(index);
                self.memory.set_element(*buffer, place, value);
                self.build.push(Stmt::Store(*buffer, index, value));
            }
            Stmt::Accumulate(buffer, index, value) => {
                let (index, value) = (self.now(*index), self.now(*value));
                let place = self.place(index);
                match self.memory.element(*buffer, place) {
                    Some(before) => {
                        // A zero's sign is the only thing that adding zero could change.
                        let sum = match self.build.known_real(before) {
                            Some(0.0) => value,
                            _ => self.build.prim(Prim::Add, &[before, value]),
                        };
                        self.memory.set_element(*buffer, place, sum);
                        self.build.push(Stmt::Store(*buffer, index, sum));
                    }
                    None => {
                        self.memory.disturb(*buffer, place);
                        self.build.push(Stmt::Accumulate(*buffer, index, value));
                    }
                }
            }
            Stmt::For { .. } => self.for_loop(stmt),
            Stmt::If {
                condition,
                then,
                otherwise,
            } => self.branch(self.now(*condition), then, otherwise),
            Stmt::While {
                header,
                condition,
                body,
            } => self.while_loop(header, *condition, body),
            Stmt::Check { ok, .. }
                if self
                    .build
                    .known_int(self.now(*ok))
                    .is_some_and(|ok| ok != 0) => {}
            other => self.other(other),
        }
    }

    /// A statement without blocks that only has to be renamed, and what it writes forgotten.
    fn other(&mut self, stmt: &Stmt) {
        let mut stmt = stmt.clone();
        rewrite_operands_here(&mut stmt, &mut |value| self.now(value));
        self.memory.forget_changes(std::slice::from_ref(&stmt));
        if let Stmt::Fill(slice, value) = &stmt {
            self.note_fill(slice, *value);
        }
        self.build.push(stmt);
    }

    fn op(&mut self, op: &Op) -> ValueId {
        match op {
            Op::Int(constant) => self.build.int(*constant),
            Op::Real(constant) => self.build.real(*constant),
            Op::Prim(prim, args) => {
                let args: Vec<ValueId> = args.iter().map(|arg| self.now(*arg)).collect();
                let value = self.build.prim(*prim, &args);
                self.note_place(value, *prim, &args);
                value
            }
            Op::Select(condition, then, otherwise) => {
                let [condition, then, otherwise] =
                    [condition, then, otherwise].map(|value| self.now(*value));
                match self.build.known_int(condition) {
                    Some(0) => otherwise,
                    Some(_) => then,
                    None => {
                        let kind = self.build.kind(then);
                        self.build
                            .define(kind, Op::Select(condition, then, otherwise))
                    }
                }
            }
            Op::Load(buffer, index) => {
                let index = self.now(*index);
                let place = self.place(index);
                if let Some(known) = self.memory.element(*buffer, place) {
                    return known;
                }
                let value = self.build.load(*buffer, index);
                self.memory.note_element(*buffer, place, value);
                value
            }
            Op::Get(cell) => {
                if let Some(known) = self.memory.cell(*cell) {
                    return known;
                }
                let value = self.build.get(*cell);
                if Some(*cell) != self.target {
                    self.memory.set_cell(*cell, value);
                }
                value
            }
            Op::Draw(draw, args) => {
                let args = args.iter().map(|arg| self.now(*arg)).collect();
                self.build.define(draw.row().2, Op::Draw(*draw, args))
            }
            Op::Pop(kind) => self.build.define(*kind, Op::Pop(*kind)),
        }
    }

    /// Remembers sums of an index and a constant.
    fn note_place(&mut self, value: ValueId, prim: Prim, args: &[ValueId]) {
        let &[a, b] = args else { return };
        let (base, offset) = match (prim, self.build.known_int(a), self.build.known_int(b)) {
            (Prim::AddInt, None, Some(constant)) => (a, constant),
            (Prim::AddInt, Some(constant), None) => (b, constant),
            (Prim::SubInt, None, Some(constant)) => (a, constant.wrapping_neg()),
            _ => return,
        };
        // What folds to one of the operands is no sum.
        if value == base {
            return;
        }
        let place = self.place(base);
        let constant = place.constant.wrapping_add(offset);
        self.places.insert(value, Place { constant, ..place });
    }

    fn note_fill(&mut self, slice: &Slice, value: ValueId) {
        let known = |value| self.build.known_int(value);
        let (Some(rows), Some(cols)) = (known(slice.rows), known(slice.cols)) else {
            return;
        };
        let (count, start) = (rows.saturating_mul(cols), self.place(slice.offset));
        for at in 0..if count <= MOST_FILLED { count } else { 0 } {
            let constant = start.constant.wrapping_add(at);
            let place = Place { constant, ..start };
            self.memory.note_element(slice.buffer, place, value);
        }
    }

    fn add(&mut self, cell: CellId, value: ValueId) {
        match self.memory.cell(cell) {
            Some(before) if Some(cell) != self.target => {
                let sum = self.build.prim(Prim::Add, &[before, value]);
                self.memory.set_cell(cell, sum);
                self.build.push(Stmt::Set(cell, sum));
            }
            _ => {
                self.memory.forget_cell(cell);
                self.build.push(Stmt::Add(cell, value));
            }
        }
    }

    // ---- Statements with blocks.

    fn branch(&mut self, condition: ValueId, then: &[Stmt], otherwise: &[Stmt]) {
        if let Some(truth) = self.build.known_int(condition) {
            return self.block(if truth != 0 { then } else { otherwise });
        }
        let [then_code, otherwise_code] =
            [then, otherwise].map(|block| self.inner(block, self.memory.clone()));
        self.memory.forget_changes(then);
        self.memory.forget_changes(otherwise);
        self.build.push(Stmt::If {
            condition,
            then: then_code,
            otherwise: otherwise_code,
        });
    }

    /// What the header knows of memory is not known at its next run, so neither block forwards to the other.
    fn while_loop(&mut self, header: &[Stmt], condition: ValueId, body: &[Stmt]) {
        self.memory.forget_changes(header);
        self.memory.forget_changes(body);
        let header = self.inner(header, self.memory.clone());
        let condition = self.now(condition);
        let body = self.inner(body, self.memory.clone());
        self.build.push(Stmt::While {
            header,
            condition,
            body,
        });
    }

    fn for_loop(&mut self, stmt: &Stmt) {
        let Stmt::For {
            var,
            start,
            end,
            reverse,
            body,
        } = stmt
        else {
            return;
        };
        let (start, end) = (self.now(*start), self.now(*end));
        let bounds = (self.build.known_int(start), self.build.known_int(end));
        if let (Some(first), Some(past)) = bounds {
            if past <= first {
                return;
            }
            if self.is_unrolled(past.saturating_sub(first), body) {
                return self.rounds(*var, first, past, *reverse, body);
            }
        }
        self.memory.forget_changes(body);
        let now = self.build.fresh(Kind::Int);
        self.renamed.insert(*var, now);
        self.move_scopes(*var, Some(now));
        self.loops.push(now);
        let body = self.inner(body, self.memory.clone());
        self.loops.pop();
        self.build.push(Stmt::For {
            var: now,
            start,
            end,
            reverse: *reverse,
            body,
        });
    }

    fn rounds(&mut self, var: ValueId, first: i64, past: i64, reverse: bool, body: &[Stmt]) {
        let mut order: Vec<i64> = (first..past).collect();
        if reverse {
            order.reverse();
        }
        self.move_scopes(var, self.loops.last().copied());
        for round in order {
            let value = self.build.int(round);
            self.renamed.insert(var, value);
            self.block(body);
        }
    }

    /// Buffers that were declared in a loop are declared in another one now, or in none.
    fn move_scopes(&mut self, from: ValueId, to: Option<ValueId>) {
        for (buffer, var) in &self.scopes {
            if *var == from {
                match to {
                    Some(to) => self.build.procedure.scopes.insert(*buffer, to),
                    None => self.build.procedure.scopes.remove(buffer),
                };
            }
        }
    }

    /// Whether a loop is short enough, loops in it counted.
    fn is_unrolled(&mut self, rounds: i64, body: &[Stmt]) -> bool {
        if rounds == 1 {
            return true;
        }
        let most = match self.loops.is_empty() {
            true => MOST_ROUNDS_OUTSIDE,
            false => MOST_ROUNDS_INSIDE,
        };
        if rounds > most {
            return false;
        }
        let Some(size) = self.unrolled_size(body) else {
            return false;
        };
        let size = size * rounds as usize;
        let fits = size <= MOST_STATEMENTS && self.unrolled + size <= MOST_STATEMENTS_IN_ALL;
        self.unrolled += if fits { size } else { 0 };
        fits
    }

    /// How many statements a body has once the loops in it are unrolled; none if one of them is long.
    fn unrolled_size(&self, body: &[Stmt]) -> Option<usize> {
        let mut size = 0_usize;
        for stmt in body {
            let rounds = match stmt {
                Stmt::For { start, end, .. } => {
                    let known = |value| self.build.known_int(self.now(value));
                    let rounds = known(*end)?.checked_sub(known(*start)?)?;
                    usize::try_from(rounds.max(0)).ok()
                }
                Stmt::While { .. } => None,
                _ => Some(1),
            };
            let rounds = rounds.filter(|rounds| *rounds <= MOST_ROUNDS_INSIDE as usize)?;
            let mut inside = 1;
            for block in blocks(stmt) {
                inside += self.unrolled_size(block)?;
            }
            size = size.checked_add(inside.checked_mul(rounds)?)?;
        }
        Some(size)
    }
}
