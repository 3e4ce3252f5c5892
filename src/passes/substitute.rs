//! Substitution: an element that one loop computes and one later loop reads is computed where it is read.
//!
//! `vector[N] mu = alpha[group] + beta * x; y ~ normal(mu, sigma);` are two loops and a buffer between them, and would be
//! two more in the gradient. With the elements of `mu` computed by the loop of the density, that loop only adds to the
//! target, and differentiation does both directions in one pass. A table by site and year of which the observations pick
//! elements is no different, as long as each is picked about once: data tell which round computes what a round reads.

use super::data::Data;
use super::nest::Nest;
use super::{Definitions, definitions};
use crate::builtins::{Kind, Prim};
use crate::loops::{
    Buffer, BufferId, Op, Procedure, Role, Stmt, ValueId, blocks, for_each_operand,
    for_each_written, rewrite_operands, rewrite_operands_here, written_in,
};
use std::collections::{BTreeMap, BTreeSet};

/// Computes elements where they are read; whether there are such. Loops whose elements are not read any more are left for others
/// to remove.
pub(super) fn substitute(procedure: &mut Procedure) -> bool {
    let mut changed = false;
    // What is substituted changes loops alone.
    let outside = definitions(&procedure.body);
    let constants = outside.iter();
    let constants = constants.filter(|(_, op)| matches!(op, Op::Int(_) | Op::Real(_)));
    let constants = constants.map(|(value, op)| (*value, op.clone())).collect();
    // What is substituted changes no place in the body.
    let writers = first_written(&procedure.body);
    for buffer in (0..procedure.buffers.len() as u32).map(BufferId) {
        let found = Substitution::find(procedure, &outside, buffer).or_else(|| {
            let writer = *writers.get(&buffer)?;
            Substitution::in_nest(procedure, &outside, &constants, writer, buffer)
        });
        let Some(substitution) = found else { continue };
        substitution.apply(procedure);
        changed = true;
    }
    changed
}

/// What is to be computed where.
struct Substitution {
    /// The loop that reads, by its place in the body.
    reader: usize,
    /// The variables of the loops that compute, outermost first.
    variables: Vec<ValueId>,
    /// What it computes an element by, in order.
    code: Vec<(ValueId, Kind, Op)>,
    /// The element.
    element: ValueId,
    /// The loads that it takes the place of, with the rounds that compute what they read.
    loads: BTreeMap<ValueId, Round>,
}

/// Which round computes what a round reads.
enum Round {
    /// The one so far ahead.
    Ahead(i64),
    /// Per round of the loop that reads, from that one on: what the variables are, one list each.
    Tables(i64, Vec<Vec<i64>>),
}

/// How a buffer is used.
#[derive(Default)]
struct Uses {
    /// Stores directly in a loop of the outermost block: its place there, the index, the element.
    stores: Vec<(usize, ValueId, ValueId)>,
    /// Loads directly in such a loop: its place, the index, what is loaded.
    loads: Vec<(usize, ValueId, ValueId)>,
    /// Anything else.
    others: bool,
}

/// A loop with known bounds.
struct Loop<'p> {
    variable: ValueId,
    start: i64,
    end: i64,
    body: &'p [Stmt],
}

impl Substitution {
    /// What may take the place of a buffer's elements: one loop computes them, of what is still the same when one other reads.
    fn find(
        procedure: &Procedure,
        outside: &Definitions,
        buffer: BufferId,
    ) -> Option<Substitution> {
        let declared = &procedure.buffers[buffer.0 as usize];
        if declared.kind != Kind::Real || !matches!(declared.role, Role::Work) {
            return None;
        }
        let uses = Uses::of(&procedure.body, buffer);
        let (&[(writer, index, element)], &[(reader, ..), ..]) =
            (uses.stores.as_slice(), uses.loads.as_slice())
        else {
            return None;
        };
        let elsewhere = uses.loads.iter().any(|(place, ..)| *place != reader);
        if uses.others || reader <= writer || elsewhere {
            return None;
        }
        let computing = Loop::new(&procedure.body[writer], outside)?;
        let reading = Loop::new(&procedure.body[reader], outside)?;
        let stored = computing.distance(outside, index)?;
        let mut loads = BTreeMap::new();
        for (_, index, value) in uses.loads {
            let ahead = reading.distance(outside, index)? - stored;
            // Every round that reads has one that computes.
            if reading.start + ahead < computing.start || reading.end + ahead > computing.end {
                return None;
            }
            loads.insert(value, Round::Ahead(ahead));
        }
        let written = written_in(&procedure.body[writer..=reader]);
        let lets = computing.body.iter().collect::<Vec<_>>();
        let variables = vec![computing.variable];
        Some(Substitution {
            reader,
            code: code(procedure, &lets, &variables, element, outside, &written)?,
            variables,
            element,
            loads,
        })
    }

