//! Plans loops that call kernels: blocks of rounds, each in segments with calls on whole blocks between them.
//!
//! A kernel of one real costs a third or less per number on a slice than called by itself. So rounds run in blocks
//! that stay in the first cache: a first segment computes everything up to the kernels' arguments, the kernels turn
//! arguments into results, the next segment goes on from there, and so forth. What one segment computes and a later
//! one needs is kept for the block, or computed again where that is a load or integer arithmetic.
//!
//! A block is taken over as a whole or not at all: additions that a second run would make again come last, behind the
//! block's checks. If one failed, the rounds from this block on run one by one.
//!
//! A logarithm that is only added up is not computed at all: a kernel takes the sum of a block's as the logarithm of a
//! product.

use super::lanes::{CellUse, Class, Plan};
use super::scatter::Scatter;
use super::{prim, symbols};
use crate::builtins::Prim;
use crate::loops::{BufferId, Op, Procedure, Role, Stmt, ValueId};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds in a block: flat between 128 and 512 in measurements of the prototypes, and a multiple of every group.
pub(super) const BLOCK: usize = 256;
/// Fewer rounds than this do not repay the segments' overhead; a guess.
const FEWEST_ROUNDS: i64 = 16;

/// How a loop is cut into segments.
#[derive(Debug)]
pub(super) struct Segments {
    /// The segment of each statement; of a kernel's, the segment after which it is called.
    pub of_stmt: Vec<usize>,
    /// The segment from which on each value of the body is there.
    pub of_value: BTreeMap<ValueId, usize>,
    /// Values that are kept for the block, with the number of their place.
    pub kept: BTreeMap<ValueId, usize>,
    /// Statements that only add a logarithm up, with the kernel of one block's sum.
    pub log_sums: BTreeMap<usize, LogSum>,
    /// How many segments.
    pub count: usize,
    /// The segment before which the block's checks must have held; `count` if that is the end.
    pub checked: usize,
    /// Statements that a kernel carries out at the block's end.
    pub scatters: BTreeMap<usize, Scatter>,
}

/// A sum of logarithms over the rounds of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogSum {
    /// The logarithm, which is not computed otherwise.
    pub log: ValueId,
    /// Which of the functions that have such a kernel it is.
    pub prim: Prim,
    /// Of what.
    pub arg: ValueId,
}

/// The kernel on slices that an operation may call: its primitive and arguments, of which one at least differs between
/// rounds.
fn slice_call<'b>(plan: &Plan, op: &'b Op) -> Option<(Prim, &'b [ValueId])> {
    let Op::Prim(prim, args) = op else {
        return None;
    };
    let is = |class: Class| move |arg: &ValueId| plan.class(*arg) == class;
    let fits = args.iter().any(is(Class::Reals))
        && args
            .iter()
            .all(|arg| is(Class::Reals)(arg) || is(Class::Uniform)(arg));
    let called = !prim::is_inline_real(*prim, plan.host) && symbols::slice_symbol(*prim).is_some();
    (fits && called).then_some((*prim, args))
}

/// Something that takes the statements of a segment in order.
pub(super) trait Rounds {
    /// Why it cannot.
    type Error;

    /// Takes a statement.
    fn take(&mut self, stmt: &Stmt) -> Result<(), Self::Error>;

    /// Makes a value at hand that an earlier segment or a kernel left in a place.
    fn bring(&mut self, value: ValueId, number: usize) -> Result<(), Self::Error>;

    /// Leaves a value in a place.
    fn keep(&mut self, value: ValueId, number: usize) -> Result<(), Self::Error>;
}

impl Segments {
    /// The segments of a loop, if it calls kernels and can be cut.
    pub fn new(procedure: &Procedure, plan: &Plan, body: &[Stmt]) -> Option<Segments> {
        let local = |usage: &CellUse| *usage == CellUse::Local;
        if plan.cells.values().any(local) || plan.rounds.is_some_and(|n| n < FEWEST_ROUNDS) {
            return None;
        }
        let mut segments = Segments {
            of_stmt: Vec::with_capacity(body.len()),
            of_value: BTreeMap::new(),
            kept: BTreeMap::new(),
            log_sums: log_sums(plan, body),
            count: 1,
            checked: 0,
            scatters: BTreeMap::new(),
        };
        for (at, stmt) in body.iter().enumerate() {
            let scatter = Scatter::new(procedure, plan, body, stmt);
            segments
                .scatters
                .extend(scatter.map(|scatter| (at, scatter)));
        }
        segments.assign(plan, body);
        if segments.count == 1 && segments.scatters.is_empty() && segments.log_sums.is_empty() {
            return None;
        }
        segments.postpone(plan, body);
        segments.keep(procedure, plan, body)?;
        Some(segments)
    }

