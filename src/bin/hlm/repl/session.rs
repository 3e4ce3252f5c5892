//! What the prompt remembers, and how it answers.

use std::path::{Path, PathBuf};

use clap::Parser;
use hlm::interp::display_value;
use hlm::session::Failure;
use hlm::syntax::{self, Form, NoIncludes, ast};
use hlm::tables::Sources;

use super::calculator::{Calculator, spell};
use super::draws::{self, Variables};
use super::editor::Vocabulary;
use super::help;
use super::notebook::Notebook;
use super::workplace::Workplace;
use crate::args::{Arguments, Command};
use crate::commands;
use crate::commands::sample::{Sampled, fit, report};
use crate::fault::Fault;
use crate::files::{read_bytes, read_json};

/// What the prompt says to a line.
pub enum Answer {
    /// The answer, whole lines; empty if there is nothing to say.
    Text(String),
    /// A remark on what was done.
    Note(String),
    /// What is wrong.
    Trouble(Fault),
    /// Good-bye.
    Quit,
}

impl From<Result<String, Fault>> for Answer {
    fn from(result: Result<String, Fault>) -> Answer {
        match result {
            Ok(text) => Answer::Text(text),
            Err(fault) => Answer::Trouble(fault),
        }
    }
}

/// The model, in either form.
enum Model {
    /// Lines that were typed or read, and are changed by more of them.
    Lines(Notebook),
    /// A program in block form, as read from a file.
    Blocks(String),
}

/// The last fit.
struct Fit {
    /// The model that was fitted: its lines may have changed since.
    text: String,
    sampled: Sampled,
    variables: Variables,
}

/// The state between lines.
pub struct Session {
    calculator: Calculator,
    model: Model,
    /// How the model's file is called.
    name: String,
    /// Data files, as `--data` takes them.
    data: Vec<String>,
    columns: Vec<String>,
    labels: Vec<String>,
    fit: Option<Fit>,
    /// The last line, and the model before it, in case the next line goes on.
    last: Option<(String, Notebook)>,
    workplace: Option<Workplace>,
}

/// The name of a model that no file has given one.
const UNNAMED: &str = "model.hlm";

impl Session {
    /// A session without definitions.
    pub fn new() -> Session {
        Session {
            calculator: Calculator::new(),
            model: Model::Lines(Notebook::default()),
            name: UNNAMED.to_string(),
            data: Vec::new(),
            columns: Vec::new(),
            labels: Vec::new(),
            fit: None,
            last: None,
            workplace: None,
        }
    }

    /// Answers a line, or several that belong together.
    pub fn answer(&mut self, line: &str) -> Answer {
        let line = line.trim();
        if let Some(command) = line.strip_prefix(':') {
            self.last = None;
            return self.command(command);
        }
        let text = line.strip_suffix(';').unwrap_or(line).trim_end();
        if text.is_empty() || is_comment(text) {
            return Answer::Text(String::new());
        }
        match self.last.take() {
            Some((before, notebook)) if syntax::continues_line(text) => {
                self.go_on(&before, notebook, text)
            }
            _ => self.enter(text),
        }
    }

    /// Takes a text that continues the last line of the model; `notebook` is the model before that line.
    fn go_on(&mut self, before: &str, notebook: Notebook, text: &str) -> Answer {
        let now = std::mem::replace(&mut self.model, Model::Lines(notebook));
        match self.enter(&format!("{before}\n{text}")) {
            Answer::Trouble(fault) => {
                self.model = now;
                match self.enter(text) {
                    Answer::Trouble(_) => Answer::Trouble(fault),
                    answer => answer,
                }
            }
            answer => answer,
        }
    }

    /// What completion offers.
    pub fn vocabulary(&self) -> Vocabulary {
        let mut names: Vec<String> = self.columns.clone();
        names.extend(self.calculator.names().map(str::to_string));
        if let Model::Lines(notebook) = &self.model {
            names.extend(notebook.names());
        }
        if let Some(fit) = &self.fit {
            names.extend(fit.variables.names().map(str::to_string));
        }
        names.sort();
        names.dedup();
        Vocabulary {
            names,
            labels: self.labels.clone(),
            functions: help::functions(),
            distributions: help::distributions(),
        }
    }

