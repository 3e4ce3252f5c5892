//! Domains (R5): a statement holds where the elements that it reaches exist, and where no literal owns the element.

use super::build;
use super::context::Lowering;
use super::scope::Scope;
use super::usage;
use crate::equation::tree::{
    Expr, ExprKind, LetterId, Model, Name, NameId, SetId, Statement, Subscript,
};
use crate::syntax::ast::{self, BinaryOp, UnaryOp};

/// Where a statement holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Domain<'m> {
    /// For each letter that is shifted: how far earlier and how far later the statement reaches.
    reach: Vec<(LetterId, i64, i64)>,
    /// Elements reached from maps or by amounts that data give; they must exist.
    conditions: Vec<(&'m Subscript, &'m Expr, SetId)>,
    /// Elements that other statements own: for each of these, its literals and the letters that stand there.
    owned: Vec<Vec<(LetterId, &'m Subscript)>>,
}

impl<'m> Domain<'m> {
    /// The domain of a statement.
    pub(super) fn of(model: &'m Model, statement: &'m Statement, is_long: &[bool]) -> Domain<'m> {
        let mut domain = Domain::default();
        let left = usage::left_name(statement);
        let left = left.map(|name| (name, usage::left_subscripts(statement)));
        let right = statement.expressions();
        let right = right.into_iter().flat_map(usage::subscripts_of);
        for (name, subscripts) in left.into_iter().chain(right) {
            // What a long column lacks is known by rows.
            if is_long[name.0] {
                continue;
            }
            for (axis, subscript) in subscripts.iter().enumerate() {
                domain.see(model, &model.names[name.0], axis, subscript);
            }
        }
        domain.owned = owned(model, statement);
        domain
    }

    /// The domain that the body of a reduction leaves to the letters which it binds.
    pub(super) fn of_body(model: &'m Model, body: &'m Expr) -> Domain<'m> {
        let mut domain = Domain::default();
        for (name, subscripts) in usage::subscripts_of(body) {
            for (axis, subscript) in subscripts.iter().enumerate() {
                domain.see(model, &model.names[name.0], axis, subscript);
            }
        }
        domain.conditions.clear();
        domain
    }

    fn see(&mut self, model: &'m Model, name: &'m Name, axis: usize, subscript: &'m Subscript) {
        let Subscript::Shift { of, by } = subscript else {
            return;
        };
        match (of.as_ref(), distance(model, by)) {
            (Subscript::Letter(letter), Some(by)) => {
                let at = self.reach.iter().position(|(known, ..)| known == letter);
                let at = at.unwrap_or_else(|| {
                    self.reach.push((*letter, 0, 0));
                    self.reach.len() - 1
                });
                let (_, earlier, later) = &mut self.reach[at];
                *earlier = (*earlier).max(-by);
                *later = (*later).max(by);
            }
            _ => {
                if let Some(set) = name.axes.get(axis) {
                    self.conditions.push((subscript, by, *set));
                }
            }
        }
    }

    /// How far a statement reaches to earlier elements of a letter.
    pub(super) fn earlier(&self, letter: LetterId) -> i64 {
        let reach = self.reach.iter().find(|(known, ..)| *known == letter);
        reach.map_or(0, |(_, earlier, _)| *earlier)
    }

    fn later(&self, letter: LetterId) -> i64 {
        let reach = self.reach.iter().find(|(known, ..)| *known == letter);
        reach.map_or(0, |(.., later)| *later)
    }

    /// Whether the statement holds for every element of a letter.
    pub(super) fn is_whole(&self, letter: LetterId) -> bool {
        let owned = self.owned.iter().flatten().any(|(own, _)| *own == letter);
        self.conditions.is_empty() && !owned && self.earlier(letter) == 0 && self.later(letter) == 0
    }
}

/// How far a shift goes at most, if that is known: a number, or the values of a letter over a fixed range.
fn distance(model: &Model, by: &Expr) -> Option<i64> {
    if let Some(by) = by.constant() {
        return Some(by);
    }
    let furthest = |letter: LetterId| {
        let (_, upper) = usage::range(model, model.letters[letter.0].set)?;
        upper.constant()
    };
    match &by.kind {
        ExprKind::LetterValue(letter) => furthest(*letter),
        ExprKind::Unary {
            operator: UnaryOp::Negate,
            operand,
        } => match &operand.kind {
            ExprKind::LetterValue(letter) => furthest(*letter).map(|by| -by),
            _ => None,
        },
        _ => None,
    }
}

