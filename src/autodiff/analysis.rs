//! What the reverse sweep must know of the forward code: what depends on the position, where things are written, which
//! buffers keep their contents.

use super::tree::{BlockId, Inner, Node, Tree};
use crate::builtins::{Kind, Prim};
use crate::loops::{
    BufferId, Intrinsic, Op, Procedure, Role, Slice, Stmt, ValueId, for_each_operand,
};
use std::collections::BTreeMap;

/// The facts of one procedure.
#[derive(Debug)]
pub(super) struct Analysis {
    /// Per value: whether it is a real that depends on the position.
    pub active_values: Vec<bool>,
    /// Per cell, likewise.
    pub active_cells: Vec<bool>,
    /// Per buffer, likewise.
    pub active_buffers: Vec<bool>,
    /// Per value: the block that defines it.
    pub home: Vec<BlockId>,
    /// Per value: its definition, if it is not a loop's variable.
    pub definition: Vec<Option<Op>>,
    /// Per value: whether a block inside its home uses it.
    pub used_inside: Vec<bool>,
    /// Per value: whether a block inside its home uses it that may not run.
    pub used_in_branch: Vec<bool>,
    /// Per block: how many of the blocks around it, itself included, may not run.
    branches: BTreeMap<BlockId, u32>,
    /// Per cell: first and last position that mentions it, positions that write it.
    pub cells: Vec<Mentions>,
    /// Per buffer, likewise.
    pub buffers: Vec<Mentions>,
    /// Per buffer: where it is written.
    sites: Vec<Vec<Site>>,
    /// See [`Procedure::scopes`].
    scopes: BTreeMap<BufferId, ValueId>,
    /// Loop variables with known ranges (first value, one past the last).
    pub ranges: BTreeMap<ValueId, (i64, i64)>,
}

/// Where something is mentioned.
#[derive(Clone, Debug, Default)]
pub(super) struct Mentions {
    /// Every position, ascending.
    pub all: Vec<u32>,
    /// Those that write.
    pub writes: Vec<u32>,
}

impl Mentions {
    /// Whether only that statement mentions it.
    pub fn only_in(&self, node: &Node<'_>) -> bool {
        self.all.iter().all(|&position| node.contains(position))
    }
}

impl Analysis {
    pub fn new(procedure: &Procedure, tree: &Tree<'_>) -> Analysis {
        let mut analysis = Analysis {
            active_values: vec![false; procedure.values.len()],
            active_cells: vec![false; procedure.cells.len()],
            active_buffers: procedure
                .buffers
                .iter()
                .map(|buffer| matches!(buffer.role, Role::Input(0)))
                .collect(),
            home: vec![BlockId(0); procedure.values.len()],
            definition: vec![None; procedure.values.len()],
            used_inside: vec![false; procedure.values.len()],
            used_in_branch: vec![false; procedure.values.len()],
            branches: BTreeMap::new(),
            cells: vec![Mentions::default(); procedure.cells.len()],
            buffers: vec![Mentions::default(); procedure.buffers.len()],
            sites: procedure.buffers.iter().map(|_| Vec::new()).collect(),
            scopes: procedure.scopes.clone(),
            ranges: BTreeMap::new(),
        };
        tree.walk(&mut |block, node| analysis.note(block, node));
        while analysis.spread(procedure, tree) {}
        collect_sites(&mut analysis, tree, &mut Vec::new());
        analysis
    }

    pub fn is_active(&self, value: ValueId) -> bool {
        self.active_values[value.0 as usize]
    }

    fn add_site(
        &mut self,
        buffer: BufferId,
        place: Option<(Affine, i64)>,
        loops: &[Option<ValueId>],
    ) {
        self.sites[buffer.0 as usize].push(Site {
            place,
            loops: loops.to_vec(),
        });
    }

    /// Whether each element of a buffer is written at most once, so that what was read once can be read again: within
    /// one round of the loops `around` (all of them, or the outer ones that all writes share).
    pub fn lasts(&self, buffer: BufferId, around: &[Option<ValueId>]) -> bool {
        let sites = &self.sites[buffer.0 as usize];
        let scope = self.scopes.get(&buffer);
        sites.is_empty()
            || (0..=around.len()).rev().any(|depth| {
                // Within one round only what is declared in that round starts afresh.
                let fresh = depth == 0
                    || scope.is_some_and(|scope| {
                        sites[0]
                            .loops
                            .get(depth - 1..)
                            .is_some_and(|inner| inner.contains(&Some(*scope)))
                    });
                fresh && self.lasts_within(sites, &around[..depth])
            })
    }

