//! Lines of the equation form: where they end, and which words are keywords in their place.
//!
//! A pass over the tokens, between the lexer and the grammar. A line ends at a newline outside of
//! brackets whose previous token can end an expression, unless the next token continues it.
//! `index data param where in` are keywords only where the grammar has them, and names elsewhere.

use crate::source::{SourceMap, Span};
use crate::syntax::lexer::{Includes, tokenize};
use crate::syntax::token::{Lexed, Token};

/// Whether the tokens are those of a program in equation form: no block header but `functions {`
/// occurs, and something stands outside of that.
pub fn is_equation_form(tokens: &[Lexed]) -> bool {
    let is_block = |at: usize| tokens[at].token != Token::Functions && is_block_header(tokens, at);
    let behind_functions = &tokens[functions_block(tokens)..];
    let has_item = behind_functions
        .iter()
        .any(|lexed| lexed.token != Token::Semicolon);
    has_item && !(0..tokens.len()).any(is_block)
}

/// Whether a program block begins at this token.
pub fn is_block_header(tokens: &[Lexed], at: usize) -> bool {
    let token = tokens[at].token;
    let opens = tokens.get(at + 1).map(|next| next.token) == Some(Token::LeftBrace);
    opens && (token.is_block_header() || token == Token::Data)
}

