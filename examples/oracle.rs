//! Compares every posterior of a folder of reference values with what this crate computes, and counts agreements.
//!
//! ```sh
//! HLM_POSTERIORDB=path/to/posteriordb cargo run --release --example oracle -- ORACLE_DIR --data-dir DATA_DIR
//! ```
//!
//! The programs are those of a posteriordb checkout (`posterior_database/models/stan/MODEL.stan` below the root that
//! HLM_POSTERIORDB names), the data `DATA_DIR/NAME.json`. Further arguments select files whose names contain one of them;
//! `--literal` compares the slow evaluator's values too. It ends with exit code 1 when a posterior differs.

#[path = "../tests/agreement/mod.rs"]
mod agreement;

use agreement::{BackEnd, Reference};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// What the command line says.
struct Arguments {
    oracle: PathBuf,
    data: PathBuf,
    programs: PathBuf,
    selected: Vec<String>,
    back_ends: Vec<BackEnd>,
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| compare_all(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let usage =
        "usage: HLM_POSTERIORDB=ROOT oracle ORACLE_DIR --data-dir DATA_DIR [--literal] [NAME]...";
    let root = std::env::var_os("HLM_POSTERIORDB").ok_or_else(|| {
        format!("HLM_POSTERIORDB is unset: it names the root of a posteriordb checkout\n{usage}")
    })?;
    let (mut places, mut data, mut back_ends) = (Vec::new(), None, vec![BackEnd::Compiled]);
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--data-dir" => data = rest.next(),
            "--literal" => back_ends.push(BackEnd::Literal),
            _ => places.push(argument),
        }
    }
    if places.is_empty() {
        return Err(usage.to_string());
    }
    let selected = places.split_off(1);
    Ok(Arguments {
        oracle: PathBuf::from(places.remove(0)),
        data: data.ok_or(usage)?.into(),
        programs: Path::new(&root).join("posterior_database/models/stan"),
        selected,
        back_ends,
    })
}

/// Prints a line per file and the count; whether all agree.
fn compare_all(arguments: &Arguments) -> Result<bool, String> {
    let names = file_names(&arguments.oracle, &arguments.selected)?;
    let (mut agreeing, mut stdout) = (0, std::io::stdout());
    // A panic is a bug, to be printed on its posterior's line rather than to end the comparison.
    std::panic::set_hook(Box::new(|_| {}));
    for name in &names {
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| compare(arguments, name)))
            .unwrap_or_else(|panic| Err(format!("panic: {}", panic_message(panic.as_ref()))));
        let seconds = start.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                agreeing += 1;
                println!("agrees   {name} ({seconds:.2} s)");
            }
            Err(reason) => println!("DIFFERS  {name} ({seconds:.2} s): {reason}"),
        }
        stdout.flush().map_err(|error| error.to_string())?;
    }
    println!("{agreeing} of {} posteriors agree", names.len());
    Ok(agreeing == names.len())
}

fn file_names(folder: &Path, selected: &[String]) -> Result<Vec<String>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_string))
        .filter(|name| selected.is_empty() || selected.iter().any(|part| name.contains(part)))
        .collect();
    names.sort();
    Ok(names)
}

fn compare(arguments: &Arguments, name: &str) -> Result<(), String> {
    let reference = Reference::read(&arguments.oracle.join(format!("{name}.json")))?;
    let program = arguments.programs.join(format!("{}.stan", reference.model));
    let text = std::fs::read_to_string(&program)
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let data = arguments.data.join(format!("{}.json", reference.data));
    let json = std::fs::read(&data).map_err(|error| format!("{}: {error}", data.display()))?;
    let posterior = agreement::posterior(
        &format!("{}.stan", reference.model),
        &text,
        &json,
        &reference,
    )?;
    for &back_end in &arguments.back_ends {
        let differences = agreement::differences(&posterior, &reference, back_end);
        if let Some(first) = differences.first() {
            let count = (differences.len(), reference.points.len());
            return Err(format!(
                "{back_end:?}, {} of {} points; {first}",
                count.0, count.1
            ));
        }
    }
    Ok(())
}

/// A panic's message on one line; what a failed assertion found is the line after `left`.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let message = (panic.downcast_ref::<String>().map(String::as_str))
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message");
    let first = message.lines().next().unwrap_or_default();
    match message
        .lines()
        .find(|line| line.trim_start().starts_with("left:"))
    {
        Some(found) => format!("{first} {}", found.trim()),
        None => first.to_string(),
    }
}
