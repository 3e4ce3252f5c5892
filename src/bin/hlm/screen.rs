//! What goes to the terminal: results to standard output, everything about them to standard error.

use std::io::{self, IsTerminal, Write};

use hlm::diag::{self, Diagnostic};
use hlm::session::Failure;
use hlm::source::SourceMap;

/// Width of running text where the terminal's is not asked for.
const WIDTH: usize = 90;

/// Writes results.
///
/// # Errors
/// Whatever keeps standard output from taking them.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes a line about what is going on.
pub fn note(line: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes an error that has no place in a program.
pub fn error(sentence: &str) {
    note(&format!("{}: {sentence}", paint("error", "1;31")));
}

/// Writes a warning with what to do about it.
pub fn warning(sentence: &str, advice: &str) {
    note(&format!("{}: {sentence}", paint("warning", "1;33")));
    for line in wrap(advice, WIDTH - 2) {
        note(&format!("  {line}"));
    }
}

/// Writes findings with the lines of the program that they speak of.
pub fn findings(failure: &Failure) {
    diagnostics(&failure.sources, &failure.diagnostics);
}

/// Writes findings with the lines of the program that they speak of.
pub fn diagnostics(sources: &SourceMap, diagnostics: &[Diagnostic]) {
    let text = diag::render(sources, diagnostics, has_colour());
    if !text.is_empty() {
        note(text.trim_end());
    }
}

/// Whether standard error is a terminal that shows colour, and its user wants any (<https://no-color.org>).
pub fn has_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

fn paint(text: &str, style: &str) -> String {
    if has_colour() {
        format!("\u{1b}[{style}m{text}\u{1b}[0m")
    } else {
        text.to_string()
    }
}

/// Breaks text at spaces so that lines are at most so many characters long, where words are shorter.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let is_full = lines.last().is_some_and(|line| {
            !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width
        });
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A duration as people say it: `850 µs`, `3.2 ms`, `1.4 s`, `2 min 5 s`.
pub fn duration(time: std::time::Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 0.001 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 0.1 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 60.0 {
        format!("{seconds:.2} s")
    } else if seconds < 3600.0 {
        format!("{} min {:.0} s", time.as_secs() / 60, seconds % 60.0)
    } else {
        format!(
            "{} h {} min",
            time.as_secs() / 3600,
            time.as_secs() / 60 % 60
        )
    }
}

/// A duration for guesses: `8 s`, `3 min`, `2 h 10 min`.
pub fn rough(time: std::time::Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds @ 100..=5999 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn text_breaks_at_spaces() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("extraordinary a", 5), ["extraordinary", "a"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn durations_have_units() {
        let said = |seconds| duration(Duration::from_secs_f64(seconds));
        assert_eq!(said(0.00085), "850 µs");
        assert_eq!(said(0.0032), "3.2 ms");
        assert_eq!(said(1.4), "1.40 s");
        assert_eq!(said(125.0), "2 min 5 s");
        assert_eq!(said(7260.0), "2 h 1 min");
        assert_eq!(rough(Duration::from_secs(8)), "8 s");
        assert_eq!(rough(Duration::from_secs(200)), "3 min");
        assert_eq!(rough(Duration::from_secs(7800)), "2 h 10 min");
    }
}
