//! Definitions: transformed data, transformed parameters or generated quantities, in an order in which each is known (3d.1-2).

use std::collections::BTreeSet;

use super::build;
use super::context::Lowering;
use super::domain::{Domain, is_literal};
use super::form::{Element, Form};
use super::mention::mentioned;
use super::scope::Scope;
use super::usage;
use crate::equation::tree::{
    Expr, ExprKind, LetterId, NameId, Statement, StatementKind, Subscript,
};
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, BinaryOp, Bounds};

/// Statements that define variables, to be put where all that they mention is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    /// What it defines.
    pub(super) names: Vec<String>,
    /// Declarations and computations.
    pub(super) statements: Vec<ast::Stmt>,
}

/// Pieces in an order in which each stands behind those that it needs; otherwise as they were.
pub(super) fn ordered(pieces: Vec<Piece>) -> Vec<ast::Stmt> {
    let mut waiting: Vec<(Piece, BTreeSet<String>)> = pieces
        .into_iter()
        .map(|piece| {
            let mut needs = mentioned(&piece.statements);
            for name in &piece.names {
                needs.remove(name);
            }
            (piece, needs)
        })
        .collect();
    let mut statements = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |(_, needs): &(Piece, BTreeSet<String>)| {
            let mut others = waiting.iter().flat_map(|(piece, _)| &piece.names);
            !others.any(|name| needs.contains(name))
        };
        // A circle cannot be: resolution refuses it. Should there be one, the checker points at it.
        let next = waiting.iter().position(is_ready).unwrap_or(0);
        statements.extend(waiting.remove(next).0.statements);
    }
    statements
}

impl<'m> Lowering<'m> {
    /// The pieces that define some names, those that need each other along a lag in one piece.
    pub(super) fn define_all(&mut self, names: &[NameId]) -> Vec<Piece> {
        let components = self.components(names);
        components
            .into_iter()
            .map(|component| match component.as_slice() {
                [name] if !self.uses_itself(*name) => self.define(*name),
                [name] if self.goes_on(*name) => self.define_onwards(*name),
                several => self.define_together(several),
            })
            .collect()
    }

    fn needs(&self, name: NameId) -> BTreeSet<NameId> {
        let providers = self.providers_of(name);
        let values = providers.into_iter().flat_map(|statement| statement.read());
        values.flat_map(usage::names_in).collect()
    }

    fn uses_itself(&self, name: NameId) -> bool {
        self.needs(name).contains(&name)
    }

    /// The strongly connected components of "needs", in the order of the file.
    fn components(&self, names: &[NameId]) -> Vec<Vec<NameId>> {
        let reach = |from: NameId| {
            let mut seen = BTreeSet::new();
            let mut open = vec![from];
            while let Some(name) = open.pop() {
                for needed in self.needs(name) {
                    if names.contains(&needed) && seen.insert(needed) {
                        open.push(needed);
                    }
                }
            }
            seen
        };
        let reached: Vec<BTreeSet<NameId>> = names.iter().map(|name| reach(*name)).collect();
        let mut components: Vec<Vec<NameId>> = Vec::new();
        for (at, name) in names.iter().enumerate() {
            if components.iter().flatten().any(|known| known == name) {
                continue;
            }
            let is_partner = |&other: &usize| {
                other == at
                    || (reached[at].contains(&names[other]) && reached[other].contains(name))
            };
            let partners = (0..names.len()).filter(is_partner);
            components.push(partners.map(|partner| names[partner]).collect());
        }
        components
    }

    /// A name that does not need itself.
    fn define(&mut self, name: NameId) -> Piece {
        let definitions = self.providers_of(name);
        let called = self.called(name);
        let mut statements = Vec::new();
        if let [only] = definitions.as_slice()
            && !self.has_literals(name)
        {
            if let Some(statement) = self.define_at_once(name, only) {
                return Piece {
                    names: vec![called],
                    statements: vec![statement],
                };
            }
            if let Some(scattered) = self.define_by_scattering(name, only) {
                return Piece {
                    names: vec![called],
                    statements: scattered,
                };
            }
        }
        let initial = self.conditioned(name);
        statements.push(self.declare_name(name, initial));
        for definition in definitions {
            statements.extend(self.assignments(definition));
        }
        statements.extend(self.sorted(name));
        Piece {
            names: vec![called],
            statements: initialised(statements),
        }
    }

