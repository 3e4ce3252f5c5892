//! Shapes (3b): the hidden dimensions of names, found where nothing else is possible.
//!
//! Every name and every expression has a rank, 0 (number), 1 (vector) or 2 (matrix), and every operator, function and
//! family is a finite relation between ranks. Constraint propagation over these finite domains (no backtracking) leaves
//! what is forced; all that is undecided becomes a number at once, and propagation goes on. Then the index sets of the
//! axes are unified. Three checks refuse shapes that nobody meant.

mod build;
mod checks;
mod report;
mod unify;

pub(super) use build::density_of;

use super::tree::{Expr, ExprKind, Model, NameId, Statement, StatementKind};
use crate::diag::Diagnostic;

/// The ranks that are still possible: bit r for rank r.
type Ranks = u8;

const ANY: Ranks = 0b111;

/// The rank, if only one is possible.
fn single(ranks: Ranks) -> Option<usize> {
    (ranks.count_ones() == 1).then(|| ranks.trailing_zeros() as usize)
}

/// An expression of the model, or the left side of a definition.
#[derive(Clone, Copy, Debug)]
struct Node<'m> {
    /// The expression; `None` for a left side.
    expr: Option<&'m Expr>,
    /// Whether nothing but a vector or matrix can stand where it stands.
    vector_only: bool,
    /// The statement that it is part of.
    statement: usize,
}

/// How the axes of a relation's members belong together, once their ranks are known.
#[derive(Clone, Debug)]
enum Axes {
    /// Those of equal rank run over the same sets.
    Same,
    /// The members are a name's hidden rank and a node: the node has the name's axes behind its first few.
    OfName {
        name: NameId,
        /// For each shown axis that the node keeps, its place.
        kept: Vec<usize>,
    },
    /// Product of numbers, vectors and matrices.
    Product,
    /// The first member's axes are the second's, swapped.
    Swapped,
    /// Letters name the axes: one text per form, the members in order.
    Forms(Vec<Vec<String>>),
    /// The last member's axis is the set of the bound letter, or has no name at all.
    Free(Option<super::tree::SetId>),
}

/// A relation between the ranks of some members.
#[derive(Clone, Debug)]
struct Relation {
    /// The members: nodes, by place, or hidden ranks of names (places behind those of the nodes).
    members: Vec<usize>,
    /// The combinations of ranks that have a meaning.
    rows: Vec<Vec<u8>>,
    axes: Axes,
    /// The node that it is about, for messages; a statement's relation is about its variate.
    about: usize,
}

/// The shapes of a model in the making.
struct Shapes<'m> {
    model: &'m Model,
    nodes: Vec<Node<'m>>,
    relations: Vec<Relation>,
    /// The possible ranks of the nodes, then the possible hidden ranks of the names.
    ranks: Vec<Ranks>,
}

/// Finds every shape and writes it into the model.
///
/// `closed` says for each name whether its declaration shows all of its indices. Reports E7, E8, E9.
pub(super) fn find_shapes(
    model: &mut Model,
    closed: &[bool],
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let found = {
        let mut shapes = Shapes::build(model, closed);
        shapes.solve()
    };
    match found {
        Ok(found) => {
            write(model, found);
            true
        }
        Err(faults) => {
            diagnostics.extend(faults);
            false
        }
    }
}

/// The axes of all names and nodes.
struct Found {
    names: Vec<Vec<super::tree::SetId>>,
    nodes: Vec<Vec<super::tree::SetId>>,
}

impl Shapes<'_> {
    fn solve(&mut self) -> Result<Found, Vec<Diagnostic>> {
        let faults = self.check_left_out();
        if !faults.is_empty() {
            return Err(faults);
        }
        if let Err(relation) = self.propagate() {
            return Err(vec![self.contradiction(relation)]);
        }
        let before = self.ranks.clone();
        let hidden = self.nodes.len();
        for ranks in &mut self.ranks[hidden..] {
            if single(*ranks).is_none() && *ranks & 1 == 1 {
                *ranks = 1;
            }
        }
        if let Err(relation) = self.propagate() {
            return Err(vec![self.doubt(relation, &before)]);
        }
        self.unify()
    }

    /// Removes ranks that no row allows, until nothing changes.
    ///
    /// # Errors
    /// The relation that no combination of ranks satisfies.
    fn propagate(&mut self) -> Result<(), usize> {
        loop {
            let mut changed = false;
            for position in 0..self.relations.len() {
                let relation = &self.relations[position];
                let mut possible = vec![0; relation.members.len()];
                for row in &relation.rows {
                    let fits = relation
                        .members
                        .iter()
                        .zip(row)
                        .all(|(member, rank)| self.ranks[*member] >> rank & 1 == 1);
                    if fits {
                        for (ranks, rank) in possible.iter_mut().zip(row) {
                            *ranks |= 1 << rank;
                        }
                    }
                }
                if possible.contains(&0) && !relation.members.is_empty() {
                    return Err(position);
                }
                for (member, ranks) in relation.members.iter().zip(possible) {
                    changed |= self.ranks[*member] != ranks;
                    self.ranks[*member] = ranks;
                }
            }
            if !changed {
                return Ok(());
            }
        }
    }
}

/// Writes axes into the model. Nodes are in the order of [`walk`].
fn write(model: &mut Model, found: Found) {
    for (name, axes) in model.names.iter_mut().zip(found.names) {
        name.axes = axes;
    }
    let mut axes = found.nodes.into_iter();
    for statement in &mut model.statements {
        if let StatementKind::Define { .. } = &statement.kind {
            // The node of the left side.
            axes.next();
        }
        for expr in roots_mut(statement) {
            write_expr(expr, &mut axes);
        }
    }
}

fn write_expr(expr: &mut Expr, axes: &mut impl Iterator<Item = Vec<super::tree::SetId>>) {
    if let Some(found) = axes.next() {
        expr.axes = found;
    }
    match &mut expr.kind {
        ExprKind::Int(_)
        | ExprKind::Real(_)
        | ExprKind::Name { .. }
        | ExprKind::LevelTest { .. }
        | ExprKind::Size(_)
        | ExprKind::LetterValue(_) => {}
        ExprKind::Reduce { body: part, .. } | ExprKind::Unary { operand: part, .. } => {
            write_expr(part, axes);
        }
        ExprKind::Binary { left, right, .. } => {
            write_expr(left, axes);
            write_expr(right, axes);
        }
        ExprKind::Ternary {
            condition,
            if_true,
            if_false,
        } => {
            for part in [condition, if_true, if_false] {
                write_expr(part, axes);
            }
        }
        ExprKind::Call {
            arguments: list, ..
        }
        | ExprKind::RowVector(list)
        | ExprKind::Array(list) => {
            for part in list {
                write_expr(part, axes);
            }
        }
    }
}

/// The expressions of a statement in the order of [`Statement::expressions`].
fn roots_mut(statement: &mut Statement) -> Vec<&mut Expr> {
    match &mut statement.kind {
        StatementKind::Draw {
            variate,
            arguments,
            truncation,
            ..
        } => {
            let mut roots = vec![variate];
            roots.extend(arguments);
            if let Some((lower, upper)) = truncation {
                roots.extend(lower.as_mut());
                roots.extend(upper.as_mut());
            }
            roots
        }
        StatementKind::Define { value, .. } | StatementKind::Target { value } => vec![value],
    }
}
