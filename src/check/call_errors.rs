//! What is said about a call that no function fits.

use super::Checker;
use super::fit::{Callable, Choice, scalar_ty};
use super::frame::Ending;
use super::function::Definition;
use super::promote::promotions;
use super::scope::nearest;
use super::signature::forms;
use crate::builtins::{Container, Kind, Prim};
use crate::diag::{Code, Diagnostic};
use crate::ir::Expr;
use crate::source::Span;
use crate::types::Ty;

impl<'a> Checker<'a> {
    /// Reports a name that calls nothing, with the best guess at what was meant.
    pub(super) fn undeclared_function<T>(&mut self, name: &str, span: Span) -> Option<T> {
        if let Some(replacement) = super::removed::replacement(name) {
            let title = format!("`{name}` no longer exists");
            return self.fail(
                Diagnostic::error(Code::RemovedFunction, title, span, "").with_hint(replacement),
            );
        }
        if let Some(suffixed) = self.density_named(name) {
            return self.fail(
                Diagnostic::error(
                    Code::MissingSuffix,
                    format!("`{name}` is a distribution and cannot be called without a suffix"),
                    span,
                    "",
                )
                .with_hint(format!(
                    "`{suffixed}(y | …)` is its log density; `y ~ {name}(…)` adds that to the target"
                )),
            );
        }
        if let Some(binding) = self.scopes.find(name) {
            let declared_at = binding.span;
            let title = format!("`{name}` is a variable, not a function");
            return self.fail(
                Diagnostic::error(Code::UndeclaredFunction, title, span, "called")
                    .with_secondary(declared_at, "declared here")
                    .with_hint(format!("its elements are `{name}[…]`")),
            );
        }
        let title = format!("there is no function `{name}`");
        let diagnostic = Diagnostic::error(Code::UndeclaredFunction, title, span, "");
        let diagnostic = match nearest(name, self.function_names()) {
            Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
            None => diagnostic,
        };
        self.fail(diagnostic)
    }

    fn function_names(&self) -> impl Iterator<Item = &str> {
        let prims = Prim::ALL.iter().map(|prim| prim.name());
        let containers = Container::ALL.iter().map(|function| function.name());
        let user = self.functions.keys().copied();
        user.chain(self.library.public_names()).chain(
            prims
                .chain(containers)
                .filter(|name| !name.starts_with("operator")),
        )
    }

    /// Reports several equally good choices.
    pub(super) fn ambiguous<T>(&mut self, name: &str, fits: &[Choice], span: Span) -> Option<T> {
        let title = format!("several functions `{name}` fit equally well");
        let mut diagnostic = Diagnostic::error(Code::AmbiguousCall, title, span, "");
        for choice in fits {
            if let Callable::Defined(definition) = choice.callable
                && choice.fit.promotions == fits[0].fit.promotions
            {
                let types = list(&definition.parameters());
                diagnostic =
                    diagnostic.with_secondary(definition.ast.name.span, format!("takes ({types})"));
            }
        }
        self.fail(diagnostic.with_hint("write a decimal point where a real is meant"))
    }

    /// Reports arguments that nothing of that name takes.
    pub(super) fn no_fit<T>(
        &mut self,
        name: &str,
        candidates: &[Callable],
        arguments: &[Expr],
        span: Span,
    ) -> Option<T> {
        let types: Vec<Ty> = arguments
            .iter()
            .map(|argument| argument.ty.clone())
            .collect();
        let counts: Vec<usize> = candidates
            .iter()
            .flat_map(|&callable| counts(callable))
            .collect();
        let diagnostic = if counts.contains(&arguments.len()) {
            let title = format!("`{name}` cannot be called with ({})", list(&types));
            Diagnostic::error(Code::ArgumentTypes, title, span, "")
        } else {
            let given = arguments.len();
            let wanted = counts_in_words(&counts);
            let title = format!("`{name}` takes {wanted}, but is called with {given}");
            Diagnostic::error(Code::ArgumentCount, title, span, "")
        };
        let mut diagnostic = diagnostic;
        for sentence in described(candidates, name) {
            diagnostic = diagnostic.with_note(sentence);
        }
        if let [Callable::Defined(definition)] = candidates {
            for (argument, parameter) in arguments.iter().zip(definition.parameters()) {
                if !definition.from_library && promotions(&argument.ty, &parameter).is_none() {
                    let text = format!("{}, but {parameter} is needed", argument.ty);
                    diagnostic = diagnostic.with_secondary(argument.span, text);
                }
            }
        }
        self.fail(diagnostic)
    }
}

