//! Tables: a value in a loop that depends on data and loop variables alone is computed once, at binding, for every round.

use crate::builtins::{Kind, Prim, Scalar};
use crate::loops::{
    Buffer, BufferId, CellId, Op, Procedure, Role, Stmt, ValueId, blocks_mut, for_each_operand,
    rewrite_operands_here,
};
use std::collections::{BTreeMap, BTreeSet};

/// Tables longer than this cost more memory than they save time; a guess.
const MAX_LEN: i64 = 4_000_000;

/// What is worth a table: one transcendental, three pieces of arithmetic, or a real made of an integer, which is the one thing
/// that vectors do number by number.
const WORTH: u32 = 3;

/// An integer (an index, as a rule) of so many elements of data is worth a table.
const WORTH_AS_INDEX: usize = 2;

/// Replaces such values by loads from tables, and their sums by constants.
pub(super) fn tabulate(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    let mut uses = BTreeSet::new();
    let mut tabulator = Tabulator {
        procedure,
        definitions: BTreeMap::new(),
        costs: BTreeMap::new(),
        ranges: BTreeMap::new(),
        needed: BTreeSet::new(),
    };
    tabulator.survey(&body, &mut uses);
    tabulator.needed = uses;
    tabulator.block(&mut body, &mut Vec::new());
    procedure.body = body;
}

struct Tabulator<'p> {
    procedure: &'p mut Procedure,
    /// The operations of values that depend on data and loop variables alone.
    definitions: BTreeMap<ValueId, Op>,
    /// What computing such a value costs.
    costs: BTreeMap<ValueId, u32>,
    /// Loop variables with known ranges: first value, one past the last.
    ranges: BTreeMap<ValueId, (i64, i64)>,
    /// Values of data that something else than another such value uses.
    needed: BTreeSet<ValueId>,
}

