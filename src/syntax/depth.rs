//! A bound on how deep the syntax tree can become, from the tokens alone.
//!
//! Every later phase walks the tree by recursion, and even dropping it recurses. So the bound is
//! enforced before any tree exists: nesting grows with open brackets, and with every operator or
//! statement header that has met no separator since.

use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::token::{Lexed, Token};

/// How many brackets may be open at once (the limit that Typst uses).
const BRACKET_LIMIT: usize = 256;

/// How deep the tree may become in all. Each operator of a long sum is a level, so it is higher;
/// a guess that leaves each level about 2 kB of an ordinary thread's stack.
const DEPTH_LIMIT: usize = 1024;

/// The first place where the tokens nest too deep, if there is one.
pub fn check_depth(tokens: &[Lexed]) -> Option<Diagnostic> {
    // Levels gathered since the last separator, for the file and for each open bracket.
    let mut levels = vec![0usize];
    let mut depth = 0;
    for (at, lexed) in tokens.iter().enumerate() {
        match lexed.token {
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace => {
                if levels.len() > BRACKET_LIMIT {
                    return Some(too_deep(
                        lexed.span,
                        format!("more than {BRACKET_LIMIT} brackets are open here"),
                    ));
                }
                // The bracket itself may index what stands before it.
                depth += 2;
                if let Some(level) = levels.last_mut() {
                    *level += 1;
                }
                levels.push(0);
            }
            Token::RightParen | Token::RightBracket | Token::RightBrace => {
                if levels.len() > 1 {
                    depth -= levels.pop().unwrap_or(0) + 1;
                }
                let ends_statement = lexed.token == Token::RightBrace
                    && !continues(tokens.get(at + 1).map(|next| next.token));
                if ends_statement {
                    depth -= reset(&mut levels);
                }
            }
            Token::Comma | Token::Semicolon | Token::LineEnd => depth -= reset(&mut levels),
            token if adds_level(token) => {
                depth += 1;
                if let Some(level) = levels.last_mut() {
                    *level += 1;
                }
            }
            _ => {}
        }
        if depth > DEPTH_LIMIT {
            return Some(too_deep(
                lexed.span,
                format!("more than {DEPTH_LIMIT} operators, brackets and statements meet here"),
            ));
        }
    }
    None
}

/// Forgets the levels of the innermost bracket; how many there were.
fn reset(levels: &mut [usize]) -> usize {
    levels.last_mut().map_or(0, std::mem::take)
}

/// Whether what ended with `}` goes on: an `else`, or an operator behind an array.
fn continues(next: Option<Token>) -> bool {
    next.is_some_and(|token| {
        adds_level(token)
            && !matches!(
                token,
                Token::If | Token::For | Token::While | Token::Profile
            )
            || matches!(token, Token::LeftBracket | Token::LeftParen)
    })
}

/// Whether the token makes a node that holds its neighbours.
fn adds_level(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Less | Greater
            | LessEqual
            | GreaterEqual
            | EqualEqual
            | NotEqual
            | And
            | Or
            | Bang
            | Plus
            | Minus
            | Star
            | Slash
            | Percent
            | DotStar
            | DotSlash
            | PercentSlashPercent
            | Backslash
            | Caret
            | DotCaret
            | Quote
            | Question
            | DotNumber(_)
            | For
            | While
            | If
            | Else
            | Profile
    )
}

fn too_deep(span: Span, label: String) -> Diagnostic {
    Diagnostic::error(Code::NestingTooDeep, "nested too deep", span, label)
        .with_hint("Give parts of it names of their own.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;
    use crate::syntax::lexer::{Includes, tokenize};

    fn too_deep(text: &str) -> bool {
        let mut sources = SourceMap::new();
        let id = sources.add("a", text);
        let found = tokenize(&sources, id, &Includes::new());
        check_depth(&found.tokens).is_some()
    }

    #[test]
    fn long_programs_are_not_deep() {
        assert!(!too_deep(&"x = (1 + 2) * y[3];".repeat(5000)));
        assert!(!too_deep(&"if (x) { y = 1; } ".repeat(5000)));
        assert!(!too_deep(&"{ y = 1; } ".repeat(5000)));
        assert!(!too_deep(&format!("f({}1)", "1 + 2, ".repeat(5000))));
        assert!(!too_deep(&format!("x = 1{};", " + 1".repeat(500))));
    }

    #[test]
    fn every_way_to_nest_is_bounded() {
        for part in [
            "(",
            "[",
            "{",
            "-",
            "!",
            "x[",
            "f(",
            "1 + ",
            "1 ? 1 : ",
            "2^",
            "x'",
            "x' ",
            "{1} + ",
            "if (x) ",
            "if (x) {} else ",
            "for (i in x) ",
            "while (x) ",
            "x.1",
            "x[1][1]",
        ] {
            assert!(too_deep(&part.repeat(5000)), "{part}");
        }
    }
}
