//! Words for syntax errors: from the parser's list of tokens to what was found, what belongs
//! there, and what to type.

use std::collections::BTreeSet;

use crate::diag::{Code, Diagnostic};
use crate::source::{SourceMap, Span};
use crate::syntax::token::{Lexed, Token};

/// Where the parser stopped.
pub struct Failure {
    /// Index of the token that does not fit; the number of tokens for the end of the text.
    pub index: usize,
    /// The tokens that would have fit, as the grammar spells them.
    expected: BTreeSet<String>,
}

impl Failure {
    /// Takes over what LALRPOP reports; its names of tokens are in quotation marks.
    pub fn new(index: usize, expected: &[String]) -> Failure {
        let unquoted = expected.iter().map(|token| token.trim_matches('"'));
        Failure {
            index,
            expected: unquoted.map(str::to_owned).collect(),
        }
    }

    /// Whether the parser was between blocks, where no statement can be left out.
    pub fn is_outside_of_blocks(&self) -> bool {
        self.expects("model")
    }

    fn expects(&self, token: &str) -> bool {
        self.expected.contains(token)
    }

    /// Whether the parser was at a place of the equation form where a line could end.
    fn is_in_equation(&self) -> bool {
        self.expects("end of line")
    }

    /// Whether a statement of the equation form could begin here.
    fn expects_equation(&self) -> bool {
        self.expects("label") && self.expects("target") && self.expects("type")
    }

    /// Whether an expression could stand here.
    fn expects_expression(&self) -> bool {
        self.expects("integer")
    }

    /// Whether an operator could stand here, because an expression stands before.
    fn expects_operator(&self) -> bool {
        self.expects("+") && !self.expects_expression()
    }

    /// Whether this is a place where something gets its name.
    fn expects_new_name(&self) -> bool {
        self.expects("name") && !self.expects_expression()
    }
}

/// The diagnostic for a failure; `end` is the end of the main source.
pub fn explain(sources: &SourceMap, tokens: &[Lexed], failure: &Failure, end: Span) -> Diagnostic {
    let site = Site {
        sources,
        tokens,
        failure,
    };
    let Some(&found) = tokens.get(failure.index) else {
        return site.unexpected_end("text", end);
    };
    if found.token == Token::LineEnd {
        return site.unexpected_end("line", found.span);
    }
    site.reserved_word(found)
        .or_else(|| site.argument_type(found))
        .or_else(|| site.misplaced_item(found))
        .or_else(|| site.missing_semicolon(found))
        .unwrap_or_else(|| site.unexpected_token(found))
}

/// A failure among its tokens.
struct Site<'a> {
    sources: &'a SourceMap,
    tokens: &'a [Lexed<'a>],
    failure: &'a Failure,
}

