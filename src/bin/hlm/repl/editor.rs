//! Line editing: input goes on until a line is whole, words complete, and the language has its colours.

use std::borrow::Cow;

use hlm::diag::Code;
use hlm::source::SourceMap;
use hlm::syntax::{
    Form, NoIncludes, TokenClass, equation_line_is_complete, parse_form, token_classes,
};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper, Hinter};

use super::help::{Argument, COMMANDS};
use crate::screen;

/// The editor's helper.
#[derive(Helper, Hinter)]
pub struct Assistant {
    /// What words there are.
    pub vocabulary: Vocabulary,
    files: FilenameCompleter,
    has_colour: bool,
}

/// The words that completion offers.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Names of the model, of its data and of the prompt.
    pub names: Vec<String>,
    /// Labels of levels.
    pub labels: Vec<String>,
    /// Functions of the library.
    pub functions: Vec<String>,
    /// Distributions.
    pub distributions: Vec<String>,
}

/// An editor with history.
///
/// # Errors
/// A terminal that cannot be used.
pub fn editor(vocabulary: Vocabulary) -> rustyline::Result<Editor<Assistant, DefaultHistory>> {
    let config = Config::builder()
        .auto_add_history(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant {
        vocabulary,
        files: FilenameCompleter::new(),
        has_colour: screen::has_colour(),
    }));
    Ok(editor)
}

impl Validator for Assistant {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match inputs(ctx.input()).last() {
            Some(last) if is_open(last) => ValidationResult::Incomplete,
            _ => ValidationResult::Valid(None),
        })
    }
}

/// The lines of input, each with those that continue it: several come at once where text is pasted.
pub fn inputs(text: &str) -> Vec<String> {
    let mut inputs: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.split_inclusive('\n') {
        match inputs.last_mut().filter(|_| goes_on) {
            Some(input) => input.push_str(line),
            None => inputs.push(line.to_string()),
        }
        goes_on = inputs.last().is_some_and(|input| is_open(input));
    }
    inputs
}

/// Whether input asks for more lines. A blank line ends it all the same, so that nobody is caught.
fn is_open(input: &str) -> bool {
    if input.trim_start().starts_with(':') || input.ends_with("\n\n") {
        return false;
    }
    !equation_line_is_complete(input) || ends_too_early(input)
}

/// Whether the end of the text is all that is wrong with a line of a model: `a = b ? c`.
fn ends_too_early(input: &str) -> bool {
    let mut sources = SourceMap::new();
    let source = sources.add("", input);
    match parse_form(&mut sources, source, &mut NoIncludes) {
        Err(found) => found.iter().all(|found| {
            found.code == Code::UnexpectedEnd
                && found.label.span.end as usize >= input.trim_end().len()
        }),
        Ok(Form::Block(_) | Form::Equation(_)) => false,
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        if !self.has_colour || line.starts_with(':') {
            return Cow::Borrowed(line);
        }
        Cow::Owned(coloured(line))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        if self.has_colour {
            Cow::Owned(format!("\u{1b}[1m{prompt}\u{1b}[0m"))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    fn highlight_char(&self, _line: &str, _position: usize, _kind: CmdKind) -> bool {
        self.has_colour
    }
}

/// The text with escape sequences for the classes of its tokens.
fn coloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut end = 0;
    for (range, class) in token_classes(text) {
        out.push_str(&text[end..range.start]);
        let piece = &text[range.clone()];
        match style(class) {
            Some(style) => out.push_str(&format!("\u{1b}[{style}m{piece}\u{1b}[0m")),
            None => out.push_str(piece),
        }
        end = range.end;
    }
    out.push_str(&text[end..]);
    out
}

/// Colours that can be read on light and dark ground.
fn style(class: TokenClass) -> Option<&'static str> {
    match class {
        TokenClass::Keyword | TokenClass::Type => Some("35"),
        TokenClass::Function => Some("34"),
        TokenClass::Number => Some("36"),
        TokenClass::Text => Some("32"),
        TokenClass::Comment => Some("2"),
        TokenClass::Operator => Some("1"),
        TokenClass::Name | TokenClass::Punctuation => None,
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        ctx: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        if takes_file(&line[..position]) {
            return self.files.complete(line, position, ctx);
        }
        let (start, words) = self.vocabulary.completions(&line[..position]);
        let pairs = words.into_iter().map(|word| Pair {
            display: word.clone(),
            replacement: word,
        });
        Ok((start, pairs.collect()))
    }
}

/// Whether a file is to be named there.
fn takes_file(before: &str) -> bool {
    command(before).is_some_and(|(name, _)| argument_of(name) == Argument::File)
}

/// A command and what is behind it, once there is a space.
fn command(before: &str) -> Option<(&str, &str)> {
    before.trim_start().strip_prefix(':')?.split_once(' ')
}

