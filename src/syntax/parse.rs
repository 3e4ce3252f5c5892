//! The parser as other phases use it: sources in, syntax trees or diagnostics out.
//!
//! The generated parser stops at its first error. To find more, the driver cuts the statement
//! with the error out of the tokens and parses again; where brackets do not pair up it leaves it
//! at one error, as whatever follows would be guesswork.

use std::ops::Range;

use crate::diag::{self, Code, Diagnostic};
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::ast::{Expr, FunctionDef, Program, Stmt};
use crate::syntax::build::{Builder, Parsed};
use crate::syntax::depth::check_depth;
use crate::syntax::equation::EquationProgram;
use crate::syntax::explain::{Failure, explain};
use crate::syntax::grammar::TextParser;
use crate::syntax::lexer::{
    Includes, ResolveInclude, Tokens, load_includes, tokenize, tokenize_part,
};
use crate::syntax::lines::{equation_tokens, functions_block, is_block_header, is_equation_form};
use crate::syntax::token::{Lexed, Position, Token};
use crate::syntax::validate::{verify_function, verify_placement};
use lalrpop_util::ParseError;

/// After this many syntax errors the rest is left for the next attempt; a guess at what a person
/// reads at once.
const ERROR_LIMIT: usize = 20;

/// A function of the library with the text of its doc comment.
#[derive(Clone, Debug, PartialEq)]
pub struct LibraryFunction {
    /// The `///` lines before it, without the slashes and one space, joined by line breaks.
    pub doc: String,
    /// The function itself.
    pub definition: FunctionDef,
}

/// A program in either form.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one is made for a file, and its parts are taken out at once"
)]
pub enum Form {
    /// Blocks, as in Stan.
    Block(Program),
    /// Lines that say what the model is.
    Equation(EquationProgram),
}

/// Parses a program in the form that it has: equation form if it has no block but `functions`,
/// and something besides. A source whose name ends in `.stan` is always in block form.
///
/// Arguments and errors are those of [`parse`].
pub fn parse_form(
    sources: &mut SourceMap,
    source: SourceId,
    resolver: &mut dyn ResolveInclude,
) -> Result<Form, Vec<Diagnostic>> {
    let (includes, diagnostics) = load_includes(sources, source, resolver);
    let end = end_of(sources, source)?;
    let mut tokens = tokenize(sources, source, &includes);
    if sources.name(source).ends_with(".stan") || !is_equation_form(&tokens.tokens) {
        let text = Text::of_tokens(sources, end, tokens, diagnostics)?;
        return block_program_of(&text).map(Form::Block);
    }
    tokens.tokens = equation_tokens(sources, &tokens.tokens);
    let text = Text::of_tokens(sources, end, tokens, diagnostics)?;
    match text.parse(Token::StartEquations) {
        (Some(Parsed::Equations(program)), mut diagnostics) => {
            for function in program.functions.iter().flat_map(|block| &block.items) {
                verify_function(function, &mut diagnostics);
            }
            finish(Form::Equation(*program), diagnostics)
        }
        (_, diagnostics) => Err(sorted(diagnostics)),
    }
}

/// Parses a program in block form.
///
/// Files that it includes are found by `resolver` and added to `sources`. Otherwise all errors
/// found, in reading order.
pub fn parse(
    sources: &mut SourceMap,
    source: SourceId,
    resolver: &mut dyn ResolveInclude,
) -> Result<Program, Vec<Diagnostic>> {
    let (includes, diagnostics) = load_includes(sources, source, resolver);
    block_program_of(&Text::new(sources, source, &includes, diagnostics)?)
}

fn block_program_of(text: &Text) -> Result<Program, Vec<Diagnostic>> {
    let (parsed, mut diagnostics) = text.parse(Token::StartProgram);
    if let Some(Parsed::Program(program)) = parsed {
        verify_placement(&program, &mut diagnostics);
        return finish(*program, diagnostics);
    }
    Err(sorted(diagnostics))
}

/// Parses a file that holds nothing but function definitions (`.stanfunctions`).
pub fn parse_functions(
    sources: &mut SourceMap,
    source: SourceId,
    resolver: &mut dyn ResolveInclude,
) -> Result<Vec<FunctionDef>, Vec<Diagnostic>> {
    let (includes, diagnostics) = load_includes(sources, source, resolver);
    let text = Text::new(sources, source, &includes, diagnostics)?;
    functions_of(&text)
}