impl Site<'_> {
    /// The token `steps` before the one that does not fit.
    fn before(&self, steps: usize) -> Option<Lexed<'_>> {
        let at = self.failure.index.checked_sub(steps)?;
        self.tokens.get(at).copied()
    }

    fn token_before(&self, steps: usize) -> Option<Token<'_>> {
        self.before(steps).map(|lexed| lexed.token)
    }

    fn text(&self, span: Span) -> &str {
        self.sources.snippet(span)
    }

    /// The end of the text or of a line of the equation form.
    fn unexpected_end(&self, what: &str, end: Span) -> Diagnostic {
        let found = Diagnostic::error(
            Code::UnexpectedEnd,
            format!("the {what} ends too early"),
            end,
            self.expectation(),
        );
        match self.unclosed_bracket() {
            Some(bracket) => {
                let label = format!("this `{}` is never closed", self.text(bracket));
                found.with_secondary(bracket, label)
            }
            None => found,
        }
    }

    /// The last bracket still open before the failure.
    fn unclosed_bracket(&self) -> Option<Span> {
        let mut closed = 0;
        for lexed in self.tokens[..self.failure.index].iter().rev() {
            match lexed.token {
                Token::RightParen | Token::RightBracket | Token::RightBrace => closed += 1,
                Token::LeftParen | Token::LeftBracket | Token::LeftBrace if closed == 0 => {
                    return Some(lexed.span);
                }
                Token::LeftParen | Token::LeftBracket | Token::LeftBrace => closed -= 1,
                _ => {}
            }
        }
        None
    }

    /// A word of the language where a name belongs.
    fn reserved_word(&self, found: Lexed) -> Option<Diagnostic> {
        if !self.failure.expects_new_name() || !found.token.is_reserved_word() {
            return None;
        }
        let word = self.text(found.span);
        let diagnostic = Diagnostic::error(
            Code::ReservedWord,
            format!("`{word}` cannot be a name"),
            found.span,
            "a word of the language",
        );
        if self.is_in_data() {
            let hint =
                "Columns have no types here: what they are follows from the table and their use.";
            return Some(diagnostic.with_hint(hint));
        }
        let starts_type = matches!(found.token, Token::Type(_) | Token::Array | Token::Tuple);
        Some(
            if starts_type && self.token_before(1) == Some(Token::Comma) {
                diagnostic.with_hint(
                "All variables of one declaration have the same type. End it with `;` and begin \
                 another.",
            )
            } else {
                diagnostic.with_hint("Choose another name.")
            },
        )
    }

    /// Sizes or bounds in the type of an argument or result.
    fn argument_type(&self, found: Lexed) -> Option<Diagnostic> {
        let diagnostic = |title: &str, span: Span, word: &str| {
            Diagnostic::error(Code::MisplacedConstraint, title, span, "")
                .with_note("Functions take and return values of every size.")
                .with_hint(format!("Write only `{word}`."))
        };
        if let Some(word) = self.type_word_before(1)
            && found.token == Token::Less
        {
            let title = "the type of an argument or result has no bounds";
            return Some(diagnostic(title, found.span, word));
        }
        if let Some(word) = self.type_word_before(2)
            && self.token_before(1) == Some(Token::LeftBracket)
            && !self.failure.expects_expression()
        {
            let title = "the type of an argument or result has no sizes";
            return Some(diagnostic(title, found.span, word));
        }
        if self.failure.expects("type")
            && self.failure.expects("data")
            && matches!(found.token, Token::Name(_))
        {
            let name = self.text(found.span);
            return Some(
                Diagnostic::error(
                    Code::UnexpectedToken,
                    format!("the argument `{name}` has no type"),
                    found.span,
                    "expected a type",
                )
                .with_hint("Each argument has a type of its own: `real x, real y`."),
            );
        }
        None
    }

    fn type_word_before(&self, steps: usize) -> Option<&'static str> {
        match self.token_before(steps)? {
            Token::Type(base) => Some(base.word()),
            _ => None,
        }
    }

    /// Something that does not belong into this block, or outside of all.
    fn misplaced_item(&self, found: Lexed) -> Option<Diagnostic> {
        let failure = self.failure;
        if failure.is_outside_of_blocks() {
            return Some(self.outside_of_blocks(found));
        }
        let only_declarations = failure.expects("type") && failure.expects("}");
        if !only_declarations || failure.expects("for") || found.token == Token::Data {
            return None;
        }
        let (block, content) = if failure.expects("void") {
            ("functions", "functions")
        } else {
            (self.block_name(), "declarations")
        };
        Some(
            Diagnostic::error(
                Code::UnexpectedToken,
                format!("unexpected `{}`", self.text(found.span)),
                found.span,
                self.expectation(),
            )
            .with_note(format!("The `{block}` block holds {content} only.")),
        )
    }

    fn outside_of_blocks(&self, found: Lexed) -> Diagnostic {
        let word = self.text(found.span);
        let diagnostic = Diagnostic::error(
            Code::UnexpectedToken,
            format!("unexpected `{word}` outside of any block"),
            found.span,
            "expected a program block",
        );
        if found.token == Token::RightBrace {
            return diagnostic.with_hint("There is one closing brace too many, here or before.");
        }
        diagnostic.with_note(
            "A program consists of the blocks functions, data, transformed data, parameters, \
             transformed parameters, model, generated quantities, in this order.",
        )
    }

    /// The header of the block that the failure lies in.
    fn block_name(&self) -> &str {
        let before = &self.tokens[..self.failure.index];
        before
            .iter()
            .rev()
            .find(|lexed| lexed.token.is_block_header() || lexed.token == Token::Data)
            .map_or("", |lexed| self.text(lexed.span))
    }

    /// A statement that is complete but for its semicolon: the next begins on a new line.
    fn missing_semicolon(&self, found: Lexed) -> Option<Diagnostic> {
        let previous = self.before(1)?;
        let failure = self.failure;
        if !failure.expects(";") || failure.expects("for") || failure.is_in_equation() {
            return None;
        }
        let between = Span::new(found.span.source, previous.span.end, found.span.start);
        let next_line =
            previous.span.source == found.span.source && self.text(between).contains('\n');
        let ends_block = found.token == Token::RightBrace;
        let can_begin = ends_block
            || matches!(found.token, Token::Name(_) | Token::LeftBrace)
            || found.token.is_reserved_word();
        if !can_begin || !(next_line || ends_block) {
            return None;
        }
        let gap = Span::new(
            previous.span.source,
            previous.span.end.saturating_sub(1).max(previous.span.start),
            previous.span.end,
        );
        Some(
            Diagnostic::error(
                Code::UnexpectedToken,
                "missing `;`",
                found.span,
                format!("unexpected `{}`", self.text(found.span)),
            )
            .with_secondary(gap, "`;` belongs behind this"),
        )
    }

    fn unexpected_token(&self, found: Lexed) -> Diagnostic {
        let word = self.text(found.span);
        let diagnostic = Diagnostic::error(
            Code::UnexpectedToken,
            format!("unexpected `{word}`"),
            found.span,
            self.expectation(),
        );
        if let Some(bracket) = self.bracket_open_on_line_before(found) {
            let label = format!("this `{}` is not closed", self.text(bracket));
            return diagnostic.with_secondary(bracket, label);
        }
        match self.equation_hint(found).or_else(|| self.hint(found)) {
            Some(hint) => diagnostic.with_hint(hint),
            None => diagnostic,
        }
    }

    /// Advice for mistakes that people make.
    fn hint(&self, found: Lexed) -> Option<String> {
        let failure = self.failure;
        let hint = match (self.token_before(1), found.token) {
            (_, Token::Equal) if failure.expects(")") => {
                "To compare, write `==`. An assignment is a statement of its own."
            }
            (Some(Token::Greater), _) if failure.expects_new_name() => {
                "A `>` inside of bounds ends them. Put a comparison into parentheses."
            }
            (_, Token::Less | Token::LessEqual | Token::GreaterEqual)
                if failure.expects(">") && failure.expects(",") =>
            {
                "Inside of bounds, put a comparison into parentheses."
            }
            (_, Token::Text(_)) => "Text can stand only in `print`, `reject` and `fatal_error`.",
            (Some(Token::Percent | Token::Caret), Token::Equal) => {
                "The compound assignments are `+= -= *= /= .*= ./=`."
            }
            (_, Token::Else) => "An `else` follows an `if` and its one statement or `{ … }`.",
            (Some(Token::If | Token::While), _) => "The condition stands in parentheses.",
            (Some(Token::LeftBrace), Token::RightBrace) if failure.expects_expression() => {
                "An array cannot be empty."
            }
            (Some(Token::Type(_)), Token::LeftParen) => "Sizes stand in square brackets.",
            (Some(Token::Tilde), _) => "Write a distribution, as in `y ~ normal(mu, sigma);`.",
            (Some(Token::RightParen), Token::Name(_)) if failure.expects("T") => {
                "A truncation is written `T[lower, upper]`."
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the tokens are those of the equation form.
    fn has_lines(&self) -> bool {
        self.tokens.last().map(|last| last.token) == Some(Token::LineEnd)
    }

    /// The bracket that is still open, where a new line shows that it was meant to be closed.
    fn bracket_open_on_line_before(&self, found: Lexed) -> Option<Span> {
        let previous = self.before(1)?.span;
        let between = Span::new(previous.source, previous.end, found.span.start);
        let is_new_line = previous.source == found.span.source && self.text(between).contains('\n');
        let is_open = self.has_lines() && is_new_line && self.failure.expects_operator();
        self.unclosed_bracket().filter(|_| is_open)
    }

    /// Advice for mistakes in the equation form.
    fn equation_hint(&self, found: Lexed) -> Option<String> {
        let failure = self.failure;
        if !self.has_lines() {
            return None;
        }
        let hint = match (self.token_before(1), found.token) {
            (_, Token::For | Token::While | Token::If | Token::Else) => {
                "There are no loops or branches here: a statement holds for every value of the \
                 letters on its left, and `c ? a : b` chooses."
            }
            (_, Token::Array | Token::Tuple) => {
                "Arrays come from indices: `theta[j, k]` has one value for each j and k."
            }
            (_, Token::Functions) => "The `functions` block stands before everything else.",
            (_, token) if token.is_block_header() => {
                "A file has blocks or equations, not both; only `functions { … }` may stand in front."
            }
            (_, Token::Where) => {
                "A `where` joins two statements; give the third a line of its own."
            }
            (_, Token::Comma) if self.token_before(2) == Some(Token::Index) => {
                "Each letter has a line of its own."
            }
            (_, Token::In) if self.token_before(2) == Some(Token::Index) => {
                "As in `index k = {low, mid, high}` or `index k = rating[i] in {low, mid, high}`."
            }
            (_, Token::Bar) if failure.expects(")") => {
                "A bar stands only in the call of a density, behind its outcome."
            }
            (Some(Token::Tilde), _) => "Write a distribution, as in `y[i] ~ normal(mu, sigma)`.",
            (Some(Token::RightBracket), Token::Name(_)) if self.closes_sizes() => {
                "Types have no sizes here: letters give them, as in `vector mu[p]`."
            }
            _ if failure.expects_new_name() && self.is_in_data() => {
                "A column is declared with its letters: `data y[i]`."
            }
            _ if failure.is_in_equation() && begins_statement(found.token) => {
                "A new statement begins on a new line, or behind a `;`."
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the bracket that closes before the failure was opened behind a type.
    fn closes_sizes(&self) -> bool {
        let before = &self.tokens[..self.failure.index];
        let open = before
            .iter()
            .rposition(|lexed| lexed.token == Token::LeftBracket);
        open.and_then(|open| before.get(open.checked_sub(1)?))
            .is_some_and(|lexed| matches!(lexed.token, Token::Type(_)))
    }

    /// Whether the failure lies in a line that declares data.
    fn is_in_data(&self) -> bool {
        let before = self.tokens[..self.failure.index].iter().rev();
        let mut line = before.take_while(|lexed| lexed.token != Token::LineEnd);
        self.has_lines() && line.any(|lexed| lexed.token == Token::Data)
    }

    /// `expected …`, with the tokens of the grammar gathered under plain words.
    fn expectation(&self) -> String {
        let items = expected_items(self.failure);
        match items.split_last() {
            None => String::new(),
            Some((last, [])) => format!("expected {last}"),
            Some((last, rest)) => format!("expected {} or {last}", rest.join(", ")),
        }
    }
}

/// Whether a token can be the first of a statement of the equation form.
fn begins_statement(token: Token) -> bool {
    matches!(
        token,
        Token::Name(_) | Token::T | Token::Type(_) | Token::Target | Token::Data
    )
}

/// More alternatives than these make no sentence.
const ITEM_LIMIT: usize = 5;

/// What may come, most general first.
fn expected_items(failure: &Failure) -> Vec<String> {
    let mut items: Vec<&str> = Vec::new();
    let mut symbols: Vec<&str> = Vec::new();
    if failure.is_outside_of_blocks() {
        items.push("a program block");
    } else if failure.expects("for") || failure.expects_equation() {
        items.push("a statement");
    } else if failure.expects("void") {
        items.push("a function");
    } else if failure.expects("type") {
        let declaration = failure.expects("}");
        items.push(if declaration {
            "a declaration"
        } else {
            "a type"
        });
    }
    let in_statement = items.is_empty();
    if in_statement && failure.expects_expression() {
        items.push("an expression");
    } else if in_statement && failure.expects("name") {
        items.push("a name");
    }
    if in_statement {
        if failure.expects_operator() && failure.expects("=") {
            symbols.push("=");
        }
        // An end of line is also written `;`.
        let ends_line = failure.is_in_equation();
        symbols.extend(
            ["~", ";", ",", "|", ":", ")", "]", "in", ">"]
                .iter()
                .filter(|symbol| {
                    // After an expression `>` is an operator like any other, unless it is alone.
                    (**symbol != ">" || !failure.expects(">=")) && (**symbol != ";" || !ends_line)
                }),
        );
        if !failure.expects_operator() {
            symbols.extend(["=", "+=", "lower", "upper", "offset", "multiplier"]);
        }
        if !failure.expects_expression() && !failure.expects_operator() {
            symbols.extend(["(", "[", "{", "text"]);
        }
        if !failure.expects("name") {
            symbols.push("T");
        }
    }
    symbols.extend(["}", "else"]);
    let mut found: Vec<String> = items.into_iter().map(str::to_owned).collect();
    for symbol in symbols {
        if failure.expects(symbol) {
            found.push(format!("`{symbol}`"));
        }
    }
    if failure.expects_operator() && found.len() < 2 {
        found.push("an operator".to_owned());
    }
    found.truncate(ITEM_LIMIT);
    found
}