    /// Takes a line that is no command.
    fn enter(&mut self, text: &str) -> Answer {
        if is_function(text) {
            return Answer::from(self.calculator.define_function(text).map_err(Fault::from));
        }
        let as_expression = self.calculator.parse(text);
        if let Ok(expr) = &as_expression {
            if let Model::Lines(notebook) = &self.model {
                self.last = Some((text.to_string(), notebook.clone()));
            }
            return Answer::from(self.value(expr));
        }
        if let Some((name, expression)) = definition(text)
            && !self.is_modelling()
        {
            let outcome = self.calculator.evaluate_and_define(name, expression);
            return Answer::from(outcome.map_err(Fault::from));
        }
        let (sources, source) = self.calculator.sources_with(text);
        match syntax::parse_form(sources, source, &mut NoIncludes) {
            Ok(Form::Equation(program)) => self.take_items(text, program.items),
            Ok(Form::Block(_)) => Answer::Trouble(Fault::new(
                "a program in blocks is read from a file: `:load FILE`",
            )),
            Err(found) => Answer::Trouble(match as_expression {
                Err(failure) if !is_model_line(text) => Fault::Findings(failure),
                _ => Fault::Findings(self.calculator.failure(found)),
            }),
        }
    }

    /// Whether lines with `=` belong to a model.
    fn is_modelling(&self) -> bool {
        match &self.model {
            Model::Lines(notebook) => !notebook.is_empty() || !self.data.is_empty(),
            Model::Blocks(_) => false,
        }
    }

    fn take_items(&mut self, text: &str, items: Vec<hlm::syntax::equation::Item>) -> Answer {
        let Model::Lines(notebook) = &mut self.model else {
            return Answer::Trouble(Fault::new(format!(
                "`{}` is in block form, which lines cannot change; `:new` begins another model",
                self.name
            )));
        };
        self.last = Some((text.to_string(), notebook.clone()));
        let replaced = notebook.add(items);
        match replaced.as_slice() {
            [] => Answer::Text(String::new()),
            lines => Answer::Note(format!("replaces  {}", lines.join("\n          "))),
        }
    }

    /// The value of an expression: one number or container, or what the draws say of it.
    fn value(&mut self, written: &ast::Expr) -> Result<String, Fault> {
        let expr = &match &self.fit {
            Some(fit) => fit.variables.in_program_names(written),
            None => written.clone(),
        };
        if let Some(name) = self.without_draws(expr) {
            let again = if self.fit.is_some() { " again" } else { "" };
            return Err(Fault::new(format!(
                "`{name}` is a name of the model that has no draws yet: `:fit`{again}"
            )));
        }
        if let Some(fit) = &self.fit
            && fit.variables.are_in(expr)
        {
            let draws = &fit.sampled.run.draws;
            return Ok(draws::describe(
                &mut self.calculator,
                &fit.variables,
                draws,
                expr,
            )?);
        }
        let (ty, value, printed) = self.calculator.value(expr)?;
        let (shown, ty) = (display_value(&value), spell(&ty, &value));
        Ok(format!("{printed}{shown} : {ty}\n"))
    }

    /// The first name in an expression that only a fit could give a value.
    fn without_draws<'e>(&self, expr: &'e ast::Expr) -> Option<&'e str> {
        let Model::Lines(notebook) = &self.model else {
            return None;
        };
        let of_model = notebook.quantities();
        let has_value = |name: &str| {
            self.calculator.names().any(|own| own == name)
                || (self.fit.iter()).any(|fit| fit.variables.names().any(|own| own == name))
        };
        let mut names = expr.variables().into_iter();
        names.find(|name| of_model.iter().any(|own| own == name) && !has_value(name))
    }
}

