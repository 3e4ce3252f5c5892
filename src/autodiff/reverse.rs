//! The transformation itself: forward code kept or moved, reverse code generated.

mod adjoints;
mod calls;

use super::analysis::Analysis;
use super::plan::{Place, Strategy, choose, is_cheap};
use super::rules::pass_back;
use super::system::couple;
use super::tree::{BlockId, Inner, Node, Tree};
use crate::builtins::{Kind, Prim};
use crate::loops::{
    BufferId, Builder, CellId, Intrinsic, Op, Procedure, Role, Slice, Stmt, ValueId,
    for_each_operand_inside, rewrite_definitions, rewrite_operands,
};
use std::collections::{BTreeMap, BTreeSet};

/// The procedure that computes the result of `procedure` and its gradient.
///
/// The result cell is the target; the position is [`Role::Input`] 0; the gradient becomes [`Role::Output`] 0, as long as the
/// position. Other outputs of the procedure stay as they are. Small systems of differential equations that it solves are
/// coupled with their sensitivities.
pub fn differentiate(procedure: &Procedure) -> Procedure {
    let tree = Tree::new(&procedure.body);
    let analysis = Analysis::new(procedure, &tree);
    let mut builder = Builder::resume(procedure.clone());
    builder.procedure.name = "gradient".to_string();
    let mut reverse = Reverse {
        analysis: &analysis,
        target: plain_target(procedure, &tree),
        builder,
        adjoints: BTreeMap::new(),
        adjoint_cells: BTreeMap::new(),
        cell_shadows: BTreeMap::new(),
        buffer_shadows: BTreeMap::new(),
        tapes: BTreeMap::new(),
        strategies: BTreeMap::new(),
        slices: BTreeMap::new(),
        frames: Vec::new(),
        doubtful: BTreeSet::new(),
        vanishes: None,
    };
    reverse.whole(procedure, &tree);
    let mut gradient = reverse.builder.finish();
    for system in &mut gradient.systems {
        system.coupled = couple(system);
    }
    gradient
}

/// The result cell, if it is only ever added to: then its adjoint is 1 throughout.
fn plain_target(procedure: &Procedure, tree: &Tree<'_>) -> Option<CellId> {
    let target = procedure.result?;
    let mut plain = true;
    tree.walk(&mut |_, node| match node.stmt {
        Stmt::Set(cell, _) | Stmt::Let(_, Op::Get(cell)) if *cell == target => plain = false,
        _ => {}
    });
    plain.then_some(target)
}

/// The state of the transformation.
pub(super) struct Reverse<'p> {
    analysis: &'p Analysis,
    /// The target, if its adjoint is constantly 1.
    target: Option<CellId>,
    builder: Builder,
    /// The adjoint so far of values whose uses are all in their own block.
    adjoints: BTreeMap<ValueId, ValueId>,
    /// The adjoints of values that inner blocks use, too.
    adjoint_cells: BTreeMap<ValueId, CellId>,
    cell_shadows: BTreeMap<CellId, CellId>,
    buffer_shadows: BTreeMap<BufferId, BufferId>,
    /// By the first position of a taped statement's block: what its forward code keeps.
    tapes: BTreeMap<BlockId, Tape>,
    /// By position: how a loop or branch is differentiated.
    strategies: BTreeMap<u32, Strategy>,
    /// By position of a call: the slices that are pushed after it, since their contents change before the reverse.
    slices: BTreeMap<u32, Vec<Slice>>,
    /// The open blocks of the code that is being generated, outermost first.
    frames: Vec<Frame>,
    /// Values whose adjoint is 0 unless some branch ran: what they are computed from may be infinite then, as `exp(a)` is that
    /// was taken out of `if (a < 700) …`, and 0 times that is NaN.
    doubtful: BTreeSet<ValueId>,
    /// While such a value's adjoint is passed back: whether it is 0.
    vanishes: Option<ValueId>,
}

/// What the forward code of a block keeps for its reverse.
#[derive(Clone, Debug, Default)]
struct Tape {
    /// The values, and the buffer that each goes to; none: the growing tape.
    kept: Vec<(ValueId, Option<BufferId>)>,
    /// For buffers: the loops whose rounds number the places, outermost first: variable, first value, number of rounds.
    rounds: Vec<(ValueId, i64, i64)>,
}

