//! `~` and `target +=`: loops over the letters on the left, or one vectorised statement where that says the same (3d.5).

use super::build;
use super::context::Lowering;
use super::domain::Domain;
use super::expr::constant_vector;
use super::form::{Element, Form, Value};
use super::scope::Scope;
use super::{families, usage};
use crate::equation::plan::InputSource;
use crate::equation::tree::{
    Expr, ExprKind, LetterId, NameId, Purpose, SetId, Statement, StatementKind, Subscript,
    SupportKind,
};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp};

/// A `~` statement as lowering reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn<'m> {
    /// The statement.
    pub(super) statement: &'m Statement,
    /// The left side.
    pub(super) variate: &'m Expr,
    /// What kind of statement it is.
    pub(super) purpose: Purpose,
    /// The family of the block form: `normal` for a `multi_normal` of independent elements.
    pub(super) family: &'m str,
    /// Where its name stands.
    pub(super) family_span: Span,
    /// Its arguments.
    pub(super) arguments: &'m [Expr],
    /// The bounds that it is truncated to.
    pub(super) lower: Option<&'m Expr>,
    /// The upper one.
    pub(super) upper: Option<&'m Expr>,
}

impl<'m> Drawn<'m> {
    /// The name that is drawn; `None` for a factor.
    pub(super) fn name(&self) -> Option<NameId> {
        match self.purpose {
            Purpose::Prior(name) | Purpose::Observation(name) => Some(name),
            Purpose::Factor => None,
        }
    }

    /// Whether it is truncated.
    pub(super) fn is_truncated(&self) -> bool {
        self.lower.is_some() || self.upper.is_some()
    }

    /// Whether one draw is a vector or a matrix.
    pub(super) fn is_multivariate(&self) -> bool {
        families::multivariate(self.family).is_some()
    }
}

/// A `~` statement made ready for lowering.
pub(super) struct Ready {
    variate: Value,
    arguments: Vec<Value>,
}

