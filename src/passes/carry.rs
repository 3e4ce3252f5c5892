//! Recurrences in registers: what one round of a loop writes and the next one reads goes from round to round in a cell.
//!
//! `sigma[t] = f(sigma[t - 1])` and its adjoint, `adj[t - 1] += J adj[t]`, wait in each round for memory to give back what
//! was just put there. Only loops with such a dependence are changed, and those have no vector form to lose.

use super::integers;
use crate::builtins::{Kind, Prim};
use crate::loops::{
    BufferId, Cell, CellId, Op, Procedure, Stmt, ValueId, blocks_mut, rewrite_operands, written_in,
};
use std::collections::{BTreeMap, BTreeSet};

/// Carries what it can in every loop whose bounds are known.
pub(super) fn carry(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    let mut carrier = Carrier {
        procedure,
        constants: integers(&body),
    };
    carrier.block(&mut body);
    procedure.body = body;
}

struct Carrier<'p> {
    procedure: &'p mut Procedure,
    /// Integer constants.
    constants: BTreeMap<ValueId, i64>,
}

/// An index in a loop: `step · variable + others + constant`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Index {
    step: i64,
    others: BTreeMap<ValueId, i64>,
    constant: i64,
}

/// A write at an index of that form.
type Writes = BTreeMap<BufferId, Vec<(usize, Index)>>;

/// What is carried: a buffer's element, by where the round that writes it does so.
struct Carried {
    cell: CellId,
    /// The value at the start of a round.
    before: ValueId,
    buffer: BufferId,
    /// Where a round writes it.
    written: Index,
    /// Where a round reads what the one before wrote.
    read: Index,
}

