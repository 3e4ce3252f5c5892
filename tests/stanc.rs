//! Stan's own compiler accepts what `hlm expand` prints, of every acceptance case and example: as it is fitted, with
//! replicates and log densities, and as `hlm prior` simulates it; the programs by hand, too.
//!
//! Runs where HLM_STANC names a `stanc` of version 2.35 or later, and says that it was skipped elsewhere:
//! `HLM_STANC=/path/to/stanc cargo test --release --test stanc -- --nocapture`.

#![allow(clippy::unwrap_used)]

use hlm::equation::lower::{Generate, Purpose};
use hlm::equation::plan::MissingValues;
use hlm::session;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

mod programs;

struct Stanc {
    program: String,
    /// Stan has `sum_to_zero_vector` since 2.36.
    sums_to_zero: bool,
    folder: PathBuf,
}

impl Stanc {
    /// The compiler that HLM_STANC names, if it names one.
    fn named() -> Option<Stanc> {
        let program = std::env::var("HLM_STANC").ok()?;
        let said = Command::new(&program).arg("--version").output().unwrap();
        // "stanc3 v2.35.0 (Unix)"
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let minor = said.split('.').nth(1).and_then(|minor| minor.parse().ok());
        let minor: u32 = minor.unwrap_or_else(|| panic!("what version is `{said}`?"));
        println!("{program}: {}", said.trim());
        let folder = std::env::temp_dir().join(format!("hlm-stanc-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Some(Stanc {
            program,
            sums_to_zero: minor >= 36,
            folder,
        })
    }

    /// What it says against a program, if anything.
    fn fault(&self, text: &str) -> Option<String> {
        let text = match self.sums_to_zero {
            true => text.to_string(),
            false => text.replace("sum_to_zero_vector", "vector"),
        };
        let file = self.folder.join("program.stan");
        fs::write(&file, &text).unwrap();
        let generated = self.folder.join("program.hpp");
        let output = Command::new(&self.program)
            .arg(format!("--o={}", generated.display()))
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (!output.status.success()).then_some(format!("{said}\n{text}"))
    }
}

impl Drop for Stanc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn stanc_accepts_what_expand_prints() {
    let Some(stanc) = Stanc::named() else {
        println!("skipped: HLM_STANC names no compiler");
        return;
    };
    let generate = Generate {
        replicates: true,
        log_lik: true,
    };
    let missing = MissingValues::default();
    let purposes = [
        (
            "plain",
            Purpose::Fit {
                generate: Generate::default(),
                missing: missing.clone(),
            },
        ),
        ("--generate rep,log_lik", Purpose::Fit { generate, missing }),
        ("--prior", Purpose::Prior),
    ];
    let (mut accepted, mut faults) = (0, Vec::new());
    for case in programs::all() {
        for (what, purpose) in &purposes {
            let text = session::expand(case.lowered_for(purpose).program());
            match stanc.fault(&text) {
                None => accepted += 1,
                Some(fault) => faults.push(format!("{}, {what}: {fault}", case.name)),
            }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/by_hand");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match stanc.fault(&fs::read_to_string(&path).unwrap()) {
            None => accepted += 1,
            Some(fault) => faults.push(format!("{}: {fault}", path.display())),
        }
    }
    println!("{accepted} programs accepted");
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
