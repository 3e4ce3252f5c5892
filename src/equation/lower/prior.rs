//! The prior and what it predicts (3f): every unknown and outcome drawn in the order in which the model generates them, or,
//! where the file states no such order, a program without the observations, to be sampled.

use std::collections::BTreeSet;

use super::context::Lowering;
use super::form::{Element, Form};
use super::program::Blocks;
use super::scope::Scope;
use super::statement::Drawn;
use super::{Expansion, Generate, build, usage};
use crate::equation::families::{Family, Outcome};
use crate::equation::plan::{InputSource, Observed, Output};
use crate::equation::tree::{
    Level, NameId, Purpose, Role, SetId, Statement, StatementKind, Subscript, SupportKind,
};
use crate::source::Span;
use crate::syntax::ast::{self, Bounds, Stmt, TypeSpec};

impl<'m> Lowering<'m> {
    /// The program that draws from the prior, and the prior predictive.
    pub(super) fn prior(&mut self) -> Expansion {
        match self.cannot_simulate() {
            None => self.simulate(),
            Some(_) => self.fit_without_observations(),
        }
    }

    /// Why draws cannot be made one after the other, if they cannot.
    pub(super) fn cannot_simulate(&self) -> Option<String> {
        for statement in &self.model.statements {
            match &statement.kind {
                StatementKind::Target { .. } => {
                    return Some("a term of the target says nothing of what is drawn".to_string());
                }
                StatementKind::Draw {
                    purpose: Purpose::Factor,
                    ..
                } => return Some("a factor gives no order of draws".to_string()),
                StatementKind::Draw { distribution, .. } if !self.can_draw(distribution) => {
                    return Some(format!("`{distribution}` cannot be drawn from"));
                }
                StatementKind::Draw {
                    purpose: Purpose::Observation(name),
                    ..
                } if self.long[name.0] && self.reads_itself(*name) => {
                    return Some("rows of a long table stand in no order".to_string());
                }
                _ => {}
            }
        }
        self.unknowns()
            .into_iter()
            .find_map(|name| self.cannot_draw(name))
    }

    pub(super) fn reads_itself(&self, name: NameId) -> bool {
        let own = |statement: &&Statement| usage::left_name(statement) == Some(name);
        let mut statements = self.model.statements.iter().filter(own);
        statements.any(|statement| {
            let reads = statement.read();
            reads
                .into_iter()
                .any(|expr| usage::names_in(expr).contains(&name))
        })
    }

    fn cannot_draw(&self, name: NameId) -> Option<String> {
        let unknown = self.name(name);
        let priors: Vec<&Statement> = self
            .model
            .statements
            .iter()
            .filter(|statement| {
                usage::left_name(statement) == Some(name)
                    && matches!(statement.kind, StatementKind::Draw { .. })
            })
            .collect();
        if priors.is_empty() {
            return Some(format!("`{}` has a flat prior", unknown.name));
        }
        if let Some(declared) = &unknown.declared
            && (declared.base.is_constrained() || declared.bounds != Bounds::None)
        {
            return Some(format!("`{}` has a declared constraint", unknown.name));
        }
        let is_exchangeable = priors.iter().all(|statement| {
            let reads = statement.read();
            reads
                .into_iter()
                .all(|expr| !usage::mentions_any(self.model, expr))
        });
        match unknown.support.kind {
            SupportKind::UnitVector | SupportKind::SumToZero => {
                Some(format!("`{}` has a constraint", unknown.name))
            }
            SupportKind::Ordered if !is_exchangeable || unknown.axes.len() != 1 => {
                Some(format!("`{}` is ordered", unknown.name))
            }
            _ => None,
        }
    }

    fn simulate(&mut self) -> Expansion {
        let outcomes = self.outcomes();
        self.simulated = self
            .unknowns()
            .into_iter()
            .chain(outcomes.clone())
            .collect();
        for &outcome in &outcomes {
            let wanted = format!("{}_rep", self.name(outcome).name);
            self.names[outcome.0] = self.namer.take(&wanted);
        }
        let from_data = self.definitions(Level::Data);
        let (moved, fixed): (Vec<NameId>, Vec<NameId>) = from_data
            .into_iter()
            .filter(|name| !self.simulated.contains(name))
            .partition(|name| self.depends_on_simulated(*name));
        // What depends on simulated outcomes is no data any more, and is computed with them.
        self.simulated.extend(moved.iter().copied());
        let transformed_data = self.define_all(&fixed);
        let mut drawn: Vec<NameId> = (0..self.model.names.len())
            .map(NameId)
            .filter(|name| {
                let later = matches!(
                    self.name(*name).role,
                    Role::Definition(Level::Target | Level::Generated)
                );
                later || self.simulated.contains(name)
            })
            .collect();
        drawn.sort_by_key(|name| outcomes.contains(name));
        let pieces = self.define_all(&drawn);
        let outputs = drawn.iter().map(|name| self.simulated_output(*name));
        let outputs: Vec<Output> = outputs.collect();
        let observed = outcomes.iter().map(|name| self.prior_outcome(*name));
        let observed: Vec<Observed> = observed.collect();
        let mut expansion = self.assemble(Blocks {
            transformed_data,
            parameters: Vec::new(),
            transformed_parameters: Vec::new(),
            model: Vec::new(),
            generated_quantities: super::define::ordered(pieces),
        });
        expansion.plan.outputs = outputs;
        expansion.plan.observed = observed;
        expansion
    }