impl Tabulator<'_> {
    /// Finds the values of data, and those among them that others use.
    fn survey(&mut self, stmts: &[Stmt], uses: &mut BTreeSet<ValueId>) {
        for stmt in stmts {
            if let Stmt::Let(value, op) = stmt
                && let Some(cost) = self.cost(op)
            {
                self.definitions.insert(*value, op.clone());
                self.costs.insert(*value, cost);
                continue;
            }
            for_each_operand(stmt, &mut |value| {
                uses.insert(value);
            });
            if let Stmt::For {
                var, start, end, ..
            } = stmt
                && let (Some(start), Some(end)) = (self.constant(*start), self.constant(*end))
            {
                self.ranges.insert(*var, (start, end));
                self.costs.insert(*var, 0);
            }
            for block in crate::loops::blocks(stmt) {
                self.survey(block, uses);
            }
        }
    }

    fn constant(&self, value: ValueId) -> Option<i64> {
        match self.definitions.get(&value) {
            Some(Op::Int(constant)) => Some(*constant),
            _ => None,
        }
    }

    /// The cost of an operation on values of data; `None` if it is not one.
    fn cost(&self, op: &Op) -> Option<u32> {
        let sum = |args: &[ValueId]| {
            args.iter().try_fold(0_u32, |sum, arg| {
                Some(sum.saturating_add(*self.costs.get(arg)?))
            })
        };
        match op {
            Op::Real(_) | Op::Int(_) => Some(0),
            Op::Prim(prim, args) => {
                let own = match prim {
                    _ if prim.result() == Kind::Int => 0,
                    Prim::Add | Prim::Sub | Prim::Mul | Prim::Neg | Prim::Square | Prim::Abs => 1,
                    _ => WORTH,
                };
                Some(own + sum(args)?)
            }
            Op::Select(c, a, b) => Some(1 + sum(&[*c, *a, *b])?),
            Op::Load(buffer, index) => match self.procedure.buffers[buffer.0 as usize].role {
                Role::ConstantReal(_) | Role::ConstantInt(_) => sum(&[*index]),
                _ => None,
            },
            Op::Get(_) | Op::Draw(..) | Op::Pop(_) => None,
        }
    }

    fn block(&mut self, stmts: &mut Vec<Stmt>, loops: &mut Vec<ValueId>) {
        let mut result = Vec::with_capacity(stmts.len());
        for mut stmt in std::mem::take(stmts) {
            match &mut stmt {
                Stmt::Let(value, op) => {
                    if self.is_worth_a_table(*value)
                        && let Some(load) = self.table(*value, loops, &mut result)
                    {
                        *op = load;
                    }
                    result.push(stmt);
                }
                Stmt::For { var, body, .. } => {
                    let (var, known) = (*var, self.ranges.contains_key(var));
                    self.drop_checks(body);
                    let sums = if known {
                        self.sums(var, body)
                    } else {
                        Vec::new()
                    };
                    loops.push(var);
                    self.block(body, loops);
                    loops.pop();
                    result.push(stmt);
                    for (cell, sum) in sums {
                        let value = self.procedure.fresh(Kind::Real);
                        result.push(Stmt::Let(value, Op::Real(sum)));
                        result.push(Stmt::Add(cell, value));
                    }
                }
                _ => {
                    for block in blocks_mut(&mut stmt) {
                        self.drop_checks(block);
                        self.block(block, loops);
                    }
                    result.push(stmt);
                }
            }
        }
        *stmts = result;
    }

    fn is_worth_a_table(&self, value: ValueId) -> bool {
        let Some(&cost) = self.costs.get(&value) else {
            return false;
        };
        self.needed.contains(&value)
            && match self.procedure.values[value.0 as usize] {
                Kind::Real => cost >= WORTH,
                Kind::Int => self.loads(value) >= WORTH_AS_INDEX,
            }
    }

    /// From how many elements of data a value is computed.
    fn loads(&self, value: ValueId) -> usize {
        let (order, _) = self.dependencies(value);
        let ops = order.iter().filter_map(|value| self.definitions.get(value));
        ops.filter(|op| matches!(op, Op::Load(..))).count()
    }

    /// A load from a table of a value's rounds; the code of the place in it goes to `code`.
    fn table(&mut self, value: ValueId, loops: &[ValueId], code: &mut Vec<Stmt>) -> Option<Op> {
        let (order, variables) = self.dependencies(value);
        let variables: Vec<ValueId> = loops
            .iter()
            .copied()
            .filter(|var| variables.contains(var))
            .collect();
        let len = self.rounds(&variables)?;
        if len > MAX_LEN {
            return None;
        }
        let len = len as usize;
        let kind = self.procedure.values[value.0 as usize];
        let role = match kind {
            Kind::Real => {
                let contents = self.rounds_of(&variables, &order, len, Scalar::as_real)?;
                if let [constant] = contents[..] {
                    return Some(Op::Real(constant));
                }
                Role::ConstantReal(contents.into())
            }
            Kind::Int => {
                let contents = self.rounds_of(&variables, &order, len, Scalar::as_int)?;
                if let [constant] = contents[..] {
                    return Some(Op::Int(constant));
                }
                Role::ConstantInt(contents.into())
            }
        };
        let buffer = BufferId(self.procedure.buffers.len() as u32);
        self.procedure.buffers.push(Buffer {
            name: "table".to_string(),
            kind,
            len,
            role,
        });
        let place = self.place(&variables, code);
        Some(Op::Load(buffer, place))
    }

    /// The values of data that a value is computed from, in an order to compute them in, and the loop variables among them.
    fn dependencies(&self, value: ValueId) -> (Vec<ValueId>, BTreeSet<ValueId>) {
        let (mut order, mut seen, mut variables) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut stack = vec![(value, false)];
        while let Some((value, ready)) = stack.pop() {
            if ready {
                order.push(value);
                continue;
            }
            if !seen.insert(value) {
                continue;
            }
            let Some(op) = self.definitions.get(&value) else {
                variables.insert(value);
                continue;
            };
            stack.push((value, true));
            for_each_operand(&Stmt::Let(value, op.clone()), &mut |operand| {
                stack.push((operand, false))
            });
        }
        (order, variables)
    }

    /// What the last of several values is in each of `len` rounds of nested loops; `None` if one cannot be computed.
    fn rounds_of<T>(
        &self,
        variables: &[ValueId],
        order: &[ValueId],
        len: usize,
        read: impl Fn(Scalar) -> T,
    ) -> Option<Vec<T>> {
        let mut contents = Vec::with_capacity(len);
        let mut all_known = true;
        self.for_each_round(variables, order, &mut |scalar| match scalar {
            Some(scalar) => contents.push(read(scalar)),
            None => all_known = false,
        });
        all_known.then_some(contents)
    }

    /// Calls `each` with what the last of several values is in every round of nested loops, the last one fastest.
    fn for_each_round(
        &self,
        variables: &[ValueId],
        order: &[ValueId],
        each: &mut dyn FnMut(Option<Scalar>),
    ) {
        let ranges: Vec<(i64, i64)> = variables
            .iter()
            .filter_map(|var| self.ranges.get(var).copied())
            .collect();
        if ranges.iter().any(|(start, end)| end <= start) {
            return;
        }
        let ops = self.numbered(variables, order);
        let mut counters: Vec<i64> = ranges.iter().map(|(start, _)| *start).collect();
        let mut values = Vec::with_capacity(variables.len() + order.len());
        loop {
            values.clear();
            values.extend(counters.iter().map(|counter| Some(Scalar::Int(*counter))));
            for op in &ops {
                let value = |number: ValueId| values.get(number.0 as usize).copied().flatten();
                values.push(op.known(&self.procedure.buffers, value));
            }
            each(values.last().copied().flatten());
            let mut axis = ranges.len();
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                counters[axis] += 1;
                if counters[axis] < ranges[axis].1 {
                    break;
                }
                counters[axis] = ranges[axis].0;
            }
        }
    }

    /// The operations of values, with operands numbered in the order in which they come, variables first.
    fn numbered(&self, variables: &[ValueId], order: &[ValueId]) -> Vec<Op> {
        let both = variables.iter().chain(order).copied();
        let numbers: BTreeMap<ValueId, ValueId> = both.zip((0..).map(ValueId)).collect();
        let mut ops = Vec::with_capacity(order.len());
        for value in order {
            if let Some(op) = self.definitions.get(value) {
                let mut stmt = Stmt::Let(*value, op.clone());
                let number = |operand| numbers.get(&operand).copied().unwrap_or(operand);
                rewrite_operands_here(&mut stmt, &mut |operand| number(operand));
                if let Stmt::Let(_, op) = stmt {
                    ops.push(op);
                }
            }
        }
        ops
    }

    /// Code for the number of a round of nested loops, from 0.
    fn place(&mut self, variables: &[ValueId], code: &mut Vec<Stmt>) -> ValueId {
        let mut place: Option<ValueId> = None;
        for var in variables {
            let (start, end) = self.ranges.get(var).copied().unwrap_or((0, 1));
            let offset = if start == 0 {
                *var
            } else {
                let first = self.constant_int(start, code);
                self.emit(Prim::SubInt, vec![*var, first], code)
            };
            place = Some(match place {
                None => offset,
                Some(place) => {
                    let count = self.constant_int(end - start, code);
                    let scaled = self.emit(Prim::MulInt, vec![place, count], code);
                    self.emit(Prim::AddInt, vec![scaled, offset], code)
                }
            });
        }
        match place {
            Some(place) => place,
            None => self.constant_int(0, code),
        }
    }

    fn constant_int(&mut self, constant: i64, code: &mut Vec<Stmt>) -> ValueId {
        let value = self.procedure.fresh(Kind::Int);
        code.push(Stmt::Let(value, Op::Int(constant)));
        value
    }

    fn emit(&mut self, prim: Prim, args: Vec<ValueId>, code: &mut Vec<Stmt>) -> ValueId {
        let value = self.procedure.fresh(prim.result());
        code.push(Stmt::Let(value, Op::Prim(prim, args)));
        value
    }

    /// Takes `cell += v` out of a loop's body where v depends on data and this loop alone; returns the sums.
    fn sums(&mut self, var: ValueId, body: &mut Vec<Stmt>) -> Vec<(CellId, f64)> {
        let mut touched = BTreeSet::new();
        collect_touched(body, &mut touched);
        let mut sums = Vec::new();
        let this = &*self;
        body.retain(|stmt| {
            let Stmt::Add(cell, value) = stmt else {
                return true;
            };
            if !this.costs.contains_key(value) || touched.contains(cell) {
                return true;
            }
            let (order, variables) = this.dependencies(*value);
            if variables.iter().any(|&variable| variable != var) {
                return true;
            }
            let mut sum = Some(0.0);
            this.for_each_round(&[var], &order, &mut |scalar| {
                sum = sum.and_then(|sum: f64| Some(sum + scalar?.as_real()));
            });
            match sum {
                Some(sum) => {
                    sums.push((*cell, sum));
                    false
                }
                None => true,
            }
        });
        sums
    }

    /// Drops checks of data that hold in every round of the loops around them.
    fn drop_checks(&self, body: &mut Vec<Stmt>) {
        body.retain(|stmt| {
            let Stmt::Check { ok, .. } = stmt else {
                return true;
            };
            if !self.costs.contains_key(ok) {
                return true;
            }
            let (order, variables) = self.dependencies(*ok);
            let variables: Vec<ValueId> = variables.into_iter().collect();
            let rounds = self.rounds(&variables);
            if rounds.is_none_or(|rounds| rounds > MAX_LEN) {
                return true;
            }
            let mut holds = true;
            self.for_each_round(&variables, &order, &mut |scalar| {
                holds &= scalar.is_some_and(|scalar| scalar.as_int() != 0);
            });
            !holds
        });
    }

    /// How many rounds nested loops have, if that is known.
    fn rounds(&self, variables: &[ValueId]) -> Option<i64> {
        variables.iter().try_fold(1_i64, |rounds, var| {
            let (start, end) = self.ranges.get(var)?;
            rounds.checked_mul((end - start).max(0))
        })
    }
}