/// An open block.
struct Frame {
    block: BlockId,
    /// Whether the block's values are in scope under their own names.
    live: bool,
    /// The loop around the block, if it is a loop's: the original variable (`None` for a `while`).
    around: Option<Option<ValueId>>,
    /// Positions covered.
    range: (u32, u32),
    /// Whether this is a recomputation: effects are left out.
    recomputing: bool,
    /// What stands for the block's values here, if they are not live.
    stands_for: BTreeMap<ValueId, ValueId>,
    /// Code that makes those, at the head of the block.
    prelude: Vec<Stmt>,
    tape: Tape,
    /// Whether the tape's buffers can be used: all trip counts known.
    counted: bool,
    /// Where in the tape's buffers this round's values are, once asked for.
    slot: Option<ValueId>,
}

impl Frame {
    fn live(
        block: BlockId,
        around: Option<Option<ValueId>>,
        range: (u32, u32),
        recomputing: bool,
    ) -> Frame {
        Frame {
            block,
            live: true,
            around,
            range,
            recomputing,
            stands_for: BTreeMap::new(),
            prelude: Vec::new(),
            tape: Tape::default(),
            counted: false,
            slot: None,
        }
    }
}

impl<'p> Reverse<'p> {
    // ------------------------------------------------------------------------------------------
    // What the rules ask for
    // ------------------------------------------------------------------------------------------

    pub fn is_active(&self, value: ValueId) -> bool {
        self.analysis.is_active(value)
    }

    pub fn prim(&mut self, prim: Prim, args: &[ValueId]) -> ValueId {
        self.builder.prim(prim, args)
    }

    pub fn mul(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.prim(Prim::Mul, &[a, b])
    }

    pub fn div(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.builder.prim(Prim::Div, &[a, b])
    }

    pub fn twice(&mut self, a: ValueId) -> ValueId {
        self.builder.prim(Prim::Add, &[a, a])
    }

    pub fn scale(&mut self, a: ValueId, factor: f64) -> ValueId {
        let factor = self.builder.real(factor);
        self.builder.prim(Prim::Mul, &[a, factor])
    }

    pub fn real(&mut self, constant: f64) -> ValueId {
        self.builder.real(constant)
    }

    pub fn int(&mut self, constant: i64) -> ValueId {
        self.builder.int(constant)
    }

    pub fn select(&mut self, condition: ValueId, then: ValueId, otherwise: ValueId) -> ValueId {
        self.builder
            .define(Kind::Real, Op::Select(condition, then, otherwise))
    }

    /// The value, here in the reverse code, of a value of the forward code: itself where it is in scope; else computed
    /// anew where that is cheap, else kept by the forward code.
    pub fn primal(&mut self, value: ValueId) -> ValueId {
        let home = self.analysis.home[value.0 as usize];
        let Some(depth) = self.frames.iter().rposition(|frame| frame.block == home) else {
            return value;
        };
        if self.frames[depth].live {
            return value;
        }
        if let Some(&known) = self.frames[depth].stands_for.get(&value) {
            return known;
        }
        // Whatever is generated for an outer frame goes to its head, where only it and its outer frames are open.
        let inner = self.frames.split_off(depth + 1);
        self.builder.open();
        let known = if self.is_cheap_again(value, 6) {
            self.compute_again(value)
        } else {
            self.keep(value, depth)
        };
        let mut code = self.builder.close();
        self.frames[depth].prelude.append(&mut code);
        self.frames.extend(inner);
        self.frames[depth].stands_for.insert(value, known);
        known
    }

    // ------------------------------------------------------------------------------------------
    // Values of blocks that are gone
    // ------------------------------------------------------------------------------------------

    /// Whether a value can be computed again from what is still there, with few operations.
    fn is_cheap_again(&self, value: ValueId, budget: u32) -> bool {
        let home = self.analysis.home[value.0 as usize];
        match self.frames.iter().rposition(|frame| frame.block == home) {
            None => return true,
            Some(depth)
                if self.frames[depth].live
                    || self.frames[depth].stands_for.contains_key(&value) =>
            {
                return true;
            }
            Some(_) => {}
        }
        if budget == 0 {
            return false;
        }
        match &self.analysis.definition[value.0 as usize] {
            Some(Op::Real(_) | Op::Int(_)) => true,
            Some(Op::Prim(prim, args)) => {
                is_cheap(*prim) && args.iter().all(|&arg| self.is_cheap_again(arg, budget - 1))
            }
            Some(Op::Select(c, a, b)) => [c, a, b]
                .iter()
                .all(|&&arg| self.is_cheap_again(arg, budget - 1)),
            Some(Op::Load(buffer, index)) => {
                self.analysis.lasts(*buffer, &self.live_loops())
                    && self.is_cheap_again(*index, budget - 1)
            }
            _ => false,
        }
    }

