//! Running a program that predicts: its data from new rows, its parameters from each draw of the fit.

use super::program::{CannotPredict, Fitted, PredictionProgram};
use crate::equation::plan::{Plan, SetId, SetKind};
use crate::interp::Value;
use crate::io::data_json::DataValue;
use crate::kernels::random::ChainRng;
use crate::model::{BindOptions, Model, Posterior};
use crate::session::Failure;
use crate::summary::Labels;
use crate::tables::{self, Sources};
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
    /// The outcomes of the model.
    pub outcomes: Vec<PredictedOutcome>,
    /// What the user should know of the data.
    pub notes: Vec<String>,
}

/// One outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedOutcome {
    /// Its name.
    pub name: String,
    /// For each element the draws of a new observation.
    pub observations: Vec<Vec<f64>>,
    /// For each element the draws of the outcome's mean; empty if it has none.
    pub means: Vec<Vec<f64>>,
}

/// Predicts outcomes for the rows of the sources, for each draw of the fit.
///
/// # Errors
/// What is wrong with the data, or why the model cannot predict them.
pub fn predict(
    program: &PredictionProgram,
    sources: &Sources,
    fit: &Fit<'_>,
    seed: u64,
) -> Result<Predicted, CannotPredict> {
    let failed = |failure: Failure| CannotPredict::Failure(Box::new(failure));
    let mut tabled = tables::bind(&program.plan, sources, &tables::Options::default()).map_err(
        |diagnostics| {
            failed(Failure {
                sources: sources.texts.clone(),
                diagnostics,
            })
        },
    )?;
    let known = Known::new(program, fit, &tabled.labels)?;
    for (name, set) in &program.known {
        let places: Vec<i64> = known.places(*set).iter().map(|at| *at as i64).collect();
        let count = places.len();
        tabled.data.set(name, DataValue::int(places, vec![count]));
    }
    for name in &program.frozen {
        let value = value_of(fit.posterior, name).and_then(data_value);
        let value = value.ok_or_else(|| {
            CannotPredict::Because(format!("the fit's value of `{name}` is not known"))
        })?;
        tabled.data.set(name, value);
    }
    let model = Model::from_text("prediction", &program.text).map_err(failed)?;
    let posterior = model
        .bind_data(&tabled.data, &BindOptions::default())
        .map_err(failed)?;
    let sources_of = parameter_draws(program, &posterior, &known, fit)?;
    let mut predicted = Predicted {
        outcomes: Vec::new(),
        notes: tabled.notes,
    };
    let mut places = Vec::new();
    for outcome in &program.outcomes {
        let observations = columns_of(&posterior, &outcome.replicate);
        let means = outcome
            .mean
            .as_ref()
            .map_or(Vec::new(), |mean| columns_of(&posterior, mean));
        predicted.outcomes.push(PredictedOutcome {
            name: outcome.name.clone(),
            observations: vec![Vec::new(); observations.len()],
            means: vec![Vec::new(); means.len()],
        });
        places.push((observations, means));
    }
    let chains = fit.columns.first().map_or(0, |(_, chains)| chains.len());
    let mut drawer = posterior.drawer();
    let mut values = vec![f64::NAN; drawer.width()];
    let mut position = vec![0.0; sources_of.len()];
    for chain in 0..chains {
        let rows = fit
            .columns
            .first()
            .map_or(0, |(_, chains)| chains[chain].len());
        let mut rng = ChainRng::new(seed, chain as u32 + 1, PURPOSE);
        for row in 0..rows {
            for (number, source) in position.iter_mut().zip(&sources_of) {
                *number = source.map_or(0.0, |column| fit.columns[column].1[chain][row]);
            }
            let outcome = drawer.values(&position, &mut rng, &mut values);
            outcome.map_err(|stop| CannotPredict::Because(stop.text))?;
            for (outcome, (observations, means)) in predicted.outcomes.iter_mut().zip(&places) {
                push(&mut outcome.observations, observations, &values);
                push(&mut outcome.means, means, &values);
            }
        }
    }
    Ok(predicted)
}

fn push(draws: &mut [Vec<f64>], places: &[usize], values: &[f64]) {
    for (draws, place) in draws.iter_mut().zip(places) {
        draws.push(values[*place]);
    }
}

/// The places of a variable's columns among those of a draw.
fn columns_of(posterior: &Posterior, variable: &str) -> Vec<usize> {
    let columns = posterior.columns().iter().enumerate();
    let own = columns.filter(|(_, column)| stem(&column.name) == variable);
    own.map(|(place, _)| place).collect()
}

fn stem(column: &str) -> &str {
    column.split('.').next().unwrap_or_default()
}

/// For the elements of each set, their places in the fit, from 1; 0 for new ones.
struct Known {
    by_set: BTreeMap<usize, Vec<usize>>,
    labels: Vec<Vec<String>>,
}