/// The elements of a statement's name that other statements own by literals.
fn owned<'m>(model: &'m Model, statement: &Statement) -> Vec<Vec<(LetterId, &'m Subscript)>> {
    let Some(name) = usage::left_name(statement) else {
        return Vec::new();
    };
    let own = usage::left_subscripts(statement);
    let others = model
        .statements
        .iter()
        .filter(|other| !std::ptr::eq(*other, statement) && usage::left_name(other) == Some(name));
    let mut owned = Vec::new();
    'others: for other in others {
        let mut literals = Vec::new();
        for (mine, theirs) in own.iter().zip(usage::left_subscripts(other)) {
            match (mine, is_literal(mine), is_literal(theirs)) {
                (Subscript::Letter(letter), false, true) => literals.push((*letter, theirs)),
                // Their statement is the more general one here, or is about other elements.
                (_, true, false) => continue 'others,
                (_, true, true) if mine != theirs => continue 'others,
                _ => {}
            }
        }
        if !literals.is_empty() && !owned.contains(&literals) {
            owned.push(literals);
        }
    }
    owned
}

/// Whether a subscript names one element by itself.
pub(super) fn is_literal(subscript: &Subscript) -> bool {
    matches!(
        subscript,
        Subscript::Label { .. } | Subscript::First(_) | Subscript::Last(_)
    )
}

impl<'m> Lowering<'m> {
    /// A statement's loops over letters, outermost first, around a body.
    pub(super) fn nest(
        &mut self,
        letters: &[LetterId],
        domain: &Domain<'m>,
        scope: &mut Scope,
        span: crate::source::Span,
        body: &mut dyn FnMut(&mut Self, &mut Scope) -> Vec<ast::Stmt>,
    ) -> Vec<ast::Stmt> {
        let Some((&letter, inner)) = letters.split_first() else {
            let mut statements = body(self, scope);
            let mut all = std::mem::take(&mut scope.prelude);
            all.append(&mut statements);
            return self.guarded(domain, all, scope, span);
        };
        let (lower, upper, shortened) = self.ends(letter, domain, span);
        let mut remaining = domain.clone();
        remaining.owned.retain(|owned| !shortened.contains(owned));
        let variable = scope.bind(self, letter, span);
        let statements = self.nest(inner, &remaining, scope, span, body);
        scope.release();
        vec![build::for_loop(&variable, lower, upper, statements, span)]
    }