// Commands.
impl Session {
    fn command(&mut self, command: &str) -> Answer {
        let (name, rest) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "q" | "quit" | "exit" => Answer::Quit,
            "h" | "help" | "?" | "doc" => self.help(rest),
            "t" | "type" => Answer::from(self.type_of(rest).map_err(Fault::from)),
            "let" => match definition(rest) {
                Some((name, expression)) => {
                    let outcome = self.calculator.evaluate_and_define(name, expression);
                    Answer::from(outcome.map_err(Fault::from))
                }
                None => Answer::Trouble(Fault::new("as in `:let x = 2 * pi()`")),
            },
            "vars" => Answer::Text(self.calculator.listing()),
            "seed" => match rest.parse() {
                Ok(seed) => {
                    self.calculator.seed(seed);
                    Answer::Text(String::new())
                }
                Err(_) => Answer::Trouble(Fault::new(format!(
                    "`{rest}` is no seed: a whole number is"
                ))),
            },
            "data" => self.data_command(rest),
            "show" => Answer::from(self.text()),
            "new" => {
                self.model = Model::Lines(Notebook::default());
                self.name = UNNAMED.to_string();
                Answer::Text(String::new())
            }
            "drop" => self.drop_name(rest),
            "load" => self.load(Path::new(rest)),
            "save" => self.save(Path::new(rest)),
            "fit" => self.fit(rest),
            "summary" => self.summary(rest),
            "expand" | "check" => self.run_command(name, rest, &[]),
            "pooling" => {
                let data = self.data_options();
                self.run_command(name, rest, &data)
            }
            "prior" => match self.run_options(rest) {
                Ok(more) => self.run_command(name, rest, &more),
                Err(fault) => Answer::Trouble(fault),
            },
            "predict" => Answer::from(self.predict(rest).map(|()| String::new())),
            _ => Answer::Trouble(Fault::new(format!(
                "there is no command `:{name}`; `:help` lists them"
            ))),
        }
    }

    fn help(&self, name: &str) -> Answer {
        let name = name.trim_start_matches(':');
        if name.is_empty() || help::COMMANDS.iter().any(|(command, _)| *command == name) {
            return Answer::Text(help::OVERVIEW.to_string());
        }
        let mut text = match &self.model {
            Model::Lines(notebook) => notebook.lines_about(name),
            Model::Blocks(_) => String::new(),
        };
        text.push_str(&help::documentation(name).unwrap_or_default());
        match text.is_empty() {
            true => Answer::Trouble(Fault::new(format!(
                "neither the library nor the model has `{name}`"
            ))),
            false => Answer::Text(text),
        }
    }

    fn type_of(&mut self, text: &str) -> Result<String, Failure> {
        let expr = self.calculator.parse(text)?;
        let visible = match &self.fit {
            Some(fit) => fit.variables.visible(),
            None => Vec::new(),
        };
        let checked = self.calculator.check(&expr, &visible)?;
        Ok(format!("{}\n", checked.expr.ty))
    }

    /// `:data FILE`, `:data i=FILE`, or the list of files.
    fn data_command(&mut self, rest: &str) -> Answer {
        let mut said = String::new();
        for file in words(rest) {
            match self.add_data(&file) {
                Ok(text) => said.push_str(&text),
                Err(fault) => return Answer::Trouble(fault),
            }
        }
        if rest.is_empty() {
            said = self.data.iter().map(|file| format!("{file}\n")).collect();
        }
        Answer::Text(said)
    }

    /// Takes a data file; says what is in it. Its numbers become variables of the prompt.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn add_data(&mut self, file: &str) -> Result<String, Fault> {
        let (_, path) = letter_and_path(file);
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let said = if is_json {
            let data = read_json(&path)?;
            let names = data.entries().iter().map(|entry| entry.name.clone());
            self.columns.extend(names);
            self.calculator.take_data(&data)
        } else {
            self.take_table(&path)?
        };
        self.data.retain(|old| letter_and_path(old).1 != path);
        self.data.push(file.to_string());
        Ok(said)
    }

    fn take_table(&mut self, path: &Path) -> Result<String, Fault> {
        let bytes = read_bytes(path, "data file")?;
        let shown = path.display().to_string();
        let mut sources = Sources::new(&hlm::source::SourceMap::new());
        if let Err(found) = sources.add_csv(&shown, &bytes, None) {
            return Err(Fault::Findings(Failure {
                sources: sources.texts,
                diagnostics: vec![*found],
            }));
        }
        let mut said = String::new();
        for table in sources.tables() {
            said.push_str(&super::columns::describe(table));
            for column in &table.columns {
                self.columns.push(column.name.clone());
                self.labels.extend(super::columns::labels(column));
                if let Some(value) = super::columns::value(column) {
                    self.calculator
                        .define(column.name.clone(), value.ty(), value);
                }
            }
        }
        self.labels.sort();
        self.labels.dedup();
        Ok(said)
    }

    /// The model as a file holds it.
    fn text(&self) -> Result<String, Fault> {
        match &self.model {
            Model::Blocks(text) => Ok(text.clone()),
            Model::Lines(notebook) if notebook.is_empty() => Err(Fault::new(
                "there is no model yet: type its lines, or `:load` a file",
            )),
            Model::Lines(notebook) => Ok(notebook.text(self.calculator.functions())),
        }
    }

    fn drop_name(&mut self, name: &str) -> Answer {
        let Model::Lines(notebook) = &mut self.model else {
            return Answer::Trouble(Fault::new("a program in block form has no lines to drop"));
        };
        match notebook.drop_name(name).as_slice() {
            [] => Answer::Trouble(Fault::new(format!("no line defines `{name}`"))),
            lines => Answer::Note(format!("drops  {}", lines.join("\n       "))),
        }
    }

    fn load(&mut self, path: &Path) -> Answer {
        Answer::from(self.read_model(path).map(|()| String::new()))
    }

    fn read_model(&mut self, path: &Path) -> Result<(), Fault> {
        let bytes = read_bytes(path, "program")?;
        let shown = path.display().to_string();
        let text = String::from_utf8(bytes)
            .map_err(|_| Fault::new(format!("the program `{shown}` is not text in UTF-8")))?;
        let mut sources = hlm::source::SourceMap::new();
        let source = sources.add(shown, text.clone());
        let mut include = hlm::model::include_from_folder;
        let form = syntax::parse_form(&mut sources, source, &mut include);
        self.model = match form {
            Ok(Form::Equation(program)) => {
                let functions = program.functions.iter().flat_map(|block| &block.items);
                for function in functions {
                    self.calculator
                        .define_function(&syntax::format_function(function))?;
                }
                let mut notebook = Notebook::default();
                notebook.add(program.items);
                Model::Lines(notebook)
            }
            Ok(Form::Block(_)) => Model::Blocks(text),
            Err(diagnostics) => {
                return Err(Fault::Findings(Failure {
                    sources,
                    diagnostics,
                }));
            }
        };
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        self.name = name.unwrap_or_else(|| UNNAMED.to_string());
        Ok(())
    }

    fn save(&mut self, path: &Path) -> Answer {
        if path.as_os_str().is_empty() {
            return Answer::Trouble(Fault::new("say where, as in `:save schools.hlm`"));
        }
        let written = self.text().and_then(|text| {
            std::fs::write(path, text).map_err(|error| {
                Fault::new(format!("`{}` cannot be written: {error}", path.display()))
            })
        });
        Answer::from(written.map(|()| String::new()))
    }
}

