//! What the prompt remembers, and how it answers a line.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use hlm::check::{self, CheckOptions, CheckedExpr, Visible};
use hlm::diag::{Code, Diagnostic};
use hlm::interp::{Container, Effects, Interpreter, Value, display_value};
use hlm::io::data_json::{Data, DataKind};
use hlm::kernels::random::ChainRng;
use hlm::session::{self, Failure};
use hlm::source::{SourceId, SourceMap, Span};
use hlm::syntax::{self, NoIncludes, ast};
use hlm::types::Ty;

const HELP: &str = "\
  1 + 2, normal_lpdf(0.5 | 0, 1)     an expression: its value and type
  x = [1, 2, 3]'                     a definition; `x` stands for the value from then on
  real f(real x) { return x^2; }     a function
  :type EXPR                         the type of an expression, without computing it
  :doc NAME                          what the library says about a function or distribution
  :vars                              what is defined
  :seed N                            start random numbers (normal_rng(0, 1)) afresh
  :quit                              end (also Ctrl-D)
Input goes on over several lines until its brackets close.
";

/// The purpose of the prompt's random numbers.
const PROMPT: u32 = 3;

/// What the prompt says to a line.
pub enum Answer {
    /// The answer, whole lines; empty if there is nothing to say.
    Text(String),
    /// What is wrong with the input.
    Trouble(Failure),
    /// What is wrong with a command.
    Unknown(String),
    /// Good-bye.
    Quit,
}

/// A variable and its value.
struct Variable {
    visible: Visible,
    value: Value,
}

/// The state between lines.
pub struct Session {
    /// The library's texts, and all input so far.
    sources: SourceMap,
    inputs: usize,
    variables: Vec<Variable>,
    functions: Vec<ast::FunctionDef>,
    random: ChainRng,
}

impl Session {
    /// A session without definitions.
    pub fn new() -> Session {
        Session {
            sources: match session::library() {
                Ok((sources, _)) => sources.clone(),
                Err(_) => SourceMap::new(),
            },
            inputs: 0,
            variables: Vec::new(),
            functions: Vec::new(),
            random: ChainRng::new(RandomState::new().hash_one("prompt"), 0, PROMPT),
        }
    }

    /// Defines the variables of a data file, as arrays and numbers; says what they are.
    pub fn take_data(&mut self, data: &Data) -> String {
        let mut names = Vec::new();
        for entry in data.entries() {
            let Ok(value) = &entry.value else { continue };
            let dims = value.dims.clone();
            let value = match (&value.kind, dims.as_slice()) {
                (DataKind::Int(values), []) => Value::Int(values[0]),
                (DataKind::Real(values), []) => Value::Real(values[0]),
                (DataKind::Int(values), _) => Value::Container(Container::ints(
                    Ty::Int.array_of(dims.len()),
                    dims,
                    values.clone(),
                )),
                (DataKind::Real(values), _) => Value::Container(Container::reals(
                    Ty::Real.array_of(dims.len()),
                    dims,
                    values.clone(),
                )),
                (DataKind::Tuple(_), _) => continue,
            };
            names.push(format!("{} : {}", entry.name, spell(&value.ty(), &value)));
            self.define(entry.name.clone(), value.ty(), value);
        }
        names.join("\n")
    }

    /// Answers a line.
    pub fn answer(&mut self, line: &str) -> Answer {
        let line = line.trim();
        if let Some(command) = line.strip_prefix(':') {
            return self.command(command);
        }
        let text = line.strip_suffix(';').unwrap_or(line).trim_end();
        let answer = if text.is_empty() || is_comment(text) {
            Ok(String::new())
        } else if let Some((name, expression)) = definition(text) {
            self.evaluate_and_define(name, expression)
        } else if is_function(text) {
            self.define_function(line)
        } else {
            self.evaluate(text).map(|(ty, value, printed)| {
                format!(
                    "{printed}{} : {}\n",
                    display_value(&value),
                    spell(&ty, &value)
                )
            })
        };
        match answer {
            Ok(text) => Answer::Text(text),
            Err(failure) => Answer::Trouble(failure),
        }
    }

