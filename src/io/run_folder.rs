//! The folder that the files of one run go to.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::io::{FileError, FileProblem};

/// Name of the file that describes the run.
const RUN_FILE: &str = "run.json";

/// A folder for the files of one run of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
    model: String,
}

impl RunFolder {
    /// A new folder `MODEL-YYYYMMDD-HHMMSS` in `parent`, with the time `now` in UTC; `-2`, `-3`, … follows when that
    /// exists. `model` is the model's name, in which everything but letters, digits, `_`, `-` and `.` becomes `_`.
    pub fn create_in(parent: &Path, model: &str, now: SystemTime) -> Result<RunFolder, FileError> {
        let model = file_stem(model);
        let stem = format!("{model}-{}", UtcTime::of(now).compact());
        fs::create_dir_all(parent).map_err(|error| FileError::system(parent, error))?;
        let mut attempt = 1;
        loop {
            let name = if attempt == 1 {
                stem.clone()
            } else {
                format!("{stem}-{attempt}")
            };
            let path = parent.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder { path, model }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => attempt += 1,
                Err(error) => return Err(FileError::system(&path, error)),
            }
        }
    }

    /// The folder `path`, made if need be. An error when it already holds a run: one is never overwritten.
    pub fn create_at(path: &Path, model: &str) -> Result<RunFolder, FileError> {
        let folder = RunFolder::open(path, model);
        fs::create_dir_all(path).map_err(|error| FileError::system(path, error))?;
        let in_the_way = [folder.run_file(), folder.chain_file(1)]
            .into_iter()
            .find(|file| file.exists());
        match in_the_way {
            Some(file) => Err(FileError::new(path, FileProblem::HoldsARun { file })),
            None => Ok(folder),
        }
    }

    /// The folder of an existing run, to read or resume it. Nothing is checked or made.
    pub fn open(path: &Path, model: &str) -> RunFolder {
        RunFolder {
            path: path.to_path_buf(),
            model: file_stem(model),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of draws of chain `id`, from 1: `MODEL-1.csv`.
    pub fn chain_file(&self, id: u64) -> PathBuf {
        self.path.join(format!("{}-{id}.csv", self.model))
    }

    /// The file that describes the run.
    pub fn run_file(&self) -> PathBuf {
        self.path.join(RUN_FILE)
    }

    /// The files of draws that are there, ordered by chain.
    pub fn existing_chain_files(&self) -> Result<Vec<PathBuf>, FileError> {
        let read = || -> std::io::Result<Vec<(u64, PathBuf)>> {
            let mut found = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let name = entry?.file_name();
                let id = name
                    .to_str()
                    .and_then(|name| {
                        name.strip_prefix(&self.model)?
                            .strip_prefix('-')?
                            .strip_suffix(".csv")
                    })
                    .and_then(|id| id.parse().ok());
                if let Some(id) = id {
                    found.push((id, self.path.join(name)));
                }
            }
            found.sort();
            Ok(found)
        };
        let found = read().map_err(|error| FileError::system(&self.path, error))?;
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    /// Writes the description of the run. A reader sees the old text or the new one, never a part.
    pub fn write_run_file(&self, description: &serde_json::Value) -> Result<(), FileError> {
        let path = self.run_file();
        let temporary = self.path.join(format!(".{RUN_FILE}.new"));
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&temporary)?;
            serde_json::to_writer_pretty(&mut file, description)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| FileError::system(&path, error))
    }
}

/// `name` as it can stand in a file name on every system.
fn file_stem(name: &str) -> String {
    let allowed =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
    let stem: String = name
        .chars()
        .map(|character| if allowed(character) { character } else { '_' })
        .collect();
    if stem.trim_matches('.').is_empty() {
        "model".to_string()
    } else {
        stem
    }
}

