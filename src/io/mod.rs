//! Files in and out: Stan JSON data, draws as CmdStan CSV, run folders. Plain arrays only; no language, no compiler.

pub mod data_json;