    fn command(&mut self, command: &str) -> Answer {
        let (name, rest) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "q" | "quit" | "exit" => Answer::Quit,
            "h" | "help" | "?" => Answer::Text(HELP.to_string()),
            "t" | "type" => match self.check(rest) {
                Ok(checked) => Answer::Text(format!("{}\n", checked.expr.ty)),
                Err(failure) => Answer::Trouble(failure),
            },
            "doc" => match documentation(rest) {
                Some(text) => Answer::Text(text),
                None => Answer::Unknown(format!("the library has no function `{rest}`")),
            },
            "vars" => Answer::Text(self.listing()),
            "seed" => match rest.parse() {
                Ok(seed) => {
                    self.random = ChainRng::new(seed, 0, PROMPT);
                    Answer::Text(String::new())
                }
                Err(_) => Answer::Unknown(format!("`{rest}` is no seed: a whole number is")),
            },
            _ => Answer::Unknown(format!("there is no command `:{name}`; `:help` lists them")),
        }
    }

    fn listing(&self) -> String {
        let mut text = String::new();
        for Variable { visible, value } in &self.variables {
            text.push_str(&format!(
                "{} : {}\n",
                visible.name,
                spell(&visible.ty, value)
            ));
        }
        for function in &self.functions {
            text.push_str(&format!("{}()\n", function.name.name));
        }
        text
    }

    fn evaluate_and_define(&mut self, name: &str, expression: &str) -> Result<String, Failure> {
        let (ty, value, printed) = self.evaluate(expression)?;
        let shown = format!(
            "{printed}{name} = {} : {}\n",
            display_value(&value),
            spell(&ty, &value)
        );
        self.define(name.to_string(), ty, value);
        Ok(shown)
    }

    fn define(&mut self, name: String, ty: Ty, value: Value) {
        self.variables
            .retain(|variable| variable.visible.name != name);
        self.variables.push(Variable {
            visible: Visible { name, ty },
            value,
        });
    }

    fn define_function(&mut self, text: &str) -> Result<String, Failure> {
        let source = self.add(text);
        let parsed = syntax::parse_functions(&mut self.sources, source, &mut NoIncludes);
        let new = parsed.map_err(|diagnostics| self.failure(diagnostics))?;
        let same = |old: &ast::FunctionDef, new: &ast::FunctionDef| {
            let types = |function: &ast::FunctionDef| -> Vec<String> {
                let parameters = function.parameters.iter();
                parameters
                    .map(|parameter| syntax::format_unsized_type(&parameter.parameter_type))
                    .collect()
            };
            old.name.name == new.name.name && types(old) == types(new)
        };
        let mut functions = self.functions.clone();
        functions.retain(|old| !new.iter().any(|new| same(old, new)));
        functions.extend(new);
        let before = std::mem::replace(&mut self.functions, functions);
        if let Err(failure) = self.check_functions() {
            self.functions = before;
            return Err(failure);
        }
        Ok(String::new())
    }

    /// Checks the bodies of all functions, as those of a program without other blocks.
    fn check_functions(&self) -> Result<(), Failure> {
        let (_, library) = session::library()?;
        let program = ast::Program {
            functions: self.function_block(),
            data: None,
            transformed_data: None,
            parameters: None,
            transformed_parameters: None,
            model: None,
            generated_quantities: None,
        };
        match check::check(&program, library, &CheckOptions::default()) {
            Ok(_) => Ok(()),
            Err(diagnostics) => Err(self.failure(diagnostics)),
        }
    }

    fn function_block(&self) -> Option<ast::Block<ast::FunctionDef>> {
        (!self.functions.is_empty()).then(|| ast::Block {
            items: self.functions.clone(),
            span: Span::default(),
        })
    }

    /// Type, value, and what functions printed on the way.
    fn evaluate(&mut self, text: &str) -> Result<(Ty, Value, String), Failure> {
        let checked = self.check(text)?;
        let mut values: Vec<Option<Value>> = vec![None; checked.program.variables.len()];
        for (place, variable) in values.iter_mut().zip(&self.variables) {
            *place = Some(variable.value.clone());
        }
        let mut printed = String::new();
        let mut print = |line: &str| {
            printed.push_str(line);
            printed.push('\n');
        };
        let effects = Effects {
            rng: Some(&mut self.random),
            print: Some(&mut print),
        };
        let outcome = Interpreter::new(&checked.program).evaluate(&checked.expr, &values, effects);
        match outcome {
            Ok(value) => Ok((checked.expr.ty, value, printed)),
            Err(failure) => Err(self.failure(vec![Diagnostic::error(
                Code::EvaluationFailed,
                failure.message(),
                failure.span(),
                "",
            )])),
        }
    }

    fn check(&mut self, text: &str) -> Result<CheckedExpr, Failure> {
        let (_, library) = session::library()?;
        let source = self.add(text);
        let parsed = syntax::parse_expression(&self.sources, source);
        let expr = parsed.map_err(|diagnostics| self.failure(diagnostics))?;
        let visible: Vec<Visible> = self
            .variables
            .iter()
            .map(|variable| variable.visible.clone())
            .collect();
        check::check_expression(&expr, &visible, &self.function_block(), library)
            .map_err(|diagnostics| self.failure(diagnostics))
    }

    fn add(&mut self, text: &str) -> SourceId {
        self.inputs += 1;
        self.sources.add(format!("input {}", self.inputs), text)
    }

    fn failure(&self, diagnostics: Vec<Diagnostic>) -> Failure {
        Failure {
            sources: self.sources.clone(),
            diagnostics,
        }
    }
}

