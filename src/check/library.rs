//! The library as the checker sees it: an index from names to definitions. Bodies are checked when they are called.

use std::collections::BTreeMap;

use crate::diag::{self, Diagnostic};
use crate::source::SourceMap;
use crate::syntax::{LibraryFunction, parse_library};

/// The line of a doc comment that keeps a function for the library itself.
const HIDDEN: &str = "@hidden";

/// The line of a doc comment that lets any container of reals stand where a vector is declared.
const FLATTEN: &str = "@flatten";

/// The line of a doc comment that says that Stan has no such function: a program may define its own.
const EXTENSION: &str = "@extension";

/// The functions that every program can call, by name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    functions: Vec<LibraryFunction>,
    /// For each function whether it flattens its arguments.
    flattening: Vec<bool>,
    /// For each function whether only the library can call it.
    hidden: Vec<bool>,
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Library {
    /// Indexes functions; several of one name are overloads.
    pub fn new(functions: Vec<LibraryFunction>) -> Library {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (position, function) in functions.iter().enumerate() {
            by_name
                .entry(function.definition.name.name.clone())
                .or_default()
                .push(position);
        }
        let flattening = functions
            .iter()
            .map(|function| has_tag(function, FLATTEN))
            .collect();
        let hidden = functions
            .iter()
            .map(|function| has_tag(function, HIDDEN))
            .collect();
        Library {
            functions,
            flattening,
            hidden,
            by_name,
        }
    }

    /// Parses library files, given as name and text, into `sources`.
    ///
    /// # Errors
    /// The syntax errors of all of them.
    pub fn parse(
        sources: &mut SourceMap,
        files: &[(&str, &str)],
    ) -> Result<Library, Vec<Diagnostic>> {
        let mut functions = Vec::new();
        let mut diagnostics = Vec::new();
        for (name, text) in files {
            let source = sources.add(*name, *text);
            match parse_library(sources, source) {
                Ok(parsed) => functions.extend(parsed),
                Err(found) => diagnostics.extend(found),
            }
        }
        if diag::any_error(&diagnostics) {
            return Err(diagnostics);
        }
        Ok(Library::new(functions))
    }

    /// Every function, in the order of the files.
    pub fn functions(&self) -> &[LibraryFunction] {
        &self.functions
    }

    /// The functions of that name: their positions in [`Library::functions`].
    pub(super) fn overloads(&self, name: &str) -> &[usize] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the function at a position takes any container of reals where it declares `vector`.
    pub(super) fn flattens(&self, position: usize) -> bool {
        self.flattening[position]
    }

    /// Whether a program may define a function of the same name and arguments, which its own code then calls.
    pub(super) fn is_extension(&self, position: usize) -> bool {
        has_tag(&self.functions[position], EXTENSION)
    }

    /// Whether only the library itself can call the function at a position.
    pub(super) fn is_hidden(&self, position: usize) -> bool {
        self.hidden[position]
    }

    /// Every name, sorted; also those that only the library can call.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Every name that programs can call, sorted.
    pub fn public_names(&self) -> impl Iterator<Item = &str> {
        let public = |positions: &[usize]| positions.iter().any(|&position| !self.hidden[position]);
        let named = self
            .by_name
            .iter()
            .filter(move |(_, positions)| public(positions));
        named.map(|(name, _)| name.as_str())
    }
}

/// Whether a line of the function's doc comment is the tag.
fn has_tag(function: &LibraryFunction, tag: &str) -> bool {
    function.doc.lines().any(|line| line.trim() == tag)
}
