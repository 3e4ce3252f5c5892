//! What items mention: which names, with which subscripts. Read from the syntax tree, before anything is resolved.

use super::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::equation::tree::{NameId, Role, SetId};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, ExprKind, Index};
use crate::syntax::equation::{Domain, ItemKind, LevelOrder};

/// A name where it is mentioned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mention<'a> {
    /// The name as written.
    pub name: &'a str,
    /// Its subscripts.
    pub subscripts: &'a [Index],
    /// Where.
    pub span: Span,
}

/// The mentions of an item.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemUses<'a> {
    /// The names that stand alone on its left.
    pub left: Vec<Mention<'a>>,
    /// Those that it reads: on the right, in a factor on the left, or in a subscript.
    pub right: Vec<Mention<'a>>,
    /// Whether it draws random numbers (`normal_rng`).
    pub is_random: bool,
}

impl<'a> Resolver<'a> {
    /// Notes what every item mentions, and finds the indices of every name from it.
    pub(super) fn gather(&mut self) {
        let program = self.program;
        for item in &program.items {
            let uses = self.item_uses(&item.kind);
            self.uses.push(uses);
        }
        self.find_axes();
    }

    fn item_uses(&self, item: &'a ItemKind) -> ItemUses<'a> {
        let mut uses = ItemUses::default();
        match item {
            ItemKind::Index { domain, .. } => {
                if let Some(
                    Domain::Set(LevelOrder::Range(from, to))
                    | Domain::Levels {
                        order: Some(LevelOrder::Range(from, to)),
                        ..
                    },
                ) = domain
                {
                    self.mentions(from, &mut uses);
                    self.mentions(to, &mut uses);
                }
            }
            ItemKind::Data(_) => {}
            ItemKind::Declare { declared, terms } => {
                for term in terms {
                    self.left_mention(&term.name.name, &term.subscripts, term.span, &mut uses);
                }
                self.type_mentions(declared.as_ref(), &mut uses);
            }
            ItemKind::Draw {
                declared,
                variates,
                arguments,
                truncation,
                ..
            } => {
                for variate in variates {
                    match lone_name(variate) {
                        Some(mention) => {
                            let Mention {
                                name,
                                subscripts,
                                span,
                            } = mention;
                            self.left_mention(name, subscripts, span, &mut uses);
                        }
                        None => self.mentions(variate, &mut uses),
                    }
                }
                self.type_mentions(declared.as_ref(), &mut uses);
                let bounds = truncation.iter().flat_map(|cut| [&cut.lower, &cut.upper]);
                for expr in arguments.iter().chain(bounds.flatten()) {
                    self.mentions(expr, &mut uses);
                }
            }
            ItemKind::Define {
                declared,
                term,
                value,
            } => {
                self.left_mention(&term.name.name, &term.subscripts, term.span, &mut uses);
                self.type_mentions(declared.as_ref(), &mut uses);
                self.mentions(value, &mut uses);
            }
            ItemKind::Target { value, .. } => self.mentions(value, &mut uses),
        }
        uses
    }

    fn left_mention(
        &self,
        name: &'a str,
        subscripts: &'a [Index],
        span: Span,
        uses: &mut ItemUses<'a>,
    ) {
        uses.left.push(Mention {
            name,
            subscripts,
            span,
        });
        for index in subscripts {
            self.index_mentions(index, uses);
        }
    }

    fn type_mentions(
        &self,
        declared: Option<&'a crate::syntax::equation::DeclaredType>,
        uses: &mut ItemUses<'a>,
    ) {
        let Some(declared) = declared else { return };
        let (ast::Bounds::Interval {
            lower: first,
            upper: second,
        }
        | ast::Bounds::Affine {
            offset: first,
            multiplier: second,
        }) = &declared.bounds
        else {
            return;
        };
        for bound in [first, second].into_iter().flatten() {
            self.mentions(bound, uses);
        }
    }

    fn mentions(&self, expr: &'a ast::Expr, uses: &mut ItemUses<'a>) {
        if let Some(mention) = lone_name(expr) {
            for index in mention.subscripts {
                self.index_mentions(index, uses);
            }
            // A letter that stands where a number belongs is reported when its statement is resolved.
            if !self.letters.contains_key(mention.name) {
                uses.right.push(mention);
            }
            return;
        }
        if let ExprKind::Index { indices, .. } = &expr.kind {
            for index in indices {
                self.index_mentions(index, uses);
            }
        }
        if let ExprKind::Call {
            function,
            arguments,
            ..
        } = &expr.kind
        {
            uses.is_random |= function.name.ends_with("_rng");
            // `size(k)`, `first(t)` and `last(t)` take letters.
            if let [argument] = arguments.as_slice()
                && let ExprKind::Variable(name) = &argument.kind
                && self.letters.contains_key(name.as_str())
            {
                return;
            }
        }
        for part in parts(expr) {
            self.mentions(part, uses);
        }
    }

    fn index_mentions(&self, index: &'a Index, uses: &mut ItemUses<'a>) {
        match index {
            Index::All => {}
            Index::Single(element) => self.element_mentions(element, uses),
            Index::Range { lower, upper } => {
                for end in [lower, upper].into_iter().flatten() {
                    self.element_mentions(end, uses);
                }
            }
        }
    }

    fn element_mentions(&self, element: &'a ast::Expr, uses: &mut ItemUses<'a>) {
        match &element.kind {
            // A letter, or a label that the file lists.
            ExprKind::Variable(_) => {}
            ExprKind::Binary {
                operator: BinaryOp::Add | BinaryOp::Subtract,
                left,
                right,
            } => {
                self.element_mentions(left, uses);
                self.mentions(right, uses);
            }
            _ => self.mentions(element, uses),
        }
    }

    /// Finds the sets of every name's shown dimensions from the subscripts that it is mentioned with (R7).
    fn find_axes(&mut self) {
        let mut axes: Vec<Vec<Option<(SetId, Span)>>> = self
            .model
            .names
            .iter()
            .map(|name| {
                let axes = name.axes.iter();
                axes.map(|axis| Some((*axis, name.span))).collect()
            })
            .collect();
        let mentions: Vec<Mention> = (self.uses.iter())
            .flat_map(|uses| uses.left.iter().chain(&uses.right))
            .copied()
            .collect();
        for mention in mentions {
            let Some(&name) = self.names.get(mention.name) else {
                continue;
            };
            self.note_axes(name, mention, &mut axes[name.0]);
        }
        for (position, axes) in axes.into_iter().enumerate() {
            self.settle_axes(NameId(position), &axes);
        }
    }

    fn note_axes(
        &mut self,
        name: NameId,
        mention: Mention<'a>,
        axes: &mut Vec<Option<(SetId, Span)>>,
    ) {
        let is_data = self.model.names[name.0].role == Role::Data;
        if is_data && mention.subscripts.len() > axes.len() {
            let declared = self.model.axes_text(&self.model.names[name.0].axes);
            let title = format!(
                "`{}` has the indices [{declared}], but stands here with {}",
                mention.name,
                mention.subscripts.len()
            );
            let declared_at = self.model.names[name.0].span;
            self.push(
                Diagnostic::error(Code::IndexMismatch, title, mention.span, "")
                    .with_secondary(declared_at, "declared here"),
            );
            return;
        }
        if axes.len() < mention.subscripts.len() {
            axes.resize(mention.subscripts.len(), None);
        }
        for (axis, index) in axes.iter_mut().zip(mention.subscripts) {
            let Some(found) = self.index_set(index) else {
                self.check_bare(index);
                continue;
            };
            match *axis {
                None => *axis = Some((found, mention.span)),
                Some((known, _)) if known == found => {}
                Some((known, there)) => {
                    let (here, known) = (self.model.set_text(found), self.model.set_text(known));
                    let title = format!(
                        "`{}` has the index {here} here, {known} there",
                        mention.name
                    );
                    self.push(
                        Diagnostic::error(Code::IndexMismatch, title, mention.span, "here")
                            .with_secondary(there, "there"),
                    );
                }
            }
        }
    }

    /// Reports a bare name that is neither a letter nor a label of any set: a letter that nobody declared.
    fn check_bare(&mut self, index: &'a Index) {
        let Index::Single(element) = index else {
            return;
        };
        let ExprKind::Variable(name) = &element.kind else {
            return;
        };
        let sets = (0..self.model.sets.len()).map(SetId);
        let labels: Vec<&str> = sets.flat_map(|set| self.model.listed_labels(set)).collect();
        // A label, perhaps misspelt: its subscript says which set it should be of.
        let is_label = labels.contains(&name.as_str()) || super::nearest(name, labels).is_some();
        if is_label || self.undeclared.contains(&name.as_str()) {
            return;
        }
        self.undeclared.push(name);
        let letter = ast::Identifier {
            name: name.clone(),
            span: element.span,
        };
        self.letter(&letter);
    }

    fn settle_axes(&mut self, name: NameId, axes: &[Option<(SetId, Span)>]) {
        let found = &mut self.model.names[name.0];
        found.shown = axes.len();
        if axes.iter().all(Option::is_some) {
            found.axes = axes.iter().flatten().map(|(set, _)| *set).collect();
            return;
        }
        // A letter that is not declared is reason enough, and has been reported.
        if !self.undeclared.is_empty() {
            return;
        }
        let (title, span) = (
            format!("over which index does `{}` run?", found.name),
            found.span,
        );
        let hint = format!(
            "show it once with a letter, as in `{}[k]`: labels and numbers do not say which set they are of",
            found.name
        );
        self.push(Diagnostic::error(Code::UnknownLength, title, span, "").with_hint(hint));
    }

    /// The set that a subscript shows; a label alone shows none.
    fn index_set(&self, index: &Index) -> Option<SetId> {
        match index {
            Index::All => None,
            Index::Single(element) => self.element_set(element),
            Index::Range { lower, upper } => {
                let ends = [lower, upper];
                let mut ends = ends.into_iter().flatten();
                ends.find_map(|end| self.element_set(end))
            }
        }
    }

    fn element_set(&self, element: &ast::Expr) -> Option<SetId> {
        let letter_set = |name: &str| {
            let letter = self.letters.get(name)?;
            Some(self.model.letters[letter.0].set)
        };
        match &element.kind {
            ExprKind::Variable(name) => letter_set(name),
            ExprKind::Binary {
                operator: BinaryOp::Add | BinaryOp::Subtract,
                left,
                ..
            } => self.element_set(left),
            ExprKind::Call { arguments, .. } => match arguments.as_slice() {
                [argument] => self.element_set(argument),
                _ => None,
            },
            ExprKind::Index { .. } => {
                let column = self.names.get(lone_name(element)?.name)?;
                self.model.names[column.0].levels_of
            }
            _ => None,
        }
    }
}

/// The name that an expression consists of, with its subscripts if it has any.
pub(super) fn lone_name(expr: &ast::Expr) -> Option<Mention<'_>> {
    match &expr.kind {
        ExprKind::Variable(name) => Some(Mention {
            name,
            subscripts: &[],
            span: expr.span,
        }),
        ExprKind::Index { base, indices } => match &base.kind {
            ExprKind::Variable(name) => Some(Mention {
                name,
                subscripts: indices,
                span: expr.span,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// The direct parts of an expression, without what stands in brackets behind it.
pub(super) fn parts(expr: &ast::Expr) -> Vec<&ast::Expr> {
    match &expr.kind {
        ExprKind::Index { base, .. } => vec![base],
        _ => expr.parts(),
    }
}
