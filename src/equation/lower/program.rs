//! The blocks of the program that fits a model, and its plan.

use super::context::Lowering;
use super::define::{Piece, ordered};
use super::{Expansion, Generate, Note, build};
use crate::equation::plan::{Input, InputSource, Observed, Output, Plan};
use crate::equation::tree::{Level, NameId, Role, SetKind, Statement, StatementKind};
use crate::source::Span;
use crate::syntax::ast::{self, BaseType, Bounds, Declaration, Program, Stmt};
use crate::syntax::format_type;

/// Generated quantities with what the plan says of them.
#[derive(Default)]
pub(super) struct Generated {
    /// Their statements.
    pub(super) statements: Vec<Stmt>,
    /// What they define.
    pub(super) outputs: Vec<Output>,
    /// The observed statements.
    pub(super) observed: Vec<Observed>,
}

/// Parameters with what the plan says of them.
#[derive(Default)]
pub(super) struct Parameters {
    /// Their declarations, in an order in which bounds are known.
    pub(super) declarations: Vec<Declaration>,
    /// Transformed parameters that complete them.
    pub(super) pieces: Vec<Piece>,
    /// What they are.
    pub(super) outputs: Vec<Output>,
    /// What the pieces are.
    pub(super) completed: Vec<Output>,
    /// Comments.
    pub(super) notes: Vec<Note>,
}

impl<'m> Lowering<'m> {
    /// The program that fits the model.
    pub(super) fn fit(&mut self, generate: Generate) -> Expansion {
        let parameters = self.parameters();
        let data_level = self.definitions(Level::Data);
        let target_level = self.definitions(Level::Target);
        let generated_level = self.definitions(Level::Generated);
        let transformed_data = self.define_all(&data_level);
        let mut transformed_parameters = parameters.pieces;
        transformed_parameters.extend(self.define_all(&target_level));
        let model = self.model_block();
        let defined = self.define_all(&generated_level);
        let generated = self.generated(generate);

        let mut outputs = parameters.outputs;
        outputs.extend(parameters.completed);
        outputs.extend(target_level.iter().map(|name| self.output(*name)));
        outputs.extend(generated_level.iter().map(|name| self.output(*name)));
        outputs.extend(generated.outputs);
        let mut generated_quantities = ordered(defined);
        generated_quantities.extend(generated.statements);
        let blocks = Blocks {
            transformed_data,
            parameters: parameters.declarations,
            transformed_parameters: ordered(transformed_parameters),
            model,
            generated_quantities,
        };
        let mut expansion = self.assemble(blocks);
        expansion.plan.outputs = outputs;
        expansion.plan.observed = generated.observed;
        expansion.notes = parameters.notes;
        expansion
    }

    /// Puts blocks together with the data that they need.
    pub(super) fn assemble(&mut self, blocks: Blocks) -> Expansion {
        let (sets, ends) = self.plan_sets();
        let frozen = self.frozen();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut sized = 0;
        let mut data = self.data_block();
        // Sizes computed from data may ask for data in turn.
        while sized < self.computed_sizes.len() {
            let (set, name) = self.computed_sizes[sized].clone();
            let span = self.model.sets[set.0].span;
            let size = self.range_size(set, span);
            let spec = build::basic_type(BaseType::Int, Bounds::None, Vec::new(), span);
            pieces.push(Piece {
                names: vec![name.clone()],
                statements: vec![build::declare(spec, &name, Some(size), span)],
            });
            sized += 1;
            data = self.data_block();
        }
        for end in ends {
            pieces.push(Piece {
                names: super::mention::declared(std::slice::from_ref(&end)),
                statements: vec![end],
            });
        }
        for auxiliary in std::mem::take(&mut self.auxiliaries) {
            pieces.push(Piece {
                names: auxiliary.names,
                statements: auxiliary.statements,
            });
        }
        pieces.extend(blocks.transformed_data);
        let span = Span::default();
        let plan = Plan {
            sets,
            columns: self.columns.clone(),
            inputs: data
                .iter()
                .map(|(_, input)| Input {
                    name: input.name.clone(),
                    source: input.source.clone(),
                })
                .collect(),
            frozen,
            ..Plan::default()
        };
        let declarations = data.into_iter().map(|(declaration, _)| declaration);
        let program = Program {
            functions: self.model.functions.clone(),
            data: build::block(declarations.collect(), span),
            transformed_data: build::block(ordered(pieces), span),
            parameters: build::block(blocks.parameters, span),
            transformed_parameters: build::block(blocks.transformed_parameters, span),
            model: build::block(blocks.model, span),
            generated_quantities: build::block(blocks.generated_quantities, span),
        };
        Expansion {
            program,
            plan,
            notes: Vec::new(),
        }
    }

