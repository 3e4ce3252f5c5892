//! Running a program that predicts: its data from new rows, its parameters from each draw of the fit.

use crate::equation::lower::{Prediction, Purpose};
use crate::equation::plan::{InputSource, Observed, Plan, SetId, SetKind};
use crate::interp::{Container, Scalars, Value};
use crate::io::data_json::{DataKind, DataValue};
use crate::kernels::random::ChainRng;
use crate::model::{BindOptions, Model, Posterior};
use crate::session::Failure;
use crate::summary::Labels;
use crate::tables::{self, Sources, Tabled};
use std::collections::BTreeMap;

/// The purpose of a prediction's random numbers, apart from those of the fit.
const PURPOSE: u32 = 3;

/// A fit that predictions come from.
#[derive(Debug)]
pub struct Fit<'a> {
    /// The model with the data of the fit.
    pub posterior: &'a Posterior,
    /// The draws by column, one slice a chain.
    pub columns: Vec<(&'a str, Vec<&'a [f64]>)>,
}

/// What is predicted for the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// The outcomes of the model. One of several numbers, a vector over a set, is one outcome each.
    pub outcomes: Vec<PredictedOutcome>,
    /// What the user should know of the data.
    pub notes: Vec<String>,
}

/// One outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedOutcome {
    /// Its name: `y`, or `y[math]`.
    pub name: String,
    /// Its column: `y`.
    pub column: String,
    /// The levels that its values stand for, counted from 1; none of a number.
    pub levels: Vec<String>,
    /// For each new row the draws of a new observation.
    pub observations: Vec<Vec<f64>>,
    /// For each new row the draws of the outcome's mean; empty if it has none.
    pub means: Vec<Vec<f64>>,
    /// For each level, then each new row, the draws of its probability; empty where that is not known.
    pub probabilities: Vec<Vec<Vec<f64>>>,
}

/// Why there is no prediction.
#[derive(Debug)]
pub enum CannotPredict {
    /// In a sentence.
    Because(String),
    /// A phase of the compiler found something wrong.
    Failure(Box<Failure>),
}

impl From<Failure> for CannotPredict {
    fn from(failure: Failure) -> CannotPredict {
        CannotPredict::Failure(Box::new(failure))
    }
}

/// The program that predicts: generated quantities alone, with the fit's draws as parameters without constraints.
///
/// # Errors
/// Why the model cannot predict.
pub fn program(model: &Model, prediction: &Prediction) -> Result<Model, CannotPredict> {
    if model.program().equations.is_none() {
        let reason = "prediction needs a model in equation form; this program is in block form";
        return Err(CannotPredict::Because(reason.to_string()));
    }
    Ok(model.for_purpose(&Purpose::Predict(prediction.clone()))?)
}

