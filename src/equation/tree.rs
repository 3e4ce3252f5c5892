//! The resolved equation form: every name, letter and shape decided, nothing of the block form yet.
//!
//! The rooms of this phase meet here. `resolve` makes it from the syntax tree (names R6, indices R1, closure 3a), `shapes`
//! fills axes (3b), `supports` fills supports and refuses mirrored signs (3c), and `lower` reads it. Section numbers are
//! those of the language reference, `docs/equation-form.md`.

use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};
use crate::syntax::equation::DeclaredType;

pub use super::plan::SetId;

/// A letter, by its place in [`Model::letters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId(pub usize);

/// A name, by its place in [`Model::names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(pub usize);

/// A model in equation form, resolved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The user's functions, as in block form.
    pub functions: Option<ast::Block<ast::FunctionDef>>,
    /// The letters, in the order of their declarations. Letters that a reduction binds are those of the declaration.
    pub letters: Vec<Letter>,
    /// The index sets.
    pub sets: Vec<Set>,
    /// Data, unknowns and definitions, in the order of the file. Columns of index declarations are among them.
    pub names: Vec<Name>,
    /// The statements, in the order of the file.
    pub statements: Vec<Statement>,
}

/// A letter.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// As written.
    pub name: String,
    /// What it ranges over.
    pub set: SetId,
    /// Its declaration.
    pub span: Span,
}

/// An index set (R1).
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// Its first letter's name, from which sizes are called: `N_j`.
    pub name: String,
    /// What it is.
    pub kind: SetKind,
    /// Its declaration.
    pub span: Span,
}

/// The kinds of index sets.
#[derive(Clone, Debug, PartialEq)]
pub enum SetKind {
    /// The rows of a table.
    Rows,
    /// The levels in columns, each over one letter.
    Levels {
        /// The columns; their [`Name::axes`] say over which set.
        columns: Vec<NameId>,
        /// `in {…}` or `in a:b`.
        order: Option<Order>,
    },
    /// Labels or a range that the file spells out.
    Fixed(Order),
    /// The combinations that occur.
    Combinations {
        /// The parts: a value of each as a term of `letter`.
        parts: Vec<Subscript>,
        /// The letter (of the carrier set) that the parts' terms start from.
        letter: LetterId,
    },
}

/// Levels that the file spells out.
#[expect(clippy::large_enum_variant, reason = "models are small")]
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// `{1, spend}`
    Labels(Vec<Label>),
    /// `a:b`; the ends are data and use no letter.
    Range(Expr, Expr),
}

/// A label of a set that the file spells out.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its text.
    pub text: String,
    /// Whether it is the constant covariate: label 1, first of a set that also has names.
    pub is_constant: bool,
}

/// What a name is (R6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Declared by `data`, or a column of an index declaration.
    Data,
    /// Left of `~` and not data, or declared with a type or `param`.
    Unknown,
    /// Left of `=`. Where it runs is found by its level.
    Definition(Level),
}

/// Where a definition is computed (3d.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// From data alone: transformed data.
    Data,
    /// The target needs it: transformed parameters.
    Target,
    /// Nothing but the reader needs it, or it draws random numbers: generated quantities.
    Generated,
}

/// A name of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// As written, Greek letters included.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// The sets of its dimensions: those it is shown with, then hidden ones.
    pub axes: Vec<SetId>,
    /// How many of the axes are shown.
    pub shown: usize,
    /// The type written for it.
    pub declared: Option<DeclaredType>,
    /// The set that its values are levels of: `country`, `node1[e] in s`, an outcome with levels.
    pub levels_of: Option<SetId>,
    /// Data: whether a use needs integers. A definition: whether its value is one.
    pub is_integer: bool,
    /// Whether it stands left of `~` while being data (or a definition from data alone).
    pub is_observed: bool,
    /// What its values are confined to, and why; of unknowns alone.
    pub support: Support,
    /// Its first appearance on a left side, or its declaration.
    pub span: Span,
}

