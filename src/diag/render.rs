//! Diagnostics to text: the only user of codespan-reporting.

use codespan_reporting::diagnostic as codespan;
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::Buffer;
use codespan_reporting::term::{self, Config};

use crate::diag::{Diagnostic, Severity};
use crate::source::{SourceId, SourceMap, Span};

/// Renders findings one after another, each with the lines it speaks of, as plain text or with
/// the escape codes of a colour terminal.
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic], colour: bool) -> String {
    let mut buffer = if colour {
        Buffer::ansi()
    } else {
        Buffer::no_color()
    };
    let config = Config {
        tab_width: 2,
        ..Config::default()
    };
    for diagnostic in diagnostics {
        let shown = to_codespan(diagnostic);
        if term::emit_to_write_style(&mut buffer, &config, &Texts(sources), &shown).is_err() {
            // A span that fits no text; the words are still worth reading.
            let plain = format!("{}: {}\n", diagnostic.code.number(), diagnostic.title);
            let _ = std::io::Write::write_all(&mut buffer, plain.as_bytes());
        }
    }
    String::from_utf8_lossy(buffer.as_slice()).into_owned()
}

fn to_codespan(diagnostic: &Diagnostic) -> codespan::Diagnostic<SourceId> {
    let severity = match diagnostic.severity {
        Severity::Error => codespan::Severity::Error,
        Severity::Warning => codespan::Severity::Warning,
    };
    let primary = &diagnostic.label;
    let mut labels = Vec::new();
    // Findings about no place in particular carry the default span.
    if primary.span != Span::default() || !primary.text.is_empty() {
        let (source, range) = (primary.span.source, primary.span.range());
        labels.push(codespan::Label::primary(source, range).with_message(&primary.text));
    }
    labels.extend(diagnostic.secondary.iter().map(|label| {
        codespan::Label::secondary(label.span.source, label.span.range()).with_message(&label.text)
    }));
    let mut notes = diagnostic.notes.clone();
    notes.extend(diagnostic.hint.as_ref().map(|hint| format!("hint: {hint}")));
    codespan::Diagnostic::new(severity)
        .with_code(diagnostic.code.number())
        .with_message(&diagnostic.title)
        .with_labels(labels)
        .with_notes(notes)
}

/// Shows a [`SourceMap`] to codespan-reporting.
struct Texts<'a>(&'a SourceMap);

impl<'a> Files<'a> for Texts<'a> {
    type FileId = SourceId;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: SourceId) -> Result<&'a str, Error> {
        Ok(self.0.name(id))
    }

    fn source(&'a self, id: SourceId) -> Result<&'a str, Error> {
        Ok(self.0.text(id))
    }

    fn line_index(&'a self, id: SourceId, byte: usize) -> Result<usize, Error> {
        Ok(self.0.line_column(id, byte as u32).line - 1)
    }

    fn line_range(&'a self, id: SourceId, line: usize) -> Result<std::ops::Range<usize>, Error> {
        self.0.line_range(id, line).ok_or(Error::LineTooLarge {
            given: line,
            max: self.0.line_count(id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;

    fn example() -> (SourceMap, Diagnostic) {
        let mut sources = SourceMap::new();
        let id = sources.add("m.stan", "int x;\nx = 1.5;\n");
        let diagnostic = Diagnostic::error(
            Code::UnexpectedToken,
            "a real does not fit",
            Span::new(id, 11, 14),
            "real",
        )
        .with_secondary(Span::new(id, 4, 5), "declared here")
        .with_note("A note.")
        .with_hint("Round it.");
        (sources, diagnostic)
    }

    #[test]
    fn plain_text_shows_places_notes_and_hint() {
        let (sources, diagnostic) = example();
        let expected = "\
error[P0001]: a real does not fit
  ┌─ m.stan:2:5
  │
1 │ int x;
  │     - declared here
2 │ x = 1.5;
  │     ^^^ real
  │
  = A note.
  = hint: Round it.

";
        assert_eq!(render(&sources, &[diagnostic], false), expected);
    }

    #[test]
    fn colour_adds_escape_codes_only() {
        let (sources, diagnostic) = example();
        let coloured = render(&sources, std::slice::from_ref(&diagnostic), true);
        assert!(coloured.contains('\u{1b}'));
        let mut plain = String::new();
        for (at, part) in coloured.split('\u{1b}').enumerate() {
            let text = if at == 0 {
                part
            } else {
                part.split_once('m').map_or("", |(_, text)| text)
            };
            plain.push_str(text);
        }
        assert_eq!(plain, render(&sources, &[diagnostic], false));
    }

    #[test]
    fn a_finding_without_a_place_shows_no_lines() {
        let (sources, mut diagnostic) = example();
        (diagnostic.label.span, diagnostic.label.text) = (Span::default(), String::new());
        diagnostic.secondary.clear();
        let expected = "\
error[P0001]: a real does not fit
 = A note.
 = hint: Round it.

";
        assert_eq!(render(&sources, &[diagnostic], false), expected);
    }

    #[test]
    fn a_span_outside_of_every_text_still_renders_its_title() {
        let (sources, mut diagnostic) = example();
        diagnostic.label.span = Span::new(SourceId(9), 50, 60);
        assert!(render(&sources, &[diagnostic], false).contains("a real does not fit"));
    }
}