    /// Whether a buffer is mentioned in one statement alone and declared in a loop in it.
    pub fn is_private_buffer(
        &self,
        buffer: BufferId,
        node: &Node<'_>,
        loops_inside: &[ValueId],
    ) -> bool {
        self.buffers[buffer.0 as usize].only_in(node)
            && self
                .scopes
                .get(&buffer)
                .is_some_and(|scope| loops_inside.contains(scope))
    }

    fn lasts_within(&self, sites: &[Site], around: &[Option<ValueId>]) -> bool {
        let mut shared: Option<BTreeMap<ValueId, i64>> = None;
        let mut covers: Vec<Cover> = Vec::new();
        for site in sites {
            let Some((index, size)) = &site.place else {
                return false;
            };
            if !site.loops.starts_with(around) {
                return false;
            }
            let (fixed, terms) = index
                .terms
                .iter()
                .map(|(&var, &coefficient)| (var, coefficient))
                .partition::<BTreeMap<_, _>, _>(|(var, _)| around.contains(&Some(*var)));
            if *shared.get_or_insert_with(|| fixed.clone()) != fixed {
                return false;
            }
            let index = Affine {
                constant: index.constant,
                terms,
            };
            match cover(self, &index, *size, &site.loops[around.len()..]) {
                Some(cover)
                    if cover.once
                        && covers
                            .iter()
                            .all(|other| cover.high < other.low || other.high < cover.low) =>
                {
                    covers.push(cover);
                }
                _ => return false,
            }
        }
        true
    }

    /// The integer constant that a value is.
    pub fn known_int(&self, value: ValueId) -> Option<i64> {
        match self.definition[value.0 as usize] {
            Some(Op::Int(constant)) => Some(constant),
            _ => None,
        }
    }

    /// Records homes, definitions and mentions.
    fn note(&mut self, block: BlockId, node: &Node<'_>) {
        let at = node.first;
        match &node.inner {
            Inner::For {
                var,
                start,
                end,
                body,
                ..
            } => {
                self.home[var.0 as usize] = body.id;
                if let (Some(start), Some(end)) = (self.known_int(*start), self.known_int(*end)) {
                    self.ranges.insert(*var, (start, end));
                }
            }
            Inner::While { .. } | Inner::If { .. } | Inner::Leaf => {}
        }
        match node.stmt {
            Stmt::Let(value, op) => {
                self.home[value.0 as usize] = block;
                self.definition[value.0 as usize] = Some(op.clone());
                match op {
                    Op::Load(buffer, _) => self.buffers[buffer.0 as usize].all.push(at),
                    Op::Get(cell) => self.cells[cell.0 as usize].all.push(at),
                    _ => {}
                }
            }
            Stmt::Set(cell, _) | Stmt::Add(cell, _) => {
                self.cells[cell.0 as usize].all.push(at);
                self.cells[cell.0 as usize].writes.push(at);
            }
            Stmt::Store(buffer, ..) | Stmt::Accumulate(buffer, ..) => self.note_write(*buffer, at),
            Stmt::Fill(slice, _) | Stmt::PopSlice(slice) => self.note_write(slice.buffer, at),
            Stmt::PushSlice(slice) => self.buffers[slice.buffer.0 as usize].all.push(at),
            Stmt::Call {
                inputs, outputs, ..
            } => {
                for slice in inputs {
                    self.buffers[slice.buffer.0 as usize].all.push(at);
                }
                for slice in outputs {
                    self.note_write(slice.buffer, at);
                }
            }
            _ => {}
        }
        for_each_operand(node.stmt, &mut |operand| {
            let home = self.home[operand.0 as usize];
            if home != block {
                self.used_inside[operand.0 as usize] = true;
                self.used_in_branch[operand.0 as usize] |=
                    self.branches(block) > self.branches(home);
            }
        });
        let may_not_run = match &node.inner {
            Inner::If { .. } | Inner::While { .. } => true,
            Inner::For { var, .. } => self
                .ranges
                .get(var)
                .is_none_or(|(first, past)| past <= first),
            Inner::Leaf => false,
        };
        for inner in node.blocks() {
            let branches = self.branches(block) + u32::from(may_not_run);
            self.branches.insert(inner.id, branches);
        }
    }

    fn branches(&self, block: BlockId) -> u32 {
        self.branches.get(&block).copied().unwrap_or(0)
    }