    /// The definitions of a level, in the order of the file.
    pub(super) fn definitions(&self, level: Level) -> Vec<NameId> {
        let all = (0..self.model.names.len()).map(NameId);
        all.filter(|name| self.name(*name).role == Role::Definition(level))
            .collect()
    }

    /// Transformed data that predictions keep: reductions over everything, and definitions that are such.
    fn frozen(&self) -> Vec<String> {
        let mut frozen: Vec<String> = self.kept.iter().map(|(_, name, _)| name.clone()).collect();
        for name in self.definitions(Level::Data) {
            let definitions = self.definitions_of(name);
            let reduces = |statement: &&Statement| match &statement.kind {
                StatementKind::Define { value, .. } => self.reduces_groups(value),
                _ => false,
            };
            if definitions.iter().any(reduces) {
                frozen.push(self.called(name));
            }
        }
        frozen
    }

    /// What the plan says of a variable that draws have. Definitions over rows are not kept unless asked for.
    pub(super) fn output(&self, name: NameId) -> Output {
        let declared = self.name(name);
        let is_definition = matches!(declared.role, Role::Definition(_));
        let over_rows = declared
            .axes
            .iter()
            .any(|set| matches!(self.model.sets[set.0].kind, SetKind::Rows));
        Output {
            name: self.called(name),
            over: declared.axes.clone(),
            is_saved: !(is_definition && over_rows),
        }
    }

    /// The parameters block, and what completes parameters of which the file or data give some elements.
    pub(super) fn parameters(&mut self) -> Parameters {
        let mut parameters = Parameters::default();
        for name in self.unknowns() {
            self.parameter(name, &mut parameters);
        }
        for name in self.columns_names.clone() {
            if self.is_imputed(name) {
                self.imputed(name, &mut parameters);
            }
        }
        let declarations = bounds_first(std::mem::take(&mut parameters.declarations));
        parameters.declarations = gathered(declarations, &parameters.notes);
        parameters
    }

    fn parameter(&mut self, name: NameId, parameters: &mut Parameters) {
        let span = self.name(name).span;
        let called = self.called(name);
        let note = |variable: &str, parameters: &mut Parameters| {
            let declared = &self.model.names[name.0];
            let support = &declared.support;
            if !support.reason.is_empty() && declared.declared.is_none() {
                parameters.notes.push(Note {
                    variable: variable.to_string(),
                    text: support.reason.clone(),
                    place: support.place,
                });
            }
        };
        if !self.is_partly_fixed(name) {
            note(&called, parameters);
            let spec = self.parameter_type(name, span);
            let declaration = build::declaration(spec, &called, None, span);
            parameters.declarations.push(declaration);
            parameters.outputs.push(self.output(name));
            return;
        }
        let free = self.namer.take(&format!("{called}_free"));
        self.free.push((name, free.clone()));
        note(&free, parameters);
        let definitions = self.definitions_of(name);
        let axes = self.name(name).axes.clone();
        let mut sizes = self.sizes(&axes, span);
        if let Some(axis) = super::define::fixed_axis(&definitions) {
            let count = definitions.len() as i64;
            sizes[axis] = build::shifted(sizes[axis].clone(), -count, span);
        }
        let spec = self.parameter_type_of(name, sizes, span);
        parameters
            .declarations
            .push(build::declaration(spec, &free, None, span));
        parameters.outputs.push(Output {
            name: free.clone(),
            over: Vec::new(),
            is_saved: false,
        });
        let piece = self.define_partly_fixed(name, &free);
        parameters.pieces.push(piece);
        parameters.completed.push(self.output(name));
    }