impl Carrier<'_> {
    fn block(&mut self, stmts: &mut Vec<Stmt>) {
        let mut result = Vec::with_capacity(stmts.len());
        for mut stmt in std::mem::take(stmts) {
            for block in blocks_mut(&mut stmt) {
                self.block(block);
            }
            if let Stmt::For {
                var,
                start,
                end,
                reverse,
                body,
            } = &mut stmt
                && let (Some(&first), Some(&past)) =
                    (self.constants.get(start), self.constants.get(end))
                && past - first > 1
            {
                let (round, direction) = if *reverse { (past - 1, -1) } else { (first, 1) };
                self.for_loop(*var, round, direction, body, &mut result);
            }
            result.push(stmt);
        }
        *stmts = result;
    }

    /// Carries in a loop that begins with a round and goes up or down; code for before the loop goes to `outside`.
    fn for_loop(
        &mut self,
        var: ValueId,
        round: i64,
        direction: i64,
        body: &mut Vec<Stmt>,
        outside: &mut Vec<Stmt>,
    ) {
        let indices = self.indices(var, body);
        let Some(all) = self.carried(&indices, direction, body) else {
            return;
        };
        for carried in &all {
            let place = self.at_round(&carried.read, round, outside);
            let initial = self.procedure.fresh(Kind::Real);
            outside.push(Stmt::Let(initial, Op::Load(carried.buffer, place)));
            outside.push(Stmt::Set(carried.cell, initial));
        }
        let gets = |carried: &Carried| Stmt::Let(carried.before, Op::Get(carried.cell));
        let mut result: Vec<Stmt> = all.iter().map(gets).collect();
        let mut same = BTreeMap::new();
        let mut held: BTreeMap<CellId, ValueId> = BTreeMap::new();
        for stmt in std::mem::take(body) {
            let found = |buffer: BufferId, index: ValueId, is_read: bool| {
                let index = indices.get(&index)?;
                all.iter().find(|carried| {
                    let place = if is_read {
                        &carried.read
                    } else {
                        &carried.written
                    };
                    carried.buffer == buffer && place == index
                })
            };
            match &stmt {
                Stmt::Let(value, Op::Load(buffer, index)) => match found(*buffer, *index, true) {
                    Some(carried) => {
                        same.insert(*value, carried.before);
                    }
                    None => result.push(stmt),
                },
                Stmt::Store(buffer, index, value) => {
                    if let Some(carried) = found(*buffer, *index, false) {
                        held.insert(carried.cell, *value);
                    }
                    result.push(stmt);
                }
                Stmt::Accumulate(buffer, index, value) => match found(*buffer, *index, false) {
                    Some(carried) => {
                        let before = held.get(&carried.cell).copied().unwrap_or_else(|| {
                            let before = self.procedure.fresh(Kind::Real);
                            result.push(Stmt::Let(before, Op::Load(*buffer, *index)));
                            before
                        });
                        let sum = self.procedure.fresh(Kind::Real);
                        let op = Op::Prim(Prim::Add, vec![before, *value]);
                        result.push(Stmt::Let(sum, op));
                        result.push(Stmt::Store(*buffer, *index, sum));
                        held.insert(carried.cell, sum);
                    }
                    None => result.push(stmt),
                },
                _ => result.push(stmt),
            }
        }
        result.extend(held.into_iter().map(|(cell, value)| Stmt::Set(cell, value)));
        for stmt in &mut result {
            rewrite_operands(stmt, &mut |value| {
                same.get(&value).copied().unwrap_or(value)
            });
        }
        *body = result;
    }

    /// What the rounds hand on, if anything.
    fn carried(
        &mut self,
        indices: &BTreeMap<ValueId, Index>,
        direction: i64,
        body: &[Stmt],
    ) -> Option<Vec<Carried>> {
        let writes = self.writes(indices, body);
        let mut found: BTreeSet<(BufferId, Index, Index)> = BTreeSet::new();
        let mut refused = BTreeSet::new();
        for (position, stmt) in body.iter().enumerate() {
            let Stmt::Let(_, Op::Load(buffer, index)) = stmt else {
                continue;
            };
            let (Some(of_buffer), Some(read)) = (writes.get(buffer), indices.get(index)) else {
                continue;
            };
            let mut written = read.clone();
            written.constant = read
                .constant
                .wrapping_add(direction.wrapping_mul(read.step));
            let alike = |index: &Index| index.step == read.step && index.others == read.others;
            let is_written = of_buffer.iter().any(|(_, index)| *index == written);
            if read.step == 0 || !is_written || !of_buffer.iter().all(|(_, index)| alike(index)) {
                continue;
            }
            // What this round writes there itself is another matter.
            if of_buffer
                .iter()
                .any(|(at, index)| index == read && *at < position)
            {
                refused.insert((*buffer, read.clone()));
            }
            found.insert((*buffer, read.clone(), written));
        }
        found.retain(|(buffer, read, _)| !refused.contains(&(*buffer, read.clone())));
        if found.is_empty() {
            return None;
        }
        let carried = found.into_iter().map(|(buffer, read, written)| {
            let name = format!("last {}", self.procedure.buffers[buffer.0 as usize].name);
            let cell = CellId(self.procedure.cells.len() as u32);
            self.procedure.cells.push(Cell {
                name,
                kind: Kind::Real,
            });
            Carried {
                cell,
                before: self.procedure.fresh(Kind::Real),
                buffer,
                written,
                read,
            }
        });
        Some(carried.collect())
    }

    /// The buffers of reals that a body writes at known places only, in its outermost block, with where it does.
    fn writes(&self, indices: &BTreeMap<ValueId, Index>, body: &[Stmt]) -> Writes {
        let mut writes = Writes::new();
        let mut others = BTreeSet::new();
        for (position, stmt) in body.iter().enumerate() {
            match stmt {
                Stmt::Store(buffer, index, _) | Stmt::Accumulate(buffer, index, _) => {
                    match indices.get(index) {
                        Some(index) => {
                            let of_buffer = writes.entry(*buffer).or_default();
                            of_buffer.push((position, index.clone()));
                        }
                        None => {
                            others.insert(*buffer);
                        }
                    }
                }
                other => others.append(&mut written_in(std::slice::from_ref(other))),
            }
        }
        writes.retain(|buffer, _| {
            let kind = self.procedure.buffers[buffer.0 as usize].kind;
            kind == Kind::Real && !others.contains(buffer)
        });
        writes
    }

    /// The integers of a body as indexes.
    fn indices(&self, var: ValueId, body: &[Stmt]) -> BTreeMap<ValueId, Index> {
        let variable = Index {
            step: 1,
            others: BTreeMap::new(),
            constant: 0,
        };
        let mut indices = BTreeMap::from([(var, variable)]);
        let mut inside = BTreeSet::from([var]);
        for stmt in body {
            let Stmt::Let(value, op) = stmt else { continue };
            inside.insert(*value);
            let Op::Prim(prim, args) = op else { continue };
            let &[a, b] = args.as_slice() else { continue };
            let known = |value: ValueId| -> Option<Index> {
                if let Some(index) = indices.get(&value) {
                    return Some(index.clone());
                }
                if let Some(&constant) = self.constants.get(&value) {
                    return Some(Index {
                        step: 0,
                        others: BTreeMap::new(),
                        constant,
                    });
                }
                (!inside.contains(&value)).then(|| Index {
                    step: 0,
                    others: BTreeMap::from([(value, 1)]),
                    constant: 0,
                })
            };
            let index = match (prim, known(a), known(b)) {
                (Prim::AddInt, Some(a), Some(b)) => Some(a.plus(&b, 1)),
                (Prim::SubInt, Some(a), Some(b)) => Some(a.plus(&b, -1)),
                (Prim::MulInt, Some(a), Some(b)) => a.times(&b),
                _ => None,
            };
            if let Some(index) = index {
                indices.insert(*value, index);
            }
        }
        indices
    }

    /// Code for an index in one round.
    fn at_round(&mut self, index: &Index, round: i64, code: &mut Vec<Stmt>) -> ValueId {
        let constant = index.constant.wrapping_add(index.step.wrapping_mul(round));
        let mut sum = self.procedure.fresh(Kind::Int);
        code.push(Stmt::Let(sum, Op::Int(constant)));
        self.constants.insert(sum, constant);
        for (&value, &times) in &index.others {
            let [factor, product, next] = [(); 3].map(|()| self.procedure.fresh(Kind::Int));
            code.push(Stmt::Let(factor, Op::Int(times)));
            let op = Op::Prim(Prim::MulInt, vec![value, factor]);
            code.push(Stmt::Let(product, op));
            let op = Op::Prim(Prim::AddInt, vec![sum, product]);
            code.push(Stmt::Let(next, op));
            sum = next;
        }
        sum
    }
}

impl Index {
    /// The sum of this and so many times another.
    fn plus(&self, other: &Index, times: i64) -> Index {
        let mut sum = self.clone();
        sum.step = sum.step.wrapping_add(other.step.wrapping_mul(times));
        sum.constant = sum
            .constant
            .wrapping_add(other.constant.wrapping_mul(times));
        for (value, count) in &other.others {
            let own = sum.others.entry(*value).or_insert(0);
            *own = own.wrapping_add(count.wrapping_mul(times));
        }
        sum.others.retain(|_, count| *count != 0);
        sum
    }

    /// The product, if one is a constant.
    fn times(&self, other: &Index) -> Option<Index> {
        let nothing = Index {
            step: 0,
            others: BTreeMap::new(),
            constant: 0,
        };
        let constant =
            |index: &Index| (index.step == 0 && index.others.is_empty()).then_some(index.constant);
        match (constant(self), constant(other)) {
            (_, Some(times)) => Some(nothing.plus(self, times)),
            (Some(times), None) => Some(nothing.plus(other, times)),
            _ => None,
        }
    }
}