    fn note_write(&mut self, buffer: BufferId, at: u32) {
        self.buffers[buffer.0 as usize].all.push(at);
        self.buffers[buffer.0 as usize].writes.push(at);
    }

    /// One round of "depends on the position"; whether anything changed.
    fn spread(&mut self, procedure: &Procedure, tree: &Tree<'_>) -> bool {
        let mut changed = false;
        tree.walk(&mut |_, node| match node.stmt {
            Stmt::Let(value, op) if procedure.values[value.0 as usize] == Kind::Real => {
                let active = match op {
                    Op::Prim(prim, args) => {
                        carries_derivative(*prim) && args.iter().any(|&arg| self.is_active(arg))
                    }
                    Op::Select(_, a, b) => self.is_active(*a) || self.is_active(*b),
                    Op::Load(buffer, _) => self.active_buffers[buffer.0 as usize],
                    Op::Get(cell) => self.active_cells[cell.0 as usize],
                    _ => false,
                };
                changed |= raise(&mut self.active_values[value.0 as usize], active);
            }
            Stmt::Set(cell, value) | Stmt::Add(cell, value) => {
                let active = self.is_active(*value);
                changed |= raise(&mut self.active_cells[cell.0 as usize], active);
            }
            Stmt::Store(buffer, _, value) | Stmt::Accumulate(buffer, _, value) => {
                let active = self.is_active(*value);
                changed |= raise(&mut self.active_buffers[buffer.0 as usize], active);
            }
            Stmt::Fill(slice, value) => {
                let active = self.is_active(*value);
                changed |= raise(&mut self.active_buffers[slice.buffer.0 as usize], active);
            }
            Stmt::Call {
                function,
                inputs,
                outputs,
                ..
            } => {
                let (inputs, outputs) = differentiable(*function, inputs, outputs);
                let active = inputs
                    .iter()
                    .any(|slice| self.active_buffers[slice.buffer.0 as usize]);
                for slice in outputs {
                    changed |= raise(&mut self.active_buffers[slice.buffer.0 as usize], active);
                }
            }
            _ => {}
        });
        changed
    }
}

/// The inputs of a call that its outputs depend on differentiably, and those outputs.
fn differentiable<'s>(
    function: Intrinsic,
    inputs: &'s [Slice],
    outputs: &'s [Slice],
) -> (&'s [Slice], &'s [Slice]) {
    match function {
        Intrinsic::Forward(_) => (inputs, outputs),
        // The solution depends on the initial state and the parameters; second derivatives are nowhere needed.
        Intrinsic::Ode(_) => (&inputs[..2], &outputs[..1]),
        Intrinsic::Adjoint(..) | Intrinsic::SortIndices { .. } => (&[], &[]),
    }
}

fn raise(flag: &mut bool, active: bool) -> bool {
    let changed = active && !*flag;
    *flag |= active;
    changed
}

/// Whether a real primitive has a derivative that is not zero everywhere.
fn carries_derivative(prim: Prim) -> bool {
    !matches!(
        prim,
        Prim::Floor | Prim::Ceil | Prim::Round | Prim::Trunc | Prim::Step | Prim::StopGradient
    )
}

/// An index as a sum of a constant and multiples of loop variables.
#[derive(Clone, Debug)]
struct Affine {
    constant: i64,
    terms: BTreeMap<ValueId, i64>,
}

/// A place that writes a buffer.
#[derive(Debug)]
pub(super) struct Site {
    /// First element and how many follow it, if they are known functions of the loops.
    place: Option<(Affine, i64)>,
    /// The variables of the enclosing loops, outermost first; `None` for a `while`, which repeats without one.
    loops: Vec<Option<ValueId>>,
}

/// What a site covers in one round of some outer loops.
struct Cover {
    low: i64,
    high: i64,
    once: bool,
}

