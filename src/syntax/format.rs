//! Syntax trees back to text, as a person would write it: one statement a line, two spaces of
//! indentation, no parentheses but those that are needed.
//!
//! Parsing the result gives the same tree again, apart from spans. Comments are not part of the
//! tree and therefore lost.

mod equation;
mod expr;

use crate::syntax::ast::*;
pub use equation::{format_equations, format_item};
use expr::Level;

/// The whole program.
pub fn format_program(program: &Program) -> String {
    let mut printer = Printer::default();
    printer.program(program);
    printer.text
}

/// What to say behind the declaration of a variable, if anything.
pub type Notes<'n> = dyn Fn(&str) -> Option<String> + 'n;

/// The whole program, with comments behind declarations at the top level of blocks: `note` gives that of a variable.
pub fn format_program_with_notes(program: &Program, note: &Notes<'_>) -> String {
    let mut printer = Printer {
        note: Some(note),
        ..Printer::default()
    };
    printer.program(program);
    printer.text
}

/// A function definition or forward declaration, with a line break at its end.
pub fn format_function(function: &FunctionDef) -> String {
    let mut printer = Printer::default();
    printer.function(function);
    printer.text
}

/// A statement, with a line break at its end.
pub fn format_statement(statement: &Stmt) -> String {
    let mut printer = Printer::default();
    printer.statement(statement);
    printer.text
}

/// An expression.
pub fn format_expression(expr: &Expr) -> String {
    let mut printer = Printer::default();
    printer.expr(expr, Level::Ternary);
    printer.text
}

/// The type of a declaration.
pub fn format_type(type_spec: &TypeSpec) -> String {
    let mut printer = Printer::default();
    printer.type_spec(type_spec);
    printer.text
}

/// The type of an argument or result.
pub fn format_unsized_type(unsized_type: &UnsizedType) -> String {
    let mut printer = Printer::default();
    printer.unsized_type(unsized_type);
    printer.text
}

/// Text being written.
#[derive(Default)]
struct Printer<'n> {
    text: String,
    indentation: usize,
    /// The comments behind declarations at the top level of blocks, by variable.
    note: Option<&'n Notes<'n>>,
}

impl Printer<'_> {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Begins a line.
    fn begin(&mut self) {
        for _ in 0..self.indentation {
            self.put("  ");
        }
    }

    /// Writes items with commas between.
    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            write(self, item);
        }
    }

    /// Writes the elements of a tuple; a single one is followed by a comma.
    fn tuple<T>(&mut self, elements: &[T], write: impl FnMut(&mut Self, &T)) {
        self.put("(");
        self.list(elements, write);
        self.put(if elements.len() == 1 { ",)" } else { ")" });
    }
}

// Programs and functions.
impl Printer<'_> {
    fn program(&mut self, program: &Program) {
        if let Some(block) = &program.functions {
            self.block("functions", &block.items, Printer::function);
        }
        self.declarations("data", &program.data);
        self.statements("transformed data", &program.transformed_data);
        self.declarations("parameters", &program.parameters);
        self.statements("transformed parameters", &program.transformed_parameters);
        self.statements("model", &program.model);
        self.statements("generated quantities", &program.generated_quantities);
    }

    fn declarations(&mut self, header: &str, block: &Option<Block<Declaration>>) {
        if let Some(block) = block {
            self.block(header, &block.items, |printer, declaration| {
                printer.begin();
                printer.declaration(declaration);
                printer.notes_on(declaration);
                printer.put("\n");
            });
        }
    }

    fn statements(&mut self, header: &str, block: &Option<Block<Stmt>>) {
        if let Some(block) = block {
            self.block(header, &block.items, Printer::statement);
        }
    }

    fn notes_on(&mut self, declaration: &Declaration) {
        let Some(note) = self.note else { return };
        for declarator in &declaration.declarators {
            if let Some(text) = note(&declarator.name.name) {
                self.put("  // ");
                self.put(&text);
            }
        }
    }

    fn block<T>(&mut self, header: &str, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.put(header);
        self.put(" {\n");
        self.indentation += 1;
        for item in items {
            write(self, item);
        }
        self.indentation -= 1;
        self.put("}\n");
    }

    fn function(&mut self, function: &FunctionDef) {
        self.begin();
        match &function.return_type {
            None => self.put("void"),
            Some(return_type) => self.unsized_type(return_type),
        }
        self.put(" ");
        self.put(&function.name.name);
        self.put("(");
        self.list(&function.parameters, |printer, parameter| {
            if parameter.data_only {
                printer.put("data ");
            }
            printer.unsized_type(&parameter.parameter_type);
            printer.put(" ");
            printer.put(&parameter.name.name);
        });
        self.put(")");
        match &function.body {
            None => self.put(";"),
            Some(body) => self.braced(&body.items),
        }
        self.put("\n");
    }

    /// ` { … }` behind a header, without a line break at the end.
    fn braced(&mut self, statements: &[Stmt]) {
        self.put(" ");
        self.braces(statements);
    }

    fn braces(&mut self, statements: &[Stmt]) {
        self.put("{\n");
        self.indentation += 1;
        for statement in statements {
            self.statement(statement);
        }
        self.indentation -= 1;
        self.begin();
        self.put("}");
    }
}