    /// The same for elements that a nest of loops computes and one other loop reads where data say, no more often than they
    /// are computed.
    fn in_nest(
        procedure: &Procedure,
        outside: &Definitions,
        constants: &Definitions,
        writer: usize,
        buffer: BufferId,
    ) -> Option<Substitution> {
        let Procedure { body, buffers, .. } = procedure;
        let declared = &buffers[buffer.0 as usize];
        if declared.kind != Kind::Real || !matches!(declared.role, Role::Work) {
            return None;
        }
        let nest = Nest::of(&body[writer], constants, buffer)?;
        let uses = Uses::of(&body[writer + 1..], buffer);
        let &[(reader, ..), ..] = uses.loads.as_slice() else {
            return None;
        };
        let elsewhere = uses.loads.iter().any(|(at, ..)| *at != reader);
        if uses.others || elsewhere || !uses.stores.is_empty() {
            return None;
        }
        let reader = writer + 1 + reader;
        let reading = Loop::new(&body[reader], outside)?;
        let reads = reading.end.checked_sub(reading.start)?.max(0);
        let reads = reads.checked_mul(uses.loads.len() as i64)?;
        let written = written_in(&body[writer..=reader]);
        let lets: Vec<&Stmt> = nest.lets.iter().map(|(stmt, _)| *stmt).collect();
        let variables = nest.variables.as_slice();
        let code = code(procedure, &lets, variables, nest.element, outside, &written)?;
        if is_repeated(&nest, &code, reads) {
            return None;
        }
        let picked = reading.picked(procedure, constants, &uses)?;
        let elements = picked.values().flatten().copied().collect();
        let places = nest.places(buffers, constants, &elements)?;
        let tables = |elements: Vec<i64>| {
            let columns = 0..nest.variables.len();
            let column = |at| elements.iter().map(|element| places[element][at]).collect();
            Round::Tables(reading.start, columns.map(column).collect())
        };
        let loads = picked.into_iter();
        Some(Substitution {
            reader,
            code,
            element: nest.element,
            loads: loads
                .map(|(value, elements)| (value, tables(elements)))
                .collect(),
            variables: nest.variables,
        })
    }

    /// Puts the code in the place of the loads.
    fn apply(self, procedure: &mut Procedure) {
        let Procedure {
            body,
            values,
            buffers,
            ..
        } = procedure;
        let Stmt::For { var, body, .. } = &mut body[self.reader] else {
            return;
        };
        let mut code = Vec::with_capacity(body.len() + self.code.len());
        let mut renamed = BTreeMap::new();
        for stmt in std::mem::take(body) {
            let load = match &stmt {
                Stmt::Let(value, _) => self.loads.get_key_value(value),
                _ => None,
            };
            match load {
                Some((value, round)) => {
                    let element = self.compute(*var, round, values, buffers, &mut code);
                    renamed.insert(*value, element);
                }
                None => code.push(stmt),
            }
        }
        for stmt in &mut code {
            rewrite_operands(stmt, &mut |value| *renamed.get(&value).unwrap_or(&value));
        }
        *body = code;
    }

