//! A nest of loops that computes the elements of one buffer, and where in it each of them is computed.

use super::data::Data;
use crate::loops::{Buffer, BufferId, Op, Stmt, ValueId};
use std::collections::{BTreeMap, BTreeSet};

/// Nests of more rounds are not looked into: their rounds are gone through one by one, in 0.1 µs each or so.
const MOST_ROUNDS: i64 = 500_000;

/// Loops inside each other whose innermost body stores one element.
pub(super) struct Nest<'p> {
    /// The variables, outermost first.
    pub variables: Vec<ValueId>,
    /// First and one past the last value of each.
    ranges: Vec<(i64, i64)>,
    /// The definitions of all levels, in order, each with its level.
    pub lets: Vec<(&'p Stmt, usize)>,
    /// Where the element is stored, and what it is.
    index: ValueId,
    pub element: ValueId,
}

impl<'p> Nest<'p> {
    /// The nest that a statement is, if it does nothing but compute elements of that buffer.
    pub fn of(
        stmt: &'p Stmt,
        constants: &BTreeMap<ValueId, Op>,
        buffer: BufferId,
    ) -> Option<Nest<'p>> {
        let mut nest = Nest {
            variables: Vec::new(),
            ranges: Vec::new(),
            lets: Vec::new(),
            index: ValueId(0),
            element: ValueId(0),
        };
        nest.level(stmt, constants, buffer)?;
        let rounds = nest.ranges.iter().try_fold(1_i64, |rounds, (start, end)| {
            rounds.checked_mul(end.checked_sub(*start)?.max(0))
        });
        (rounds? <= MOST_ROUNDS).then_some(nest)
    }

    fn level(
        &mut self,
        stmt: &'p Stmt,
        constants: &BTreeMap<ValueId, Op>,
        buffer: BufferId,
    ) -> Option<()> {
        let Stmt::For {
            var,
            start,
            end,
            body,
            ..
        } = stmt
        else {
            return None;
        };
        let known = |value: &ValueId| match constants.get(value) {
            Some(Op::Int(constant)) => Some(*constant),
            _ => None,
        };
        let level = self.variables.len();
        self.variables.push(*var);
        self.ranges.push((known(start)?, known(end)?));
        let mut ends = false;
        for stmt in body {
            match stmt {
                Stmt::Let(_, Op::Load(from, _)) if *from == buffer => return None,
                // What follows the store or the loop inside would not be in order.
                _ if ends => return None,
                Stmt::Let(..) => self.lets.push((stmt, level)),
                Stmt::Store(to, index, element) if *to == buffer => {
                    (self.index, self.element) = (*index, *element);
                    ends = true;
                }
                Stmt::For { .. } => {
                    self.level(stmt, constants, buffer)?;
                    ends = true;
                }
                _ => return None,
            }
        }
        ends.then_some(())
    }

    /// How many rounds the loops down to a level have together; the level of the outermost is 0.
    pub fn rounds(&self, level: usize) -> i64 {
        let ranges = self.ranges[..=level].iter();
        ranges.map(|(start, end)| (end - start).max(0)).product()
    }

    /// The variables' values in the rounds that compute some elements of a buffer, by element; none if data do not tell, an
    /// element is computed twice, or one of those never.
    pub fn places(
        &self,
        buffers: &[Buffer],
        constants: &BTreeMap<ValueId, Op>,
        elements: &BTreeSet<i64>,
    ) -> Option<BTreeMap<i64, Vec<i64>>> {
        let mut data = Data::new(buffers, constants, &self.variables);
        for (stmt, _) in &self.lets {
            if let Stmt::Let(value, op) = stmt {
                data.define(*value, op);
            }
        }
        let index = data.number(self.index)?;
        let mut places = BTreeMap::new();
        let mut values = Vec::new();
        let mut counters = vec![0; self.ranges.len()];
        for round in 0..self.rounds(self.ranges.len() - 1) {
            self.count(round, &mut counters);
            data.evaluate(&counters, &mut values);
            let at = values[index]?.as_int();
            if elements.contains(&at) && places.insert(at, counters.clone()).is_some() {
                return None;
            }
        }
        (places.len() == elements.len()).then_some(places)
    }

    /// Sets the variables to what they are in a round of the innermost loop, counted over all.
    fn count(&self, mut round: i64, counters: &mut [i64]) {
        for (counter, (start, end)) in counters.iter_mut().zip(&self.ranges).rev() {
            let count = end - start;
            *counter = start + round % count;
            round /= count;
        }
    }
}
