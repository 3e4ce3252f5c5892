//! Prediction (3e): outcomes at new rows from the draws of a fit. Fitted values are the program's parameters, elements that
//! the fit had are copied from them, new ones are drawn from their distribution, and everything is computed in generated
//! quantities. What mixes rows keeps the value that it had in the fit.

use std::collections::BTreeSet;

use super::context::Lowering;
use super::define::Piece;
use super::form::{Form, Value};
use super::program::Blocks;
use super::scope::Scope;
use super::statement::Drawn;
use super::{Expansion, Prediction, build, families};
use crate::equation::plan::{Fitted, InputSource, Observed, Output};
use crate::equation::tree::{
    Expr, Level, NameId, Purpose, Role, SetId, SetKind, Statement, StatementKind,
};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, Bounds, Stmt};

impl<'m> Lowering<'m> {
    /// The program that predicts.
    pub(super) fn predict(&mut self, prediction: Prediction) -> Expansion {
        self.prediction = Some(prediction);
        let outcomes: Vec<NameId> = self.outcomes();
        let needed = self.ancestors(&outcomes);
        self.verify_predictable(&needed, &outcomes);
        if !self.diagnostics.is_empty() {
            return self.assemble(Blocks::default());
        }
        let from_fit = (0..self.model.names.len()).map(NameId).filter(|name| {
            let is_unknown = self.name(*name).role == Role::Unknown;
            needed.contains(name) && (is_unknown || self.is_held(*name))
        });
        let (growing, constant): (Vec<NameId>, Vec<NameId>) =
            from_fit.partition(|name| self.grows(*name));
        self.simulated = growing.iter().chain(&outcomes).copied().collect();
        for &outcome in &outcomes {
            let wanted = format!("{}_rep", self.name(outcome).name);
            self.names[outcome.0] = self.namer.take(&wanted);
        }
        let mut fitted = Vec::new();
        let mut parameters = Vec::new();
        for &name in &constant {
            let variable = self.called(name);
            let spec = self.simulated_type(name, self.name(name).span);
            parameters.push(build::declaration(
                spec,
                &variable,
                None,
                self.name(name).span,
            ));
            fitted.push(Fitted {
                parameter: variable.clone(),
                variable,
            });
        }
        for &name in &growing {
            if let Some(parameter) = self.fitted_parameter(name) {
                parameters.push(parameter.0);
                fitted.push(parameter.1);
            }
        }
        let from_data = self.definitions(Level::Data);
        let from_data = from_data.into_iter().filter(|name| {
            needed.contains(name) && !self.simulated.contains(name) && !self.is_frozen(*name)
        });
        let (moved, fixed): (Vec<NameId>, Vec<NameId>) =
            from_data.partition(|name| self.depends_on_simulated(*name));
        self.simulated.extend(moved.iter().copied());
        let transformed_data = self.define_all(&fixed);
        let mut computed: Vec<NameId> = needed
            .iter()
            .copied()
            .filter(|name| {
                let is_later = matches!(
                    self.name(*name).role,
                    Role::Definition(Level::Target | Level::Generated)
                );
                is_later && !constant.contains(name) || self.simulated.contains(name)
            })
            .collect();
        computed.extend(outcomes.iter().copied());
        let mut pieces = self.define_all(&computed);
        let copied = growing
            .iter()
            .filter(|name| !self.is_drawn(**name) && !self.is_left_at_location(**name));
        for name in copied.copied().collect::<Vec<NameId>>() {
            self.replace_by_copies(name, &mut pieces);
        }
        let mut outputs: Vec<Output> = computed
            .iter()
            .map(|name| self.simulated_output(*name))
            .collect();
        let mut observed = Vec::new();
        for &outcome in &outcomes {
            observed.push(self.predicted_outcome(outcome, &mut pieces, &mut outputs));
        }
        let mut generated_quantities = self.refuse_new_levels_of_frozen();
        generated_quantities.extend(super::define::ordered(pieces));
        let mut expansion = self.assemble(Blocks {
            transformed_data,
            parameters,
            transformed_parameters: Vec::new(),
            model: Vec::new(),
            generated_quantities,
        });
        expansion.plan.outputs = outputs;
        expansion.plan.observed = observed;
        expansion.plan.fitted = fitted;
        self.leave_out_columns(&mut expansion);
        expansion
    }

