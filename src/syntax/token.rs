//! The words of the language: what the lexer finds and the grammar reads.

use crate::source::{SourceId, Span};
use crate::syntax::ast::BaseType;
use logos::Logos;

/// A token; names, numbers and strings borrow their spelling from the source text.
///
/// The last groups never reach the grammar from the lexer: trivia are dropped, the words of the
/// equation form are found by [`lines`](super::lines), and the `Start…` tokens are put in front
/// of the text to choose what the single parser reads.
#[derive(Clone, Copy, Debug, PartialEq, Logos)]
#[logos(skip r"[ \t\r\n\x0C]+")]
pub enum Token<'text> {
    // Names and literals.
    #[regex(r"[\p{XID_Start}_][\p{XID_Continue}]*")]
    Name(&'text str),
    #[regex(r"[0-9]+(_[0-9]+)*")]
    Int(&'text str),
    #[regex(r"[0-9]+(_[0-9]+)*\.([0-9]+(_[0-9]+)*)?([eE][+-]?[0-9]+(_[0-9]+)*)?")]
    #[regex(r"\.[0-9]+(_[0-9]+)*[eE][+-]?[0-9]+(_[0-9]+)*")]
    #[regex(r"[0-9]+(_[0-9]+)*[eE][+-]?[0-9]+(_[0-9]+)*")]
    Real(&'text str),
    /// `.5` is a number, and `.1` behind a tuple a projection: the grammar knows which.
    #[regex(r"\.[0-9]+(_[0-9]+)*")]
    DotNumber(&'text str),
    #[regex(r"[0-9]+(_[0-9]+)*(\.([0-9]+(_[0-9]+)*)?)?([eE][+-]?[0-9]+(_[0-9]+)*)?i")]
    #[regex(r"\.[0-9]+(_[0-9]+)*([eE][+-]?[0-9]+(_[0-9]+)*)?i")]
    Imaginary(&'text str),
    /// With its quotation marks.
    #[regex(r#""[^"\r\n]*""#)]
    Text(&'text str),

    // Types.
    #[token("int", |_| BaseType::Int)]
    #[token("real", |_| BaseType::Real)]
    #[token("complex", |_| BaseType::Complex)]
    #[token("vector", |_| BaseType::Vector)]
    #[token("row_vector", |_| BaseType::RowVector)]
    #[token("matrix", |_| BaseType::Matrix)]
    #[token("complex_vector", |_| BaseType::ComplexVector)]
    #[token("complex_row_vector", |_| BaseType::ComplexRowVector)]
    #[token("complex_matrix", |_| BaseType::ComplexMatrix)]
    #[token("ordered", |_| BaseType::Ordered)]
    #[token("positive_ordered", |_| BaseType::PositiveOrdered)]
    #[token("simplex", |_| BaseType::Simplex)]
    #[token("unit_vector", |_| BaseType::UnitVector)]
    #[token("sum_to_zero_vector", |_| BaseType::SumToZeroVector)]
    #[token("sum_to_zero_matrix", |_| BaseType::SumToZeroMatrix)]
    #[token("row_stochastic_matrix", |_| BaseType::RowStochasticMatrix)]
    #[token("column_stochastic_matrix", |_| BaseType::ColumnStochasticMatrix)]
    #[token("cov_matrix", |_| BaseType::CovMatrix)]
    #[token("corr_matrix", |_| BaseType::CorrMatrix)]
    #[token("cholesky_factor_cov", |_| BaseType::CholeskyFactorCov)]
    #[token("cholesky_factor_corr", |_| BaseType::CholeskyFactorCorr)]
    Type(BaseType),
    #[token("array")]
    Array,
    #[token("tuple")]
    Tuple,
    #[token("void")]
    Void,
    #[token("lower")]
    Lower,
    #[token("upper")]
    Upper,
    #[token("offset")]
    Offset,
    #[token("multiplier")]
    Multiplier,

    // Blocks.
    #[token("functions")]
    Functions,
    #[token("data")]
    Data,
    #[regex(r"transformed[ \t\x0C]+data")]
    TransformedData,
    #[token("parameters")]
    Parameters,
    #[regex(r"transformed[ \t\x0C]+parameters")]
    TransformedParameters,
    #[token("model")]
    Model,
    #[regex(r"generated[ \t\x0C]+quantities")]
    GeneratedQuantities,

    // Statements.
    #[token("for")]
    For,
    #[token("in")]
    In,
    #[token("while")]
    While,
    #[token("if")]
    If,
    #[token("else")]
    Else,
    #[token("break")]
    Break,
    #[token("continue")]
    Continue,
    #[token("return")]
    Return,
    #[token("profile")]
    Profile,
    #[token("print")]
    Print,
    #[token("reject")]
    Reject,
    #[token("fatal_error")]
    FatalError,
    #[token("target")]
    Target,
    #[token("jacobian")]
    Jacobian,
    /// Begins a truncation; elsewhere a name like any other.
    #[token("T", priority = 20)]
    T,

    // Brackets and punctuation.
    #[token("(")]
    LeftParen,
    #[token(")")]
    RightParen,
    #[token("[")]
    LeftBracket,
    #[token("]")]
    RightBracket,
    #[token("{")]
    LeftBrace,
    #[token("}")]
    RightBrace,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token(":")]
    Colon,
    #[token("|")]
    Bar,
    #[token("~")]
    Tilde,
    #[token("?")]
    Question,

    // Operators.
    #[token("<")]
    Less,
    #[token(">")]
    Greater,
    #[token("<=")]
    LessEqual,
    #[token(">=")]
    GreaterEqual,
    #[token("==")]
    EqualEqual,
    #[token("!=")]
    NotEqual,
    #[token("&&")]
    And,
    #[token("||")]
    Or,
    #[token("!")]
    Bang,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token(".*")]
    DotStar,
    #[token("./")]
    DotSlash,
    #[token("%/%")]
    PercentSlashPercent,
    #[token("\\")]
    Backslash,
    #[token("^")]
    Caret,
    #[token(".^")]
    DotCaret,
    #[token("'")]
    Quote,

    // Assignments.
    #[token("=")]
    Equal,
    #[token("+=")]
    PlusEqual,
    #[token("-=")]
    MinusEqual,
    #[token("*=")]
    StarEqual,
    #[token("/=")]
    SlashEqual,
    #[token(".*=")]
    DotStarEqual,
    #[token("./=")]
    DotSlashEqual,

    // Trivia, and marks of what to parse.
    #[regex(r"//[^\r\n]*", allow_greedy = true)]
    LineComment,
    /// The text of the comment follows; the lexer skips it by hand.
    #[token("/*")]
    BlockComment,
    /// Begins `#include`, or a comment as early Stan wrote them.
    #[token("#")]
    Hash,
    /// A string that does not end on its line.
    #[regex(r#""[^"\r\n]*"#)]
    OpenText,

    // The equation form: words that are names elsewhere, text as an operand, and ends of lines.
    Index,
    Param,
    Where,
    /// With its quotation marks, as [`Token::Text`].
    Label(&'text str),
    LineEnd,

    StartProgram,
    StartEquations,
    StartFunctions,
    StartStatements,
    StartExpression,
}

impl Token<'_> {
    /// Whether it is a word of the language, which cannot be a name.
    pub fn is_reserved_word(self) -> bool {
        use Token::*;
        matches!(
            self,
            Type(_)
                | Array
                | Tuple
                | Void
                | Lower
                | Upper
                | Offset
                | Multiplier
                | Functions
                | Data
                | Parameters
                | Model
                | For
                | In
                | While
                | If
                | Else
                | Break
                | Continue
                | Return
                | Profile
                | Print
                | Reject
                | FatalError
                | Target
                | Jacobian
        )
    }

    /// Whether it can only be the header of a program block.
    pub fn is_block_header(self) -> bool {
        use Token::*;
        matches!(
            self,
            Functions
                | TransformedData
                | Parameters
                | TransformedParameters
                | Model
                | GeneratedQuantities
        )
    }
}

/// A token with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lexed<'text> {
    /// The token.
    pub token: Token<'text>,
    /// Its place, in the program's own text or in an included one.
    pub span: Span,
}

/// A point between two bytes of a source text: what the generated parser carries along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The text.
    pub source: SourceId,
    /// Bytes before the point.
    pub offset: u32,
}

impl Position {
    /// The span from here to `end`; where a construct runs over the edge of an included file,
    /// only its beginning is marked.
    pub fn to(self, end: Position) -> Span {
        let last = if self.source == end.source {
            end.offset.max(self.offset)
        } else {
            self.offset
        };
        Span::new(self.source, self.offset, last)
    }
}