/// Parses a file of the library: function definitions, each with a doc comment.
pub fn parse_library(
    sources: &SourceMap,
    source: SourceId,
) -> Result<Vec<LibraryFunction>, Vec<Diagnostic>> {
    documented(&Text::new(sources, source, &Includes::new(), Vec::new())?)
}

/// Parses whole functions of a library file, those in the bytes `part`.
pub fn parse_library_part(
    sources: &SourceMap,
    source: SourceId,
    part: Range<usize>,
) -> Result<Vec<LibraryFunction>, Vec<Diagnostic>> {
    let end = Span::new(source, part.end as u32, part.end as u32);
    let tokens = tokenize_part(sources, source, part);
    documented(&Text::of_tokens(sources, end, tokens, Vec::new())?)
}

/// The functions of a text with their doc comments.
fn documented(text: &Text) -> Result<Vec<LibraryFunction>, Vec<Diagnostic>> {
    let definitions = functions_of(text)?;
    let mut docs = text.tokens.doc_comments.iter().peekable();
    let mut functions = Vec::with_capacity(definitions.len());
    let mut diagnostics = Vec::new();
    for definition in definitions {
        let mut lines = Vec::new();
        while let Some((_, line)) = docs.next_if(|(span, _)| span.end <= definition.span.start) {
            lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end());
        }
        // Comments inside of the body document nothing.
        while docs
            .next_if(|(span, _)| span.end <= definition.span.end)
            .is_some()
        {}
        if lines.is_empty() {
            diagnostics.push(Diagnostic::error(
                Code::UndocumentedFunction,
                format!("`{}` has no doc comment", definition.name.name),
                definition.name.span,
                "write `///` lines above it",
            ));
        }
        functions.push(LibraryFunction {
            doc: lines.join("\n"),
            definition,
        });
    }
    finish(functions, diagnostics)
}

/// Parses statements that stand on their own, such as a line of the REPL.
pub fn parse_statements(
    sources: &SourceMap,
    source: SourceId,
) -> Result<Vec<Stmt>, Vec<Diagnostic>> {
    let text = Text::new(sources, source, &Includes::new(), Vec::new())?;
    match text.parse(Token::StartStatements) {
        (Some(Parsed::Statements(statements)), diagnostics) => finish(statements, diagnostics),
        (_, diagnostics) => Err(sorted(diagnostics)),
    }
}

/// Parses a single expression, without a semicolon.
pub fn parse_expression(sources: &SourceMap, source: SourceId) -> Result<Expr, Vec<Diagnostic>> {
    let text = Text::new(sources, source, &Includes::new(), Vec::new())?;
    match text.parse(Token::StartExpression) {
        (Some(Parsed::Expression(expr)), diagnostics) => finish(expr, diagnostics),
        (_, diagnostics) => Err(sorted(diagnostics)),
    }
}

/// [`parse_expression`], where text may stand for a level's label: `theta["US"]`.
///
/// # Errors
/// As of [`parse_expression`].
pub fn parse_labelled_expression(
    sources: &SourceMap,
    source: SourceId,
) -> Result<Expr, Vec<Diagnostic>> {
    let end = end_of(sources, source)?;
    let mut tokens = tokenize(sources, source, &Includes::new());
    for lexed in &mut tokens.tokens {
        if let Token::Text(text) = lexed.token {
            lexed.token = Token::Label(text);
        }
    }
    let text = Text::of_tokens(sources, end, tokens, Vec::new())?;
    match text.parse(Token::StartExpression) {
        (Some(Parsed::Expression(expr)), diagnostics) => finish(expr, diagnostics),
        (_, diagnostics) => Err(sorted(diagnostics)),
    }
}

fn functions_of(text: &Text) -> Result<Vec<FunctionDef>, Vec<Diagnostic>> {
    let (parsed, mut diagnostics) = text.parse(Token::StartFunctions);
    if let Some(Parsed::Functions(functions)) = parsed {
        for function in &functions {
            verify_function(function, &mut diagnostics);
        }
        return finish(functions, diagnostics);
    }
    Err(sorted(diagnostics))
}