/// Predicts outcomes for each draw of the fit. The sources hold the fit's data and, after
/// [`Sources::follow`], the new rows.
///
/// # Errors
/// What is wrong with the data, or why the model cannot predict them.
pub fn predict(
    fit: &Fit<'_>,
    sources: &Sources,
    prediction: &Prediction,
    seed: u64,
) -> Result<Predicted, CannotPredict> {
    let program = program(fit.posterior.model(), prediction)?;
    let (program, mut tabled) = program.tabulate(sources, &tables::Options::default())?;
    let Some(equations) = &program.program().equations else {
        return Err(CannotPredict::Because(
            "the program is in block form".to_string(),
        ));
    };
    let plan = &equations.plan;
    keep_fitted_values(plan, fit.posterior, &mut tabled)?;
    let options = BindOptions::default();
    let bound = program.fill_tabled(&tabled, &options)?;
    let posterior = program.compile(bound, &options)?;
    let fills = fills(plan, &posterior, fit)?;

    let mut predicted = Predicted {
        outcomes: Vec::new(),
        notes: tabled.notes.clone(),
    };
    let mut places = Vec::new();
    for observed in &plan.observed {
        for (outcome, at) in outcomes(plan, observed, &tabled, sources, &posterior) {
            predicted.outcomes.push(outcome);
            places.push(at);
        }
    }
    let chains = fit.columns.first().map_or(0, |(_, chains)| chains.len());
    let mut drawer = posterior.drawer();
    let mut values = vec![f64::NAN; drawer.width()];
    let mut position = vec![0.0; fills.len()];
    for chain in 0..chains {
        let rows = fit.columns[0].1[chain].len();
        let mut rng = ChainRng::new(seed, chain as u32 + 1, PURPOSE);
        for row in 0..rows {
            for (number, column) in position.iter_mut().zip(&fills) {
                *number = fit.columns[*column].1[chain][row];
            }
            let drawn = drawer.values(&position, &mut rng, &mut values);
            drawn.map_err(|stop| {
                without_past(plan, &tabled).unwrap_or(CannotPredict::Because(stop.text))
            })?;
            for (outcome, places) in predicted.outcomes.iter_mut().zip(&places) {
                push(&mut outcome.observations, &places.observations, &values);
                push(&mut outcome.means, &places.means, &values);
                for (draws, places) in outcome.probabilities.iter_mut().zip(&places.probabilities) {
                    push(draws, places, &values);
                }
            }
        }
    }
    let is_unknown = |draws: &Vec<f64>| draws.first().is_some_and(|draw| draw.is_nan());
    let mut observations = predicted
        .outcomes
        .iter()
        .flat_map(|outcome| &outcome.observations);
    match observations
        .any(is_unknown)
        .then(|| without_past(plan, &tabled))
    {
        Some(Some(reason)) => Err(reason),
        _ => Ok(predicted),
    }
}

/// A new row of a series that has no value before it.
fn without_past(plan: &Plan, tabled: &Tabled) -> Option<CannotPredict> {
    plan.inputs.iter().find_map(|input| {
        let InputSource::LongLag { column, lag, .. } = input.source else {
            return None;
        };
        let DataKind::Int(before) = &tabled.data.get(&input.name)?.value.as_ref().ok()?.kind else {
            return None;
        };
        let mut elements = tabled.elements_of_new_rows(column)?.iter();
        let row = elements.position(|element| before.get(*element) == Some(&0))?;
        let name = &plan.columns[column].name;
        Some(CannotPredict::Because(format!(
            "row {} of the new rows has no `{name}` {lag} before it, from which its own follows; begin right after a row of \
             the fit",
            row + 1
        )))
    })
}

fn push(draws: &mut [Vec<f64>], places: &[usize], values: &[f64]) {
    for (draws, place) in draws.iter_mut().zip(places) {
        draws.push(values[*place]);
    }
}

/// Gives the program the values that reductions over data had in the fit.
fn keep_fitted_values(
    plan: &Plan,
    fitted: &Posterior,
    tabled: &mut Tabled,
) -> Result<(), CannotPredict> {
    for input in &plan.inputs {
        let InputSource::Frozen(name) = &input.source else {
            continue;
        };
        let value = value_of(fitted, name).and_then(data_value);
        let value = value.ok_or_else(|| {
            CannotPredict::Because(format!("the fit's value of `{name}` is not known"))
        })?;
        tabled.data.set(&input.name, value);
    }
    Ok(())
}

fn value_of<'p>(posterior: &'p Posterior, name: &str) -> Option<&'p Value> {
    let typed = &posterior.model().program().typed;
    let mut variables = typed.variables.iter();
    let place = variables.position(|variable| variable.name == name)?;
    posterior.values().get(place)?.as_ref()
}

