//! What lowering knows and collects while it walks the statements: names, kinds of values, the inputs asked for.

use std::collections::BTreeSet;

use super::form::{Element, Form};
use super::names::Namer;
use super::{Prediction, build, usage};
use crate::diag::{Code, Diagnostic};
use crate::equation::plan::{Column, InputSource, MissingValues};
use crate::equation::tree::{
    Expr, LetterId, Model, Name, NameId, Order, Role, SetId, SetKind, Statement, StatementKind,
    Subscript,
};
use crate::source::Span;
use crate::syntax::ast;

/// A variable of the data block that something needs.
#[derive(Clone, Debug)]
pub(super) struct NeededInput {
    /// Its name.
    pub(super) name: String,
    /// What it holds.
    pub(super) source: InputSource,
    /// Whose declaration in the file it stands for.
    pub(super) span: Span,
}

/// A transformed variable that lowering adds: a reduction that predictions keep, the members of groups.
#[derive(Clone, Debug)]
pub(super) struct Auxiliary {
    /// What declares and computes it.
    pub(super) statements: Vec<ast::Stmt>,
    /// What it defines.
    pub(super) names: Vec<String>,
}

/// The state of one lowering.
#[derive(Debug)]
pub(super) struct Lowering<'m> {
    /// What is lowered.
    pub(super) model: &'m Model,
    /// Which columns have missing values that change the program.
    pub(super) missing: &'m MissingValues,
    /// The names given away.
    pub(super) namer: Namer,
    /// What each name is called.
    pub(super) names: Vec<String>,
    /// What each letter is called as a loop's variable.
    pub(super) letters: Vec<String>,
    /// The kind of value that each name is stored as.
    pub(super) forms: Vec<Form>,
    /// The plan's columns, and the name of each.
    pub(super) columns: Vec<Column>,
    /// The names of the columns, in the same order.
    pub(super) columns_names: Vec<NameId>,
    /// The variable that numbers rows of long tables, once it has a name.
    pub(super) row: String,
    /// Which names are columns of a long table, read at the rows in which they exist.
    pub(super) long: Vec<bool>,
    /// The data variables that something needs, in the order of the first need.
    pub(super) inputs: Vec<NeededInput>,
    /// The sizes of sets whose ends data decide: transformed data.
    pub(super) computed_sizes: Vec<(SetId, String)>,
    /// Transformed data besides definitions.
    pub(super) auxiliaries: Vec<Auxiliary>,
    /// Reductions over everything that are kept for predictions: what they are, and the variable that holds each.
    pub(super) kept: Vec<(Expr, String, Form)>,
    /// The members of groups: what is grouped by what, and the variables that hold the lists.
    pub(super) groups: Vec<(Subscript, super::reduce::Members)>,
    /// What each data name is called in the data block: as in the file, even where simulated values take the name's place.
    pub(super) data_names: Vec<String>,
    /// The names that the program simulates instead of reading or estimating them: all that a prior predictive draws.
    pub(super) simulated: BTreeSet<NameId>,
    /// What is predicted, where the program predicts from a fit.
    pub(super) prediction: Option<Prediction>,
    /// Of a prediction: how fitted variables that are data of the program are declared.
    pub(super) frozen_types: Vec<(String, Form, Vec<SetId>)>,
    /// Whether statements run over observed values alone, not over those that are imputed.
    pub(super) counts_observations: bool,
    /// Whether the model block leaves out what data decide: a prior that must be sampled.
    pub(super) without_observations: bool,
    /// The parameters that hold the free elements of unknowns of which the file fixes some.
    pub(super) free: Vec<(NameId, String)>,
    /// What went wrong.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'m> Lowering<'m> {
    /// Names everything and decides how it is stored.
    pub(super) fn new(model: &'m Model, missing: &'m MissingValues) -> Lowering<'m> {
        let mut namer = Namer::new(usage::functions(model));
        let names: Vec<String> = model
            .names
            .iter()
            .map(|name| namer.take(&name.name))
            .collect();
        let letters = model
            .letters
            .iter()
            .map(|letter| namer.take(&letter.name))
            .collect();
        let long = super::long::columns(model);
        let wholes = usage::used_whole(model);
        let forms = (0..model.names.len())
            .map(|name| stored_form(model, NameId(name), &wholes))
            .collect();
        Lowering {
            model,
            missing,
            namer,
            data_names: names.clone(),
            simulated: BTreeSet::new(),
            prediction: None,
            frozen_types: Vec::new(),
            counts_observations: false,
            without_observations: false,
            names,
            letters,
            forms,
            columns: super::tables::columns(model, &long),
            columns_names: (0..model.names.len())
                .map(NameId)
                .filter(|name| model.names[name.0].role == Role::Data)
                .collect(),
            row: String::new(),
            long,
            inputs: Vec::new(),
            computed_sizes: Vec::new(),
            auxiliaries: Vec::new(),
            kept: Vec::new(),
            groups: Vec::new(),
            free: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// A name of the model.
    pub(super) fn name(&self, name: NameId) -> &'m Name {
        &self.model.names[name.0]
    }

    /// What a name is called in the block form.
    pub(super) fn called(&self, name: NameId) -> String {
        self.names[name.0].clone()
    }

    /// How a name is stored.
    pub(super) fn form(&self, name: NameId) -> Form {
        self.forms[name.0]
    }

    /// The set that a letter ranges over.
    pub(super) fn set_of(&self, letter: LetterId) -> SetId {
        self.model.letters[letter.0].set
    }

    /// The data variable that holds `source`; it is declared because of this call.
    pub(super) fn input(&mut self, source: InputSource, wanted: &str, span: Span) -> String {
        let known = self.inputs.iter().find(|input| input.source == source);
        if let Some(input) = known {
            return input.name.clone();
        }
        let name = self.namer.take(wanted);
        self.inputs.push(NeededInput {
            name: name.clone(),
            source,
            span,
        });
        name
    }

    /// The data variable of a name of the model itself: a column, or the positions of its levels.
    pub(super) fn own_input(&mut self, name: NameId, source: InputSource) -> String {
        let called = self.data_names[name.0].clone();
        if !self.inputs.iter().any(|input| input.source == source) {
            self.inputs.push(NeededInput {
                name: called.clone(),
                source,
                span: self.name(name).span,
            });
        }
        called
    }

    /// The number of elements of a set.
    pub(super) fn size(&mut self, set: SetId, span: Span) -> ast::Expr {
        let declared = &self.model.sets[set.0];
        let order = match &declared.kind {
            SetKind::Levels {
                order: Some(order), ..
            }
            | SetKind::Fixed(order) => Some(order),
            _ => None,
        };
        let wanted = format!("N_{}", declared.name);
        match order {
            None => {
                let name = self.input(InputSource::Size(set), &wanted, declared.span);
                build::variable(name, span)
            }
            Some(Order::Labels(labels)) => build::int(labels.len() as i64, span),
            Some(Order::Range(lower, upper)) => {
                let (lower, upper) = (self.plain(lower), self.plain(upper));
                if let (Some(lower), Some(upper)) = (build::literal(&lower), build::literal(&upper))
                {
                    return build::int((upper - lower + 1).max(0), span);
                }
                let known = self.computed_sizes.iter().find(|(known, _)| *known == set);
                let name = match known {
                    Some((_, name)) => name.clone(),
                    None => {
                        let name = self.namer.take(&wanted);
                        self.computed_sizes.push((set, name.clone()));
                        name
                    }
                };
                build::variable(name, span)
            }
        }
    }

    /// `upper - lower + 1` of a range that data decide, for the declaration of its size.
    pub(super) fn range_size(&mut self, set: SetId, span: Span) -> ast::Expr {
        match usage::range(self.model, set) {
            Some((lower, upper)) => {
                let lowest = self.plain(lower);
                let upper = self.plain(upper);
                match build::literal(&lowest) {
                    Some(lowest) => build::shifted(upper, 1 - lowest, span),
                    None => build::shifted(
                        build::binary(ast::BinaryOp::Subtract, upper, lowest, span),
                        1,
                        span,
                    ),
                }
            }
            None => build::int(0, span),
        }
    }

    /// The sizes of a name's axes, outermost first.
    pub(super) fn sizes(&mut self, axes: &[SetId], span: Span) -> Vec<ast::Expr> {
        axes.iter().map(|&set| self.size(set, span)).collect()
    }

    /// The statements that define a name, or parts of it.
    pub(super) fn definitions_of(&self, name: NameId) -> Vec<&'m Statement> {
        let model = self.model;
        let defines = |statement: &&Statement| matches!(&statement.kind, StatementKind::Define { name: defined, .. } if *defined == name);
        model.statements.iter().filter(defines).collect()
    }

    /// The statements that give a name its values: definitions, and where the program simulates it also its distribution.
    pub(super) fn providers_of(&self, name: NameId) -> Vec<&'m Statement> {
        let model = self.model;
        let is_simulated = self.simulated.contains(&name);
        // An outcome that is defined from data is drawn instead, not computed.
        let is_drawn_instead = is_simulated && self.name(name).is_observed;
        let provides = |statement: &&Statement| match &statement.kind {
            StatementKind::Define { name: defined, .. } => *defined == name && !is_drawn_instead,
            StatementKind::Draw { .. } => is_simulated && usage::left_name(statement) == Some(name),
            StatementKind::Target { .. } => false,
        };
        let mut providers: Vec<&Statement> = model.statements.iter().filter(provides).collect();
        // Elements that stand for themselves come before those that build on them.
        providers.sort_by_key(|statement| {
            let subscripts = usage::left_subscripts(statement);
            !subscripts.iter().any(super::domain::is_literal)
        });
        providers
    }

    /// Whether a name is an unknown of which the file fixes some elements: `a["none"] = 0`.
    pub(super) fn is_partly_fixed(&self, name: NameId) -> bool {
        self.name(name).role == Role::Unknown && !self.definitions_of(name).is_empty()
    }

    /// Whether a column's missing values become unknowns.
    pub(super) fn is_imputed(&self, name: NameId) -> bool {
        self.missing.imputed.contains(&self.name(name).name)
    }

    /// The place of a data name among the plan's columns.
    pub(super) fn column(&self, name: NameId) -> usize {
        usage::column(self.model, name)
    }

    /// Reports what cannot be lowered.
    pub(super) fn refuse(&mut self, title: impl Into<String>, span: Span) {
        self.diagnostics
            .push(Diagnostic::error(Code::NotSupportedYet, title, span, ""));
    }
}

/// Storage: the last axis a vector, earlier ones array; covariates, and names used whole as matrices, are matrices.
fn stored_form(model: &Model, name: NameId, wholes: &BTreeSet<NameId>) -> Form {
    let declared = &model.names[name.0];
    let rank = declared.axes.len();
    let is_integer = declared.is_integer || declared.levels_of.is_some();
    if is_integer {
        return Form {
            arrays: rank,
            element: Element::Int,
        };
    }
    let last_is_fixed = declared
        .axes
        .last()
        .is_some_and(|set| matches!(model.sets[set.0].kind, SetKind::Fixed(_)));
    let is_covariates = declared.role == Role::Data && rank == 2 && last_is_fixed;
    let element = match rank {
        0 => Element::Real,
        1 => Element::Vector,
        _ if wholes.contains(&name) || is_covariates => Element::Matrix,
        _ => Element::Vector,
    };
    Form {
        arrays: rank - element.rank(),
        element,
    }
}