/// A time of the civil calendar in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcTime {
    /// Year of the common era.
    pub year: u64,
    /// Month, from 1.
    pub month: u64,
    /// Day of the month, from 1.
    pub day: u64,
    /// Hour, 0 to 23.
    pub hour: u64,
    /// Minute, 0 to 59.
    pub minute: u64,
    /// Second, 0 to 59: the system clock has no leap seconds.
    pub second: u64,
}

impl UtcTime {
    /// The calendar time of a moment; that of 1970 for any before.
    pub fn of(time: SystemTime) -> UtcTime {
        let seconds = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs();
        // H. Hinnant's `civil_from_days`: years begin in March, so that the leap day is the last of its year, and
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        let days = seconds / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = (month_from_march + 2) % 12 + 1;
        UtcTime {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: seconds / 3_600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }

    /// As `20261122-235959`.
    pub fn compact(&self) -> String {
        let UtcTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }
}

impl std::fmt::Display for UtcTime {
    /// As `2026-11-22 23:59:59 UTC`, the form of CmdStan's `start_datetime`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let UtcTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test alone, removed when it ends.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path =
                std::env::temp_dir().join(format!("hlm-run-folder-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn moment(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn calendar_times_match_those_of_date() {
        let cases = [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(UtcTime::of(moment(seconds)).to_string(), expected);
        }
        assert_eq!(
            UtcTime::of(moment(951_782_399)).compact(),
            "20000228-235959"
        );
        assert_eq!(
            UtcTime::of(SystemTime::UNIX_EPOCH - Duration::from_secs(5)),
            UtcTime::of(moment(0))
        );
    }

    #[test]
    fn new_folders_never_collide() {
        let scratch = Scratch::new("new");
        let names: Vec<String> = (0..3)
            .map(|_| RunFolder::create_in(&scratch.0, "eight schools", moment(0)).unwrap())
            .map(|folder| {
                folder
                    .path()
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        let stem = "eight_schools-19700101-000000";
        assert_eq!(
            names,
            [stem.to_string(), format!("{stem}-2"), format!("{stem}-3")]
        );
    }

    #[test]
    fn a_named_folder_is_used_once() {
        let scratch = Scratch::new("named");
        let path = scratch.0.join("a/b");
        let folder = RunFolder::create_at(&path, "m").unwrap();
        assert_eq!(folder.chain_file(2), path.join("m-2.csv"));
        assert!(
            RunFolder::create_at(&path, "m").is_ok(),
            "an empty folder holds no run"
        );
        folder
            .write_run_file(&serde_json::json!({"model": "m"}))
            .unwrap();
        folder
            .write_run_file(&serde_json::json!({"model": "n"}))
            .unwrap();
        let text = fs::read_to_string(folder.run_file()).unwrap();
        assert_eq!(text, "{\n  \"model\": \"n\"\n}\n");
        let error = RunFolder::create_at(&path, "m").unwrap_err();
        assert!(
            matches!(&error.problem, FileProblem::HoldsARun { file } if file.ends_with("run.json")),
            "{error}"
        );
        assert_eq!(error.path, path);
    }

    #[test]
    fn chain_files_are_found_in_order() {
        let scratch = Scratch::new("chains");
        let folder = RunFolder::create_at(&scratch.0, "m").unwrap();
        for name in ["m-10.csv", "m-2.csv", "other-1.csv", "m-x.csv"] {
            fs::write(scratch.0.join(name), "").unwrap();
        }
        let found = folder.existing_chain_files().unwrap();
        assert_eq!(found, [folder.chain_file(2), folder.chain_file(10)]);
    }

    #[test]
    fn errors_name_the_path() {
        let scratch = Scratch::new("errors");
        let file = scratch.0.join("file");
        fs::write(&file, "").unwrap();
        let error = RunFolder::create_at(&file.join("run"), "m").unwrap_err();
        assert!(error.to_string().contains("run"), "{error}");
        assert!(RunFolder::create_in(&file, "m", moment(0)).is_err());
    }
}
