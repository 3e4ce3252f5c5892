//! `hlm sample`: program and data in, draws and a summary out.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use super::expand::generate;
use super::table::ShortTable;
use crate::args::{Metric, SampleArgs};
use crate::fault::Fault;
use crate::files::{DataSource, absolute, read_bytes};
use crate::interrupt;
use crate::progress::Tally;
use crate::screen::{self, duration};
use hlm::check::CheckOptions;
use hlm::equation::lower::Purpose;
use hlm::equation::plan::MissingValues;
use hlm::io::draws_csv::Digits;
use hlm::io::run_folder::RunFolder;
use hlm::mcmc::{
    DualAveragingSettings, Ending, InitialPoint, MetricKind, Settings, StepSizeSettings,
};
use hlm::model::{BindOptions, Model, Posterior, read_data};
use hlm::run::{self, DataIdentity, Progress, Run, RunError, RunFiles, RunSettings, Silent};

/// Radius of random initial values where a file leaves some out (Stan: 2).
const RADIUS: f64 = 2.0;

/// Runs the command.
///
/// # Errors
/// Whatever keeps chains from running.
pub fn sample(args: &SampleArgs) -> Result<ExitCode, Fault> {
    let sampled = fit(args)?;
    let folder = sampled.folder().display().to_string();
    report(args, &sampled, &format!("`hlm summary {folder}`"))?;
    if nothing_was_made(&sampled.run) {
        discard(args, &sampled);
    } else if args.quiet {
        screen::print(&format!("{folder}\n"))?;
    } else {
        screen::print(&format!("Draws: {folder}\n"))?;
    }
    Ok(exit_code(&sampled.run))
}

/// What sampling leaves behind.
pub struct Sampled {
    /// The model with its data.
    pub posterior: Posterior,
    /// The draws, and how the chains went.
    pub run: Run,
    settings: RunSettings,
    files: RunFiles,
}

impl Sampled {
    /// Where the draws are.
    pub fn folder(&self) -> &Path {
        self.files.folder.path()
    }
}

/// Samples, and writes the draws; Ctrl-C ends the chains early.
///
/// # Errors
/// Whatever keeps chains from running.
pub fn fit(args: &SampleArgs) -> Result<Sampled, Fault> {
    let interrupt = interrupt::watch();
    let started = SystemTime::now();
    let seed = args.seed.unwrap_or_else(random_seed);
    let mut settings = settings(args, seed);
    settings
        .validate()
        .map_err(|errors| Fault::new(in_words(&errors)))?;
    let data = DataSource::read(&args.data)?;
    let (posterior, identity) = prepare(args, data, seed)?;
    settings.initial = initial(args, &posterior)?;

    let files = RunFiles {
        folder: folder(args, &posterior, started)?,
        data_file: args.data.data.join(","),
        init: args.init.clone(),
        digits: args.sig_figs.map_or(Digits::Shortest, |digits| {
            Digits::Significant(digits.into())
        }),
        started,
    };
    let program = absolute(&args.model);
    let description =
        |run: Option<&Run>| run::describe(&posterior, &program, &identity, &settings, &files, run);
    files.folder.write_run_file(&description(None))?;
    if !args.quiet {
        screen::note(&opening(&settings, &posterior));
    }
    let run = chains(args, &posterior, &settings, &files, interrupt)?;
    files.folder.write_run_file(&description(Some(&run)))?;
    Ok(Sampled {
        posterior,
        run,
        settings,
        files,
    })
}

/// Checks, binds and compiles, and says how long each took.
fn prepare(
    args: &SampleArgs,
    data: DataSource,
    seed: u64,
) -> Result<(Posterior, DataIdentity), Fault> {
    let begin = Instant::now();
    let model = data.read_model(&args.model, &CheckOptions::default())?;
    let checked = begin.elapsed();
    if !args.quiet {
        screen::diagnostics(&model.program().sources, model.warnings());
    }
    let model = for_purpose(args, model)?;
    let options = BindOptions {
        seed,
        ..BindOptions::default()
    };
    let begin = Instant::now();
    let filled = data.fill(&model, &options)?;
    let filling = begin.elapsed();
    if !args.quiet {
        filled.notes().iter().for_each(|note| screen::note(note));
    }
    let identity = data.identity();
    // The files' text is as large as what it says, and nothing points into it any more.
    drop(data);
    let begin = Instant::now();
    let posterior = filled.compile(&options)?;
    if !args.quiet {
        let parameters = match posterior.dimension() {
            1 => "1 unconstrained parameter".to_string(),
            count => format!("{count} unconstrained parameters"),
        };
        screen::note(&format!(
            "{}: checked in {}, data bound in {}, compiled in {}; {parameters}",
            model.name(),
            duration(checked),
            duration(filling),
            duration(begin.elapsed()),
        ));
    }
    Ok((posterior, identity))
}

