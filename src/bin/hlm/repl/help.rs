//! What the prompt says about itself, and about names.

use hlm::session;
use hlm::syntax;

/// What can be typed.
pub const OVERVIEW: &str = "\
A model grows line by line; a line that defines a name again replaces the old one:
  :data schools.csv                  the table that the model speaks of
  index j
  data y[j], se[j]
  y[j] ~ normal(theta[j], se[j])
  theta[j] ~ normal(mu, tau)
Then:
  :fit [OPTIONS]                     sample it; options are those of `hlm sample`, such as --draws 500 --seed 1
  theta[3] > theta[1], mean(tau)     an expression over the draws: a probability, or a table
  :summary [NAMES]                   the table of the last fit, or some of its rows (`theta`, `theta[*]`)
  :predict, :pooling [OPTIONS]       as `hlm predict` and `hlm pooling`; tables and pictures go to a folder here
  :prior [OPTIONS]                   draws from the prior, and the data that it predicts
  :show, :expand, :check             the model; the Stan program that it stands for; whether it is whole
  :drop NAME, :new                   take a name out of the model; begin another
  :save FILE, :load FILE             write or read the model
Besides:
  1 + 2, normal_lpdf(0.5 | 0, 1)     an expression: its value and type
  x = [1, 2, 3]'                     while there is no model: a variable of the prompt
  real f(real x) { return x^2; }     a function, for the prompt and the model
  :let NAME = EXPR                   a variable of the prompt, at any time
  :type EXPR, :vars, :seed N         a type; what is defined; random numbers afresh
  :help NAME                         what the library says about a function or distribution
  :quit                              end (also Ctrl-D)
A line goes on while brackets are open, or after an operator; an operator at the beginning continues the line before.
Tab completes, Ctrl-C stops a fit and keeps its draws.
";

/// The commands with the kind of argument that each takes.
pub const COMMANDS: [(&str, Argument); 19] = [
    ("check", Argument::None),
    ("data", Argument::File),
    ("doc", Argument::Function),
    ("drop", Argument::Name),
    ("expand", Argument::None),
    ("fit", Argument::None),
    ("help", Argument::Function),
    ("let", Argument::None),
    ("load", Argument::File),
    ("new", Argument::None),
    ("pooling", Argument::Name),
    ("predict", Argument::Name),
    ("prior", Argument::None),
    ("quit", Argument::None),
    ("save", Argument::File),
    ("seed", Argument::None),
    ("show", Argument::None),
    ("summary", Argument::Name),
    ("type", Argument::Name),
];

/// What the argument of a command is, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing that could be completed.
    None,
    /// A file or folder.
    File,
    /// A function or distribution of the library.
    Function,
    /// A name of the model.
    Name,
}

/// The suffixes with which the library spells a distribution's density.
const DENSITIES: [&str; 2] = ["_lpdf", "_lpmf"];

/// The doc comments of the library's functions of a name; a distribution is known by its name without suffix too.
pub fn documentation(name: &str) -> Option<String> {
    let (_, library) = session::library().ok()?;
    let mut text = String::new();
    for function in library.functions() {
        let own = function.definition.name.name.as_str();
        let is_meant = own == name
            || DENSITIES
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

/// The distributions that can stand right of `~`, sorted.
pub fn distributions() -> Vec<String> {
    let Ok((_, library)) = session::library() else {
        return Vec::new();
    };
    let density = |name: &str| {
        let mut suffixes = DENSITIES.iter();
        suffixes.find_map(|suffix| name.strip_suffix(suffix).map(str::to_string))
    };
    library.public_names().filter_map(density).collect()
}

/// The functions that expressions can call, sorted.
pub fn functions() -> Vec<String> {
    match session::library() {
        Ok((_, library)) => library.public_names().map(str::to_string).collect(),
        Err(_) => Vec::new(),
    }
}
