//! Rows that the data repeat: what a loop adds for rows with the same data is computed once and multiplied by their number.
//!
//! An outcome of few values, covariates of few levels: a survey of a thousand answers may have ten different rows. That is
//! the sufficient statistic of a Bernoulli, binomial, Poisson, or any other likelihood over such rows, found without knowing
//! which likelihood it is: of the values that depend on data alone, those that anything else uses decide what a round does.
//! A value that only multiplies what is added need not be the same: a Poisson outcome times its logarithmic rate, or a
//! number of trials. Such coefficients are summed over rows, so that counts at a hundred sites become a hundred rows. Where
//! a factor is infinite, rows with the coefficient 0 would make the density NaN and are passed over now: it is infinite.

use super::data::Data;
use crate::builtins::{Kind, Prim, Scalar};
use crate::loops::{
    Buffer, BufferId, CellId, Op, Procedure, Role, Stmt, ValueId, blocks, blocks_mut,
    for_each_operand,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A loop is worth it if rows are repeated this often on average: counting costs a product per sum, and sums of logarithms
/// are no logarithms of products any more. A guess.
const LEAST_REPEATS: usize = 4;
/// Whether more rows than this are repeated is told from a sample of so many, so that data without repeats cost next to
/// nothing.
const PROBE: usize = 4_096;

/// Shortens the loops of a log density over repeated rows; whether there are such. For densities, before differentiation.
pub(super) fn count(procedure: &mut Procedure) -> bool {
    let body = std::mem::take(&mut procedure.body);
    let mut constants = BTreeMap::new();
    let found: Vec<Option<Repeats>> = (0..body.len())
        .map(|at| {
            if let Stmt::Let(value, op @ (Op::Int(_) | Op::Real(_))) = &body[at] {
                constants.insert(*value, op.clone());
            }
            Repeats::of(procedure, &constants, &body, at)
        })
        .collect();
    let changed = found.iter().any(Option::is_some);
    for (stmt, repeats) in body.into_iter().zip(found) {
        match repeats {
            Some(repeats) => repeats.emit(procedure, stmt),
            None => procedure.body.push(stmt),
        }
    }
    changed
}

/// Per value: what it is in each of the different rows.
type Columns = BTreeMap<ValueId, Vec<Scalar>>;

/// The different rows of a loop.
struct Repeats {
    /// The values that decide what a round does.
    columns: Columns,
    /// The values that only those are computed from.
    steps: BTreeSet<ValueId>,
    /// How often each row occurs.
    counts: Vec<f64>,
    /// Per product that is added: which factor is its coefficient, and the sums of that over rows that are the same otherwise.
    coefficients: BTreeMap<ValueId, (usize, Vec<f64>)>,
    /// What sums go to that outlast a round.
    sums: Sums,
}

/// The places that a loop only adds to.
#[derive(Default)]
struct Sums {
    cells: BTreeSet<CellId>,
    buffers: BTreeSet<BufferId>,
}

impl Repeats {
    /// The different rows of a loop that only adds up, if they are few.
    fn of(
        procedure: &Procedure,
        constants: &BTreeMap<ValueId, Op>,
        around: &[Stmt],
        at: usize,
    ) -> Option<Repeats> {
        let Stmt::For {
            var,
            start,
            end,
            body,
            ..
        } = &around[at]
        else {
            return None;
        };
        let known = |value: &ValueId| match constants.get(value) {
            Some(Op::Int(constant)) => Some(*constant),
            _ => None,
        };
        let (start, end) = (known(start)?, known(end)?);
        let rounds = usize::try_from(end.checked_sub(start)?).ok()?;
        if rounds < 2 * LEAST_REPEATS {
            return None;
        }
        let sums = sums(procedure, *var, around, at)?;
        let mut rows = Rows {
            data: Data::new(&procedure.buffers, constants, &[*var]),
            decisive: BTreeSet::new(),
            added: added_alone(body, &sums),
            coefficients: BTreeMap::new(),
        };
        rows.block(body)?;
        // What tells all rounds apart leaves nothing to count.
        if rows.decisive.contains(var) {
            return None;
        }
        let different = rows.different(start, rounds)?;
        let steps = rows.data.computed();
        let steps = steps
            .filter(|value| !rows.decisive.contains(value))
            .collect();
        let products = rows.coefficients.into_iter();
        let products = products.map(|(product, (factor, _))| (product, factor));
        Some(Repeats {
            columns: rows
                .decisive
                .iter()
                .copied()
                .zip(different.columns)
                .collect(),
            steps,
            counts: different.counts,
            coefficients: products
                .zip(different.coefficients)
                .map(|((product, factor), sums)| (product, (factor, sums)))
                .collect(),
            sums,
        })
    }

    /// The loop over the different rows.
    fn emit(self, procedure: &mut Procedure, stmt: Stmt) {
        let Stmt::For { var, mut body, .. } = stmt else {
            return;
        };
        let rows = self.counts.len();
        let [start, end] = [0, rows as i64].map(|bound| {
            let value = procedure.fresh(Kind::Int);
            procedure.body.push(Stmt::Let(value, Op::Int(bound)));
            value
        });
        let counts = table(
            procedure,
            "counts",
            Role::ConstantReal(self.counts.into()),
            rows,
        );
        let mut columns = BTreeMap::new();
        for (value, column) in self.columns {
            let role = match procedure.values[value.0 as usize] {
                Kind::Real => Role::ConstantReal(column.iter().map(|it| it.as_real()).collect()),
                Kind::Int => Role::ConstantInt(column.iter().map(|it| it.as_int()).collect()),
            };
            columns.insert(value, table(procedure, "rows", role, rows));
        }
        let mut coefficients = BTreeMap::new();
        for (product, (factor, sums)) in self.coefficients {
            let role = Role::ConstantReal(sums.into());
            let sums = table(procedure, "sums", role, rows);
            coefficients.insert(product, (factor, sums));
        }
        let count = procedure.fresh(Kind::Real);
        let mut counting = Counting {
            procedure,
            var,
            columns,
            steps: self.steps,
            coefficients,
            sums: self.sums,
            count,
        };
        counting.block(&mut body);
        body.insert(0, Stmt::Let(count, Op::Load(counts, var)));
        procedure.body.push(Stmt::For {
            var,
            start,
            end,
            reverse: false,
            body,
        });
    }
}

fn table(procedure: &mut Procedure, name: &str, role: Role, len: usize) -> BufferId {
    let kind = match role {
        Role::ConstantInt(_) => Kind::Int,
        _ => Kind::Real,
    };
    let id = BufferId(procedure.buffers.len() as u32);
    procedure.buffers.push(Buffer {
        name: name.to_owned(),
        kind,
        len,
        role,
    });
    id
}

/// Rewrites a body: decisive values come from tables, sums are multiplied.
struct Counting<'p> {
    procedure: &'p mut Procedure,
    var: ValueId,
    columns: BTreeMap<ValueId, BufferId>,
    steps: BTreeSet<ValueId>,
    coefficients: BTreeMap<ValueId, (usize, BufferId)>,
    sums: Sums,
    /// How often the row occurs.
    count: ValueId,
}

