//! The files of draws open in the programs that read CmdStan's: tests/python/open_csv.py reads a run with ArviZ and CmdStanPy.
//!
//! Runs where `python3` (or the program that HLM_PYTHON names) has these packages, and says that it was skipped elsewhere:
//! `pip install 'arviz==0.23.*' cmdstanpy`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the script ends with where a package is missing.
const SKIPPED: i32 = 77;

fn hlm(args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_hlm"))
        .args(args)
        .current_dir(root)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {words}");
    output
}

/// A run of eight schools and its summary, removed at the end.
struct Run {
    folder: PathBuf,
}

impl Run {
    fn new() -> Run {
        let name = format!("hlm-open-csv-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let run = Run { folder };
        let (model, data) = (
            "examples/eight_schools/eight_schools.hlm",
            "examples/eight_schools/eight_schools.json",
        );
        let draws = run.path("draws");
        hlm(&[
            "sample", model, "--data", data, "--seed", "1", "--output", &draws,
        ]);
        let summary = hlm(&["summary", &draws, "--format", "json"]);
        std::fs::write(run.path("summary.json"), summary.stdout).unwrap();
        run
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn draws_open_in_arviz_and_cmdstanpy() {
    let python = std::env::var("HLM_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let run = Run::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/open_csv.py");
    let output = Command::new(&python)
        .arg(script)
        .args([run.path("draws"), run.path("summary.json")])
        .output();
    let Ok(output) = output else {
        println!("skipped: there is no program `{python}`");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}", said.trim());
    let errors = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(code == Some(0) || code == Some(SKIPPED), "{said}{errors}");
}
