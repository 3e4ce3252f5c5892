//! Functions: the user's definitions, and instances of them and of library functions.
//!
//! An instance belongs to one combination of argument levels and one [`Mode`]. It is entered into the table
//! before its body is elaborated, so recursion finds it there.

use std::collections::BTreeSet;

use super::Checker;
use super::frame::{Ending, Frame, Place};
use super::promote::promotions;
use super::scope::{Binding, Scopes};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, FunctionId};
use crate::syntax::ast;
use crate::types::{Level, Ty};

/// In which variant a function is elaborated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// As written; `_lupdf` calls inside keep their constants.
    Plain,
    /// A density after `~` or as `_lupdf`: a library density returns no terms that are data, and a user's passes
    /// the mode on to the `_lupdf` calls inside.
    Unnormalized,
}

/// What an instance is of: the definition's number, the arguments' levels, the mode.
pub(super) type InstanceKey = (usize, Vec<Level>, Mode);

/// A function definition of the program or the library.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition<'a> {
    /// Distinguishes it from every other definition.
    pub number: usize,
    /// Its text.
    pub ast: &'a ast::FunctionDef,
    /// Whether it is the library's.
    pub from_library: bool,
    /// Whether it takes any container of reals where it declares `vector`.
    pub flattens: bool,
}

impl<'a> Definition<'a> {
    /// The types of its arguments.
    pub fn parameters(self) -> Vec<Ty> {
        self.ast
            .parameters
            .iter()
            .map(|parameter| unsized_ty(&parameter.parameter_type))
            .collect()
    }

    /// What it returns.
    pub fn result(self) -> Ty {
        self.ast.return_type.as_ref().map_or(Ty::Void, unsized_ty)
    }

    /// Its name.
    pub fn name(self) -> &'a str {
        &self.ast.name.name
    }

    /// The levels of its arguments when those that can depend on parameters have the given one.
    pub fn levels_when(self, level: Level) -> Vec<Level> {
        self.ast
            .parameters
            .iter()
            .map(|parameter| {
                let integer = unsized_ty(&parameter.parameter_type).scalar() == Ty::Int;
                if parameter.data_only || integer {
                    Level::Data
                } else {
                    level
                }
            })
            .collect()
    }

    /// The rule that its name's ending puts it under.
    pub fn ending(self) -> Ending {
        Ending::of(self.name())
    }
}

/// The type that an unsized type of the syntax tree names.
pub(super) fn unsized_ty(written: &ast::UnsizedType) -> Ty {
    match &written.kind {
        ast::UnsizedKind::Basic(base) => base_ty(*base),
        ast::UnsizedKind::Array {
            dimensions,
            element,
        } => unsized_ty(element).array_of(*dimensions),
        ast::UnsizedKind::Tuple(parts) => Ty::Tuple(parts.iter().map(unsized_ty).collect()),
    }
}

/// The type of the values that a type word declares.
pub(super) fn base_ty(base: ast::BaseType) -> Ty {
    use ast::BaseType::*;
    match base {
        Int => Ty::Int,
        Real => Ty::Real,
        Complex => Ty::Complex,
        Vector | Ordered | PositiveOrdered | Simplex | UnitVector | SumToZeroVector => Ty::Vector,
        RowVector => Ty::RowVector,
        Matrix
        | SumToZeroMatrix
        | RowStochasticMatrix
        | ColumnStochasticMatrix
        | CovMatrix
        | CorrMatrix
        | CholeskyFactorCov
        | CholeskyFactorCorr => Ty::Matrix,
        ComplexVector => Ty::ComplexVector,
        ComplexRowVector => Ty::ComplexRowVector,
        ComplexMatrix => Ty::ComplexMatrix,
    }
}

/// Whether this version can run values of the type.
pub(super) fn is_supported(ty: &Ty) -> bool {
    match ty.array_parts().1 {
        Ty::Complex | Ty::ComplexVector | Ty::ComplexRowVector | Ty::ComplexMatrix => false,
        Ty::Tuple(parts) => parts.iter().all(is_supported),
        _ => true,
    }
}