/// The cells that statements set or read.
fn collect_touched(stmts: &[Stmt], touched: &mut BTreeSet<CellId>) {
    for stmt in stmts {
        match stmt {
            Stmt::Set(cell, _) | Stmt::Let(_, Op::Get(cell)) => {
                touched.insert(*cell);
            }
            _ => {}
        }
        for block in crate::loops::blocks(stmt) {
            collect_touched(block, touched);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{Builder, Evaluator, Message, MessageKind};

    /// `for i in 0..2 { for j in 1..4 { check n[i, j] >= least; total += real(1 - 2 n[i, j]) · position[group[item[j]]] } }`
    fn nest(least: i64) -> Procedure {
        let mut build = Builder::new("nest");
        let ints = |build: &mut Builder, name: &str, values: &[i64]| {
            let role = Role::ConstantInt(values.to_vec().into());
            build.buffer(name, Kind::Int, values.len(), role)
        };
        let n = ints(&mut build, "n", &[1, 0, 1, 0, 0, 1]);
        let item = ints(&mut build, "item", &[7, 2, 0, 1]);
        let group = ints(&mut build, "group", &[1, 0, 1]);
        let position = build.buffer("position", Kind::Real, 2, Role::Input(0));
        let total = build.cell("total", Kind::Real);
        let rejected = build.message(Message {
            kind: MessageKind::Reject,
            parts: Vec::new(),
            span: Default::default(),
        });
        let [zero, one, two, three, four] = [0, 1, 2, 3, 4].map(|k| build.int(k));
        let least = build.int(least);
        build
            .for_loop(zero, two, false, |build, i| {
                let row = build.prim(Prim::MulInt, &[i, three]);
                build.for_loop(one, four, false, |build, j| -> Result<(), ()> {
                    let at = build.prim(Prim::SubInt, &[j, one]);
                    let at = build.prim(Prim::AddInt, &[row, at]);
                    let n = build.load(n, at);
                    let ok = build.prim(Prim::GeInt, &[n, least]);
                    build.push(Stmt::Check {
                        ok,
                        message: rejected,
                        values: Vec::new(),
                    });
                    let twice = build.prim(Prim::MulInt, &[n, two]);
                    let sign = build.prim(Prim::SubInt, &[one, twice]);
                    let sign = build.prim(Prim::ToReal, &[sign]);
                    let item = build.load(item, j);
                    let group = build.load(group, item);
                    let level = build.load(position, group);
                    let product = build.prim(Prim::Mul, &[sign, level]);
                    build.push(Stmt::Add(total, product));
                    Ok(())
                })
            })
            .unwrap();
        let mut procedure = build.finish();
        procedure.result = Some(total);
        procedure
    }

    #[test]
    fn what_data_say_in_nested_loops_is_known() {
        let mut procedure = nest(0);
        let value =
            |procedure: &Procedure| Evaluator::new(procedure).run(&[&[0.5, 3.0]], &mut [], None);
        let expected = value(&procedure);
        // The groups of j = 1, 2, 3 are 1, 1, 0; the signs of both rows are -1, 1, -1 and 1, 1, -1.
        assert_eq!(expected, Ok((-3.0 + 3.0 - 0.5) + (3.0 + 3.0 - 0.5)));
        tabulate(&mut procedure);
        crate::passes::dead::remove(&mut procedure);
        let text = procedure.to_string();
        for gone in ["check", "to_real", "load n[", "load group[", "load item["] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        assert_eq!(value(&procedure), expected);
    }

    #[test]
    fn a_check_that_fails_in_some_round_stays() {
        let mut procedure = nest(1);
        tabulate(&mut procedure);
        assert!(procedure.to_string().contains("check"));
    }
}
