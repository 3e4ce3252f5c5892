//! Subscripts (R4): letters and their terms, lags, labels, maps, first and last elements.

use super::Resolver;
use super::gather::lone_name;
use crate::diag::{Code, Diagnostic};
use crate::equation::closure::Scope;
use crate::equation::tree::{Expr, ExprKind, LetterId, NameId, Order, SetId, SetKind, Subscript};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Index, UnaryOp};
use crate::syntax::format_expression;

/// A subscript to be resolved: whose it is and what stands there.
#[derive(Clone, Copy)]
pub(super) struct Position<'e> {
    /// The name with its brackets, for messages.
    pub whole: &'e ast::Expr,
    /// The set of the dimension.
    pub set: Option<SetId>,
}

impl Resolver<'_> {
    /// The subscripts behind a name.
    pub(super) fn subscripts(
        &mut self,
        name: NameId,
        whole: &ast::Expr,
        indices: &[Index],
        scope: &Scope,
    ) -> Option<Vec<Subscript>> {
        let axes = self.model.names[name.0].axes.clone();
        let mut subscripts = Some(Vec::new());
        for (place, index) in indices.iter().enumerate() {
            let set = axes.get(place).copied();
            let position = Position { whole, set };
            match (self.index(index, position, scope), &mut subscripts) {
                (Some(subscript), Some(found)) => found.push(subscript),
                _ => subscripts = None,
            }
        }
        subscripts
    }

    fn index(&mut self, index: &Index, position: Position, scope: &Scope) -> Option<Subscript> {
        match index {
            Index::All => Some(Subscript::All),
            Index::Single(element) => self.element(element, position, scope),
            Index::Range { lower, upper } => {
                let mut end = |end: &Option<ast::Expr>| match end {
                    None => Some(None),
                    Some(end) => {
                        let element = self.element(end, position, scope)?;
                        Some(Some(Box::new(element)))
                    }
                };
                let (lower, upper) = (end(lower), end(upper));
                Some(Subscript::Range {
                    lower: lower?,
                    upper: upper?,
                })
            }
        }
    }

    /// One element of a set.
    pub(super) fn element(
        &mut self,
        element: &ast::Expr,
        position: Position,
        scope: &Scope,
    ) -> Option<Subscript> {
        match &element.kind {
            ast::ExprKind::Variable(name) => match self.letters.get(name.as_str()) {
                Some(letter) => self.term(*letter, element.span, position, scope),
                None => self.bare_label(name, element.span, position),
            },
            ast::ExprKind::Int(value) => {
                self.number_label(i64::from(*value), element.span, position)
            }
            ast::ExprKind::Unary {
                operator: UnaryOp::Negate,
                operand,
            } if matches!(operand.kind, ast::ExprKind::Int(_)) => {
                let ast::ExprKind::Int(value) = operand.kind else {
                    return None;
                };
                self.number_label(-i64::from(value), element.span, position)
            }
            ast::ExprKind::Text(text) => self.label(text, element.span, position),
            ast::ExprKind::Call {
                function,
                arguments,
                ..
            } => self.end_of_set(element, &function.name, arguments),
            ast::ExprKind::Index { indices, .. } => {
                let column = lone_name(element).and_then(|lone| self.names.get(lone.name).copied());
                match (column, indices.as_slice()) {
                    (Some(column), [Index::Single(inner)])
                        if self.model.names[column.0].levels_of.is_some() =>
                    {
                        let set = self.model.names[column.0].axes.first().copied();
                        let inside = Position {
                            whole: element,
                            set,
                        };
                        Some(Subscript::Map {
                            column,
                            of: Box::new(self.element(inner, inside, scope)?),
                        })
                    }
                    _ => self.no_subscript(element, "its values are no levels of an index"),
                }
            }
            ast::ExprKind::Binary {
                operator: operator @ (BinaryOp::Add | BinaryOp::Subtract),
                left,
                right,
            } => {
                let of = self.element(left, position, scope)?;
                self.check_steps(&of, element)?;
                let by = self.steps(right, *operator == BinaryOp::Subtract, scope)?;
                Some(Subscript::Shift {
                    of: Box::new(of),
                    by: Box::new(by),
                })
            }
            _ => self.no_subscript(element, "this names no element"),
        }
    }

    fn no_subscript<T>(&mut self, element: &ast::Expr, why: &str) -> Option<T> {
        let title = format!("`{}` is not a subscript", format_expression(element));
        self.push(
            Diagnostic::error(Code::BadSubscript, title, element.span, why).with_note(
                "A subscript is a letter, a letter plus or minus a lag, a label, a column of levels such as `country[i]`, \
                 `first(t)` or `last(t)`.",
            ),
        );
        None
    }

    /// The term that a letter stands for, if it is usable.
    fn term(
        &mut self,
        letter: LetterId,
        span: Span,
        position: Position,
        scope: &Scope,
    ) -> Option<Subscript> {
        let terms = scope.terms(&self.model, letter);
        match terms.as_slice() {
            [term] => Some(term.clone()),
            [] => {
                self.report_not_determined(letter, span, position.whole, scope);
                None
            }
            [first, ..] => {
                let name = self.model.letters[letter.0].name.clone();
                let ways: Vec<String> = terms
                    .iter()
                    .map(|term| format!("`{}`", self.model.term_text(term)))
                    .collect();
                let title = format!("`{name}` is reached by {}", ways.join(" and by "));
                let whole = lone_name(position.whole).map_or("…", |lone| lone.name);
                let hint = format!("write `{whole}[{}]`", self.model.term_text(first));
                self.push(Diagnostic::error(Code::SeveralWays, title, span, "").with_hint(hint));
                None
            }
        }
    }

    fn report_not_determined(
        &mut self,
        letter: LetterId,
        span: Span,
        whole: &ast::Expr,
        scope: &Scope,
    ) {
        let found = &self.model.letters[letter.0];
        let name = found.name.clone();
        let noun = self.model.noun(found.set);
        let many = if noun == name {
            format!("many {name}")
        } else {
            format!("many {name} (`{noun}`)")
        };
        let left = match &self.left {
            Some(left) => format!("`{left}`"),
            None => String::from("this line"),
        };
        let mut nouns: Vec<String> = Vec::new();
        for free in &scope.free {
            let noun = self.model.noun(self.model.letters[free.0].set);
            if !nouns.contains(&noun) {
                nouns.push(noun);
            }
        }
        let title = if nouns.is_empty() {
            format!("{left} has one value, but there are {many}")
        } else {
            let one = nouns.join(" and ");
            format!("{left} has one value per {one}, but one {one} has {many}")
        };
        let hint = format!(
            "put `{name}` on the left, or reduce: `mean[{name}]({})`",
            format_expression(whole)
        );
        self.push(Diagnostic::error(Code::NotDetermined, title, span, "").with_hint(hint));
    }

    fn end_of_set(
        &mut self,
        element: &ast::Expr,
        function: &str,
        arguments: &[ast::Expr],
    ) -> Option<Subscript> {
        let letter = match arguments {
            [argument] => match &argument.kind {
                ast::ExprKind::Variable(name) => self.letters.get(name.as_str()),
                _ => None,
            },
            _ => None,
        };
        let set = letter.map(|letter| self.model.letters[letter.0].set);
        match (function, set) {
            ("first", Some(set)) => Some(Subscript::First(set)),
            ("last", Some(set)) => Some(Subscript::Last(set)),
            _ => self.no_subscript(element, ""),
        }
    }

    // Labels.

    fn bare_label(&mut self, name: &str, span: Span, position: Position) -> Option<Subscript> {
        let set = self.labelled_set(span, position)?;
        if self.model.listed_labels(set).contains(&name) {
            return Some(Subscript::Label {
                set,
                label: name.to_owned(),
            });
        }
        let title = format!("`{name}` is neither an index nor a label that the file lists");
        let near = super::nearest(
            name,
            (self.letters.keys().copied()).chain(self.model.listed_labels(set)),
        );
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("a level of the data stands in quotation marks: `\"{name}\"`"),
        };
        self.push(Diagnostic::error(Code::BadSubscript, title, span, "").with_hint(hint));
        None
    }

    fn labelled_set(&mut self, span: Span, position: Position) -> Option<SetId> {
        if position.set.is_none() && !crate::diag::any_error(&self.diagnostics) {
            self.error(
                Code::BadSubscript,
                "nothing says which set this label is of",
                span,
                "",
            );
        }
        position.set
    }

    fn label(&mut self, text: &str, span: Span, position: Position) -> Option<Subscript> {
        let set = self.labelled_set(span, position)?;
        let letter = self.model.sets[set.0].name.clone();
        let listed = self.model.listed_labels(set);
        let refusal = match &self.model.sets[set.0].kind {
            SetKind::Rows => Some(format!("the rows of `{letter}` have numbers, not labels")),
            SetKind::Combinations { .. } => {
                Some(format!("the combinations of `{letter}` have no labels"))
            }
            SetKind::Fixed(Order::Range(..)) => {
                Some(format!("the elements of `{letter}` are numbers"))
            }
            SetKind::Levels { .. } | SetKind::Fixed(Order::Labels(_)) => {
                let missing = !listed.is_empty() && !listed.contains(&text);
                missing.then(|| format!("`{text}` is not among the labels of `{letter}`"))
            }
        };
        match refusal {
            None => Some(Subscript::Label {
                set,
                label: text.to_owned(),
            }),
            Some(title) => {
                self.error(Code::BadSubscript, title, span, "");
                None
            }
        }
    }

    /// An integer: a label, or the number of a row; never a position.
    fn number_label(&mut self, value: i64, span: Span, position: Position) -> Option<Subscript> {
        let set = self.labelled_set(span, position)?;
        let letter = self.model.sets[set.0].name.clone();
        let text = value.to_string();
        let listed = self.model.listed_labels(set);
        let refusal = match &self.model.sets[set.0].kind {
            SetKind::Rows => (value < 1).then(|| String::from("rows count from 1")),
            SetKind::Combinations { .. } => {
                Some(format!("the combinations of `{letter}` have no numbers"))
            }
            SetKind::Levels {
                order: Some(Order::Range(from, to)),
                ..
            }
            | SetKind::Fixed(Order::Range(from, to)) => {
                let below = from.constant().is_some_and(|from| value < from);
                let above = to.constant().is_some_and(|to| value > to);
                (below || above)
                    .then(|| format!("{value} is outside of {}", self.model.set_text(set)))
            }
            SetKind::Levels { .. } | SetKind::Fixed(Order::Labels(_)) => {
                let missing = !listed.is_empty() && !listed.contains(&text.as_str());
                missing.then(|| {
                    format!(
                        "{value} is not among the labels of `{letter}`: {}",
                        listed.join(", ")
                    )
                })
            }
        };
        match refusal {
            None => Some(Subscript::Label { set, label: text }),
            Some(title) => {
                self.push(
                    Diagnostic::error(Code::BadSubscript, title, span, "")
                        .with_note("An integer in a subscript is a label, never a position."),
                );
                None
            }
        }
    }

    // Lags.

    /// Refuses lags over sets without an order.
    fn check_steps(&mut self, of: &Subscript, element: &ast::Expr) -> Option<()> {
        let Some(set) = self.model.set_of(of) else {
            return self.no_subscript(element, "");
        };
        let letter = self.model.sets[set.0].name.clone();
        let why = match (&self.model.sets[set.0].kind, of) {
            (SetKind::Combinations { .. }, _) => "combinations have no order",
            (SetKind::Fixed(Order::Labels(_)), _) => "labels have no order",
            (_, Subscript::Label { .. }) => return self.no_subscript(element, ""),
            _ => return Some(()),
        };
        let title = format!("`{letter}` cannot be lagged: {why}");
        self.push(
            Diagnostic::error(Code::LevelOrder, title, element.span, "").with_hint(
                "lags need rows, a range such as `1:20`, or integer levels: `index t = week[i] in 1:20`",
            ),
        );
        None
    }

    /// By how much a lag goes: an integer, integer data, or the value of a range letter, with its sign.
    fn steps(&mut self, steps: &ast::Expr, backwards: bool, scope: &Scope) -> Option<Expr> {
        let span = steps.span;
        let value = match &steps.kind {
            ast::ExprKind::Int(value) => {
                let value = if backwards { -value } else { *value };
                return Some(Expr::new(ExprKind::Int(value), span));
            }
            ast::ExprKind::Variable(name) if self.letters.contains_key(name.as_str()) => {
                let letter = self.letters[name.as_str()];
                let set = self.model.letters[letter.0].set;
                let is_range = matches!(
                    self.model.sets[set.0].kind,
                    SetKind::Fixed(Order::Range(..))
                );
                if !is_range || !scope.free.contains(&letter) {
                    return self.no_subscript(
                        steps,
                        "only a letter over a range has a value, and only where it is free",
                    );
                }
                Expr::new(ExprKind::LetterValue(letter), span)
            }
            _ => {
                let value = self.expression(steps, scope)?;
                let is_data = match &value.kind {
                    ExprKind::Name { name, .. } => self.is_data(*name),
                    _ => false,
                };
                if !is_data {
                    return self.no_subscript(
                        steps,
                        "a lag is an integer, integer data or a range letter",
                    );
                }
                value
            }
        };
        if !backwards {
            return Some(value);
        }
        Some(Expr::new(
            ExprKind::Unary {
                operator: UnaryOp::Negate,
                operand: Box::new(value),
            },
            span,
        ))
    }
}
