//! How an evaluation fails.

use std::fmt;

use crate::source::Span;

/// Why a statement or expression has no value. Messages are sentences without a full stop.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A domain error or `reject`: the log density is −∞ at this position, others may be fine.
    Rejected {
        /// What was wrong.
        message: String,
        /// Where in the program.
        span: Span,
    },
    /// An index out of range, sizes that do not match, `fatal_error`: the run ends.
    Fatal {
        /// What was wrong.
        message: String,
        /// Where in the program.
        span: Span,
    },
}

/// The result of evaluating something.
pub type Eval<T> = Result<T, Failure>;

impl Failure {
    /// A failure at this position of the parameters only.
    pub fn rejected(message: impl Into<String>, span: Span) -> Failure {
        Failure::Rejected {
            message: message.into(),
            span,
        }
    }

    /// A failure that ends the run.
    pub fn fatal(message: impl Into<String>, span: Span) -> Failure {
        Failure::Fatal {
            message: message.into(),
            span,
        }
    }

    /// The typed IR broke its own rules: a fault of the compiler, told to the user without a panic.
    pub(super) fn internal(what: impl fmt::Display, span: Span) -> Failure {
        Failure::fatal(format!("internal error (please report it): {what}"), span)
    }

    /// What was wrong.
    pub fn message(&self) -> &str {
        match self {
            Failure::Rejected { message, .. } | Failure::Fatal { message, .. } => message,
        }
    }

    /// Where in the program.
    pub fn span(&self) -> Span {
        match self {
            Failure::Rejected { span, .. } | Failure::Fatal { span, .. } => *span,
        }
    }

    /// The same failure, blamed on another place: a failure inside the library belongs to the call.
    pub fn at(mut self, place: Span) -> Failure {
        match &mut self {
            Failure::Rejected { span, .. } | Failure::Fatal { span, .. } => *span = place,
        }
        self
    }

    /// The same failure, ending the run: in transformed data there is no other position to try.
    pub fn into_fatal(self) -> Failure {
        match self {
            Failure::Rejected { message, span } | Failure::Fatal { message, span } => {
                Failure::Fatal { message, span }
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Failure {}