impl<'a> Checker<'a> {
    /// Enters the definitions of the `functions` block into the table of names.
    pub(super) fn declare_functions(&mut self, block: &'a Option<ast::Block<ast::FunctionDef>>) {
        let Some(block) = block else { return };
        let library = self.library.len();
        for (position, function) in block.items.iter().enumerate() {
            let definition = Definition {
                number: library + position,
                ast: function,
                from_library: false,
                flattens: false,
            };
            self.verify_header(definition);
            self.enter_definition(definition);
        }
        self.verify_all_defined();
    }

    /// Adds a definition, or completes a declaration ahead.
    fn enter_definition(&mut self, definition: Definition<'a>) {
        let parameters = definition.parameters();
        if self.is_higher_order(definition.name())
            || self.library_has(definition.name(), &parameters)
        {
            self.report(
                Diagnostic::error(
                    Code::FunctionRedefined,
                    format!("`{}` is a library function", definition.name()),
                    definition.ast.name.span,
                    "already defined for these argument types",
                )
                .with_hint("choose another name, or other argument types"),
            );
        }
        let overloads = self.functions.entry(definition.name()).or_default();
        let Some(known) = overloads
            .iter_mut()
            .find(|known| known.parameters() == parameters)
        else {
            overloads.push(definition);
            return;
        };
        let earlier = known.ast;
        let qualifiers = |function: &ast::FunctionDef| -> Vec<bool> {
            let parameters = function.parameters.iter();
            parameters.map(|parameter| parameter.data_only).collect()
        };
        let completes = earlier.body.is_none()
            && known.result() == definition.result()
            && qualifiers(earlier) == qualifiers(definition.ast);
        if completes && definition.ast.body.is_some() {
            *known = definition;
            return;
        }
        self.report(
            Diagnostic::error(
                Code::FunctionRedefined,
                format!("`{}` is already defined", definition.name()),
                definition.ast.name.span,
                "second definition with these argument types",
            )
            .with_secondary(earlier.name.span, "the first one"),
        );
    }

    /// Whether a function of the library takes these types, perhaps with integers promoted.
    fn library_has(&self, name: &str, parameters: &[Ty]) -> bool {
        let promote_to = |wanted: Vec<Ty>| {
            let mut pairs = parameters.iter().zip(&wanted);
            parameters.len() == wanted.len()
                && pairs.all(|(given, wanted)| promotions(given, wanted).is_some())
        };
        self.builtin_takes(name, parameters)
            || self
                .library_definitions(name)
                .filter(|definition| !self.library.is_extension(definition.number))
                .any(|definition| promote_to(definition.parameters()))
    }

    /// The library functions of that name that can be called from the code at hand: the library's own helpers are
    /// seen by the library alone, and by the transforms of parameters.
    pub(super) fn library_definitions(
        &self,
        name: &str,
    ) -> impl Iterator<Item = Definition<'a>> + use<'a> {
        let library = self.library;
        let sees_hidden = self.frame.from_library || self.frame.place == Place::Parameters;
        let overloads = library.overloads(name).iter();
        let seen = overloads.filter(move |&&number| sees_hidden || !library.is_hidden(number));
        seen.filter_map(move |&number| {
            let function = library.function(number)?;
            Some(Definition {
                number,
                ast: &function.definition,
                from_library: true,
                flattens: library.flattens(number),
            })
        })
    }

    /// The user's functions of that name that can be seen from the code at hand: library code sees none.
    pub(super) fn user_definitions(&self, name: &str) -> &[Definition<'a>] {
        if self.frame.from_library {
            return &[];
        }
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }

    fn verify_all_defined(&mut self) {
        let missing: Vec<Definition> = self
            .functions
            .values()
            .flatten()
            .filter(|definition| definition.ast.body.is_none())
            .copied()
            .collect();
        for definition in missing {
            self.report(
                Diagnostic::error(
                    Code::FunctionNotDefined,
                    format!("`{}` is declared but never defined", definition.name()),
                    definition.ast.name.span,
                    "no body follows",
                )
                .with_hint("define it further down in the functions block"),
            );
        }
    }