/// The model made for what the command is to do with it.
fn for_purpose(args: &SampleArgs, model: Model) -> Result<Model, Fault> {
    if model.program().equations.is_none() {
        return match (args.prior, args.generate.is_empty()) {
            (false, true) => Ok(model),
            (true, _) => Err(Fault::new(
                "the prior of a program in block form is not known: only equation form says which statements are prior",
            )),
            (false, false) => Err(Fault::new(
                "--generate is for models in equation form; a program in block form has its own generated quantities",
            )),
        };
    }
    let purpose = match args.prior {
        true => Purpose::Prior,
        false => Purpose::Fit {
            generate: generate(&args.generate),
            missing: MissingValues::default(),
        },
    };
    Ok(model.for_purpose(&purpose)?)
}

fn settings(args: &SampleArgs, seed: u64) -> RunSettings {
    RunSettings {
        sampler: Settings {
            seed,
            chains: args.chains,
            threads: args.threads,
            warmup: args.warmup,
            samples: args.draws,
            metric: match args.metric {
                Metric::Unit => MetricKind::Unit,
                Metric::Diagonal => MetricKind::Diagonal,
                Metric::Dense => MetricKind::Dense,
            },
            max_depth: args.max_depth,
            step_size: StepSizeSettings {
                initial: args.step_size,
                adaptation: DualAveragingSettings {
                    target_accept: args.target_accept,
                    ..DualAveragingSettings::default()
                },
                ..StepSizeSettings::default()
            },
            ..RunSettings::default().sampler
        },
        threads_per_chain: args.threads_per_chain,
        thin: args.thin,
        save_warmup: args.save_warmup,
        initial: match args.init.parse() {
            Ok(radius) => InitialPoint::Random { radius },
            Err(_) => InitialPoint::default(),
        },
    }
}

/// The settings' names as they are on the command line.
fn in_words(errors: &[hlm::mcmc::SettingsError]) -> String {
    let error = |error: &hlm::mcmc::SettingsError| {
        let option = error.setting.replace('_', "-");
        format!(
            "--{option} must be {}, but is {}",
            error.demand, error.value
        )
    };
    errors.iter().map(error).collect::<Vec<_>>().join("; ")
}

fn initial(args: &SampleArgs, posterior: &Posterior) -> Result<InitialPoint, Fault> {
    if let Ok(radius) = args.init.parse() {
        return Ok(InitialPoint::Random { radius });
    }
    let bytes = read_bytes(Path::new(&args.init), "file of initial values")?;
    let values = read_data(&args.init, &bytes)?;
    run::initial_point(posterior, &values, RADIUS)
        .map_err(|reason| Fault::new(format!("{}: {reason}", args.init)))
}

fn folder(args: &SampleArgs, posterior: &Posterior, now: SystemTime) -> Result<RunFolder, Fault> {
    let model = posterior.model().name();
    Ok(match &args.output {
        Some(path) => RunFolder::create_at(path, model)?,
        None => RunFolder::create_in(Path::new(""), model, now)?,
    })
}

fn opening(settings: &RunSettings, posterior: &Posterior) -> String {
    let sampler = &settings.sampler;
    let plural =
        |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let chains = plural(sampler.chains, "chain");
    let draws = plural(sampler.samples, "draw");
    if posterior.dimension() == 0 {
        return format!(
            "{chains} of {draws} of generated quantities, seed {}; there are no parameters to sample",
            sampler.seed
        );
    }
    format!(
        "{chains} of {} warmup transitions and {draws}, seed {}",
        sampler.warmup, sampler.seed
    )
}

