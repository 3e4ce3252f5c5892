//! Text to tokens: comments dropped, `#include` replaced by the tokens of the file it names.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diag::{Code, Diagnostic};
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::token::{Lexed, Token};
use logos::Logos;

/// A file that an `#include` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// The name under which messages show it, such as its full path.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Finds the file of an `#include`.
pub trait ResolveInclude {
    /// The file called `path` in the source called `from`, or a sentence on why there is none.
    fn resolve(&mut self, path: &str, from: &str) -> Result<Included, String>;
}

/// Finds nothing: for sources that have no directory to look in.
pub struct NoIncludes;

impl ResolveInclude for NoIncludes {
    fn resolve(&mut self, _path: &str, _from: &str) -> Result<Included, String> {
        Err("this source has no directory to include from".to_owned())
    }
}

/// Any function can find files.
impl<F: FnMut(&str, &str) -> Result<Included, String>> ResolveInclude for F {
    fn resolve(&mut self, path: &str, from: &str) -> Result<Included, String> {
        self(path, from)
    }
}

/// The source that stands for each `#include`, by the place of the directive.
pub type Includes = BTreeMap<Span, SourceId>;

/// How many files may include each other in a chain; a guess far above any real use.
const INCLUDE_DEPTH_LIMIT: usize = 32;

/// Loads every file that `source` includes, directly or through others, into `sources`.
pub fn load_includes(
    sources: &mut SourceMap,
    source: SourceId,
    resolver: &mut dyn ResolveInclude,
) -> (Includes, Vec<Diagnostic>) {
    let mut includes = Includes::new();
    let mut diagnostics = Vec::new();
    // Each entry: a source to search, and the names of the files that led to it.
    let mut pending = vec![(source, vec![sources.name(source).to_owned()])];
    while let Some((source, chain)) = pending.pop() {
        for (span, path) in include_directives(sources, source) {
            let included = match resolver.resolve(&path, sources.name(source)) {
                Ok(included) => included,
                Err(reason) => {
                    diagnostics.push(include_not_found(span, &path, &reason));
                    continue;
                }
            };
            if chain.contains(&included.name) || chain.len() >= INCLUDE_DEPTH_LIMIT {
                diagnostics.push(include_cycle(span, &chain, &included.name));
                continue;
            }
            let mut longer = chain.clone();
            longer.push(included.name.clone());
            let id = sources.add(included.name, included.text);
            includes.insert(span, id);
            pending.push((id, longer));
        }
    }
    (includes, diagnostics)
}

/// The directives of one text, each with the path it names.
fn include_directives(sources: &SourceMap, source: SourceId) -> Vec<(Span, String)> {
    let text = sources.text(source);
    if !text.contains("#include") {
        return Vec::new();
    }
    let mut scan = Scan::new(text, source);
    let mut found = Vec::new();
    while let Some(item) = scan.next_item() {
        if let Item::Include { span, path } = item {
            found.push((span, path.to_owned()));
        }
    }
    found
}

/// The tokens of a text, those of its includes in place.
#[derive(Debug, Default)]
pub struct Tokens<'text> {
    /// What the grammar reads.
    pub tokens: Vec<Lexed<'text>>,
    /// The `///` comments, in order: text behind the slashes, and place.
    pub doc_comments: Vec<(Span, &'text str)>,
    /// What is wrong with the text at this level.
    pub diagnostics: Vec<Diagnostic>,
}

/// Splits `source` into tokens.
pub fn tokenize<'text>(
    sources: &'text SourceMap,
    source: SourceId,
    includes: &Includes,
) -> Tokens<'text> {
    let mut found = Tokens::default();
    // A Stan program has a token about every four bytes.
    found.tokens.reserve(sources.text(source).len() / 4);
    let mut open = vec![Scan::new(sources.text(source), source)];
    scan_all(&mut open, sources, includes, &mut found);
    found
}

/// Splits the bytes `part` of `source` into tokens, whose places are those in the whole. Nothing is included.
pub fn tokenize_part<'text>(
    sources: &'text SourceMap,
    source: SourceId,
    part: Range<usize>,
) -> Tokens<'text> {
    let mut found = Tokens::default();
    let text = sources.text(source).get(..part.end).unwrap_or_default();
    let mut scan = Scan::new(text, source);
    scan.lexer.bump(part.start.min(text.len()));
    scan_all(&mut vec![scan], sources, &Includes::new(), &mut found);
    found
}

fn scan_all<'text>(
    open: &mut Vec<Scan<'text>>,
    sources: &'text SourceMap,
    includes: &Includes,
    found: &mut Tokens<'text>,
) {
    while let Some(scan) = open.last_mut() {
        match scan.next_item() {
            None => {
                open.pop();
            }
            Some(Item::Token(lexed)) => found.tokens.push(lexed),
            Some(Item::Doc(span, text)) => found.doc_comments.push((span, text)),
            Some(Item::Include { span, .. }) => {
                if let Some(&id) = includes.get(&span) {
                    open.push(Scan::new(sources.text(id), id));
                }
            }
            Some(Item::Fault(fault)) => found.diagnostics.push(fault),
        }
    }
}

