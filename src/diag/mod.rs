//! What the compiler tells its user: facts with places, collected in a `Vec` and rendered at the end.

mod codes;
mod near;
mod render;

pub use codes::Code;
pub use near::edit_distance;
pub use render::render;

use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program has no meaning; nothing runs.
    Error,
    /// The program has a meaning, but perhaps not the intended one.
    Warning,
}

/// A place with a few words about it; the words may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said about this place.
    pub text: String,
}

/// One finding: the title says what is wrong, the label where, the hint what to type instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The kind of finding, with its stable number.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub title: String,
    /// The place of the fault.
    pub label: Label,
    /// Other places that explain it, such as the declaration of a name.
    pub secondary: Vec<Label>,
    /// Further sentences: a reason, a rule of the language.
    pub notes: Vec<String>,
    /// What to type instead.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at `span`; `label` is the text beside the underlined place and may be empty.
    pub fn error(
        code: Code,
        title: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            title: title.into(),
            label: Label {
                span,
                text: label.into(),
            },
            secondary: Vec::new(),
            notes: Vec::new(),
            hint: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(
        code: Code,
        title: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, title, span, label)
        }
    }

    /// Adds a place that explains the fault.
    pub fn with_secondary(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a sentence of explanation.
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Says what to type instead.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// Whether it stops the program from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Puts findings into reading order: by place, errors before warnings at the same place.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| (diagnostic.label.span, diagnostic.severity));
}

/// Whether any finding is an error.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceId;

    #[test]
    fn sorting_follows_the_text() {
        let at = |start| Span::new(SourceId(0), start, start + 1);
        let mut found = vec![
            Diagnostic::error(Code::UnexpectedToken, "later", at(9), ""),
            Diagnostic::warning(Code::UnexpectedToken, "warning", at(2), ""),
            Diagnostic::error(Code::UnexpectedToken, "error", at(2), ""),
        ];
        sort(&mut found);
        let titles: Vec<&str> = found.iter().map(|found| found.title.as_str()).collect();
        assert_eq!(titles, ["error", "warning", "later"]);
        assert!(any_error(&found) && !any_error(&found[1..2]));
    }
}