/// A number or a container of numbers, as data.
fn data_value(value: &Value) -> Option<DataValue> {
    match value {
        Value::Int(value) => Some(DataValue::int(vec![*value], Vec::new())),
        Value::Real(value) => Some(DataValue::real(vec![*value], Vec::new())),
        Value::Container(container) => {
            let (order, dims) = (row_major(container), container.dims.clone());
            Some(match &container.scalars {
                Scalars::Int(values) => {
                    DataValue::int(order.iter().map(|at| values[*at]).collect::<Vec<_>>(), dims)
                }
                Scalars::Real(values) => {
                    DataValue::real(order.iter().map(|at| values[*at]).collect::<Vec<_>>(), dims)
                }
            })
        }
        Value::Tuple(_) => None,
    }
}

/// Where a container keeps its numbers, in an order in which the last index is the fastest.
fn row_major(container: &Container) -> Vec<usize> {
    // The order of output has the first index as the fastest.
    let order: Vec<usize> = container.output_order().collect();
    let dims = &container.dims;
    let place = |mut rest: usize| {
        let mut index = vec![0; dims.len()];
        for (at, size) in index.iter_mut().zip(dims).rev() {
            *at = rest % size;
            rest /= size;
        }
        let by_size = index.iter().zip(dims).rev();
        order[by_size.fold(0, |place, (at, size)| place * size + at)]
    };
    (0..order.len()).map(place).collect()
}

/// For each number of the program's position the column of the fit that fills it.
fn fills(plan: &Plan, posterior: &Posterior, fit: &Fit<'_>) -> Result<Vec<usize>, CannotPredict> {
    let places: BTreeMap<&str, usize> = (fit.columns.iter().enumerate())
        .map(|(place, (name, _))| (*name, place))
        .collect();
    let mut columns: Vec<usize> = Vec::new();
    let mut ordinals: BTreeMap<&str, f64> = BTreeMap::new();
    for column in posterior.transformed_columns() {
        let (variable, rest) = split(&column.name);
        let mut parameters = plan.fitted.iter();
        let Some(known) = parameters.find(|known| known.parameter == variable) else {
            continue;
        };
        let name = format!("{}{rest}", known.variable);
        let place = places.get(name.as_str()).ok_or_else(|| {
            CannotPredict::Because(format!(
                "the fit has no draws of `{name}`, which the prediction needs"
            ))
        })?;
        ordinals.insert(&column.name, columns.len() as f64);
        columns.push(*place);
    }
    // Without constraints the position holds the values themselves: ordinal numbers show where each goes.
    let position = posterior
        .unconstrain(&|name| ordinals.get(name).copied())
        .map_err(CannotPredict::Because)?;
    Ok(position
        .iter()
        .map(|ordinal| columns[*ordinal as usize])
        .collect())
}

/// `a` and `.1.2` of `a.1.2`.
fn split(column: &str) -> (&str, &str) {
    column.split_at(column.find('.').unwrap_or(column.len()))
}

/// Where a draw of the program has an outcome's elements.
struct Places {
    observations: Vec<usize>,
    means: Vec<usize>,
    probabilities: Vec<Vec<usize>>,
}