/// What an unknown is confined to (3c).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Support {
    /// The constraint.
    pub kind: SupportKind,
    /// Why: "scale of normal". Empty where there is nothing to say. `hlm expand` adds the line of [`Support::place`].
    pub reason: String,
    /// What the reason speaks of; `None` where there is none.
    pub place: Option<Span>,
    /// Whether the prior must be truncated to it, since the normaliser depends on unknowns (3c.4).
    pub truncates: bool,
}

/// The constraints that supports lead to. A declared type is kept in [`Name::declared`] and wins.
#[expect(clippy::large_enum_variant, reason = "models are small")]
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SupportKind {
    /// The real line.
    #[default]
    Real,
    /// Bounds, either of which may be absent.
    Interval {
        /// The lower bound.
        lower: Option<Expr>,
        /// The upper bound.
        upper: Option<Expr>,
    },
    /// Increasing along the last axis: cutpoints.
    Ordered,
    /// A simplex along the last axis.
    Simplex,
    /// A point of the unit sphere along the last axis.
    UnitVector,
    /// A vector that sums to zero along the last axis.
    SumToZero,
    /// A covariance matrix over the last two axes.
    Covariance,
    /// A correlation matrix over the last two axes.
    Correlation,
    /// A Cholesky factor of a covariance matrix over the last two axes.
    CholeskyCovariance,
    /// A Cholesky factor of a correlation matrix over the last two axes.
    CholeskyCorrelation,
}

/// A statement, for every value of its letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// The letters on its left, each once, in the order in which they stand there (inside maps too).
    pub letters: Vec<LetterId>,
    /// Where it stands.
    pub span: Span,
}

/// The forms of [`Statement`].
#[expect(clippy::large_enum_variant, reason = "models are small")]
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `y[i] ~ normal(mu, sigma)`: one variate; `a, b ~ d` is two statements.
    Draw {
        /// The left side: a single [`ExprKind::Name`], or for a factor (R9) an expression linear in unknowns.
        variate: Expr,
        /// What kind of statement it is.
        purpose: Purpose,
        /// The family, aliases resolved.
        distribution: String,
        /// Where the family's name stands.
        distribution_span: Span,
        /// Its arguments.
        arguments: Vec<Expr>,
        /// The bounds of `T[lower, upper]`, if written.
        truncation: Option<(Option<Expr>, Option<Expr>)>,
    },
    /// `beta[j, k] = e`
    Define {
        /// The name.
        name: NameId,
        /// The left subscripts.
        subscripts: Vec<Subscript>,
        /// The value.
        value: Expr,
    },
    /// `target[i] += e`
    Target {
        /// The term.
        value: Expr,
    },
}

/// What a `~` statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Gives an unknown its distribution.
    Prior(NameId),
    /// Gives data (or a definition from data alone) their distribution.
    Observation(NameId),
    /// A factor (R9).
    Factor,
}

/// An expression with its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The sets of its axes: none for a number, one for a vector, two for a matrix. Filled by `shapes`.
    pub axes: Vec<SetId>,
    /// Where it stands.
    pub span: Span,
}

