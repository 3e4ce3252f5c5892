//! Statements and constraints.

use super::{Expr, FunctionId, Index, VarId};
use crate::source::Span;

/// A statement with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of statement. `~`, truncation, compound assignment, `foreach` over tuples and the like are gone.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// A local or top-level variable begins: its sizes are evaluated, its scalars become NaN (integers: the minimum of `i32`).
    Declare(VarId),
    /// `x[i, j] = value`. The value is evaluated first. Types agree after the checker's promotions; sizes are checked
    /// when it runs, except that an empty target takes any size.
    Assign {
        /// The variable.
        target: VarId,
        /// Its indexes; empty assigns the whole.
        indices: Vec<Index>,
        /// For a tuple's part (`t.1 = …`): which, from 0, outermost first. Applied before `indices`.
        projections: Vec<usize>,
        /// The value.
        value: Expr,
    },
    /// Adds the sum of the value's scalars to the log density.
    AddTarget(Expr),
    /// Adds to the log density where Jacobians are asked for.
    AddJacobian(Expr),
    /// `for (var in lower:upper)`, both evaluated once.
    For {
        /// The loop's variable.
        var: VarId,
        /// First value.
        lower: Expr,
        /// Last value.
        upper: Expr,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `for (var in container)`; a matrix is visited column by column.
    ForEach {
        /// The loop's variable: each element in turn.
        var: VarId,
        /// What is visited.
        over: Expr,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `while (condition)`
    While {
        /// Evaluated before each round.
        condition: Expr,
        /// The body.
        body: Vec<Stmt>,
    },
    /// `if (condition) … else …`
    If {
        /// An int; non-zero is true.
        condition: Expr,
        /// When true.
        then: Vec<Stmt>,
        /// When false.
        otherwise: Vec<Stmt>,
    },
    /// `{ … }`: a scope.
    Block(Vec<Stmt>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `return` with a value unless the function is void.
    Return(Option<Expr>),
    /// `print(…)`
    Print(Vec<Expr>),
    /// `reject(…)`: the log density is −∞ here; fatal in transformed data.
    Reject(Vec<Expr>),
    /// `fatal_error(…)`: the run ends.
    FatalError(Vec<Expr>),
    /// A call of a void function.
    Call(FunctionId, Vec<Expr>),
    /// Rejects unless the variable satisfies its declared constraint.
    Validate(VarId),
}

/// What a declaration promises of a variable. Bounds apply per scalar: an expression is a real or has the variable's own shape.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Constraint {
    /// Nothing.
    #[default]
    None,
    /// `<lower=a>`
    Lower(Box<Expr>),
    /// `<upper=b>`
    Upper(Box<Expr>),
    /// `<lower=a, upper=b>`
    LowerUpper(Box<Expr>, Box<Expr>),
    /// `<offset=m, multiplier=s>`, either may be missing
    OffsetMultiplier(Option<Box<Expr>>, Option<Box<Expr>>),
    /// strictly ascending
    Ordered,
    /// positive and strictly ascending
    PositiveOrdered,
    /// not negative, sums to 1
    Simplex,
    /// Euclidean norm 1
    UnitVector,
    /// sums to 0
    SumToZeroVector,
    /// every row and column sums to 0
    SumToZeroMatrix,
    /// every row a simplex
    RowStochasticMatrix,
    /// every column a simplex
    ColumnStochasticMatrix,
    /// symmetric, positive definite
    CovMatrix,
    /// a covariance matrix with unit diagonal
    CorrMatrix,
    /// lower triangular with positive diagonal; more rows than columns allowed
    CholeskyFactorCov,
    /// the square one with rows of norm 1
    CholeskyFactorCorr,
}
