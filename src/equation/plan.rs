//! What the expanded program's data block and outputs mean: how tables fill the one, and which labels name the other.
//!
//! Lowering makes a [`Plan`] beside the block-form program. `tables` reads it to turn tables into the values of the data
//! block; summaries, predictions and `run.json` read it to label what comes out. It holds no place in the source that a
//! reader of `run.json` would need: it can be written down and read back.

use crate::source::Span;

/// One of a plan's index sets, by its place in [`Plan::sets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub usize);

/// What ties a program in equation form to tables and labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The index sets, in the order of the file.
    pub sets: Vec<Set>,
    /// The columns that tables or JSON must hold: those of `data` and those of index declarations.
    pub columns: Vec<Column>,
    /// The variables of the data block, in its order.
    pub inputs: Vec<Input>,
    /// Parameters, transformed parameters and generated quantities, in the order of the program.
    pub outputs: Vec<Output>,
    /// Transformed data that a prediction takes from the fit instead of computing them anew (`mean_age`).
    pub frozen: Vec<String>,
    /// The observed statements, in the order of the file.
    pub observed: Vec<Observed>,
    /// Of a prediction: the program's parameters, in its order, and the variable of the fit whose draws each is filled with.
    pub fitted: Vec<Fitted>,
}

/// A parameter of a program that predicts.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Its name in the program that predicts: without constraints, so that positions are values.
    pub parameter: String,
    /// Its name in the fit: a parameter or transformed parameter of the same sizes.
    pub variable: String,
}

/// An index set.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// The first letter that was declared over it, as written; the other letters follow.
    pub letters: Vec<String>,
    /// What it is.
    pub kind: SetKind,
    /// Whether a statement reaches from an element to an earlier or later one (`t-1`): its levels must have no gaps.
    pub is_lagged: bool,
    /// Whether an ordered distribution draws its levels: text needs an order that the file gives.
    pub is_ordinal: bool,
    /// The declaration.
    pub span: Span,
}

/// The kinds of index sets (R1).
#[derive(Clone, Debug, PartialEq)]
pub enum SetKind {
    /// The rows of a table, or the length of JSON arrays.
    Rows,
    /// The levels in one or more columns.
    Levels {
        /// The columns, by their place in [`Plan::columns`]. More than one: their union.
        columns: Vec<usize>,
        /// The levels and their order, where the file fixes them; data outside of it are an error.
        order: Option<Fixed>,
    },
    /// Labels or a range that the file spells out.
    Fixed(Fixed),
    /// The combinations of values that occur together.
    Combinations {
        /// Each part's set; the part's value per row is found by `column` (place in [`Plan::columns`]).
        parts: Vec<Part>,
        /// The set whose elements carry the combinations: the rows.
        carrier: SetId,
    },
}

/// Levels that the file spells out.
#[derive(Clone, Debug, PartialEq)]
pub enum Fixed {
    /// `{low, mid, high}`
    Labels(Vec<String>),
    /// `from:to`, both known without data.
    Range(i64, i64),
    /// `from:to` where data decide an end.
    Computed(Extent, Extent),
}

/// An end of a range that data decide: `size(k) - 1`, `K`.
#[derive(Clone, Debug, PartialEq)]
pub enum Extent {
    /// An integer.
    Number(i64),
    /// The number of elements of a set.
    Size(SetId),
    /// A column without letters.
    Scalar(usize),
    /// `a + b`
    Sum(Box<Extent>, Box<Extent>),
    /// `a - b`
    Difference(Box<Extent>, Box<Extent>),
    /// `a * b`
    Product(Box<Extent>, Box<Extent>),
    /// Any other expression: a variable of the expanded program's transformed data, known only once data are bound, so
    /// that no column can have its values in the set.
    Variable(String),
}

/// A part of a combination.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The set of its values; `None` for a column that no letter ranges over (its distinct values are its levels).
    pub set: Option<SetId>,
    /// How the carrier's elements give the part: maps to follow, outermost last (`country` then `region` for l of i).
    pub path: Vec<usize>,
}

/// A column of a table, or a variable of JSON data.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name as in the model.
    pub name: String,
    /// The sets of its letters, in order; empty for a single number.
    pub over: Vec<SetId>,
    /// The set that its values are levels of (`country`, `node1[e] in s`); `None` for numbers.
    pub levels_of: Option<SetId>,
    /// Whether a use needs integers.
    pub is_integer: bool,
    /// Whether it is an outcome: left of `~`.
    pub is_observed: bool,
    /// Whether a statement gives its missing values a distribution, so that `--na impute` can make unknowns of them.
    pub can_impute: bool,
    /// Whether something besides its own statement uses it, so that `--na drop` cannot.
    pub is_used_elsewhere: bool,
    /// Whether tables or files must hold it. Not so if nothing that is asked for reads it, or if the program puts it
    /// together from other columns and definitions (`X[i, p]` with a label that the model defines).
    pub is_needed: bool,
    /// Where it was declared.
    pub span: Span,
}