    /// Levels that the fit did not have are without what it computed by group.
    fn refuse_new_levels_of_frozen(&mut self) -> Vec<Stmt> {
        let mut refusals = Vec::new();
        for (name, _, axes) in self.frozen_types.clone() {
            let open: Vec<SetId> = (axes.into_iter())
                .filter(|set| self.is_open(*set))
                .collect();
            for set in open {
                let letter = &self.model.sets[set.0].name;
                let sentence = format!(
                    "`{name}` is made of the rows of the fit, so it has no value for levels of {letter} that the fit did not \
                     have; a model with `data {name}` takes it from the new rows"
                );
                refusals.push(self.refuse_new_levels(set, sentence, Span::default()));
            }
        }
        refusals
    }

    /// Stops where a set has elements that the fit did not have.
    fn refuse_new_levels(&mut self, set: SetId, sentence: String, span: Span) -> Stmt {
        let size = self.size(set, span);
        let known = self.fitted_size(set, span);
        let more = build::binary(BinaryOp::Greater, size, known, span);
        let text = ast::Expr {
            kind: ast::ExprKind::Text(sentence),
            span,
        };
        let refusal = build::stmt(ast::StmtKind::FatalError(vec![text]), span);
        build::if_then(more, vec![refusal], span)
    }

    /// How many elements of a set the fit had; outside of predictions all of them.
    pub(super) fn fitted_size(&mut self, set: SetId, span: Span) -> ast::Expr {
        if self.prediction.is_none() || !self.is_open(set) {
            return self.size(set, span);
        }
        let declared = &self.model.sets[set.0];
        let wanted = format!("N_{}_fitted", declared.name);
        let name = self.input(InputSource::FittedSize(set), &wanted, declared.span);
        build::variable(name, span)
    }

    /// The parameter that holds a name's fitted elements; names over rows have none, since rows are new.
    fn fitted_parameter(&mut self, name: NameId) -> Option<(ast::Declaration, Fitted)> {
        if self.is_over_rows(name) {
            return None;
        }
        let span = self.name(name).span;
        let variable = self.called(name);
        let parameter = self.namer.take(&format!("{variable}_fitted"));
        let axes = self.name(name).axes.clone();
        let sizes = axes
            .iter()
            .map(|&set| self.fitted_size(set, span))
            .collect();
        let spec = super::declare::sized(self.form(name), sizes, Bounds::None, span);
        let declaration = build::declaration(spec, &parameter, None, span);
        self.free.push((name, parameter.clone()));
        Some((
            declaration,
            Fitted {
                parameter,
                variable,
            },
        ))
    }

    fn fitted_of(&self, name: NameId) -> Option<String> {
        let mut fitted = self.free.iter();
        fitted
            .find(|(own, _)| *own == name)
            .map(|(_, fitted)| fitted.clone())
    }

    /// The condition that an element was in the fit; `None` if all are.
    fn was_fitted(
        &mut self,
        axes: &[SetId],
        indices: &[ast::Index],
        span: Span,
    ) -> Option<ast::Expr> {
        let mut conditions = Vec::new();
        for (&set, index) in axes.iter().zip(indices) {
            if let (true, ast::Index::Single(position)) = (self.is_open(set), index) {
                let fitted = self.fitted_size(set, span);
                let position = position.clone();
                conditions.push(build::binary(BinaryOp::LessEqual, position, fitted, span));
            }
        }
        super::domain::joined(conditions, BinaryOp::And, span)
    }

    /// One element of a name in a prediction: left at its location, copied from the fit, or drawn. `None` where drawing is
    /// all there is to do.
    pub(super) fn predicted(
        &mut self,
        drawn: Drawn<'m>,
        name: NameId,
        arguments: &[Value],
        scope: &mut Scope,
    ) -> Option<Vec<Stmt>> {
        self.prediction.as_ref()?;
        if self.name(name).role != Role::Unknown {
            return None;
        }
        let span = drawn.statement.span;
        let called = self.called(name);
        let indices = self.drawn_indices(drawn, scope);
        if self.is_without(name)
            && let Some(place) = families::location(drawn.family)
        {
            let mut value = arguments.get(place)?.clone();
            if let ([set], true) = (drawn.variate.axes.as_slice(), value.form.is_scalar()) {
                let size = self.size(*set, span);
                value = super::expr::constant_vector(value, size);
            }
            let form = self.form(name).after(&vec![true; indices.len()]);
            let value = value.fitted(form).expr;
            return Some(vec![build::assign(&called, indices, value, span)]);
        }
        let fitted = self.fitted_of(name)?;
        let axes = self.name(name).axes.clone();
        let condition = self.was_fitted(&axes, &indices, span)?;
        let copy = build::indexed(build::variable(fitted, span), indices.clone(), span);
        let copy = build::assign(&called, indices.clone(), copy, span);
        let draws = self.draw_into(drawn, &called, indices, arguments.to_vec(), scope);
        Some(vec![build::if_else(condition, vec![copy], draws, span)])
    }

