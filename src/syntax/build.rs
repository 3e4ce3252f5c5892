//! What the grammar's rules do: they make nodes, and report what the grammar accepts too widely.

mod equation;
mod types;

use crate::diag::{Code, Diagnostic};
use crate::source::{SourceMap, Span};
use crate::syntax::ast::*;
use crate::syntax::equation::EquationProgram;

/// What a text turned out to be; which one is decided by the mark in front of its tokens.
pub enum Parsed {
    Program(Box<Program>),
    Equations(Box<EquationProgram>),
    Functions(Vec<FunctionDef>),
    Statements(Vec<Stmt>),
    Expression(Expr),
}

/// A program block of any kind, before their order is checked.
pub struct AnyBlock {
    pub contents: BlockContents,
    /// From the header to the closing brace.
    pub span: Span,
}

/// What stands between the braces of a program block.
pub enum BlockContents {
    Functions(Vec<FunctionDef>),
    Data(Vec<Declaration>),
    TransformedData(Vec<Stmt>),
    Parameters(Vec<Declaration>),
    TransformedParameters(Vec<Stmt>),
    Model(Vec<Stmt>),
    GeneratedQuantities(Vec<Stmt>),
}

/// The word before `=` in the bounds of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BoundWord {
    Lower,
    Upper,
    Offset,
    Multiplier,
}

/// A declarator as written, perhaps with sizes behind the name as before Stan 2.26.
pub struct WrittenDeclarator {
    pub name: Identifier,
    pub initial: Option<Box<Expr>>,
    pub old_sizes: Option<Span>,
}

/// Makes syntax nodes and collects errors that do not stop the parse.
pub struct Builder<'map> {
    sources: &'map SourceMap,
    /// The errors so far.
    pub diagnostics: Vec<Diagnostic>,
}

