//! What a prediction can do (3e): what outcomes depend on, what new levels change, what is drawn, kept, or refused.

use std::collections::BTreeSet;

use super::context::Lowering;
use super::{families, usage};
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{
    Expr, ExprKind, Level, NameId, Purpose, Role, SetId, SetKind, Statement, StatementKind,
};
use crate::source::Span;
use crate::syntax::ast::Bounds;

impl Lowering<'_> {
    /// The names that outcomes depend on, in the order of the file.
    pub(super) fn ancestors(&self, outcomes: &[NameId]) -> Vec<NameId> {
        let mut seen: BTreeSet<NameId> = BTreeSet::new();
        let mut open: Vec<NameId> = outcomes.to_vec();
        while let Some(name) = open.pop() {
            if self.is_held(name) {
                continue;
            }
            let about = self.model.statements.iter().filter(|statement| {
                let is_about = usage::left_name(statement) == Some(name);
                let is_value = matches!(statement.kind, StatementKind::Define { .. });
                // An outcome that is defined from data is drawn, not computed.
                is_about && !(is_value && outcomes.contains(&name))
            });
            let reads = about.flat_map(Statement::read).flat_map(usage::names_in);
            let reads = reads.chain(super::covariates::defined_labels(self.model, name));
            open.extend(reads.filter(|name| seen.insert(*name)));
        }
        seen.into_iter()
            .filter(|name| !outcomes.contains(name))
            .collect()
    }

    pub(super) fn verify_predictable(&mut self, needed: &[NameId], outcomes: &[NameId]) {
        if outcomes.is_empty() {
            self.refuse(
                "no statement has an outcome that could be predicted: `target +=` says how probable data are, not how they arise",
                self.model.statements.first().map_or(Span::default(), |first| first.span),
            );
        }
        for &name in outcomes {
            if !self.long[name.0] {
                continue;
            }
            let others = needed.iter().filter(|other| self.follows(**other, name));
            if let Some(other) = others.copied().next() {
                let (name, other) = (self.name(name), self.name(other));
                self.refuse(
                    format!(
                        "`{}` and `{}` follow from each other's earlier values, so new rows of their table cannot be predicted",
                        name.name, other.name
                    ),
                    name.span,
                );
            }
        }
        for &name in needed.iter().chain(outcomes) {
            let declared = self.name(name);
            let is_data = declared.role == Role::Definition(Level::Data);
            let mixes = match is_data {
                true => self.is_frozen(name) && self.is_over_rows(name),
                false => !self.is_held(name) && self.mixes_anything(name),
            };
            if mixes {
                let title = format!(
                    "`{}` mixes rows or levels, so it cannot be predicted row by row",
                    declared.name
                );
                let hint = "define the reduction on a line of its own, without the letter of the rows: predictions keep the \
                            value that it had in the fit";
                let fault = Diagnostic::error(Code::NotSupportedYet, title, declared.span, "");
                self.diagnostics.push(fault.with_hint(hint));
            }
        }
        for &name in needed {
            if self.is_joint(name) && self.is_over_rows(name) {
                self.refuse(
                    format!(
                        "`{}` is drawn jointly over all rows; put rows without outcome into the fit instead",
                        self.name(name).name
                    ),
                    self.name(name).span,
                );
            }
        }
    }

    /// Whether a name depends on an outcome.
    fn follows(&self, name: NameId, outcome: NameId) -> bool {
        let (mut open, mut seen) = (vec![name], BTreeSet::new());
        while let Some(name) = open.pop() {
            let about = self.model.statements.iter();
            let about = about.filter(|statement| usage::left_name(statement) == Some(name));
            for read in about.flat_map(Statement::read).flat_map(usage::names_in) {
                if read == outcome {
                    return true;
                }
                if seen.insert(read) {
                    open.push(read);
                }
            }
        }
        false
    }

    /// Whether a name's elements over rows or levels are drawn together.
    pub(super) fn is_joint(&self, name: NameId) -> bool {
        self.model.statements.iter().any(|statement| {
            matches!(
                &statement.kind,
                StatementKind::Draw { purpose: Purpose::Prior(own), variate, .. }
                    if *own == name && variate.axes.iter().any(|set| !self.is_fixed(*set))
            )
        })
    }

    /// Whether a definition mixes rows or levels into something that new ones do not change: predictions keep it.
    pub(super) fn is_held(&self, name: NameId) -> bool {
        let declared = self.name(name);
        let mut axes = declared.axes.iter();
        declared.role == Role::Definition(Level::Target)
            && !axes.any(|set| self.is_open(*set))
            && self.mixes_anything(name)
    }

    /// Whether a statement about a name reduces rows or levels, but for data that are kept as they were in the fit.
    fn mixes_anything(&self, name: NameId) -> bool {
        let mut own = (self.model.statements.iter())
            .filter(|statement| usage::left_name(statement) == Some(name));
        own.any(|statement| statement.read().into_iter().any(|expr| self.mixes(expr)))
    }

    fn mixes(&self, expr: &Expr) -> bool {
        if self.is_kept(expr) {
            return false;
        }
        let is_open = |set: &SetId| self.is_open(*set);
        if let ExprKind::Reduce { letters, body, .. } = &expr.kind {
            let mut sets = letters.iter().map(|letter| self.set_of(*letter));
            return sets.any(|set| self.is_open(set)) || self.mixes(body);
        }
        let is_whole = |argument: &Expr| argument.axes.iter().any(is_open);
        match &expr.kind {
            ExprKind::Call { arguments, .. } => {
                let is_number = expr.axes.is_empty();
                is_number && arguments.iter().any(is_whole)
                    || arguments.iter().any(|part| self.mixes(part))
            }
            ExprKind::Unary { operand, .. } => self.mixes(operand),
            ExprKind::Binary { left, right, .. } => {
                let contracts = expr.axes.len() < left.axes.len().max(right.axes.len());
                contracts && (is_whole(left) || is_whole(right))
                    || self.mixes(left)
                    || self.mixes(right)
            }
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => [condition, if_true, if_false]
                .into_iter()
                .any(|part| self.mixes(part)),
            _ => false,
        }
    }

    /// Whether an expression reduces over rows or levels.
    fn mixes_rows(&self, expr: &Expr) -> bool {
        let mut mixes = false;
        usage::visit(expr, &mut |part| {
            if let ExprKind::Reduce { letters, .. } = &part.kind {
                mixes |= letters
                    .iter()
                    .any(|letter| !self.is_fixed(self.set_of(*letter)));
            }
        });
        mixes
    }

    /// Whether an expression reduces data within groups.
    pub(super) fn reduces_groups(&self, expr: &Expr) -> bool {
        self.mixes_rows(expr) && !self.is_kept_within(expr)
    }

    /// Whether every reduction of an expression is kept on its own.
    fn is_kept_within(&self, expr: &Expr) -> bool {
        if let ExprKind::Reduce { .. } = expr.kind {
            return self.is_kept(expr);
        }
        let mut is_kept = true;
        usage::visit(expr, &mut |part| {
            if let ExprKind::Reduce { .. } = part.kind {
                is_kept &= self.is_kept(part);
            }
        });
        is_kept
    }

    /// Whether a set can have other elements than in the fit.
    pub(super) fn is_open(&self, set: SetId) -> bool {
        match &self.model.sets[set.0].kind {
            SetKind::Fixed(_) => false,
            SetKind::Levels { order, .. } => order.is_none(),
            SetKind::Rows | SetKind::Combinations { .. } => true,
        }
    }

    pub(super) fn is_over_rows(&self, name: NameId) -> bool {
        let mut axes = self.name(name).axes.iter();
        axes.any(|set| matches!(self.model.sets[set.0].kind, SetKind::Rows))
    }

    /// Whether a name can have other elements than in the fit, or others than the fit's are wanted.
    pub(super) fn grows(&self, name: NameId) -> bool {
        let axes = &self.name(name).axes;
        axes.iter().any(|set| self.is_open(*set)) || self.is_without(name)
    }

    pub(super) fn is_without(&self, name: NameId) -> bool {
        let without = self.prediction.iter().flat_map(|wanted| &wanted.without);
        let mut without = without;
        without.any(|set| self.name(name).axes.contains(set))
    }

    /// Whether every element of a name is at the location of its prior.
    pub(super) fn is_left_at_location(&self, name: NameId) -> bool {
        let mut priors = (self.model.statements.iter())
            .filter(|statement| usage::left_name(statement) == Some(name));
        self.is_without(name)
            && priors.all(|statement| match &statement.kind {
                StatementKind::Draw { distribution, .. } => {
                    families::location(distribution).is_some()
                }
                _ => true,
            })
    }

    /// Whether new elements of a name can be drawn: it has priors, and no constraint beyond theirs.
    pub(super) fn is_drawn(&self, name: NameId) -> bool {
        let has_prior = self.model.statements.iter().any(|statement| {
            usage::left_name(statement) == Some(name)
                && matches!(
                    &statement.kind,
                    StatementKind::Draw { purpose: Purpose::Prior(_), distribution, .. } if self.can_draw(distribution)
                )
        });
        let declared = &self.name(name).declared;
        let is_constrained = declared.as_ref().is_some_and(|declared| {
            declared.base.is_constrained() || declared.bounds != Bounds::None
        });
        let has_factor = self.model.statements.iter().any(|statement| {
            let is_factor = matches!(
                &statement.kind,
                StatementKind::Draw {
                    purpose: Purpose::Factor,
                    ..
                }
            );
            let reads = statement.read().into_iter();
            is_factor && reads.flat_map(usage::names_in).any(|own| own == name)
        });
        has_prior && !is_constrained && !has_factor && !self.is_joint(name)
    }
}
