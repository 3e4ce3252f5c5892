//! Rows that the data repeat: what a loop adds for rows with the same data is computed once and multiplied by their number.
//!
//! An outcome of few values, covariates of few levels: a survey of a thousand answers may have ten different rows. That is
//! the sufficient statistic of a Bernoulli, binomial, Poisson, or any other likelihood over such rows, found without knowing
//! which likelihood it is: of the values that depend on data alone, those that anything else uses decide what a round does.
//! A value that only multiplies what is added need not be the same: a Poisson outcome times its logarithmic rate, or a
//! number of trials. Such coefficients are summed over rows, so that counts at a hundred sites become a hundred rows. Where
//! a factor is infinite, rows with the coefficient 0 would make the density NaN and are passed over now: it is infinite.

#[cfg(test)]
mod tests;

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
