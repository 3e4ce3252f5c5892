//! From syntax tree to typed IR: every name resolved, every overload and promotion chosen, every rule of the
//! language about blocks, types and constraints enforced. All faults are collected.
//!
//! Elaboration is direct: one walk over the syntax tree builds the IR. Functions are elaborated once per
//! combination of argument levels (see [`function`](self)), on demand, so the library costs only what a program
//! uses of it. Levels of variables are found by repetition: a body is walked again until no assignment raises
//! the level of a variable any more (`Checker::settle`).

mod assign;
mod call;
mod call_errors;
mod constraint;
mod declare;
mod distribution;
mod expr;
mod fit;
mod frame;
mod function;
mod higher_order;
mod index;
mod library;
mod mention;
mod operator;
mod promote;
mod removed;
mod scope;
mod signature;
mod stmt;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::diag::{self, Code, Diagnostic};
use crate::ir::{self, FunctionId, VarId};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Level, Ty};
use frame::{Frame, Place};
use function::{Definition, InstanceKey};
use scope::{Binding, Scopes};

pub use library::Library;

/// What the caller decides about the meaning of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// Keep the additive constants of densities after `~` and in `_lupdf` calls.
    pub keep_constants: bool,
}

/// A program without errors.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The program in typed form.
    pub program: ir::Program,
    /// What its author should look at, in reading order.
    pub warnings: Vec<Diagnostic>,
}

/// A variable that an expression of the REPL can use.
#[derive(Clone, Debug, PartialEq)]
pub struct Visible {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Ty,
}

/// An expression without errors, with what it refers to.
#[derive(Clone, Debug)]
pub struct CheckedExpr {
    /// The visible variables, in the order given, and every function that the expression calls.
    pub program: ir::Program,
    /// The expression.
    pub expr: ir::Expr,
    /// What its author should look at.
    pub warnings: Vec<Diagnostic>,
}

/// Checks a program and elaborates it.
///
/// # Errors
/// Every fault found (and the warnings), in reading order.
pub fn check(
    program: &ast::Program,
    library: &Library,
    options: &CheckOptions,
) -> Result<Checked, Vec<Diagnostic>> {
    let mut checker = Checker::new(library, *options);
    checker.declare_functions(&program.functions);
    checker.program_blocks(program);
    checker.verify_function_bodies();
    let (program, warnings) = checker.finish()?;
    Ok(Checked { program, warnings })
}

/// Checks an expression that stands on its own, given the variables that it may use. Random numbers are allowed.
///
/// `functions` are the definitions of the session, if any.
///
/// # Errors
/// Every fault found, in reading order.
pub fn check_expression(
    expr: &ast::Expr,
    visible: &[Visible],
    functions: &Option<ast::Block<ast::FunctionDef>>,
    library: &Library,
) -> Result<CheckedExpr, Vec<Diagnostic>> {
    let mut checker = Checker::new(library, CheckOptions::default());
    checker.declare_functions(functions);
    checker.frame = Frame::block(Place::Prompt);
    for variable in visible {
        checker.bind_visible(variable);
    }
    let elaborated = checker.expr(expr);
    let (program, warnings) = checker.finish()?;
    match elaborated {
        Some(expr) => Ok(CheckedExpr {
            program,
            expr,
            warnings,
        }),
        None => Err(warnings),
    }
}

/// Checks every function of the library, for arguments that depend on parameters and for data, in every mode.
///
/// Programs check only what they call; this is for those who change the library.
pub fn verify_library(library: &Library) -> Vec<Diagnostic> {
    let mut checker = Checker::new(library, CheckOptions::default());
    let names: Vec<&str> = library.names().collect();
    for name in names {
        for definition in checker.library_definitions(name) {
            checker.verify_library_function(definition);
        }
    }
    let mut diagnostics = checker.diagnostics;
    diag::sort(&mut diagnostics);
    diagnostics
}

