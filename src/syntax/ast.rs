//! The syntax tree of the block form: what the text says, before names and types are resolved.
//!
//! Every statement, expression and name carries its [`Span`]. Parentheses are not kept: the tree
//! itself says how operators nest, and `format` puts back those that are needed. The span of a
//! parenthesised expression is that of the expression inside.

use crate::source::Span;

/// A name with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Identifier {
    /// The name as written.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

// ---------------------------------------------------------------------------------------------
// Programs
// ---------------------------------------------------------------------------------------------

/// A program: up to seven blocks, each present at most once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// `functions { … }`
    pub functions: Option<Block<FunctionDef>>,
    /// `data { … }`; its declarators have no initial values.
    pub data: Option<Block<Declaration>>,
    /// `transformed data { … }`
    pub transformed_data: Option<Block<Stmt>>,
    /// `parameters { … }`; its declarators have no initial values.
    pub parameters: Option<Block<Declaration>>,
    /// `transformed parameters { … }`
    pub transformed_parameters: Option<Block<Stmt>>,
    /// `model { … }`
    pub model: Option<Block<Stmt>>,
    /// `generated quantities { … }`
    pub generated_quantities: Option<Block<Stmt>>,
}

/// The contents of a pair of braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Block<T> {
    /// What stands between the braces, in order.
    pub items: Vec<T>,
    /// From the block's keyword (for a function body: from the brace) to the closing brace.
    pub span: Span,
}

/// A function definition, or a forward declaration if it has no body.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionDef {
    /// The type of the value returned; `None` for `void`.
    pub return_type: Option<UnsizedType>,
    /// The name, with its suffix (`_lpdf`, `_rng`, …) if it has one.
    pub name: Identifier,
    /// The formal arguments.
    pub parameters: Vec<Parameter>,
    /// The body; `None` for a forward declaration.
    pub body: Option<Block<Stmt>>,
    /// From the return type to the closing brace or semicolon.
    pub span: Span,
}

/// A formal argument of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Whether it is qualified `data`: only data may be passed.
    pub data_only: bool,
    /// Its type.
    pub parameter_type: UnsizedType,
    /// Its name.
    pub name: Identifier,
    /// From the qualifier or type to the name.
    pub span: Span,
}

// ---------------------------------------------------------------------------------------------
// Types
// ---------------------------------------------------------------------------------------------

/// The word that begins a type which is neither array nor tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseType {
    /// `int`
    Int,
    /// `real`
    Real,
    /// `complex`
    Complex,
    /// `vector[N]`
    Vector,
    /// `row_vector[N]`
    RowVector,
    /// `matrix[M, N]`
    Matrix,
    /// `complex_vector[N]`
    ComplexVector,
    /// `complex_row_vector[N]`
    ComplexRowVector,
    /// `complex_matrix[M, N]`
    ComplexMatrix,
    /// `ordered[K]`: a vector, each element greater than the one before.
    Ordered,
    /// `positive_ordered[K]`: ordered, and the first element positive.
    PositiveOrdered,
    /// `simplex[K]`: a vector of non-negative elements that sum to 1.
    Simplex,
    /// `unit_vector[K]`: a vector of Euclidean length 1.
    UnitVector,
    /// `sum_to_zero_vector[K]`
    SumToZeroVector,
    /// `sum_to_zero_matrix[M, N]`: every row and every column sums to 0.
    SumToZeroMatrix,
    /// `row_stochastic_matrix[M, N]`: every row is a simplex.
    RowStochasticMatrix,
    /// `column_stochastic_matrix[M, N]`: every column is a simplex.
    ColumnStochasticMatrix,
    /// `cov_matrix[K]`: symmetric, positive definite.
    CovMatrix,
    /// `corr_matrix[K]`: a covariance matrix with unit diagonal.
    CorrMatrix,
    /// `cholesky_factor_cov[M, N]`, or `[K]` for a square one.
    CholeskyFactorCov,
    /// `cholesky_factor_corr[K]`
    CholeskyFactorCorr,
}