    /// The first and last position of a letter for which a statement holds, and the owned elements that this leaves out.
    #[allow(clippy::type_complexity)]
    pub(super) fn ends(
        &mut self,
        letter: LetterId,
        domain: &Domain<'m>,
        span: crate::source::Span,
    ) -> (ast::Expr, ast::Expr, Vec<Vec<(LetterId, &'m Subscript)>>) {
        let set = self.set_of(letter);
        let mut first = 1 + domain.earlier(letter);
        let mut left_out = Vec::new();
        let mut last_lower = 0;
        for owned in &domain.owned {
            let [(own, literal)] = owned.as_slice() else {
                continue;
            };
            if *own != letter {
                continue;
            }
            if matches!(literal, Subscript::Last(_)) {
                last_lower = 1;
                left_out.push(owned.clone());
                continue;
            }
            let position = self.position(literal, &mut Scope::default(), span);
            match build::literal(&position) {
                Some(position) if position < first => left_out.push(owned.clone()),
                Some(position) if position == first => {
                    first += 1;
                    left_out.push(owned.clone());
                }
                _ => {}
            }
        }
        let size = self.size(set, span);
        let upper = build::shifted(size, -domain.later(letter).max(last_lower), span);
        (build::int(first, span), upper, left_out)
    }

    /// Forgets owned elements that come before the first that a statement reaches back from.
    pub(super) fn leave_out_owned(
        &mut self,
        domain: &mut Domain<'m>,
        letter: LetterId,
        span: crate::source::Span,
    ) {
        let earlier = domain.earlier(letter);
        domain.owned.retain(|owned| match owned.as_slice() {
            [(own, literal)] if *own == letter => {
                let position = self.position(literal, &mut Scope::default(), span);
                build::literal(&position).is_none_or(|position| position > earlier)
            }
            _ => true,
        });
    }

    /// The first and last position of a letter that a reduction binds.
    pub(super) fn ends_of(
        &mut self,
        letter: LetterId,
        domain: &Domain<'_>,
        span: crate::source::Span,
    ) -> (ast::Expr, ast::Expr) {
        let size = self.size(self.set_of(letter), span);
        let upper = build::shifted(size, -domain.later(letter), span);
        (build::int(1 + domain.earlier(letter), span), upper)
    }

    /// Statements under the conditions of their domain that loops do not express.
    fn guarded(
        &mut self,
        domain: &Domain<'m>,
        statements: Vec<ast::Stmt>,
        scope: &mut Scope,
        span: crate::source::Span,
    ) -> Vec<ast::Stmt> {
        let mut conditions = Vec::new();
        for (subscript, by, set) in &domain.conditions {
            let position = self.position(subscript, scope, span);
            let size = self.size(*set, span);
            let sign = by.constant();
            if sign.is_none_or(|by| by < 0) {
                conditions.push(at_least_one(&position, sign, span));
            }
            if sign.is_none_or(|by| by > 0) {
                conditions.push(build::binary(BinaryOp::LessEqual, position, size, span));
            }
        }
        // Letters that are no loop variables (rows of a long table) are bounded by conditions.
        if scope.long.is_some() {
            for (letter, earlier, later) in &domain.reach {
                let position = self.position(&Subscript::Letter(*letter), scope, span);
                if *earlier > 0 {
                    let first = build::int(*earlier, span);
                    let condition = build::binary(BinaryOp::Greater, position.clone(), first, span);
                    conditions.push(condition);
                }
                if *later > 0 {
                    let size = self.size(self.set_of(*letter), span);
                    let position = build::shifted(position, *later, span);
                    conditions.push(build::binary(BinaryOp::LessEqual, position, size, span));
                }
            }
        }
        for owned in &domain.owned {
            let differs = owned.iter().map(|(letter, literal)| {
                let position = self.position(&Subscript::Letter(*letter), scope, span);
                let literal = self.position(literal, scope, span);
                build::binary(BinaryOp::NotEqual, position, literal, span)
            });
            let differs: Vec<ast::Expr> = differs.collect();
            conditions.extend(joined(differs, BinaryOp::Or, span));
        }
        conditions.dedup();
        match joined(conditions, BinaryOp::And, span) {
            None => statements,
            Some(condition) => vec![build::if_then(condition, statements, span)],
        }
    }

    /// Whether a name's elements are split between statements with literals and a general one.
    pub(super) fn has_literals(&self, name: NameId) -> bool {
        let model = self.model;
        let mut about = model
            .statements
            .iter()
            .filter(|statement| usage::left_name(statement) == Some(name));
        about.any(|statement| usage::left_subscripts(statement).iter().any(is_literal))
    }
}

/// `position >= 1`, as people write it: `week[i] > 1` for `week[i] - 1 >= 1`.
fn at_least_one(position: &ast::Expr, by: Option<i64>, span: crate::source::Span) -> ast::Expr {
    match (&position.kind, by) {
        (
            ast::ExprKind::Binary {
                operator: BinaryOp::Subtract,
                left,
                right,
            },
            _,
        ) => build::binary(BinaryOp::Greater, (**left).clone(), (**right).clone(), span),
        _ => build::binary(
            BinaryOp::GreaterEqual,
            position.clone(),
            build::int(1, span),
            span,
        ),
    }
}

/// Conditions joined by `&&` or `||`.
pub(super) fn joined(
    conditions: Vec<ast::Expr>,
    operator: BinaryOp,
    span: crate::source::Span,
) -> Option<ast::Expr> {
    let join = |left, right| build::binary(operator, left, right, span);
    conditions.into_iter().reduce(join)
}