    /// Computes the element that a round of the reading loop needs; returns it.
    fn compute(
        &self,
        var: ValueId,
        round: &Round,
        values: &mut Vec<Kind>,
        buffers: &mut Vec<Buffer>,
        code: &mut Vec<Stmt>,
    ) -> ValueId {
        let mut define = |kind: Kind, op: Op| {
            let value = ValueId(values.len() as u32);
            values.push(kind);
            code.push(Stmt::Let(value, op));
            value
        };
        let mut here = BTreeMap::new();
        match round {
            Round::Ahead(distance) => {
                let distance = define(Kind::Int, Op::Int(*distance));
                let round = define(Kind::Int, Op::Prim(Prim::AddInt, vec![var, distance]));
                here.extend(self.variables.iter().map(|variable| (*variable, round)));
            }
            Round::Tables(start, tables) => {
                let start = define(Kind::Int, Op::Int(*start));
                let row = define(Kind::Int, Op::Prim(Prim::SubInt, vec![var, start]));
                for (variable, table) in self.variables.iter().zip(tables) {
                    let id = BufferId(buffers.len() as u32);
                    buffers.push(Buffer {
                        name: "rounds".to_owned(),
                        kind: Kind::Int,
                        len: table.len(),
                        role: Role::ConstantInt(table.clone().into()),
                    });
                    here.insert(*variable, define(Kind::Int, Op::Load(id, row)));
                }
            }
        }
        for (value, kind, op) in &self.code {
            let mut stmt = Stmt::Let(*value, op.clone());
            rewrite_operands_here(&mut stmt, &mut |value| *here.get(&value).unwrap_or(&value));
            if let Stmt::Let(value, op) = stmt {
                here.insert(value, define(*kind, op));
            }
        }
        *here.get(&self.element).unwrap_or(&self.element)
    }
}

impl Uses {
    fn of(body: &[Stmt], buffer: BufferId) -> Uses {
        let mut uses = Uses::default();
        for (at, stmt) in body.iter().enumerate() {
            let Stmt::For { body, .. } = stmt else {
                uses.others |= mentions(stmt, buffer);
                continue;
            };
            for stmt in body {
                match stmt {
                    Stmt::Let(value, Op::Load(from, index)) if *from == buffer => {
                        uses.loads.push((at, *index, *value));
                    }
                    Stmt::Store(to, index, value) if *to == buffer => {
                        uses.stores.push((at, *index, *value));
                    }
                    _ => uses.others |= mentions(stmt, buffer),
                }
            }
        }
        uses
    }
}