impl Counting<'_> {
    fn block(&mut self, stmts: &mut Vec<Stmt>) {
        let mut result = Vec::with_capacity(stmts.len());
        for mut stmt in std::mem::take(stmts) {
            for block in blocks_mut(&mut stmt) {
                self.block(block);
            }
            match &mut stmt {
                // The loop's variable numbers the different rows now.
                Stmt::Let(value, _) if self.steps.contains(value) => continue,
                Stmt::Let(value, op) => {
                    if let Some(column) = self.columns.get(value) {
                        *op = Op::Load(*column, self.var);
                    }
                    if let Some((factor, coefficients)) = self.coefficients.get(value)
                        && let Op::Prim(_, args) = op
                    {
                        let coefficient = self.procedure.fresh(Kind::Real);
                        let load = Op::Load(*coefficients, self.var);
                        result.push(Stmt::Let(coefficient, load));
                        args[*factor] = coefficient;
                    }
                }
                Stmt::Add(_, value) if self.coefficients.contains_key(value) => {}
                Stmt::Add(cell, value) if self.sums.cells.contains(cell) => {
                    *value = self.times_count(*value, &mut result);
                }
                Stmt::Accumulate(buffer, _, value) if self.sums.buffers.contains(buffer) => {
                    *value = self.times_count(*value, &mut result);
                }
                _ => {}
            }
            result.push(stmt);
        }
        *stmts = result;
    }

    fn times_count(&mut self, value: ValueId, code: &mut Vec<Stmt>) -> ValueId {
        let product = self.procedure.fresh(Kind::Real);
        let op = Op::Prim(Prim::Mul, vec![self.count, value]);
        code.push(Stmt::Let(product, op));
        product
    }
}