/// A variable of the expanded program's data block.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its name there.
    pub name: String,
    /// Where its value comes from. Levels count from 1, everywhere.
    pub source: InputSource,
}

/// Where the value of a variable of the data block comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum InputSource {
    /// `N_j`: the number of elements of a set.
    Size(SetId),
    /// A column of numbers over its sets; the last may be a set of labels whose columns are collected (`X[i, p]`).
    Column(usize),
    /// A column as positions among the levels of its set: `country`.
    Map(usize),
    /// The element of `combination` that each element of `carrier` belongs to: `c_of_i`.
    Membership {
        /// The combinations.
        combination: SetId,
        /// Whose elements belong to them.
        carrier: SetId,
    },
    /// The position of each combination's part among the part's levels: `s_of_c`.
    PartOf {
        /// The combinations.
        combination: SetId,
        /// Which part, from 0.
        part: usize,
    },
    /// For observed `y[g, t]` in a long table: the number of rows in which it exists. The rows are those of the column's table.
    LongRows(usize),
    /// The position of each row's value in one of the sets of a long column: `g_of_y`.
    LongPosition {
        /// The column.
        column: usize,
        /// Which of its sets, from 0.
        axis: usize,
    },
    /// The values of a long column, one per existing row, in the order of the positions; of a prediction those of the fit.
    LongValues(usize),
    /// Of a prediction: how many rows of a long column the fit had. They come first, then the new ones, each behind those
    /// that it follows from.
    FittedRows(usize),
    /// The row of a long column in which the value `lag` earlier along `axis` stands, 0 where there is none.
    LongLag {
        /// The column.
        column: usize,
        /// Along which of its sets, from 0.
        axis: usize,
        /// How many elements earlier.
        lag: usize,
    },
    /// The position of a label among the levels of a set: `d["US"]`.
    Position {
        /// The set.
        set: SetId,
        /// The label.
        label: String,
    },
    /// The value that the label of an ordinal or range set stands for: `week` of t in `1:20`.
    LevelValues(SetId),
    /// Of a prediction: how many of a set's elements the fit had. They come first, in the fit's order.
    FittedSize(SetId),
    /// Of a prediction: the value that a variable of the fit's transformed data had, by its name (one of [`Plan::frozen`]).
    Frozen(String),
    /// How many elements of a column have no value. Of a column in [`MissingValues::imputed`]; its
    /// [`Column`](InputSource::Column) holds 0 there.
    MissingCount(usize),
    /// The elements of a column that have no value, counted from 1 (row by row where it has two letters), ascending.
    MissingPositions(usize),
    /// How many elements of a column have a value. Of a column in [`MissingValues::dropped`]; its
    /// [`Column`](InputSource::Column) holds 0 (a [`Map`](InputSource::Map) 1) elsewhere.
    PresentCount(usize),
    /// The elements of a column that have a value, counted as those without.
    PresentPositions(usize),
}

/// Which columns' missing values change the program. Tables find it (`tables::missing_values`) and lowering is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingValues {
    /// Columns, by name, whose missing values become unknowns with the distribution of their statement.
    pub imputed: Vec<String>,
    /// Outcomes, by name, whose statement holds only where they have a value.
    pub dropped: Vec<String>,
}

/// A variable that draws have.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its name in the program and in files.
    pub name: String,
    /// The set behind each of its dimensions, outermost first; empty for a number.
    pub over: Vec<SetId>,
    /// Whether it is kept in the summary and in files by default.
    pub is_saved: bool,
}

/// An observed statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The outcome's name; `target` for terms added to it.
    pub outcome: String,
    /// Its replicates (`score_rep`), where it has any.
    pub replicate: Option<String>,
    /// Its pointwise log density (`log_lik`, or `log_lik_score`).
    pub log_lik: Option<String>,
    /// Of a prediction: its mean given the parameters (`score_mean`), where its family has one, or the probability of each
    /// of its levels (`rating_probability`), where it has such.
    pub mean: Option<String>,
    /// The sets of its left letters.
    pub over: Vec<SetId>,
}
