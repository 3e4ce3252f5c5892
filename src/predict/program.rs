//! The program that predicts: generated quantities alone, with the fit's draws as parameters without constraints.
//!
//! The resolved model is read as one that simulates (as for its prior), after what does not vary by group has become
//! data: numbers that the fit gives. What varies by group is drawn or computed where the level is new, and taken from the
//! fit where it is known. Reductions over the data keep the values of the fit.

use super::{means, unread};
use crate::equation::lower::{Purpose as LoweringPurpose, lower};
use crate::equation::plan::{InputSource, Plan, SetId};
use crate::equation::tree::{self, Level, NameId, Purpose, Role, SetKind, StatementKind};
use crate::equation::{self};
use crate::model::Model;
use crate::pooling::effect::{self, Effect};
use crate::pooling::rewrite;
use crate::session::Failure;
use crate::source::Span;
use crate::summary::Labels;
use crate::syntax::ast::{
    self, BaseType, BinaryOp, Block, Bounds, Declaration, Declarator, Expr, ExprKind, Identifier,
    Index, LValue, Place, PlaceStep, Stmt, StmtKind, TypeKind, TypeSpec,
};
use crate::syntax::equation::{EquationProgram, ItemKind};
use crate::syntax::{self, Form, NoIncludes, format_equations, format_expression, format_program};
use std::sync::Arc;

/// The prefix of an outcome's mean.
const MEAN: &str = "prediction_mean_";
/// What follows the name of a variable for its values in the fit.
const FITTED: &str = "_fit";
/// Before the letter of a set: for each element its place in the fit, 0 for a new one.
const KNOWN: &str = "known_";

/// A program that predicts, before it has data.
#[derive(Clone, Debug)]
pub struct PredictionProgram {
    /// In block form.
    pub text: String,
    /// What goes into its data.
    pub plan: Plan,
    /// Its parameters: draws of the fit.
    pub fitted: Vec<Fitted>,
    /// The sets for which the data say which elements the fit knows: `known_j`.
    pub known: Vec<(String, SetId)>,
    /// Data that are the fit's own values: transformed data that the fit computed.
    pub frozen: Vec<String>,
    /// The outcomes: name, replicate, and mean where there is one.
    pub outcomes: Vec<Outcome>,
}

/// A parameter of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Its name in the program.
    pub name: String,
    /// The name of the draws that fill it.
    pub of: String,
    /// The set of each dimension, and whether it is one of groups, whose elements are found by their labels.
    pub axes: Vec<(SetId, bool)>,
    /// Whether the model can draw it for a new level.
    pub can_be_new: bool,
}

/// An outcome that is predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its name in the model.
    pub name: String,
    /// The variable with its replicates.
    pub replicate: String,
    /// The variable with its means.
    pub mean: Option<String>,
    /// The sets that both range over.
    pub over: Vec<SetId>,
}

/// Why there is no program that predicts.
#[derive(Debug)]
pub enum CannotPredict {
    /// In a sentence.
    Because(String),
    /// A phase of the compiler found something wrong.
    Failure(Box<Failure>),
}

fn because(reason: impl Into<String>) -> CannotPredict {
    CannotPredict::Because(reason.into())
}

