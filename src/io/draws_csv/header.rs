//! The comments at the head of a file of draws: every setting under CmdStan's name, in CmdStan's order.

use std::fmt::{Display, Write};

/// The version of CmdStan whose file format is written; readers choose their parser by it.
const STAN_VERSION: [u32; 3] = [2, 39, 0];

/// What the head of a file of draws says; the default is CmdStan's.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleHeader {
    /// Name of the model.
    pub model: String,
    /// When sampling started, as `2026-11-22 23:59:59 UTC`; left out when empty.
    pub start_datetime: String,
    /// Draws after warmup, before thinning.
    pub num_samples: usize,
    /// Warmup iterations, before thinning.
    pub num_warmup: usize,
    /// Whether the warmup draws are in the file.
    pub save_warmup: bool,
    /// Every how many-th iteration is in the file.
    pub thin: usize,
    /// Adaptation of the step size and the metric.
    pub adapt: Adaptation,
    /// The sampler.
    pub algorithm: Algorithm,
    /// Chains of the run.
    pub num_chains: usize,
    /// Number of this chain, from 1.
    pub id: u64,
    /// The data file; empty for none.
    pub data_file: String,
    /// The initial values: a radius, 0, or a file.
    pub init: String,
    /// Seed of the run.
    pub seed: u64,
    /// This file.
    pub output_file: String,
    /// Progress is reported every so many iterations.
    pub refresh: usize,
    /// Significant digits; 17 stands for all.
    pub sig_figs: usize,
    /// Threads of the run.
    pub num_threads: usize,
    /// Further `key = value` lines, after `hlm_version`.
    pub extra: Vec<(String, String)>,
}

/// Settings of the adaptation during warmup, under CmdStan's names.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "CmdStan's own names, which its manual defines")]
pub struct Adaptation {
    pub engaged: bool,
    pub gamma: f64,
    pub delta: f64,
    pub kappa: f64,
    pub t0: f64,
    pub init_buffer: usize,
    pub term_buffer: usize,
    pub window: usize,
}

/// The sampler that made the draws.
#[derive(Debug, Clone, PartialEq)]
pub enum Algorithm {
    /// The no-U-turn sampler.
    Nuts {
        /// Largest depth of a trajectory's tree.
        max_depth: usize,
        /// `unit_e`, `diag_e` or `dense_e`, the metrics that readers know.
        metric: &'static str,
        /// Initial step size.
        step_size: f64,
        /// Relative jitter of the step size, 0 to 1.
        step_size_jitter: f64,
    },
    /// No parameters move: only generated quantities are drawn. The file has no adaptation block, and of the sampler
    /// columns only `lp__` and `accept_stat__`.
    FixedParam,
}

impl Default for SampleHeader {
    fn default() -> SampleHeader {
        SampleHeader {
            model: "model".to_string(),
            start_datetime: String::new(),
            num_samples: 1000,
            num_warmup: 1000,
            save_warmup: false,
            thin: 1,
            adapt: Adaptation::default(),
            algorithm: Algorithm::default(),
            num_chains: 1,
            id: 1,
            data_file: String::new(),
            init: "2".to_string(),
            seed: 0,
            output_file: "output.csv".to_string(),
            refresh: 100,
            sig_figs: 8,
            num_threads: 1,
            extra: Vec::new(),
        }
    }
}

impl Default for Adaptation {
    fn default() -> Adaptation {
        Adaptation {
            engaged: true,
            gamma: 0.05,
            delta: 0.8,
            kappa: 0.75,
            t0: 10.0,
            init_buffer: 75,
            term_buffer: 50,
            window: 25,
        }
    }
}

impl Default for Algorithm {
    fn default() -> Algorithm {
        Algorithm::Nuts {
            max_depth: 10,
            metric: "diag_e",
            step_size: 1.0,
            step_size_jitter: 0.0,
        }
    }
}

