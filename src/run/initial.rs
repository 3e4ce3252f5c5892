//! Initial values by name, as users give them, to the unconstrained position where chains begin.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::interp::Interpreter;
use crate::io::data_json::{Data, DataValue};
use crate::kernels::random::ChainRng;
use crate::mcmc::InitialPoint;
use crate::model::Posterior;

/// A parameter's part of the position vector.
pub(super) struct FreePart {
    pub(super) name: String,
    pub(super) places: Range<usize>,
}

/// Which places of the position vector belong to which parameter, in order of declaration.
pub(super) fn free_parts(posterior: &Posterior) -> Result<Vec<FreePart>, String> {
    let typed = &posterior.model().program().typed;
    let interpreter = Interpreter::new(typed);
    let mut next = 0;
    let part = |parameter: &crate::ir::Parameter| {
        let dims = interpreter
            .declared_dims(parameter.free, posterior.values())
            .map_err(|failure| failure.to_string())?;
        let first = next;
        next += dims.iter().product::<usize>();
        Ok(FreePart {
            name: typed.variable(parameter.variable).name.clone(),
            places: first..next,
        })
    };
    typed.parameters.iter().map(part).collect()
}

/// The initial point that gives parameters the values of a data file; those that it does not have are drawn from
/// (−radius, radius) on the unconstrained scale. What are not parameters is ignored.
///
/// # Errors
/// Values of another size, or outside their constraints, in words.
pub fn initial_point(
    posterior: &Posterior,
    values: &Data,
    radius: f64,
) -> Result<InitialPoint, String> {
    let parts = free_parts(posterior)?;
    let mut given = BTreeMap::new();
    for part in &parts {
        if let Some(entry) = values.get(&part.name) {
            let value = entry.value.as_ref().map_err(|error| {
                format!(
                    "the initial value of `{}` cannot be read: {}",
                    part.name, error.problem
                )
            })?;
            collect(&part.name, value, &mut given)?;
        }
    }
    verify_columns(posterior, &parts, values, &given)?;
    // A parameter without a value gets some, so that those of the others can be unconstrained; it is dropped below.
    let origin = constrained_origin(posterior);
    let value_of = |name: &str| {
        let somewhere = || origin.get(name).copied();
        given.get(name).copied().or_else(somewhere)
    };
    let position = posterior
        .unconstrain(&value_of)
        .map_err(|reason| format!("the initial values cannot be used: {reason}"))?;
    let mut chosen = vec![None; position.len()];
    for part in parts.iter().filter(|part| values.get(&part.name).is_some()) {
        for place in part.places.clone() {
            chosen[place] = Some(position[place]);
        }
    }
    Ok(match chosen.iter().all(Option::is_some) {
        true => InitialPoint::Given(position),
        false => InitialPoint::Partial {
            values: chosen,
            radius,
        },
    })
}

/// The values of parameters at the origin of the unconstrained space, by column.
fn constrained_origin(posterior: &Posterior) -> BTreeMap<String, f64> {
    let mut drawer = posterior.transformer();
    let mut values = vec![f64::NAN; drawer.width()];
    let mut unused = ChainRng::new(0, 0, 0);
    // Where this fails, values stay NaN, and the failure to unconstrain them names the parameter.
    let _ = drawer.values(&vec![0.0; posterior.dimension()], &mut unused, &mut values);
    let columns = posterior.transformed_columns().iter();
    columns
        .map(|column| column.name.clone())
        .zip(values)
        .collect()
}

/// Adds the scalars of a value under the names of their columns: `theta.1.2`.
fn collect(name: &str, value: &DataValue, given: &mut BTreeMap<String, f64>) -> Result<(), String> {
    let Some(numbers) = value.to_reals() else {
        return Err(format!(
            "`{name}` is a tuple, for which initial values are not supported yet"
        ));
    };
    let mut indices = vec![1_usize; value.dims.len()];
    for number in numbers {
        let mut column = name.to_string();
        for index in &indices {
            column.push_str(&format!(".{index}"));
        }
        given.insert(column, number);
        // Data files are row-major: the last index varies fastest.
        for (index, size) in indices.iter_mut().zip(&value.dims).rev() {
            *index += 1;
            if *index <= *size {
                break;
            }
            *index = 1;
        }
    }
    Ok(())
}

/// Refuses values whose shape is not that of the parameter.
fn verify_columns(
    posterior: &Posterior,
    parts: &[FreePart],
    values: &Data,
    given: &BTreeMap<String, f64>,
) -> Result<(), String> {
    let belongs = |column: &str, name: &str| {
        let rest = column.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
    };
    for FreePart { name, .. } in parts {
        if values.get(name).is_none() {
            continue;
        }
        let expected: Vec<&str> = posterior
            .transformed_columns()
            .iter()
            .map(|column| column.name.as_str())
            .filter(|column| belongs(column, name))
            .collect();
        let found = given.keys().filter(|column| belongs(column, name)).count();
        if found != expected.len() || !expected.iter().all(|column| given.contains_key(*column)) {
            return Err(format!(
                "the initial value of `{name}` has another shape than the parameter: {found} numbers for {}",
                expected.len()
            ));
        }
    }
    Ok(())
}