fn finish<T>(value: T, diagnostics: Vec<Diagnostic>) -> Result<T, Vec<Diagnostic>> {
    if diag::any_error(&diagnostics) {
        Err(sorted(diagnostics))
    } else {
        Ok(value)
    }
}

fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diag::sort(&mut diagnostics);
    diagnostics
}

/// The end of a source, as a place.
fn end_of(sources: &SourceMap, source: SourceId) -> Result<Span, Vec<Diagnostic>> {
    match u32::try_from(sources.text(source).len()) {
        Ok(end) => Ok(Span::new(source, end, end)),
        Err(_) => Err(vec![Diagnostic::error(
            Code::SourceTooLarge,
            "the file is larger than four gigabytes",
            Span::new(source, 0, 0),
            "",
        )]),
    }
}

/// A text split into tokens, ready for the generated parser.
struct Text<'map> {
    sources: &'map SourceMap,
    /// The end of the main source, where errors about missing text are shown.
    end: Span,
    tokens: Tokens<'map>,
}

impl<'map> Text<'map> {
    /// Splits the source; fails where parsing the tokens would only repeat what is already known
    /// to be wrong.
    fn new(
        sources: &'map SourceMap,
        source: SourceId,
        includes: &Includes,
        diagnostics: Vec<Diagnostic>,
    ) -> Result<Text<'map>, Vec<Diagnostic>> {
        let end = end_of(sources, source)?;
        let tokens = tokenize(sources, source, includes);
        Text::of_tokens(sources, end, tokens, diagnostics)
    }

    fn of_tokens(
        sources: &'map SourceMap,
        end: Span,
        tokens: Tokens<'map>,
        mut diagnostics: Vec<Diagnostic>,
    ) -> Result<Text<'map>, Vec<Diagnostic>> {
        diagnostics.extend(tokens.diagnostics.iter().cloned());
        diagnostics.extend(check_depth(&tokens.tokens));
        // Old comments leave complete tokens behind; every other fault tears a hole.
        if diagnostics
            .iter()
            .any(|found| found.code != Code::OldSyntax)
        {
            return Err(sorted(diagnostics));
        }
        Ok(Text {
            sources,
            end,
            tokens,
        })
    }

    /// Runs the parser from `start`; errors may come with a tree (they were local) or without.
    fn parse(&self, start: Token<'map>) -> (Option<Parsed>, Vec<Diagnostic>) {
        let mut diagnostics = self.tokens.diagnostics.clone();
        let mut failures = 0;
        let mut remaining: Vec<Lexed<'map>>;
        let mut tokens = self.tokens.tokens.as_slice();
        loop {
            let mut builder = Builder::new(self.sources);
            let outcome = self.attempt(start, tokens, &mut builder);
            for found in builder.diagnostics {
                if !diagnostics.contains(&found) {
                    diagnostics.push(found);
                }
            }
            let failure = match outcome {
                Ok(parsed) => return ((failures == 0).then_some(parsed), diagnostics),
                Err(failure) => failure,
            };
            diagnostics.push(explain(self.sources, tokens, &failure, self.end));
            failures += 1;
            if failures == ERROR_LIMIT || failure.is_outside_of_blocks() {
                return (None, diagnostics);
            }
            let Some(faulty) = faulty_part(start, tokens, failure.index) else {
                return (None, diagnostics);
            };
            remaining = [&tokens[..faulty.start], &tokens[faulty.end..]].concat();
            tokens = &remaining;
        }
    }

    fn attempt(
        &self,
        start: Token<'map>,
        tokens: &[Lexed<'map>],
        builder: &mut Builder,
    ) -> Result<Parsed, Failure> {
        let mut read = 0;
        let mark = std::iter::once((Position::default(), start, Position::default()));
        let stream = tokens.iter().map(|lexed| {
            read += 1;
            let Span { source, start, end } = lexed.span;
            let left = Position {
                source,
                offset: start,
            };
            let right = Position {
                source,
                offset: end,
            };
            (left, lexed.token, right)
        });
        let outcome = TextParser::new().parse(builder, mark.chain(stream).map(Ok::<_, ()>));
        outcome.map_err(|error| match error {
            ParseError::UnrecognizedEof { expected, .. } => Failure::new(tokens.len(), &expected),
            ParseError::UnrecognizedToken { expected, .. } => Failure::new(read - 1, &expected),
            ParseError::ExtraToken { .. }
            | ParseError::InvalidToken { .. }
            | ParseError::User { .. } => Failure::new(read - 1, &[]),
        })
    }
}