impl SampleHeader {
    /// The comment lines, each with its line break.
    pub(super) fn to_text(&self) -> String {
        let usual = SampleHeader::default();
        let mut lines = Lines { out: String::new() };
        for (part, number) in ["major", "minor", "patch"].iter().zip(STAN_VERSION) {
            lines.given(0, &format!("stan_version_{part}"), number);
        }
        lines.given(0, "model", &self.model);
        if !self.start_datetime.is_empty() {
            lines.given(0, "start_datetime", &self.start_datetime);
        }
        lines.given(0, "method", "sample (Default)");
        lines.section(1, "sample");
        lines.setting(2, "num_samples", self.num_samples, usual.num_samples);
        lines.setting(2, "num_warmup", self.num_warmup, usual.num_warmup);
        lines.setting(2, "save_warmup", self.save_warmup, usual.save_warmup);
        lines.setting(2, "thin", self.thin, usual.thin);
        self.adapt.push_lines(&mut lines);
        self.algorithm.push_lines(&mut lines);
        lines.setting(2, "num_chains", self.num_chains, usual.num_chains);
        lines.setting(0, "id", self.id, usual.id);
        lines.section(0, "data");
        lines.setting(1, "file", &self.data_file, &usual.data_file);
        lines.setting(0, "init", &self.init, &usual.init);
        lines.section(0, "random");
        lines.given(1, "seed", self.seed);
        lines.section(0, "output");
        lines.setting(1, "file", &self.output_file, &usual.output_file);
        lines.setting(1, "diagnostic_file", "", "");
        lines.setting(1, "refresh", self.refresh, usual.refresh);
        lines.setting(1, "sig_figs", self.sig_figs, usual.sig_figs);
        lines.setting(1, "profile_file", "profile.csv", "profile.csv");
        lines.setting(1, "save_cmdstan_config", false, false);
        lines.setting(0, "num_threads", self.num_threads, usual.num_threads);
        lines.given(0, "hlm_version", env!("CARGO_PKG_VERSION"));
        for (key, value) in &self.extra {
            lines.given(0, key, value);
        }
        lines.out
    }
}

impl Adaptation {
    fn push_lines(&self, lines: &mut Lines) {
        let usual = Adaptation::default();
        lines.section(2, "adapt");
        lines.setting(3, "engaged", self.engaged, usual.engaged);
        lines.setting(3, "gamma", self.gamma, usual.gamma);
        lines.setting(3, "delta", self.delta, usual.delta);
        lines.setting(3, "kappa", self.kappa, usual.kappa);
        lines.setting(3, "t0", self.t0, usual.t0);
        lines.setting(3, "init_buffer", self.init_buffer, usual.init_buffer);
        lines.setting(3, "term_buffer", self.term_buffer, usual.term_buffer);
        lines.setting(3, "window", self.window, usual.window);
        lines.setting(3, "save_metric", false, false);
    }
}

impl Algorithm {
    fn push_lines(&self, lines: &mut Lines) {
        match self {
            Algorithm::Nuts {
                max_depth,
                metric,
                step_size,
                step_size_jitter,
            } => {
                lines.setting(2, "algorithm", "hmc", "hmc");
                lines.section(3, "hmc");
                lines.setting(4, "engine", "nuts", "nuts");
                lines.section(5, "nuts");
                lines.setting(6, "max_depth", *max_depth, 10);
                lines.setting(4, "metric", *metric, "diag_e");
                lines.setting(4, "metric_file", "", "");
                lines.setting(4, "stepsize", *step_size, 1.0);
                lines.setting(4, "stepsize_jitter", *step_size_jitter, 0.0);
            }
            Algorithm::FixedParam => lines.given(2, "algorithm", "fixed_param"),
        }
    }
}

/// Comment lines under construction.
struct Lines {
    out: String,
}

impl Lines {
    fn section(&mut self, level: usize, name: &str) {
        self.push(level, name);
    }

    fn given(&mut self, level: usize, key: &str, value: impl Display) {
        self.push(level, &format!("{key} = {value}"));
    }

    /// A setting, marked when it is CmdStan's default.
    fn setting<T: Display + PartialEq>(&mut self, level: usize, key: &str, value: T, usual: T) {
        let mark = if value == usual { " (Default)" } else { "" };
        self.push(level, &format!("{key} = {value}{mark}"));
    }

    /// One line; a line break inside a name or path would end the comment.
    fn push(&mut self, level: usize, text: &str) {
        let text = text.replace(['\n', '\r'], " ");
        let _ = writeln!(self.out, "# {:indent$}{text}", "", indent = 2 * level);
    }
}
