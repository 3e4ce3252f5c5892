//! `hlm summary`: what the draws of a run, or of any files that CmdStan could have written, say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::args::{Format, SummaryArgs};
use crate::fault::Fault;
use crate::files::read_bytes;
use crate::screen;
use hlm::io::draws_csv::{ChainDraws, columns_of, read_chains};
use hlm::io::run_folder::RunFolder;
use hlm::run;
use hlm::summary::{
    ChainStatistics, Labelling, NamePattern, SamplingWarning, Summary, sampling_warnings,
    summarise_labelled,
};
use serde_json::{Value, json};

/// Probabilities of the quantiles.
const PROBABILITIES: [f64; 3] = [0.05, 0.5, 0.95];

/// Runs the command.
///
/// # Errors
/// Files that cannot be read or do not belong together, and patterns that choose nothing.
pub fn summary(args: &SummaryArgs) -> Result<ExitCode, Fault> {
    let paths = chain_files(&args.paths)?;
    let chains = read_chains(&paths)?;
    if chains.iter().all(|chain| chain.sample.rows == 0) {
        return Err(Fault::new(format!(
            "{} no draws after warmup",
            match paths.as_slice() {
                [only] => format!("{} has", only.display()),
                _ => "the files have".to_string(),
            }
        )));
    }
    let patterns: Vec<NamePattern> = args
        .vars
        .iter()
        .map(|text| NamePattern::new(text))
        .collect();
    let columns = columns_of(&chains);
    let labelling = labelling(&args.paths)?;
    let summary = summarise_labelled(&columns, &PROBABILITIES, &patterns, &labelling);
    if let Some(pattern) = summary.unmatched.first() {
        return Err(Fault::new(format!(
            "no variable matches `{pattern}`; there are {}",
            names(&columns)
        )));
    }
    let warnings = warnings(&chains, &summary);
    match args.format {
        Format::Text => {
            screen::print(&summary.to_text())?;
            for (path, chain) in paths.iter().zip(&chains) {
                if let Some(line) = chain.cut_off_at {
                    screen::warning(
                        &format!(
                            "{} ends within line {line}, which is left out.",
                            path.display()
                        ),
                        "The run was ended from outside while it wrote.",
                    );
                }
            }
            for warning in &warnings {
                screen::warning(&warning.to_string(), warning.advice());
            }
        }
        Format::Json => {
            let mut object = summary.to_json();
            object["warnings"] = warnings.iter().map(warning_json).collect();
            screen::print(&format!("{object:#}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn warning_json(warning: &SamplingWarning) -> Value {
    json!({"message": warning.to_string(), "advice": warning.advice()})
}

fn warnings(chains: &[ChainDraws], summary: &Summary) -> Vec<SamplingWarning> {
    let statistics: Vec<ChainStatistics<'_>> = chains
        .iter()
        .filter(|chain| chain.sample.rows > 0)
        .filter_map(|chain| {
            Some(ChainStatistics {
                divergent: chain.column("divergent__")?,
                tree_depth: chain.column("treedepth__")?,
                energy: chain.column("energy__")?,
            })
        })
        .collect();
    if statistics.is_empty() {
        // Draws without parameters, or of another method than NUTS, which these warnings are not about.
        return Vec::new();
    }
    let max_depth = chains[0].header_value("max_depth");
    let max_depth = max_depth.and_then(|depth| depth.parse().ok());
    sampling_warnings(&statistics, max_depth, summary)
}

/// The variables of a run, as a sentence lists them.
fn names(columns: &[(&str, Vec<&[f64]>)]) -> String {
    /// A sentence lists at most so many.
    const LISTED: usize = 12;
    let mut names: Vec<&str> = Vec::new();
    for (column, _) in columns {
        let name = column.split(['.', ':', '[']).next().unwrap_or(column);
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let listed = names.join(", ");
    if more > 0 {
        format!("{listed} and {more} more")
    } else {
        listed
    }
}

/// The files of draws that paths stand for: folders stand for their chains.
pub(super) fn chain_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_of_folder(path)?);
        } else if path.exists() {
            files.push(path.clone());
        } else {
            let shown = path.display();
            return Err(Fault::new(format!("there is no file or folder `{shown}`")));
        }
    }
    Ok(files)
}

fn files_of_folder(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let files = match description(folder)? {
        Some(run) => {
            let model = run["model"].as_str().unwrap_or("model");
            RunFolder::open(folder, model).existing_chain_files()?
        }
        None => csv_files(folder)?,
    };
    if files.is_empty() {
        let shown = folder.display();
        return Err(Fault::new(format!(
            "there are no draws in the folder `{shown}`"
        )));
    }
    Ok(files)
}

/// The description of the run in a folder, if one lies there.
pub(super) fn description(folder: &Path) -> Result<Option<Value>, Fault> {
    let path = folder.join("run.json");
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_bytes(&path, "file")?;
    let run = serde_json::from_slice(&bytes);
    let run =
        run.map_err(|error| Fault::new(format!("{} cannot be read: {error}", path.display())))?;
    Ok(Some(run))
}

/// The labels of the variables: those of the description in the folder, or beside the first file.
fn labelling(paths: &[PathBuf]) -> Result<Labelling, Fault> {
    let Some(first) = paths.first() else {
        return Ok(Labelling::default());
    };
    let folder = match first.is_dir() {
        true => first.as_path(),
        false => first.parent().unwrap_or(Path::new("")),
    };
    let run = description(folder)?;
    Ok(run.map(|run| run::labelling_of(&run)).unwrap_or_default())
}

fn csv_files(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let unreadable = |error| Fault::new(format!("{} cannot be read: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