    fn compute_again(&mut self, value: ValueId) -> ValueId {
        let Some(op) = self.analysis.definition[value.0 as usize].clone() else {
            return value;
        };
        match op {
            Op::Real(constant) => self.builder.real(constant),
            Op::Int(constant) => self.builder.int(constant),
            Op::Prim(prim, args) => {
                let args: Vec<_> = args.into_iter().map(|arg| self.primal(arg)).collect();
                self.builder.prim(prim, &args)
            }
            Op::Select(c, a, b) => {
                let (c, a, b) = (self.primal(c), self.primal(a), self.primal(b));
                let kind = self.builder.kind(a);
                self.builder.define(kind, Op::Select(c, a, b))
            }
            Op::Load(buffer, index) => {
                let index = self.primal(index);
                self.builder.load(buffer, index)
            }
            Op::Get(_) | Op::Draw(..) | Op::Pop(_) => value,
        }
    }

    /// Has the forward code of the frame's block keep a value; returns what brings it back.
    fn keep(&mut self, value: ValueId, depth: usize) -> ValueId {
        let kind = self.builder.kind(value);
        if !self.frames[depth].counted {
            let popped = self.builder.fresh(kind);
            self.frames[depth].tape.kept.push((value, None));
            return popped;
        }
        let places: i64 = self.frames[depth]
            .tape
            .rounds
            .iter()
            .map(|(_, _, rounds)| rounds)
            .product();
        let buffer = self
            .builder
            .buffer("tape", kind, places as usize, Role::Work);
        self.frames[depth].tape.kept.push((value, Some(buffer)));
        let slot = match self.frames[depth].slot {
            Some(slot) => slot,
            None => {
                let rounds = self.frames[depth].tape.rounds.clone();
                let vars: Vec<_> = rounds.iter().map(|(var, ..)| self.primal(*var)).collect();
                let slot = self.slot(&rounds, &vars);
                self.frames[depth].slot = Some(slot);
                slot
            }
        };
        self.builder.define(kind, Op::Load(buffer, slot))
    }

    /// The number of a round of nested loops, from 0, last loop fastest.
    fn slot(&mut self, rounds: &[(ValueId, i64, i64)], vars: &[ValueId]) -> ValueId {
        let mut slot = self.builder.int(0);
        for ((_, first, count), var) in rounds.iter().zip(vars) {
            let (count, first) = (self.builder.int(*count), self.builder.int(*first));
            let scaled = self.builder.prim(Prim::MulInt, &[slot, count]);
            let offset = self.builder.prim(Prim::SubInt, &[*var, first]);
            slot = self.builder.prim(Prim::AddInt, &[scaled, offset]);
        }
        slot
    }

    /// The loops around the innermost live frame.
    fn live_loops(&self) -> Vec<Option<ValueId>> {
        let live = self
            .frames
            .iter()
            .rposition(|frame| frame.live)
            .map_or(0, |depth| depth + 1);
        self.frames[..live]
            .iter()
            .filter_map(|frame| frame.around)
            .collect()
    }

    fn place(&self) -> Place {
        let live = self
            .frames
            .iter()
            .rposition(|frame| frame.live)
            .unwrap_or(0);
        Place {
            live_loops: self.live_loops(),
            live_range: self.frames[live].range,
            taped_range: self.frames[live + 1..]
                .iter()
                .find(|frame| frame.around.is_some())
                .map(|frame| frame.range),
            recomputing: self.frames[live].recomputing && live + 1 == self.frames.len(),
        }
    }

    // ------------------------------------------------------------------------------------------
    // Code
    // ------------------------------------------------------------------------------------------

    fn whole(&mut self, procedure: &Procedure, tree: &Tree<'p>) {
        for (id, buffer) in procedure.buffers.iter().enumerate() {
            if matches!(buffer.role, Role::Input(0)) {
                let gradient =
                    self.builder
                        .buffer("gradient", Kind::Real, buffer.len, Role::Output(0));
                self.buffer_shadows.insert(BufferId(id as u32), gradient);
            }
        }
        self.frames
            .push(Frame::live(tree.id, None, (0, u32::MAX), false));
        let seed = match procedure.result {
            Some(result)
                if self.target.is_none() && self.analysis.active_cells[result.0 as usize] =>
            {
                Some(self.cell_shadow(result))
            }
            _ => None,
        };
        self.live_block(&tree.nodes, seed);
        self.frames.pop();
    }