    /// A name whose new elements cannot be drawn: copied from the fit, and a sentence where that is not enough.
    fn replace_by_copies(&mut self, name: NameId, pieces: &mut [Piece]) {
        let called = self.called(name);
        let span = self.name(name).span;
        let Some(fitted) = self.fitted_of(name) else {
            self.refuse(
                format!("`{called}` has no distribution to draw new elements from"),
                span,
            );
            return;
        };
        let axes = self.name(name).axes.clone();
        let spec = self.simulated_type(name, span);
        let mut statements = vec![build::declare(spec, &called, None, span)];
        let open: Vec<SetId> = axes
            .iter()
            .copied()
            .filter(|set| self.is_open(*set))
            .collect();
        for set in open {
            let letter = &self.model.sets[set.0].name;
            let sentence = format!(
                "`{called}` has no distribution from which levels of {letter} that the fit did not have could be drawn one \
                 by one: its prior is flat, constrained, or joint over levels"
            );
            statements.push(self.refuse_new_levels(set, sentence, span));
        }
        let copy = build::assign(&called, Vec::new(), build::variable(fitted, span), span);
        statements.push(copy);
        for piece in pieces {
            if piece.names.contains(&called) {
                piece.statements.clone_from(&statements);
            }
        }
    }

    /// The data that hold a definition which keeps its fitted values, if it is such.
    pub(super) fn frozen_definition(&mut self, name: NameId) -> Option<String> {
        if self.prediction.is_none() || !self.is_frozen(name) {
            return None;
        }
        let called = self.called(name);
        let known = self.frozen_types.iter().any(|(known, ..)| *known == called);
        if !known {
            let axes = self.name(name).axes.clone();
            let form = self.form(name);
            self.frozen_types.push((called.clone(), form, axes));
        }
        Some(self.own_input(name, InputSource::Frozen(called)))
    }

    pub(super) fn is_frozen(&self, name: NameId) -> bool {
        self.name(name).role == Role::Definition(Level::Data)
            && self.definitions_of(name).into_iter().any(|statement| {
                let values = statement.read();
                values.into_iter().any(|value| self.reduces_groups(value))
            })
    }

    /// The data that hold a reduction over everything as it was in the fit.
    pub(super) fn frozen_reduction(&mut self, expr: &Expr, wanted: &str) -> Value {
        // Only its kind is of interest: what computing it would need is not asked for.
        let (inputs, namer) = (self.inputs.len(), self.namer.clone());
        let form = self.computed(expr, &mut Scope::default()).form;
        self.inputs.truncate(inputs);
        self.namer = namer;
        let name = self.namer.take(wanted);
        self.frozen_types.push((name.clone(), form, Vec::new()));
        self.inputs.push(super::context::NeededInput {
            name: name.clone(),
            source: InputSource::Frozen(name.clone()),
            span: expr.span,
        });
        self.kept.push((expr.clone(), name.clone(), form));
        Value::new(build::variable(name, expr.span), form)
    }

    /// An outcome's mean beside its draws.
    fn predicted_outcome(
        &mut self,
        name: NameId,
        pieces: &mut Vec<Piece>,
        outputs: &mut Vec<Output>,
    ) -> Observed {
        let outcome = self.name(name);
        let model = self.model;
        let statements = model.statements.iter().filter(|statement| {
            matches!(
                &statement.kind,
                StatementKind::Draw { purpose: Purpose::Observation(own), .. } if *own == name
            )
        });
        let statements: Vec<&Statement> = statements.collect();
        let mut observed = Observed {
            outcome: outcome.name.clone(),
            replicate: Some(self.called(name)),
            log_lik: None,
            mean: None,
            over: outcome.axes[..outcome.shown].to_vec(),
        };
        if let [only] = statements.as_slice()
            && let Some(drawn) = self.drawn(only)
            && !drawn.is_truncated()
        {
            let mut output = self.simulated_output(name);
            if families::has_mean(drawn.family) {
                output.name = self.namer.take(&format!("{}_mean", outcome.name));
                pieces.push(self.mean_of(drawn, &output.name));
            } else if let (true, Some(set)) =
                (families::takes_levels(drawn.family), outcome.levels_of)
            {
                output.name = self.namer.take(&format!("{}_probability", outcome.name));
                output.over.push(set);
                pieces.push(self.probabilities_of(drawn, set, &output.name));
            } else {
                return observed;
            }
            observed.mean = Some(output.name.clone());
            outputs.push(output);
        }
        observed
    }