/// The state of one check.
struct Checker<'a> {
    library: &'a Library,
    options: CheckOptions,
    /// What has been elaborated so far.
    program: ir::Program,
    diagnostics: Vec<Diagnostic>,
    scopes: Scopes<'a>,
    /// The block or function that is being elaborated.
    frame: Frame,
    /// The user's functions by name, in order of definition.
    functions: BTreeMap<&'a str, Vec<Definition<'a>>>,
    instances: BTreeMap<InstanceKey, FunctionId>,
}

impl<'a> Checker<'a> {
    fn new(library: &'a Library, options: CheckOptions) -> Checker<'a> {
        Checker {
            library,
            options,
            program: ir::Program::default(),
            diagnostics: Vec::new(),
            scopes: Scopes::default(),
            frame: Frame::block(Place::Data),
            functions: BTreeMap::new(),
            instances: BTreeMap::new(),
        }
    }

    /// The blocks in order; the names of each stay visible in the later ones.
    fn program_blocks(&mut self, program: &'a ast::Program) {
        if let Some(block) = &program.data {
            self.frame = Frame::block(Place::Data);
            for declaration in &block.items {
                self.declare_data(declaration);
            }
        }
        self.program.prepare = self.top_block(&program.transformed_data, Place::TransformedData);
        if let Some(block) = &program.parameters {
            self.frame = Frame::block(Place::Parameters);
            for declaration in &block.items {
                self.declare_parameters(declaration);
            }
        }
        self.program.transform = self.top_block(
            &program.transformed_parameters,
            Place::TransformedParameters,
        );
        self.scopes.enter();
        self.program.model = self.top_block(&program.model, Place::Model);
        self.scopes.leave();
        self.program.generate = self.top_block(&program.generated_quantities, Place::Generated);
    }

    fn top_block(
        &mut self,
        block: &'a Option<ast::Block<ast::Stmt>>,
        place: Place,
    ) -> Vec<ir::Stmt> {
        let Some(block) = block else {
            return Vec::new();
        };
        self.frame = Frame::block(place);
        self.settle(|checker| {
            checker.forget_outputs(place);
            let mut body = Vec::new();
            for statement in &block.items {
                checker.stmt(statement, &mut body);
            }
            checker.append_validations(place, &mut body);
            body
        })
    }

    /// Makes a variable of the session visible.
    fn bind_visible(&mut self, variable: &'a Visible) {
        let id = self.allocate(ir::Variable {
            name: variable.name.clone(),
            sized: ir::SizedTy {
                ty: variable.ty.clone(),
                dims: Vec::new(),
            },
            role: ir::VarRole::Argument,
            level: Level::Data,
            constraint: ir::Constraint::None,
            span: Span::default(),
        });
        self.scopes.bind(Binding {
            name: &variable.name,
            variable: Some(id),
            span: Span::default(),
        });
    }

    /// Repeats an elaboration until the levels of the frame's variables have settled.
    ///
    /// Levels only rise, so this ends. Every round declares the same variables and loops in the same order.
    fn settle<T>(&mut self, elaborate: impl Fn(&mut Self) -> T) -> T {
        let scopes = self.scopes.clone();
        loop {
            self.frame.begin_round();
            let elaborated = elaborate(self);
            if self.frame.is_settled() {
                return elaborated;
            }
            self.scopes = scopes.clone();
        }
    }

    /// Adds a finding, unless an earlier round or instance has already found it.
    fn report(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports an error in the middle of something that cannot be elaborated without what is missing.
    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.report(diagnostic);
        None
    }

    fn unsupported<T>(&mut self, what: &str, span: Span) -> Option<T> {
        let title = format!("{what} not supported yet");
        self.fail(
            Diagnostic::error(Code::NotSupportedYet, title, span, "")
                .with_note("The program may be valid Stan, but this version of hlm cannot run it."),
        )
    }

    fn variable(&self, id: VarId) -> &ir::Variable {
        self.program.variable(id)
    }

    fn finish(mut self) -> Result<(ir::Program, Vec<Diagnostic>), Vec<Diagnostic>> {
        diag::sort(&mut self.diagnostics);
        if diag::any_error(&self.diagnostics) {
            return Err(self.diagnostics);
        }
        Ok((self.program, self.diagnostics))
    }
}
