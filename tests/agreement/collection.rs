//! A folder of files to compare posteriors with, one `DATA-MODEL.json` each: the command line and the loop over the files
//! that all comparisons share.

use std::any::Any;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// What the command line says, but for the options of one comparison alone.
pub struct Collection {
    /// The folder with what to compare with.
    pub reference: PathBuf,
    /// The folder of the data, `NAME.json`.
    data: PathBuf,
    /// The folder of the programs, `NAME.stan`.
    programs: PathBuf,
    /// Parts of the names of the files to take; none takes all.
    selected: Vec<String>,
    /// Parts of the names of the files to leave out.
    excepted: Vec<String>,
}

impl Collection {
    /// Reads `FOLDER --data-dir FOLDER [--except NAME] [NAME]…` and, through `option`, which gets the name and a way to take
    /// its value and returns whether it knows the name, what else there is.
    pub fn from_arguments(
        usage: &str,
        mut option: impl FnMut(&str, &mut dyn FnMut() -> Result<String, String>) -> Result<bool, String>,
    ) -> Result<Collection, String> {
        let root = std::env::var_os("HLM_POSTERIORDB").ok_or_else(|| {
            format!(
                "HLM_POSTERIORDB is unset: it names the root of a posteriordb checkout\n{usage}"
            )
        })?;
        let (mut places, mut data, mut excepted) = (Vec::new(), None, Vec::new());
        let mut rest = std::env::args().skip(1);
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| usage.to_string());
            match argument.as_str() {
                "--data-dir" => data = Some(value()?),
                "--except" => excepted.push(value()?),
                name if name.starts_with("--") => {
                    if !option(name, &mut value)? {
                        return Err(format!("{name} is no option\n{usage}"));
                    }
                }
                _ => places.push(argument),
            }
        }
        if places.is_empty() {
            return Err(usage.to_string());
        }
        let selected = places.split_off(1);
        Ok(Collection {
            reference: PathBuf::from(places.remove(0)),
            data: data.ok_or(usage)?.into(),
            programs: Path::new(&root).join("posterior_database/models/stan"),
            selected,
            excepted,
        })
    }

    /// The names of the chosen files, in order.
    fn names(&self) -> Result<Vec<String>, String> {
        let folder = &self.reference;
        let entries =
            std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let contains = |name: &str, parts: &[String]| parts.iter().any(|part| name.contains(part));
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".json").map(str::to_string))
            .filter(|name| self.selected.is_empty() || contains(name, &self.selected))
            .filter(|name| !contains(name, &self.excepted))
            .collect();
        names.sort();
        Ok(names)
    }

    /// The file to compare a posterior with.
    pub fn reference_file(&self, name: &str) -> PathBuf {
        self.reference.join(format!("{name}.json"))
    }

    /// The text of a program.
    pub fn program(&self, model: &str) -> Result<String, String> {
        let bytes = read(&self.programs.join(format!("{model}.stan")))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The text of a data file.
    pub fn data(&self, name: &str) -> Result<Vec<u8>, String> {
        read(&self.data.join(format!("{name}.json")))
    }

    /// Prints a line per posterior (what `compare` says of one that agrees, or why one does not) and the count.
    pub fn compare_all(
        &self,
        mut compare: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<bool, String> {
        let names = self.names()?;
        let (mut agreeing, mut stdout) = (0, std::io::stdout());
        // A panic is a bug, to be printed on its posterior's line rather than to end the comparison.
        std::panic::set_hook(Box::new(|_| {}));
        for name in &names {
            let start = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| compare(name)))
                .unwrap_or_else(|panic| Err(format!("panic: {}", panic_message(panic.as_ref()))));
            let seconds = start.elapsed().as_secs_f64();
            let (verdict, words) = match outcome {
                Ok(words) => {
                    agreeing += 1;
                    ("agrees ", words)
                }
                Err(reason) => ("DIFFERS", reason),
            };
            let colon = if words.is_empty() { "" } else { ": " };
            println!("{verdict}  {name} ({seconds:.2} s){colon}{words}");
            stdout.flush().map_err(|error| error.to_string())?;
        }
        println!("{agreeing} of {} posteriors agree", names.len());
        Ok(agreeing == names.len())
    }
}

/// Exit code 0 when all agree, 1 when some do not, 2 when nothing could be compared.
pub fn exit_code(outcome: Result<bool, String>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// A panic's message on one line; what a failed assertion found is the line after `left`.
fn panic_message(panic: &(dyn Any + Send)) -> String {
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