impl BaseType {
    /// Every one.
    pub const ALL: [BaseType; 21] = [
        BaseType::Int,
        BaseType::Real,
        BaseType::Complex,
        BaseType::Vector,
        BaseType::RowVector,
        BaseType::Matrix,
        BaseType::ComplexVector,
        BaseType::ComplexRowVector,
        BaseType::ComplexMatrix,
        BaseType::Ordered,
        BaseType::PositiveOrdered,
        BaseType::Simplex,
        BaseType::UnitVector,
        BaseType::SumToZeroVector,
        BaseType::SumToZeroMatrix,
        BaseType::RowStochasticMatrix,
        BaseType::ColumnStochasticMatrix,
        BaseType::CovMatrix,
        BaseType::CorrMatrix,
        BaseType::CholeskyFactorCov,
        BaseType::CholeskyFactorCorr,
    ];

    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            BaseType::Int => "int",
            BaseType::Real => "real",
            BaseType::Complex => "complex",
            BaseType::Vector => "vector",
            BaseType::RowVector => "row_vector",
            BaseType::Matrix => "matrix",
            BaseType::ComplexVector => "complex_vector",
            BaseType::ComplexRowVector => "complex_row_vector",
            BaseType::ComplexMatrix => "complex_matrix",
            BaseType::Ordered => "ordered",
            BaseType::PositiveOrdered => "positive_ordered",
            BaseType::Simplex => "simplex",
            BaseType::UnitVector => "unit_vector",
            BaseType::SumToZeroVector => "sum_to_zero_vector",
            BaseType::SumToZeroMatrix => "sum_to_zero_matrix",
            BaseType::RowStochasticMatrix => "row_stochastic_matrix",
            BaseType::ColumnStochasticMatrix => "column_stochastic_matrix",
            BaseType::CovMatrix => "cov_matrix",
            BaseType::CorrMatrix => "corr_matrix",
            BaseType::CholeskyFactorCov => "cholesky_factor_cov",
            BaseType::CholeskyFactorCorr => "cholesky_factor_corr",
        }
    }

    /// How many sizes a declaration gives: least and most.
    pub fn size_count(self) -> (usize, usize) {
        match self {
            BaseType::Int | BaseType::Real | BaseType::Complex => (0, 0),
            BaseType::Vector
            | BaseType::RowVector
            | BaseType::ComplexVector
            | BaseType::ComplexRowVector
            | BaseType::Ordered
            | BaseType::PositiveOrdered
            | BaseType::Simplex
            | BaseType::UnitVector
            | BaseType::SumToZeroVector
            | BaseType::CovMatrix
            | BaseType::CorrMatrix
            | BaseType::CholeskyFactorCorr => (1, 1),
            BaseType::CholeskyFactorCov => (1, 2),
            BaseType::Matrix
            | BaseType::ComplexMatrix
            | BaseType::SumToZeroMatrix
            | BaseType::RowStochasticMatrix
            | BaseType::ColumnStochasticMatrix => (2, 2),
        }
    }

    /// Whether the word itself is a constraint, as `simplex` is.
    pub fn is_constrained(self) -> bool {
        self >= BaseType::Ordered
    }

    /// The type of the values, without the constraint: `vector` for `simplex`.
    pub fn unconstrained(self) -> BaseType {
        match self {
            BaseType::Ordered
            | BaseType::PositiveOrdered
            | BaseType::Simplex
            | BaseType::UnitVector
            | BaseType::SumToZeroVector => BaseType::Vector,
            BaseType::SumToZeroMatrix
            | BaseType::RowStochasticMatrix
            | BaseType::ColumnStochasticMatrix
            | BaseType::CovMatrix
            | BaseType::CorrMatrix
            | BaseType::CholeskyFactorCov
            | BaseType::CholeskyFactorCorr => BaseType::Matrix,
            BaseType::Int
            | BaseType::Real
            | BaseType::Complex
            | BaseType::Vector
            | BaseType::RowVector
            | BaseType::Matrix
            | BaseType::ComplexVector
            | BaseType::ComplexRowVector
            | BaseType::ComplexMatrix => self,
        }
    }
}

/// The type of a declared variable, with sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeSpec {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of [`TypeSpec`].
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `vector<lower=0>[N]`. The parser guarantees: as many sizes as [`BaseType::size_count`]
    /// allows; bounds only on words that are not constrained themselves; no constraint of either
    /// kind on local variables; no affine bounds on `int`.
    Basic {
        /// The word.
        base: BaseType,
        /// What stands between `<` and `>`.
        bounds: Bounds,
        /// The sizes, outermost first.
        sizes: Vec<Expr>,
    },
    /// `array[N, M] real`; the element is never an array itself.
    Array {
        /// The sizes, outermost first; at least one.
        sizes: Vec<Expr>,
        /// The type of each element.
        element: Box<TypeSpec>,
    },
    /// `tuple(int, real)`
    Tuple(Vec<TypeSpec>),
}

/// The part of a type between `<` and `>`. At least one of the two expressions is present.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Bounds {
    /// Nothing.
    #[default]
    None,
    /// `<lower=…, upper=…>`
    Interval {
        /// The lower bound.
        lower: Option<Box<Expr>>,
        /// The upper bound.
        upper: Option<Box<Expr>>,
    },
    /// `<offset=…, multiplier=…>`: no constraint, but a change of location and scale.
    Affine {
        /// The location.
        offset: Option<Box<Expr>>,
        /// The scale.
        multiplier: Option<Box<Expr>>,
    },
}