/// How many tokens the `functions { … }` at the beginning takes.
pub fn functions_block(tokens: &[Lexed]) -> usize {
    if tokens.first().map(|first| first.token) != Some(Token::Functions)
        || !is_block_header(tokens, 0)
    {
        return 0;
    }
    let mut depth = 0;
    for (at, lexed) in tokens.iter().enumerate() {
        match lexed.token {
            Token::LeftBrace => depth += 1,
            Token::RightBrace if depth == 1 => return at + 1,
            Token::RightBrace => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The tokens as the grammar of the equation form reads them: ends of lines marked, contextual
/// keywords told from names, text as labels. A `functions` block stays as it is.
pub fn equation_tokens<'text>(
    sources: &'text SourceMap,
    tokens: &[Lexed<'text>],
) -> Vec<Lexed<'text>> {
    let start = functions_block(tokens);
    let mut lines = Lines {
        sources,
        found: Vec::with_capacity(tokens.len() + tokens.len() / 8 + 2),
        depth: 0,
        at_start: true,
        is_declaring: false,
        bounds: None,
    };
    lines.found.extend_from_slice(&tokens[..start]);
    if let Some(last) = lines.found.last() {
        let end = end_of(last.span);
        lines.end_line(end);
    }
    for at in start..tokens.len() {
        lines.take(tokens[at], tokens.get(at + 1));
    }
    if !lines.at_start
        && let Some(last) = lines.found.last()
    {
        let end = end_of(last.span);
        lines.end_line(end);
    }
    lines.found
}

/// Whether a text of the equation form can stand as it is: brackets and comments are closed, and
/// its last token ends a line. The prompt asks for more lines otherwise.
pub fn equation_line_is_complete(text: &str) -> bool {
    let mut sources = SourceMap::new();
    let source = sources.add("", text);
    let lexed = tokenize(&sources, source, &Includes::new());
    if let Some(fault) = lexed.diagnostics.first() {
        return fault.code != crate::diag::Code::UnclosedComment;
    }
    let depth: i32 = lexed.tokens.iter().map(|lexed| depth_of(lexed.token)).sum();
    let tokens = equation_tokens(&sources, &lexed.tokens);
    let last = tokens.iter().rev().map(|lexed| lexed.token);
    let mut last = last.skip_while(|token| *token == Token::LineEnd);
    match last.next() {
        _ if depth > 0 => false,
        None | Some(Token::Semicolon) => true,
        Some(token) => ends_expression(token) || !continues(token) && !wants_more(token),
    }
}

/// Whether a text continues the line before it: it begins with a binary operator, or as `where`.
pub fn continues_line(text: &str) -> bool {
    let mut sources = SourceMap::new();
    let source = sources.add("", text);
    let tokens = tokenize(&sources, source, &Includes::new()).tokens;
    match tokens.first().map(|first| first.token) {
        Some(Token::Name("where")) => begins(tokens.get(1)),
        first => first.is_some_and(continues),
    }
}

/// The pass.
struct Lines<'text> {
    sources: &'text SourceMap,
    found: Vec<Lexed<'text>>,
    /// How many brackets are open.
    depth: usize,
    /// Whether the next token is the first of its line.
    at_start: bool,
    /// Whether the line declares an index or data.
    is_declaring: bool,
    /// The number of open brackets at a type whose bounds are open.
    bounds: Option<usize>,
}

impl<'text> Lines<'text> {
    fn take(&mut self, lexed: Lexed<'text>, next: Option<&Lexed<'text>>) {
        let previous = self.found.last().copied();
        let ends_before = previous.is_some_and(|previous| ends_expression(previous.token));
        let is_where =
            lexed.token == Token::Name("where") && self.depth == 0 && ends_before && begins(next);
        if let Some(previous) = previous
            && !self.at_start
            && self.depth == 0
            && ends_before
            && !is_where
            && !continues(lexed.token)
            && self.is_newline_between(previous.span, lexed.span)
        {
            self.end_line(end_of(previous.span));
        }
        let token = match lexed.token {
            _ if is_where => Token::Where,
            Token::Name("index") if self.at_start && begins(next) => Token::Index,
            Token::Name("param") if self.at_start && begins(next) => Token::Param,
            Token::Data if !(self.at_start && begins(next)) => Token::Name("data"),
            Token::In if !(self.is_declaring && self.depth == 0 && ends_before) => {
                Token::Name("in")
            }
            Token::Text(text) => Token::Label(text),
            token => self.name_of_word(lexed, next).unwrap_or(token),
        };
        match token {
            Token::Less if matches!(previous.map(|last| last.token), Some(Token::Type(_))) => {
                self.bounds = Some(self.depth);
            }
            Token::Greater if self.bounds == Some(self.depth) => self.bounds = None,
            _ => {}
        }
        if self.at_start {
            self.is_declaring = matches!(token, Token::Index | Token::Data);
        }
        self.depth = self.depth.saturating_add_signed(depth_of(token) as isize);
        self.at_start = token == Token::Semicolon && self.depth == 0;
        self.found.push(Lexed { token, ..lexed });
    }

    /// Words of blocks, and of bounds outside of them, are names like any other: tables have columns called `model` and
    /// `offset`.
    fn name_of_word(&self, word: Lexed, next: Option<&Lexed>) -> Option<Token<'text>> {
        use Token::*;
        let is_bound =
            self.bounds == Some(self.depth) && next.is_some_and(|next| next.token == Equal);
        let is_name = match word.token {
            Lower | Upper | Offset | Multiplier => !is_bound,
            Parameters | Model | Void | Break | Continue | Return | Profile | Print | Reject
            | FatalError | Jacobian => true,
            _ => false,
        };
        is_name.then(|| Name(self.sources.snippet(word.span)))
    }

    /// Marks the end of a line.
    fn end_line(&mut self, span: Span) {
        let token = Token::LineEnd;
        self.found.push(Lexed { token, span });
        self.at_start = true;
    }

    fn is_newline_between(&self, left: Span, right: Span) -> bool {
        // An included file ends its lines.
        left.source != right.source
            || self
                .sources
                .snippet(Span::new(left.source, left.end, right.start))
                .contains(['\n', '\r'])
    }
}

/// The point behind a token.
fn end_of(span: Span) -> Span {
    Span::new(span.source, span.end, span.end)
}

