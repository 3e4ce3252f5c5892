//! Where an expression is lowered: what stands for each letter there, and the statements that must run before it.

use super::build;
use super::context::Lowering;
use crate::equation::plan::InputSource;
use crate::equation::tree::{LetterId, NameId, SetId, SetKind, Subscript};
use crate::source::Span;
use crate::syntax::ast;

/// What stands for letters around an expression, and what must be computed before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// For each letter in scope the position of its element; the last entry of a letter counts.
    pub(super) terms: Vec<(LetterId, ast::Expr)>,
    /// In a statement over the rows of a long table: its column, and the row.
    pub(super) long: Option<(NameId, ast::Expr)>,
    /// Local variables that the expression needs, declared and computed.
    pub(super) prelude: Vec<ast::Stmt>,
    /// How many loops over each letter are open: an inner one gets a name of its own.
    pub(super) open: Vec<LetterId>,
}

impl Scope {
    /// A scope in which a letter is the variable of a loop.
    pub(super) fn bind(&mut self, lowering: &Lowering<'_>, letter: LetterId, span: Span) -> String {
        let depth = self.open.iter().filter(|open| **open == letter).count();
        let name = &lowering.letters[letter.0];
        let variable = match depth {
            0 => name.clone(),
            depth => format!("{}_{}", name.trim_end_matches('_'), depth + 1),
        };
        self.open.push(letter);
        self.terms
            .push((letter, build::variable(variable.clone(), span)));
        variable
    }

    /// Ends the innermost loop.
    pub(super) fn release(&mut self) {
        self.open.pop();
        self.terms.pop();
    }

    fn term(&self, letter: LetterId) -> Option<&ast::Expr> {
        let mut terms = self.terms.iter().rev();
        terms.find(|(own, _)| *own == letter).map(|(_, term)| term)
    }

    /// Gives a place in the file to the expressions that stand for letters.
    fn term_at(&self, letter: LetterId, span: Span) -> Option<ast::Expr> {
        self.term(letter).map(|term| ast::Expr {
            kind: term.kind.clone(),
            span,
        })
    }
}