impl<'map> Builder<'map> {
    pub fn new(sources: &'map SourceMap) -> Builder<'map> {
        Builder {
            sources,
            diagnostics: Vec::new(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// The elements of a list that the grammar carries in boxes.
pub fn unboxed<T>(items: Vec<Box<T>>) -> Vec<T> {
    items.into_iter().map(|item| *item).collect()
}

/// A statement whose place is not known yet.
pub fn unplaced(kind: StmtKind) -> Box<Stmt> {
    let span = Span::default();
    Box::new(Stmt { kind, span })
}

/// The statement, at its place.
pub fn place(mut statement: Box<Stmt>, span: Span) -> Box<Stmt> {
    statement.span = span;
    statement
}

// Programs.
impl Builder<'_> {
    /// Puts the blocks into their places, each at most once and in order.
    pub fn program(&mut self, blocks: Vec<AnyBlock>) -> Program {
        let mut program = Program::default();
        // The latest block so far, by position in the order and place.
        let mut latest: Option<(usize, Span)> = None;
        for block in blocks {
            let (position, header, span) = block.header();
            if let Some((latest_position, latest_span)) = latest
                && position <= latest_position
            {
                let latest_header = BLOCK_HEADERS[latest_position];
                self.report(block_order(header, span, latest_header, latest_span));
            } else {
                latest = Some((position, span));
            }
            block.put_into(&mut program);
        }
        program
    }
}

/// The block headers in the order in which they must come.
const BLOCK_HEADERS: [&str; 7] = [
    "functions",
    "data",
    "transformed data",
    "parameters",
    "transformed parameters",
    "model",
    "generated quantities",
];

impl AnyBlock {
    /// Position in the order of blocks, keyword, and the place of the keyword.
    fn header(&self) -> (usize, &'static str, Span) {
        let position = match self.contents {
            BlockContents::Functions(_) => 0,
            BlockContents::Data(_) => 1,
            BlockContents::TransformedData(_) => 2,
            BlockContents::Parameters(_) => 3,
            BlockContents::TransformedParameters(_) => 4,
            BlockContents::Model(_) => 5,
            BlockContents::GeneratedQuantities(_) => 6,
        };
        let header = BLOCK_HEADERS[position];
        let end = self.span.end.min(self.span.start + header.len() as u32);
        (position, header, Span { end, ..self.span })
    }

    fn put_into(self, program: &mut Program) {
        let span = self.span;
        match self.contents {
            BlockContents::Functions(items) => program.functions = Some(Block { items, span }),
            BlockContents::Data(items) => program.data = Some(Block { items, span }),
            BlockContents::TransformedData(items) => {
                program.transformed_data = Some(Block { items, span });
            }
            BlockContents::Parameters(items) => program.parameters = Some(Block { items, span }),
            BlockContents::TransformedParameters(items) => {
                program.transformed_parameters = Some(Block { items, span });
            }
            BlockContents::Model(items) => program.model = Some(Block { items, span }),
            BlockContents::GeneratedQuantities(items) => {
                program.generated_quantities = Some(Block { items, span });
            }
        }
    }
}

fn block_order(header: &str, span: Span, latest: &str, latest_span: Span) -> Diagnostic {
    let repeated = header == latest;
    let title = if repeated {
        format!("the program already has a `{header}` block")
    } else {
        format!("the `{header}` block must come before `{latest}`")
    };
    let label = if repeated { "again" } else { "too late" };
    Diagnostic::error(Code::BlockOrder, title, span, label)
        .with_secondary(latest_span, format!("`{latest}` is here"))
        .with_note(format!("The order is {}.", BLOCK_HEADERS.join(", ")))
}

// Statements.
impl Builder<'_> {
    /// An expression followed by a semicolon: the call of a void function, or a mistake.
    pub fn expression_statement(&mut self, value: Expr, span: Span) -> StmtKind {
        match value.kind {
            ExprKind::Call {
                function,
                arguments,
                bar: false,
            } if value.span == span => StmtKind::Call {
                function,
                arguments,
            },
            kind => {
                self.report(not_a_statement(&kind, span, self.sources));
                StmtKind::Empty
            }
        }
    }

    /// `target = value;`, or a compound assignment.
    pub fn assign(
        &mut self,
        target: Expr,
        written: Span,
        operator: Option<BinaryOp>,
        value: Expr,
    ) -> StmtKind {
        match to_lvalue(target, written) {
            Some(target) => StmtKind::Assign {
                target,
                operator,
                value,
            },
            None => {
                self.report(
                    Diagnostic::error(
                        Code::NotAssignable,
                        "cannot assign to this",
                        written,
                        "not a variable",
                    )
                    .with_note(
                        "A variable, its elements (`x[2]`, `t.1`), or a tuple of these can be \
                         assigned to.",
                    ),
                );
                StmtKind::Empty
            }
        }
    }

    /// `T[lower, upper]`; none at all is no truncation.
    pub fn truncation(
        &mut self,
        lower: Option<Box<Expr>>,
        upper: Option<Box<Expr>>,
        span: Span,
    ) -> Option<Truncation> {
        (lower.is_some() || upper.is_some()).then(|| Truncation {
            lower: lower.map(|lower| *lower),
            upper: upper.map(|upper| *upper),
            span,
        })
    }

    /// The contents of a string.
    pub fn text(&mut self, quoted: &str) -> String {
        quoted.trim_matches('"').to_owned()
    }
}

/// Why an expression is no statement; `x <- 1;` reads as a comparison with -1.
fn not_a_statement(kind: &ExprKind, span: Span, sources: &SourceMap) -> Diagnostic {
    if let Some(found) = old_assignment(kind, sources) {
        return found;
    }
    let found = Diagnostic::error(
        Code::UnexpectedToken,
        "an expression alone is not a statement",
        span,
        "its value is not used",
    );
    match kind {
        ExprKind::Binary {
            operator: BinaryOp::Equal,
            ..
        } => found.with_hint("`==` compares. To assign, write `=`."),
        ExprKind::Call { bar: true, .. } => {
            found.with_hint("To add it to the log density, write `target += …;`.")
        }
        _ => {
            found.with_hint("Assign it (`x = …;`), or add it to the log density (`target += …;`).")
        }
    }
}

/// The error for `x <- 1;`, if that is what the expression is.
fn old_assignment(kind: &ExprKind, sources: &SourceMap) -> Option<Diagnostic> {
    let ExprKind::Binary {
        operator: BinaryOp::Less,
        left,
        right,
    } = kind
    else {
        return None;
    };
    let between = Span::new(left.span.source, left.span.end, right.span.end);
    let start = between.start + sources.snippet(between).find("<-")? as u32;
    let found = Diagnostic::error(
        Code::OldSyntax,
        "`<-` no longer assigns",
        Span::new(between.source, start, start + 2),
        "old assignment",
    );
    Some(found.with_hint(format!("Write `{} = …;`.", sources.snippet(left.span))))
}

/// The expression as what stands left of an assignment. Parentheses around it are refused; they
/// show as a difference between the expression's span and the one written.
fn to_lvalue(expr: Expr, written: Span) -> Option<LValue> {
    if expr.span != written {
        return None;
    }
    if let ExprKind::Tuple(elements) = expr.kind {
        let elements = elements
            .into_iter()
            .map(|element| {
                let span = element.span;
                to_lvalue(element, span)
            })
            .collect::<Option<Vec<LValue>>>()?;
        return Some(LValue::Tuple {
            elements,
            span: written,
        });
    }
    to_place(expr).map(LValue::Place)
}

fn to_place(expr: Expr) -> Option<Place> {
    let span = expr.span;
    let (base, step) = match expr.kind {
        ExprKind::Variable(name) => {
            return Some(Place {
                variable: Identifier { name, span },
                path: Vec::new(),
                span,
            });
        }
        ExprKind::Index { base, indices } => (base, PlaceStep::Index(indices)),
        ExprKind::Projection { base, slot } => (base, PlaceStep::Projection(slot)),
        _ => return None,
    };
    // `(x)[1]` begins with the parenthesis, its base does not.
    if base.span.start != span.start {
        return None;
    }
    let mut place = to_place(*base)?;
    place.path.push(step);
    place.span = span;
    Some(place)
}

/// The letter that an index is, if it is one.
fn to_letter(index: Index) -> Option<Identifier> {
    let Index::Single(expr) = index else {
        return None;
    };
    match expr.kind {
        ExprKind::Variable(name) => Some(Identifier {
            name,
            span: expr.span,
        }),
        _ => None,
    }
}

// Expressions.
impl Builder<'_> {
    pub fn unary(&mut self, operator: UnaryOp, operand: Box<Expr>, span: Span) -> Box<Expr> {
        let kind = ExprKind::Unary { operator, operand };
        Box::new(Expr { kind, span })
    }

    pub fn binary(
        &mut self,
        operator: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
        span: Span,
    ) -> Box<Expr> {
        let kind = ExprKind::Binary {
            operator,
            left,
            right,
        };
        Box::new(Expr { kind, span })
    }

    pub fn ternary(
        &mut self,
        condition: Box<Expr>,
        if_true: Box<Expr>,
        if_false: Box<Expr>,
        span: Span,
    ) -> Box<Expr> {
        let kind = ExprKind::Ternary {
            condition,
            if_true,
            if_false,
        };
        Box::new(Expr { kind, span })
    }

    /// `f(first | rest)`
    pub fn conditional_call(
        &mut self,
        function: Identifier,
        first: Expr,
        mut rest: Vec<Expr>,
    ) -> ExprKind {
        rest.insert(0, first);
        ExprKind::Call {
            function,
            arguments: rest,
            bar: true,
        }
    }

    /// `mean[i](e)`: `base[letters](body)`, where the base must be a name and what stands in brackets letters.
    pub fn reduction(
        &mut self,
        base: Expr,
        letters: Vec<Index>,
        brackets: Span,
        body: Box<Expr>,
    ) -> ExprKind {
        let bound: Option<Vec<Identifier>> = letters.into_iter().map(to_letter).collect();
        match (base.kind, bound) {
            (ExprKind::Variable(name), Some(letters)) => ExprKind::Reduction {
                function: Identifier {
                    name,
                    span: base.span,
                },
                letters,
                body,
            },
            (kind, _) => {
                self.report(
                    Diagnostic::error(
                        Code::UnexpectedToken,
                        "a reduction binds letters",
                        brackets,
                        "letters belong here",
                    )
                    .with_hint("As in `mean[i](x[i])`: the function of the values over all i."),
                );
                kind
            }
        }
    }

    /// `lower:upper` as an index.
    pub fn range(&mut self, lower: Option<Box<Expr>>, upper: Option<Box<Expr>>) -> Box<Index> {
        Box::new(Index::Range {
            lower: lower.map(|lower| *lower),
            upper: upper.map(|upper| *upper),
        })
    }

    /// An integer literal; Stan's integers have 32 bits.
    pub fn integer(&mut self, digits: &str, span: Span) -> ExprKind {
        match without_underscores(digits).parse() {
            Ok(value) => ExprKind::Int(value),
            Err(_) => {
                self.report(
                    Diagnostic::error(
                        Code::NumberTooLarge,
                        format!("{digits} is too large for an integer"),
                        span,
                        "greater than 2147483647",
                    )
                    .with_hint(format!("As a real number, write `{digits}.0`.")),
                );
                ExprKind::Int(i32::MAX)
            }
        }
    }

    pub fn real(&mut self, digits: &str, span: Span) -> ExprKind {
        ExprKind::Real(self.finite(digits, span))
    }

    pub fn imaginary(&mut self, written: &str, span: Span) -> ExprKind {
        ExprKind::Imaginary(self.finite(written.trim_end_matches('i'), span))
    }

    fn finite(&mut self, digits: &str, span: Span) -> f64 {
        match without_underscores(digits).parse::<f64>() {
            Ok(value) if value.is_finite() => value,
            _ => {
                self.report(Diagnostic::error(
                    Code::NumberTooLarge,
                    format!("{digits} is too large for a real number"),
                    span,
                    "greater than 1.7976931348623157e308",
                ));
                f64::MAX
            }
        }
    }

    /// `base.1`
    pub fn projection(&mut self, base: Box<Expr>, written: &str, span: Span) -> ExprKind {
        let slot = match without_underscores(&written[1..]).parse() {
            Ok(slot) => slot,
            Err(_) => {
                self.report(Diagnostic::error(
                    Code::NumberTooLarge,
                    "no tuple has that many parts",
                    span,
                    "",
                ));
                u32::MAX
            }
        };
        ExprKind::Projection { base, slot }
    }
}

fn without_underscores(digits: &str) -> std::borrow::Cow<'_, str> {
    if digits.contains('_') {
        digits.replace('_', "").into()
    } else {
        digits.into()
    }
}
