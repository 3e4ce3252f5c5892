//! What is said when shapes do not fit: E7, E8, E9.

use super::unify::Clash;
use super::{Ranks, Relation, Shapes, single};
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{Expr, ExprKind, NameId, SetId, StatementKind};
use crate::source::Span;

impl Shapes<'_> {
    /// No combination of ranks satisfies a relation.
    pub(super) fn contradiction(&self, relation: usize) -> Diagnostic {
        let relation = &self.relations[relation];
        let statement = self.nodes[relation.about].statement;
        // A name without its row index is the likeliest reason, near the fault or anywhere in the line.
        let near = relation.members.iter().copied();
        let near = near.filter(|member| *member < self.nodes.len());
        let anywhere = (0..self.nodes.len())
            .filter(|node| self.nodes[*node].statement == statement && !self.is_argument(*node));
        let whole = near.chain(anywhere).find_map(|node| self.whole(node));
        if let Some((name, expr)) = whole {
            return self.whole_name(name, expr, statement);
        }
        if let Some(report) = self.vector_for_number(relation) {
            return report;
        }
        let (text, span) = self.text_of(relation.about);
        let mut report = Diagnostic::error(
            Code::ShapeDoubt,
            format!("the shapes in `{text}` do not fit"),
            span,
            "",
        );
        for member in &relation.members {
            if *member >= self.nodes.len() {
                continue;
            }
            if let Some(rank) = single(self.ranks[*member]) {
                let (text, _) = self.text_of(*member);
                let what = ["a number", "a vector", "a matrix"][rank];
                report = report.with_note(format!("`{text}` is {what} here"));
            }
        }
        report
    }

    /// An outcome that is a number has an argument that is none.
    fn vector_for_number(&self, relation: &Relation) -> Option<Diagnostic> {
        let (first, arguments) = relation.members.split_first()?;
        let is_draw = *first == relation.about && single(self.ranks[*first]) == Some(0);
        if !is_draw {
            return None;
        }
        let rank = |node: &usize| single(self.ranks[*node]).unwrap_or(0);
        let argument = arguments.iter().find(|node| rank(node) > 0)?;
        let what = ["a number", "a vector", "a matrix"][rank(argument)];
        let (outcome, _) = self.text_of(*first);
        let (text, span) = self.text_of(*argument);
        let title = format!("`{outcome}` is a number, but `{text}` is {what}");
        Some(Diagnostic::error(Code::ShapeDoubt, title, span, what))
    }

    /// Whether a node is a direct argument of a function: `mean(x)` takes vectors whole.
    fn is_argument(&self, node: usize) -> bool {
        let Some(expr) = self.nodes[node].expr else {
            return false;
        };
        let statement = &self.model.statements[self.nodes[node].statement];
        let mut found = false;
        for root in statement.expressions() {
            root.visit(&mut |part| {
                if let ExprKind::Call { arguments, .. } = &part.kind {
                    found |= arguments
                        .iter()
                        .any(|argument| std::ptr::eq(argument, expr));
                }
            });
        }
        found
    }

    /// After all that was undecided became numbers, a relation fails: some of it has to be a vector.
    pub(super) fn doubt(&self, relation: usize, before: &[Ranks]) -> Diagnostic {
        let about = self.relations[relation].about;
        let mut undecided: Vec<NameId> = Vec::new();
        for member in &self.relations[relation].members {
            let Some(expr) = self.nodes.get(*member).and_then(|node| node.expr) else {
                continue;
            };
            expr.visit(&mut |part| {
                if let ExprKind::Name { name, .. } = &part.kind
                    && single(before[self.nodes.len() + name.0]).is_none()
                    && !undecided.contains(name)
                {
                    undecided.push(*name);
                }
            });
        }
        if undecided.is_empty() {
            return self.contradiction(relation);
        }
        let axis = self.wanted_axis(relation, before);
        let texts: Vec<String> = (undecided.iter())
            .map(|name| format!("`{}`", self.model.names[name.0].name))
            .collect();
        let over = match axis {
            Some(set) => format!(" over {}", self.model.set_text(set)),
            None => String::new(),
        };
        let title = match texts.as_slice() {
            [only] => format!("{only} would have to be a vector{over}, but nothing says so"),
            all => format!("either {} is a vector{over}", all.join(" or ")),
        };
        let letter = axis.map_or("p", |set| self.model.sets[set.0].name.as_str());
        let spellings: Vec<String> = undecided
            .iter()
            .map(|name| {
                let found = &self.model.names[name.0];
                let mut shown = self.model.axes_text(&found.axes[..found.shown]);
                if !shown.is_empty() {
                    shown.push_str(", ");
                }
                format!("`{}[{shown}{letter}]`", found.name)
            })
            .collect();
        let (_, span) = self.text_of(about);
        Diagnostic::error(Code::ShapeDoubt, title, span, "").with_hint(format!(
            "write {}, where it has its prior",
            spellings.join(" or ")
        ))
    }

    /// The set that a failing relation's vectors run over, from what was known before.
    fn wanted_axis(&self, relation: usize, before: &[Ranks]) -> Option<SetId> {
        let earlier = Shapes {
            model: self.model,
            nodes: self.nodes.clone(),
            relations: self.relations.clone(),
            ranks: before.to_vec(),
        };
        let unified = earlier.unified();
        let members = self.relations[relation].members.iter();
        let nodes = members.filter(|member| **member < self.nodes.len());
        let mut axes = nodes.flat_map(|node| &unified.nodes[*node]);
        axes.find_map(|axis| unified.slots.set(*axis))
    }

    /// `x` stands where one of its elements is meant.
    pub(super) fn whole_name(&self, name: NameId, expr: &Expr, statement: usize) -> Diagnostic {
        let found = &self.model.names[name.0];
        let letters: Vec<&str> = found.axes[..found.shown]
            .iter()
            .map(|set| self.letter_for(*set, statement))
            .collect();
        let title = format!(
            "`{}` is one number per {}",
            found.name,
            letters.join(" and ")
        );
        Diagnostic::error(Code::IndexMismatch, title, expr.span, "").with_hint(format!(
            "write `{}[{}]`",
            found.name,
            letters.join(", ")
        ))
    }

    /// The statement's own letter over a set, or the set's first.
    fn letter_for(&self, set: SetId, statement: usize) -> &str {
        let own = &self.model.statements[statement].letters;
        let own = own
            .iter()
            .map(|letter| &self.model.letters[letter.0])
            .find(|letter| letter.set == set);
        own.map_or(&self.model.sets[set.0].name, |letter| &letter.name)
    }

    /// Two things that are combined run over different sets.
    pub(super) fn clash(&self, clash: &Clash) -> Diagnostic {
        let relation = &self.relations[clash.relation];
        let (place, here) = clash.here;
        let there = clash.there;
        let (whole, span) = self.text_of(relation.about);
        let part = relation.members.get(place).copied();
        let part = part.filter(|node| *node < self.nodes.len() && *node != relation.about);
        let (here, there) = (self.model.set_text(here), self.model.set_text(there));
        let (title, at) = match part {
            Some(node) => {
                let (text, at) = self.text_of(node);
                (
                    format!("`{text}` runs over {here}, but the rest of its line over {there}"),
                    at,
                )
            }
            None => (
                format!("`{whole}` would run over both {there} and {here}"),
                span,
            ),
        };
        Diagnostic::error(Code::IndexMismatch, title, at, "")
    }

    pub(super) fn unknown_length(&self, name: NameId) -> Diagnostic {
        let found = &self.model.names[name.0];
        let shown = self.model.axes_text(&found.axes[..found.shown]);
        let (text, separator) = if shown.is_empty() {
            (found.name.clone(), "")
        } else {
            (format!("{}[{shown}]", found.name), ", ")
        };
        // Any set of labels will do as an example.
        let sets = (0..self.model.sets.len()).map(SetId);
        let mut fixed = sets.filter(|set| self.model.is_fixed(*set));
        let letter = fixed
            .next()
            .map_or("p", |set| self.model.sets[set.0].name.as_str());
        Diagnostic::error(
            Code::UnknownLength,
            format!("how many entries has `{text}`?"),
            found.span,
            "a vector, but nothing says over what",
        )
        .with_hint(format!(
            "write its index: `{}[{shown}{separator}{letter}]`",
            found.name
        ))
    }

    /// A node as text, with its place; for the left side of a definition, that side.
    pub(super) fn text_of(&self, node: usize) -> (String, Span) {
        let found = &self.nodes[node];
        if let Some(expr) = found.expr {
            return (self.model.expr_text(expr), expr.span);
        }
        let statement = &self.model.statements[found.statement];
        match &statement.kind {
            StatementKind::Define {
                name, subscripts, ..
            } => {
                let name = &self.model.names[name.0].name;
                (self.model.subscripted(name, subscripts), statement.span)
            }
            StatementKind::Draw { .. } | StatementKind::Target { .. } => {
                (String::from("this line"), statement.span)
            }
        }
    }
}