    /// The names that are observed: columns, and definitions from data.
    pub(super) fn outcomes(&self) -> Vec<NameId> {
        let all = (0..self.model.names.len()).map(NameId);
        all.filter(|name| {
            let is_drawn = |statement: &Statement| {
                matches!(
                    &statement.kind,
                    StatementKind::Draw { purpose: Purpose::Observation(own), .. } if own == name
                )
            };
            self.model.statements.iter().any(is_drawn)
        })
        .collect()
    }

    pub(super) fn depends_on_simulated(&self, name: NameId) -> bool {
        let mut open = vec![name];
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if self.simulated.contains(&name) {
                return true;
            }
            if seen.insert(name) {
                for definition in self.definitions_of(name) {
                    let values = definition.read();
                    open.extend(values.into_iter().flat_map(usage::names_in));
                }
            }
        }
        false
    }

    pub(super) fn simulated_output(&self, name: NameId) -> Output {
        let mut output = self.output(name);
        if self.long[name.0] {
            output.over = Vec::new();
        }
        output
    }

    fn prior_outcome(&self, name: NameId) -> Observed {
        let outcome = self.name(name);
        Observed {
            outcome: outcome.name.clone(),
            replicate: Some(self.called(name)),
            log_lik: None,
            mean: None,
            over: outcome.axes[..outcome.shown].to_vec(),
        }
    }

    /// The type of a simulated variable: without constraints, which the draws obey by themselves.
    pub(super) fn simulated_type(&mut self, name: NameId, span: Span) -> TypeSpec {
        if self.long[name.0] {
            let rows = self.long_rows(name, span);
            let form = match self.form(name).element {
                Element::Int => Form::INT.in_array(),
                _ => Form::VECTOR,
            };
            return super::declare::sized(form, vec![rows], Bounds::None, span);
        }
        let axes = self.name(name).axes.clone();
        let sizes = self.sizes(&axes, span);
        super::declare::sized(self.form(name), sizes, Bounds::None, span)
    }

    /// The data, for a simulated outcome of which some elements are conditioned on.
    pub(super) fn conditioned(&mut self, name: NameId) -> Option<ast::Expr> {
        let is_column = self.name(name).role == Role::Data && self.simulated.contains(&name);
        if !is_column || self.name(name).axes.is_empty() || self.long[name.0] {
            return None;
        }
        let providers = self.providers_of(name);
        let covers = |statement: &&Statement| {
            let domain = super::domain::Domain::of(self.model, statement, &self.long);
            let letters = &statement.letters;
            letters.iter().all(|letter| domain.is_whole(*letter))
        };
        if providers.len() == 1 && providers.iter().all(covers) {
            return None;
        }
        let column = self.column(name);
        let source = match self.name(name).levels_of {
            Some(_) => InputSource::Map(column),
            None => InputSource::Column(column),
        };
        let span = self.name(name).span;
        Some(build::variable(self.own_input(name, source), span))
    }

    /// One draw of a simulated name, in its place.
    pub(super) fn simulation(&mut self, drawn: Drawn<'m>, scope: &mut Scope) -> Vec<Stmt> {
        let Some(name) = drawn.name() else {
            return Vec::new();
        };
        let arguments = self.arguments(drawn, scope);
        if let Some(statements) = self.predicted(drawn, name, &arguments, scope) {
            return statements;
        }
        let indices = self.drawn_indices(drawn, scope);
        let called = self.called(name);
        self.draw_into(drawn, &called, indices, arguments, scope)
    }

    /// The indices of the element that is drawn.
    pub(super) fn drawn_indices(&mut self, drawn: Drawn<'m>, scope: &mut Scope) -> Vec<ast::Index> {
        let span = drawn.statement.span;
        match &scope.long {
            Some((_, row)) => vec![ast::Index::Single(row.clone())],
            None => {
                let subscripts: &[Subscript] = usage::left_subscripts(drawn.statement);
                let mut indices = Vec::new();
                for subscript in subscripts {
                    indices.push(self.index(subscript, scope, span));
                }
                indices
            }
        }
    }

    /// Cutpoints are exchangeable draws in order.
    pub(super) fn sorted(&self, name: NameId) -> Option<Stmt> {
        let is_ordered = self.name(name).support.kind == SupportKind::Ordered;
        if !is_ordered || !self.simulated.contains(&name) {
            return None;
        }
        let span = self.name(name).span;
        let called = self.called(name);
        let sorted = build::call(
            "sort_asc",
            vec![build::variable(called.clone(), span)],
            span,
        );
        Some(build::assign(&called, Vec::new(), sorted, span))
    }

    /// Whether draws must be made again until they lie in the support: where the family itself goes beyond it.
    pub(super) fn is_cut(&self, family: &str) -> bool {
        Family::named(family).is_some_and(|family| family.outcome == Outcome::Line)
    }

    /// The posterior's program without its observations, with replicates of them.
    fn fit_without_observations(&mut self) -> Expansion {
        self.without_observations = true;
        self.fit(Generate {
            replicates: true,
            log_lik: false,
        })
    }

    /// The sets of a statement's letters.
    pub(super) fn sets_of(&self, statement: &Statement) -> Vec<SetId> {
        let letters = statement.letters.iter();
        letters.map(|letter| self.set_of(*letter)).collect()
    }
}