    /// Reports what is wrong with a function's name, arguments and result.
    fn verify_header(&mut self, definition: Definition<'a>) {
        let function = definition.ast;
        if Ending::of(definition.name()) != Ending::Density {
            self.verify_name(&function.name);
        }
        let mut names = BTreeSet::new();
        for parameter in &function.parameters {
            self.verify_name(&parameter.name);
            if !names.insert(&parameter.name.name) {
                self.report(Diagnostic::error(
                    Code::Redeclared,
                    format!("two arguments are called `{}`", parameter.name.name),
                    parameter.name.span,
                    "",
                ));
            }
            if !is_supported(&unsized_ty(&parameter.parameter_type)) {
                self.unsupported::<()>("complex numbers are", parameter.parameter_type.span);
            }
        }
        if !is_supported(&definition.result()) {
            self.unsupported::<()>("complex numbers are", function.span);
        }
        self.verify_density_form(definition);
    }

    fn verify_density_form(&mut self, definition: Definition<'a>) {
        let name = definition.name();
        let reason = match definition.ending() {
            Ending::Density if name.ends_with("_lupdf") || name.ends_with("_lupmf") => {
                Some(format!(
                    "the ending {} is for calls only: define it with {}",
                    &name[name.len() - 6..],
                    if name.ends_with("df") {
                        "_lpdf"
                    } else {
                        "_lpmf"
                    }
                ))
            }
            Ending::Density | Ending::Cumulative => self.density_fault(definition),
            Ending::Random if definition.ast.return_type.is_none() => {
                Some("a function ending in _rng returns the number that it draws".to_owned())
            }
            _ => None,
        };
        if let Some(reason) = reason {
            self.report(Diagnostic::error(
                Code::DensityForm,
                reason,
                definition.ast.name.span,
                "",
            ));
        }
    }

    fn density_fault(&self, definition: Definition<'a>) -> Option<String> {
        let name = definition.name();
        if definition.result() != Ty::Real {
            return Some(format!("`{name}` must return real"));
        }
        let Some(outcome) = definition.parameters().first().map(Ty::scalar) else {
            return Some(format!("`{name}` needs an outcome as its first argument"));
        };
        let (wanted, refused) = match name.rsplit_once('_') {
            Some((_, "lpdf")) => (Ty::Real, Ty::Int),
            Some((_, "lpmf")) => (Ty::Int, Ty::Real),
            _ => return None,
        };
        (outcome == refused).then(|| {
            format!("the first argument of `{name}` is the outcome and must hold {wanted}, not {outcome}")
        })
    }

    /// Checks the bodies of the user's functions for every program that could call them: with arguments that
    /// depend on parameters. What this elaborates is thrown away.
    pub(super) fn verify_function_bodies(&mut self) {
        let (functions, variables) = (self.program.functions.len(), self.program.variables.len());
        let definitions: Vec<Definition> = self.functions.values().flatten().copied().collect();
        for definition in definitions {
            if definition.ast.body.is_none() {
                continue;
            }
            let levels = definition.levels_when(Level::Param);
            self.instance(definition, &levels, Mode::Plain);
            self.verify_returns(definition);
        }
        self.program.functions.truncate(functions);
        self.program.variables.truncate(variables);
    }

    /// Checks a library function in all its modes.
    pub(super) fn verify_library_function(&mut self, definition: Definition<'a>) {
        self.verify_header(definition);
        for level in [Level::Data, Level::Param] {
            let levels = definition.levels_when(level);
            self.instance(definition, &levels, Mode::Plain);
            if definition.ending() == Ending::Density {
                self.instance(definition, &levels, Mode::Unnormalized);
            }
        }
        self.verify_returns(definition);
    }

    fn verify_returns(&mut self, definition: Definition<'a>) {
        let body = definition.ast.body.iter().flat_map(|body| &body.items);
        if definition.ast.return_type.is_some() && !body.into_iter().any(returns) {
            self.report(
                Diagnostic::error(
                    Code::MissingReturn,
                    format!("`{}` can end without returning a value", definition.name()),
                    definition.ast.name.span,
                    format!("must return {}", definition.result()),
                )
                .with_hint("end every branch in `return` or `reject`"),
            );
        }
    }

    /// The instance of a function for arguments of these levels.
    pub(super) fn instance(
        &mut self,
        definition: Definition<'a>,
        levels: &[Level],
        mode: Mode,
    ) -> FunctionId {
        let key = (definition.number, levels.to_vec(), mode);
        if let Some(&id) = self.instances.get(&key) {
            return id;
        }
        let id = FunctionId(self.program.functions.len() as u32);
        self.instances.insert(key, id);
        self.program.functions.push(ir::Function {
            name: definition.name().to_owned(),
            arguments: Vec::new(),
            result: definition.result(),
            body: Vec::new(),
            from_library: definition.from_library,
            span: definition.ast.name.span,
        });
        self.elaborate_instance(id, definition, levels, mode);
        id
    }