/// The numbers of arguments that a function can take.
fn counts(callable: Callable) -> Vec<usize> {
    match callable {
        Callable::Prim(prim) => vec![prim.args().len()],
        Callable::Draw(draw) => vec![draw.row().1.len()],
        Callable::Defined(definition) => vec![definition.ast.parameters.len()],
        Callable::Container(function) => forms(function)
            .iter()
            .map(|form| form.matches(", ").count() + 1)
            .collect(),
    }
}

fn counts_in_words(counts: &[usize]) -> String {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    counts.dedup();
    let words: Vec<String> = counts.iter().map(usize::to_string).collect();
    let plural = if counts == [1] { "" } else { "s" };
    format!("{} argument{plural}", words.join(" or "))
}

/// What the functions of a name take, as sentences.
fn described(candidates: &[Callable], name: &str) -> Vec<String> {
    let definitions: Vec<Definition> = candidates
        .iter()
        .filter_map(|callable| match callable {
            Callable::Defined(definition) => Some(*definition),
            _ => None,
        })
        .collect();
    let mut sentences: Vec<String> = candidates
        .iter()
        .filter(|callable| !matches!(callable, Callable::Defined(_)))
        .flat_map(|&callable| described_builtin(callable, name))
        .collect();
    match described_together(&definitions, name) {
        Some(together) => sentences.extend(together),
        None => sentences.extend(
            definitions
                .iter()
                .map(|&definition| format!("`{name}` takes ({}).", definition_form(definition))),
        ),
    }
    sentences.extend(definitions.first().and_then(|&first| extension(first)));
    sentences
}

fn described_builtin(callable: Callable, name: &str) -> Vec<String> {
    let scalars = |kinds: &[Kind]| {
        list(
            &kinds
                .iter()
                .map(|&kind| scalar_ty(kind))
                .collect::<Vec<_>>(),
        )
    };
    match callable {
        Callable::Prim(prim) => vec![format!(
            "`{name}` takes ({}), or containers of one shape element by element.",
            scalars(prim.args())
        )],
        Callable::Container(function) => forms(function)
            .iter()
            .filter_map(|form| form.split_once('('))
            .map(|(result, parameters)| {
                format!("`{name}` takes ({parameters} and returns {result}.")
            })
            .collect(),
        Callable::Draw(draw) => vec![format!("`{name}` takes ({}).", scalars(draw.row().1))],
        Callable::Defined(_) => Vec::new(),
    }
}

/// Many overloads whose arguments have the same names: the types of each argument.
fn described_together(definitions: &[Definition], name: &str) -> Option<Vec<String>> {
    let names = |definition: &Definition| -> Vec<String> {
        let parameters = definition.ast.parameters.iter();
        parameters
            .map(|parameter| parameter.name.name.clone())
            .collect()
    };
    let first = definitions.first()?;
    let shared = names(first);
    if definitions.len() < 3 || definitions.iter().any(|other| names(other) != shared) {
        return None;
    }
    let mut sentences = vec![format!(
        "`{name}` takes ({}).",
        with_bar(*first, shared.clone())
    )];
    for (position, argument) in shared.iter().enumerate() {
        let mut types: Vec<String> = Vec::new();
        for definition in definitions {
            let ty = definition.parameters()[position].to_string();
            if !types.contains(&ty) {
                types.push(ty);
            }
        }
        sentences.push(format!("`{argument}` is {}.", types.join(" or ")));
    }
    Some(sentences)
}

/// What a library function takes besides what it declares.
fn extension(definition: Definition) -> Option<String> {
    let parameters = definition.parameters();
    let has_numbers = parameters.iter().any(Ty::is_scalar);
    match definition.ending() {
        _ if !definition.from_library => None,
        Ending::Density | Ending::Cumulative | Ending::Random => has_numbers.then(|| {
            "A vector, row vector or array can stand where a number is declared.".to_owned()
        }),
        _ if parameters.iter().all(Ty::is_scalar) => {
            Some("It takes containers of one shape, too, element by element.".to_owned())
        }
        _ => None,
    }
}

/// A definition's arguments with a bar after the outcome of a density.
fn definition_form(definition: Definition) -> String {
    let named: Vec<String> = definition
        .ast
        .parameters
        .iter()
        .zip(definition.parameters())
        .map(|(parameter, ty)| format!("{ty} {}", parameter.name.name))
        .collect();
    with_bar(definition, named)
}

/// Arguments with a bar after the outcome of a density.
fn with_bar(definition: Definition, arguments: Vec<String>) -> String {
    match (definition.ending(), arguments.split_first()) {
        (Ending::Density | Ending::Cumulative, Some((outcome, rest))) => {
            format!("{outcome} | {}", rest.join(", "))
        }
        _ => arguments.join(", "),
    }
}

/// Types with commas between.
pub(super) fn list(types: &[Ty]) -> String {
    let words: Vec<String> = types.iter().map(Ty::to_string).collect();
    words.join(", ")
}