fn chains(
    args: &SampleArgs,
    posterior: &Posterior,
    settings: &RunSettings,
    files: &RunFiles,
    interrupt: &AtomicBool,
) -> Result<Run, Fault> {
    let run = |progress: &dyn Progress| {
        run::sample(posterior, settings, Some(files), progress, interrupt)
    };
    let sampler = &settings.sampler;
    let outcome = if args.quiet {
        run(&Silent)
    } else {
        let warmup = if posterior.dimension() == 0 {
            0
        } else {
            sampler.warmup
        };
        let tally = Tally::new(sampler.first_chain, sampler.chains, warmup, sampler.samples);
        tally.watch(|| run(&tally))
    };
    outcome.map_err(|error| match error {
        RunError::Settings(errors) => Fault::new(in_words(&errors)),
        RunError::Threads(error) => Fault::new(error.to_string()),
        RunError::File(error) => error.into(),
        RunError::Chains(failure) => failure.into(),
    })
}

/// The table and what to make of it. `all` says what shows every row.
///
/// # Errors
/// Whatever keeps standard output from taking them.
pub fn report(args: &SampleArgs, sampled: &Sampled, all: &str) -> Result<(), Fault> {
    let Sampled {
        posterior,
        run,
        settings,
        ..
    } = sampled;
    let draws = &run.draws;
    if draws.rows() > 0 {
        let table = ShortTable::new(draws, parameter_columns(posterior));
        if !args.quiet {
            screen::note(&closing(run));
            screen::print(&format!("\n{}\n", table.to_text(all)))?;
        }
        for warning in draws.warnings(&table.summary, settings.sampler.max_depth) {
            screen::warning(&warning.to_string(), warning.advice());
        }
    }
    screen::findings(&run.findings(posterior));
    if draws.rows() == 0 && was_interrupted(run) {
        screen::note(
            "interrupted before the first draw after warmup: there is nothing to summarise",
        );
    }
    Ok(())
}

/// Whether no chain got as far as a first transition.
fn nothing_was_made(run: &Run) -> bool {
    run.chains.iter().all(|chain| {
        let counts = &chain.report.counts;
        counts.warmup.draws + counts.sampling.draws == 0
    })
}

/// Removes files without draws, so that the next attempt finds the place free.
fn discard(args: &SampleArgs, sampled: &Sampled) {
    let (sampler, files) = (&sampled.settings.sampler, &sampled.files);
    let chains = (sampler.first_chain..).take(sampler.chains);
    let written = chains.map(|chain| files.folder.chain_file(chain));
    for file in written.chain([files.folder.run_file()]) {
        // What cannot be removed does no harm.
        let _ = fs::remove_file(file);
    }
    if args.output.is_none() {
        let _ = fs::remove_dir(files.folder.path());
    }
}

/// How many columns are of parameters.
fn parameter_columns(posterior: &Posterior) -> usize {
    let typed = &posterior.model().program().typed;
    let names: Vec<&str> = typed
        .parameters
        .iter()
        .map(|parameter| typed.variable(parameter.variable).name.as_str())
        .collect();
    posterior
        .columns()
        .iter()
        .take_while(|column| {
            let name = column.name.split(['.', ':']).next().unwrap_or_default();
            names.contains(&name)
        })
        .count()
}

/// One line on time and draws.
fn closing(run: &Run) -> String {
    let slowest = run
        .chains
        .iter()
        .map(|chain| chain.report.times.warmup + chain.report.times.sampling)
        .max()
        .unwrap_or_default();
    let evaluations: u64 = run
        .chains
        .iter()
        .map(|chain| chain.report.counts.gradient_evaluations)
        .sum();
    let interrupted = run
        .chains
        .iter()
        .filter(|chain| matches!(chain.report.ending, Ending::Interrupted))
        .count();
    let mut line = format!(
        "{} draws, {evaluations} gradients, slowest chain {}",
        run.draws.rows(),
        duration(slowest)
    );
    if interrupted > 0 {
        line.push_str(&format!(
            "; {interrupted} of {} chains interrupted",
            run.chains.len()
        ));
    }
    line
}

fn exit_code(run: &Run) -> ExitCode {
    let any =
        |is_so: fn(&Ending) -> bool| run.chains.iter().any(|chain| is_so(&chain.report.ending));
    if any(|ending| !matches!(ending, Ending::Finished | Ending::Interrupted)) {
        ExitCode::FAILURE
    } else if was_interrupted(run) {
        ExitCode::from(interrupt::EXIT_CODE)
    } else {
        ExitCode::SUCCESS
    }
}

fn was_interrupted(run: &Run) -> bool {
    let mut chains = run.chains.iter();
    chains.any(|chain| matches!(chain.report.ending, Ending::Interrupted))
}

/// A seed from the system's entropy, short enough to be typed again.
pub(super) fn random_seed() -> u64 {
    RandomState::new().hash_one(SystemTime::now()) >> 32
}