// What runs as it does at the command line.
impl Session {
    fn fit(&mut self, options: &str) -> Answer {
        let outcome = self.try_fit(options);
        if let Err(fault) = outcome {
            return Answer::Trouble(fault);
        }
        Answer::Text(String::new())
    }

    /// Data, and a folder for the draws where the user has not named one.
    fn run_options(&mut self, options: &str) -> Result<Vec<String>, Fault> {
        let mut more = self.data_options();
        let folder = self.workplace()?.next_run();
        let words = words(options);
        let mut words = words.iter();
        if !words.any(|word| word == "-o" || word.starts_with("--output")) {
            more.extend(["--output".to_string(), folder.display().to_string()]);
        }
        Ok(more)
    }

    fn try_fit(&mut self, options: &str) -> Result<(), Fault> {
        let more = self.run_options(options)?;
        let Command::Sample(args) = self.parsed("sample", options, &more)? else {
            return Err(Fault::new("this is no option of `:fit`"));
        };
        let sampled = fit(&args).map_err(|fault| self.in_own_words(fault))?;
        report(&args, &sampled, "`:summary`")?;
        if sampled.run.draws.rows() > 0 {
            let variables = Variables::new(&sampled.posterior, &sampled.run.draws);
            let text = self.text()?;
            self.fit = Some(Fit {
                text,
                sampled,
                variables,
            });
        }
        Ok(())
    }

    /// Predicts with the model of the last fit, whatever became of its lines since.
    fn predict(&mut self, options: &str) -> Result<(), Fault> {
        let fit = self.fit.as_ref().ok_or_else(nothing_fitted)?;
        let folder = fit.sampled.folder().display().to_string();
        let text = fit.text.clone();
        let more = ["--fit".to_string(), folder];
        let words = self.line_for(&text, "predict", options, &more)?;
        let outcome = parse_words(&words).and_then(|command| commands::execute(&command));
        outcome
            .map(|_| ())
            .map_err(|fault| self.in_own_words(fault))
    }

    fn summary(&mut self, patterns: &str) -> Answer {
        let Some(fit) = &self.fit else {
            return Answer::Trouble(nothing_fitted());
        };
        let patterns = words(patterns);
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let summary = fit.sampled.run.draws.summary(&patterns);
        match summary.unmatched.first() {
            Some(pattern) => {
                let names: Vec<&str> = fit.variables.names().collect();
                let names = names.join(", ");
                Answer::Trouble(Fault::new(format!(
                    "no variable matches `{pattern}`; there are {names}"
                )))
            }
            None => Answer::Text(summary.to_text()),
        }
    }

    /// A command of the command line, for this model.
    fn run_command(&mut self, name: &str, options: &str, more: &[String]) -> Answer {
        match self.command_line(name, options, more) {
            Ok(words) => self.execute(&words),
            Err(fault) => Answer::Trouble(fault),
        }
    }