    /// The declaration of a definition, with its value if one expression says it.
    pub(super) fn declare_name(&mut self, name: NameId, initial: Option<ast::Expr>) -> ast::Stmt {
        let span = self.name(name).span;
        let spec = match self.simulated.contains(&name) {
            true => self.simulated_type(name, span),
            false => self.declared_type(name, span),
        };
        let called = self.called(name);
        build::declare(spec, &called, initial, span)
    }

    /// `vector[N_j] theta = mu + tau * z;`, if one expression says all elements.
    fn define_at_once(&mut self, name: NameId, statement: &'m Statement) -> Option<ast::Stmt> {
        let StatementKind::Define {
            subscripts, value, ..
        } = &statement.kind
        else {
            return None;
        };
        let form = self.form(name);
        let value = match statement.letters.as_slice() {
            [] if subscripts.is_empty() => {
                let mut scope = Scope::default();
                let value = self.expr(value, &mut scope);
                scope.prelude.is_empty().then_some(value)?
            }
            [letter] if form == Form::VECTOR && self.name(name).axes.len() == 1 => {
                (*subscripts == [Subscript::Letter(*letter)]).then_some(())?;
                let domain = Domain::of(self.model, statement, &self.long);
                domain.is_whole(*letter).then_some(())?;
                let value = self.vectorised(value, *letter, &mut Scope::default())?;
                (!value.form.is_scalar()).then_some(value)?
            }
            _ => return None,
        };
        let value = value.fitted(form);
        Some(self.declare_name(name, Some(value.expr)))
    }

    /// `for (i in 1:N_i) ll[site[i]] += …;` for `ll[s] = sum[i](…)`.
    fn define_by_scattering(
        &mut self,
        name: NameId,
        statement: &'m Statement,
    ) -> Option<Vec<ast::Stmt>> {
        let StatementKind::Define {
            subscripts, value, ..
        } = &statement.kind
        else {
            return None;
        };
        let ExprKind::Reduce {
            function,
            letters,
            agreeing,
            body,
        } = &value.kind
        else {
            return None;
        };
        let ([group], [member], [(bound, free)]) = (
            statement.letters.as_slice(),
            letters.as_slice(),
            agreeing.as_slice(),
        ) else {
            return None;
        };
        let is_plain = *free == Subscript::Letter(*group) && *subscripts == [free.clone()];
        if function.name != "sum" || !is_plain || !body.axes.is_empty() {
            return None;
        }
        let span = statement.span;
        let groups = self.size(self.set_of(*group), span);
        let is_int = self.form(name).element == Element::Int;
        let (repeat, zero) = match is_int {
            true => ("rep_array", build::int(0, span)),
            false => ("rep_vector", build::int(0, span)),
        };
        let zeros = build::call(repeat, vec![zero, groups], span);
        let declared = self.declare_name(name, Some(zeros));
        let called = self.called(name);
        let domain = Domain::of_body(self.model, body);
        let mut scope = Scope::default();
        let (lower, upper) = self.ends_of(*member, &domain, span);
        let variable = scope.bind(self, *member, span);
        let at = self.position(bound, &mut scope, span);
        scope.terms.push((*group, at.clone()));
        let term = self.expr(body, &mut scope);
        let mut inside = std::mem::take(&mut scope.prelude);
        inside.push(build::assign_with(
            &called,
            vec![ast::Index::Single(at)],
            Some(BinaryOp::Add),
            term.expr,
            span,
        ));
        Some(vec![
            declared,
            build::for_loop(&variable, lower, upper, inside, span),
        ])
    }

    /// The assignments of one definition, in loops over its letters.
    pub(super) fn assignments(&mut self, statement: &'m Statement) -> Vec<ast::Stmt> {
        if let Some(statements) = self.vectorised_assignments(statement) {
            return statements;
        }
        self.over_letters(statement, &mut |lowering, scope| {
            lowering.assignment(statement, scope)
        })
    }

