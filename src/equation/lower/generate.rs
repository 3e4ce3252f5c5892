//! Generated quantities on request (3f): a replicate and the log density of each observation, always with its constants.

use super::context::Lowering;
use super::form::{Element, Form, Value};
use super::program::Generated;
use super::statement::Drawn;
use super::{Generate, build, families, usage};
use crate::equation::plan::{Observed, Output};
use crate::equation::tree::{
    Expr, ExprKind, NameId, Purpose, Role, SetId, Statement, StatementKind,
};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Bounds, Stmt};

/// What a statement contributes to the likelihood.
enum Contribution<'m> {
    /// An outcome with its distribution.
    Outcome(NameId, Drawn<'m>),
    /// A term of the target that uses data.
    Term(&'m Expr),
}

impl<'m> Lowering<'m> {
    /// Replicates and log densities of every observed statement.
    pub(super) fn generated(&mut self, generate: Generate) -> Generated {
        let contributions = self.contributions();
        let is_only = match contributions.first() {
            Some((_, Contribution::Outcome(first, _))) => contributions
                .iter()
                .all(|(_, other)| matches!(other, Contribution::Outcome(name, _) if name == first)),
            _ => contributions.len() == 1,
        };
        let mut generated = Generated::default();
        for (statement, contribution) in contributions {
            if let Contribution::Outcome(_, drawn) = &contribution
                && self.continues(*drawn, &mut generated)
            {
                continue;
            }
            let observed =
                self.contribution(statement, &contribution, is_only, generate, &mut generated);
            generated.observed.push(observed);
        }
        generated
    }

    /// Adds a statement's elements to those of an earlier one about other elements of the same outcome.
    fn continues(&mut self, drawn: Drawn<'m>, generated: &mut Generated) -> bool {
        let Some(name) = drawn.name() else {
            return false;
        };
        let outcome = &self.name(name).name;
        let mut observed = generated.observed.iter();
        let Some(earlier) = observed
            .find(|earlier| earlier.outcome == *outcome)
            .cloned()
        else {
            return false;
        };
        if let Some(log_lik) = &earlier.log_lik {
            let statements = self.log_lik_elements(
                drawn.statement,
                &Contribution::Outcome(name, drawn),
                log_lik,
            );
            generated.statements.extend(statements);
        }
        if let Some(replicate) = &earlier.replicate {
            let statements = self.replicate_elements(drawn, replicate);
            generated.statements.extend(statements);
        }
        true
    }

    fn contributions(&self) -> Vec<(&'m Statement, Contribution<'m>)> {
        let model = self.model;
        let found = model.statements.iter().filter_map(|statement| {
            let contribution = match &statement.kind {
                StatementKind::Draw {
                    purpose: Purpose::Observation(name),
                    ..
                } => Contribution::Outcome(*name, self.drawn(statement)?),
                StatementKind::Target { value } if self.uses_data(value) => {
                    Contribution::Term(value)
                }
                _ => return None,
            };
            Some((statement, contribution))
        });
        found.collect()
    }

    /// Whether a statement says how probable the data are.
    pub(super) fn is_observation(&self, statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Draw { purpose, .. } => matches!(purpose, Purpose::Observation(_)),
            StatementKind::Target { value } => self.uses_data(value),
            StatementKind::Define { .. } => false,
        }
    }

    /// Whether an expression depends on data, through definitions too.
    fn uses_data(&self, expr: &Expr) -> bool {
        let mut open: Vec<NameId> = values_in(expr);
        let mut seen = Vec::new();
        while let Some(name) = open.pop() {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            match self.name(name).role {
                Role::Data | Role::Definition(crate::equation::tree::Level::Data) => return true,
                Role::Unknown => {}
                Role::Definition(_) => {
                    for definition in self.definitions_of(name) {
                        let parts = definition.expressions();
                        open.extend(parts.into_iter().flat_map(values_in));
                    }
                }
            }
        }
        false
    }

    fn contribution(
        &mut self,
        statement: &'m Statement,
        contribution: &Contribution<'m>,
        is_only: bool,
        generate: Generate,
        generated: &mut Generated,
    ) -> Observed {
        let outcome = match contribution {
            Contribution::Outcome(name, _) => self.name(*name).name.clone(),
            Contribution::Term(_) => "target".to_string(),
        };
        let over = self.element_sets(statement);
        let mut observed = Observed {
            outcome: outcome.clone(),
            replicate: None,
            log_lik: None,
            mean: None,
            over: over.clone(),
        };
        if generate.log_lik {
            let wanted = match is_only {
                true => "log_lik".to_string(),
                false => format!("log_lik_{outcome}"),
            };
            let name = match self.log_lik_taken(&wanted, generated) {
                // A second term of the target.
                true => self.namer.take(&wanted),
                false => self.generated_name(&wanted, statement.span),
            };
            self.log_lik(statement, contribution, &name, generated);
            observed.log_lik = Some(name);
        }
        if let Contribution::Outcome(_, drawn) = contribution
            && generate.replicates
            && self.can_draw(drawn.family)
        {
            let name = self.generated_name(&format!("{outcome}_rep"), statement.span);
            self.replicate(*drawn, &name, generated);
            observed.replicate = Some(name);
        }
        observed
    }

    fn log_lik_taken(&self, wanted: &str, generated: &Generated) -> bool {
        let mut observed = generated.observed.iter();
        observed.any(|earlier| earlier.log_lik.as_deref() == Some(wanted))
    }

    /// The sets of what a statement has one of per element: those of its letters, or of all of an outcome whose elements
    /// several statements share.
    fn element_sets(&self, statement: &Statement) -> Vec<SetId> {
        match usage::left_name(statement) {
            Some(name) if self.has_literals(name) => {
                let count = usage::left_subscripts(statement).len();
                self.name(name).axes[..count].to_vec()
            }
            _ => self.sets_of(statement),
        }
    }

    /// A name that lowering gives to something that users asked for: theirs must not be the same.
    fn generated_name(&mut self, wanted: &str, span: Span) -> String {
        let wanted = super::names::ascii(wanted);
        let name = self.namer.take(&wanted);
        if name != wanted {
            self.refuse(
                format!("`{wanted}` is generated here, but the model has that name already"),
                span,
            );
        }
        name
    }

    /// Whether a family can be drawn from: the library's, or the user's own with a function `_rng`.
    pub(super) fn can_draw(&self, family: &str) -> bool {
        let defined = self.model.functions.iter().flat_map(|block| &block.items);
        let mut defined = defined.map(|function| function.name.name.as_str());
        let is_own = defined.any(|name| families::of_call(name) == Some(family));
        let wanted = format!("{family}_rng");
        let mut functions = self.model.functions.iter().flat_map(|block| &block.items);
        match is_own {
            true => functions.any(|function| function.name.name == wanted),
            false => families::has_draws(family),
        }
    }

    /// Whether a family is of integers.
    pub(super) fn is_discrete(&self, family: &str) -> bool {
        let own = format!("{family}_lpmf");
        let mut functions = self.model.functions.iter().flat_map(|block| &block.items);
        functions.any(|function| function.name.name == own) || families::is_discrete(family)
    }

    /// The sizes of what a statement has one of per element: its letters, or the rows of its long table.
    pub(super) fn element_sizes(&mut self, statement: &'m Statement) -> Vec<ast::Expr> {
        let span = statement.span;
        match self.long_outcome(statement) {
            Some(column) => vec![self.long_rows(column, span)],
            None => {
                let sets = self.element_sets(statement);
                self.sizes(&sets, span)
            }
        }
    }

    /// The indices of a statement's element where it is computed.
    pub(super) fn element_indices(
        &mut self,
        statement: &'m Statement,
        scope: &mut super::scope::Scope,
    ) -> Vec<ast::Index> {
        if let Some((_, row)) = &scope.long {
            return vec![ast::Index::Single(row.clone())];
        }
        let mut indices = Vec::new();
        if usage::left_name(statement).is_some_and(|name| self.has_literals(name)) {
            for subscript in usage::left_subscripts(statement) {
                indices.push(self.index(subscript, scope, statement.span));
            }
            return indices;
        }
        for letter in &statement.letters {
            let letter = crate::equation::tree::Subscript::Letter(*letter);
            indices.push(ast::Index::Single(self.position(
                &letter,
                scope,
                statement.span,
            )));
        }
        indices
    }

    fn log_lik(
        &mut self,
        statement: &'m Statement,
        contribution: &Contribution<'m>,
        name: &str,
        generated: &mut Generated,
    ) {
        let span = statement.span;
        let sizes = self.element_sizes(statement);
        let form = vector_of(sizes.len());
        let spec = super::declare::sized(form, sizes, Bounds::None, span);
        // Elements that the statement does not cover (the first of a lagged series) contribute nothing.
        let initial = self.uncovered(statement, form);
        generated
            .statements
            .push(build::declare(spec, name, initial, span));
        let statements = self.log_lik_elements(statement, contribution, name);
        generated.statements.extend(statements);
        generated
            .outputs
            .push(self.generated_output(statement, name, &[]));
    }

    fn log_lik_elements(
        &mut self,
        statement: &'m Statement,
        contribution: &Contribution<'m>,
        name: &str,
    ) -> Vec<Stmt> {
        let span = statement.span;
        self.counts_observations = true;
        let statements = self.over_letters(statement, &mut |lowering, scope| {
            let value = match contribution {
                Contribution::Outcome(_, drawn) => lowering.log_density(*drawn, scope),
                Contribution::Term(value) => lowering.expr(value, scope).expr,
            };
            let indices = lowering.element_indices(statement, scope);
            vec![build::assign(name, indices, value, span)]
        });
        self.counts_observations = false;
        statements
    }

    fn replicate_elements(&mut self, drawn: Drawn<'m>, name: &str) -> Vec<Stmt> {
        let statement = drawn.statement;
        self.over_letters(statement, &mut |lowering, scope| {
            let (_, arguments) = lowering.ready(drawn, scope).into_parts();
            let indices = lowering.element_indices(statement, scope);
            lowering.draw_into(drawn, name, indices, arguments, scope)
        })
    }

    fn generated_output(&self, statement: &Statement, name: &str, axes: &[SetId]) -> Output {
        let mut over: Vec<SetId> = Vec::new();
        let long = self.long_outcome(statement);
        if long.is_none() {
            over.extend(self.element_sets(statement));
            over.extend(axes);
        }
        Output {
            name: name.to_string(),
            over,
            is_saved: true,
        }
    }

    /// Zeros for a log likelihood of which some elements are not computed.
    fn uncovered(&mut self, statement: &'m Statement, form: Form) -> Option<ast::Expr> {
        let domain = super::domain::Domain::of(self.model, statement, &self.long);
        let is_partial = !statement
            .letters
            .iter()
            .all(|letter| domain.is_whole(*letter))
            || usage::left_name(statement).is_some_and(|name| self.has_literals(name))
            || self.dropped_outcome(statement).is_some()
            || usage::left_name(statement).is_some_and(|name| self.is_imputed(name))
            || self.long_outcome(statement).is_some();
        if !is_partial || form.rank() == 0 {
            return None;
        }
        let span = statement.span;
        let sizes = self.element_sizes(statement);
        let (last, outer) = sizes.split_last()?;
        let zero = build::int(0, span);
        let vector = build::call("rep_vector", vec![zero, last.clone()], span);
        if outer.is_empty() {
            return Some(vector);
        }
        let arguments = std::iter::once(vector).chain(outer.iter().cloned());
        Some(build::call("rep_array", arguments.collect(), span))
    }

    /// The log density of one observation, with its constants, and with the normaliser of a truncation.
    fn log_density(&mut self, drawn: Drawn<'m>, scope: &mut super::scope::Scope) -> ast::Expr {
        let span = drawn.statement.span;
        let (variate, arguments) = self.ready(drawn, scope).into_parts();
        let arguments: Vec<ast::Expr> = arguments.into_iter().map(|value| value.expr).collect();
        let name = families::log_density(drawn.family, self.is_discrete(drawn.family));
        let with = |first: ast::Expr| {
            let all = std::iter::once(first).chain(arguments.iter().cloned());
            all.collect::<Vec<ast::Expr>>()
        };
        let density = build::density(name, with(variate.expr), span);
        let discrete = self.is_discrete(drawn.family);
        let function = |suffix: &str| format!("{}_{suffix}", drawn.family);
        // P(Y >= lower) of integers is one less the probability below.
        let mut lower = |lowering: &mut Self, end: &Expr| {
            let end = lowering.expr(end, scope).expr;
            if discrete {
                build::shifted(end, -1, span)
            } else {
                end
            }
        };
        let normaliser = match (drawn.lower, drawn.upper) {
            (None, None) => return density,
            (Some(end), None) => {
                let end = lower(self, end);
                build::density(function("lccdf"), with(end), span)
            }
            (None, Some(end)) => {
                let end = self.expr(end, scope).expr;
                build::density(function("lcdf"), with(end), span)
            }
            (Some(low), Some(high)) => {
                let low = lower(self, low);
                let high = self.expr(high, scope).expr;
                let high = build::density(function("lcdf"), with(high), span);
                let low = build::density(function("lcdf"), with(low), span);
                build::call("log_diff_exp", vec![high, low], span)
            }
        };
        build::binary(BinaryOp::Subtract, density, normaliser, span)
    }

    fn replicate(&mut self, drawn: Drawn<'m>, name: &str, generated: &mut Generated) {
        let statement = drawn.statement;
        let span = statement.span;
        let mut sizes = self.element_sizes(statement);
        let axes = drawn.variate.axes.clone();
        sizes.extend(self.sizes(&axes, span));
        let element = self.drawn_element(drawn);
        let form = Form {
            arrays: sizes.len() - element.rank(),
            element,
        };
        // A vector of numbers rather than an array, as the outcome itself is.
        let form = match (form.element, form.arrays) {
            (Element::Real, arrays) if arrays > 0 => Form {
                arrays: arrays - 1,
                element: Element::Vector,
            },
            _ => form,
        };
        let spec = super::declare::sized(form, sizes, Bounds::None, span);
        let initial = self.unchanged(drawn, form);
        generated
            .statements
            .push(build::declare(spec, name, initial, span));
        let statements = self.replicate_elements(drawn, name);
        generated.statements.extend(statements);
        generated
            .outputs
            .push(self.generated_output(statement, name, &axes));
    }

    /// The observed values, where some elements are conditioned on: they are no random quantities.
    fn unchanged(&mut self, drawn: Drawn<'m>, form: Form) -> Option<ast::Expr> {
        let statement = drawn.statement;
        let domain = super::domain::Domain::of(self.model, statement, &self.long);
        let is_partial = !statement
            .letters
            .iter()
            .all(|letter| domain.is_whole(*letter))
            || usage::left_name(statement).is_some_and(|name| self.has_literals(name))
            || self.dropped_outcome(statement).is_some()
            || self
                .long_outcome(statement)
                .is_some_and(|_| form.rank() > 0);
        let name = drawn.name()?;
        if !is_partial || form.rank() == 0 || self.form(name) != form && !self.long[name.0] {
            return None;
        }
        let span = drawn.variate.span;
        if self.long[name.0] {
            let source = crate::equation::plan::InputSource::LongValues(self.column(name));
            return Some(build::variable(self.own_input(name, source), span));
        }
        let values = match self.name(name).levels_of {
            Some(_) => self.map(name),
            None => self.read(name),
        };
        Some(build::variable(values, span))
    }

    /// What one draw of a statement is.
    pub(super) fn drawn_element(&self, drawn: Drawn<'_>) -> Element {
        let is_discrete = self.is_discrete(drawn.family);
        match (drawn.variate.axes.len(), is_discrete) {
            (_, true) => Element::Int,
            (0, false) => Element::Real,
            (1, false) => Element::Vector,
            _ => Element::Matrix,
        }
    }

    /// Draws an outcome and stores it; within bounds by drawing again until it lies there.
    pub(super) fn draw_into(
        &mut self,
        drawn: Drawn<'m>,
        name: &str,
        indices: Vec<ast::Index>,
        arguments: Vec<Value>,
        scope: &mut super::scope::Scope,
    ) -> Vec<Stmt> {
        let span = drawn.statement.span;
        let axes = &drawn.variate.axes;
        let is_vector = axes.len() == 1 && !drawn.is_multivariate();
        if !is_vector {
            return self.draw_one(drawn, name, indices, arguments, scope);
        }
        // A vector of independent draws: one by one, each within its bounds.
        let place = self.element_variable(axes[0]);
        let size = self.size(axes[0], span);
        let arguments = arguments
            .into_iter()
            .map(|value| super::statement::element_of(value, &place, span))
            .collect();
        let mut at = indices;
        at.push(ast::Index::Single(build::variable(place.clone(), span)));
        let body = self.draw_one(drawn, name, at, arguments, scope);
        vec![build::for_loop(
            &place,
            build::int(1, span),
            size,
            body,
            span,
        )]
    }

    fn draw_one(
        &mut self,
        drawn: Drawn<'m>,
        name: &str,
        indices: Vec<ast::Index>,
        arguments: Vec<Value>,
        scope: &mut super::scope::Scope,
    ) -> Vec<Stmt> {
        let span = drawn.statement.span;
        let mut arguments: Vec<ast::Expr> = arguments.into_iter().map(|value| value.expr).collect();
        if drawn.family.starts_with("lkj_corr")
            && let Some(&set) = drawn.variate.axes.last()
        {
            let size = self.size(set, span);
            arguments.insert(0, size);
        }
        let draw = families::draw(drawn.family, arguments, span);
        let store = build::assign(name, indices.clone(), draw, span);
        if !drawn.is_truncated() {
            return vec![store];
        }
        let drawn_value = build::indexed(build::variable(name, span), indices, span);
        let mut outside = Vec::new();
        let mut end = |end: Option<&Expr>, operator| {
            let Some(end) = end else { return };
            let end = self.expr(end, scope).expr;
            outside.push(build::binary(operator, drawn_value.clone(), end, span));
        };
        end(drawn.lower, BinaryOp::Less);
        end(drawn.upper, BinaryOp::Greater);
        let mut statements = vec![store.clone()];
        if let Some(condition) = super::domain::joined(outside, BinaryOp::Or, span) {
            let body = Box::new(store);
            statements.push(build::stmt(ast::StmtKind::While { condition, body }, span));
        }
        statements
    }
}

fn values_in(expr: &Expr) -> Vec<NameId> {
    let mut names = Vec::new();
    usage::visit(expr, &mut |part| match &part.kind {
        ExprKind::Name { name, .. } => names.push(*name),
        ExprKind::LevelTest { column, .. } => names.push(*column),
        _ => {}
    });
    names
}

/// Numbers over so many axes: the last a vector.
pub(super) fn vector_of(axes: usize) -> Form {
    match axes {
        0 => Form::REAL,
        axes => Form {
            arrays: axes - 1,
            element: Element::Vector,
        },
    }
}