impl Expr {
    /// An expression whose shape is not known yet.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr {
            kind,
            axes: Vec::new(),
            span,
        }
    }

    /// The direct parts, without what stands in subscripts.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Int(_)
            | ExprKind::Real(_)
            | ExprKind::Name { .. }
            | ExprKind::LevelTest { .. }
            | ExprKind::Size(_)
            | ExprKind::LetterValue(_) => Vec::new(),
            ExprKind::Reduce { body, .. } => vec![body],
            ExprKind::Unary { operand, .. } => vec![operand],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Ternary {
                condition,
                if_true,
                if_false,
            } => vec![condition, if_true, if_false],
            ExprKind::Call {
                arguments: list, ..
            }
            | ExprKind::RowVector(list)
            | ExprKind::Array(list) => list.iter().collect(),
        }
    }

    /// Calls `see` with the expression and everything in it, the whole before its parts, without subscripts.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Expr)) {
        see(self);
        for part in self.parts() {
            part.visit(see);
        }
    }

    /// The integer that it is, if it is one without data.
    pub fn constant(&self) -> Option<i64> {
        match &self.kind {
            ExprKind::Int(value) => Some(i64::from(*value)),
            ExprKind::Unary {
                operator: UnaryOp::Negate,
                operand,
            } => operand.constant().map(|value| -value),
            ExprKind::Binary {
                operator,
                left,
                right,
            } => {
                let (left, right) = (left.constant()?, right.constant()?);
                match operator {
                    BinaryOp::Add => left.checked_add(right),
                    BinaryOp::Subtract => left.checked_sub(right),
                    BinaryOp::Multiply => left.checked_mul(right),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The number that it is, if it is written as one.
    pub fn number(&self) -> Option<f64> {
        match &self.kind {
            ExprKind::Real(value) => Some(*value),
            ExprKind::Unary {
                operator: UnaryOp::Negate,
                operand,
            } => operand.number().map(|value| -value),
            _ => self.constant().map(|value| value as f64),
        }
    }

    /// The subscripts behind a name.
    pub fn subscripts(&self) -> &[Subscript] {
        match &self.kind {
            ExprKind::Name { subscripts, .. } | ExprKind::LevelTest { subscripts, .. } => {
                subscripts
            }
            _ => &[],
        }
    }
}

impl Statement {
    /// The expressions of the statement: the variate (of a draw) first, then its arguments and bounds, or the value.
    pub fn expressions(&self) -> Vec<&Expr> {
        match &self.kind {
            StatementKind::Draw {
                variate,
                arguments,
                truncation,
                ..
            } => {
                let bounds = truncation.iter().flat_map(|(lower, upper)| [lower, upper]);
                let rest = arguments.iter().chain(bounds.flatten());
                std::iter::once(variate).chain(rest).collect()
            }
            StatementKind::Define { value, .. } | StatementKind::Target { value } => vec![value],
        }
    }

    /// The expressions that the statement reads: all of them, but for a variate that is a name alone.
    pub fn read(&self) -> Vec<&Expr> {
        let mut expressions = self.expressions();
        if let StatementKind::Draw { purpose, .. } = &self.kind
            && *purpose != Purpose::Factor
        {
            expressions.remove(0);
        }
        expressions
    }

    /// The name on the left with its subscripts, unless it is a factor or a term of the target.
    pub fn left(&self) -> Option<(NameId, &[Subscript])> {
        match &self.kind {
            StatementKind::Draw {
                variate,
                purpose: Purpose::Prior(name) | Purpose::Observation(name),
                ..
            } => Some((*name, variate.subscripts())),
            StatementKind::Define {
                name, subscripts, ..
            } => Some((*name, subscripts)),
            StatementKind::Draw { .. } | StatementKind::Target { .. } => None,
        }
    }
}

impl Subscript {
    /// The subscripts directly within this one: whose level, which combination, the ends of a range.
    pub fn parts(&self) -> impl Iterator<Item = &Subscript> {
        let (first, second) = match self {
            Subscript::Map { of, .. }
            | Subscript::Part { of, .. }
            | Subscript::Membership { of, .. }
            | Subscript::Shift { of, .. } => (Some(of.as_ref()), None),
            Subscript::Range { lower, upper } => (lower.as_deref(), upper.as_deref()),
            Subscript::Letter(_)
            | Subscript::Label { .. }
            | Subscript::First(_)
            | Subscript::Last(_)
            | Subscript::All => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Calls `see` with the subscript and every one in it, the whole before its parts.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Subscript)) {
        see(self);
        for part in self.parts() {
            part.visit(see);
        }
    }
}

/// The forms of [`Expr`].
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `12`
    Int(i32),
    /// `1.5`
    Real(f64),
    /// A name with as many subscripts as are written; the axes beyond them are the expression's.
    Name {
        /// The name.
        name: NameId,
        /// Its subscripts.
        subscripts: Vec<Subscript>,
    },
    /// `sex[i] == "F"` or `!=`: 0 or 1. The column's level at `element` against a label.
    LevelTest {
        /// The column.
        column: NameId,
        /// The column's subscripts.
        subscripts: Vec<Subscript>,
        /// The label.
        label: String,
        /// Whether it asks for difference.
        negated: bool,
    },
    /// `size(k)`: the number of elements of a set.
    Size(SetId),
    /// The number that a letter over a range stands for. Only within [`Subscript::Shift`].
    LetterValue(LetterId),
    /// `f[i](e)`: f of the vector of e over the letters (R3).
    Reduce {
        /// The function of one vector.
        function: ast::Identifier,
        /// The letters that it binds.
        letters: Vec<LetterId>,
        /// For each left letter that the bound ones determine: the term of the bound letters, and the left letter's own
        /// term, that must agree. Empty for a reduction over everything.
        agreeing: Vec<(Subscript, Subscript)>,
        /// What is reduced.
        body: Box<Expr>,
    },
    /// `-a`, `!a`, `a'`
    Unary {
        /// The operator.
        operator: UnaryOp,
        /// The operand.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// The operator.
        operator: BinaryOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `c ? a : b`
    Ternary {
        /// The condition.
        condition: Box<Expr>,
        /// The value if the condition is not 0.
        if_true: Box<Expr>,
        /// The value otherwise.
        if_false: Box<Expr>,
    },
    /// `f(x, y)`, or with a bar after the first argument.
    Call {
        /// The function.
        function: ast::Identifier,
        /// The arguments.
        arguments: Vec<Expr>,
        /// Whether a bar follows the first argument.
        bar: bool,
    },
    /// `[a, b]`: a row vector, as in block form.
    RowVector(Vec<Expr>),
    /// `{a, b}`: an array, as in block form.
    Array(Vec<Expr>),
}

/// What stands in a position of a subscript: an element of a set, as a function of the statement's letters (R4, 3a).
#[derive(Clone, Debug, PartialEq)]
pub enum Subscript {
    /// A letter that is free in the statement or bound by a reduction around it.
    Letter(LetterId),
    /// `country[i]`: the level in a column.
    Map {
        /// The column.
        column: NameId,
        /// Whose.
        of: Box<Subscript>,
    },
    /// A part of a combination: s of c.
    Part {
        /// The set of combinations.
        combination: SetId,
        /// Which part, from 0.
        part: usize,
        /// Which combination.
        of: Box<Subscript>,
    },
    /// The combination that an element of the carrier set belongs to: c of i.
    Membership {
        /// The set of combinations.
        combination: SetId,
        /// The element.
        of: Box<Subscript>,
    },
    /// `t - 1`, `t + lag[i]`: so many elements later (earlier if negative) in a set.
    Shift {
        /// The element to count from: a letter of the statement, or a term where the letter is determined
        /// (`x[g, t-1]` over rows i of a long table counts from `week[i]`).
        of: Box<Subscript>,
        /// How many later: an integer, integer data, or a range letter's value, with its sign.
        by: Box<Expr>,
    },
    /// A label: `"US"`, `spend`, `2`.
    Label {
        /// The set.
        set: SetId,
        /// The label.
        label: String,
    },
    /// `first(t)`
    First(SetId),
    /// `last(t)`
    Last(SetId),
    /// `:` or nothing: the whole axis.
    All,
    /// `a:b` with either end absent: a part of a range set.
    Range {
        /// The first element.
        lower: Option<Box<Subscript>>,
        /// The last element.
        upper: Option<Box<Subscript>>,
    },
}
