//! How lowering fails.

use crate::diag::{Code, Diagnostic};
use crate::source::Span;

/// Why something could not be lowered.
#[derive(Clone, Debug)]
pub enum LowerError {
    /// It would have to be known before the program runs: an enclosing loop may be unrolled to make it so.
    Dynamic {
        /// What would have to be known, as a noun phrase: `the size of this vector`.
        what: String,
        /// Where.
        span: Span,
    },
    /// It is wrong or not supported.
    Diagnostic(Box<Diagnostic>),
}

/// The result of lowering something.
pub(super) type Lowered<T> = Result<T, LowerError>;

impl LowerError {
    pub(super) fn dynamic(what: impl Into<String>, span: Span) -> LowerError {
        LowerError::Dynamic {
            what: what.into(),
            span,
        }
    }

    pub(super) fn unsupported(what: impl Into<String>, span: Span) -> LowerError {
        let title = format!("{} is not supported yet", what.into());
        LowerError::Diagnostic(Box::new(Diagnostic::error(
            Code::NotCompiled,
            title,
            span,
            "",
        )))
    }

    /// What the user is told.
    pub fn into_diagnostic(self) -> Diagnostic {
        match self {
            LowerError::Diagnostic(diagnostic) => *diagnostic,
            LowerError::Dynamic { what, span } => Diagnostic::error(
                Code::NotCompiled,
                format!("{what} depends on parameters or on random numbers"),
                span,
                "must be known once the data are",
            ),
        }
    }
}