    /// Forward and reverse code of a block, one after the other. Reverse is generated first: it tells what to keep. The
    /// seed's adjoint is 1 where the reverse starts.
    fn live_block(&mut self, nodes: &[Node<'p>], seed: Option<CellId>) {
        self.builder.open();
        if let Some(seed) = seed {
            let one = self.builder.real(1.0);
            self.builder.push(Stmt::Set(seed, one));
        }
        self.reverse_nodes(nodes);
        let reverse = self.builder.close();
        self.forward_nodes(nodes);
        for stmt in reverse {
            self.builder.push(stmt);
        }
    }

    fn forward_nodes(&mut self, nodes: &[Node<'p>]) {
        for node in nodes {
            self.forward(node);
        }
    }

    fn forward(&mut self, node: &Node<'p>) {
        let recomputing = self.frames.last().is_some_and(|frame| frame.recomputing);
        let strategy = self
            .strategies
            .get(&node.first)
            .copied()
            .unwrap_or(Strategy::Passive);
        match (&node.inner, strategy) {
            (Inner::Leaf, _) => {
                if !(recomputing && is_effect(node.stmt)) {
                    let stmt = self.here(node.stmt);
                    self.builder.push(stmt);
                    for slice in self.slices.get(&node.first).cloned().unwrap_or_default() {
                        let slice = self.slice_here(&slice);
                        self.builder.push(Stmt::PushSlice(slice));
                    }
                }
            }
            (_, Strategy::Fused) => {}
            (_, Strategy::Passive) => {
                if !recomputing {
                    let stmt = self.here(node.stmt);
                    self.builder.push(stmt);
                }
            }
            (_, Strategy::Recomputed) => {
                if !recomputing {
                    let stmt = self.renamed(node.stmt);
                    self.builder.push(stmt);
                }
            }
            (_, Strategy::Taped) => self.forward_taped(node),
        }
    }

    fn forward_taped(&mut self, node: &Node<'p>) {
        match &node.inner {
            Inner::Leaf => {}
            Inner::For {
                var,
                start,
                end,
                reverse,
                body,
            } => {
                let (start, end) = (self.primal(*start), self.primal(*end));
                let body = self.keeping_block(body, Some(Some(*var)), node);
                self.builder.push(Stmt::For {
                    var: *var,
                    start,
                    end,
                    reverse: *reverse,
                    body,
                });
            }
            Inner::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.primal(*condition);
                let then = self.keeping_block(then, None, node);
                let otherwise = self.keeping_block(otherwise, None, node);
                self.builder.push(Stmt::If {
                    condition,
                    then,
                    otherwise,
                });
            }
            Inner::While {
                condition,
                header_len,
                round,
            } => {
                let rounds = self.builder.cell("rounds", Kind::Int);
                let zero = self.builder.int(0);
                self.builder.push(Stmt::Set(rounds, zero));
                self.frames.push(Frame::live(
                    round.id,
                    Some(None),
                    (node.first, node.last),
                    false,
                ));
                self.builder.open();
                self.forward_nodes(&round.nodes[..*header_len]);
                let header = self.builder.close();
                self.builder.open();
                self.forward_nodes(&round.nodes[*header_len..]);
                let (one, before) = (self.builder.int(1), self.builder.get(rounds));
                let after = self.builder.prim(Prim::AddInt, &[before, one]);
                self.builder.push(Stmt::Set(rounds, after));
                self.push_kept(round.id);
                let body = self.builder.close();
                self.frames.pop();
                self.builder.push(Stmt::While {
                    header,
                    condition: *condition,
                    body,
                });
                let count = self.builder.get(rounds);
                self.builder.push(Stmt::Push(count));
            }
        }
    }

    fn keeping_block(
        &mut self,
        tree: &Tree<'p>,
        around: Option<Option<ValueId>>,
        node: &Node<'p>,
    ) -> Vec<Stmt> {
        self.frames
            .push(Frame::live(tree.id, around, (node.first, node.last), false));
        self.builder.open();
        self.forward_nodes(&tree.nodes);
        self.push_kept(tree.id);
        let code = self.builder.close();
        self.frames.pop();
        code
    }

    /// Keeps what the reverse code of the block asked for.
    fn push_kept(&mut self, block: BlockId) {
        let Some(tape) = self.tapes.get(&block).cloned() else {
            return;
        };
        let mut slot = None;
        for (value, buffer) in tape.kept {
            match buffer {
                None => self.builder.push(Stmt::Push(value)),
                Some(buffer) => {
                    let slot = *slot.get_or_insert_with(|| {
                        let vars: Vec<_> = tape
                            .rounds
                            .iter()
                            .map(|(var, ..)| self.primal(*var))
                            .collect();
                        self.slot(&tape.rounds, &vars)
                    });
                    self.builder.push(Stmt::Store(buffer, slot, value));
                }
            }
        }
    }

    fn reverse_nodes(&mut self, nodes: &[Node<'p>]) {
        for node in nodes.iter().rev() {
            match &node.inner {
                Inner::Leaf => self.reverse_leaf(node),
                _ => self.reverse_inner(node),
            }
        }
    }

    fn reverse_inner(&mut self, node: &Node<'p>) {
        let place = self.place();
        let strategy = choose(self.analysis, self.target, &place, node);
        self.strategies.insert(node.first, strategy);
        let range = (node.first, node.last);
        match (strategy, &node.inner) {
            (
                Strategy::Fused | Strategy::Recomputed,
                Inner::For {
                    var,
                    start,
                    end,
                    reverse,
                    body,
                },
            ) => {
                let (start, end) = (self.primal(*start), self.primal(*end));
                let recomputing = strategy == Strategy::Recomputed;
                self.frames
                    .push(Frame::live(body.id, Some(Some(*var)), range, recomputing));
                self.builder.open();
                self.live_block(&body.nodes, None);
                let body = self.builder.close();
                self.frames.pop();
                let reverse = reverse ^ recomputing;
                self.builder.push(Stmt::For {
                    var: *var,
                    start,
                    end,
                    reverse,
                    body,
                });
            }
            (
                Strategy::Fused,
                Inner::If {
                    condition,
                    then,
                    otherwise,
                },
            ) => {
                let condition = self.primal(*condition);
                let mut branches = [then, otherwise].into_iter().map(|branch| {
                    self.frames.push(Frame::live(branch.id, None, range, false));
                    self.builder.open();
                    self.live_block(&branch.nodes, None);
                    self.frames.pop();
                    self.builder.close()
                });
                let (then, otherwise) = (
                    branches.next().unwrap_or_default(),
                    branches.next().unwrap_or_default(),
                );
                self.builder.push(Stmt::If {
                    condition,
                    then,
                    otherwise,
                });
            }
            (Strategy::Taped, inner) => self.reverse_taped(inner, range),
            _ => {}
        }
    }

    fn reverse_taped(&mut self, inner: &Inner<'p>, range: (u32, u32)) {
        match inner {
            Inner::Leaf => {}
            Inner::For {
                var,
                start,
                end,
                reverse,
                body,
            } => {
                let (start, end) = (self.primal(*start), self.primal(*end));
                let fresh = self.builder.fresh(Kind::Int);
                let body = self.taped_block(body, Some(Some(*var)), range, Some((*var, fresh)));
                self.builder.push(Stmt::For {
                    var: fresh,
                    start,
                    end,
                    reverse: !reverse,
                    body,
                });
            }
            Inner::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.primal(*condition);
                let then = self.taped_block(then, None, range, None);
                let otherwise = self.taped_block(otherwise, None, range, None);
                self.builder.push(Stmt::If {
                    condition,
                    then,
                    otherwise,
                });
            }
            Inner::While { round, .. } => {
                let count = self.builder.define(Kind::Int, Op::Pop(Kind::Int));
                let (zero, fresh) = (self.builder.int(0), self.builder.fresh(Kind::Int));
                let body = self.taped_block(round, Some(None), range, None);
                self.builder.push(Stmt::For {
                    var: fresh,
                    start: zero,
                    end: count,
                    reverse: true,
                    body,
                });
            }
        }
    }

    /// The reverse code of a block whose values are gone, and the record of what to keep.
    fn taped_block(
        &mut self,
        tree: &Tree<'p>,
        around: Option<Option<ValueId>>,
        range: (u32, u32),
        var: Option<(ValueId, ValueId)>,
    ) -> Vec<Stmt> {
        let (rounds, counted) = self.rounds(around);
        let mut frame = Frame::live(tree.id, around, range, false);
        frame.live = false;
        frame.counted = counted;
        frame.tape.rounds = rounds;
        frame.stands_for.extend(var);
        self.frames.push(frame);
        self.builder.open();
        self.reverse_nodes(&tree.nodes);
        let code = self.builder.close();
        let Some(frame) = self.frames.pop() else {
            return code;
        };
        let mut whole: Vec<Stmt> = Vec::new();
        for (value, buffer) in frame.tape.kept.iter().rev() {
            if let (None, Some(&popped)) = (buffer, frame.stands_for.get(value)) {
                whole.push(Stmt::Let(popped, Op::Pop(self.builder.kind(popped))));
            }
        }
        whole.extend(frame.prelude);
        whole.extend(code);
        self.tapes.insert(tree.id, frame.tape);
        whole
    }

    /// The loops that number the places of a tape's buffers: those since the last live block; and whether all are counted.
    fn rounds(&self, around: Option<Option<ValueId>>) -> (Vec<(ValueId, i64, i64)>, bool) {
        let live = self
            .frames
            .iter()
            .rposition(|frame| frame.live)
            .map_or(0, |depth| depth + 1);
        let loops = self.frames[live..]
            .iter()
            .filter_map(|frame| frame.around)
            .chain(around);
        let mut rounds = Vec::new();
        for var in loops {
            match var.and_then(|var| Some((var, *self.analysis.ranges.get(&var)?))) {
                Some((var, (first, end))) => rounds.push((var, first, (end - first).max(0))),
                None => return (Vec::new(), false),
            }
        }
        (rounds, true)
    }

    fn reverse_leaf(&mut self, node: &Node<'p>) {
        match node.stmt {
            Stmt::Let(value, op) if self.is_active(*value) => self.reverse_let(*value, op),
            Stmt::Set(cell, value) if self.analysis.active_cells[cell.0 as usize] => {
                let shadow = self.cell_shadow(*cell);
                if self.is_active(*value) {
                    let adjoint = self.builder.get(shadow);
                    self.contribute(*value, adjoint);
                }
                let zero = self.builder.real(0.0);
                self.builder.push(Stmt::Set(shadow, zero));
            }
            Stmt::Add(cell, value) if self.is_active(*value) => {
                if Some(*cell) == self.target {
                    let one = self.builder.real(1.0);
                    self.contribute(*value, one);
                } else {
                    let shadow = self.cell_shadow(*cell);
                    let adjoint = self.builder.get(shadow);
                    self.contribute(*value, adjoint);
                }
            }
            Stmt::Store(buffer, index, value) if self.is_active_buffer(*buffer) => {
                let shadow = self.buffer_shadow(*buffer);
                let index = self.primal(*index);
                if self.is_active(*value) {
                    let adjoint = self.builder.load(shadow, index);
                    self.contribute(*value, adjoint);
                }
                if !self.analysis.lasts(*buffer, &[]) {
                    let zero = self.builder.real(0.0);
                    self.builder.push(Stmt::Store(shadow, index, zero));
                }
            }
            Stmt::Accumulate(buffer, index, value) if self.is_active(*value) => {
                let shadow = self.buffer_shadow(*buffer);
                let index = self.primal(*index);
                let adjoint = self.builder.load(shadow, index);
                self.contribute(*value, adjoint);
            }
            Stmt::Fill(slice, value) if self.is_active_buffer(slice.buffer) => {
                self.reverse_fill(slice, *value)
            }
            Stmt::Call {
                function: Intrinsic::Forward(function),
                inputs,
                outputs,
                message,
            } => {
                self.reverse_call(node, *function, inputs, outputs, *message);
            }
            Stmt::Call {
                function: Intrinsic::Ode(_),
                inputs,
                outputs,
                message,
            } => self.reverse_ode(node, inputs, outputs, *message),
            _ => {}
        }
    }

    fn reverse_let(&mut self, value: ValueId, op: &Op) {
        let Some(adjoint) = self.take(value) else {
            return;
        };
        let index = value.0 as usize;
        if self.analysis.used_in_branch[index] || self.doubtful.contains(&value) {
            self.doubtful.extend(op.operands());
            self.vanishes = match op {
                Op::Prim(Prim::Add | Prim::Sub | Prim::Neg, _) => None,
                Op::Prim(..) => {
                    let zero = self.real(0.0);
                    Some(self.prim(Prim::Eq, &[adjoint, zero]))
                }
                _ => None,
            };
        }
        self.pass_back(op, value, adjoint);
        self.vanishes = None;
    }

    fn pass_back(&mut self, op: &Op, value: ValueId, adjoint: ValueId) {
        match op {
            Op::Prim(prim, args) => pass_back(self, *prim, args, value, adjoint),
            Op::Select(condition, then, otherwise) => {
                let condition = self.primal(*condition);
                let zero = self.real(0.0);
                if self.is_active(*then) {
                    let passed = self.select(condition, adjoint, zero);
                    self.contribute(*then, passed);
                }
                if self.is_active(*otherwise) {
                    let passed = self.select(condition, zero, adjoint);
                    self.contribute(*otherwise, passed);
                }
            }
            Op::Load(buffer, index) => {
                let shadow = self.buffer_shadow(*buffer);
                let index = self.primal(*index);
                self.builder.push(Stmt::Accumulate(shadow, index, adjoint));
            }
            Op::Get(cell) => {
                let shadow = self.cell_shadow(*cell);
                self.builder.push(Stmt::Add(shadow, adjoint));
            }
            Op::Real(_) | Op::Int(_) | Op::Draw(..) | Op::Pop(_) => {}
        }
    }

    fn reverse_fill(&mut self, slice: &Slice, value: ValueId) {
        let mut shadow = self.slice_here(slice);
        shadow.buffer = self.buffer_shadow(slice.buffer);
        if self.is_active(value) {
            let sum = self.builder.cell("sum", Kind::Real);
            let (zero, none) = (self.builder.real(0.0), self.builder.int(0));
            self.builder.push(Stmt::Set(sum, zero));
            let size = self.builder.prim(Prim::MulInt, &[shadow.rows, shadow.cols]);
            let outcome: Result<(), std::convert::Infallible> =
                self.builder.for_loop(none, size, false, |builder, var| {
                    let index = builder.prim(Prim::AddInt, &[shadow.offset, var]);
                    let adjoint = builder.load(shadow.buffer, index);
                    builder.push(Stmt::Add(sum, adjoint));
                    Ok(())
                });
            let Ok(()) = outcome;
            let total = self.builder.get(sum);
            self.contribute(value, total);
        }
        let zero = self.builder.real(0.0);
        self.builder.push(Stmt::Fill(shadow, zero));
    }

    // ------------------------------------------------------------------------------------------
    // Copies of forward code
    // ------------------------------------------------------------------------------------------

    fn slice_here(&mut self, slice: &Slice) -> Slice {
        Slice {
            buffer: slice.buffer,
            offset: self.primal(slice.offset),
            rows: self.primal(slice.rows),
            cols: self.primal(slice.cols),
        }
    }

    /// A statement of the forward code, with what it reads as it is called here.
    fn here(&mut self, stmt: &Stmt) -> Stmt {
        let mut map = BTreeMap::new();
        for_each_operand_inside(stmt, &mut |value| {
            map.entry(value).or_insert(value);
        });
        let values: Vec<_> = map.keys().copied().collect();
        for value in values {
            let here = self.primal(value);
            map.insert(value, here);
        }
        let mut copy = stmt.clone();
        rewrite_operands(&mut copy, &mut |value| {
            map.get(&value).copied().unwrap_or(value)
        });
        copy
    }

    /// A copy with names of its own: for code that appears twice.
    fn renamed(&mut self, stmt: &Stmt) -> Stmt {
        let mut copy = self.here(stmt);
        let mut fresh: BTreeMap<ValueId, ValueId> = BTreeMap::new();
        let builder = &mut self.builder;
        rewrite_definitions(&mut copy, &mut |value| {
            let kind = builder.kind(value);
            let new = builder.fresh(kind);
            fresh.insert(value, new);
            new
        });
        rewrite_operands(&mut copy, &mut |value| {
            fresh.get(&value).copied().unwrap_or(value)
        });
        copy
    }
}

/// Whether leaving a statement out of a recomputation is what makes it one.
fn is_effect(stmt: &Stmt) -> bool {
    matches!(
        stmt,
        Stmt::Add(..) | Stmt::Store(..) | Stmt::Check { .. } | Stmt::Print { .. }
    )
}