/// Name and expression of `name = expression`.
fn definition(text: &str) -> Option<(&str, &str)> {
    let (name, expression) = text.split_once('=')?;
    let name = name.trim_end();
    let mut characters = name.chars();
    let is_name = characters.next().is_some_and(char::is_alphabetic)
        && characters.all(|character| character.is_alphanumeric() || character == '_');
    (is_name && !expression.starts_with('=')).then(|| (name, expression.trim_start()))
}

/// Whether a text begins as a function's definition does: type, name, arguments, and somewhere a body.
fn is_function(text: &str) -> bool {
    const TYPES: [&str; 12] = [
        "void",
        "int",
        "real",
        "complex",
        "vector",
        "row_vector",
        "matrix",
        "complex_vector",
        "complex_row_vector",
        "complex_matrix",
        "array",
        "tuple",
    ];
    let first: String = text
        .chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect();
    text.contains('{') && TYPES.contains(&first.as_str())
}

/// Whether nothing but a line comment stands there.
fn is_comment(text: &str) -> bool {
    text.starts_with("//") && !text.contains('\n')
}

/// A value's type with its sizes: `array[2] vector[3]`.
fn spell(ty: &Ty, value: &Value) -> String {
    let Value::Container(container) = value else {
        return ty.to_string();
    };
    let (depth, inner) = container.ty.array_parts();
    let sizes = |dims: &[usize]| {
        let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
        dims.join(",")
    };
    let (outer, own) = container.dims.split_at(depth);
    let mut text = String::new();
    if depth > 0 {
        text = format!("array[{}] ", sizes(outer));
    }
    text.push_str(&inner.to_string());
    if !own.is_empty() {
        text.push_str(&format!("[{}]", sizes(own)));
    }
    text
}

/// The doc comments of the library's functions of a name; a distribution is known by its name without suffix too.
fn documentation(name: &str) -> Option<String> {
    let (_, library) = session::library().ok()?;
    let mut text = String::new();
    for function in library.functions() {
        let own = function.definition.name.name.as_str();
        let is_meant = own == name
            || ["_lpdf", "_lpmf"]
                .iter()
                .any(|suffix| own.strip_suffix(suffix) == Some(name));
        if is_meant {
            let arguments: Vec<String> = function
                .definition
                .parameters
                .iter()
                .map(|parameter| {
                    let ty = syntax::format_unsized_type(&parameter.parameter_type);
                    format!("{ty} {}", parameter.name.name)
                })
                .collect();
            text.push_str(&format!("{own}({})\n", arguments.join(", ")));
            for line in function.doc.lines() {
                text.push_str(&format!("  {line}\n"));
            }
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(session: &mut Session, line: &str) -> String {
        match session.answer(line) {
            Answer::Text(text) => text,
            Answer::Trouble(failure) => failure.render(false),
            Answer::Unknown(sentence) => sentence,
            Answer::Quit => "quit".to_string(),
        }
    }

    #[test]
    fn expressions_have_values_and_types() {
        let session = &mut Session::new();
        assert_eq!(said(session, "1 + 2"), "3 : int\n");
        assert_eq!(said(session, "[1, 2] / 4;"), "[0.25,0.5] : row_vector[2]\n");
        assert_eq!(said(session, "{[1, 2]'}"), "[[1,2]] : array[1] vector[2]\n");
        assert_eq!(said(session, ":type [[1, 2], [3, 4]]"), "matrix\n");
        assert_eq!(said(session, ""), "");
    }

    #[test]
    fn definitions_stay() {
        let session = &mut Session::new();
        assert_eq!(said(session, "x = 3"), "x = 3 : int\n");
        assert_eq!(said(session, "x = x / 2.0"), "x = 1.5 : real\n");
        assert_eq!(said(session, "x == 1.5"), "1 : int\n");
        assert_eq!(said(session, "real half(real y) { return y / 2; }"), "");
        assert_eq!(said(session, "half(x)"), "0.75 : real\n");
        assert_eq!(said(session, "real half(real y) { return y / 4; }"), "");
        assert_eq!(said(session, "half(x)"), "0.375 : real\n");
        assert_eq!(said(session, ":vars"), "x : real\nhalf()\n");
    }

    #[test]
    fn faults_leave_the_session_as_it_was() {
        let session = &mut Session::new();
        said(session, "x = 2");
        assert!(said(session, "x = y").contains("error[N0001]"));
        assert!(said(session, "[1, 2][3]").contains("error[R0005]"));
        assert!(said(session, "real f(real y) { return z; }").contains("error[N0001]"));
        assert!(said(session, "1 +").contains("error[P"));
        assert!(said(session, ":nonsense").contains(":help"));
        assert_eq!(said(session, "x"), "2 : int\n");
    }

    #[test]
    fn random_numbers_follow_the_seed() {
        let session = &mut Session::new();
        said(session, ":seed 5");
        let first = said(session, "normal_rng(0, 1)");
        assert_ne!(said(session, "normal_rng(0, 1)"), first);
        said(session, ":seed 5");
        assert_eq!(said(session, "normal_rng(0, 1)"), first);
    }
}