    /// The segment from which on a value is there.
    pub fn value(&self, value: ValueId) -> usize {
        self.of_value.get(&value).copied().unwrap_or(0)
    }

    /// The kernel that a statement calls on whole blocks: its primitive and arguments.
    pub fn slice_call<'b>(&self, plan: &Plan, stmt: &'b Stmt) -> Option<(Prim, &'b [ValueId])> {
        match stmt {
            Stmt::Let(value, op) if !self.is_absorbed(*value) => slice_call(plan, op),
            _ => None,
        }
    }

    /// Whether a value is a logarithm of which only the sum is computed.
    pub fn is_absorbed(&self, value: ValueId) -> bool {
        self.log_sums.values().any(|sum| sum.log == value)
    }

    /// Takes a segment's statements, each behind what it needs of earlier segments.
    pub fn walk<R: Rounds>(
        &self,
        plan: &Plan,
        body: &[Stmt],
        segment: usize,
        rounds: &mut R,
    ) -> Result<(), R::Error> {
        let mut ready = BTreeSet::new();
        for (at, (stmt, of_stmt)) in body.iter().zip(&self.of_stmt).enumerate() {
            let elsewhere = match stmt {
                Stmt::Let(value, _) if self.is_absorbed(*value) => true,
                Stmt::Let(..) => self.slice_call(plan, stmt).is_some(),
                _ => self.scatters.contains_key(&at) || self.log_sums.contains_key(&at),
            };
            if *of_stmt != segment || elsewhere {
                continue;
            }
            for value in uses(plan, stmt) {
                self.bring(plan, body, &mut ready, value, rounds)?;
            }
            rounds.take(stmt)?;
            if let Stmt::Let(value, _) = stmt {
                ready.insert(*value);
                if let Some(&number) = self.kept.get(value) {
                    rounds.keep(*value, number)?;
                }
            }
        }
        Ok(())
    }

    /// Makes a value of an earlier segment available.
    fn bring<R: Rounds>(
        &self,
        plan: &Plan,
        body: &[Stmt],
        ready: &mut BTreeSet<ValueId>,
        value: ValueId,
        rounds: &mut R,
    ) -> Result<(), R::Error> {
        let definition = body
            .iter()
            .find(|stmt| matches!(stmt, Stmt::Let(defined, _) if *defined == value));
        let Some(stmt) = definition else {
            return Ok(());
        };
        // Uniform values of earlier segments are scalars that are still there.
        if plan.class(value) == Class::Uniform || !ready.insert(value) {
            return Ok(());
        }
        if let Some(&number) = self.kept.get(&value) {
            return rounds.bring(value, number);
        }
        for operand in uses(plan, stmt) {
            self.bring(plan, body, ready, operand, rounds)?;
        }
        rounds.take(stmt)
    }

    /// Each statement to the first segment where its operands are there.
    fn assign(&mut self, plan: &Plan, body: &[Stmt]) {
        // Accesses to a buffer that is not only added to keep their order.
        let mut last_access: BTreeMap<BufferId, usize> = BTreeMap::new();
        for stmt in body {
            let mut segment = uses(plan, stmt)
                .into_iter()
                .map(|value| self.value(value))
                .max()
                .unwrap_or(0);
            if let Some(buffer) = accessed(plan, stmt)
                && plan.ordered.contains(&buffer)
            {
                let last = last_access.entry(buffer).or_insert(segment);
                segment = segment.max(*last);
                *last = segment;
            }
            if let Stmt::Let(value, _) = stmt {
                let called = self.slice_call(plan, stmt).is_some();
                let available = segment + usize::from(called);
                self.of_value.insert(*value, available);
                self.count = self.count.max(available + 1);
            }
            self.of_stmt.push(segment);
        }
    }

    /// Puts behind the checks what may be done once only.
    fn postpone(&mut self, plan: &Plan, body: &[Stmt]) {
        self.checked = self.count;
        for (at, stmt) in body.iter().enumerate() {
            let once = plan.checked && plan.adds_in_place(stmt);
            if once && !self.scatters.contains_key(&at) {
                self.of_stmt[at] = self.checked;
                self.count = self.checked + 1;
            }
        }
    }

    /// Finds which values have to be kept for later segments.
    fn keep(&mut self, procedure: &Procedure, plan: &Plan, body: &[Stmt]) -> Option<()> {
        let definitions: BTreeMap<ValueId, &Stmt> = body
            .iter()
            .filter_map(|stmt| match stmt {
                Stmt::Let(value, _) => Some((*value, stmt)),
                _ => None,
            })
            .collect();
        let scattered = self.scatters.values().map(|scatter| scatter.value);
        let mut kept: BTreeSet<ValueId> = scattered.collect();
        for segment in 0..self.count {
            let mut seen = BTreeSet::new();
            let mut pending = Vec::new();
            for (at, stmt) in body.iter().enumerate() {
                if self.of_stmt[at] == segment && !self.scatters.contains_key(&at) {
                    pending.extend(uses(plan, stmt));
                    if let Stmt::Let(value, _) = stmt
                        && let Some((_, args)) = self.slice_call(plan, stmt)
                    {
                        kept.extend(args);
                        kept.insert(*value);
                    }
                }
            }
            while let Some(value) = pending.pop() {
                let Some(stmt) = definitions.get(&value) else {
                    continue;
                };
                if plan.class(value) == Class::Uniform || !seen.insert(value) {
                    continue;
                }
                let Stmt::Let(_, op) = stmt else { continue };
                if self.slice_call(plan, stmt).is_some() || self.value(value) == segment {
                    continue;
                }
                let is_real = plan.class(value) == Class::Reals;
                match op {
                    Op::Load(buffer, index) if !is_written(procedure, *buffer) => {
                        let linear = matches!(plan.class(*index), Class::Linear { .. });
                        if is_real && !linear {
                            kept.insert(value);
                        } else {
                            pending.extend(uses(plan, stmt));
                        }
                    }
                    // An integer that may be another by now, but places are for reals.
                    Op::Load(..) if !is_real => return None,
                    _ if is_real => {
                        kept.insert(value);
                    }
                    _ => pending.extend(uses(plan, stmt)),
                }
            }
        }
        kept.extend(self.log_sums.values().map(|sum| sum.arg));
        self.kept = kept.into_iter().zip(0..).collect();
        Some(())
    }
}

