//! From syntax tree to [`Model`]: names and their roles (R6), indices (R1), statements (R2–R5, R9) and their letters (3a).
//!
//! Names, letters and uses are gathered from the syntax tree first, so that the order of lines is irrelevant; then each
//! statement is resolved by itself; then what statements say together is checked: that they cover every element once,
//! that something uses every unknown, that no names define each other.

mod cover;
mod cycles;
mod expression;
mod gather;
mod indices;
mod integers;
mod levels;
mod names;
mod statement;
mod subscript;
mod suggest;
mod usage;

use std::collections::BTreeMap;

use super::tree::{LetterId, Model, NameId};
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::Identifier;
use crate::syntax::equation::EquationProgram;

pub(super) use suggest::nearest;

/// A model without shapes and supports.
pub(super) struct Resolution {
    pub model: Model,
    /// For each name, whether a declaration shows all of its indices (3b).
    pub closed: Vec<bool>,
    /// For each name, whether a declaration says that it is any real number (3c.5): `real` or `param`.
    pub declared_free: Vec<bool>,
}

/// Makes a model without shapes and supports, if there are no errors.
///
/// Reports every fault found, in no particular order; warnings are among them.
pub(super) fn resolve(
    program: &EquationProgram,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Resolution> {
    let mut resolver = Resolver {
        program,
        model: Model {
            functions: program.functions.clone(),
            ..Model::default()
        },
        letters: BTreeMap::new(),
        names: BTreeMap::new(),
        uses: Vec::new(),
        left: None,
        undeclared: Vec::new(),
        diagnostics: Vec::new(),
    };
    resolver.run();
    let closed = resolver.closed();
    let declared_free = resolver.declared_free();
    let is_broken = resolver.is_broken();
    diagnostics.append(&mut resolver.diagnostics);
    (!is_broken).then_some(Resolution {
        model: resolver.model,
        closed,
        declared_free,
    })
}

/// The model as far as it is known.
struct Resolver<'a> {
    program: &'a EquationProgram,
    model: Model,
    letters: BTreeMap<&'a str, LetterId>,
    names: BTreeMap<&'a str, NameId>,
    /// What each item of the program mentions, in the order of the items.
    uses: Vec<gather::ItemUses<'a>>,
    /// The left side of the statement that is being resolved, for messages.
    left: Option<String>,
    /// Letters that are used and not declared; each is reported once.
    undeclared: Vec<&'a str>,
    diagnostics: Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn run(&mut self) {
        self.declare_letters();
        self.declare_names();
        self.fill_sets();
        self.gather();
        self.decide_roles();
        self.check_usage();
        self.resolve_ranges();
        // Without their letters, statements cannot be read.
        let faulty_index = |found: &Diagnostic| found.code == Code::BadIndex;
        if self.undeclared.is_empty() && !self.diagnostics.iter().any(faulty_index) {
            self.resolve_statements();
        }
        if self.is_broken() {
            return;
        }
        self.check_cover();
        self.check_cycles();
        self.find_levels();
        self.find_integers();
        self.warn_of_unused_entries();
    }

    /// Whether some statement could not be read. Unknowns without a use and elements without a prior leave the rest
    /// readable, so that one run reports everything.
    fn is_broken(&self) -> bool {
        let mut errors = self.diagnostics.iter().filter(|found| found.is_error());
        errors.any(|error| {
            !matches!(
                error.code,
                Code::NothingDepends | Code::PriorCount | Code::NotGenerative
            )
        })
    }

    fn error(
        &mut self,
        code: Code,
        title: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        self.push(Diagnostic::error(code, title, span, label))
    }

    fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.diagnostics.push(diagnostic);
        let last = self.diagnostics.len() - 1;
        &mut self.diagnostics[last]
    }

    /// The letter of that name.
    ///
    /// Reports one that is not declared.
    fn letter(&mut self, letter: &Identifier) -> Option<LetterId> {
        if let Some(found) = self.letters.get(letter.name.as_str()) {
            return Some(*found);
        }
        let title = format!("the index `{}` is not declared", letter.name);
        let near = nearest(&letter.name, self.letters.keys().copied());
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "declare it: `index {0}` for the rows of a table, `index {0} = column[i]` for the levels in a column",
                letter.name
            ),
        };
        self.push(
            Diagnostic::error(Code::UndeclaredVariable, title, letter.span, "").with_hint(hint),
        );
        None
    }

    fn name_text(&self, name: NameId) -> &str {
        &self.model.names[name.0].name
    }
}