/// Makes the program. `labels` are those of the fit's sets, and `population` names effects that take their location
/// instead of a group's value.
///
/// # Errors
/// Why the model cannot predict.
pub fn prediction_program(
    model: &Model,
    program: &EquationProgram,
    labels: &[Arc<Labels>],
    population: &[Effect],
) -> Result<PredictionProgram, CannotPredict> {
    let equations = model.program().equations.as_ref();
    let equations = equations.ok_or_else(|| because("the program is in block form"))?;
    let fit_plan = &equations.plan;
    let outcomes: Vec<String> = (fit_plan.observed.iter())
        .filter(|observed| observed.outcome != "target")
        .map(|observed| observed.outcome.clone())
        .collect();
    if outcomes.is_empty() {
        return Err(because(
            "no statement of the model draws an outcome: terms of the target say how probable data are, not how they arise",
        ));
    }
    let mut program = program.clone();
    for effect in population {
        program = rewrite::at_location(&program, effect);
    }
    let (program, roots) = with_means(&program, &outcomes)?;
    let program = rewrite::needed(program, &roots);
    let resolved = equation::resolve(&program).map_err(|diagnostics| {
        CannotPredict::Failure(Box::new(Failure {
            sources: model.program().sources.clone(),
            diagnostics,
        }))
    })?;
    let mut tree = resolved.model;
    fix_observed_levels(&mut tree, fit_plan, labels);
    let given = give_what_the_fit_knows(&mut tree);
    let expansion = lower(&tree, &LoweringPurpose::Prior).map_err(|diagnostics| {
        CannotPredict::Failure(Box::new(Failure {
            sources: model.program().sources.clone(),
            diagnostics,
        }))
    })?;
    let (program, plan) = (expansion.program, expansion.plan);
    if program
        .parameters
        .as_ref()
        .is_some_and(|block| !block.items.is_empty())
    {
        return Err(because(
            "the model does not say how its outcomes arise from what is known",
        ));
    }
    Assembly::new(&tree, program, plan, given).finish(&outcomes)
}

/// Adds a definition of each outcome's mean; the names that the prediction needs.
fn with_means(
    program: &EquationProgram,
    outcomes: &[String],
) -> Result<(EquationProgram, Vec<String>), CannotPredict> {
    let mut text = format_equations(program);
    let mut roots = outcomes.to_vec();
    for item in &program.items {
        let ItemKind::Draw {
            variates,
            distribution,
            arguments,
            truncation: None,
            ..
        } = &item.kind
        else {
            continue;
        };
        let arguments: Vec<String> = arguments.iter().map(format_expression).collect();
        for variate in variates {
            let shown = format_expression(variate);
            let Some(name) = outcomes.iter().find(|name| {
                shown == **name
                    || shown
                        .strip_prefix(name.as_str())
                        .is_some_and(|rest| rest.starts_with('['))
            }) else {
                continue;
            };
            if let Some(mean) = means::mean(&distribution.name, &arguments) {
                text.push_str(&format!("{MEAN}{shown} = {mean}\n"));
                roots.push(format!("{MEAN}{name}"));
            }
        }
    }
    let mut sources = crate::source::SourceMap::new();
    let source = sources.add("prediction", text);
    match syntax::parse_form(&mut sources, source, &mut NoIncludes) {
        Ok(Form::Equation(program)) => Ok((program, roots)),
        Ok(Form::Block(_)) => Err(because("the program is in block form")),
        Err(diagnostics) => Err(CannotPredict::Failure(Box::new(Failure {
            sources,
            diagnostics,
        }))),
    }
}

/// Levels that only outcomes have are those of the fit: new rows have no outcomes.
fn fix_observed_levels(tree: &mut tree::Model, plan: &Plan, labels: &[Arc<Labels>]) {
    for set in &mut tree.sets {
        let SetKind::Levels { columns, .. } = &set.kind else {
            continue;
        };
        let is_observed = |column: &NameId| tree.names[column.0].is_observed;
        if !columns.iter().all(is_observed) {
            continue;
        }
        let place = plan
            .sets
            .iter()
            .position(|other| other.letters.contains(&set.name));
        let Some(labels) = place.and_then(|place| labels.get(place)) else {
            continue;
        };
        let label = |at: usize| tree::Label {
            text: labels.get(at).unwrap_or_default().into_owned(),
            is_constant: false,
        };
        let all = (0..labels.len()).map(label).collect();
        set.kind = SetKind::Fixed(tree::Order::Labels(all));
    }
}

/// A name whose values come from the fit.
struct Given {
    name: NameId,
    /// Whether the model draws it for new levels; else it is data to the lowering.
    is_drawn: bool,
}

