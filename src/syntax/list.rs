//! The text form of tokens, for `hlm check --emit tokens`.

use super::lexer::{Includes, tokenize};
use crate::source::{SourceId, SourceMap};
use std::fmt::Write;

/// The tokens of one text, a line each with its place; directives and comments are not among them.
pub fn list_tokens(sources: &SourceMap, source: SourceId) -> String {
    let mut out = String::new();
    for lexed in tokenize(sources, source, &Includes::new()).tokens {
        let place = sources.line_column(source, lexed.span.start);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}:{} {:?}", place.line, place.column, lexed.token);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_has_its_line() {
        let mut sources = SourceMap::new();
        let source = sources.add("m.hlm", "x +\n 1.5 // comment\n");
        let expected = "1:1 Name(\"x\")\n1:3 Plus\n2:2 Real(\"1.5\")\n";
        assert_eq!(list_tokens(&sources, source), expected);
    }
}
