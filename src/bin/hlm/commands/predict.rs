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
use hlm::equation::lower::Prediction;
use hlm::equation::plan::{Plan, SetId, SetKind};
use hlm::io::draws_csv::{columns_of, read_chains};
use hlm::model::{BindOptions, Model, Posterior};
use hlm::predict::grid::{Grid, GroupKind, Hold, Request, grid};
use hlm::predict::picture::{self, Observations};
use hlm::predict::{CannotPredict, Fit, Predicted, predict as predicted, program};
use hlm::session;
use hlm::tables::{Flat, Sources, Table, flat};
use serde_json::Value;

/// More points than pixels are of no use; a mistaken step should not fill the memory.
const MOST_POINTS: f64 = 10_000.0;

/// Runs the command.
///
/// # Errors
/// Whatever keeps the model from predicting.
pub fn predict(args: &PredictArgs) -> Result<ExitCode, Fault> {
    if args.vary.is_empty() && args.new.is_empty() {
        return Err(Fault::new(
            "say what varies, `--vary NAME=FROM:TO:STEP`, or name a table of new rows, `--new FILE`",
        ));
    }
    let model = read_model(&args.model, &CheckOptions::default())?;
    let run = description(&args.fit)?.ok_or_else(|| no_run(&args.fit))?;
    let data = DataSource::read(&data_of(&run)?)?;
    verify_unchanged(&run, &model, &data)?;
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

    /// The fit's data, ready for new rows behind them.
    fn sources(&self) -> Result<Sources, Fault> {
        let mut sources = self.data.sources(self.model)?;
        sources.follow(self.posterior.sets());
        Ok(sources)
    }

    /// A curve per group, for each kind of group asked for.
    fn along_curves(&self, folder: &Path) -> Result<(), Fault> {
        let plan = self.plan()?;
        let rows = flat(plan, &self.data.sources(self.model)?, self.data.options());
        let rows = rows.ok_or_else(|| {
            Fault::new("curves need a fit whose rows are those of a table, not of JSON; name new rows: `--new FILE`")
        })?;
        for group in &self.args.group {
            let request = self.request(plan, *group)?;
            let grid = grid(plan, &rows, &request).map_err(Fault::new)?;
            let mut sources = self.sources()?;
            sources.add_table(grid.table.clone(), None);
            let predicted = self.predict(&sources, &grid.without)?;
            let kind = request.group.word();
            for outcome in &predicted.outcomes {
                let stem = format!("{}-{kind}", file_name(&outcome.name));
                let words = vec![self.usual_kind(plan, request.group); grid.table.rows];
                let text = picture::table(&grid.table, std::slice::from_ref(outcome), &words);
                write(&folder.join(format!("{stem}.csv")), &text)?;
                let Some((x_name, _)) = request.vary.first() else {
                    continue;
                };
                let shown = request.group == GroupKind::Known && grid.undetermined.is_empty();
                let columns = numbers(&rows, x_name).zip(numbers(&rows, &outcome.column));
                let data = columns
                    .as_ref()
                    .filter(|_| shown && request.vary.len() == 1)
                    .map(|(x, y)| Observations { x, y });
                let figure = picture::curves(
                    &grid,
                    outcome,
                    x_name,
                    data.as_ref(),
                    &what(&request, &grid),
                );
                pictures::write(folder, &stem, &figure)?;
                screen::print(&format!("{}\n", pictures::terminal(&figure)))?;
            }
        }
        Ok(())
    }

    /// Each row of the given tables.
    fn new_rows(&self, folder: &Path) -> Result<(), Fault> {
        let plan = self.plan()?;
        let new = DataSource::read(&DataArgs {
            data: self.args.new.clone(),
            ..DataArgs::default()
        })?;
        if let Some(name) = new.first_json() {
            return Err(Fault::new(format!("new rows are a table; {name} is JSON")));
        }
        let mut sources = self.sources()?;
        new.add_to(&mut sources)?;
        let predicted = self.predict(&sources, &[])?;
        for outcome in &predicted.outcomes {
            // The first of several equals.
            let count = outcome.observations.len();
            let read = |table: &&Table| {
                plan.columns
                    .iter()
                    .filter(|own| table.find(&own.name).is_some())
                    .count()
            };
            let tables: Vec<&Table> = sources
                .new_tables()
                .filter(|table| table.rows == count)
                .collect();
            let Some(rows) = tables.into_iter().rev().max_by_key(read) else {
                screen::note(&format!(
                    "nothing of the new rows is about `{}`",
                    outcome.name
                ));
                continue;
            };
            let kinds: Vec<String> = (0..rows.rows)
                .map(|row| self.kind(plan, rows, row))
                .collect();
            let text = picture::table(rows, std::slice::from_ref(outcome), &kinds);
            write(
                &folder.join(format!("{}-new.csv", file_name(&outcome.name))),
                &text,
            )?;
        }
        Ok(())
    }

    /// Whether a new row is of groups of the fit, or of which new one.
    fn kind(&self, plan: &Plan, rows: &Table, row: usize) -> String {
        let mut new: Vec<&str> = Vec::new();
        for (set, fitted) in plan.sets.iter().zip(self.posterior.sets()) {
            let SetKind::Levels { columns, .. } = &set.kind else {
                continue;
            };
            for column in columns {
                let name = plan.columns[*column].name.as_str();
                let label = rows
                    .find(name)
                    .and_then(|place| rows.cell(place, row).label());
                let is_new = label.is_some_and(|label| fitted.labels.position(&label).is_none());
                if is_new && !new.contains(&name) && !plan.columns[*column].is_observed {
                    new.push(name);
                }
            }
        }
        match new.is_empty() {
            true => self.usual_kind(plan, GroupKind::Known),
            false => format!("new {}", new.join(" and ")),
        }
    }

    /// What kind of group tables say that rows are of: where effects belong to the rows themselves, each row is a new one.
    fn usual_kind(&self, plan: &Plan, kind: GroupKind) -> String {
        let is_rows = |set: &&SetId| matches!(plan.sets[set.0].kind, SetKind::Rows);
        let has_levels = plan
            .sets
            .iter()
            .any(|set| matches!(set.kind, SetKind::Levels { .. }));
        let mut effects = plan.outputs.iter().filter(|output| output.is_saved);
        let over_rows = effects.find_map(|output| output.over.iter().find(is_rows));
        match (over_rows, has_levels, kind) {
            (Some(set), false, GroupKind::Known) => {
                let letters = &plan.sets[set.0].letters;
                format!("new {}", letters.first().map_or("row", String::as_str))
            }
            _ => kind.word().to_string(),
        }
    }

    fn predict(&self, sources: &Sources, without: &[SetId]) -> Result<Predicted, Fault> {
        let prediction = Prediction {
            without: without.to_vec(),
        };
        if let Some(path) = &self.args.emit {
            let program = program(self.posterior.model(), &prediction).map_err(fault)?;
            write(path, &session::expand(program.program()))?;
        }
        let predicted =
            predicted(&self.fit, sources, &prediction, self.args.seed).map_err(fault)?;
        predicted.notes.iter().for_each(|note| screen::note(note));
        Ok(predicted)
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

/// Draws mean nothing with other data than those of the fit, and little with another program.
fn verify_unchanged(run: &Value, model: &Model, data: &DataSource) -> Result<(), Fault> {
    let program = model.program();
    if run["program"] != program.sources.text(program.source) {
        screen::warning(
            "the program is not the one that was fitted",
            "Its statements as they are now are used with the draws that were made then. Fit again if they differ in \
             more than words.",
        );
    }
    let identity = data.identity();
    let files = run["data"]["files"].as_array().into_iter().flatten();
    for (then, now) in files.zip(&identity.files) {
        if then["sha256"] != now.sha256.as_str() {
            return Err(Fault::new(format!(
                "{} has changed since the fit, whose draws belong to what it was; fit again",
                now.path
            )));
        }
    }
    Ok(())
}

fn no_run(folder: &Path) -> Fault {
    let shown = folder.display();
    Fault::new(match folder.is_dir() {
        true => format!("`{shown}` holds no run of `hlm sample`: it has no run.json"),
        false => format!("there is no run `{shown}`: `hlm sample` makes one"),
    })
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
    if count.is_nan() || count < 0.0 {
        return Err(Fault::new(format!(
            "`--vary {text}`: steps of {step} do not lead from {from} to {to}"
        )));
    }
    if count >= MOST_POINTS {
        return Err(Fault::new(format!(
            "`--vary {text}`: that is more than {MOST_POINTS} points; take longer steps"
        )));
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

fn numbers(rows: &Flat, name: &str) -> Option<Vec<f64>> {
    let column = rows.find(name)?;
    let cell = |row| rows.cell(column, row).number().unwrap_or(f64::NAN);
    Some((0..rows.rows).map(cell).collect())
}

/// What the groups of a picture are, in a sentence.
fn what(request: &Request, grid: &Grid) -> String {
    let by = request.by.join(" and ");
    let within = match grid.within.is_empty() {
        true => String::new(),
        false => format!(" in each {}", grid.within.join(" and ")),
    };
    match request.group {
        GroupKind::Known if by.is_empty() => "All data.".to_string(),
        GroupKind::Known => format!("By {by}, as the fit knows them."),
        GroupKind::New => {
            let levels = if request.by.len() > 1 {
                "their levels"
            } else {
                "its level"
            };
            format!("A new {by}{within}, drawn from the distribution of {levels}.")
        }
        GroupKind::None => format!("Any {by}{within}: effects at the location of their prior."),
    }
}

/// A name without the signs that files should not have in theirs.
fn file_name(outcome: &str) -> String {
    let sign = |sign: char| match sign.is_alphanumeric() || sign == '_' {
        true => sign,
        false => '-',
    };
    outcome
        .chars()
        .map(sign)
        .collect::<String>()
        .trim_end_matches('-')
        .to_string()
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