/// Turns unknowns and definitions that do not vary by group into data, and unknowns that cannot be drawn.
fn give_what_the_fit_knows(tree: &mut tree::Model) -> Vec<Given> {
    let mut given = Vec::new();
    for place in 0..tree.names.len() {
        let id = NameId(place);
        let name = &tree.names[place];
        let is_latent = match name.role {
            Role::Unknown => true,
            Role::Definition(Level::Target) => true,
            Role::Definition(Level::Data | Level::Generated) | Role::Data => false,
        };
        if !is_latent {
            continue;
        }
        let is_grouped = name.axes.iter().any(|set| is_group(tree, *set));
        let is_unknown = name.role == Role::Unknown;
        if is_grouped && !is_unknown {
            // Computed anew from what it is made of.
            continue;
        }
        let is_drawn = is_grouped && can_draw(tree, id);
        if !is_drawn {
            tree.names[place].role = Role::Data;
            tree.names[place].declared = None;
            tree.names[place].support = tree::Support::default();
            tree.statements.retain(|statement| !is_about(statement, id));
        }
        given.push(Given { name: id, is_drawn });
    }
    tree.statements.retain(|statement| {
        !matches!(
            statement.kind,
            StatementKind::Target { .. }
                | StatementKind::Draw {
                    purpose: Purpose::Factor,
                    ..
                }
        )
    });
    given
}

fn is_group(tree: &tree::Model, set: SetId) -> bool {
    !matches!(tree.sets[set.0].kind, SetKind::Fixed(_))
}

fn is_about(statement: &tree::Statement, id: NameId) -> bool {
    match &statement.kind {
        StatementKind::Draw { purpose, .. } => *purpose == Purpose::Prior(id),
        StatementKind::Define { name, .. } => *name == id,
        StatementKind::Target { .. } => false,
    }
}

/// Whether an unknown has priors from which an element can be drawn on its own.
fn can_draw(tree: &tree::Model, id: NameId) -> bool {
    let name = &tree.names[id.0];
    let is_constrained = name
        .declared
        .as_ref()
        .is_some_and(|declared| declared.base.is_constrained() || declared.bounds != Bounds::None);
    let mut priors = tree
        .statements
        .iter()
        .filter(|statement| is_about(statement, id))
        .peekable();
    let factors = tree.statements.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::Draw { purpose: Purpose::Factor, variate, .. }
            if mentions(variate, id))
    });
    // A statement without letters draws all elements jointly.
    !is_constrained
        && !factors
        && priors.peek().is_some()
        && priors.all(|prior| !prior.letters.is_empty())
}

fn mentions(expr: &tree::Expr, id: NameId) -> bool {
    use tree::ExprKind as Kind;
    match &expr.kind {
        Kind::Name { name, .. } => *name == id,
        Kind::Unary { operand, .. } => mentions(operand, id),
        Kind::Binary { left, right, .. } => mentions(left, id) || mentions(right, id),
        Kind::Call { arguments, .. } => arguments.iter().any(|argument| mentions(argument, id)),
        Kind::Reduce { body, .. } => mentions(body, id),
        _ => false,
    }
}

/// The program being put together.
struct Assembly<'a> {
    tree: &'a tree::Model,
    program: ast::Program,
    plan: Plan,
    given: Vec<Given>,
    fitted: Vec<Fitted>,
    known: Vec<(String, SetId)>,
    frozen: Vec<String>,
}