impl Known {
    fn new(
        program: &PredictionProgram,
        fit: &Fit<'_>,
        labels: &[std::sync::Arc<Labels>],
    ) -> Result<Known, CannotPredict> {
        let equations = fit.posterior.model().program().equations.as_ref();
        let equations = equations
            .ok_or_else(|| CannotPredict::Because("the program is in block form".to_string()))?;
        let mut by_set = BTreeMap::new();
        let mut words = Vec::new();
        for (place, (set, labels)) in program.plan.sets.iter().zip(labels).enumerate() {
            let own = fitted_set(&equations.plan, &set.letters);
            let fitted = own.and_then(|own| fit.posterior.labels().get(own));
            // New rows are new, whatever their number.
            let is_rows = matches!(set.kind, SetKind::Rows);
            let all: Vec<String> = (0..labels.len())
                .map(|at| labels.get(at).unwrap_or_default().into_owned())
                .collect();
            let find = |label: &String| {
                let fitted = fitted.filter(|_| !is_rows)?;
                fitted.position(label)
            };
            by_set.insert(
                place,
                all.iter()
                    .map(|label| find(label).map_or(0, |at| at + 1))
                    .collect(),
            );
            words.push(all);
        }
        Ok(Known {
            by_set,
            labels: words,
        })
    }

    fn places(&self, set: SetId) -> &[usize] {
        self.by_set.get(&set.0).map_or(&[], Vec::as_slice)
    }
}

/// The set of the fit's plan that has a letter of these.
fn fitted_set(plan: &Plan, letters: &[String]) -> Option<usize> {
    let mut sets = plan.sets.iter();
    sets.position(|set| set.letters.iter().any(|letter| letters.contains(letter)))
}

/// For each place of the program's position the column of the fit that fills it; `None` where the level is new.
fn parameter_draws(
    program: &PredictionProgram,
    posterior: &Posterior,
    known: &Known,
    fit: &Fit<'_>,
) -> Result<Vec<Option<usize>>, CannotPredict> {
    let places: BTreeMap<&str, usize> = (fit.columns.iter().enumerate())
        .map(|(place, (name, _))| (*name, place))
        .collect();
    let mut by_column: Vec<Option<usize>> = Vec::new();
    let mut ordinals: BTreeMap<String, f64> = BTreeMap::new();
    for column in posterior.transformed_columns() {
        let Some(fitted) = program
            .fitted
            .iter()
            .find(|fitted| fitted.name == stem(&column.name))
        else {
            continue;
        };
        ordinals.insert(column.name.clone(), by_column.len() as f64);
        let Some(name) = fitted_column(fitted, &column.name, known)? else {
            by_column.push(None);
            continue;
        };
        let place = places.get(name.as_str()).ok_or_else(|| {
            CannotPredict::Because(format!(
                "the fit has no draws of `{name}`, which the prediction needs"
            ))
        })?;
        by_column.push(Some(*place));
    }
    // Without constraints the position holds the values themselves: ordinal numbers show where each goes.
    let position = posterior
        .unconstrain(&|name| ordinals.get(name).copied())
        .map_err(CannotPredict::Because)?;
    Ok(position
        .iter()
        .map(|ordinal| by_column[*ordinal as usize])
        .collect())
}

/// The column of the fit behind one of the program: `a.7` for `a_fit.1`, if level 1 here is level 7 there.
fn fitted_column(
    fitted: &Fitted,
    column: &str,
    known: &Known,
) -> Result<Option<String>, CannotPredict> {
    let mut name = fitted.of.clone();
    let indexes = column.split('.').skip(1);
    for (index, (set, is_group)) in indexes.zip(&fitted.axes) {
        let at: usize = index.parse().unwrap_or(0);
        let place = match *is_group {
            true => known
                .places(*set)
                .get(at.wrapping_sub(1))
                .copied()
                .unwrap_or(0),
            false => at,
        };
        if place == 0 {
            if fitted.can_be_new {
                return Ok(None);
            }
            let label = known
                .labels
                .get(set.0)
                .and_then(|labels| labels.get(at - 1));
            return Err(CannotPredict::Because(format!(
                "`{}` has no distribution from which the new level `{}` could be drawn on its own: its prior is flat, \
                 constrained, or joint over levels",
                fitted.of,
                label.map_or("", String::as_str)
            )));
        }
        name.push_str(&format!(".{place}"));
    }
    Ok(Some(name))
}

fn value_of<'p>(posterior: &'p Posterior, name: &str) -> Option<&'p Value> {
    let typed = &posterior.model().program().typed;
    let place = typed
        .variables
        .iter()
        .position(|variable| variable.name == name)?;
    posterior.values().get(place)?.as_ref()
}

/// A number or a one-dimensional container, as data.
fn data_value(value: &Value) -> Option<DataValue> {
    match value {
        Value::Int(value) => Some(DataValue::int(vec![*value], Vec::new())),
        Value::Real(value) => Some(DataValue::real(vec![*value], Vec::new())),
        Value::Container(container) if container.dims.len() == 1 => {
            let numbers = (0..container.dims[0]).map(|at| container.scalars.get(at).as_real());
            Some(DataValue::real(numbers.collect(), container.dims.clone()))
        }
        _ => None,
    }
}
