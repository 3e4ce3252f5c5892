//! Where the prompt keeps its files: the model as the commands read it, and the runs of its fits.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder of this session, removed at its end.
pub struct Workplace {
    folder: PathBuf,
    runs: usize,
}

impl Workplace {
    /// A new folder among the system's temporary files.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    pub fn new() -> io::Result<Workplace> {
        let own = format!("hlm-prompt-{}", std::process::id());
        let base = std::env::temp_dir();
        // A process before us may have had our number and ended without tidying up.
        for attempt in 0.. {
            let folder = base.join(match attempt {
                0 => own.clone(),
                _ => format!("{own}-{attempt}"),
            });
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Workplace { folder, runs: 0 }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Writes a text as the file `name`; its path.
    ///
    /// # Errors
    /// Whatever keeps it from being written.
    pub fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// A folder for the next run, not there yet.
    pub fn next_run(&mut self) -> PathBuf {
        self.runs += 1;
        self.folder.join(format!("fit-{}", self.runs))
    }

    /// Whether a path lies within.
    pub fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.folder)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What cannot be removed, the system will.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
