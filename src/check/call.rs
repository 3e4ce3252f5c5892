//! Calls: which function of a name fits the arguments best, and how it is lifted over containers.

use super::Checker;
use super::frame::{Ending, Place};
use super::function::{Definition, Mode};
use super::operator::container_call;
use super::promote::{joint_level, prim_call, promote, promotions, with_scalar};
use super::scope::nearest;
use super::signature::{fitting_form, forms, is_shape_query};
use crate::builtins::{Container, Draw, Kind, Prim};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Callee, Expr, ExprKind, Lift};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};
use crate::types::{Level, Ty};

/// Something that a name can call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callable<'a> {
    /// A primitive of scalars.
    Prim(Prim),
    /// A function of containers.
    Container(Container),
    /// A random draw.
    Draw(Draw),
    /// A function of the program or the library.
    Defined(Definition<'a>),
}

/// How a function fits arguments.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// Whether it is the function itself that takes the arguments, or its elementwise extension; the former wins.
    lifted: bool,
    /// The number of promotions; fewer win.
    promotions: u32,
    /// The type that each argument is converted to.
    parameters: Vec<Ty>,
    /// The type of the call.
    result: Ty,
    /// How the function is applied.
    lift: Lift,
}

/// The function chosen for a call.
#[derive(Clone, Debug)]
pub(super) struct Choice<'a> {
    /// Which.
    pub callable: Callable<'a>,
    /// How it fits.
    fit: Fit,
}

impl Choice<'_> {
    /// Whether the call is lifted over containers.
    pub fn is_lifted(&self) -> bool {
        self.fit.lift != Lift::Whole
    }

    /// The type of the call.
    pub fn result(&self) -> &Ty {
        &self.fit.result
    }

    /// The same call for every element, without summing up.
    pub fn each(mut self, shape: &Ty) -> Self {
        if self.fit.lift == Lift::Sum {
            self.fit.lift = Lift::Each;
            self.fit.result = with_scalar(shape, &Ty::Real);
        }
        self
    }
}

impl<'a> Checker<'a> {
    /// A call as part of an expression.
    pub(super) fn call(
        &mut self,
        function: &'a ast::Identifier,
        arguments: &'a [ast::Expr],
        bar: bool,
        span: Span,
    ) -> Option<Expr> {
        let name = function.name.as_str();
        let by_user = !self.user_definitions(name).is_empty();
        if !by_user && self.is_higher_order(name) {
            return self.higher_order(function, arguments, span);
        }
        let arguments = self.values(arguments);
        if matches!(Ending::of(name), Ending::Density | Ending::Cumulative) {
            return self.density_call(function, arguments, bar, span);
        }
        let arguments = arguments?;
        if bar {
            return self.misplaced_bar(function);
        }
        if !by_user && let Some(value) = self.renamed_operator(name, &arguments, span) {
            return value;
        }
        if !by_user
            && arguments.is_empty()
            && let Some(value) = super::higher_order::constant(name)
        {
            return Some(super::promote::real_constant(value, span));
        }
        let choice = self.choose(name, name, &arguments, function.span)?;
        self.verify_allowed(name, &choice, span)?;
        self.apply(choice, arguments, Mode::Plain, span)
    }

    fn misplaced_bar<T>(&mut self, function: &ast::Identifier) -> Option<T> {
        let name = &function.name;
        if self.candidates(name).is_empty() {
            return self.undeclared_function(name, function.span);
        }
        self.fail(
            Diagnostic::error(
                Code::BarMisplaced,
                format!("`{name}` is called with a bar"),
                function.span,
                "not a density",
            )
            .with_hint("separate its arguments by commas"),
        )
    }

