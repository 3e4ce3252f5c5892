//! Recurrences alone: a loop whose rounds wait for each other is split, so that the rest of it runs in lanes.
//!
//! In `s = a + b x[t]² + c s; total += log(s)` only `s = u[t] + c s` has to run round by round. A loop before computes `u`,
//! one behind takes the logarithms; vectors of work hold what goes from one loop to the next. It pays where the rest costs
//! more than storing and loading these.

use super::{integers, is_innermost};
use crate::builtins::{Kind, Prim};
use crate::loops::{
    Buffer, BufferId, CellId, Op, Procedure, Role, Stmt, ValueId, blocks_mut, carries,
    for_each_operand, rewrite_operands_here,
};
use std::collections::{BTreeMap, BTreeSet};

/// Shorter loops do not repay two more of them; a guess.
const FEWEST_ROUNDS: i64 = 32;
/// What a division, a root or a function costs, in additions; a guess from their throughput in vectors.
const DEAR: usize = 5;
/// So many numbers of work at most, 32 MiB, for each chain.
const MOST_WORK: usize = 1 << 22;
/// What a vector of work costs each round, in additions: it is stored and loaded.
const VECTOR: usize = 2;

/// Splits every innermost loop that carries something from round to round, where it pays.
pub(super) fn split(procedure: &mut Procedure) {
    let mut body = std::mem::take(&mut procedure.body);
    let constants = integers(&body);
    block(procedure, &constants, &mut body);
    procedure.body = body;
}

fn block(procedure: &mut Procedure, constants: &BTreeMap<ValueId, i64>, stmts: &mut Vec<Stmt>) {
    let mut result = Vec::with_capacity(stmts.len());
    for mut stmt in std::mem::take(stmts) {
        for inner in blocks_mut(&mut stmt) {
            block(procedure, constants, inner);
        }
        match split_loop(procedure, constants, &stmt) {
            Some(loops) => result.extend(loops),
            None => result.push(stmt),
        }
    }
    *stmts = result;
}

/// The loops that a loop becomes, if that pays.
fn split_loop(
    procedure: &mut Procedure,
    constants: &BTreeMap<ValueId, i64>,
    stmt: &Stmt,
) -> Option<Vec<Stmt>> {
    let Stmt::For {
        start, end, body, ..
    } = stmt
    else {
        return None;
    };
    let rounds = constants.get(end)?.checked_sub(*constants.get(start)?)?;
    if rounds < FEWEST_ROUNDS || !is_innermost(body) {
        return None;
    }
    let plan = Plan::new(Body::new(procedure, body)?)?;
    let [before, recurrence, behind] = &plan.loops;
    let vectors = before.stored.len() + recurrence.stored.len();
    if vectors.saturating_mul(rounds as usize) > MOST_WORK {
        return None;
    }
    let mut buffers = BTreeMap::new();
    for value in before.stored.iter().chain(&recurrence.stored) {
        buffers.insert(*value, work(procedure, rounds as usize));
    }
    let loops = [before, recurrence, behind].map(|part| write(procedure, stmt, part, &buffers));
    Some(loops.into_iter().flatten().collect())
}

fn work(procedure: &mut Procedure, len: usize) -> BufferId {
    let buffer = BufferId(procedure.buffers.len() as u32);
    procedure.buffers.push(Buffer {
        name: format!("rounds#{}", buffer.0),
        kind: Kind::Real,
        len,
        role: Role::Work,
    });
    buffer
}

/// Where a statement of the body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// It waits for the round before, and the next waits for it.
    Recurrence,
    /// It needs what the recurrence gives, or does something that is better done last.
    Behind,
    /// It computes something without the recurrence, in whichever loop needs it.
    Free,
}

/// The body of a loop, with what is needed to take it apart.
struct Body<'b> {
    stmts: &'b [Stmt],
    /// The statement that defines a value.
    definition: BTreeMap<ValueId, usize>,
    parts: Vec<Part>,
    kinds: &'b [Kind],
}

