//! Checks that refuse shapes that nobody meant (3b): left-out indices, products over rows, sums of different units.

use super::unify::Unified;
use super::{Axes, Shapes};
use crate::diag::{Code, Diagnostic};
use crate::equation::families::{Family, Place};
use crate::equation::tree::{Expr, ExprKind, NameId, Order, Role, SetId, SetKind, StatementKind};
use crate::syntax::ast::BinaryOp;

impl Shapes<'_> {
    /// A trailing row or level index may be left out only if all are, or in a place for vectors alone.
    pub(super) fn check_left_out(&self) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for node in &self.nodes {
            let Some(expr) = node.expr else { continue };
            let ExprKind::Name { name, subscripts } = &expr.kind else {
                continue;
            };
            let found = &self.model.names[name.0];
            let Some(left_out) = found.axes[..found.shown].get(subscripts.len()..) else {
                continue;
            };
            let over_levels = left_out.iter().any(|set| !self.model.is_fixed(*set));
            if subscripts.is_empty() || !over_levels || node.vector_only {
                continue;
            }
            let here = self.model.expr_text(expr);
            let all = self.model.axes_text(&found.axes[..found.shown]);
            let given = self.model.axes_text(&found.axes[..subscripts.len()]);
            let title = format!("`{}` has indices [{given}] here, [{all}] there", found.name);
            faults.push(
                Diagnostic::error(Code::IndexMismatch, title, expr.span, "")
                    .with_secondary(found.span, "there")
                    .with_hint(format!(
                        "write all of its indices, or reduce over the others: `{here}` would be a vector"
                    )),
            );
        }
        faults
    }

    /// Vectors are multiplied only over sets that the file spells out.
    pub(super) fn check_products(&self, unified: &Unified) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for relation in &self.relations {
            if !matches!(relation.axes, Axes::Product) {
                continue;
            }
            let [left, right, _] = relation.members[..] else {
                continue;
            };
            let (Some(inner), Some(outer)) =
                (unified.nodes[left].last(), unified.nodes[right].first())
            else {
                continue;
            };
            let is_matrix = unified.nodes[left].len() == 2 || unified.nodes[right].len() == 2;
            let set = unified.slots.set(*inner).or(unified.slots.set(*outer));
            let Some(set) = set else { continue };
            if is_matrix || self.model.is_fixed(set) {
                continue;
            }
            let whole = [left, right].into_iter().find_map(|node| self.whole(node));
            faults.push(match whole {
                Some((name, expr)) => self.whole_name(name, expr, self.nodes[left].statement),
                None => self.product_over_rows(relation.about, set),
            });
        }
        faults.truncate(1);
        faults
    }

    fn product_over_rows(&self, node: usize, set: SetId) -> Diagnostic {
        let letter = &self.model.sets[set.0].name;
        let (text, span) = self.text_of(node);
        Diagnostic::error(
            Code::IndexMismatch,
            format!("`{text}` would multiply vectors over {letter}"),
            span,
            "",
        )
        .with_hint(format!(
            "write the index, or the sum that is meant: `sum[{letter}](…)`"
        ))
    }

    /// The name that a node consists of, if it stands without any of its row or level indices.
    pub(super) fn whole(&self, node: usize) -> Option<(NameId, &Expr)> {
        let expr = self.nodes[node].expr?;
        let ExprKind::Name { name, subscripts } = &expr.kind else {
            return None;
        };
        let found = &self.model.names[name.0];
        let over_levels = found.axes[..found.shown]
            .iter()
            .any(|set| !self.model.is_fixed(*set));
        (subscripts.is_empty() && over_levels && !self.nodes[node].vector_only)
            .then_some((*name, expr))
    }

    /// Every axis has a set.
    pub(super) fn check_bound(&self, unified: &Unified) -> Vec<Diagnostic> {
        for (position, axes) in unified.names.iter().enumerate() {
            if axes.iter().any(|axis| unified.slots.set(*axis).is_none()) {
                return vec![self.unknown_length(NameId(position))];
            }
        }
        for (position, axes) in unified.nodes.iter().enumerate() {
            if axes.iter().any(|axis| unified.slots.set(*axis).is_none()) {
                let (text, span) = self.text_of(position);
                let title = format!("how many entries has `{text}`?");
                let fault = Diagnostic::error(Code::UnknownLength, title, span, "").with_hint(
                    "give it a name with an index, in a line of its own, so that its length is known",
                );
                return vec![fault];
            }
        }
        Vec::new()
    }

    /// Hidden dimensions run over sets that the file spells out.
    pub(super) fn check_hidden(&self, unified: &Unified) -> Vec<Diagnostic> {
        for (position, axes) in unified.names.iter().enumerate() {
            let name = &self.model.names[position];
            // Matrices of a joint distribution over rows are meant: a covariance over sites.
            let is_vector = axes.len() == name.shown + 1;
            let sets = axes[name.shown..]
                .iter()
                .filter_map(|axis| unified.slots.set(*axis));
            for set in sets {
                if !is_vector || self.model.is_fixed(set) {
                    continue;
                }
                let letter = &self.model.sets[set.0].name;
                let shown = self.model.axes_text(&name.axes[..name.shown]);
                let written = if shown.is_empty() {
                    format!("{}[{letter}]", name.name)
                } else {
                    format!("{}[{shown}, {letter}]", name.name)
                };
                let title = format!("`{}` would be a vector over {letter}", name.name);
                let fault = Diagnostic::error(Code::IndexMismatch, title, name.span, "").with_hint(
                    format!("if that is meant, write its index: `{written}`; if not, some name there lacks its own"),
                );
                return vec![fault];
            }
        }
        Vec::new()
    }

    /// One number is not added to, nor the location of, a vector over labels: they have different units.
    pub(super) fn check_units(&self, unified: &Unified) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        for relation in &self.relations {
            let pair = self.sum(relation.about).or_else(|| self.location(relation));
            for (one, other) in pair.into_iter().flatten() {
                for (number, vector) in [(one, other), (other, one)] {
                    let (0, [axis]) = (
                        unified.nodes[number].len(),
                        unified.nodes[vector].as_slice(),
                    ) else {
                        continue;
                    };
                    let set = unified.slots.set(*axis).filter(|set| self.has_labels(*set));
                    if let (Some(set), Some(fault)) = (set, self.scalar_unknown(number)) {
                        faults.push(self.one_number(fault, set));
                    }
                }
            }
        }
        faults.dedup();
        faults
    }

    fn has_labels(&self, set: SetId) -> bool {
        matches!(
            self.model.sets[set.0].kind,
            SetKind::Fixed(Order::Labels(_))
        )
    }

    /// The operands of a sum.
    fn sum(&self, node: usize) -> Option<Vec<(usize, usize)>> {
        let ExprKind::Binary {
            operator: BinaryOp::Add | BinaryOp::Subtract,
            ..
        } = &self.nodes[node].expr?.kind
        else {
            return None;
        };
        let relation = self
            .relations
            .iter()
            .find(|relation| relation.about == node && relation.members.len() == 3)?;
        Some(vec![(relation.members[0], relation.members[1])])
    }

    /// A variate and the arguments that are its location.
    fn location(&self, relation: &super::Relation) -> Option<Vec<(usize, usize)>> {
        let statement = &self.model.statements[self.nodes[relation.about].statement];
        let StatementKind::Draw {
            variate,
            distribution,
            ..
        } = &statement.kind
        else {
            return None;
        };
        let is_statement = self.nodes[relation.about]
            .expr
            .is_some_and(|expr| std::ptr::eq(expr, variate))
            && relation.members.len() > 1
            && !matches!(relation.axes, Axes::OfName { .. });
        let family = Family::named(distribution).filter(|_| is_statement)?;
        let places = family.places.iter().zip(relation.members.get(1..)?);
        let locations = places.filter(|(place, _)| **place == Place::Location);
        Some(
            locations
                .map(|(_, member)| (*member, relation.members[0]))
                .collect(),
        )
    }

    /// The unknown that makes an expression one number.
    fn scalar_unknown(&self, node: usize) -> Option<(NameId, &Expr)> {
        let mut found = None;
        self.nodes[node].expr?.visit(&mut |part| {
            if let ExprKind::Name { name, .. } = &part.kind
                && matches!(
                    self.model.names[name.0].role,
                    Role::Unknown | Role::Definition(_)
                )
                && found.is_none()
            {
                found = Some((*name, part));
            }
        });
        found
    }

    fn one_number(&self, (name, expr): (NameId, &Expr), set: SetId) -> Diagnostic {
        let found = &self.model.names[name.0];
        let mut shown = self.model.axes_text(&found.axes[..found.shown]);
        if !shown.is_empty() {
            shown.push_str(", ");
        }
        let letter = &self.model.sets[set.0].name;
        let title = format!(
            "`{}` is one number, but {} needs one each",
            found.name,
            self.model.set_text(set)
        );
        Diagnostic::error(Code::IndexMismatch, title, expr.span, "")
            .with_hint(format!("write `{}[{shown}{letter}]`", found.name))
    }
}
