//! `hlm predict`: a fitted model for new rows or along a curve, at known groups, new ones, or none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::pictures;
use super::summary::{chain_files, description};
use crate::args::{DataArgs, GroupArg, PredictArgs, missing_policy};
use crate::fault::Fault;
use crate::files::{DataSource, read_model};
use crate::screen;
use hlm::check::CheckOptions;
use hlm::equation::plan::{Plan, SetId, SetKind};
use hlm::io::draws_csv::{columns_of, read_chains};
use hlm::model::{BindOptions, Model, Posterior};
use hlm::pooling::equations_of;
use hlm::predict::grid::{Grid, GroupKind, Hold, Request, grid, level_columns, with_new_levels};
use hlm::predict::picture::{self, Observations};
use hlm::predict::program::effects_over;
use hlm::predict::{CannotPredict, Fit, Predicted, predict as predicted, prediction_program};
use hlm::tables::{Sources, Table};
use serde_json::Value;

/// Runs the command.
///
/// # Errors
/// Whatever keeps the model from predicting.
pub fn predict(args: &PredictArgs) -> Result<ExitCode, Fault> {
    let model = read_model(&args.model, &CheckOptions::default())?;
    let run = description(&args.fit)?
        .ok_or_else(|| Fault::new(format!("{} holds no run.json", args.fit.display())))?;
    let data = DataSource::read(&data_of(&run)?)?;
    let posterior = data.bind(&model, &BindOptions::default())?;
    let chains = read_chains(&chain_files(std::slice::from_ref(&args.fit))?)?;
    let command = Command {
        args,
        model: &model,
        data: &data,
        posterior: &posterior,
        fit: Fit {
            posterior: &posterior,
            columns: columns_of(&chains),
        },
    };
    let folder = args.output.clone();
    let folder = folder.unwrap_or_else(|| PathBuf::from(format!("{}-predict", model.name())));
    fs::create_dir_all(&folder)
        .map_err(|error| Fault::new(format!("{} cannot be made: {error}", folder.display())))?;
    match args.new.is_empty() {
        true => command.along_curves(&folder)?,
        false => command.new_rows(&folder)?,
    }
    screen::print(&format!("Tables and pictures: {}\n", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

struct Command<'a> {
    args: &'a PredictArgs,
    model: &'a Model,
    data: &'a DataSource,
    posterior: &'a Posterior,
    fit: Fit<'a>,
}

impl Command<'_> {
    fn plan(&self) -> Result<&Plan, Fault> {
        let equations = self.posterior.model().program().equations.as_ref();
        equations.map(|equations| &*equations.plan).ok_or_else(|| {
            Fault::new(
                "`hlm predict` needs a model in equation form; this program is in block form",
            )
        })
    }

    /// A curve per group, for each kind of group asked for.
    fn along_curves(&self, folder: &Path) -> Result<(), Fault> {
        let plan = self.plan()?;
        let fit_sources = self.data.sources(self.model, None)?;
        let rows = row_table(plan, &fit_sources)?;
        for group in &self.args.group {
            let request = self.request(plan, *group)?;
            let grid = grid(plan, rows, &request).map_err(Fault::new)?;
            let mut sources = self.data.sources(self.model, Some(&rows.name))?;
            sources.map_tables(|table| with_new_levels(table, &grid, &request));
            sources.add_table(grid.table.clone(), None);
            let sets = self.sets_at_location(plan, &request, &grid);
            let predicted = self.predict(&sources, &sets)?;
            let kind = request.group.word();
            for outcome in &predicted.outcomes {
                let stem = format!("{}-{kind}", outcome.name);
                let text = picture::table(&grid, std::slice::from_ref(outcome), kind);
                write(&folder.join(format!("{stem}.csv")), &text)?;
                let Some((x_name, _)) = request.vary.first() else {
                    continue;
                };
                let shown = request.group == GroupKind::Known && grid.undetermined.is_empty();
                let columns = numbers(rows, x_name).zip(numbers(rows, &outcome.name));
                let data = columns
                    .as_ref()
                    .filter(|_| shown)
                    .map(|(x, y)| Observations { x, y });
                let what = match request.group {
                    GroupKind::Known => "Groups of the fit.",
                    GroupKind::New => {
                        "A group not seen in the fit, drawn from the distribution of its level."
                    }
                    GroupKind::None => "No group: effects at the location of their prior.",
                };
                let figure = picture::curves(&grid, outcome, x_name, data.as_ref(), what);
                pictures::write(folder, &stem, &figure)?;
                screen::print(&format!("{}\n", pictures::terminal(&figure)))?;
            }
        }
        Ok(())
    }

    /// Each row of the given tables.
    fn new_rows(&self, folder: &Path) -> Result<(), Fault> {
        let plan = self.plan()?;
        let fit_sources = self.data.sources(self.model, None)?;
        let fit_rows = row_table(plan, &fit_sources)?;
        let new = DataSource::read(&DataArgs {
            data: self.args.new.clone(),
            ..DataArgs::default()
        })?;
        let new_sources = new.sources(self.model, None)?;
        let mut sources = self.data.sources(self.model, Some(&fit_rows.name))?;
        for table in new_sources.tables() {
            // Its text is among other texts.
            let table = Table {
                text: None,
                ..table.clone()
            };
            sources.add_table(table, None);
        }
        let rows = row_table(plan, &new_sources)?.clone();
        let predicted = self.predict(&sources, &[])?;
        let grid = Grid {
            x: vec![0.0; rows.rows],
            table: rows,
            groups: Vec::new(),
            undetermined: Vec::new(),
            held: Vec::new(),
            fresh: Vec::new(),
        };
        for outcome in &predicted.outcomes {
            let text = picture::table(&grid, std::slice::from_ref(outcome), "");
            write(&folder.join(format!("{}-new.csv", outcome.name)), &text)?;
        }
        Ok(())
    }

    fn predict(&self, sources: &Sources, at_location: &[SetId]) -> Result<Predicted, Fault> {
        let (program, equations) = equations_of(self.model)
            .ok_or_else(|| Fault::new("`hlm predict` needs a model in equation form"))?;
        let population = effects_over(&program, &equations.model, at_location);
        let labels = self.posterior.labels();
        let made = prediction_program(self.model, &program, labels, &population);
        let program = made.map_err(fault)?;
        if let Some(path) = &self.args.emit {
            write(path, &program.text)?;
        }
        let predicted = predicted(&program, sources, &self.fit, self.args.seed).map_err(fault)?;
        predicted.notes.iter().for_each(|note| screen::note(note));
        Ok(predicted)
    }

    /// The sets whose effects are at their location: those of levels that nothing chooses, and with `none` those asked for.
    fn sets_at_location(&self, plan: &Plan, request: &Request, grid: &Grid) -> Vec<SetId> {
        let mut columns = grid.undetermined.clone();
        if request.group == GroupKind::None {
            columns.extend(request.by.iter().cloned());
        }
        let mut sets: Vec<SetId> = (level_columns(plan).into_iter())
            .filter(|(name, _)| columns.contains(name))
            .map(|(_, set)| set)
            .collect();
        // Combinations vary with each of their parts.
        for (place, set) in plan.sets.iter().enumerate() {
            if let SetKind::Combinations { parts, .. } = &set.kind {
                let mut last = parts.iter().filter_map(|part| part.path.last());
                if last.any(|column| columns.contains(&plan.columns[*column].name)) {
                    sets.push(SetId(place));
                }
            }
        }
        sets
    }

    fn request(&self, plan: &Plan, group: GroupArg) -> Result<Request, Fault> {
        let mut request = Request {
            group: match group {
                GroupArg::Known => GroupKind::Known,
                GroupArg::New => GroupKind::New,
                GroupArg::None => GroupKind::None,
            },
            ..Request::default()
        };
        for text in &self.args.vary {
            request.vary.push(vary(text)?);
        }
        for text in &self.args.at {
            match (text.as_str(), text.split_once('=')) {
                ("mean", _) => request.at = Hold::Mean,
                ("median", _) => request.at = Hold::Median,
                (_, Some((name, value))) => {
                    request
                        .at_column
                        .push((name.trim().to_string(), number(value)?));
                }
                (value, None) => request.at = Hold::Value(number(value)?),
            }
        }
        for name in &self.args.by {
            request.by.extend(columns_of_letter(plan, name));
        }
        Ok(request)
    }
}

fn fault(reason: CannotPredict) -> Fault {
    match reason {
        CannotPredict::Because(sentence) => Fault::new(sentence),
        CannotPredict::Failure(failure) => Fault::Findings(*failure),
    }
}

fn number(text: &str) -> Result<f64, Fault> {
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| Fault::new(format!("`{text}` is no number")))
}