// Types and declarations.
impl Printer<'_> {
    fn declaration(&mut self, declaration: &Declaration) {
        self.type_spec(&declaration.type_spec);
        self.put(" ");
        self.list(&declaration.declarators, |printer, declarator| {
            printer.put(&declarator.name.name);
            if let Some(initial) = &declarator.initial {
                printer.put(" = ");
                printer.expr(initial, Level::Ternary);
            }
        });
        self.put(";");
    }

    fn type_spec(&mut self, type_spec: &TypeSpec) {
        match &type_spec.kind {
            TypeKind::Basic {
                base,
                bounds,
                sizes,
            } => {
                self.put(base.word());
                self.bounds(bounds);
                if !sizes.is_empty() {
                    self.sizes(sizes);
                }
            }
            TypeKind::Array { sizes, element } => {
                self.put("array");
                self.sizes(sizes);
                self.put(" ");
                self.type_spec(element);
            }
            TypeKind::Tuple(elements) => {
                self.put("tuple");
                self.tuple(elements, Printer::type_spec);
            }
        }
    }

    fn sizes(&mut self, sizes: &[Expr]) {
        self.put("[");
        self.exprs(sizes);
        self.put("]");
    }

    fn bounds(&mut self, bounds: &Bounds) {
        let words = match bounds {
            Bounds::None => return,
            Bounds::Interval { lower, upper } => [("lower", lower), ("upper", upper)],
            Bounds::Affine { offset, multiplier } => {
                [("offset", offset), ("multiplier", multiplier)]
            }
        };
        let mut separator = "<";
        for (word, value) in words {
            if let Some(value) = value {
                self.put(separator);
                self.put(word);
                self.put("=");
                self.expr(value, Level::Sum);
                separator = ", ";
            }
        }
        self.put(">");
    }

    fn unsized_type(&mut self, unsized_type: &UnsizedType) {
        match &unsized_type.kind {
            UnsizedKind::Basic(base) => self.put(base.word()),
            UnsizedKind::Array {
                dimensions,
                element,
            } => {
                self.put("array[");
                self.put(&",".repeat(dimensions.saturating_sub(1)));
                self.put("] ");
                self.unsized_type(element);
            }
            UnsizedKind::Tuple(elements) => {
                self.put("tuple");
                self.tuple(elements, Printer::unsized_type);
            }
        }
    }
}

