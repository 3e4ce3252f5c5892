//! Expressions.

use super::{FunctionId, VarId};
use crate::builtins::{Container, Draw, Prim};
use crate::source::Span;
use crate::types::{Level, Ty};

/// An expression with its type, its level and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Ty,
    /// Whether it can depend on parameters, by the language's static rule.
    pub level: Level,
    /// Its place in the user's program (for library code, the place in the library).
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// An integer.
    Int(i64),
    /// A real.
    Real(f64),
    /// A string, as `print` and `reject` take them.
    Text(String),
    /// A variable.
    Variable(VarId),
    /// `e[i, a:b, :]`. As many as written; missing trailing ones mean "all".
    Index(Box<Expr>, Vec<Index>),
    /// A call of anything but a void function.
    Call(Callee, Vec<Expr>),
    /// `condition ? then : otherwise`; evaluates one branch. Branches have the type of the whole.
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a && b`, short-circuit.
    And(Box<Expr>, Box<Expr>),
    /// `a || b`, short-circuit.
    Or(Box<Expr>, Box<Expr>),
    /// `{a, b}`: an array of elements of one type (promoted already).
    Array(Vec<Expr>),
    /// `[a, b]` of scalars: a row vector of reals (promoted already).
    Row(Vec<Expr>),
    /// `[r, s]` of row vectors: a matrix.
    Matrix(Vec<Expr>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `t.1`, counted from 0 here.
    Project(Box<Expr>, usize),
    /// A function passed to a higher-order function.
    Function(FunctionId),
    /// `target()`: the log density accrued so far.
    Target,
}

/// What a call calls.
#[derive(Clone, Debug, PartialEq)]
pub enum Callee {
    /// A primitive of scalars. Arguments are scalars or containers of one shape; the result has that shape.
    /// Argument scalars have exactly the primitive's kinds ([`Prim::ToReal`] is explicit).
    Prim(Prim),
    /// A function of whole containers.
    Container(Container),
    /// A random draw of a scalar.
    Draw(Draw),
    /// A function of the program or the library.
    Function(FunctionId, Lift),
}

/// How a function of the program is applied to arguments that are containers of what it takes.
///
/// An argument whose type is the declared one is the same for every element; any other is a container of
/// values of the declared type, all such containers have one shape, and the function runs once per element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lift {
    /// Called once; every argument has the declared type.
    Whole,
    /// Called per element; the results make a container of the call's type.
    Each,
    /// Called per element; the results (reals) are summed. No elements give 0.
    Sum,
}

/// One index of an index list.
#[derive(Clone, Debug, PartialEq)]
pub enum Index {
    /// `:`
    All,
    /// `i`: drops the dimension.
    Single(Expr),
    /// `is` (an array of int): keeps the dimension.
    Multiple(Expr),
    /// `a:b`, `a:` or `:b`; empty when b < a.
    Range(Option<Expr>, Option<Expr>),
}
