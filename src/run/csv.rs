//! The files of a run: one CSV file a chain in the run's folder, in CmdStan's words.

use std::time::SystemTime;

use super::settings::RunSettings;
use crate::io::FileError;
use crate::io::draws_csv::{
    self, Adaptation, Algorithm, Digits, DrawsWriter, InverseMetric, SampleHeader,
};
use crate::io::run_folder::{RunFolder, UtcTime};
use crate::mcmc::{self, MetricKind};
use crate::model::Posterior;

/// Digits in the header's words when all are written.
const ALL_DIGITS: usize = 17;

/// Where a run's draws are written, and what the files' headers say of where the run came from.
#[derive(Clone, Debug)]
pub struct RunFiles {
    /// The folder.
    pub folder: RunFolder,
    /// The data file; empty for none.
    pub data_file: String,
    /// The initial values: a radius or a file.
    pub init: String,
    /// How many digits numbers get.
    pub digits: Digits,
    /// When the run started.
    pub started: SystemTime,
}

/// Creates the file of a chain.
pub(super) fn create(
    files: &RunFiles,
    posterior: &Posterior,
    settings: &RunSettings,
    chain: u64,
) -> Result<DrawsWriter, FileError> {
    let columns: Vec<String> = posterior
        .columns()
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let path = files.folder.chain_file(chain);
    let header = header(files, posterior, settings, chain);
    DrawsWriter::create(&path, &header, &columns, files.digits)
}

fn header(
    files: &RunFiles,
    posterior: &Posterior,
    settings: &RunSettings,
    chain: u64,
) -> SampleHeader {
    let sampler = &settings.sampler;
    let moves = posterior.dimension() > 0;
    let adaptation = &sampler.step_size.adaptation;
    SampleHeader {
        model: posterior.model().name().to_string(),
        start_datetime: UtcTime::of(files.started).to_string(),
        num_samples: sampler.samples,
        num_warmup: if moves { sampler.warmup } else { 0 },
        save_warmup: settings.save_warmup && moves,
        thin: settings.thin,
        adapt: Adaptation {
            engaged: moves && sampler.warmup > 0,
            gamma: adaptation.gamma,
            delta: adaptation.target_accept,
            kappa: adaptation.kappa,
            t0: adaptation.offset,
            init_buffer: sampler.windows.initial,
            term_buffer: sampler.windows.terminal,
            window: sampler.windows.base,
        },
        algorithm: if moves {
            Algorithm::Nuts {
                max_depth: sampler.max_depth,
                metric: match sampler.metric {
                    MetricKind::Unit => "unit_e",
                    MetricKind::Diagonal => "diag_e",
                    MetricKind::Dense => "dense_e",
                },
                step_size: sampler.step_size.initial,
                step_size_jitter: sampler.step_size.jitter,
            }
        } else {
            Algorithm::FixedParam
        },
        num_chains: sampler.chains,
        id: chain,
        data_file: files.data_file.clone(),
        init: files.init.clone(),
        seed: sampler.seed,
        output_file: files.folder.chain_file(chain).display().to_string(),
        sig_figs: match files.digits {
            Digits::Shortest => ALL_DIGITS,
            Digits::Significant(count) => count,
        },
        num_threads: settings.chains_at_once() * settings.threads_per_chain,
        ..SampleHeader::default()
    }
}

/// A metric in the form that files hold.
pub(super) fn metric(kind: MetricKind, metric: &mcmc::InverseMetric) -> InverseMetric {
    match (kind, metric) {
        (MetricKind::Unit, _) => draws_csv::InverseMetric::Unit,
        (_, mcmc::InverseMetric::Diagonal(variances)) => InverseMetric::Diagonal(variances.clone()),
        (_, mcmc::InverseMetric::Dense(entries)) => {
            let order = entries.len().isqrt().max(1);
            InverseMetric::Dense(entries.chunks(order).map(<[f64]>::to_vec).collect())
        }
    }
}