/// A type without sizes, as functions have for arguments and results.
#[derive(Clone, Debug, PartialEq)]
pub struct UnsizedType {
    /// What it is.
    pub kind: UnsizedKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of [`UnsizedType`].
#[derive(Clone, Debug, PartialEq)]
pub enum UnsizedKind {
    /// A word; never a constrained one.
    Basic(BaseType),
    /// `array[,] real`; the element is never an array itself.
    Array {
        /// Number of dimensions, at least 1.
        dimensions: usize,
        /// The type of each element.
        element: Box<UnsizedType>,
    },
    /// `tuple(int, real)`
    Tuple(Vec<UnsizedType>),
}

/// A declaration of one or more variables of the same type.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The type they share.
    pub type_spec: TypeSpec,
    /// The variables; at least one.
    pub declarators: Vec<Declarator>,
    /// From the type to the semicolon.
    pub span: Span,
}

/// One variable of a [`Declaration`].
#[derive(Clone, Debug, PartialEq)]
pub struct Declarator {
    /// Its name.
    pub name: Identifier,
    /// Its value, if defined where declared.
    pub initial: Option<Expr>,
}

// ---------------------------------------------------------------------------------------------
// Statements
// ---------------------------------------------------------------------------------------------

/// A statement with its place, semicolon included.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of [`Stmt`].
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// A lone `;`.
    Empty,
    /// `real x = 1, y;`, anywhere a statement can stand.
    Declaration(Declaration),
    /// `x[i] = e;` or `x[i] += e;`
    Assign {
        /// What is assigned to.
        target: LValue,
        /// The operator of a compound assignment (`+ - * / .* ./`); `None` for `=`.
        operator: Option<BinaryOp>,
        /// The right side.
        value: Expr,
    },
    /// `y ~ normal(mu, sigma) T[0, ];`
    Tilde {
        /// The left side.
        variate: Expr,
        /// The distribution, without suffix.
        distribution: Identifier,
        /// Its arguments.
        arguments: Vec<Expr>,
        /// `T[lower, upper]`, if present. `T[,]` is dropped.
        truncation: Option<Truncation>,
    },
    /// `target += e;`
    TargetIncrement(Expr),
    /// `jacobian += e;`
    JacobianIncrement(Expr),
    /// `f(x, y);` of a void function.
    Call {
        /// The function.
        function: Identifier,
        /// Its arguments.
        arguments: Vec<Expr>,
    },
    /// `for (i in a:b) …`
    For {
        /// The loop variable.
        variable: Identifier,
        /// The first value.
        lower: Expr,
        /// The last value.
        upper: Expr,
        /// The body.
        body: Box<Stmt>,
    },
    /// `for (x in xs) …`
    ForEach {
        /// The loop variable.
        variable: Identifier,
        /// What its values are taken from.
        collection: Expr,
        /// The body.
        body: Box<Stmt>,
    },
    /// `while (c) …`
    While {
        /// The condition.
        condition: Expr,
        /// The body.
        body: Box<Stmt>,
    },
    /// `if (c) … else …`
    If {
        /// The condition.
        condition: Expr,
        /// What happens if it is not 0.
        then_body: Box<Stmt>,
        /// What happens otherwise; another `If` for `else if`.
        else_body: Option<Box<Stmt>>,
    },
    /// `{ … }`
    Block(Vec<Stmt>),
    /// `profile("name") { … }`
    Profile {
        /// The name, without quotation marks.
        name: String,
        /// The statements.
        body: Vec<Stmt>,
    },
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `return;` or `return e;`
    Return(Option<Expr>),
    /// `print(…);` The arguments of this and the next two may be [`ExprKind::Text`].
    Print(Vec<Expr>),
    /// `reject(…);`
    Reject(Vec<Expr>),
    /// `fatal_error(…);`
    FatalError(Vec<Expr>),
}

/// `T[lower, upper]` after a distribution; at least one is present.
#[derive(Clone, Debug, PartialEq)]
pub struct Truncation {
    /// The lower bound.
    pub lower: Option<Expr>,
    /// The upper bound.
    pub upper: Option<Expr>,
    /// From `T` to the bracket.
    pub span: Span,
}

/// What stands left of an assignment.
#[derive(Clone, Debug, PartialEq)]
pub enum LValue {
    /// A variable or a part of one.
    Place(Place),
    /// `(a, b[1]) = …`: each takes the matching part of a tuple.
    Tuple {
        /// The parts.
        elements: Vec<LValue>,
        /// From parenthesis to parenthesis.
        span: Span,
    },
}

