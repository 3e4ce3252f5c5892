//! Line editing: input goes on over several lines until its brackets close.

use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Editor, Helper, Highlighter, Hinter};

/// Tells the editor when input is whole.
#[derive(Completer, Helper, Highlighter, Hinter)]
pub struct Brackets;

impl Validator for Brackets {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_open(ctx.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

/// An editor with history.
pub fn editor() -> rustyline::Result<Editor<Brackets, DefaultHistory>> {
    let mut editor =
        Editor::with_config(rustyline::Config::builder().auto_add_history(true).build())?;
    editor.set_helper(Some(Brackets));
    Ok(editor)
}

/// Whether brackets or a comment ask for more lines. Brackets in texts and comments do not count.
fn is_open(input: &str) -> bool {
    let mut depth = 0_i32;
    let mut rest = input;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        rest = match character {
            '"' => match after.find(['"', '\n']) {
                Some(end) => &after[end + 1..],
                None => "",
            },
            '/' if after.starts_with('/') => after.find('\n').map_or("", |end| &after[end..]),
            '/' if after.starts_with('*') => match after.find("*/") {
                Some(end) => &after[end + 2..],
                None => return true,
            },
            '(' | '[' | '{' => {
                depth += 1;
                after
            }
            ')' | ']' | '}' => {
                depth -= 1;
                after
            }
            _ => after,
        };
    }
    depth > 0
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn input_goes_on_until_brackets_close() {
        for open in [
            "f(1,",
            "[1, 2",
            "{ real x;",
            "1 + /* half a comment",
            "f(\")\"",
        ] {
            assert!(is_open(open), "{open}");
        }
        for whole in [
            "",
            "1 + 2",
            "f(1)",
            "1 // (",
            "\"(\"",
            "1 /* ( */",
            "1)",
            "\"(",
        ] {
            assert!(!is_open(whole), "{whole}");
        }
    }
}
