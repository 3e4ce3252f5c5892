//! Whether a function takes arguments of given types: promotion, and lifting over containers.

use super::frame::Ending;
use super::function::Definition;
use super::promote::{promotions, with_scalar};
use super::signature::fitting_form;
use crate::builtins::{Container, Draw, Kind, Prim};
use crate::ir::Lift;
use crate::types::Ty;

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
    pub lifted: bool,
    /// The number of promotions; fewer win.
    pub promotions: u32,
    /// The type that each argument is converted to.
    pub parameters: Vec<Ty>,
    /// The type of the call.
    pub result: Ty,
    /// How the function is applied.
    pub lift: Lift,
}

/// The function chosen for a call.
#[derive(Clone, Debug)]
pub(super) struct Choice<'a> {
    /// Which.
    pub callable: Callable<'a>,
    /// How it fits.
    pub fit: Fit,
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

    /// The type of the outcome's scalars, for a density.
    pub fn outcome_kind(&self) -> Ty {
        self.fit.parameters.first().map_or(Ty::Real, Ty::scalar)
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

/// How the function fits the arguments, if it does.
pub(super) fn fit(callable: Callable, arguments: &[Ty]) -> Option<Fit> {
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

/// The type of a scalar of that kind.
pub(super) fn scalar_ty(kind: Kind) -> Ty {
    match kind {
        Kind::Int => Ty::Int,
        Kind::Real => Ty::Real,
    }
}

/// A primitive takes scalars, and containers of one shape, element by element.
pub(super) fn fit_prim(prim: Prim, arguments: &[Ty]) -> Option<Fit> {
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

/// Functions of scalars take containers of one shape. Transforms, and functions from a type to itself, take arrays of
/// what they declare.
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
    let keeps_type = parameters == std::slice::from_ref(&result);
    if !keeps_type && !is_transform(definition.name()) {
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