    /// A column whose missing values are unknowns: the known ones, and a parameter for the rest.
    fn imputed(&mut self, name: NameId, parameters: &mut Parameters) {
        let span = self.name(name).span;
        let called = self.called(name);
        let column = self.column(name);
        let known_name = format!("{called}_known");
        let known = self.input(InputSource::Column(column), &known_name, span);
        let wanted = format!("N_{called}_missing");
        let count = self.input(InputSource::MissingCount(column), &wanted, span);
        let wanted = format!("{called}_missing_at");
        let places = self.input(InputSource::MissingPositions(column), &wanted, span);
        let missing = self.namer.take(&format!("{called}_missing"));
        let size = vec![build::variable(count, span)];
        let spec = build::basic_type(BaseType::Vector, Bounds::None, size, span);
        parameters
            .declarations
            .push(build::declaration(spec, &missing, None, span));
        parameters.outputs.push(Output {
            name: missing.clone(),
            over: Vec::new(),
            is_saved: true,
        });
        if self.name(name).axes.len() != 1 {
            self.refuse("only columns with one letter can be imputed", span);
        }
        let whole = self.declare_name(name, Some(build::variable(known, span)));
        let places = vec![ast::Index::Single(build::variable(places, span))];
        let fill = build::assign(&called, places, build::variable(missing, span), span);
        parameters.pieces.push(Piece {
            names: vec![called.clone()],
            statements: vec![whole, fill],
        });
        parameters.completed.push(Output {
            name: called,
            over: self.name(name).axes.clone(),
            is_saved: false,
        });
    }

    /// The model block, in the order of the file.
    pub(super) fn model_block(&mut self) -> Vec<Stmt> {
        let model = self.model;
        let mut statements = Vec::new();
        for statement in &model.statements {
            if !(self.without_observations && self.is_observation(statement)) {
                statements.extend(self.model_statement(statement));
            }
        }
        statements
    }
}

/// The blocks of a program besides its data.
#[derive(Default)]
pub(super) struct Blocks {
    /// Definitions from data alone.
    pub(super) transformed_data: Vec<Piece>,
    /// Parameters.
    pub(super) parameters: Vec<Declaration>,
    /// Definitions that the target needs.
    pub(super) transformed_parameters: Vec<Stmt>,
    /// The log density.
    pub(super) model: Vec<Stmt>,
    /// The rest.
    pub(super) generated_quantities: Vec<Stmt>,
}

/// Neighbours of one type on one line, unless there is something to say of them.
fn gathered(declarations: Vec<Declaration>, notes: &[Note]) -> Vec<Declaration> {
    let has_note = |declaration: &Declaration| {
        let mut names = declaration.declarators.iter().map(|own| &own.name.name);
        names.any(|name| notes.iter().any(|note| note.variable == *name))
    };
    let mut gathered: Vec<Declaration> = Vec::new();
    for declaration in declarations {
        match gathered.last_mut() {
            Some(last)
                if !has_note(last)
                    && !has_note(&declaration)
                    && format_type(&last.type_spec) == format_type(&declaration.type_spec) =>
            {
                last.declarators.extend(declaration.declarators);
            }
            _ => gathered.push(declaration),
        }
    }
    gathered
}

/// Declarations in their order, but each behind those that its bounds mention.
fn bounds_first(declarations: Vec<Declaration>) -> Vec<Declaration> {
    let pieces = declarations.into_iter().map(|declaration| Piece {
        names: vec![declaration.declarators[0].name.name.clone()],
        statements: vec![build::stmt(
            ast::StmtKind::Declaration(declaration.clone()),
            declaration.span,
        )],
    });
    let statements = ordered(pieces.collect());
    let declarations = statements
        .into_iter()
        .filter_map(|statement| match statement.kind {
            ast::StmtKind::Declaration(declaration) => Some(declaration),
            _ => None,
        });
    declarations.collect()
}
