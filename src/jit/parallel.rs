//! Decides which loops run in parts: long ones of the outermost block whose rounds meet only in sums.
//!
//! Each part has sums and tables of its own, which begin at zero and are added to the procedure's in the order of the
//! parts. How a loop is cut follows from the procedure alone, so that results do not depend on the number of threads.

use super::blocks::BLOCK;
use super::host::Host;
use super::lanes::{CellUse, Class, Definitions, Plan};
use super::layout::{LINE, SCALAR, operand_bytes};
use crate::builtins::Scalar;
use crate::loops::{BufferId, CellId, Op, Procedure, Stmt, ValueId};
use std::collections::BTreeMap;
use std::ops::Range;

/// Statements that a part carries out at least, over its rounds: some 30 µs, several times what it takes to wake a thread.
const LEAST_WORK: i64 = 1 << 18;
/// Rounds of a part for each number that it adds up on its own, so that clearing and adding these does not count.
const ROUNDS_PER_SUM: i64 = 4;
/// More parts than this share no work that fewer would not; a guess from the cores of a large desktop.
const MOST_PARTS: i64 = 16;

/// A loop in parts, and what each part keeps in memory of its own: operands of messages, sums, tables, blocks.
#[derive(Debug)]
pub(super) struct Parallel {
    /// The rounds of each part, in order.
    pub parts: Vec<Range<i64>>,
    /// The cells that the loop adds to, with the byte of the part's sum.
    pub sums: Vec<(CellId, usize)>,
    /// The buffers of whose elements several parts may add to one, with the byte of the part's table.
    pub tables: Vec<(BufferId, usize)>,
    /// The bytes that are zero when a part begins: those of sums and tables.
    pub zeroed: Range<usize>,
}

impl Parallel {
    /// The loops of a procedure's outermost block that run in parts, by their places in it.
    pub fn all(procedure: &Procedure, host: Host) -> BTreeMap<usize, Parallel> {
        let definitions = Definitions::of(procedure);
        let mut known = BTreeMap::new();
        let mut found = BTreeMap::new();
        for (at, stmt) in procedure.body.iter().enumerate() {
            match stmt {
                Stmt::Let(value, Op::Int(constant)) => {
                    known.insert(*value, Scalar::Int(*constant));
                }
                Stmt::Let(value, Op::Real(constant)) => {
                    known.insert(*value, Scalar::Real(*constant));
                }
                Stmt::For { .. } => {
                    let parallel = Parallel::new(procedure, &definitions, stmt, host, &known);
                    found.extend(parallel.map(|parallel| (at, parallel)));
                }
                _ => {}
            }
        }
        found
    }

    fn new(
        procedure: &Procedure,
        definitions: &Definitions<'_>,
        stmt: &Stmt,
        host: Host,
        known: &BTreeMap<ValueId, Scalar>,
    ) -> Option<Parallel> {
        let Stmt::For {
            start, end, body, ..
        } = stmt
        else {
            return None;
        };
        let (Some(Scalar::Int(start)), Some(Scalar::Int(end))) = (known.get(start), known.get(end))
        else {
            return None;
        };
        let rounds = end.saturating_sub(*start);
        if rounds.saturating_mul(body.len() as i64) < 2 * LEAST_WORK {
            return None;
        }
        let known = |value| known.get(&value).copied();
        let plan = Plan::new(procedure, definitions, stmt, host, known)?;
        if plan.cells.values().any(|usage| *usage == CellUse::Local) {
            return None;
        }
        let zeroed = operand_bytes(procedure);
        let mut place = zeroed;
        let mut take = |scalars: usize| {
            let at = place;
            place = (place + scalars * SCALAR).next_multiple_of(LINE);
            at
        };
        let cells = plan.cells.iter();
        let cells = cells.filter(|(_, usage)| **usage == CellUse::Sum);
        let cells: Vec<CellId> = cells.map(|(cell, _)| *cell).collect();
        let first = take(cells.len());
        let sums = cells.into_iter().enumerate();
        let sums = sums.map(|(at, cell)| (cell, first + at * SCALAR)).collect();
        let tables = shared_tables(&plan, body);
        let tables = tables.into_iter().map(|buffer| {
            let len = procedure.buffers[buffer.0 as usize].len;
            (buffer, take(len))
        });
        let tables = tables.collect();
        let zeroed = zeroed..place;
        let own = (zeroed.len() / SCALAR) as i64;
        let most = (rounds * body.len() as i64 / LEAST_WORK)
            .min(rounds / (ROUNDS_PER_SUM * own).max(1))
            .min(MOST_PARTS);
        let parallel = Parallel {
            parts: cut(*start..*end, most),
            sums,
            tables,
            zeroed,
        };
        (parallel.parts.len() > 1).then_some(parallel)
    }

    /// The byte of a part's memory where the table of a buffer begins, if parts have their own.
    pub fn table(&self, buffer: BufferId) -> Option<usize> {
        let mut tables = self.tables.iter();
        tables.find_map(|(table, at)| (*table == buffer).then_some(*at))
    }

    /// The byte of a part's memory where its sum for a cell is, if it is one that the loop adds to.
    pub fn sum(&self, cell: CellId) -> Option<usize> {
        let mut sums = self.sums.iter();
        sums.find_map(|(sum, at)| (*sum == cell).then_some(*at))
    }
}

/// Rounds in so many parts of whole blocks, or fewer.
fn cut(rounds: Range<i64>, parts: i64) -> Vec<Range<i64>> {
    let length = ((rounds.end - rounds.start) / parts.max(1)).max(1) as usize;
    let length = length.next_multiple_of(BLOCK) as i64;
    let starts = rounds.clone().step_by(length as usize);
    starts
        .map(|start| start..rounds.end.min(start + length))
        .collect()
}

/// The buffers that the rounds of different parts add to at the same elements: all that are added to but those with one
/// place per round.
fn shared_tables(plan: &Plan, body: &[Stmt]) -> Vec<BufferId> {
    let mut places: BTreeMap<BufferId, Vec<Class>> = BTreeMap::new();
    for stmt in body {
        if let Stmt::Accumulate(buffer, index, _) = stmt
            && !plan.ordered.contains(buffer)
        {
            places.entry(*buffer).or_default().push(plan.class(*index));
        }
    }
    let alone = |classes: &[Class]| {
        matches!(classes[0], Class::Linear { .. }) && classes.iter().all(|it| *it == classes[0])
    };
    let shared = places.into_iter().filter(|(_, classes)| !alone(classes));
    shared.map(|(buffer, _)| buffer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_blocks_and_cover_all_rounds() {
        let block = BLOCK as i64;
        for (rounds, parts) in [(3..5000, 4), (0..4 * block, 4), (0..1, 3), (7..100_003, 16)] {
            let cut = cut(rounds.clone(), parts);
            assert!(!cut.is_empty() && cut.len() as i64 <= parts + 1);
            assert_eq!(
                (cut[0].start, cut[cut.len() - 1].end),
                (rounds.start, rounds.end)
            );
            for pair in cut.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert_eq!((pair[0].end - pair[0].start) % block, 0);
            }
        }
    }
}
