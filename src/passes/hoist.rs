//! Loop-invariant code: what does not change in a loop moves before it, sums of it become products after it.

use super::integers;
use crate::builtins::{Kind, Prim};
use crate::loops::{
    BufferId, CellId, Op, Procedure, Stmt, ValueId, blocks, blocks_mut, for_each_operand,
    for_each_written,
};
use std::collections::{BTreeMap, BTreeSet};

/// Moves invariant code out of every loop, innermost loops first.
pub(super) fn hoist(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    let mut hoister = Hoister {
        procedure,
        constants: integers(&body),
    };
    hoister.block(&mut body);
    procedure.body = body;
}

struct Hoister<'p> {
    procedure: &'p mut Procedure,
    /// Integer constants.
    constants: BTreeMap<ValueId, i64>,
}

/// What a loop's body defines and changes.
#[derive(Default)]
struct Changes {
    values: BTreeSet<ValueId>,
    cells_set: BTreeSet<CellId>,
    cells_got: BTreeSet<CellId>,
    cells_added: BTreeSet<CellId>,
    buffers: BTreeSet<BufferId>,
    stops: bool,
}

/// How often a loop runs.
#[derive(Clone, Copy)]
struct Rounds {
    /// The number of rounds, as a real, if there are any.
    count: ValueId,
    /// Where there may be none: whether there are any, and a real zero.
    or_none: Option<(ValueId, ValueId)>,
}

impl Changes {
    fn note(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Let(value, op) => {
                    self.values.insert(*value);
                    if let Op::Get(cell) = op {
                        self.cells_got.insert(*cell);
                    }
                }
                Stmt::Set(cell, _) => {
                    self.cells_set.insert(*cell);
                }
                Stmt::Add(cell, _) => {
                    self.cells_added.insert(*cell);
                }
                Stmt::For { var, .. } => {
                    self.values.insert(*var);
                }
                Stmt::Check { .. } => self.stops = true,
                _ => {}
            }
            for_each_written(stmt, &mut |buffer| {
                self.buffers.insert(buffer);
            });
            for block in blocks(stmt) {
                self.note(block);
            }
        }
    }

    fn is_changed(&self, cell: CellId) -> bool {
        self.cells_set.contains(&cell) || self.cells_added.contains(&cell)
    }
}

impl Hoister<'_> {
    fn block(&mut self, stmts: &mut Vec<Stmt>) {
        let mut result = Vec::with_capacity(stmts.len());
        for mut stmt in std::mem::take(stmts) {
            for block in blocks_mut(&mut stmt) {
                self.block(block);
            }
            match stmt {
                Stmt::For { .. } => self.for_loop(stmt, &mut result),
                other => result.push(other),
            }
        }
        *stmts = result;
    }

    fn for_loop(&mut self, stmt: Stmt, result: &mut Vec<Stmt>) {
        let Stmt::For {
            var,
            start,
            end,
            reverse,
            mut body,
        } = stmt
        else {
            return;
        };
        let rounds = match (self.constants.get(&start), self.constants.get(&end)) {
            (Some(start), Some(end)) => Some(end - start),
            _ => None,
        };
        if rounds.is_some_and(|rounds| rounds <= 0) {
            return;
        }
        let mut changes = Changes::default();
        changes.values.insert(var);
        changes.note(&body);
        let before = self.lift(&mut body, &mut changes, rounds.is_some(), true);
        let after = self.sums(&mut body, &changes, start, end);
        result.extend(before);
        if !body.is_empty() {
            result.push(Stmt::For {
                var,
                start,
                end,
                reverse,
                body,
            });
        }
        result.extend(after);
    }

    /// Takes the invariant statements out of a body. `runs`: the loop is known to have a round; `always`: every round gets here.
    fn lift(
        &self,
        body: &mut Vec<Stmt>,
        changes: &mut Changes,
        runs: bool,
        always: bool,
    ) -> Vec<Stmt> {
        let mut lifted = Vec::new();
        body.retain_mut(|stmt| {
            let mut invariant = true;
            for_each_operand(stmt, &mut |value| {
                invariant &= !changes.values.contains(&value)
            });
            let moves = invariant
                && match stmt {
                    Stmt::Let(_, op) => match op {
                        Op::Prim(Prim::DivInt | Prim::ModInt, _) => runs && always,
                        Op::Prim(..) | Op::Select(..) | Op::Real(_) | Op::Int(_) => true,
                        Op::Load(buffer, _) => runs && always && !changes.buffers.contains(buffer),
                        Op::Get(cell) => !changes.is_changed(*cell),
                        Op::Draw(..) | Op::Pop(_) => false,
                    },
                    Stmt::Check { .. } => runs && always,
                    _ => false,
                };
            if moves {
                if let Stmt::Let(value, _) = stmt {
                    changes.values.remove(value);
                }
                lifted.push(stmt.clone());
                return false;
            }
            if let Stmt::If {
                then, otherwise, ..
            } = stmt
            {
                lifted.extend(self.lift(then, changes, runs, false));
                lifted.extend(self.lift(otherwise, changes, runs, false));
            }
            true
        });
        lifted
    }

    /// `cell += v` with invariant v in every round is `cell += v · rounds` after the loop; nothing if there are no rounds,
    /// for an infinite v times 0 is NaN.
    fn sums(
        &mut self,
        body: &mut Vec<Stmt>,
        changes: &Changes,
        start: ValueId,
        end: ValueId,
    ) -> Vec<Stmt> {
        let mut after = Vec::new();
        let mut rounds = None;
        body.retain(|stmt| {
            let Stmt::Add(cell, value) = stmt else {
                return true;
            };
            if changes.values.contains(value)
                || changes.cells_set.contains(cell)
                || changes.cells_got.contains(cell)
            {
                return true;
            }
            let rounds = *rounds.get_or_insert_with(|| self.rounds(start, end, &mut after));
            let product = self.procedure.fresh(Kind::Real);
            let op = Op::Prim(Prim::Mul, vec![*value, rounds.count]);
            after.push(Stmt::Let(product, op));
            let sum = rounds.or_none.map_or(product, |(runs, zero)| {
                let sum = self.procedure.fresh(Kind::Real);
                after.push(Stmt::Let(sum, Op::Select(runs, product, zero)));
                sum
            });
            after.push(Stmt::Add(*cell, sum));
            false
        });
        after
    }

    /// The number of rounds of a loop that is not known to have none.
    fn rounds(&mut self, start: ValueId, end: ValueId, code: &mut Vec<Stmt>) -> Rounds {
        let count = self.procedure.fresh(Kind::Real);
        if let (Some(start), Some(end)) = (self.constants.get(&start), self.constants.get(&end)) {
            code.push(Stmt::Let(count, Op::Real((end - start) as f64)));
            return Rounds {
                count,
                or_none: None,
            };
        }
        let (difference, runs, zero) = (
            self.procedure.fresh(Kind::Int),
            self.procedure.fresh(Kind::Int),
            self.procedure.fresh(Kind::Real),
        );
        let prim = |prim, args| Op::Prim(prim, args);
        code.extend([
            Stmt::Let(difference, prim(Prim::SubInt, vec![end, start])),
            Stmt::Let(runs, prim(Prim::LtInt, vec![start, end])),
            Stmt::Let(zero, Op::Real(0.0)),
            Stmt::Let(count, prim(Prim::ToReal, vec![difference])),
        ]);
        Rounds {
            count,
            or_none: Some((runs, zero)),
        }
    }
}