fn argument_of(command: &str) -> Argument {
    let row = COMMANDS.iter().find(|(name, _)| *name == command);
    row.map_or(Argument::None, |(_, argument)| *argument)
}

/// Letters that keyboards lack, by their names behind a backslash.
const GREEK: [(&str, &str); 28] = [
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Omega", "Ω"),
];

impl Vocabulary {
    /// Where the word before the cursor begins, and what it could become.
    fn completions(&self, before: &str) -> (usize, Vec<String>) {
        let is_in_name = |character: char| character.is_alphanumeric() || character == '_';
        let start = before.trim_end_matches(is_in_name).len();
        let (head, word) = before.split_at(start);
        if let Some(head) = head.strip_suffix('\\') {
            let letters = GREEK.iter().filter(|(name, _)| name.starts_with(word));
            let letters = letters.map(|(_, letter)| (*letter).to_string());
            return (head.len(), letters.collect());
        }
        if head.trim_start() == ":" {
            let commands = COMMANDS.iter().map(|(name, _)| *name);
            return (start, starting(word, commands));
        }
        if head.matches('"').count() % 2 == 1 {
            let start = head.rfind('"').map_or(start, |quote| quote + 1);
            let word = &before[start..];
            return (
                start,
                starting(word, self.labels.iter().map(String::as_str)),
            );
        }
        let of = |words: &[String]| starting(word, words.iter().map(String::as_str));
        let words = match command(before).map(|(name, _)| argument_of(name)) {
            Some(Argument::Function) => [of(&self.distributions), of(&self.functions)].concat(),
            Some(Argument::Name) => of(&self.names),
            _ if head.trim_end().ends_with('~') => of(&self.distributions),
            // A function is offered once something of it is there: there are hundreds.
            _ if word.is_empty() => of(&self.names),
            _ => [of(&self.names), of(&self.functions), keywords(before, word)].concat(),
        };
        (start, words)
    }
}

/// The words that begin a line.
fn keywords(before: &str, word: &str) -> Vec<String> {
    match before.trim_start() == word {
        true => starting(word, ["data", "index", "param", "target"].into_iter()),
        false => Vec::new(),
    }
}

fn starting<'w>(beginning: &str, words: impl Iterator<Item = &'w str>) -> Vec<String> {
    let words = words.filter(|word| word.starts_with(beginning));
    words.map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_on_until_it_is_whole() {
        for open in [
            "f(1,",
            "[1, 2",
            "{ real x;",
            "1 + /* half a comment",
            "f(\")\"",
            "y[i] ~",
            "y[i] ~ normal(0, 1) where",
            "a = b ? c",
            "index j = county[i] in",
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
            "y[i] ~ normal(0, 1)",
            "real f(real x) { return x; }",
            ":data (",
            "y[i] ~\n\n",
            "index j",
            "mu ~ ~ x",
        ] {
            assert!(!is_open(whole), "{whole}");
        }
    }

    #[test]
    fn pasted_text_is_taken_apart() {
        let text = ":data a.csv\ny ~ f(a,\n  b)\n\n1 + 2\nc =";
        let expected = [":data a.csv\n", "y ~ f(a,\n  b)\n", "\n", "1 + 2\n", "c ="];
        assert_eq!(inputs(text), expected);
        assert_eq!(inputs("y ~\n\nx = 1"), ["y ~\n\n", "x = 1"]);
    }

    #[test]
    fn words_complete_where_they_fit() {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_string()).collect();
        let vocabulary = Vocabulary {
            names: words(&["theta", "tau"]),
            labels: words(&["St. Louis", "Aitkin"]),
            functions: words(&["tan", "normal_lpdf"]),
            distributions: words(&["normal", "neg_binomial"]),
        };
        let completed = |before: &str| vocabulary.completions(before);
        assert_eq!(completed("mean(t"), (5, words(&["theta", "tau", "tan"])));
        assert_eq!(completed("y ~ n"), (4, words(&["normal", "neg_binomial"])));
        assert_eq!(completed(":su"), (1, words(&["summary"])));
        assert_eq!(
            completed(":help norm"),
            (6, words(&["normal", "normal_lpdf"]))
        );
        assert_eq!(completed("a[\"St. L"), (3, words(&["St. Louis"])));
        assert_eq!(completed("i"), (0, words(&["index"])));
        assert_eq!(completed("x + i"), (4, words(&[])));
        assert_eq!(completed("\\sig"), (0, words(&["σ"])));
        assert!(takes_file(":data sch") && !takes_file(":show "));
    }

    #[test]
    fn colours_change_nothing_but_colour() {
        let text = "y[i] ~ normal(μ, \"a\") // so";
        let plain: String = coloured(text)
            .split('\u{1b}')
            .map(|part| match part.strip_prefix('[') {
                Some(part) => part.split_once('m').map_or("", |(_, text)| text),
                None => part,
            })
            .collect();
        assert_eq!(plain, text);
    }
}