/// What the rounds of a loop are told apart by.
struct Rows<'p> {
    /// The values that depend on data and the loop's variable alone.
    data: Data<'p>,
    /// Those of them that anything else uses, constants aside.
    decisive: BTreeSet<ValueId>,
    /// The values whose only use is that they are added to a sum.
    added: BTreeSet<ValueId>,
    /// Those of them that are products with a value of data: which factor that is, and its number.
    coefficients: BTreeMap<ValueId, (usize, usize)>,
}

impl Rows<'_> {
    /// Finds the values of data; none if a statement does more than compute and add up.
    fn block(&mut self, stmts: &[Stmt]) -> Option<()> {
        for stmt in stmts {
            match stmt {
                Stmt::Let(_, Op::Draw(..) | Op::Pop(_)) => return None,
                Stmt::Let(value, op) => {
                    if self.data.define(*value, op) {
                        continue;
                    }
                    if let Op::Prim(Prim::Mul, args) = op
                        && self.added.contains(value)
                        && let Some(found) =
                            (0..2).find_map(|at| Some((at, self.data.number(args[at])?)))
                    {
                        self.coefficients.insert(*value, found);
                        continue;
                    }
                }
                Stmt::Set(..)
                | Stmt::Add(..)
                | Stmt::Store(..)
                | Stmt::Accumulate(..)
                | Stmt::If { .. }
                | Stmt::Check { .. } => {}
                Stmt::Fill(..)
                | Stmt::For { .. }
                | Stmt::While { .. }
                | Stmt::Call { .. }
                | Stmt::Print { .. }
                | Stmt::Push(_)
                | Stmt::PushSlice(_)
                | Stmt::PopSlice(_) => return None,
            }
            for_each_operand(stmt, &mut |value| {
                if self.data.varies(value) {
                    self.decisive.insert(value);
                }
            });
            for block in blocks(stmt) {
                self.block(block)?;
            }
        }
        Some(())
    }

    /// The different rows, in order of appearance; none if there are too many, or coefficients too large to be summed.
    fn different(&self, start: i64, rounds: usize) -> Option<Different> {
        let most = rounds / LEAST_REPEATS;
        let mut reader = Reader::new(self);
        if rounds > PROBE && !reader.repeats(start, rounds, most)? {
            return None;
        }
        let mut rows: HashMap<Vec<u64>, usize> = HashMap::new();
        let mut different = Different {
            columns: vec![Vec::new(); reader.decisive.len()],
            counts: Vec::new(),
            coefficients: vec![Vec::new(); self.coefficients.len()],
        };
        for round in 0..rounds {
            let key = reader.key(start + round as i64)?;
            let row = match rows.get(key) {
                Some(row) => *row,
                None if different.counts.len() == most => return None,
                None => {
                    let row = different.counts.len();
                    rows.insert(key.to_vec(), row);
                    different.counts.push(0.0);
                    for (column, number) in different.columns.iter_mut().zip(&reader.decisive) {
                        column.push(reader.values[*number]?);
                    }
                    for sums in &mut different.coefficients {
                        sums.push(0.0);
                    }
                    row
                }
            };
            different.counts[row] += 1.0;
            let coefficients = self.coefficients.values();
            for (sums, (_, number)) in different.coefficients.iter_mut().zip(coefficients) {
                sums[row] += reader.values[*number]?.as_real();
            }
        }
        let sizes = different.coefficients.iter().flatten();
        let all_finite = sizes.copied().all(f64::is_finite);
        all_finite.then_some(different)
    }
}

