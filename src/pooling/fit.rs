//! From a model and its data to the comparison: three fits and what their draws say of an effect.

use super::comparison::{Coefficient, Comparison, GroupDraws};
use super::counts;
use super::effect::Effect;
use super::rewrite::{self, DEVIATION, LOCATION};
use crate::equation::plan::{Plan, SetId, SetKind};
use crate::interp::{Scalars, Value};
use crate::model::{Model, Posterior, include_from_folder};
use crate::run::Draws;
use crate::session::{Equations, Failure};
use crate::syntax::equation::EquationProgram;
use crate::syntax::{self, Form, format_equations};

/// The models that a comparison fits.
#[derive(Clone, Debug)]
pub struct Models {
    /// The effect that they pool.
    pub effect: Effect,
    /// No pooling.
    pub none: Derived,
    /// The model itself, with definitions of the effect's location and standard deviation.
    pub partial: Derived,
    /// Complete pooling.
    pub complete: Derived,
}

/// A model that was derived from another.
#[derive(Clone, Debug)]
pub struct Derived {
    /// Its program.
    pub text: String,
    /// The program, checked.
    pub model: Model,
}

/// The three fits of a comparison.
#[derive(Debug)]
pub struct Fits<'a> {
    /// No pooling.
    pub none: &'a Draws,
    /// Partial pooling.
    pub partial: &'a Draws,
    /// Complete pooling.
    pub complete: &'a Draws,
}

/// The syntax tree of a model in equation form; `None` of one in block form.
pub fn equations_of(model: &Model) -> Option<(EquationProgram, &Equations)> {
    let program = model.program();
    let equations = program.equations.as_ref()?;
    let mut sources = program.sources.clone();
    match syntax::parse_form(&mut sources, program.source, &mut include_from_folder) {
        Ok(Form::Equation(parsed)) => Some((parsed, equations)),
        // It was parsed when the model was made.
        _ => None,
    }
}

/// Derives the models of a comparison.
///
/// # Errors
/// What is wrong with a derived model: the rewriting does not know of everything that a model can say.
pub fn derive(
    model: &Model,
    program: &EquationProgram,
    effect: &Effect,
) -> Result<Models, Failure> {
    let plan = model.program().equations.as_ref().map(|e| e.plan.as_ref());
    let observed: Vec<String> = (plan.into_iter().flat_map(|plan| &plan.observed))
        .map(|observed| observed.outcome.clone())
        .collect();
    let derived = |kind: &str, program: EquationProgram| {
        let text = format_equations(&program);
        let name = format!("{}, {kind}", model.name());
        Model::from_text(&name, &text).map(|model| Derived { text, model })
    };
    Ok(Models {
        effect: effect.clone(),
        none: derived("no pooling", rewrite::none(program, effect, &observed))?,
        partial: derived("partial pooling", rewrite::partial(program, effect))?,
        complete: derived(
            "complete pooling",
            rewrite::complete(program, effect, &observed),
        )?,
    })
}

/// Compares three fits; `posterior` is that of partial pooling.
///
/// # Errors
/// A sentence that says which draws are missing.
pub fn compare(
    effect: &Effect,
    posterior: &Posterior,
    fits: &Fits<'_>,
) -> Result<Comparison, String> {
    let equations = posterior.model().program().equations.as_ref();
    let equations = equations.ok_or("the program is in block form")?;
    let plan = equations.plan.as_ref();
    let group_axes: Vec<usize> = positions(effect, true);
    let label_axes: Vec<usize> = positions(effect, false);
    let size = |set: SetId| {
        posterior
            .sets()
            .get(set.0)
            .map_or(0, |set| set.labels.len())
    };
    let sizes: Vec<usize> = effect.axes.iter().map(|set| size(*set)).collect();
    let sets: Vec<SetId> = group_axes.iter().map(|axis| effect.axes[*axis]).collect();
    let values = |name: &str| integers(posterior, name);
    let counts = counts::observations(plan, &sets, &size, &values);

    let mut coefficients = Vec::new();
    for labels in tuples(&label_axes, &sizes) {
        let mut groups = Vec::new();
        for (place, at) in tuples(&group_axes, &sizes).into_iter().enumerate() {
            let mut index = vec![0; effect.axes.len()];
            for (axis, value) in label_axes
                .iter()
                .zip(&labels)
                .chain(group_axes.iter().zip(&at))
            {
                index[*axis] = *value;
            }
            let column = column(&effect.name, &index);
            let location = parameter_of(fits.partial, posterior, LOCATION, &index)?;
            groups.push(GroupDraws {
                label: label(posterior, effect, &group_axes, &at),
                count: counts.as_ref().map_or(0, |counts| counts[place]),
                none: draws_of(fits.none, &column)?,
                // Where data alone decide the location, an effect that is its location has no draws.
                complete: draws_of(fits.complete, &column).unwrap_or_else(|_| location.clone()),
                partial: draws_of(fits.partial, &column)?,
                location,
                deviation: parameter_of(fits.partial, posterior, DEVIATION, &index)?,
            });
        }
        let label = label(posterior, effect, &label_axes, &labels);
        coefficients.push(Coefficient::new(label, groups, effect.has_fixed_location()));
    }
    Ok(Comparison {
        effect: effect.name.clone(),
        groups: group_words(plan, &sets),
        coefficients,
    })
}