/// Whether a word stands there that a keyword can govern; the end of the text leaves it open.
fn begins(next: Option<&Lexed>) -> bool {
    next.is_none_or(|next| {
        matches!(next.token, Token::Name(_) | Token::T) || next.token.is_reserved_word()
    })
}

/// By how much a token changes the number of open brackets.
fn depth_of(token: Token) -> i32 {
    match token {
        Token::LeftParen | Token::LeftBracket | Token::LeftBrace => 1,
        Token::RightParen | Token::RightBracket | Token::RightBrace => -1,
        _ => 0,
    }
}

/// Whether an expression can end with the token: a name, number, string, `) ] } '`.
fn ends_expression(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Name(_)
            | T
            | Int(_)
            | Real(_)
            | DotNumber(_)
            | Imaginary(_)
            | Text(_)
            | Label(_)
            | RightParen
            | RightBracket
            | RightBrace
            | Quote
    )
}

/// Whether the token continues the line before it: a binary operator, `~ = += , ? : |`, or a
/// closing bracket.
fn continues(token: Token) -> bool {
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
            | Tilde
            | Equal
            | PlusEqual
            | MinusEqual
            | StarEqual
            | SlashEqual
            | DotStarEqual
            | DotSlashEqual
            | Comma
            | Question
            | Colon
            | Bar
            | RightParen
            | RightBracket
            | RightBrace
    )
}