    /// The probability of each level of an outcome.
    fn probabilities_of(&mut self, drawn: Drawn<'m>, set: SetId, name: &str) -> Piece {
        let statement = drawn.statement;
        let span = statement.span;
        let count = self.size(set, span);
        let mut sizes = self.element_sizes(statement);
        sizes.push(count.clone());
        let form = super::generate::vector_of(sizes.len());
        let spec = super::declare::sized(form, sizes, Bounds::None, span);
        let level = self.namer.take("level");
        let mut statements = vec![build::declare(spec, name, None, span)];
        statements.extend(self.over_letters(statement, &mut |lowering, scope| {
            let arguments = lowering.arguments(drawn, scope).into_iter();
            let at = build::variable(level.clone(), span);
            let all = std::iter::once(at.clone()).chain(arguments.map(|value| value.expr));
            let density = families::log_density(drawn.family, true);
            let density = build::density(density, all.collect(), span);
            let mut indices = lowering.element_indices(statement, scope);
            indices.push(ast::Index::Single(at));
            let value = build::call("exp", vec![density], span);
            let body = vec![build::assign(name, indices, value, span)];
            let first = build::int(1, span);
            vec![build::for_loop(&level, first, count.clone(), body, span)]
        }));
        Piece {
            names: vec![name.to_string()],
            statements,
        }
    }

    fn mean_of(&mut self, drawn: Drawn<'m>, mean: &str) -> Piece {
        let statement = drawn.statement;
        let span = statement.span;
        let spec = match drawn.name() {
            Some(name) if !drawn.variate.axes.is_empty() => self.simulated_type(name, span),
            _ => {
                let sizes = self.element_sizes(statement);
                let form = super::generate::vector_of(sizes.len());
                super::declare::sized(form, sizes, Bounds::None, span)
            }
        };
        let mut statements = vec![build::declare(spec, mean, None, span)];
        statements.extend(self.over_letters(statement, &mut |lowering, scope| {
            let arguments = lowering.arguments(drawn, scope);
            let value = families::mean(drawn.family, &arguments, span);
            let indices = match drawn.variate.axes.is_empty() {
                true => lowering.element_indices(statement, scope),
                false => lowering.drawn_indices(drawn, scope),
            };
            let value = value.map(|value| match drawn.name() {
                Some(name) if !drawn.variate.axes.is_empty() => {
                    let form = lowering.form(name).after(&vec![true; indices.len()]);
                    Value::new(value, Form::VECTOR).fitted(form).expr
                }
                _ => value,
            });
            let value = value.map(|value| build::assign(mean, indices, value, span));
            value.into_iter().collect()
        }));
        Piece {
            names: vec![mean.to_string()],
            statements,
        }
    }

    /// Tables of new rows need only the columns that something reads.
    fn leave_out_columns(&self, expansion: &mut Expansion) {
        let plan = &mut expansion.plan;
        let mut needed: BTreeSet<usize> = BTreeSet::new();
        let mut sets: BTreeSet<SetId> = BTreeSet::new();
        for input in &plan.inputs {
            match &input.source {
                InputSource::Column(column)
                | InputSource::Map(column)
                | InputSource::MissingCount(column)
                | InputSource::MissingPositions(column)
                | InputSource::PresentCount(column)
                | InputSource::PresentPositions(column) => {
                    needed.insert(*column);
                }
                // New rows stand where their levels say, though their outcome is not known.
                InputSource::LongRows(column)
                | InputSource::FittedRows(column)
                | InputSource::LongValues(column)
                | InputSource::LongPosition { column, .. }
                | InputSource::LongLag { column, .. } => {
                    sets.extend(&self.name(self.columns_names[*column]).axes);
                }
                InputSource::Size(set)
                | InputSource::LevelValues(set)
                | InputSource::Position { set, .. } => {
                    sets.insert(*set);
                }
                InputSource::Membership { combination, .. }
                | InputSource::PartOf { combination, .. } => {
                    sets.insert(*combination);
                }
                InputSource::FittedSize(_) | InputSource::Frozen(_) => {}
            }
        }
        for &set in &sets {
            match &self.model.sets[set.0].kind {
                SetKind::Levels { columns, .. } => {
                    // Levels that only outcomes have are those of the fit.
                    let given = columns
                        .iter()
                        .filter(|column| !self.name(**column).is_observed);
                    needed.extend(given.map(|column| self.column(*column)));
                }
                SetKind::Combinations { parts, .. } => {
                    for part in parts {
                        let maps = super::usage::maps_of(part);
                        needed.extend(maps.into_iter().map(|column| self.column(column)));
                    }
                }
                SetKind::Rows | SetKind::Fixed(_) => {}
            }
        }
        for (place, column) in plan.columns.iter_mut().enumerate() {
            column.is_needed &= needed.contains(&place);
        }
    }
}
