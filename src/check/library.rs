//! The library as the checker sees it: an index from names to functions, each parsed when a program first calls it
//! and checked for the arguments that it is called with.
//!
//! Parsing all of it takes longer than everything else that happens before sampling, so files are only cut into
//! functions at first: a function of the library ends with the first line that is a lone closing brace.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use crate::diag::{self, Diagnostic};
use crate::source::{SourceId, SourceMap};
use crate::syntax::{LibraryFunction, parse_library, parse_library_part};

/// The line of a doc comment that keeps a function for the library itself.
const HIDDEN: &str = "@hidden";

/// The line of a doc comment that lets any container of reals stand where a vector is declared.
const FLATTEN: &str = "@flatten";

/// The line of a doc comment that says that Stan has no such function: a program may define its own.
const EXTENSION: &str = "@extension";

/// The functions that every program can call, by name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// The texts that the functions are cut from.
    sources: SourceMap,
    entries: Vec<Entry>,
    by_name: BTreeMap<String, Vec<usize>>,
}

/// A function, parsed or not.
#[derive(Clone, Debug)]
struct Entry {
    source: SourceId,
    /// Its bytes in the source, doc comment included.
    part: Range<usize>,
    name: String,
    flattens: bool,
    hidden: bool,
    extension: bool,
    /// The function; `None` if its text is faulty.
    parsed: OnceLock<Option<LibraryFunction>>,
}

impl Library {
    /// Adds library files, given as name and text, to `sources`, and indexes their functions.
    ///
    /// Functions are parsed when they are needed; one whose text is faulty is missing then. (A test parses every file
    /// of the library that comes with the program.)
    ///
    /// # Errors
    /// The syntax errors of files that cannot be cut into functions.
    pub fn parse(
        sources: &mut SourceMap,
        files: &[(&str, &str)],
    ) -> Result<Library, Vec<Diagnostic>> {
        let mut entries = Vec::new();
        let mut diagnostics = Vec::new();
        for (name, text) in files {
            let source = sources.add(*name, *text);
            match cut(source, text) {
                Some(cut) => entries.extend(cut),
                None => match parse_library(sources, source) {
                    Ok(parsed) => entries.extend(parsed.into_iter().map(Entry::parsed)),
                    Err(found) => diagnostics.extend(found),
                },
            }
        }
        if diag::any_error(&diagnostics) {
            return Err(diagnostics);
        }
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (position, entry) in entries.iter().enumerate() {
            by_name
                .entry(entry.name.clone())
                .or_default()
                .push(position);
        }
        Ok(Library {
            sources: sources.clone(),
            entries,
            by_name,
        })
    }

    /// Every function, in the order of the files.
    pub fn functions(&self) -> Vec<&LibraryFunction> {
        let all = 0..self.entries.len();
        all.filter_map(|position| self.function(position)).collect()
    }

    /// How many functions there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The function at a position.
    pub(super) fn function(&self, position: usize) -> Option<&LibraryFunction> {
        let entry = &self.entries[position];
        let parsed = entry.parsed.get_or_init(|| {
            let part = entry.part.clone();
            let functions = parse_library_part(&self.sources, entry.source, part);
            functions.ok()?.into_iter().next()
        });
        parsed.as_ref()
    }

    /// The positions of the functions of that name.
    pub(super) fn overloads(&self, name: &str) -> &[usize] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the function at a position takes any container of reals where it declares `vector`.
    pub(super) fn flattens(&self, position: usize) -> bool {
        self.entries[position].flattens
    }

    /// Whether a program may define a function of the same name and arguments, which its own code then calls.
    pub(super) fn is_extension(&self, position: usize) -> bool {
        self.entries[position].extension
    }

    /// Whether only the library itself can call the function at a position.
    pub(super) fn is_hidden(&self, position: usize) -> bool {
        self.entries[position].hidden
    }