    fn elaborate_instance(
        &mut self,
        id: FunctionId,
        definition: Definition<'a>,
        levels: &[Level],
        mode: Mode,
    ) {
        let Some(body) = &definition.ast.body else {
            return;
        };
        let usual_level = if definition.from_library {
            Level::Data
        } else if matches!(definition.ending(), Ending::Target | Ending::Jacobian) {
            Level::Param
        } else {
            levels.iter().copied().max().unwrap_or(Level::Data)
        };
        let frame = Frame::function(
            definition.ending(),
            definition.from_library,
            mode,
            definition.result(),
            usual_level,
        );
        let outer_frame = std::mem::replace(&mut self.frame, frame);
        let outer_scopes = std::mem::take::<Scopes>(&mut self.scopes);
        let (arguments, statements) = self.settle(|checker| {
            let arguments = checker.bind_arguments(definition, levels);
            let mut statements = Vec::new();
            for statement in &body.items {
                checker.stmt(statement, &mut statements);
            }
            (arguments, statements)
        });
        self.frame = outer_frame;
        self.scopes = outer_scopes;
        let function = &mut self.program.functions[id.0 as usize];
        function.arguments = arguments;
        function.body = statements;
    }

    fn bind_arguments(&mut self, definition: Definition<'a>, levels: &[Level]) -> Vec<ir::VarId> {
        let mut arguments = Vec::new();
        for (parameter, &level) in definition.ast.parameters.iter().zip(levels) {
            let id = self.allocate(ir::Variable {
                name: parameter.name.name.clone(),
                sized: ir::SizedTy {
                    ty: unsized_ty(&parameter.parameter_type),
                    dims: Vec::new(),
                },
                role: ir::VarRole::Argument,
                level,
                constraint: ir::Constraint::None,
                span: parameter.name.span,
            });
            self.scopes.bind(Binding {
                name: &parameter.name.name,
                variable: Some(id),
                span: parameter.name.span,
            });
            arguments.push(id);
        }
        arguments
    }

    /// The user's function of that name whose arguments start with these types: what a higher-order function
    /// passes to it.
    pub(super) fn user_function_taking(
        &self,
        name: &str,
        arguments: &[Ty],
    ) -> Option<Definition<'a>> {
        self.user_definitions(name)
            .iter()
            .copied()
            .find(|definition| {
                let parameters = definition.parameters();
                parameters.len() == arguments.len()
                    && arguments
                        .iter()
                        .zip(&parameters)
                        .all(|(argument, parameter)| promotions(argument, parameter).is_some())
            })
    }
}

/// Whether every way through the statement ends in `return`, `reject` or `fatal_error`.
fn returns(statement: &ast::Stmt) -> bool {
    use ast::StmtKind;
    match &statement.kind {
        StmtKind::Return(_) | StmtKind::Reject(_) | StmtKind::FatalError(_) => true,
        StmtKind::Block(body) | StmtKind::Profile { body, .. } => body.iter().any(returns),
        StmtKind::If {
            then_body,
            else_body: Some(else_body),
            ..
        } => returns(then_body) && returns(else_body),
        StmtKind::While { condition, body } => {
            let forever = matches!(condition.kind, ast::ExprKind::Int(value) if value != 0);
            (returns(body) || forever) && !breaks(body)
        }
        // As in Stan: a loop whose every round returns is taken to have a round.
        StmtKind::For { body, .. } | StmtKind::ForEach { body, .. } => {
            returns(body) && !breaks(body)
        }
        _ => false,
    }
}

/// Whether a statement can leave the loop that it is the body of.
fn breaks(statement: &ast::Stmt) -> bool {
    use ast::StmtKind;
    match &statement.kind {
        StmtKind::Break => true,
        StmtKind::Block(body) | StmtKind::Profile { body, .. } => body.iter().any(breaks),
        StmtKind::If {
            then_body,
            else_body,
            ..
        } => breaks(then_body) || else_body.as_ref().is_some_and(|body| breaks(body)),
        _ => false,
    }
}