impl<'b> Body<'b> {
    /// A body of which each statement has a part, if it carries anything and may be taken apart.
    fn new(procedure: &'b Procedure, stmts: &'b [Stmt]) -> Option<Body<'b>> {
        let takes_part = |stmt: &Stmt| match stmt {
            Stmt::Let(_, op) => !matches!(op, Op::Draw(..) | Op::Pop(_)),
            Stmt::Set(..) | Stmt::Add(..) | Stmt::Store(..) | Stmt::Accumulate(..) => true,
            _ => false,
        };
        if !stmts.iter().all(takes_part) {
            return None;
        }
        let definition = stmts
            .iter()
            .enumerate()
            .filter_map(|(at, stmt)| match stmt {
                Stmt::Let(value, _) => Some((*value, at)),
                _ => None,
            });
        let mut body = Body {
            stmts,
            definition: definition.collect(),
            parts: Vec::new(),
            kinds: &procedure.values,
        };
        // A loop that only adds to sums, or keeps to its own elements, runs in lanes as it is.
        if !carries(stmts) {
            return None;
        }
        let ordered = ordered(stmts);
        let waits = body.waits(&ordered);
        let feeds = body.feeds(&ordered);
        let part = |at: usize| match (&stmts[at], ordered[at] || waits[at] && feeds[at]) {
            (_, true) => Part::Recurrence,
            (Stmt::Let(..), _) if !waits[at] => Part::Free,
            _ => Part::Behind,
        };
        body.parts = (0..stmts.len()).map(part).collect();
        Some(body)
    }

    /// The statements that define what a statement reads.
    fn sources(&self, at: usize) -> Vec<(ValueId, usize)> {
        let mut sources = Vec::new();
        for_each_operand(&self.stmts[at], &mut |value| {
            sources.extend(self.definition.get(&value).map(|at| (value, *at)));
        });
        sources
    }

    /// Which statements need something of the ordered ones.
    fn waits(&self, ordered: &[bool]) -> Vec<bool> {
        let mut waits = ordered.to_vec();
        for at in 0..waits.len() {
            waits[at] |= self.sources(at).iter().any(|(_, source)| waits[*source]);
        }
        waits
    }

    /// Which statements ordered ones need something of.
    fn feeds(&self, ordered: &[bool]) -> Vec<bool> {
        let mut feeds = ordered.to_vec();
        for at in (0..feeds.len()).rev() {
            if feeds[at] {
                for (_, source) in self.sources(at) {
                    feeds[source] = true;
                }
            }
        }
        feeds
    }

    fn of(&self, part: Part) -> impl Iterator<Item = usize> + '_ {
        (0..self.stmts.len()).filter(move |at| self.parts[*at] == part)
    }

    /// Whether a value is as soon computed again as loaded.
    fn is_cheap(&self, at: usize) -> bool {
        match &self.stmts[at] {
            Stmt::Let(value, Op::Prim(..) | Op::Select(..)) => {
                self.kinds[value.0 as usize] == Kind::Int
            }
            _ => true,
        }
    }

    /// What a statement costs in vectors, in additions.
    fn cost(&self, at: usize) -> usize {
        match &self.stmts[at] {
            Stmt::Let(..) if self.is_cheap(at) => 0,
            Stmt::Let(_, Op::Prim(prim, _)) => match prim {
                Prim::Add | Prim::Sub | Prim::Mul | Prim::Neg | Prim::Abs => 1,
                Prim::Fma | Prim::Square | Prim::Fmin | Prim::Fmax | Prim::Fdim => 1,
                _ => DEAR,
            },
            _ => 1,
        }
    }

    /// The statements that some need, themselves included, up to values that are given.
    fn closure(
        &self,
        roots: impl IntoIterator<Item = usize>,
        mut is_given: impl FnMut(ValueId, usize) -> bool,
    ) -> BTreeSet<usize> {
        let mut pending: Vec<usize> = roots.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(at) = pending.pop() {
            if found.insert(at) {
                let sources = self.sources(at).into_iter();
                let needed = sources.filter(|(value, source)| !is_given(*value, *source));
                pending.extend(needed.map(|(_, source)| source));
            }
        }
        found
    }
}

/// For each statement whether it has to keep its place among the rounds: it goes by a cell that a round leaves to the next,
/// or by a buffer that is read and written.
fn ordered(stmts: &[Stmt]) -> Vec<bool> {
    let (mut read_cells, mut set_cells, mut added) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut loaded, mut stores, mut accumulated) =
        (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    for stmt in stmts {
        match stmt {
            Stmt::Let(_, Op::Get(cell)) => {
                read_cells.insert(*cell);
            }
            Stmt::Set(cell, _) => {
                set_cells.insert(*cell);
            }
            Stmt::Add(cell, _) => {
                added.insert(*cell);
            }
            Stmt::Let(_, Op::Load(buffer, _)) => {
                loaded.insert(*buffer);
            }
            Stmt::Store(buffer, ..) => *stores.entry(*buffer).or_insert(0) += 1,
            Stmt::Accumulate(buffer, ..) => {
                accumulated.insert(*buffer);
            }
            _ => {}
        }
    }
    let is_carried = |cell: &CellId| {
        set_cells.contains(cell) || read_cells.contains(cell) && added.contains(cell)
    };
    let is_ordered = |buffer: &BufferId| {
        let stored = stores.get(buffer).copied().unwrap_or(0);
        let also = loaded.contains(buffer) || accumulated.contains(buffer);
        stored > 1 || stored == 1 && also || accumulated.contains(buffer) && loaded.contains(buffer)
    };
    let ordered = |stmt: &Stmt| match stmt {
        Stmt::Let(_, Op::Get(cell)) | Stmt::Set(cell, _) | Stmt::Add(cell, _) => is_carried(cell),
        Stmt::Let(_, Op::Load(buffer, _))
        | Stmt::Store(buffer, ..)
        | Stmt::Accumulate(buffer, ..) => is_ordered(buffer),
        _ => false,
    };
    stmts.iter().map(ordered).collect()
}