impl<'p> Loop<'p> {
    fn new(stmt: &'p Stmt, outside: &Definitions) -> Option<Loop<'p>> {
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
        let known = |value: &ValueId| match outside.get(value) {
            Some(Op::Int(constant)) => Some(*constant),
            _ => None,
        };
        Some(Loop {
            variable: *var,
            start: known(start)?,
            end: known(end)?,
            body,
        })
    }

    /// The elements of a buffer that the loop's loads of it read in each round, if data tell.
    fn picked(
        &self,
        procedure: &Procedure,
        constants: &Definitions,
        uses: &Uses,
    ) -> Option<BTreeMap<ValueId, Vec<i64>>> {
        let mut data = Data::new(&procedure.buffers, constants, &[self.variable]);
        for stmt in self.body {
            if let Stmt::Let(value, op) = stmt {
                data.define(*value, op);
            }
        }
        let mut picked = BTreeMap::new();
        let mut values = Vec::new();
        for (_, index, value) in &uses.loads {
            let index = data.number(*index)?;
            let mut elements = Vec::new();
            for round in self.start..self.end {
                data.evaluate(&[round], &mut values);
                elements.push(values[index]?.as_int());
            }
            picked.insert(*value, elements);
        }
        Some(picked)
    }

    /// How far an index is beyond the loop's variable, if it is always as far.
    fn distance(&self, outside: &Definitions, index: ValueId) -> Option<i64> {
        let inside = definitions(self.body);
        let (mut index, mut distance) = (index, 0_i64);
        while index != self.variable {
            let Some(Op::Prim(prim, args)) = inside.get(&index) else {
                return None;
            };
            let known = |at: usize| {
                let op = inside.get(&args[at]).or(outside.get(&args[at]))?;
                match op {
                    Op::Int(constant) => Some(*constant),
                    _ => None,
                }
            };
            (index, distance) = match prim {
                Prim::AddInt => match known(1) {
                    Some(constant) => (args[0], distance.checked_add(constant)?),
                    None => (args[1], distance.checked_add(known(0)?)?),
                },
                Prim::SubInt => (args[0], distance.checked_sub(known(1)?)?),
                _ => return None,
            };
        }
        Some(distance)
    }
}

/// Whether computing elements where they are read would do anything dear more often than the nest does.
fn is_repeated(nest: &Nest<'_>, code: &[(ValueId, Kind, Op)], reads: i64) -> bool {
    let innermost = nest.variables.len() - 1;
    let levels: BTreeMap<ValueId, usize> = nest
        .lets
        .iter()
        .filter_map(|(stmt, level)| match stmt {
            Stmt::Let(value, _) => Some((*value, *level)),
            _ => None,
        })
        .collect();
    reads > nest.rounds(innermost)
        || code.iter().any(|(value, _, op)| {
            let level = levels.get(value).copied().unwrap_or(innermost);
            !is_cheap(op) && reads > nest.rounds(level)
        })
}

/// Whether an operation costs no more than an access to memory.
fn is_cheap(op: &Op) -> bool {
    match op {
        Op::Prim(prim, _) => {
            prim.result() == Kind::Int
                || matches!(
                    prim,
                    Prim::ToReal
                        | Prim::Add
                        | Prim::Sub
                        | Prim::Mul
                        | Prim::Neg
                        | Prim::Fma
                        | Prim::Square
                        | Prim::Abs
                )
        }
        _ => true,
    }
}

/// What definitions compute a value by, in order, if that may be done elsewhere: they read no buffer written meanwhile.
fn code(
    procedure: &Procedure,
    lets: &[&Stmt],
    variables: &[ValueId],
    value: ValueId,
    outside: &Definitions,
    written: &BTreeSet<BufferId>,
) -> Option<Vec<(ValueId, Kind, Op)>> {
    let (mut needed, mut code) = (BTreeSet::from([value]), Vec::new());
    for stmt in lets.iter().rev() {
        let Stmt::Let(value, op) = stmt else { continue };
        if !needed.remove(value) {
            continue;
        }
        let moves = match op {
            Op::Real(_) | Op::Int(_) | Op::Prim(..) | Op::Select(..) => true,
            Op::Load(buffer, _) => !written.contains(buffer),
            Op::Get(_) | Op::Draw(..) | Op::Pop(_) => false,
        };
        if !moves {
            return None;
        }
        for_each_operand(stmt, &mut |operand| {
            needed.insert(operand);
        });
        code.push((*value, procedure.values[value.0 as usize], op.clone()));
    }
    needed.retain(|value| !variables.contains(value));
    code.reverse();
    needed
        .iter()
        .all(|value| outside.contains_key(value))
        .then_some(code)
}

/// The first statement of a body that writes each buffer, itself or inside it.
fn first_written(body: &[Stmt]) -> BTreeMap<BufferId, usize> {
    let mut first = BTreeMap::new();
    for (at, stmt) in body.iter().enumerate() {
        for buffer in written_in(std::slice::from_ref(stmt)) {
            first.entry(buffer).or_insert(at);
        }
    }
    first
}

/// Whether a statement or one inside it reads or writes a buffer.
fn mentions(stmt: &Stmt, buffer: BufferId) -> bool {
    let mut here = match stmt {
        Stmt::Let(_, Op::Load(other, _)) => *other == buffer,
        Stmt::PushSlice(slice) => slice.buffer == buffer,
        Stmt::Call { inputs, .. } => inputs.iter().any(|slice| slice.buffer == buffer),
        _ => false,
    };
    for_each_written(stmt, &mut |other| here |= other == buffer);
    here || blocks(stmt).flatten().any(|stmt| mentions(stmt, buffer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff;
    use crate::loops::{Builder, Evaluator};
    use crate::passes::{Switches, improve};

    const ROWS: i64 = 6;

    /// `for i in 0..6 { mu[i] = a x[i] + b }`, then something, then `for n in start..end { total += mu[n + ahead]² }`.
    fn residuals(
        range: (i64, i64),
        ahead: i64,
        between: impl Fn(&mut Builder, BufferId, BufferId),
    ) -> Procedure {
        let mut build = Builder::new("residuals");
        let x = build.buffer("x", Kind::Real, 6, Role::Work);
        let mu = build.buffer("mu", Kind::Real, 6, Role::Work);
        let position = build.buffer("position", Kind::Real, 2, Role::Input(0));
        let total = build.cell("total", Kind::Real);
        let [zero, one, end] = [0, 1, ROWS].map(|k| build.int(k));
        let (a, b) = (build.load(position, zero), build.load(position, one));
        let outcome: Result<(), ()> = build.for_loop(zero, end, false, |build, i| {
            let number = build.prim(Prim::ToReal, &[i]);
            let number = build.prim(Prim::Mul, &[number, a]);
            build.push(Stmt::Store(x, i, number));
            Ok(())
        });
        outcome.unwrap();
        let outcome: Result<(), ()> = build.for_loop(zero, end, false, |build, i| {
            let x = build.load(x, i);
            let sum = build.prim(Prim::Fma, &[a, x, b]);
            build.push(Stmt::Store(mu, i, sum));
            Ok(())
        });
        outcome.unwrap();
        between(&mut build, x, mu);
        let [start, end, ahead] = [range.0, range.1, ahead].map(|k| build.int(k));
        let outcome: Result<(), ()> = build.for_loop(start, end, false, |build, n| {
            let place = build.prim(Prim::AddInt, &[n, ahead]);
            let mu = build.load(mu, place);
            let square = build.prim(Prim::Square, &[mu]);
            build.push(Stmt::Add(total, square));
            Ok(())
        });
        outcome.unwrap();
        let mut procedure = build.finish();
        procedure.result = Some(total);
        procedure
    }

    fn value(procedure: &Procedure) -> f64 {
        let outcome = Evaluator::new(procedure).run(&[&[0.5, 3.0]], &mut [], None);
        outcome.unwrap()
    }

    #[test]
    fn elements_are_computed_where_they_are_read() {
        for (range, ahead) in [((0, 6), 0), ((1, 7), -1), ((2, 4), 1), ((3, 3), 0)] {
            let mut procedure = residuals(range, ahead, |_, _, _| {});
            let expected = value(&procedure);
            assert!(substitute(&mut procedure));
            assert_eq!(crate::loops::verify(&procedure), Ok(()), "{procedure}");
            assert_eq!(value(&procedure), expected, "{procedure}");
            improve(&mut procedure, Switches::ALL);
            assert_eq!(value(&procedure), expected, "{procedure}");
            let text = procedure.to_string();
            assert!(!text.contains("mu[") && !text.contains("x["), "{text}");
        }
    }

    #[test]
    fn differentiation_needs_no_adjoints_of_elements() {
        let mut procedure = residuals((0, 6), 0, |_, _, _| {});
        improve(&mut procedure, Switches::ALL);
        let text = autodiff::differentiate(&procedure).to_string();
        assert!(!text.contains("adjoint of mu"), "{text}");
    }

    #[test]
    fn elements_that_change_in_between_or_are_read_twice_stay() {
        let stays = |range, ahead, between: fn(&mut Builder, BufferId, BufferId)| {
            let mut procedure = residuals(range, ahead, between);
            let expected = value(&procedure);
            substitute(&mut procedure);
            assert_eq!(value(&procedure), expected, "{procedure}");
            procedure.to_string().contains("load mu[")
        };
        assert!(!stays((0, 6), 0, |_, _, _| {}));
        // What the elements are computed from changes.
        assert!(stays((0, 6), 0, |build, x, _| {
            let (two, value) = (build.int(2), build.real(7.0));
            build.push(Stmt::Store(x, two, value));
        }));
        // An element changes.
        assert!(stays((0, 6), 0, |build, _, mu| {
            let (two, value) = (build.int(2), build.real(7.0));
            build.push(Stmt::Store(mu, two, value));
        }));
        // An element is read elsewhere.
        assert!(stays((0, 6), 0, |build, _, mu| {
            let two = build.int(2);
            let element = build.load(mu, two);
            let total = build.cell("other", Kind::Real);
            build.push(Stmt::Add(total, element));
        }));
    }

    /// `for j in 0..3 { for i in 1..5 { mu[place(i, j)] = a j + b i } }`, then `for n in 2.. { total += n mu[pick[n − 2]]² }`.
    fn picked(
        pick: &[i64],
        place: impl Fn(&mut Builder, ValueId, ValueId) -> ValueId,
    ) -> Procedure {
        let mut build = Builder::new("picked");
        let mu = build.buffer("mu", Kind::Real, 12, Role::Work);
        let position = build.buffer("position", Kind::Real, 2, Role::Input(0));
        let role = Role::ConstantInt(pick.to_vec().into());
        let picks = build.buffer("pick", Kind::Int, pick.len(), role);
        let total = build.cell("total", Kind::Real);
        let [zero, one, two, three, five] = [0, 1, 2, 3, 5].map(|k| build.int(k));
        let (a, b) = (build.load(position, zero), build.load(position, one));
        let outcome: Result<(), ()> = build.for_loop(zero, three, false, |build, j| {
            let column = build.prim(Prim::ToReal, &[j]);
            let column = build.prim(Prim::Mul, &[column, a]);
            build.for_loop(one, five, false, |build, i| {
                let row = build.prim(Prim::ToReal, &[i]);
                let sum = build.prim(Prim::Fma, &[row, b, column]);
                let place = place(build, i, j);
                build.push(Stmt::Store(mu, place, sum));
                Ok(())
            })
        });
        outcome.unwrap();
        let end = build.int(2 + pick.len() as i64);
        let outcome: Result<(), ()> = build.for_loop(two, end, false, |build, n| {
            let row = build.prim(Prim::SubInt, &[n, two]);
            let at = build.load(picks, row);
            let mu = build.load(mu, at);
            let square = build.prim(Prim::Square, &[mu]);
            let number = build.prim(Prim::ToReal, &[n]);
            let product = build.prim(Prim::Mul, &[number, square]);
            build.push(Stmt::Add(total, product));
            Ok(())
        });
        outcome.unwrap();
        let mut procedure = build.finish();
        procedure.result = Some(total);
        procedure
    }

    /// The place of a row and a column, the row counted from 1.
    fn by_column(build: &mut Builder, i: ValueId, j: ValueId) -> ValueId {
        let [one, four] = [1, 4].map(|k| build.int(k));
        let column = build.prim(Prim::MulInt, &[j, four]);
        let row = build.prim(Prim::SubInt, &[i, one]);
        build.prim(Prim::AddInt, &[column, row])
    }

    #[test]
    fn elements_of_a_nest_are_computed_where_data_pick_them() {
        let by_row = |build: &mut Builder, i, j| {
            let three = build.int(3);
            let row = build.prim(Prim::MulInt, &[i, three]);
            let place = build.prim(Prim::AddInt, &[row, j]);
            build.prim(Prim::SubInt, &[place, three])
        };
        for (pick, in_rows) in [
            (vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], false),
            (vec![11, 3, 3, 8, 0, 7, 2, 2, 2], false),
            (vec![11, 3, 3, 8, 0, 7, 2, 2, 2], true),
            (vec![5], true),
        ] {
            let mut procedure = match in_rows {
                true => picked(&pick, by_row),
                false => picked(&pick, by_column),
            };
            let expected = value(&procedure);
            assert!(substitute(&mut procedure));
            assert_eq!(crate::loops::verify(&procedure), Ok(()), "{procedure}");
            assert_eq!(value(&procedure), expected, "{procedure}");
            improve(&mut procedure, Switches::ALL);
            assert!((value(&procedure) / expected - 1.0).abs() < 1e-15);
            let text = procedure.to_string();
            assert!(!text.contains("mu["), "{text}");
        }
    }

    #[test]
    fn elements_of_a_nest_stay_where_that_is_dearer_or_not_known() {
        let stays = |pick: &[i64], place: fn(&mut Builder, ValueId, ValueId) -> ValueId| {
            let mut procedure = picked(pick, place);
            let expected = Evaluator::new(&procedure).run(&[&[0.5, 3.0]], &mut [], None);
            substitute(&mut procedure);
            let found = Evaluator::new(&procedure).run(&[&[0.5, 3.0]], &mut [], None);
            // An element that no round computes is NaN.
            match (&expected, &found) {
                (Ok(expected), Ok(found)) => assert_eq!(expected.to_bits(), found.to_bits()),
                _ => assert_eq!(expected, found),
            }
            procedure.to_string().contains("load mu[")
        };
        // More elements are read than computed.
        assert!(stays(&[4; 13], by_column));
        // Two rounds compute the same element, and some none.
        assert!(stays(&[1, 2, 3], |_, i, _| i));
        // There is no such element.
        assert!(stays(&[12, 1], by_column));
    }
}
