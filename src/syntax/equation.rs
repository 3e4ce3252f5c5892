//! The syntax tree of the equation form: items as they stand in the file, before names, indices and shapes are resolved.
//!
//! Expressions are those of the block form, with two additions of [`ExprKind`](super::ast::ExprKind): a reduction
//! (`mean[i](ses[i])`) and text (`"US"`) as an ordinary operand. `A where B` is two items. Domains and left sides are
//! classified here as far as their form alone decides.

use super::ast::{BaseType, Block, Bounds, Expr, FunctionDef, Identifier, Truncation};
use crate::source::Span;

/// A program in equation form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EquationProgram {
    /// `functions { … }`, as in block form.
    pub functions: Option<Block<FunctionDef>>,
    /// The items, in the order of the file.
    pub items: Vec<Item>,
}

/// One line, or one part of a line with `where` or several declarations.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Where it stands.
    pub span: Span,
}

impl Item {
    /// The item at its place, if there is one.
    pub(super) fn at(kind: Option<ItemKind>, span: Span) -> Option<Item> {
        kind.map(|kind| Item { kind, span })
    }
}

/// The forms of [`Item`].
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `index j = county[i]`
    Index {
        /// The letter.
        letter: Identifier,
        /// What it ranges over; `None` for the rows of a table.
        domain: Option<Domain>,
    },
    /// `data y[i], X[i, p], node1[e] in s`
    Data(Vec<Column>),
    /// `param x[j]`, `ordered mu[k]`, `real<lower=0> sigma`: unknowns with a type and without a prior here.
    Declare {
        /// The type; `None` for `param`.
        declared: Option<DeclaredType>,
        /// The names with their indices.
        terms: Vec<Term>,
    },
    /// `y[i] ~ normal(mu, sigma) T[0, ]`, with a type in front if there is one.
    Draw {
        /// The type.
        declared: Option<DeclaredType>,
        /// The left sides, at least one: each gets the same distribution.
        variates: Vec<Expr>,
        /// The family as written; aliases are resolved later.
        distribution: Identifier,
        /// Its arguments.
        arguments: Vec<Expr>,
        /// `T[lower, upper]`, if present.
        truncation: Option<Truncation>,
    },
    /// `beta[j, k] = g[j] + h[k]`, with a type in front if there is one.
    Define {
        /// The type.
        declared: Option<DeclaredType>,
        /// The left side.
        term: Term,
        /// The right side.
        value: Expr,
    },
    /// `target[i] += e`
    Target {
        /// The letters in brackets.
        letters: Vec<Identifier>,
        /// The term of the log density.
        value: Expr,
    },
}

/// What an index ranges over, as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// `home[g], away[g]`, with `in {low, mid, high}` or `in 1:52` behind it: the levels of columns.
    Levels {
        /// The columns; at least one.
        maps: Vec<Map>,
        /// The levels in their order, if given.
        order: Option<LevelOrder>,
    },
    /// `{1, spend}` or `1:3`
    Set(LevelOrder),
    /// `(s, class[i])`: the combinations that occur.
    Combinations(Vec<Key>),
    /// `k`: a second letter over the set of k.
    Same(Identifier),
}

/// `country[i]` in a domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The column.
    pub column: Identifier,
    /// The letter that it is indexed with.
    pub letter: Identifier,
}

/// A part of a combination.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// A letter.
    Letter(Identifier),
    /// A column.
    Map(Map),
}

/// Levels that the file spells out.
#[derive(Clone, Debug, PartialEq)]
pub enum LevelOrder {
    /// `{low, mid, high}`
    Labels(Vec<Label>),
    /// `1:52`
    Range(Expr, Expr),
}

/// A label with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The text: of a name, an integer (its digits), or what stands between quotation marks.
    pub text: String,
    /// Whether it was written as an integer.
    pub is_integer: bool,
    /// Where it stands.
    pub span: Span,
}

/// A column of `data`.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Identifier,
    /// Its letters.
    pub letters: Vec<Identifier>,
    /// `in s`: its values are levels of this letter.
    pub levels_of: Option<Identifier>,
}

/// A type without sizes: the word and its bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredType {
    /// The word.
    pub base: BaseType,
    /// What stands between `<` and `>`.
    pub bounds: Bounds,
    /// Where it stands.
    pub span: Span,
}

/// A name with subscripts, as it stands on the left of `=` or in a declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The name.
    pub name: Identifier,
    /// What stands in its brackets, if it has any.
    pub subscripts: Vec<super::ast::Index>,
    /// The whole of it.
    pub span: Span,
}