/// What the scan of a single text finds.
enum Item<'text> {
    Token(Lexed<'text>),
    Doc(Span, &'text str),
    Include { span: Span, path: &'text str },
    Fault(Diagnostic),
}

/// A walk over one text.
struct Scan<'text> {
    lexer: logos::Lexer<'text, Token<'text>>,
    source: SourceId,
    /// Old comments are reported once per text.
    hash_reported: bool,
}

impl<'text> Scan<'text> {
    fn new(text: &'text str, source: SourceId) -> Scan<'text> {
        Scan {
            lexer: Token::lexer(text),
            source,
            hash_reported: false,
        }
    }

    fn next_item(&mut self) -> Option<Item<'text>> {
        loop {
            let item = match self.lexer.next()? {
                Ok(Token::LineComment) => self.line_comment(),
                Ok(Token::BlockComment) => self.block_comment(),
                Ok(Token::Hash) => self.hash(),
                Ok(Token::OpenText) => Some(Item::Fault(unclosed_string(self.span()))),
                Ok(token) => Some(Item::Token(Lexed {
                    token,
                    span: self.span(),
                })),
                Err(()) => Some(Item::Fault(self.invalid_character())),
            };
            if item.is_some() {
                return item;
            }
        }
    }

    /// The place of the current token, as far as the lexer has come.
    fn span(&self) -> Span {
        let range = self.lexer.span();
        Span::new(self.source, range.start as u32, range.end as u32)
    }

    fn line_comment(&self) -> Option<Item<'text>> {
        let text = self.lexer.slice().strip_prefix("///")?;
        Some(Item::Doc(self.span(), text))
    }

    fn block_comment(&mut self) -> Option<Item<'text>> {
        let opening = self.span();
        match self.lexer.remainder().find("*/") {
            Some(length) => {
                self.lexer.bump(length + 2);
                None
            }
            None => {
                self.lexer.bump(self.lexer.remainder().len());
                Some(Item::Fault(
                    Diagnostic::error(
                        Code::UnclosedComment,
                        "comment is never closed",
                        opening,
                        "begins here and runs to the end of the file",
                    )
                    .with_hint("Close it with `*/`. Comments do not nest."),
                ))
            }
        }
    }

    /// `#include` with its path, or a comment of early Stan.
    fn hash(&mut self) -> Option<Item<'text>> {
        let rest = self.lexer.remainder();
        if let Some(after) = rest.strip_prefix("include")
            && after.starts_with(|c: char| c.is_ascii_whitespace())
        {
            let path_and_rest = after.trim_ascii_start();
            let (path, length) = include_path(path_and_rest);
            self.lexer.bump(rest.len() - path_and_rest.len() + length);
            let span = self.span();
            return Some(Item::Include { span, path });
        }
        let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
        self.lexer.bump(length);
        if std::mem::replace(&mut self.hash_reported, true) {
            return None;
        }
        Some(Item::Fault(old_comment(self.span())))
    }

    fn invalid_character(&mut self) -> Diagnostic {
        let start = self.lexer.span().start;
        let character = self.lexer.source()[start..].chars().next();
        let end = start + character.map_or(0, char::len_utf8);
        let span = Span::new(self.source, start as u32, end as u32);
        let shown = character.map(String::from).unwrap_or_default();
        let fault = Diagnostic::error(
            Code::InvalidCharacter,
            format!("`{}` has no meaning here", shown.escape_debug()),
            span,
            "not part of the language",
        );
        match character {
            Some('.') => fault.with_hint("Names hold letters, digits and underscores; no dots."),
            Some(other) => match plain_spelling(other) {
                Some(plain) => fault.with_hint(format!("Did you mean `{plain}`?")),
                None => fault,
            },
            None => fault,
        }
    }
}

/// The path at the beginning of `text`, and how many bytes it takes with its delimiters.
fn include_path(text: &str) -> (&str, usize) {
    for (open, close) in [('"', '"'), ('<', '>')] {
        if let Some(inside) = text.strip_prefix(open) {
            let end = inside.find([close, '\r', '\n']).unwrap_or(inside.len());
            let closed = inside[end..].starts_with(close);
            return (&inside[..end], 1 + end + usize::from(closed));
        }
    }
    let end = text
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(text.len());
    (&text[..end], end)
}

/// What was meant by a character that word processors and slides put in place of a plain one.
fn plain_spelling(character: char) -> Option<&'static str> {
    Some(match character {
        '“' | '”' | '„' => "\"",
        '‘' | '’' => "'",
        '–' | '—' | '−' => "-",
        '×' | '·' | '⋅' => "*",
        '÷' => "/",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '∼' | '˜' => "~",
        '&' => "&&",
        '\u{a0}' => " ",
        _ => return None,
    })
}

fn unclosed_string(span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::UnclosedString,
        "text is never closed",
        span,
        "no closing `\"` on this line",
    )
}

fn old_comment(span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::OldSyntax,
        "`#` no longer begins a comment",
        span,
        "old comment",
    )
    .with_hint("Write `//`. Only `#include` begins with `#`.")
}

