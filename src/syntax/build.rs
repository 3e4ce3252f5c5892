//! What the grammar's rules do: they make nodes, and report what the grammar accepts too widely.

use crate::diag::{Code, Diagnostic};
use crate::source::{SourceMap, Span};
use crate::syntax::ast::*;

/// What a text turned out to be; which one is decided by the mark in front of its tokens.
pub enum Parsed {
    Program(Program),
    Functions(Vec<FunctionDef>),
    Statements(Vec<Stmt>),
    Expression(Expr),
}

/// A program block of any kind, before their order is checked.
pub enum AnyBlock {
    Functions(Block<FunctionDef>),
    Data(Block<Option<Declaration>>),
    TransformedData(Block<Stmt>),
    Parameters(Block<Option<Declaration>>),
    TransformedParameters(Block<Stmt>),
    Model(Block<Stmt>),
    GeneratedQuantities(Block<Stmt>),
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
    pub initial: Option<Expr>,
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
        let (position, span) = match self {
            AnyBlock::Functions(block) => (0, block.span),
            AnyBlock::Data(block) => (1, block.span),
            AnyBlock::TransformedData(block) => (2, block.span),
            AnyBlock::Parameters(block) => (3, block.span),
            AnyBlock::TransformedParameters(block) => (4, block.span),
            AnyBlock::Model(block) => (5, block.span),
            AnyBlock::GeneratedQuantities(block) => (6, block.span),
        };
        let header = BLOCK_HEADERS[position];
        let end = span.end.min(span.start + header.len() as u32);
        (position, header, Span { end, ..span })
    }

    fn put_into(self, program: &mut Program) {
        match self {
            AnyBlock::Functions(block) => program.functions = Some(block),
            AnyBlock::Data(block) => program.data = Some(declarations(block)),
            AnyBlock::TransformedData(block) => program.transformed_data = Some(block),
            AnyBlock::Parameters(block) => program.parameters = Some(declarations(block)),
            AnyBlock::TransformedParameters(block) => program.transformed_parameters = Some(block),
            AnyBlock::Model(block) => program.model = Some(block),
            AnyBlock::GeneratedQuantities(block) => program.generated_quantities = Some(block),
        }
    }
}