    /// One assignment or draw, for one value of each letter.
    fn assignment(&mut self, statement: &'m Statement, scope: &mut Scope) -> Vec<ast::Stmt> {
        if let Some(drawn) = self.drawn(statement) {
            return self.simulation(drawn, scope);
        }
        let StatementKind::Define {
            name,
            subscripts,
            value,
        } = &statement.kind
        else {
            return Vec::new();
        };
        let span = statement.span;
        let mut indices = Vec::new();
        for subscript in subscripts {
            indices.push(self.index(subscript, scope, span));
        }
        let form = self.form(*name).after(&vec![true; subscripts.len()]);
        let mut value = self.expr(value, scope);
        if value.form.is_scalar() && form.rank() == 1 {
            // A number for a hidden axis: `a["none"] = 0` of vectors.
            if let Some(&set) = self.name(*name).axes.last() {
                let size = self.size(set, span);
                value = super::expr::constant_vector(value, size);
            }
        }
        let value = value.fitted(form);
        let called = self.called(*name);
        vec![build::assign(&called, indices, value.expr, span)]
    }

    /// `for (g in 1:N_g) m[g] = a[g] + b * x[g];` for vectors m[g] over the last letter.
    fn vectorised_assignments(&mut self, statement: &'m Statement) -> Option<Vec<ast::Stmt>> {
        let StatementKind::Define {
            name,
            subscripts,
            value,
        } = &statement.kind
        else {
            return None;
        };
        let span = statement.span;
        let (&letter, outer) = statement.letters.split_last()?;
        let (last, first) = subscripts.split_last()?;
        let is_last = *last == Subscript::Letter(letter)
            && subscripts.len() == self.name(*name).axes.len()
            && !first
                .iter()
                .any(|subscript| usage::subscript_mentions(subscript, letter));
        let form = self.form(*name).after(&vec![true; first.len()]);
        let is_vector = form == Form::VECTOR || form == Form::ROW;
        let domain = Domain::of(self.model, statement, &self.long);
        if !is_last || !is_vector || !domain.is_whole(letter) || outer.is_empty() {
            return None;
        }
        let mut trial = Scope::default();
        for &letter in outer {
            trial.bind(self, letter, span);
        }
        let value_form = self.vectorised(value, letter, &mut trial)?.form;
        if value_form.is_scalar() {
            return None;
        }
        let called = self.called(*name);
        let mut scope = Scope::default();
        let statements = self.nest(outer, &domain, &mut scope, span, &mut |lowering, scope| {
            let mut indices = Vec::new();
            for subscript in first {
                indices.push(lowering.index(subscript, scope, span));
            }
            let value = lowering.vectorised(value, letter, scope);
            value
                .map(|value| build::assign(&called, indices, value.fitted(form).expr, span))
                .into_iter()
                .collect()
        });
        Some(statements)
    }

    /// Names that need each other, or one that needs itself, along a lag: one loop over the lagged letter (3d.2).
    fn define_together(&mut self, names: &[NameId]) -> Piece {
        let definitions: Vec<&'m Statement> = names
            .iter()
            .flat_map(|name| self.providers_of(*name))
            .collect();
        let mut piece = Piece {
            names: names.iter().map(|name| self.called(*name)).collect(),
            statements: Vec::new(),
        };
        for &name in names {
            let initial = self.conditioned(name);
            let declaration = self.declare_name(name, initial);
            piece.statements.push(declaration);
        }
        let lagged = definitions
            .iter()
            .find_map(|statement| lagged_letter(statement, names));
        let Some(lagged) = lagged else {
            let span = self.name(names[0]).span;
            self.refuse("these definitions need each other", span);
            return piece;
        };
        let set = self.set_of(lagged);
        let over = |statement: &Statement| {
            let letters = &statement.letters;
            letters
                .iter()
                .copied()
                .find(|letter| self.set_of(*letter) == set)
        };
        let (stepping, bases): (Vec<&Statement>, Vec<&Statement>) = definitions
            .into_iter()
            .partition(|statement| over(statement).is_some());
        let starts: Vec<i64> = stepping
            .iter()
            .map(|statement| {
                let domain = Domain::of(self.model, statement, &self.long);
                over(statement).map_or(0, |letter| domain.earlier(letter))
            })
            .collect();
        let start = starts.iter().copied().min().unwrap_or(0);
        for base in by_uses(&bases, lagged) {
            piece.statements.extend(self.assignments(base));
        }
        let body = self.stepping(&by_uses(&stepping, lagged), lagged, start);
        piece.statements.extend(body);
        piece
    }