/// The outcomes of an observed statement: one for each combination of the sets that stand behind its letters.
fn outcomes(
    plan: &Plan,
    observed: &Observed,
    tabled: &Tabled,
    sources: &Sources,
    posterior: &Posterior,
) -> Vec<(PredictedOutcome, Places)> {
    let labels = |set: &SetId| tabled.labels[set.0].clone();
    let output = observed.replicate.as_ref().and_then(|replicate| {
        let mut outputs = plan.outputs.iter();
        outputs.find(|output| output.name == *replicate)
    });
    let over = output.map_or(&[][..], |output| &output.over);
    // The rows of a long table have no set of their own.
    let (elements, parts) = match over.split_first() {
        Some((first, parts)) => (by_row(plan, *first, &labels(first), sources), parts),
        None => {
            let mut columns = plan.columns.iter();
            let column = columns.position(|column| column.name == observed.outcome);
            let elements = column.and_then(|column| tabled.elements_of_new_rows(column));
            (elements.map(<[usize]>::to_vec), over)
        }
    };
    let in_rows = |places: Vec<usize>| match &elements {
        Some(elements) => elements.iter().map(|element| places[*element]).collect(),
        None => places,
    };
    let column = plan
        .columns
        .iter()
        .find(|column| column.name == observed.outcome);
    let levels = column.and_then(|column| column.levels_of);
    let levels = levels.map_or(Vec::new(), |set| listed(&labels(&set)));
    let observations = by_part(posterior, observed.replicate.as_deref());
    let mut means = by_part(posterior, observed.mean.as_deref());
    let mut outcomes = Vec::new();
    for (part, places) in observations {
        let words = part.iter().zip(parts).map(|(at, set)| {
            let label = labels(set).get(at - 1).map(|label| label.into_owned());
            label.unwrap_or_else(|| at.to_string())
        });
        let words: Vec<String> = words.collect();
        let name = match words.is_empty() {
            true => observed.outcome.clone(),
            false => format!("{}[{}]", observed.outcome, words.join(", ")),
        };
        let of_level = |level| means.remove(&[part.as_slice(), &[level]].concat());
        let probabilities = (1..=levels.len()).map_while(of_level);
        let probabilities: Vec<Vec<usize>> = probabilities.map(in_rows).collect();
        let places = Places {
            means: means.remove(&part).map_or(Vec::new(), in_rows),
            observations: in_rows(places),
            probabilities,
        };
        let outcome = PredictedOutcome {
            name,
            column: observed.outcome.clone(),
            levels: levels.clone(),
            observations: vec![Vec::new(); places.observations.len()],
            means: vec![Vec::new(); places.means.len()],
            probabilities: (places.probabilities.iter())
                .map(|places| vec![Vec::new(); places.len()])
                .collect(),
        };
        outcomes.push((outcome, places));
    }
    outcomes
}

/// The element of a set of levels that each new row stands for; `None` where the elements are the rows.
fn by_row(plan: &Plan, set: SetId, labels: &Labels, sources: &Sources) -> Option<Vec<usize>> {
    let columns: Vec<usize> = match &plan.sets[set.0].kind {
        SetKind::Rows | SetKind::Fixed(_) => return None,
        SetKind::Levels { columns, .. } => columns.clone(),
        SetKind::Combinations { parts, .. } => parts
            .iter()
            .filter_map(|part| part.path.last().copied())
            .collect(),
    };
    let names = columns
        .iter()
        .map(|column| plan.columns[*column].name.as_str());
    let names: Vec<&str> = names.collect();
    sources.new_tables().find_map(|table| {
        let places: Option<Vec<usize>> = names.iter().map(|name| table.find(name)).collect();
        let places = places?;
        let element = |row: usize| {
            let words = places.iter().map(|place| table.cell(*place, row).label());
            labels.position(&words.collect::<Option<Vec<String>>>()?.join(":"))
        };
        (0..table.rows).map(element).collect()
    })
}

fn listed(labels: &Labels) -> Vec<String> {
    let label = |at| labels.get(at).unwrap_or_default().into_owned();
    (0..labels.len()).map(label).collect()
}

/// The places of a variable's columns among those of a draw, by the indexes behind the first.
fn by_part(posterior: &Posterior, variable: Option<&str>) -> BTreeMap<Vec<usize>, Vec<usize>> {
    let mut parts: BTreeMap<Vec<usize>, Vec<(usize, usize)>> = BTreeMap::new();
    for (place, column) in posterior.columns().iter().enumerate() {
        let (name, rest) = split(&column.name);
        if Some(name) != variable {
            continue;
        }
        let mut index = rest.split('.').skip(1).filter_map(|at| at.parse().ok());
        let first = index.next().unwrap_or(1);
        parts
            .entry(index.collect())
            .or_default()
            .push((first, place));
    }
    let in_order = |(part, mut places): (Vec<usize>, Vec<(usize, usize)>)| {
        places.sort_unstable();
        (part, places.into_iter().map(|(_, place)| place).collect())
    };
    parts.into_iter().map(in_order).collect()
}