    /// Every name, sorted; also those that only the library can call.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Every name that programs can call, sorted.
    pub fn public_names(&self) -> impl Iterator<Item = &str> {
        let is_public =
            |positions: &[usize]| positions.iter().any(|&position| !self.is_hidden(position));
        let named = self.by_name.iter();
        named
            .filter(move |(_, positions)| is_public(positions))
            .map(|(name, _)| name.as_str())
    }
}

impl Entry {
    fn parsed(function: LibraryFunction) -> Entry {
        let tagged = |tag| function.doc.lines().any(|line| line.trim() == tag);
        let span = function.definition.span;
        Entry {
            source: span.source,
            part: span.range(),
            name: function.definition.name.name.clone(),
            flattens: tagged(FLATTEN),
            hidden: tagged(HIDDEN),
            extension: tagged(EXTENSION),
            parsed: OnceLock::from(Some(function)),
        }
    }

    fn unparsed(source: SourceId, part: Range<usize>, text: &str) -> Option<Entry> {
        let header = text.lines().find(|line| !is_blank(line))?;
        let tagged = |tag| {
            let docs = text.lines().filter_map(|line| line.strip_prefix("///"));
            docs.into_iter().any(|line| line.trim() == tag)
        };
        Some(Entry {
            source,
            part,
            name: name_of(header)?.to_owned(),
            flattens: tagged(FLATTEN),
            hidden: tagged(HIDDEN),
            extension: tagged(EXTENSION),
            parsed: OnceLock::new(),
        })
    }
}

/// The functions of a file; `None` if it is not laid out as library files are.
fn cut(source: SourceId, text: &str) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let (mut start, mut end) = (0, 0);
    for line in text.split_inclusive('\n') {
        end += line.len();
        if line.trim_end() == "}" && line.starts_with('}') {
            entries.push(Entry::unparsed(source, start..end, &text[start..end])?);
            start = end;
        }
    }
    text[start..].lines().all(is_blank).then_some(entries)
}

/// Whether a line between functions is empty or a comment.
fn is_blank(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with("//")
}

/// The name in the first line of a definition, such as `tuple(real, int) name(real x) {`.
fn name_of(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (before, after) = rest.split_once('(')?;
        let start = before
            .rfind(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .map_or(0, |at| at + 1);
        let name = &before[start..];
        if name != "tuple" {
            return (!name.is_empty()).then_some(name);
        }
        rest = after.split_once(')')?.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_before_their_arguments() {
        assert_eq!(name_of("real f(real x) {"), Some("f"));
        assert_eq!(name_of("array[] real g2_rng(int n) {"), Some("g2_rng"));
        assert_eq!(
            name_of("tuple(real, int) h(tuple(int, int) t) {"),
            Some("h")
        );
        assert_eq!(name_of("{"), None);
    }

    #[test]
    fn cutting_finds_what_parsing_finds() {
        let mut sources = SourceMap::new();
        let files = crate::stdlib::files();
        let library = Library::parse(&mut sources, files).unwrap();
        let mut whole = Vec::new();
        for position in 0..files.len() {
            whole.extend(parse_library(&sources, SourceId(position as u32)).unwrap());
        }
        let cut: Vec<LibraryFunction> = library.functions().into_iter().cloned().collect();
        assert_eq!(cut, whole);
        for (entry, function) in library.entries.iter().zip(&whole) {
            let parsed = Entry::parsed(function.clone());
            let facts = |entry: &Entry| {
                (
                    entry.name.clone(),
                    entry.flattens,
                    entry.hidden,
                    entry.extension,
                )
            };
            assert_eq!(facts(entry), facts(&parsed));
        }
    }

    #[test]
    fn files_of_another_layout_are_parsed_at_once() {
        let mut sources = SourceMap::new();
        let text = "/// One line.\nreal f(real x) { return x; }\n";
        let library = Library::parse(&mut sources, &[("a", text)]).unwrap();
        assert_eq!(library.functions().len(), 1);
        assert!(Library::parse(&mut sources, &[("b", "real f(real x) {")]).is_err());
    }
}
