//! Compares every posterior of a folder of reference values with what this crate computes, and counts agreements.
//!
//! ```sh
//! HLM_POSTERIORDB=path/to/posteriordb cargo run --release --example oracle -- ORACLE_DIR --data-dir DATA_DIR
//! ```
//!
//! The programs are those of a posteriordb checkout (`posterior_database/models/stan/MODEL.stan` below the root that
//! HLM_POSTERIORDB names), the data `DATA_DIR/NAME.json`. Further arguments select files whose names contain one of them,
//! `--except NAME` leaves some out; `--literal` compares the slow evaluator's values too. It ends with exit code 1 when a
//! posterior differs.

#[path = "../tests/agreement/mod.rs"]
mod agreement;
#[path = "../tests/agreement/collection.rs"]
mod collection;

use agreement::{BackEnd, Reference};
use collection::{Collection, exit_code};
use std::process::ExitCode;

const USAGE: &str = "usage: HLM_POSTERIORDB=ROOT oracle ORACLE_DIR --data-dir DATA_DIR [--literal] \
                     [--except NAME]... [NAME]...";

fn main() -> ExitCode {
    let mut back_ends = vec![BackEnd::Compiled];
    let collection = Collection::from_arguments(USAGE, |option, _| {
        let known = option == "--literal";
        if known {
            back_ends.push(BackEnd::Literal);
        }
        Ok(known)
    });
    exit_code(collection.and_then(|collection| {
        collection.compare_all(|name| compare(&collection, &back_ends, name))
    }))
}

fn compare(collection: &Collection, back_ends: &[BackEnd], name: &str) -> Result<String, String> {
    let reference = Reference::read(&collection.reference_file(name))?;
    let posterior = agreement::posterior(
        &format!("{}.stan", reference.model),
        &collection.program(&reference.model)?,
        &collection.data(&reference.data)?,
        &reference,
    )?;
    for &back_end in back_ends {
        let differences = agreement::differences(&posterior, &reference, back_end);
        if let Some(first) = differences.first() {
            let count = (differences.len(), reference.points.len());
            return Err(format!(
                "{back_end:?}, {} of {} points; {first}",
                count.0, count.1
            ));
        }
    }
    Ok(String::new())
}