impl LValue {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            LValue::Place(place) => place.span,
            LValue::Tuple { span, .. } => *span,
        }
    }
}

/// A variable and the way into it: `x[1, 2].3[4]` has three steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The variable.
    pub variable: Identifier,
    /// The way into it, outermost first; empty for the variable itself.
    pub path: Vec<PlaceStep>,
    /// From the variable to the end of the last step.
    pub span: Span,
}

/// One step of a [`Place`].
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceStep {
    /// `[1, 2]`
    Index(Vec<Index>),
    /// `.3`, counted from 1.
    Projection(u32),
}

// ---------------------------------------------------------------------------------------------
// Expressions
// ---------------------------------------------------------------------------------------------

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of [`Expr`].
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `12`, at most 2147483647. A negative number is a [`UnaryOp::Negate`] of one.
    Int(i32),
    /// `1.5`; finite.
    Real(f64),
    /// `1.5i`; finite.
    Imaginary(f64),
    /// `"text"`, without quotation marks. In block form only as argument of `print`, `reject`, `fatal_error`; in equation
    /// form a label (`a["none"]`) wherever an operand stands.
    Text(String),
    /// The value of a variable.
    Variable(String),
    /// `-a`, `!a`, `a'`
    Unary {
        /// The operator.
        operator: UnaryOp,
        /// What it applies to.
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
    /// `x[1, 2:3]`
    Index {
        /// What is indexed.
        base: Box<Expr>,
        /// One per dimension; at least one.
        indices: Vec<Index>,
    },
    /// `t.1`
    Projection {
        /// The tuple.
        base: Box<Expr>,
        /// Which part, counted from 1.
        slot: u32,
    },
    /// `f(x, y)`, or `f_lpdf(y | mu, sigma)` when `bar` is true.
    Call {
        /// The function.
        function: Identifier,
        /// The arguments, the one before the bar included.
        arguments: Vec<Expr>,
        /// Whether a bar follows the first argument.
        bar: bool,
    },
    /// `mean[i](ses[i])`: the function of the vector of the body's values; equation form only.
    Reduction {
        /// The function of one vector.
        function: Identifier,
        /// The letters that it binds; at least one.
        letters: Vec<Identifier>,
        /// What is reduced.
        body: Box<Expr>,
    },
    /// `target()`
    Target,
    /// `{1, 2, 3}`; at least one element.
    Array(Vec<Expr>),
    /// `[1, 2, 3]`: a row vector, or a matrix if the elements are row vectors.
    RowVector(Vec<Expr>),
    /// `(1, 2.5)`; at least one element (`(1,)` has one).
    Tuple(Vec<Expr>),
}

/// One index between the brackets of an indexed expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Index {
    /// `:` or nothing: the whole dimension.
    All,
    /// One expression: an integer, or an array of integers.
    Single(Expr),
    /// `a:b`, `a:` or `:b`; at least one end is present.
    Range {
        /// The first position; from the beginning if absent.
        lower: Option<Expr>,
        /// The last position; to the end if absent.
        upper: Option<Expr>,
    },
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnaryOp {
    /// `-a`
    Negate,
    /// `+a`
    Plus,
    /// `!a`
    Not,
    /// `a'`, the only one written behind its operand.
    Transpose,
}

impl UnaryOp {
    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            UnaryOp::Negate => "-",
            UnaryOp::Plus => "+",
            UnaryOp::Not => "!",
            UnaryOp::Transpose => "'",
        }
    }
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BinaryOp {
    /// `a || b`
    Or,
    /// `a && b`
    And,
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a < b`
    Less,
    /// `a <= b`
    LessEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterEqual,
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`: product of numbers, or of matrices.
    Multiply,
    /// `a / b`
    Divide,
    /// `a % b`: the remainder of integers.
    Modulo,
    /// `a .* b`: elementwise.
    ElementMultiply,
    /// `a ./ b`: elementwise.
    ElementDivide,
    /// `a %/% b`: the quotient of integers.
    IntegerDivide,
    /// `A \ b`: the solution of `A x = b`.
    LeftDivide,
    /// `a ^ b`
    Power,
    /// `a .^ b`: elementwise.
    ElementPower,
}

impl BinaryOp {
    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterEqual => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::ElementMultiply => ".*",
            BinaryOp::ElementDivide => "./",
            BinaryOp::IntegerDivide => "%/%",
            BinaryOp::LeftDivide => "\\",
            BinaryOp::Power => "^",
            BinaryOp::ElementPower => ".^",
        }
    }

    /// Whether the result is a truth value: `|| && == != < <= > >=`.
    pub fn is_logical(self) -> bool {
        self <= BinaryOp::GreaterEqual
    }
}