impl Lowering<'_> {
    /// The position of an element in its set, counted from 1.
    pub(super) fn position(
        &mut self,
        subscript: &Subscript,
        scope: &mut Scope,
        span: Span,
    ) -> ast::Expr {
        match subscript {
            Subscript::Letter(letter) => match scope.term_at(*letter, span) {
                Some(term) => term,
                None => {
                    let name = &self.model.letters[letter.0].name;
                    self.refuse(format!("`{name}` stands for no element here"), span);
                    build::int(1, span)
                }
            },
            Subscript::Map { column, of } => {
                let inner = self.position(of, scope, span);
                let map = self.map(*column);
                build::element(build::variable(map, span), inner, span)
            }
            Subscript::Part {
                combination,
                part,
                of,
            } => {
                let inner = self.position(of, scope, span);
                let map = self.part(*combination, *part);
                build::element(build::variable(map, span), inner, span)
            }
            Subscript::Membership { combination, of } => {
                let inner = self.position(of, scope, span);
                let map = self.membership(*combination);
                build::element(build::variable(map, span), inner, span)
            }
            Subscript::Shift { of, by } => {
                let base = self.position(of, scope, span);
                self.later(base, by, scope, span)
            }
            Subscript::Label { set, label } => self.label(*set, label, span),
            Subscript::First(_) => build::int(1, span),
            Subscript::Last(set) => self.size(*set, span),
            Subscript::All | Subscript::Range { .. } => {
                self.refuse("a single element is needed here", span);
                build::int(1, span)
            }
        }
    }

    /// The position so many elements later.
    fn later(
        &mut self,
        base: ast::Expr,
        by: &crate::equation::tree::Expr,
        scope: &mut Scope,
        span: Span,
    ) -> ast::Expr {
        use crate::equation::tree::ExprKind;
        if let Some(by) = by.constant() {
            return build::shifted(base, by, span);
        }
        let (operator, amount) = match &by.kind {
            ExprKind::Unary {
                operator: ast::UnaryOp::Negate,
                operand,
            } => (ast::BinaryOp::Subtract, operand.as_ref()),
            _ => (ast::BinaryOp::Add, by),
        };
        let amount = self.expr(amount, scope).expr;
        build::binary(operator, base, amount, span)
    }

    /// An index: an element, a range or the whole axis.
    pub(super) fn index(
        &mut self,
        subscript: &Subscript,
        scope: &mut Scope,
        span: Span,
    ) -> ast::Index {
        match subscript {
            Subscript::All => ast::Index::All,
            Subscript::Range { lower, upper } => {
                let mut end = |end: &Option<Box<Subscript>>| {
                    end.as_ref().map(|end| self.position(end, scope, span))
                };
                let (lower, upper) = (end(lower), end(upper));
                match (lower, upper) {
                    (None, None) => ast::Index::All,
                    (lower, upper) => ast::Index::Range { lower, upper },
                }
            }
            single => ast::Index::Single(self.position(single, scope, span)),
        }
    }

    /// The data variable that holds the positions of a column's levels.
    pub(super) fn map(&mut self, column: NameId) -> String {
        if self.simulated.contains(&column) {
            return self.called(column);
        }
        let source = InputSource::Map(self.column(column));
        self.own_input(column, source)
    }

    /// The data variable that holds which combination each element of the carrier belongs to.
    pub(super) fn membership(&mut self, combination: SetId) -> String {
        let declared = &self.model.sets[combination.0];
        let SetKind::Combinations { letter, .. } = &declared.kind else {
            return String::new();
        };
        let carrier = self.set_of(*letter);
        let wanted = format!("{}_of_{}", declared.name, self.model.sets[carrier.0].name);
        let source = InputSource::Membership {
            combination,
            carrier,
        };
        self.input(source, &wanted, declared.span)
    }

    /// The data variable that holds a part of each combination.
    pub(super) fn part(&mut self, combination: SetId, part: usize) -> String {
        let declared = &self.model.sets[combination.0];
        let mut part_name = format!("part{}", part + 1);
        if let SetKind::Combinations { parts, .. } = &declared.kind
            && let Some(Subscript::Map { column, .. }) = parts.get(part)
        {
            let column = self.name(*column);
            part_name = match column.levels_of {
                Some(set) => self.model.sets[set.0].name.clone(),
                None => column.name.clone(),
            };
        }
        let wanted = format!("{part_name}_of_{}", declared.name);
        let source = InputSource::PartOf { combination, part };
        self.input(source, &wanted, declared.span)
    }

    /// The position of a label, known now if the file fixes the levels.
    pub(super) fn label(&mut self, set: SetId, label: &str, span: Span) -> ast::Expr {
        use crate::equation::tree::Order;
        let declared = &self.model.sets[set.0];
        let order = match &declared.kind {
            SetKind::Rows => return build::int(label.parse().unwrap_or(1), span),
            SetKind::Levels { order, .. } => order.as_ref(),
            SetKind::Fixed(order) => Some(order),
            SetKind::Combinations { .. } => None,
        };
        match order {
            Some(Order::Labels(labels)) => {
                let place = labels.iter().position(|known| known.text == label);
                build::int(place.map_or(1, |place| place as i64 + 1), span)
            }
            Some(Order::Range(lower, _)) => {
                let lower = self.plain(lower);
                let value: i64 = label.parse().unwrap_or(1);
                match build::literal(&lower) {
                    Some(lower) => build::int(value - lower + 1, span),
                    None => build::binary(
                        ast::BinaryOp::Subtract,
                        build::int(value + 1, span),
                        lower,
                        span,
                    ),
                }
            }
            None => {
                let wanted: String = label
                    .chars()
                    .map(|c| if c.is_alphanumeric() { c } else { '_' })
                    .collect();
                let wanted = format!("{}_{wanted}", declared.name);
                let source = InputSource::Position {
                    set,
                    label: label.to_string(),
                };
                let name = self.input(source, &wanted, declared.span);
                build::variable(name, span)
            }
        }
    }

    /// The index of a whole axis of a letter, given for all its elements at once: `county` for `county[i]`. `None` where
    /// the subscript does not depend on the letter in this way; the whole axis for the letter itself.
    pub(super) fn gathered(
        &mut self,
        subscript: &Subscript,
        letter: LetterId,
        span: Span,
    ) -> Option<ast::Index> {
        let gather = |lowering: &mut Self, map: String, of: &Subscript| {
            let inner = lowering.gathered(of, letter, span)?;
            let map = build::variable(map, span);
            Some(ast::Index::Single(match inner {
                ast::Index::All => map,
                inner => build::indexed(map, vec![inner], span),
            }))
        };
        match subscript {
            Subscript::Letter(own) if *own == letter => Some(ast::Index::All),
            Subscript::Map { column, of } if super::usage::subscript_mentions(of, letter) => {
                let map = self.map(*column);
                gather(self, map, of)
            }
            Subscript::Part {
                combination,
                part,
                of,
            } if super::usage::subscript_mentions(of, letter) => {
                let map = self.part(*combination, *part);
                gather(self, map, of)
            }
            Subscript::Membership { combination, of }
                if super::usage::subscript_mentions(of, letter) =>
            {
                let map = self.membership(*combination);
                gather(self, map, of)
            }
            _ => None,
        }
    }
}
