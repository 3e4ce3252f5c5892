//! Curves of predictions: a panel per group, ranges of the outcome's mean and of new observations, and the data.

use super::grid::{Grid, GridGroup};
use super::run::PredictedOutcome;
use crate::plot::{Axis, BLUE, Dot, Figure, GREY, INK, Key, KeyMark, Layer, Line, Panel, series};
use crate::summary::quantile_of_sorted;
use crate::tables::Table;
use std::fmt::Write;

/// The ends of central ranges of 95, 80 and 50 %, and the opacity of their ribbons.
const RANGES: [(f64, f64, f64); 3] = [(0.025, 0.975, 0.16), (0.1, 0.9, 0.20), (0.25, 0.75, 0.26)];
/// The ends of the one range of probabilities of levels, of which several stand in a panel: 80 %.
const LEVEL_RANGE: [f64; 2] = [0.1, 0.9];
/// The quantiles of tables.
const QUANTILES: [(f64, &str); 7] = [
    (0.025, "q2.5"),
    (0.1, "q10"),
    (0.25, "q25"),
    (0.5, "q50"),
    (0.75, "q75"),
    (0.9, "q90"),
    (0.975, "q97.5"),
];
/// More panels cannot be read.
const MOST_PANELS: usize = 24;

/// The predictions as CSV: for each row a line for the mean of each outcome and one for the outcome itself, or, of an
/// outcome that is a level, one for the probability of each. The table's columns come first; `groups` says of each row
/// whether it is of known groups, of a new one, or of none.
pub fn table(rows: &Table, outcomes: &[PredictedOutcome], groups: &[String]) -> String {
    let mut text = String::new();
    let columns = &rows.columns;
    let is_outcome = |name: &str| outcomes.iter().any(|outcome| outcome.column == name);
    let shown: Vec<usize> = (0..columns.len())
        .filter(|place| !is_outcome(&columns[*place].name))
        .collect();
    for place in &shown {
        let _ = write!(text, "{},", field(&columns[*place].heading));
    }
    text.push_str("group,quantity,mean,sd");
    for (_, name) in QUANTILES {
        let _ = write!(text, ",{name}");
    }
    text.push('\n');
    for (row, group) in groups.iter().enumerate() {
        for outcome in outcomes {
            for (quantity, numbers) in quantities(outcome, row) {
                for place in &shown {
                    let label = rows.cell(*place, row).label().unwrap_or_default();
                    let _ = write!(text, "{},", field(&label));
                }
                let _ = write!(text, "{},{}", field(group), field(&quantity));
                // A share of draws has no quantiles.
                for place in 0..2 + QUANTILES.len() {
                    let number = numbers.get(place).map(f64::to_string);
                    let _ = write!(text, ",{}", number.unwrap_or_default());
                }
                text.push('\n');
            }
        }
    }
    text
}

/// What there is to say of a row: a name, and mean, standard deviation and quantiles.
fn quantities(outcome: &PredictedOutcome, row: usize) -> Vec<(String, Vec<f64>)> {
    let describe = |draws: &Vec<f64>| {
        let (mean, deviation) = moments(draws);
        let sorted = sorted(draws);
        let quantiles = QUANTILES.iter();
        let quantiles = quantiles.map(|(at, _)| quantile_of_sorted(&sorted, *at));
        [mean, deviation].into_iter().chain(quantiles).collect()
    };
    if !outcome.levels.is_empty() {
        let levels = outcome.levels.iter().enumerate();
        let probability = |(at, level): (usize, &String)| {
            let numbers = match outcome.probabilities.get(at) {
                Some(draws) => describe(&draws[row]),
                None => vec![share(&outcome.observations[row], at + 1)],
            };
            (format!("probability of {} {level}", outcome.name), numbers)
        };
        return levels.map(probability).collect();
    }
    let mean = outcome
        .means
        .get(row)
        .map(|draws| (format!("mean of {}", outcome.name), describe(draws)));
    let own = outcome
        .observations
        .get(row)
        .map(|draws| (outcome.name.clone(), describe(draws)));
    mean.into_iter().chain(own).collect()
}

/// How many of the draws are a level.
fn share(draws: &[f64], level: usize) -> f64 {
    let count = draws.iter().filter(|draw| **draw == level as f64).count();
    count as f64 / draws.len() as f64
}

/// A field of CSV (RFC 4180).
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}

fn sorted(draws: &[f64]) -> Vec<f64> {
    let mut sorted = draws.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn moments(draws: &[f64]) -> (f64, f64) {
    let count = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / count;
    let squares = draws.iter().map(|draw| (draw - mean) * (draw - mean));
    (mean, (squares.sum::<f64>() / (count - 1.0)).sqrt())
}

/// The numbers of a column of the fit, to show beside predictions.
pub struct Observations<'a> {
    /// The varied column's values, one per row of the fit.
    pub x: &'a [f64],
    /// The outcome's values.
    pub y: &'a [f64],
}