// Statements.
impl Printer<'_> {
    /// A statement on lines of its own.
    fn statement(&mut self, statement: &Stmt) {
        self.begin();
        self.statement_text(&statement.kind);
        self.put("\n");
    }

    /// A statement from where the line stands, without the last line break.
    fn statement_text(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Empty => self.put(";"),
            StmtKind::Declaration(declaration) => self.declaration(declaration),
            StmtKind::Assign {
                target,
                operator,
                value,
            } => self.assign(target, *operator, value),
            StmtKind::Tilde {
                variate,
                distribution,
                arguments,
                truncation,
            } => self.tilde(variate, distribution, arguments, truncation.as_ref()),
            StmtKind::TargetIncrement(value) => self.increment("target", value),
            StmtKind::JacobianIncrement(value) => self.increment("jacobian", value),
            StmtKind::Call {
                function,
                arguments,
            } => self.call_statement(&function.name, arguments),
            StmtKind::For {
                variable,
                lower,
                upper,
                body,
            } => {
                self.loop_header(variable);
                self.range_end(lower);
                self.put(":");
                self.range_end(upper);
                self.put(")");
                self.body(body);
            }
            StmtKind::ForEach {
                variable,
                collection,
                body,
            } => {
                self.loop_header(variable);
                self.expr(collection, Level::Ternary);
                self.put(")");
                self.body(body);
            }
            StmtKind::While { condition, body } => {
                self.condition("while", condition);
                self.body(body);
            }
            StmtKind::If {
                condition,
                then_body,
                else_body,
            } => self.if_statement(condition, then_body, else_body.as_deref()),
            StmtKind::Block(body) => self.braces(body),
            StmtKind::Profile { name, body } => {
                self.put(&format!("profile(\"{name}\")"));
                self.braced(body);
            }
            StmtKind::Break => self.put("break;"),
            StmtKind::Continue => self.put("continue;"),
            StmtKind::Return(None) => self.put("return;"),
            StmtKind::Return(Some(value)) => {
                self.put("return ");
                self.expr(value, Level::Ternary);
                self.put(";");
            }
            StmtKind::Print(arguments) => self.call_statement("print", arguments),
            StmtKind::Reject(arguments) => self.call_statement("reject", arguments),
            StmtKind::FatalError(arguments) => self.call_statement("fatal_error", arguments),
        }
    }

    fn assign(&mut self, target: &LValue, operator: Option<BinaryOp>, value: &Expr) {
        self.lvalue(target);
        self.put(" ");
        self.put(operator.map_or("", BinaryOp::symbol));
        self.put("= ");
        self.expr(value, Level::Ternary);
        self.put(";");
    }

    fn lvalue(&mut self, target: &LValue) {
        match target {
            LValue::Tuple { elements, .. } => self.tuple(elements, Printer::lvalue),
            LValue::Place(place) => {
                self.put(&place.variable.name);
                for step in &place.path {
                    match step {
                        PlaceStep::Index(indices) => self.indices(indices),
                        PlaceStep::Projection(slot) => self.put(&format!(".{slot}")),
                    }
                }
            }
        }
    }

    fn tilde(
        &mut self,
        variate: &Expr,
        distribution: &Identifier,
        arguments: &[Expr],
        truncation: Option<&Truncation>,
    ) {
        self.expr(variate, Level::Ternary);
        self.drawn_from(distribution, arguments, truncation);
        self.put(";");
    }

    /// `~` and what is behind it.
    fn drawn_from(
        &mut self,
        distribution: &Identifier,
        arguments: &[Expr],
        truncation: Option<&Truncation>,
    ) {
        self.put(" ~ ");
        self.call(&distribution.name, arguments);
        if let Some(Truncation { lower, upper, .. }) = truncation {
            self.put(" T[");
            if let Some(lower) = lower {
                self.expr(lower, Level::Ternary);
            }
            self.put(", ");
            if let Some(upper) = upper {
                self.expr(upper, Level::Ternary);
            }
            self.put("]");
        }
    }

    fn increment(&mut self, word: &str, value: &Expr) {
        self.put(word);
        self.put(" += ");
        self.expr(value, Level::Ternary);
        self.put(";");
    }

    fn call_statement(&mut self, name: &str, arguments: &[Expr]) {
        self.call(name, arguments);
        self.put(";");
    }

    fn loop_header(&mut self, variable: &Identifier) {
        self.put("for (");
        self.put(&variable.name);
        self.put(" in ");
    }

    fn condition(&mut self, word: &str, condition: &Expr) {
        self.put(word);
        self.put(" (");
        self.expr(condition, Level::Ternary);
        self.put(")");
    }

    /// What a loop or condition governs: a block on the same line, else one line further in.
    fn body(&mut self, body: &Stmt) {
        if let StmtKind::Block(statements) = &body.kind {
            self.braced(statements);
            return;
        }
        self.put("\n");
        self.indentation += 1;
        self.begin();
        self.statement_text(&body.kind);
        self.indentation -= 1;
    }

    fn if_statement(&mut self, condition: &Expr, then_body: &Stmt, else_body: Option<&Stmt>) {
        self.condition("if", condition);
        let Some(else_body) = else_body else {
            self.body(then_body);
            return;
        };
        if ends_in_open_if(then_body) {
            // Without braces the inner `if` would take the `else`.
            self.braced(std::slice::from_ref(then_body));
            self.put(" else");
        } else {
            self.body(then_body);
            if matches!(then_body.kind, StmtKind::Block(_)) {
                self.put(" else");
            } else {
                self.put("\n");
                self.begin();
                self.put("else");
            }
        }
        if let StmtKind::If { .. } = else_body.kind {
            self.put(" ");
            self.statement_text(&else_body.kind);
        } else {
            self.body(else_body);
        }
    }
}

/// Whether an `else` written behind the statement would belong to an `if` inside of it.
fn ends_in_open_if(statement: &Stmt) -> bool {
    match &statement.kind {
        StmtKind::If {
            else_body: None, ..
        } => true,
        StmtKind::If {
            else_body: Some(body),
            ..
        }
        | StmtKind::For { body, .. }
        | StmtKind::ForEach { body, .. }
        | StmtKind::While { body, .. } => ends_in_open_if(body),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