fn include_not_found(span: Span, path: &str, reason: &str) -> Diagnostic {
    Diagnostic::error(
        Code::IncludeNotFound,
        format!("cannot include `{path}`"),
        span,
        reason,
    )
}

fn include_cycle(span: Span, chain: &[String], name: &str) -> Diagnostic {
    Diagnostic::error(
        Code::IncludeCycle,
        format!("`{name}` includes itself"),
        span,
        "included again here",
    )
    .with_note(format!("The chain is {} → {name}.", chain.join(" → ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::ast::BaseType;
    use Token::*;

    fn lex(text: &str) -> (Vec<String>, Vec<Code>) {
        let mut sources = SourceMap::new();
        let id = sources.add("a", text);
        let found = tokenize(&sources, id, &Includes::new());
        (
            found
                .tokens
                .iter()
                .map(|lexed| sources.snippet(lexed.span).to_owned())
                .collect(),
            found.diagnostics.iter().map(|fault| fault.code).collect(),
        )
    }

    fn tokens<'text>(sources: &'text mut SourceMap, text: &str) -> Vec<Token<'text>> {
        let id = sources.add("a", text);
        tokenize(sources, id, &Includes::new())
            .tokens
            .iter()
            .map(|lexed| lexed.token)
            .collect()
    }

    #[test]
    fn names_may_be_greek_and_words_are_whole() {
        let mut sources = SourceMap::new();
        assert_eq!(
            tokens(&mut sources, "σ_j integer int T Tx"),
            [
                Name("σ_j"),
                Name("integer"),
                Type(BaseType::Int),
                T,
                Name("Tx")
            ]
        );
    }

    #[test]
    fn every_type_has_its_word() {
        for ty in BaseType::ALL {
            let mut sources = SourceMap::new();
            assert_eq!(tokens(&mut sources, ty.word()), [Type(ty)]);
        }
    }

    #[test]
    fn numbers_take_the_longest_spelling() {
        let mut sources = SourceMap::new();
        assert_eq!(
            tokens(&mut sources, "1_000 1. .5 1e-3 .5e2 2i 1.5e2i x.1.2 1.*2"),
            [
                Int("1_000"),
                Real("1."),
                DotNumber(".5"),
                Real("1e-3"),
                Real(".5e2"),
                Imaginary("2i"),
                Imaginary("1.5e2i"),
                Name("x"),
                DotNumber(".1"),
                DotNumber(".2"),
                Real("1."),
                Star,
                Int("2"),
            ]
        );
    }

    #[test]
    fn block_headers_of_two_words_are_one_token() {
        let mut sources = SourceMap::new();
        assert_eq!(
            tokens(
                &mut sources,
                "transformed  data generated quantities transformed"
            ),
            [TransformedData, GeneratedQuantities, Name("transformed")]
        );
    }

    #[test]
    fn comments_vanish() {
        let (words, faults) = lex("a // b\n/* c\n * d */ e /**/ f");
        assert_eq!(words, ["a", "e", "f"]);
        assert!(faults.is_empty());
    }

    #[test]
    fn faults_do_not_hide_what_follows() {
        let (words, faults) = lex("a \"open\n $ b # old\n# again\n /* never");
        assert_eq!(words, ["a", "b"]);
        assert_eq!(
            faults,
            [
                Code::UnclosedString,
                Code::InvalidCharacter,
                Code::OldSyntax,
                Code::UnclosedComment
            ]
        );
    }

    #[test]
    fn includes_are_spliced_in_every_spelling() {
        for spelling in ["\"f.stan\"", "<f.stan>", "f.stan"] {
            let mut sources = SourceMap::new();
            let id = sources.add("main", format!("a #include {spelling}\nb"));
            let mut resolver = |path: &str, from: &str| {
                assert_eq!((path, from), ("f.stan", "main"));
                Ok(Included {
                    name: "dir/f.stan".to_owned(),
                    text: "x y".to_owned(),
                })
            };
            let (includes, faults) = load_includes(&mut sources, id, &mut resolver);
            assert!(faults.is_empty());
            let found = tokenize(&sources, id, &includes);
            let words: Vec<&str> = found
                .tokens
                .iter()
                .map(|lexed| sources.snippet(lexed.span))
                .collect();
            assert_eq!(words, ["a", "x", "y", "b"]);
        }
    }

    #[test]
    fn a_file_cannot_include_itself() {
        let mut sources = SourceMap::new();
        let id = sources.add("main", "#include f\n");
        let mut resolver = |path: &str, _: &str| {
            Ok(Included {
                name: path.to_owned(),
                text: "#include f\n".to_owned(),
            })
        };
        let (_, faults) = load_includes(&mut sources, id, &mut resolver);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].code, Code::IncludeCycle);
    }

    #[test]
    fn a_missing_include_says_why() {
        let mut sources = SourceMap::new();
        let id = sources.add("main", "#include <g>\n");
        let (_, faults) = load_includes(&mut sources, id, &mut NoIncludes);
        assert_eq!(faults[0].code, Code::IncludeNotFound);
        assert_eq!(sources.snippet(faults[0].label.span), "#include <g>");
    }
}