/// The different rows of a loop.
struct Different {
    /// Per decisive value: what it is in each of them.
    columns: Vec<Vec<Scalar>>,
    /// How often each occurs.
    counts: Vec<f64>,
    /// Per coefficient: its sum over the rows that are the same.
    coefficients: Vec<Vec<f64>>,
}

/// Computes the decisive values of rounds.
struct Reader<'r> {
    rows: &'r Rows<'r>,
    /// The numbers of the decisive values.
    decisive: Vec<usize>,
    /// All values of data, in the round read last.
    values: Vec<Option<Scalar>>,
    key: Vec<u64>,
}

impl Reader<'_> {
    fn new<'r>(rows: &'r Rows<'r>) -> Reader<'r> {
        let decisive = rows.decisive.iter();
        let decisive = decisive.filter_map(|value| rows.data.number_of(*value));
        Reader {
            rows,
            decisive: decisive.collect(),
            values: Vec::new(),
            key: Vec::new(),
        }
    }

    /// The decisive values of a round, as bits; none if one cannot be computed.
    fn key(&mut self, var: i64) -> Option<&[u64]> {
        self.rows.data.evaluate(&[var], &mut self.values);
        self.key.clear();
        for number in &self.decisive {
            self.key.push(match self.values[*number]? {
                Scalar::Int(value) => value as u64,
                Scalar::Real(value) => value.to_bits(),
            });
        }
        Some(&self.key)
    }

    /// Whether there may be no more than so many different rows, by a sample of all.
    ///
    /// Of n rows drawn from K different ones, each as frequent, about n²/2K repeat another; half of that is asked for.
    fn repeats(&mut self, start: i64, rounds: usize, most: usize) -> Option<bool> {
        let mut seen = HashSet::new();
        for sample in 0..PROBE {
            let round = sample * rounds / PROBE;
            seen.insert(self.key(start + round as i64)?.to_vec());
        }
        Some((PROBE - seen.len()) * 4 * most >= PROBE * PROBE)
    }
}

/// The values of a body that one statement uses, which adds them to a sum.
fn added_alone(body: &[Stmt], sums: &Sums) -> BTreeSet<ValueId> {
    fn visit(
        stmts: &[Stmt],
        sums: &Sums,
        added: &mut BTreeSet<ValueId>,
        uses: &mut BTreeMap<ValueId, u32>,
    ) {
        for stmt in stmts {
            for_each_operand(stmt, &mut |value| *uses.entry(value).or_default() += 1);
            match stmt {
                Stmt::Add(cell, value) if sums.cells.contains(cell) => {
                    added.insert(*value);
                }
                _ => {}
            }
            for block in blocks(stmt) {
                visit(block, sums, added, uses);
            }
        }
    }
    let (mut added, mut uses) = (BTreeSet::new(), BTreeMap::new());
    visit(body, sums, &mut added, &mut uses);
    added.retain(|value| uses.get(value) == Some(&1));
    added
}

/// What a loop does with a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Usage {
    /// Every round sets it before anything else.
    OfRound,
    /// It is only added to.
    Sum,
    /// It is only read.
    Read,
}

