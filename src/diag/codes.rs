//! The table of every kind of finding: a number that never changes, a title, one line of explanation.
//!
//! Numbers start with the letter of the phase: `P` parsing, `N` names, `T` types, `E` equation form, `D` data,
//! `R` running. `E0001` to `E0016` are E1 to E16 of `docs/equation-form.md`. A number is never reused; a new code takes the next free number of its section.

/// Declares [`Code`] from rows of `Variant = "number", "title", "explanation";`.
macro_rules! codes {
    ($($variant:ident = $number:literal, $title:literal, $explanation:literal;)*) => {
        /// The kind of a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!($number, ": ", $explanation)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable number, such as `P0001`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$variant => $number),* }
            }

            /// A heading of a few words, for listings.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// One sentence on what the code means.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$variant => $explanation),* }
            }
        }
    };
}

codes! {
    // Parsing.
    UnexpectedToken = "P0001", "unexpected text", "The text does not continue the way the grammar allows at this place.";
    UnexpectedEnd = "P0002", "unexpected end of file", "The file ends inside a block, statement or expression.";
    InvalidCharacter = "P0003", "invalid character", "A character that begins no word, number or operator of the language.";
    UnclosedComment = "P0004", "unclosed comment", "A comment begun with /* has no closing */.";
    UnclosedString = "P0005", "unclosed string", "A string has no closing quotation mark on its line.";
    NumberTooLarge = "P0006", "number out of range", "An integer beyond 2147483647, or a real number beyond the largest double.";
    ReservedWord = "P0007", "reserved word as a name", "A word of the language cannot name a variable or function.";
    ReservedName = "P0008", "reserved form of name", "Names that end in two underscores are reserved.";
    OldSyntax = "P0009", "old syntax", "A spelling that early versions of Stan accepted and the current language does not.";
    NotAssignable = "P0010", "cannot assign to this", "Only variables, their elements, and tuples of these can stand left of an assignment.";
    NestingTooDeep = "P0011", "nesting too deep", "Brackets, statements or operators are nested deeper than the parser allows.";
    IncludeNotFound = "P0012", "include not found", "The file named by #include could not be read.";
    IncludeCycle = "P0013", "include cycle", "A file includes itself, directly or through another.";
    BlockOrder = "P0014", "block out of order", "Program blocks come at most once each, in a fixed order.";
    WrongSizes = "P0015", "wrong number of sizes", "A declared type has more or fewer sizes than its kind needs.";
    MisplacedConstraint = "P0016", "constraint not allowed here", "Constraints belong to declarations at the top level of a block, on types that can take them.";
    MisplacedInitializer = "P0017", "initial value not allowed", "Variables of the data and parameters blocks take no value in the program.";
    SourceTooLarge = "P0018", "file too large", "Source files are limited to four gigabytes.";
    NotAnIndexSet = "P0020", "not an index set", "A letter ranges over rows, the levels of columns, labels, a range, combinations, or the set of another letter.";
    UndocumentedFunction = "P0019", "function without documentation", "Every function of a library file needs a doc comment.";

    // Names.
    UndeclaredVariable = "N0001", "undeclared variable", "No variable of this name is visible here.";
    UndeclaredFunction = "N0002", "undeclared function", "No function of this name exists in the program or the library.";
    UnknownDistribution = "N0003", "unknown distribution", "No distribution of this name exists in the program or the library.";
    Redeclared = "N0004", "name declared twice", "A variable cannot have the name of another variable that is visible at its declaration.";
    FunctionRedefined = "N0005", "function defined twice", "Two functions of one name need different argument types.";
    FunctionNotDefined = "N0006", "function declared but not defined", "A function that is declared ahead needs a definition later in the functions block.";
    MissingSuffix = "N0007", "distribution without suffix", "A distribution called as a function needs a suffix such as _lpdf.";
    SuperfluousSuffix = "N0008", "distribution with suffix after ~", "After ~ a distribution stands without its suffix.";
    RemovedFunction = "N0009", "removed function", "Early versions of Stan had this function; the current language spells it differently.";
    ReadOnly = "N0010", "cannot be assigned here", "Data, parameters, function arguments, loop variables and variables of earlier blocks can only be read.";
    NoTargetHere = "N0011", "log density not available here", "Only the model block and functions ending in _lp can change the log density.";
    NoJacobianHere = "N0012", "Jacobian not available here", "Only transformed parameters and functions ending in _jacobian can add a Jacobian.";
    NoRandomHere = "N0013", "random numbers not available here", "Only transformed data, generated quantities and functions ending in _rng can draw random numbers.";
    NoUnnormalizedHere = "N0014", "unnormalised density not available here", "Densities without constants belong to the model block and to user-defined densities.";
    OutsideLoop = "N0015", "outside of a loop", "break and continue belong inside of a loop.";
    MisplacedReturn = "N0016", "return outside of a function", "Only functions return.";

    // Types.
    NotSupportedYet = "T0001", "not supported yet", "The program is valid, but this version cannot run it.";
    AssignmentType = "T0002", "value of the wrong type", "The value does not have the type of the variable that it is assigned to.";
    ArgumentTypes = "T0003", "arguments of the wrong type", "No form of the function takes arguments of these types.";
    ArgumentCount = "T0004", "wrong number of arguments", "The function takes more or fewer arguments.";
    AmbiguousCall = "T0005", "ambiguous call", "Several functions of this name fit the arguments equally well.";
    OperandTypes = "T0006", "operands of the wrong type", "The operator is not defined for values of these types.";
    ConditionType = "T0007", "condition is not an integer", "Conditions are integers: 0 is false, anything else is true.";
    NotIndexable = "T0008", "too many indexes", "There are more indexes than dimensions.";
    IndexType = "T0009", "index is not an integer", "An index is an integer, a range or an array of integers.";
    IntegerExpected = "T0010", "integer expected", "Sizes and the ends of loops and ranges are integers.";
    SizeNotData = "T0011", "size is not known in advance", "Sizes of top-level variables must be known before sampling begins.";
    IntegerDivision = "T0012", "division of integers", "The quotient of two integers is rounded towards zero.";
    ReturnType = "T0013", "return value of the wrong type", "The value returned does not have the type that the function declares.";
    MissingReturn = "T0014", "missing return", "Every way through a function that returns a value must end in return.";
    MixedElements = "T0015", "elements of different types", "The elements of an array, row vector or matrix have one type.";
    NoValue = "T0016", "function returns nothing", "A function without a value cannot be part of an expression.";
    UnusedValue = "T0017", "value of a call is not used", "Only a function that returns nothing can stand alone as a statement.";
    BoundType = "T0018", "bound of the wrong type", "A bound is a number, or has the type of the variable that it bounds.";
    DataOnly = "T0019", "argument must be data", "The function takes only values here that do not depend on parameters.";
    DensityForm = "T0020", "form of a density", "A density returns real and takes the outcome first: real for _lpdf, int for _lpmf.";
    IntegerParameter = "T0021", "integer parameter", "Parameters are continuous: they and what is computed from them in transformed parameters cannot be integers.";
    NestedSlices = "T0022", "slice of a slice assigned", "Left of an assignment, only the last pair of brackets can hold a range or several indexes.";
    BarMisplaced = "T0023", "bar and comma confused", "In a call of a density a bar stands after the outcome; elsewhere arguments are separated by commas.";
    NotAFunction = "T0024", "function expected", "This argument is the name of a function.";
    Truncation = "T0025", "truncation not possible", "Truncation needs a scalar distribution whose cumulative distribution function is available.";
    IndexReadsTarget = "T0027", "index reads what is assigned", "Left of an assignment, an index cannot read the variable that is assigned.";
    LoopType = "T0026", "cannot be looped over", "A loop visits the elements of an array, vector or matrix.";
    ReductionInBlockForm = "T0028", "reduction in block form", "A reduction such as mean[i](x[i]) needs letters, which only the equation form has.";

    // Equation form.
    NotDetermined = "E0001", "index not determined", "A letter that is neither on the left, nor determined by the letters there, nor bound by a reduction (E1).";
    SeveralWays = "E0002", "index reached in several ways", "A letter that two different columns lead to has to be written out (E2).";
    NotNested = "E0003", "levels not nested", "One level lies in two levels of what it should determine (E3).";
    NothingDepends = "E0004", "nothing depends on this", "An unknown that no statement uses; often data that were not declared (E4).";
    NoPrior = "E0005", "no prior", "A name that is used has neither data, nor a prior, nor a definition, nor a declaration (E5).";
    PriorCount = "E0006", "not exactly one statement for each element", "Each element of an unknown has one prior and each element of a definition one definition (E6).";
    UnknownLength = "E0007", "number of entries unknown", "A name is a vector, but nothing says over which index (E7).";
    ShapeDoubt = "E0008", "shapes do not fit", "No choice, or more than one, of numbers and vectors gives the statement a meaning (E8).";
    IndexMismatch = "E0009", "indices do not match", "Two things that are combined run over different indices (E9).";
    SupportUnmet = "E0010", "impossible values allowed", "A prior allows values that a use of the unknown cannot take (E10).";
    MirroredSigns = "E0011", "signs can be swapped", "The signs of some unknowns can be swapped together without changing the model (E11).";
    LevelOrder = "E0012", "order of levels unknown", "Ordered outcomes and lags need levels in a known order, without gaps (E12).";
    DiscreteUnknown = "E0013", "discrete unknown", "Unknowns are continuous: discrete ones have to be summed out (E13).";
    NotGenerative = "E0014", "no order of generation", "A prior on a function of unknowns, or names that define each other (E14).";
    PredictsItself = "E0015", "outcome predicts itself", "An outcome is predicted from its own level (E15).";
    CholeskyFactor = "E0016", "Cholesky factor as a covariance", "A Cholesky factor stands where a covariance matrix belongs (E16).";
    LetterAsNumber = "E0017", "index used as a number", "A letter names an element, not a number: use its column or the size of its set.";
    BadSubscript = "E0018", "not a subscript", "A subscript is a letter, a letter with a lag, a label, a map, first(t) or last(t).";
    BadIndex = "E0019", "faulty index declaration", "An index is declared over a table, columns, a set, combinations or another index.";
    NotInThisForm = "E0020", "not in equation form", "An expression of the block form that has no place in the equation form.";
    UnusedEntries = "E0021", "entries never used", "An unknown has entries that no statement reads.";
    CutPrior = "E0022", "declared type cuts the prior", "A declared type cuts a prior whose normaliser depends on unknowns.";

    // Data.
    MissingData = "D0001", "variables missing from the data", "The program declares data that the data file does not have; only variables without elements may be absent.";
    WrongShape = "D0002", "data of another shape", "The sizes of a variable in the data are not the declared ones.";
    NotInteger = "D0003", "not an integer", "A variable is declared as int, but the data have a real, or an integer beyond 32 bits.";
    MissingElements = "D0004", "missing values", "Some elements of a variable are null or NA in the data.";
    OutOfSupport = "D0005", "data outside their constraint", "A value in the data breaks what its declaration promises.";
    UnusableData = "D0006", "data that no variable can hold", "What the data file has under this name is text, ragged or otherwise no rectangular array of numbers.";
    BadSize = "D0007", "sizes cannot be evaluated", "A size or bound of a data variable is negative, or its expression fails with these data.";
    TransformedData = "D0008", "transformed data failed", "The transformed data block rejected the data or failed.";
    DataFile = "D0009", "unreadable data file", "The data file is not JSON of the form that Stan reads.";
    TableFile = "D0010", "unreadable table", "The table is not CSV or Parquet of the form that hlm reads.";
    NoColumn = "D0011", "no such column", "No table has the columns that the model needs of it, under their names.";
    WhichTable = "D0012", "several tables fit", "More than one table, or column of a table, could be meant.";
    NotANumber = "D0013", "text where a number is needed", "A column that the model computes with holds text.";
    MissingCells = "D0014", "missing values in a table", "Cells that the model needs are empty or NA.";
    UnknownLevel = "D0015", "unknown label", "A cell holds a label that is not among the levels of its set.";
    NotConstant = "D0016", "value varies within a level", "A column with one value per level has several for one of them.";
    LevelWithoutRow = "D0017", "level without a value", "No row of the table gives a level, or a combination of levels, its value.";
    RepeatedRow = "D0018", "element given twice", "Two rows of a table give the same element.";

    // Data and compiling.
    NegativeSize = "D0101", "negative size", "A size is negative once the data are known.";
    TooLarge = "D0102", "too large", "A variable has more elements, once the data are known, than fit into memory.";
    NotCompiled = "R0101", "not compiled", "A construct that the compiler does not support yet, or that it would have to know before the program runs.";

    // Running.
    RunFailed = "R0001", "the model failed", "A statement failed in a way that no other parameter values can mend, so the chain ended.";
    NoInitialValue = "R0002", "no initial value", "The model rejected every initial value that was tried.";
    GeneratedFailed = "R0003", "generated quantities failed", "For some draws the generated quantities were rejected or failed; what was not computed is NaN.";
    DrawsNotStored = "R0004", "draws not stored", "The draws could not be written to their file, so the chain ended.";
    EvaluationFailed = "R0005", "no value", "The expression has no value: a function was called outside of its domain, or an index is out of range.";
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_unique_and_well_formed() {
        let numbers: BTreeSet<&str> = Code::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers.len(), Code::ALL.len());
        for code in Code::ALL {
            let (phase, digits) = code.number().split_at(1);
            assert!("PNTEDR".contains(phase), "{code:?}");
            assert!(
                digits.len() == 4 && digits.parse::<u32>().is_ok(),
                "{code:?}"
            );
            assert!(!code.title().ends_with('.'), "{code:?}");
            assert!(code.explanation().ends_with('.'), "{code:?}");
        }
    }
}