impl<'a> Assembly<'a> {
    fn new(
        tree: &'a tree::Model,
        program: ast::Program,
        plan: Plan,
        given: Vec<Given>,
    ) -> Assembly<'a> {
        Assembly {
            tree,
            program,
            plan,
            given,
            fitted: Vec::new(),
            known: Vec::new(),
            frozen: Vec::new(),
        }
    }

    fn finish(mut self, outcomes: &[String]) -> Result<PredictionProgram, CannotPredict> {
        let mut parameters = Vec::new();
        for given in std::mem::take(&mut self.given) {
            let name = &self.tree.names[given.name.0];
            if given.is_drawn {
                self.draw_where_new(name, &mut parameters)?;
            } else {
                self.take_from_fit(given.name, &mut parameters);
            }
        }
        self.freeze();
        self.declare_known();
        self.program.parameters = Some(Block {
            items: parameters,
            span: Span::default(),
        });
        let outcomes = self.outcomes(outcomes)?;
        unread::forget(&mut self.plan);
        Ok(PredictionProgram {
            text: format_program(&self.program),
            plan: self.plan,
            fitted: self.fitted,
            known: self.known,
            frozen: self.frozen,
            outcomes,
        })
    }

    fn outcomes(&self, names: &[String]) -> Result<Vec<Outcome>, CannotPredict> {
        let mut outcomes = Vec::new();
        for name in names {
            let observed = self
                .plan
                .observed
                .iter()
                .find(|observed| observed.outcome == *name);
            let replicate =
                observed.and_then(|observed| Some((observed.replicate.clone()?, observed)));
            let Some((replicate, observed)) = replicate else {
                return Err(because(format!("`{name}` cannot be drawn")));
            };
            let wanted = format!("{MEAN}{name}");
            let mean = self
                .plan
                .outputs
                .iter()
                .find(|output| output.name == wanted);
            outcomes.push(Outcome {
                name: name.clone(),
                replicate,
                mean: mean.map(|output| output.name.clone()),
                over: observed.over.clone(),
            });
        }
        Ok(outcomes)
    }

    /// Moves a declaration from data to parameters, without its constraints.
    fn take_from_fit(&mut self, id: NameId, parameters: &mut Vec<Declaration>) {
        let name = &self.tree.names[id.0];
        let column = self
            .plan
            .columns
            .iter()
            .position(|column| column.name == name.name);
        let input = self.plan.inputs.iter().position(
            |input| matches!(input.source, InputSource::Column(of) if Some(of) == column),
        );
        // What nothing uses has no place in the program.
        let Some(input) = input else { return };
        let called = self.plan.inputs.remove(input).name;
        if let Some(type_spec) = self.remove_data(&called) {
            parameters.push(declaration(free(type_spec), &called));
            self.fitted.push(Fitted {
                name: called.clone(),
                of: called,
                axes: self.axes(id),
                can_be_new: false,
            });
        }
    }

    fn axes(&self, id: NameId) -> Vec<(SetId, bool)> {
        let axes = self.tree.names[id.0].axes.iter();
        axes.map(|set| (*set, is_group(self.tree, *set))).collect()
    }

    fn remove_data(&mut self, name: &str) -> Option<TypeSpec> {
        let block = self.program.data.as_mut()?;
        for declaration in &mut block.items {
            let place = declaration
                .declarators
                .iter()
                .position(|declarator| declarator.name.name == name);
            if let Some(place) = place {
                declaration.declarators.remove(place);
                let type_spec = declaration.type_spec.clone();
                block
                    .items
                    .retain(|declaration| !declaration.declarators.is_empty());
                return Some(type_spec);
            }
        }
        None
    }

    /// Gives a simulated variable the fit's values at known levels.
    fn draw_where_new(
        &mut self,
        name: &tree::Name,
        parameters: &mut Vec<Declaration>,
    ) -> Result<(), CannotPredict> {
        let output = self.plan.outputs.iter().find(|output| {
            output.name == name.name || output.over == name.axes && spelt(&output.name, &name.name)
        });
        let Some(called) = output.map(|output| output.name.clone()) else {
            return Ok(());
        };
        let Some(block) = &mut self.program.generated_quantities else {
            return Ok(());
        };
        let Some(type_spec) = declared_type(&block.items, &called) else {
            return Ok(());
        };
        let fit = format!("{called}{FITTED}");
        let mut groups = Vec::new();
        for set in &name.axes {
            let known = is_group(self.tree, *set).then(|| {
                let letter = &self.plan.sets[set.0].letters;
                format!("{KNOWN}{}", letter.first().map_or("set", String::as_str))
            });
            if let Some(known) = &known
                && !self.known.iter().any(|(_, other)| other == set)
            {
                self.known.push((known.clone(), *set));
            }
            groups.push(known);
        }
        for statement in &mut block.items {
            choose(statement, &called, &fit, &groups)?;
        }
        parameters.push(declaration(free(type_spec), &fit));
        self.fitted.push(Fitted {
            name: fit,
            of: called,
            axes: name
                .axes
                .iter()
                .map(|set| (*set, is_group(self.tree, *set)))
                .collect(),
            can_be_new: true,
        });
        Ok(())
    }

    /// Makes data of the reductions that transformed data hold.
    fn freeze(&mut self) {
        for name in self.plan.frozen.clone() {
            let Some(block) = &mut self.program.transformed_data else {
                return;
            };
            let Some(type_spec) = declared_type(&block.items, &name) else {
                continue;
            };
            block
                .items
                .retain_mut(|statement| match &mut statement.kind {
                    StmtKind::Declaration(declaration) => {
                        declaration
                            .declarators
                            .retain(|declarator| declarator.name.name != name);
                        !declaration.declarators.is_empty()
                    }
                    _ => !assigns_only(statement, &name),
                });
            let declaration = declaration(type_spec, &name);
            let data = self.program.data.get_or_insert_with(|| Block {
                items: Vec::new(),
                span: Span::default(),
            });
            data.items.push(declaration);
            self.frozen.push(name);
        }
    }

    fn declare_known(&mut self) {
        let size = |set: &SetId| {
            let mut inputs = self.plan.inputs.iter();
            let input = inputs.find(|input| input.source == InputSource::Size(*set));
            input.map(|input| input.name.clone())
        };
        let declared = self.known.iter().filter_map(|(name, set)| {
            let element = Box::new(basic(BaseType::Int, Vec::new()));
            let kind = TypeKind::Array {
                sizes: vec![variable(&size(set)?)],
                element,
            };
            let span = Span::default();
            Some(declaration(TypeSpec { kind, span }, name))
        });
        let declared: Vec<Declaration> = declared.collect();
        let data = self.program.data.get_or_insert_with(|| Block {
            items: Vec::new(),
            span: Span::default(),
        });
        data.items.extend(declared);
    }
}