    fn execute(&self, words: &[String]) -> Answer {
        let outcome = parse_words(words).and_then(|command| commands::execute(&command));
        match outcome {
            Ok(_) => Answer::Text(String::new()),
            Err(fault) => Answer::Trouble(self.in_own_words(fault)),
        }
    }

    fn parsed(&mut self, name: &str, options: &str, more: &[String]) -> Result<Command, Fault> {
        parse_words(&self.command_line(name, options, more)?)
    }

    fn command_line(
        &mut self,
        name: &str,
        options: &str,
        more: &[String],
    ) -> Result<Vec<String>, Fault> {
        let text = self.text()?;
        self.line_for(&text, name, options, more)
    }

    /// A command line about a model given as text.
    fn line_for(
        &mut self,
        text: &str,
        name: &str,
        options: &str,
        more: &[String],
    ) -> Result<Vec<String>, Fault> {
        let file = self.name.clone();
        let path = self.workplace()?.write(&file, text)?;
        let mut line = vec!["hlm".to_string(), name.to_string()];
        line.push(path.display().to_string());
        line.extend(words(options));
        line.extend(more.iter().cloned());
        Ok(line)
    }

    fn data_options(&self) -> Vec<String> {
        let files = self.data.iter();
        files
            .flat_map(|file| ["--data".to_string(), file.clone()])
            .collect()
    }

    fn workplace(&mut self) -> Result<&mut Workplace, Fault> {
        let place = match self.workplace.take() {
            Some(place) => place,
            None => Workplace::new().map_err(|error| {
                Fault::new(format!("there is no place for temporary files: {error}"))
            })?,
        };
        Ok(self.workplace.insert(place))
    }

    /// A fault in which the model's file is called as the user calls it.
    fn in_own_words(&self, fault: Fault) -> Fault {
        match (fault, &self.workplace) {
            (Fault::Findings(mut failure), Some(place)) => {
                failure.sources.rename(|name| {
                    let path = Path::new(name);
                    let own = path.file_name().filter(|_| place.holds(path));
                    own.map(|name| name.to_string_lossy().into_owned())
                });
                for found in &mut failure.diagnostics {
                    found.hint = found
                        .hint
                        .take()
                        .map(|hint| hint.replace("--data", ":data"));
                }
                Fault::Findings(failure)
            }
            (fault, _) => fault,
        }
    }
}

fn nothing_fitted() -> Fault {
    Fault::new("nothing has been fitted yet: `:fit` does")
}

/// A command line as the program reads its own.
fn parse_words(words: &[String]) -> Result<Command, Fault> {
    match Arguments::try_parse_from(words) {
        Ok(arguments) => Ok(arguments.command),
        Err(error) => {
            let said = error.to_string();
            let said = said.trim().strip_prefix("error: ").unwrap_or(said.trim());
            // The usage line would speak of files that the user never named.
            Err(Fault::new(said.split("\n\nUsage:").next().unwrap_or(said)))
        }
    }
}

/// The words of a command's arguments; quotation marks hold together what has spaces.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => word.get_or_insert_default().push(character),
            None if character == '"' || character == '\'' => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// `i=ads.csv`: the letter and the file; mostly there is no letter.
fn letter_and_path(file: &str) -> (Option<&str>, PathBuf) {
    match file.split_once('=') {
        Some((letter, path)) if letter.chars().all(char::is_alphanumeric) => {
            (Some(letter), PathBuf::from(path))
        }
        _ => (None, PathBuf::from(file)),
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

/// Whether a text that is neither expression nor line of a model was meant as the latter.
fn is_model_line(text: &str) -> bool {
    let begins = |word: &str| {
        text.strip_prefix(word)
            .is_some_and(|rest| rest.starts_with(char::is_whitespace))
    };
    text.contains('~')
        || ["index", "data", "param"].into_iter().any(begins)
        || text.starts_with("target")
        || definition(text).is_none() && text.replace("==", "").contains('=')
}

/// Whether a text begins as a function's definition does: type, name, arguments, and somewhere a body.
fn is_function(text: &str) -> bool {
    let first: String = text
        .chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect();
    let is_type = ["void", "array", "tuple"].contains(&first.as_str())
        || ast::BaseType::ALL.iter().any(|ty| ty.word() == first);
    text.contains('{') && is_type && !text.contains('~')
}

/// Whether nothing but a line comment stands there.
fn is_comment(text: &str) -> bool {
    text.starts_with("//") && !text.contains('\n')
}
