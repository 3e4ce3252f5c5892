//! Items of the equation form: what domains and left sides, read as expressions, turn out to be.

use super::{Builder, old_assignment};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::*;
use crate::syntax::equation::*;

// Statements and declarations.
impl Builder<'_> {
    /// A word as type of an unknown, without sizes.
    pub fn declared_type(
        &mut self,
        base: BaseType,
        bounds: Option<Bounds>,
        span: Span,
    ) -> DeclaredType {
        let bounds = bounds.unwrap_or_default();
        self.verify_bounds(base, &bounds, span);
        DeclaredType { base, bounds, span }
    }

    /// The left sides of `~`: any expressions, whose names are tested if they are new ones.
    pub fn variates(&mut self, variates: Vec<Expr>) -> Vec<Expr> {
        for variate in &variates {
            if let Some(term) = to_term(variate.clone()) {
                self.new_name(term.name);
            }
        }
        variates
    }

    /// `left = value`, where one term must stand on the left.
    pub fn define(
        &mut self,
        declared: Option<DeclaredType>,
        mut left: Vec<Expr>,
        written: Span,
        value: Expr,
    ) -> Option<ItemKind> {
        let (Some(expr), true) = (left.pop(), left.is_empty()) else {
            let found = Diagnostic::error(
                Code::NotAssignable,
                "`=` defines one name",
                written,
                "several names",
            );
            self.report(found.with_hint("Write a line for each, or join them with `where`."));
            return None;
        };
        let is_bare = expr.span == written;
        match to_term(expr).filter(|_| is_bare) {
            Some(mut term) => {
                term.name = self.new_name(term.name);
                Some(ItemKind::Define {
                    declared,
                    term,
                    value,
                })
            }
            None => {
                self.report(
                    Diagnostic::error(
                        Code::NotAssignable,
                        "this cannot be defined",
                        written,
                        "not a name",
                    )
                    .with_hint(
                        "Left of `=` stands a name with its indices, as in `beta[j, k] = …`.",
                    ),
                );
                None
            }
        }
    }

    /// `param x[j], y` or `ordered mu[k]`
    pub fn declare(
        &mut self,
        declared: Option<DeclaredType>,
        written: Vec<Expr>,
        span: Span,
    ) -> Option<ItemKind> {
        let terms: Option<Vec<Term>> = written.into_iter().map(to_term).collect();
        let Some(mut terms) = terms else {
            self.report(
                Diagnostic::error(
                    Code::UnexpectedToken,
                    "only names are declared",
                    span,
                    "expected names with their indices",
                )
                .with_hint("As in `param x[j]`. A value is given with `=`, a prior with `~`."),
            );
            return None;
        };
        for term in &mut terms {
            term.name = self.new_name(term.name.clone());
        }
        Some(ItemKind::Declare { declared, terms })
    }

    /// `x[i] += e`
    pub fn increment_of_a_name(&mut self, written: Span) -> Option<ItemKind> {
        let name = self.sources.snippet(written);
        let found = Diagnostic::error(
            Code::NotAssignable,
            format!("nothing can be added to `{name}`"),
            written,
            "only `target` grows",
        );
        self.report(
            found.with_hint(
                "A name is defined once, with `=`. A sum over a letter is `sum[i](x[i])`.",
            ),
        );
        None
    }

    /// A line that is an expression and nothing more.
    pub fn lone_expression(&mut self, values: Vec<Expr>, span: Span) -> Option<ItemKind> {
        let arrow = values.first().and_then(|value| {
            let found = old_assignment(&value.kind, self.sources)?;
            Some(found.with_hint("To define, write `=`."))
        });
        let found = arrow.unwrap_or_else(|| {
            let found = Diagnostic::error(
                Code::UnexpectedToken,
                "an expression alone says nothing about the model",
                span,
                "expected `~` or `=` behind it",
            );
            let text = self.sources.snippet(span);
            match values.first().map(|value| &value.kind) {
                Some(ExprKind::Binary {
                    operator: BinaryOp::Equal,
                    ..
                }) => found.with_hint("`==` compares. To define, write `=`."),
                Some(ExprKind::Index { base, .. })
                    if base.kind == ExprKind::Variable("T".to_owned()) =>
                {
                    found.with_hint("A truncation ends the line of its distribution.")
                }
                Some(ExprKind::Variable(_) | ExprKind::Index { .. }) => {
                    found.with_hint(format!("An unknown without a prior is `param {text}`."))
                }
                Some(ExprKind::Call { bar: true, .. }) => {
                    found.with_hint(format!("A term of the log density is `target += {text}`."))
                }
                _ => found,
            }
        });
        self.report(found);
        None
    }
}

