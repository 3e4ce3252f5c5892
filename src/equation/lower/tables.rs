//! The plan's half about what comes in: sets, columns, and what becomes of ranges that data decide (Binding).

use super::build;
use super::context::Lowering;
use super::usage;
use crate::equation::plan::{Column, Extent, Fixed, Part, Set, SetKind};
use crate::equation::tree::{
    self, Expr, ExprKind, Model, NameId, Order, Purpose, Role, SetId, StatementKind, Subscript,
};
use crate::syntax::ast::{BaseType, BinaryOp, Bounds, Stmt};

impl Lowering<'_> {
    /// The plan's sets. Ends that cannot be computed before data are bound become transformed data, which are returned.
    pub(super) fn plan_sets(&mut self) -> (Vec<Set>, Vec<Stmt>) {
        let mut ends = Vec::new();
        let model = self.model;
        let sets = (model.sets.iter().enumerate())
            .map(|(at, set)| {
                let letters = model
                    .letters
                    .iter()
                    .filter(|letter| letter.set == SetId(at));
                Set {
                    letters: letters.map(|letter| letter.name.clone()).collect(),
                    kind: self.plan_kind(set, &mut ends),
                    is_lagged: is_lagged(model, SetId(at)),
                    is_ordinal: is_ordinal(model, SetId(at)),
                    span: set.span,
                }
            })
            .collect();
        (sets, ends)
    }

    fn plan_kind(&mut self, set: &tree::Set, ends: &mut Vec<Stmt>) -> SetKind {
        match &set.kind {
            tree::SetKind::Rows => SetKind::Rows,
            tree::SetKind::Levels { columns, order } => SetKind::Levels {
                columns: columns.iter().map(|column| self.column(*column)).collect(),
                order: order.as_ref().map(|order| self.fixed(order, set, ends)),
            },
            tree::SetKind::Fixed(order) => SetKind::Fixed(self.fixed(order, set, ends)),
            tree::SetKind::Combinations { parts, letter } => SetKind::Combinations {
                parts: parts.iter().map(|part| self.plan_part(part)).collect(),
                carrier: self.set_of(*letter),
            },
        }
    }

    fn plan_part(&self, part: &Subscript) -> Part {
        let mut path = Vec::new();
        let mut step = part;
        let mut set = None;
        if let Subscript::Map { column, .. } = part {
            set = self.name(*column).levels_of;
        } else if let Subscript::Letter(letter) = part {
            set = Some(self.set_of(*letter));
        }
        while let Subscript::Map { column, of } = step {
            path.insert(0, self.column(*column));
            step = of;
        }
        Part { set, path }
    }

    fn fixed(&mut self, order: &Order, set: &tree::Set, ends: &mut Vec<Stmt>) -> Fixed {
        match order {
            Order::Labels(labels) => {
                Fixed::Labels(labels.iter().map(|label| label.text.clone()).collect())
            }
            Order::Range(lower, upper) => match (lower.constant(), upper.constant()) {
                (Some(lower), Some(upper)) => Fixed::Range(lower, upper),
                _ => Fixed::Computed(
                    self.extent(lower, &format!("first_{}", set.name), ends),
                    self.extent(upper, &format!("last_{}", set.name), ends),
                ),
            },
        }
    }

    fn extent(&mut self, end: &Expr, wanted: &str, ends: &mut Vec<Stmt>) -> Extent {
        if let Some(extent) = self.extent_of(end) {
            return extent;
        }
        let value = self.plain(end);
        let name = self.namer.take(wanted);
        let spec = build::basic_type(BaseType::Int, Bounds::None, Vec::new(), end.span);
        ends.push(build::declare(spec, &name, Some(value), end.span));
        Extent::Variable(name)
    }

    fn extent_of(&self, end: &Expr) -> Option<Extent> {
        if let Some(value) = end.constant() {
            return Some(Extent::Number(value));
        }
        match &end.kind {
            ExprKind::Size(set) => Some(Extent::Size(*set)),
            ExprKind::Name { name, subscripts }
                if subscripts.is_empty() && self.name(*name).role == Role::Data =>
            {
                Some(Extent::Scalar(self.column(*name)))
            }
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let left = Box::new(self.extent_of(left)?);
                let right = Box::new(self.extent_of(right)?);
                match operator {
                    BinaryOp::Add => Some(Extent::Sum(left, right)),
                    BinaryOp::Subtract => Some(Extent::Difference(left, right)),
                    BinaryOp::Multiply => Some(Extent::Product(left, right)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The columns of a model: its data names, in the order of the file.
pub(super) fn columns(model: &Model, long: &[bool]) -> Vec<Column> {
    let data = (0..model.names.len()).map(NameId);
    let data = data.filter(|name| model.names[name.0].role == Role::Data);
    data.map(|id| {
        let name = &model.names[id.0];
        let is_number = !name.is_integer && name.levels_of.is_none();
        Column {
            name: name.name.clone(),
            over: name.axes.clone(),
            levels_of: name.levels_of,
            is_integer: name.is_integer,
            is_observed: name.is_observed,
            can_impute: name.is_observed && is_number && !long[id.0],
            is_needed: !super::covariates::is_assembled(model, id),
            is_used_elsewhere: is_used_elsewhere(model, id),
            span: name.span,
        }
    })
    .collect()
}

/// Whether something besides a column's own variate reads it.
fn is_used_elsewhere(model: &Model, name: NameId) -> bool {
    model.statements.iter().any(|statement| {
        let is_own = matches!(
            &statement.kind,
            StatementKind::Draw { purpose: Purpose::Observation(own), .. } if *own == name
        );
        let expressions = statement.expressions();
        let skipped = usize::from(is_own);
        expressions
            .into_iter()
            .skip(skipped)
            .any(|expr| usage::names_in(expr).contains(&name))
    })
}

/// Whether a statement reaches from an element of a set to an earlier or later one.
fn is_lagged(model: &Model, set: SetId) -> bool {
    let shifts = |(name, subscripts): (NameId, &[Subscript])| {
        let axes = &model.names[name.0].axes;
        let mut pairs = subscripts.iter().zip(axes);
        pairs.any(|(subscript, axis)| *axis == set && matches!(subscript, Subscript::Shift { .. }))
    };
    model.statements.iter().any(|statement| {
        let left = usage::left_name(statement);
        let left = left.map(|name| (name, usage::left_subscripts(statement)));
        let right = statement.expressions();
        let right = right.into_iter().flat_map(usage::subscripts_of);
        left.into_iter().chain(right).any(shifts)
    })
}

/// Whether an ordered distribution draws the levels of a set.
fn is_ordinal(model: &Model, set: SetId) -> bool {
    model
        .statements
        .iter()
        .any(|statement| match &statement.kind {
            StatementKind::Draw {
                variate,
                distribution,
                ..
            } => {
                let ExprKind::Name { name, .. } = &variate.kind else {
                    return false;
                };
                distribution.starts_with("ordered_") && model.names[name.0].levels_of == Some(set)
            }
            _ => false,
        })
}