fn positions(effect: &Effect, is_group: bool) -> Vec<usize> {
    let axes = 0..effect.axes.len();
    axes.filter(|axis| effect.is_group[*axis] == is_group)
        .collect()
}

/// Every combination of elements of some axes, counted from 0, the last varying fastest.
fn tuples(axes: &[usize], sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut tuples = vec![Vec::new()];
    for axis in axes {
        let longer = |tuple: Vec<usize>| {
            (0..sizes[*axis]).map(move |at| tuple.iter().copied().chain([at]).collect())
        };
        tuples = tuples.into_iter().flat_map(longer).collect();
    }
    tuples
}

fn column(name: &str, index: &[usize]) -> String {
    let mut column = name.to_string();
    for at in index {
        column.push_str(&format!(".{}", at + 1));
    }
    column
}

fn draws_of(draws: &Draws, column: &str) -> Result<Vec<Vec<f64>>, String> {
    let chains = draws.get(column);
    let chains = chains.ok_or_else(|| format!("there are no draws of `{column}`"))?;
    Ok(chains.into_iter().map(<[f64]>::to_vec).collect())
}

/// The draws of a location or standard deviation, which has the effect's indexes, only the last of them, or none. One that
/// only data decide is the same in each draw. A location that is a number has no draws; differences from it are those
/// from any constant.
fn parameter_of(
    draws: &Draws,
    posterior: &Posterior,
    name: &str,
    index: &[usize],
) -> Result<Vec<Vec<f64>>, String> {
    let candidates = (0..=index.len()).map(|skipped| column(name, &index[skipped..]));
    let found = candidates.filter_map(|column| draws.get(&column)).next();
    if let Some(chains) = found {
        return Ok(chains.into_iter().map(<[f64]>::to_vec).collect());
    }
    let constant = match of_data(posterior, name, index) {
        Some(value) => value,
        None if name == LOCATION => 0.0,
        None => return Err(format!("there are no draws of `{name}`")),
    };
    let chains = draws.chains().iter();
    Ok(chains.map(|chain| vec![constant; chain.rows()]).collect())
}

/// The element of a variable of transformed data, whose indexes are the last ones of `index`.
fn of_data(posterior: &Posterior, name: &str, index: &[usize]) -> Option<f64> {
    match value_of(posterior, name)? {
        Value::Int(value) => Some(*value as f64),
        Value::Real(value) => Some(*value),
        Value::Container(container) => {
            let names = Value::Container(container.clone()).output_names(name);
            let skipped = index.len().checked_sub(container.dims.len())?;
            let wanted = column(name, &index[skipped..]);
            let place = names.iter().position(|name| *name == wanted)?;
            let at = container.output_order().nth(place)?;
            Some(container.scalars.get(at).as_real())
        }
        Value::Tuple(_) => None,
    }
}

fn label(posterior: &Posterior, effect: &Effect, axes: &[usize], at: &[usize]) -> String {
    let words = axes.iter().zip(at).map(|(axis, at)| {
        let set = posterior.sets().get(effect.axes[*axis].0);
        let label = set.and_then(|set| set.labels.get(*at));
        label.map_or_else(|| (at + 1).to_string(), |label| label.into_owned())
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What groups are called: the column of their levels, or their letter.
fn group_words(plan: &Plan, sets: &[SetId]) -> String {
    let word = |set: &SetId| {
        let set = &plan.sets[set.0];
        match &set.kind {
            SetKind::Levels { columns, .. } => {
                let columns = columns
                    .iter()
                    .map(|column| plan.columns[*column].name.clone());
                columns.collect::<Vec<_>>().join(" or ")
            }
            _ => set.letters.first().cloned().unwrap_or_default(),
        }
    };
    sets.iter().map(word).collect::<Vec<_>>().join(" and ")
}

/// The value of a variable of data or transformed data.
fn value_of<'p>(posterior: &'p Posterior, name: &str) -> Option<&'p Value> {
    let typed = &posterior.model().program().typed;
    let mut variables = typed.variables.iter();
    let place = variables.position(|variable| variable.name == name)?;
    posterior.values().get(place)?.as_ref()
}

/// The integers of a variable of the data block.
fn integers(posterior: &Posterior, name: &str) -> Option<Vec<i64>> {
    match value_of(posterior, name)? {
        Value::Int(value) => Some(vec![*value]),
        Value::Container(container) => match &container.scalars {
            Scalars::Int(values) => Some(values.to_vec()),
            _ => None,
        },
        _ => None,
    }
}
