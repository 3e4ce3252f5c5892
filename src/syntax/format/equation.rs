//! Programs in equation form as text: one item a line.

use super::Printer;
use super::expr::Level;
use crate::syntax::ast::{Expr, Identifier};
use crate::syntax::equation::*;
use crate::syntax::token::Token;
use logos::Logos;

/// The whole program in equation form.
pub fn format_equations(program: &EquationProgram) -> String {
    let mut printer = Printer::default();
    if let Some(block) = &program.functions {
        printer.block("functions", &block.items, Printer::function);
        printer.put("\n");
    }
    for (at, item) in program.items.iter().enumerate() {
        let line = format_item(item);
        // A sign would continue the line before.
        if at > 0 && line.starts_with(['-', '+']) {
            printer.text.pop();
            printer.put(";\n");
        }
        printer.put(&line);
        printer.put("\n");
    }
    printer.text
}

/// One item of a program in equation form, without a line break at its end.
pub fn format_item(item: &Item) -> String {
    let mut printer = Printer::default();
    printer.item(&item.kind);
    printer.text
}

impl Printer<'_> {
    fn item(&mut self, kind: &ItemKind) {
        match kind {
            ItemKind::Index { letter, domain } => {
                self.put("index ");
                self.put(&letter.name);
                if let Some(domain) = domain {
                    self.put(" = ");
                    self.domain(domain);
                }
            }
            ItemKind::Data(columns) => {
                self.put("data ");
                self.list(columns, Printer::column);
            }
            ItemKind::Declare { declared, terms } => {
                match declared {
                    Some(declared) => self.declared(Some(declared)),
                    None => self.put("param "),
                }
                self.list(terms, Printer::term);
            }
            ItemKind::Draw {
                declared,
                variates,
                distribution,
                arguments,
                truncation,
            } => {
                self.declared(declared.as_ref());
                self.exprs(variates);
                self.drawn_from(distribution, arguments, truncation.as_ref());
            }
            ItemKind::Define {
                declared,
                term,
                value,
            } => {
                self.declared(declared.as_ref());
                self.term(term);
                self.put(" = ");
                self.expr(value, Level::Ternary);
            }
            ItemKind::Target { letters, value } => {
                self.put("target");
                self.letters_if_any(letters);
                self.put(" += ");
                self.expr(value, Level::Ternary);
            }
        }
    }

    fn domain(&mut self, domain: &Domain) {
        match domain {
            Domain::Levels { maps, order } => {
                self.list(maps, Printer::map);
                if let Some(order) = order {
                    self.put(" in ");
                    self.order(order);
                }
            }
            Domain::Set(order) => self.order(order),
            Domain::Combinations(keys) => {
                self.put("(");
                self.list(keys, |printer, key| match key {
                    Key::Letter(letter) => printer.put(&letter.name),
                    Key::Map(map) => printer.map(map),
                });
                self.put(")");
            }
            Domain::Same(letter) => self.put(&letter.name),
        }
    }

    fn order(&mut self, order: &LevelOrder) {
        match order {
            LevelOrder::Labels(labels) => {
                self.put("{");
                self.list(labels, Printer::label);
                self.put("}");
            }
            LevelOrder::Range(lower, upper) => self.range(lower, upper),
        }
    }

    /// `1:size(k) - 1`; only a choice needs parentheses, as it has a colon of its own.
    fn range(&mut self, lower: &Expr, upper: &Expr) {
        self.expr(lower, Level::Or);
        self.put(":");
        self.expr(upper, Level::Or);
    }

    fn label(&mut self, label: &Label) {
        if label.is_integer || is_name(&label.text) {
            self.put(&label.text);
        } else {
            self.put(&format!("\"{}\"", label.text));
        }
    }

    fn map(&mut self, map: &Map) {
        self.put(&format!("{}[{}]", map.column.name, map.letter.name));
    }

    fn column(&mut self, column: &Column) {
        self.put(&column.name.name);
        self.letters_if_any(&column.letters);
        if let Some(letter) = &column.levels_of {
            self.put(" in ");
            self.put(&letter.name);
        }
    }

    fn letters_if_any(&mut self, letters: &[Identifier]) {
        if !letters.is_empty() {
            self.letters(letters);
        }
    }

    /// A type and the blank behind it.
    fn declared(&mut self, declared: Option<&DeclaredType>) {
        if let Some(declared) = declared {
            self.put(declared.base.word());
            self.bounds(&declared.bounds);
            self.put(" ");
        }
    }

    fn term(&mut self, term: &Term) {
        self.put(&term.name.name);
        if !term.subscripts.is_empty() {
            self.indices(&term.subscripts);
        }
    }
}

/// Whether a label can stand without quotation marks.
fn is_name(text: &str) -> bool {
    let mut tokens = Token::lexer(text);
    let first = tokens.next();
    matches!(first, Some(Ok(Token::Name(_) | Token::T))) && tokens.slice() == text
}
