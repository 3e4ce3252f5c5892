//! A nest of loops that computes the elements of one buffer, and where in it each of them is computed.

use super::data::Data;
use crate::loops::{Buffer, BufferId, Op, Stmt, ValueId};
use std::collections::BTreeMap;

/// Nests of more rounds are not looked into: their rounds are gone through one by one.
const MOST_ROUNDS: i64 = 4_000_000;

/// Loops inside each other whose innermost body stores one element.
pub(super) struct Nest<'p> {
    /// The variables, outermost first.
    pub variables: Vec<ValueId>,
    /// First and one past the last value of each.
    ranges: Vec<(i64, i64)>,
    /// The definitions of all levels, in order.
    pub lets: Vec<&'p Stmt>,
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
        self.variables.push(*var);
        self.ranges.push((known(start)?, known(end)?));
        let mut ends = false;
        for stmt in body {
            match stmt {
                Stmt::Let(_, Op::Load(from, _)) if *from == buffer => return None,
                // What follows the store or the loop inside would not be in order.
                _ if ends => return None,
                Stmt::Let(..) => self.lets.push(stmt),
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

    /// The variables' values in the round that computes each element of the buffer, where one does; none if data do not tell,
    /// or an element is computed twice.
    pub fn places(
        &self,
        buffers: &[Buffer],
        constants: &BTreeMap<ValueId, Op>,
        len: usize,
    ) -> Option<Vec<Option<Vec<i64>>>> {
        let mut data = Data::new(buffers, constants, &self.variables);
        for stmt in &self.lets {
            if let Stmt::Let(value, op) = stmt {
                data.define(*value, op);
            }
        }
        let index = data.number(self.index)?;
        let mut places = vec![None; len];
        if self.ranges.iter().any(|(start, end)| start >= end) {
            return Some(places);
        }
        let mut counters: Vec<i64> = self.ranges.iter().map(|(start, _)| *start).collect();
        let mut values = Vec::new();
        loop {
            data.evaluate(&counters, &mut values);
            let at = usize::try_from(values[index]?.as_int()).ok()?;
            if places.get_mut(at)?.replace(counters.clone()).is_some() {
                return None;
            }
            let mut axis = counters.len();
            loop {
                if axis == 0 {
                    return Some(places);
                }
                axis -= 1;
                counters[axis] += 1;
                if counters[axis] < self.ranges[axis].1 {
                    break;
                }
                counters[axis] = self.ranges[axis].0;
            }
        }
    }
}