/// Whether something must follow the token, besides operators.
fn wants_more(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Bang | Index | Param | Where | In | Data | Type(_) | Target | Functions
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a text, each as its tokens with blanks between.
    fn lines(text: &str) -> Vec<String> {
        let mut sources = SourceMap::new();
        let source = sources.add("", text);
        let lexed = tokenize(&sources, source, &Includes::new());
        let mut lines = vec![Vec::new()];
        for lexed in equation_tokens(&sources, &lexed.tokens) {
            if lexed.token == Token::LineEnd {
                lines.push(Vec::new());
            } else if let Some(line) = lines.last_mut() {
                line.push(sources.snippet(lexed.span).to_owned());
            }
        }
        assert_eq!(
            lines.pop().as_deref(),
            Some([].as_slice()),
            "no end: {text}"
        );
        lines.iter().map(|line| line.join(" ")).collect()
    }

    /// The keywords of a text.
    fn keywords(text: &str) -> Vec<&str> {
        let mut sources = SourceMap::new();
        let source = sources.add("", text);
        let lexed = tokenize(&sources, source, &Includes::new());
        let words = equation_tokens(&sources, &lexed.tokens);
        let words = words.iter().filter_map(|lexed| match lexed.token {
            Token::Index => Some("index"),
            Token::Param => Some("param"),
            Token::Where => Some("where"),
            Token::Data => Some("data"),
            Token::In => Some("in"),
            _ => None,
        });
        words.collect()
    }

    #[test]
    fn lines_end_where_an_expression_can() {
        assert_eq!(
            lines("a = b\nc = d\n\n\ne = f"),
            ["a = b", "c = d", "e = f"]
        );
        assert_eq!(lines("a = b // b is\n// not c\nd = e"), ["a = b", "d = e"]);
        assert_eq!(lines("a = b; c = d\n"), ["a = b ; c = d"]);
        assert_eq!(
            lines("a = b'\nc = \"x\"\nd = 1.\ne = .5\nf = {g}\nT ~ h()").len(),
            6
        );
    }

    #[test]
    fn lines_break_before_and_after_operators() {
        for text in [
            "a = b +\nc",
            "a = b\n + c",
            "a\n= b",
            "a =\nb",
            "y\n~ f(x)",
            "y ~\nf(x)",
            "a,\nb ~ f(x)",
            "a\n, b ~ f(x)",
            "a = b\n? c\n: d",
            "y ~ f(\nx\n,\nz\n)",
            "x[\ni\n] = {\n1\n}",
            "real<lower=0,\nupper=1>\nb",
            "target\n+= b",
            "a = b\nwhere c = d",
            "a = b where\nc = d",
            "a = b\n\n\n - c",
        ] {
            assert_eq!(lines(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_bracket_or_a_prefix_begins_a_line() {
        assert_eq!(lines("a = b\n(c)").len(), 2);
        assert_eq!(lines("a = b\n!c").len(), 2);
        assert_eq!(lines("a = b\n[c] ~ f()").len(), 2);
    }

    #[test]
    fn functions_are_left_alone() {
        let text = "functions {\n real f(data real x)\n {\n return x; }\n}\na = f(data)";
        assert_eq!(lines(text).len(), 2);
        assert_eq!(keywords(text), ["data"]);
    }

    #[test]
    fn words_are_keywords_in_their_places_only() {
        assert_eq!(keywords("index i\ndata x[i] in s"), ["index", "data", "in"]);
        assert_eq!(keywords("param x where y ~ f()"), ["param", "where"]);
        assert_eq!(keywords("data\n y[i],\n z[i]"), ["data"]);
        for text in [
            "index = 1",
            "index[i] ~ f()",
            "a = index + data",
            "data ~ normal(in, where)",
            "data, param ~ f()",
            "param[i] = param + 1",
            "a = b\nwhere[i] = 3",
            "where = where",
            "a = in\nin = 3",
        ] {
            assert!(keywords(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn words_of_blocks_and_bounds_are_names_too() {
        let mut sources = SourceMap::new();
        let text =
            "real<lower=0, upper=lower + (1 > lower)> x\nindex m = model[i]\nlower = offset[i]";
        let source = sources.add("", text);
        let lexed = tokenize(&sources, source, &Includes::new());
        let tokens = equation_tokens(&sources, &lexed.tokens);
        let count = |wanted: Token| tokens.iter().filter(|found| found.token == wanted).count();
        assert_eq!((count(Token::Lower), count(Token::Upper)), (1, 1));
        assert_eq!(
            (count(Token::Name("lower")), count(Token::Name("offset"))),
            (3, 1)
        );
        assert_eq!(count(Token::Name("model")), 1);
    }

    #[test]
    fn forms_are_told_apart() {
        let is_equation = |text: &str| {
            let mut sources = SourceMap::new();
            let source = sources.add("", text);
            is_equation_form(&tokenize(&sources, source, &Includes::new()).tokens)
        };
        assert!(is_equation("y ~ f()"));
        assert!(is_equation("functions { } y ~ f()"));
        assert!(is_equation("data x[i]"));
        for block in [
            "",
            "// no\n",
            "functions { }",
            ";",
            "functions { };",
            "model { }",
            "functions {} data {}",
            "x = 1 model {",
        ] {
            assert!(!is_equation(block), "{block}");
        }
    }

    #[test]
    fn an_operator_or_where_continues_a_line() {
        for text in ["+ b", "? c : d", "where a ~ f()", "~ f()", ", b = 2"] {
            assert!(continues_line(text), "{text}");
        }
        for text in ["", "where = 2", "!a", "(a)", "a + b"] {
            assert!(!continues_line(text), "{text}");
        }
    }

    #[test]
    fn the_prompt_knows_when_a_line_is_whole() {
        for whole in [
            "",
            "y[i] ~ normal(mu, sigma)",
            "a = b // +",
            "a = b;",
            "index i",
            "a'",
            "a)",
            "\"open",
            "a = b\nc = d",
            "y ~ normal(0, 1) T[0, ]",
        ] {
            assert!(equation_line_is_complete(whole), "{whole}");
        }
        for open in [
            "y[i] ~ normal(mu,",
            "y[i] ~",
            "a = b +",
            "a =",
            "a,",
            "a = b where",
            "index k = rating[i] in",
            "index",
            "data",
            "real<lower=0>",
            "a = b ?",
            "a /* half",
            "functions {",
        ] {
            assert!(!equation_line_is_complete(open), "{open}");
        }
    }
}
