//! What each piece of a text is, for colours in editors and at the prompt.

use std::ops::Range;

use super::lexer::{Includes, tokenize};
use super::lines::{equation_tokens, is_equation_form};
use super::token::{Lexed, Token};
use crate::source::SourceMap;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenClass {
    /// A word of the language in a place where it is one.
    Keyword,
    /// The word of a type, or of a bound.
    Type,
    /// A function or distribution: a name with a parenthesis behind it.
    Function,
    /// Any other name.
    Name,
    /// A number.
    Number,
    /// Text in quotation marks.
    Text,
    /// An operator, `~` and `=` among them.
    Operator,
    /// Brackets, commas and what else parts things.
    Punctuation,
    /// A comment.
    Comment,
}

/// The pieces of a text in either form, in order, each with its bytes. What the lexer cannot read is left out.
pub fn token_classes(text: &str) -> Vec<(Range<usize>, TokenClass)> {
    let mut sources = SourceMap::new();
    let source = sources.add("", text);
    let mut tokens = tokenize(&sources, source, &Includes::new()).tokens;
    if is_equation_form(&tokens) {
        tokens = equation_tokens(&sources, &tokens);
    }
    let mut pieces = Vec::with_capacity(tokens.len());
    let mut end = 0;
    for (at, lexed) in tokens.iter().enumerate() {
        if lexed.token == Token::LineEnd {
            continue;
        }
        let range = lexed.span.range();
        pieces.extend(comment(text, end..range.start));
        end = range.end;
        pieces.push((range, class(&tokens, at)));
    }
    pieces.extend(comment(text, end..text.len()));
    pieces
}

/// The comments between two tokens, as one piece.
fn comment(text: &str, gap: Range<usize>) -> Option<(Range<usize>, TokenClass)> {
    let between = text.get(gap.clone())?;
    let inside = between.trim();
    let start = gap.start + (between.len() - between.trim_start().len());
    let is_comment = inside.starts_with("//") || inside.starts_with("/*");
    is_comment.then(|| (start..start + inside.len(), TokenClass::Comment))
}

fn class(tokens: &[Lexed], at: usize) -> TokenClass {
    use Token::*;
    match tokens[at].token {
        Name(_) | T => match tokens.get(at + 1).map(|next| next.token) {
            Some(LeftParen) => TokenClass::Function,
            _ => TokenClass::Name,
        },
        Int(_) | Real(_) | DotNumber(_) | Imaginary(_) => TokenClass::Number,
        Text(_) | Label(_) => TokenClass::Text,
        Type(_) | Array | Tuple | Void | Lower | Upper | Offset | Multiplier => TokenClass::Type,
        LeftParen | RightParen | LeftBracket | RightBracket | LeftBrace | RightBrace | Comma
        | Semicolon | Colon | Bar => TokenClass::Punctuation,
        Index | Param | Where | TransformedData | TransformedParameters | GeneratedQuantities => {
            TokenClass::Keyword
        }
        token if token.is_reserved_word() => TokenClass::Keyword,
        _ => TokenClass::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(&str, TokenClass)> {
        let pieces = token_classes(text).into_iter();
        pieces.map(|(range, class)| (&text[range], class)).collect()
    }

    #[test]
    fn every_piece_has_its_class() {
        use TokenClass::*;
        assert_eq!(
            pieces("index i // rows\ny[i] ~ normal(2, \"a\")"),
            [
                ("index", Keyword),
                ("i", Name),
                ("// rows", Comment),
                ("y", Name),
                ("[", Punctuation),
                ("i", Name),
                ("]", Punctuation),
                ("~", Operator),
                ("normal", Function),
                ("(", Punctuation),
                ("2", Number),
                (",", Punctuation),
                ("\"a\"", Text),
                (")", Punctuation),
            ]
        );
        assert_eq!(
            pieces("a = index + data /* half"),
            [
                ("a", Name),
                ("=", Operator),
                ("index", Name),
                ("+", Operator),
                ("data", Name),
                ("/* half", Comment)
            ]
        );
        assert_eq!(pieces("data { int x; }")[0], ("data", Keyword));
        assert_eq!(pieces("real<lower=0> x")[0], ("real", Type));
    }
}