/// `spend=0:100:5`, or `spend=1,2,5`.
fn vary(text: &str) -> Result<(String, Vec<f64>), Fault> {
    let form = || {
        Fault::new(format!(
            "`--vary {text}`: write NAME=from:to:step, as in `spend=0:100:5`"
        ))
    };
    let (name, range) = text.split_once('=').ok_or_else(form)?;
    let name = name.trim().to_string();
    let parts: Vec<&str> = range.split(':').collect();
    let [from, to, step] = parts.as_slice() else {
        let values: Result<Vec<f64>, Fault> = range.split(',').map(number).collect();
        return Ok((name, values.map_err(|_| form())?));
    };
    let (from, to, step) = (number(from)?, number(to)?, number(step)?);
    let count = ((to - from) / step + 1e-9).floor();
    // More points than pixels are of no use; a mistaken step should not fill the memory.
    if !(0.0..10_000.0).contains(&count) {
        return Err(form());
    }
    Ok((
        name,
        (0..=count as usize)
            .map(|k| from + k as f64 * step)
            .collect(),
    ))
}

/// The columns behind a letter; a column stands for itself.
fn columns_of_letter(plan: &Plan, name: &str) -> Vec<String> {
    let set = plan
        .sets
        .iter()
        .find(|set| set.letters.iter().any(|letter| letter == name));
    let column = |place: &usize| plan.columns[*place].name.clone();
    match set.map(|set| &set.kind) {
        Some(SetKind::Levels { columns, .. }) => columns.iter().map(column).collect(),
        Some(SetKind::Combinations { parts, .. }) => parts
            .iter()
            .filter_map(|part| part.path.last())
            .map(column)
            .collect(),
        _ => vec![name.to_string()],
    }
}