    /// The loop over the lagged letter, with the other letters' loops inside.
    fn stepping(
        &mut self,
        statements: &[&'m Statement],
        lagged: LetterId,
        start: i64,
    ) -> Vec<ast::Stmt> {
        let Some(first) = statements.first() else {
            return Vec::new();
        };
        let span = first.span;
        let set = self.set_of(lagged);
        let mut scope = Scope::default();
        let variable = scope.bind(self, lagged, span);
        let mut body = Vec::new();
        for statement in statements {
            let span = statement.span;
            let mut domain = Domain::of(self.model, statement, &self.long);
            let own = statement
                .letters
                .iter()
                .copied()
                .find(|letter| self.set_of(*letter) == set)
                .unwrap_or(lagged);
            let others: Vec<LetterId> = statement
                .letters
                .iter()
                .copied()
                .filter(|letter| *letter != own)
                .collect();
            self.leave_out_owned(&mut domain, own, span);
            if own != lagged {
                scope
                    .terms
                    .push((own, build::variable(variable.clone(), span)));
            }
            let inside = self.nest(
                &others,
                &domain,
                &mut scope,
                span,
                &mut |lowering, scope| lowering.assignment(statement, scope),
            );
            if own != lagged {
                scope.terms.pop();
            }
            let earlier = domain.earlier(own);
            if earlier > start {
                let condition = build::binary(
                    BinaryOp::Greater,
                    build::variable(variable.clone(), span),
                    build::int(earlier, span),
                    span,
                );
                body.push(build::if_then(condition, inside, span));
            } else {
                body.extend(inside);
            }
        }
        let upper = self.size(set, span);
        vec![build::for_loop(
            &variable,
            build::int(start + 1, span),
            upper,
            body,
            span,
        )]
    }

    /// The pieces of an unknown of which the file fixes some elements: the whole, from the free elements and the fixed (3d.6).
    pub(super) fn define_partly_fixed(&mut self, name: NameId, free: &str) -> Piece {
        let span = self.name(name).span;
        let definitions = self.definitions_of(name);
        let mut piece = Piece {
            names: vec![self.called(name)],
            statements: vec![self.declare_name(name, None)],
        };
        let Some(axis) = fixed_axis(&definitions) else {
            self.refuse("only elements of one index can be fixed", span);
            return piece;
        };
        for &definition in &definitions {
            piece.statements.extend(self.assignments(definition));
        }
        let fixed: Vec<ast::Expr> = definitions
            .iter()
            .map(|definition| {
                let at = &usage::left_subscripts(definition)[axis];
                self.position(at, &mut Scope::default(), span)
            })
            .collect();
        let filled = self.fill_free(name, free, axis, &fixed, span);
        piece.statements.extend(filled);
        piece
    }

    /// Copies the free elements to their places among the fixed ones.
    fn fill_free(
        &mut self,
        name: NameId,
        free: &str,
        axis: usize,
        fixed: &[ast::Expr],
        span: Span,
    ) -> Vec<ast::Stmt> {
        let called = self.called(name);
        let axes = &self.name(name).axes;
        let outer: Vec<(String, ast::Expr)> = axes[..axis]
            .iter()
            .map(|&set| (self.element_variable(set), self.size(set, span)))
            .collect();
        let size = self.size(axes[axis], span);
        let at = |index: ast::Index| {
            let variables = outer.iter();
            variables
                .map(|(variable, _)| ast::Index::Single(build::variable(variable.clone(), span)))
                .chain([index])
                .collect::<Vec<ast::Index>>()
        };
        let copy = |to: ast::Index, from: ast::Index| {
            let value = build::indexed(build::variable(free, span), at(from), span);
            build::assign(&called, at(to), value, span)
        };
        let one = || build::int(1, span);
        let body = match fixed {
            [only] => {
                let before = build::shifted(only.clone(), -1, span);
                let after = build::shifted(only.clone(), 1, span);
                let mut body = Vec::new();
                if build::literal(only) != Some(1) {
                    let slice = || build::range(one(), before.clone());
                    body.push(copy(slice(), slice()));
                }
                let last_free = build::shifted(size.clone(), -1, span);
                if build::literal(only).is_none() || build::literal(only) != build::literal(&size) {
                    let from = match build::literal(only) {
                        Some(1) if axis == 0 => ast::Index::All,
                        _ => build::range(only.clone(), last_free),
                    };
                    body.push(copy(build::range(after, size.clone()), from));
                }
                body
            }
            several => {
                let place = self.namer.take("place");
                let variable = self.element_variable(axes[axis]);
                let position = || build::variable(variable.clone(), span);
                let differs = several.iter().map(|fixed| {
                    build::binary(BinaryOp::NotEqual, position(), fixed.clone(), span)
                });
                let int = build::basic_type(BaseType::Int, Bounds::None, Vec::new(), span);
                let advance =
                    build::assign_with(&place, Vec::new(), Some(BinaryOp::Add), one(), span);
                let store = copy(
                    ast::Index::Single(position()),
                    ast::Index::Single(build::variable(place.clone(), span)),
                );
                let condition = super::domain::joined(differs.collect(), BinaryOp::And, span);
                let inside = match condition {
                    Some(condition) => {
                        vec![build::if_then(condition, vec![advance, store], span)]
                    }
                    None => vec![advance, store],
                };
                vec![build::stmt(
                    ast::StmtKind::Block(vec![
                        build::declare(int, &place, Some(build::int(0, span)), span),
                        build::for_loop(&variable, one(), size, inside, span),
                    ]),
                    span,
                )]
            }
        };
        outer.iter().rev().fold(body, |inside, (variable, size)| {
            vec![build::for_loop(variable, one(), size.clone(), inside, span)]
        })
    }
}

/// `real x = 1;` for `real x; x = 1;`.
fn initialised(mut statements: Vec<ast::Stmt>) -> Vec<ast::Stmt> {
    if let [declared, assigned] = statements.as_mut_slice()
        && let ast::StmtKind::Declaration(declaration) = &mut declared.kind
        && let ast::StmtKind::Assign {
            target: ast::LValue::Place(place),
            operator: None,
            value,
        } = &assigned.kind
        && place.path.is_empty()
        && declaration.declarators[0].initial.is_none()
    {
        declaration.declarators[0].initial = Some(value.clone());
        statements.truncate(1);
    }
    statements
}

/// The axis at which definitions have literals; `None` if they differ.
pub(super) fn fixed_axis(definitions: &[&Statement]) -> Option<usize> {
    let axis = |statement: &&Statement| {
        let subscripts = usage::left_subscripts(statement);
        let axis = subscripts.iter().position(is_literal)?;
        let others = subscripts.iter().skip(axis + 1).any(is_literal);
        (!others).then_some(axis)
    };
    let first = axis(definitions.first()?)?;
    let agree = definitions
        .iter()
        .all(|definition| axis(definition) == Some(first));
    agree.then_some(first)
}

/// The letter along which a statement needs an earlier element of some names.
fn lagged_letter(statement: &Statement, names: &[NameId]) -> Option<LetterId> {
    let expressions = statement.expressions();
    let uses = expressions.into_iter().flat_map(usage::subscripts_of);
    uses.filter(|(name, _)| names.contains(name))
        .flat_map(|(_, subscripts)| subscripts)
        .find_map(|subscript| match subscript {
            Subscript::Shift { of, .. } => match of.as_ref() {
                Subscript::Letter(letter) => Some(*letter),
                _ => None,
            },
            _ => None,
        })
}

/// Statements ordered so that each stands behind those whose elements at the same step it needs.
fn by_uses<'m>(statements: &[&'m Statement], lagged: LetterId) -> Vec<&'m Statement> {
    let needs_now = |statement: &Statement, name: NameId| {
        let uses_now = |expr: &Expr| {
            usage::subscripts_of(expr).iter().any(|(used, subscripts)| {
                let is_lagged = subscripts.iter().any(|subscript| {
                    matches!(subscript, Subscript::Shift { of, .. } if **of == Subscript::Letter(lagged))
                });
                *used == name && !is_lagged
            })
        };
        statement.read().into_iter().any(uses_now)
    };
    let mut waiting: Vec<&Statement> = statements.to_vec();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |statement: &&Statement| {
            waiting.iter().all(|other| {
                std::ptr::eq(*other, *statement)
                    || usage::left_name(other).is_none_or(|name| {
                        Some(name) == usage::left_name(statement) || !needs_now(statement, name)
                    })
            })
        };
        let next = waiting.iter().position(is_ready).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}