fn declarations(block: Block<Option<Declaration>>) -> Block<Declaration> {
    Block {
        items: block.items.into_iter().flatten().collect(),
        span: block.span,
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

// Types and declarations.
impl Builder<'_> {
    /// `vector<lower=0>[N]`
    pub fn basic_type(
        &mut self,
        base: BaseType,
        bounds: Option<Bounds>,
        sizes: Option<Vec<Expr>>,
        span: Span,
    ) -> TypeSpec {
        let bounds = bounds.unwrap_or_default();
        let sizes = sizes.unwrap_or_default();
        let (least, most) = base.size_count();
        if sizes.len() < least || sizes.len() > most {
            self.report(self.wrong_sizes(base, &sizes, span));
        }
        if base.is_constrained() && bounds != Bounds::None {
            self.report(
                Diagnostic::error(
                    Code::MisplacedConstraint,
                    format!("`{}` takes no bounds", base.word()),
                    span,
                    "",
                )
                .with_note(format!("`{}` is itself a constraint.", base.word())),
            );
        }
        if base == BaseType::Int && matches!(bounds, Bounds::Affine { .. }) {
            self.report(Diagnostic::error(
                Code::MisplacedConstraint,
                "`int` takes no offset or multiplier",
                span,
                "",
            ));
        }
        TypeSpec {
            kind: TypeKind::Basic {
                base,
                bounds,
                sizes,
            },
            span,
        }
    }

    fn wrong_sizes(&self, base: BaseType, sizes: &[Expr], span: Span) -> Diagnostic {
        let word = base.word();
        let needs = match base.size_count() {
            (0, _) => "no size".to_owned(),
            (1, 1) => "one size".to_owned(),
            (1, _) => "one or two sizes".to_owned(),
            _ => "two sizes".to_owned(),
        };
        let given = match sizes.len() {
            0 => "none".to_owned(),
            count => count.to_string(),
        };
        let found = Diagnostic::error(
            Code::WrongSizes,
            format!("`{word}` takes {needs}, not {given}"),
            span,
            "",
        );
        match base.size_count() {
            (0, _) => {
                let written = self.sources.snippet(sizes_span(sizes));
                found.with_hint(format!("An array is written `array[{written}] {word}`."))
            }
            (1, 1) => found.with_hint(format!("Write `{word}[N]`.")),
            _ => found.with_hint(format!("Write `{word}[M, N]`: rows, then columns.")),
        }
    }

    /// What stands between `<` and `>`: at most one of each word, and words of one kind.
    pub fn bounds(&mut self, written: Vec<(BoundWord, Expr)>, span: Span) -> Bounds {
        let (mut lower, mut upper, mut offset, mut multiplier) = (None, None, None, None);
        let mut repeated = false;
        for (word, value) in written {
            let place = match word {
                BoundWord::Lower => &mut lower,
                BoundWord::Upper => &mut upper,
                BoundWord::Offset => &mut offset,
                BoundWord::Multiplier => &mut multiplier,
            };
            repeated |= place.replace(Box::new(value)).is_some();
        }
        let interval = lower.is_some() || upper.is_some();
        let affine = offset.is_some() || multiplier.is_some();
        if repeated {
            self.report(Diagnostic::error(
                Code::MisplacedConstraint,
                "the same bound is given twice",
                span,
                "",
            ));
        }
        if interval && affine {
            self.report(
                Diagnostic::error(
                    Code::MisplacedConstraint,
                    "bounds and offset or multiplier exclude each other",
                    span,
                    "",
                )
                .with_hint("Keep either `lower` and `upper`, or `offset` and `multiplier`."),
            );
        }
        if affine {
            Bounds::Affine { offset, multiplier }
        } else {
            Bounds::Interval { lower, upper }
        }
    }

    /// `real x = 1, y;`
    pub fn declaration(
        &mut self,
        type_spec: TypeSpec,
        written: Vec<WrittenDeclarator>,
        span: Span,
    ) -> Declaration {
        let mut declarators = Vec::with_capacity(written.len());
        for declarator in written {
            if let Some(sizes) = declarator.old_sizes {
                let sizes_text = self.sources.snippet(sizes);
                let type_text = self.sources.snippet(type_spec.span);
                let name = &declarator.name.name;
                let hint = format!("Write `array{sizes_text} {type_text} {name};`.");
                self.report(
                    Diagnostic::error(
                        Code::OldSyntax,
                        "the sizes of an array stand before its type",
                        sizes,
                        "old array syntax",
                    )
                    .with_hint(hint),
                );
            }
            declarators.push(Declarator {
                name: declarator.name,
                initial: declarator.initial,
            });
        }
        Declaration {
            type_spec,
            declarators,
            span,
        }
    }

    /// A word as the type of an argument or result.
    pub fn unsized_basic(&mut self, base: BaseType, span: Span) -> UnsizedType {
        if base.is_constrained() {
            let plain = base.unconstrained().word();
            self.report(
                Diagnostic::error(
                    Code::MisplacedConstraint,
                    format!(
                        "`{}` cannot be the type of an argument or result",
                        base.word()
                    ),
                    span,
                    "",
                )
                .with_hint(format!("Write `{plain}`: functions take any value of it.")),
            );
        }
        UnsizedType {
            kind: UnsizedKind::Basic(base),
            span,
        }
    }

    /// `array[,] real`
    pub fn unsized_array(
        &mut self,
        dimensions: usize,
        element: UnsizedType,
        span: Span,
    ) -> UnsizedType {
        UnsizedType {
            kind: UnsizedKind::Array {
                dimensions,
                element: Box::new(element),
            },
            span,
        }
    }

    /// `real[,]`, as written before Stan 2.26.
    pub fn old_unsized_array(
        &mut self,
        base: BaseType,
        dimensions: usize,
        base_span: Span,
        span: Span,
    ) -> UnsizedType {
        let commas = ",".repeat(dimensions - 1);
        self.report(
            Diagnostic::error(
                Code::OldSyntax,
                "the brackets of an array type stand before its element type",
                span,
                "old array syntax",
            )
            .with_hint(format!("Write `array[{commas}] {}`.", base.word())),
        );
        let element = self.unsized_basic(base, base_span);
        self.unsized_array(dimensions, element, span)
    }

    /// A name given to a new variable, argument or function.
    pub fn new_name(&mut self, identifier: Identifier) -> Identifier {
        let name = &identifier.name;
        if name.ends_with("__") || name.starts_with('_') {
            let rule = if name.ends_with("__") {
                "end in two underscores"
            } else {
                "begin with an underscore"
            };
            self.report(Diagnostic::error(
                Code::ReservedName,
                format!("`{name}` cannot be a name"),
                identifier.span,
                format!("names do not {rule}"),
            ));
        }
        identifier
    }
}

fn sizes_span(sizes: &[Expr]) -> Span {
    match sizes {
        [] => Span::default(),
        [first, .., last] => first.span.to(last.span),
        [only] => only.span,
    }
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
        lower: Option<Expr>,
        upper: Option<Expr>,
        span: Span,
    ) -> Option<Truncation> {
        (lower.is_some() || upper.is_some()).then_some(Truncation { lower, upper, span })
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

// Expressions.
impl Builder<'_> {
    pub fn unary(&mut self, operator: UnaryOp, operand: Expr, span: Span) -> Expr {
        let operand = Box::new(operand);
        Expr {
            kind: ExprKind::Unary { operator, operand },
            span,
        }
    }

    pub fn binary(&mut self, operator: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Binary {
                operator,
                left: Box::new(left),
                right: Box::new(right),
            },
            span,
        }
    }

    pub fn ternary(&mut self, condition: Expr, if_true: Expr, if_false: Expr, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Ternary {
                condition: Box::new(condition),
                if_true: Box::new(if_true),
                if_false: Box::new(if_false),
            },
            span,
        }
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
    pub fn projection(&mut self, base: Expr, written: &str, span: Span) -> ExprKind {
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
        ExprKind::Projection {
            base: Box::new(base),
            slot,
        }
    }
}

fn without_underscores(digits: &str) -> std::borrow::Cow<'_, str> {
    if digits.contains('_') {
        digits.replace('_', "").into()
    } else {
        digits.into()
    }
}