/// Collects the sites of every buffer.
fn collect_sites(analysis: &mut Analysis, tree: &Tree<'_>, loops: &mut Vec<Option<ValueId>>) {
    for node in &tree.nodes {
        match node.stmt {
            Stmt::Store(buffer, index, _) => {
                let place = affine(analysis, *index).map(|index| (index, 1));
                analysis.add_site(*buffer, place, loops);
            }
            Stmt::Accumulate(buffer, ..) => analysis.add_site(*buffer, None, loops),
            Stmt::Fill(slice, _) | Stmt::PopSlice(slice) => {
                let place = slice_place(analysis, slice);
                analysis.add_site(slice.buffer, place, loops);
            }
            Stmt::Call {
                function, outputs, ..
            } => {
                for slice in outputs {
                    let place = match function {
                        Intrinsic::Adjoint(..) => None,
                        _ => slice_place(analysis, slice),
                    };
                    analysis.add_site(slice.buffer, place, loops);
                }
            }
            _ => {}
        }
        match &node.inner {
            Inner::Leaf => {}
            Inner::For { var, body, .. } => {
                loops.push(Some(*var));
                collect_sites(analysis, body, loops);
                loops.pop();
            }
            Inner::If {
                then, otherwise, ..
            } => {
                collect_sites(analysis, then, loops);
                collect_sites(analysis, otherwise, loops);
            }
            Inner::While { round, .. } => {
                loops.push(None);
                collect_sites(analysis, round, loops);
                loops.pop();
            }
        }
    }
}

fn slice_place(analysis: &Analysis, slice: &Slice) -> Option<(Affine, i64)> {
    Some((
        affine(analysis, slice.offset)?,
        slice_size(analysis, slice)?,
    ))
}

fn slice_size(analysis: &Analysis, slice: &Slice) -> Option<i64> {
    analysis
        .known_int(slice.rows)?
        .checked_mul(analysis.known_int(slice.cols)?)
}

/// A value as an affine function of loop variables, if it is one.
fn affine(analysis: &Analysis, value: ValueId) -> Option<Affine> {
    let Some(op) = &analysis.definition[value.0 as usize] else {
        return Some(Affine {
            constant: 0,
            terms: BTreeMap::from([(value, 1)]),
        });
    };
    match op {
        Op::Int(constant) => Some(Affine {
            constant: *constant,
            terms: BTreeMap::new(),
        }),
        Op::Prim(Prim::AddInt, args) => {
            combine(affine(analysis, args[0])?, affine(analysis, args[1])?, 1)
        }
        Op::Prim(Prim::SubInt, args) => {
            combine(affine(analysis, args[0])?, affine(analysis, args[1])?, -1)
        }
        Op::Prim(Prim::MulInt, args) => {
            let (a, b) = (affine(analysis, args[0])?, affine(analysis, args[1])?);
            let (factor, index) = if a.terms.is_empty() {
                (a.constant, b)
            } else {
                (b.constant, a)
            };
            let constant_factor = analysis.known_int(args[0]).or(analysis.known_int(args[1]));
            constant_factor?;
            combine(
                Affine {
                    constant: 0,
                    terms: BTreeMap::new(),
                },
                index,
                factor,
            )
        }
        _ => None,
    }
}

/// a + factor · b
fn combine(mut a: Affine, b: Affine, factor: i64) -> Option<Affine> {
    a.constant = a.constant.checked_add(b.constant.checked_mul(factor)?)?;
    for (var, coefficient) in b.terms {
        let term = a.terms.entry(var).or_insert(0);
        *term = term.checked_add(coefficient.checked_mul(factor)?)?;
    }
    a.terms.retain(|_, coefficient| *coefficient != 0);
    Some(a)
}

/// The range that `size` elements from `index` cover while `loops` run, and whether two of their rounds can meet: not if,
/// with strides sorted, each is at least as long as all that the smaller ones reach (mixed radix).
fn cover(
    analysis: &Analysis,
    index: &Affine,
    size: i64,
    loops: &[Option<ValueId>],
) -> Option<Cover> {
    let (mut low, mut high) = (index.constant, index.constant.checked_add(size)? - 1);
    let mut strides = Vec::new();
    for (var, coefficient) in &index.terms {
        let &(first, end) = analysis.ranges.get(var)?;
        if end <= first {
            return Some(Cover {
                low: 0,
                high: -1,
                once: true,
            });
        }
        let (a, b) = (
            coefficient.checked_mul(first)?,
            coefficient.checked_mul(end - 1)?,
        );
        low += a.min(b);
        high += a.max(b);
        strides.push((coefficient.abs(), end - first));
    }
    let mut once = loops.iter().all(|var| match var {
        None => false,
        Some(var) => {
            index.terms.contains_key(var)
                || analysis
                    .ranges
                    .get(var)
                    .is_some_and(|(first, end)| end - first <= 1)
        }
    });
    strides.sort_unstable();
    let mut reach = size;
    for (stride, rounds) in strides {
        once &= stride >= reach;
        reach += stride * (rounds - 1);
    }
    Some(Cover { low, high, once })
}