/// Whether a name in ASCII stands for one in Greek.
fn spelt(ascii: &str, name: &str) -> bool {
    !name.is_ascii() && ascii.is_ascii()
}

fn basic(base: BaseType, sizes: Vec<Expr>) -> TypeSpec {
    TypeSpec {
        kind: TypeKind::Basic {
            base,
            bounds: Bounds::None,
            sizes,
        },
        span: Span::default(),
    }
}

/// A type without its constraints.
fn free(type_spec: TypeSpec) -> TypeSpec {
    let span = type_spec.span;
    let kind = match type_spec.kind {
        TypeKind::Basic { base, sizes, .. } => TypeKind::Basic {
            base: match base.unconstrained() {
                // Draws of integers are numbers in a position like all others.
                BaseType::Int => BaseType::Real,
                base => base,
            },
            bounds: Bounds::None,
            sizes,
        },
        TypeKind::Array { sizes, element } => TypeKind::Array {
            sizes,
            element: Box::new(free(*element)),
        },
        TypeKind::Tuple(parts) => TypeKind::Tuple(parts.into_iter().map(free).collect()),
    };
    TypeSpec { kind, span }
}

fn declaration(type_spec: TypeSpec, name: &str) -> Declaration {
    let span = Span::default();
    Declaration {
        type_spec,
        declarators: vec![Declarator {
            name: identifier(name),
            initial: None,
        }],
        span,
    }
}

fn identifier(name: &str) -> Identifier {
    Identifier {
        name: name.to_string(),
        span: Span::default(),
    }
}