/// The table of the rows: the one with most of the columns that the model reads.
fn row_table<'s>(plan: &Plan, sources: &'s Sources) -> Result<&'s Table, Fault> {
    let is_label = |name: &str| {
        plan.sets.iter().any(|set| match &set.kind {
            SetKind::Fixed(hlm::equation::plan::Fixed::Labels(labels)) => {
                labels.iter().any(|label| label == name)
            }
            _ => false,
        })
    };
    let matching = |table: &&Table| {
        let reads =
            |name: &str| plan.columns.iter().any(|column| column.name == name) || is_label(name);
        table
            .columns
            .iter()
            .filter(|column| reads(&column.name))
            .count()
    };
    // The first of several equals.
    let best = sources
        .tables()
        .max_by_key(|table| (matching(table), table.rows));
    best.ok_or_else(|| Fault::new("`hlm predict` needs a fit whose data are tables"))
}

fn numbers(table: &Table, name: &str) -> Option<Vec<f64>> {
    let column = table.find(name)?;
    let cell = |row| table.cell(column, row).number().unwrap_or(f64::NAN);
    Some((0..table.rows).map(cell).collect())
}

/// The data of a run, as its description has them.
fn data_of(run: &Value) -> Result<DataArgs, Fault> {
    let empty = Vec::new();
    let files = run["data"]["files"].as_array().unwrap_or(&empty).iter();
    let data = files.filter_map(|file| {
        let path = file["file"].as_str()?;
        Some(match file["letter"].as_str() {
            Some(letter) => format!("{letter}={path}"),
            None => path.to_string(),
        })
    });
    let set = run["data"]["set"].as_object().into_iter().flatten();
    let policies = run["data"]["na"].as_array().unwrap_or(&empty).iter();
    let policies = policies.filter_map(|policy| policy.as_str().map(missing_policy));
    Ok(DataArgs {
        data: data.collect(),
        set: set
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_string()))
            .collect(),
        na: policies.collect::<Result<_, _>>().map_err(Fault::new)?,
    })
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    fs::write(path, text)
        .map_err(|error| Fault::new(format!("{} cannot be written: {error}", path.display())))
}