/// The curves of one outcome along the first column that varies.
pub fn curves(
    grid: &Grid,
    outcome: &PredictedOutcome,
    x_label: &str,
    data: Option<&Observations<'_>>,
    what: &str,
) -> Figure {
    let data = data.filter(|_| outcome.levels.is_empty());
    let mut figure = Figure {
        title: format!("{} by {x_label}", outcome.name),
        keys: keys(outcome, data.is_some()),
        x: Axis::new(x_label),
        y: match outcome.levels.is_empty() {
            true => Axis::new(outcome.name.as_str()),
            false => Axis::new(format!("probability of {}", outcome.name)),
        },
        ..Figure::default()
    };
    let held: Vec<String> = (grid.held.iter())
        .filter(|(name, _)| name != x_label)
        .map(|(name, value)| format!("{name} at {}", short(*value)))
        .collect();
    figure.subtitle = what.to_string();
    if !held.is_empty() {
        let _ = write!(figure.subtitle, " {}.", held.join(", "));
    }
    if !grid.undetermined.is_empty() {
        let _ = write!(
            figure.subtitle,
            " Effects of {} at their location.",
            grid.undetermined.join(" and ")
        );
    }
    let draws = outcome.observations.first().map_or(0, Vec::len);
    figure.note = match outcome.levels.is_empty() {
        true => format!("{draws} draws; ranges are central, 50, 80 and 95 %."),
        false => format!("{draws} draws; ranges are central, 80 %."),
    };
    if grid.groups.len() > MOST_PANELS {
        let _ = write!(
            figure.note,
            " The first {MOST_PANELS} of {} groups.",
            grid.groups.len()
        );
    }
    let shown = grid.groups.iter().take(MOST_PANELS);
    figure.panels = shown
        .map(|group| panel(grid, group, outcome, data))
        .collect();
    figure
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Whether new observations have ranges that say something: not of outcomes that are 0 or 1.
fn has_ranges(outcome: &PredictedOutcome) -> bool {
    let binary = |draw: &f64| *draw == 0.0 || *draw == 1.0;
    if !outcome.levels.is_empty() {
        return false;
    }
    outcome.means.is_empty() || !outcome.observations.iter().flatten().all(binary)
}

fn keys(outcome: &PredictedOutcome, has_data: bool) -> Vec<Key> {
    let key = |label: String, mark| Key { label, mark };
    let mut keys = Vec::new();
    for (at, level) in outcome.levels.iter().enumerate() {
        let mark = KeyMark::Line {
            colour: series(at),
            is_dashed: false,
        };
        keys.push(key(level.clone(), mark));
    }
    if !outcome.means.is_empty() {
        let mark = KeyMark::Line {
            colour: BLUE,
            is_dashed: false,
        };
        keys.push(key(format!("mean of {}, with ranges", outcome.name), mark));
    }
    if has_ranges(outcome) {
        let mark = KeyMark::Band {
            colour: GREY,
            opacity: 0.3,
        };
        keys.push(key(format!("{} of a new observation", outcome.name), mark));
    }
    if has_data {
        let mark = KeyMark::Dot {
            colour: INK,
            radius: 2.0,
            is_filled: true,
        };
        keys.push(key("data".to_string(), mark));
    }
    keys
}

fn panel(
    grid: &Grid,
    group: &GridGroup,
    outcome: &PredictedOutcome,
    data: Option<&Observations<'_>>,
) -> Panel {
    let mut layers = Vec::new();
    let mut lines = Vec::new();
    for at in 0..outcome.levels.len() {
        let (mut points, mut range) = (Vec::new(), Vec::new());
        for row in group.rows.clone() {
            let x = grid.x[row];
            let Some(draws) = outcome.probabilities.get(at) else {
                points.push((x, share(&outcome.observations[row], at + 1)));
                continue;
            };
            let sorted = sorted(&draws[row]);
            points.push((x, moments(&draws[row]).0));
            let [low, high] = LEVEL_RANGE.map(|end| quantile_of_sorted(&sorted, end));
            range.push([x, low, high]);
        }
        layers.push(Layer::Ribbon {
            points: range,
            colour: series(at),
            opacity: 0.15,
        });
        lines.push(Layer::Line(Line::new(points, series(at))));
    }
    layers.extend(lines);
    if has_ranges(outcome) {
        ribbons(grid, group, &outcome.observations, GREY, &mut layers);
    }
    if let Some(data) = data {
        let dots = group.members.iter().map(|row| Dot {
            at: (data.x[*row], data.y[*row]),
            radius: 2.0,
            colour: INK,
            is_filled: true,
            opacity: 0.6,
        });
        layers.push(Layer::Dots(
            dots.filter(|dot| dot.at.1.is_finite()).collect(),
        ));
    }
    if !outcome.means.is_empty() {
        ribbons(grid, group, &outcome.means, BLUE, &mut layers);
        let mean = |row: usize| (grid.x[row], moments(&outcome.means[row]).0);
        layers.push(Layer::Line(Line::new(
            group.rows.clone().map(mean).collect(),
            BLUE,
        )));
    }
    Panel {
        title: group.label.clone(),
        layers,
        ..Panel::default()
    }
}

fn ribbons(
    grid: &Grid,
    group: &GridGroup,
    draws: &[Vec<f64>],
    colour: crate::plot::Colour,
    layers: &mut Vec<Layer>,
) {
    let rows: Vec<(f64, Vec<f64>)> = (group.rows.clone())
        .map(|row| (grid.x[row], sorted(&draws[row])))
        .collect();
    for (low, high, opacity) in RANGES {
        let range = |(x, sorted): &(f64, Vec<f64>)| {
            [
                *x,
                quantile_of_sorted(sorted, low),
                quantile_of_sorted(sorted, high),
            ]
        };
        layers.push(Layer::Ribbon {
            points: rows.iter().map(range).collect(),
            colour,
            opacity,
        });
    }
}