/// A loop of those that one is split into.
#[derive(Default)]
struct Split {
    /// Statements of the body, by their places in it.
    stmts: BTreeSet<usize>,
    /// Values that earlier loops have left in vectors of work.
    loaded: BTreeSet<ValueId>,
    /// Values that it leaves there.
    stored: BTreeSet<ValueId>,
}

/// The loops before, with and behind the recurrence.
struct Plan {
    loops: [Split; 3],
}

impl Plan {
    /// How to split a loop, if it pays.
    fn new(body: Body) -> Option<Plan> {
        let mut first = BTreeSet::new();
        let recurrence = body.closure(body.of(Part::Recurrence), |value, at| {
            let given = body.parts[at] == Part::Free && !body.is_cheap(at);
            if given {
                first.insert(value);
            }
            given
        });
        let places = |values: &BTreeSet<ValueId>| -> Vec<usize> {
            values.iter().map(|value| body.definition[value]).collect()
        };
        let before = body.closure(places(&first), |_, _| false);
        let (loaded_by_recurrence, mut second) = (first.clone(), BTreeSet::new());
        let mut loaded = BTreeSet::new();
        let behind = body.closure(body.of(Part::Behind), |value, at| {
            let again = || body.closure([at], |_, _| false);
            let given = match body.parts[at] {
                Part::Recurrence => {
                    second.insert(value);
                    true
                }
                _ if first.contains(&value) => true,
                _ if body.is_cheap(at) || !before.contains(&at) => false,
                // What is dear to compute again is kept.
                _ => {
                    again().into_iter().map(|at| body.cost(at)).sum::<usize>() >= DEAR && {
                        first.insert(value);
                        true
                    }
                }
            };
            if given {
                loaded.insert(value);
            }
            given
        });
        let moved = before.union(&behind).filter(|at| !recurrence.contains(at));
        let moved: usize = moved.map(|at| body.cost(*at)).sum();
        let mut kept = first.iter().chain(&second);
        let vectors = first.len() + second.len();
        let reals = kept.all(|value| body.kinds[value.0 as usize] == Kind::Real);
        (reals && moved >= DEAR + VECTOR * vectors).then_some(Plan {
            loops: [
                Split {
                    stmts: before,
                    stored: first,
                    ..Split::default()
                },
                Split {
                    stmts: recurrence,
                    loaded: loaded_by_recurrence,
                    stored: second,
                },
                Split {
                    stmts: behind,
                    loaded,
                    ..Split::default()
                },
            ],
        })
    }
}

