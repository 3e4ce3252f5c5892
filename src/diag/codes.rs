//! The table of every kind of finding: a number that never changes, a title, one line of explanation.
//!
//! Numbers start with the letter of the phase: `P` parsing, `N` names, `T` types, `D` data,
//! `R` running. A number is never reused; a new code takes the next free number of its section.

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
    UndocumentedFunction = "P0019", "function without documentation", "Every function of a library file needs a doc comment.";

    // Data.
    MissingData = "D0001", "variables missing from the data", "The program declares data that the data file does not have; only variables without elements may be absent.";
    WrongShape = "D0002", "data of another shape", "The sizes of a variable in the data are not the declared ones.";
    NotInteger = "D0003", "not an integer", "A variable is declared as int, but the data have a real, or an integer beyond 32 bits.";
    MissingElements = "D0004", "missing values", "Some elements of a variable are null or NA in the data.";
    OutOfSupport = "D0005", "data outside their constraint", "A value in the data breaks what its declaration promises.";
    UnusableData = "D0006", "data that no variable can hold", "What the data file has under this name is text, ragged or otherwise no rectangular array of numbers.";
    BadSize = "D0007", "sizes cannot be evaluated", "A size or bound of a data variable is negative, or its expression fails with these data.";
    TransformedData = "D0008", "transformed data failed", "The transformed data block rejected the data or failed.";

    // Data and compiling.
    NegativeSize = "D0101", "negative size", "A size is negative once the data are known.";
    NotCompiled = "R0101", "not compiled", "A construct that the compiler does not support yet, or that it would have to know before the program runs.";
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
            assert!("PNTDR".contains(phase), "{code:?}");
            assert!(
                digits.len() == 4 && digits.parse::<u32>().is_ok(),
                "{code:?}"
            );
            assert!(!code.title().ends_with('.'), "{code:?}");
            assert!(code.explanation().ends_with('.'), "{code:?}");
        }
    }
}
