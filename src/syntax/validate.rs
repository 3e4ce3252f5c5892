//! Rules about where things may stand that the grammar leaves open, checked on the finished tree.

use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::*;

/// Reports misplaced constraints and initial values.
pub fn verify_placement(program: &Program, diagnostics: &mut Vec<Diagnostic>) {
    for (block, name) in [(&program.data, "data"), (&program.parameters, "parameters")] {
        for declaration in block.iter().flat_map(|block| &block.items) {
            verify_no_initial(declaration, name, diagnostics);
        }
    }
    for function in program.functions.iter().flat_map(|block| &block.items) {
        verify_function(function, diagnostics);
    }
    for block in [
        &program.transformed_data,
        &program.transformed_parameters,
        &program.generated_quantities,
    ] {
        for statement in block.iter().flat_map(|block| &block.items) {
            verify_statement(statement, Level::Top, diagnostics);
        }
    }
    for statement in program.model.iter().flat_map(|block| &block.items) {
        verify_statement(statement, Level::Local, diagnostics);
    }
}

/// Reports constraints in the body of a function.
pub fn verify_function(function: &FunctionDef, diagnostics: &mut Vec<Diagnostic>) {
    for statement in function.body.iter().flat_map(|body| &body.items) {
        verify_statement(statement, Level::Local, diagnostics);
    }
}

/// Whether a statement stands directly in a block whose variables are part of the program's
/// output; elsewhere variables are local.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Local,
}

fn verify_statement(statement: &Stmt, level: Level, diagnostics: &mut Vec<Diagnostic>) {
    match &statement.kind {
        StmtKind::Declaration(declaration) => {
            if level == Level::Local {
                verify_unconstrained(&declaration.type_spec, diagnostics);
            }
        }
        StmtKind::Block(body) | StmtKind::Profile { body, .. } => {
            for statement in body {
                verify_statement(statement, Level::Local, diagnostics);
            }
        }
        StmtKind::For { body, .. }
        | StmtKind::ForEach { body, .. }
        | StmtKind::While { body, .. } => verify_statement(body, Level::Local, diagnostics),
        StmtKind::If {
            then_body,
            else_body,
            ..
        } => {
            verify_statement(then_body, Level::Local, diagnostics);
            if let Some(else_body) = else_body {
                verify_statement(else_body, Level::Local, diagnostics);
            }
        }
        StmtKind::Empty
        | StmtKind::Assign { .. }
        | StmtKind::Tilde { .. }
        | StmtKind::TargetIncrement(_)
        | StmtKind::JacobianIncrement(_)
        | StmtKind::Call { .. }
        | StmtKind::Break
        | StmtKind::Continue
        | StmtKind::Return(_)
        | StmtKind::Print(_)
        | StmtKind::Reject(_)
        | StmtKind::FatalError(_) => {}
    }
}

fn verify_unconstrained(type_spec: &TypeSpec, diagnostics: &mut Vec<Diagnostic>) {
    match &type_spec.kind {
        TypeKind::Basic { base, bounds, .. } => {
            if base.is_constrained() || *bounds != Bounds::None {
                diagnostics.push(local_constraint(*base, type_spec.span));
            }
        }
        TypeKind::Array { element, .. } => verify_unconstrained(element, diagnostics),
        TypeKind::Tuple(elements) => {
            for element in elements {
                verify_unconstrained(element, diagnostics);
            }
        }
    }
}

fn local_constraint(base: BaseType, span: Span) -> Diagnostic {
    let found = Diagnostic::error(
        Code::MisplacedConstraint,
        "a local variable cannot be constrained",
        span,
        "constrained type",
    )
    .with_note(
        "Constraints belong to the variables declared directly in a program block other than \
         `model`.",
    );
    if base.is_constrained() {
        found.with_hint(format!("Write `{}`.", base.unconstrained().word()))
    } else {
        found.with_hint("Leave out what stands between `<` and `>`.")
    }
}

fn verify_no_initial(declaration: &Declaration, block: &str, diagnostics: &mut Vec<Diagnostic>) {
    for declarator in &declaration.declarators {
        if let Some(initial) = &declarator.initial {
            let reason = match block {
                "data" => "Data come from outside of the program.",
                _ => "The sampler gives parameters their values.",
            };
            let found = Diagnostic::error(
                Code::MisplacedInitializer,
                format!("a variable of the `{block}` block cannot be given a value"),
                initial.span,
                "",
            )
            .with_note(reason);
            diagnostics
                .push(found.with_hint(format!("To compute it, move it to `transformed {block}`.")));
        }
    }
}