/// Whether anything writes to a buffer.
fn is_written(procedure: &Procedure, buffer: BufferId) -> bool {
    !matches!(
        procedure.buffers[buffer.0 as usize].role,
        Role::ConstantReal(_) | Role::ConstantInt(_) | Role::Input(_)
    )
}

/// The statements that add a logarithm to a sum over the rounds, where nothing else uses it.
fn log_sums(plan: &Plan, body: &[Stmt]) -> BTreeMap<usize, LogSum> {
    let mut uses_of: BTreeMap<ValueId, usize> = BTreeMap::new();
    for value in body.iter().flat_map(|stmt| uses(plan, stmt)) {
        *uses_of.entry(value).or_default() += 1;
    }
    let mut logs = BTreeMap::new();
    let mut sums = BTreeMap::new();
    for (at, stmt) in body.iter().enumerate() {
        match stmt {
            Stmt::Let(log, op) if uses_of.get(log) == Some(&1) => {
                if let Some((prim, &[arg])) = slice_call(plan, op)
                    && symbols::sum_symbol(prim).is_some()
                {
                    let log = *log;
                    logs.insert(log, LogSum { log, prim, arg });
                }
            }
            Stmt::Add(_, value) | Stmt::Accumulate(_, _, value) if plan.target(stmt).is_some() => {
                sums.extend(logs.get(value).map(|log| (at, *log)));
            }
            _ => {}
        }
    }
    sums
}

/// The buffer that a statement reads or writes.
fn accessed(plan: &Plan, stmt: &Stmt) -> Option<BufferId> {
    match stmt {
        Stmt::Let(value, _) if plan.forwarded.contains_key(value) => None,
        Stmt::Let(_, Op::Load(buffer, _))
        | Stmt::Store(buffer, ..)
        | Stmt::Accumulate(buffer, ..) => Some(*buffer),
        _ => None,
    }
}

/// The values that a statement of a group uses.
pub(super) fn uses(plan: &Plan, stmt: &Stmt) -> Vec<ValueId> {
    match stmt {
        Stmt::Let(value, op) => match plan.forwarded.get(value).or(plan.finite.get(value)) {
            Some(other) => vec![*other],
            None => op.operands(),
        },
        Stmt::Set(_, value) | Stmt::Add(_, value) => vec![*value],
        Stmt::Store(_, index, value) | Stmt::Accumulate(_, index, value) => vec![*index, *value],
        // A failed check is found again by running the rounds one by one: its values are not needed here.
        Stmt::Check { ok, .. } if !plan.implied.contains_key(ok) => vec![*ok],
        _ => Vec::new(),
    }
}