/// What to leave out of the tokens, such that the rest can be parsed.
fn faulty_part(start: Token, tokens: &[Lexed], at: usize) -> Option<Range<usize>> {
    if start == Token::StartEquations && at >= functions_block(tokens) {
        faulty_line(tokens, at)
    } else {
        faulty_statement(tokens, at)
    }
}

/// The line of the equation form around token `at`, with what ends it.
fn faulty_line(tokens: &[Lexed], at: usize) -> Option<Range<usize>> {
    let mut start = functions_block(tokens);
    let mut depth = 0usize;
    for (end, lexed) in tokens.iter().enumerate().skip(start) {
        match lexed.token {
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace => depth += 1,
            Token::RightParen | Token::RightBracket | Token::RightBrace => {
                depth = depth.saturating_sub(1);
            }
            Token::LineEnd | Token::Semicolon if depth == 0 => {
                if end >= at {
                    return Some(start..end + 1);
                }
                start = end + 1;
            }
            _ => {}
        }
    }
    None
}

/// The statement, declaration or function around token `at`, such that the program can be parsed
/// without it; `None` if that is not clear.
fn faulty_statement(tokens: &[Lexed], at: usize) -> Option<Range<usize>> {
    let partners = brace_partners(tokens)?;
    if at >= tokens.len() {
        return None;
    }
    let mut start = at;
    while start > 0 {
        let before = start - 1;
        match tokens[before].token {
            Token::Semicolon => break,
            Token::LeftBrace if holds_statements(tokens, before, &partners) => break,
            Token::RightBrace if holds_statements(tokens, before, &partners) => break,
            Token::RightBrace => start = partners[before],
            _ => start = before,
        }
    }
    let mut end = at;
    loop {
        let token = tokens.get(end)?.token;
        match token {
            Token::Semicolon => {
                end += 1;
                break;
            }
            Token::RightBrace if holds_statements(tokens, end, &partners) => break,
            Token::LeftBrace if holds_statements(tokens, end, &partners) => {
                end = partners[end] + 1;
                if tokens.get(end).map(|next| next.token) != Some(Token::Else) {
                    break;
                }
            }
            _ => end += 1,
        }
    }
    let keeps_blocks = (start..end).all(|at| !is_block_header(tokens, at));
    (start < end && keeps_blocks).then_some(start..end)
}

/// For each brace the index of the brace that it pairs with; `None` if brackets of any kind do
/// not pair up.
fn brace_partners(tokens: &[Lexed]) -> Option<Vec<usize>> {
    let mut partners = vec![0; tokens.len()];
    let mut open = Vec::new();
    for (at, lexed) in tokens.iter().enumerate() {
        let opening = match lexed.token {
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace => {
                open.push(at);
                continue;
            }
            Token::RightParen => Token::LeftParen,
            Token::RightBracket => Token::LeftBracket,
            Token::RightBrace => Token::LeftBrace,
            _ => continue,
        };
        let partner = open.pop()?;
        if tokens[partner].token != opening {
            return None;
        }
        partners[partner] = at;
        partners[at] = partner;
    }
    open.is_empty().then_some(partners)
}

/// Whether a brace belongs to a block of statements, and not to an array: because of what stands
/// before it, or because of a semicolon inside.
fn holds_statements(tokens: &[Lexed], brace: usize, partners: &[usize]) -> bool {
    let open = brace.min(partners[brace]);
    let inside = &tokens[open..partners[open]];
    let Some(before) = open.checked_sub(1) else {
        return true;
    };
    is_block_header(tokens, before)
        || matches!(
            tokens[before].token,
            Token::RightParen | Token::Else | Token::RightBrace | Token::Semicolon
        )
        || inside.iter().any(|lexed| lexed.token == Token::Semicolon)
}

#[cfg(test)]
mod equation_tests;
#[cfg(test)]
mod tests;
