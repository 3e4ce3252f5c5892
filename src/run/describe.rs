//! The description of a run that lies beside its draws, so that they can be understood, and made again, years later.

use serde_json::{Map, Value, json};

use super::csv::RunFiles;
use super::labels::describe_plan;
use super::sample::{ChainRun, Run};
use super::settings::RunSettings;
use crate::io::draws_csv::Digits;
use crate::io::run_folder::UtcTime;
use crate::mcmc::{Ending, InitialPoint, MetricKind};
use crate::model::Posterior;
use crate::tables;

/// Which data a run was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataIdentity {
    /// The files, in the order in which they were given.
    pub files: Vec<FileIdentity>,
    /// Values given one by one, as JSON.
    pub set: Vec<(String, String)>,
    /// What became of missing values.
    pub missing: tables::Options,
}

/// One data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// The file.
    pub path: String,
    /// The index of the model that it was given to outright.
    pub letter: Option<String>,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
}

impl DataIdentity {
    /// As it stands in `run.json`: `files`, each with `file`, `sha256` and (where given) `letter`; `set`, the values given
    /// one by one; `na`, in the words of the command line.
    fn to_json(&self) -> Value {
        let file = |file: &FileIdentity| {
            let mut object = json!({"file": file.path, "sha256": file.sha256});
            if let Some(letter) = &file.letter {
                object["letter"] = json!(letter);
            }
            object
        };
        let set = self.set.iter();
        let general = self
            .missing
            .missing
            .iter()
            .map(|policy| policy.name().to_string());
        let by_column = self.missing.by_column.iter();
        let by_column = by_column.map(|(column, policy)| format!("{column}={}", policy.name()));
        json!({
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "set": set.map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>(),
            "na": general.chain(by_column).collect::<Vec<_>>(),
        })
    }
}

/// The content of a run's `run.json`: program, data, settings, columns and versions, and how the run went once it has
/// ended; of a model in equation form also its index sets and labels (see `labels.rs`). `program_file` is where the program was read from.
pub fn describe(
    posterior: &Posterior,
    program_file: &str,
    data: &DataIdentity,
    settings: &RunSettings,
    files: &RunFiles,
    run: Option<&Run>,
) -> Value {
    let program = posterior.model().program();
    let columns: Vec<&str> = posterior
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let sampler = &settings.sampler;
    let chains = sampler.first_chain..sampler.first_chain + sampler.chains as u64;
    let names = chains.filter_map(|chain| {
        let path = files.folder.chain_file(chain);
        Some(path.file_name()?.to_string_lossy().into_owned())
    });
    let mut description = json!({
        "hlm_version": env!("CARGO_PKG_VERSION"),
        "status": run.map_or("running", status),
        "model": posterior.model().name(),
        "program_file": program_file,
        "program": program.sources.text(program.source),
        "data": data.to_json(),
        "started": UtcTime::of(files.started).to_string(),
        "seed": sampler.seed,
        "settings": settings_json(settings, files),
        "unconstrained_parameters": posterior.dimension(),
        "columns": columns,
        "files": names.collect::<Vec<_>>(),
        "chains": run.map(|run| run.chains.iter().map(chain_json).collect::<Vec<_>>()),
    });
    if let Some(equations) = &program.equations {
        describe_plan(&equations.plan, posterior, &mut description);
    }
    description
}

fn status(run: &Run) -> &'static str {
    let ended =
        |is_so: fn(&Ending) -> bool| run.chains.iter().any(|chain| is_so(&chain.report.ending));
    if ended(|ending| !matches!(ending, Ending::Finished | Ending::Interrupted)) {
        "failed"
    } else if ended(|ending| matches!(ending, Ending::Interrupted)) {
        "interrupted"
    } else {
        "finished"
    }
}

fn settings_json(settings: &RunSettings, files: &RunFiles) -> Value {
    let sampler = &settings.sampler;
    let adaptation = &sampler.step_size.adaptation;
    json!({
        "chains": sampler.chains,
        "threads": sampler.threads,
        "threads_per_chain": settings.threads_per_chain,
        "warmup": sampler.warmup,
        "draws": sampler.samples,
        "thin": settings.thin,
        "save_warmup": settings.save_warmup,
        "metric": match sampler.metric {
            MetricKind::Unit => "unit",
            MetricKind::Diagonal => "diagonal",
            MetricKind::Dense => "dense",
        },
        "max_depth": sampler.max_depth,
        "max_energy_error": sampler.max_energy_error,
        "step_size": sampler.step_size.initial,
        "step_size_jitter": sampler.step_size.jitter,
        "target_accept": adaptation.target_accept,
        "gamma": adaptation.gamma,
        "kappa": adaptation.kappa,
        "t0": adaptation.offset,
        "initial_window": sampler.windows.initial,
        "base_window": sampler.windows.base,
        "terminal_window": sampler.windows.terminal,
        "init": files.init,
        "init_radius": match settings.initial {
            InitialPoint::Random { radius } | InitialPoint::Partial { radius, .. } => Some(radius),
            InitialPoint::Given(_) => None,
        },
        "digits": match files.digits {
            Digits::Shortest => None,
            Digits::Significant(count) => Some(count),
        },
    })
}

fn chain_json(chain: &ChainRun) -> Value {
    let report = &chain.report;
    let counts = &report.counts;
    json!({
        "chain": report.chain,
        "ending": report.ending.to_string(),
        "draws": counts.sampling.draws,
        "divergences": counts.sampling.divergences,
        "max_depth_hits": counts.sampling.max_depth_hits,
        "gradient_evaluations": counts.gradient_evaluations,
        "rejections": counts.rejections,
        "first_rejection": report.first_rejection,
        "generated_failures": chain.generated_failures,
        "step_size": report.step_size,
        "warmup_seconds": report.times.warmup.as_secs_f64(),
        "sampling_seconds": report.times.sampling.as_secs_f64(),
    })
}