fn expression(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

fn variable(name: &str) -> Expr {
    expression(ExprKind::Variable(name.to_string()))
}

fn indexed(base: Expr, indices: Vec<Index>) -> Expr {
    if indices.is_empty() {
        return base;
    }
    expression(ExprKind::Index {
        base: Box::new(base),
        indices,
    })
}

/// The type with which statements declare a name.
fn declared_type(statements: &[Stmt], name: &str) -> Option<TypeSpec> {
    statements
        .iter()
        .find_map(|statement| match &statement.kind {
            StmtKind::Declaration(declaration) => {
                let mut declarators = declaration.declarators.iter();
                let has = declarators.any(|declarator| declarator.name.name == name);
                has.then(|| declaration.type_spec.clone())
            }
            _ => None,
        })
}

/// Whether a statement does nothing but assign to a name.
fn assigns_only(statement: &Stmt, name: &str) -> bool {
    match &statement.kind {
        StmtKind::Assign { target, .. } => assigned(target) == Some(name),
        StmtKind::For { body, .. } | StmtKind::ForEach { body, .. } => assigns_only(body, name),
        StmtKind::Block(body) => body.iter().all(|statement| assigns_only(statement, name)),
        _ => false,
    }
}

fn assigned(target: &LValue) -> Option<&str> {
    match target {
        LValue::Place(place) => Some(&place.variable.name),
        LValue::Tuple { .. } => None,
    }
}

/// The first assignment to a name within a statement: its indices.
fn assignment<'s>(statement: &'s Stmt, name: &str) -> Option<&'s [Index]> {
    match &statement.kind {
        StmtKind::Assign {
            target: LValue::Place(place),
            ..
        } if place.variable.name == name => match place.path.as_slice() {
            [] => Some(&[]),
            [PlaceStep::Index(indices)] => Some(indices),
            _ => None,
        },
        StmtKind::While { body, .. } => assignment(body, name),
        StmtKind::If {
            then_body,
            else_body,
            ..
        } => assignment(then_body, name)
            .or_else(|| else_body.as_ref().and_then(|body| assignment(body, name))),
        StmtKind::Block(body) => body
            .iter()
            .find_map(|statement| assignment(statement, name)),
        _ => None,
    }
}

/// Where a statement draws an element of `name`, it takes the element of `fit` if the level is known. `groups` has, for
/// each dimension of groups, the array that says so.
fn choose(
    statement: &mut Stmt,
    name: &str,
    fit: &str,
    groups: &[Option<String>],
) -> Result<(), CannotPredict> {
    match &mut statement.kind {
        StmtKind::For { body, .. } | StmtKind::ForEach { body, .. } => {
            return choose(body, name, fit, groups);
        }
        StmtKind::Block(body) => {
            // A block of its own draws one element in several steps.
            let is_whole = body
                .iter()
                .any(|part| matches!(part.kind, StmtKind::Declaration(_) | StmtKind::While { .. }));
            if !is_whole {
                for part in body {
                    choose(part, name, fit, groups)?;
                }
                return Ok(());
            }
        }
        StmtKind::Declaration(_) => return Ok(()),
        _ => {}
    }
    let Some(indices) = assignment(statement, name) else {
        return Ok(());
    };
    let mut condition: Option<Expr> = None;
    for (axis, known) in groups.iter().enumerate() {
        let Some(known) = known else { continue };
        let Some(index) = indices.get(axis) else {
            return Err(because(format!(
                "`{name}` is drawn jointly for all its levels, so that none can be added"
            )));
        };
        let place = indexed(variable(known), vec![index.clone()]);
        let is_known = expression(ExprKind::Binary {
            operator: BinaryOp::Greater,
            left: Box::new(place),
            right: Box::new(expression(ExprKind::Int(0))),
        });
        condition = Some(match condition {
            None => is_known,
            Some(condition) => expression(ExprKind::Binary {
                operator: BinaryOp::And,
                left: Box::new(condition),
                right: Box::new(is_known),
            }),
        });
    }
    let Some(condition) = condition else {
        return Ok(());
    };
    let taken = Stmt {
        kind: StmtKind::Assign {
            target: LValue::Place(Place {
                variable: identifier(name),
                path: vec![PlaceStep::Index(indices.to_vec())],
                span: statement.span,
            }),
            operator: None,
            value: indexed(variable(fit), indices.to_vec()),
        },
        span: statement.span,
    };
    let span = statement.span;
    let drawn = std::mem::replace(
        statement,
        Stmt {
            kind: StmtKind::Empty,
            span,
        },
    );
    statement.kind = StmtKind::If {
        condition,
        then_body: Box::new(taken),
        else_body: Some(Box::new(drawn)),
    };
    Ok(())
}

/// The effects of a model that vary over any of these sets.
pub fn effects_over(program: &EquationProgram, tree: &tree::Model, sets: &[SetId]) -> Vec<Effect> {
    let all = tree.names.iter();
    let effects = all.filter_map(|name| effect::effect(program, tree, &name.name).ok());
    effects
        .filter(|effect| effect.axes.iter().any(|axis| sets.contains(axis)))
        .collect()
}