    /// Everything of that name that can be called from the code at hand.
    pub(super) fn candidates(&self, name: &str) -> Vec<Callable<'a>> {
        let mut found: Vec<Callable> = self
            .user_definitions(name)
            .iter()
            .copied()
            .map(Callable::Defined)
            .collect();
        found.extend(self.library_definitions(name).map(Callable::Defined));
        found.extend(Prim::named(name).map(Callable::Prim));
        found.extend(Container::named(name).map(Callable::Container));
        found.extend(Draw::named(name).map(Callable::Draw));
        found
    }

    /// Whether the library or the compiler has a function of that name.
    pub(super) fn is_library_name(&self, name: &str) -> bool {
        self.library_definitions(name).next().is_some()
            || Prim::named(name).next().is_some()
            || Container::named(name).is_some()
    }

    /// Whether a function of the compiler takes exactly these types.
    pub(super) fn builtin_takes(&self, name: &str, parameters: &[Ty]) -> bool {
        Prim::named(name)
            .any(|prim| fit_prim(prim, parameters).is_some_and(|fit| fit.promotions == 0))
            || Container::named(name)
                .and_then(|function| fitting_form(function, parameters))
                .is_some_and(|form| form.promotions == 0)
    }

    /// The function of that name that fits the arguments best; reports if there is none.
    ///
    /// Messages call it `shown`, which is the distribution's name after `~`.
    pub(super) fn choose(
        &mut self,
        name: &str,
        shown: &str,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Choice<'a>> {
        let candidates = self.candidates(name);
        if candidates.is_empty() {
            return self.undeclared_function(name, span);
        }
        let types: Vec<Ty> = arguments
            .iter()
            .map(|argument| argument.ty.clone())
            .collect();
        let mut fits: Vec<Choice> = candidates
            .iter()
            .filter_map(|&callable| fit(callable, &types).map(|fit| Choice { callable, fit }))
            .collect();
        fits.sort_by_key(|choice| (choice.fit.lifted, choice.fit.promotions));
        let ambiguous = matches!(fits.as_slice(), [first, second, ..]
            if is_user(first.callable) && is_user(second.callable)
                && first.fit.promotions == second.fit.promotions);
        if ambiguous {
            return self.ambiguous(shown, &fits, span);
        }
        match fits.into_iter().next() {
            Some(choice) => Some(choice),
            None => self.no_fit(shown, &candidates, arguments, span),
        }
    }

    /// Builds the call of a chosen function.
    pub(super) fn apply(
        &mut self,
        choice: Choice<'a>,
        arguments: Vec<Expr>,
        mode: Mode,
        span: Span,
    ) -> Option<Expr> {
        let Choice { callable, fit } = choice;
        let arguments: Vec<Expr> = arguments
            .into_iter()
            .zip(&fit.parameters)
            .map(|(argument, ty)| converted(argument, ty))
            .collect();
        let level = joint_level(&arguments);
        match callable {
            Callable::Prim(prim) => Some(prim_call(prim, arguments, span)),
            Callable::Container(function) => {
                let call = container_call(function, fit.result, arguments, span);
                let level = if is_shape_query(function) {
                    Level::Data
                } else {
                    call.level
                };
                Some(Expr { level, ..call })
            }
            Callable::Draw(draw) => Some(Expr {
                kind: ExprKind::Call(Callee::Draw(draw), arguments),
                ty: fit.result,
                level: self.random_level(),
                span,
            }),
            Callable::Defined(definition) => {
                self.verify_data_arguments(definition, &arguments)?;
                let levels: Vec<Level> = arguments.iter().map(|argument| argument.level).collect();
                let id = self.instance(definition, &levels, mode);
                let level = match definition.ending() {
                    Ending::Random => self.random_level(),
                    Ending::Target => Level::Param,
                    _ => level,
                };
                Some(Expr {
                    kind: ExprKind::Call(Callee::Function(id, fit.lift), arguments),
                    ty: fit.result,
                    level,
                    span,
                })
            }
        }
    }

    /// The level of a random number.
    fn random_level(&self) -> Level {
        match self.frame.place {
            Place::TransformedData => Level::Data,
            _ => Level::Param,
        }
    }

    /// Checks that functions with special endings are called where they have a meaning.
    pub(super) fn verify_allowed(
        &mut self,
        name: &str,
        choice: &Choice<'a>,
        span: Span,
    ) -> Option<()> {
        let ending = match choice.callable {
            Callable::Draw(_) => Ending::Random,
            Callable::Defined(_) => Ending::of(name),
            _ => return Some(()),
        };
        let place = self.frame.place;
        let (code, title, note) = match ending {
            Ending::Random if !place.draws() => (
                Code::NoRandomHere,
                format!("`{name}` draws random numbers, which cannot be done here"),
                "Random numbers are drawn in transformed data, in generated quantities and in functions ending in _rng.",
            ),
            Ending::Target if !place.sees_target() => (
                Code::NoTargetHere,
                format!("`{name}` can change the log density, which cannot be done here"),
                "Functions ending in _lp are called in transformed parameters, in the model block and in functions ending in _lp.",
            ),
            Ending::Jacobian if !place.adds_jacobian() => (
                Code::NoJacobianHere,
                format!("`{name}` adds a Jacobian, which cannot be done here"),
                "Functions ending in _jacobian are called in transformed parameters and in functions ending in _jacobian.",
            ),
            _ => return Some(()),
        };
        let label = format!("in {}", place.describe());
        self.fail(Diagnostic::error(code, title, span, label).with_note(note))
    }

    pub(super) fn verify_data_arguments(
        &mut self,
        definition: Definition<'a>,
        arguments: &[Expr],
    ) -> Option<()> {
        let mut verified = Some(());
        for (parameter, argument) in definition.ast.parameters.iter().zip(arguments) {
            if parameter.data_only && !self.is_static_data(argument) {
                let title = format!(
                    "`{}` takes only data for `{}`",
                    definition.name(),
                    parameter.name.name
                );
                verified = self.fail(
                    Diagnostic::error(
                        Code::DataOnly,
                        title,
                        argument.span,
                        "may depend on parameters",
                    )
                    .with_note("Only data, transformed data and arguments qualified `data` count as data here."),
                );
            }
        }
        verified
    }

    /// `add(a, b)` and the like: operators under another name.
    fn renamed_operator(
        &mut self,
        name: &str,
        arguments: &[Expr],
        span: Span,
    ) -> Option<Option<Expr>> {
        use BinaryOp::*;
        if let [operand] = arguments {
            let operator = match name {
                "minus" => UnaryOp::Negate,
                "plus" => UnaryOp::Plus,
                "logical_negation" => UnaryOp::Not,
                _ => return None,
            };
            return Some(self.unary(operator, operand.clone(), span));
        }
        let [left, right] = arguments else {
            return None;
        };
        let operator = match name {
            "add" => Add,
            "subtract" => Subtract,
            "multiply" => Multiply,
            "divide" => Divide,
            "elt_multiply" => ElementMultiply,
            "elt_divide" => ElementDivide,
            "modulus" => Modulo,
            "logical_eq" => Equal,
            "logical_neq" => NotEqual,
            "logical_lt" => Less,
            "logical_lte" => LessEqual,
            "logical_gt" => Greater,
            "logical_gte" => GreaterEqual,
            _ => return None,
        };
        Some(self.binary(operator, left.clone(), right.clone(), span))
    }

    /// A call that stands alone as a statement.
    pub(super) fn call_statement(
        &mut self,
        function: &'a ast::Identifier,
        arguments: &'a [ast::Expr],
        span: Span,
    ) -> Option<(crate::ir::FunctionId, Vec<Expr>)> {
        let name = function.name.as_str();
        let arguments = self.values(arguments)?;
        let choice = self.choose(name, name, &arguments, function.span)?;
        self.verify_allowed(name, &choice, span)?;
        if *choice.result() != Ty::Void {
            let title = format!("the value of `{name}` is not used");
            return self.fail(
                Diagnostic::error(Code::UnusedValue, title, span, "")
                    .with_hint("assign it to a variable, or add it to the target"),
            );
        }
        let call = self.apply(choice, arguments, Mode::Plain, span)?;
        match call.kind {
            ExprKind::Call(Callee::Function(id, _), arguments) => Some((id, arguments)),
            _ => None,
        }
    }

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
        let title = format!("there is no function `{name}`");
        let diagnostic = Diagnostic::error(Code::UndeclaredFunction, title, span, "");
        let diagnostic = if self.scopes.find(name).is_some() {
            diagnostic.with_note(format!(
                "`{name}` is a variable; its elements are `{name}[…]`."
            ))
        } else if let Some(near) = nearest(name, self.function_names()) {
            diagnostic.with_hint(format!("did you mean `{near}`?"))
        } else {
            diagnostic
        };
        self.fail(diagnostic)
    }

    fn function_names(&self) -> impl Iterator<Item = &str> {
        let prims = Prim::ALL.iter().map(|prim| prim.name());
        let containers = Container::ALL.iter().map(|function| function.name());
        let user = self.functions.keys().copied();
        user.chain(self.library.names()).chain(
            prims
                .chain(containers)
                .filter(|name| !name.starts_with("operator")),
        )
    }

    fn ambiguous<T>(&mut self, name: &str, fits: &[Choice], span: Span) -> Option<T> {
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

    fn no_fit<T>(
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
        for form in candidates
            .iter()
            .flat_map(|&callable| described(callable, name))
        {
            diagnostic = diagnostic.with_note(form);
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

fn is_user(callable: Callable) -> bool {
    matches!(callable, Callable::Defined(definition) if !definition.from_library)
}

/// An argument as a value of the type that the function takes.
fn converted(argument: Expr, ty: &Ty) -> Expr {
    if *ty == Ty::Vector && argument.ty != Ty::Vector {
        let span = argument.span;
        return container_call(Container::ToVector, Ty::Vector, vec![argument], span);
    }
    promote(argument, ty)
}

fn fit(callable: Callable, arguments: &[Ty]) -> Option<Fit> {
    match callable {
        Callable::Prim(prim) => fit_prim(prim, arguments),
        Callable::Container(function) => fitting_form(function, arguments).map(|form| Fit {
            lifted: false,
            promotions: form.promotions,
            parameters: form.parameters,
            result: form.result,
            lift: Lift::Whole,
        }),
        Callable::Draw(draw) => {
            let (_, kinds, result) = draw.row();
            let parameters: Vec<Ty> = kinds.iter().map(|&kind| scalar_ty(kind)).collect();
            whole_fit(&parameters, &scalar_ty(result), arguments, false)
        }
        Callable::Defined(definition) => fit_definition(definition, arguments),
    }
}

fn scalar_ty(kind: Kind) -> Ty {
    match kind {
        Kind::Int => Ty::Int,
        Kind::Real => Ty::Real,
    }
}

/// A primitive takes scalars, and containers of one shape, element by element.
fn fit_prim(prim: Prim, arguments: &[Ty]) -> Option<Fit> {
    let kinds = prim.args();
    if kinds.len() != arguments.len() {
        return None;
    }
    let shape = common_shape(arguments)?;
    let mut needed = 0;
    let mut parameters = Vec::new();
    for (argument, &kind) in arguments.iter().zip(kinds) {
        let scalar = scalar_ty(kind);
        needed += promotions(&argument.scalar(), &scalar)?;
        parameters.push(match scalar {
            Ty::Int => argument.clone(),
            scalar => with_scalar(argument, &scalar),
        });
    }
    let result = scalar_ty(prim.result());
    Some(Fit {
        lifted: false,
        promotions: needed,
        parameters,
        result: shape.map_or(result.clone(), |shape| with_scalar(shape, &result)),
        lift: Lift::Whole,
    })
}

/// The shape of the containers among the arguments: `Some(None)` if all are scalars, `None` if they differ.
/// Integers come in arrays only, so an array of them goes with any container of as many dimensions.
fn common_shape(arguments: &[Ty]) -> Option<Option<&Ty>> {
    let containers = || arguments.iter().filter(|argument| argument.is_container());
    let of_reals = containers().find(|container| container.scalar() == Ty::Real);
    let Some(shape) = of_reals.or_else(|| containers().next()) else {
        return Some(None);
    };
    let fits = containers().all(|container| match container.scalar() {
        Ty::Int => container.rank() == shape.rank(),
        _ => container == shape,
    });
    fits.then_some(Some(shape))
}

/// Every argument has the declared type, or promotes to it.
fn whole_fit(parameters: &[Ty], result: &Ty, arguments: &[Ty], flattens: bool) -> Option<Fit> {
    if parameters.len() != arguments.len() {
        return None;
    }
    let mut needed = 0;
    for (argument, parameter) in arguments.iter().zip(parameters) {
        needed += direct(argument, parameter, flattens)?;
    }
    Some(Fit {
        lifted: false,
        promotions: needed,
        parameters: parameters.to_vec(),
        result: result.clone(),
        lift: Lift::Whole,
    })
}

/// The promotions that take an argument to a declared type.
fn direct(argument: &Ty, parameter: &Ty, flattens: bool) -> Option<u32> {
    let flattened = flattens
        && *parameter == Ty::Vector
        && argument.is_container()
        && matches!(argument.scalar(), Ty::Real | Ty::Int);
    promotions(argument, parameter).or(flattened.then_some(1))
}

fn fit_definition(definition: Definition, arguments: &[Ty]) -> Option<Fit> {
    let parameters = definition.parameters();
    let result = definition.result();
    let whole = whole_fit(&parameters, &result, arguments, definition.flattens);
    if whole.is_some() || !definition.from_library || parameters.len() != arguments.len() {
        return whole;
    }
    match definition.ending() {
        Ending::Density | Ending::Cumulative => {
            let (fit, _) = fit_per_outcome(definition, &parameters, arguments)?;
            Some(Fit {
                result: Ty::Real,
                lift: Lift::Sum,
                ..fit
            })
        }
        Ending::Random => {
            let (fit, depth) = fit_per_outcome(definition, &parameters, arguments)?;
            Some(Fit {
                result: result.array_of(depth),
                lift: Lift::Each,
                ..fit
            })
        }
        _ => fit_elementwise(definition, &parameters, arguments),
    }
}

/// Densities and draws take one dimension more than declared: vectors or arrays of scalars, arrays of vectors.
fn fit_per_outcome(
    definition: Definition,
    parameters: &[Ty],
    arguments: &[Ty],
) -> Option<(Fit, usize)> {
    let mut needed = 0;
    let mut converted = Vec::new();
    for (argument, parameter) in arguments.iter().zip(parameters) {
        if let Some(promotions) = direct(argument, parameter, definition.flattens) {
            needed += promotions;
            converted.push(parameter.clone());
            continue;
        }
        let element = argument
            .element()
            .filter(|_| argument.rank() == parameter.rank() + 1)?;
        if parameter.rank() > 1 || matches!(parameter, Ty::Array(_)) {
            return None;
        }
        needed += promotions(&element, parameter)?;
        converted.push(with_scalar(argument, &parameter.scalar()));
    }
    let fit = Fit {
        lifted: true,
        promotions: needed,
        parameters: converted,
        result: definition.result(),
        lift: Lift::Each,
    };
    Some((fit, 1))
}

/// Functions of scalars take containers of one shape; transforms take arrays of what they declare.
fn fit_elementwise(definition: Definition, parameters: &[Ty], arguments: &[Ty]) -> Option<Fit> {
    let result = definition.result();
    let fit = |converted: Vec<Ty>, needed, result| Fit {
        lifted: true,
        promotions: needed,
        parameters: converted,
        result,
        lift: Lift::Each,
    };
    let mut needed = 0;
    let mut converted = Vec::new();
    if parameters.iter().all(Ty::is_scalar) {
        let shape = common_shape(arguments)??;
        for (argument, parameter) in arguments.iter().zip(parameters) {
            needed += promotions(&argument.scalar(), parameter)?;
            converted.push(match parameter {
                Ty::Int => argument.clone(),
                scalar => with_scalar(argument, scalar),
            });
        }
        return Some(fit(converted, needed, with_scalar(shape, &result)));
    }
    if !is_transform(definition.name()) {
        return None;
    }
    let mut depth = 0;
    for (argument, parameter) in arguments.iter().zip(parameters) {
        let (arrays, element) = argument.array_parts();
        if promotions(argument, parameter).is_some() {
            converted.push(parameter.clone());
        } else if element == parameter && (depth == 0 || depth == arrays) {
            depth = arrays;
            converted.push(argument.clone());
        } else {
            return None;
        }
    }
    Some(fit(converted, needed, result.array_of(depth)))
}

/// Whether the function is a constraint's transform or its inverse.
fn is_transform(name: &str) -> bool {
    ["_constrain", "_jacobian", "_unconstrain"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
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

/// The forms of a function as sentences.
fn described(callable: Callable, name: &str) -> Vec<String> {
    match callable {
        Callable::Prim(prim) => {
            let kinds: Vec<Ty> = prim.args().iter().map(|&kind| scalar_ty(kind)).collect();
            vec![format!(
                "`{name}` takes ({}), or containers of one shape element by element.",
                list(&kinds)
            )]
        }
        Callable::Container(function) => forms(function)
            .iter()
            .filter_map(|form| form.split_once('('))
            .map(|(result, parameters)| {
                format!("`{name}` takes ({parameters} and returns {result}.")
            })
            .collect(),
        Callable::Draw(draw) => {
            let kinds: Vec<Ty> = draw.row().1.iter().map(|&kind| scalar_ty(kind)).collect();
            vec![format!("`{name}` takes ({}).", list(&kinds))]
        }
        Callable::Defined(definition) => {
            let forms = definition_form(definition);
            let extension = match definition.ending() {
                _ if !definition.from_library => "",
                Ending::Density | Ending::Cumulative | Ending::Random => {
                    "; a vector, row vector or array can stand where a number is declared, an array of vectors for a vector"
                }
                _ if definition.parameters().iter().all(Ty::is_scalar) => {
                    ", or containers of one shape element by element"
                }
                _ => "",
            };
            vec![format!("`{name}` takes ({forms}){extension}.")]
        }
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
    match (definition.ending(), named.split_first()) {
        (Ending::Density | Ending::Cumulative, Some((outcome, rest))) => {
            format!("{outcome} | {}", rest.join(", "))
        }
        _ => named.join(", "),
    }
}

/// Types with commas between.
pub(super) fn list(types: &[Ty]) -> String {
    let words: Vec<String> = types.iter().map(Ty::to_string).collect();
    words.join(", ")
}