// Index sets.
impl Builder<'_> {
    /// `index letter = domain`
    pub fn index(
        &mut self,
        letter: Identifier,
        mut domain: Vec<Expr>,
        written: Span,
    ) -> Option<ItemKind> {
        if domain.len() > 1 {
            let maps = self.maps(domain)?;
            return Some(levels(letter, maps, None));
        }
        let expr = domain.pop()?;
        let is_bare = expr.span == written;
        let domain = match expr.kind {
            ExprKind::Array(_) => Domain::Set(LevelOrder::Labels(self.labels(expr)?)),
            ExprKind::Tuple(parts) => Domain::Combinations(self.keys(parts)?),
            // The tree keeps no parentheses: their place alone tells `(s)` from `s`.
            _ if !is_bare => Domain::Combinations(self.keys(vec![expr])?),
            ExprKind::Variable(name) => Domain::Same(Identifier {
                name,
                span: expr.span,
            }),
            _ => Domain::Levels {
                maps: self.maps(vec![expr])?,
                order: None,
            },
        };
        Some(ItemKind::Index {
            letter,
            domain: Some(domain),
        })
    }

    /// `index letter = columns in order`
    pub fn ordered_index(
        &mut self,
        letter: Identifier,
        columns: Vec<Expr>,
        order: Option<LevelOrder>,
    ) -> Option<ItemKind> {
        let maps = self.maps(columns)?;
        Some(levels(letter, maps, Some(order?)))
    }

    fn maps(&mut self, columns: Vec<Expr>) -> Option<Vec<Map>> {
        let mut maps = Vec::with_capacity(columns.len());
        for column in columns {
            let span = column.span;
            match to_map(column) {
                Some(map) => maps.push(map),
                None => {
                    self.not_an_index_set(span);
                    return None;
                }
            }
        }
        Some(maps)
    }

    fn not_an_index_set(&mut self, span: Span) {
        self.report(
            Diagnostic::error(
                Code::NotAnIndexSet,
                "this is no index set",
                span,
                "expected a column with its letter, as in `county[i]`",
            )
            .with_hint(
                "A letter ranges over the levels of columns (`home[g], away[g]`), labels \
                 (`{1, spend}`), a range (`1:3`), combinations (`(s, class[i])`) or the set of \
                 another letter (`k`).",
            ),
        );
    }

    fn keys(&mut self, parts: Vec<Expr>) -> Option<Vec<Key>> {
        let mut keys = Vec::with_capacity(parts.len());
        for part in parts {
            let span = part.span;
            keys.push(match part.kind {
                ExprKind::Variable(name) => Key::Letter(Identifier { name, span }),
                _ => match to_map(part) {
                    Some(map) => Key::Map(map),
                    None => {
                        self.report(
                            Diagnostic::error(
                                Code::NotAnIndexSet,
                                "this is no part of a combination",
                                span,
                                "expected a letter or a column with its letter",
                            )
                            .with_hint("As in `index c = (s, class[i])`."),
                        );
                        return None;
                    }
                },
            });
        }
        Some(keys)
    }

    /// `{low, mid, high}`
    pub fn labels(&mut self, set: Expr) -> Option<Vec<Label>> {
        let ExprKind::Array(elements) = set.kind else {
            self.report(
                Diagnostic::error(
                    Code::NotAnIndexSet,
                    "the levels are not spelled out",
                    set.span,
                    "expected labels in braces, or a range",
                )
                .with_hint("As in `in {low, mid, high}` or `in 1:52`."),
            );
            return None;
        };
        let mut labels = Vec::with_capacity(elements.len());
        for element in elements {
            labels.push(self.label(element)?);
        }
        Some(labels)
    }

    fn label(&mut self, element: Expr) -> Option<Label> {
        let span = element.span;
        let (text, is_integer) = match element.kind {
            ExprKind::Variable(name) => (name, false),
            ExprKind::Text(text) => (text, false),
            ExprKind::Int(_) => (self.sources.snippet(span).replace('_', ""), true),
            _ => {
                let written = self.sources.snippet(span);
                let hint = format!("Any other label stands in quotation marks: `\"{written}\"`.");
                self.report(
                    Diagnostic::error(
                        Code::NotAnIndexSet,
                        "this is no label",
                        span,
                        "expected a name or a whole number",
                    )
                    .with_hint(hint),
                );
                return None;
            }
        };
        Some(Label {
            text,
            is_integer,
            span,
        })
    }
}

fn levels(letter: Identifier, maps: Vec<Map>, order: Option<LevelOrder>) -> ItemKind {
    ItemKind::Index {
        letter,
        domain: Some(Domain::Levels { maps, order }),
    }
}

/// The expression as a name with at most one pair of brackets, if it is that.
fn to_term(expr: Expr) -> Option<Term> {
    let span = expr.span;
    match expr.kind {
        ExprKind::Variable(name) => Some(Term {
            name: Identifier { name, span },
            subscripts: Vec::new(),
            span,
        }),
        ExprKind::Index { base, indices } => match base.kind {
            ExprKind::Variable(name) if base.span.start == span.start => Some(Term {
                name: Identifier {
                    name,
                    span: base.span,
                },
                subscripts: indices,
                span,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// The expression as a column with its letter, `county[i]`, if it is that.
fn to_map(expr: Expr) -> Option<Map> {
    let mut term = to_term(expr)?;
    let (Some(Index::Single(only)), true) = (term.subscripts.pop(), term.subscripts.is_empty())
    else {
        return None;
    };
    let ExprKind::Variable(letter) = only.kind else {
        return None;
    };
    Some(Map {
        column: term.name,
        letter: Identifier {
            name: letter,
            span: only.span,
        },
    })
}