/// The places that a loop only adds to; none if a round may hand anything to another, or to what follows.
fn sums(procedure: &Procedure, var: ValueId, around: &[Stmt], at: usize) -> Option<Sums> {
    let body = blocks(&around[at]).next()?;
    let mut cells = BTreeMap::new();
    usages(body, true, &mut cells)?;
    let with = |usage| {
        let cells = cells.iter().filter(move |(_, found)| **found == usage);
        cells.map(|(cell, _)| *cell)
    };
    let of_round: BTreeSet<CellId> = with(Usage::OfRound).collect();
    let elsewhere = around
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != at && !of_round.is_empty());
    let mut read_elsewhere = elsewhere.map(|(_, stmt)| reads_cell(stmt, &of_round));
    if read_elsewhere.any(|reads| reads)
        || procedure.result.is_some_and(|it| of_round.contains(&it))
    {
        return None;
    }
    let mut buffers = Buffers::default();
    buffers.block(body);
    let outlasts = |buffer: &BufferId| procedure.scopes.get(buffer) != Some(&var);
    buffers.added.retain(outlasts);
    let only_added =
        buffers.added.is_disjoint(&buffers.loaded) && !buffers.stored.iter().any(outlasts);
    only_added.then(|| Sums {
        cells: with(Usage::Sum).collect(),
        buffers: buffers.added,
    })
}

/// Notes what statements do with cells; none if that is more than one thing.
fn usages(stmts: &[Stmt], always: bool, cells: &mut BTreeMap<CellId, Usage>) -> Option<()> {
    for stmt in stmts {
        let (cell, usage) = match stmt {
            Stmt::Set(cell, _) => (cell, Usage::OfRound),
            Stmt::Add(cell, _) => (cell, Usage::Sum),
            Stmt::Let(_, Op::Get(cell)) => (cell, Usage::Read),
            _ => {
                for block in blocks(stmt) {
                    usages(block, false, cells)?;
                }
                continue;
            }
        };
        match cells.get(cell) {
            Some(Usage::OfRound) => {}
            Some(before) if *before == usage => {}
            // A cell that is set in a branch may keep what another round left.
            None if always || usage != Usage::OfRound => {
                cells.insert(*cell, usage);
            }
            _ => return None,
        }
    }
    Some(())
}

/// The buffers that statements write and read.
#[derive(Default)]
struct Buffers {
    added: BTreeSet<BufferId>,
    stored: BTreeSet<BufferId>,
    loaded: BTreeSet<BufferId>,
}

impl Buffers {
    fn block(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Accumulate(buffer, ..) => self.added.insert(*buffer),
                Stmt::Store(buffer, ..) => self.stored.insert(*buffer),
                Stmt::Let(_, Op::Load(buffer, _)) => self.loaded.insert(*buffer),
                _ => false,
            };
            for block in blocks(stmt) {
                self.block(block);
            }
        }
    }
}

