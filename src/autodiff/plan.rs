//! Decides how each loop and branch is differentiated: fused, recomputed or taped.

use super::analysis::Analysis;
use super::tree::{Inner, Node};
use crate::builtins::Prim;
use crate::loops::{BufferId, CellId, Op, Stmt, ValueId};

/// How a loop or branch is differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// Nothing in it depends on the position in a way that is used: forward only.
    Passive,
    /// Forward and reverse in one pass, in the reverse sweep alone.
    Fused,
    /// Forward in the forward sweep; forward (without its effects) and reverse together in the reverse sweep.
    Recomputed,
    /// Forward keeps values for the reverse.
    Taped,
}

/// Where a statement stands, as far as its reverse code is concerned.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Loops of the enclosing blocks whose values are live, outermost first.
    pub live_loops: Vec<Option<ValueId>>,
    /// The positions of the innermost block whose values are live.
    pub live_range: (u32, u32),
    /// The positions of the outermost taped loop between that block and here, if any.
    pub taped_range: Option<(u32, u32)>,
    /// Whether the enclosing live block is itself a recomputation, without effects.
    pub recomputing: bool,
}

/// Chooses the strategy of a loop, branch or `while`.
pub(super) fn choose(
    analysis: &Analysis,
    target: Option<CellId>,
    place: &Place,
    node: &Node<'_>,
) -> Strategy {
    let survey = Survey::of(analysis, target, place, node);
    if !survey.touches_active {
        return Strategy::Passive;
    }
    let reads_stay = survey.reads_stay;
    if place.recomputing {
        return Strategy::Recomputed;
    }
    match node.inner {
        Inner::For { .. } | Inner::If { .. } if reads_stay && survey.only_target => Strategy::Fused,
        Inner::For { .. } if reads_stay && survey.repeatable && survey.cheap => {
            Strategy::Recomputed
        }
        _ => Strategy::Taped,
    }
}

/// What a statement does, in the large.
struct Survey {
    touches_active: bool,
    /// Its only effect on what outlives it is adding to the target.
    only_target: bool,
    /// Only leaves and loops of leaves that define values, add to cells and store; nothing it reads is private.
    repeatable: bool,
    /// No operation that is dearer than keeping its result.
    cheap: bool,
    /// Everything it reads from outside is the same when the reverse sweep gets here.
    reads_stay: bool,
}

impl Survey {
    fn of(analysis: &Analysis, target: Option<CellId>, place: &Place, node: &Node<'_>) -> Survey {
        let mut survey = Survey {
            touches_active: false,
            only_target: true,
            repeatable: true,
            cheap: true,
            reads_stay: true,
        };
        let mut loops_inside = Vec::new();
        let whole = std::slice::from_ref(node);
        collect_loops(whole, &mut loops_inside);
        visit(whole, &mut |inner| {
            survey.add(analysis, target, place, node, &loops_inside, inner)
        });
        survey
    }