/// The code of a loop, if there is anything to do in it.
fn write(
    procedure: &mut Procedure,
    whole: &Stmt,
    part: &Split,
    buffers: &BTreeMap<ValueId, BufferId>,
) -> Option<Stmt> {
    let Stmt::For {
        var,
        start,
        end,
        reverse,
        body,
    } = whole
    else {
        return None;
    };
    if part.stmts.is_empty() {
        return None;
    }
    let [round, place] = [(); 2].map(|()| procedure.fresh(Kind::Int));
    let from_start = Op::Prim(Prim::SubInt, vec![round, *start]);
    let mut code = vec![Stmt::Let(place, from_start)];
    let mut renamed = BTreeMap::from([(*var, round)]);
    for value in &part.loaded {
        let loaded = procedure.fresh(Kind::Real);
        code.push(Stmt::Let(loaded, Op::Load(buffers[value], place)));
        renamed.insert(*value, loaded);
    }
    for at in &part.stmts {
        let mut stmt = body[*at].clone();
        rewrite_operands_here(&mut stmt, &mut |value| {
            renamed.get(&value).copied().unwrap_or(value)
        });
        let mut stored = None;
        if let Stmt::Let(value, _) = &mut stmt {
            let original = *value;
            *value = procedure.fresh(procedure.values[original.0 as usize]);
            renamed.insert(original, *value);
            stored = part
                .stored
                .contains(&original)
                .then(|| (buffers[&original], *value));
        }
        code.push(stmt);
        code.extend(stored.map(|(buffer, value)| Stmt::Store(buffer, place, value)));
    }
    Some(Stmt::For {
        var: round,
        start: *start,
        end: *end,
        reverse: *reverse,
        body: code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{Builder, Evaluator, verify};

    /// `s = exp(x[t]) + c s` with sums, writes and adjoints around it, up or down over so many rounds.
    fn recurrence(rounds: usize, reverse: bool) -> Procedure {
        let mut build = Builder::new("recurrence");
        let data: Vec<f64> = (0..rounds).map(|at| (at as f64 * 0.7).sin()).collect();
        let role = Role::ConstantReal(data.into());
        let data = build.buffer("data", Kind::Real, rounds, role);
        let input = build.buffer("input", Kind::Real, 1, Role::Input(0));
        let states = build.buffer("states", Kind::Real, rounds, Role::Output(0));
        let roots = build.buffer("roots", Kind::Real, rounds, Role::Output(1));
        let counts = build.buffer("counts", Kind::Real, 3, Role::Output(2));
        let [state, total, squares] =
            ["state", "total", "squares"].map(|name| build.cell(name, Kind::Real));
        let (zero, one, end) = (build.int(0), build.int(1), build.int(rounds as i64));
        let factor = build.load(input, zero);
        build.push(Stmt::Set(state, factor));
        build
            .for_loop(zero, end, reverse, |build, i| -> Result<(), ()> {
                let x = build.load(data, i);
                let shock = build.prim(Prim::Exp, &[x]);
                let before = build.get(state);
                let scaled = build.prim(Prim::Mul, &[factor, before]);
                let now = build.prim(Prim::Add, &[shock, scaled]);
                build.push(Stmt::Set(state, now));
                build.push(Stmt::Store(states, i, now));
                let root = build.prim(Prim::Sqrt, &[now]);
                let ratio = build.prim(Prim::Div, &[root, shock]);
                build.push(Stmt::Store(roots, i, ratio));
                build.push(Stmt::Add(total, ratio));
                let square = build.prim(Prim::Square, &[before]);
                build.push(Stmt::Add(squares, square));
                build.push(Stmt::Accumulate(counts, one, shock));
                Ok(())
            })
            .unwrap();
        let (state, squares) = (build.get(state), build.get(squares));
        build.push(Stmt::Accumulate(counts, zero, state));
        build.push(Stmt::Accumulate(counts, zero, squares));
        let mut procedure = build.finish();
        procedure.result = Some(total);
        procedure
    }

    fn run(procedure: &Procedure, rounds: usize) -> (f64, [Vec<f64>; 3]) {
        let mut outputs = [vec![0.0; rounds], vec![0.0; rounds], vec![0.0; 3]];
        let mut slices = outputs.each_mut().map(|it| it.as_mut_slice());
        let mut evaluator = Evaluator::new(procedure);
        let result = evaluator.run(&[&[0.4]], &mut slices, None).unwrap();
        (result, outputs)
    }

    fn loops_of(procedure: &Procedure) -> usize {
        let stmts = procedure.body.iter();
        stmts
            .filter(|stmt| matches!(stmt, Stmt::For { .. }))
            .count()
    }

    #[test]
    fn three_loops_compute_what_one_did() {
        for reverse in [false, true] {
            let plain = recurrence(40, reverse);
            let mut apart = plain.clone();
            split(&mut apart);
            verify(&apart).unwrap();
            assert_eq!(loops_of(&apart), 3, "{apart}");
            assert_eq!(run(&plain, 40), run(&apart, 40), "{apart}");
        }
    }

    #[test]
    fn short_loops_stay_whole() {
        let mut procedure = recurrence(31, false);
        split(&mut procedure);
        assert_eq!(loops_of(&procedure), 1);
    }

    #[test]
    fn sums_and_own_elements_are_no_recurrence() {
        let mut build = Builder::new("own");
        let own = build.buffer("own", Kind::Real, 64, Role::Output(0));
        let total = build.cell("total", Kind::Real);
        let (zero, end) = (build.int(0), build.int(64));
        build
            .for_loop(zero, end, false, |build, i| -> Result<(), ()> {
                let x = build.load(own, i);
                let y = build.prim(Prim::Exp, &[x]);
                let z = build.prim(Prim::Log1p, &[y]);
                build.push(Stmt::Store(own, i, z));
                build.push(Stmt::Add(total, z));
                Ok(())
            })
            .unwrap();
        let mut procedure = build.finish();
        split(&mut procedure);
        assert_eq!(loops_of(&procedure), 1);
    }
}