/// Whether a statement, or one inside it, reads one of several cells.
fn reads_cell(stmt: &Stmt, cells: &BTreeSet<CellId>) -> bool {
    matches!(stmt, Stmt::Let(_, Op::Get(cell)) if cells.contains(cell))
        || blocks(stmt).any(|block| block.iter().any(|inner| reads_cell(inner, cells)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::{Builder, Evaluator, Message, MessageKind};
    use crate::passes::{Switches, improve_density};

    /// Sixty rows of six kinds: an outcome and a level; every seventh row has the second outcome.
    const ROWS: i64 = 60;

    /// What a test's loop is built from.
    struct Loop {
        build: Builder,
        total: CellId,
        /// The row's outcome, a real of data.
        outcome: ValueId,
        /// The effect of the row's level, a parameter.
        effect: ValueId,
        var: ValueId,
    }

    /// `for i in 1..61 { body }` over outcomes and levels of which there are few.
    fn procedure(body: impl FnOnce(&mut Loop)) -> Procedure {
        let mut build = Builder::new("rows");
        let position = build.buffer("position", Kind::Real, 3, Role::Input(0));
        let outcomes: Vec<i64> = (0..ROWS).map(|row| i64::from(row % 7 == 0)).collect();
        let levels: Vec<i64> = (0..ROWS).map(|row| row * row % 3).collect();
        let mut ints = |name, values: Vec<i64>| {
            build.buffer(
                name,
                Kind::Int,
                values.len(),
                Role::ConstantInt(values.into()),
            )
        };
        let (outcomes, levels) = (ints("outcome", outcomes), ints("level", levels));
        let total = build.cell("total", Kind::Real);
        let [one, past] = [1, ROWS + 1].map(|bound| build.int(bound));
        let var = build.fresh(Kind::Int);
        build.open();
        let row = build.prim(Prim::SubInt, &[var, one]);
        let outcome = build.load(outcomes, row);
        let outcome = build.prim(Prim::ToReal, &[outcome]);
        let level = build.load(levels, row);
        let effect = build.load(position, level);
        let mut inside = Loop {
            build,
            total,
            outcome,
            effect,
            var,
        };
        body(&mut inside);
        let Loop { mut build, .. } = inside;
        let body = build.close();
        build.push(Stmt::For {
            var,
            start: one,
            end: past,
            reverse: false,
            body,
        });
        let mut procedure = build.finish();
        procedure.result = Some(total);
        procedure
    }

    /// The largest number of rounds of a loop at the top.
    fn rounds(procedure: &Procedure) -> i64 {
        let constants = crate::passes::integers(&procedure.body);
        let rounds = procedure.body.iter().filter_map(|stmt| match stmt {
            Stmt::For { start, end, .. } => Some(constants.get(end)? - constants.get(start)?),
            _ => None,
        });
        rounds.max().unwrap_or(0)
    }

    fn value(procedure: &Procedure) -> f64 {
        let mut outputs = vec![0.0; 3];
        let has_output = procedure
            .buffers
            .iter()
            .any(|buffer| matches!(buffer.role, Role::Output(0)));
        let mut slices: Vec<&mut [f64]> = Vec::new();
        if has_output {
            slices.push(&mut outputs);
        }
        let position = [0.3, -1.25, 0.75];
        let value = Evaluator::new(procedure)
            .run(&[&position], &mut slices, None)
            .unwrap();
        value + outputs[0] + 3.0 * outputs[1] + 5.0 * outputs[2]
    }

    /// Checks that counting changes the value by rounding alone; returns the rounds that are left.
    fn counted(mut procedure: Procedure) -> i64 {
        let before = value(&procedure);
        count(&mut procedure);
        crate::loops::verify(&procedure).unwrap();
        let rounds = rounds(&procedure);
        let check = |procedure: &Procedure| {
            let after = value(procedure);
            assert!(
                (after - before).abs() < 1e-12 * before.abs(),
                "{before} {after} {procedure}"
            );
        };
        check(&procedure);
        improve_density(&mut procedure, Switches::ALL);
        check(&procedure);
        rounds
    }

    /// outcome · effect − log1p(exp(effect))
    fn term(inside: &mut Loop) -> ValueId {
        let build = &mut inside.build;
        let exp = build.prim(Prim::Exp, &[inside.effect]);
        let log = build.prim(Prim::Log1p, &[exp]);
        let product = build.prim(Prim::Mul, &[inside.outcome, inside.effect]);
        build.prim(Prim::Sub, &[product, log])
    }

    #[test]
    fn rows_are_counted_where_a_loop_only_adds() {
        let plain = procedure(|inside| {
            let term = term(inside);
            inside.build.push(Stmt::Add(inside.total, term));
        });
        // Squares of integers are 0 or 1 modulo 3.
        assert_eq!(counted(plain), 4);
        let in_branches = procedure(|inside| {
            let term = term(inside);
            let zero = inside.build.real(0.0);
            let is_one = inside.build.prim(Prim::Gt, &[inside.outcome, zero]);
            inside.build.open();
            inside.build.push(Stmt::Add(inside.total, term));
            let then = inside.build.close();
            inside.build.open();
            let half = inside.build.real(0.5);
            let other = inside.build.prim(Prim::Mul, &[term, half]);
            inside.build.push(Stmt::Add(inside.total, other));
            let otherwise = inside.build.close();
            inside.build.push(Stmt::If {
                condition: is_one,
                then,
                otherwise,
            });
        });
        assert_eq!(counted(in_branches), 4);
    }

    #[test]
    fn what_belongs_to_a_round_is_not_multiplied() {
        let through_a_cell = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let cell = build.cell("own", Kind::Real);
            build.push(Stmt::Set(cell, inside.outcome));
            build.push(Stmt::Add(cell, term));
            let sum = build.get(cell);
            let square = build.prim(Prim::Square, &[sum]);
            build.push(Stmt::Add(inside.total, square));
        });
        assert_eq!(counted(through_a_cell), 4);
        let through_a_buffer = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let own = build.buffer("own", Kind::Real, 1, Role::Work);
            build.procedure.scopes.insert(own, inside.var);
            let at = build.int(0);
            build.push(Stmt::Store(own, at, inside.outcome));
            build.push(Stmt::Accumulate(own, at, term));
            let sum = build.load(own, at);
            let square = build.prim(Prim::Square, &[sum]);
            build.push(Stmt::Add(inside.total, square));
        });
        assert_eq!(counted(through_a_buffer), 4);
        let into_a_buffer = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let sums = build.buffer("sums", Kind::Real, 3, Role::Output(0));
            let at = build.int(1);
            build.push(Stmt::Accumulate(sums, at, term));
            build.push(Stmt::Add(inside.total, term));
        });
        assert_eq!(counted(into_a_buffer), 4);
    }

    #[test]
    fn coefficients_are_summed() {
        // row · effect − exp(effect) · row: three levels, and rows of which no two are the same.
        let both_ways = procedure(|inside| {
            let build = &mut inside.build;
            let row = build.prim(Prim::ToReal, &[inside.var]);
            let product = build.prim(Prim::Mul, &[row, inside.effect]);
            build.push(Stmt::Add(inside.total, product));
            let exp = build.prim(Prim::Exp, &[inside.effect]);
            let exp = build.prim(Prim::Neg, &[exp]);
            let product = build.prim(Prim::Mul, &[exp, row]);
            build.push(Stmt::Add(inside.total, product));
        });
        assert_eq!(counted(both_ways), 2);
        let used_twice = procedure(|inside| {
            let build = &mut inside.build;
            let row = build.prim(Prim::ToReal, &[inside.var]);
            let product = build.prim(Prim::Mul, &[row, inside.effect]);
            build.push(Stmt::Add(inside.total, product));
            let square = build.prim(Prim::Square, &[product]);
            build.push(Stmt::Add(inside.total, square));
        });
        assert_eq!(counted(used_twice), ROWS);
        let with_an_offset = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let row = build.prim(Prim::ToReal, &[inside.var]);
            let product = build.prim(Prim::Mul, &[row, inside.effect]);
            let sum = build.prim(Prim::Sub, &[product, term]);
            build.push(Stmt::Add(inside.total, sum));
        });
        assert_eq!(counted(with_an_offset), ROWS);
    }

    #[test]
    fn rows_that_differ_or_depend_on_each_other_stay() {
        let by_row = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let row = build.prim(Prim::ToReal, &[inside.var]);
            let sum = build.prim(Prim::Add, &[term, row]);
            build.push(Stmt::Add(inside.total, sum));
        });
        assert_eq!(counted(by_row), ROWS);
        let carried = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let last = build.cell("last", Kind::Real);
            let before = build.get(last);
            build.push(Stmt::Set(last, term));
            let product = build.prim(Prim::Mul, &[before, term]);
            build.push(Stmt::Add(inside.total, product));
        });
        assert_eq!(counted(carried), ROWS);
        let kept_in_a_branch = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let last = build.cell("last", Kind::Real);
            let zero = build.real(0.0);
            let is_one = build.prim(Prim::Gt, &[inside.outcome, zero]);
            build.open();
            build.push(Stmt::Set(last, term));
            let then = build.close();
            build.push(Stmt::If {
                condition: is_one,
                then,
                otherwise: Vec::new(),
            });
            let last = build.get(last);
            build.push(Stmt::Add(inside.total, last));
        });
        assert_eq!(counted(kept_in_a_branch), ROWS);
        let running = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            build.push(Stmt::Add(inside.total, term));
            let sum = build.get(inside.total);
            let half = build.real(0.5);
            let half = build.prim(Prim::Mul, &[sum, half]);
            build.push(Stmt::Add(inside.total, half));
        });
        assert_eq!(counted(running), ROWS);
        let stored = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let kept = build.buffer("kept", Kind::Real, 3, Role::Output(0));
            let at = build.int(2);
            build.push(Stmt::Store(kept, at, term));
            build.push(Stmt::Add(inside.total, term));
        });
        assert_eq!(counted(stored), ROWS);
    }

    #[test]
    fn what_follows_the_loop_sees_its_last_round() {
        let mut last = None;
        let mut procedure = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let cell = build.cell("last", Kind::Real);
            last = Some(cell);
            build.push(Stmt::Set(cell, term));
            build.push(Stmt::Add(inside.total, term));
        });
        let value = procedure.fresh(Kind::Real);
        let total = procedure.result.unwrap();
        procedure
            .body
            .push(Stmt::Let(value, Op::Get(last.unwrap())));
        procedure.body.push(Stmt::Add(total, value));
        assert_eq!(counted(procedure), ROWS);
    }

    #[test]
    fn a_check_that_fails_for_some_rows_still_fails() {
        let mut procedure = procedure(|inside| {
            let term = term(inside);
            let build = &mut inside.build;
            let message = build.message(Message {
                kind: MessageKind::Reject,
                parts: Vec::new(),
                span: Default::default(),
            });
            let least = build.real(-1.0);
            let ok = build.prim(Prim::Ge, &[inside.effect, least]);
            build.push(Stmt::Check {
                ok,
                message,
                values: vec![inside.outcome],
            });
            build.push(Stmt::Add(inside.total, term));
        });
        let run = |procedure: &Procedure, effect: f64| {
            Evaluator::new(procedure).run(&[&[0.0, effect, 0.0]], &mut [], None)
        };
        assert!(count(&mut procedure));
        assert!(run(&procedure, 0.0).is_ok() && run(&procedure, -1.5).is_err());
    }

    #[test]
    fn a_sample_of_many_rows_tells_whether_they_repeat() {
        let left = |kinds: i64, kind: &dyn Fn(i64) -> i64| {
            let rows = 3 * PROBE as i64;
            let mut build = Builder::new("many");
            let position = build.buffer("position", Kind::Real, 3, Role::Input(0));
            let data: Vec<f64> = (0..rows).map(|row| (kind(row) % kinds) as f64).collect();
            let role = Role::ConstantReal(data.into());
            let data = build.buffer("x", Kind::Real, rows as usize, role);
            let total = build.cell("total", Kind::Real);
            let [zero, end] = [0, rows].map(|bound| build.int(bound));
            let effect = build.load(position, zero);
            build
                .for_loop(zero, end, false, |build, i| -> Result<(), ()> {
                    let x = build.load(data, i);
                    let product = build.prim(Prim::Mul, &[x, effect]);
                    let sine = build.prim(Prim::Sin, &[product]);
                    build.push(Stmt::Add(total, sine));
                    Ok(())
                })
                .unwrap();
            let mut procedure = build.finish();
            procedure.result = Some(total);
            counted(procedure)
        };
        let rows = 3 * PROBE as i64;
        // In order, and mixed by a multiplication.
        let mixed = |row: i64| row * 48_271 % 2_147_483_647;
        for kind in [&|row: i64| row, &mixed as &dyn Fn(i64) -> i64] {
            assert_eq!(left(1_000, kind), 1_000);
            assert_eq!(left(rows / 4, kind), rows / 4);
            assert_eq!(left(rows / 2, kind), rows);
            assert_eq!(left(i64::MAX, kind), rows);
        }
    }
}