impl<'m> Lowering<'m> {
    /// Reads a `~` statement.
    pub(super) fn drawn(&self, statement: &'m Statement) -> Option<Drawn<'m>> {
        let StatementKind::Draw {
            variate,
            purpose,
            distribution,
            distribution_span,
            arguments,
            truncation,
        } = &statement.kind
        else {
            return None;
        };
        let is_independent = distribution == "multi_normal"
            && arguments.get(1).is_some_and(|scale| scale.axes.len() <= 1);
        let (mut lower, mut upper) = match truncation {
            Some((lower, upper)) => (lower.as_ref(), upper.as_ref()),
            None => (None, None),
        };
        if let (None, Purpose::Prior(name)) = (truncation, purpose) {
            let support = &self.name(*name).support;
            let cuts = self.simulated.contains(name) && self.is_cut(distribution);
            if let SupportKind::Interval { lower: l, upper: u } = &support.kind
                && (support.truncates || cuts)
            {
                (lower, upper) = (l.as_ref(), u.as_ref());
            }
        }
        Some(Drawn {
            statement,
            variate,
            purpose: *purpose,
            family: if is_independent {
                "normal"
            } else {
                distribution
            },
            family_span: *distribution_span,
            arguments,
            lower,
            upper,
        })
    }

    /// A statement of the model block.
    pub(super) fn model_statement(&mut self, statement: &'m Statement) -> Vec<ast::Stmt> {
        match &statement.kind {
            StatementKind::Define { .. } => Vec::new(),
            StatementKind::Target { value } => {
                self.over_letters(statement, &mut |lowering, scope| {
                    let value = lowering.expr(value, scope);
                    vec![build::increment(value.expr, statement.span)]
                })
            }
            StatementKind::Draw { .. } => match self.drawn(statement) {
                Some(drawn) => self.tilde(drawn),
                None => Vec::new(),
            },
        }
    }

    /// Loops over all elements for which a statement holds; a body without loops gets braces if it needs local variables.
    pub(super) fn over_letters(
        &mut self,
        statement: &'m Statement,
        body: &mut dyn FnMut(&mut Self, &mut Scope) -> Vec<ast::Stmt>,
    ) -> Vec<ast::Stmt> {
        let span = statement.span;
        let domain = Domain::of(self.model, statement, &self.long);
        let mut scope = Scope::default();
        let statements = if let Some(column) = self.long_outcome(statement) {
            self.over_long_rows(statement, column, &domain, &mut scope, body)
        } else if let Some(column) = self.imputed_outcome(statement) {
            self.over_present(statement, column, &domain, &mut scope, body)
        } else if let Some(column) = self.dropped_outcome(statement) {
            self.over_present(statement, column, &domain, &mut scope, body)
        } else {
            self.nest(&statement.letters, &domain, &mut scope, span, body)
        };
        let needs_braces = statements
            .iter()
            .any(|statement| matches!(statement.kind, ast::StmtKind::Declaration(_)));
        match needs_braces {
            true => vec![build::stmt(ast::StmtKind::Block(statements), span)],
            false => statements,
        }
    }

    fn over_long_rows(
        &mut self,
        statement: &'m Statement,
        column: NameId,
        domain: &Domain<'m>,
        scope: &mut Scope,
        body: &mut dyn FnMut(&mut Self, &mut Scope) -> Vec<ast::Stmt>,
    ) -> Vec<ast::Stmt> {
        let span = statement.span;
        let row = self.row_variable();
        let rows = self.long_rows(column, span);
        self.bind_long(column, &row, &statement.letters, scope, span);
        let mut statements = self.nest(&[], domain, scope, span, body);
        let mut exist = self.earlier_rows_exist(statement, column, scope);
        if self.goes_on(column) {
            let fitted = self.fitted_rows(column, span);
            let row = build::variable(row.clone(), span);
            exist.insert(0, build::binary(BinaryOp::Greater, row, fitted, span));
        }
        if let Some(condition) = super::domain::joined(exist, BinaryOp::And, span) {
            statements = vec![build::if_then(condition, statements, span)];
        }
        vec![build::for_loop(
            &row,
            build::int(1, span),
            rows,
            statements,
            span,
        )]
    }

    /// The outcome whose missing values leave out a statement's elements, if it has any.
    pub(super) fn dropped_outcome(&self, statement: &Statement) -> Option<NameId> {
        match &statement.kind {
            StatementKind::Draw {
                purpose: Purpose::Observation(name),
                variate,
                ..
            } if self.missing.dropped.contains(&self.name(*name).name)
                && matches!(variate.kind, ExprKind::Name { .. })
                && !self.long[name.0] =>
            {
                Some(*name)
            }
            _ => None,
        }
    }

    /// The outcome whose missing values are unknowns: they are no observations, where only these count.
    fn imputed_outcome(&self, statement: &Statement) -> Option<NameId> {
        let name = usage::left_name(statement)?;
        (self.counts_observations && self.is_imputed(name)).then_some(name)
    }

    fn over_present(
        &mut self,
        statement: &'m Statement,
        column: NameId,
        domain: &Domain<'m>,
        scope: &mut Scope,
        body: &mut dyn FnMut(&mut Self, &mut Scope) -> Vec<ast::Stmt>,
    ) -> Vec<ast::Stmt> {
        let span = statement.span;
        let called = self.called(column);
        let place = self.column(column);
        let declared = self.name(column).span;
        let count = self.input(
            InputSource::PresentCount(place),
            &format!("N_{called}_present"),
            declared,
        );
        let present = self.input(
            InputSource::PresentPositions(place),
            &format!("{called}_present"),
            declared,
        );
        let row = self.row_variable();
        let at = build::element(
            build::variable(present, span),
            build::variable(row.clone(), span),
            span,
        );
        match statement.letters.as_slice() {
            [letter] => scope.terms.push((*letter, at)),
            [outer, inner] => {
                // Elements are counted row by row.
                let width = self.size(self.set_of(*inner), span);
                let before = build::shifted(at, -1, span);
                let part = |operator| {
                    let part = build::binary(operator, before.clone(), width.clone(), span);
                    build::shifted(part, 1, span)
                };
                scope.terms.push((*outer, part(BinaryOp::IntegerDivide)));
                scope.terms.push((*inner, part(BinaryOp::Modulo)));
            }
            _ => self.refuse(
                "missing outcomes can be dropped over one or two letters",
                span,
            ),
        }
        let statements = self.nest(&[], domain, scope, span, body);
        vec![build::for_loop(
            &row,
            build::int(1, span),
            build::variable(count, span),
            statements,
            span,
        )]
    }

    /// The variable that numbers the rows of long tables.
    pub(super) fn row_variable(&mut self) -> String {
        if self.row.is_empty() {
            self.row = self.namer.take("n");
        }
        self.row.clone()
    }

    fn tilde(&mut self, drawn: Drawn<'m>) -> Vec<ast::Stmt> {
        if let Some(statement) = self.tilde_of_free(drawn) {
            return vec![statement];
        }
        if let Some(statements) = self.vectorised_tilde(drawn) {
            return statements;
        }
        let statement = drawn.statement;
        self.over_letters(statement, &mut |lowering, scope| {
            let ready = lowering.ready(drawn, scope);
            if drawn.is_truncated() && !ready.variate.form.is_scalar() {
                return lowering.elementwise_tilde(drawn, ready, scope);
            }
            let truncation = lowering.truncation(drawn, scope);
            vec![tilde(drawn, ready, truncation)]
        })
    }

    /// `a_free ~ normal(0, 1);`, the free elements of an unknown at once, if their distribution is the same.
    fn tilde_of_free(&mut self, drawn: Drawn<'m>) -> Option<ast::Stmt> {
        let name = drawn.name()?;
        let (_, free) = self.free.iter().find(|(own, _)| *own == name)?;
        let span = drawn.variate.span;
        let variate = Value::new(build::variable(free.clone(), span), Form::VECTOR);
        let mut reads = drawn.statement.read().into_iter();
        let is_same = reads.all(|expr| !usage::mentions_any(self.model, expr));
        let is_plain = self.name(name).axes.len() == 1
            && drawn.statement.letters.len() == 1
            && drawn.variate.axes.is_empty()
            && !drawn.is_truncated();
        if !is_same || !is_plain {
            return None;
        }
        let arguments = self.arguments(drawn, &mut Scope::default());
        Some(tilde(drawn, Ready { variate, arguments }, None))
    }

    /// Variate and arguments for one value of each letter.
    pub(super) fn ready(&mut self, drawn: Drawn<'m>, scope: &mut Scope) -> Ready {
        Ready {
            variate: self.variate(drawn, scope),
            arguments: self.arguments(drawn, scope),
        }
    }

    fn variate(&mut self, drawn: Drawn<'m>, scope: &mut Scope) -> Value {
        let span = drawn.variate.span;
        match &drawn.variate.kind {
            ExprKind::Name { name, subscripts } if families::takes_levels(drawn.family) => {
                let position = match self.long[name.0] {
                    true => self.long_value(*name, subscripts, scope, span).expr,
                    false => self.level_position(*name, subscripts, scope, span),
                };
                Value::new(position, Form::INT)
            }
            _ => self.expr(drawn.variate, scope),
        }
    }

    /// The arguments for one value of each letter; a number becomes a vector where only vectors can stand.
    pub(super) fn arguments(&mut self, drawn: Drawn<'m>, scope: &mut Scope) -> Vec<Value> {
        let vectors = families::multivariate(drawn.family).unwrap_or(&[]);
        let mut values = Vec::new();
        for (at, argument) in drawn.arguments.iter().enumerate() {
            let mut value = self.bare(argument, scope);
            if vectors.contains(&at) && value.form.is_scalar() {
                let axis = drawn.variate.axes.last().or(argument.axes.last());
                if let Some(&set) = axis {
                    let size = self.size(set, argument.span);
                    value = constant_vector(value, size);
                }
            }
            values.push(value.column());
        }
        values
    }

    fn truncation(&mut self, drawn: Drawn<'m>, scope: &mut Scope) -> Option<ast::Truncation> {
        if !drawn.is_truncated() {
            return None;
        }
        let mut end = |end: Option<&Expr>| end.map(|end| self.expr(end, scope).expr);
        Some(ast::Truncation {
            lower: end(drawn.lower),
            upper: end(drawn.upper),
            span: drawn.statement.span,
        })
    }

    /// A truncated vector, element by element: only numbers can be truncated.
    fn elementwise_tilde(
        &mut self,
        drawn: Drawn<'m>,
        ready: Ready,
        scope: &mut Scope,
    ) -> Vec<ast::Stmt> {
        let span = drawn.statement.span;
        let truncation = self.truncation(drawn, scope);
        let set = drawn.variate.axes.last().copied().unwrap_or(SetId(0));
        let size = self.size(set, span);
        let place = self.element_variable(set);
        let pick = |value: Value| element_of(value, &place, span);
        let ready = Ready {
            variate: pick(ready.variate),
            arguments: ready.arguments.into_iter().map(pick).collect(),
        };
        let body = vec![tilde(drawn, ready, truncation)];
        vec![build::for_loop(
            &place,
            build::int(1, span),
            size,
            body,
            span,
        )]
    }

    /// A loop's variable over a set whose letter is not written.
    pub(super) fn element_variable(&mut self, set: SetId) -> String {
        let letters = &self.model.letters;
        match letters.iter().position(|letter| letter.set == set) {
            Some(letter) => self.letters[letter].clone(),
            None => self.row_variable(),
        }
    }

    /// The last letter's elements at once, if every argument allows it.
    fn vectorised_tilde(&mut self, drawn: Drawn<'m>) -> Option<Vec<ast::Stmt>> {
        let statement = drawn.statement;
        let span = statement.span;
        let domain = Domain::of(self.model, statement, &self.long);
        let (&letter, outer) = statement.letters.split_last()?;
        let is_row_wise =
            self.long_outcome(statement).is_some() || self.dropped_outcome(statement).is_some();
        if drawn.is_truncated() || is_row_wise || !domain.is_whole(letter) {
            return None;
        }
        // Attempt once, to know; loops around it then repeat it with their variables bound.
        let mut trial = Scope::default();
        for &letter in outer {
            trial.bind(self, letter, span);
        }
        self.vectorised_parts(drawn, letter, &mut trial)?;
        let mut scope = Scope::default();
        let statements = self.nest(outer, &domain, &mut scope, span, &mut |lowering, scope| {
            let ready = lowering.vectorised_parts(drawn, letter, scope);
            ready
                .map(|ready| tilde(drawn, ready, None))
                .into_iter()
                .collect()
        });
        Some(statements)
    }

    fn vectorised_parts(
        &mut self,
        drawn: Drawn<'m>,
        letter: LetterId,
        scope: &mut Scope,
    ) -> Option<Ready> {
        if drawn.is_multivariate() {
            return self.vectorised_arrays(drawn, letter, scope);
        }
        if !drawn.variate.axes.is_empty() {
            return None;
        }
        let variate = match (&drawn.variate.kind, drawn.purpose) {
            (ExprKind::Name { name, subscripts }, _) if families::takes_levels(drawn.family) => {
                let [only] = subscripts.as_slice() else {
                    return None;
                };
                (*only == Subscript::Letter(letter)).then_some(())?;
                let whole = Value::new(
                    self.level_position(*name, &[], scope, drawn.variate.span),
                    Form::INT.in_array(),
                );
                match self.name(*name).levels_of {
                    Some(_) => whole,
                    None => self.vectorised(drawn.variate, letter, scope)?,
                }
            }
            (ExprKind::Name { subscripts, .. }, _) => {
                (subscripts.last() == Some(&Subscript::Letter(letter))).then_some(())?;
                self.vectorised(drawn.variate, letter, scope)?
            }
            (_, Purpose::Factor) => self.vectorised(drawn.variate, letter, scope)?,
            _ => return None,
        };
        if variate.form.is_scalar() {
            return None;
        }
        let mut arguments = Vec::new();
        for argument in drawn.arguments {
            let is_vector = !argument.axes.is_empty()
                && !matches!(argument.kind, ExprKind::Int(_) | ExprKind::Real(_));
            let is_cutpoints = families::takes_levels(drawn.family)
                && drawn.family.starts_with("ordered")
                && !usage::mentions(argument, letter);
            if is_vector && !is_cutpoints {
                return None;
            }
            arguments.push(self.vectorised(argument, letter, scope)?);
        }
        Some(Ready { variate, arguments })
    }

    /// Draws of vectors for all elements of a letter: an array of vectors, with arguments shared or one per element.
    fn vectorised_arrays(
        &mut self,
        drawn: Drawn<'m>,
        letter: LetterId,
        scope: &mut Scope,
    ) -> Option<Ready> {
        let can_repeat =
            drawn.family.starts_with("multi_normal") || drawn.family.starts_with("multi_student_t");
        let ExprKind::Name { name, subscripts } = &drawn.variate.kind else {
            return None;
        };
        let is_plain = subscripts.last() == Some(&Subscript::Letter(letter));
        if !can_repeat || !is_plain || drawn.variate.axes.len() != 1 {
            return None;
        }
        let span = drawn.variate.span;
        let variate = self.gathered_name(*name, subscripts, letter, scope, span)?;
        if variate.form != Form::VECTOR.in_array() {
            return None;
        }
        let vectors = families::multivariate(drawn.family).unwrap_or(&[]);
        let mut arguments = Vec::new();
        for (at, argument) in drawn.arguments.iter().enumerate() {
            let value = match &argument.kind {
                _ if !usage::mentions(argument, letter) => {
                    let before = scope.prelude.len();
                    let value = self.bare(argument, scope);
                    if scope.prelude.len() > before {
                        scope.prelude.truncate(before);
                        return None;
                    }
                    match (
                        vectors.contains(&at) && value.form.is_scalar(),
                        drawn.variate.axes.last(),
                    ) {
                        (true, Some(&set)) => {
                            let size = self.size(set, span);
                            constant_vector(value, size)
                        }
                        _ => value.column(),
                    }
                }
                ExprKind::Name { name, subscripts } if vectors.contains(&at) => {
                    let values =
                        self.gathered_name(*name, subscripts, letter, scope, argument.span)?;
                    (values.form == Form::VECTOR.in_array()).then_some(values)?
                }
                _ => return None,
            };
            arguments.push(value);
        }
        Some(Ready { variate, arguments })
    }
}

/// `variate ~ family(arguments)`
fn tilde(drawn: Drawn<'_>, ready: Ready, truncation: Option<ast::Truncation>) -> ast::Stmt {
    let arguments = ready.arguments.into_iter().map(|value| value.expr);
    build::stmt(
        ast::StmtKind::Tilde {
            variate: ready.variate.expr,
            distribution: build::identifier(drawn.family, drawn.family_span),
            arguments: arguments.collect(),
            truncation,
        },
        drawn.statement.span,
    )
}

impl Ready {
    /// The variate and the arguments behind it, as densities take them.
    pub(super) fn into_parts(self) -> (Value, Vec<Value>) {
        (self.variate, self.arguments)
    }
}

/// An element of a vector; a number is its own.
pub(super) fn element_of(value: Value, place: &str, span: Span) -> Value {
    if value.form.is_scalar() {
        return value;
    }
    let at = build::variable(place, span);
    let form = match value.form.element {
        Element::Int => Form::INT,
        _ => Form::REAL,
    };
    Value::new(build::element(value.expr, at, span), form)
}