    fn add(
        &mut self,
        analysis: &Analysis,
        target: Option<CellId>,
        place: &Place,
        whole: &Node<'_>,
        loops_inside: &[ValueId],
        node: &Node<'_>,
    ) {
        let private_cell = |cell: CellId| analysis.cells[cell.0 as usize].only_in(whole);
        let private_buffer =
            |buffer: BufferId| analysis.is_private_buffer(buffer, whole, loops_inside);
        match node.stmt {
            Stmt::Let(value, op) => {
                self.touches_active |= analysis.is_active(*value);
                match op {
                    Op::Prim(prim, _) => self.cheap &= is_cheap(*prim),
                    Op::Load(buffer, _) if !private_buffer(*buffer) => {
                        self.reads_stay &= stays(analysis, place, whole, Thing::Buffer(*buffer));
                    }
                    Op::Get(cell) if Some(*cell) == target => {
                        self.only_target = false;
                        self.repeatable = false;
                    }
                    Op::Get(cell) if !private_cell(*cell) => {
                        self.reads_stay &= stays(analysis, place, whole, Thing::Cell(*cell));
                    }
                    Op::Draw(..) | Op::Pop(_) => {
                        self.only_target = false;
                        self.repeatable = false;
                    }
                    Op::Load(..) | Op::Get(_) => self.repeatable = false,
                    _ => {}
                }
            }
            Stmt::Add(cell, value) => {
                self.touches_active |= analysis.is_active(*value);
                self.only_target &= Some(*cell) == target || private_cell(*cell);
                self.repeatable &= !private_cell(*cell);
            }
            Stmt::Set(cell, value) => {
                self.touches_active |=
                    analysis.is_active(*value) || analysis.active_cells[cell.0 as usize];
                self.only_target &= private_cell(*cell);
                self.repeatable = false;
            }
            Stmt::Store(buffer, _, value) => {
                self.touches_active |=
                    analysis.is_active(*value) || analysis.active_buffers[buffer.0 as usize];
                self.only_target &= private_buffer(*buffer);
                self.repeatable &= analysis.lasts(*buffer, &place.live_loops);
            }
            Stmt::Accumulate(buffer, ..) => {
                self.touches_active |= analysis.active_buffers[buffer.0 as usize];
                self.only_target &= private_buffer(*buffer);
                self.repeatable = false;
            }
            Stmt::Fill(slice, _) => {
                self.touches_active |= analysis.active_buffers[slice.buffer.0 as usize];
                self.only_target &= private_buffer(slice.buffer);
                self.repeatable = false;
            }
            Stmt::Call {
                inputs, outputs, ..
            } => {
                for slice in inputs {
                    if !private_buffer(slice.buffer) {
                        self.reads_stay &=
                            stays(analysis, place, whole, Thing::Buffer(slice.buffer));
                    }
                }
                for slice in outputs {
                    self.touches_active |= analysis.active_buffers[slice.buffer.0 as usize];
                    self.only_target &= private_buffer(slice.buffer);
                }
                self.repeatable = false;
            }
            Stmt::For { .. } | Stmt::Check { .. } => {}
            Stmt::If { .. } => self.repeatable = false,
            Stmt::While { .. } | Stmt::Print { .. } => {
                self.repeatable = false;
                self.only_target = false;
            }
            Stmt::Push(_) | Stmt::PushSlice(_) | Stmt::PopSlice(_) => {
                self.repeatable = false;
                self.only_target = false;
            }
        }
    }
}

enum Thing {
    Buffer(BufferId),
    Cell(CellId),
}

/// Whether what `whole` reads of a thing is still there when the reverse sweep gets to `whole`.
fn stays(analysis: &Analysis, place: &Place, whole: &Node<'_>, thing: Thing) -> bool {
    let mentions = match thing {
        Thing::Buffer(buffer) => {
            if analysis.lasts(buffer, &place.live_loops) {
                return true;
            }
            &analysis.buffers[buffer.0 as usize]
        }
        Thing::Cell(cell) => &analysis.cells[cell.0 as usize],
    };
    let within = |range: (u32, u32), at: u32| range.0 <= at && at <= range.1;
    mentions.writes.iter().all(|&at| {
        let later = at >= whole.first && within(place.live_range, at);
        let repeated = place.taped_range.is_some_and(|range| within(range, at));
        !later && !repeated
    })
}

/// Whether recomputing beats keeping: arithmetic and loads do, transcendentals and divisions do not (ENGINE notes:
/// a load and a store cost about as much as two of these).
pub(super) fn is_cheap(prim: Prim) -> bool {
    matches!(
        prim,
        Prim::ToReal
            | Prim::AddInt
            | Prim::SubInt
            | Prim::MulInt
            | Prim::NegInt
            | Prim::AbsInt
            | Prim::MinInt
            | Prim::MaxInt
            | Prim::EqInt
            | Prim::NeInt
            | Prim::LtInt
            | Prim::LeInt
            | Prim::GtInt
            | Prim::GeInt
            | Prim::Eq
            | Prim::Ne
            | Prim::Lt
            | Prim::Le
            | Prim::Gt
            | Prim::Ge
            | Prim::Not
            | Prim::AndInt
            | Prim::OrInt
            | Prim::Add
            | Prim::Sub
            | Prim::Mul
            | Prim::Neg
            | Prim::Fma
            | Prim::Abs
            | Prim::Square
    )
}

fn collect_loops(nodes: &[Node<'_>], loops: &mut Vec<ValueId>) {
    for node in nodes {
        if let Inner::For { var, .. } = &node.inner {
            loops.push(*var);
        }
        for block in node.blocks() {
            collect_loops(&block.nodes, loops);
        }
    }
}

fn visit<'a>(nodes: &[Node<'a>], see: &mut impl FnMut(&Node<'a>)) {
    for node in nodes {
        see(node);
        for block in node.blocks() {
            visit(&block.nodes, see);
        }
    }
}
